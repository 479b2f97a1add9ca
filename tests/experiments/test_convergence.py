"""tools/convergence.py: observed orders, and errors against closed forms."""

from convergence_support import SINGLE, StudyTestCase
from engram_test import PLAIN_EULER, main

# A smooth transient: data and flux all but vanish at both ends of v and at those of w.
TRANSIENT = {"initial_density": "w^2*(1 - w)^2*exp(-(v + 1)^2/0.5)", "model_v_min": -7,
             "grid_v_cells": 36, "grid_w_cells": 20, "time_end": 0.1, "time_step": 0.002}
SECOND_ORDER = {"time_scheme": "extrapolated", "coupling": "implicit", "transport_order": 2}


class Orders(StudyTestCase):
    """What the scheme is known to do (docs/verification.md) comes out of the tool."""

    def check(self, names, expected, tolerance, last=1):
        """The last orders of the columns."""
        columns = self.columns()
        for name in names:
            for order in columns[f"{name}_order"][-last:]:
                self.assertAlmostEqual(float(order), expected, delta=tolerance, msg=name)

    def test_potential_fourth_order_in_both_norms(self):
        self.study("--vary", "v", "--levels", "4", **TRANSIENT, **PLAIN_EULER)
        self.check(["total_rate", "firing_rate_l1", "weight_density_l1", "density_l1",
                    "firing_rate_max", "weight_density_max"], 4.0, 0.3, last=2)
        # The content of the last node over h is its density to third order, with a small factor.
        self.check(["density_max"], 3.2, 0.6, last=2)
        for order in self.orders_below_the_last_node(2)[-2:]:
            self.assertAlmostEqual(order, 4.0, delta=0.3)
        self.assertEqual(self.columns()["v_cells"], ["36", "72", "144", "288"])
        self.assertEqual(set(self.columns()["w_cells"]), {"20"})

    def test_weights_first_order(self):
        self.study("--vary", "w", "--levels", "5", **TRANSIENT, **PLAIN_EULER)
        self.check(["firing_rate_l1", "weight_density_l1", "density_l1"], 1.0, 0.08, last=2)

    def test_weights_fifth_order(self):
        bump = {**TRANSIENT, "initial_density": "exp(-(w - 0.5)^2/0.02)*exp(-(v + 1)^2/0.5)",
                "model_learning": "0.5 - w", "grid_v_cells": 18, "grid_w_cells": 24}
        del bump["time_step"]
        self.study("--vary", "w", "--levels", "4", **bump, time_step=None, time_tolerance=1e-9)
        for name in ("firing_rate_l1", "weight_density_l1", "density_l1"):
            self.assertGreater(float(self.columns()[f"{name}_order"][-1]), 4.4, name)

    def test_time_first_order(self):
        self.study("--vary", "t", "--levels", "4", **TRANSIENT, **PLAIN_EULER)
        self.check(["total_rate", "firing_rate_l1", "weight_density_l1", "density_l1",
                    "firing_rate_max", "weight_density_max", "density_max"], 1.0, 0.06, last=2)
        columns = self.columns()
        self.assertEqual(columns["time_step"], ["0.002", "0.001", "0.0005", "0.00025"])
        # The extrapolation of a first-order sequence: the last error is the last difference.
        self.assertEqual(columns["density_l1_estimated_error"][-1],
                         columns["density_l1_difference"][-1])

    def test_all_at_second_order_on_two_ranks(self):
        self.study("--vary", "all", "--levels", "4", "--ranks", "2", **TRANSIENT, **SECOND_ORDER)
        self.check(["firing_rate_l1", "weight_density_l1", "density_l1"], 2.0, 0.2)
        # What a grid in w does to weights that are even about 1/2 cancels in the total rate.
        self.assertGreater(float(self.columns()["total_rate_order"][-1]), 1.8)
        text = (self.folder / "study" / "convergence.md").read_text(encoding="utf-8")
        self.assertIn("| 288 x 160 | 0.00025 | 400 |", text)
        peaks = [float(peak or 0.0) for peak in self.columns()["peak_memory_mebibytes"]]
        self.assertGreater(max(peaks), 40.0)
        self.assertLess(max(peaks), 1000.0)

    def test_factor_three(self):
        self.study("--vary", "v", "--levels", "3", "--refine", "3", **{**TRANSIENT, **PLAIN_EULER,
                                                                       "grid_v_cells": 27})
        self.check(["total_rate", "density_l1"], 4.0, 0.3)
        self.assertAlmostEqual(self.orders_below_the_last_node(3)[-1], 4.0, delta=0.3)
        self.assertEqual(self.columns()["v_cells"], ["27", "81", "243"])


class ClosedForms(StudyTestCase):
    """Errors against what is known exactly (docs/theory.md)."""

    def test_single_weight(self):
        self.study("--vary", "v", "--levels", "3", "--compare", "exact", **{
            **SINGLE, "model_v_min": -10, "grid_v_cells": 24, "time_end": 40})
        columns = self.columns()
        # Rates are of sixth order; the content of the last node over h is its density to third.
        for name, least in (("total_rate", 5.5), ("firing_rate_max", 5.5), ("density_l1", 3.9),
                            ("density_max", 2.9)):
            for order in columns[f"{name}_order"][1:]:
                self.assertGreater(float(order), least, msg=name)
        for rate, error in zip(columns["total_rate"], columns["total_rate_error"]):
            self.assertAlmostEqual(abs(float(rate) - 0.134775080), float(error), delta=2e-9)

    def test_uncoupled_neuron_is_a_single_weight_without_response(self):
        process = self.study("--vary", "v", "--levels", "2", "--compare", "exact", **{
            **SINGLE, "model_response": "0*N", "model_input": "1"})
        self.assertIn("closed form with Nbar = 0.477690275873", process.stdout)

    def test_learned_state(self):
        process = self.study("--vary", "w", "--levels", "4", "--compare", "exact", **{
            "model_epsilon": 0, "model_v_min": -5, "initial_density": "exp(-(w - 0.2)^2/0.005)",
            "grid_v_cells": 70, "grid_w_cells": 16, "time_end": 20, "time_step": 0.02,
            "transport_order": 1})
        self.assertIn("closed form with Nbar = 0.58438", process.stdout)
        columns = self.columns()
        for name in ("total_rate", "firing_rate_l1", "weight_density_l1", "density_l1"):
            self.assertAlmostEqual(float(columns[f"{name}_order"][-1]), 0.88, delta=0.15, msg=name)
        self.assertLess(float(columns["density_l1_error"][-1]), 0.08)

    def test_learned_state_at_fifth_order(self):
        self.study("--vary", "w", "--levels", "3", "--compare", "exact", **{
            "model_epsilon": 0, "model_v_min": -5, "initial_density": "exp(-(w - 0.2)^2/0.005)",
            "grid_v_cells": 70, "grid_w_cells": 32, "time_end": 12, "time_step": None})
        columns = self.columns()
        self.assertLess(float(columns["total_rate_error"][-1]), 3e-5)
        for name in ("firing_rate_l1", "weight_density_l1", "density_l1"):
            self.assertLess(float(columns[f"{name}_error"][-1]), 0.012, name)

    def test_short_runs_are_no_steady_states(self):
        process = self.study("--vary", "v", "--levels", "2", "--compare", "exact",
                             **{**SINGLE, "time_end": 1})
        self.assertRegex(process.stdout, r"note: the total rate still changes by \d\.\de-0\d of")

    def test_refusal(self):
        """Before anything is run or written, by the options of the case and by the defaults."""
        for changes, message in (
                ({"model_delay": 1},
                 "no closed form with model_delay: 1; use --compare richardson"),
                ({"model_drift": "v^2"}, r"no closed form with model_drift: v\^2"),
                ({"model_noise": "1 + 0*N"}, r"no closed form with model_noise: 1 \+ 0\*N"),
                ({"model_input": "1 + t"}, "model_input: "),
                ({"grid_w_max": 1}, "frozen weights have a closed form for a single weight only"),
                ({"grid_w_min": 3, "grid_w_max": 3}, "the network has no steady state"),
                ({"grid_w_min": None, "grid_w_max": None, "grid_w_cells": 16,
                  "model_plasticity": "yes", "model_input": "5"}, "no learned state ends")):
            with self.subTest(changes=changes):
                self.assert_refused(message, "--vary", "v", "--levels", "2", "--compare", "exact",
                                    **{**SINGLE, **changes})
                self.assertFalse((self.folder / "study").exists())


if __name__ == "__main__":
    main()
