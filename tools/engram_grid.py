"""Grids of engram runs: their points, what has become of each, and one table of all summaries.

A point is a Case: a case file, the options that replace those of the file, and the values that
tell it from the others. Its run has the folder of its name below the folder of the grid. Needs no
more than YAML, for tools that run on the login node of a cluster; engram_processes.py runs cases.
"""

import csv
import dataclasses
import itertools
import math
import os
import pathlib
import re

import yaml

from engram_names import folder_name
from engram_runs import RunError, first_line, flatten, read_values

# What has no part in the solution, so that a finished run need not have the same of it.
FREE = ("output_", "checkpoint_", "walltime", "restart", "insitu_", "dry_run", "help", "version")
RANGE = re.compile(r"([^:,]+):([^:,]+):(\d+)")
NAME = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE)
BRACES = re.compile(r"\{([^{}]*)\}")
TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
TABLE = "sweep.csv"

DONE, BLOWN_UP, NOT_FINITE = "done", "blown up", "not finite"
MISSING, INTERRUPTED, REFUSED, FAILED = "missing", "interrupted", "refused", "failed"
# A point in one of these states has a result: it is not run again.
FINISHED = (DONE, BLOWN_UP, NOT_FINITE)


class GridError(Exception):
    """A grid or a point that cannot be used; the text says why and what would work."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One point of a grid."""

    name: str  # of its folder
    file: pathlib.Path  # the case file
    options: dict  # option -> text; these win over the file
    values: dict  # what is varied -> text, for tables and pictures


@dataclasses.dataclass
class Outcome:
    """What has become of a point."""

    case: Case
    state: str
    remark: str = ""
    was_run: bool = False  # by this call; else it was found as it is


def split_list(text):
    """The parts of a list at commas that stand in no bracket: an expression may hold others."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def refuse_other_ranges(name, text):
    """Complains about colons that belong to no choice (a ? b : c) and to no name of a file."""
    for part in split_list(text):
        if part.startswith("file:") or part.count(":") <= part.count("?"):
            continue
        hint = ""
        try:
            low, high, step = (float(word) for word in part.split(":"))
            steps = (high - low) / step
            if steps > 0.5 and abs(steps - round(steps)) < 1e-6 * steps:
                hint = f"; steps of {step:g} are {low:g}:{high:g}:{round(steps) + 1}"
        except (ValueError, ZeroDivisionError):
            pass
        raise GridError(f"--vary {name}={text}: {part} is not understood: a range is "
                        f"FROM:TO:COUNT, with a whole number of values{hint}")


def evenly_spaced(name, text):
    """The values of FROM:TO:COUNT, or None if the text is not made like that."""
    match = RANGE.fullmatch(text)
    try:
        low, high = (float(word) for word in match.groups()[:2])
    except (AttributeError, ValueError):
        refuse_other_ranges(name, text)
        return None  # an expression such as w < 0 ? -1 : 1
    count = int(match.group(3))
    if count < 2 or not (math.isfinite(low) and math.isfinite(high)) or low == high:
        raise GridError(f"--vary {name}={text}: FROM:TO:COUNT wants two different numbers and at "
                        "least 2 values")
    return [f"{low + (high - low) * index / (count - 1):.10g}" for index in range(count)]


def parse_assignment(option, text):
    """Name and value of NAME=VALUE; the option is that of the tool, for the message."""
    name, equals, value = text.partition("=")
    name = name.strip().lstrip("-")
    if not equals or not NAME.fullmatch(name) or not value.strip():
        raise GridError(f"{option} {text}: not of the form OPTION=VALUE")
    return name, value.strip()


def parse_varied(text):
    """Name and values of OPTION=V1,V2,... or OPTION=FROM:TO:COUNT."""
    name, value = parse_assignment("--vary", text)
    values = evenly_spaced(name, value) or split_list(value)
    if "" in values:
        raise GridError(f"--vary {text}: there is an empty value")
    if len(set(map(normal, values))) < len(values):
        raise GridError(f"--vary {text}: a value is there twice")
    return name, values


def fill_braces(options, values):
    """Options in which {NAME} is replaced by the value of what is varied under that name."""
    filled = {}
    for option, text in options.items():
        for name in BRACES.findall(text):
            if name not in values:
                raise GridError(f"--set {option}={text}: nothing of the name '{name}' is varied; "
                                f"there is {', '.join(values)}")
        filled[option] = BRACES.sub(lambda match: values[match.group(1)], text)
    return filled


def grid_cases(file, varied, fixed):
    """The cases of the product of all varied values, the last one running fastest.

    varied: name -> values; fixed: option -> value. A varied name that stands in braces in a fixed
    value is no option, but a parameter of that value.
    """
    twice = sorted(set(varied) & set(fixed))
    if twice:
        raise GridError(f"{twice[0]} is varied and set; only one of them is possible")
    parameters = {name for text in fixed.values() for name in BRACES.findall(text)}
    cases = []
    for combination in itertools.product(*varied.values()):
        values = dict(zip(varied, combination))
        options = fill_braces(fixed, values)
        options.update({name: value for name, value in values.items() if name not in parameters})
        cases.append(Case(folder_name(values), pathlib.Path(file),
                          {name: shielded(value) for name, value in options.items()}, values))
    return cases


def shielded(value):
    """A value that does not look like an option to the program: -w goes in parentheses."""
    return f"({value})" if re.match(r"-[A-Za-z(]", value) else value


def normal(value):
    """A value that compares equal where 1e-3 and 0.001, or true and yes, do."""
    if isinstance(value, list):
        return tuple(normal(part) for part in value)
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    text = " ".join(str(value).split())
    if text.startswith("(") and text.endswith(")") and shielded(text[1:-1]) == text:
        text = text[1:-1]
    return TRUTHS.get(text.lower(), text)


def wanted_options(case):
    """All options that the case gives, from its file and its own."""
    try:
        entries = yaml.load(case.file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except FileNotFoundError as error:
        raise GridError(f"{case.file}: no such case file") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise GridError(f"{case.file}: not readable as YAML: {first_line(error)}") from error
    if not isinstance(entries, dict):
        raise GridError(f"{case.file}: not a case of engram: no options in it")
    return {**flatten(entries), **case.options}


def used_options(path):
    """Options that a run has used, and the names of those that were left at their defaults."""
    defaults = {line.partition(":")[0] for line in path.read_text(encoding="utf-8").splitlines()
                if line.rstrip().endswith("# default")}
    return read_values(path), defaults


def differences(case, directory):
    """What a run in the folder has done otherwise than the case wants, as texts."""
    wanted = wanted_options(case)
    used, defaults = used_options(directory / "case.yaml")
    found = []
    for name in dict.fromkeys([*used, *wanted]):
        if name.startswith(FREE):
            continue
        if name in wanted and normal(wanted[name]) != normal(used.get(name)):
            found.append(f"{name} is {used.get(name, 'not given')} there, and {wanted[name]} here")
        elif name not in wanted and name not in defaults:
            found.append(f"{name} is {used[name]} there, and not given here")
    return found


def state_of_summary(summary):
    """State and reason that a summary tells."""
    status, reason = summary.get("status", ""), summary.get("reason", "")
    if status == "stopped":
        return (BLOWN_UP if "blow-up" in reason else NOT_FINITE), reason
    return (DONE, "") if status == "done" else (INTERRUPTED, reason)


def find_outcome(case, folder):
    """What is there of a case, without running anything."""
    directory = pathlib.Path(folder) / case.name
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return Outcome(case, MISSING)
    if not (directory / "case.yaml").is_file():
        return Outcome(case, REFUSED, f"{directory}: exists and is no run of engram; move it away")
    try:
        found = differences(case, directory)
        if found:
            return Outcome(case, REFUSED, f"{directory}: has other options: {'; '.join(found)}")
        if not (directory / "summary.yaml").is_file():
            return Outcome(case, INTERRUPTED)
        return Outcome(case, *state_of_summary(read_values(directory / "summary.yaml")))
    except (RunError, OSError) as error:
        return Outcome(case, REFUSED, str(error))


def number_or_none(text):
    """The number that a text stands for."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def collect(outcomes, folder):
    """Rows of all points: what is varied, the status, and the numbers of summary.yaml."""
    rows = []
    for outcome in outcomes:
        row = {"point": outcome.case.name, **outcome.case.values, "status": outcome.state}
        path = pathlib.Path(folder) / outcome.case.name / "summary.yaml"
        if outcome.state in FINISHED:
            row.update({name: text for name, text in read_values(path).items()
                        if name not in row and number_or_none(text) is not None})
        rows.append(row)
    return rows


def write_table(rows, folder, name=TABLE):
    """Writes the rows to a file in the folder; the old one is there until the new one is whole."""
    path = pathlib.Path(folder) / name
    columns = list(dict.fromkeys(column for row in rows for column in row))
    partial = path.with_name(path.name + ".part")
    try:
        if path.exists() and not path.read_text(encoding="utf-8").startswith("point,"):
            raise GridError(f"{path}: exists and is no table of this tool; not overwritten")
        with open(partial, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(partial, path)
    except (OSError, UnicodeError) as error:
        raise GridError(f"{path}: cannot be written: {first_line(error)}") from error
    return path


def markdown_table(rows, columns):
    """The rows as a table in Markdown, one line a row."""
    cells = [columns, ["---"] * len(columns)]
    cells += [[str(row.get(name, "")).replace("|", "\\|") or "-" for name in columns]
              for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def count_states(outcomes):
    """How many points are in each state, in words."""
    states = [outcome.state for outcome in outcomes]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
