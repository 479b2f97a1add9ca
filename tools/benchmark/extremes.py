"""Times of small and of large grids: what a step costs besides its cells, the start of a program,
and columns that no cache holds."""

import pathlib
import statistics
import subprocess
import tempfile
import time

# Next to no cells, and none that the steps of the case would divide.
FEW = ("-grid_v_cells", "60", "-grid_w_cells", "16", "-coupling", "lagged")
FEW_CELLS = 59 * 16

# Columns that the second-level cache holds with their ratios, and those that it does not; steps so
# short that one transport sub-step is enough for each.
GRIDS = {"1026 x 1024": ("1026", "1024"), "4098 x 1024": ("4098", "1024"),
         "4098 x 4096": ("4098", "4096")}
COLUMNS = ("-time_step", "2e-5", "-coupling", "lagged")


def overhead(run_benchmark, program, ranks):
    """Microseconds of a step besides the solve of its slices."""
    numbers = run_benchmark(program, 1000, *FEW, ranks=ranks)
    return 1e-3 * FEW_CELLS * (numbers["step"] - numbers["slices"])


def start_up(engram, case):
    """Seconds of a run of one step, started by itself."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(engram), str(case), *FEW, "-time_end", "0.0002",
                   "-output_dir", str(pathlib.Path(folder) / "out")]
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - started


def measure(run_benchmark, build, case, rounds):
    """All of it, `rounds` times; lists by name."""
    results = {}
    for index in range(rounds):
        print(f"report.py: round {index + 1} of {rounds} of small and large grids")
        numbers = {ranks: overhead(run_benchmark, build / "engram_benchmark", ranks)
                   for ranks in (1, 2)}
        numbers["start"] = start_up(build / "engram", case)
        for name, (nodes, weights) in GRIDS.items():
            times = run_benchmark(build / "engram_benchmark", 6, *COLUMNS, "-grid_v_cells", nodes,
                                  "-grid_w_cells", weights)
            numbers[name] = (times["step"], times["stream"], times["step"] / times["stream"])
        for name, number in numbers.items():
            results.setdefault(name, []).append(number)
    return results


def section(results):
    """The tables: medians over the rounds."""
    lines = ["\n## Small grids and large ones\n",
             "What a step of 59 x 16 unknowns takes besides the solve of its slices (transport, "
             "ghosts, sums, reduction): "
             + ", ".join(f"{statistics.median(results[ranks]):.1f} microseconds on {ranks} rank"
                         f"{'s' if ranks > 1 else ''} ({min(results[ranks]):.1f} in the best round)"
                         for ranks in (1, 2))
             + f". A run of one step, from the start of the program to its end: "
               f"{statistics.median(results['start']):.2f} s.\n",
             "A full step on columns that the second-level cache holds, and on others, beside the "
             "in-place update of an array of the same size:\n",
             "| cells | ns per cell and step | update | step over update |", "|---|---|---|---|"]
    for name in GRIDS:
        step, stream, ratio = (statistics.median(row[k] for row in results[name])
                               for k in range(3))
        lines.append(f"| {name} | {step:.2f} | {stream:.2f} | {ratio:.1f} |")
    return "\n".join(lines) + "\n"
