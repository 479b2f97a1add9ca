"""In situ: a hand on the running simulation, by a small text file.

    engram case.yaml -output_dir results/a -insitu_scripts steer.py
    echo "steer_input_factor 2" >> results/a/insitu/steer.txt

The file is looked at after each step that is shown. A line is `NAME VALUE`, or `at TIME NAME VALUE`
for a change at the first such step at or beyond a time; the rest of a line after # is ignored. Of
several lines for a name the last one whose time has come holds. Names are

    steer_input_factor   the input is this factor times I(w, t)
    insitu_every, output_fields_every, output_series_every, checkpoint_every
                         intervals, as the options of the same names
    stop                 1: ends the run after this step, with a checkpoint to go on from (exit
                         code 86); take the line out again before -restart auto

All ranks take a change over at the same step; steering.csv and the checkpoints record it. A line
that means nothing is told once and does no harm. Environment variables (defaults in brackets):

    ENGRAM_INSITU_DIR    folder of the file [output_dir/insitu]
    ENGRAM_STEER_FILE    the file itself [steer.txt in this folder]
"""

import os

from paraview import catalyst
from paraview.simple import *  # noqa: F403
from vtkmodules.vtkParallelCore import vtkMultiProcessController

FILE = os.environ.get("ENGRAM_STEER_FILE",
                      os.path.join(os.environ.get("ENGRAM_INSITU_DIR", "insitu"), "steer.txt"))

options = catalyst.Options()
density = TrivialProducer(registrationName="density")
# What rank 0 writes counts; the other ranks need not read the file.
is_first = vtkMultiProcessController.GetGlobalController().GetLocalProcessId() == 0

requested = {}  # name -> value, of what was asked for already
told = set()  # lines that mean nothing


def read_line(line, names):
    """(time, name, value) of a line, or None where there is nothing in it or nothing to it."""
    words = line.split("#")[0].split()
    if not words:
        return None
    try:
        time = float(words[1]) if words[0] == "at" else float("-inf")
        name, value = words[2:] if words[0] == "at" else words
        if name not in names:
            raise ValueError(f"the names are {', '.join(names)}")
        return time, name, float(value)
    except (ValueError, IndexError) as error:
        if line not in told:
            print(f"steer.py: {FILE}: line '{line.strip()}' is ignored: {error}", flush=True)
            told.add(line)
        return None


def wanted_at(now, names):
    """The values that the file wants at a time, by name."""
    try:
        with open(FILE, encoding="utf-8-sig") as file:
            lines = [read_line(line, names) for line in file]
    except FileNotFoundError:
        return {}
    return {name: value for time, name, value in filter(None, lines) if time <= now}


def catalyst_execute(info):
    """Called at each step that is shown: writes the requests into the array `steering`."""
    if not is_first:
        return
    fields = density.GetClientSideObject().GetOutputDataObject(0).GetFieldData()
    steering, list_of_names = fields.GetArray("steering"), fields.GetAbstractArray("steering_names")
    names = [list_of_names.GetValue(index) for index in range(list_of_names.GetNumberOfValues())]
    for name, value in wanted_at(info.time, names).items():
        if requested.get(name) != value:
            steering.SetValue(names.index(name), value)
            requested[name] = value
