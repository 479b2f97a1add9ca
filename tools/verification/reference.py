"""Independent references for the verification: limits, networks, delays, learning transients.

Nothing here shares code or discretisation with the program: rates come from quadrature, steady
states from root finding, the delayed network from central differences on cells with BDF2, the
macroscopic equation from characteristics and from a Rusanov scheme. Formulas are those of
docs/theory.md; where they need more, the docstring says what.

Numbers may be given where a function of N (noise) or of w (current, learning) is meant.
"""

import functools
import math

import numpy
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.optimize
import scipy.special

NODES, WEIGHTS = numpy.polynomial.legendre.leggauss(20)


def as_function(value):
    """The value itself if it can be called, else the constant function."""
    return value if callable(value) else lambda _: value


def identity(total_rate):
    """The response sigma(N) = N."""
    return total_rate


def saturating(total_rate):
    """The response sigma(N) = N/(1 + N)."""
    return total_rate / (1.0 + total_rate)


def panel_quadrature(breaks, panels):
    """Nodes and weights of Gauss-Legendre rules on equal panels between successive breaks."""
    edges = numpy.concatenate([numpy.linspace(low, high, panels + 1)[:-1]
                               for low, high in zip(breaks, breaks[1:])] + [breaks[-1:]])
    half = 0.5 * numpy.diff(edges)[:, None]
    middle = 0.5 * (edges[1:] + edges[:-1])[:, None]
    return (middle + half * NODES).ravel(), (half * WEIGHTS).ravel()


def firing_rate(mu, noise=1.0, threshold=2.0, reset=1.0):
    """Rate r(mu) of an uncoupled neuron for an array of drifts, any noise a > 0.

    The Siegert integral as in exact.rate, by a fixed rule for all drifts at once. A rate below
    1e-300 is returned as 0.
    """
    mu = numpy.asarray(mu, dtype=float)
    scale = math.sqrt(2.0 * noise)
    width = (threshold - reset) / scale
    # erfcx(-x) grows as exp(x^2), x < 27: panels of 1/2 resolve it to round-off.
    nodes, weights = panel_quadrature([0.0, width], max(1, math.ceil(2.0 * width)))
    with numpy.errstate(over="ignore", divide="ignore"):
        integral = scipy.special.erfcx((mu[..., None] - reset) / scale - nodes) @ weights
        return 1.0 / (math.sqrt(math.pi) * integral)


def firing_rate_slope(mu, noise=1.0, threshold=2.0, reset=1.0):
    """r'(mu) in closed form: r^2 sqrt(pi/(2a)) [e(V_F) - e(V_R)], e(V) = erfcx((mu-V)/sqrt(2a))."""
    scale = math.sqrt(2.0 * noise)
    ends = scipy.special.erfcx((mu - threshold) / scale) - scipy.special.erfcx((mu - reset) / scale)
    return firing_rate(mu, noise, threshold, reset) ** 2 * math.sqrt(math.pi) / scale * ends


def refractory_rate(mu, tau, noise=1.0, threshold=2.0, reset=1.0):
    """Rate of a neuron that rests for a mean time tau after each spike: 1/(1/r(mu) + tau)."""
    rate = firing_rate(mu, noise, threshold, reset)
    return rate / (1.0 + tau * rate)


def roots_with_slopes(gain, highest, count=400):
    """All roots of N = gain(N) in (0, highest], found from changes of sign, with gain'(N).

    The scan is fine near zero, where rates of inhibited networks are; two roots closer to each
    other than its step are missed.
    """
    scan = highest * numpy.linspace(0.0, 1.0, count + 1) ** 2
    excess = [gain(total_rate) - total_rate for total_rate in scan]
    pairs = []
    for low, high, left, right in zip(scan, scan[1:], excess, excess[1:]):
        if left * right < 0.0 or right == 0.0:
            root = scipy.optimize.brentq(lambda n: gain(n) - n, low, high, xtol=1e-15, rtol=1e-14)
            pairs.append((root, derivative(gain, root)))
    return pairs


def derivative(function, point):
    """Central difference of fourth order; good to about 1e-10 for smooth functions of order one."""
    step = 1e-3 * point
    near = function(point + step) - function(point - step)
    far = function(point + 2.0 * step) - function(point - 2.0 * step)
    return (8.0 * near - far) / (12.0 * step)


def network_steady_rates(weight, noise=1.0, tau=0.0, response=identity, current=0.0,
                         threshold=2.0, reset=1.0, highest=20.0):
    """Steady total rates of the single-weight network, as pairs (N, dG/dN).

    G(N) = r/(1 + tau r) with r = r(I + w sigma(N); a(N)). A fixed-point iteration of N = G(N), and
    so a rate lagged by one step in the limit eps = 0, converges where |dG/dN| < 1. A steady state
    with dG/dN > 1 is unstable.
    """
    noise = as_function(noise)

    def gain(total_rate):
        return float(refractory_rate(current + weight * response(total_rate), tau,
                                     noise(total_rate), threshold, reset))

    return roots_with_slopes(gain, highest)


def fold_weights(noise=1.0, tau=0.0, threshold=2.0, reset=1.0, highest=20.0):
    """Folds of the network sigma(N) = N, I = 0: pairs (b, N) where two steady states become one.

    With g = r/(1 + tau r): N = g(bN) and b g'(bN) = 1 are, in mu = bN, g(mu) = mu g'(mu). Without
    refractory time there is one fold, with a short one two (bistability between them).
    """
    def slope_at(mu):
        rate = firing_rate(mu, noise, threshold, reset)
        return firing_rate_slope(mu, noise, threshold, reset) / (1.0 + tau * rate) ** 2

    def excess(mu):
        return mu * slope_at(mu) - refractory_rate(mu, tau, noise, threshold, reset)

    scan = numpy.linspace(0.0, highest, 401)
    signs = numpy.sign(excess(scan))
    folds = [scipy.optimize.brentq(excess, scan[k], scan[k + 1], xtol=1e-14)
             for k in numpy.flatnonzero(signs[1:] != signs[:-1])]
    return [(float(1.0 / slope_at(mu)), float(mu * slope_at(mu))) for mu in folds]


def implicit_roots(density, support, current=1.0, response=identity, noise=1.0, threshold=2.0,
                   reset=1.0, highest=20.0, panels=20):
    """Roots of Nbar = integral of H r(I + w sigma(Nbar)) dw, as pairs (Nbar, dG/dNbar).

    The density is normalised on the support: its two ends, or these with points between them at
    which the density or the current is not smooth.
    """
    w, weights = panel_quadrature(support, panels)
    masses = weights * density(w)
    masses /= masses.sum()
    currents = as_function(current)(w)

    def gain(total_rate):
        return float(masses @ firing_rate(currents + w * response(total_rate), noise, threshold,
                                          reset))

    return roots_with_slopes(gain, highest, count=100)


def limit_total_rate(time, density, support, current=1.0, response=identity, **network):
    """Nbar(t) of the limit model eps = 0 that does not learn: K = 0, weights only decay.

    H(w,t) = e^t H0(w e^t), so with y = w e^t the support of the integral stays that of H0:
    Nbar = integral of H0(y) r(I(y e^-t) + y e^-t sigma(Nbar)) dy. The smallest root is returned.
    """
    shrink = math.exp(-time)
    current = as_function(current)
    roots = implicit_roots(lambda w: density(w / shrink), [shrink * end for end in support],
                           current, response, **network)
    return roots[0][0]


class DelayedCells:
    """One slice of the delayed network: central fluxes between cells, V_R and V_F on faces.

    dp/dt = -dJ/dv + N delta(v - V_R), J = (mu - v) p - a dp/dv, no flux at v_min, N = J(V_F). The
    gradient at V_F is that of the parabola through p(V_F) = 0 and the last two cells; half of N
    enters on either side of V_R. All of it is of second order.
    """

    def __init__(self, cells, noise, v_min, reset, threshold):
        self.step = (threshold - v_min) / cells
        self.centres = v_min + self.step * (numpy.arange(cells) + 0.5)
        self.inner_faces = v_min + self.step * numpy.arange(1, cells)
        self.noise = noise
        self.entry = numpy.zeros(cells)
        face = round((reset - v_min) / self.step)
        if abs(v_min + face * self.step - reset) > 1e-9 * self.step:
            raise ValueError(f"V_R = {reset} is on no face of {cells} cells")
        self.entry[face - 1:face + 1] = 0.5 / self.step

    def total_rate(self, density):
        """The flux through V_F."""
        return self.noise * (9.0 * density[-1] - density[-2]) / (3.0 * self.step)

    def solve(self, mu, shift, known):
        """Solves shift p + dJ/dv - N(p) delta = known; the rank-one source by Sherman-Morrison."""
        drift = 0.5 * (mu - self.inner_faces)
        left, right = drift + self.noise / self.step, drift - self.noise / self.step
        bands = numpy.zeros((3, known.size))
        bands[1] = shift
        bands[1, :-1] += left / self.step
        bands[1, 1:] -= right / self.step
        bands[0, 1:] = right / self.step
        bands[2, :-1] = -left / self.step
        bands[1, -1] += 3.0 * self.noise / self.step ** 2
        bands[2, -2] -= self.noise / (3.0 * self.step ** 2)
        plain, source = scipy.linalg.solve_banded((1, 1), bands,
                                                  numpy.stack([known, self.entry], axis=1)).T
        total_rate = self.total_rate(plain) / (1.0 - self.total_rate(source))
        return plain + total_rate * source


def delayed_network(weight=-45.0, delay=1.0, time_end=25.0, steps_per_delay=200, cells=400,
                    noise=0.2, v_min=-3.0, reset=0.0, threshold=1.0, current=0.0, initial=None):
    """Times and rates of the single-weight network with drift I + w Nbar(t - d), eps = 1.

    BDF2 after one step of backward Euler. Nbar = 0 until t = 0; the step divides the delay, so that
    the history needs no interpolation. The defaults are a strongly inhibitory case with sustained
    oscillations.
    """
    time_step = delay / steps_per_delay
    slice_ = DelayedCells(cells, noise, v_min, reset, threshold)
    initial = initial or (lambda v: numpy.exp(-(v + 1.0) ** 2 / (2.0 * noise)))
    density = initial(slice_.centres)
    density, previous = density / (density.sum() * slice_.step), None
    times = time_step * numpy.arange(round(time_end / time_step) + 1)
    rates = numpy.zeros(times.size)
    for k in range(1, times.size):
        mu = current + weight * (rates[k - steps_per_delay] if k >= steps_per_delay else 0.0)
        # The first step, of backward Euler, also damps data that are not zero at V_F.
        shift, known = (1.0, density) if k == 1 else (1.5, 2.0 * density - 0.5 * previous)
        previous, density = density, slice_.solve(mu, shift / time_step, known / time_step)
        rates[k] = slice_.total_rate(density)
    return times, rates


def maxima_of(times, rates, after):
    """Times and heights of the maxima after a time, of the cubic spline through the samples.

    Maxima below the middle of the range are ripples and left out.
    """
    is_late = times >= after
    late = rates[is_late]
    spline = scipy.interpolate.CubicSpline(times[is_late], late)
    places = spline.derivative().roots(extrapolate=False)
    heights = spline(places)
    peaks = (spline(places, 2) < 0.0) & (heights > 0.5 * (late.min() + late.max()))
    return places[peaks], heights[peaks]


def period_of(times, rates, after):
    """Mean distance of the maxima after a time."""
    peaks, _ = maxima_of(times, rates, after)
    if peaks.size < 2:
        raise ValueError(f"{peaks.size} maxima after {after}: no period")
    return float((peaks[-1] - peaks[0]) / (peaks.size - 1))


@functools.lru_cache(maxsize=4)
def rate_table(noise=1.0, threshold=2.0, reset=1.0):
    """Cubic spline of log r(mu) and its derivative; relative error of the rate below 1e-12.

    It reaches 30 sqrt(a) below V_F and above V_R, close to where r itself leaves the doubles.
    """
    scale = math.sqrt(noise)
    mu = numpy.arange(threshold - 30.0 * scale, reset + 30.0 * scale, 0.004 * scale)
    spline = scipy.interpolate.CubicSpline(mu, numpy.log(firing_rate(mu, noise, threshold, reset)),
                                           extrapolate=False)
    return spline, spline.derivative()


class Learning:
    """The macroscopic equation dH/dt + d/dw[(K Nbar r H - w) H] = 0 of one network.

    It keeps the last Nbar, from which the next one is found by Newton's method.
    """

    def __init__(self, density, support, learning=1.0, current=1.0, response=saturating, noise=1.0,
                 threshold=2.0, reset=1.0):
        self.learning = as_function(learning)
        self.current = as_function(current)
        self.response = response
        self.log_rate, self.log_rate_slope = rate_table(noise, threshold, reset)
        roots = implicit_roots(density, support, current, response, noise, threshold, reset)
        self.total_rate = roots[0][0]

    def rate(self, w):
        """r(mu) and r'(mu)/r(mu) at these weights, mu = I + w sigma(Nbar)."""
        mu = self.current(w) + w * self.response(self.total_rate)
        return numpy.exp(self.log_rate(mu)), self.log_rate_slope(mu)

    def update(self, w, masses):
        """Sets Nbar to the root near the last one of Nbar = sum of masses r(I + w sigma(Nbar))."""
        for _ in range(50):
            rate, relative_slope = self.rate(w)
            firing = masses * rate
            slope = firing @ (relative_slope * w) * derivative(self.response, self.total_rate)
            change = (firing.sum() - self.total_rate) / (1.0 - slope)
            self.total_rate += change
            if abs(change) < 1e-13 * self.total_rate:
                return
        raise ArithmeticError(f"no total rate near {self.total_rate}")


def limited_slopes(average):
    """Monotonised central differences; zero in the two cells at the ends."""
    before, after = numpy.diff(average)[:-1], numpy.diff(average)[1:]
    size = numpy.minimum(2.0 * numpy.minimum(abs(before), abs(after)), 0.5 * abs(before + after))
    slope = numpy.where(before * after > 0.0, numpy.sign(before) * size, 0.0)
    return numpy.concatenate([[0.0], slope, [0.0]])


class LearningCells:
    """Cells of the weight axis between walls, with Rusanov fluxes of limited reconstructions."""

    def __init__(self, network, density, support, cells):
        faces = numpy.linspace(*support, cells + 1)
        self.network = network
        self.step = faces[1] - faces[0]
        self.faces = faces[1:-1]
        self.w = 0.5 * (faces[1:] + faces[:-1])
        self.average = density(self.w) / (density(self.w).sum() * self.step)

    def change(self, average):
        """dH/dt for these averages, and the fastest wave."""
        self.network.update(self.w, average * self.step)
        slope = limited_slopes(average)
        left, right = (average + 0.5 * slope)[:-1], (average - 0.5 * slope)[1:]
        factor = self.network.learning(self.faces) * self.network.total_rate \
            * self.network.rate(self.faces)[0]
        speed = numpy.maximum(abs(2.0 * factor * left - self.faces),
                              abs(2.0 * factor * right - self.faces))
        flux = 0.5 * (factor * (left**2 + right**2) - self.faces * (left + right)
                      - speed * (right - left))
        return -numpy.diff(flux, prepend=0.0, append=0.0) / self.step, speed.max()

    def advance(self, duration):
        """Steps of SSP-RK2 at a Courant number of at most 0.4; Nbar is implicit in each stage."""
        while duration > 0.0:
            first, fastest = self.change(self.average)
            # What remains is divided evenly, so that no tiny last step is left.
            count = math.ceil(duration * fastest / (0.4 * self.step))
            time_step = duration / count
            second, _ = self.change(self.average + time_step * first)
            self.average = self.average + 0.5 * time_step * (first + second)
            duration = duration - time_step if count > 1 else 0.0
        self.network.update(self.w, self.average * self.step)


def macroscopic_reference(times, density, support=(0.0, 1.0), cells=400, **coefficients):
    """Nbar at these times, and (w, H) at the last, of the limit model eps = 0 that learns.

    The density is normalised; coefficients are those of Learning. Second order where H is smooth,
    and good beyond shocks.
    """
    network = Learning(density, support, **coefficients)
    slice_ = LearningCells(network, density, support, cells)
    values = []
    for duration in numpy.diff(times, prepend=0.0):
        slice_.advance(duration)
        values.append(network.total_rate)
    return numpy.array(values), (slice_.w, slice_.average)


def characteristic_reference(times, density, support=(0.0, 1.0), points=801, **coefficients):
    """Nbar at these times by characteristics, for constant K and I, before the first shock.

    dw/dt = 2 K Nbar r H - w and dH/dt = H - K Nbar r'(mu) sigma(Nbar) H^2 for points labelled by
    their first w, coupled by Nbar alone: the integral of H r by Simpson's rule over the labels (an
    odd number), times dw/dlabel from a spline. Fourth order in the points; the time is exact to
    1e-11. The density is smooth on the support.
    """
    network = Learning(density, support, **coefficients)
    labels = numpy.linspace(*support, points)
    simpson = numpy.array([1.0] + [4.0, 2.0] * (points // 2 - 1) + [4.0, 1.0])
    simpson *= (labels[1] - labels[0]) / 3.0

    def change(_, state):
        w, height = state.reshape(2, -1)
        stretch = scipy.interpolate.CubicSpline(labels, w)(labels, 1)
        if stretch.min() <= 0.0:
            raise ArithmeticError("characteristics cross: a shock has formed")
        network.update(w, height * stretch * simpson)
        rate, relative_slope = network.rate(w)
        factor = network.learning(w) * network.total_rate * rate * height
        response = network.response(network.total_rate)
        return numpy.concatenate([2.0 * factor - w,
                                  height * (1.0 - factor * relative_slope * response)])

    start = numpy.concatenate([labels, density(labels) / (simpson @ density(labels))])
    states = scipy.integrate.solve_ivp(change, (0.0, times[-1]), start, "DOP853", times,
                                       rtol=1e-11, atol=1e-11).y.T
    values = []
    for state in states:
        change(0.0, state)
        values.append(network.total_rate)
    return numpy.array(values)
