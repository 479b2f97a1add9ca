"""Steady states by -steady: closed forms to eight digits, folds, the learned steady state."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import exact  # noqa: E402
import network_studies  # noqa: E402
import reference  # noqa: E402
import runner  # noqa: E402

# The values of model.md, to the digits it gives.
KNOWN = {-1.0: (0.100202,), 0.0: (0.119976,), 0.5: (0.134775,), 1.0: (0.156207,),
         1.5: (0.192364, 2.289126), 2.0: (0.292583, 0.689434), 2.1: (0.407425, 0.442180),
         2.2: ()}


class FrozenWeights(engram_test.EngramTestCase):
    """N = r(b N) for one weight b."""

    def test_rates_to_six_digits(self):
        rows = network_studies.steady_rates(engram_test.PROGRAM)
        self.assertEqual([row["weight"] for row in rows], list(KNOWN))
        for row in rows:
            with self.subTest(b=row["weight"]):
                known = KNOWN[row["weight"]]
                self.assertEqual(tuple(f"{rate:.6f}" for rate in row["rates"]),
                                 tuple(f"{rate:.6f}" for rate in known))
                self.assertEqual(row["states"], len(known))
                self.assertEqual(len(row["exact"]), len(known))
                for rate, slope, stable, (root, steepness) in zip(row["rates"], row["slopes"],
                                                                  row["stable"], row["exact"]):
                    self.assertAlmostEqual(rate, root, delta=1e-8)
                    self.assertAlmostEqual(slope, steepness, delta=1e-8)
                    self.assertEqual(stable, float(steepness < 1.0))

    def test_states_are_states(self):
        """Each state that is written is one: a stable one is kept by a run, the other left."""
        case = network_studies.single(2.0, grid_v_cells=320)
        result = self.run_case(case)
        rates = result.series()["total_rate"][1:]
        self.assertEqual(len(rates), 2)
        for rate, stays in zip(rates, (True, False)):
            words = ["-steady", "false", "-initial_quasi_static", "true", "-initial_rate", rate,
                     "-time_step", 0.05, "-time_end", 30, "-output_dir", f"later_{stays}"]
            process = self.execute([self.write_case(case), *words])
            series = engram_test.Result(process, self.folder / f"later_{stays}").series()
            self.assertAlmostEqual(series["total_rate"][0], rate, delta=1e-9)
            change = abs(series["total_rate"][-1] - rate)
            self.assertEqual(change < 1e-6, stays, (rate, change))

    def test_bifurcation_table(self):
        """One row a state, in the order of the values; 0 and nan where there is none."""
        case = network_studies.single(0, grid_v_cells=160,
                                      steady_sweep="grid_w_min+grid_w_max:0:3:7")
        result = runner.run(engram_test.PROGRAM, case)
        table = result.tables["bifurcation"]
        for weight in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0):
            states = reference.network_steady_rates(weight)
            rows = [k for k, value in enumerate(table["grid_w_min"]) if value == weight]
            self.assertEqual(len(rows), max(1, len(states)))
            if not states:
                self.assertEqual(table["state"][rows[0]], 0.0)
                self.assertNotEqual(table["total_rate"][rows[0]], table["total_rate"][rows[0]])
            for number, (k, (rate, slope)) in enumerate(zip(rows, states), 1):
                self.assertEqual(table["state"][k], number)
                self.assertAlmostEqual(table["total_rate"][k], rate, delta=2e-6)
                self.assertAlmostEqual(table["slope"][k], slope, delta=2e-6)
                self.assertEqual(table["stable"][k], float(slope < 1.0))

    def test_folds(self):
        """The fold near b = 2.1, and two with a refractory state: sixth order in h."""
        rows = network_studies.folds(engram_test.PROGRAM)
        self.assertEqual(len(rows), 3)
        self.assertAlmostEqual(rows[0]["weight"], 2.1009677604558, delta=1e-11)
        for row in rows:
            with self.subTest(tau=row["tau"], weight=row["weight"]):
                self.assertEqual(set(row["counts"]), {2 if row["tau"] else 1})
                self.assertGreater(row["orders"][0], 5.8)
                self.assertLess(abs(row["errors"][-1]), 1e-9)
                self.assertAlmostEqual(row["found_rate"], row["rate"], delta=5e-6)

    def test_many_weights(self):
        """A distribution of weights, against the root of Nbar = integral of H r."""
        case = dict(network_studies.single(0, grid_w_cells=300, grid_v_cells=160), grid_w_max=3,
                    initial_density="w^2*(3 - w)^2*exp(-v^2)")
        table = runner.run(engram_test.PROGRAM, case).tables["steady"]
        states = reference.implicit_roots(lambda w: w**2 * (3.0 - w)**2, (0.0, 3.0), current=0.0)
        self.assertEqual(len(table["total_rate"]), len(states))
        for rate, slope, (root, steepness) in zip(table["total_rate"], table["slope"], states):
            self.assertAlmostEqual(rate, root, delta=2e-4)
            self.assertAlmostEqual(slope, steepness, delta=2e-4)


class LearnedState(engram_test.EngramTestCase):
    """-steady with plasticity: the limit model until its weights rest."""

    def test_closed_form(self):
        study = network_studies.learned_rest(engram_test.PROGRAM)
        for row in study["rows"]:
            errors = [abs(error) for error in row["errors"]]
            with self.subTest(order=row["order"]):
                self.assertEqual(errors, sorted(errors, reverse=True))
                # The weights end in a front: first order comes close to one from below.
                for order in row["orders"][1:]:
                    self.assertAlmostEqual(order, row["order"], delta=0.2)
                for result in row["results"]:
                    self.assertEqual(result.summary["steady_states"], 1)
                    firing = result.firing_rate
                    variation = abs(firing[1:] - firing[:-1]).sum() + firing[0] + firing[-1]
                    self.assertLess(variation, 2.0001 * firing.max(), "N(w) has a saw-tooth")
        first, second = (abs(row["errors"][-1]) for row in study["rows"])
        self.assertLess(second, 5e-5)
        self.assertLess(second, 0.05 * first)

    def test_shape(self):
        """N(w) = w/(K Nbar) on the support, for another K, by second order."""
        known, largest = exact.learned_state(learning=2.0)
        result = runner.run(engram_test.PROGRAM, dict(
            network_studies.LEARNED, model_learning=2, grid_w_max=1.5, grid_w_cells=300,
            grid_v_cells=60, transport_order=2))
        self.assertAlmostEqual(result.total_rate, known, delta=3e-4)
        inside = (result.w > 0.05 * largest) & (result.w < 0.97 * largest)
        shape = result.firing_rate[inside] * 2.0 * result.total_rate / result.w[inside]
        self.assertLess(abs(shape - 1.0).max(), 2e-3)
        self.assertLess(result.firing_rate[result.w > 1.02 * largest].max(), 1e-6)

    def test_unfinished(self):
        """Weights that have no time to rest: exit code 3, and it is said."""
        result = self.run_case(network_studies.LEARNED, time_end=1, expect=3)
        self.assertIn("the weights do not rest yet at -time_end", result.stderr)
        self.assertEqual(result.yaml("summary.yaml")["status"], "stopped")


if __name__ == "__main__":
    engram_test.main()
