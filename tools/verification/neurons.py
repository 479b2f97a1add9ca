"""Steady rates of neurons with other drifts than -v, against quadrature."""

import math

import scipy.integrate

import runner
from layout import number, order_list, table


class Neuron:
    """Drift f, a potential V with V' = -f, and an axis on which its layers are seen."""

    def __init__(self, name, drift, potential, axis, noise, levels):
        self.name, self.drift, self.potential, self.noise = name, drift, potential, noise
        self.v_min, self.reset, self.threshold = axis
        self.levels = levels

    def rate(self, mu):
        """1/r = 1/a int from V_R to V_F of e^{U(u)/a} int from v_min to u of e^{-U(v)/a} dv du."""
        def weight(v, u):
            difference = self.potential(u) - self.potential(v) - mu * (u - v)
            return math.exp(difference / self.noise)

        def inner(u):
            # Below u the weight falls off within a length that is short against the axis.
            ends = [self.v_min] + [u - d for d in (2.0, 0.5, 0.1) if u - d > self.v_min] + [u]
            return sum(scipy.integrate.quad(weight, low, high, args=(u,), epsabs=0.0,
                                            epsrel=1e-11)[0] for low, high in zip(ends, ends[1:]))

        value, _ = scipy.integrate.quad(inner, self.reset, self.threshold, epsabs=0.0,
                                        epsrel=1e-11)
        return self.noise / value

    def case(self, cells, **changes):
        """A steady network of a single weight of this neuron."""
        return {"model_drift": self.drift, "model_v_min": self.v_min,
                "model_v_reset": self.reset, "model_v_threshold": self.threshold,
                "model_noise": self.noise, "model_response": "0", "model_plasticity": "false",
                "model_epsilon": 1, "initial_density": "1", "grid_w_min": 0, "grid_w_max": 0,
                "grid_w_cells": 1, "grid_v_cells": cells, "steady": "true", "time_end": 1,
                **changes}


def _exponential_potential(v):
    return 0.5 * v * v - 0.04 * math.exp((v - 1.0) / 0.2) - 0.5 * v


LINEAR = Neuron("linear", "-v", lambda v: 0.5 * v * v, (-8, 1, 2), 1, (40, 80, 160))
QUADRATIC = Neuron("quadratic", "v^2 + 0.2", lambda v: -v**3 / 3.0 - 0.2 * v, (-7, -3, 3), 0.5,
                   (160, 320, 640))
EXPONENTIAL = Neuron("exponential", "0.5 - v + 0.2*exp((v - 1)/0.2)", _exponential_potential,
                     (-4.2, 0, 1.8), 0.3, (160, 320, 640))
NEURONS = (LINEAR, QUADRATIC, EXPONENTIAL)
INPUTS = (-0.5, 0.0, 1.0, 3.0)


def steady_rates(program):
    """Relative errors of rates under halving of h."""
    rows = []
    for neuron in NEURONS:
        cases = [neuron.case(cells, model_input=mu) for mu in INPUTS for cells in neuron.levels]
        runs = iter(runner.run_all(program, cases))
        for mu in INPUTS:
            reference = neuron.rate(mu)
            errors = [next(runs).tables["steady"]["total_rate"][0] / reference - 1.0
                      for _ in neuron.levels]
            rows.append({"neuron": neuron, "mu": mu, "exact": reference, "errors": errors,
                         "orders": runner.orders_from_errors(errors)})
    return rows


STUDIES = {"neurons": steady_rates}


def neurons_section(results):
    """Rates of three neurons."""
    rows = [[f"{row['neuron'].name}, f = {row['neuron'].drift}", f"{row['mu']:g}",
             f"{row['exact']:.9f}", ", ".join(map(str, row["neuron"].levels)),
             ", ".join(f"{error:.2e}" for error in row["errors"]), order_list(row["orders"])]
            for row in results["neurons"]]
    return "\n".join([
        "## Other neurons: fourth order in h, and sixth for a linear one\n",
        "Rates of uncoupled neurons with `model_drift`, by `-steady`, against quadrature of",
        "1/r = 1/a int e^{U(u)/a} int e^{-U(v)/a} dv du, u from V_R to V_F, v from v_min to u,",
        "U' = -(f + mu); relative errors (`tools/verification/neurons.py`).\n",
        table(["neuron", "mu", "rate", "cells", "errors", "orders"], rows)])


SECTIONS = (neurons_section,)
