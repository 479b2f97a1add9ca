"""Reads the folder one run of engram leaves: case.yaml, series.csv and fields.h5.

Everything a reader can find wrong with a folder becomes a ResultsError whose text names the path.
"""

import dataclasses
import math
import pathlib

import h5py
import numpy
import yaml

STEADY_COLUMNS = ("state", "total_rate", "slope", "stable")
FOLD_COLUMNS = ("total_rate",)
SERIES_COLUMNS = ("time", "total_rate", "mass_error", "min_density", "mean_weight", "var_weight")
# Added to rates whose ratio is wanted: they may be zero.
TINY = 1e-300
# Rows this near to one that is shown, as a part of the largest distance, show nothing new.
SAME_ROW = 0.01
# Differences below this part of the values themselves are round-off.
ROUND_OFF = 1e-9
# No two rows of a heat map are farther from each other than this part of the run.
LARGEST_GAP = 0.25
# Early change: more than the one share of it within the other share of the time.
SHARE_OF_CHANGE = 0.8
EARLY_SHARE_OF_TIME = 0.2
HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError)


class ResultsError(Exception):
    """A folder or file of results that cannot be used; the text names it."""


@dataclasses.dataclass(frozen=True)
class State:
    """A steady state of frozen weights."""

    rate: float
    slope: float
    is_stable: bool  # as far as the slope tells


@dataclasses.dataclass
class Results:
    """One run. Rows of the fields are times; shapes in brackets.

    Where steady states were wanted, the first row is the initial one and the others are the states.
    """

    case: dict
    series: dict  # column name -> [rows of series.csv]
    notes: list  # what was left out or cannot be drawn, as sentences
    directory: pathlib.Path = None
    phases: list = dataclasses.field(default_factory=list)  # of (name, begin, end) of a protocol
    phase: numpy.ndarray = None  # [time], number of the phase, where there is a protocol
    time: numpy.ndarray = None  # [time]
    w: numpy.ndarray = None  # [w], centres of the cells
    quadrature: numpy.ndarray = None  # [w], weights of the cells in integrals, as parts of a width
    v: numpy.ndarray = None  # [v], nodes between the ends of the potential axis
    firing_rate: numpy.ndarray = None  # [time][w]
    weight_density: numpy.ndarray = None  # [time][w]
    last_density: numpy.ndarray = None  # [v][w]
    potential_density: numpy.ndarray = None  # [time][v], for a single weight only
    refractory_share: numpy.ndarray = None  # [time], where there is a refractory state
    steady: list = None  # of State, where the steady states of frozen weights were wanted
    state_density: numpy.ndarray = None  # [state][v], all weights together
    swept: str = ""  # the options that were varied
    branches: list = None  # of (value, [State]) in ascending order, where one was varied
    folds: list = None  # of (value, total rate)

    @property
    def is_single_weight(self):
        """True if the run has one cell of w, so that nothing can be drawn over w."""
        return len(self.w) == 1

    @property
    def has_heat_maps(self):
        """True if there are times enough for a heat map, which shows nothing between them."""
        gaps = numpy.diff(self.time)
        return len(self.time) > 2 and gaps.max() <= LARGEST_GAP * (self.time[-1] - self.time[0])

    @property
    def width(self):
        """Width of a cell of w; the one cell of a single weight has width one."""
        return 1.0 if self.is_single_weight else self.w[1] - self.w[0]

    def integral(self, values):
        """Integral over w of values [..., w]."""
        return self.width * (values * self.quadrature).sum(axis=-1)

    def wants_steady(self):
        """True if the run has looked for steady states of frozen weights."""
        wanted = self.case.get("steady") or self.case.get("steady_sweep", "none") != "none"
        return bool(wanted) and not self.case.get("model_plasticity", True)

    def number(self, name):
        """A number of case.yaml; YAML 1.1 reads 1e-12 as a text, so texts are tried too."""
        return float(self.case[name])


def pick_rows(field, count):
    """At most so many rows [time] of a field: the first, the last, and those that differ most.

    Each is the one farthest from all before it, so an oscillation shows its extremes.
    """
    finite = numpy.nan_to_num(field, posinf=0.0, neginf=0.0)
    rows = [0, len(field) - 1]
    distance = numpy.abs(finite - finite[0]).sum(axis=1)
    largest, smallest = distance.max(), ROUND_OFF * numpy.abs(finite).sum(axis=1).max()
    while len(rows) < count:
        distance = numpy.minimum(distance, numpy.abs(finite - finite[rows[-1]]).sum(axis=1))
        if distance.max() <= max(SAME_ROW * largest, smallest):
            break
        rows.append(int(distance.argmax()))
    return sorted(set(rows))


def changes_early(time, field):
    """True if nearly all change of a field [time][position] happens at the beginning."""
    travelled = accumulated_change(field)
    early = time - time[0] <= EARLY_SHARE_OF_TIME * (time[-1] - time[0])
    return travelled[early][-1] > SHARE_OF_CHANGE * travelled[-1]


def accumulated_change(field):
    """Sum of the absolute changes of a field [time][position] up to each row."""
    change = numpy.abs(numpy.diff(field, axis=0)).sum(axis=1)
    return numpy.concatenate([[0.0], numpy.cumsum(change)])


def require_file(path):
    """Complains unless the path is a file with something in it."""
    if not path.is_file():
        raise ResultsError(f"{path}: no such file; is this the output folder of an engram run?")
    if path.stat().st_size == 0:
        raise ResultsError(f"{path}: the file is empty")


def read_case(path):
    """The options of the run, with the two potentials that are drawn checked."""
    require_file(path)
    try:
        case = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ResultsError(f"{path}: not readable as YAML: {first_line(error)}") from error
    if not isinstance(case, dict):
        raise ResultsError(f"{path}: not a list of options as engram writes it")
    for name in ("model_v_threshold", "model_v_reset"):
        try:
            float(case[name])
        except (KeyError, TypeError, ValueError) as error:
            raise ResultsError(f"{path}: {name} is missing or not a number") from error
    return case


def first_line(error):
    """The first line of the text of an exception: libraries like to add pages."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def parse_row(path, number, header, words):
    """One row of series.csv as floats."""
    if len(words) != len(header):
        raise ResultsError(f"{path}: line {number} has {len(words)} columns, not {len(header)}")
    try:
        return [float(word) for word in words]
    except ValueError as error:
        raise ResultsError(f"{path}: line {number} is not made of numbers") from error


def read_table(path, columns, notes):
    """Header and rows of a table; a last line still being written is left out."""
    require_file(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: not readable as text: {first_line(error)}") from error
    lines = text.splitlines()
    if not text.endswith("\n"):
        notes.append(f"{path}: left out line {len(lines)}, which is not complete")
        lines.pop()
    header, *rows = [line.split(",") for line in lines] or [[]]
    missing = [name for name in columns if name not in header]
    if missing:
        raise ResultsError(f"{path}: no column {', '.join(missing)} in the first line")
    return header, [parse_row(path, number, header, words)
                    for number, words in enumerate(rows, start=2)]


def read_series(path, notes):
    """The columns of series.csv that are drawn."""
    header, rows = read_table(path, SERIES_COLUMNS, notes)
    if not rows:
        raise ResultsError(f"{path}: no rows below the header")
    values = numpy.array(rows)
    return {name: values[:, header.index(name)] for name in SERIES_COLUMNS}


def read_states(path, notes):
    """The states of steady.csv."""
    header, rows = read_table(path, STEADY_COLUMNS, notes)
    return [state_of(header, row) for row in rows]


def state_of(header, row):
    """The state that a row of a table tells of, or None where there is none."""
    number, rate, slope, stable = (row[header.index(name)] for name in STEADY_COLUMNS)
    return State(rate, slope, stable > 0.0) if number > 0.0 else None


def read_branches(path, notes):
    """The states of bifurcation.csv by the value of the option, in ascending order."""
    header, rows = read_table(path, STEADY_COLUMNS, notes)
    branches = {}
    for row in rows:
        state = state_of(header, row)
        branches.setdefault(row[0], []).extend([state] if state else [])
    return sorted(branches.items())


def link_states(branches):
    """Pairs of (value, state) at neighbouring values, each the nearest of its kind to the other."""
    links = []
    for (value, states), (next_value, next_states) in zip(branches, branches[1:]):
        for state in states:
            other = nearest_of_kind(state, next_states)
            if other and nearest_of_kind(other, states) is state:
                links.append(((value, state), (next_value, other)))
    return links


def nearest_of_kind(state, others):
    """The state of the same stability whose rate has the ratio nearest to one, or None."""
    alike = [other for other in others if other.is_stable == state.is_stable]
    return min(alike, default=None,
               key=lambda other: abs(math.log((other.rate + TINY) / (state.rate + TINY))))


def fold_neighbours(branches, value, rate):
    """The two (value, state) that meet in a fold, at the value beside it that has more states."""
    beside = [branch for branch in branches if branch[0] <= value][-1:]
    beside += [branch for branch in branches if branch[0] >= value][:1]
    neighbour, states = max(beside, key=lambda branch: len(branch[1]), default=(value, []))
    pairs = [pair for pair in zip(states, states[1:]) if pair[0].is_stable != pair[1].is_stable]
    if not pairs:
        return []
    nearest = min(pairs, key=lambda pair: abs(pair[0].rate + pair[1].rate - 2.0 * rate))
    return [(neighbour, state) for state in nearest]


def check_shapes(path, file):
    """Complains about missing or misshapen datasets; returns the rows that all of them have."""
    names = ("time", "w", "v", "firing_rate", "weight_density", "density")
    for name in names:
        if not isinstance(file.get(name), h5py.Dataset):
            raise ResultsError(f"{path}: no dataset '{name}'; not a fields.h5 of engram")
    nodes, cells = file["v"].shape, file["w"].shape
    expected = {"time": (), "firing_rate": cells, "weight_density": cells,
                "density": nodes + cells}
    if len(nodes) != 1 or len(cells) != 1 or 0 in nodes + cells:
        raise ResultsError(f"{path}: datasets 'v' and 'w' must be lists of numbers")
    for name, shape in expected.items():
        if file[name].shape[1:] != shape or not file[name].shape:
            raise ResultsError(f"{path}: dataset '{name}' has shape {file[name].shape}, "
                               f"not (rows, *{shape})")
    # A run killed between two writes leaves a last row in some of the datasets only.
    return min(file[name].shape[0] for name in expected)


def read_fields(path, results):
    """Fills in what fields.h5 holds; of the density no more than what is drawn."""
    require_file(path)
    try:
        with h5py.File(path, "r") as file:
            rows = check_shapes(path, file)
            if rows == 0:
                raise ResultsError(f"{path}: no rows in its datasets")
            results.w, results.v = file["w"][:], file["v"][:]
            results.quadrature = (file["w_quadrature"][:] if "w_quadrature" in file
                                  else numpy.ones(len(results.w)))
            results.time = file["time"][:rows]
            results.firing_rate = file["firing_rate"][:rows]
            results.weight_density = file["weight_density"][:rows]
            results.last_density = file["density"][rows - 1]
            if "phase" in file:
                results.phase = file["phase"][:rows]
            if results.is_single_weight:
                results.potential_density = file["density"][:rows, :, 0]
            if "refractory" in file:
                results.refractory_share = results.integral(file["refractory"][:rows])
            if results.steady is not None:
                results.state_density = numpy.array(
                    [results.integral(file["density"][row]) for row in range(1, rows)])
    except HDF5_ERRORS as error:
        raise ResultsError(f"{path}: not readable as HDF5, truncated or still being written: "
                           f"{first_line(error)}") from error


def read_steady(directory, results):
    """The tables of a run that has looked for steady states."""
    notes = results.notes
    results.steady = read_states(directory / "steady.csv", notes)
    sweep = str(results.case.get("steady_sweep", "none"))
    if sweep != "none":
        results.swept = sweep.split(":")[0].replace("+", " = ")
        results.branches = read_branches(directory / "bifurcation.csv", notes)
        _, rows = read_table(directory / "folds.csv", FOLD_COLUMNS, notes)
        results.folds = [tuple(row) for row in rows]
        if not results.branches:
            notes.append(f"{directory}: the sweep has not found anything yet: no bifurcation")
    if not results.steady:
        notes.append(f"{directory}: no steady state: no picture of states")


def phases_of(case, end):
    """Names, begins and ends of the phases of a protocol, as far as the run has come."""
    names = case.get("protocol_phases", "none")
    names = names.split(",") if isinstance(names, str) else names
    phases, begin = [], 0.0
    for name in names if names != ["none"] else []:
        try:
            until = begin + float(case[f"phase_{name.strip()}_duration"])
        except (KeyError, TypeError, ValueError) as error:
            raise ResultsError(f"case.yaml: phase_{name}_duration is missing or not a number") \
                from error
        if begin < end:
            phases.append((name.strip(), begin, min(until, end)))
        begin = until
    return phases


def add_notes(directory, results):
    """What is not drawn of an ordinary run."""
    if results.is_single_weight:
        results.notes.append(f"{directory}: a single weight: no pictures over w (weights, firing), "
                             "density over v")
    if not results.has_heat_maps:
        results.notes.append(f"{directory}: too few times for heat maps over time, only "
                             f"{len(results.time)}, or too far apart; see output_fields_every")


def read_results(directory):
    """Everything that is drawn of the run in a folder."""
    directory = pathlib.Path(directory)
    if not directory.is_dir():
        raise ResultsError(f"{directory}: no such folder")
    notes = []
    results = Results(case=read_case(directory / "case.yaml"),
                      series=read_series(directory / "series.csv", notes), notes=notes)
    results.directory = directory
    results.phases = phases_of(results.case, results.series["time"][-1])
    if results.wants_steady():
        read_steady(directory, results)
    path = directory / "fields.h5"
    read_fields(path, results)
    if results.steady is None:
        add_notes(directory, results)
    elif len(results.time) != len(results.steady) + 1:
        raise ResultsError(f"{path}: has {len(results.time)} rows, not the initial one and one for "
                           f"each of the {len(results.steady)} states of steady.csv")
    return results
