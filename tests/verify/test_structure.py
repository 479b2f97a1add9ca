"""Mass and positivity in floating point for any eps, and why a stock solver is not enough."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import studies  # noqa: E402


class Structure(engram_test.EngramTestCase):
    """1,000 steps on 480 x 64 cells, or on fewer weights where the solver is slow."""

    def test_elimination_keeps_mass_and_sign(self):
        for row in studies.structure(engram_test.PROGRAM, ("gth",)):
            with self.subTest(epsilon=row["epsilon"]):
                self.assertLessEqual(row["mass_error"], 1e-12)
                self.assertGreaterEqual(row["min_density"], 0.0)

    def test_factorisation_loses_mass(self):
        rows = {row["epsilon"]: row for row in studies.structure(engram_test.PROGRAM, ("lu",), 16)}
        self.assertLess(rows[1]["mass_error"], 1e-12)
        self.assertGreater(rows[1e-8]["mass_error"], 1e-9)
        self.assertGreater(rows[1e-12]["mass_error"], 1e-5)

    def test_smallest_epsilon(self):
        """The smallest positive eps, and steps for which dt/eps is no finite number any more."""
        for order, epsilon, step, end in ((1, 1e-300, 0.01, 1), (1, 2.5e-308, 0.01, 1),
                                          (1, 1e-300, 1e10, 2e10), (5, 1e-300, 0.01, 1)):
            # Transport would divide the longest step; frozen weights need not.
            frozen = {"model_plasticity": False} if step > 1 else {}
            # On 20 cells the limiter of order 5 is at work everywhere, and amplifies round-off.
            cells, delta = (20, 1e-10) if order == 1 else (30, 1e-9)
            with self.subTest(epsilon=epsilon, step=step):
                known, series = (self.run_case(model_epsilon=each, time_step=step, time_end=end,
                                               transport_order=order, grid_w_cells=cells,
                                               **frozen).series()
                                 for each in (1e-14, epsilon))
                self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-12)
                self.assertGreaterEqual(min(series["min_density"]), 0.0)
                if step < 1:
                    self.assertAlmostEqual(series["total_rate"][-1], known["total_rate"][-1],
                                           delta=delta)

    def test_small_noise(self):
        """Cell Peclet numbers far above 709, where e^q overflows: still whole and positive."""
        result = self.run_case(model_noise=1e-5, model_input="3", grid_v_cells=120,
                               time_step=0.05, time_end=5)
        series = result.series()
        self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-12)
        self.assertGreaterEqual(min(series["min_density"]), 0.0)
        self.assertGreater(series["total_rate"][-1], 0.0)

    def test_harmonic_flux(self):
        """The other weights of the flux keep the same structure, with much noise and with little."""
        for noise in (1, 1e-4):
            with self.subTest(noise=noise):
                series = self.run_case(model_flux="harmonic", model_noise=noise, model_input="3",
                                       model_epsilon=1e-8, time_step=0.05, time_end=5).series()
                self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-12)
                self.assertGreaterEqual(min(series["min_density"]), 0.0)
                self.assertGreater(series["total_rate"][-1], 0.0)

    def test_many_steps(self):
        """Round-off of one sign must not add up: 1e5 solves, long after the state is stationary."""
        for changes, steps in ((engram_test.PLAIN_EULER, 100000), ({}, 10000)):
            series = self.run_case(changes, time_step=2e-3, time_end=2e-3 * steps,
                                   output_series_every=steps // 100).series()
            self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-14)
            self.assertEqual(len(series["step"]), 101)

    def test_transport_stops_where_it_must(self):
        """Learning without bound, and a step that would take ages: exit code 3 and the reason."""
        for changes in ({}, engram_test.PLAIN_EULER, {"time_step": None}):
            result = self.run_case(changes, model_learning="1e9", time_end=1, expect=3)
            self.assertIn("the learning velocity K N Nbar runs away", result.stderr)
        result = self.run_case(engram_test.PLAIN_EULER, time_step=1e12, time_end=1e12, expect=3)
        self.assertIn("more than 1e9 transport sub-steps: shorten -time_step", result.stderr)

    def test_any_step(self):
        """Steps from far below to far above every scale of the problem."""
        for step in (1e-4, 1e-2, 1.0, 1e2, 1e4):
            with self.subTest(step=step):
                # The longest take up to millions of sub-steps: those of first order are the cheapest.
                series = self.run_case(time_step=step, time_end=min(20 * step, 2e4),
                                       transport_order=5 if step < 1e2 else 1).series()
                self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-12)
                self.assertGreaterEqual(min(series["min_density"]), 0.0)


if __name__ == "__main__":
    engram_test.main()
