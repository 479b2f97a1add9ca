"""The bits of series.csv and of every dataset of fields.h5 do not depend on the number of ranks."""

import csv

import numpy

from engram_test import EngramTestCase, main

RANKS = [1, 2, 3, 5, 8]

# 53 is prime, so that ranks have different shares; 64 has aligned shares on some counts.
WEIGHT_CELLS = [53, 64]

# Learning that is as hard on the order of sums as it gets: weights and K(w) of both signs, an input
# that changes with time, and steps beyond the limit of the transport.
LEARNING = {
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

# 240 cells with little noise: the tabulated exponentials would overflow.
SMALL_NOISE = {**LEARNING, "model_noise": 0.001, "grid_v_cells": 240, "model_input": "4 + w"}


class RankIndependenceTest(EngramTestCase):
    """Runs one case on several numbers of ranks and compares all that it writes."""

    def run_on(self, ranks, case):
        """All results of one run: the text of the series, and the fields."""
        result = self.run_case(case, ranks=ranks)
        self.assertEqual(result.yaml("summary.yaml")["ranks"], ranks)
        text = (result.folder / "series.csv").read_bytes()
        return text, result.fields(), result

    def compare(self, case):
        """Runs a case on all rank counts. @return the results on one rank"""
        text, fields, first = self.run_on(RANKS[0], case)
        for ranks in RANKS[1:]:
            other_text, other_fields, _ = self.run_on(ranks, case)
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

    def compare_learning(self, case):
        """Compares a case in which the weights must move by divided steps."""
        result, fields = self.compare(case)
        self.check_activity(result, fields)
        self.assertGreater(self.weight_change(fields), 1e-2)
        summary = result.yaml("summary.yaml")
        self.assertGreater(summary["transport_substeps"], summary["steps"])

    def test_learning(self):
        for cells in WEIGHT_CELLS:
            self.compare_learning({**LEARNING, "grid_w_cells": cells})

    def test_tiny_epsilon(self):
        for cells in WEIGHT_CELLS:
            self.compare_learning({**LEARNING, "model_epsilon": 1e-10, "grid_w_cells": cells})

    def test_harmonic_flux(self):
        self.compare_learning({**LEARNING, "model_flux": "harmonic", "grid_w_cells": 53})

    def test_small_noise(self):
        for cells in WEIGHT_CELLS:
            self.compare_learning({**SMALL_NOISE, "grid_w_cells": cells})

    def test_frozen_weights(self):
        for cells in WEIGHT_CELLS:
            case = {**LEARNING, "model_plasticity": False, "grid_w_cells": cells}
            result, fields = self.compare(case)
            self.check_activity(result, fields)
            self.assertLess(self.weight_change(fields), 1e-12)
            self.assertEqual(result.yaml("summary.yaml")["transport_substeps"], 0)


if __name__ == "__main__":
    main()
