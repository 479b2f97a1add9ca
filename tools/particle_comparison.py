"""Compares a density run of engram with replicas of a particle simulation, bin by bin.

The standard error of a value is the standard deviation over the replicas divided by the root of
their number. Replicas are whole networks with random numbers of their own, so that they are
independent although the neurons of one are not.
"""

import csv
import dataclasses
import io
import math

import numpy
import scipy.interpolate
import scipy.stats

from engram_results import ResultsError

# So many standard errors a difference may have.
ALLOWED = 3.0
# Spikes, and neurons, that a bin of one replica has on average, or else it is joined with its
# neighbour: a mean of a few spikes is not normally distributed.
FEWEST_SPIKES = 100.0
FEWEST_ROWS = 5
TINY = 1e-12
COLUMNS = ("quantity", "from", "to", "density", "particles", "standard_error", "z", "grid_error")
NAMES = {"firing_rate": "N(w), mean over the second half of the run",
         "weight_density": "H(w) at the end", "total_rate": "Nbar(t), mean over an interval"}


@dataclasses.dataclass
class Profile:
    """One solution: total rate [interval], N(w) and H(w) [bin], both per unit of w."""

    total_rate: numpy.ndarray
    firing_rate: numpy.ndarray
    weight_density: numpy.ndarray


@dataclasses.dataclass
class Row:
    """One value of both solutions; start and end are weights, or times of the total rate."""

    quantity: str
    start: float
    end: float
    density: float
    particles: float
    standard_error: float
    grid_error: float  # estimated error of the density solution; nan if not known

    @property
    def z(self):
        """The difference in standard errors."""
        return (self.particles - self.density) / self.standard_error


def mean_between(time, values, start, end):
    """Mean over time of values [time][...] between two times, by a cubic spline."""
    return scipy.interpolate.CubicSpline(time, values).integrate(start, end) / (end - start)


def join_cells(values, bins):
    """Means over groups of neighbouring cells."""
    return values.reshape(bins, -1).mean(axis=1)


def profile_of_run(results, path, window, intervals, bins):
    """What is compared of a density run; `path` is for messages."""
    time, end = results.time, results.time[-1]
    if ((time >= window[0]) & (time <= window[1])).sum() < FEWEST_ROWS:
        raise ResultsError(f"{path}/fields.h5: fewer than {FEWEST_ROWS} rows between t = "
                           f"{window[0]:g} and {window[1]:g}: take a shorter output_fields_every")
    edges = numpy.linspace(0.0, end, intervals + 1)
    series = results.series
    rates = [float(mean_between(series["time"], series["total_rate"], *pair))
             for pair in zip(edges, edges[1:])]
    firing_rate = mean_between(time, results.firing_rate, *window)
    return Profile(numpy.array(rates), join_cells(firing_rate, bins),
                   join_cells(results.weight_density[-1], bins))


def bins_to_join(spikes, neurons):
    """Groups (first, last + 1) of neighbouring bins that hold enough of both."""
    groups, first = [], 0
    for last in range(1, len(spikes) + 1):
        if min(spikes[first:last].sum(), neurons[first:last].sum()) >= FEWEST_SPIKES:
            groups.append((first, last))
            first = last
    if not groups:
        raise ResultsError(f"no bin with {FEWEST_SPIKES:g} spikes: take more --neurons or a "
                           "longer run")
    # What is left at the end goes to the last group.
    groups[-1] = (groups[-1][0], len(spikes))
    return groups


class Axis:
    """An axis with the bins joined until they have enough in them, and means over the joined."""

    def __init__(self, edges, spikes, neurons):
        groups = bins_to_join(spikes, neurons)
        self._first = [group[0] for group in groups]
        self.starts = edges[self._first]
        self.ends = edges[[group[1] for group in groups]]
        self._widths = numpy.diff(edges)

    def means(self, values):
        """Of values [...][bin]."""
        sums = numpy.add.reduceat(values * self._widths, self._first, axis=-1)
        return sums / (self.ends - self.starts)


def rows_of(quantity, axis, fine, coarse, replicas):
    """Rows of a quantity; fine and coarse are values [bin], replicas is [replica][bin]."""
    density, replicas = axis.means(fine), axis.means(replicas)
    standard_errors = replicas.std(axis=0, ddof=1) / math.sqrt(len(replicas))
    # Of a scheme of second order the finer solution has a third of the difference as its error.
    errors = numpy.full(len(density), numpy.nan)
    if coarse is not None:
        errors = numpy.abs(density - axis.means(coarse)) / 3.0
    return [Row(quantity, *map(float, values)) for values in
            zip(axis.starts, axis.ends, density, replicas.mean(axis=0), standard_errors, errors)]


def compare(fine, coarse, replicas, edges, end, expected):
    """All rows of the comparison.

    fine, coarse: profiles of the density on its grid and on one of twice the widths, or None.
    replicas: arrays [replica][...] by name, in the bins between the edges.
    expected: neurons of a replica, and the reacting time of the whole run and of that of N.
    """
    neurons, duration, window = expected
    widths = numpy.diff(edges)
    weights = Axis(edges, fine.firing_rate * widths * neurons * window,
                   fine.weight_density * widths * neurons)
    count = len(fine.total_rate)
    times = Axis(numpy.linspace(0.0, end, count + 1), fine.total_rate * neurons * duration / count,
                 numpy.full(count, float(neurons)))
    quantities = {"firing_rate": weights, "weight_density": weights, "total_rate": times}
    rows = []
    for name, axis in quantities.items():
        # Weights that do not move are the same in all replicas.
        if replicas[name].std(axis=0).max() > TINY * replicas[name].max():
            rows += rows_of(name, axis, getattr(fine, name), coarse and getattr(coarse, name),
                            replicas[name])
    return rows


def csv_of(rows):
    """The table of all values."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        numbers = (row.start, row.end, row.density, row.particles, row.standard_error, row.z,
                   row.grid_error)
        writer.writerow([row.quantity, *(f"{number:.10g}" for number in numbers)])
    return stream.getvalue()


def summary_line(quantity, rows, replicas):
    """One row of the table that sums up a quantity."""
    z = numpy.array([row.z for row in rows])
    relative = numpy.array([row.standard_error / row.particles for row in rows if row.particles])
    grid = max(row.grid_error / row.standard_error for row in rows)
    # Differences by chance alone follow Student's distribution.
    chance = 2.0 * len(rows) * scipy.stats.t.sf(ALLOWED, replicas - 1)
    return (f"| {NAMES[quantity]} | {len(rows)} | {numpy.abs(z).max():.2f} | "
            f"{math.sqrt((z**2).mean()):.2f} | {z.mean():+.2f} | "
            f"{(numpy.abs(z) > ALLOWED).sum()} | {chance:.2f} | "
            f"{100.0 * numpy.median(relative):.2f} % | "
            f"{'-' if math.isnan(grid) else f'{grid:.2f}'} |")


def summary_of(rows, replicas, neurons):
    """The table that is printed, as lines of Markdown."""
    lines = [f"{replicas} networks of {neurons} neurons; z is the difference of particles and "
             "density in standard errors.", "",
             "| quantity | values | largest abs(z) | root mean square of z | mean of z | "
             f"beyond {ALLOWED:g} | expected by chance | standard error (median) | "
             "largest error of the grid in standard errors |",
             "|---|" + "---:|" * 8]
    for quantity in NAMES:
        own = [row for row in rows if row.quantity == quantity]
        if own:
            lines.append(summary_line(quantity, own, replicas))
    return lines


def markdown_of(rows, replicas, neurons):
    """The summary and all values."""
    lines = summary_of(rows, replicas, neurons)
    lines += ["", "| quantity | from | to | density | particles | z |", "|---|" + "---:|" * 5]
    for row in rows:
        lines.append(f"| {row.quantity} | {row.start:.4g} | {row.end:.4g} | {row.density:.6g} | "
                     f"{row.particles:.6g} ± {row.standard_error:.2g} | {row.z:+.2f} |")
    return "\n".join(lines) + "\n"
