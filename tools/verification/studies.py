"""The verification studies: each runs the program and returns rows of a table.

The tests assert on the rows; tables.py writes them to docs/verification.md. Cases are small enough
for two cores and some seconds each.
"""

import numpy

import exact
import runner

# One neuron, or a network with one weight: frozen, with steps so long that each is a steady state
# for the total rate of the step before.
SINGLE_WEIGHT = {
    **runner.PLAIN_EULER,
    "model_epsilon": 1,
    "model_plasticity": "false",
    "model_v_min": -10,
    "grid_w_cells": 1,
    "time_step": 50,
    "time_end": 5000,
    "initial_density": "exp(-(v + 1)^2)",
    "output_series_every": 100,
}

# A learning network with the closed form of docs/theory.md.
LEARNING = {
    **runner.PLAIN_EULER,
    "model_epsilon": 0.1,
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "exp(-(w - 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)",
    "grid_w_min": 0,
    "grid_w_max": 1,
    "transport_order": 1,
}

# The same on its way, from data that are smooth at both ends of the weight axis. No flux crosses
# v_min + h/2, an error of first order in h where there is density: -7 leaves none that shows.
TRANSIENT = dict(LEARNING, initial_density="(1 + cos(2*pi*(w - 0.5)))*exp(-(v + 1)^2/0.5)",
                 model_v_min=-7, grid_v_cells=54, grid_w_cells=32, time_step=0.002, time_end=0.2)

# [-10, 2] with V_R = 1: the node of V_R asks for multiples of 12. Few cells for the steady rates of
# linear neurons, which are of sixth order: with more the errors are those of the quadrature.
V_LEVELS = {2: (48, 96, 192), 6: (24, 48, 96)}


def rate_row(program, name, value, reference, expected, options):
    """Errors of the steady rate of one neuron or network for refined h, and their orders."""
    results = runner.run_all(program, [dict(SINGLE_WEIGHT, grid_v_cells=cells, **options)
                                       for cells in V_LEVELS[expected]])
    errors = [result.total_rate - reference for result in results]
    return {name: value, "exact": reference, "errors": errors, "expected": expected,
            "orders": runner.orders_from_errors(errors)}


def uncoupled_rates(program, expected=6, **options):
    """Rate r(mu) of an uncoupled neuron against the Siegert integral, for refined h."""
    return [rate_row(program, "mu", mu, exact.rate(mu), expected,
                     {"model_input": mu, "model_response": "0", "grid_w_min": 0, "grid_w_max": 0,
                      **options}) for mu in (-1, 0, 1, 3)]


def second_order_rates(program):
    """The same with the Scharfetter-Gummel flux of the literature."""
    return uncoupled_rates(program, 2, grid_v_order=2)


def harmonic_rates(program):
    """The same with the harmonic flux, which is of second order."""
    return uncoupled_rates(program, 2, model_flux="harmonic")


def single_weight_rates(program):
    """Steady rate of the single-weight network, N = r(b N), for refined h."""
    return [rate_row(program, "b", b, exact.single_weight_rate(b), 6,
                     {"grid_w_min": b, "grid_w_max": b}) for b in (-1, 0.5, 1.5)]


def structure(program, solver_types=("gth", "lu"), w_cells=64):
    """Mass error and smallest density over 1,000 steps, for slices solved in different ways."""
    rows = []
    for solver in solver_types:
        for epsilon in (1, 1e-4, 1e-8, 1e-12):
            result = runner.run(program, dict(LEARNING, model_epsilon=epsilon, grid_v_cells=480,
                                              grid_w_cells=w_cells, time_step=0.002, time_end=2,
                                              slice_pc_type=solver, output_series_every=10))
            rows.append({"solver": solver, "epsilon": epsilon,
                         "mass_error": max(abs(x) for x in result.series["mass_error"]),
                         "min_density": min(result.series["min_density"]),
                         "total_rate": result.total_rate})
    return rows


def learned_state(program, levels=(50, 100, 200, 400)):
    """The learned steady state against its closed form, for refined dw."""
    reference, largest_weight = exact.learned_state()
    rows = []
    for cells in levels:
        result = runner.run(program, dict(LEARNING, grid_v_cells=240, grid_w_cells=cells,
                                          time_end=20, time_step=0.4 / cells,
                                          output_series_every=1000))
        firing = result.firing_rate
        variation = numpy.abs(numpy.diff(firing)).sum() + abs(firing[0]) + abs(firing[-1])
        rows.append({"cells": cells, "total_rate": result.total_rate,
                     "error": result.total_rate - reference,
                     "variation": variation / firing.max(),
                     "edge": result.w[firing > 0.5 * firing.max()].max(),
                     "slope_error": slope_error(result, largest_weight)})
    orders = runner.orders_from_errors([row["error"] for row in rows])
    return {"exact": reference, "largest_weight": largest_weight, "rows": rows, "orders": orders}


def slope_error(result, largest_weight):
    """Largest deviation of N(w) K Nbar / w from one, well inside the support of the weights."""
    inside = (result.w > 0.2 * largest_weight) & (result.w < 0.9 * largest_weight)
    shape = result.firing_rate[inside] * result.total_rate / result.w[inside]
    return float(numpy.abs(shape - 1.0).max())


def transient_orders(program):
    """Observed orders in h, dt and dw of Nbar on a learning transient, from differences."""
    refinements = {
        "h": [{"grid_v_cells": 27 * 2**k} for k in range(4)],
        "dt": [{"time_step": 0.004 / 2**k} for k in range(5)],
        "dw": [{"grid_w_cells": 32 * 2**k, "time_step": 0.0005} for k in range(5)],
    }
    table = {}
    for name, changes in refinements.items():
        values = [runner.run(program, dict(TRANSIENT, **change)).total_rate for change in changes]
        table[name] = {"values": values, "orders": runner.orders_from_values(values)}
    return table
