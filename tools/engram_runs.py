"""Finds the folders of engram runs and reads the small files in them.

Needs no more than YAML, for tools that run on the login node of a cluster. Everything a reader can
find wrong becomes a RunError whose text names the path.
"""

import math
import os
import pathlib

import yaml

# The one that is written in C is many times as fast, where PyYAML has it.
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# A folder with one of these is a run's; with case.yaml only if one of the others is beside it.
SIGNS = ("status.yaml", "summary.yaml")
BESIDE_CASE = ("series.csv", "fields.h5", "steady.csv", "checkpoints")


class RunError(Exception):
    """A folder or file of a run that cannot be used; the text names it."""


def first_line(error):
    """The first line of the text of an exception: libraries like to add pages."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def read_values(path):
    """The entries of a YAML file as texts: numbers like 1e-12 and times are no numbers to YAML."""
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
    except FileNotFoundError as error:
        raise RunError(f"{path}: no such file; is this the output folder of an engram run?") \
            from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RunError(f"{path}: not readable as YAML: {first_line(error)}") from error
    if not isinstance(values, dict):
        raise RunError(f"{path}: not a list of entries as engram writes it")
    return values


def flatten(entries, prefix=""):
    """Options of a nested case file by their full names, as the program reads them.

    What a group has itself comes before what it merges; keys of anchors are no options.
    """
    own, merged = {}, {}
    for name, value in entries.items():
        if name == "<<":
            for group in value if isinstance(value, list) else [value]:
                merged = {**flatten(group, prefix), **merged}
        elif name.startswith("$$"):
            continue
        elif isinstance(value, dict):
            own.update(flatten(value, f"{prefix}{name}_"))
        else:
            own[prefix + name] = ",".join(value) if isinstance(value, list) else value
    return {**merged, **own}


def number_of(values, name, path):
    """The finite number of an entry; the path is for the message."""
    if name not in values:
        raise RunError(f"{path}: no entry '{name}'")
    try:
        number = float(values[name])
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise RunError(f"{path}: {name}: {values[name]} is not a number")
    return number


def is_run(directory):
    """True if the folder is the output folder of a run."""
    if any((directory / name).is_file() for name in SIGNS):
        return True
    return (directory / "case.yaml").is_file() and any(
        (directory / name).exists() for name in BESIDE_CASE)


def folders_in(directory):
    """A folder and all that are reached from it, also by links; each of them once.

    One that is reached in several ways comes under a name without links, where it has one.
    """
    seen, waiting, linked = set(), [directory], []
    while waiting or linked:
        path = waiting.pop() if waiting else linked.pop()
        status = path.stat()
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        yield path
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(pathlib.Path(entry.path))
                elif entry.is_symlink() and os.path.isdir(entry.path):
                    linked.append(pathlib.Path(entry.path))


def find_runs(directory):
    """All runs in a folder: itself, if it is a run's, and below; in the order of their names.

    Links to folders are followed.
    """
    directory = pathlib.Path(directory)
    if not directory.is_dir():
        raise RunError(f"{directory}: {'not a folder' if directory.exists() else 'no such folder'}")
    try:
        found = [path for path in folders_in(directory) if is_run(path)]
    except OSError as error:
        raise RunError(f"{error.filename}: {error.strerror}") from error
    if not found:
        raise RunError(f"{directory}: no run of engram in it: no folder with status.yaml or "
                       "summary.yaml")
    return sorted(found, key=natural_order)


def natural_order(path):
    """A key that sorts level-10 behind level-9."""
    words, digits = [], None
    for letter in str(path):
        if letter.isdecimal() == digits:
            words[-1] += letter
        else:
            words.append(letter)
            digits = letter.isdecimal()
    return [(1, int(word), "") if word.isdecimal() else (0, 0, word) for word in words]
