"""Rates against closed forms: sixth order in h, and accurate on coarse grids."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import studies  # noqa: E402

# model.md's values, from another quadrature: the references themselves are checked.
KNOWN_RATES = {-1: 0.013071346855, 0: 0.119975965239, 1: 0.477690275873, 3: 1.910962330034}
KNOWN_NETWORKS = {-1: 0.100202, 0.5: 0.134775, 1.5: 0.192364}


class ClosedForms(engram_test.EngramTestCase):
    """The studies of tools/verification, asserted."""

    def check(self, rows, bound, tolerance=0.05):
        """The order in h, and the bound on the finest grid, relative to the rate."""
        self.assertEqual(studies.V_LEVELS, {2: (48, 96, 192), 6: (24, 48, 96)})
        for row in rows:
            with self.subTest(**{key: row[key] for key in ("mu", "b") if key in row}):
                for order in row["orders"]:
                    self.assertAlmostEqual(order, row["expected"], delta=tolerance)
                self.assertLess(abs(row["errors"][-1]), bound * row["exact"])
                self.assertGreater(abs(row["errors"][-1]), 5e-12, "too small to tell an order")

    def test_uncoupled_rates(self):
        rows = studies.uncoupled_rates(engram_test.PROGRAM)
        for row in rows:
            self.assertAlmostEqual(row["exact"], KNOWN_RATES[row["mu"]], delta=2e-12)
        self.check([row for row in rows if row["mu"] != 0], 1e-8, 0.2)
        # Here the errors nearly cancel.
        zero, = (row for row in rows if row["mu"] == 0)
        self.assertLess(abs(zero["errors"][0]), 2e-7 * zero["exact"])
        self.assertGreater(zero["orders"][0], 5.8)

    def test_second_order_fluxes(self):
        """Those of the literature, each with errors of its own."""
        plain = studies.second_order_rates(engram_test.PROGRAM)
        harmonic = studies.harmonic_rates(engram_test.PROGRAM)
        self.check(plain, 1e-3)
        self.check(harmonic, 4e-3, 0.07)
        for row, other in zip(harmonic, plain):
            self.assertGreater(abs(row["errors"][0] / other["errors"][0] - 1.0), 0.01)

    def test_single_weight_networks(self):
        rows = studies.single_weight_rates(engram_test.PROGRAM)
        for row in rows:
            self.assertAlmostEqual(row["exact"], KNOWN_NETWORKS[row["b"]], delta=1e-6)
        self.check(rows, 1e-9, 0.5)


if __name__ == "__main__":
    engram_test.main()
