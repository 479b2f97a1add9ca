"""Closed forms that a run can be compared with: the steady state of one weight, the learned state.

Both are made of the quasi-static state of a slice with drift mu (docs/theory.md, section 2):
Q(v; mu) with rate r(mu). The expressions of a case are evaluated here independently of the program.
"""

import math
import subprocess

import numpy
import scipy.optimize
import scipy.special

from convergence_errors import Norm, by_quantity, mass_factor, norm_of
from engram_expression import Expression, ExpressionError
from engram_runs import RunError, first_line, number_of
from option_reference import parse

SLAB_BYTES = 2**23
POINTS_OF_RATE, POINTS_OF_CELL, POINTS_OF_SUPPORT, PARTS_OF_SUPPORT = 128, 3, 8, 64
SEARCHED_RATES = (1e-6, 1e4)
TRUTHS = ("true", "yes", "on", "1")


class FunctionOfOne:
    """An expression of a case in one variable, for arrays."""

    def __init__(self, name, text, variable):
        self.name, self.text, self.variable = name, str(text), variable
        try:
            self.function = Expression(self.text, variable)
        except ExpressionError as error:
            raise RunError(f"--compare exact: {name}: {error}; only expressions in {variable} can "
                           "be evaluated here; use --compare richardson") from error

    def __call__(self, values):
        """The expression at these values of its variable."""
        return self.function(**{self.variable: values}) + 0.0 * values


class Neuron:
    """The quasi-static state of neurons with a given noise, threshold and reset."""

    def __init__(self, noise, threshold, reset):
        self.noise, self.threshold, self.reset = noise, threshold, reset
        self.scale = math.sqrt(2.0 * noise)
        self.points, self.weights = numpy.polynomial.legendre.leggauss(POINTS_OF_RATE)

    def rate(self, drift):
        """r(mu) for an array of drifts, by Siegert's integral."""
        low = (self.reset - numpy.asarray(drift, dtype=float)[..., None]) / self.scale
        half = 0.5 * (self.threshold - self.reset) / self.scale
        with numpy.errstate(over="ignore"):
            values = scipy.special.erfcx(-(low + half * (1.0 + self.points)))
            return 1.0 / (math.sqrt(math.pi) * half * (values * self.weights).sum(axis=-1))

    def density(self, potential, drift):
        """Q(v; mu)/r(mu) for arrays that fit each other.

        The integral of exp(x^2) is exp(x^2) times Dawson's function.
        """
        x = (potential - drift) / self.scale
        top = (self.threshold - drift) / self.scale
        low = numpy.maximum(x, (self.reset - drift) / self.scale)
        upper = numpy.exp(top**2 - x**2) * scipy.special.dawsn(top)
        return (upper - numpy.exp(low**2 - x**2) * scipy.special.dawsn(low)) \
            * self.scale / self.noise


class ClosedForm:
    """A steady state: its support, total rate, and H(w) and drift for all w in the support."""

    def __init__(self, neuron, support, total_rate, weight_density, drift):
        self.neuron, self.support, self.total_rate = neuron, support, total_rate
        self.weight_density, self.drift = weight_density, drift

    def points(self, fields, cells):
        """Points and weights [cell][point] of what a cell stands for, within the support."""
        if self.support is None:
            return fields.w[cells][:, None], numpy.ones((1, 1))
        if fields.is_at_centres:
            w = fields.w[cells][:, None]
            inside = (w >= self.support[0]) & (w <= self.support[1])
            return numpy.clip(w, *self.support), inside.astype(float)
        nodes, weights = numpy.polynomial.legendre.leggauss(POINTS_OF_CELL)
        left = numpy.clip(fields.w[cells] - 0.5 * fields.cell_width, *self.support)[:, None]
        right = numpy.clip(fields.w[cells] + 0.5 * fields.cell_width, *self.support)[:, None]
        half = 0.5 * (right - left)
        return left + half * (1.0 + nodes), half * weights / fields.cell_width

    def density(self, fields, cells):
        """N(w), H(w) and p [v][w] of some cells, as restriction gives them on a grid."""
        w, weights = self.points(fields, cells)
        drift = self.drift(w)
        rate, mass = self.neuron.rate(drift), self.weight_density(w)
        slices = self.neuron.density(fields.v[:, None, None], drift) * rate
        factor = mass_factor(numpy.ones(w.shape), slices.sum(axis=0) * fields.node_width, 1)
        return ((mass * rate * weights).sum(axis=1), (mass * weights).sum(axis=1),
                (slices * (factor * mass * weights)).sum(axis=2))

    def errors(self, fields):
        """Norms of the difference of a run's last state from the closed form."""
        count = max(1, SLAB_BYTES // (8 * POINTS_OF_CELL * len(fields.v)))
        density = Norm(fields.node_width * fields.cell_width)
        rate, mass = numpy.empty_like(fields.w), numpy.empty_like(fields.w)
        for first in range(0, len(fields.w), count):
            cells = slice(first, min(first + count, len(fields.w)))
            rate[cells], mass[cells], exact = self.density(fields, cells)
            density.add(fields.density[fields.row, :, cells] - exact)
        return by_quantity(fields.total_rate - self.total_rate,
                           norm_of(fields.firing_rate - rate, fields.cell_width),
                           norm_of(fields.weight_density - mass, fields.cell_width),
                           density.values())


def closed_form(case, path, near):
    """The steady state that the case of a run (its case.yaml) must come to.

    Of several states the one whose total rate is nearest to `near` is taken.
    """
    neuron = neuron_of(case, path)
    current = FunctionOfOne("model_input", case["model_input"], "w")
    response = FunctionOfOne("model_response", case["model_response"], "N")
    if case.get("model_plasticity") == "true":
        return learned_state(case, path, (neuron, current, response, near))
    low, high = number_of(case, "grid_w_min", path), number_of(case, "grid_w_max", path)
    if low != high:
        raise RunError("--compare exact: frozen weights have a closed form for a single weight "
                       "only (grid_w_min = grid_w_max); use --compare richardson")
    return single_weight(neuron, low, (current, response), near)


def require_closed_form(options, program, path):
    """Complains about a case without a closed form, before it is run.

    The options that the case does not give are those that the program tells of itself.
    """
    try:
        process = subprocess.run([program, "-help"], capture_output=True, text=True, check=True,
                                 stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RunError(f"{program} -help: {first_line(error)}") from error
    case = {name: default for _, rows in parse(process.stdout)
            for name, _, _, default in rows if default is not None}
    case.update(options)
    learns = str(case["model_plasticity"]).lower() in TRUTHS
    closed_form({**case, "model_plasticity": "true" if learns else "false"}, path, 1.0)


def neuron_of(case, path):
    """The neuron of a case; refuses what has no closed form here."""
    for name, plain in (("model_delay", 0.0), ("model_refractory", 0.0),
                        ("steer_input_factor", 1.0)):
        if name in case and number_of(case, name, path) != plain:
            raise RunError(f"--compare exact: no closed form with {name}: {case[name]}; use "
                           "--compare richardson")
    if case.get("model_drift", "-v").strip("() ") != "-v":
        raise RunError(f"--compare exact: no closed form with model_drift: {case['model_drift']}; "
                       "use --compare richardson")
    if case.get("protocol_phases", "") not in ("", "none", "[]", []):
        raise RunError("--compare exact: no closed form with protocol_phases; use --compare "
                       "richardson")
    try:
        noise = float(case["model_noise"])
    except ValueError as error:
        raise RunError(f"--compare exact: no closed form with model_noise: {case['model_noise']}; "
                       "use --compare richardson") from error
    return Neuron(noise, number_of(case, "model_v_threshold", path),
                  number_of(case, "model_v_reset", path))


def roots(function, grid):
    """Roots of a function of one number between the points of a grid."""
    values = [function(x) for x in grid]
    return [scipy.optimize.brentq(function, low, high, xtol=1e-15, rtol=1e-14)
            for low, high, first, second in zip(grid, grid[1:], values, values[1:])
            if first * second <= 0.0]


def nearest(states, near, what):
    """The (total rate, state) with the total rate nearest to a given one."""
    if not states:
        raise RunError(f"--compare exact: {what}; use --compare richardson")
    return min(states, key=lambda state: abs(state[0] - near))


def single_weight(neuron, weight, functions, near):
    """N = r(I + b sigma(N)); the weight axis has width one, so H = 1."""
    current, response = functions

    def drift(total_rate):
        return float(current(numpy.float64(weight))
                     + weight * response(numpy.float64(total_rate)))

    found = roots(lambda rate: float(neuron.rate(drift(rate))) - rate,
                  numpy.geomspace(*SEARCHED_RATES, 2000))
    total_rate, _ = nearest([(rate, None) for rate in found], near,
                            "the network has no steady state")
    mu = drift(total_rate)
    return ClosedForm(neuron, None, total_rate, numpy.ones_like, lambda w: numpy.full_like(w, mu))


def learned_state(case, path, parts):
    """N(w) = w/(K Nbar) on [0, w*]; Nbar^2 is the integral of w/K, that of H is one."""
    neuron, current, response, near = parts
    learning = FunctionOfOne("model_learning", case["model_learning"], "w")
    low, high = number_of(case, "grid_w_min", path), number_of(case, "grid_w_max", path)
    if low != 0.0 or not (learning(numpy.linspace(0.0, high, 1000)) > 0.0).all():
        raise RunError("--compare exact: the learned state has a closed form here for grid_w_min: "
                       "0 and K(w) > 0 only; use --compare richardson")
    nodes, weights = numpy.polynomial.legendre.leggauss(POINTS_OF_SUPPORT)

    def total_rate_of(largest):
        w, width = support_points(largest, nodes)
        return math.sqrt((w / learning(w) * weights).sum() * 0.5 * width)

    def weight_density(w, total_rate):
        drift = current(w) + w * response(numpy.float64(total_rate))
        return w / (learning(w) * total_rate * neuron.rate(drift))

    def excess(largest):
        w, width = support_points(largest, nodes)
        return (weight_density(w, total_rate_of(largest)) * weights).sum() * 0.5 * width - 1.0

    states = [(total_rate_of(largest), largest)
              for largest in roots(excess, numpy.linspace(1e-3 * high, high, 200))]
    total_rate, largest = nearest(states, near,
                                  f"no learned state ends within grid_w_max: {high:g}")
    return ClosedForm(neuron, (0.0, largest), total_rate,
                      lambda w: weight_density(w, total_rate),
                      lambda w: current(w) + w * response(numpy.float64(total_rate)))


def support_points(largest, nodes):
    """Gauss points [part][point] of the parts of the support, and the width of a part."""
    width = largest / PARTS_OF_SUPPORT
    return width * (numpy.arange(PARTS_OF_SUPPORT)[:, None] + 0.5 * (1.0 + nodes)), width
