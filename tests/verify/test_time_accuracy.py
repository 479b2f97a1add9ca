"""Errors in time of learning networks with unprepared data, against an independent program."""

import sys

import engram_test
import numpy

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import method_of_lines  # noqa: E402
import time_cases  # noqa: E402

# Relative error allowed at every output time, in Nbar, in the mean weight and in N(w).
ALLOWED = 1e-6

INTERVAL = 0.02
CASES = (time_cases.open_case(0.1), time_cases.JUMP, time_cases.FAMILY)

ADAPTIVE = {"time_tolerance": 1e-7}
FIXED = {"time_adaptive": False, "time_scheme": "third-order", "coupling": "implicit",
         "time_step": INTERVAL / 40}


class Reference(engram_test.EngramTestCase):
    """The independent program by itself."""

    def test_methods_agree(self):
        """Two integrators that have little in common find the same."""
        times = [INTERVAL, 3 * INTERVAL]
        for case in CASES:
            with self.subTest(case=case.name):
                first, second = (method_of_lines.solve(case.options, times, case.jumps, method,
                                                       tolerance, 1e-3 * tolerance)
                                 for method, tolerance in (("BDF", 1e-10), ("Radau", 1e-8)))
                for left, right in zip(first.firing_rate, second.firing_rate):
                    self.assertLess(numpy.abs(left - right).max(), 1e-8 * left.max())

    def test_mass_and_sign(self):
        for case in CASES:
            known = method_of_lines.solve(case.options, [INTERVAL], case.jumps, rtol=1e-7)
            self.assertAlmostEqual(known.dw * known.weight_density[0].sum(), 1.0, delta=1e-10)
            self.assertGreater(known.firing_rate[0].min(), -1e-10)


class Accuracy(engram_test.EngramTestCase):
    """The program against it."""

    def errors(self, case, settings):
        """Relative errors of Nbar, of the mean weight and of N(w), at the times of the fields."""
        options = dict({"time_step": None}, **case.options, **settings)
        fields = self.run_case(options, output_fields_every=INTERVAL).fields()
        known = method_of_lines.solve(case.options, fields["time"][1:], case.jumps)
        self.assertEqual(len(known.times), round(case.end / INTERVAL))
        rates, weights = numpy.array(known.total_rate), numpy.array(known.mean_weight)
        shares = fields["weight_density"][1:]
        found = shares @ known.w / shares.sum(axis=1)
        firing = numpy.abs(fields["firing_rate"][1:] - known.firing_rate).sum(axis=1) * known.dw
        return {"Nbar": numpy.abs(fields["total_rate"][1:] / rates - 1.0).max(),
                "mean weight": numpy.abs(found / weights - 1.0).max(),
                "N(w)": (firing / rates).max()}

    def check(self, settings):
        """All cases with these settings."""
        for case in CASES:
            with self.subTest(case=case.name):
                for name, error in self.errors(case, settings).items():
                    self.assertLess(error, ALLOWED, name)

    def test_adaptive(self):
        self.check(ADAPTIVE)

    def test_fixed(self):
        self.check(FIXED)


if __name__ == "__main__":
    engram_test.main()
