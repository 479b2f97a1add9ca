"""Lagged and implicit coupling: strong inhibition, several solutions, none, and blow-up."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import limit_studies  # noqa: E402
import network_studies  # noqa: E402
import reference  # noqa: E402


class StrongInhibition(engram_test.EngramTestCase):
    """The slope of the scalar equation is below -1: a lagged rate cannot converge for small eps."""

    def test_one_weight(self):
        study = limit_studies.strong_inhibition(engram_test.PROGRAM)
        self.assertAlmostEqual(study["exact"], 0.186572, delta=1e-6)
        self.assertLess(study["slope"], -5.0)
        for row in study["rows"]:
            with self.subTest(coupling=row["coupling"], epsilon=row["epsilon"]):
                if row["coupling"] == "implicit":
                    for value in (row["lowest"], row["highest"]):
                        self.assertAlmostEqual(value, study["exact"], delta=2e-6)
                    self.assertLessEqual(row["iterations"], 20)
                elif row["epsilon"] <= 1e-4:
                    # Silence and the rate without any inhibition, r(4), by turns and for ever.
                    self.assertLess(row["lowest"], 1e-4)
                    self.assertGreater(row["highest"], 2.7)
                elif row["epsilon"] == 1.0:
                    self.assertAlmostEqual(row["highest"], study["exact"], delta=2e-6)

    def test_lagged_alternates(self):
        rates = self.run_case(limit_studies.INHIBITED, model_epsilon=1e-6).series()["total_rate"]
        for before, after, later in zip(rates[-20:], rates[-19:], rates[-18:]):
            self.assertGreater(abs(after - before), 2.7)
            self.assertAlmostEqual(before, later, delta=1e-6)

    def test_sixth_order_in_h(self):
        for row in limit_studies.inhibited_grids(engram_test.PROGRAM):
            with self.subTest(weights=row["weights"]):
                for order in row["orders"]:
                    self.assertGreater(order, 5.8)
                self.assertLess(abs(row["errors"][-1]), 1e-9)

    def test_where_the_lagged_coupling_fails(self):
        """In the limit it converges where |G'| < 1 at the root, and only there."""
        rows = limit_studies.lagged_threshold(engram_test.PROGRAM)
        self.assertTrue(any(-1.0 < row["slope"] < -0.9 for row in rows))
        self.assertTrue(any(-1.1 < row["slope"] < -1.0 for row in rows))
        for row in rows:
            with self.subTest(weight=row["weight"], slope=row["slope"]):
                if row["slope"] > -1.0:
                    self.assertAlmostEqual(row["lowest"], row["exact"], delta=1e-4)
                    self.assertAlmostEqual(row["highest"], row["exact"], delta=1e-4)
                else:
                    self.assertGreater(row["highest"] - row["lowest"], 0.5)

    def test_extrapolated_steps(self):
        """Implicit coupling inside of extrapolated and adaptive steps."""
        for changes in ({"time_scheme": "extrapolated"},
                        {"time_adaptive": True, "time_scheme": "extrapolated"}):
            with self.subTest(**changes):
                series = self.run_case(limit_studies.INHIBITED, model_epsilon=1e-6,
                                       coupling="implicit", **changes).series()
                self.assertAlmostEqual(series["total_rate"][-1], 0.1865720, delta=2e-6)


class Solutions(engram_test.EngramTestCase):
    """Several solutions of the scalar equation, or none, are reported as such."""

    # b = 2: a stable and an unstable steady state.
    CASE = dict(network_studies.STEADY, steady="false", model_epsilon=1e-3, grid_v_cells=80,
                grid_w_min=2, grid_w_max=2, initial_quasi_static="true", coupling="implicit",
                time_step=0.1)

    def test_starts_from_the_nearest(self):
        """-initial_rate chooses; the warning names both; the unstable one is left."""
        lower, upper = (rate for rate, _ in reference.network_steady_rates(2.0))
        for initial, expected in ((0, lower), (0.4, lower), (1, upper)):
            with self.subTest(initial_rate=initial):
                result = self.run_case(dict(self.CASE, initial_rate=initial))
                series = result.series()
                self.assertAlmostEqual(series["total_rate"][0], expected, delta=1e-5)
                self.assertEqual(series["coupling_solutions"][0], 2)
                self.assertIn("2 quasi-static states", result.stderr)
                self.assertIn(f"{series['total_rate'][0]:.6g}, the nearest", result.stderr)

    def test_scan_counts(self):
        """-coupling_scan finds the second solution that the search would not notice."""
        silent = self.run_case(self.CASE).series()["coupling_solutions"]
        scanned = self.run_case(dict(self.CASE, coupling_scan=5))
        self.assertEqual(set(silent[1:]), {1.0})
        counts = scanned.series()["coupling_solutions"]
        self.assertEqual([count for count in counts[5::5]], [2.0] * len(counts[5::5]))
        self.assertIn("several solutions", scanned.stderr)

    def test_none_at_the_start(self):
        """b = 2.2 has no steady state to start from."""
        result = self.run_case(dict(self.CASE, grid_w_min=2.2, grid_w_max=2.2), expect=2)
        self.assertIn("have no quasi-static state", result.stderr)

    def test_none_in_the_limit(self):
        """Weights that the input carries beyond the fold: the limit model ends there."""
        case = dict(self.CASE, model_epsilon=0, model_input="0.1*t", time_end=10, time_step=0.05)
        result = self.run_case(case, expect=3)
        self.assertIn("no total firing rate", result.stderr)
        series = result.series()
        self.assertEqual(series["coupling_solutions"][-1], 0)

        def is_solvable(time):
            return bool(reference.network_steady_rates(2.0, current=0.1 * time))

        stopped = result.yaml("summary.yaml")["blowup_time"]
        self.assertTrue(is_solvable(stopped - 0.06))
        self.assertFalse(is_solvable(stopped))


class BlowUp(engram_test.EngramTestCase):
    """b = 3: between 3.4 and 3.5, in whatever way it is met."""

    def check_end(self, result):
        """The last good state is in all outputs, whole and positive, and the summary tells."""
        summary = result.summary
        self.assertEqual(summary["status"], "stopped")
        self.assertIn("blow-up", summary["reason"])
        self.assertEqual(result.series["time"][-1], summary["blowup_time"])
        self.assertEqual(result.times[-1], summary["blowup_time"])
        self.assertLess(max(abs(error) for error in result.series["mass_error"]), 1e-12)
        self.assertGreaterEqual(min(result.series["min_density"]), 0.0)
        self.assertAlmostEqual(result.firing_rate[-1], result.series["total_rate"][-1],
                               delta=1e-12 * result.series["total_rate"][-1])

    def test_times(self):
        rows = network_studies.blowup_times(engram_test.PROGRAM)
        for row in rows:
            times = row["times"]
            for result in row["results"]:
                with self.subTest(way=row["way"]):
                    self.check_end(result)
            with self.subTest(way=row["way"]):
                self.assertTrue(3.4 < times[-1] < 3.5 and 3.4 < times[-2] < 3.5, times)
                for early, middle, late in zip(times, times[1:], times[2:]):
                    self.assertLessEqual(abs(late - middle), 0.75 * abs(middle - early))
        # All ways lead to the same time.
        finest = [row["times"][-1] for row in rows]
        self.assertLess(max(finest) - min(finest), 0.015)
        self.assertAlmostEqual(finest[2], finest[3], delta=0.002)

    def test_adaptive_is_cheap(self):
        """Adaptive steps come closer with a few hundred than fixed ones do with 6857."""
        rows = {row["way"]: row for row in network_studies.blowup_times(engram_test.PROGRAM)}
        adaptive = rows["adaptive, third order"]
        fixed = rows["fixed steps, rate beyond 1e4"]
        limit = adaptive["times"][-1]
        self.assertLess(abs(adaptive["times"][0] - limit), abs(fixed["times"][-1] - limit))
        self.assertLess(adaptive["steps"][0], 0.1 * fixed["steps"][-1])

    def test_no_solution_is_reported(self):
        """Fixed steps with implicit coupling end where the scalar equation has no solution."""
        result = self.run_case(network_studies.BLOWUP, coupling="implicit", time_step=0.001,
                               expect=3)
        series = result.series()
        self.assertEqual(series["coupling_solutions"][-1], 0)
        self.assertNotIn(0, series["coupling_solutions"][:-1])
        self.assertIn("solves the equation of the implicit coupling", result.stderr)

    def test_smallest_step(self):
        """A larger -time_step_min stops the adaptive steps earlier, and is never gone below."""
        found = {}
        for smallest in (1e-3, 1e-5):
            result = self.run_case(network_studies.BLOWUP, time_adaptive=True, expect=3,
                                   time_scheme="third-order", time_step=0.01,
                                   time_step_min=smallest, time_tolerance=1e-3)
            self.assertIn("blow-up", result.stderr)
            found[smallest] = result.yaml("summary.yaml")["blowup_time"]
            lengths = result.series()["dt"][1:]
            self.assertGreaterEqual(min(lengths), 0.99 * smallest)
        self.assertLess(found[1e-3], found[1e-5])
        self.assertAlmostEqual(found[1e-3], found[1e-5], delta=0.02)

    def test_blowup_rate(self):
        """A smaller -blowup_rate stops at the first step beyond it."""
        result = self.run_case(network_studies.BLOWUP, blowup_rate=5, time_step=0.001, expect=3)
        rates = result.series()["total_rate"]
        self.assertGreater(rates[-1], 5.0)
        self.assertLessEqual(max(rates[:-1]), 5.0)

    def test_concentrated_data(self):
        """b = 1.5 from data near the threshold: near t = 0.04, by adaptive steps."""
        result = self.run_case(network_studies.BLOWUP, grid_w_min=1.5, grid_w_max=1.5,
                               model_v_min=0, initial_density="exp(-(v - 1.5)^2/0.01)",
                               time_adaptive=True, time_scheme="third-order", time_end=0.2,
                               expect=3)
        self.assertAlmostEqual(result.yaml("summary.yaml")["blowup_time"], 0.04, delta=0.002)

    def test_none_far_from_the_threshold(self):
        """b = 1.5 from data far from it comes to its steady state, by adaptive steps."""
        exact = reference.network_steady_rates(1.5)[0][0]
        for scheme in ("euler", "second-order", "third-order"):
            with self.subTest(scheme=scheme):
                result = self.run_case(network_studies.BLOWUP, grid_w_min=1.5, grid_w_max=1.5,
                                       time_adaptive=True, time_scheme=scheme, time_end=60)
                self.assertAlmostEqual(result.series()["total_rate"][-1], exact, delta=3e-5)
                self.assertIsNone(result.yaml("summary.yaml").get("blowup_time"))


if __name__ == "__main__":
    engram_test.main()
