"""Rates that other programs publish, and the voltage cells that such a rate needs.

The points are LIF neurons with white noise and a refractory time, in units of the distance from
reset to threshold and of the membrane time: V_R = 0, V_F = 1, a = (sigma/(V_th - V_0))^2/2.
"""

import math

import exact
import runner
from layout import number, table

# Public test data (parameters in mV and ms, rates in Hz): mean input, sigma, reset and threshold
# relative to rest, membrane time, refractory time, rate. These are the different points of
# tests/fixtures/unit/data/lif_delta_firing_rate.h5 in INM-6/nnmt at commit a5cc295b, which keeps
# doubles; those of its group supra_threshold_weak_noise stand apart.
NNMT = (
    (2, 30, 0, 20, 10, 2, 51.87482357931309),
    (3, 30, 0.1, 25, 12, 3, 31.58937808262724),
    (4, 40, 0.2, 15, 15, 1.5, 79.61100919235723),
    (5, 50, 0.3, 18, 9, 1, 137.18453001376162),
    (3, 30, 0, 25, 12, 2, 32.55221055871254),
    (4, 40, 0, 15, 15, 2, 75.86929475927651),
    (5, 50, 0, 18, 9, 2, 119.39546853612575),
    (3, 30, 0, 20, 10, 2, 54.067432209507636),
    (4, 40, 0, 20, 10, 2, 77.79709377881345),
    (5, 50, 0, 20, 10, 2, 99.13760525770876),
    (12, 2, 0, 20, 10, 2, 2.45427696775427e-05),
    (13, 2.4, 0, 20, 10, 2, 0.030921161315783614),
    (14, 2.3, 0, 20, 10, 2, 0.14770592350486952),
    (15, 2.9, 0, 20, 10, 2, 3.7584808691748206),
    (22, 30, 0, 20, 10, 2, 98.80397094364106),
    (25, 30, 0, 20, 10, 2, 105.97510391045537),
    (30, 40, 0, 20, 10, 2, 132.91457858502906),
    (40, 50, 0, 20, 10, 2, 165.1753585452449),
)
NNMT_WEAK_NOISE_ABOVE_THRESHOLD = (
    (22, 0.5, 0, 20, 10, 2, 38.713686827364555),
    (25, 0.4, 0, 20, 10, 2, 55.31250321070128),
    (30, 0.3, 0, 20, 10, 2, 77.01713033499314),
    (40, 0.9, 0, 20, 10, 2, 112.01115668173247),
)
# testsuite/pytests/test_siegert_neuron.py in nest/nest-simulator at commit 0e321057: a rate to 12
# digits, and the limit without noise, which its test compares at sigma = 0.001 (V_th - V_0).
NEST_AT_THRESHOLD = (15, math.sqrt(1.5), 0, 15, 10, 2, 27.1095934379)
NEST_WITHOUT_NOISE = (22.5, 0.015, 0, 15, 10, 2, 1e3 / (2 + 10 * math.log(22.5 / 7.5)))

MOST_CELLS = 500
MOST_SEARCHED = 4000
# The mass below v_min is to be less than that of the whole by so many powers of e.
TAIL = 23.0
# v_min is a multiple of it, so that V_R is a node of grids that are not fine.
PART = 0.25


class Point:
    """A neuron without dimensions."""

    def __init__(self, mu, noise, refractory=0.0, published=None):
        self.mu, self.noise, self.refractory, self.published = mu, noise, refractory, published
        self.exact = 1.0 / (refractory + 1.0 / exact.rate(mu, noise, 1.0, 0.0))
        lowest = mu - math.sqrt(max(mu, 0.0)**2 + 2.0 * TAIL * noise)
        self.v_min = -PART * max(1, math.ceil(-lowest / PART))

    @classmethod
    def of(cls, row):
        """A published row."""
        mu, sigma, reset, threshold, membrane, refractory, rate = row
        unit = threshold - reset
        return cls((mu - reset) / unit, 0.5 * (sigma / unit)**2, refractory / membrane,
                   rate * membrane * 1e-3)

    @property
    def sigma(self):
        """Amplitude of the noise in Siegert's formula, in units of V_F - V_R."""
        return math.sqrt(2.0 * self.noise)

    def cells(self, wanted):
        """The largest count up to this one which has a node at V_R."""
        parts = round((1.0 - self.v_min) / PART)
        unit = parts // math.gcd(parts, round(1.0 / PART))
        return max(1, int(wanted) // unit) * unit

    def peclet(self, cells):
        """Cell Peclet numbers at threshold and reset."""
        h = (1.0 - self.v_min) / cells
        return h * (self.mu - 1.0) / self.noise, h * self.mu / self.noise

    def plain_error(self, cells):
        """The relative error with the plain sum for the mass, in closed form: see `missing_time`."""
        h = (1.0 - self.v_min) / cells
        at_threshold, at_reset = (missing_time(q, h, self.noise) for q in self.peclet(cells))
        return 1.0 / (1.0 - self.exact * (at_threshold - at_reset)) - 1.0


def missing_time(q, h, noise):
    """Mass, at a rate of one, that the sum of h p misses at a layer of cell Peclet number q.

    At the threshold p = (1 - exp(-g(V_F - v)/a))/g, with g = mu - V_F and q = hg/a; the scheme has
    its values at the nodes, of which the trapezoidal rule makes (q/2 coth(q/2) - 1) a/g^2 less
    than their integral. The layer below V_R, with g = mu - V_R, adds as much. The content of the
    last node has both.
    """
    if abs(q) < 0.1:
        return h * h / noise * (1.0 / 12.0 - q * q / 720.0 + q**4 / 30240.0)
    return h * h / noise * (0.5 * q / math.tanh(0.5 * q) - 1.0) / (q * q)


def case(point, cells, **changes):
    """An uncoupled neuron of a single weight in its steady state."""
    return {"model_v_reset": 0, "model_v_threshold": 1, "model_v_min": point.v_min,
            "model_input": repr(point.mu), "model_noise": repr(point.noise),
            "model_refractory": repr(point.refractory), "model_response": "0",
            "model_plasticity": "false", "model_epsilon": 1, "initial_density": "1",
            "grid_w_min": 0, "grid_w_max": 0, "grid_w_cells": 1, "grid_v_cells": cells,
            "steady": "true", "time_end": 1, **changes}


def rates(program, points_and_cells, **changes):
    """Rates of several points."""
    runs = runner.run_all(program, [case(point, cells, **changes)
                                    for point, cells in points_and_cells])
    return [run.tables["steady"]["total_rate"][0] for run in runs]


def published(program, **changes):
    """All published rates on at most MOST_CELLS cells."""
    sources = [("NNMT", row) for row in NNMT] + [("NEST", NEST_AT_THRESHOLD)]
    sources += [("NNMT", row) for row in NNMT_WEAK_NOISE_ABOVE_THRESHOLD]
    sources += [("NEST", NEST_WITHOUT_NOISE)]
    points = [Point.of(row) for _, row in sources]
    cells = [point.cells(MOST_CELLS) for point in points]
    values = rates(program, zip(points, cells), **changes)
    return [{"source": source, "row": row, "point": point, "cells": count,
             "error": value / point.published - 1.0, "own_error": value / point.exact - 1.0}
            for (source, row), point, count, value in zip(sources, points, cells, values)]


def sweep(program, sigmas=(0.25, 0.5, 1, 2, 4), inputs=13):
    """Rates for inputs from -1 to 2 at once: weights, with a response of one for any rate."""
    rows = []
    for sigma in sigmas:
        lowest = Point(-1.0, 0.5 * sigma * sigma)
        cells = lowest.cells(MOST_CELLS)
        ends = {"grid_w_min": -1.125, "grid_w_max": 2.125, "grid_w_cells": inputs}
        result = runner.run(program, case(lowest, cells, model_input="0", model_response="1",
                                          **ends))
        for mu, firing, density in zip(result.w, result.firing_rate, result.weight_density):
            rate = exact.rate(mu, lowest.noise, 1.0, 0.0)
            rows.append({"mu": mu, "sigma": sigma, "cells": cells, "exact": rate,
                         "error": firing / density / rate - 1.0})
    return rows


def cells_needed(program, point, tolerance, ratio=1.1, further=3):
    """The fewest cells of a sequence from which on the error of the rate is so small.

    Errors change their sign, so that some more have to have it.
    """
    unit = point.cells(1)
    counts = [unit]
    while counts[-1] < MOST_SEARCHED:
        counts.append(max(counts[-1] + unit, point.cells(counts[-1] * ratio)))
    values = rates(program, [(point, count) for count in counts])
    enough = [abs(value / point.exact - 1.0) < tolerance for value in values]
    for place in range(len(counts) - further):
        if all(enough[place:place + 1 + further]):
            return counts[place]
    return None


# Inputs at the threshold and above, with less and less noise; the published ones come first.
LOW_NOISE = tuple((mu, sigma) for mu in (0.9, 1.0, 1.2, 2.0) for sigma in (0.1, 0.03, 0.01))


def low_noise(program):
    """Cells for three and six digits where sigma is far below the distance to threshold."""
    rows = NNMT_WEAK_NOISE_ABOVE_THRESHOLD + (NEST_AT_THRESHOLD, NEST_WITHOUT_NOISE)
    points = [("NNMT" if row in NNMT_WEAK_NOISE_ABOVE_THRESHOLD else "NEST", Point.of(row))
              for row in rows]
    points += [("", Point(mu, 0.5 * sigma * sigma)) for mu, sigma in LOW_NOISE]
    table = []
    for source, point in points:
        most = point.cells(MOST_CELLS)
        needed = [cells_needed(program, point, tolerance) for tolerance in (1e-3, 1e-6)]
        table.append({"source": source, "point": point, "needed": needed,
                      "error": rates(program, [(point, most)])[0] / point.exact - 1.0})
    return table


def unseen_layer(program, cells=250, peclets=(0.5, 1, 2, 4, 8, 16, 32, 100)):
    """The error over the cell Peclet number at the threshold, on one grid, for three inputs.

    Each on half as many cells, too.
    """
    rows = []
    for mu in (1.2, 1.5, 3.0):
        h = (1.0 + PART) / cells
        points = [Point(mu, h * (mu - 1.0) / peclet) for peclet in peclets]
        for point in points:
            # One axis for all: below V_R there is nothing in any of them.
            point.v_min = -PART
        coarse, fine = (rates(program, [(point, count) for point in points])
                        for count in (cells // 2, cells))
        for peclet, point, former, value in zip(peclets, points, coarse, fine):
            rows.append({"mu": mu, "peclet": peclet, "error": value / point.exact - 1.0,
                         "coarse_error": former / point.exact - 1.0,
                         "plain": point.plain_error(cells)})
    return rows


STUDIES = {"published": published, "low noise": low_noise, "unseen layer": unseen_layer}


def published_section(results):
    """Rates of other programs, and where they need more cells than usual."""
    rows = [[row["source"], *(f"{value:g}" for value in row["row"][:4]),
             f"{row['row'][6]:.9g}", row["cells"], number(row["error"])]
            for row in results["published"]]
    return "\n".join([
        "## Published rates\n",
        "Rates of LIF neurons with white noise from the public test data of NNMT (INM-6/nnmt,",
        "`tests/fixtures/unit/data/lif_delta_firing_rate.h5`, doubles) and NEST (nest-simulator,",
        "`testsuite/pytests/test_siegert_neuron.py`, 12 digits; the last row is the limit without",
        "noise, which its test compares to 1e-5), by `-steady` on at most 500 voltage cells.",
        "Units: V_R = 0, V_F = 1, the membrane time; a = (sigma/(V_th - V_0))^2/2. The refractory",
        "state of Engram has this mean; a steady rate depends on nothing else. `v_min` is where",
        "less than 1e-10 of the mass is left. Errors are relative. The quadrature of `exact.py`",
        "agrees with NNMT's rates to 1e-13, with NEST's to 2e-12, and with its limit to 7e-7.\n",
        table(["from", "mu [mV]", "sigma [mV]", "V_0", "V_th", "rate [Hz]", "cells", "error"],
              rows)])


def needed_cell(cells):
    """A count, or that there is none."""
    return f"more than {MOST_SEARCHED}" if cells is None else cells


def low_noise_section(results):
    """Cells that low noise needs."""
    rows = []
    for row in results["low noise"]:
        point = row["point"]
        peclet = [f"{point.peclet(cells)[0]:.2g}" if cells else "" for cells in row["needed"]]
        rows.append([row["source"], f"{point.mu:g}", f"{point.sigma:.3g}",
                     needed_cell(row["needed"][0]), peclet[0], needed_cell(row["needed"][1]),
                     peclet[1], number(row["error"])])
    return "\n".join([
        "## Cells for low noise\n",
        "Where sigma is far below |mu - V_F| and the drift crosses the threshold, p falls to zero",
        "in a layer of width a/|mu - V_F|. The fewest cells, to ten percent, for relative errors",
        "of 1e-3 and 1e-6, with the cell Peclet number h (mu - V_F)/a there, and the error on (at",
        "most) 500 cells; units as above.\n",
        table(["from", "mu", "sigma", "cells for 1e-3", "Peclet", "cells for 1e-6", "Peclet",
               "error at 500"], rows)])


def layer_section(results):
    """What is left of the error."""
    rows = results["unseen layer"]
    inputs = list(dict.fromkeys(row["mu"] for row in rows))
    peclets = list(dict.fromkeys(row["peclet"] for row in rows))
    by_place = {(row["mu"], row["peclet"]): row for row in rows}
    body = [[f"{peclet:g}"] + [f"{by_place[mu, peclet][name]:.2e}" for mu in inputs
                              for name in ("error", "plain")] for peclet in peclets]
    return "\n".join([
        "## What an unseen layer costs\n",
        "The relative error of the rate on 250 cells from -1/4 to 1, over the cell Peclet number q",
        "at the threshold, and what it would be with the plain sum for the mass. Values at the",
        "nodes are exact; their sum misses (q/2 coth(q/2) - 1) a/g^2 at the threshold, where",
        "g = mu - V_F, and has the same expression too much at the reset, where g = mu - V_R;",
        "q = h g/a. That is of fourth order where both layers are seen, and of first,",
        "r h (1/g_F - 1/g_R)/2, where they are not. The content of the last node has both, and what",
        "is left is of second order in h where a layer is not seen, however low the noise.\n",
        table(["q"] + [f"mu = {mu:g}, {name}" for mu in inputs
                       for name in ("error", "with a plain sum")], body)])


SECTIONS = (published_section, low_noise_section, layer_section)
