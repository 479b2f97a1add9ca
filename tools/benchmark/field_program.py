#!/usr/bin/env python3
"""The program that a scientist of the field writes for this model, in NumPy and Numba.

It takes the options of a case file and has the scheme of the literature: exponentially fitted
fluxes of Scharfetter and Gummel in v, first-order upwind fluxes in w, implicit Euler steps for v
and explicit ones for w, with the total rate of the beginning of the step in drift, noise and
learning (Q. He, J. Hu, Z. Zhou, arXiv 2109.04667; J. Hu, J.-G. Liu, Y. Xie, Z. Zhou, arXiv
1911.07619). It is of first order in time and w, and of second order in v. A slice takes one
tridiagonal elimination a step: what leaves at V_F and comes back at V_R, at once or from the
refractory state, is a second right-hand side of the same elimination.

Used by the comparisons of docs/performance.md as what Engram stands beside; tests run it, too.

    tools/benchmark/field_program.py unprepared --v-cells 240 --w-cells 80 --steps 400
"""

import argparse
import dataclasses
import pathlib
import re
import sys
import time

import numba
import numpy

TOOLS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOOLS / "verification"), str(TOOLS)]
import work_precision_cases  # noqa: E402
from case_functions import function_of  # noqa: E402
from engram_stream import bear_closed_pipes  # noqa: E402
from model_equations import DEFAULTS, Grid, is_true  # noqa: E402

CASES = ("unprepared", "fast", "family")

# Below this |q| the series of B is as exact as a double.
SMALL = 1e-3


@numba.njit(fastmath=True)
def transport(density, result, velocity, ratio):
    """One explicit upwind step in w: density and result are [slices][rows].

    `velocity[i]` is that at the face between slices i and i + 1; the ends are closed.
    """
    slices, rows = density.shape
    for i in range(slices):
        left = velocity[i - 1] if i > 0 else 0.0
        right = velocity[i] if i + 1 < slices else 0.0
        stays = 1.0 - ratio * (max(right, 0.0) - min(left, 0.0))
        from_left, from_right = ratio * max(left, 0.0), -ratio * min(right, 0.0)
        before, after = max(i - 1, 0), min(i + 1, slices - 1)
        for k in range(rows):
            result[i, k] = stays * density[i, k] + from_left * density[before, k] \
                + from_right * density[after, k]


@numba.njit(fastmath=True)
def solve(density, rates, mu, first_face, spacing, noise, length, reset, tau, work):
    """One implicit Euler step of all slices in place, with their drifts `mu`; finds N(w).

    `length` is dt/eps. Rows are the nodes and, if tau > 0, the refractory state over the spacing.
    `work` is [3][nodes].
    """
    slices, rows = density.shape
    nodes = rows - 1 if tau > 0.0 else rows
    scale = length * noise / spacing**2
    share = length / (tau + length)
    backward, plain, shifted = work[0], work[1], work[2]
    for i in range(slices):
        forward = previous_backward = factor = carried = shift = 0.0
        for k in range(nodes):
            # Weights of the two nodes of the face to the right: B(-q) and B(q).
            q = (mu[i] - first_face - k * spacing) * spacing / noise
            high = 1.0 + 0.5 * q + q * q / 12.0 if abs(q) < SMALL else q / (1.0 - numpy.exp(-q))
            new_forward = scale * high
            new_backward = scale * (high - q) if k < nodes - 1 else 0.0
            side = density[i, k]
            source = 0.0
            if k == reset:
                source = 1.0
                if tau > 0.0:
                    side += share * density[i, nodes]
            pivot = 1.0 / (1.0 + new_forward + previous_backward - forward * factor)
            carried = (side + forward * carried) * pivot
            shift = (source + forward * shift) * pivot
            factor = new_backward * pivot
            plain[k], shifted[k], backward[k] = carried, shift, factor
            forward, previous_backward = new_forward, new_backward
        value = carried / (1.0 - shift * share * forward)
        outflow = forward * value
        rates[i] = outflow * spacing / length
        if tau > 0.0:
            density[i, nodes] = tau / (tau + length) * (density[i, nodes] + outflow)
        density[i, nodes - 1] = value
        for k in range(nodes - 2, -1, -1):
            value = plain[k] + shifted[k] * share * outflow + backward[k] * value
            density[i, k] = value


@dataclasses.dataclass
class Result:
    """N at the requested times, the seconds of all steps, and the cells that were solved."""

    total_rates: numpy.ndarray
    seconds: float
    cell_solves: int


class Program:
    """A case on a grid; `run` makes the steps from the initial density."""

    def __init__(self, options, v_cells, w_cells):
        options = {**DEFAULTS, **options, "grid_v_cells": v_cells, "grid_w_cells": w_cells}
        self.grid = Grid(options)
        self.end = float(options["time_end"])
        self.epsilon, self.tau = float(options["model_epsilon"]), float(options["model_refractory"])
        self.delay = self.epsilon * float(options["model_delay"])
        self.initial_rate = float(options["initial_rate"])
        self.plasticity = is_true(options["model_plasticity"]) and self.grid.cells > 1
        self.noise = function_of(options["model_noise"], "N")
        self.response = function_of(options["model_response"], "N")
        self.input = function_of(options["model_input"], "w", "t", "s")
        self.learning = function_of(options["model_learning"], "w")(self.grid.w) + 0.0 * self.grid.w
        self.initial = self.initial_density(function_of(options["initial_density"], "w", "v"))
        # A numpy function a step is little beside the slices; one that does not change is not
        # evaluated again.
        changes = re.search(r"\b[ts]\b", str(options["model_input"]))
        self.current = None if changes else self.current_at(0.0)

    def initial_density(self, function):
        """[slices][rows], of unit mass and without refractory neurons."""
        grid = self.grid
        density = numpy.zeros((grid.cells, grid.nodes + (self.tau > 0.0)))
        density[:, :grid.nodes] = function(*numpy.meshgrid(grid.w, grid.v, indexing="ij"))
        return density / (density.sum() * grid.h * grid.dw)

    def current_at(self, moment):
        """I(w, t)."""
        return self.input(self.grid.w, moment, moment) + 0.0 * self.grid.w

    def first_rates(self):
        """N(w) of the initial density, for the drift and noise that its own rate makes."""
        if self.delay > 0.0:
            return self.rates_for(self.initial_rate)
        rates = numpy.zeros(self.grid.cells)
        for _ in range(100):
            rates, before = self.rates_for(self.grid.dw * rates.sum()), rates
            if numpy.allclose(rates, before, rtol=1e-14, atol=0.0):
                break
        return rates

    def rates_for(self, activity):
        """(a/h) B(-q) at the last face, times the density there."""
        grid, noise = self.grid, float(self.noise(activity))
        mu = self.current_at(0.0) + grid.w * self.response(activity)
        q = (mu - grid.v[-1] - 0.5 * grid.h) * grid.h / noise
        safe = numpy.where(numpy.abs(q) < SMALL, 1.0, q)
        weight = numpy.where(numpy.abs(q) < SMALL, 1.0 + 0.5 * q, safe / -numpy.expm1(-safe))
        return noise / grid.h * weight * self.initial[:, grid.nodes - 1]

    def move(self, density, spare, rates, total_rate, step):
        """Transport in w over a step, in as many equal parts as the CFL condition asks for."""
        grid = self.grid
        phi = self.learning * rates * total_rate
        velocity = 0.5 * (phi[:-1] + phi[1:]) - grid.w_faces
        courant = step * numpy.abs(velocity).max() / grid.dw
        parts = max(1, int(numpy.ceil(2.0 * courant)))
        for _ in range(parts):
            transport(density, spare, velocity, step / parts / grid.dw)
            density, spare = spare, density
        return density, spare

    def activity(self, moment, step, totals):
        """The rate that drift and noise see: the last one, or that of a delay ago."""
        if self.delay == 0.0:
            return totals[-1]
        place = (moment - self.delay) / step
        if place <= 0.0:
            return self.initial_rate
        # A delay of less than a step sees the last rate that is known.
        place = min(place, len(totals) - 1.0)
        low = min(int(place), max(len(totals) - 2, 0))
        high = min(low + 1, len(totals) - 1)
        return totals[low] + (place - low) * (totals[high] - totals[low])

    def advance(self, steps, count):
        """Makes `count` of `steps` equal steps; N at the beginning and after each."""
        grid, step = self.grid, self.end / steps
        density, spare = self.initial.copy(), numpy.empty_like(self.initial)
        work = numpy.empty((3, grid.nodes))
        rates = self.first_rates()
        totals = [grid.dw * rates.sum()]
        for number in range(1, count + 1):
            moment = number * step
            if self.plasticity:
                density, spare = self.move(density, spare, rates, totals[-1], step)
            activity = self.activity(moment, step, totals)
            current = self.current_at(moment) if self.current is None else self.current
            solve(density, rates, current + grid.w * self.response(activity),
                  grid.v[0] + 0.5 * grid.h, grid.h, float(self.noise(activity)),
                  step / self.epsilon, grid.reset, self.tau, work)
            totals.append(grid.dw * rates.sum())
        return numpy.array(totals)

    def run(self, steps, times):
        """N at these times, linear between the steps."""
        self.advance(steps, 1)  # compiles
        started = time.perf_counter()
        totals = self.advance(steps, steps)
        seconds = time.perf_counter() - started
        at_steps = numpy.linspace(0.0, self.end, steps + 1)
        return Result(numpy.interp(times, at_steps, totals), seconds,
                      steps * self.grid.cells * self.grid.nodes)


def solve_case(case, v_cells, w_cells, steps):
    """A case of the work-precision study on this grid, at its output times."""
    times = case.interval * numpy.arange(1, case.outputs + 1)
    return Program(case.all_options(), v_cells, w_cells).run(steps, times)


def main():
    """One run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--v-cells", type=int, default=120)
    parser.add_argument("--w-cells", type=int, default=40)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    case, = work_precision_cases.chosen([arguments.case])
    result = solve_case(case, arguments.v_cells, arguments.w_cells, arguments.steps)
    for number, rate in enumerate(result.total_rates, 1):
        print(f"t = {number * case.interval:g}  N = {rate:.12g}")
    print(f"{result.seconds:.4f} s, {1e9 * result.seconds / result.cell_solves:.2f} ns a cell and "
          "step")


if __name__ == "__main__":
    bear_closed_pipes()
    main()
