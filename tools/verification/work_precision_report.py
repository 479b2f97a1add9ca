"""The document of the work-precision study: tables, and sentences made from their numbers."""

import math
import os
import pathlib
import platform
import textwrap

import work_precision_study as study
from layout import number, table
from work_precision_cases import CASES, DESIGN_TOLERANCES

CASE_OF = {case.key: case for case in CASES}
TITLES = {case.key: case.title for case in CASES}
SHORT = {"euler": "1st", "second-order": "2nd", "third-order": "3rd"}
RECOMMENDED = ("third-order", "adaptive")
DEFAULT_TOLERANCE = 1e-4
TINY = 1e-16    # an error of zero, where a logarithm is needed
ENOUGH_CHECK = 0.1   # of the smallest target: how well two references should agree
TRUSTED = 3.0   # errors of adaptive runs stay below so many tolerances

HEAD = """# Work and precision in time

Written by `tools/verification/work_precision.py`: how much work each way to step in time needs for
a given error. The grids are coarse and fixed; only the error in time is measured. Three schemes,
`euler` (first order), `second-order` and `third-order`, each with

- *plain* fixed steps (`time_start: plain`),
- *graded* fixed steps (`time_start: graded`), short at first and after every jump,
- *adaptive* steps (`time_adaptive: true`) that keep to `time_tolerance`.

The error of a run is the largest one over all output times of |Nbar - ref|/(ref + 0.02) and of the
mean weight. The reference is the third-order scheme with adaptive steps and a tolerance of {finest}
on the same grid. Work is the number of slice solves (`slice_solves` of `summary.yaml`: implicit
solves of all slices, sub-steps and rejected steps included), the number of trial evaluations of the
coupling (`coupling_iterations`), and the seconds of all steps (`step_seconds`) of a run on one core
with nothing else to do.
"""


def paragraph(text, indent=""):
    """Text in lines of 100 characters."""
    return textwrap.fill(text, 100, subsequent_indent=indent, break_long_words=False) + "\n"


def family_name(scheme, kind):
    """A scheme with its kind of steps, for the head of a table."""
    return f"{SHORT[scheme]}, {kind}"


def runs_of(result, scheme, kind):
    """All runs of one scheme in one case."""
    return next((family["runs"] for family in result["families"]
                 if (family["scheme"], family["kind"]) == (scheme, kind)), [])


def needed(runs, target, measure):
    """Work that one scheme needs for a target: a pair of a sign and a number, or nothing.

    The sign is "=" for a value between two runs, linear in the logarithms; "<" where even the
    coarsest run is good enough, ">" where not even the finest one is. Runs count from the fine
    end: a coarse one that is right by chance does not.
    """
    done = sorted((run[measure], max(run["error"], TINY)) for run in runs if not run["failure"])
    if not done:
        return None
    if done[-1][1] > target:
        return ">", done[-1][0]
    good = len(done)
    while good > 0 and done[good - 1][1] <= target:
        good -= 1
    if good == 0:
        return "<", done[0][0]
    (work, error), (more, smaller) = done[good - 1], done[good]
    share = math.log(error / target) / math.log(error / smaller)
    return "=", work * (more / work)**share if work > 0.0 else more


def rounded(value):
    """Three significant digits without an exponent."""
    if value <= 0.0:
        return "0"
    digits = 2 - math.floor(math.log10(value))
    return f"{value:.{digits}f}" if digits > 0 else str(int(round(value, digits)))


def power(value):
    """A target or a tolerance: 1e-5 instead of 1e-05."""
    return f"{value:.0e}".replace("e-0", "e-").replace("e+00", "")


def power_of(value):
    """An error: two digits."""
    return f"{value:.1e}".replace("e-0", "e-")


def need_cell(pair, scale):
    """A need as text."""
    if pair is None:
        return "failed"
    sign = "" if pair[0] == "=" else pair[0] + " "
    return sign + rounded(scale * pair[1]) if pair[1] > 0.0 else "-"


def needs(results, target, measure):
    """What every scheme needs in every case: {(key, scheme, kind): pair or nothing}."""
    return {(result["key"], *family): needed(runs_of(result, *family), target, measure)
            for result in results for family in study.FAMILIES}


def cheapest(found, key, families=study.FAMILIES):
    """The scheme that reaches a target with the least work, or nothing."""
    reached = [(found[key, *family][1], family) for family in families
               if found[key, *family] and found[key, *family][0] != ">"]
    return min(reached)[1] if reached else None


def needs_table(results, target, measure, scale=1.0):
    """Work for one target: cases by schemes, the least in bold."""
    found = needs(results, target, measure)
    rows = []
    for result in results:
        key = result["key"]
        best = cheapest(found, key)
        cells = [TITLES[key]]
        for family in study.FAMILIES:
            text = need_cell(found[key, *family], scale)
            cells.append(f"**{text}**" if family == best else text)
        rows.append(cells)
    return table(["case"] + [family_name(*family) for family in study.FAMILIES], rows)


def machine():
    """The processor's name and the number of cores."""
    path = pathlib.Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    model = next((line.split(":", 1)[1].strip() for line in text.splitlines()
                  if line.startswith("model name")), platform.processor() or "unknown processor")
    return f"{model}, {os.cpu_count()} cores"


def ratio_range(ratios):
    """Smallest and largest of some ratios as text."""
    low, high = rounded(min(ratios)), rounded(max(ratios))
    return f"{low} to {high} times" if low != high else f"{low} times"


def work_sentence(results, target):
    """What the recommended scheme costs for one target, compared with the best other one."""
    found = needs(results, target, "solves")
    others = [family for family in study.FAMILIES if family != RECOMMENDED]
    reached = [result["key"] for result in results
               if cheapest(found, result["key"], [RECOMMENDED])]
    best = {key: cheapest(found, key, others) for key in reached}
    ratios = [found[key, *RECOMMENDED][1] / found[key, *best[key]][1]
              for key in reached if best[key]]
    text = (f"- Error {power(target)}: third order with adaptive steps gets there in "
            f"{len(reached)} of {len(results)} cases")
    if ratios:
        text += f", with {ratio_range(ratios)} the slice solves of the best other way"
    alone = [TITLES[key] for key in reached if not best[key]]
    return text + "." + (f" No other way gets there: {'; '.join(alone)}." if alone else "")


def error_at_default(results):
    """Errors of the recommended way at the default tolerance, with the titles of the cases."""
    return [(run["error"], TITLES[result["key"]]) for result in results
            for run in runs_of(result, *RECOMMENDED)
            if run["setting"] == DEFAULT_TOLERANCE and run["failure"] is None]


def defaults_section(results):
    """Why the defaults are what they are."""
    target = DEFAULT_TOLERANCE
    found = needs(results, target, "solves")
    keys = [result["key"] for result in results]
    first = sum(cheapest(found, key) == RECOMMENDED for key in keys)
    errors = sorted(error_at_default(results))
    kept = [error for error, _ in errors if error <= target]
    others = "".join(f"; {power_of(error)} {title}" for error, title in errors if error > target)
    return "\n".join([
        "## What follows for the defaults\n",
        paragraph(f"Third order, adaptive steps, implicit coupling and a tolerance of "
                  f"{power(target)} are the defaults. For an error of {power(target)} that takes "
                  f"the fewest slice solves in {first} of {len(keys)} cases. With all defaults "
                  f"the error is at most {power_of(kept[-1])} in {len(kept)} cases{others}."
                  if kept else "Nothing: the default tolerance was not among those of the runs."),
        paragraph("Fixed steps come close where no layer and no jump has to be resolved, but their "
                  "length has to be found by trial; adaptive ones need none. Graded steps are "
                  "the default of fixed ones, since plain ones lose their order at jumps and at "
                  "densities that are not quasi-static, as the pulse shows, and give no sign of "
                  "it.")])


def reach_table(results):
    """In how many cases each scheme reaches the targets, and in how many of them it is the best."""
    found = [needs(results, target, "solves") for target in study.TARGETS]
    keys = [result["key"] for result in results]
    rows = [[family_name(*family)]
            + [f"{sum(bool(cheapest(each, key, [family])) for key in keys)} "
               f"({sum(cheapest(each, key) == family for key in keys)})" for each in found]
            for family in study.FAMILIES]
    return table(["way"] + [power(target) for target in study.TARGETS], rows)


def ratios_of(results, scheme):
    """Error over tolerance of all adaptive runs of a scheme, with case and tolerance."""
    return [(run["error"] / run["setting"], TITLES[result["key"]], run["setting"])
            for result in results for run in runs_of(result, scheme, "adaptive")
            if run["failure"] is None]


def tolerance_sentence(results, scheme):
    """How adaptive runs of one scheme keep their tolerance."""
    ratios = ratios_of(results, scheme)
    if not ratios:
        return f"- Adaptive steps, {SHORT[scheme]} order: no run came to its end."
    worst, title, tolerance = max(ratios)
    above = sum(ratio > 1.0 for ratio, _, _ in ratios)
    far = sum(ratio > TRUSTED for ratio, _, _ in ratios)
    return (f"- Adaptive steps, {SHORT[scheme]} order: {len(ratios)} runs, largest error / "
            f"tolerance {rounded(worst)} ({title}, tolerance {power(tolerance)}); {above} above 1, "
            f"{far} above {TRUSTED:g}.")


def failures(results):
    """All runs that failed, as rows of a table."""
    return [[TITLES[result["key"]], family_name(family["scheme"], family["kind"]),
             f"{run['setting']:g}", run["failure"]]
            for result in results for family in result["families"] for run in family["runs"]
            if run["failure"]]


def summary_section(results):
    """The numbers in sentences."""
    count = sum(len(family["runs"]) for result in results for family in result["families"])
    points = [work_sentence(results, target) for target in study.TARGETS]
    points += [tolerance_sentence(results, scheme) for scheme in reversed(study.SCHEMES)]
    points.append(f"- {len(failures(results))} of {count} runs failed.")
    return "\n".join([
        "## In short\n", "".join(paragraph(point, "  ") for point in points),
        paragraph(f"In how many of the {len(results)} cases each way gets to an error; in "
                  "brackets, in how many with the fewest solves of all:"),
        reach_table(results)])


def work_section(results):
    """Tables of the work for each target."""
    parts = ["## Work for a given error\n", paragraph(
        "Between runs values are interpolated, linear in the logarithms. `<`: the coarsest run is "
        "better than that; `>`: the finest one that was run is not as good. The least of a row is "
        "bold.")]
    for target in study.TARGETS:
        parts += [f"Slice solves for an error of {power(target)}:\n",
                  needs_table(results, target, "solves")]
    middle = study.TARGETS[1]
    parts += [paragraph(f"Trial evaluations of the coupling for an error of {power(middle)}; `-`: "
                        "none, the rate is known (lagged coupling of fixed euler steps, delays):"),
              needs_table(results, middle, "evaluations"),
              f"Milliseconds of all steps for an error of {power(middle)}:\n",
              needs_table(results, middle, "seconds", scale=1e3)]
    return "\n".join(parts)


def tolerance_cell(run):
    """Error over tolerance with the steps of one run."""
    if run["failure"]:
        return "failed"
    rejected = f"+{run['rejected']}" if run["rejected"] else ""
    return f"{rounded(run['error'] / run['setting'])} ({run['steps']}{rejected})"


def tolerance_section(results):
    """Adaptive steps of third order at every tolerance, beside the design."""
    tolerances = sorted({run["setting"] for result in results
                         for run in runs_of(result, *RECOMMENDED)}, reverse=True)
    rows = []
    for result in results:
        cells = {run["setting"]: tolerance_cell(run) for run in runs_of(result, *RECOMMENDED)}
        design = ", ".join(str(steps) for steps in CASE_OF[result["key"]].design) or "-"
        rows.append([TITLES[result["key"]], *(cells.get(value, "-") for value in tolerances),
                     design])
    header = ["case"] + [power(value) for value in tolerances]
    names = ", ".join(power(value) for value in DESIGN_TOLERANCES)
    return "\n".join([
        "## Errors of adaptive steps over their tolerance\n", paragraph(
            "Third order: largest error / tolerance (accepted + rejected steps). The last column "
            f"is what the method was designed to take: steps accepted at {names}, on similar cases "
            "with other grids and output times."),
        table(header + ["design"], rows)])


def reference_section(results):
    """The references, and how far to trust them."""
    rows = []
    for result in results:
        case, run, check = CASE_OF[result["key"]], result["reference"], result["check"]
        rows.append([case.title, case.grid(), f"{case.options['model_epsilon']:g}",
                     f"{case.end:g}", case.outputs, run["steps"], run["solves"],
                     "failed" if check is None else number(check)])
    checks = [result["check"] for result in results if result["check"] is not None]
    limit = ENOUGH_CHECK * min(study.TARGETS)
    text = (f"The two references differ by {number(max(checks))} at most." if checks
            else "No reference could be checked.")
    doubtful = [TITLES[result["key"]] for result in results
                if result["check"] is None or result["check"] > limit]
    if doubtful:
        text += (f" Above {power(limit)}, so that errors of {power(min(study.TARGETS))} are "
                 f"uncertain there: {'; '.join(doubtful)}.")
    return "\n".join([
        "## Cases and references\n",
        table(["case", "cells (v x w)", "eps", "end", "outputs", "steps of the reference",
               "its solves", "difference to ten times its tolerance"], rows), paragraph(text)])


def failure_section(results):
    """Runs that failed, if any did."""
    rows = failures(results)
    if not rows:
        return ""
    return "\n".join(["## Runs that failed\n",
                      table(["case", "scheme", "step or tolerance", "what happened"], rows)])


def write(measured, path):
    """The document."""
    results = [result for result in measured["cases"] if result["families"]]
    lost = [result for result in measured["cases"] if not result["families"]]
    provenance = next((result["reference"]["provenance"] for result in results), {})
    program = " ".join(provenance.get(name, "") for name in ("version", "revision")).strip()
    parts = [HEAD.format(finest=power(measured["finest"])),
             f"Machine: {measured['machine']}. Engram {program or 'unknown'}.\n"]
    if measured["is_quick"]:
        parts.append("**This is the quick subset of the study.**\n")
    parts += [f"No reference for {TITLES[result['key']]}: {result['reference']['failure']}.\n"
              for result in lost]
    if results:
        parts += ["![Errors over work](pictures/work_precision.png)\n",
                  "*Errors over slice solves and over seconds. Grey lines: "
                  f"{', '.join(power(target) for target in study.TARGETS)}.*\n"]
        parts += [section(results) for section in (summary_section, defaults_section, work_section,
                                                   tolerance_section, reference_section,
                                                   failure_section)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts).rstrip("\n") + "\n", encoding="utf-8")
