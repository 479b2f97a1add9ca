#!/usr/bin/env python3
"""Times what ParaView in situ costs a run, and prints it as the table of docs/insitu.md."""

import argparse
import contextlib
import csv
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engram_program import HELP, ProgramError, find_program  # noqa: E402
from engram_stream import bear_closed_pipes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "tools" / "insitu"

# Weights, and unknowns of the potential; V_R must be a node.
GRIDS = ((512, 512, 86), (2048, 1024, 171))

CASE = """# A step does little, so that what is timed beside it is not lost.
model: {{noise: 1, epsilon: 0.1, input: "1", response: "N/(1 + N)", v_min: {v_min!r}}}
initial: {{density: "exp(-(w - 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)"}}
grid: {{w_cells: {weights}, v_cells: {cells}}}
time: {{step: 0.00002, end: {end!r}, scheme: euler, start: plain}}
output: {{series_every: 1000, fields_every: 0}}
checkpoint: {{wall: 0}}
"""

# Loaded, and asked at every step, but without anything to do.
IDLE = """
from paraview import catalyst
from paraview.simple import *
options = catalyst.Options()
options.GlobalTrigger = "TimeStep"
options.GlobalTrigger.Frequency = 1000000000
density = TrivialProducer(registrationName="density")
def catalyst_execute(info):
    pass
"""

# Steps of each kind of run. The first two tell what a start costs, and do the same steps.
RUNS = {"none": 2, "start": 2, "idle": 300, "extracts": 20, "weights": 10, "density": 10}
EVENT = "EngramInsitu"
MARK = "<!-- table of insitu.py -->"

LAUNCHER = {"OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
            "OMPI_MCA_mpi_yield_when_idle": "1"}


@contextlib.contextmanager
def x_server():
    """The DISPLAY of an X server without a screen."""
    reading, writing = os.pipe()
    with subprocess.Popen(["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24",
                           "-noreset", "-nolisten", "tcp"], pass_fds=[writing],
                          stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading, encoding="ascii") as answer:
            number = answer.readline().strip()
        try:
            yield f":{number}"
        finally:
            server.terminate()


def peak_memory(process):
    """The largest resident memory so far of a rank that a launcher has started, in MB."""
    peak = 0
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    with contextlib.suppress(OSError, ProcessLookupError):
        for rank in children.read_text(encoding="ascii").split():
            for line in pathlib.Path(f"/proc/{rank}/status").read_text("utf-8").splitlines():
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]) / 1024)
    return peak


def milliseconds_a_call(log):
    """Time of the event in a step, the longest of all ranks."""
    with open(log, newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.reader(stream) if row[:2] == ["Engram steps", EVENT]]
    return max((1e3 * float(row[4]) / max(int(row[3]), 1) for row in rows), default=0.0)


def run(arguments, folder, grid, name, display):
    """One run: seconds of the whole, milliseconds a call, megabytes of the largest rank."""
    weights, unknowns, nodes_a_unit = grid
    cells = unknowns + 1
    case = folder / "case.yaml"
    case.write_text(CASE.format(weights=weights, cells=cells, v_min=2.0 - cells / nodes_a_unit,
                                end=0.00002 * RUNS[name]), encoding="ascii")
    idle = folder / "idle.py"
    idle.write_text(IDLE, encoding="ascii")
    script = {"none": None, "start": idle, "idle": idle}.get(name, SCRIPTS / f"{name}.py")
    command = ["mpirun", "-n", str(arguments.ranks), str(arguments.program), str(case),
               "-output_dir", str(folder / "run"), "-output_overwrite", "-log_view",
               f":{folder / 'log.csv'}:ascii_csv"]
    command += ["-insitu_scripts", str(script)] if script else []
    variables = {**os.environ, **LAUNCHER, "DISPLAY": display}
    began, peak = time.monotonic(), 0.0
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, peak_memory(process))
            time.sleep(0.005)
        seconds, errors = time.monotonic() - began, process.stderr.read()
    if process.returncode != 0:
        sys.exit(f"insitu.py: error: {' '.join(command)}\n{errors}")
    return seconds, milliseconds_a_call(folder / "log.csv"), peak


def measure(arguments, grid, folder, display):
    """The row of a grid: medians over the rounds, of all kinds of runs in turn."""
    found = {name: [] for name in RUNS}
    for _ in range(arguments.rounds):
        for name, results in found.items():
            results.append(run(arguments, folder, grid, name, display))
    middle = {name: [statistics.median(column) for column in zip(*results)]
              for name, results in found.items()}
    start = middle["start"][0] - middle["none"][0]
    return (f"| {grid[0]} x {grid[1]} | {start:.2f} s | {1e3 * middle['idle'][1]:.0f} µs | "
            f"{middle['extracts'][1]:.0f} ms | {middle['weights'][1]:.0f} ms | "
            f"{middle['density'][1]:.0f} ms | "
            + " | ".join(f"{middle[name][2]:.0f}"
                         for name in ("none", "idle", "extracts", "density")) + " |")


def table(arguments):
    """The text of the table, row by row."""
    yield (f"Medians of {arguments.rounds} runs on {arguments.ranks} ranks; memory in MB, of the "
           "largest rank.")
    yield ""
    yield ("| weights x potentials | start-up | idle call | extract | line chart | heat map | "
           "without | idle | extracts | pictures |")
    yield "|" + "---|" * 10
    with tempfile.TemporaryDirectory(prefix="engram_insitu_") as name, x_server() as display:
        for grid in GRIDS:
            yield measure(arguments, grid, pathlib.Path(name), display)


def main():
    """Prints the table, or puts it into a document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", help=HELP)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--into", type=pathlib.Path, metavar="DOCUMENT",
                        help="replaces what is between its two lines with 'table of insitu.py'")
    arguments = parser.parse_args()
    try:
        arguments.program = pathlib.Path(find_program(arguments.program))
    except ProgramError as error:
        sys.exit(f"insitu.py: error: {error}")
    lines = []
    for line in table(arguments):
        print(line, flush=True)
        lines.append(line)
    if arguments.into:
        parts = arguments.into.read_text(encoding="utf-8").split(MARK)
        if len(parts) != 3:
            sys.exit(f"insitu.py: error: {arguments.into}: not two lines '{MARK}'")
        parts[1] = "\n" + "\n".join(lines) + "\n"
        arguments.into.write_text(MARK.join(parts), encoding="utf-8")


if __name__ == "__main__":
    bear_closed_pipes()
    main()
