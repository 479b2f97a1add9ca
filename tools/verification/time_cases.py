"""Cases for the error in time, their reference solutions, and the distance of a run from these.

The data are such as users have: not quasi-static, with density at the threshold, inputs that jump.
Grids are small, since the grid is the same in the reference (method_of_lines.py), which knows the
transport in w of first order only. None of the cases blows up.
"""

import concurrent.futures
import dataclasses

import numpy

import method_of_lines


# The error of a reference solved to 1e-12 is below a twentieth of it.
RESOLVED = 2e-10


@dataclasses.dataclass(frozen=True)
class Case:
    """Options of model, grid and end of a run, and the times at which its input is not smooth.

    Orders are asked for while the errors are above `resolved`.
    """

    name: str
    options: dict
    jumps: tuple = ()
    resolved: float = RESOLVED

    @property
    def end(self):
        """Where the run ends."""
        options = self.options
        names = options["protocol_phases"].split(",") if "protocol_phases" in options else ()
        return options.get("time_end", sum(options[f"phase_{name}_duration"] for name in names))


BASE = {
    "model_input": "1", "model_response": "N/(1 + N)", "model_learning": "1",
    "grid_v_cells": 48, "grid_v_order": 2, "grid_w_cells": 12, "grid_w_min": 0, "grid_w_max": 1, "transport_order": 1,
}

# Weights that are nobody's symmetry, with potentials far from and at the threshold.
CLOSED = "w*(1 - w)^2*exp(-(v + 1)^2/0.2)"
OPEN = "w*(1 - w)^2*exp(-(v - 0.5)^2)"


def case(name, jumps=(), resolved=RESOLVED, **changes):
    """A case made from the base and some changes."""
    return Case(name, dict(BASE, **changes), jumps, resolved)


def open_case(epsilon):
    """Density at the threshold, for any eps.

    Where dt is close to eps orders fall off below errors of 2e-9: what is left of the layer shows.
    """
    return case(f"density at V_F, eps {epsilon:g}", model_epsilon=epsilon, initial_density=OPEN,
                time_end=0.16, resolved=2e-9 if epsilon == 1e-3 else RESOLVED)


JUMP = case("input jumps", (0.05,), model_epsilon=0.01, model_input="t < 0.05 ? 1 : 2",
            initial_density=CLOSED, time_end=0.12)
PULSE = case("short pulse", (0.0711, 0.0751), model_epsilon=0.01, initial_density=CLOSED,
             model_input="abs(t - 0.0731) < 0.002 ? 4 : 1", time_end=0.12)
PROTOCOL = case(
    "protocol", (0.081,), model_epsilon=0.1, initial_density=OPEN,
    protocol_phases="learn,rest,test", phase_learn_duration=0.05, phase_rest_duration=0.06,
    phase_rest_input="s < 0.031 ? 0.3 : 2*w", phase_rest_plasticity="false",
    phase_test_duration=0.05, phase_test_initial="reset", phase_test_epsilon=0.02)
RAMP = case("protocol with a ramp", **dict(PROTOCOL.options, phase_test_input="1 + 10*s"),
            jumps=PROTOCOL.jumps)
# Where the drift of a slice varies in time the flux through V_F loses up to an order.
WAVE = case("input oscillates", model_epsilon=0.02, model_input="1 + sin(20*t)",
            initial_density=OPEN, time_end=0.16)
DELAY = case("delay", model_epsilon=0.1, model_delay=0.45, initial_rate=0.5, initial_density=OPEN,
             time_end=0.16)
FAMILY = case("delay, refractory state, noise of Nbar", (0.071,), model_epsilon=0.1,
              model_delay=0.37, model_refractory=0.2, model_noise="0.5 + 0.3*N",
              model_learning="w < 0 ? -1 : 1", grid_w_min=-1, model_input="t < 0.071 ? 1.5 : 0.5",
              initial_density="(1 + w)*(1 - w)^2*exp(-(v - 0.5)^2)", time_end=0.16)
DELAYED_PROTOCOL = case(
    "protocol with delay", model_epsilon=0.1, model_delay=0.3, initial_density=OPEN,
    protocol_phases="learn,test", phase_learn_duration=0.08, phase_test_duration=0.08,
    phase_test_initial="reset", phase_test_epsilon=0.2, phase_test_input="2")
# The rate jumps with the noise, without loss of smoothness from one echo to the next.
NOISE_ECHOES = case("echoes by the noise", model_epsilon=1, model_delay=0.3, model_response="0",
                    model_noise="0.5 + 0.3*N", model_input="2.5", model_plasticity="false",
                    initial_rate=1, initial_density="(2 - v)*exp(-v^2)", grid_v_cells=24,
                    grid_w_cells=1, time_end=2.968)
ECHOES_OF_PHASES = case("echoes in a second phase", model_epsilon=0.07, model_delay=0.5,
                        model_input="0", model_response="0.5*tanh(2*N)",
                        model_plasticity="false", grid_w_min=1, grid_w_max=1, grid_w_cells=1,
                        initial_density="exp(-(v - 0.5)^2)", protocol_phases="one,two",
                        phase_one_duration=0.0425, phase_two_duration=0.1457,
                        phase_two_epsilon=0.0964)
INHIBITION = case("strong inhibition", (0.2,), model_epsilon=1, model_response="N",
                  model_plasticity="false", grid_w_min=-10, grid_w_max=-10, grid_w_cells=1,
                  model_input="t < 0.2 ? 3 : 5", initial_density="exp(-(v - 0.5)^2)", time_end=0.5)
INHIBITED_LEARNING = case("inhibition is learned", model_epsilon=1e-3, model_response="N",
                          model_learning="-1", grid_w_min=-10, grid_w_max=0,
                          model_input="3 + w/10", time_end=0.1,
                          initial_density="-w*exp(-(w + 5)^2)*exp(-v^2/2)")
DRIVEN = case("fast input", model_epsilon=1e-4, model_input="2 + sin(300*t)",
              initial_density=OPEN, time_end=0.06)
MOVING = case("jump at a time for each weight", tuple(0.1 * (k + 0.5) / 12 for k in range(12)),
              model_epsilon=0.1, model_input="t < 0.1*w ? 0.5 : 3", initial_density=OPEN,
              time_end=0.12)
SWITCHED = case("square wave", tuple(numpy.pi * k / 200.0 for k in range(1, 8)),
                model_epsilon=0.01, model_input="sin(200*t) > 0 ? 3 : 0.5", initial_density=OPEN,
                time_end=0.12)
SILENT = case("silence, then input", (0.103,), model_epsilon=0.05, initial_density=CLOSED,
              model_input="t < 0.103 ? -3 : 6", time_end=0.16)

ORDER_CASES = tuple(open_case(epsilon) for epsilon in (1, 0.1, 1e-3, 1e-6, 1e-12)) + (
    JUMP, PROTOCOL, DELAY, FAMILY, DELAYED_PROTOCOL, INHIBITION)
ADAPTIVE_CASES = ORDER_CASES + (WAVE, RAMP, PULSE, MOVING, SWITCHED, NOISE_ECHOES, ECHOES_OF_PHASES,
                                INHIBITED_LEARNING, DRIVEN, SILENT)


def solve(arguments):
    """The reference of a case at some times, with a tolerance of the integrator."""
    chosen, times, tolerance = arguments
    return method_of_lines.solve(chosen.options, times, chosen.jumps, rtol=tolerance,
                                 atol=1e-3 * tolerance)


def solve_all(requests):
    """The references of triples (case, times, tolerance), on two processors."""
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        return list(pool.map(solve, requests))


def distances_at_end(run, known):
    """L1 distances of N(w) and H(w), and that of Nbar, at the last time of the reference."""
    return {"N(w)": known.dw * numpy.abs(run.firing_rate - known.firing_rate[-1]).sum(),
            "H(w)": known.dw * numpy.abs(run.weight_density - known.weight_density[-1]).sum(),
            "Nbar": abs(run.total_rate - known.total_rate[-1])}


def promised_errors(series, known, row, place):
    """Errors of Nbar, relative to Nbar + 0.02, and of the mean weight, of a row of a series."""
    rate, weight = known.total_rate[place], known.mean_weight[place]
    return (abs(series["total_rate"][row] - rate) / (rate + 0.02),
            abs(series["mean_weight"][row] - weight))
