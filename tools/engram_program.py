"""Finds the program, by one rule for all tools: `find_program`.

Needs nothing but Python, for tools that run on the login node of a cluster.
"""

import os
import pathlib
import shutil

VARIABLE = "ENGRAM_PROGRAM"
# Its program has the options that the tools of the same tree know.
OF_THIS_TREE = pathlib.Path(__file__).resolve().parent.parent / "build" / "release" / "engram"
HELP = (f"the program (default: that of the variable {VARIABLE}, then build/release/engram of this "
        "tree, then engram in the PATH)")


class ProgramError(Exception):
    """There is no program to run; the text says what would help."""


def find_program(given=None):
    """The path of the program as text.

    The first that is there: what --program gives; the variable ENGRAM_PROGRAM; build/release/engram
    of the tree that the tool is in; engram in the PATH. One that is named and is not there is an
    error: no other is run in its place.
    """
    for name, source in ((given, "--program "), (os.environ.get(VARIABLE), f"{VARIABLE}=")):
        if name:
            found = shutil.which(name)
            if not found:
                raise ProgramError(f"{source}{name}: no such program; build it, or name another "
                                   "one")
            return found
    found = shutil.which(OF_THIS_TREE) or shutil.which("engram")
    if not found:
        raise ProgramError(f"no engram found: neither {OF_THIS_TREE} nor engram in the PATH; build "
                           "it with `cmake --preset release && cmake --build --preset release`, or "
                           f"name it with --program or {VARIABLE}")
    return str(found)
