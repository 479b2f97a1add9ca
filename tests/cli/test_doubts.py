"""One word of warning where a run comes to its end with results that are in doubt."""

import math
import re

from engram_test import SOURCE, EngramTestCase, Result, main

# A single weight whose drift is far below v_min = -4 in the end.
FAR_DOWN = {"model_epsilon": 1, "model_input": "(-5)", "model_response": "N",
            "model_plasticity": False, "initial_density": "exp(-(v + 1)^2/0.5)",
            "grid_v_cells": 120, "grid_w_min": 0, "grid_w_max": 0, "grid_w_cells": 1,
            "time_end": 15, "time_step": 0.05}

POTENTIAL = re.compile(r"-model_v_min (\S+): (\S+) % of the neurons would be below it.*; "
                       r"-model_v_min (\S+) -grid_v_cells (\d+) would do")
WEIGHTS = re.compile(r"-grid_w_(min|max) (\S+): (\S+) % of the neurons would be beyond this end of "
                     r"the weights.*; -grid_w_\1 (\S+) -grid_w_cells (\d+) is likely to do")


class DoubtsTestCase(EngramTestCase):
    """Runs and their warnings."""

    def warnings_of(self, result, whole=True):
        """The warnings on stderr, which summary.yaml has too."""
        found = [line.removeprefix("engram: warning: ") for line in result.stderr.splitlines()
                 if line.startswith("engram: warning: ")]
        if whole:
            self.assertEqual(result.yaml("summary.yaml")["warnings"], found)
        return found

    def only_warning(self, result, pattern, whole=True, among=""):
        """The parts of the one warning, or of the one with a word."""
        found = [text for text in self.warnings_of(result, whole) if among in text]
        self.assertEqual(len(found), 1, result.stderr)
        self.assertRegex(found[0], pattern)
        return re.search(pattern, found[0]).groups()

    def run_file(self, name, *words):
        """A case of input/ with other options."""
        self._runs += 1
        output = self.folder / f"output_{self._runs}"
        process = self.execute([SOURCE / "input" / name, "-output_dir", output,
                                "-output_fields_every", "0", *words])
        self.assertEqual(process.returncode, 0, process.stderr)
        return Result(process, output)


class TestPotential(DoubtsTestCase):
    """Neurons that would be below v_min."""

    def check(self, changes, widest, words=()):
        """The share is that by which the rate is wrong; the axis that is named is long enough."""
        result = self.run_case(FAR_DOWN, extra=words, **changes)
        _, percent, v_min, cells = self.only_warning(result, POTENTIAL)
        summary = result.yaml("summary.yaml")
        share = summary["cut_off_v_min"]
        self.assertAlmostEqual(float(percent) / (100.0 * share), 1.0, delta=0.06)
        wider = self.run_case(FAR_DOWN, extra=words,
                              **{**changes, "model_v_min": v_min, "grid_v_cells": cells})
        self.assertEqual(self.warnings_of(wider), [])
        self.assertLess(wider.yaml("summary.yaml")["cut_off_v_min"], 1e-4)
        known = self.run_case(FAR_DOWN, extra=words, **{**changes, **widest})
        rate, right, best = (run.yaml("summary.yaml")["total_rate"]
                             for run in (result, wider, known))
        self.assertAlmostEqual(right / best, 1.0, delta=2e-5)
        self.assertAlmostEqual(rate * (1.0 - share) / best, 1.0, delta=0.02)
        return share

    def test_drift_below_the_axis(self):
        share = self.check({}, {"model_v_min": -14, "grid_v_cells": 320})
        self.assertAlmostEqual(share, 1.0 - 1.0 / 6.36, delta=0.01)

    def test_tail(self):
        """A thousandth part is seen, at the threshold of the warning."""
        share = self.check({"model_input": "(-1.2)", "grid_v_cells": 240},
                           {"model_v_min": -9, "grid_v_cells": 440})
        self.assertAlmostEqual(share, 2.5e-3, delta=3e-4)
        few = self.run_case(FAR_DOWN, model_input="(-0.7)")
        self.assertEqual(self.warnings_of(few), [])
        known = self.run_case(FAR_DOWN, model_input="(-0.7)", model_v_min=-8, grid_v_cells=200)
        few, known = (run.yaml("summary.yaml") for run in (few, known))
        self.assertAlmostEqual(few["total_rate"] / known["total_rate"] - 1.0,
                               few["cut_off_v_min"], delta=5e-5)
        self.assertAlmostEqual(few["cut_off_v_min"], 5.7e-4, delta=2e-5)

    def test_noise_and_refractory_state(self):
        self.check({"model_input": "(-1)", "model_noise": 2, "model_refractory": 1},
                   {"model_v_min": -12, "grid_v_cells": 280})

    def test_other_neuron(self):
        """A neuron that leaks twice as fast, and one that nothing brings up again."""
        self.check({"model_drift": "-2*v - 7", "model_input": "0"},
                   {"model_v_min": -12, "grid_v_cells": 280})
        result = self.run_case(FAR_DOWN, model_drift="-1", model_input="0", time_end=3)
        found = self.warnings_of(result)
        self.assertEqual(len(found), 1)
        self.assertIn("no lower one would do: the drift f(v) + mu carries neurons down", found[0])

    def test_steady_states(self):
        result = self.run_case(FAR_DOWN, extra=["-steady"])
        self.only_warning(result, POTENTIAL)
        self.assertGreater(result.yaml("summary.yaml")["cut_off_v_min"], 0.8)
        sweep = self.run_case(FAR_DOWN, model_input="(-1)", extra=[
            "-steady_sweep", "grid_w_min+grid_w_max:-1:0:3"], model_response="1 + N")
        found = [text for text in self.warnings_of(sweep) if "would be below it" in text]
        self.assertEqual(len(found), 1)
        self.assertIn(" at grid_w_min = -1,", found[0])

    def test_steady_states_of_an_initial_density_at_the_end(self):
        """Only the weights of the initial density matter."""
        result = self.run_case(FAR_DOWN, extra=["-steady"], initial_density="1", model_input="0")
        self.assertEqual(self.warnings_of(result), [])

    def test_initial_density(self):
        """Seen by the dry run as well; a later start in the same folder remembers it."""
        case = {"initial_density": "exp(-(v + 4)^2)", "model_input": "1", "time_end": 4}
        dry = self.run_case(FAR_DOWN, extra=["-dry_run"], **case)
        _, percent, v_min, cells = self.only_warning(dry, POTENTIAL, whole=False)
        self.assertIn(" at t = 0; ", dry.stderr)
        self.assertGreater(float(percent), 5.0)
        wider = self.run_case(FAR_DOWN, **{**case, "model_v_min": v_min, "grid_v_cells": cells})
        self.assertEqual(self.warnings_of(wider), [])
        flat = self.run_case(FAR_DOWN, extra=["-dry_run"], **{**case, "initial_density": "1"})
        self.only_warning(flat, "; -initial_density is to be negligible there", whole=False)
        whole = self.run_case(FAR_DOWN, **case)
        self.only_warning(whole, POTENTIAL)
        part = self.run_case(FAR_DOWN, checkpoint_every=2, **{**case, "time_end": 2})
        process = self.execute([self.folder / f"case_{self._runs}.yaml", "-time_end", "4",
                                "-output_dir", part.folder, "-restart", "auto"])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(part.yaml("summary.yaml")["time"], 4)
        self.assertEqual(part.yaml("summary.yaml")["cut_off_v_min"],
                         whole.yaml("summary.yaml")["cut_off_v_min"])
        self.assertEqual((part.folder / "series.csv").read_bytes(),
                         (whole.folder / "series.csv").read_bytes())


class TestWeights(DoubtsTestCase):
    """Weights that are held back at an end of their axis."""

    LEARNING = ("learning.yaml", "-model_noise", "1.5", "-time_end", "2", "-grid_w_cells", "64",
                "-output_series_interval", "0.1")
    INHIBITORY = ("inhibitory.yaml", "-time_end", "3", "-grid_w_cells", "48")

    def check(self, words, end, least, most):
        """The axis that is named holds nothing back; the first run, and that one."""
        result = self.run_file(*words)
        found = self.only_warning(result, WEIGHTS)
        self.assertEqual(found[0], end)
        share = result.yaml("summary.yaml")[f"cut_off_w_{end}"]
        self.assertAlmostEqual(float(found[2]) / (100.0 * share), 1.0, delta=0.06)
        self.assertGreater(share, least)
        self.assertLess(share, most)
        wider = self.run_file(*words, f"-grid_w_{end}", found[3], "-grid_w_cells", found[4])
        self.assertEqual(self.warnings_of(wider), [])
        self.assertLess(wider.yaml("summary.yaml")[f"cut_off_w_{end}"], 1e-4)
        return result, wider

    def share_at_the_end(self, result, cells):
        """Of the neurons in these cells, in the last state."""
        fields = result.fields()
        content = fields["w_quadrature"] * fields["weight_density"][-1]
        return content[cells].sum() / content.sum()

    def test_more_noise(self):
        """A point of a sweep: the front comes to stand beyond w_max."""
        result, wider = self.check(self.LEARNING, "max", 0.1, 0.2)
        share = result.yaml("summary.yaml")["cut_off_w_max"]
        self.assertGreaterEqual(share, self.share_at_the_end(result, slice(-2, None)) - 1e-6)
        rates = [run.yaml("summary.yaml")["total_rate"] for run in (result, wider)]
        self.assertLess(rates[0], rates[1] - 5e-3)

    def test_nearly_all(self):
        self.check((*self.LEARNING, "-model_noise", "1", "-grid_w_max", "0.4", "-grid_w_cells",
                    "26"), "max", 0.8, 0.9)

    def test_inhibitory(self):
        """The lower end."""
        self.check((*self.INHIBITORY, "-grid_w_min", "-1", "-grid_w_cells", "32"), "min", 0.2, 0.5)

    def test_decay_out_of_the_axis(self):
        """All weights decay towards zero, which is the end that is named; the same on two ranks."""
        case = {"model_learning": "0.01", "grid_w_min": 0.2, "grid_w_max": 1,
                "initial_density": "exp(-(w - 0.6)^2/0.005)*exp(-v^2/0.5)", "time_end": 2}
        result = self.run_case(case)
        found = self.only_warning(result, WEIGHTS)
        self.assertEqual((found[0], found[3], found[4]), ("min", "0", "25"))
        summaries = [run.yaml("summary.yaml") for run in (result, self.run_case(case, ranks=2))]
        for name in ("cut_off_v_min", "cut_off_w_min", "cut_off_w_max", "warnings"):
            self.assertEqual(summaries[0][name], summaries[1][name], name)
        wider = self.run_case(case, grid_w_min=0, grid_w_cells=25)
        self.assertEqual(self.warnings_of(wider), [])

    def test_initial_density(self):
        """The part of a Gaussian beyond an end, of which erf knows the share."""
        case = {"initial_density": "exp(-(w - 0.9)^2/0.02)*exp(-v^2/0.5)", "grid_w_cells": 100}
        for plasticity in (True, False):
            dry = self.run_case(case, extra=["-dry_run"], model_plasticity=plasticity)
            found = self.only_warning(dry, WEIGHTS, whole=False)
            self.assertIn(" at t = 0; ", dry.stderr)
            self.assertAlmostEqual(float(found[2]), 50.0 * math.erfc(0.1 / math.sqrt(0.02)),
                                   delta=0.5)
            wider = self.run_case(case, model_plasticity=plasticity, grid_w_max=found[3],
                                  grid_w_cells=found[4])
            self.assertEqual(self.warnings_of(wider), [])

    def test_ends_that_cut_nothing_off(self):
        """Weights spread evenly, weights of one sign down to zero, and a density with an edge."""
        for changes in ({"initial_density": "exp(-v^2/0.5)", "model_plasticity": False},
                        {"initial_density": "exp(-v^2/0.5)", "model_learning": "0"},
                        {"initial_density": "exp(-w^2/0.1)*exp(-v^2/0.5)"},
                        {"initial_density": "exp(-w^2/0.1)*exp(-v^2/0.5)", "grid_w_min": -1,
                         "grid_w_max": 0, "model_learning": "-1"},
                        {"initial_density": "(w > 0.5 ? 0.2 + w : 0)*exp(-v^2/0.5)",
                         "model_plasticity": False}):
            with self.subTest(changes=changes):
                result = self.run_case(changes)
                self.assertEqual(self.warnings_of(result), [])


class TestNotices(DoubtsTestCase):
    """What steps and grid pass over."""

    def test_bump_that_the_grid_does_not_see(self):
        """Half of the mass lies between two nodes, or on one of them."""
        wide = "exp(-(v + 1)^2/0.5)"
        for density, axis in ((f"{wide} + 20*exp(-(v - 0.025)^2/0.0004)", "v"),
                              (f"{wide} + 20*exp(-v^2/0.0004)", "v"),
                              ("exp(-(v + 1)^2/0.00001)", "v"),
                              (f"{wide}*exp(-(w - 0.325)^2/0.0001)", "w"),
                              (f"{wide}*(exp(-(w - 0.3)^2/0.02) + 30*exp(-(w - 0.7)^2/0.00001))",
                               "w")):
            with self.subTest(density=density):
                case = {"initial_density": density, "time_end": 0.01}
                result = self.run_case(case)
                text = rf"has parts narrower than the cells of {axis}.* -grid_{axis}_cells (\d+) "
                cells, = self.only_warning(result, text + "would see them")
                dry = self.run_case(case, extra=["-dry_run"])
                self.only_warning(dry, text, whole=False)
                finer = self.run_case({**case, f"grid_{axis}_cells": cells})
                self.assertEqual(self.warnings_of(finer), [])

    def test_densities_that_the_grid_sees(self):
        for density in ("1", "exp(-(w - 0.3)^2/0.02)", "w < 0.5 ? 1 : 0",
                        "exp(-(v + 1)^2/0.02)", "v > -1 && v < 1.5 ? w : 0"):
            with self.subTest(density=density):
                result = self.run_case(initial_density=density, time_end=0.01)
                self.assertEqual([text for text in self.warnings_of(result)
                                  if "narrower" in text], [])

    def test_lagged_coupling_that_jumps(self):
        """For ever, or dying out; the implicit coupling stays."""
        words = ("-time_scheme", "euler", "-time_step", "0.01", "-time_start", "plain")
        result = self.run_file("strong_inhibition.yaml", *words, "-coupling", "lagged")
        low, high = self.only_warning(
            result, r"-coupling lagged: Nbar jumps from (\S+) to (\S+) and back from step to step",
            among="lagged")
        self.assertEqual(sorted(f"{float(rate):.2g}" for rate in (low, high)), ["2.8", "9.4e-08"])
        for more in (("-coupling", "implicit"), ("-coupling", "lagged", "-grid_w_min", "-0.5",
                                                 "-grid_w_max", "-0.5")):
            found = self.warnings_of(self.run_file("strong_inhibition.yaml", *words, *more))
            self.assertEqual([text for text in found if "lagged" in text], [])

    def test_delay_shorter_than_a_step(self):
        text = r"-model_delay (\S+): is (\S+) in learning time, shorter than a step of -time_step"
        short = self.run_case(model_delay=0.05)
        self.assertEqual(self.only_warning(short, text), ("0.05", "0.005"))
        phases = {"protocol_phases": "a,b", "phase_a_duration": 0.05, "phase_b_duration": 0.05,
                  "phase_b_epsilon": 0.01, "time_end": None}
        self.only_warning(self.run_case(model_delay=0.5, **phases), text)
        for changes in ({"model_delay": 0.1}, {"model_delay": 0.05, "time_step": 0.005},
                        {"model_delay": 0.05, "time_step": None}):
            self.assertEqual(self.warnings_of(self.run_case(changes)), [])


if __name__ == "__main__":
    main()
