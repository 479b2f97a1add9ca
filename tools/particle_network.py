"""Simulates the network of engram neuron by neuron: no density, no grid of potentials.

Between two spikes the potential of a neuron is an Ornstein-Uhlenbeck process, whose transition over
a step h is known exactly. In the clock s = a (e^{2h} - 1) and the place x = (v - mu) e^{h} it is a
Brownian motion, and the threshold a boundary that is straight up to O(h^2). So, given both ends of
a step, the probability of a passage between them and the law of its time are those of a Brownian
bridge [1, 2]; the time is sampled [3], and the neuron goes on from the reset with what is left of
the step.

[1] A. N. Borodin, P. Salminen: Handbook of Brownian motion (2002), part II, section 1.
[2] M. T. Giraudo, L. Sacerdote: Commun. Stat. Simul. Comput. 28 (1999) 1135 (bridges in steps).
[3] J. R. Michael, W. R. Schucany, R. W. Haas: Am. Stat. 30 (1976) 88 (inverse Gaussian numbers).
"""

import dataclasses

import numpy

from engram_expression import Expression

# The rate in the drift is a parabola through the rates of the last steps of this time, so that it
# is not late; in units of the reacting time.
MEMORY = 0.2
MOST_REMEMBERED = 40
DEGREE = 2
# Passages less probable than exp(-36), the smallest double beside one, do not happen.
LARGEST_EXPONENT = 36.0
# Cells of w in which neurons and spikes are counted.
WEIGHT_CELLS = 400
# Neurons that are moved at a time, so that all there is to know of them stays in the cache.
BLOCK = 16384
# Grid on which the initial density is tabulated for sampling.
SAMPLED_WEIGHTS = 2000
SAMPLED_POTENTIALS = 1000
# (sqrt(5) - 1)/2: its multiples fill the unit interval evenly.
GOLDEN_RATIO = 0.6180339887498949


@dataclasses.dataclass(frozen=True)
class Settings:
    """What one simulated network is made with."""

    neurons: int
    step: float  # wanted, in reacting time
    degree: int  # of the polynomial for the rate of one neuron over w
    seed: int
    window: tuple  # learning times between which N(w) is averaged
    intervals: int  # in which the total rate is averaged


@dataclasses.dataclass
class Network:
    """The options of a case that make the model, with the expressions as functions."""

    epsilon: float
    end: float
    threshold: float
    reset: float
    v_min: float
    w_min: float
    w_max: float
    w_cells: int
    learns: bool
    noise: Expression
    input: Expression
    response: Expression
    learning: Expression
    initial: Expression

    @classmethod
    def from_case(cls, case):
        """From the options as engram writes them to case.yaml, all of them texts."""
        numbers = {"epsilon": "model_epsilon", "end": "time_end", "threshold": "model_v_threshold",
                   "reset": "model_v_reset", "v_min": "model_v_min", "w_min": "grid_w_min",
                   "w_max": "grid_w_max"}
        expressions = {"noise": ("model_noise", "N"), "input": ("model_input", "wt"),
                       "response": ("model_response", "N"), "learning": ("model_learning", "w"),
                       "initial": ("initial_density", "wv")}
        return cls(w_cells=int(case["grid_w_cells"]), learns=case["model_plasticity"] == "true",
                   **{name: float(case[option]) for name, option in numbers.items()},
                   **{name: Expression(case[option], variables)
                      for name, (option, variables) in expressions.items()})


def sample_initial(network, neurons, generator):
    """Weights in ascending order, and potentials, of the initial density.

    The weights are the quantiles of H, and the potentials follow the golden sequence with a random
    shift: each is distributed as it should be, and all together more evenly than at random.
    """
    edges = numpy.linspace(network.w_min, network.w_max, SAMPLED_WEIGHTS + 1)
    centres = 0.5 * (edges[1:] + edges[:-1])
    potentials = numpy.linspace(network.v_min, network.threshold, SAMPLED_POTENTIALS + 1)
    middle = 0.5 * (potentials[1:] + potentials[:-1])
    table = numpy.broadcast_to(network.initial(w=centres[:, None], v=middle[None, :]),
                               (SAMPLED_WEIGHTS, SAMPLED_POTENTIALS))
    mass = numpy.concatenate([[0.0], numpy.cumsum(table.sum(axis=1))])
    w = numpy.interp((numpy.arange(neurons) + 0.5) / neurons, mass / mass[-1], edges)
    uniform = (numpy.arange(neurons) * GOLDEN_RATIO + generator.random()) % 1.0
    v = numpy.empty(neurons)
    first = numpy.searchsorted(w, edges)
    for cell in numpy.flatnonzero(numpy.diff(first)):
        own = slice(first[cell], first[cell + 1])
        below = numpy.concatenate([[0.0], numpy.cumsum(table[cell])])
        v[own] = numpy.interp(uniform[own], below / below[-1], potentials)
    return w, v


def passage_time(distance, end_distance, duration, noise, generator):
    """Times of first passage of neurons that have passed the threshold.

    distance and end_distance are V_F - v at both ends of the steps of these durations. With S the
    length of the step in the clock s, the time T of a bridge that passes has T/(S - T) distributed
    as an inverse Gaussian of mean d_0/|d_1| and shape d_0^2/S.
    """
    length = noise * numpy.expm1(2.0 * duration)
    mean = distance / numpy.maximum(numpy.abs(end_distance) * numpy.exp(duration), 1e-12)
    ratio = mean * length / (2.0 * distance**2) * generator.standard_normal(len(distance))**2
    value = mean / (1.0 + ratio + numpy.sqrt(ratio * (2.0 + ratio)))
    is_other = generator.random(len(distance)) * (mean + value) > mean
    value = numpy.where(is_other, mean * (mean / value), value)
    return 0.5 * numpy.log1p(length / noise * (value / (1.0 + value)))


def move_freely(v, mu, duration, noise, generator):
    """Potentials after these durations if there were no threshold."""
    spread = numpy.sqrt(-noise * numpy.expm1(-2.0 * duration))
    moved = generator.standard_normal(len(v))
    moved *= spread
    moved += mu
    moved += (v - mu) * numpy.exp(-duration)
    return moved


def find_passages(distance, end_distance, duration, noise, generator):
    """Indices of the neurons that have passed the threshold within their step."""
    exponent = distance * end_distance
    exponent /= noise * numpy.sinh(duration)
    near = numpy.flatnonzero(exponent < LARGEST_EXPONENT)
    # Beyond the threshold the exponent is negative and the passage certain.
    probability = numpy.exp(-numpy.maximum(exponent[near], 0.0))
    return near[generator.random(len(near)) < probability]


def advance_potentials(v, mu, step, noise, network, generator):
    """Moves the potentials in place by a step; returns the indices of the spikes.

    A neuron that spikes twice in the step is there twice.
    """
    moved = move_freely(v, mu, step, noise, generator)
    distance, end_distance = network.threshold - v, network.threshold - moved
    fired = find_passages(distance, end_distance, step, noise, generator)
    v[:] = moved
    spikes = [fired]
    distance, end_distance = distance[fired], end_distance[fired]
    left = numpy.full(len(fired), step)
    while len(fired):
        left = left - passage_time(distance, end_distance, left, noise, generator)
        left = numpy.maximum(left, 0.0)
        v[fired] = move_freely(numpy.full(len(fired), network.reset), mu[fired], left, noise,
                               generator)
        distance = numpy.full(len(fired), network.threshold - network.reset)
        # No time left, no second spike.
        again = find_passages(distance, network.threshold - v[fired],
                              numpy.maximum(left, 1e-12), noise, generator)
        fired, distance, left = fired[again], distance[again], left[again]
        end_distance = network.threshold - v[fired]
        spikes.append(fired)
    return numpy.concatenate(spikes)


def advance_in_blocks(v, mu, step, noise, network, generator):
    """The same as advance_potentials for many neurons, faster."""
    spikes = []
    for first in range(0, len(v), BLOCK):
        block = slice(first, first + BLOCK)
        spikes.append(first + advance_potentials(v[block], mu[block], step, noise, network,
                                                 generator))
    return numpy.concatenate(spikes)


class RateForecast:
    """The total rate of the step to come, from those of the steps before it."""

    def __init__(self, step):
        self._count = int(numpy.clip(round(MEMORY / step), DEGREE + 1, MOST_REMEMBERED))
        self._rates = []

    def remember(self, rate):
        """Takes the rate of the step that has been made."""
        self._rates = (self._rates + [rate])[-self._count:]

    def value(self):
        """The parabola of least squares through the last rates, one step on; never negative."""
        count = len(self._rates)
        if count == 0:
            return 0.0
        powers = numpy.vander(numpy.arange(-count, 0.0), min(DEGREE, count - 1) + 1)
        coefficients = numpy.linalg.lstsq(powers, numpy.array(self._rates), rcond=None)[0]
        return max(float(coefficients[-1]), 0.0)


class RateByWeight:
    """N(w) = H(w) nu(w), from where the neurons and the spikes are.

    H is the mass of the neurons between the edges of narrow cells. As their weights began as
    quantiles and keep their order, it is not noisy. The rate of one neuron, nu, is a smooth
    function of w even where H has a steep front: a polynomial, fitted to the spikes of all neurons
    by least squares.
    """

    def __init__(self, network, degree):
        self._edges = numpy.linspace(network.w_min, network.w_max, WEIGHT_CELLS + 1)
        self._cell = self._edges[1] - self._edges[0]
        self._first = 0.5 * (self._edges[0] + self._edges[1])
        centres = (numpy.arange(WEIGHT_CELLS) + 0.5) * (2.0 / WEIGHT_CELLS) - 1.0
        self._polynomials = numpy.polynomial.legendre.legvander(centres, degree)

    def masses(self, weights):
        """Shares of the neurons in the cells; the weights ascend."""
        return masses_between(self._edges, weights)

    def rates(self, weights, spiking_weights, step):
        """N at the centres of the cells, from the spikes within a step."""
        mass = self.masses(weights)
        spikes = numpy.histogram(spiking_weights, WEIGHT_CELLS,
                                 (self._edges[0], self._edges[-1]))[0]
        occupied = mass > 0.0
        root = numpy.sqrt(mass[occupied])
        coefficients = numpy.linalg.lstsq(
            self._polynomials[occupied] * root[:, None],
            spikes[occupied] / (len(weights) * step * root), rcond=1e-10)[0]
        # Means over cells become values at their centres.
        padded = numpy.pad(mass, 1)
        density = (26.0 * mass - padded[:-2] - padded[2:]) / (24.0 * self._cell)
        return numpy.maximum(density, 0.0) * numpy.maximum(self._polynomials @ coefficients, 0.0)

    def at(self, weights, values):
        """Values of the cells at these weights, by straight lines between the centres."""
        place = (weights - self._first) / self._cell
        numpy.clip(place, 0.0, WEIGHT_CELLS - 1.000001, out=place)
        cell = place.astype(numpy.intp)
        place -= cell
        return values[cell] + place * numpy.diff(values)[cell]


def masses_between(edges, weights):
    """Shares of the neurons between edges that take in all of them; the weights ascend."""
    ranks = (numpy.arange(len(weights)) + 0.5) / len(weights)
    below = numpy.interp(edges, weights, ranks)
    below[0], below[-1] = 0.0, 1.0
    return numpy.diff(below)


class Simulation:
    """One network of so many neurons from t = 0 to its end.

    Potentials are known at the ends of the steps and weights at their middle, where the spikes are
    counted; the weights move by the Adams-Bashforth method of second order.
    """

    def __init__(self, network, settings):
        self.network, self.settings = network, settings
        self.generator = numpy.random.Generator(numpy.random.PCG64(settings.seed))
        reacting_end = network.end / network.epsilon
        # A whole number of steps in each of the intervals.
        longest = settings.step
        if network.learns:
            # A weight must not jump over a cell; its velocity is of the order of one.
            longest = min(longest, (network.w_max - network.w_min) / WEIGHT_CELLS / network.epsilon)
        parts = max(1, int(numpy.ceil(reacting_end / settings.intervals / longest - 1e-9)))
        self.steps = parts * settings.intervals
        self.step = reacting_end / self.steps
        self.w, self.v = sample_initial(network, settings.neurons, self.generator)
        self.rate_by_weight = RateByWeight(network, settings.degree)
        self.forecast = RateForecast(self.step)
        self.velocity = -self.w
        if network.learns:
            self._limit(self.w + 0.5 * network.epsilon * self.step * self.velocity)
        self.spikes_of_steps = numpy.zeros(self.steps)
        self.spikes_of_cells = numpy.zeros(network.w_cells)

    def _limit(self, weights):
        """Weights do not leave their interval, as no flux crosses its ends."""
        self.w = numpy.clip(weights, self.network.w_min, self.network.w_max)

    def _learn(self, spiking_weights, total_rate):
        """Moves the weights by a step of the learning rule."""
        network = self.network
        rates = self.rate_by_weight.rates(self.w, spiking_weights, self.step)
        # The forecast comes of earlier spikes only: its noise and that of N(w) are independent.
        velocity = (network.learning(w=self.w) * self.rate_by_weight.at(self.w, rates) * total_rate
                    - self.w)
        self._limit(self.w + network.epsilon * self.step * (1.5 * velocity - 0.5 * self.velocity))
        self.velocity = velocity

    def _count(self, number, spiking_weights):
        """Adds the spikes of a step to what is compared."""
        network = self.network
        self.spikes_of_steps[number] = len(spiking_weights)
        time = (number + 0.5) * self.step * network.epsilon
        if self.settings.window[0] < time < self.settings.window[1]:
            self.spikes_of_cells += numpy.histogram(
                spiking_weights, network.w_cells, (network.w_min, network.w_max))[0]

    def run(self):
        """Makes all steps; returns total rate [interval], N(w) and H(w) [cell]."""
        network, count = self.network, self.settings.neurons
        for number in range(self.steps):
            total_rate = self.forecast.value()
            time = (number + 0.5) * self.step * network.epsilon
            mu = network.input(w=self.w, t=time) + self.w * network.response(N=total_rate)
            spikes = advance_in_blocks(self.v, mu, self.step, float(network.noise(N=total_rate)),
                                       network, self.generator)
            self.forecast.remember(len(spikes) / (count * self.step))
            spiking_weights = self.w[spikes]
            self._count(number, spiking_weights)
            if network.learns:
                self._learn(spiking_weights, total_rate)
        return self._results()

    def _results(self):
        network, settings = self.network, self.settings
        if network.learns:
            # The weights are half a step ahead of the end.
            self._limit(self.w - 0.5 * network.epsilon * self.step * self.velocity)
        duration = (settings.window[1] - settings.window[0]) / network.epsilon
        cell = (network.w_max - network.w_min) / network.w_cells
        edges = numpy.linspace(network.w_min, network.w_max, network.w_cells + 1)
        per_interval = self.spikes_of_steps.reshape(settings.intervals, -1).mean(axis=1)
        return {"total_rate": per_interval / (settings.neurons * self.step),
                "firing_rate": self.spikes_of_cells / (settings.neurons * duration * cell),
                "weight_density": masses_between(edges, numpy.sort(self.w)) / cell}


def simulate(case, settings):
    """One simulation of the options of a case; a plain function, for other processes to call."""
    return Simulation(Network.from_case(case), settings).run()
