"""Differences of runs on grids that refine each other: restriction, norms and observed orders.

Restriction takes a fine solution to the coarse grid and keeps its mass. In w, where the unknowns
are averages over cells, a coarse value is the mean of the fine ones in its cell. In v, where they
are values at nodes and the fine grid has all nodes of the coarse one, it is the value at the same
node, times one factor for each slice that keeps the slice's mass; docs/convergence.md tells why,
and that the factor is 1 + O(h^2). Fields are read in slabs: no density is ever whole in memory.
"""

import math

import h5py
import numpy

from engram_results import HDF5_ERRORS
from engram_runs import RunError, first_line

SLAB_BYTES = 2**24
NORMS = ("L1", "max")
QUANTITIES = ("total_rate", "firing_rate", "weight_density", "density")
# Orders that a scheme can have, and how near an observed one must be to be taken for it.
KNOWN_ORDERS, NEAR = (1, 2, 3, 4, 5), 0.3
# Values between six neighbours, and beyond the end of five: polynomials of degree 5 and 4.
BETWEEN = numpy.array([3.0, -25.0, 150.0, 150.0, -25.0, 3.0]) / 256.0
BEYOND = numpy.array([[15.0, -40.0, 45.0, -24.0, 5.0], [5.0, -10.0, 10.0, -5.0, 1.0]])


class Fields:
    """The last state in fields.h5 of a run; the density is read in slabs."""

    def __init__(self, folder):
        path = folder / "fields.h5"
        try:
            self.file = h5py.File(path, "r")
            self.v, self.w = self.file["v"][:], self.file["w"][:]
            self.density = self.file["density"]
            self.row = self.density.shape[0] - 1
            self.time = float(self.file["time"][self.row])
            self.total_rate = float(self.file["total_rate"][self.row])
            self.firing_rate = self.file["firing_rate"][self.row]
            self.weight_density = self.file["weight_density"][self.row]
            # With a transport of fifth order values belong to the centres of cells, else they are
            # means.
            self.is_at_centres = bool((self.file["w_quadrature"][:] != 1.0).any()
                                      if "w_quadrature" in self.file else False)
        except HDF5_ERRORS as error:
            raise RunError(f"{path}: not readable as the fields of a run: {first_line(error)}") \
                from error
        self.path = path
        self.node_width = self.v[1] - self.v[0]
        # The one cell of a single weight has width one.
        self.cell_width = self.w[1] - self.w[0] if len(self.w) > 1 else 1.0
        self.slice_sums = {}

    def close(self):
        """Closes the file."""
        self.file.close()

    def rows(self, stride):
        """Slabs [row][w] of the nodes that a grid with steps of so many nodes has."""
        count = max(1, SLAB_BYTES // (8 * len(self.w)))
        nodes = len(self.v)
        for first in range(stride - 1, nodes, stride * count):
            yield self.density[self.row, first:min(first + stride * count, nodes):stride, :]

    def sums(self, stride):
        """Sums [w] over the nodes that a grid with steps of so many nodes has."""
        if stride not in self.slice_sums:
            total = numpy.zeros(len(self.w))
            for slab in self.rows(stride):
                total += slab.sum(axis=0)
            self.slice_sums[stride] = total
        return self.slice_sums[stride]

    def restricted(self, stride, group):
        """Slabs [row][w] of the density on a grid that is so many times coarser in v and in w."""
        factor = mass_factor(self.sums(1), self.sums(stride), stride)
        for slab in self.rows(stride):
            yield self.coarsened(slab * factor, group)

    def coarsened(self, values, group):
        """Values [..., w] on a grid that is so many times coarser in w."""
        return centre_values(values, group) if self.is_at_centres else mean_of_cells(values, group)


def mass_factor(fine_sum, coarse_sum, stride):
    """The factor [w] that gives values at every so many-th node the mass of all nodes.

    The sums are over the nodes of the one and of the other grid. A slice without anything at the
    coarse nodes has nothing to scale.
    """
    filled = coarse_sum > 0.0
    return numpy.where(filled, fine_sum / numpy.where(filled, stride * coarse_sum, 1.0), 0.0)


def mean_of_cells(values, group):
    """Means of so many neighbours each in the last direction, that of w."""
    if group == 1:
        return values
    return values.reshape(*values.shape[:-1], -1, group).mean(axis=-1)


def centre_values(values, group):
    """Values at the centres of cells that are made of so many neighbours each."""
    if group == 1:
        return values
    if group % 2:
        return values[..., group // 2::group]
    left = values[..., :5] @ BEYOND.T
    right = values[..., :-6:-1] @ BEYOND[::-1].T
    padded = numpy.concatenate([left, values, right], axis=-1)
    count = values.shape[-1] // group
    first = group // 2 - 1  # of the two cells at the centre, and of six in the padded array
    return sum(weight * padded[..., first + k::group][..., :count]
               for k, weight in enumerate(BETWEEN))


def restrict_density(density, stride, group):
    """A density [v][w] on a grid that is so many times coarser in v and in w, all at once."""
    at_nodes = density[stride - 1::stride]
    factor = mass_factor(density.sum(axis=0), at_nodes.sum(axis=0), stride)
    return mean_of_cells(at_nodes * factor, group)


class Norm:
    """L1 and maximum norm of a function on a grid, added up slab by slab."""

    def __init__(self, weight):
        self.weight = weight  # of a value in the integral
        self.sum = self.largest = 0.0

    def add(self, values):
        """A part of the function."""
        size = numpy.abs(values)
        self.sum += float(size.sum())
        self.largest = max(self.largest, float(size.max(initial=0.0)))

    def values(self):
        """By name of the norm."""
        return {"L1": self.weight * self.sum, "max": self.largest}


def norm_of(values, weight):
    """Both norms of a whole function."""
    norm = Norm(weight)
    norm.add(values)
    return norm.values()


def ratios(coarse, fine):
    """How many nodes and cells of a finer run make one of a coarser."""
    stride = (len(fine.v) + 1) // (len(coarse.v) + 1)
    group = len(fine.w) // len(coarse.w)
    if len(fine.v) + 1 != stride * (len(coarse.v) + 1) or len(fine.w) != group * len(coarse.w):
        raise RunError(f"{fine.path}: its grid does not refine that of {coarse.path}")
    return stride, group


def by_quantity(total_rate, firing_rate, weight_density, density):
    """Norms as {(quantity, norm): value}; a total rate has one value in both."""
    found = {("total_rate", name): abs(total_rate) for name in NORMS}
    for quantity, norms in zip(QUANTITIES[1:], (firing_rate, weight_density, density)):
        found.update({(quantity, name): value for name, value in norms.items()})
    return found


def combination(coarse, terms):
    """Norms of the sum of factor times restricted solution over (factor, run), on a coarse grid.

    The runs must be as fine as the coarse one or finer; each is restricted at once, not level by
    level.
    """
    grids = [(factor, run, *ratios(coarse, run)) for factor, run in terms]

    def line(name):
        return sum(factor * run.coarsened(getattr(run, name), group)
                   for factor, run, _, group in grids)

    density = Norm(coarse.node_width * coarse.cell_width)
    factors = [factor for factor, *_ in grids]
    for slabs in aligned([(run, stride, group) for _, run, stride, group in grids]):
        density.add(sum(factor * slab for factor, slab in zip(factors, slabs)))
    return by_quantity(sum(factor * run.total_rate for factor, run in terms),
                       norm_of(line("firing_rate"), coarse.cell_width),
                       norm_of(line("weight_density"), coarse.cell_width), density.values())


def aligned(grids):
    """Slabs of several restricted densities, cut to the same rows."""
    iterators = [run.restricted(stride, group) for run, stride, group in grids]
    buffers = [next(iterator) for iterator in iterators]
    while True:
        rows = min(len(slab) for slab in buffers)
        yield [slab[:rows] for slab in buffers]
        buffers = [slab[rows:] for slab in buffers]
        for number, slab in enumerate(buffers):
            if not len(slab):
                buffers[number] = next(iterators[number], None)
        if any(slab is None for slab in buffers):
            return


def differences(runs):
    """Norms of the differences of successive levels, each on the coarser grid of the two."""
    return [combination(coarse, [(1.0, coarse), (-1.0, fine)])
            for coarse, fine in zip(runs, runs[1:])]


def orders(norms, refine):
    """Observed orders log(e_k/e_(k+1))/log(refine), {key: [order or None]}, one less than norms."""
    def order(first, second):
        if not (first > 0.0 and second > 0.0):
            return None
        return math.log(first / second) / math.log(refine)

    return {key: [order(coarse[key], fine[key]) for coarse, fine in zip(norms, norms[1:])]
            for key in (norms[0] if norms else {})}


def known_order(order):
    """The order of a scheme that an observed one is near to, or None."""
    near = [known for known in KNOWN_ORDERS if order is not None and abs(order - known) <= NEAR]
    return near[0] if near else None


def estimated_errors(runs, steps, refine):
    """Errors against Richardson's extrapolation of the two finest levels.

    `steps` are the norms of the differences. Returns the norms of every level and the orders that
    were extrapolated with; where an observed order is near to none that a scheme can have, it is
    None and the finest level is the reference, so that this level itself has no error.
    """
    chosen = {key: known_order((values or [None])[-1])
              for key, values in orders(steps, refine).items()}
    last, finest = runs[-2:]
    weights = {order: 0.0 if order is None else 1.0 / (refine**order - 1.0)
               for order in set(chosen.values())}
    errors = []
    for run in runs[:-1]:
        # One pass over the files for every order that occurs.
        norms = {order: combination(run, [(1.0, run), (-1.0 - weight, finest), (weight, last)])
                 for order, weight in weights.items()}
        errors.append({key: norms[order][key] for key, order in chosen.items()})
    errors.append({key: weights[chosen[key]] * value or None for key, value in steps[-1].items()})
    return errors, chosen
