"""What a run has learned, and when: of Results, whose fields have the shapes told there."""

import math

import numpy

# The weights that H reaches are those where it exceeds this part of its maximum.
SUPPORT = 1e-3


def learns_in(results, phase):
    """True if weights are learned in the phase of this name."""
    return bool(results.case.get(f"phase_{phase}_plasticity",
                                 results.case.get("model_plasticity", True)))


def learns(results):
    """True if weights are learned at some time of the run."""
    if results.phases:
        return any(learns_in(results, name) for name, _, _ in results.phases)
    return bool(results.case.get("model_plasticity", True))


def learning_strength(results):
    """K if weights are learned with one constant K, of either sign, else None."""
    try:
        strength = results.number("model_learning")
    except (KeyError, TypeError, ValueError):
        return None  # an expression in w
    return strength if learns(results) and math.isfinite(strength) and strength != 0.0 else None


def learned_row(results):
    """The row of the fields at which learning ended: the last but for phases with frozen weights.

    None if nothing is learned in the run.
    """
    if not learns(results):
        return None
    if not results.phases:
        return len(results.time) - 1
    last = max(number for number, (name, _, _) in enumerate(results.phases)
               if learns_in(results, name))
    if results.phase is not None:
        rows = numpy.flatnonzero(results.phase <= last)
    else:
        rows = numpy.flatnonzero(results.time <= results.phases[last][2])
    return int(rows[-1])


def reached(results, row):
    """[w], true where there are weights in a row of the fields."""
    weights = results.weight_density[row]
    return weights > SUPPORT * weights.max()


def learned_rate(results):
    """Row, w and N = w/(K Nbar) at the end of learning: where H > 0, there K N Nbar = w.

    None if the weights are not learned with one constant K, or nothing fires.
    """
    strength, row = learning_strength(results), learned_row(results)
    if strength is None:
        return None
    total = results.integral(results.firing_rate[row])
    if not total > 0.0:
        return None
    inside = reached(results, row) & (results.w / strength >= 0.0)
    return row, results.w[inside], results.w[inside] / (strength * total)
