"""Runs a ladder level by level, measures time and memory, and goes on where a run was stopped.

Everything is kept in the folder of the study: level-0, level-1, ... are ordinary output folders of
the program; beside each are what it printed and what was measured.
"""

import dataclasses
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import yaml

from convergence_ladder import (available_mebibytes, complaint_in, describe, dry_run,
                                free_disk_mebibytes, launcher, seconds_of, typical_nanoseconds)
from convergence_table import normal, write_file
from engram_runs import RunError, number_of, read_values
from status import duration

QUESTION_SECONDS = 3600.0
SAMPLING_SECONDS = 0.02
LONGEST_SAMPLING_SECONDS = 0.1
INTERRUPTED = (85, 86)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What the run of a level has cost."""

    wall_seconds: float  # of all its starts, from outside
    memory: float  # MiB, the sum of the peaks of all ranks; 0 if nobody has measured
    nanoseconds: float  # per cell and step, without output
    steps: float
    substeps: float  # of the transport


def is_done(level):
    """True if the run of the level has ended well and is that of the level."""
    path = level.folder / "summary.yaml"
    if not path.is_file():
        return False
    summary = read_values(path)
    if summary.get("status") != "done":
        raise RunError(f"{path}: the run is not done but {summary.get('status', 'of no status')}: "
                       f"{summary.get('reason', 'no reason given')}; a study needs runs that reach "
                       "the end")
    case = read_values(level.folder / "case.yaml")
    for name in ("v_cells", "w_cells", "time_step"):
        option = name if name == "time_step" else f"grid_{name}"
        if normal(case.get(option)) != getattr(level, name):
            raise RunError(f"{level.folder}: is a run with {option}: {case.get(option)}, not "
                           f"{getattr(level, name)}; move it away")
    return True


def read_cost(level):
    """What the finished run of a level has cost."""
    path = level.folder / "summary.yaml"
    summary = read_values(path)
    measured = read_values(level.measured) if level.measured.is_file() else {}
    steps = number_of(summary, "steps", path)
    return Cost(wall_seconds=float(measured.get("wall_seconds", summary.get("wall_seconds", 0.0))),
                memory=float(measured.get("peak_memory_mebibytes", 0.0)),
                nanoseconds=number_of(summary, "ns_per_cell_and_step", path), steps=steps,
                substeps=number_of(summary, "transport_substeps", path))


def descendants(pid):
    """Numbers of all processes that a process has started."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            found += [int(child), *descendants(child)]
    return found


def peak_of(pid, program):
    """Peak memory in MiB of a process if it is one of the program, else 0."""
    try:
        if os.readlink(f"/proc/{pid}/exe") != program:
            return 0.0
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024.0
    return 0.0


def watch(process, program):
    """Waits for the end; returns the exit code and the sum of the peaks of all ranks in MiB.

    The kernel keeps the peak of every process, so looking now and then loses only what a rank takes
    in its last moments. (The account that the kernel gives of a process that has ended is no help:
    it counts what this tool held when it started the process.) 0 for a run too short to be seen.
    """
    peaks, pause = {}, SAMPLING_SECONDS
    program = os.path.realpath(program)
    while process.poll() is None:
        for pid in [process.pid, *descendants(process.pid)]:
            peaks[pid] = max(peaks.get(pid, 0.0), peak_of(pid, program))
        time.sleep(pause)
        pause = min(1.1 * pause, LONGEST_SAMPLING_SECONDS)
    return process.returncode, sum(peaks.values())


def environment(folder):
    """One thread a rank, time for the last checkpoint, and a folder of its own for Open MPI."""
    return {"OMP_NUM_THREADS": "1", "OMPI_MCA_odls_base_sigkill_timeout": "10", **os.environ,
            "TMPDIR": folder}


def run_level(study, level):
    """Runs a level to its end, from its last checkpoint if it has one."""
    command = launcher(study) + level.words(study) + ["-restart", "auto"]
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="engram_", ignore_cleanup_errors=True) as folder, \
            open(level.log, "a", encoding="utf-8") as log:
        beginning = log.tell()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, env=environment(folder))
        try:
            code, memory = watch(process, study.program)
        except KeyboardInterrupt:
            # The ranks have been told as well, by the terminal: let them write their checkpoint.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            process.wait()
            note_measurement(level, time.monotonic() - start, 0.0)
            raise
    note_measurement(level, time.monotonic() - start, memory)
    if code in INTERRUPTED:
        raise RunError(f"{level.folder}: left with a checkpoint; the same command goes on from it")
    if code:
        text = level.log.read_text(encoding="utf-8", errors="replace")[beginning:]
        raise RunError(f"level {level.number} ({describe(level)}): exit code {code}: "
                       f"{complaint_in(text)}; see {level.log}")


def note_measurement(level, seconds, memory):
    """Adds a start of the level to what was measured before."""
    before = read_values(level.measured) if level.measured.is_file() else {}
    values = {"wall_seconds": seconds + float(before.get("wall_seconds", 0.0)),
              "peak_memory_mebibytes": max(memory, float(before.get("peak_memory_mebibytes", 0.0)))}
    write_file(level.measured, yaml.safe_dump(values))


def forecast(study, levels):
    """Checks all levels that are not done by dry runs; returns what they need by number."""
    return {level.number: dry_run(study, level) for level in levels if not is_done(level)}


def remaining_seconds(study, levels, forecasts):
    """Time that each level to be run will take, by number, from the best that is known now."""
    done = [level for level in levels if is_done(level)]
    nanoseconds, substeps = typical_nanoseconds(study), []
    for level in done:
        cost = read_cost(level)
        share = cost.substeps / cost.steps if cost.steps else 1.0
        substeps.append((level, share))
        if level.cells * cost.steps > 1e7:  # below that the start counts
            nanoseconds = cost.nanoseconds
    return {level.number: seconds_of(level, forecasts[level.number], nanoseconds, substeps)
            for level in levels if level not in done}


def tell_plan(levels, forecasts, seconds):
    """Prints what will be run."""
    for level in levels:
        if level.number in seconds:
            needs = forecasts[level.number]
            print(f"level {level.number}: {describe(level)}: about "
                  f"{duration(seconds[level.number])}, {needs.memory:.0f} MiB of memory, "
                  f"{needs.disk:.0f} MiB of disk", flush=True)
        else:
            print(f"level {level.number}: {describe(level)}: done before", flush=True)
    if seconds:
        unit = "" if all(level.steps for level in levels) else " for every step"
        print(f"all: about {duration(sum(seconds.values()))}{unit}", flush=True)


def check_room(folder, forecasts, is_accepted):
    """Refuses a ladder that does not fit into memory or on the disk."""
    if is_accepted or not forecasts:
        return
    memory, available = max(needs.memory for needs in forecasts.values()), available_mebibytes()
    if memory > available:
        raise RunError(f"the ladder needs {memory:.0f} MiB of memory and {available:.0f} MiB are "
                       "free; use fewer --levels, or --yes to try")
    disk, free = sum(needs.disk for needs in forecasts.values()), free_disk_mebibytes(folder)
    if disk > free:
        raise RunError(f"the ladder needs {disk:.0f} MiB on the disk of {folder} and {free:.0f} "
                       "MiB are free; use fewer --levels, another --output, or --yes to try")


class Permission:
    """Asks once, on the terminal, before anything that takes long."""

    def __init__(self, is_given, is_terminal):
        self.is_given = is_given
        self.is_terminal = is_terminal

    def need(self, seconds):
        """Returns if so much time may be spent."""
        if self.is_given or seconds <= QUESTION_SECONDS:
            return
        text = f"the rest of the ladder takes about {duration(seconds)}"
        if not self.is_terminal:
            raise RunError(f"{text}; say --yes to run it, or use fewer --levels")
        if input(f"{text}. Run it? [y/N] ").strip().lower() not in ("y", "yes"):
            raise RunError("not run")
        self.is_given = True


def run_ladder(study, levels, forecasts, permission):
    """Runs what is missing, level by level; the cost of the rest is told anew after each."""
    for level in levels:
        if is_done(level):
            continue
        seconds = remaining_seconds(study, levels, forecasts)
        permission.need(sum(seconds.values()))
        print(f"level {level.number}: running, about {duration(seconds[level.number])}", flush=True)
        run_level(study, level)
        if not is_done(level):
            raise RunError(f"{level.folder}: the program has ended without a summary.yaml; see "
                           f"{level.log}")
        cost = read_cost(level)
        print(f"level {level.number}: done in {cost.wall_seconds:.1f} s, {cost.memory:.0f} MiB, "
              f"{cost.nanoseconds:.2f} ns per cell and step", flush=True)
