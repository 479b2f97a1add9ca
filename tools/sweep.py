#!/usr/bin/env python3
"""Runs engram over a grid of options, collects the results in one table, and draws them."""

import argparse
import pathlib
import shlex
import sys

try:
    from engram_array import submit
    from engram_grid import (FAILED, FINISHED, INTERRUPTED, MISSING, REFUSED, GridError,
                             collect, count_states, find_outcome, grid_cases, markdown_table,
                             number_or_none, parse_assignment, parse_varied, wanted_options,
                             write_table)
    from engram_processes import check_cases, command_of, default_processes, run_cases
    from engram_program import HELP, ProgramError, find_program
    from engram_runs import RunError
    from engram_stream import bear_closed_pipes
    from style_option import add_style_option
except ImportError as error:
    print(f"sweep.py: error: {sys.executable}: {error}; on Debian: apt install python3-yaml, and "
          "run with /usr/bin/python3", file=sys.stderr)
    sys.exit(2)

EPILOG = """\
Each point has a folder of its own below FOLDER. Run the same command again at any time: finished
points stay as they are, interrupted ones go on from their checkpoint, and missing ones are run. A
blow-up is a result. A varied name that is no option of engram may stand in braces in --set.

files in FOLDER:
  OPTION_VALUE,.../   the runs          logs/        what they printed
  sweep.csv           one row a point   *.png, *.pdf pictures

exit codes:
  0  all points are done or blown up        2  bad input; nothing was started
  1  some have failed or were refused       85 some are to be continued: run the command again

examples:
  tools/sweep.py input/learning.yaml --vary model_noise=0.5:1.5:5 --set time_step=0.002 \\
      --output results/noise
  tools/sweep.py input/limit.yaml --vary model_learning=0.5,1,2,4 --vary model_input=0:2:9 \\
      --plot total_rate,mean_weight --output results/plane
  tools/sweep.py input/learning.yaml --vary mean=0.1:0.5:5 \\
      --set 'initial_density=exp(-(w - {mean})^2/0.005)*exp(-(v + 1)^2/0.5)' --output results/mean
  tools/sweep.py input/learning.yaml --vary model_noise=0.5:1.5:5 --output results/noise \\
      --ranks 4 --slurm --sbatch '--time=01:00:00 --partition=short'
  tools/sweep.py input/learning.yaml --vary model_noise=0.5:1.5:5 --output results/noise --collect
"""
QUANTITIES = "total_rate,mean_weight"


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", metavar="CASE.yaml", type=pathlib.Path, help="the case")
    parser.add_argument("--vary", metavar="OPTION=VALUES", action="append", required=True,
                        help="V1,V2,... or FROM:TO:COUNT; once for each option that is varied")
    parser.add_argument("--set", metavar="OPTION=VALUE", action="append", default=[],
                        help="an option of all points, other than in the case")
    parser.add_argument("--output", metavar="FOLDER", type=pathlib.Path, required=True,
                        help="folder of all results")
    parser.add_argument("--plot", metavar="NAMES", default=QUANTITIES,
                        help="columns of sweep.csv to draw; '' for none (default: %(default)s)")
    parser.add_argument("--ranks", type=int, default=1, help="ranks of each run (default: 1)")
    parser.add_argument("--processes", type=int, metavar="N",
                        help="runs at a time (default: number of cores divided by ranks)")
    parser.add_argument("--slurm", action="store_true",
                        help="submit an array of jobs instead of running here")
    parser.add_argument("--sbatch", metavar="OPTIONS", default="", help="options for sbatch")
    parser.add_argument("--collect", action="store_true",
                        help="start nothing: only make table and pictures of what is there")
    parser.add_argument("--dry-run", action="store_true",
                        help="write nothing: let the program check every point to be run, and "
                             "tell what would be done")
    parser.add_argument("--program", help=HELP)
    add_style_option(parser)
    return parser.parse_args()


def cases_of(arguments):
    """What is varied, and the points of the grid."""
    pairs = [parse_varied(text) for text in arguments.vary]
    fixed = dict(parse_assignment("--set", text) for text in arguments.set)
    varied = dict(pairs)
    if len(varied) < len(pairs):
        raise GridError("--vary: the same option twice; give all its values at once")
    for name in ("output_dir", "restart", "output_overwrite"):
        if name in varied or name in fixed:
            raise GridError(f"{name} belongs to the sweep: use --output")
    cases = grid_cases(arguments.case, varied, fixed)
    wanted_options(cases[0])
    return varied, cases


def check_numbers(arguments):
    """Complains about numbers of ranks or processes that make no sense."""
    for name in ("ranks", "processes"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise GridError(f"--{name} {value}: must be at least 1")
    if arguments.sbatch and not arguments.slurm:
        raise GridError(f"--sbatch {arguments.sbatch}: needs --slurm")


def show_plan(arguments, outcomes):
    """What would be run, and how; returns the exit code."""
    outcomes = check_cases(outcomes, arguments.output, arguments.program, arguments.ranks,
                           arguments.processes)
    for outcome in outcomes:
        print(f"{outcome.case.name}: {outcome.state}"
              f"{' (' + outcome.remark + ')' if outcome.remark else ''}")
    todo = [outcome.case for outcome in outcomes
            if outcome.state not in (*FINISHED, REFUSED)]
    processes = arguments.processes or default_processes(arguments.ranks)
    where = "as an array of SLURM jobs" if arguments.slurm else f"{processes} at a time"
    print(f"{len(outcomes)} points: {count_states(outcomes)}; {len(todo)} to run, {where}")
    if todo:
        print("the first: " + shlex.join(command_of(todo[0], arguments.output, arguments.program,
                                                    arguments.ranks)))
    return 1 if any(outcome.state == REFUSED for outcome in outcomes) else 0


def submit_rest(arguments, outcomes):
    """Submits what is not finished; says how to go on."""
    todo = [outcome.case for outcome in outcomes if outcome.state in (MISSING, INTERRUPTED)]
    if not todo:
        return
    job = submit(todo, arguments.output, arguments.program, arguments.ranks, arguments.sbatch)
    words = [word for word in sys.argv[1:] if word != "--slurm"]
    if arguments.sbatch:
        at = words.index("--sbatch") if "--sbatch" in words else None
        words = words[:at] + words[at + 2:] if at is not None else \
            [word for word in words if not word.startswith("--sbatch=")]
    print(f"submitted job {job} with {len(todo)} tasks; see tools/status.py {arguments.output}")
    print(f"then collect: tools/sweep.py {shlex.join(words)} --collect")


def draw(rows, varied, arguments):
    """Pictures of one or two varied options."""
    if not arguments.plot.strip():
        return
    if len(varied) > 2:
        print(f"no pictures: {len(varied)} options are varied, and a picture has room for two")
        return
    try:
        import matplotlib

        import plot_sweep
        from engram_results import ResultsError
        from plot_style import STYLES, check_owner, save
    except ImportError as error:
        print(f"no pictures: {error}; on Debian: apt install python3-matplotlib python3-h5py")
        return
    quantities = quantities_of(rows, arguments.plot)
    figures = plot_sweep.figures_of(rows, list(varied), quantities) if quantities else []
    try:
        with matplotlib.rc_context(STYLES[arguments.style]):
            for name, make in figures:
                for ending in ("png", "pdf"):
                    path = arguments.output / f"{name}.{ending}"
                    check_owner(path)
                    save(make(), path)
    except (ResultsError, OSError) as error:
        raise GridError(str(error)) from error


def quantities_of(rows, text):
    """The columns to be drawn; complains about one that no point has."""
    has_results = any(row["status"] in FINISHED for row in rows)
    names = [name.strip() for name in text.split(",") if name.strip()]
    numeric = [name for name in dict.fromkeys(name for row in rows for name in row)
               if any(number_or_none(row.get(name)) is not None for row in rows)]
    for name in names:
        if has_results and name not in numeric and name != "status":
            raise GridError(f"--plot {name}: no such number in sweep.csv; there is "
                            f"{', '.join(numeric)}")
    return names if has_results else []


def report(outcomes, varied, rows):
    """A table of what happened; returns the exit code."""
    table = [{**row, "remark": outcome.remark} for row, outcome in zip(rows, outcomes)]
    print(markdown_table(table, [*varied, "status", "total_rate", "mean_weight", "remark"]))
    ran = sum(outcome.was_run for outcome in outcomes)
    print(f"{len(outcomes)} points: {count_states(outcomes)}; {ran} run now")
    states = [outcome.state for outcome in outcomes]
    if FAILED in states or REFUSED in states:
        return 1
    return 0 if all(state in FINISHED for state in states) else 85


def sweep(arguments):
    """Does what the command line wants; returns the exit code."""
    check_numbers(arguments)
    varied, cases = cases_of(arguments)
    outcomes = [find_outcome(case, arguments.output) for case in cases]
    if not arguments.collect:
        arguments.program = find_program(arguments.program)
    if arguments.dry_run:
        return show_plan(arguments, outcomes)
    if not arguments.collect:
        arguments.output.mkdir(parents=True, exist_ok=True)
        if arguments.slurm:
            submit_rest(arguments, outcomes)
        else:
            outcomes = run_cases(cases, arguments.output, arguments.program, arguments.ranks,
                                 arguments.processes, lambda text: print(text, flush=True))
    elif not arguments.output.is_dir():
        raise GridError(f"--output {arguments.output}: no such folder; nothing to collect")
    rows = collect(outcomes, arguments.output)
    print(write_table(rows, arguments.output))
    draw(rows, varied, arguments)
    code = report(outcomes, varied, rows)
    return 0 if arguments.slurm and code == 85 else code


def main():
    """Runs the sweep; 2 with one line on stderr if the input is wrong."""
    try:
        return sweep(parse_arguments())
    except (GridError, ProgramError, RunError, OSError) as error:
        print(f"sweep.py: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
