"""Reads the folder one run of engram leaves: case.yaml, series.csv and fields.h5.

Everything a reader can find wrong with a folder becomes a ResultsError whose text names the path.
"""

import dataclasses
import math
import pathlib

import h5py
import numpy
import yaml

SERIES_COLUMNS = ("time", "total_rate", "mass_error", "min_density", "mean_weight", "var_weight")
# The weights that H reaches are those where it exceeds this part of its maximum.
SUPPORT = 1e-3
# Early change: more than the one share of it within the other share of the time.
SHARE_OF_CHANGE = 0.8
EARLY_SHARE_OF_TIME = 0.2
HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError)


class ResultsError(Exception):
    """A folder or file of results that cannot be used; the text names it."""


@dataclasses.dataclass
class Results:
    """One run. Rows of the fields are times; shapes in brackets."""

    case: dict
    series: dict  # column name -> [rows of series.csv]
    notes: list  # what was left out or cannot be drawn, as sentences
    time: numpy.ndarray = None  # [time]
    w: numpy.ndarray = None  # [w], centres of the cells
    v: numpy.ndarray = None  # [v], nodes between the ends of the potential axis
    firing_rate: numpy.ndarray = None  # [time][w]
    weight_density: numpy.ndarray = None  # [time][w]
    last_density: numpy.ndarray = None  # [v][w]
    potential_density: numpy.ndarray = None  # [time][v], for a single weight only

    @property
    def is_single_weight(self):
        """True if the run has one cell of w, so that nothing can be drawn over w."""
        return len(self.w) == 1

    @property
    def has_heat_maps(self):
        """True if there are weights and times enough for a heat map over both."""
        return len(self.w) > 1 and len(self.time) > 2

    def number(self, name):
        """A number of case.yaml; YAML 1.1 reads 1e-12 as a text, so texts are tried too."""
        return float(self.case[name])

    def learning_strength(self):
        """K if weights are learned with one constant K > 0, else None."""
        try:
            strength = self.number("model_learning")
        except (KeyError, TypeError, ValueError):
            return None  # an expression in w
        learns = self.case.get("model_plasticity", True)
        return strength if learns and math.isfinite(strength) and strength > 0 else None

    def learned_rate(self):
        """w and N = w/(K Nbar) at the last time: where H > 0, a learned state has K N Nbar = w.

        None if the weights are not learned with one constant K > 0, or nothing fires.
        """
        strength = self.learning_strength()
        total = self.firing_rate[-1].sum() * (self.w[1] - self.w[0])
        if strength is None or not total > 0.0:
            return None
        weights = self.weight_density[-1]
        reached = (weights > SUPPORT * weights.max()) & (self.w >= 0.0)
        return self.w[reached], self.w[reached] / (strength * total)


def pick_rows(field, count):
    """Rows [time] of a field, equally far apart in accumulated change rather than in time."""
    finite = numpy.nan_to_num(field, posinf=0.0, neginf=0.0)
    travelled = accumulated_change(finite)
    rows = numpy.searchsorted(travelled, numpy.linspace(0.0, travelled[-1], count))
    # The last state may have been reached long before the last row, which is the one wanted.
    rows[-1] = len(field) - 1
    return sorted(set(numpy.minimum(rows, len(field) - 1).tolist()))


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


def read_series(path, notes):
    """The columns of series.csv that are drawn; a last line still being written is left out."""
    require_file(path)
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: not readable as text: {first_line(error)}") from error
    lines = text.splitlines()
    if not text.endswith("\n"):
        notes.append(f"{path}: left out line {len(lines)}, which is not complete")
        lines.pop()
    header, *rows = [line.split(",") for line in lines] or [[]]
    missing = [name for name in SERIES_COLUMNS if name not in header]
    if missing:
        raise ResultsError(f"{path}: no column {', '.join(missing)} in the first line")
    if not rows:
        raise ResultsError(f"{path}: no rows below the header")
    values = numpy.array([parse_row(path, number, header, words)
                          for number, words in enumerate(rows, start=2)])
    return {name: values[:, header.index(name)] for name in SERIES_COLUMNS}


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
            results.time = file["time"][:rows]
            results.firing_rate = file["firing_rate"][:rows]
            results.weight_density = file["weight_density"][:rows]
            results.last_density = file["density"][rows - 1]
            if results.is_single_weight:
                results.potential_density = file["density"][:rows, :, 0]
    except HDF5_ERRORS as error:
        raise ResultsError(f"{path}: not readable as HDF5, truncated or still being written: "
                           f"{first_line(error)}") from error


def read_results(directory):
    """Everything that is drawn of the run in a folder."""
    directory = pathlib.Path(directory)
    if not directory.is_dir():
        raise ResultsError(f"{directory}: no such folder")
    notes = []
    results = Results(case=read_case(directory / "case.yaml"),
                      series=read_series(directory / "series.csv", notes), notes=notes)
    read_fields(directory / "fields.h5", results)
    if results.is_single_weight:
        notes.append(f"{directory}: a single weight: no pictures over w (weights, firing), "
                     "density as lines")
    elif not results.has_heat_maps:
        notes.append(f"{directory}: too few times for heat maps over time, only "
                     f"{len(results.time)}; see output_fields_every")
    return results
