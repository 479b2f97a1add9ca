"""Studies of networks: blow-up, delayed oscillations, steady states and folds, the model family.

As in studies.py each function runs the program and returns rows of a table.
"""

import functools

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
    "model_v_min": -5,
    "model_v_reset": 0,
    "model_v_threshold": 1,
    "grid_w_min": -45,
    "grid_w_max": -45,
    "grid_w_cells": 1,
    "initial_density": "exp(-(v + 1)^2/0.4)",
    "time_end": 40,
}

# The density jumps at V_F at first; the oscillation forgets half of that in each period.
DELAYED_SETTLED = 24.0

DELAYED_STEPS = (0.04, 0.02, 0.01, 0.005)
DELAYED_CELLS = (60, 120, 240, 480)


def oscillation(series, after=DELAYED_SETTLED):
    """Period, mean height and spread of the heights of the late maxima of a series."""
    times, rates = (numpy.array(series[name]) for name in ("time", "total_rate"))
    _, heights = reference.maxima_of(times, rates, after)
    return {"period": reference.period_of(times, rates, after), "maxima": heights.size,
            "height": float(heights.mean()), "spread": float(numpy.ptp(heights))}


@functools.cache
def independent_delayed():
    """Times and rates of the independent program, of second order: coarse, and twice as fine."""
    return [reference.delayed_network(time_end=DELAYED["time_end"], steps_per_delay=steps, cells=cells,
                                      v_min=-5.0)
            for steps, cells in ((200, 600), (400, 1200))]


def delayed_periods(program):
    """The period for refined dt, for refined h, and that of the independent program."""
    rows = []
    refined = [(scheme, "dt", DELAYED_STEPS, expected,
                [{"time_scheme": scheme, "grid_v_cells": 120, "time_step": step}
                 for step in DELAYED_STEPS])
               for scheme, expected in (("euler", 1), ("second-order", 2))]
    refined.append(("third-order", "h", DELAYED_CELLS, 4,
                    [{"time_scheme": "third-order", "coupling": "implicit", "time_step": 0.0025,
                      "grid_v_cells": cells} for cells in DELAYED_CELLS]))
    for scheme, halved, levels, expected, changes in refined:
        results = runner.run_all(program, [dict(DELAYED, **change) for change in changes])
        found = [oscillation(result.series) for result in results]
        periods = [each["period"] for each in found]
        rows.append({"scheme": scheme, "halved": halved, "levels": levels, "expected": expected,
                     "periods": periods, "found": found,
                     "orders": runner.orders_from_values(periods)})
    independent = [reference.period_of(*series, DELAYED_SETTLED) for series in independent_delayed()]
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


def steady_rates(program, cells=800):
    """All steady states of the single-weight network for the weights of docs/theory.md."""
    rows = steady_rows(program, [single(weight, grid_v_cells=cells) for weight in STEADY_WEIGHTS],
                       [reference.network_steady_rates(weight) for weight in STEADY_WEIGHTS])
    return [dict(row, weight=weight) for weight, row in zip(STEADY_WEIGHTS, rows)]


FAMILY = (
    ("tau = 0.1", {"model_refractory": 0.1}, {"tau": 0.1}),
    ("tau = 0.5", {"model_refractory": 0.5}, {"tau": 0.5}),
    ("a = 1 + 0.1 N", {"model_noise": "1 + 0.1*N"}, {"noise": lambda n: 1.0 + 0.1 * n}),
)


def family_rates(program, weights=(-1.0, 0.5, 2.0), cells=800):
    """Steady states with a refractory state, and with noise that grows with the rate."""
    settings = [(weight, *member) for weight in weights for member in FAMILY]
    rows = steady_rows(
        program, [single(weight, grid_v_cells=cells, **options)
                  for weight, _, options, _ in settings],
        [reference.network_steady_rates(weight, **words) for weight, _, _, words in settings])
    return [dict(row, weight=weight, member=name)
            for (weight, name, _, _), row in zip(settings, rows)]


def folds(program, cells=(40, 80, 160)):
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
    """Errors of the learned steady state for refined dw, both orders; those of h are below 1e-6."""
    known, _ = exact.learned_state()
    rows = []
    for order in (1, 2):
        results = runner.run_all(program, [
            dict(LEARNED, transport_order=order, grid_w_cells=cells, grid_v_cells=60)
            for cells in levels])
        errors = [result.total_rate - known for result in results]
        rows.append({"order": order, "cells": levels, "errors": errors, "results": results,
                     "orders": runner.orders_from_errors(errors)})
    return {"exact": known, "rows": rows}


def series_for_picture(program):
    """Series of a strongly inhibitory and of a delayed network, and finer bifurcation tables."""
    inhibited = [dict(limit_studies.INHIBITED, model_epsilon=1e-6, coupling=coupling, time_end=0.3)
                 for coupling in ("lagged", "implicit")]
    sweeps = [single(0, grid_v_cells=160, model_refractory=tau,
                     steady_sweep="grid_w_min+grid_w_max:0:3:61") for tau in (0.0, 0.1)]
    delayed = dict(DELAYED, grid_v_cells=120, time_step=0.01, time_scheme="second-order")
    lagged, implicit, plain, refractory, periodic = runner.run_all(
        program, [*inhibited, *sweeps, delayed])
    return {"lagged": lagged.series["total_rate"], "implicit": implicit.series["total_rate"],
            "bifurcation": {0.0: plain.tables["bifurcation"],
                            0.1: refractory.tables["bifurcation"]},
            "delayed": (periodic.series["time"], periodic.series["total_rate"]),
            "independent": reference.delayed_network()}
