"""The limit eps -> 0: the scheme goes over into that of eps = 0, and errors are uniform in eps."""

import sys

import engram_test
import numpy

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import limit_studies  # noqa: E402
import reference  # noqa: E402
import runner  # noqa: E402


class Approach(engram_test.EngramTestCase):
    """|Nbar(eps) - Nbar(0)| on one grid, with one step."""

    # Of those of the study.
    EPSILONS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9, 1e-12, 1e-14, 1e-300)

    def test_linear_down_to_round_off(self):
        for row in limit_studies.approach(engram_test.PROGRAM, self.EPSILONS):
            pairs = list(zip(row["epsilons"], row["differences"]))
            with self.subTest(settings=row["settings"]):
                self.assertGreater(pairs[0][1], 1e-5, "too small to tell a slope")
                # From 1e-3 on the difference is a constant times eps, but for round-off.
                slope = row["differences"][3] / row["epsilons"][3]
                for epsilon, difference in pairs[2:]:
                    self.assertAlmostEqual(difference, slope * epsilon,
                                           delta=0.02 * slope * epsilon + 1e-12)
                # Before that it falls, too, a little slower.
                for (_, large), (_, small) in zip(pairs[:2], pairs[1:3]):
                    self.assertLess(small, 0.2 * large)
                for epsilon, difference in pairs:
                    if epsilon < 1e-12:
                        self.assertLess(difference, 1e-12)
                if row["settings"].startswith("euler"):
                    # It reaches the last digits.
                    self.assertLess(row["differences"][-3], 1e-14)
                    self.assertLess(max(row["differences"][-2:]), 1e-15)

    def test_plateau_of_second_order_transport(self):
        """Two limiters, of p and of H: a difference of second order in dw, whatever dt is."""
        study = limit_studies.plateau(engram_test.PROGRAM)
        self.assertGreater(study["over_cells"][0], 1e-6)
        for order in study["orders"]:
            self.assertGreater(order, 1.5)
        self.assertLess(study["over_cells"][-1], 1e-7)
        self.assertLess(max(study["over_steps"]), 1.1 * min(study["over_steps"]))

    def test_default_steps(self):
        """Adaptive and graded steps from data far from the limit: linear in eps, to the tolerance."""
        tolerance = 1e-6
        base = {name: value for name, value in limit_studies.LEARNING.items()
                if name not in ("time_scheme", "time_start", "time_step", "coupling",
                                "coupling_tolerance", "initial_quasi_static")}
        base["initial_density"] += "*exp(-(v - 0.5)^2)"
        for steps in ({"time_tolerance": tolerance}, {"time_step": 0.0025}):
            epsilons = (0.0, 1e-2, 1e-3, 1e-4, 1e-6, 1e-9, 1e-12)
            limit, *rates = (run.total_rate for run in runner.run_all(engram_test.PROGRAM, [
                dict(base, **steps, model_epsilon=epsilon) for epsilon in epsilons]))
            differences = [abs(rate - limit) for rate in rates]
            slope = differences[1] / epsilons[2]
            self.assertGreater(slope, 0.01, "too small to tell a slope")
            for epsilon, difference in zip(epsilons[2:], differences[1:]):
                with self.subTest(epsilon=epsilon, **steps):
                    self.assertLess(difference, 1.2 * slope * epsilon + tolerance)

    def test_fields(self):
        """The density itself, not only its integral, goes over into H Q."""
        case = dict(limit_studies.LEARNING, model_epsilon=1e-14)
        near = self.run_case(case).fields()
        limit = self.run_case(dict(case, model_epsilon=0)).fields()
        for name in ("density", "firing_rate", "weight_density"):
            difference = numpy.abs(near[name][-1] - limit[name][-1]).max()
            self.assertLess(difference, 1e-11 * limit[name][-1].max(), name)


class Rest(engram_test.EngramTestCase):
    """A quasi-static state without learning is at rest, however short the step after it."""

    CASE = {**engram_test.PLAIN_EULER, "model_plasticity": False, "time_step": 1e-4,
            "coupling": "implicit"}

    def check(self, **changes):
        """All rates of the series are the first one."""
        rates = self.run_case(self.CASE, **changes).series()["total_rate"]
        self.assertGreater(rates[0], 0.1)
        self.assertLess(max(abs(rate - rates[0]) for rate in rates), 1e-9)

    def test_after_a_quasi_static_start(self):
        self.check(initial_quasi_static=True, time_end=0.01)

    def test_after_the_limit_model(self):
        self.check(time_end=None, protocol_phases="one,two", phase_one_duration=0.001,
                   phase_one_epsilon=0, phase_two_duration=0.01)


class UniformError(engram_test.EngramTestCase):
    """A network that does not learn, against the exact limit, implicit coupling."""

    def test_uniform_in_eps(self):
        """|error| <= C1 eps + C2 (size of the steps)^2, with the same constants for all eps.

        The order in h is four, and that in dw of these smooth weights above two.
        """
        study = limit_studies.uniform_errors(engram_test.PROGRAM)
        known = numpy.array([row["errors"] for row in study["rows"]])
        epsilons = numpy.array(limit_studies.DECAY_EPSILONS)
        limit = numpy.abs(known[:, -1])
        for errors, grid_error in zip(known, limit):
            bounds = 0.02 * epsilons + 1.05 * grid_error
            self.assertTrue((numpy.abs(errors) <= bounds).all(), (errors, bounds))
        self.assertGreater(limit[0], 1e-4, "too small to tell")
        for k in numpy.flatnonzero(epsilons <= 1e-6):
            orders = numpy.log2(numpy.abs(known[:-1, k] / known[1:, k]))
            self.assertGreater(orders.min(), 1.9, orders)

    def test_limit_model_on_the_way(self):
        """eps = 0 follows the exact solution at all times, not only at the end."""
        times = [0.25, 0.5, 0.75, 1.0]
        series = self.run_case(dict(limit_studies.LEARNING, model_epsilon=0, model_learning=0,
                                    transport_order=2, time_scheme="extrapolated", time_step=0.01,
                                    time_end=1, grid_v_cells=60, grid_w_cells=100)).series()
        for time in times:
            value = series["total_rate"][round(time / 0.01)]
            exact = reference.limit_total_rate(time, limit_studies.cosine, (0.0, 1.0),
                                               response=reference.saturating)
            self.assertAlmostEqual(value, exact, delta=1e-4 * exact)

    def test_macroscopic_equation_beyond_the_shock(self):
        """The learning limit model against another scheme of the macroscopic equation."""
        times = [0.5, 1.5, 3.0]
        known, (weights, heights) = reference.macroscopic_reference(times, limit_studies.cosine)
        result = self.run_case(dict(limit_studies.LEARNING, model_epsilon=0, transport_order=2,
                                    time_scheme="extrapolated", time_step=0.0025, time_end=3,
                                    grid_v_cells=60, grid_w_cells=200))
        series, fields = result.series(), result.fields()
        for time, value in zip(times, known):
            self.assertAlmostEqual(series["total_rate"][round(time / 0.0025)], value, delta=5e-4)
        other = numpy.interp(fields["w"], weights, heights)
        distance = numpy.abs(fields["weight_density"][-1] - other).mean()
        self.assertLess(distance, 0.01)


if __name__ == "__main__":
    engram_test.main()
