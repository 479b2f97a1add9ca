"""Studies of the scheme itself: orders in h, dw and dt, mass and sign for any step, entropy.

As in studies.py each function runs the program and returns rows of a table.
"""

import itertools

import numpy

import exact
import reference
import runner

# A learning network on its way. Density and flux at V_F are below 1e-7, so that N(t) starts
# without a layer; in w they are skew: the errors of even data cancel in Nbar. At v_min, where the
# grid ends half a cell late, an error of first order in h, there is no density that shows.
WEIGHTS = "w*(1 - w)^2"
TRANSIENT = {
    **runner.PLAIN_EULER,
    "model_epsilon": 0.1,
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": WEIGHTS + "*exp(-(v + 1)^2/0.5)",
    "grid_w_min": 0,
    "grid_w_max": 1,
    "model_v_min": -7,
    "grid_v_cells": 54,
    "grid_w_cells": 40,
    "time_end": 0.15,
}

SECOND_ORDER = {"time_scheme": "second-order", "coupling": "implicit", "transport_order": 2}

FLUXES = ("scharfetter-gummel", "harmonic")
TRANSPORTS = ("explicit", "implicit")
COUPLINGS = ("lagged", "implicit")
SCHEMES = ("euler", "second-order")
ALL_SCHEMES = SCHEMES + ("third-order",)


def weights_of_transient(w):
    """The distribution of weights of the transient, for the references."""
    return w * (1.0 - w)**2


def order_row(program, halved, settings, changes, expected, options):
    """Nbar for a list of changes, and the orders of its differences."""
    values = [result.total_rate
              for result in runner.run_all(program, [dict(TRANSIENT, **options, **change)
                                                     for change in changes])]
    return {"halved": halved, "settings": settings, "values": values, "expected": expected,
            "orders": runner.orders_from_values(values)}


def time_orders(program, levels=6):
    """Observed orders in dt, for each scheme, transport and coupling."""
    changes = [{"time_step": 0.005 / 2**k} for k in range(levels)]
    return [order_row(program, "dt", f"{scheme}, transport {transport}, coupling {coupling}",
                      changes, 2 if scheme == "second-order" else 1,
                      {"time_scheme": scheme, "transport_time": transport, "coupling": coupling,
                       "transport_order": 2})
            for scheme in SCHEMES for transport in TRANSPORTS for coupling in COUPLINGS]


# Name, order and options of the fluxes in v.
POTENTIALS = (("fourth order", 4, {}), ("scharfetter-gummel", 2, {"grid_v_order": 2}),
              ("harmonic", 2, {"model_flux": "harmonic"}))


def potential_orders(program, levels=4):
    """Observed orders in h, for all fluxes."""
    changes = [{"grid_v_cells": 36 * 2**k} for k in range(levels)]
    return [order_row(program, "h", f"flux {name}", changes, order,
                      dict(SECOND_ORDER, time_step=0.0025, grid_w_cells=20, **options))
            for name, order, options in POTENTIALS]


def weight_orders(program, levels=5):
    """Observed orders in dw of Nbar, and of N(w) in the mean over w.

    N(w) of one grid is compared with the averages of N(w) of the next over the same cells.
    """
    rows = []
    for order in (1, 2):
        for transport in TRANSPORTS:
            cases = [dict(TRANSIENT, grid_w_cells=20 * 2**k, time_step=0.0005,
                          transport_order=order, transport_time=transport)
                     for k in range(levels)]
            results = runner.run_all(program, cases)
            values = [result.total_rate for result in results]
            rates = [result.firing_rate for result in results]
            distances = [numpy.abs(coarse - 0.5 * (fine[::2] + fine[1::2])).mean()
                         for coarse, fine in zip(rates, rates[1:])]
            rows.append({"halved": "dw", "settings": f"order {order}, transport {transport}",
                         "values": values, "orders": runner.orders_from_values(values),
                         "distances": distances, "expected": order,
                         "mean_orders": runner.orders_from_errors(distances)})
    return rows


# Cells of v, cells of w, dt of the limit model, dt for eps = 0.1, halved together.
LEVELS = ((54, 50, 0.02, 0.004), (108, 100, 0.01, 0.002), (216, 200, 0.005, 0.001),
          (432, 400, 0.0025, 0.0005))


def second_order_limit(program, transport="explicit"):
    """All steps halved at once for eps = 0, against characteristics: relative errors of Nbar."""
    known = reference.characteristic_reference([TRANSIENT["time_end"]], weights_of_transient)[0]
    cases = [dict(TRANSIENT, **SECOND_ORDER, model_epsilon=0, transport_time=transport,
                  grid_v_cells=v_cells, grid_w_cells=w_cells, time_step=step)
             for v_cells, w_cells, step, _ in LEVELS]
    values = [result.total_rate for result in runner.run_all(program, cases)]
    errors = [value / known - 1.0 for value in values]
    return {"exact": known, "values": values, "errors": errors,
            "orders": runner.orders_from_errors(errors)}


def second_order_transient(program, transport="explicit"):
    """The same for eps = 0.1, against the value extrapolated from the two finest grids."""
    cases = [dict(TRANSIENT, **SECOND_ORDER, transport_time=transport,
                  grid_v_cells=v_cells, grid_w_cells=w_cells, time_step=step)
             for v_cells, w_cells, _, step in LEVELS]
    values = [result.total_rate for result in runner.run_all(program, cases)]
    known = values[-1] + (values[-1] - values[-2]) / 3.0
    return {"exact": known, "values": values,
            "errors": [value / known - 1.0 for value in values],
            "orders": runner.orders_from_values(values)}


# Weights and learning of both signs.
STRUCTURE = {
    **runner.PLAIN_EULER,
    "model_input": "1 + 0.5*w",
    "model_response": "N/(1 + N)",
    "model_learning": "1 - 2*w",
    "initial_density": "(1 + w)*exp(-(v + 1)^2/0.5)",
    "grid_w_min": -0.5,
    "grid_w_max": 0.5,
    "grid_v_cells": 30,
    "grid_w_cells": 5,
}

STEPS = (1e-4, 1e-2, 1.0, 1e2, 1e4)
EPSILONS = (1.0, 1e-3, 1e-6, 1e-12, 0.0)


def is_refused(epsilon, scheme, coupling):
    """What the program refuses by design of the lagged coupling."""
    is_too_much = scheme == "third-order" or (epsilon == 0.0 and scheme == "second-order")
    return coupling == "lagged" and is_too_much


def structure_case(combination):
    """The case of one step, eps, transport, order, scheme and coupling."""
    step, epsilon, transport, order, scheme, coupling = combination
    # The longest explicit steps are a hundred thousand sub-steps each: one of them is enough.
    count = 1 if step == STEPS[-1] and transport == "explicit" else 4
    return dict(STRUCTURE, time_step=step, time_end=count * step, model_epsilon=epsilon,
                transport_time=transport, transport_order=order, time_scheme=scheme,
                coupling=coupling)


def structure_combinations(is_sample=False):
    """The product of steps, eps and settings; as a sample each setting with each step and eps once."""
    settings = list(itertools.product(TRANSPORTS, (1, 2), ALL_SCHEMES, COUPLINGS))
    return [(step, epsilon, *setting)
            for (i, step), (j, epsilon), (k, setting) in itertools.product(
                enumerate(STEPS), enumerate(EPSILONS), enumerate(settings))
            if not is_refused(epsilon, *setting[2:])
            and not (is_sample and (i + j + k) % len(STEPS) > 0)]


def structure_of_all(program, combinations=None):
    """Largest mass error and smallest density for the whole product of steps, eps and settings."""
    combinations = combinations or structure_combinations()
    results = runner.run_all(program, [structure_case(each) for each in combinations])
    return [{"combination": combination,
             "mass_error": max(abs(error) for error in result.series["mass_error"]),
             "min_density": min(result.series["min_density"]),
             "change": abs(result.total_rate - result.series["total_rate"][0])}
            for combination, result in zip(combinations, results)]


def structure_by_step(rows):
    """The worst of structure_of_all for each step and eps, and how many runs that were."""
    table = []
    for step, epsilon in itertools.product(STEPS, EPSILONS):
        chosen = [row for row in rows if row["combination"][:2] == (step, epsilon)]
        table.append({"step": step, "epsilon": epsilon, "runs": len(chosen),
                      "mass_error": max(row["mass_error"] for row in chosen),
                      "min_density": min(row["min_density"] for row in chosen)})
    return table


# Settings that run 1e5 steps.
MANY = (
    ("euler, explicit, order 1, lagged", 0.1, {}),
    ("euler, explicit, order 2, lagged", 1e-6, {"transport_order": 2}),
    ("second-order, explicit, order 2, implicit", 0.1, SECOND_ORDER),
    ("second-order, implicit, order 2, implicit", 1e-6,
     dict(SECOND_ORDER, transport_time="implicit")),
    ("euler, implicit, order 1, implicit", 0.0,
     {"transport_time": "implicit", "coupling": "implicit"}),
    ("third-order, explicit, order 2, implicit", 0.0,
     dict(SECOND_ORDER, time_scheme="third-order")),
    ("third-order, refractory, frozen", 0.1,
     {"time_scheme": "third-order", "coupling": "implicit", "model_refractory": 0.5, "model_plasticity": "false"}),
)


def structure_after_many_steps(program, steps=100000):
    """Largest mass error and smallest density of 1e5 steps."""
    cases = [dict(STRUCTURE, model_epsilon=epsilon, time_step=0.002, time_end=0.002 * steps,
                  output_series_every=steps // 100, **settings)
             for _, epsilon, settings in MANY]
    return [{"settings": name, "epsilon": epsilon, "steps": result.summary["steps"],
             "mass_error": max(abs(error) for error in result.series["mass_error"]),
             "min_density": min(result.series["min_density"])}
            for (name, epsilon, _), result in zip(MANY, runner.run_all(program, cases))]


# Four uncoupled slices of different drift, frozen, from data far from their steady state.
UNCOUPLED = {
    **runner.PLAIN_EULER,
    "model_input": "2*w - 0.5",
    "model_response": "0",
    "model_plasticity": "false",
    "model_v_min": -5,
    "grid_v_cells": 126,
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_w_cells": 4,
    "initial_density": "exp(-(v - 1.5)^2/0.02) + 0.2*exp(-(v + 3)^2/0.1)",
}


def logarithmic(x):
    """G = x log x - x + 1."""
    return numpy.where(x > 0.0, x * numpy.log(numpy.where(x > 0.0, x, 1.0)), 0.0) - x + 1.0


def quadratic(x):
    """G = (x - 1)^2."""
    return (x - 1.0)**2


ENTROPIES = {"x log x - x + 1": logarithmic, "(x - 1)^2": quadratic}


def relative_entropies(program, fluxes=FLUXES, schemes=SCHEMES, epsilons=(1.0, 1e-3, 1e-9),
                       steps=(1e-3, 0.1, 10.0)):
    """Entropies sum h G(p/Q) Q of each slice, relative to Q from the limit model, step by step."""
    rows = []
    for flux in fluxes:
        base = dict(UNCOUPLED, model_flux=flux)
        steady = runner.run(program, dict(base, model_epsilon=0, time_step=1, time_end=1))
        state = steady.density / steady.weight_density
        width = steady.v[1] - steady.v[0]
        settings = list(itertools.product(schemes, epsilons, steps))
        results = runner.run_all(program, [
            dict(base, time_scheme=scheme, model_epsilon=epsilon, time_step=step,
                 time_end=30 * step, output_fields_every=step)
            for scheme, epsilon, step in settings])
        for (scheme, epsilon, step), result in zip(settings, results):
            ratio = result.densities / steady.weight_density / state
            for name, function in ENTROPIES.items():
                entropy = width * (function(ratio) * state).sum(axis=1)
                rows.append({"flux": flux, "scheme": scheme, "epsilon": epsilon, "step": step,
                             "entropy": name, "values": entropy,
                             "largest_rise": float(numpy.diff(entropy, axis=0).max())})
    return rows


# Learning that is carried through more and more cells of w in one implicit transport step.
LONG_TRANSPORT = {
    **runner.PLAIN_EULER,
    "model_epsilon": 0,
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "exp(-(w - 0.3)^2/0.02)",
    "coupling": "implicit",
    "transport_time": "implicit",
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_v_cells": 60,
    "grid_w_cells": 100,
    "time_end": 30,
}


def long_transport_steps(program, steps=(0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)):
    """How far implicit transport carries: cells that learning crosses in a step, and the result.

    At the learned steady state learning crosses up to 2 w* dt/dw of them. The variation of N(w)
    over its maximum is 2 for the one hump of that state.
    """
    _, largest = exact.learned_state()
    rows = []
    for order in (1, 2):
        results = runner.run_all(program, [
            dict(LONG_TRANSPORT, transport_order=order, time_step=step) for step in steps])
        for step, result in zip(steps, results):
            rates = result.firing_rate
            variation = numpy.abs(numpy.diff(rates)).sum() + rates[0] + rates[-1]
            late = result.series["total_rate"][-20:]
            rows.append({"order": order, "step": step,
                         "crossed": 2.0 * largest * step * LONG_TRANSPORT["grid_w_cells"],
                         "variation": variation / rates.max(), "range": max(late) - min(late),
                         "total_rate": result.total_rate})
    return rows
