"""Mass and sign for data that the grid does not see: dt/eps from 1e-8 to 1e12, order four."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import rough_studies  # noqa: E402
import runner  # noqa: E402

LAMBDAS = (1e-8, 1e-4, 1e-3, 1e-2, 1.0, 1e4, 1e12)


class MassAndSign(engram_test.EngramTestCase):
    """Every slice of a run has other data, so that some are solved twice and some are not."""

    def test_whole_product(self):
        """Round-off of one solve in a row of euler, of six and their combination otherwise."""
        for row in rough_studies.structure_of_rough_data(engram_test.PROGRAM, LAMBDAS):
            with self.subTest(settings=row["settings"], lam=row["lambda"]):
                is_one = row["settings"].startswith("euler")
                self.assertLess(row["mass_error"], 2e-15 if is_one else 2e-14)
                self.assertGreaterEqual(row["smallest"], 0.0)
                self.assertEqual(row["states"], 1 + rough_studies.STEPS)
                self.assertGreater(row["change"], 1e-8, "nothing moves")

    def test_rough_slices_alone(self):
        """A smooth slice keeps its bits whatever the others hold: they are solved by themselves."""
        case = {**rough_studies.rough_case(rough_studies.SETTINGS["euler"], 1e-4),
                "model_plasticity": "false", "model_response": "0"}
        smooth = "exp(-(v + 1)^2)"
        rough = "exp(-((v - 0.4)/0.001)^2)"
        results = [runner.run(engram_test.PROGRAM, dict(case, initial_density=density))
                   for density in (smooth, f"w < 0.5 ? {smooth} : 3*{rough}")]
        half = len(rough_studies.DATA) // 2
        first, second = (result.densities[:, :, :half] for result in results)
        # The scale of the whole differs by a rounding of the mass.
        ratio = second / first
        self.assertLess(abs(ratio / ratio[0, 0, 0] - 1.0).max(), 1e-13)

    def test_adaptive_steps_are_few(self):
        """Neurons at V_F, or a jump: what a second solve changes is no error of the steps."""
        for density in ("v > 0 ? 1 : 0", "exp(-(v - 1.5)^2)", "abs(v - 1) < 0.05 ? 1 : 0"):
            with self.subTest(density=density):
                case = {"model_epsilon": 0.1, "model_input": "1 + 0.3*sin(6*w)",
                        "model_learning": "1", "grid_v_cells": 480, "grid_w_cells": 16,
                        "grid_w_min": 0, "grid_w_max": 1, "time_end": 0.05,
                        "initial_density": density, "coupling": "auto"}
                runs = [self.run_case(case, time_tolerance=tolerance)
                        for tolerance in (1e-4, 1e-5)]
                self.assertLess(runs[0].yaml("summary.yaml")["steps"], 250)
                rates = [run.series()["total_rate"][-1] for run in runs]
                self.assertLess(abs(rates[0] / rates[1] - 1.0), 3e-4)


if __name__ == "__main__":
    engram_test.main()
