#!/usr/bin/env python3
"""Times Engram, PETSc's stock solvers and SciPy on the same work, and writes docs/performance.md.

Run by tools/bench.sh. Rounds of all contestants follow each other, so that a machine whose speed
drifts is the same for all; every number is the median over rounds of a run's minimum.
"""

import argparse
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import numpy
import scipy.linalg

import checkpoint
import extremes
import roofline
import scaling_report

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engram_stream import bear_closed_pipes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASE = ROOT / "tools" / "benchmark" / "case.yaml"
UNKNOWNS = (479, 1024)

# Other settings of a full step. Second order in w takes half the step, so that one sub-step is
# enough for it, too.
SHORT = ("-time_step", "0.0001")
SECOND = ("-time_scheme", "second-order")
THIRD = ("-time_scheme", "third-order")
FLAT = ("-transport_order", "1")
SHARP = ("-transport_order", "2")
FIFTH = ("-transport_order", "5")
IMPLICIT = ("-transport_time", "implicit")
SINGLE = ("-grid_w_cells", "1", "-grid_w_min", "0.5", "-grid_w_max", "0.5")
SMALL = ("-grid_v_cells", "60", "-grid_w_cells", "256")
LONG = ("-grid_v_cells", "4098")
VARIANTS = {
    "implicit coupling": ("-coupling", "implicit"),
    "refractory state": ("-model_refractory", "0.1"),
    "second order in w": SHARP + SHORT,
    "implicit transport": IMPLICIT,
    "implicit transport of second order in w": IMPLICIT + SHARP,
    "second order in time": SECOND + FLAT,
    "second order in time and w": SECOND + SHARP + SHORT,
    "third order in time": THIRD + FLAT,
    "third order in time, second in w": THIRD + SHARP + SHORT,
    "third order in time, second in w, two ranks": THIRD + SHARP + SHORT,
    "third order in time, fifth in w (the defaults)": THIRD + FIFTH + SHORT,
    "eps = 0": ("-model_epsilon", "0"),
    "eps = 0, implicit coupling": ("-model_epsilon", "0", "-coupling", "implicit"),
}

# Settings of a full step here, and in the reference revision, whose fixed steps are plain.
LAGGED = ("-coupling", "lagged")
COMPARED = {
    "full step": (LAGGED, ()),
    "second order in w": (LAGGED + SHARP + SHORT, SHARP + SHORT),
    "implicit coupling": (("-coupling", "implicit"), ("-coupling", "implicit")),
    "second order in time and w, lagged coupling": (
        SECOND + LAGGED + SHARP + SHORT, ("-time_scheme", "extrapolated") + SHARP + SHORT),
    "refractory state": (LAGGED + ("-model_refractory", "0.1"), ("-model_refractory", "0.1")),
    "eps = 0": (LAGGED + ("-model_epsilon", "0"), ("-model_epsilon", "0")),
    "a single weight": (LAGGED + SINGLE, SINGLE),
    "60 x 256 cells": (LAGGED + SMALL, SMALL),
    "120 x 1024 cells": (LAGGED + ("-grid_v_cells", "120"), ("-grid_v_cells", "120")),
    "long columns, 4096 x 1024 cells": (LAGGED + LONG, LONG),
}

HEAD = """# Performance

Written by `tools/bench.sh`, which times all rows in one run. Work: one implicit step of 1024
voltage slices of 479 unknowns each (490 496 unknowns), or a full step with transport in w; one core
unless two are named. Where nothing else is said, a full step is one euler step with explicit
transport of first order and lagged coupling; steps of second and third order in time have implicit
coupling, solved to 1e-10. Times are nanoseconds per cell and step, medians over rounds of the
shortest call, and the shortest call of all; the ratios come from the same rounds. On a machine
shared with others the two differ by what the others took.

What a given error of N(t) costs, beside second order, an older revision, PETSc's LU and a program as
the field writes it, is in [work_to_accuracy.md](work_to_accuracy.md).
"""


def run_benchmark(program, samples, *options, ranks=1, case=CASE):
    """One run of the benchmark program: a dictionary of minima in nanoseconds per cell."""
    command = ["mpirun", "-n", str(ranks), str(program), str(case),
               "-benchmark_samples", str(samples), *options]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise SystemExit(f"report.py: {' '.join(command)}: {process.stderr}")
    lines = [line.split() for line in process.stdout.splitlines()]
    return {line[0]: float(line[1]) for line in lines}


def solve_slice(nodes, mu, noise, spacing, ratio, reset, rhs):
    """One implicit step of one slice as a scientist would write it with SciPy.

    Scharfetter-Gummel weights by numpy, the tridiagonal part by solve_banded, and the entry of the
    flux shift by the Sherman-Morrison formula, with a second right-hand side.
    """
    faces = -4.0 + (numpy.arange(nodes) + 1.5) * spacing
    q = (mu - faces) * spacing / noise
    q[q == 0.0] = 1e-30
    down = ratio * noise / spacing**2 * q / numpy.expm1(q)
    up = down + ratio * noise / spacing**2 * q
    bands = numpy.zeros((3, nodes))
    bands[0, 1:] = -down[:-1]
    bands[1] = 1.0 + up
    bands[1, 1:] += down[:-1]
    bands[2, :-1] = -up[:-1]
    sides = numpy.zeros((nodes, 2))
    sides[:, 0] = rhs
    sides[reset, 1] = up[-1]
    plain, shift = scipy.linalg.solve_banded((1, 1), bands, sides, overwrite_ab=True,
                                             overwrite_b=True, check_finite=False).T
    return plain + shift * plain[-1] / (1.0 - shift[-1])


def time_scipy(slices=64):
    """Nanoseconds per cell of solve_slice, on some of the slices."""
    nodes = UNKNOWNS[0]
    spacing = 6.0 / (nodes + 1)
    potential = -4.0 + (numpy.arange(nodes) + 1.0) * spacing
    rhs = numpy.exp(-((potential + 1.0)**2) / 0.5)
    best = numpy.inf
    for _ in range(5):
        started = time.perf_counter()
        for index in range(slices):
            solution = solve_slice(nodes, 1.0 + 0.3 * index / slices, 1.0, spacing, 2e-3, 399, rhs)
        best = min(best, time.perf_counter() - started)
    assert abs(solution.sum() / rhs.sum() - 1.0) < 1e-10, "the SciPy solve is no solution"
    return 1e9 * best / (slices * nodes)


def measure(program, rounds):
    """All contestants, `rounds` times; lists of numbers by name."""
    results = {}
    for index in range(rounds):
        print(f"report.py: round {index + 1} of {rounds}")
        gth, two = run_benchmark(program, 1000), run_benchmark(program, 1000, ranks=2)
        lu = run_benchmark(program, 5, "-slice_pc_type", "lu")
        gmres = run_benchmark(program, 5, "-slice_ksp_type", "gmres", "-slice_pc_type", "ilu")
        numbers = {"stream": gth["stream"], "slices": gth["slices"], "step": gth["step"],
                   "lu": lu["slices"], "gmres": gmres["slices"], "scipy": time_scipy(),
                   "lu_step": lu["step"], "gmres_step": gmres["step"],
                   "step_two": two["step"], "speedup": gth["step"] / two["step"]}
        for name, options in VARIANTS.items():
            numbers[name] = run_benchmark(program, 60, *options,
                                          ranks=2 if "two ranks" in name else 1)["step"]
        for name, number in numbers.items():
            results.setdefault(name, []).append(number)
    return results


def measure_reference(program, folder, rounds):
    """Nanoseconds per cell of the reference, here with order 4 and 2 in v, by name and round."""
    case = folder / "reference_source" / "tools" / "benchmark" / "case.yaml"
    reference = folder / "reference" / "engram_benchmark"
    results = {name: [] for name in COMPARED}
    for index in range(rounds):
        print(f"report.py: round {index + 1} of {rounds} beside the reference")
        for name, (options, old_options) in COMPARED.items():
            results[name].append((
                run_benchmark(reference, 100, *old_options, case=case)["step"],
                run_benchmark(program, 100, *options)["step"],
                run_benchmark(program, 100, *options, "-grid_v_order", "2")["step"]))
    return results


def reference_table(results):
    """Medians over the rounds, those of the ratios within a round, and ratios of the shortest."""
    lines = ["\n## Beside revision 262d66a\n",
             "The reference has order 2 in v and makes a step in several passes. Both sides are "
             "timed in turn, in the same rounds, with the same settings; a ratio is the median of "
             "those of the rounds, and in brackets that of the shortest times of all rounds, which "
             "others on the machine disturb less.\n",
             "| full step | reference, order 2 in v | here, order 4 | here, order 2 | "
             "order 4 is faster by | order 2 is faster by |", "|---|---|---|---|---|---|"]
    for name, rows in results.items():
        old, four, two = (statistics.median(row[k] for row in rows) for k in range(3))
        ratios = [statistics.median(row[0] / row[k] for row in rows) for k in (1, 2)]
        shortest = [min(row[k] for row in rows) for k in range(3)]
        faster = [f"{ratio:.2f} ({shortest[0] / shortest[k]:.2f})"
                  for k, ratio in zip((1, 2), ratios)]
        lines.append(f"| {name} | {old:.2f} | {four:.2f} | {two:.2f} | {faster[0]} | {faster[1]} |")
    return "\n".join(lines) + "\n"


def machine():
    """The processor's name and features, and the compiler's target."""
    text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8") if pathlib.Path(
        "/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in text.splitlines()
                  if line.startswith("model name")), platform.processor() or "unknown")
    widths = [name for name in ("avx512f", "avx2", "avx") if name in text]
    return f"{model}, {widths[0] if widths else 'no AVX'}, {platform.system()} {platform.machine()}"


def write(results, output, provenance, sections):
    """The table."""
    median = {name: statistics.median(values) for name, values in results.items()}
    stream = [("in-place update of an array of this size (the limit)", "stream"),
              ("slices: subtraction-free elimination (`gth`, the default)", "slices"),
              ("slices: PETSc `lu`, assembly included", "lu"),
              ("slices: PETSc `gmres` + `ilu`, assembly included", "gmres"),
              ("slices: SciPy `solve_banded`, one call a slice, weights included", "scipy"),
              ("full step, `gth`", "step"),
              ("full step, `lu`", "lu_step"),
              ("full step, `gmres` + `ilu`", "gmres_step"),
              ("full step, `gth`, two ranks", "step_two")]
    stream += [(f"full step, {name}", name) for name in VARIANTS]
    lines = [HEAD, f"Machine: {machine()}. Build: {provenance}.\n",
             "| work | ns per cell and step | in the best round | relative to the limit | "
             "relative to `gth` slices |",
             "|---|---|---|---|---|"]
    for title, name in stream:
        limit = statistics.median(a / b for a, b in zip(results[name], results["stream"]))
        own = statistics.median(a / b for a, b in zip(results[name], results["slices"]))
        lines.append(f"| {title} | {median[name]:.2f} | {min(results[name]):.2f} | {limit:.1f} | "
                     f"{own:.2f} |")
    low, high = min(results["speedup"]), max(results["speedup"])
    shortest = min(results["step"]) / min(results["step_two"])
    lines.append(f"\nTwo ranks against one, full step: {median['speedup']:.2f} times as fast "
                 f"({low:.2f} to {high:.2f} over {len(results['speedup'])} rounds), "
                 f"{shortest:.2f} times by the shortest times of all rounds.\n")
    text = "\n".join(lines) + sections
    print(text)
    if output:
        output.write_text(text, encoding="utf-8")
        print(f"report.py: wrote {output}")


def main():
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--reference", type=pathlib.Path, default=ROOT / "build",
                        help="folder of the reference's source and build")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of all contestants")
    parser.add_argument("--output", type=pathlib.Path, help="Markdown file to write")
    arguments = parser.parse_args()
    version = subprocess.run([str(arguments.build / "engram"), "-version"], capture_output=True,
                             text=True, check=True).stdout
    provenance = "; ".join(" ".join(line.split()) for line in version.splitlines()
                           if any(word in line for word in ("compiler", "build", "kernels",
                                                            "petsc", "mpi ")))
    results = measure(arguments.build / "engram_benchmark", arguments.rounds)
    beside = measure_reference(arguments.build / "engram_benchmark", arguments.reference,
                               arguments.rounds)
    ends = extremes.measure(run_benchmark, arguments.build, CASE, arguments.rounds)
    scaling = scaling_report.section(scaling_report.measure(run_benchmark, arguments.build, CASE,
                                                            machine()))
    checkpoints = checkpoint.measure(arguments.build / "engram", arguments.build, arguments.rounds)
    write(results, arguments.output, provenance,
          reference_table(beside) + extremes.section(ends)
          + roofline.section(results, beside) + scaling + checkpoints)


if __name__ == "__main__":
    bear_closed_pipes()
    main()
