"""Studies of networks: blow-up, delayed oscillations, steady states and folds, the model family.

As in studies.py each function runs the program and returns rows of a table.
"""

import numpy

import exact
import limit_studies
import reference
import runner

# input/nnlif_blowup.yaml: one weight, too strong for a steady state.
BLOWUP = {
    **runner.PLAIN_EULER,
    "model_epsilon": 1,
    "model_input": "0",
    "model_response": "N",
    "model_plasticity": "false",
    "initial_density": "exp(-(v + 1)^2/(2*0.5))",
    "grid_v_cells": 480,
    "grid_w_min": 3,
    "grid_w_max": 3,
    "grid_w_cells": 1,
    "time_step": 0.0005,
    "time_end": 4,
}

# Ways to meet the blow-up: name, the refined settings from coarse to fine.
BLOWUP_WAYS = (
    ("fixed steps, rate beyond 1e4", "dt", (0.002, 0.001, 0.0005), {}),
    ("fixed steps, implicit coupling", "dt", (0.004, 0.002, 0.001, 0.0005),
     {"coupling": "implicit"}),
    ("adaptive, second order", "tolerance", (1e-3, 1e-4, 1e-5), {"time_scheme": "second-order"}),
    ("adaptive, third order", "tolerance", (1e-3, 1e-4, 1e-5), {"time_scheme": "third-order"}),
)


def blowup_case(refined, value, settings):
    """The case of one row of the table: fixed steps, or adaptive ones with a tolerance."""
    if refined == "dt":
        return dict(BLOWUP, **settings, time_step=value)
    return dict(BLOWUP, **settings, time_adaptive="true", time_tolerance=value)


def blowup_times(program):
    """Times of the blow-up for b = 3, found in different ways under refinement."""
    rows = []
    for name, refined, values, settings in BLOWUP_WAYS:
        results = runner.run_all(program, [blowup_case(refined, value, settings)
                                           for value in values], expect=3)
        rows.append({"way": name, "refined": refined, "settings": values, "results": results,
                     "times": [result.summary["blowup_time"] for result in results],
                     "steps": [result.summary["steps"] for result in results]})
    return rows


# The inhibitory network with a transmission delay of docs/theory.md: it oscillates for ever.
DELAYED = {
    **runner.PLAIN_EULER,
    "model_noise": 0.2,
    "model_epsilon": 1,
    "model_delay": 1,
    "model_input": "0",
    "model_response": "N",
    "model_plasticity": "false",
    "model_v_min": -3,
    "model_v_reset": 0,
    "model_v_threshold": 1,
    "grid_w_min": -45,
    "grid_w_max": -45,
    "grid_w_cells": 1,
    "initial_density": "exp(-(v + 1)^2/0.4)",
    "time_end": 25,
}

DELAYED_LEVELS = ((100, 0.04), (200, 0.02), (400, 0.01), (800, 0.005))


def oscillation(series, after=10.0):
    """Period, mean height and spread of the heights of the late maxima of a series."""
    times, rates = (numpy.array(series[name]) for name in ("time", "total_rate"))
    _, heights = reference.maxima_of(times, rates, after)
    return {"period": reference.period_of(times, rates, after), "maxima": heights.size,
            "height": float(heights.mean()), "spread": float(numpy.ptp(heights))}


def delayed_periods(program):
    """The period for refined h and dt together, and that of the independent program."""
    rows = []
    for scheme in ("euler", "second-order"):
        cases = [dict(DELAYED, grid_v_cells=cells, time_step=step, time_scheme=scheme)
                 for cells, step in DELAYED_LEVELS]
        found = [oscillation(result.series) for result in runner.run_all(program, cases)]
        periods = [each["period"] for each in found]
        rows.append({"scheme": scheme, "periods": periods, "found": found,
                     "orders": runner.orders_from_values(periods)})
    independent = [reference.period_of(*reference.delayed_network(steps_per_delay=steps,
                                                                  cells=cells), 10.0)
                   for steps, cells in ((200, 400), (400, 800))]
    return {"rows": rows, "independent": independent,
            "extrapolated": independent[1] + (independent[1] - independent[0]) / 3.0}


# Frozen single weights: -steady solves N = r(b N).
STEADY = {
    "model_epsilon": 1,
    "model_input": "0",
    "model_response": "N",
    "model_plasticity": "false",
    "model_v_min": -8,
    "grid_w_cells": 1,
    "initial_density": "exp(-(v + 1)^2)",
    "time_step": 1,
    "time_end": 1,
    "steady": "true",
}

STEADY_WEIGHTS = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.1, 2.2)


def single(weight, **changes):
    """The case of one single weight."""
    return dict(STEADY, grid_w_min=weight, grid_w_max=weight, **changes)


def steady_rows(program, cases, exact_states):
    """Steady states of the program beside pairs (N, slope) of the reference."""
    rows = []
    for result, states in zip(runner.run_all(program, cases), exact_states):
        table = result.tables["steady"]
        rows.append({"exact": states, "rates": table["total_rate"], "slopes": table["slope"],
                     "stable": table["stable"], "states": result.summary["steady_states"]})
    return rows


def steady_rates(program, cells=44800):
    """All steady states of the single-weight network for the weights of docs/theory.md."""
    rows = steady_rows(program, [single(weight, grid_v_cells=cells) for weight in STEADY_WEIGHTS],
                       [reference.network_steady_rates(weight) for weight in STEADY_WEIGHTS])
    return [dict(row, weight=weight) for weight, row in zip(STEADY_WEIGHTS, rows)]


FAMILY = (
    ("tau = 0.1", {"model_refractory": 0.1}, {"tau": 0.1}),
    ("tau = 0.5", {"model_refractory": 0.5}, {"tau": 0.5}),
    ("a = 1 + 0.1 N", {"model_noise": "1 + 0.1*N"}, {"noise": lambda n: 1.0 + 0.1 * n}),
)


def family_rates(program, weights=(-1.0, 0.5, 2.0), cells=5600):
    """Steady states with a refractory state, and with noise that grows with the rate."""
    settings = [(weight, *member) for weight in weights for member in FAMILY]
    rows = steady_rows(
        program, [single(weight, grid_v_cells=cells, **options)
                  for weight, _, options, _ in settings],
        [reference.network_steady_rates(weight, **words) for weight, _, _, words in settings])
    return [dict(row, weight=weight, member=name)
            for (weight, name, _, _), row in zip(settings, rows)]


def folds(program, cells=(100, 200, 400, 800)):
    """Folds of the branch of steady states, without refractory state and with one."""
    rows = []
    for tau in (0.0, 0.1):
        states = sorted(reference.fold_weights(tau=tau))
        cases = [single(0, grid_v_cells=count, model_refractory=tau,
                        steady_sweep="grid_w_min+grid_w_max:0:3:13") for count in cells]
        results = runner.run_all(program, cases)
        found = [sorted(zip(result.tables["folds"]["grid_w_min"],
                            result.tables["folds"]["total_rate"])) for result in results]
        for k, (weight, rate) in enumerate(states):
            errors = [each[k][0] - weight for each in found]
            rows.append({"tau": tau, "weight": weight, "rate": rate, "errors": errors,
                         "found_rate": found[-1][k][1], "cells": cells,
                         "counts": [len(each) for each in found], "results": results,
                         "orders": runner.orders_from_errors(errors)})
    return rows


# The learned steady state by -steady: the limit model until the weights rest.
LEARNED = {
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "exp(-(w - 0.3)^2/0.02)",
    "grid_w_min": 0,
    "grid_w_max": 1,
    "time_step": 0.01,
    "time_end": 60,
    "steady": "true",
}


def learned_rest(program, levels=(25, 50, 100, 200)):
    """Errors of the learned steady state for refined dw, both orders, extrapolated to h = 0."""
    known, _ = exact.learned_state()
    rows = []
    for order in (1, 2):
        cases = [dict(LEARNED, transport_order=order, grid_w_cells=cells, grid_v_cells=v_cells)
                 for cells in levels for v_cells in (120, 240)]
        results = runner.run_all(program, cases)
        coarse, fine = results[::2], results[1::2]
        errors = [(4.0 * b.total_rate - a.total_rate) / 3.0 - known for a, b in zip(coarse, fine)]
        rows.append({"order": order, "cells": levels, "errors": errors, "results": fine,
                     "orders": runner.orders_from_errors(errors)})
    return {"exact": known, "rows": rows}


def series_for_picture(program):
    """Series of a strongly inhibitory and of a delayed network, and finer bifurcation tables."""
    inhibited = [dict(limit_studies.INHIBITED, model_epsilon=1e-6, coupling=coupling, time_end=0.3)
                 for coupling in ("lagged", "implicit")]
    sweeps = [single(0, grid_v_cells=400, model_refractory=tau,
                     steady_sweep="grid_w_min+grid_w_max:0:3:61") for tau in (0.0, 0.1)]
    delayed = dict(DELAYED, grid_v_cells=400, time_step=0.01, time_scheme="second-order")
    lagged, implicit, plain, refractory, periodic = runner.run_all(
        program, [*inhibited, *sweeps, delayed])
    return {"lagged": lagged.series["total_rate"], "implicit": implicit.series["total_rate"],
            "bifurcation": {0.0: plain.tables["bifurcation"],
                            0.1: refractory.tables["bifurcation"]},
            "delayed": (periodic.series["time"], periodic.series["total_rate"]),
            "independent": reference.delayed_network()}
