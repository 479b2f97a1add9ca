#!/usr/bin/env python3
"""Makes a table of convergence from finished engram runs that differ in resolution only."""

import argparse
import math
import os
import pathlib
import sys

try:
    from engram_runs import RunError, number_of, read_values
    from engram_stream import bear_closed_pipes
except ImportError as error:
    print(f"convergence_table.py: error: {sys.executable}: {error}; on Debian: apt install "
          "python3-yaml, and run with /usr/bin/python3", file=sys.stderr)
    sys.exit(2)

EPILOG = """\
The runs are sorted from coarse to fine. A difference is that to the row above; the order p of a row
is that of its value and the two above it: the differences of a h^p for the first varied option, for
any ratio of the resolutions.

example:
  tools/convergence_table.py results/convergence-42/level-* --output table.md
"""

# What may vary, with the power of it that the width h of the grid or step goes with; the first of
# them that is another one in every run is what the orders are counted in.
RESOLUTIONS = {"grid_w_cells": -1, "grid_v_cells": -1, "time_step": 1, "time_step_max": 1,
               "time_tolerance": 1, "coupling_tolerance": 1}
# What has no part in the solution.
FREE = ("output_", "checkpoint_", "walltime", "restart", "dry_run", "help", "version")
QUANTITIES = ("total_rate", "mean_weight")
ORDER_RANGE = (-20.0, 20.0)
BISECTIONS = 60


def read_run(directory):
    """Options and last numbers of a finished run."""
    if not directory.is_dir():
        raise RunError(f"{directory}: no such folder")
    case = read_values(directory / "case.yaml")
    path = directory / "summary.yaml"
    if not path.is_file():
        raise RunError(f"{path}: no such file; has the run ended?")
    summary = read_values(path)
    if summary.get("status") != "done":
        raise RunError(f"{path}: the run is not done but {summary.get('status', 'of no status')}"
                       f": {summary.get('reason', 'no reason given')}")
    return {"name": directory.name or str(directory), "case": case,
            **{name: number_of(summary, name, path) for name in QUANTITIES}}


def normal(value):
    """A value that compares equal where 1e-3 and 0.001 do."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def varied_options(runs):
    """Names of the options that differ, which must all be resolutions; the first is the leading."""
    names = dict.fromkeys(name for run in runs for name in run["case"])
    varied = [name for name in names if not name.startswith(FREE)
              and len({normal(run["case"].get(name)) for run in runs}) > 1]
    others = [name for name in varied if name not in RESOLUTIONS]
    if others:
        values = ", ".join(str(run["case"].get(others[0], "not given")) for run in runs)
        raise RunError(f"the runs differ in {others[0]} ({values}), which is no resolution: "
                       "nothing to compare")
    leading = [name for name in RESOLUTIONS if name in varied
               and len({normal(run["case"].get(name)) for run in runs}) == len(runs)]
    if not leading:
        raise RunError("two runs have the same resolution: of "
                       f"{', '.join(RESOLUTIONS)} one has to be another one in every run")
    return leading[:1] + [name for name in RESOLUTIONS if name in varied and name != leading[0]]


def width_of(run, option):
    """The width h that the error is a power of."""
    value = number_of(run["case"], option, run["name"] + "/case.yaml")
    if not value > 0.0:
        raise RunError(f"{run['name']}/case.yaml: {option}: {value:g} is not positive")
    return value ** RESOLUTIONS[option]


def observed_order(widths, values):
    """p of a + b h^p through three points from coarse to fine; None where there is none."""
    coarse, middle, fine = (math.log(width) for width in widths)
    first, second = values[1] - values[0], values[2] - values[1]
    if first * second <= 0.0:
        return None

    def ratio(order):
        """(h1^p - h2^p)/(h2^p - h3^p), which grows with p."""
        if order == 0.0:
            return (coarse - middle) / (middle - fine)
        return math.expm1(order * (coarse - middle)) / -math.expm1(order * (fine - middle))

    low, high = ORDER_RANGE
    if not ratio(low) < first / second < ratio(high):
        return None
    for _ in range(BISECTIONS):
        half = 0.5 * (low + high)
        low, high = (half, high) if ratio(half) < first / second else (low, half)
    return 0.5 * (low + high)


def table_of(runs):
    """The lines of the table in Markdown."""
    options = varied_options(runs)
    runs = sorted(runs, key=lambda run: -width_of(run, options[0]))
    widths = [width_of(run, options[0]) for run in runs]
    header = ["run", *options]
    columns = [[run["name"] for run in runs]]
    columns += [[run["case"][option] for run in runs] for option in options]
    for quantity in QUANTITIES:
        values = [run[quantity] for run in runs]
        orders = [observed_order(widths[row - 2:row + 1], values[row - 2:row + 1])
                  for row in range(2, len(runs))]
        header += [quantity, "difference", "order"]
        columns.append([f"{value:.12g}" for value in values])
        columns.append(["-", *(f"{fine - coarse:.3e}" for coarse, fine in zip(values, values[1:]))])
        columns.append(["-", "-", *("-" if order is None else f"{order:.2f}" for order in orders)])
    rows = [header, ["---", *["---:"] * (len(header) - 1)], *zip(*columns)]
    return [f"Convergence in `{options[0]}`: the difference is that to the row above.", "",
            *(f"| {' | '.join(row)} |" for row in rows)]


def write_file(path, text):
    """Writes the file; an older one is there until the new one is complete."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", metavar="RUN", nargs="+", type=pathlib.Path,
                        help="output folder of a run that is done; at least two")
    parser.add_argument("--output", metavar="FILE", type=pathlib.Path,
                        help="write the table to this file too")
    arguments = parser.parse_args()
    if len(arguments.directories) < 2:
        parser.error("a table needs two runs at least, and orders need three")
    return arguments


def main():
    """Prints the table; 2 if there can be none."""
    arguments = parse_arguments()
    try:
        text = "\n".join(table_of([read_run(run) for run in arguments.directories])) + "\n"
        print(text, end="")
        if arguments.output:
            write_file(arguments.output, text)
    except RunError as error:
        print(f"convergence_table.py: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
