"""The cases of input/ show what their headers say."""

import engram_test
import numpy


class Cases(engram_test.EngramTestCase):
    """Runs the files as they are."""

    # The scheme of the paper, where a header speaks of it.
    PLAIN_EULER = ("-time_scheme", "euler", "-time_start", "plain")

    def run_file(self, name, *words, ranks=0, expect=0):
        """Results of a case of input/."""
        self._runs += 1
        output = self.folder / f"output_{self._runs}"
        process = self.execute([engram_test.SOURCE / "input" / name, "-output_dir", output, *words],
                               ranks=ranks)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        if not words:
            self.assert_axes_are_long_enough(process)
        return engram_test.Result(process, output)

    def assert_axes_are_long_enough(self, process):
        """Nothing is cut off at their ends, and the grid sees the initial density."""
        for text in ("of the neurons would be", "-initial_density"):
            self.assertNotIn(text, process.stderr)

    def test_beginnings(self):
        """No case begins with a warning."""
        for path in sorted((engram_test.SOURCE / "input").glob("*.yaml")):
            process = self.execute([path, "-dry_run"])
            self.assertEqual((process.returncode, process.stderr), (0, ""), path)

    def test_every_case_is_known_here(self):
        names = {path.name for path in (engram_test.SOURCE / "input").glob("*.yaml")}
        self.assertEqual(names, {"learning.yaml", "inhibitory.yaml", "nnlif_steady.yaml",
                                 "nnlif_blowup.yaml", "limit.yaml", "delayed.yaml",
                                 "strong_inhibition.yaml", "refractory.yaml",
                                 "excitation.yaml", "recognition.yaml",
                                 "quadratic.yaml", "exponential.yaml",
                                 "particles_frozen.yaml", "particles_learning.yaml"})

    def test_learning(self):
        """The rate levels off, and N(w) falls on the line w/Nbar where there are neurons."""
        result = self.run_file("learning.yaml", "-time_end", "6", "-output_fields_every", "0.25")
        rates = result.series()["total_rate"]
        self.assertLess(abs(rates[-1] - rates[len(rates) // 2]), 1e-3)
        fields = result.fields()
        inside = (fields["w"] > 0.2) & (fields["w"] < 0.7)
        shape = fields["firing_rate"][-1][inside] * rates[-1] / fields["w"][inside]
        self.assertLess(numpy.abs(shape - 1.0).max(), 0.03)
        early = fields["firing_rate"][1][inside]
        self.assertGreater(numpy.ptp(early / fields["w"][inside]) / early.max(), 0.5)

    def test_neither_grid_nor_steps(self):
        """What a user gets who sets neither: an error of 1e-4, seen from a finer grid."""
        words = ("-time_tolerance", "1e-4", "-output_fields_every", "0",
                 "-output_series_interval", "0.3", "-grid_v_cells", "60")
        run, known = (self.run_file("learning.yaml", *words, "-grid_w_cells", cells)
                      for cells in ("256", "512"))
        errors = numpy.abs(numpy.subtract(run.series()["total_rate"], known.series()["total_rate"]))
        # At a front half of the error is left on twice the cells.
        self.assertLess(2.0 * errors[1:].max(), 1e-4 * max(known.series()["total_rate"]))

    def test_cost_of_learning(self):
        """A twentieth of the 60,000 slice solves of steps of 5e-5, whose error was 2.6e-3."""
        words = ("-time_end", "3", "-output_fields_every", "0", "-output_series_interval", "0.3")
        run, known = (self.run_file("learning.yaml", *words, *more)
                      for more in ((), ("-time_tolerance", "1e-6")))
        self.assertLess(run.yaml("summary.yaml")["slice_solves"], 60000 / 20)
        for name in ("total_rate", "mean_weight"):
            errors = numpy.abs(numpy.subtract(run.series()[name], known.series()[name]))
            self.assertLess(errors.max(), 1e-4, name)

    def test_inhibitory(self):
        series = self.run_file("inhibitory.yaml", "-output_fields_every", "0").series()
        self.assertAlmostEqual(max(series["total_rate"]), 0.92, delta=0.01)
        self.assertAlmostEqual(series["total_rate"][-1], 0.8458, delta=2e-4)
        self.assertAlmostEqual(series["mean_weight"][-1], -0.8251, delta=5e-4)

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
        self.assertEqual(series["total_rate"][-1], max(series["total_rate"]))
        self.assertEqual(summary["status"], "stopped")
        self.assertEqual(summary["blowup_time"], series["time"][-1])
        self.assertEqual(result.fields()["time"][-1], series["time"][-1])
        self.assertIn("blow-up", result.stderr)
        return summary["blowup_time"], series["total_rate"][-1], summary["steps"]

    def check_times(self, ends):
        """Between 3.4 and 3.5, and converging."""
        times = [time for time, _, _ in ends]
        for time in times:
            self.assertGreater(time, 3.4)
            self.assertLess(time, 3.5)
        self.assertLess(abs(times[1] - times[2]), 0.75 * abs(times[0] - times[1]))

    def test_nnlif_blowup(self):
        """Where no rate solves the coupling: with few steps, and the sharper the tolerance."""
        ends = [self.blow_up_time("-time_tolerance", value) for value in ("1e-3", "1e-4", "1e-5")]
        self.check_times(ends)
        self.assertAlmostEqual(ends[0][0], ends[2][0], delta=2e-4)
        self.assertLess(ends[1][2], 400)
        for _, rate, _ in ends:
            self.assertGreater(rate, 100.0)

    def test_nnlif_blowup_by_fixed_steps(self):
        """The lagged rate of the paper's scheme runs beyond -blowup_rate."""
        ends = [self.blow_up_time("-time_step", step, *self.PLAIN_EULER)
                for step in ("0.002", "0.001", "0.0005")]
        self.check_times(ends)
        for _, rate, _ in ends:
            self.assertGreater(rate, 1e4)

    def test_no_blowup_far_from_the_threshold(self):
        """b = 1.5 has a stable steady state, which data far from the threshold reach."""
        series = self.run_file("nnlif_blowup.yaml", "-grid_w_min", "1.5", "-grid_w_max", "1.5",
                               "-time_end", "60").series()
        self.assertAlmostEqual(series["total_rate"][-1], 0.192364, delta=3e-5)

    def test_blowup_of_concentrated_data(self):
        """b = 1.5 from data concentrated near the threshold blows up near t = 0.04."""
        result = self.run_file("nnlif_blowup.yaml", "-grid_w_min", "1.5", "-grid_w_max", "1.5",
                               "-model_v_min", "0", "-initial_density", "exp(-(v-1.5)^2/0.01)",
                               "-time_end", "0.2", expect=3)
        self.assertAlmostEqual(result.yaml("summary.yaml")["blowup_time"], 0.04, delta=0.001)

    def assert_sound(self, series):
        """Mass is kept and nothing is negative, in every row."""
        self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-12)
        self.assertGreaterEqual(min(series["min_density"]), 0.0)

    def cells_of_front(self, weights):
        """Cells right of the maximum where H is neither near it nor gone."""
        beyond = weights[weights.argmax():]
        return int(((beyond > 0.001 * beyond[0]) & (beyond < 0.98 * beyond[0])).sum())

    def distance_from_learned(self, result, upper):
        """Largest difference of K N Nbar/w from 1 at the end, for w from 0.1 to `upper`."""
        fields = result.fields()
        w = fields["w"]
        shape = fields["firing_rate"][-1] * fields["total_rate"][-1] / w
        return numpy.abs(shape[(w > 0.1) & (w < upper)] - 1.0).max()

    def test_limit(self):
        """A front forms early, and stands where the closed form of the learned state says."""
        result = self.run_file("limit.yaml")
        series, fields = result.series(), result.fields()
        self.assert_sound(series)
        self.assertAlmostEqual(series["total_rate"][-1], 0.584384, delta=1e-4)
        weights, w = fields["weight_density"], fields["w"]
        early = numpy.abs(fields["time"] - 0.1).argmin()
        self.assertGreater(self.cells_of_front(weights[0]), 10)
        self.assertLessEqual(self.cells_of_front(weights[early]), 3)
        self.assertLessEqual(self.cells_of_front(weights[-1]), 3)
        # The front stands where H falls through one half of its maximum.
        front = w[weights[-1] > 0.5 * weights[-1].max()].max()
        self.assertAlmostEqual(front, 0.826443, delta=0.004)
        self.assertLess(self.distance_from_learned(result, 0.79), 6e-4)
        finer = self.run_file("limit.yaml", "-grid_w_cells", "144")
        self.assertLess(self.distance_from_learned(finer, 0.8), 1e-3)
        self.assertLess(fields["firing_rate"][-1][w > 0.85].max(), 1e-100)

    def test_limit_of_first_order(self):
        """What the header says of -transport_order 1."""
        result = self.run_file("limit.yaml", "-transport_order", "1")
        self.assertAlmostEqual(result.series()["total_rate"][-1], 0.5814, delta=1e-4)
        self.assertAlmostEqual(self.cells_of_front(result.fields()["weight_density"][-1]), 10,
                               delta=3)

    def swings(self, *words):
        """Times of the maxima of the rate, and its extremes in the last third of delayed.yaml."""
        series = self.run_file("delayed.yaml", *words, "-output_fields_every", "0").series()
        self.assert_sound(series)
        time, rate = numpy.array(series["time"]), numpy.array(series["total_rate"])
        is_top = (rate[1:-1] > rate[:-2]) & (rate[1:-1] >= rate[2:])
        late = rate[time > time[-1] * 2 / 3]
        return time[1:-1][is_top], late.min(), late.max()

    def test_delayed(self):
        """Sustained, with the period and the extremes of the header."""
        tops, lowest, highest = self.swings()
        self.assertEqual(len(tops), 9)
        # Rows are 0.02 apart.
        self.assertLess(numpy.abs(numpy.diff(tops)[3:] - 2.84).max(), 0.0201)
        self.assertAlmostEqual(lowest, 0.0015, delta=1e-4)
        self.assertAlmostEqual(highest, 0.0211, delta=2e-4)

    def test_delayed_less_or_more(self):
        """A short delay lets the oscillation die out, a long one makes it grow."""
        _, lowest, highest = self.swings("-model_delay", "0.3")
        self.assertAlmostEqual(lowest, 0.008695, delta=1e-6)
        self.assertAlmostEqual(highest, 0.008695, delta=1e-6)
        tops, _, highest = self.swings("-model_delay", "2")
        self.assertLess(numpy.abs(numpy.diff(tops)[-2:] - 5.46).max(), 0.02)
        self.assertGreater(highest, 0.04)
        steady = self.run_file("delayed.yaml", "-steady")
        self.assertAlmostEqual(steady.series()["total_rate"][-1], 0.008695, delta=1e-6)

    def test_strong_inhibition(self):
        """Implicit: there and staying; lagged: from one end to the other for ever."""
        series = self.run_file("strong_inhibition.yaml").series()
        self.assert_sound(series)
        rates = numpy.array(series["total_rate"][1:])
        self.assertLess(numpy.abs(rates - 0.186572).max(), 1e-5)
        self.assertLessEqual(max(series["coupling_iterations"][3:]), 4 * 6)
        lagged = self.run_file("strong_inhibition.yaml", *self.PLAIN_EULER, "-time_step", "0.01",
                               "-coupling", "lagged").series()
        self.assert_sound(lagged)
        rates = numpy.array(lagged["total_rate"])
        self.assertLess(numpy.abs(rates[1::2] - 2.799).max(), 1e-3)
        self.assertLess(numpy.abs(rates[2::2] - 9.4e-8).max(), 1e-8)

    def test_excitation(self):
        """Weights grow to the learned state, and without bound where there is none."""
        series = self.run_file("excitation.yaml").series()
        self.assert_sound(series)
        self.assertAlmostEqual(series["mean_weight"][0], 0.4, delta=1e-3)
        self.assertAlmostEqual(series["mean_weight"][-1], 0.564783, delta=3e-4 * 0.564783)
        self.assertAlmostEqual(series["total_rate"][-1], 0.703548, delta=2e-4 * 0.703548)
        result = self.run_file("excitation.yaml", "-model_learning", "1.1", expect=3)
        # The rate or the learning velocity is the first to run beyond its bound.
        self.assertRegex(result.yaml("summary.yaml")["reason"], "blow-up|runs away")
        self.assertGreater(result.series()["total_rate"][-1], 100.0)
        weights = result.series()["mean_weight"]
        self.assertGreater(weights[-1], 1.0)
        self.assertEqual(weights, sorted(weights))

    def test_other_neurons(self):
        """Both learn the state whose rate, front and mean weight quadrature knows."""
        for name, total, largest, mean in (("quadratic", 0.313814, 0.443800, 0.293869),
                                           ("exponential", 0.287339, 0.406359, 0.263609)):
            with self.subTest(name=name):
                result = self.run_file(f"{name}.yaml")
                series, fields = result.series(), result.fields()
                self.assert_sound(series)
                self.assertAlmostEqual(series["total_rate"][-1] / total, 1.0, delta=1e-3)
                self.assertAlmostEqual(series["mean_weight"][-1] / mean, 1.0, delta=2e-3)
                weights, w = fields["weight_density"][-1], fields["w"]
                front = w[weights > 0.5 * weights.max()].max() + 0.5 * (w[1] - w[0])
                self.assertAlmostEqual(front, largest, delta=0.007)
                inside = (w > 0.1) & (w < 0.9 * largest)
                shape = fields["firing_rate"][-1] * series["total_rate"][-1] / w
                self.assertLess(numpy.abs(shape[inside] - 1.0).max(), 0.01)

    def test_other_neurons_by_themselves(self):
        """The rates of the headers."""
        words = ("-steady", "-model_plasticity", "false", "-model_response", "0", "-model_input",
                 "0")
        for name, rate in (("quadratic", 0.225464), ("exponential", 0.156511)):
            result = self.run_file(f"{name}.yaml", *words)
            self.assertAlmostEqual(result.series()["total_rate"][-1], rate, delta=2e-6)

    def test_refractory(self):
        """The rate rises once to its steady value; tau N of the neurons wait."""
        result = self.run_file("refractory.yaml")
        series, fields = result.series(), result.fields()
        self.assert_sound(series)
        rates = numpy.array(series["total_rate"])
        self.assertAlmostEqual(rates[-1], 0.299692, delta=2e-5)
        self.assertGreater(numpy.diff(rates).min(), -1e-9)
        self.assertAlmostEqual(fields["refractory"][-1][0], rates[-1], delta=1e-7)
        spacing = fields["v"][1] - fields["v"][0]
        mass = spacing * fields["density"][:, :, 0].sum(axis=1) + fields["refractory"][:, 0]
        self.assertLess(numpy.abs(mass - 1.0).max(), 1e-12)

    def test_less_refractory(self):
        """tau = 0.5 rings and settles; tau = 0.3 fires in volleys, until the rate runs away."""
        rates = numpy.array(self.run_file("refractory.yaml", "-model_refractory",
                                          "0.5").series()["total_rate"])
        self.assertAlmostEqual(rates[-1], 0.924720, delta=5e-5)
        self.assertGreater(rates.max(), 1.1)
        for tolerance in ("1e-3", "1e-4"):
            result = self.run_file("refractory.yaml", "-model_refractory", "0.3",
                                   "-time_tolerance", tolerance, expect=3)
            self.assert_sound(result.series())
            self.assertGreater(result.series()["total_rate"][-1], 100.0)
            self.assertAlmostEqual(result.yaml("summary.yaml")["blowup_time"], 4.689, delta=0.001)

    def test_state_that_repels(self):
        """tau = 0.3: a run that starts in the steady state itself leaves it."""
        rates = self.run_file("refractory.yaml", "-model_refractory", "0.3", "-time_step", "0.005",
                              *self.PLAIN_EULER, "-initial_quasi_static", "true", "-initial_rate", "2",
                              "-time_end", "40").series()["total_rate"]
        self.assertAlmostEqual(rates[0], 1.8925, delta=1e-3)
        self.assertLess(max(abs(rate - rates[0]) for rate in rates[:20]), 0.01)
        self.assertGreater(max(rates), 4.0)

    def test_no_refractory_state_at_all(self):
        """Without it the case is that of the blow-up."""
        result = self.run_file("refractory.yaml", "-model_refractory", "0", "-time_end", "5",
                               expect=3)
        self.assertAlmostEqual(result.yaml("summary.yaml")["blowup_time"], 3.446, delta=0.002)


if __name__ == "__main__":
    engram_test.main()
