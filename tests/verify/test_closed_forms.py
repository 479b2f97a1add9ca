"""Rates against closed forms: second order in h, and accurate at the usual resolution."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import studies  # noqa: E402

# model.md's values, from another quadrature: the references themselves are checked.
KNOWN_RATES = {-1: 0.013071346855, 0: 0.119975965239, 1: 0.477690275873, 3: 1.910962330034}
KNOWN_NETWORKS = {-1: 0.100202, 0.5: 0.134775, 1.5: 0.192364}


class ClosedForms(engram_test.EngramTestCase):
    """The studies of tools/verification, asserted."""

    def check(self, rows, bound=1e-4):
        """Second order in h, and the bound at 480 cells."""
        for row in rows:
            with self.subTest(**{key: row[key] for key in ("mu", "b") if key in row}):
                for order in row["orders"]:
                    self.assertAlmostEqual(order, 2.0, delta=0.05)
                self.assertLess(abs(row["error_at_480"]), bound)
                self.assertGreater(abs(row["errors"][0]), 1e-6, "the errors are too small to tell")

    def test_uncoupled_rates(self):
        rows = studies.uncoupled_rates(engram_test.PROGRAM)
        for row in rows:
            self.assertAlmostEqual(row["exact"], KNOWN_RATES[row["mu"]], delta=2e-12)
        self.check(rows)

    def test_harmonic_flux(self):
        """Second order too, with other and larger errors."""
        rows = studies.harmonic_rates(engram_test.PROGRAM)
        self.check(rows, bound=2e-4)
        for row, other in zip(rows, studies.uncoupled_rates(engram_test.PROGRAM)):
            self.assertGreater(abs(row["errors"][0] / other["errors"][0] - 1.0), 0.01)

    def test_single_weight_networks(self):
        rows = studies.single_weight_rates(engram_test.PROGRAM)
        for row in rows:
            self.assertAlmostEqual(row["exact"], KNOWN_NETWORKS[row["b"]], delta=1e-6)
        self.check(rows)


if __name__ == "__main__":
    engram_test.main()
