"""Run in the back end before the scripts: lets all of them open Catalyst Live."""


def _engram_enable_live(url):
    """Makes the options of every script to come those of a run that a viewer may join."""
    from paraview import catalyst

    make_options = catalyst.Options

    def options():
        made = make_options()
        made.EnableCatalystLive = 1
        made.CatalystLiveURL = url
        return made

    catalyst.Options = options
