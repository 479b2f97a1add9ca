"""The cases of input/ show what their headers say."""

import engram_test
import numpy


class Cases(engram_test.EngramTestCase):
    """Runs the files as they are, with at most a longer step."""

    def run_file(self, name, *words, ranks=0, expect=0):
        """Results of a case of input/."""
        self._runs += 1
        output = self.folder / f"output_{self._runs}"
        process = self.execute([engram_test.SOURCE / "input" / name, "-output_dir", output, *words],
                               ranks=ranks)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        return engram_test.Result(process, output)

    def test_every_case_is_known_here(self):
        names = {path.name for path in (engram_test.SOURCE / "input").glob("*.yaml")}
        self.assertEqual(names, {"learning.yaml", "inhibitory.yaml", "nnlif_steady.yaml",
                                 "nnlif_blowup.yaml"})

    def test_learning(self):
        """The rate levels off, and N(w) falls on the line w/Nbar where there are neurons."""
        result = self.run_file("learning.yaml", "-time_step", "0.001", "-time_end", "6",
                               "-output_fields_every", "1", ranks=2)
        rates = result.series()["total_rate"]
        self.assertLess(abs(rates[-1] - rates[len(rates) // 2]), 1e-3)
        fields = result.fields()
        inside = (fields["w"] > 0.2) & (fields["w"] < 0.7)
        shape = fields["firing_rate"][-1][inside] * rates[-1] / fields["w"][inside]
        self.assertLess(numpy.abs(shape - 1.0).max(), 0.03)
        early = fields["firing_rate"][0][inside]
        self.assertGreater(numpy.ptp(early / fields["w"][inside]) / early.max(), 0.5)

    def test_inhibitory(self):
        series = self.run_file("inhibitory.yaml", "-output_fields_every", "0").series()
        self.assertAlmostEqual(max(series["total_rate"]), 0.92, delta=0.01)
        self.assertAlmostEqual(series["total_rate"][-1], 0.848, delta=0.001)
        self.assertAlmostEqual(series["mean_weight"][-1], -0.815, delta=0.001)

    def test_nnlif_steady(self):
        weak = self.run_file("nnlif_steady.yaml").series()["total_rate"]
        self.assertAlmostEqual(weak[-1], 0.134775, delta=1e-5)
        strong = self.run_file("nnlif_steady.yaml", "-grid_w_min", "1.5", "-grid_w_max", "1.5",
                               "-time_end", "40").series()["total_rate"]
        self.assertAlmostEqual(strong[-1], 0.192364, delta=3e-5)

    def blow_up_time(self, *words):
        """The time that the summary tells; the outputs end with the state that blew up."""
        result = self.run_file("nnlif_blowup.yaml", *words, expect=3)
        series = result.series()
        summary = result.yaml("summary.yaml")
        self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-12)
        self.assertGreaterEqual(min(series["min_density"]), 0.0)
        self.assertGreater(series["total_rate"][-1], 1e4)
        self.assertLess(max(series["total_rate"][:-1]), 1e4)
        self.assertEqual(summary["status"], "stopped")
        self.assertEqual(summary["blowup_time"], series["time"][-1])
        self.assertEqual(result.fields()["time"][-1], series["time"][-1])
        self.assertIn("blow-up", result.stderr)
        return summary["blowup_time"]

    def test_nnlif_blowup(self):
        """Between 3.4 and 3.5, and converging with the step."""
        times = [self.blow_up_time("-time_step", step) for step in ("0.002", "0.001", "0.0005")]
        for time in times:
            self.assertGreater(time, 3.4)
            self.assertLess(time, 3.5)
        self.assertLess(abs(times[1] - times[2]), 0.75 * abs(times[0] - times[1]))

    def test_no_blowup_far_from_the_threshold(self):
        """b = 1.5 has a stable steady state, which data far from the threshold reach."""
        series = self.run_file("nnlif_blowup.yaml", "-grid_w_min", "1.5", "-grid_w_max", "1.5",
                               "-time_end", "30", "-time_step", "0.01").series()
        self.assertAlmostEqual(series["total_rate"][-1], 0.192364, delta=1e-3)

    def test_blowup_of_concentrated_data(self):
        """b = 1.5 from data concentrated near the threshold blows up near t = 0.04."""
        result = self.run_file("nnlif_blowup.yaml", "-grid_w_min", "1.5", "-grid_w_max", "1.5",
                               "-model_v_min", "0", "-initial_density", "exp(-(v-1.5)^2/0.01)",
                               "-time_step", "1e-5", "-time_end", "0.2", expect=3)
        self.assertAlmostEqual(result.yaml("summary.yaml")["blowup_time"], 0.04, delta=0.005)


if __name__ == "__main__":
    engram_test.main()
