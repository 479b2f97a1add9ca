"""Options that do not go together, and noises that turn negative on the way."""

import math

from engram_test import PLAIN_EULER, EngramTestCase, main

# The NNLIF network with one weight: b = 1.5 has two quasi-static states, b = 3 none.
SINGLE = {
    "model_epsilon": 1, "model_response": "N", "model_input": "0", "model_plasticity": "false",
    "initial_density": "exp(-(v + 1)^2/0.5)", "grid_w_min": 1.5, "grid_w_max": 1.5,
    "grid_w_cells": 1, "time_end": 1,
}

# Bounds of adaptive steps, and those of the steps that come of them but for the last two, which are
# cut to the end. A -time_step that lies outside only bounds the first one.
STEP_BOUNDS = [
    ({"time_step_max": 0.001}, (0, 0.001)),
    ({"time_step_min": 0.001, "time_step_max": 0.005}, (0.001, 0.005)),
    ({"time_step_min": 0.02, "time_step_max": 0.02}, (0.02, 0.02)),
    ({"time_step_min": 0.02}, (0.02, 1)),
    ({"time_step": 1e-6}, (0, 1)),
    ({"time_step": None, "time_step_max": 0.002}, (0, 0.002)),
]

# A contradiction of each kind; unit.test_contradictions tries all in one process.
CONTRADICTIONS = [
    ({"coupling": "explicit"}, ["-coupling explicit: must be lagged or implicit or auto"]),
    ({"transport_order": 3}, ["-transport_order 3: must be auto or 1 or 2 or 5"]),
    ({"time_adaptive": True, "time_step_min": 0.5, "time_step_max": 0.1},
     ["-time_step_min 0.5: must not be longer than -time_step_max 0.1"]),
    ({"time_adaptive": True, "output_fields_every": 1e-19},
     ["-output_fields_every 1e-19: adaptive steps end at every output", "at least 1e-10"]),
    ({"coupling": "lagged"}, ["-coupling lagged: its error is of second order at best"]),
    ({"model_epsilon": 0, "slice_pc_type": "lu"}, ["-slice_", "-model_epsilon 0 has no linear"]),
    ({"model_epsilon": 0, "model_delay": 1}, ["-model_delay 1: ", "-model_epsilon 0 makes"]),
    ({"transport_order": 5, "transport_time": "implicit"},
     ["-transport_order 5: needs -transport_time explicit"]),
    ({"model_noise": "N - 1"}, ['-model_noise "N - 1": is -1 at Nbar = 0']),
]

# A noise that is good at rest, and an input under which the rate soon takes it below zero.
FALLING_NOISE = {"model_noise": "0.1 - N", "model_input": "3"}


class CombinationTestCase(EngramTestCase):
    """Ways to run combinations that are refused, or go."""

    def refuse(self, fragments, ranks=0, words=(), **changes):
        """One message with these words, exit code 2, and nothing written."""
        case = self.write_case(**changes)
        process = self.execute([case, "-output_dir", "output", *words], ranks=ranks)
        text = process.stdout + process.stderr
        self.assertEqual(process.returncode, 2, text)
        messages = [line for line in process.stderr.splitlines() if line.startswith("engram:")]
        self.assertEqual(len(messages), 1, text)
        self.assertTrue(messages[0].startswith("engram: error: "), text)
        for fragment in fragments:
            self.assertIn(fragment, messages[0])
        self.assertNotIn("PETSC ERROR", text)
        self.assertFalse((self.folder / "output").exists())

    def refuse_once(self, fragments, **changes):
        """Refused on one rank and on two, with one message each time."""
        for ranks in (0, 2):
            with self.subTest(ranks=ranks, changes=changes):
                self.refuse(fragments, ranks=ranks, **changes)

    def warnings_of(self, result):
        """The lines of a run that warn."""
        return [line for line in result.stderr.splitlines() if "engram: warning: " in line]


class RefusedTest(CombinationTestCase):
    """Options that contradict each other, and those that do not."""

    def test_contradictions(self):
        for changes, fragments in CONTRADICTIONS:
            self.refuse_once(fragments, **changes)

    def test_bounds_of_adaptive_steps(self):
        for changes, (shortest, longest) in STEP_BOUNDS:
            with self.subTest(changes=changes):
                result = self.run_case(**{"time_adaptive": True, **changes})
                lengths = result.series()["dt"][1:]
                self.assertGreaterEqual(min(lengths[:-2], default=1), shortest * (1 - 1e-9))
                self.assertLessEqual(max(lengths), longest * (1 + 1e-9))
                self.assertLessEqual(lengths[0], max(changes.get("time_step") or 1, shortest))
                self.assertEqual(result.series()["time"][-1], 0.1)

    def test_short_delay_in_fixed_steps(self):
        """Adaptive steps cannot follow it, fixed ones can."""
        short = {"model_delay": 0.3, "model_epsilon": 1e-12}
        self.refuse(["-model_delay 0.3: adaptive steps are at most a quarter of eps d, here "
                     "7.5e-14 for a run to t = 0.1", "fixed steps"], time_step=None, **short)
        self.assertEqual(self.run_case(**short).yaml("summary.yaml")["status"], "done")

    def test_second_order_with_one_cell_on_a_rank(self):
        for cells, ranks, most in ((3, 2, 1), (2, 2, 1), (5, 3, 2)):
            with self.subTest(cells=cells, ranks=ranks):
                words = f"start at most {most} rank"
                self.refuse(["-transport_order 2: needs 2 cells of w on every rank", words,
                             "-transport_time implicit"],
                            ranks=ranks, transport_order=2, grid_w_cells=cells)

    def test_fifth_order_with_few_cells(self):
        for cells, ranks, most in ((20, 5, 4), (13, 3, 2)):
            with self.subTest(cells=cells, ranks=ranks):
                self.refuse(["-transport_order 5: needs 5 cells of w on every rank",
                             f"start at most {most} rank", "-transport_order 2"],
                            ranks=ranks, transport_order=5, grid_w_cells=cells)
        self.run_case(transport_order=5, grid_w_cells=8)
        self.run_case(transport_order=5, grid_w_cells=1, grid_w_max=0, model_plasticity=False)

    def test_the_order_that_auto_takes(self):
        for order, changes in (("5", {}), ("5", {"grid_w_cells": 12}), ("2", {"grid_w_cells": 11}),
                               ("2", {"transport_time": "implicit"}),
                               ("1", {"time_scheme": "euler"}), ("2", {"transport_order": 2})):
            with self.subTest(changes=changes):
                text = (self.run_case(**changes).folder / "case.yaml").read_text("utf-8")
                self.assertRegex(text, rf"order: .?{order}\b")

    def test_second_order_where_it_goes(self):
        for ranks, changes in ((2, {"grid_w_cells": 4}), (0, {"grid_w_cells": 1}),
                               (0, {"grid_w_cells": 2}),
                               (2, {"grid_w_cells": 3, "transport_time": "implicit"}),
                               (2, {"grid_w_cells": 3, "model_plasticity": "false"})):
            with self.subTest(ranks=ranks, changes=changes):
                result = self.run_case(ranks=ranks, transport_order=2, **changes)
                self.assertEqual(result.yaml("summary.yaml")["status"], "done")

    def test_options_that_need_another_one_are_warned_of(self):
        adaptive = "adaptive steps (leave -time_step out)"
        for option, value, needed in (("time_step_min", "0.1", adaptive),
                                      ("time_step_max", "0.001", adaptive),
                                      ("time_tolerance", "0.001", adaptive),
                                      ("coupling_scan", "5", "-coupling implicit"),
                                      ("coupling_iterations", "5", "-coupling implicit")):
            with self.subTest(option=option):
                result = self.run_case(PLAIN_EULER, **{option: value})
                self.assertEqual(result.yaml("summary.yaml")["steps"], 10)
                warnings = self.warnings_of(result)
                self.assertEqual(len(warnings), 1, result.stderr)
                self.assertIn(f"-{option} does nothing without {needed}", warnings[0])


class NoiseTest(CombinationTestCase):
    """Noises a(N) that are not positive."""

    def test_rate_has_two_names(self):
        """The same bits under both."""
        runs = [self.run_case(model_noise=f"0.5 + 0.1*{name}", model_response=f"{name}/(1 + {name})")
                for name in ("N", "Nbar")]
        self.assertEqual(*[(run.folder / "series.csv").read_bytes() for run in runs])

    def check_stopped(self, result):
        """Stopped for the noise, with good results up to there."""
        series, summary = result.series(), result.yaml("summary.yaml")
        layers = [text for text in self.warnings_of(result) if "the layer at V_F" in text]
        warnings = [text for text in self.warnings_of(result) if text not in layers]
        self.assertEqual(len(warnings), 1, result.stderr)
        self.assertIn("noise", warnings[0])
        self.assertLessEqual(len(layers), 1, result.stderr)
        self.assertEqual(summary["status"], "stopped")
        self.assertIn("noise", summary["reason"])
        self.assertGreater(series["total_rate"][-1], 0.05)
        self.assertGreater(series["time"][-1], 0.03)
        for name, values in series.items():
            self.assertTrue(all(map(math.isfinite, values)), name)
        self.assertLess(max(map(abs, series["mass_error"])), 1e-12)
        self.assertGreaterEqual(min(series["min_density"]), 0.0)

    def test_turns_negative_on_the_way(self):
        for ranks, changes in ((0, {}), (2, {}), (0, {"time_step": None}), (0, PLAIN_EULER),
                               (0, {"time_scheme": "second-order", "coupling": "lagged"}),
                               (0, {"transport_time": "implicit"}),
                               (0, {**PLAIN_EULER, "coupling": "implicit"})):
            with self.subTest(ranks=ranks, changes=changes):
                self.check_stopped(self.run_case(FALLING_NOISE, ranks=ranks, expect=3, **changes))

    def test_layer_thinner_than_half_a_cell(self):
        """A warning with the weight and the cells that it takes, on any ranks; none else."""
        thin = {"model_input": "20*w", "model_noise": "0.1", "time_end": 0.001}
        texts = set()
        for ranks in (0, 2):
            result = self.run_case({}, ranks=ranks, expect=0, **thin)
            self.assertEqual(len(self.warnings_of(result)), 1, result.stderr)
            texts.add(self.warnings_of(result)[0])
        self.assertEqual(len(texts), 1)
        self.assertRegex(texts.pop(), r"-grid_v_cells 60: the layer at V_F .* weight 0\.\d+ fire "
                         r".* is 1\d\.\d, above 2; .* About \d+ cells")
        self.assertEqual(self.warnings_of(self.run_case({}, expect=0, time_end=0.001)), [])

    def test_leaves_no_quasi_static_state(self):
        self.refuse_once(["no quasi-static state", "noise"], model_epsilon=0, **FALLING_NOISE)

    def test_stays_positive(self):
        result = self.run_case(model_noise="1/(1 + N)", model_input="3")
        self.assertEqual(result.yaml("summary.yaml")["status"], "done")
        self.assertGreater(result.series()["total_rate"][-1], 0.2)


class QuasiStaticStartTest(CombinationTestCase):
    """Starts that have no quasi-static state, or several."""

    def test_none(self):
        for changes in ({"model_epsilon": 0}, {"initial_quasi_static": True},
                        {"model_epsilon": 0, "coupling": "implicit"},
                        {"model_epsilon": 0, "initial_rate": 5}):
            with self.subTest(changes=changes):
                self.refuse(["no quasi-static state", "-blowup_rate 10000"],
                            **{**SINGLE, "grid_w_min": 3, "grid_w_max": 3, **changes})

    def test_rates_that_are_only_tried_end_nothing(self):
        """A search far beyond all rates passes where the sums overflow; the run goes on."""
        weak = {**SINGLE, "grid_w_min": 0.5, "grid_w_max": 0.5}
        for changes in ({}, PLAIN_EULER, {**PLAIN_EULER, "coupling": "implicit"}):
            result = self.run_case({**weak, "model_epsilon": 0, "blowup_rate": 1e300, **changes})
            summary = result.yaml("summary.yaml")
            self.assertEqual(summary["status"], "done")
            self.assertNotIn("blowup_time", summary)
            self.assertGreater(summary["steps"], 1)

    def test_none_is_said_once(self):
        self.refuse_once(["no quasi-static state"], model_epsilon=0, model_response="40*N",
                         model_input="5")

    def start(self, **changes):
        """The first total rate of a run from a quasi-static state, and its warnings."""
        result = self.run_case({**SINGLE, "time_end": 0.01, **changes})
        return result.series()["total_rate"][0], self.warnings_of(result)

    def test_several_are_warned_of(self):
        for changes in ({"model_epsilon": 0}, {"initial_quasi_static": True}):
            with self.subTest(changes=changes):
                rate, warnings = self.start(**changes)
                self.assertAlmostEqual(rate, 0.192, delta=1e-3)
                self.assertEqual(len(warnings), 1)
                for fragment in ("2 quasi-static states", "0.19236", "2.2891",
                                 "the nearest to -initial_rate 0"):
                    self.assertIn(fragment, warnings[0])

    def test_initial_rate_picks(self):
        for wanted, taken in ((0.1, 0.192), (1.2, 0.192), (1.3, 2.29), (100, 2.29)):
            with self.subTest(wanted=wanted):
                rate, warnings = self.start(model_epsilon=0, initial_rate=wanted)
                self.assertAlmostEqual(rate, taken, delta=0.01)
                self.assertIn(f"the nearest to -initial_rate {wanted:g}", warnings[0])

    def test_one_is_not_worth_a_warning(self):
        rate, warnings = self.start(model_epsilon=0, grid_w_min=0.5, grid_w_max=0.5)
        self.assertAlmostEqual(rate, 0.1348, delta=1e-3)
        self.assertEqual(warnings, [])

    def test_one_warning_on_two_ranks(self):
        result = self.run_case(ranks=2, model_epsilon=0, model_response="5*N", model_input="0",
                               time_end=0.01)
        self.assertEqual(len(self.warnings_of(result)), 1, result.stderr)

    def test_ordinary_starts_are_not_warned_of(self):
        rate, warnings = self.start()
        self.assertLess(rate, 1e-6)
        self.assertEqual(warnings, [])


class ToleranceTest(CombinationTestCase):
    """Adaptive runs that cannot be done, and extremes that can."""

    def test_tolerance_out_of_reach(self):
        """The shortest steps are taken all the same; how many is told once, at the end."""
        for ranks in (0, 2):
            result = self.run_case(ranks=ranks, time_adaptive=True, time_tolerance="1e-30")
            warnings, summary = self.warnings_of(result), result.yaml("summary.yaml")
            self.assertEqual(len(warnings), 1, result.stderr)
            count = summary["steps_above_tolerance"]
            self.assertIn(f"{count} of {summary['steps']} adaptive steps were as short as they may "
                          "be (-time_step_min) and still above -time_tolerance 1e-30", warnings[0])
            self.assertEqual(count, summary["steps"])
            self.assertEqual(summary["status"], "done")
            self.assertEqual(result.series()["time"][-1], 0.1)

    def test_shortest_step_above_its_tolerance(self):
        """Where -time_step_min is what keeps steps from their tolerance, that is counted."""
        free = self.run_case(time_step=None).yaml("summary.yaml")
        self.assertEqual(free["steps_above_tolerance"], 0)
        bound = self.run_case(time_step=None, time_step_min=0.004)
        warnings, summary = self.warnings_of(bound), bound.yaml("summary.yaml")
        self.assertEqual(len(warnings), 1, bound.stderr)
        self.assertTrue(0 < summary["steps_above_tolerance"] <= summary["steps"], summary)

    def test_blow_up_is_told_where_there_is_no_solution(self):
        """Not one tolerance, but the scalar equation has none: b = 3 has no way on."""
        result = self.run_case({**SINGLE, "grid_w_min": 3, "grid_w_max": 3, "time_end": 10,
                                "time_step": None}, expect=3)
        summary = result.yaml("summary.yaml")
        self.assertEqual(summary["status"], "stopped")
        self.assertIn("blow-up", summary["reason"])
        self.assertEqual(summary["blowup_time"], result.series()["time"][-1])

    def test_everything_on(self):
        """The options of this version together, on one rank and on two."""
        everything = {"model_noise": "1 + 0.1*N", "model_delay": 0.02, "model_refractory": 0.1,
                      "model_flux": "harmonic", "initial_quasi_static": True, "initial_rate": 0.2,
                      "time_adaptive": True, "time_step": 0.001, "time_start": "graded",
                      "transport_order": 2, "coupling": "implicit", "coupling_scan": 5,
                      "output_series_interval": 0.01}
        for transport in ("explicit", "implicit"):
            texts = []
            for ranks in (0, 2):
                result = self.run_case(everything, ranks=ranks, transport_time=transport)
                self.assertEqual(result.yaml("summary.yaml")["status"], "done")
                texts.append((result.folder / "series.csv").read_bytes())
            self.assertEqual(texts[0], texts[1])

    def test_coupling_with_nothing_left_to_choose(self):
        """Two evaluations at most, and tolerances far out: slower or coarser, but no failure."""
        for changes in ({"coupling_iterations": 2},
                        {"coupling_tolerance": "1e-300", "time_start": "plain"},
                        {"coupling_tolerance": "1e300"},
                        {"coupling_scan": 1, "time_start": "plain"}):
            with self.subTest(changes=changes):
                result = self.run_case(**changes)
                self.assertAlmostEqual(result.series()["total_rate"][-1], 0.286327, delta=5e-5)
                result = self.run_case(PLAIN_EULER, **{"coupling": "implicit", **changes})
                self.assertAlmostEqual(result.series()["total_rate"][-1], 0.2702, delta=1e-3)


if __name__ == "__main__":
    main()
