"""Transport of fifth order in w: its order in whole runs, fronts, the learned state, and structure."""

import concurrent.futures
import math
import sys

import numpy
import yaml

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import exact  # noqa: E402
import weight_studies  # noqa: E402
import runner  # noqa: E402

# A box of weights that only decay: exactly a box at all times.
BOX = {
    "model_epsilon": 1,
    "model_input": "1",
    "model_learning": "0",
    "initial_density": "(w > 0.5 && w < 0.9 ? 1 : 0)*exp(-(v + 1)^2/0.5)",
    "grid_v_cells": 12,
    "grid_w_cells": 200,
    "time_end": 0.5,
    "output_fields_every": 0.05,
}

# All signs of K and w, an input that jumps in w and t, noise that rises with the rate, data that
# are far from at rest and jump in w: 10,000 steps.
STRESS = {
    "model_epsilon": 0.05,
    "model_noise": "0.3 + 0.2*N",
    "model_input": "(w > 0.3 ? 3 : -1) + (sin(9*t) > 0.3 ? 2 : 0)",
    "model_response": "N/(1 + N)",
    "model_learning": "(w < -0.4 ? -4 : 6)*cos(9*w)",
    "model_refractory": 0.1,
    "initial_density": "(abs(w) < 0.3 ? 1 : (w > 0.8 ? 5 : 0))*exp(-(v - 0.4)^2/0.3)",
    "grid_v_cells": 12,
    "grid_w_min": -1,
    "grid_w_max": 1,
    "grid_w_cells": 31,
    "transport_order": 5,
    "time_step": 0.001,
    "time_start": "plain",
    "time_end": 10,
    "output_fields_every": 0,
    "output_series_every": 1,
}


class Orders(engram_test.EngramTestCase):
    """Errors of N(w), H(w) and Nbar on grids of w that are refined to thirds."""

    def check(self, case, coarsest, lowest, largest):
        coarse, fine = weight_studies.errors(engram_test.PROGRAM, case, coarsest)
        for name, error in fine.items():
            with self.subTest(name=name):
                self.assertGreater(math.log(coarse[name] / error, 3.0), lowest)
                self.assertLess(error, largest)

    def test_signs_that_change_within_the_mass(self):
        self.check(weight_studies.SMOOTH, 64, 4.5, 2e-6)

    def test_mass_at_an_end_of_the_axis(self):
        self.check(weight_studies.AT_AN_END, 28, 4.3, 2e-7)


class Fronts(engram_test.EngramTestCase):
    """Jumps in w."""

    def test_no_overshoot(self):
        result = self.run_case(BOX)
        fields = result.fields()
        height = fields["weight_density"][0].max() * numpy.exp(fields["time"])
        self.assertLess((fields["weight_density"].max(axis=1) / height).max(), 1.01)
        self.assertGreaterEqual(fields["weight_density"].min(), 0.0)
        edges = numpy.array([0.5, 0.9]) * math.exp(-0.5)
        inside = (fields["w"] > edges[0]) & (fields["w"] < edges[1])
        error = numpy.abs(fields["weight_density"][-1] - inside * height[-1]).sum()
        self.assertLess(error / fields["weight_density"][-1].sum(), 0.04)

    def test_learned_state_of_the_limit(self):
        """docs/theory.md, section 5: in closed form, with a front at w* = 0.826443."""
        case = yaml.safe_load((engram_test.SOURCE / "input" / "limit.yaml").read_text("utf-8"))
        options = {f"{group}_{name}": value for group, values in case.items()
                   for name, value in values.items()}
        del options["output_dir"]
        learned, _ = exact.learned_state()
        rates = [self.run_case({**options, "grid_w_cells": cells, "time_end": 12,
                                "output_fields_every": 0}).series()["total_rate"][-1]
                 for cells in (128, 256)]
        self.assertLess(abs(rates[1] - learned), 5e-6)
        self.assertLess(abs(rates[0] - learned), 2e-5)


    def test_front_of_a_learned_state_has_no_teeth(self):
        """K N Nbar = w up to the front; N(w)/H(w) = r(w) is smooth, also across it."""
        case = yaml.safe_load((engram_test.SOURCE / "input" / "recognition.yaml").read_text("utf-8"))
        options = {f"{group}_{name}": value for group, values in case.items()
                   for name, value in values.items()}
        del options["output_dir"]
        for v_cells, w_cells in ((60, 100), (24, 80), (24, 250)):
            with self.subTest(w_cells=w_cells):
                self.check_front(self.run_case({**options, "grid_v_cells": v_cells,
                                                "grid_w_cells": w_cells, "time_tolerance": 1e-3}))

    def check_front(self, result):
        """Of a learned state with K = 1, in its upper part."""
        w, last = result.fields()["w"], result.series()["total_rate"][-1]
        rates, weights = (result.fields()[name][-1] for name in ("firing_rate", "weight_density"))
        front = numpy.flatnonzero(weights > 0.1 * weights.max())[-1]
        learned = numpy.flatnonzero((w > 0.3) & (w < w[front - 1]))
        self.assertLess((rates * last / w)[learned].max(), 1.01)
        ratio = rates[:front + 1] / weights[:front + 1]
        teeth = ratio[learned] / (0.5 * (ratio[learned - 1] + ratio[learned + 1])) - 1.0
        self.assertLess(numpy.abs(teeth).max(), 0.01)


class Structure(engram_test.EngramTestCase):
    """Mass and sign."""

    def test_ten_thousand_steps_of_rough_data(self):
        cases = [{**STRESS, "model_epsilon": epsilon, **changes} for epsilon, changes in (
            (0.05, {}), (1, {"model_learning": "-5*w"}), (1e-6, {}),
            (0, {"time_step": 0.001, "grid_w_cells": 200}))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda case: runner.run(engram_test.PROGRAM, case), cases))
        for case, result in zip(cases, results):
            with self.subTest(epsilon=case["model_epsilon"]):
                self.assertGreaterEqual(result.summary["steps"], 10000)
                self.assertGreaterEqual(result.summary["transport_substeps"], 60000)
                self.assertLessEqual(max(map(abs, result.series["mass_error"])), 1e-13)
                self.assertGreaterEqual(min(result.series["min_density"]), 0.0)


if __name__ == "__main__":
    engram_test.main()
