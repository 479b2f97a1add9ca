#!/usr/bin/env python3
"""Checks engram with a particle simulation of the same network, which shares nothing with it.

Runs the case with engram, once as it is and once on a grid of twice the widths, and simulates many
networks of neurons with random numbers of their own. N(w), H(w) and the total rate of engram must
lie within three standard errors of the particles in every bin. Writes comparison.csv, .md, .png and
.pdf. The exit code is 0 if they do, 1 if not, 2 if the comparison cannot be made.
"""

import argparse
import dataclasses
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import matplotlib
    import numpy

    import particle_comparison as comparison
    from engram_program import HELP, ProgramError, find_program
    from engram_results import ResultsError, read_results
    from engram_runs import RunError, number_of, read_values
    from engram_expression import ExpressionError
    from engram_stream import bear_closed_pipes
    from particle_network import Network, Settings, simulate
    from particle_pictures import comparison_figure
    from plot_style import STYLES, check_owner, save
    from style_option import add_style_option
except ImportError as error:
    print(f"particles.py: error: {sys.executable}: {error}; on Debian: apt install python3-h5py "
          "python3-matplotlib python3-scipy python3-yaml, and run with /usr/bin/python3",
          file=sys.stderr)
    sys.exit(2)

EPILOG = """\
examples:
  tools/particles.py input/particles_frozen.yaml
  tools/particles.py input/particles_learning.yaml --replicas 128 --output results/particles
  tools/particles.py input/particles_frozen.yaml --output results/other -- -model_noise 0.8
  tools/particles.py input/particles_frozen.yaml --output results/fails \\
      --particles-only model_noise=1.05    (the check has to notice: exit code 1)

Finished parts are not made again. Other settings need another --output. By chance alone about every
seventh run has a value just beyond three standard errors: more --replicas tell.
"""

ROOT = pathlib.Path(__file__).resolve().parent.parent
INTERVALS = 20
# Share of the run at its end over which N(w) is averaged.
WINDOW = 0.5
REQUEST = "request.json"
# What the particles do not have, with the value that leaves it out.
WITHOUT = {"model_delay": 0.0, "model_refractory": 0.0, "steer_input_factor": 1.0}


class Refusal(Exception):
    """A case that the particles cannot be made for; the text says why."""


def run_engram(program, case, folder, options):
    """Runs the case to its end; goes on with what is there, and does nothing if it is done."""
    summary = folder / "summary.yaml"
    if summary.is_file() and read_values(summary).get("status") == "done":
        return
    # Open MPI makes and removes a folder there, and does not bear another run that does so.
    with tempfile.TemporaryDirectory(prefix="particles_") as sessions:
        process = subprocess.run([str(program), str(case), *options, "-output_dir", str(folder),
                                  "-restart", "auto"], capture_output=True, text=True, check=False,
                                 env={**os.environ, "TMPDIR": sessions}, stdin=subprocess.DEVNULL)
    if process.returncode != 0:
        lines = [line for line in process.stderr.splitlines() if "error" in line or "stop" in line]
        raise Refusal((lines or process.stderr.splitlines() or ["no message"])[-1]
                      + f" (engram ended with code {process.returncode})")


def require_plain_model(case, path):
    """Complains about parts of the model that the particles do not have."""
    for name, value in WITHOUT.items():
        if name in case and number_of(case, name, path) != value:
            raise Refusal(f"{name}: {case[name]}: not simulated with particles; take {value:g}")
    if case.get("model_drift", "-v").strip("() ") != "-v":
        raise Refusal(f"model_drift: {case['model_drift']}: not simulated with particles; take -v")
    if number_of(case, "model_epsilon", path) <= 0.0:
        raise Refusal("model_epsilon: 0: the limit model has no particles; take a positive value")
    if case.get("initial_quasi_static") == "true":
        raise Refusal("initial_quasi_static: true: not sampled; give the density of v instead")
    if case.get("protocol_phases", "none") not in ("none", "", []):
        raise Refusal("protocol_phases: not simulated with particles; take one run for each phase")
    if case.get("steady") == "true" or case.get("steady_sweep", "none") != "none":
        raise Refusal("steady: particles run in time; leave it out")


def change_options(case, changes):
    """The options that the particles see."""
    changed = dict(case)
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign or name not in case:
            raise Refusal(f"--particles-only {change}: not NAME=VALUE with the name of an option, "
                          "as in model_noise=1.05")
        changed[name] = value
    return changed


def coarse_options(case, bins):
    """Options of the run on twice the widths, or None where these make no grid."""
    v_cells, w_cells = int(case["grid_v_cells"]), int(case["grid_w_cells"])
    reset, low, high = (float(case["model_" + name]) for name in
                        ("v_reset", "v_min", "v_threshold"))
    node = (reset - low) / (high - low) * (v_cells // 2)
    if v_cells % 2 or w_cells % (2 * bins) or abs(node - round(node)) > 1e-9:
        return None
    return ["-grid_v_cells", str(v_cells // 2), "-grid_w_cells", str(w_cells // 2),
            "-time_step", repr(2.0 * float(case["time_step"]))]


def run_density(arguments, folder):
    """Both density runs; returns the options, and the profiles with the results of the finer."""
    bins, options = arguments.bins, arguments.options
    fine, coarse = folder / "density", folder / "density_coarse"
    run_engram(arguments.program, arguments.case, fine, options)
    case = read_values(fine / "case.yaml")
    require_plain_model(case, fine / "case.yaml")
    if int(case["grid_w_cells"]) % bins:
        raise Refusal(f"--bins {bins}: grid_w_cells: {case['grid_w_cells']} is no multiple of it")
    if int(case["grid_w_cells"]) < 2:
        raise Refusal("grid_w_cells: 1: nothing to compare over w; take two cells at least")
    window = window_of(case)
    results = read_results(fine)
    profiles = [comparison.profile_of_run(results, fine, window, INTERVALS, bins), None]
    coarser = coarse_options(case, bins)
    if coarser:
        run_engram(arguments.program, arguments.case, coarse, [*options, *coarser])
        profiles[1] = comparison.profile_of_run(read_results(coarse), coarse, window, INTERVALS,
                                                bins)
    return case, profiles, results


def window_of(case):
    """The times between which N(w) is averaged."""
    end = float(case["time_end"])
    return ((1.0 - WINDOW) * end, end)


def run_particles(arguments, case, folder):
    """Arrays [replica][...] of all replicas, made or read."""
    path = folder / "particles.npz"
    if path.is_file():
        with numpy.load(path) as file:
            return dict(file)
    Network.from_case(case)  # complains here about an expression, and not in another process
    seeds = numpy.random.SeedSequence(arguments.seed).generate_state(arguments.replicas,
                                                                     numpy.uint64)
    settings = Settings(arguments.neurons, arguments.step, arguments.degree, 0, window_of(case),
                        INTERVALS)
    tasks = [(case, dataclasses.replace(settings, seed=int(seed))) for seed in seeds]
    with multiprocessing.get_context("fork").Pool(arguments.processes) as pool:
        replicas = pool.starmap(simulate, tasks, chunksize=1)
    arrays = {name: numpy.array([replica[name] for replica in replicas]) for name in replicas[0]}
    partial = path.with_name("particles.part.npz")
    numpy.savez(partial, **arrays)
    os.replace(partial, path)
    return arrays


def bin_replicas(replicas, bins):
    """The cells of the replicas joined to the bins of the comparison."""
    shape = (len(replicas["total_rate"]), bins, -1)
    return {"total_rate": replicas["total_rate"],
            "firing_rate": replicas["firing_rate"].reshape(shape).mean(axis=2),
            "weight_density": replicas["weight_density"].reshape(shape).mean(axis=2)}


def claim_folder(arguments):
    """Makes the folder, or goes on in it if it holds the same comparison."""
    folder = arguments.output
    request = json.dumps({
        "case": arguments.case.read_text(encoding="utf-8"), "options": arguments.options,
        "particles_only": arguments.particles_only, "neurons": arguments.neurons,
        "replicas": arguments.replicas, "step": arguments.step, "seed": arguments.seed,
        "bins": arguments.bins, "degree": arguments.degree}, indent=1)
    path = folder / REQUEST
    if path.is_file():
        if path.read_text(encoding="utf-8") != request:
            raise Refusal(f"--output {folder}: holds the comparison of another case or of other "
                          "settings; take another folder")
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refusal(f"--output {folder}: exists and holds no comparison; take another folder")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(request, encoding="utf-8")
    return folder


def compare(arguments):
    """The whole comparison; returns True if the density lies within the bars."""
    folder = claim_folder(arguments)
    case, (fine, coarse), results = run_density(arguments, folder)
    replicas = run_particles(arguments, change_options(case, arguments.particles_only), folder)
    # Rounded, or an edge at zero would be 1e-16.
    edges = numpy.linspace(float(case["grid_w_min"]), float(case["grid_w_max"]),
                           arguments.bins + 1).round(12)
    duration = float(case["time_end"]) / float(case["model_epsilon"])
    rows = comparison.compare(fine, coarse, bin_replicas(replicas, arguments.bins), edges,
                              float(case["time_end"]),
                              (arguments.neurons, duration, WINDOW * duration))
    (folder / "comparison.csv").write_text(comparison.csv_of(rows), encoding="ascii")
    (folder / "comparison.md").write_text(
        comparison.markdown_of(rows, arguments.replicas, arguments.neurons), encoding="utf-8")
    print("\n".join(comparison.summary_of(rows, arguments.replicas, arguments.neurons)))
    with matplotlib.rc_context(STYLES[arguments.style]):
        for extension in ("png", "pdf"):
            path = folder / f"comparison.{extension}"
            check_owner(path)
            save(comparison_figure(results, rows), path)
    return report(rows)


def report(rows):
    """Says how it ended; True if all is within the bars."""
    outside = [row for row in rows if abs(row.z) > comparison.ALLOWED]
    if not outside:
        print(f"particles.py: the density is within {comparison.ALLOWED:g} standard errors in all "
              f"{len(rows)} bins")
        return True
    worst = max(outside, key=lambda row: abs(row.z))
    print(f"particles.py: {len(outside)} of {len(rows)} bins are beyond {comparison.ALLOWED:g} "
          f"standard errors; the farthest is {worst.quantity} from {worst.start:.4g} to "
          f"{worst.end:.4g}: density {worst.density:.6g}, particles {worst.particles:.6g}, "
          f"z = {worst.z:+.1f}", file=sys.stderr)
    return False


def bounded(kind, lowest, highest):
    """A reader of numbers for argparse, with a range."""
    def read(text):
        value = kind(text)
        if not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text} is not between {lowest:g} and {highest:g}")
        return value

    read.__name__ = kind.__name__
    return read


def parse_arguments():
    """The command line; what follows -- goes to engram."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="particles.py [option ...] CASE.yaml [-- -option value ...]")
    parser.add_argument("case", metavar="CASE.yaml", type=pathlib.Path, help="a case of engram")
    parser.add_argument("--output", metavar="DIR", type=pathlib.Path,
                        help="folder for everything (default: results/CASE-check)")
    parser.add_argument("--neurons", type=bounded(int, 1000, 10**8), default=100000,
                        help="neurons of a network (default: %(default)s)")
    parser.add_argument("--replicas", type=bounded(int, 8, 10**5), default=64,
                        help="networks, each with its own random numbers (default: %(default)s)")
    parser.add_argument("--step", type=bounded(float, 1e-5, 0.2), default=0.02,
                        help="step of the particles in reacting time (default: %(default)s)")
    parser.add_argument("--degree", type=bounded(int, 0, 40), default=8,
                        help="of the polynomial in w that stands for the rate of one neuron "
                             "where weights learn (default: %(default)s)")
    parser.add_argument("--bins", type=bounded(int, 2, 1000), default=20,
                        help="bins of w; grid_w_cells must be a multiple (default: %(default)s)")
    parser.add_argument("--seed", type=bounded(int, 0, 2**63), default=1,
                        help="of all random numbers (default: %(default)s)")
    parser.add_argument("--processes", type=bounded(int, 1, 4096), default=os.cpu_count(),
                        help="for the particles; without influence on the result "
                             "(default: one for each core)")
    parser.add_argument("--particles-only", metavar="NAME=VALUE", action="append", default=[],
                        help="an option that engram does not see, to learn what the check notices")
    parser.add_argument("--program", help=HELP)
    add_style_option(parser)
    words = sys.argv[1:]
    own = words[:words.index("--")] if "--" in words else words
    arguments = parser.parse_args(own)
    arguments.options = words[len(own) + 1:]
    arguments.output = arguments.output or ROOT / f"results/{arguments.case.stem}-check"
    if not arguments.case.is_file():
        parser.error(f"{arguments.case}: no such case file")
    try:
        arguments.program = find_program(arguments.program)
    except ProgramError as error:
        parser.error(str(error))
    return arguments


def main():
    """0 if the density is within the bars, 1 if not, 2 if they cannot be compared."""
    arguments = parse_arguments()
    try:
        return 0 if compare(arguments) else 1
    except (Refusal, ResultsError, RunError, ExpressionError, OSError) as error:
        print(f"particles.py: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
