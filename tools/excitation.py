#!/usr/bin/env python3
"""Runs the excitation experiment: where networks learn, where they run away, where they blow up.

Two planes of learning strength K and mean weight of the initial density, for the responses
sigma(N) = N and sigma(N) = N/(1+N). Each point is a run; what became of it is compared with the
theoretical boundary, the existence of the closed-form learned steady state.
"""

import argparse
import csv
import dataclasses
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "verification"))
try:
    import h5py
    import matplotlib
    import numpy

    import learned_state
    import reference
    from engram_grid import (BLOWN_UP, DONE, FINISHED, Case, GridError, collect, count_states,
                             folder_name, markdown_table, write_table)
    from engram_processes import run_cases
    from engram_program import HELP, ProgramError, find_program
    from engram_runs import RunError
    from engram_results import ResultsError
    from engram_stream import bear_closed_pipes
    from plot_excitation import BLOW_UP, LEARNED, RUN_AWAY, UNDECIDED, diagram_figure
    from plot_style import STYLES, check_owner, save
    from style_option import add_style_option
except ImportError as error:
    print(f"excitation.py: error: {sys.executable}: {error}; on Debian: apt install python3-h5py "
          "python3-matplotlib python3-scipy python3-yaml, and run with /usr/bin/python3",
          file=sys.stderr)
    sys.exit(2)

EPILOG = """\
files in FOLDER:
  linear/, saturating/  the runs, and sweep.csv with the numbers of each
  excitation.csv        phase of every point, seen and expected
  boundary.csv          where the boundary was seen and where it should be, row by row
  excitation.md         both as tables of Markdown
  excitation.png, .pdf  the phase diagrams

examples:
  tools/excitation.py --output results/excitation
  tools/excitation.py --output results/excitation-fast --fast
  tools/excitation.py --output results/excitation --plane saturating --processes 4
"""
CASE = pathlib.Path(__file__).resolve().parent.parent / "input" / "excitation.yaml"
# Weights at the upper end of their interval: more than this share of all is a run-away.
SHARE_AT_END = 1e-3
# Mean weights that still change by more than this in the last tenth of the time are not at rest.
AT_REST = 2e-3
# A blow-up before the mean weight has grown by this part is one of the potentials alone.
GROWTH_AT_ONCE = 0.05


@dataclasses.dataclass(frozen=True)
class Plane:
    """A plane of K and mean weight for one response."""

    name: str
    response: str  # for engram
    network: learned_state.Network
    strengths: numpy.ndarray  # K
    mean_weights: numpy.ndarray
    options: dict


def planes_of(is_fast):
    """The two planes; fast ones have fewer points and coarser grids."""
    count = (6, 5) if is_fast else (13, 10)
    cells = 2 if is_fast else 1
    linear = {"grid_w_max": 3, "grid_w_cells": 150 // cells, "grid_v_cells": 120 // cells}
    saturating = {"grid_w_max": 16, "grid_w_cells": 160 // cells, "grid_v_cells": 120 // cells}
    for options in (linear, saturating):
        options["time_step"] = 0.01 * cells
        options["time_scheme"] = "euler"
        options["coupling"] = "implicit"
        options["transport_time"] = "implicit"
        options["transport_order"] = 2
    return [
        Plane("linear", "N", learned_state.Network(1.0, reference.identity),
              numpy.linspace(0.1, 1.3, count[0]), numpy.linspace(0.3, 1.2, count[1]), linear),
        Plane("saturating", "N/(1 + N)", learned_state.Network(1.0, reference.saturating),
              numpy.linspace(1.5, 5.1, count[0]), numpy.linspace(0.5, 5.0, count[1]), saturating),
    ]


def cases_of(plane):
    """One case for each point, row by row."""
    cases = []
    for mean_weight in plane.mean_weights:
        weights = plane.network.initial_weights(mean_weight)
        for strength in plane.strengths:
            values = {"mean_weight": f"{mean_weight:.10g}", "model_learning": f"{strength:.10g}"}
            options = {"model_learning": values["model_learning"], "model_response": plane.response,
                       "initial_density": f"({weights}) * exp(-(v - 0.5)^2/0.8)",
                       **{name: str(value) for name, value in plane.options.items()}}
            cases.append(Case(folder_name(values), CASE, options, values))
    return cases


def phase_seen(outcome, directory):
    """What became of a point, from its results alone."""
    with open(directory / "series.csv", newline="", encoding="ascii") as stream:
        rows = [(float(row["time"]), float(row["mean_weight"])) for row in csv.DictReader(stream)]
    if outcome.state == BLOWN_UP:
        return BLOW_UP if rows[-1][1] < (1.0 + GROWTH_AT_ONCE) * rows[0][1] else RUN_AWAY
    if outcome.state != DONE:
        return UNDECIDED
    with h5py.File(directory / "fields.h5", "r") as file:
        weights = file["weight_density"][-1]
    if weights[-max(2, len(weights) // 50):].sum() > SHARE_AT_END * weights.sum():
        return RUN_AWAY
    earlier = [mean for time, mean in rows if time <= 0.9 * rows[-1][0]][-1]
    return LEARNED if abs(rows[-1][1] / earlier - 1.0) < AT_REST else UNDECIDED


def phase_expected(strength, largest):
    """What theory says: largest is Network.largest_learning of the mean weight."""
    if math.isnan(largest):
        return BLOW_UP
    return LEARNED if strength < largest else RUN_AWAY


def state_reached(plane, strength):
    """The learned state that runs should end in: the lower one of this K."""
    return min(plane.network.states_of_learning(strength), key=lambda state: state.total_rate)


def points_of(plane, outcomes, folder):
    """Rows of excitation.csv of a plane."""
    largest = {f"{mean:.10g}": plane.network.largest_learning(mean) for mean in plane.mean_weights}
    summaries = {row["point"]: row for row in collect(outcomes, folder)}
    learned = {}
    rows = []
    for outcome in outcomes:
        values = outcome.case.values
        strength = float(values["model_learning"])
        row = {"plane": plane.name, **values, "seen": UNDECIDED,
               "expected": phase_expected(strength, largest[values["mean_weight"]])}
        if outcome.state in FINISHED:
            row["seen"] = phase_seen(outcome, folder / outcome.case.name)
            row["total_rate"] = summaries[outcome.case.name]["total_rate"]
        if row["seen"] == row["expected"] == LEARNED:
            state = learned.setdefault(strength, state_reached(plane, strength))
            row["learned_rate"] = f"{state.total_rate:.9g}"
        rows.append(row)
    return rows


def crossing(places, is_below, exact):
    """Where a row of cells changes from below to above, its exact place, their distance in cells.

    Both are kept within half a cell of the cells that there are. No number if cells alternate.
    """
    step = places[1] - places[0]
    ends = places[0] - 0.5 * step, places[-1] + 0.5 * step
    count = int(numpy.sum(is_below))
    seen = ends[0] + count * step if all(is_below[:count]) else math.nan
    exact = min(max(exact, ends[0]), ends[1])
    return seen, exact, abs(seen - exact) / step


def boundaries_of(plane, rows):
    """Rows of boundary.csv: along K the end of learning, along the mean weight that of rest."""
    seen = numpy.array([row["seen"] for row in rows]).reshape(len(plane.mean_weights), -1)
    found = []
    for mean_weight, phases in zip(plane.mean_weights, seen):
        largest = plane.network.largest_learning(mean_weight)
        if not math.isnan(largest):
            found.append(boundary_row(plane, "model_learning", "mean_weight", mean_weight,
                                      crossing(plane.strengths, phases == LEARNED, largest)))
    last = plane.network.last_resting_state()
    if last:
        for strength, phases in zip(plane.strengths, seen.T):
            found.append(boundary_row(plane, "mean_weight", "model_learning", strength,
                                      crossing(plane.mean_weights, phases != BLOW_UP,
                                               last.mean_weight)))
    return found


def boundary_row(plane, along, at, value, numbers):
    """A row of boundary.csv."""
    seen, exact, distance = numbers
    return {"plane": plane.name, "along": along, "at": at, "value": f"{value:.6g}",
            "seen": f"{seen:.6g}", "expected": f"{exact:.6g}", "cells": f"{distance:.3f}"}


def write_rows(rows, path):
    """Writes rows of equal columns as CSV."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(path)


def summary_of(points, boundaries):
    """The lines of the table of agreement."""
    lines = []
    for name in dict.fromkeys(row["plane"] for row in points):
        mine = [row for row in points if row["plane"] == name]
        errors = [abs(float(row["total_rate"]) / float(row["learned_rate"]) - 1.0)
                  for row in mine if "learned_rate" in row]
        cells = [float(row["cells"]) for row in boundaries if row["plane"] == name]
        lines.append({"plane": name, "points": len(mine),
                      "as expected": sum(row["seen"] == row["expected"] for row in mine),
                      "undecided": sum(row["seen"] == UNDECIDED for row in mine),
                      "largest distance (cells)": f"{max_or_nan(cells):.3f}",
                      "median error of learned rates": f"{numpy.median(errors):.2e}"
                      if errors else ""})
    return lines


def max_or_nan(values):
    """The largest value; no number if one of them is none."""
    return math.nan if any(map(math.isnan, values)) else max(values)


def write_results(arguments, planes, points, boundaries):
    """Tables and pictures."""
    write_rows(points, arguments.output / "excitation.csv")
    write_rows(boundaries, arguments.output / "boundary.csv")
    summary = summary_of(points, boundaries)
    text = "\n\n".join(markdown_table(rows, list(rows[0])) for rows in (summary, boundaries))
    (arguments.output / "excitation.md").write_text(text + "\n", encoding="utf-8")
    print(arguments.output / "excitation.md")
    print(markdown_table(summary, list(summary[0])))
    with matplotlib.rc_context(STYLES[arguments.style]):
        for ending in ("png", "pdf"):
            path = arguments.output / f"excitation.{ending}"
            check_owner(path)
            save(diagram_figure(planes, points), path)


def experiment(arguments):
    """Runs the planes; returns the exit code."""
    program = find_program(arguments.program)
    planes = [plane for plane in planes_of(arguments.fast)
              if arguments.plane in (plane.name, "both")]
    points, boundaries, is_whole = [], [], True
    for plane in planes:
        folder = arguments.output / plane.name
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = run_cases(cases_of(plane), folder, program, 1, arguments.processes,
                             lambda text: print(text, flush=True))
        write_table(collect(outcomes, folder), folder)
        print(f"{plane.name}: {len(outcomes)} points: {count_states(outcomes)}")
        is_whole &= all(outcome.state in FINISHED for outcome in outcomes)
        rows = points_of(plane, outcomes, folder)
        points += rows
        boundaries += boundaries_of(plane, rows)
    write_results(arguments, planes, points, boundaries)
    if not is_whole:
        print("some points are missing: run the same command again")
        return 1
    is_near = max_or_nan([float(row["cells"]) for row in boundaries]) <= 1.0
    print("the boundary is " + ("within a cell of" if is_near else "NOT within a cell of")
          + " the theoretical one")
    return 0 if is_near else 1


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", metavar="FOLDER", type=pathlib.Path, required=True,
                        help="folder of all results")
    parser.add_argument("--plane", choices=("linear", "saturating", "both"), default="both",
                        help="which of the planes (default: both)")
    parser.add_argument("--fast", action="store_true", help="fewer points on coarser grids")
    parser.add_argument("--processes", type=int, metavar="N",
                        help="runs at a time (default: number of cores)")
    parser.add_argument("--program", help=HELP)
    add_style_option(parser)
    arguments = parser.parse_args()
    if arguments.processes is not None and arguments.processes < 1:
        parser.error(f"--processes {arguments.processes}: must be at least 1")
    return arguments


def main():
    """Runs the experiment; 2 with one line on stderr if the input is wrong."""
    try:
        return experiment(parse_arguments())
    except (GridError, ProgramError, RunError, ResultsError, OSError) as error:
        print(f"excitation.py: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
