#!/usr/bin/env python3
"""The error and the cost of every case and experiment, beside those of an older revision.

    tools/case_errors.sh [--only NAME,...] [--output docs/cases.md]

A case runs as it is in input/, as it was in the older revision with that revision's program, and
once more on a much finer grid with a smaller tolerance. The error is the largest difference of Nbar
to the fine run over all times after t = 0 at which both have a row, relative to the largest Nbar.
(N of data that do not vanish at the threshold has no limit at t = 0.)
"""

import argparse
import csv
import dataclasses
import pathlib
import subprocess
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engram_program import HELP, ProgramError, find_program  # noqa: E402
from engram_stream import bear_closed_pipes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
REVISION = "262d66a"
FEWEST_ROWS = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table: options as on the command line, without the dash."""

    name: str
    file: str
    fine: dict  # of the run that stands for the exact result
    interval: float  # between rows of the series; those of the older run fall on multiples
    now: dict = dataclasses.field(default_factory=dict)
    before: dict = dataclasses.field(default_factory=dict)
    has_before: bool = True
    has_front: bool = False  # the error is of first order in w: the fine run has a part of it, too


def cells(v_cells, w_cells=1, **options):
    """Options of a fine run."""
    return {"grid_v_cells": v_cells, "grid_w_cells": w_cells, **options}


PHASES = {"protocol_phases": "learn,rest,other", "time_end": 12, "phase_learn_duration": 5,
          "phase_rest_duration": 2, "phase_rest_input": 0, "phase_other_duration": 5,
          "phase_other_input": "1 - 0.3*sin(6*w)"}
FROZEN = {"model_plasticity": "false", "model_response": 0, "time_end": 2, "grid_w_cells": 50}
SMALL_EPSILON = {"model_epsilon": 1e-3, "initial_quasi_static": "true", "time_end": 1}
BLOWUP = {"time_end": 3.2}

CASES = (
    Case("learning", "learning", cells(96, 1024), 0.03, has_front=True),
    Case("inhibitory", "inhibitory", cells(168, 512), 0.02),
    Case("nnlif_steady", "nnlif_steady", cells(560), 0.05),
    Case("nnlif_blowup to t = 3.2", "nnlif_blowup", cells(960), 0.05, BLOWUP, BLOWUP),
    Case("limit", "limit", cells(240, 1024), 0.025, has_front=True),
    Case("strong_inhibition", "strong_inhibition", cells(4160), 0.01),
    Case("delayed", "delayed", cells(800), 0.1),
    Case("refractory", "refractory", cells(1120), 0.05),
    Case("recognition", "recognition", cells(120, 600), 0.1, has_front=True),
    Case("quadratic", "quadratic", cells(660, 192), 0.05, has_before=False,
         has_front=True),
    Case("exponential", "exponential", cells(150, 416), 0.05, has_before=False,
         has_front=True),
    Case("excitation", "excitation", cells(120, 900), 0.5, has_front=True),
    Case("particles_frozen", "particles_frozen", cells(210, 160), 0.1),
    Case("particles_learning", "particles_learning", cells(168, 1600), 0.025),
    Case("learning in phases", "recognition", cells(120, 600), 0.1, PHASES, PHASES, has_front=True),
    Case("frozen weights", "recognition", cells(240, 200), 0.02, FROZEN, FROZEN),
    Case("limits at eps = 1e-3", "limit", cells(240, 1024), 0.025, SMALL_EPSILON,
         {**SMALL_EPSILON, "transport_order": 1}, has_front=True),
)


def read_series(folder):
    """Times and Nbar of a run."""
    with open(folder / "series.csv", newline="", encoding="ascii") as stream:
        rows = list(csv.DictReader(stream))
    return [float(row["time"]) for row in rows], [float(row["total_rate"]) for row in rows]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run cost, and Nbar at its times."""

    grid: str
    steps: int
    seconds: float
    times: list
    rates: list


def run(program, case_text, options):
    """Runs a case in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="engram_cases_") as name:
        folder = pathlib.Path(name)
        (folder / "case.yaml").write_text(case_text, encoding="utf-8")
        words = [word for key, value in options.items() for word in (f"-{key}", str(value))]
        command = [str(program), "case.yaml", *words, "-output_dir", "output",
                   "-output_fields_every", "0"]
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL)
        if process.returncode not in (0, 3):  # 3: a blow-up
            raise RuntimeError(f"{' '.join(command)}: {process.stderr}")
        with open(folder / "output" / "summary.yaml", encoding="utf-8") as stream:
            summary = yaml.safe_load(stream)
        with open(folder / "output" / "case.yaml", encoding="utf-8") as stream:
            used = yaml.safe_load(stream)
        grid = used.get("grid", used)
        label = f"{number_of(grid, 'v_cells')} x {number_of(grid, 'w_cells')}"
        times, rates = read_series(folder / "output")
        seconds = summary.get("step_seconds", summary.get("wall_seconds"))
        return Outcome(label, int(summary["steps"]), float(seconds), times, rates)


def number_of(grid, name):
    """A number of the grid, from nested or flat options."""
    return grid.get(name, grid.get(f"grid_{name}"))


def difference(outcome, fine):
    """Largest difference of Nbar at common times, relative to the largest Nbar."""
    end = fine.times[-1]
    exact = {round(time / end * 1e9): rate for time, rate in zip(fine.times, fine.rates)}
    errors = [abs(rate - exact[round(time / end * 1e9)])
              for time, rate in zip(outcome.times, outcome.rates)
              if time > 0.0 and round(time / end * 1e9) in exact]
    if len(errors) < FEWEST_ROWS:
        raise RuntimeError(f"only {len(errors)} rows of the runs are at the same times")
    return max(errors) / max(abs(rate) for rate in fine.rates)


def weights_of(outcome):
    """Cells of w."""
    return int(outcome.grid.split(" x ")[1])


def older_text(name):
    """A case of the older revision."""
    return subprocess.run(["git", "show", f"{REVISION}:input/{name}.yaml"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout


def columns(outcome, fine, has_front=False):
    """Grid, steps, seconds and error of a run, as cells of the table."""
    error = difference(outcome, fine)
    if has_front:
        error /= 1.0 - weights_of(outcome) / weights_of(fine)
    return [outcome.grid, f"{outcome.steps}", f"{outcome.seconds:.2g}", f"{error:.1e}"]


def row(case, program, before):
    """One row of the table."""
    text = (ROOT / "input" / f"{case.file}.yaml").read_text(encoding="utf-8")
    rows = {"output_series_interval": case.interval}
    fine = run(program, text, {**case.now, **rows, "time_tolerance": 1e-5, "time_adaptive": "true",
                               **case.fine})
    now = columns(run(program, text, {**rows, **case.now}), fine, case.has_front)
    if not case.has_before:
        return [case.name, *now, "-", "-", "-", "-"]
    return [case.name, *now, *columns(run(before, older_text(case.file), case.before), fine)]


HEAD = f"""# Cases and experiments: grid, steps, seconds and error

Written by `tools/case_errors.sh`. Every case of `input/`, and the runs of
[experiments.md](experiments.md) that differ from them, as they are and as they were in revision
{REVISION}, whose orders are 2 in v, 1 or 2 in w and 1 in time. The error is the largest one of Nbar
over the run, t = 0 left out, relative to the largest Nbar: against a run on a grid that is finer in v and w, with
the tolerance 1e-5. Where the weights have a front the error is of first order in w, and the part of
it that the fine run has is added. Seconds are those of the steps on one core, without start and output. The
quadratic and the exponential neuron did not exist in revision {REVISION}.

| case | cells v x w | steps | s | error | before: cells | steps | s | error |
|---|---|---|---|---|---|---|---|---|
"""


def main():
    """Runs all cases and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help=HELP)
    parser.add_argument("--before", required=True, type=pathlib.Path,
                        help="program of the older revision")
    parser.add_argument("--only", help="names of cases, commas between them")
    parser.add_argument("--output", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        program = pathlib.Path(find_program(arguments.program)).resolve()
    except ProgramError as error:
        sys.exit(f"case_errors.py: error: {error}")
    names = arguments.only.split(",") if arguments.only else None
    lines = []
    for case in CASES:
        if names and case.name not in names:
            continue
        lines.append("| " + " | ".join(row(case, program, arguments.before.resolve())) + " |")
        print(lines[-1], file=sys.stderr, flush=True)
    text = HEAD + "\n".join(lines) + "\n"
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    bear_closed_pipes()
    main()
