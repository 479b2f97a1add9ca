"""Runs of the work-precision study: every case by every scheme, against a reference of its own.

One run at a time, so that seconds can be compared. A run that fails is a result, too.
"""

import dataclasses
import os
import pathlib
import subprocess
import tempfile
import time

import yaml

import runner

SCHEMES = ("euler", "second-order", "third-order")
KINDS = ("plain", "graded", "adaptive")
NEEDED_OPTIONS = ("time_start", "third-order", "output_series_interval")
FAMILIES = tuple((scheme, kind) for scheme in SCHEMES for kind in KINDS)

TARGETS = (1e-3, 1e-4, 1e-5)
RATE_FLOOR = 0.02   # added to Nbar where it divides its own error
SHORT_RUN = 0.1     # seconds
ENOUGH = 0.3        # fixed steps are halved until the error is this share of the smallest target

# One process needs no network: looking for one takes half the time of a short run.
SERIAL = {"OMP_NUM_THREADS": "1", "OMPI_MCA_pml": "ob1"}


@dataclasses.dataclass(frozen=True)
class Settings:
    """How far a study goes."""

    tolerances: tuple
    references: tuple        # tolerances of the reference, and of the run it is checked with
    levels: int              # fixed steps of a scheme, each half the one before
    longest_run: float       # seconds that no run of a scheme is expected to exceed
    rounds: int = 2          # short runs are repeated so often; the fewest seconds count
    patience: float = 120.0  # seconds after which any run is ended


FULL = Settings(tolerances=(1e-2, 1e-3, 1e-4, 1e-5, 1e-6), references=(1e-8, 1e-7), levels=11,
                longest_run=3.0)
QUICK = Settings(tolerances=(1e-2, 1e-3, 1e-4), references=(1e-7, 1e-6), levels=6,
                 longest_run=0.5)


class RunFailed(Exception):
    """A run that did not come to its end; the text says how."""


def failure_of(process, folder):
    """How a run failed, in a few words."""
    summary = folder / "output" / "summary.yaml"
    if process.returncode == 3 and summary.is_file():
        with open(summary, encoding="utf-8") as stream:
            found = yaml.safe_load(stream)
        if "blowup_time" in found:
            return f"ended as a blow-up at t = {found['blowup_time']:.5g}"
    lines = process.stderr.strip().splitlines() or ["no message"]
    return f"exit code {process.returncode}: {lines[-1][:160]}"


def execute(program, options, patience):
    """One run: its summary and its series. RunFailed where it does not come to its end."""
    with tempfile.TemporaryDirectory(prefix="engram_work_precision_") as name:
        folder = pathlib.Path(name)
        with open(folder / "case.yaml", "w", encoding="utf-8") as stream:
            for key, value in options.items():
                stream.write(f'{key}: "{value}"\n')
        try:
            process = subprocess.run(
                [str(program), "case.yaml", "-output_dir", "output"], cwd=folder, timeout=patience,
                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                env={**SERIAL, **os.environ, "TMPDIR": name})
        except subprocess.TimeoutExpired:
            raise RunFailed(f"not done after {patience:g} s") from None
        if process.returncode != 0:
            raise RunFailed(failure_of(process, folder))
        with open(folder / "output" / "summary.yaml", encoding="utf-8") as stream:
            return yaml.safe_load(stream), runner.read_table(folder / "output" / "series.csv")


def states_at_outputs(case, series):
    """Pairs (Nbar, mean weight) at the output times after the start."""
    states = []
    for number in range(1, case.outputs + 1):
        wanted = number * case.interval
        row = min(range(len(series["time"])), key=lambda k: abs(series["time"][k] - wanted))
        if abs(series["time"][row] - wanted) > 1e-9 * case.end:
            raise RunFailed(f"no row of series.csv at t = {wanted:g}")
        states.append((series["total_rate"][row], series["mean_weight"][row]))
    return states


def distance(states, reference):
    """Largest error of Nbar, relative to Nbar + RATE_FLOOR, and of the mean weight."""
    return max(max(abs(rate - exact) / (exact + RATE_FLOOR), abs(weight - exact_weight))
               for (rate, weight), (exact, exact_weight) in zip(states, reference))


def measure(program, case, steps, settings):
    """Work and states of one run; where it failed, only how."""
    options = {**case.all_options(), **steps}
    started = time.monotonic()
    try:
        summary, series = execute(program, options, settings.patience)
        seconds = [summary["step_seconds"]]
        while len(seconds) < settings.rounds and seconds[0] < SHORT_RUN:
            seconds.append(execute(program, options, settings.patience)[0]["step_seconds"])
        run = {"failure": None, "states": states_at_outputs(case, series),
               "steps": summary["steps"], "rejected": summary["rejected_steps"],
               "solves": summary["slice_solves"], "seconds": min(seconds),
               "evaluations": summary["coupling_iterations"],
               "provenance": summary.get("provenance", {})}
    except RunFailed as error:
        run = {"failure": str(error), "seconds": 0.0}
    return {**run, "elapsed": time.monotonic() - started}


def adaptive(scheme, tolerance):
    """Options of adaptive steps."""
    return {"time_scheme": scheme, "time_adaptive": "true", "time_tolerance": tolerance}


def fixed(scheme, start, step):
    """Options of fixed steps."""
    return {"time_scheme": scheme, "time_adaptive": "false", "time_start": start,
            "time_step": repr(step)}


def settings_of(case, scheme, kind, settings):
    """Tolerances or steps of one scheme, from coarse to fine, with the options they stand for."""
    if kind == "adaptive":
        return [(value, adaptive(scheme, value)) for value in settings.tolerances]
    steps = [case.fixed_step(level) for level in range(settings.levels)]
    return [(step, fixed(scheme, kind, step)) for step in steps]


def is_last(run, before, settings):
    """Whether the next run, going by this one and the one before, would be too long."""
    growth = max(2.0, run["seconds"] / before) if before > 0.0 else 2.0
    return run["elapsed"] >= settings.patience or run["seconds"] * growth > settings.longest_run


def ladder(program, case, family, reference, settings):
    """Runs of one scheme from coarse to fine; fixed steps end where the error is small enough."""
    runs, before = [], 0.0
    for value, options in settings_of(case, *family, settings):
        run = measure(program, case, options, settings)
        states = run.pop("states", None)
        run["setting"] = value
        run["error"] = distance(states, reference) if states else None
        runs.append(run)
        is_enough = (family[1] != "adaptive" and states is not None
                     and run["error"] < ENOUGH * min(TARGETS))
        if is_enough or is_last(run, before, settings):
            break
        before = run["seconds"]
    return runs


def study_case(program, case, settings, tell):
    """All schemes of one case. Without a reference there is nothing to compare with."""
    finest, check = (measure(program, case, adaptive(SCHEMES[-1], tolerance), settings)
                     for tolerance in settings.references)
    result = {"key": case.key, "reference": finest, "families": []}
    if finest["failure"]:
        tell(f"{case.title}: no reference, {finest['failure']}")
        return result
    states = finest.pop("states")
    result["check"] = None if check["failure"] else distance(check["states"], states)
    for family in FAMILIES:
        runs = ladder(program, case, family, states, settings)
        result["families"].append({"scheme": family[0], "kind": family[1], "runs": runs})
    count = sum(len(family["runs"]) for family in result["families"])
    tell(f"{case.title}: {count} runs")
    return result
