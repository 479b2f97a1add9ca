"""Where a learned steady state exists: the closed form of docs/theory.md, section 5, as a family.

For constant K > 0 and input I the learned state has H = w/(K Nbar r(I + w sigma(Nbar))) on
[0, w*], Nbar^2 = w*^2/(2K), and mass one. With w = w* y and w* = Nbar sqrt(2K) the last one is

    2 Nbar * integral over [0, 1] of y / r(I + z y) dy = 1,      z = sqrt(2K) Nbar sigma(Nbar),

which falls as z grows, because r increases: for every Nbar > r(I) there is exactly one K. So the
states are one curve K(Nbar), and a state exists for a given K where the curve reaches it. As
r(mu) ~ mu/(V_F - V_R) for large mu, the left side tends to 2 (V_F - V_R)/(sqrt(2K) sigma(Nbar)):

  sigma(N) = N         K -> 0 as Nbar grows: the curve has a maximum K_c, the fold; two states below
                       it, none above.
  sigma(N) = N/(1+N)   K -> 2 (V_F - V_R)^2: one state below this value; up to K_c, if that is
                       larger, two; none above.

In the limit eps = 0 the upper branch is the boundary of what is attracted by the lower one, for an
initial density out of the family itself. With the distribution function G(w), the integral of H
from the lower end, the macroscopic equation is G_t + K Nbar r G_w^2 - w G_w = 0, and more weight to
the right raises Nbar, which moves the weights further to the right: the flow keeps the order of G.
Where K is larger than that of the state one starts from, weights grow from then on, up to the next
larger state at this K if there is one; where K is smaller, they shrink to the next smaller one. All
this as long as the total rate is the lowest solution of its own scalar equation, gain_slope < 1.
"""

import dataclasses
import functools
import math

import numpy
import scipy.optimize

import reference

NODES, WEIGHTS = reference.panel_quadrature([0.0, 1.0], 4)
# The upper end of the interval of z that the search for a root begins with.
FIRST_BRACKET = 1.0
# Of the polynomial that stands for -log r in an initial density.
DEGREE = 8
NO_STATE = math.nan


@dataclasses.dataclass(frozen=True)
class State:
    """A learned steady state."""

    total_rate: float  # Nbar
    learning: float  # K
    largest_weight: float  # w*
    mean_weight: float
    gain_slope: float  # of G in Nbar = G(Nbar) with these weights frozen: stable below 1


class Network:
    """Input, response and potentials of a network that learns with one constant K."""

    def __init__(self, current=1.0, response=reference.identity, noise=1.0, threshold=2.0,
                 reset=1.0):
        self.current, self.response = current, response
        self.neuron = {"noise": noise, "threshold": threshold, "reset": reset}
        self.smallest_rate = float(reference.firing_rate(current, **self.neuron))

    def rate(self, mu):
        """r(mu)."""
        return reference.firing_rate(mu, **self.neuron)

    def mass(self, total_rate, slope):
        """2 Nbar times the integral of y/r(I + z y), which is one for a learned state."""
        return 2.0 * total_rate * float(WEIGHTS @ (NODES / self.rate(self.current
                                                                     + slope * NODES)))

    @functools.lru_cache(maxsize=4096)
    def state_of_rate(self, total_rate):
        """The learned state with this total rate, larger than r(I); its K follows."""
        if not total_rate > self.smallest_rate:
            raise ValueError(f"total rate {total_rate:g}: learned states have more than r(I) = "
                             f"{self.smallest_rate:g}")
        high = FIRST_BRACKET
        while self.mass(total_rate, high) > 1.0:
            high *= 2.0
        slope = scipy.optimize.brentq(lambda z: self.mass(total_rate, z) - 1.0, 0.0, high,
                                      xtol=1e-14, rtol=1e-13)
        largest = slope / self.response(total_rate)
        density = 2.0 * total_rate * NODES / self.rate(self.current + slope * NODES)
        rise = reference.firing_rate_slope(self.current + slope * NODES, **self.neuron)
        gain = (largest * float(WEIGHTS @ (density * rise * NODES))
                * reference.derivative(self.response, total_rate))
        return State(total_rate, 0.5 * (largest / total_rate) ** 2, largest,
                     largest * float(WEIGHTS @ (density * NODES)), gain)

    @functools.lru_cache(maxsize=64)
    def fold(self, highest=50.0):
        """The state of the largest K: K_c. None if K still grows at the highest rate."""
        scan = numpy.geomspace(1.0 + 1e-3, highest / self.smallest_rate, 120) * self.smallest_rate
        strengths = [self.state_of_rate(rate).learning for rate in scan]
        top = int(numpy.argmax(strengths))
        if top == len(scan) - 1:
            return None
        found = scipy.optimize.minimize_scalar(
            lambda rate: -self.state_of_rate(rate).learning, method="bounded",
            bounds=(scan[max(0, top - 1)], scan[top + 1]), options={"xatol": 1e-10})
        return self.state_of_rate(float(found.x))

    def states_of_learning(self, learning, highest=50.0):
        """All learned states for one K up to the highest rate, in the order of their rates."""
        scan = numpy.geomspace(1.0 + 1e-6, highest / self.smallest_rate, 400) * self.smallest_rate
        excess = [self.state_of_rate(rate).learning - learning for rate in scan]
        roots = [scipy.optimize.brentq(lambda n: self.state_of_rate(n).learning - learning,
                                       low, high, xtol=1e-13)
                 for low, high, left, right in zip(scan, scan[1:], excess, excess[1:])
                 if left * right < 0.0]
        return [self.state_of_rate(root) for root in roots]

    def state_of_mean_weight(self, mean_weight, highest=1e3):
        """The first learned state, from small rates on, that has this mean weight."""
        scan = numpy.geomspace(1.0 + 1e-6, highest / self.smallest_rate, 200) * self.smallest_rate

        def excess(rate):
            return self.state_of_rate(rate).mean_weight - mean_weight

        for low, high in zip(scan, scan[1:]):
            if excess(low) <= 0.0 < excess(high):
                return self.state_of_rate(scipy.optimize.brentq(excess, low, high, xtol=1e-13))
        raise ValueError(f"no learned state has the mean weight {mean_weight:g}")

    @functools.lru_cache(maxsize=64)
    def last_resting_state(self, highest=1e3):
        """The first state along the curve whose frozen weights are at their own fold, or None.

        Beyond it the learned rate is not the lowest solution of its scalar equation any more.
        """
        scan = numpy.geomspace(1.0 + 1e-6, highest / self.smallest_rate, 200) * self.smallest_rate
        for low, high in zip(scan, scan[1:]):
            if self.state_of_rate(high).gain_slope >= 1.0:
                root = scipy.optimize.brentq(
                    lambda n: self.state_of_rate(n).gain_slope - 1.0, low, high, xtol=1e-13)
                return self.state_of_rate(root)
        return None

    def largest_learning(self, mean_weight):
        """The boundary: for smaller K an initial density of the family comes to a learned state.

        The K of the fold below its mean weight, and that of the upper branch above; no number where
        the initial weights themselves have no rate at rest.
        """
        fold, last = self.fold(), self.last_resting_state()
        if last and mean_weight > last.mean_weight:
            return NO_STATE
        if mean_weight <= fold.mean_weight:
            return fold.learning
        return self.state_of_mean_weight(mean_weight).learning

    def initial_weights(self, mean_weight):
        """H(w) of the family, up to a factor, as an expression of engram in w.

        1/r is exp of a polynomial, fitted to 1e-4 or better. Beyond the last state at rest the
        shape is that of this state, stretched.
        """
        last = self.last_resting_state()
        stretched = last and mean_weight > last.mean_weight
        state = last if stretched else self.state_of_mean_weight(mean_weight)
        largest = state.largest_weight * (mean_weight / state.mean_weight if stretched else 1.0)
        slope = state.largest_weight * self.response(state.total_rate)
        y = 0.5 - 0.5 * numpy.cos(math.pi * (numpy.arange(64) + 0.5) / 64)
        logarithm = -numpy.log(self.rate(self.current + slope * y) / self.smallest_rate)
        fit = numpy.polynomial.Polynomial.fit(y, logarithm, DEGREE, domain=[0.0, 1.0],
                                              window=[0.0, 1.0])
        u = f"(w/{largest:.8g})"
        text = f"{fit.coef[-1]:.8g}"
        for coefficient in fit.coef[-2::-1]:
            text = f"{coefficient:.8g} + {u}*({text})"
        return f"w > 0 && w < {largest:.8g} ? w*exp({text}) : 0"
