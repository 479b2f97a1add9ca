"""Studies of the limit eps -> 0 and of the coupling: asymptotic preservation, strong inhibition.

As in studies.py each function runs the program and returns rows of a table.
"""

import numpy

import reference
import runner

# A learning network from quasi-static data; the scalar equation is solved to round-off.
LEARNING = {
    **runner.PLAIN_EULER,
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "1 + cos(2*pi*(w - 0.5))",
    "initial_quasi_static": "true",
    "coupling": "implicit",
    "coupling_tolerance": 1e-14,
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_v_cells": 60,
    "grid_w_cells": 50,
    "transport_order": 1,
    "time_step": 0.005,
    "time_end": 0.15,
}

# Ten decades down to 1e-12 by which the difference must fall, and then to the smallest doubles.
EPSILONS = tuple(10.0**-k for k in range(1, 13)) + (1e-14, 1e-16, 1e-50, 1e-300)


def approach(program, epsilons=EPSILONS):
    """|Nbar(eps) - Nbar(0)| on one grid with one step, transport of first order."""
    rows = []
    for scheme in ("euler", "second-order", "third-order"):
        for transport in ("explicit", "implicit"):
            settings = {"time_scheme": scheme, "transport_time": transport}
            limit, *results = runner.run_all(program, [
                dict(LEARNING, **settings, model_epsilon=epsilon) for epsilon in (0.0, *epsilons)])
            rows.append({"settings": f"{scheme}, {transport}", "epsilons": epsilons,
                         "limit": limit.total_rate,
                         "differences": [abs(result.total_rate - limit.total_rate)
                                         for result in results]})
    return rows


def plateau(program, cells=(25, 50, 100, 200), steps=(0.002, 0.001, 0.0005), epsilon=1e-16):
    """Where |Nbar(eps) - Nbar(0)| levels off with transport of second order, over dw and over dt.

    The limiter acts on p for eps > 0, and on the weights H alone for eps = 0: two schemes of second
    order of the same limit. No step is so long that the transport divides it: rates after a part
    of it have travelled with the neurons for eps > 0, and follow from the weights alone for eps = 0.
    """
    def differences(changes):
        base = dict(LEARNING, transport_order=2, time_scheme="second-order")
        cases = [dict(base, model_epsilon=each, **change)
                 for change in changes for each in (epsilon, 0.0)]
        values = [result.total_rate for result in runner.run_all(program, cases)]
        return [abs(near - limit) for near, limit in zip(values[::2], values[1::2])]

    over_cells = differences([{"grid_w_cells": count, "time_step": 0.0005} for count in cells])
    return {"cells": cells, "over_cells": over_cells,
            "orders": runner.orders_from_errors(over_cells),
            "steps": steps, "over_steps": differences([{"time_step": step} for step in steps])}


def cosine(w):
    """The distribution of weights of LEARNING."""
    return 1.0 + numpy.cos(2.0 * numpy.pi * (w - 0.5))


DECAY_EPSILONS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9, 1e-12, 0.0)
DECAY_LEVELS = ((30, 25, 0.04), (60, 50, 0.02), (120, 100, 0.01))


def uniform_errors(program):
    """Nbar at t = 1 of a network that does not learn, minus the exact limit, over eps and grids."""
    exact = reference.limit_total_rate(1.0, cosine, (0.0, 1.0), response=reference.saturating)
    rows = []
    for v_cells, w_cells, step in DECAY_LEVELS:
        cases = [dict(LEARNING, model_learning=0, model_epsilon=epsilon, transport_order=2,
                      time_scheme="second-order", time_end=1, grid_v_cells=v_cells,
                      grid_w_cells=w_cells, time_step=step) for epsilon in DECAY_EPSILONS]
        rows.append({"v_cells": v_cells, "w_cells": w_cells, "step": step,
                     "errors": [result.total_rate - exact
                                for result in runner.run_all(program, cases)]})
    return {"exact": exact, "rows": rows}


# One strongly inhibitory weight under a large input: the slope of the scalar equation is -5.7.
INHIBITED = {
    **runner.PLAIN_EULER,
    "model_input": "4",
    "model_response": "N",
    "model_plasticity": "false",
    "model_v_min": -24,
    "grid_v_cells": 208,
    "grid_w_min": -20,
    "grid_w_max": -20,
    "grid_w_cells": 1,
    "initial_density": "exp(-(v + 1)^2/0.5)",
    "time_step": 0.01,
    "time_end": 1,
}

INHIBITED_EPSILONS = (1.0, 1e-1, 1e-2, 1e-4, 1e-6, 1e-9, 0.0)


def late_range(result, rows=20):
    """Smallest and largest total rate of the last rows of the series."""
    late = result.series["total_rate"][-rows:]
    return min(late), max(late)


def strong_inhibition(program):
    """Range of Nbar long after the start, for both couplings and falling eps."""
    (exact, slope), = reference.network_steady_rates(-20.0, current=4.0)
    rows = []
    for coupling in ("lagged", "implicit"):
        # With eps = 1 the network itself needs some time to come to rest.
        cases = [dict(INHIBITED, model_epsilon=epsilon, coupling=coupling,
                      time_end=8 if epsilon == 1.0 else 1) for epsilon in INHIBITED_EPSILONS]
        for epsilon, result in zip(INHIBITED_EPSILONS, runner.run_all(program, cases)):
            lowest, highest = late_range(result)
            rows.append({"coupling": coupling, "epsilon": epsilon, "lowest": lowest,
                         "highest": highest,
                         "iterations": max(result.series["coupling_iterations"])})
    return {"exact": exact, "slope": slope, "rows": rows}


def inhibited_grids(program, cells=(26, 52, 104)):
    """Errors of the implicit coupling in the same case and in a bump of weights, for refined h."""
    cases = [dict(INHIBITED, model_epsilon=1e-6, coupling="implicit", grid_v_cells=count)
             for count in cells]
    bump = {"grid_w_min": -20, "grid_w_max": -10, "grid_w_cells": 64,
            "initial_density": "exp(-(w + 15)^2/2)*exp(-(v + 1)^2/0.5)"}
    (single, _), = reference.network_steady_rates(-20.0, current=4.0)
    (many, _), = reference.implicit_roots(lambda w: numpy.exp(-(w + 15.0)**2 / 2.0),
                                          (-20.0, -10.0), current=4.0)
    rows = []
    for name, exact, changes in (("w = -20", single, {}), ("w from -20 to -10", many, bump)):
        errors = [result.total_rate - exact
                  for result in runner.run_all(program, [dict(case, **changes) for case in cases])]
        rows.append({"weights": name, "exact": exact, "cells": cells, "errors": errors,
                     "orders": runner.orders_from_errors(errors)})
    return rows


def lagged_threshold(program, weights=(-1.0, -1.2, -1.4, -1.6)):
    """Late range of the lagged coupling at eps = 1e-9, beside the slope of G at its root.

    One step is then one turn of the fixed-point iteration N = G(N), which converges for |G'| < 1.
    """
    cases = [dict(INHIBITED, model_epsilon=1e-9, grid_w_min=weight, grid_w_max=weight,
                  time_step=0.001) for weight in weights]
    rows = []
    for weight, result in zip(weights, runner.run_all(program, cases)):
        (exact, slope), = reference.network_steady_rates(weight, current=4.0)
        lowest, highest = late_range(result)
        rows.append({"weight": weight, "exact": exact, "slope": slope, "lowest": lowest,
                     "highest": highest})
    return rows
