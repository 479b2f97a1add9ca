"""Run in the back end before the scripts: a script that leaves must not take the program with it."""


def _engram_keep_running():
    """Turns SystemExit, which Python would obey, into an error like any other."""
    from paraview.catalyst import v2_internals

    def guarded(function):
        def call(*arguments):
            try:
                return function(*arguments)
            except SystemExit as left:
                raise RuntimeError(f"the script has left by SystemExit({left})") from None
        return call

    for name in ("import_and_validate", "do_request_data_description", "do_catalyst_initialize",
                 "do_catalyst_execute", "do_catalyst_finalize"):
        setattr(v2_internals, name, guarded(getattr(v2_internals, name)))


_engram_keep_running()
