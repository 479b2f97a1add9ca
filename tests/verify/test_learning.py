"""The learned steady state against its closed form, and orders on the way to it."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import studies  # noqa: E402


class Learning(engram_test.EngramTestCase):
    """K = 1, I = 1, sigma = N/(1+N)."""

    def test_learned_state(self):
        study = studies.learned_state(engram_test.PROGRAM)
        self.assertAlmostEqual(study["exact"], 0.584384, delta=1e-6)
        self.assertAlmostEqual(study["largest_weight"], 0.826443, delta=1e-6)
        errors = [abs(row["error"]) for row in study["rows"]]
        self.assertLess(errors[-1], 2e-3)
        self.assertGreater(errors[0], 1e-3, "the errors are too small to tell an order")
        for order in study["orders"]:
            self.assertAlmostEqual(order, 1.0, delta=0.2)
        for row in study["rows"]:
            self.assertLess(row["variation"], 2.1, "N(w) has a saw-tooth")
            # The support ends where w* = sqrt(2 K) Nbar, in a front of two or three cells.
            self.assertAlmostEqual(row["edge"], 2**0.5 * row["total_rate"],
                                   delta=2.0 / row["cells"])
        slopes = [row["slope_error"] for row in study["rows"]]
        self.assertLess(slopes[-1], 0.03)
        self.assertEqual(slopes, sorted(slopes, reverse=True))

    def test_orders_on_a_transient(self):
        study = studies.transient_orders(engram_test.PROGRAM)
        for name, expected, tolerance in (("h", 4.0, 0.3), ("dt", 1.0, 0.1), ("dw", 1.0, 0.1)):
            with self.subTest(halved=name):
                for order in study[name]["orders"]:
                    self.assertAlmostEqual(order, expected, delta=tolerance)


if __name__ == "__main__":
    engram_test.main()
