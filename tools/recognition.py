#!/usr/bin/env python3
"""Runs a recognition experiment: a network learns inputs, and is then shown a panel of inputs.

One run learns one input after the other (phases learn_1, learn_2, ...). After each of them it shows
the whole panel, with frozen weights and reset potentials. A learned input is answered with the pure
shape N(w) = w/(K Nbar), its signature; the spread of K N/w (standard deviation over mean, over the
neurons) is the distance of an answer to it. tools/recognition_measure.py defines all numbers.
"""

import argparse
import math
import os
import pathlib
import shlex
import sys

try:
    import matplotlib

    from engram_array import submit
    from engram_expression import ExpressionError
    from engram_grid import (DONE, FINISHED, INTERRUPTED, MISSING, REFUSED, Case, GridError,
                             count_states, find_outcome, markdown_table, parse_assignment,
                             parse_varied, wanted_options, write_table)
    from engram_processes import run_cases
    from engram_program import HELP, ProgramError, find_program
    from engram_results import ResultsError
    from engram_runs import RunError, read_values
    from engram_stream import bear_closed_pipes
    from plot_recognition import figures_of
    from plot_style import STYLES, check_owner, save
    from style_option import add_style_option
    from recognition_measure import SIGNATURE, contrast, read_stages
    from recognition_panel import (BASE, OWN, cases_of, check_case, default_tests,
                                   learned_inputs, make_panel, number_of)
except ImportError as error:
    print(f"recognition.py: error: {sys.executable}: {error}; on Debian: apt install python3-h5py "
          "python3-matplotlib python3-yaml, and run with /usr/bin/python3", file=sys.stderr)
    sys.exit(2)

EPILOG = """\
Run the same command again at any time: finished runs stay as they are, interrupted ones go on from
their checkpoint. Other options want another FOLDER. The case has no protocol of its own.

files in FOLDER:
  panel/, OPTION_VALUE/  the runs               logs/  what they printed
  recognition.csv        level and spread of every answer, after every stage of every run
  responses.csv          N(w), N/max, and the shape N/(w-slope) of the answers of panel/
  discrimination.csv     distances between the answers after the last stage of panel/
  recognition.md         the tables
  responses, discrimination, forgetting, spread_OPTION: pictures, each .png and .pdf

examples:
  tools/recognition.py input/recognition.yaml --output results/recognition
  tools/recognition.py input/recognition.yaml --output results/mine --learn "1 + 0.5*w" \\
      --test 1 "1.5 - 0.5*w" file:signal.csv --names ramp flat falling measured
  tools/recognition.py input/recognition.yaml --output results/forgetting --patterns 4
  tools/recognition.py input/recognition.yaml --output results/noise \\
      --vary model_noise=0.5,0.7,1,1.4,2 --vary model_epsilon=0.01,0.1,1
  tools/recognition.py input/recognition.yaml --output results/strength --set grid_w_max=2 \\
      --vary model_learning=0.25:2:8 --slurm --sbatch "--time=00:10:00"
"""
# From this contrast on an input counts as recognised.
RECOGNISED = 10.0
# States whose rate changes by more than this in the last tenth of a phase are not at rest.
AT_REST = 1e-3
# More neurons than this share at the ends of the weights: the interval is too short.
AT_END = 1e-3
TITLE = "# Recognition"
REST_STATES = (MISSING, INTERRUPTED)


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("case", metavar="CASE.yaml", type=pathlib.Path, help="the case")
    add("--learn", metavar="EXPR", nargs="+",
        help="inputs that are learned, in this order (default: model_input of the case)")
    add("--test", metavar="EXPR", nargs="+",
        help="inputs that are shown beside the learned ones (default, of the first learned input: "
             "its mean m, 1.5 m, and its opposite 2 m - I)")
    add("--names", metavar="NAME", nargs="+",
        help="names for tables and pictures: of the learned inputs, then of the others")
    add("--patterns", metavar="N", type=int,
        help="learn N inputs: those of --learn, then the first of them shifted along w")
    add("--learn-duration", metavar="T", type=float,
        help="how long each input is learned (default: time_end of the case)")
    add("--test-duration", metavar="T", type=float,
        help="how long each input is shown (default: 20 times model_epsilon)")
    add("--vary", metavar="OPTION=VALUES", action="append", default=[],
        help="V1,V2,... or FROM:TO:COUNT; one run more for each value, others as in the case")
    add("--set", metavar="OPTION=VALUE", action="append", default=[],
        help="an option of all runs, other than in the case")
    add("--output", metavar="FOLDER", type=pathlib.Path,
        default=pathlib.Path("results/recognition"),
        help="folder of all results (default: %(default)s)")
    add("--ranks", type=int, default=1, help="ranks of each run (default: 1)")
    add("--processes", type=int, metavar="N",
        help="runs at a time (default: number of cores divided by ranks)")
    add("--slurm", action="store_true", help="submit an array of jobs instead of running here")
    add("--sbatch", metavar="OPTIONS", default="", help="options for sbatch")
    add("--program", help=HELP)
    add_style_option(parser)
    return parser.parse_args()


def plan(arguments):
    """The panel, what is varied, and the cases."""
    for name in ("ranks", "processes", "patterns"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise GridError(f"--{name} {value}: must be at least 1")
    if arguments.sbatch and not arguments.slurm:
        raise GridError(f"--sbatch {arguments.sbatch}: needs --slurm")
    fixed = dict(parse_assignment("--set", text) for text in arguments.set)
    varied = [parse_varied(text) for text in arguments.vary]
    names = [name for name, _ in varied]
    for name in [*fixed, *names]:
        if name in OWN or name.startswith("phase_"):
            raise GridError(f"{name} belongs to the protocol; see --learn-duration, "
                            "--test-duration, --output")
        if names.count(name) + (name in fixed) > 1:
            raise GridError(f"{name} is given twice in --vary and --set; once is possible")
    options = {**wanted_options(Case("", arguments.case, {}, {})), **fixed}
    check_case(arguments.case, options)
    duration = arguments.learn_duration
    if duration is None:
        duration = number_of(options, "time_end")
    if duration is None:
        raise GridError(f"{arguments.case}: has no time_end; give --learn-duration")
    learned = learned_inputs(arguments.learn, arguments.patterns, options)
    tests = default_tests(learned, options) if arguments.test is None else arguments.test
    panel = make_panel(learned, tests, arguments.names, duration, arguments.test_duration)
    return panel, dict(varied), cases_of(arguments.case, panel, fixed, varied)


def run_all(arguments, cases):
    """Outcomes of all cases, or None if they were submitted."""
    folder = arguments.output
    outcomes = [find_outcome(case, folder) for case in cases]
    for outcome in outcomes:
        if outcome.state == REFUSED:
            raise GridError(f"{outcome.remark}; give another --output, or move that folder away")
    rest = [outcome.case for outcome in outcomes if outcome.state in REST_STATES]
    if rest:
        arguments.program = find_program(arguments.program)
        folder.mkdir(parents=True, exist_ok=True)
    if arguments.slurm and rest:
        job = submit(rest, folder, arguments.program, arguments.ranks, arguments.sbatch)
        print(f"submitted job {job} with {len(rest)} tasks; see tools/status.py {folder}")
        print("when they are done, this makes tables and pictures: tools/recognition.py "
              + shlex.join(sys.argv[1:]))
        return None
    return run_cases(cases, folder, arguments.program, arguments.ranks, arguments.processes,
                     lambda text: print(text, flush=True))


def rows_of(panel, point, stages):
    """Rows of recognition.csv of one run."""
    option, value = next(iter(point.values.items()), ("", ""))
    rows = []
    for number, stage in enumerate(stages):
        for name, text, response in zip(panel.names, panel.tests, stage.responses):
            rows.append({"point": point.name, "option": option, "value": value,
                         "learned": number + 1, "test": name, "input": text,
                         "total_rate": f"{response.total_rate:.9g}",
                         "level": f"{response.level:.9g}", "spread": f"{response.spread:.6g}",
                         "change": f"{response.change:.2e}"})
    return rows


def response_rows(panel, stages):
    """Rows of responses.csv."""
    return [{"point": BASE, "learned": number + 1, "test": name, "w": f"{w:.9g}",
             "weight_density": f"{weight:.9g}", "firing_rate": f"{rate:.9g}",
             "over_maximum": f"{rate / response.rate.max():.9g}", "shape": f"{shape:.9g}"}
            for number, stage in enumerate(stages)
            for name, response in zip(panel.names, stage.responses)
            for w, weight, rate, shape in zip(stage.w, stage.weights, response.rate,
                                              response.shape)]


def matrix_rows(panel, stage):
    """Rows of discrimination.csv."""
    names = [*panel.names, SIGNATURE]
    return [{"point": BASE, "learned": len(panel.learned), "test": name,
             **{other: f"{value:.6g}" for other, value in zip(names, row)}}
            for name, row in zip(names, stage.distances())]


def spread_table(rows, columns):
    """Spreads of rows of recognition.csv as a table of tests, with these columns."""
    tests = list(dict.fromkeys(row["test"] for row in rows))
    return markdown_table(
        [{"test": test, **{name: row["spread"] for name, row in columns_of(rows, test, columns)}}
         for test in tests],
        ["test", *dict.fromkeys(str(row[columns]) for row in rows)])


def columns_of(rows, test, columns):
    """Names of columns and the rows of a test that belong there."""
    return [(str(row[columns]), row) for row in rows if row["test"] == test]


def round_ratio(ratio):
    """A ratio without digits that mean nothing."""
    return f"{ratio:.0f}" if ratio >= RECOGNISED else f"{ratio:.2g}"


def contrast_row(panel, rows):
    """The row of a table of spreads that tells how much nearer the last learned input is."""
    values = list(dict.fromkeys(row["value"] for row in rows))
    last = panel.names[len(panel.learned) - 1]
    cells = {"test": f"contrast of {last}"}
    for value in values:
        spreads = {row["test"]: float(row["spread"]) for row in rows if row["value"] == value}
        mine = spreads.pop(last)
        cells[value] = round_ratio(min(spreads.values()) / mine) if spreads else ""
    return "\n" + markdown_table([cells], ["test", *values]).splitlines()[-1]


def is_at_rest(stage):
    """False if the total rate still changes at the end of the learning or of a test."""
    return not any(change > AT_REST for change in
                   (stage.learning_change, *(response.change for response in stage.responses)))


def is_doubtful(stages):
    """True if an input is not recognised although all is at rest: the grid may be to blame."""
    return any(contrast(stage, number) < RECOGNISED and is_at_rest(stage)
               for number, stage in enumerate(stages))


def finer_case(point, folder):
    """The same run with half the widths and smaller errors of the steps, in its own folder."""
    used = read_values(folder / point.name / "case.yaml")
    options = {**point.options, **{name: str(2 * int(used[name])) for name in
                                   ("grid_v_cells", "grid_w_cells")}}
    step = number_of(used, "time_step", 0.0)
    options["time_step" if step else "time_tolerance"] = \
        repr(0.5 * step) if step else repr(0.25 * number_of(used, "time_tolerance"))
    return Case(f"{point.name},finer", point.file, options, point.values)


def check_finer(arguments, panel, points, found):
    """Stages on a finer grid, by the names of the points that are doubtful.

    None where that run has not come to its end. As jobs they are left to the user.
    """
    doubtful = [point for point in points if is_doubtful(found[point.name])]
    if arguments.slurm or not doubtful:
        return {}
    print("not recognised: checking on a grid of twice the cells")
    arguments.program = find_program(arguments.program)
    cases = [finer_case(point, arguments.output) for point in doubtful]
    outcomes = run_cases(cases, arguments.output, arguments.program, arguments.ranks,
                         arguments.processes, lambda text: print(text, flush=True))
    return {point.name: read_stages(arguments.output / outcome.case.name, panel)
            if outcome.state == DONE else None for point, outcome in zip(doubtful, outcomes)}


def reason_of(number, stage, finer):
    """Whether the grid is to blame for a learned input that is not recognised."""
    if not is_at_rest(stage):
        return "; it is not at rest, see below"
    if finer is None:
        return "; not checked on a finer grid: --set grid_w_cells and grid_v_cells tell"
    ratio = contrast(finer[number], number)
    return (f"; on a grid of twice the cells {round_ratio(ratio)} times: "
            + ("recognised there: the grid is too coarse" if ratio >= RECOGNISED
               else "the grid is not the reason"))


def verdicts(panel, stages, finer=None, where=""):
    """A sentence on each stage: how much nearer to the signature the input just learned is.

    finer: the stages on a finer grid, where an input is not recognised and this was checked.
    """
    sentences = []
    for number, stage in enumerate(stages):
        ratio = contrast(stage, number)
        if math.isnan(ratio):
            continue
        verdict = "recognised" if ratio >= RECOGNISED else "NOT recognised"
        sentences.append(f"{where}{panel.names[number]}: {verdict}: its answer is "
                         f"{round_ratio(ratio)} times closer to the signature w/K than any other "
                         f"(recognised: at least {RECOGNISED:g} times"
                         f"{'' if ratio >= RECOGNISED else reason_of(number, stage, finer)})")
        if stage.learning_change > AT_REST:
            sentences.append(f"{where}still learning: the total rate changes by "
                             f"{stage.learning_change:.1e} in the last tenth of learning phase "
                             f"{number + 1}; a longer --learn-duration helps")
        if stage.share_at_ends() > AT_END:
            sentences.append(f"{where}weights pile up at the end of their interval: "
                             f"{stage.share_at_ends():.1%} of all neurons; what was learned is cut "
                             "off: a larger grid_w_max (or smaller grid_w_min) helps")
        if max(response.change for response in stage.responses) > AT_REST:
            sentences.append(f"{where}answers after stage {number + 1} are not at rest; a longer "
                             "--test-duration helps")
    return sentences


def markdown(panel, rows, stages, varied, sentences):
    """The text of recognition.md."""
    last = [row for row in rows if row["point"] == BASE
            and row["learned"] == len(panel.learned)]
    parts = [TITLE, "\n".join(f"- {sentence}" for sentence in sentences),
             "## Answers after the last stage",
             markdown_table(last, ["test", "input", "total_rate", "level", "spread"]),
             "## Distances between the answers",
             markdown_table(matrix_rows(panel, stages[-1]), ["test", *panel.names, SIGNATURE])]
    if len(stages) > 1:
        parts += ["## Spread after so many patterns learned",
                  spread_table([row for row in rows if row["point"] == BASE], "learned")]
    for option in varied:
        mine = [row for row in rows if row["option"] == option
                and row["learned"] == len(panel.learned)]
        if mine:
            parts += [f"## Spread over {option}",
                      spread_table(mine, "value") + contrast_row(panel, mine)]
    return "\n\n".join(parts) + "\n"


def write_markdown(path, text):
    """Writes the tables; another text of that name is left alone."""
    if path.exists() and not path.read_text(encoding="utf-8").startswith(TITLE):
        raise GridError(f"{path}: exists and is no table of this tool; not overwritten")
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
    print(path)


def evaluate_runs(arguments, panel, varied, outcomes):
    """Tables and pictures of what is finished; returns the exit code."""
    found = {outcome.case.name: read_stages(arguments.output / outcome.case.name, panel)
             for outcome in outcomes if outcome.state == DONE}
    points = [outcome.case for outcome in outcomes if outcome.case.name in found]
    print(f"{len(outcomes)} runs: {count_states(outcomes)}; "
          f"{sum(outcome.was_run for outcome in outcomes)} run now")
    if BASE not in found:
        print("no tables or pictures: the run of the panel itself is not done")
        return 1
    stages = found[BASE]
    rows = [row for point in points for row in rows_of(panel, point, found[point.name])]
    finer = check_finer(arguments, panel, points, found)
    sentences = []
    for point in points:
        sentences += verdicts(panel, found[point.name], finer.get(point.name),
                              "" if point.name == BASE else f"{point.name}: ")
    for name, table in (("recognition", rows), ("responses", response_rows(panel, stages)),
                        ("discrimination", matrix_rows(panel, stages[-1]))):
        print(write_table(table, arguments.output, f"{name}.csv"))
    write_markdown(arguments.output / "recognition.md",
                   markdown(panel, rows, stages, varied, sentences))
    curves = {option: [(value, found[point.name][-1]) for value in values for point in points
                       if point.values == {option: value}] for option, values in varied.items()}
    draw(arguments, figures_of(panel, stages, curves))
    print(markdown_table([row for row in rows if row["point"] == BASE],
                         ["learned", "test", "total_rate", "level", "spread"]))
    print("\n".join(sentences))
    return 0 if all(outcome.state in FINISHED for outcome in outcomes) else 1


def draw(arguments, figures):
    """Writes every picture as PNG and PDF."""
    folder = arguments.output
    paths = [folder / f"{name}.{ending}" for name, _ in figures for ending in ("png", "pdf")]
    for path in paths:
        check_owner(path)
    with matplotlib.rc_context(STYLES[arguments.style]):
        for name, make in figures:
            for ending in ("png", "pdf"):
                save(make(), folder / f"{name}.{ending}")


def main():
    """Runs the experiment; 2 with one line on stderr if the input is wrong."""
    arguments = parse_arguments()
    try:
        panel, varied, cases = plan(arguments)
        outcomes = run_all(arguments, cases)
        return 0 if outcomes is None else evaluate_runs(arguments, panel, varied, outcomes)
    except (GridError, ProgramError, RunError, ResultsError, ExpressionError, OSError) as error:
        print(f"recognition.py: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
