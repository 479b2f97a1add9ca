#!/usr/bin/env python3
"""Studies how the results of a case converge: refines its grid or its step, and observes orders."""

import argparse
import pathlib
import sys

try:
    from convergence_errors import (NORMS, QUANTITIES, Fields, differences, estimated_errors,
                                    orders)
    from convergence_exact import closed_form, require_closed_form
    from convergence_jobs import submit
    from convergence_ladder import claim, is_whole, ladder, make_study, read_study
    from convergence_report import PLAIN, VARIED, Report, write_report
    from convergence_runs import (Permission, check_room, forecast, is_done, read_cost,
                                  remaining_seconds, run_ladder, tell_plan)
    from engram_program import HELP, ProgramError, find_program
    from engram_results import ResultsError, read_series
    from engram_runs import RunError, read_values
    from engram_stream import bear_closed_pipes
    from style_option import add_style_option
except ImportError as error:
    print(f"convergence.py: error: {sys.executable}: {error}; on Debian: apt install python3-h5py "
          "python3-matplotlib python3-scipy python3-yaml, and run with /usr/bin/python3",
          file=sys.stderr)
    sys.exit(2)

# Rates that still change by more than this part of their value are those of no steady state.
STEADY = 1e-6
SHARE_OF_TIME = 0.9
# Cost is linear in cells and steps when the times of a cell and step are this near to each other.
LINEAR = 1.25
# Below so many cells times steps a run is mostly its start.
COUNTED_WORK = 1e7

EPILOG = """\
The ladder starts from the resolution of the case. From level to level it doubles the cells of v
(--vary v), of w (w), halves the time step (t), or does all three (all). Level n runs into
FOLDER/level-n. Called again, it runs what is missing, goes on from checkpoints, and makes the
tables again: convergence.csv, .md, .tex (booktabs), .png and .pdf.

examples:
  tools/convergence.py case.yaml --vary w --levels 4
  tools/convergence.py case.yaml --vary all --levels 5 --ranks 2 \\
      --set time_scheme=extrapolated --set transport_order=2 --set coupling=implicit
  tools/convergence.py input/nnlif_steady.yaml --vary v --set grid_v_cells=70 --compare exact
  tools/convergence.py case.yaml --vary all --levels 6 --ranks 32 --slurm \\
      --sbatch-option=--partition=long
  tools/convergence.py --collect results/convergence-case-all     (tables only)
"""


def note(text):
    """Something the user should know."""
    print(f"convergence.py: note: {text}", flush=True)


def by_level(entries, keys, levels, first):
    """Lists with an entry for each level from a list of norms that begins at the level `first`."""
    filled = [None] * first + entries
    filled += [None] * (levels - len(filled))
    return {key: [None if entry is None else entry[key] for entry in filled] for key in keys}


def exact_norms(runs, levels):
    """Errors of all levels against the closed form."""
    path = levels[0].folder / "case.yaml"
    exact = closed_form(read_values(path), path, runs[-1].total_rate)
    return [exact.errors(run) for run in runs], exact


def settled(level):
    """By what part the total rate still changes at the end of a run."""
    series = read_series(level.folder / "series.csv", [])
    time, rate = series["time"], series["total_rate"]
    late = rate[time >= SHARE_OF_TIME * time[-1]]
    return float(late.max() - late.min()) / max(abs(float(rate[-1])), 1e-300)


def richardson_sentences(chosen):
    """How the estimated errors came about."""
    texts = []
    for quantity in QUANTITIES:
        known = [chosen[quantity, norm] or "no order" for norm in NORMS]
        texts.append(f"{PLAIN[quantity]} {' and '.join(map(str, dict.fromkeys(known)))}")
    return ["A difference is that to the level above, on the coarser grid of the two; the order of "
            "a level is that of its difference and the one above.",
            "Errors are estimated by extrapolation of the two finest levels, with the orders "
            f"{', '.join(texts)}; with no order, as distances from the finest level."]


def cost_sentence(levels, costs):
    """How linear the cost is, over the levels that are no mere start-up."""
    times = [cost.nanoseconds for level, cost in zip(levels, costs)
             if level.cells * cost.steps >= COUNTED_WORK]
    if len(times) < 2:
        return ("Too few cells and steps to tell how the cost grows: two levels with at least "
                f"{COUNTED_WORK:.0e} of them are needed.")
    ratio = max(times) / min(times)
    return (f"Time per cell and step: {min(times):.2f} to {max(times):.2f} ns, a ratio of "
            f"{ratio:.2f}: cost is {'' if ratio <= LINEAR else 'not '}linear in cells and steps "
            f"within {100.0 * (LINEAR - 1.0):.0f} %, over levels of at least {COUNTED_WORK:.0e} "
            "cells times steps.")


def make_report(study, levels, compare):
    """Compares the runs of all levels."""
    runs = [Fields(level.folder) for level in levels]
    costs = [read_cost(level) for level in levels]
    errors, keys = {}, [(quantity, norm) for quantity in QUANTITIES for norm in NORMS]
    try:
        if compare == "exact":
            found, exact = exact_norms(runs, levels)
            sentences = ["Errors are those against a closed form with Nbar = "
                         f"{exact.total_rate:.12g}."]
            if settled(levels[-1]) > STEADY:
                note(f"the total rate still changes by {settled(levels[-1]):.1e} of its value in "
                     "the last tenth of the time: is time_end long enough for a steady state?")
        else:
            found = differences(runs)
            estimates, chosen = estimated_errors(runs, found, study.refine)
            errors = by_level(estimates, keys, len(levels), 0)
            sentences = richardson_sentences(chosen)
    finally:
        for run in runs:
            run.close()
    first = len(levels) - len(found)
    observed = {key: [None] * (first + 1) + values
                for key, values in orders(found, study.refine).items()}
    title = f"Convergence of {pathlib.Path(study.case).stem} in {VARIED[study.vary]}"
    return Report(title, study.refine, compare == "exact", levels, costs,
                  [run.total_rate for run in runs], by_level(found, keys, len(levels), first),
                  observed, errors, [*sentences, cost_sentence(levels, costs)])


def collect(study, folder, compare, style):
    """Tables and picture of a ladder that is done."""
    levels = ladder(study, folder)
    for level in levels:
        if not is_done(level):
            raise RunError(f"{level.folder}: this level is not done; the command without --collect "
                           "runs what is missing")
    print(write_report(make_report(study, levels, compare), folder, style), end="")


def study_ladder(arguments):
    """Runs or submits the ladder of a case, and makes the tables if it is run here."""
    study = make_study(arguments)
    folder = arguments.output or pathlib.Path("results") / (
        f"convergence-{pathlib.Path(study.case).stem}-{study.vary}")
    levels = ladder(study, folder)
    if arguments.compare == "exact":
        require_closed_form(study.options, study.program, study.case)
    claim(study, folder)
    if not is_whole(study):
        note("time_end is not a whole number of time_step: the last steps are shorter, and spoil "
             "orders in time")
    forecasts = forecast(study, levels)
    seconds = remaining_seconds(study, levels, forecasts)
    tell_plan(levels, forecasts, seconds)
    if arguments.slurm:
        submit(study, levels, folder, seconds, arguments.sbatch_option,
               ["--compare", arguments.compare, "--style", arguments.style])
        return
    check_room(folder, forecasts, arguments.yes)
    permission = Permission(arguments.yes, sys.stdin.isatty())
    permission.need(sum(seconds.values()))
    run_ladder(study, levels, forecasts, permission)
    collect(study, folder, arguments.compare, arguments.style)


def whole_number(least):
    """A reader of whole numbers that are large enough."""
    def read(text):
        value = int(text) if text.isdecimal() else -1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least {least}")
        return value
    return read


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", metavar="CASE.yaml", nargs="?",
                        help="case at its coarsest resolution")
    parser.add_argument("--vary", choices=VARIED, help="what is refined")
    parser.add_argument("--levels", type=whole_number(2), default=4, metavar="N",
                        help="levels of the ladder; three for orders (default: 4)")
    parser.add_argument("--refine", type=whole_number(2), default=2, metavar="N",
                        help="factor from level to level (default: 2)")
    parser.add_argument("--ranks", type=whole_number(1), default=1, metavar="N",
                        help="MPI ranks (default: 1)")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE",
                        help="another value than that of the case; may be given several times")
    parser.add_argument("--compare", choices=("richardson", "exact"), default="richardson",
                        help="compare levels with each other, or with a closed form: the steady "
                             "state of a single weight, or the learned one (default: richardson)")
    parser.add_argument("--output", type=pathlib.Path, metavar="FOLDER",
                        help="folder of the study (default: results/convergence-CASE-VARY)")
    parser.add_argument("--program", metavar="P", help=HELP)
    parser.add_argument("--yes", action="store_true",
                        help="do not ask before more than an hour, nor refuse for want of memory")
    parser.add_argument("--slurm", action="store_true",
                        help="submit a job array and a job that makes the tables")
    parser.add_argument("--sbatch-option", action="append", default=[], metavar="=--WORD",
                        help="word for sbatch, as in --sbatch-option=--partition=long")
    parser.add_argument("--collect", type=pathlib.Path, metavar="FOLDER",
                        help="run nothing: make tables and picture of the study in this folder")
    add_style_option(parser)
    arguments = parser.parse_args()
    if arguments.collect and arguments.case:
        parser.error("--collect FOLDER knows its case: leave CASE.yaml out")
    if not arguments.collect and not (arguments.case and arguments.vary):
        parser.error("give CASE.yaml and --vary v, w, t or all; or --collect FOLDER")
    try:
        arguments.program = arguments.program if arguments.collect else \
            find_program(arguments.program)
    except ProgramError as error:
        parser.error(str(error))
    return arguments


def main():
    """0 if the tables are made or the jobs submitted, 2 if something is wrong."""
    arguments = parse_arguments()
    try:
        if not arguments.collect:
            study_ladder(arguments)
        else:
            study = read_study(arguments.collect)
            if study is None:
                raise RunError(f"{arguments.collect}: holds no study of this tool")
            collect(study, arguments.collect, arguments.compare, arguments.style)
    except (RunError, ResultsError) as error:
        print(f"convergence.py: error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"convergence.py: error: {error.filename or 'system'}: {error.strerror or error}",
              file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("convergence.py: interrupted; the same command goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
