"""The whole model on the grid of a case, integrated in time by SciPy's stiff integrators.

Takes the options of a case file and gives rates and weights at requested times. The grid is that of
the program (model_equations.py), so that what is left against a run of it is the error of its steps
in time. Times at which the right-hand side is not smooth divide the integration into pieces.
"""

import bisect

import numpy
import scipy.integrate

from model_equations import DEFAULTS, Jacobian, Lines, phases_of

# Times closer than this are one.
SAME_TIME = 1e-13

METHODS = {"BDF": scipy.integrate.BDF, "Radau": scipy.integrate.Radau}

# Points of each step at which Nbar is kept for a delay: the integrators have polynomials of degree
# five at most within a step.
POINTS = 0.5 - 0.5 * numpy.cos(numpy.pi * (numpy.arange(6) + 0.5) / 6)
# Weights of the barycentric formula for these points.
BARYCENTRIC = (-1.0) ** numpy.arange(6) * numpy.sin(numpy.pi * (numpy.arange(6) + 0.5) / 6)


class RateCurve:
    """Nbar(t) of one piece, a polynomial in each step of the integrator."""

    def __init__(self, begin):
        self.steps, self.rates = [begin], []

    def add(self, lines, begin, end, state_at):
        """One more step."""
        self.rates.append([lines.total_rate(lines.rates(time, state_at(time)))
                           for time in begin + (end - begin) * POINTS])
        self.steps.append(end)

    def __call__(self, time):
        number = min(max(bisect.bisect(self.steps, time), 1), len(self.rates)) - 1
        begin, end = self.steps[number:number + 2]
        distance = (time - begin) / (end - begin) - POINTS
        if not distance.all():
            return self.rates[number][int(numpy.argmin(numpy.abs(distance)))]
        shares = BARYCENTRIC / distance
        return float(shares @ self.rates[number] / shares.sum())


class History:
    """Nbar of the past, piece by piece; a constant before the first."""

    def __init__(self, before):
        self.before, self.ends, self.pieces = before, [], []

    def add(self, end, total_rate):
        """One more piece: its end and Nbar(t) in it."""
        self.ends.append(end)
        self.pieces.append(total_rate)

    def delayed(self, inside, delay):
        """Nbar(t - delay) for the times of a piece, which sees one piece of the past."""
        middle = 0.5 * (inside[0] + inside[1]) - delay
        if middle < 0.0:
            return lambda time: self.before
        piece = self.pieces[bisect.bisect(self.ends, middle)]
        return lambda time: piece(time - delay)


def breaks_of(phases, jumps):
    """Where the right-hand side is not smooth: phases, jumps, and both again after a delay."""
    found = {0.0} | {phase.end for phase in phases} | set(jumps)
    for phase in phases:
        new = {time for time in found if time < phase.end}
        while new and phase.delay > 0.0:
            new = {time + phase.delay for time in new
                   if phase.begin < time + phase.delay < phase.end}
            found |= new
    ordered = sorted(time for time in found if time <= phases[-1].end)
    return [a for a, b in zip(ordered, ordered[1:] + [numpy.inf]) if b - a > SAME_TIME]


def reset_density(lines, state):
    """H(w) with the potentials of the initial density in every slice, none of it refractory."""
    profile = lines.initial.sum(axis=0)
    return numpy.outer(state.reshape(lines.shape).sum(axis=1), profile / profile.sum()).ravel()


class Solution:
    """What is wanted at the requested times: N(w), H(w), Nbar and the mean weight."""

    def __init__(self, grid):
        self.w, self.dw, self.h = grid.w, grid.dw, grid.h
        self.times, self.firing_rate, self.weight_density = [], [], []
        self.total_rate, self.mean_weight = [], []

    def add(self, lines, time, state):
        """One more time."""
        rates = lines.rates(time, state)
        mass = lines.grid.h * state.reshape(lines.shape).sum(axis=1)
        self.times.append(float(time))
        self.firing_rate.append(rates)
        self.weight_density.append(mass)
        self.total_rate.append(float(lines.total_rate(rates)))
        self.mean_weight.append(float(self.w @ mass / mass.sum()))


def integrate(lines, state, inside, times, settings):
    """One piece; its states at these times, the last one, and Nbar(t) if the model has a delay."""
    method = METHODS[settings["method"]]
    solver = method(lines.right_hand_side, inside[0], state, inside[1], jac=Jacobian(lines),
                    rtol=settings["rtol"], atol=settings["atol"])
    curve, states = RateCurve(inside[0]), []
    while solver.status == "running":
        message = solver.step()
        if solver.status == "failed":
            raise ArithmeticError(f"at t = {solver.t}: {message}")
        passed = [time for time in times[len(states):] if time <= solver.t]
        if passed or lines.delayed:
            state_at = solver.dense_output()
            states += [state_at(time) for time in passed]
            if lines.delayed:
                curve.add(lines, solver.t_old, solver.t, state_at)
    return states, solver.y, curve


def solve(options, times, jumps=(), method="BDF", rtol=1e-10, atol=1e-13):
    """The solution of a case at these times; `jumps` are those of the input within a phase.

    At a jump or at the end of a phase it is the state before.
    """
    options = dict(DEFAULTS, **options)
    lines, phases = Lines(options), phases_of(options)
    history, solution = History(float(options["initial_rate"])), Solution(lines.grid)
    state, breaks = lines.initial.ravel(), breaks_of(phases, jumps)
    settings = {"method": method, "rtol": rtol, "atol": atol}
    for begin, end in zip(breaks, breaks[1:]):
        phase = next(phase for phase in phases if end <= phase.end + SAME_TIME)
        if phase.resets and begin == phase.begin:
            state = reset_density(lines, state)
        inside = (numpy.nextafter(begin, end), numpy.nextafter(end, begin))
        lines.begin(phase, inside, history.delayed(inside, phase.delay) if phase.delay else None)
        wanted = [min(time, end) for time in times
                  if begin + SAME_TIME < time <= end + SAME_TIME or time == begin == 0.0]
        states, state, curve = integrate(lines, state, (begin, end), wanted, settings)
        for time, found in zip(wanted, states):
            solution.add(lines, time, found)
        history.add(end, curve)
    return solution
