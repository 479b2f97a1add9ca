"""Orders in dt of fixed steps on unprepared data, against an independent program."""

import sys

import engram_test

import time_cases

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import runner  # noqa: E402


class Orders(engram_test.EngramTestCase):
    """Graded fixed steps, halved with everything else fixed."""

    STEPS = {"second-order": (32, 64, 128, 256), "third-order": (16, 32, 64, 128)}
    LEAST = {"second-order": 1.9, "third-order": 2.8}
    # Of N(w) with an input that varies in time.
    VARYING = {"second-order": 1.8, "third-order": 2.0}
    # The first halving may still be on its way.
    FIRST = 0.1
    # Where errors of N(w) cancel in Nbar to less than this part they say nothing of an order: it
    # is the one of N(w) that bounds them.
    CANCELLED = 0.3

    @classmethod
    def setUpClass(cls):
        cases = time_cases.ORDER_CASES + (time_cases.WAVE,)
        references = time_cases.solve_all([(case, [case.end], 1e-12) for case in cases])
        cls.references = {case.name: known for case, known in zip(cases, references)}

    def distances(self, case, scheme):
        """Those of N(w), H(w) and Nbar at the end, for all steps."""
        options = dict(case.options, time_scheme=scheme, time_adaptive="false",
                       coupling_tolerance=1e-13)
        runs = runner.run_all(engram_test.PROGRAM, [dict(options, time_step=case.end / steps)
                                                    for steps in self.STEPS[scheme]])
        return [time_cases.distances_at_end(run, self.references[case.name]) for run in runs]

    def check_orders(self, errors, least, resolved):
        """Each halving within the errors that can be told; says how many there were."""
        errors = [error for error in errors if error > resolved]
        orders = runner.orders_from_errors(errors)
        for k, order in enumerate(orders):
            self.assertGreaterEqual(order, least - (0.0 if k else self.FIRST))
        return len(orders)

    def check(self, case, scheme, least):
        """All quantities of a case."""
        found = self.distances(case, scheme)
        bounds = [self.CANCELLED * distance["N(w)"] for distance in found]
        for name in found[0]:
            errors = [distance[name] for distance in found]
            with self.subTest(case=case.name, of=name, errors=errors):
                if name != "Nbar" or all(map(float.__gt__, errors, bounds)):
                    count = self.check_orders(errors, least, case.resolved)
                    self.assertTrue(count or name != "N(w)", "too small to tell an order")

    def test_second_order(self):
        for case in time_cases.ORDER_CASES:
            self.check(case, "second-order", self.LEAST["second-order"])

    def test_third_order(self):
        for case in time_cases.ORDER_CASES:
            self.check(case, "third-order", self.LEAST["third-order"])

    def test_varying_input(self):
        for scheme, least in self.VARYING.items():
            self.check(time_cases.WAVE, scheme, least)


if __name__ == "__main__":
    engram_test.main()
