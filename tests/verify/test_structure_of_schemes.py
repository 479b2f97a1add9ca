"""Mass, sign and entropy for every scheme, any step and any eps."""

import sys

import engram_test
import numpy

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import scheme_studies  # noqa: E402


class MassAndSign(engram_test.EngramTestCase):
    """Steps from 1e-4 to 1e4, eps from 1 to 0, all transports, orders, schemes and couplings."""

    def check(self, row):
        self.assertLessEqual(row["mass_error"], 1e-12)
        self.assertGreaterEqual(row["min_density"], 0.0)

    def check_series(self, series):
        self.check({"mass_error": max(abs(error) for error in series["mass_error"]),
                    "min_density": min(series["min_density"])})

    def test_sample_of_the_product(self):
        """Each setting with each step and each eps; docs/verification.md has the whole product."""
        # 5 steps, 5 eps, 20 settings; 4 of these are refused for eps = 0.
        self.assertEqual(len(scheme_studies.structure_combinations()), 5 * (4 * 20 + 16))
        chosen = scheme_studies.structure_combinations(is_sample=True)
        rows = scheme_studies.structure_of_all(engram_test.PROGRAM, chosen)
        self.assertEqual(len(rows), 4 * 20 + 16)
        for row in rows:
            with self.subTest(combination=row["combination"]):
                self.check(row)
                self.assertGreater(row["change"], 1e-9, "nothing moves")

    def test_many_steps(self):
        """Round-off must not add up over 1e5 steps."""
        for row in scheme_studies.structure_after_many_steps(engram_test.PROGRAM):
            with self.subTest(settings=row["settings"], epsilon=row["epsilon"]):
                self.assertEqual(row["steps"], 100000)
                self.check(row)
                self.assertLess(row["mass_error"], 1e-14)

    def test_adaptive_and_delayed(self):
        """The options that the product leaves out."""
        for changes in ({"time_adaptive": True, "time_step_max": 10, "time_end": 1000},
                        {"time_scheme": "third-order", "time_start": "graded", "time_end": 3,
                         "model_input": "sin(5*t) > 0.2 ? 3 : 1 + 0.5*w"},
                        {"time_adaptive": True, "time_scheme": "third-order", "model_delay": 3,
                         "model_refractory": 0.5, "model_input": "t < 4 ? 3 : 1 + 0.5*w"},
                        {"model_delay": 3, "coupling": "implicit"},
                        {"model_delay": 0.01, "coupling": "implicit", "transport_order": 2},
                        {"model_refractory": 2, "coupling": "implicit"},
                        {"model_refractory": 2, "model_epsilon": 0, "coupling": "implicit"},
                        {"model_noise": "0.01 + 0.1*N", "model_flux": "harmonic"}):
            with self.subTest(**changes):
                case = dict(scheme_studies.STRUCTURE, time_step=0.1, time_end=10,
                            model_epsilon=1e-3, time_scheme="extrapolated",
                            transport_time="implicit")
                self.check_series(self.run_case(dict(case, **changes)).series())

    def test_data_that_overshoot(self):
        """Twice two half steps less a whole one is negative here, and has to be limited."""
        case = dict(scheme_studies.STRUCTURE, model_epsilon=1, model_plasticity=False,
                    coupling="implicit", initial_density="abs(v + 1) < 0.25 ? 1 : 0", time_end=0.05)
        whole, halves = (self.run_case(case, time_step=step).fields()["density"][-1]
                         for step in (0.05, 0.025))
        self.assertLess((2.0 * halves - whole).min(), -1e-6, "the limit is not needed")
        self.check_series(self.run_case(case, time_step=0.05, time_scheme="extrapolated").series())


class LongTransportSteps(engram_test.EngramTestCase):
    """Implicit transport: how many cells learning may cross in a step."""

    def test_saw_tooth(self):
        rows = scheme_studies.long_transport_steps(engram_test.PROGRAM)
        for row in rows:
            with self.subTest(order=row["order"], crossed=row["crossed"]):
                if row["crossed"] < (10.0 if row["order"] == 1 else 2.0):
                    self.assertLess(row["variation"], 2.001)
                    self.assertLess(row["range"], 1e-12)
        crossed = {order: max(row["crossed"] for row in rows if row["order"] == order
                              and row["variation"] < 2.001) for order in (1, 2)}
        self.assertGreater(crossed[1], 5.0, "the table shows no long steps")
        self.assertGreater(crossed[2], 1.5)

    def test_explicit_steps_of_any_length(self):
        """Sub-steps renew the learning velocity: the same steps come to rest without a saw-tooth."""
        for order in (1, 2):
            case = dict(scheme_studies.LONG_TRANSPORT, transport_time="explicit",
                        transport_order=order)
            rates = {}
            for step in (0.0025, 0.2):
                fields = self.run_case(dict(case, time_step=step)).fields()
                firing = fields["firing_rate"][-1]
                variation = numpy.abs(numpy.diff(firing)).sum() + firing[0] + firing[-1]
                self.assertLess(variation, 2.001 * firing.max())
                rates[step] = fields["total_rate"][-1]
            self.assertAlmostEqual(rates[0.0025], rates[0.2], delta=5e-4)


class Entropy(engram_test.EngramTestCase):
    """Relative entropies of frozen, uncoupled slices."""

    def test_falls_monotonically(self):
        rows = scheme_studies.relative_entropies(engram_test.PROGRAM)
        self.assertEqual(len(rows), 2 * 2 * 9 * 2)
        for row in rows:
            with self.subTest(**{name: row[name] for name in ("flux", "scheme", "epsilon", "step",
                                                              "entropy")}):
                self.assertLess(row["largest_rise"], 1e-13 * row["values"][0].max())
                self.assertGreaterEqual(row["values"].min(), -1e-13)
                self.assertGreater(row["values"][0].min(), 1.0, "too near the steady state")
                self.assertLess(row["values"][-1].max(), 0.8 * row["values"][0].max())

    def test_falls_to_zero(self):
        """The state that a long run reaches is that of the limit model."""
        rows = scheme_studies.relative_entropies(engram_test.PROGRAM, epsilons=(1.0,), steps=(1.0,))
        for row in rows:
            self.assertLess(row["values"][-1].max(), 1e-12 * row["values"][0].max())

    def test_coupled_entropy_may_rise(self):
        """Relative to Q of zero coupling it rises once the coupling moves the state away."""
        case = dict(scheme_studies.UNCOUPLED, model_epsilon=1, time_step=0.05, time_end=1,
                    output_fields_every=0.05)
        steady = self.run_case(dict(case, model_epsilon=0)).fields()
        coupled = self.run_case(dict(case, model_response="3*N", initial_quasi_static=False,
                                     initial_density="exp(-v^2)")).fields()
        state = steady["density"][-1] / steady["weight_density"][-1]
        ratio = coupled["density"] / steady["weight_density"][-1] / state
        entropy = (scheme_studies.quadratic(ratio) * state).sum(axis=1)
        self.assertGreater(numpy.diff(entropy, axis=0).max(), 1e-6)


if __name__ == "__main__":
    engram_test.main()
