"""The model on the grid of a case as a system of ordinary differential equations in time.

It is made from the options of a case file, and has the discretisation in v and w of
docs/numerics.md, sections 1, 2 and 7 (Scharfetter-Gummel fluxes, split upwind flux of first order).
No code is shared with the program. With p_ik the density in cell i of the weights and at node k,
and A the activity,

    dp/dt = (1/eps) [fluxes in v with drift I + w sigma(A) and noise a(A), reset] - [fluxes in w] ,

A being Nbar = dw sum_i N_i, an equation for A since N_i depends on the drift, or with a delay the
Nbar of an earlier time. Refractory neurons are one more unknown of a slice, R/h.
"""

import numpy
import scipy.sparse

from case_functions import function_of

DEFAULTS = {
    "model_noise": "1", "model_epsilon": 0.1, "model_input": "0", "model_response": "N",
    "model_learning": "1", "model_delay": 0, "model_refractory": 0, "model_plasticity": True,
    "initial_rate": 0, "model_v_threshold": 2, "model_v_reset": 1, "model_v_min": -4,
    "grid_w_min": 0, "grid_w_max": 1, "time_end": 0, "protocol_phases": "",
}


def is_true(value):
    """A value of a case file that is true or false."""
    return str(value).lower() == "true"


def bernoulli_pair(q):
    """B(-q) and B(q) for B(x) = x/(e^x - 1), from that of |q| by B(-x) = B(x) + x."""
    size = numpy.minimum(numpy.abs(q), 700.0)
    small = size < 1e-3
    safe = numpy.where(small, 1.0, size)
    low = numpy.where(small, 1.0 - size / 2.0 + size**2 / 12.0, safe / numpy.expm1(safe))
    high = low + numpy.abs(q)
    return numpy.where(q > 0.0, high, low), numpy.where(q > 0.0, low, high)


def bernoulli_slope(x):
    """B'(x) = (1 - B(-x))/(e^x - 1)."""
    x = numpy.clip(x, -700.0, 700.0)
    small = numpy.abs(x) < 1e-3
    safe = numpy.where(small, 1.0, x)
    return numpy.where(small, -0.5 + x / 6.0,
                       (1.0 - bernoulli_pair(safe)[0]) / numpy.expm1(safe))


def slope_of(function, point):
    """Central difference; a Jacobian needs no more."""
    step = 1e-6 * (1.0 + abs(point))
    return (function(point + step) - function(max(point - step, 0.0))) \
        / (point + step - max(point - step, 0.0))


class Grid:
    """Nodes v_k, centres of the cells of w and the faces between them."""

    def __init__(self, options):
        threshold, v_min = float(options["model_v_threshold"]), float(options["model_v_min"])
        cells, self.cells = int(options["grid_v_cells"]), int(options["grid_w_cells"])
        self.h = (threshold - v_min) / cells
        self.nodes = cells - 1
        self.v = v_min + self.h * (numpy.arange(self.nodes) + 1.0)
        self.reset = round((float(options["model_v_reset"]) - v_min) / self.h) - 1
        w_min, width = float(options["grid_w_min"]), float(options["grid_w_max"])
        width -= w_min
        # A single weight stands for an axis of width one.
        self.dw = width / self.cells if width > 0.0 else 1.0
        self.w = w_min + width * (numpy.arange(self.cells) + 0.5) / self.cells
        self.w_faces = w_min + width * numpy.arange(1, self.cells) / self.cells


class Phase:
    """Input, eps and plasticity from `begin` to `end`."""

    def __init__(self, options, begin, end, name=None):
        def option(what):
            return options.get(f"phase_{name}_{what}", options[f"model_{what}"])

        self.begin, self.end = begin, end
        self.epsilon = float(option("epsilon"))
        self.plasticity = is_true(option("plasticity"))
        self.current = function_of(option("input"), "w", "t", "s")
        self.resets = options.get(f"phase_{name}_initial") == "reset"
        self.delay = self.epsilon * float(options["model_delay"])


def phases_of(options):
    """The phases of a protocol, or the one of a case without."""
    names = str(options["protocol_phases"]).strip("[]").replace(" ", "")
    if not names:
        return [Phase(options, 0.0, float(options["time_end"]))]
    phases, begin = [], 0.0
    for name in names.split(","):
        end = begin + float(options[f"phase_{name}_duration"])
        phases.append(Phase(options, begin, end, name))
        begin = end
    return phases


class Lines:
    """The right-hand side of all slices; y[i * rows + k], the refractory state last in a slice."""

    def __init__(self, options):
        self.grid = Grid(options)
        self.noise = function_of(options["model_noise"], "N")
        self.response = function_of(options["model_response"], "N")
        self.tau = float(options["model_refractory"])
        self.rows = self.grid.nodes + (1 if self.tau > 0.0 else 0)
        self.shape = (self.grid.cells, self.rows)
        self.learning = function_of(options["model_learning"], "w")(self.grid.w) + 0.0 * self.grid.w
        w, v = numpy.meshgrid(self.grid.w, self.grid.v, indexing="ij")
        density = numpy.zeros(self.shape)
        density[:, :self.grid.nodes] = function_of(options["initial_density"], "w", "v")(w, v)
        self.initial = density / (density.sum() * self.grid.h * self.grid.dw)
        self.activity = 0.0
        self.phase = self.delayed = self.inside = self.current_time = self.current_values = None

    def begin(self, phase, inside, delayed):
        """What holds from now on: a phase, the times of the piece, the activity if delayed."""
        self.phase, self.inside, self.delayed = phase, inside, delayed
        self.current_time = None

    def current(self, time):
        """I(w, t), at a jump as seen from within the piece."""
        if time != self.current_time:
            seen = min(max(time, self.inside[0]), self.inside[1])
            self.current_values = 0.0 * self.grid.w \
                + self.phase.current(self.grid.w, seen, seen - self.phase.begin)
            self.current_time = time
        return self.current_values

    def weights(self, current, activity, with_slopes=False):
        """(a/h) B(-q) and (a/h) B(q) of all faces; or their derivatives to the activity."""
        grid, noise = self.grid, float(self.noise(activity))
        mu = current + grid.w * self.response(activity)
        q = (mu[:, None] - grid.v - 0.5 * grid.h) * grid.h / noise
        forward, backward = bernoulli_pair(q)
        if not with_slopes:
            return noise / grid.h * forward, noise / grid.h * backward
        noise_slope = slope_of(self.noise, activity)
        q_slope = grid.w[:, None] * slope_of(self.response, activity) * grid.h / noise \
            - q * noise_slope / noise
        return ((noise_slope * forward - noise * bernoulli_slope(-q) * q_slope) / grid.h,
                (noise_slope * backward + noise * bernoulli_slope(q) * q_slope) / grid.h)

    def last_weight(self, current, activity):
        """N per density at the last node."""
        grid, noise = self.grid, float(self.noise(activity))
        mu = current + grid.w * self.response(activity)
        q = (mu - grid.v[-1] - 0.5 * grid.h) * grid.h / noise
        return noise / grid.h * bernoulli_pair(q)[0]

    def find_activity(self, time, last):
        """The delayed rate, or the root of A = dw sum N(A) by secants from the last one found."""
        if self.delayed:
            return self.delayed(min(max(time, self.inside[0]), self.inside[1]))
        current, dw = self.current(time), self.grid.dw

        def excess(activity):
            return dw * (self.last_weight(current, activity) @ last) - activity

        low, value = self.activity, excess(self.activity)
        high = low + value
        for _ in range(100):
            new = excess(high)
            if high == low or new == value:
                break
            low, high, value = high, high - new * (high - low) / (new - value), new
            if abs(high - low) <= 4e-16 * abs(high):
                break
        self.activity = float(high)
        return self.activity

    def fluxes(self, weights, density):
        """Fluxes in v through the faces of nodes 0 to the last, whose flux is N."""
        forward, backward = weights
        flux = forward * density[:, :self.grid.nodes]
        flux[:, :-1] -= backward[:, :-1] * density[:, 1:self.grid.nodes]
        return flux

    def reaction(self, weights, density):
        """eps times the change by the fluxes in v, firing and reset."""
        grid, flux = self.grid, self.fluxes(weights, density)
        change = numpy.zeros(self.shape)
        change[:, :grid.nodes] = -flux / grid.h
        change[:, 1:grid.nodes] += flux[:, :-1] / grid.h
        if self.tau > 0.0:
            leaving = density[:, -1] / self.tau
            change[:, -1] = flux[:, -1] / grid.h - leaving
            change[:, grid.reset] += leaving
        else:
            change[:, grid.reset] += flux[:, -1] / grid.h
        return change

    def hand_overs(self, phi):
        """Velocities to the right and to the left at the faces between cells of w."""
        faces = self.grid.w_faces
        return (numpy.maximum(phi[:-1], 0.0) + numpy.maximum(-faces, 0.0),
                numpy.maximum(-phi[1:], 0.0) + numpy.maximum(faces, 0.0))

    def divergence(self, flux):
        """Change of the cells of w by fluxes through the faces between them."""
        change = numpy.zeros((self.grid.cells,) + flux.shape[1:])
        change[:-1] -= flux / self.grid.dw
        change[1:] += flux / self.grid.dw
        return change

    def total_rate(self, rates):
        """Nbar of N(w)."""
        return self.grid.dw * rates.sum()

    def rates(self, time, state):
        """N(w) of a state."""
        last = state.reshape(self.shape)[:, self.grid.nodes - 1]
        return self.last_weight(self.current(time), self.find_activity(time, last)) * last

    def right_hand_side(self, time, state):
        """dy/dt."""
        density = state.reshape(self.shape)
        activity = self.find_activity(time, density[:, self.grid.nodes - 1])
        weights = self.weights(self.current(time), activity)
        change = self.reaction(weights, density) / self.phase.epsilon
        if self.phase.plasticity and self.grid.cells > 1:
            rates = weights[0][:, -1] * density[:, self.grid.nodes - 1]
            right, left = self.hand_overs(self.learning * rates * self.total_rate(rates))
            change += self.divergence(right[:, None] * density[:-1] - left[:, None] * density[1:])
        return change.ravel()


class Jacobian:
    """d(dy/dt)/dy of Lines: a sparse matrix and one full column for the last node of each slice."""

    def __init__(self, lines):
        self.lines = lines
        self.index = numpy.arange(lines.grid.cells * lines.rows).reshape(lines.shape)
        self.last = self.index[:, lines.grid.nodes - 1]

    def __call__(self, time, state):
        lines, grid = self.lines, self.lines.grid
        density = state.reshape(lines.shape)
        last = density[:, grid.nodes - 1]
        activity = lines.find_activity(time, last)
        current = lines.current(time)
        weights = lines.weights(current, activity)
        slopes = lines.weights(current, activity, with_slopes=True)
        rate_slope = slopes[0][:, -1] * last
        # Of the activity and of all N(w), to the densities at the last nodes.
        gain = 1.0 - grid.dw * rate_slope.sum()
        activity_by = 0.0 * last if lines.delayed else grid.dw * weights[0][:, -1] / gain
        rates_by = numpy.diag(weights[0][:, -1]) + numpy.outer(rate_slope, activity_by)
        columns = lines.reaction(slopes, density)[:, :, None] * activity_by / lines.phase.epsilon
        entries = [self.of_reaction(weights)]
        if lines.phase.plasticity and grid.cells > 1:
            rates = weights[0][:, -1] * last
            entries.append(self.of_transport(rates))
            columns = columns + self.by_velocity(rates, rates_by, density)
        rows, places, values = (numpy.concatenate(part) for part in zip(*entries))
        size = self.index.size
        matrix = scipy.sparse.coo_matrix((values, (rows, places)), (size, size))
        return (matrix + self.in_place(columns)).tocsc()

    def in_place(self, columns):
        """The full columns as a sparse matrix."""
        size, cells = self.index.size, self.last.size
        return scipy.sparse.coo_matrix(
            (columns.reshape(size, cells).ravel(),
             (numpy.repeat(numpy.arange(size), cells), numpy.tile(self.last, size))), (size, size))

    def of_reaction(self, weights):
        """Rows, columns and values of the fluxes in v for given weights of the faces."""
        lines, grid, index = self.lines, self.lines.grid, self.index
        scale = 1.0 / (grid.h * lines.phase.epsilon)
        forward, backward = (scale * part for part in weights)
        here, after = index[:, :grid.nodes - 1], index[:, 1:grid.nodes]
        waiting, reset = index[:, -1], index[:, grid.reset]
        target = waiting if lines.tau > 0.0 else reset
        parts = [(here, here, -forward[:, :-1]), (after, here, forward[:, :-1]),
                 (here, after, backward[:, :-1]), (after, after, -backward[:, :-1]),
                 (self.last, self.last, -forward[:, -1]), (target, self.last, forward[:, -1])]
        if lines.tau > 0.0:
            leaving = numpy.full(grid.cells, 1.0 / (lines.tau * lines.phase.epsilon))
            parts += [(waiting, waiting, -leaving), (reset, waiting, leaving)]
        return tuple(numpy.concatenate([part[k].ravel() for part in parts]) for k in range(3))

    def of_transport(self, rates):
        """The same of the fluxes in w for given velocities."""
        lines = self.lines
        velocity = lines.learning * rates * lines.total_rate(rates)
        right, left = (numpy.repeat(part, lines.rows) / lines.grid.dw
                       for part in lines.hand_overs(velocity))
        here, after = self.index[:-1].ravel(), self.index[1:].ravel()
        return (numpy.concatenate([here, after, here, after]),
                numpy.concatenate([here, here, after, after]),
                numpy.concatenate([-right, right, left, -left]))

    def by_velocity(self, rates, rates_by, density):
        """Change by the velocities of learning, which follow N(w) and Nbar."""
        lines = self.lines
        total_by = lines.grid.dw * rates_by.sum(axis=0)
        velocity_by = lines.learning[:, None] \
            * (rates_by * lines.total_rate(rates) + numpy.outer(rates, total_by))
        rising, falling = lines.learning > 0.0, lines.learning < 0.0
        flux = (rising[:-1, None] * density[:-1])[:, :, None] * velocity_by[:-1, None, :] \
            + (falling[1:, None] * density[1:])[:, :, None] * velocity_by[1:, None, :]
        return lines.divergence(flux)
