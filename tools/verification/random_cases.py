"""Random cases for the error in time: all parts of the model, any eps, weights of either sign.

Weights that excite have a bounded response, so that nothing blows up.
"""

import numpy

from time_cases import Case

POTENTIALS = ("exp(-(v + 1)^2/0.2)", "exp(-(v - 0.5)^2)", "exp(-v^2/4)", "(2 - v)*exp(-v^2)", "1",
              "(v < 0 ? 1 : 0)", "exp(-(v - 1.2)^2/0.1)")
NOISES = ("1", "0.5", "1 + 0.1*N", "0.5 + 0.3*N")
BOUNDED = ("N/(1 + N)", "0.5*tanh(2*N)", "N/sqrt(1 + N^2)")
INHIBITING = BOUNDED + ("N", "2*N", "sqrt(N + 0.01)")
LEARNING = ("1", "w < 0 ? -1 : 1", "cos(3*w)", "0.3", "1 - 2*w", "-2")
AXES = ((0, 1), (-1, 1), (-2, 0.5), (0.2, 1.5), (-1.5, -0.2), (-10, 0), (-6, -1))

# Reacting times of a delay that a run may have: each echo divides the reference.
LONGEST_RUN = 12.0


def random_input(random, end):
    """An input and the times at which it jumps or has a kink."""
    level, other, third = (round(value, 2) for value in random.uniform(-1.0, 4.0, 3))
    first, second = sorted(round(value, 4) for value in end * random.uniform(0.05, 0.95, 2))
    choices = (
        (f"{level}", ()),
        (f"{level} + 0.3*sin(6*w)", ()),
        (f"{level} + {other}*sin({round(10.0 / end, 1)}*t)", ()),
        (f"t < {first} ? {level} : {other}", (first,)),
        (f"t < {first} ? {level} : (t < {second} ? {other} : {third}*w/(1 + abs(w)))",
         (first, second)),
        (f"{level} + abs(t - {first})*{round(3.0 / end, 2)}", (first,)),
        (f"{level}*exp(-t/{round(0.1 * end, 5)}) + {other}", ()),
    )
    return choices[random.integers(len(choices))]


def pick(random, choices, share=1.0, otherwise=None):
    """One of the choices, with a probability; else something else."""
    chosen = choices[random.integers(len(choices))]
    return chosen if random.uniform() < share else otherwise


def random_axis(random):
    """Options of the axis of weights, of the response and of the initial weights."""
    w_min, w_max = pick(random, AXES)
    cells = int(random.integers(1, 13))
    centre = round(random.uniform(w_min, w_max), 2)
    width = round(random.uniform(0.05, 0.5) * (w_max - w_min), 3)
    excites = w_max > 0.0
    options = {"grid_w_min": w_min, "grid_w_max": w_max, "grid_w_cells": cells,
               "model_response": pick(random, BOUNDED if excites else INHIBITING)}
    if random.uniform() < 0.1:
        options.update(grid_w_max=w_min, grid_w_cells=1, model_plasticity="false")
        centre = w_min
    return options, f"(0.01 + exp(-(w - {centre})^2/{round(2.0 * width**2, 5)}))"


def random_phases(random, options, end):
    """Two phases instead of one, the second with another eps and perhaps a reset."""
    first = round(end * random.uniform(0.2, 0.8), 4)
    del options["time_end"]
    options.update({
        "protocol_phases": "one,two", "phase_one_duration": first,
        "phase_two_duration": round(end - first, 4),
        "phase_two_epsilon": float(f"{options['model_epsilon'] * random.uniform(0.5, 2.0):.3g}"),
        "phase_two_initial": pick(random, ("reset", "continue")),
        "phase_two_plasticity": pick(random, ("true", "false")),
    })


def random_case(random, number):
    """One case."""
    epsilon = float(f"{10.0 ** random.uniform(-4.0, 0.0):.3g}")
    delay = round(random.uniform(0.1, 1.0), 2) if random.uniform() < 0.35 else 0
    end = round(10.0 ** random.uniform(-1.5, -0.3), 3)
    if delay:
        end = min(end, float(f"{LONGEST_RUN * epsilon * delay:.3g}"))
    options, weights = random_axis(random)
    current, jumps = random_input(random, end)
    options.update({
        "model_epsilon": epsilon, "model_delay": delay, "model_input": current, "time_end": end,
        "initial_rate": pick(random, (0, 1)), "model_noise": pick(random, NOISES),
        "model_learning": pick(random, LEARNING), "transport_order": 1,
        "model_refractory": round(random.uniform(0.05, 1.0), 2) if random.uniform() < 0.4 else 0,
        "initial_density": f"{weights}*{pick(random, POTENTIALS)}",
        "grid_v_order": 2,
        "grid_v_cells": pick(random, (24, 36, 48)),
    })
    options.setdefault("model_plasticity", pick(random, ("true", "false"), 0.3, "true"))
    if random.uniform() < 0.2 and end > 0.001:
        random_phases(random, options, end)
    return Case(f"random {number}", options, jumps)


def random_cases(count, seed):
    """So many cases, the same for the same seed."""
    random = numpy.random.default_rng(seed)
    return [random_case(random, number) for number in range(count)]
