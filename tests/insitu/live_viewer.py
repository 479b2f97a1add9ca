"""A viewer without a window, run by pvpython: joins a run, looks, pauses, lets go on, leaves.

    pvpython live_viewer.py PORT SERIES RESULT

SERIES is the table that the run writes while it goes on; the findings go to RESULT, as JSON.
"""

import json
import sys
import time

from paraview import live, servermanager
from paraview.simple import *  # noqa: F403

PATIENCE = 120.0
PAUSE = 1.5


def rows(path):
    """How many rows the run has written."""
    with open(path, encoding="ascii") as file:
        return len(file.readlines())


def wait(link, is_true, what, seconds=PATIENCE):
    """Lets the link work until something is true."""
    end = time.monotonic() + seconds
    while not is_true():
        live.ProcessServerNotifications()
        time.sleep(0.02)
        if time.monotonic() > end:
            sys.exit(f"live_viewer.py: not seen: {what}")


def spend(seconds):
    """Lets the link work for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        live.ProcessServerNotifications()
        time.sleep(0.02)


def look(source):
    """What the viewer has of a source at this moment."""
    source.UpdatePipeline()
    data = servermanager.Fetch(source)
    cells, fields = data.GetCellData().GetArray("density"), data.GetFieldData()
    return {
        "cells": data.GetNumberOfCells(),
        "bounds": data.GetBounds(),
        "step": fields.GetArray("step").GetValue(0),
        "range": [fields.GetArray("density_range").GetValue(index) for index in (0, 1)],
        "values": sorted(cells.GetValue(index) for index in range(cells.GetNumberOfTuples())),
    }


def main(port, series, result):
    """Joins, looks, pauses, goes on, leaves."""
    link = live.ConnectToCatalyst("localhost", int(port))
    updates = []
    link.GetClientSideObject().AddObserver("UpdateEvent", lambda *_: updates.append(1))
    link.AddObserver("UpdateEvent", lambda *_: updates.append(1))
    wait(link, lambda: len(updates) > 0, "a first step")
    density = live.ExtractCatalystData(link, "density_surface")
    wait(link, lambda: density.GetDataInformation().GetNumberOfCells() > 0
         or density.UpdatePipeline() or False, "the density")
    found = {"first": look(density)}
    count = len(updates)
    wait(link, lambda: len(updates) > count + 3, "further steps")
    live.PauseCatalyst(link)
    spend(PAUSE)
    found["paused"], before = look(density), rows(series)
    spend(PAUSE)
    found["still_paused"], after = look(density), rows(series)
    found["rows_in_pause"] = after - before
    live.PauseCatalyst(link, False)
    count = len(updates)
    wait(link, lambda: len(updates) > count + 3, "steps after the pause")
    found["resumed"] = look(density)
    with open(result, "w", encoding="ascii") as file:
        json.dump(found, file)


main(*sys.argv[1:])
