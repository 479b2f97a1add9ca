"""Transmission delay: sustained oscillations, short delays within a step, and the history."""

import functools
import sys

import engram_test
import numpy

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import network_studies  # noqa: E402
import reference  # noqa: E402


@functools.cache
def delayed_periods():
    """The study, once for all tests."""
    return network_studies.delayed_periods(engram_test.PROGRAM)


class Oscillation(engram_test.EngramTestCase):
    """Strong inhibition with delay 1: a periodic state."""

    def test_period_converges(self):
        study = delayed_periods()
        known = study["extrapolated"]
        self.assertAlmostEqual(known, 2.838830, delta=1e-6)
        euler, second, cells = study["rows"]
        for row in (euler, second):
            for order in row["orders"]:
                self.assertAlmostEqual(order, row["expected"], delta=0.1)
        # The fourth comes from above: on coarse grids most of the error is of sixth order.
        for order, next_order in zip(cells["orders"], cells["orders"][1:]):
            self.assertLess(next_order, order)
            self.assertAlmostEqual(next_order, 4.1, delta=0.15)
        # Two programs that share nothing find the same period.
        coarse, fine = study["rows"][2]["periods"][-2:]
        self.assertAlmostEqual((16.0 * fine - coarse) / 15.0, known, delta=1e-6)
        self.assertAlmostEqual(study["rows"][1]["periods"][-1], known, delta=1e-5)

    def test_oscillation_is_sustained(self):
        study = delayed_periods()
        for row in study["rows"]:
            for found in row["found"]:
                self.assertGreaterEqual(found["maxima"], 5)
                self.assertLess(found["spread"], 0.03 * found["height"])

    def test_pointwise(self):
        """Nbar(t) follows the independent program at all times."""
        (times, coarse), (_, fine) = network_studies.independent_delayed()
        series = self.run_case(network_studies.DELAYED, grid_v_cells=192, time_step=0.005,
                               time_scheme="extrapolated").series()
        other = numpy.interp(series["time"], times, (4.0 * fine[::2] - coarse) / 3.0)
        difference = numpy.abs(numpy.array(series["total_rate"]) - other)
        # At t = 0 the data jump at V_F, with an infinite rate, which is felt again at t = d.
        self.assertLess(difference[1:].max(), 1e-4)
        self.assertLess(difference[numpy.array(series["time"]) > 1.5].max(), 2e-5)
        self.assertGreater(other[-400:].max(), 0.02)

    def test_adaptive_steps(self):
        result = self.run_case(network_studies.DELAYED, grid_v_cells=120, time_step=0.01,
                               time_adaptive=True, time_scheme="third-order",
                               time_tolerance=1e-4, time_step_max=0.02)
        found = network_studies.oscillation(result.series())
        self.assertAlmostEqual(found["period"], 2.838830, delta=3e-3)

    def test_none_without_delay(self):
        """The same network without delay comes to rest at the root of N = r(w N)."""
        exact = reference.network_steady_rates(-45.0, noise=0.2, threshold=1.0, reset=0.0)[0][0]
        rates = self.run_case(network_studies.DELAYED, model_delay=0, grid_v_cells=120,
                              time_step=0.01).series()["total_rate"]
        self.assertAlmostEqual(rates[-1], exact, delta=1e-6)
        self.assertLess(max(rates[-500:]) - min(rates[-500:]), 1e-12)


class ShortDelay(engram_test.EngramTestCase):
    """A moderate network; delays below and above the step."""

    CASE = dict(network_studies.DELAYED, model_noise=1, model_v_min=-4, model_v_reset=1,
                model_v_threshold=2, grid_w_min=-4, grid_w_max=-4, grid_v_cells=60,
                model_input="2", initial_density="(2 - v)^4*exp(-v^2)", time_end=1)

    def values(self, steps, **changes):
        """Nbar at the end for these steps."""
        return [self.run_case(self.CASE, time_step=step, **changes).series()["total_rate"][-1]
                for step in steps]

    def check_order(self, values, expected):
        """Mean order of four values; where the delay is no multiple of the step it alternates."""
        first, _, third = (abs(a - b) for a, b in zip(values, values[1:]))
        self.assertGreater(first, 1e-7, "too small to tell an order")
        self.assertAlmostEqual(0.5 * numpy.log2(first / third), expected, delta=0.2)

    def test_within_a_step(self):
        """0 < d < dt with implicit coupling: the rate within the step, interpolated."""
        for scheme, order in (("euler", 1.0), ("extrapolated", 2.0)):
            with self.subTest(scheme=scheme):
                self.check_order(self.values((0.02, 0.01, 0.005, 0.0025), model_delay=0.002,
                                             coupling="implicit", time_scheme=scheme), order)

    def test_beyond_a_step(self):
        for scheme, order in (("euler", 1.0), ("extrapolated", 2.0)):
            for coupling in ("lagged", "implicit"):
                with self.subTest(scheme=scheme, coupling=coupling):
                    self.check_order(self.values((0.02, 0.01, 0.005, 0.0025), model_delay=0.053,
                                                 coupling=coupling, time_scheme=scheme), order)

    def test_vanishing_delay(self):
        """As d -> 0 the delayed network becomes that without delay, linearly in d."""
        settings = {"coupling": "implicit", "time_scheme": "extrapolated"}
        limit, = self.values((0.01,), model_delay=0, **settings)
        # The initial data do not fire, nor did the network before: nothing jumps at t = d.
        gaps = [abs(self.values((0.01,), model_delay=delay, **settings)[0] - limit)
                for delay in (4e-3, 2e-3, 1e-3)]
        self.assertGreater(gaps[0], 1e-7)
        for large, small in zip(gaps, gaps[1:]):
            self.assertAlmostEqual(large / small, 2.0, delta=0.1)

    def test_delay_is_reacting_time(self):
        """In learning time the delay is eps d: eps and all times may be scaled together."""
        values = [self.run_case(self.CASE, model_epsilon=epsilon, model_delay=0.1,
                                time_step=0.01 * epsilon, time_end=epsilon).series()["total_rate"]
                  for epsilon in (1, 0.125)]
        self.assertEqual(len(values[0]), len(values[1]))
        for first, second in zip(*values):
            self.assertAlmostEqual(first, second, delta=1e-12)

    def test_rate_before_the_start(self):
        """-initial_rate is what the network sees until the delay has passed, and no longer."""
        silent, busy = (self.run_case(self.CASE, model_delay=0.5, initial_rate=rate,
                                      time_step=0.01).series()["total_rate"] for rate in (0, 1))
        uncoupled = self.run_case(self.CASE, model_response="0",
                                  time_step=0.01).series()["total_rate"]
        inhibited = self.run_case(self.CASE, model_response="1",
                                  time_step=0.01).series()["total_rate"]
        for k in range(1, 50):
            self.assertAlmostEqual(silent[k], uncoupled[k], delta=1e-12)
            self.assertAlmostEqual(busy[k], inhibited[k], delta=1e-12)
        self.assertGreater(abs(silent[60] - uncoupled[60]), 1e-4)
        self.assertGreater(abs(busy[60] - inhibited[60]), 1e-4)


if __name__ == "__main__":
    engram_test.main()
