"""The learned state of docs/theory.md, section 5: how it forms, and when there is none."""

import re

import engram_test
import numpy
from scipy import integrate, optimize, special

THEORY = (engram_test.SOURCE / "docs" / "theory.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| \$(N|N/\(1\+N\))\$ \| (\d) \| ([\d.]+) \|(?: ([\d.]+), ([\d.]+))? *\|$",
                 re.MULTILINE)
RESPONSES = {"N": lambda rate: rate, "N/(1+N)": lambda rate: rate / (1 + rate)}

LIMIT = {"model_epsilon": 0, "coupling": "implicit", "transport_order": 2, "grid_v_cells": 120}


def rate_of_a_neuron(drift):
    """r(mu) for V_F = 2, V_R = 1 and a = 1, as Siegert's integral."""
    lower, upper = (1 - drift) / numpy.sqrt(2), (2 - drift) / numpy.sqrt(2)
    integral = integrate.quad(lambda x: special.erfcx(-x), lower, upper, epsrel=1e-11)[0]
    return 1 / (numpy.sqrt(numpy.pi) * integral)


def mass_of(front, learning, current, response):
    """Mass of the learned profile up to a front, for constant K and I."""
    total_rate = front / numpy.sqrt(2 * learning)
    return integrate.quad(
        lambda w: w / (learning * total_rate
                       * rate_of_a_neuron(current + w * response(total_rate))),
        0, front, epsrel=1e-9)[0]


def heaviest(learning, current, response):
    """The front with the largest mass, and that mass."""
    found = optimize.minimize_scalar(
        lambda front: -mass_of(front, learning, current, response), bounds=(0.5, 12),
        method="bounded", options={"xatol": 1e-7})
    return found.x, -found.fun


class Existence(engram_test.EngramTestCase):
    """The boundary of strong learning."""

    def test_table(self):
        rows = ROW.findall(THEORY)
        self.assertEqual(len(rows), 4)
        for response, current, learning, front, total_rate in rows:
            with self.subTest(response=response, current=current):
                place, mass = heaviest(float(learning), float(current), RESPONSES[response])
                self.assertAlmostEqual(mass, 1, delta=2e-6)
                if front:
                    self.assertAlmostEqual(place, float(front), delta=2e-4)
                    self.assertAlmostEqual(place / numpy.sqrt(2 * float(learning)),
                                           float(total_rate), delta=2e-4 * float(total_rate) + 1e-4)

    def test_power_of_the_strength(self):
        """For sigma(N) = N the largest mass goes like K^(-1/4)."""
        masses = [heaviest(learning, 1.0, RESPONSES["N"])[1] for learning in (0.25, 4.0)]
        self.assertAlmostEqual(masses[0] / masses[1], 2, delta=1e-6)

    def test_runs_on_both_sides(self):
        case = {**LIMIT, "model_response": "N", "grid_w_max": 4, "grid_w_cells": 128,
                "initial_density": "exp(-(w - 0.2)^2/0.005)", "time_step": 0.02, "time_end": 20}
        below = self.run_case(case, model_learning="0.9")
        front = optimize.brentq(lambda w: mass_of(w, 0.9, 1.0, RESPONSES["N"]) - 1, 0.1, 1.24)
        self.assertAlmostEqual(front, 1.024132, delta=1e-5)
        self.assertAlmostEqual(below.series()["total_rate"][-1], front / numpy.sqrt(1.8),
                               delta=0.01)
        above = self.run_case(case, model_learning="1.05", expect=3)
        self.assertIn("blow-up", above.stderr)


class Formation(engram_test.EngramTestCase):
    """A block of weights, without coupling: a fan behind a front, in closed form."""

    def error(self, cells, step, time):
        """L1 error of H, and the total rate."""
        fields = self.run_case(
            LIMIT, model_response="0*N", initial_density="w > 0.4 && w < 0.6 ? 1 : 0",
            grid_w_cells=cells, time_step=step, time_end=time, time_scheme="extrapolated",
            output_fields_every=0).fields()
        w, total_rate = fields["w"], fields["total_rate"][-1]
        spread, edge = total_rate**2 * (1 - numpy.exp(-2 * time)), 0.4 * numpy.exp(-time)
        front = edge + numpy.sqrt(2 * spread)
        expected = numpy.where((w > edge) & (w < front), (w - edge) / spread, 0)
        return numpy.abs(fields["weight_density"][-1] - expected).sum() * (w[1] - w[0]), total_rate

    def test_fan(self):
        for time in (0.5, 1.5):
            with self.subTest(time=time):
                coarse, total_rate = self.error(100, 0.004, time)
                fine, _ = self.error(200, 0.002, time)
                self.assertAlmostEqual(total_rate, rate_of_a_neuron(1.0), delta=2e-3)
                self.assertLess(fine, 0.02)
                self.assertLess(fine, 0.7 * coarse)


if __name__ == "__main__":
    engram_test.main()
