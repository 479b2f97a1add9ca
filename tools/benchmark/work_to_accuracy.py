#!/usr/bin/env python3
"""Measures what programs take for a given error of N(t); writes docs/work_to_accuracy.md.

    tools/benchmark/work_to_accuracy.py --before build/reference/engram

`--before` is the program of revision 262d66a, which tools/bench.sh builds; without it there are no
rows of that. Each program chooses cells of v, cells of w and steps together: how much error each of
them makes is measured by doubling one at a time, the grid that makes the wanted error with the
fewest cells follows, and it is run. Leave the machine alone meanwhile.
"""

import argparse
import dataclasses
import math
import pathlib
import sys

import numpy

import field_program

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "verification"))
import work_precision_cases  # noqa: E402
import work_precision_report  # noqa: E402
import work_precision_study  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engram_program import HELP, ProgramError, find_program  # noqa: E402
from engram_stream import bear_closed_pipes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Contender:
    """A program and the way it is used.

    `orders` are those in v, w and time. The measure of time is the number of steps or, if steps
    are adaptive, the tolerance to the power of minus one over the order. `begin` is where the
    search begins.
    """

    name: str
    program: str             # program, before, or field
    orders: tuple
    begin: tuple
    options: dict = dataclasses.field(default_factory=dict)
    is_adaptive: bool = False
    solves: int = 1          # of a step, where the summary does not say


# Options of the runs, beside those of the cases.
CONTENDERS = (
    Contender("Engram, defaults", "program", (4, 5, 3), (36, 24, 10.0), {"transport_order": 5},
              is_adaptive=True),
    Contender("the same, slices by PETSc's LU", "program", (4, 5, 3), (36, 24, 10.0),
              {"transport_order": 5, "slice_pc_type": "lu"}, is_adaptive=True),
    Contender("Engram, second order in v, w and t", "program", (2, 2, 2), (60, 40, 30.0),
              {"grid_v_order": 2, "time_scheme": "second-order", "transport_order": 2},
              is_adaptive=True),
    Contender("revision 262d66a, second order in v, w and t", "before", (2, 2, 2), (60, 40, 64.0),
              {"time_scheme": "extrapolated", "transport_order": 2}, solves=3),
    Contender("revision 262d66a, as the paper: first order in w and t", "before", (2, 1, 1),
              (60, 40, 320.0), {"transport_order": 1}),
    Contender("program of the field", "field", (2, 1, 1), (60, 40, 320.0)),
)

TARGETS = (1e-3, 1e-4, 1e-5)
KEYS = field_program.CASES
LONGEST = 4.0       # seconds; what would take longer is extrapolated
TRIES = 5           # grids tried for a target
PASSES = 2          # how often cells and steps are then taken away or exchanged
SHRINK, GROW = 0.85, 1.1
ROUNDS = 3          # runs of which the shortest counts
V_STEP = 6          # V_R is a node of every so many cells
FEWEST = (2 * V_STEP, 8, 1.0)  # cells of v and w, and the measure of time

REFERENCE = {"grid_v_cells": 240, "grid_w_cells": 480, "time_tolerance": 1e-7,
             "transport_order": 5}


@dataclasses.dataclass
class Run:
    """A run, or what one would take."""

    grid: tuple              # cells of v and w, and steps
    seconds: float
    cells: float             # cell solves, trial solves of the coupling among them
    error: float
    is_extrapolated: bool = False


class Bench:
    """Runs of one contender on one case."""

    def __init__(self, contender, case, programs, exact):
        self.contender, self.case, self.exact = contender, case, exact
        self.program = programs.get(contender.program)

    def rates(self, point, rounds=1):
        """N at the output times, its seconds, cell solves and steps, at a point (v, w, time)."""
        v_cells, w_cells, time = rounded(point, self.case.outputs)
        if self.contender.program == "field":
            runs = [field_program.solve_case(self.case, v_cells, w_cells, time)
                    for _ in range(rounds)]
            return (runs[0].total_rates, min(run.seconds for run in runs), runs[0].cell_solves,
                    time)
        options = {**self.case.all_options(), **self.contender.options, "grid_v_cells": v_cells,
                   "grid_w_cells": w_cells, **self.time_options(point[2], time)}
        if not self.contender.is_adaptive:
            del options["output_series_interval"]
        runs = [work_precision_study.execute(self.program, options, 20 * LONGEST)
                for _ in range(rounds)]
        summary, series = runs[0]
        solves = summary.get("slice_solves", self.contender.solves * summary["steps"]) \
            + summary["coupling_iterations"]
        states = work_precision_study.states_at_outputs(self.case, series)
        return (numpy.array([rate for rate, _ in states]),
                min(run[0]["step_seconds"] for run in runs), solves * w_cells * (v_cells - 1),
                summary["steps"])

    def time_options(self, measure, steps):
        """Options of the steps."""
        if self.contender.is_adaptive:
            return {"time_tolerance": repr(measure ** -self.contender.orders[2])}
        return {"time_step": repr(self.case.end / steps),
                "output_series_every": steps // self.case.outputs}

    def run(self, point, rounds=1):
        """A run and its error."""
        rates, seconds, cells, steps = self.rates(point, rounds)
        error = numpy.abs(rates - self.exact).max() / self.exact.max()
        return Run(rounded(point, self.case.outputs)[:2] + (steps,), seconds, cells, float(error))

    def errors_of_parts(self):
        """Error that each of v, w and time makes at the beginning, from doubling it."""
        begin, orders = self.contender.begin, self.contender.orders
        base = self.rates(begin)[0]
        errors = []
        for k, order in enumerate(orders):
            finer = tuple(2 * part if i == k else part for i, part in enumerate(begin))
            difference = numpy.abs(self.rates(finer)[0] - base).max() / self.exact.max()
            errors.append(float(difference) / (1.0 - 2.0**-order))
        return errors

    def best(self, errors, wanted):
        """The point of the fewest cells whose errors sum to `wanted`: shares are as 1/order."""
        orders = self.contender.orders
        total = sum(1.0 / order for order in orders)
        return tuple(max(low, part * (error * order * total / wanted) ** (1.0 / order))
                     for part, error, order, low in zip(self.contender.begin, errors, orders,
                                                        FEWEST))


def rounded(point, outputs):
    """Cells and steps as programs take them."""
    steps = outputs * max(1, math.ceil(point[2] / outputs))
    return V_STEP * math.ceil(point[0] / V_STEP), math.ceil(point[1]), steps


def climb(bench, targets):
    """Runs for the targets, from the largest error to the smallest."""
    errors, found, last = bench.errors_of_parts(), [], None
    share, best_share = 0.9, 0.9
    for target in targets:
        share, best = best_share, None
        for _ in range(TRIES):
            point = bench.best(errors, share * target)
            if last and estimate(bench, last, point).seconds > LONGEST:
                break
            run = bench.run(point)
            last = (point, run)
            if run.error <= target and (best is None or run.cells < best[1].cells):
                best, best_share = last, share
            if 0.6 * target <= run.error <= target:
                break
            # What is far from the target is tried again with more, or with less.
            share *= min(3.0, max(0.2, 0.85 * target / run.error))
        best = best and shrink(bench, best, target)
        found.append(bench.run(best[0], ROUNDS) if best else
                     estimate(bench, last or (bench.contender.begin,
                                              bench.run(bench.contender.begin)),
                              bench.best(errors, best_share * target), target))
    return found


def shrink(bench, best, target):
    """Takes cells and steps away, or exchanges one kind for another, as the error allows it.

    What the parts of the error are is measured far from here, and they may cancel. Long runs are
    left as they are.
    """
    if best[1].seconds > LONGEST / 2:
        return best
    moves = [tuple(SHRINK if i == k else 1.0 for i in range(3)) for k in range(3)]
    moves += [tuple(GROW if i == more else SHRINK if i == less else 1.0 for i in range(3))
              for more in range(3) for less in range(3) if more != less]
    for move in PASSES * moves:
        point = tuple(max(low, factor * part) for low, factor, part in
                      zip(FEWEST, move, best[0]))
        run = bench.run(point)
        if run.error <= target and run.cells < best[1].cells:
            best = (point, run)
    return best


def estimate(bench, last, point, target=0.0):
    """What a run would take by a shorter one: as much time a cell solve, steps in proportion."""
    before, run = last
    growth = math.prod(new / old for new, old in zip(point, before))
    v_cells, w_cells, _ = rounded(point, bench.case.outputs)
    return Run((v_cells, w_cells, round(run.grid[2] * point[2] / before[2])),
               run.seconds * growth, run.cells * growth, target, is_extrapolated=True)


def reference_rates(program, case):
    """N at the output times."""
    _, series = work_precision_study.execute(program, {**case.all_options(), **REFERENCE}, 600.0)
    return numpy.array([rate for rate, _ in work_precision_study.states_at_outputs(case, series)])


HEAD = """# Work for a given accuracy

Written by `tools/benchmark/work_to_accuracy.py`: how long programs take until N(t) has an error of
1e-3, 1e-4, 1e-5, each with its own choice of grid and steps. The error is the largest one over the
output times, relative to the largest N, against Engram on {v_cells} x {w_cells} cells of v and w
with a tolerance of {tolerance:g}. Seconds are those of the steps
alone, the shortest of {rounds} runs on one core; compilation is not counted. Cell solves are cells
of v times cells of w times implicit solves, trial solves of the coupling included. Times as many,
and as long, as Engram with its defaults.

The program of the field (`tools/benchmark/field_program.py`) has fluxes of Scharfetter and Gummel
in v, upwind fluxes in w and implicit Euler steps with a lagged rate, compiled by Numba.

~: extrapolated from a shorter run with the orders of the scheme; the run would take more than
{longest:g} s. Machine: {machine}.
"""


def table(case, targets, rows):
    """The results of one case."""
    lines = [f"\n## {case.title[0].upper()}{case.title[1:]}\n",
             "| error | program | cells of v x w, steps | cell solves | times as many | seconds "
             "| times as long |",
             "|---|---|---|---|---|---|---|"]
    for k, target in enumerate(targets):
        least = rows[0][1][k]
        for name, runs in rows:
            run = runs[k]
            mark = "~" if run.is_extrapolated else ""
            v_cells, w_cells, steps = run.grid
            lines.append(f"| {target:g} | {name} | {mark}{v_cells} x {w_cells}, {steps} | "
                         f"{mark}{run.cells:.3g} | {mark}{run.cells / least.cells:.3g} | "
                         f"{mark}{run.seconds:.3g} | {mark}{run.seconds / least.seconds:.3g} |")
    return "\n".join(lines) + "\n"


def main():
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help=HELP)
    parser.add_argument("--before", type=pathlib.Path, help="the program of revision 262d66a")
    parser.add_argument("--cases", nargs="+", choices=KEYS, default=KEYS)
    parser.add_argument("--targets", nargs="+", type=float, default=TARGETS,
                        help="errors, falling")
    parser.add_argument("--output", type=pathlib.Path,
                        default=ROOT / "docs" / "work_to_accuracy.md")
    arguments = parser.parse_args()
    try:
        program = pathlib.Path(find_program(arguments.program)).resolve()
    except ProgramError as error:
        sys.exit(f"work_to_accuracy.py: error: {error}")
    programs = {"program": program, "field": None}
    if arguments.before:
        programs["before"] = arguments.before.resolve()
    text = HEAD.format(w_cells=REFERENCE["grid_w_cells"], v_cells=REFERENCE["grid_v_cells"],
                       tolerance=REFERENCE["time_tolerance"], rounds=ROUNDS, longest=LONGEST,
                       machine=work_precision_report.machine())
    for case in work_precision_cases.chosen(arguments.cases):
        exact = reference_rates(programs["program"], case)
        rows = []
        for contender in CONTENDERS:
            if contender.program in programs:
                print(f"work_to_accuracy.py: {case.title}: {contender.name}", file=sys.stderr)
                rows.append((contender.name, climb(
                    Bench(contender, case, programs, exact), arguments.targets)))
        text += table(case, arguments.targets, rows)
    arguments.output.write_text(text, encoding="utf-8")
    print(f"work_to_accuracy.py: wrote {arguments.output}", file=sys.stderr)


if __name__ == "__main__":
    bear_closed_pipes()
    main()
