"""Studies of the fourth order in the potential, on data that are not prepared for it.

Orders between halvings of h on learning networks far from rest, errors against the independent
program, and the rate of the initial density. As in studies.py each function runs the program and
returns rows of a table.
"""

import math

import numpy

import method_of_lines
import runner

# Potentials far from quasi-static, with a slope at V_F, so that neurons fire from the beginning.
# Next to nothing is below -6: what does not cross the lower end makes an error of order one there.
# Steps in time are the same on all grids, but for the first ones after a start or a jump.
UNPREPARED = {
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "model_v_min": -7,
    "initial_density": "w*(1 - w)^2*(2 - v)*exp(-(v + 0.5)^2)",
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_w_cells": 12,
    "time_scheme": "third-order",
    "coupling": "implicit",
    "coupling_tolerance": 1e-13,
    "transport_order": 1,
}

FAMILY = {"model_response": "N", "model_delay": 1, "model_refractory": 0.5,
          "model_noise": "0.5 + 0.3*N", "initial_rate": 0.3}

# Name, options, cells of the coarsest grid. The delayed case ends after its first echo, at which
# drift and noise jump.
CASES = (
    ("eps = 1", {"model_epsilon": 1, "time_end": 0.4, "time_step": 0.04,
                 "model_input": "1 + 0.5*sin(5*t)"}, 72),
    ("eps = 0.1", {"model_epsilon": 0.1, "time_end": 0.1, "time_step": 0.01}, 72),
    ("eps = 1e-3", {"model_epsilon": 1e-3, "time_end": 0.1, "time_step": 0.001}, 72),
    ("eps = 0.1, input jumps", {"model_epsilon": 0.1, "time_end": 0.1, "time_step": 0.01,
                                "model_input": "t < 0.05 ? 1 : 2.5", "model_response": "0"}, 72),
    ("eps = 0.1, drift and learning by w",
     {"model_epsilon": 0.1, "time_end": 0.1, "time_step": 0.01, "model_input": "1 + 2*w",
      "model_learning": "10*(1 - w)"}, 72),
    ("eps = 0.1, refractory, delay, noise(N)",
     dict(FAMILY, model_epsilon=0.1, time_end=0.15, time_step=0.0075,
          initial_density="w*(1 - w)^2*(2 - v)*exp(-(v - 0.5)^2)"), 144),
)

QUANTITIES = ("N", "H", "Nbar", "p")


def distances(coarse, fine):
    """L1 distances of N(w), H(w), Nbar and p of two grids that share every node of the first."""
    dw, h = coarse.w[1] - coarse.w[0], coarse.v[1] - coarse.v[0]
    shared = fine.density if fine.density.shape == coarse.density.shape else fine.density[1::2]
    return {"N": dw * numpy.abs(coarse.firing_rate - fine.firing_rate).sum(),
            "H": dw * numpy.abs(coarse.weight_density - fine.weight_density).sum(),
            "Nbar": abs(coarse.total_rate - fine.total_rate),
            "p": dw * h * numpy.abs(coarse.density - shared).sum()}


def potential_orders(program, levels=3):
    """Differences between grids, their orders, and what the steps in time make of the last ones.

    Errors in time are the same on all grids, as the steps are, and leave no more of themselves in a
    difference of grids than half as long steps change of it.
    """
    rows = []
    for name, options, cells in CASES:
        case = dict(UNPREPARED, **options)
        grids = [cells * 2**k for k in range(levels)]
        halved = dict(case, time_step=0.5 * case["time_step"])
        results = runner.run_all(program, [dict(case, grid_v_cells=count) for count in grids]
                                 + [dict(halved, grid_v_cells=count) for count in grids[-2:]])
        steps = [distances(*pair) for pair in zip(results[:levels], results[1:levels])]
        again = distances(*results[-2:])
        differences = {quantity: [step[quantity] for step in steps] for quantity in QUANTITIES}
        rows.append({"case": name, "cells": grids, "differences": differences,
                     "in_time": {quantity: abs(again[quantity] / values[-1] - 1.0)
                                 for quantity, values in differences.items()},
                     "orders": {quantity: runner.orders_from_errors(values)
                                for quantity, values in differences.items()}})
    return rows


# Against the independent program, whose initial density is normalised by the plain sum over the
# nodes: of second order, since the density vanishes at V_F.
INDEPENDENT = dict(UNPREPARED, model_v_min=-4, grid_w_cells=8,
                   initial_density="w*(1 - w)^2*(2 - v)^4*exp(-v^2)")

INDEPENDENT_CASES = (
    ("eps = 0.1", {"model_epsilon": 0.1, "time_end": 0.1, "time_step": 0.01}),
    ("eps = 0.1, slope at V_F, input 1 + sin(20 t)/2",
     {"model_epsilon": 0.1, "time_end": 0.1, "time_step": 0.01,
      "model_input": "1 + 0.5*sin(20*t)",
      "initial_density": "w*(1 - w)^2*(2 - v)*exp(-(v - 0.5)^2)"}),
    ("eps = 0.1, refractory, delay, noise(N)",
     dict(FAMILY, model_epsilon=0.1, model_delay=0.5, time_end=0.12, time_step=0.01)),
    ("eps = 1e-3, input 1 + sin(50 t)/2",
     {"model_epsilon": 1e-3, "time_end": 0.02, "time_step": 0.002,
      "model_input": "1 + 0.5*sin(50*t)"}),
)

# Cells of the independent program, of second order, and of the runs.
INDEPENDENT_CELLS = (90, 180, 360)
COMPARED_CELLS = (60, 96)


def independent_values(case):
    """N(w), H(w), Nbar by the independent program: all by Richardson from three grids.

    Returns the values of h -> 0, and by how much N(w) of h^2 alone from the two finest grids is
    farther from those of the two coarsest, relative.
    """
    found = []
    for cells in INDEPENDENT_CELLS:
        solution = method_of_lines.solve(dict(case, grid_v_cells=cells), [case["time_end"]],
                                         rtol=1e-9, atol=1e-11)
        found.append({"N": solution.firing_rate[-1], "H": solution.weight_density[-1],
                      "Nbar": solution.total_rate[-1]})
    once = [{name: (4.0 * fine[name] - coarse[name]) / 3.0 for name in fine}
            for coarse, fine in zip(found, found[1:])]
    doubt = relative_distance(once[0]["N"], once[1]["N"])
    return {name: (16.0 * once[1][name] - once[0][name]) / 15.0 for name in once[0]}, doubt


def relative_distance(values, known):
    """In L1, relative to the known ones."""
    return float(numpy.abs(values - known).sum() / numpy.abs(known).sum())


def against_independent(program):
    """Relative errors of N(w) and H(w) in L1 and of Nbar, on few cells."""
    rows = []
    for name, options in INDEPENDENT_CASES:
        case = dict(INDEPENDENT, **options)
        known, doubt = independent_values(case)
        results = runner.run_all(program, [dict(case, grid_v_cells=cells)
                                           for cells in COMPARED_CELLS])
        for cells, result in zip(COMPARED_CELLS, results):
            rows.append({"case": name, "cells": cells, "exact": float(known["Nbar"]),
                         "doubt": doubt,
                         "N": relative_distance(result.firing_rate, known["N"]),
                         "H": relative_distance(result.weight_density, known["H"]),
                         "Nbar": abs(result.total_rate / float(known["Nbar"]) - 1.0)})
    return rows


def initial_rate():
    """-dp/dv at V_F of C (2 - v) exp(-(v - 1/2)^2) with unit mass above -7."""
    mass = 0.75 * math.sqrt(math.pi) * (math.erf(1.5) + math.erf(7.5)) \
        + 0.5 * (math.exp(-2.25) - math.exp(-56.25))
    return math.exp(-2.25) / mass


def initial_rates(program, levels=4, cells=45):
    """Errors of Nbar in row 0 of the series, relative to -a dp/dv at V_F."""
    rows = []
    for name, noise, member in (("a = 1", 1.0, {}), ("a = 0.6", 0.6, {}),
                                ("a = 0.6, refractory", 0.6, {"model_refractory": 0.5})):
        known = noise * initial_rate()
        cases = [dict(UNPREPARED, **member, model_noise=noise, grid_v_cells=cells * 2**k,
                      initial_density="w*(1 - w)^2*(2 - v)*exp(-(v - 0.5)^2)",
                      time_step=1e-4, time_end=1e-4) for k in range(levels)]
        errors = [result.series["total_rate"][0] / known - 1.0
                  for result in runner.run_all(program, cases)]
        rows.append({"case": name, "exact": known, "cells": [cells * 2**k for k in range(levels)],
                     "errors": errors, "orders": runner.orders_from_errors(errors)})
    return rows
