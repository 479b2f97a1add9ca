"""Steady states over the whole range of doubles: random networks against quadrature in logarithms.

The reference works with the logarithm of the rate of a neuron, by Gauss-Legendre panels of the
Siegert integral, and finds states by changes of sign on a fine mesh of the logarithm of the drift.
It shares nothing with the program but the formulas of docs/theory.md.
"""

import math
import random

import numpy
import scipy.optimize
import scipy.special

from engram_test import EngramTestCase, main

NODES, WEIGHTS = numpy.polynomial.legendre.leggauss(16)
THRESHOLD = 2.0

# The smallest and largest total rates that are looked at.
SMALLEST, LARGEST = math.log(2.3e-308), math.log(1e4)

# Networks that the search lost, with their states: one below the first interval of a scan and far
# below where its bisections ended, and pairs that both lie in that interval.
LOST = [({"noise": 0.01, "reset": 1.0, "current": 0.0}, 0.5, 1),
        ({"noise": 0.004, "reset": 0.5, "current": 0.3}, -3.0, 1),
        ({"noise": 0.01, "reset": 1.0, "current": 0.0}, 1e6, 2),
        ({"noise": 0.02, "reset": 1.0, "current": 0.5}, 1e5, 2)]


def log_rate(mu, noise, reset, refractory=0.0):
    """ln r for an array of drifts; 1/r = sqrt(pi) integral of e^(x^2)(1 + erf x)."""
    mu = numpy.asarray(mu, dtype=float)[..., None]
    scale = math.sqrt(2.0 * noise)
    width = (THRESHOLD - reset) / scale
    panels = max(4, math.ceil(4.0 * width))
    step = width / panels
    inside = ((numpy.arange(panels)[:, None] + 0.5 * (1.0 + NODES)) * step).ravel()
    weights = numpy.tile(0.5 * step * WEIGHTS, panels)
    x = (reset - mu) / scale + inside
    with numpy.errstate(over="ignore"):
        logs = numpy.where(x < 0.0, numpy.log(scipy.special.erfcx(-numpy.minimum(x, 0.0))),
                           x ** 2 + numpy.log1p(scipy.special.erf(numpy.maximum(x, 0.0))))
    log_time = 0.5 * math.log(math.pi) + scipy.special.logsumexp(logs, b=weights, axis=-1)
    return -numpy.logaddexp(log_time, math.log(refractory)) if refractory else -log_time


def log_slope(mu, noise, reset, refractory=0.0):
    """d ln r/d mu, by a difference of fourth order."""
    step = 1e-3 * math.sqrt(noise)
    near, far = (log_rate(mu + k * step, noise, reset, refractory)
                 - log_rate(mu - k * step, noise, reset, refractory) for k in (1, 2))
    return float((8.0 * near - far) / (12.0 * step))


def states_of(weight, noise, reset, current, refractory=0.0):
    """Pairs (ln N, slope) with N = r(I + w N), in ascending order."""
    if weight == 0.0:
        return [(float(log_rate(current, noise, reset, refractory)), 0.0)]
    span = (SMALLEST + math.log(abs(weight)), LARGEST + math.log(abs(weight)))
    sign = math.copysign(1.0, weight)

    def excess(log_drift):
        """ln G(N) - ln N with the drift |w N|."""
        drift = current + sign * numpy.exp(log_drift)
        return (log_rate(drift, noise, reset, refractory)
                - log_drift + math.log(abs(weight)))

    mesh = numpy.linspace(*span, 3001)
    with numpy.errstate(under="ignore", invalid="ignore", over="ignore"):
        signs = excess(mesh) > 0.0
    found = []
    for k in numpy.flatnonzero(signs[1:] != signs[:-1]):
        root = scipy.optimize.brentq(excess, mesh[k], mesh[k + 1], xtol=1e-13, rtol=1e-14)
        drift = sign * math.exp(root)
        slope = log_slope(current + drift, noise, reset, refractory) * drift
        found.append((root - math.log(abs(weight)), slope))
    return found


class WholeRange(EngramTestCase):
    """-steady and -steady_sweep for rates of 2e-308 to 1e4."""

    def case(self, neuron, weight, **changes):
        """One frozen weight; the potentials reach eight standard deviations below all drifts."""
        noise = neuron["noise"]
        below = 8.0 * math.sqrt(noise) - min(0.0, neuron["current"])
        cells_down = math.ceil(2.0 * (below + neuron["reset"]))
        v_min = neuron["reset"] - 0.5 * cells_down
        per_half = max(10, math.ceil(0.5 / (0.12 * math.sqrt(noise))))
        cells = round((THRESHOLD - v_min) / 0.5) * per_half
        return {"model_epsilon": 1, "model_response": "N", "model_plasticity": "false",
                "model_noise": noise, "model_input": repr(neuron["current"]),
                "model_refractory": neuron.get("refractory", 0.0),
                "model_v_reset": neuron["reset"], "model_v_min": v_min, "grid_v_cells": cells,
                "grid_w_min": weight, "grid_w_max": weight, "grid_w_cells": 1,
                "initial_density": "exp(-(v + 1)^2/0.5)", "time_end": 1, **changes}

    def check(self, rows, known, label):
        """As many states as there are, to five digits: layers of fast neurons are not resolved."""
        self.assertEqual(len(rows), len(known), (label, rows, known))
        for (rate, slope), (log_known, known_slope) in zip(rows, known):
            self.assertAlmostEqual(math.log(rate), log_known, delta=2e-5, msg=str(label))
            self.assertAlmostEqual(slope, known_slope,
                                   delta=1e-3 * max(1.0, abs(known_slope)), msg=str(label))

    def table(self, folder, name):
        with open(folder / name, encoding="ascii") as stream:
            lines = stream.read().split()
        return [[float(word) for word in line.split(",")] for line in lines[1:]]

    def test_states_that_were_lost(self):
        for neuron, weight, count in LOST:
            with self.subTest(neuron=neuron, weight=weight):
                result = self.run_case(self.case(neuron, weight), extra=["-steady"])
                rows = [row[1:3] for row in self.table(result.folder, "steady.csv")]
                self.assertEqual(len(rows), count)
                self.check(rows, states_of(weight, **neuron), (neuron, weight))

    def test_below_the_smallest_number(self):
        """A rate of 1e-348 is shown as 0, and said to be below the smallest number."""
        result = self.run_case(self.case({"noise": 0.0025, "reset": 1.0, "current": 0.0}, 0.5),
                               extra=["-steady"])
        self.assertRegex(result.stdout, r"(?m)^steady state 1: Nbar = 0 \(below 2\.3e-308, .*stable")
        self.assertEqual(self.table(result.folder, "steady.csv"), [[1, 0, 0, 1]])

    def test_random_networks(self):
        """Noise over three decades and weights over four: rates over three hundred decades."""
        source = random.Random(4)
        smallest, counts = 0.0, set()
        for k in range(10):
            neuron = {"noise": 0.0035 * 500.0 ** (k / 9.0),
                      "reset": source.choice([0.0, 0.5, 1.0, 1.5]),
                      "current": round(source.uniform(-0.2, 1.0), 3) if k else -0.1,
                      "refractory": source.choice([0.0, 0.0, 0.03])}
            largest = 10.0 ** source.uniform(0.0, 4.0)
            result = self.run_case(self.case(neuron, 0), extra=[
                "-steady_sweep", f"grid_w_min+grid_w_max:{-0.5 * largest!r}:{largest!r}:6"])
            table = self.table(result.folder, "bifurcation.csv")
            for weight in sorted({row[0] for row in table}):
                rows = [row[2:4] for row in table if row[0] == weight and row[1] > 0]
                known = states_of(weight, **neuron)
                self.check(rows, known, (neuron, weight))
                smallest = min([smallest, *(log for log, _ in known)])
                counts.add(len(known))
            # Rates are monotone here: none is certain wherever none was found.
            self.assertNotIn("none is not certain", result.stderr)
        self.assertLess(smallest, math.log(1e-250))
        self.assertLessEqual({0, 1, 2}, counts)

    def test_weights_of_both_signs(self):
        """G is a sum over weights and may fall and rise: states, and none for certain."""
        neuron = {"noise": 0.05, "reset": 1.0, "current": 0.0}
        for low, high, centre, width, gain, current, count in (
                (-60.0, 140.0, 40.0, 450.0, 3.0, 0.0, 2), (-60.0, 140.0, 40.0, 450.0, 1e3, 0.0, 2),
                (-8.0, 8.0, -1.0, 4.0, 100.0, 2.5, 0)):
            w = low + (high - low) * (numpy.arange(40) + 0.5) / 40
            masses = -(w - centre) ** 2 / width
            masses -= scipy.special.logsumexp(masses)

            def answer(log_n, w=w, masses=masses, gain=gain, current=current):
                drifts = current + gain * w * math.exp(log_n)
                return scipy.special.logsumexp(masses + log_rate(drifts, 0.05, 1.0))

            mesh = numpy.linspace(SMALLEST, LARGEST, 401)
            answers = numpy.array([answer(point) for point in mesh])
            signs = answers > mesh
            known = [scipy.optimize.brentq(lambda n: answer(n) - n, mesh[k], mesh[k + 1], xtol=1e-10)
                     for k in numpy.flatnonzero(signs[1:] != signs[:-1])]
            case = self.case(neuron, 0, grid_w_min=low, grid_w_max=high, grid_w_cells=40,
                             model_response=f"{gain!r}*N", model_input=repr(current),
                             initial_density=f"exp(-(w - {centre})^2/{width})*exp(-v^2)")
            result = self.run_case(case, extra=["-steady"])
            rates = [math.log(row[1]) for row in self.table(result.folder, "steady.csv")]
            with self.subTest(gain=gain, current=current):
                self.assertEqual((len(rates), len(known)), (count, count), (rates, known))
                for rate, root in zip(rates, known):
                    self.assertAlmostEqual(rate, root, delta=1e-5)
                if not count:
                    self.assertTrue((numpy.diff(answers) < 0.0).any(), "the answer does not fall")
                    self.assertIn("no steady state: no total rate up to", result.stdout)

    def test_start_and_limit(self):
        """A quasi-static start, and the limit model, have the state that -steady has."""
        neuron = {"noise": 0.01, "reset": 1.0, "current": 0.0}
        (known, _), = states_of(0.5, **neuron)
        for changes in ({"initial_quasi_static": "true"}, {"model_epsilon": 0}):
            with self.subTest(changes=changes):
                result = self.run_case({**self.case(neuron, 0.5), **changes}, time_step=0.05)
                for rate in result.series()["total_rate"]:
                    self.assertAlmostEqual(math.log(rate), known, delta=1e-6)
                self.assertNotIn("warning", result.stderr)


if __name__ == "__main__":
    main()
