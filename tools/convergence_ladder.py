"""The ladder of a convergence study: its levels, what they cost, and the file that remembers it.

A ladder starts from the resolution of a case and refines some of its cells of v, its cells of w and
its time step by the same factor from level to level. Needs no more than YAML, so that it can run on
the login node of a cluster. What is wrong with a case or a folder becomes a RunError.
"""

import dataclasses
import math
import os
import pathlib
import re
import shutil
import subprocess

import yaml

from convergence_table import FREE, normal, write_file
from engram_runs import RunError, first_line, flatten, number_of, read_values

STUDY_FILE = "study.yaml"
# What a study sets by itself, so that --set must not.
MANAGED = ("output_dir", "output_overwrite", "output_fields_every", "output_series_every",
           "restart", "restart_force", "dry_run", "help", "version", "steady", "steady_sweep")
DEFAULT_CELLS = {"grid_v_cells": 60, "grid_w_cells": 256}
# From so many cells of w on the program takes transport of fifth order by itself.
CELLS_OF_FIFTH_ORDER = 12
ROWS_OF_SERIES = 100
DRY_RUN_SECONDS = 600

# Nanoseconds per cell and step on one core where nothing has been measured yet, in proportion to
# docs/performance.md but half as much again: better to be done early than to be late.
PLAIN_STEP, SECOND_ORDER, FIFTH_ORDER, IMPLICIT, IMPLICIT_SECOND_ORDER = 2.0, 1.0, 3.0, 2.3, 4.8
IMPLICIT_COUPLING, EXTRAPOLATED, THIRD_ORDER = 2.0, 4.0, 2.0
# A further sub-step of the transport, as a part of a step.
SUBSTEP_SHARE = 0.35
# What the libraries of a rank keep beside the arrays that the dry run counts.
LIBRARY_MEBIBYTES = 95.0


@dataclasses.dataclass(frozen=True)
class Study:
    """What makes a convergence study. All of it but levels, ranks and places is the question."""

    case: str
    program: str
    vary: str  # v, w, t or all
    levels: int
    refine: int
    ranks: int
    settings: dict  # options that win over the case
    options: dict  # of the case and the settings, flat, without those of the output

    def value(self, name, default=None):
        """An option as text, or the default."""
        return self.options.get(name, default)


@dataclasses.dataclass(frozen=True)
class Level:
    """One resolution of a ladder."""

    number: int
    v_cells: int
    w_cells: int
    time_step: float  # 0 where the program chooses the steps
    steps: float  # likewise
    folder: pathlib.Path

    @property
    def cells(self):
        """Cells of the grid."""
        return self.v_cells * self.w_cells

    @property
    def log(self):
        """What the program printed."""
        return self.folder.with_name(self.folder.name + ".log")

    @property
    def measured(self):
        """What this tool has measured of the run."""
        return self.folder.with_name(self.folder.name + "-measured.yaml")

    def words(self, study):
        """Options of the command line of this level's run."""
        rows = max(1, round(self.steps / ROWS_OF_SERIES))
        options = {**study.settings, "grid_v_cells": self.v_cells,
                   "grid_w_cells": self.w_cells, "output_dir": self.folder,
                   "output_overwrite": "false", "output_fields_every": 0,
                   "output_series_every": rows}
        if self.steps:
            options["time_step"] = repr(self.time_step)
        return [study.case] + [str(word) for name, value in options.items()
                               for word in (f"-{name}", value)]


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What the dry run of a level tells."""

    memory: float  # MiB of all ranks
    disk: float  # MiB
    courant: float  # CFL number at the start; 0 where the transport needs none


def parse_settings(words):
    """--set OPTION=VALUE ... as a dictionary."""
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = name.strip().lstrip("-")
        if not equals or not name or not value:
            raise RunError(f"--set {word}: give it as OPTION=VALUE, like --set model_epsilon=0.1")
        if name in MANAGED:
            raise RunError(f"--set {word}: a study sets {name} by itself; leave it out")
        settings[name] = value
    return settings


def chooses_steps(options):
    """True where the program chooses the steps: it is told to, or no step is given."""
    adaptive = normal(options.get("time_adaptive", "auto"))
    has_step = normal(options.get("time_step", 0)) != normal(0)
    return adaptive == normal("true") or (adaptive == normal("auto") and not has_step)


def make_study(arguments):
    """The study that the command line asks for."""
    case = pathlib.Path(arguments.case)
    settings = parse_settings(arguments.set)
    options = {**flatten(read_values(case)), **settings}
    for name in ("steady", "steady_sweep"):
        if options.get(name, "false") not in ("false", "none"):
            raise RunError(f"{case}: {name}: {options[name]}: steady states have no ladder in "
                           f"time; take {name} out of the case")
    options = {name: value for name, value in options.items() if not name.startswith(FREE)}
    if chooses_steps(options) and arguments.vary in ("t", "all"):
        raise RunError(f"--vary {arguments.vary}: time_adaptive chooses the steps by their error; "
                       "use --vary v or w, or fixed steps: --set time_adaptive=false "
                       "--set time_step=...")
    if normal(options.get("transport_order", "auto")) == "auto" and arguments.vary in ("w", "all") \
            and str(options.get("grid_w_cells", "")).isdigit() \
            and int(options["grid_w_cells"]) < CELLS_OF_FIFTH_ORDER \
            and normal(options.get("time_scheme", "")) != "euler":
        # One order on all levels.
        options["transport_order"] = settings["transport_order"] = "2"
    return Study(case=str(case), program=str(arguments.program), vary=arguments.vary,
                 levels=arguments.levels, refine=arguments.refine, ranks=arguments.ranks,
                 settings=settings, options=options)


def option_number(study, name):
    """A number of the case that must be there."""
    if name not in study.options:
        raise RunError(f"{study.case}: no {name}; a study starts from the resolution of the case")
    return number_of(study.options, name, study.case)


def count_of(study, name):
    """Cells of an axis at the coarsest level."""
    text = study.value(name, DEFAULT_CELLS[name])
    try:
        return int(text)
    except ValueError as error:
        raise RunError(f"{study.case}: {name}: {text} is not a whole number") from error


def has_single_weight(study):
    """True where the weight axis has no width, and so nothing to refine."""
    low, high = (normal(study.value(name, default))
                 for name, default in (("grid_w_min", 0), ("grid_w_max", 1)))
    return low == high


def ladder(study, folder):
    """The levels, from coarse to fine."""
    varies = {axis: study.vary in (axis, "all") for axis in "vwt"}
    if has_single_weight(study):
        if study.vary == "w":
            raise RunError("--vary w: the case has a single weight, which cannot be refined; "
                           "use --vary v, t or all")
        varies["w"] = False
    v_cells, w_cells = count_of(study, "grid_v_cells"), count_of(study, "grid_w_cells")
    is_adaptive = chooses_steps(study.options)
    step = 0.0 if is_adaptive else option_number(study, "time_step")
    end = option_number(study, "time_end")
    if not (step > 0.0 or is_adaptive) or not end > 0.0:
        raise RunError(f"{study.case}: time_step and time_end must be positive")
    levels = []
    for number in range(study.levels):
        factor = study.refine ** number
        time_step = step / factor if varies["t"] else step
        levels.append(Level(
            number, v_cells * factor if varies["v"] else v_cells,
            w_cells * factor if varies["w"] else w_cells, time_step,
            0 if is_adaptive else math.ceil(end / time_step * (1.0 - 1e-12)),
            pathlib.Path(folder) / f"level-{number}"))
    return levels


def is_whole(study):
    """True if the end of the time is a whole number of the coarsest steps."""
    if chooses_steps(study.options):
        return True
    ratio = option_number(study, "time_end") / option_number(study, "time_step")
    return abs(ratio - round(ratio)) < 1e-6 * ratio


def launcher(study):
    """The words before those of the program."""
    return ["mpirun", "-n", str(study.ranks), study.program] if study.ranks > 1 \
        else [study.program]


def complaint_in(text):
    """The last line in which the program says what is wrong, or the last line at all."""
    lines = text.strip().splitlines() or ["it has said nothing"]
    named = [line for line in lines if line.startswith("engram: error: ")]
    return (named or lines)[-1].removeprefix("engram: error: ")


def dry_run(study, level):
    """Lets the program check a level and tell what it needs."""
    command = launcher(study) + level.words(study) + ["-dry_run"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL, timeout=DRY_RUN_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(f"{command[0]}: {first_line(error)}; see --program and --ranks") from error
    if process.returncode:
        raise RunError(f"level {level.number} ({describe(level)}): {complaint_in(process.stderr)}")
    return parse_dry_run(study, process.stdout)


def parse_dry_run(study, text):
    """Memory, disk and CFL number from what -dry_run prints."""
    def find(pattern):
        found = re.search(pattern, text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    return Forecast(memory=study.ranks * (find(r"^memory: +(\S+) MiB") + LIBRARY_MEBIBYTES),
                    disk=find(r"^output: +about (\S+) MiB"), courant=find(r"^CFL: +([\d.e+-]+) "))


def describe(level):
    """A level in words."""
    steps = f"{level.steps:.0f} steps" if level.steps else "adaptive steps"
    return f"{level.v_cells} x {level.w_cells} cells, {steps}"


def typical_nanoseconds(study):
    """Nanoseconds per cell and step that the options let one expect, with all ranks at work."""
    cost = PLAIN_STEP
    order = study.value("transport_order", "auto")
    scheme = study.value("time_scheme", "third-order")
    if study.value("transport_time") == "implicit":
        cost += IMPLICIT if order == "1" else IMPLICIT_SECOND_ORDER
    elif order != "1" and (order != "auto" or scheme != "euler"):
        cost += SECOND_ORDER if order == "2" else FIFTH_ORDER
    if study.value("coupling", "auto") == "implicit" or scheme != "euler":
        cost *= IMPLICIT_COUPLING
    if scheme != "euler" or chooses_steps(study.options):
        cost *= EXTRAPOLATED
    if scheme == "third-order":
        cost *= THIRD_ORDER
    return cost / min(study.ranks, os.cpu_count() or 1)


def substeps_of(level, forecast, done):
    """Sub-steps of the transport in a step: the most that the start and coarser levels tell.

    `done` holds (level, sub-steps a step) of the runs that have ended.
    """
    if not forecast.courant or not level.time_step:
        return 1.0
    expected = max(1.0, math.ceil(forecast.courant))
    for other, substeps in done:
        growth = level.w_cells * level.time_step / (other.w_cells * other.time_step)
        expected = max(expected, substeps * growth if substeps > 1.0 else 1.0)
    return expected


def seconds_of(level, forecast, nanoseconds, done):
    """Time that the run of a level takes; none can be told for adaptive steps (their count is
    taken as if none was longer than the first)."""
    steps = level.steps or 1.0
    work = 1.0 + SUBSTEP_SHARE * (substeps_of(level, forecast, done) - 1.0)
    return level.cells * steps * nanoseconds * work * 1e-9


def available_mebibytes():
    """Memory that this machine can still give."""
    try:
        text = pathlib.Path("/proc/meminfo").read_text(encoding="ascii")
        return float(re.search(r"^MemAvailable: +(\d+) kB", text, re.MULTILINE).group(1)) / 1024.0
    except (OSError, AttributeError):
        return math.inf


def free_disk_mebibytes(folder):
    """Room on the disk of a folder that may not be there yet."""
    folder = pathlib.Path(folder).resolve()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / 2**20


def read_study(folder):
    """The study that a folder holds; None if there is no study in it."""
    path = pathlib.Path(folder) / STUDY_FILE
    if not path.is_file():
        return None
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Study(**values)
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise RunError(f"{path}: not a study as this tool writes it: {first_line(error)}") \
            from error


def write_study(study, folder):
    """Notes the study in its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(dataclasses.asdict(study), sort_keys=False)
    write_file(folder / STUDY_FILE, f"# A convergence study of tools/convergence.py.\n{text}")


def claim(study, folder):
    """Makes the folder that of the study; refuses one that holds something else.

    Another number of levels or of ranks is no other study: results do not depend on ranks.
    """
    other = read_study(folder)
    if other is None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunError(f"{folder}: not empty, and holds no study; choose another --output")
    else:
        for name in ("vary", "refine"):
            if getattr(other, name) != getattr(study, name):
                raise RunError(f"{folder}: holds a study with --{name} {getattr(other, name)}, not "
                               f"{getattr(study, name)}; choose another --output")
        for name in sorted({**other.options, **study.options}):
            before, now = other.value(name, "not given"), study.value(name, "not given")
            if normal(before) != normal(now):
                raise RunError(f"{folder}: holds a study with {name}: {before}, and the case now "
                               f"has {now}; choose another --output, or the old case")
    write_study(study, folder)
