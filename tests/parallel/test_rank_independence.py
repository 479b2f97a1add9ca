"""The bits of series.csv and of every dataset of fields.h5 do not depend on the number of ranks."""

import csv
import math

import numpy

from engram_test import IS_SANITIZED, PLAIN_EULER, EngramTestCase, main

# All of them for learning; a different few for other cases and for the many combinations of options.
# Sanitizers look for other errors than different bits: for them each kind of run is made once.
ALL_RANKS = (1, 2, 3, 5, 8)
RANKS = (1, 3, 8)
FEW_RANKS = (1, 2, 5)
SANITIZED_RANKS = 3

# 53 is prime, so that ranks have different shares; 64 has aligned shares on some counts.
WEIGHT_CELLS = [53, 64]

# Learning that is as hard on the order of sums as it gets: weights and K(w) of both signs, an input
# that changes with time, and steps beyond the limit of the transport.
LEARNING = {
    **PLAIN_EULER,
    "model_input": "2 + sin(9*t) + 0.3*w",
    "model_response": "N/(1 + N)",
    "model_learning": "8*cos(4*w)",
    "initial_density": "(1 + w^2)*exp(-(v - 0.4)^2/0.3)",
    "grid_v_cells": 60,
    "grid_w_min": -1,
    "grid_w_max": 1,
    "time_end": 0.4,
    "time_step": 0.1,
    "output_fields_every": 0.2,
}

# Every option of the scheme and of the model family at once.
EVERYTHING = {
    **LEARNING,
    "model_epsilon": 0.05,
    "model_flux": "harmonic",
    "model_noise": "0.5 + 0.2*N",
    "model_delay": 0.1,
    "model_refractory": 0.4,
    "initial_rate": 0.2,
    "coupling": "implicit",
    "coupling_scan": 10,
    "time_scheme": "second-order",
    "time_adaptive": True,
    "time_step": 0.02,
    "time_tolerance": 1e-2,
    "grid_w_cells": 53,
    "output_fields_every": 0.1,
}

# The limit model has neither a delay nor the time scale that belongs to it.
LIMIT = {**EVERYTHING, "model_epsilon": 0, "model_delay": 0}

# The defaults of the program, and what makes its steps begin anew: comparisons of which only samples
# tell, a jump that is no comparison, echoes of a delay, and a phase that begins with a reset.
JUMPS = {
    "model_epsilon": 0.05,
    "model_input": "(sin(20*t) > 0.3 ? 2 : 1) + 0.2*rint(9*t) + 0.3*w",
    "model_response": "N/(1 + N)",
    "model_learning": "8*cos(4*w)",
    "model_delay": 0.1,
    "model_refractory": 0.4,
    "initial_density": "(1 + w^2)*exp(-(v - 0.4)^2/0.3)",
    "initial_rate": 0.2,
    "grid_v_cells": 60,
    "grid_w_min": -1,
    "grid_w_max": 1,
    "grid_w_cells": 53,
    "time_end": None,
    "protocol_phases": "learn,test",
    "phase_learn_duration": 0.1,
    "phase_test_duration": 0.06,
    "phase_test_initial": "reset",
    "output_fields_every": 0.04,
}

# Rough data in a part of the slices: as long as dt/eps is below h^2/(6 a) these are solved twice.
ROUGH = {
    **EVERYTHING,
    "model_flux": "scharfetter-gummel",
    "initial_density": "w > 0.4 ? 9*(abs(v - 1.6) < 0.01 ? 1 : 0) + exp(-((v - 0.3)/0.001)^2) :"
                       " (w < -0.5 ? (v < 0.35 ? 1 : 0) : (1 + w^2)*exp(-(v - 0.4)^2/0.3))",
    "time_step": 1e-5,
    "time_end": 0.02,
    "output_fields_every": 0.005,
}

# 240 cells with little noise: the tabulated exponentials would overflow.
SMALL_NOISE = {**LEARNING, "model_noise": 0.001, "grid_v_cells": 240, "model_input": "4 + w"}


class RankIndependenceTest(EngramTestCase):
    """Runs one case on several numbers of ranks and compares all that it writes."""

    def run_on(self, ranks, case, expect=0):
        """All results of one run: the text of the series, and the fields."""
        result = self.run_case(case, ranks=ranks, expect=expect)
        self.assertEqual(result.yaml("summary.yaml")["ranks"], ranks)
        text = (result.folder / "series.csv").read_bytes()
        return text, result.fields(), result

    def compare(self, case, rank_counts=RANKS, expect=0):
        """Runs a case on all rank counts. @return the results on the first one"""
        if IS_SANITIZED:
            rank_counts = (min(SANITIZED_RANKS, rank_counts[-1]),)
        text, fields, first = self.run_on(rank_counts[0], case, expect)
        for ranks in rank_counts[1:]:
            other_text, other_fields, other = self.run_on(ranks, case, expect)
            for table in first.folder.glob("*.csv"):
                self.assertEqual((other.folder / table.name).read_bytes(), table.read_bytes(),
                                 (table.name, ranks))
            with self.subTest(ranks=ranks, w_cells=case["grid_w_cells"]):
                self.assertEqual(other_text, text)
                self.assertEqual(sorted(other_fields), sorted(fields))
                for name, values in fields.items():
                    self.assertEqual(other_fields[name].shape, values.shape, name)
                    self.assertEqual(other_fields[name].tobytes(), values.tobytes(), name)
        return first, fields

    def check_activity(self, result, fields):
        """The case is worth comparing: neurons fire, the state changes and stays finite."""
        rows = list(csv.reader((result.folder / "series.csv").read_text("ascii").splitlines()))
        self.assertEqual([row[0] for row in rows[1:]], ["0", "1", "2", "3", "4"])
        self.assertEqual(fields["density"].shape[0], 3)
        for name, values in fields.items():
            self.assertTrue(numpy.isfinite(values).all(), name)
        self.assertGreater(fields["total_rate"][-1], 0.01)
        self.assertGreater(numpy.ptp(fields["firing_rate"][-1]), 1e-3)
        change = numpy.abs(fields["density"][-1] - fields["density"][0]).max()
        self.assertGreater(change, 1e-2)

    def weight_change(self, fields):
        """Largest change of the weight distribution."""
        return numpy.abs(fields["weight_density"][-1] - fields["weight_density"][0]).max()

    def compare_learning(self, case, rank_counts=RANKS):
        """Compares a case in which the weights must move by divided steps."""
        result, fields = self.compare(case, rank_counts)
        self.check_activity(result, fields)
        self.assertGreater(self.weight_change(fields), 1e-2)
        summary = result.yaml("summary.yaml")
        self.assertGreater(summary["transport_substeps"], summary["steps"])

    def test_learning(self):
        for cells in WEIGHT_CELLS:
            self.compare_learning({**LEARNING, "grid_w_cells": cells}, ALL_RANKS)

    def test_tiny_epsilon(self):
        for cells in WEIGHT_CELLS:
            self.compare_learning({**LEARNING, "model_epsilon": 1e-10, "grid_w_cells": cells})

    def test_harmonic_flux(self):
        self.compare_learning({**LEARNING, "model_flux": "harmonic", "grid_w_cells": 53})

    def test_small_noise(self):
        for cells in WEIGHT_CELLS:
            self.compare_learning({**SMALL_NOISE, "grid_w_cells": cells})

    def test_long_columns(self):
        """More rows of a group than the second-level cache holds."""
        self.compare({**LEARNING, "grid_v_cells": 3600, "grid_w_cells": 53, "time_end": 0.2},
                     (1, 3, 8))

    def test_frozen_weights(self):
        for cells in WEIGHT_CELLS:
            case = {**LEARNING, "model_plasticity": False, "grid_w_cells": cells}
            result, fields = self.compare(case)
            self.check_activity(result, fields)
            self.assertLess(self.weight_change(fields), 1e-12)
            self.assertEqual(result.yaml("summary.yaml")["transport_substeps"], 0)

    def compare_everything(self, case):
        """Compares a case with all options; it learns, fires, and its steps are not all alike."""
        result, fields = self.compare(case, FEW_RANKS)
        self.assertEqual(fields["time"].tolist(), [k * 0.1 for k in range(5)])
        for name, values in fields.items():
            self.assertTrue(numpy.isfinite(values).all(), name)
        self.assertGreater(fields["refractory"][-1].max(), 1e-3)
        self.assertGreater(self.weight_change(fields), 1e-2)
        series = result.series()
        self.assertGreater(series["total_rate"][-1], 0.01)
        # Adaptive steps are shorter than a delay, and then know all that they are coupled to.
        iterates = max(series["coupling_iterations"]) > 1
        self.assertEqual(iterates, case["model_delay"] == 0)
        self.assertGreater(len(set(series["dt"])), 3)

    def test_everything(self):
        """All options on, for each transport and order, and in the limit model."""
        for case in (EVERYTHING, LIMIT):
            for transport in ("explicit", "implicit"):
                for order in (1, 2, 5) if transport == "explicit" else (1, 2):
                    delay = case["model_delay"] if order == 1 else 0
                    with self.subTest(epsilon=case["model_epsilon"], transport=transport,
                                      order=order, delay=delay):
                        self.compare_everything({**case, "transport_time": transport,
                                                 "transport_order": order, "model_delay": delay})

    def test_rough_data(self):
        """Some slices solved twice, in adaptive and in fixed steps, with all options on."""
        for steps in ({}, {"time_scheme": "third-order", "time_adaptive": False, "time_step": 2.5e-5,
                           "time_end": 1e-4, "output_fields_every": 2.5e-5, "transport_order": 5}):
            case = {**ROUGH, **steps}
            result, fields = self.compare(case)
            series = result.series()
            spacing = 6.0 / case["grid_v_cells"]
            first = series["dt"][1] / case["model_epsilon"]
            largest_noise = 0.5 + 0.2 * max(series["total_rate"])
            self.assertLess(first, 0.5 * spacing**2 / (6.0 * largest_noise))
            self.assertGreater(self.weight_change(fields), 1e-5)
            self.assertGreaterEqual(fields["density"].min(), 0.0)

    def test_fifth_order_on_few_cells_a_rank(self):
        """Five cells a rank are the fewest: each end of the axis has its own four in them."""
        for cells, ranks in ((40, (1, 8)), (15, (1, 3)), (12, (1, 2))):
            case = {**JUMPS, "grid_w_cells": cells, "transport_order": 5}
            _, fields = self.compare(case, ranks)
            self.assertGreater(self.weight_change(fields), 1e-2)

    def test_delay_within_a_step(self):
        """Fixed extrapolated steps, a delay shorter than one, second-order transport."""
        for transport in ("explicit", "implicit"):
            self.compare({**EVERYTHING, "time_adaptive": False, "model_delay": 0.1,
                          "transport_time": transport, "transport_order": 2}, FEW_RANKS)

    def test_lagged_extrapolated(self):
        self.compare({**EVERYTHING, "coupling": "lagged", "time_adaptive": False, "model_delay": 0,
                      "transport_order": 2}, FEW_RANKS)

    def test_jumps_in_graded_steps(self):
        """The default scheme in fixed steps, whose parts begin anew after every jump."""
        for transport in ("explicit", "implicit"):
            result, _ = self.compare({**JUMPS, "time_step": 0.04, "transport_time": transport})
            summary = result.yaml("summary.yaml")
            self.assertEqual(summary["steps"], 5)
            self.assertGreater(summary["parts_of_steps"], 200)

    def test_jumps_in_adaptive_steps(self):
        """The defaults: adaptive steps, which end at every jump."""
        for transport in ("explicit", "implicit"):
            result, fields = self.compare({**JUMPS, "transport_time": transport, "time_step": None})
            times = result.series()["time"]
            echoes = [0.05 * 0.1 * number for number in range(4)]
            jumps = [math.asin(0.3) / 20, (math.pi - math.asin(0.3)) / 20, 0.5 / 9, 0.1]
            for jump in jumps:
                for echo in echoes:
                    nearest = min(abs(time - jump - echo) for time in times)
                    self.assertLess(nearest, 1e-13, (jump, echo))
            self.assertGreater(self.weight_change(fields), 1e-2)

    def test_long_explicit_steps(self):
        """Thousands of sub-steps, after which round-off is taken out on the way."""
        result, _ = self.compare({**EVERYTHING, "time_adaptive": False, "time_step": 5,
                                  "time_end": 5, "output_fields_every": 0, "model_delay": 0,
                                  "transport_order": 2, "time_start": "plain"}, FEW_RANKS)
        self.assertGreater(result.yaml("summary.yaml")["transport_substeps"], 3000)

    def test_blow_up(self):
        """The end of a run that blows up, in adaptive steps."""
        case = {**EVERYTHING, "model_refractory": 0, "model_delay": 0, "model_response": "N",
                "model_plasticity": False, "grid_w_min": 2, "grid_w_max": 4}
        result, fields = self.compare(case, FEW_RANKS, expect=3)
        self.assertEqual(fields["time"][-1], result.yaml("summary.yaml")["blowup_time"])

    def test_steady_states(self):
        """Tables of steady states and folds, and the learned steady state."""
        frozen = {**EVERYTHING, "steady": True, "model_plasticity": False, "model_input": "0.2*w",
                  "model_flux": "scharfetter-gummel", "model_response": "3*N",
                  "steady_sweep": "model_refractory:0.01:0.5:5"}
        result, _ = self.compare(frozen)
        self.assertIn("bifurcation.csv", [path.name for path in result.folder.glob("*.csv")])
        learned = {**LIMIT, "steady": True, "model_input": "1", "model_learning": "1",
                   "model_noise": "1", "model_refractory": 0, "grid_w_min": 0,
                   "transport_order": 2, "time_step": 0.01, "time_end": 40,
                   "coupling_scan": 0, "output_fields_every": 0}
        result, _ = self.compare(learned, FEW_RANKS)
        self.assertEqual(result.yaml("summary.yaml")["steady_states"], 1)


if __name__ == "__main__":
    main()
