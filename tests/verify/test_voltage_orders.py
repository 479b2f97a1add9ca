"""Fourth order in the potential on data that are not prepared for it."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import voltage_studies  # noqa: E402


class VoltageOrders(engram_test.EngramTestCase):
    """Between halvings of h, against the independent program, and of the initial rate."""

    def test_halvings(self):
        """Each difference falls with order 3.7 at least, and is not one of the steps in time."""
        for row in voltage_studies.potential_orders(engram_test.PROGRAM):
            for quantity in voltage_studies.QUANTITIES:
                with self.subTest(case=row["case"], quantity=quantity):
                    self.assertGreater(min(row["orders"][quantity]), 3.7)
                    self.assertLess(row["in_time"][quantity], 0.03)

    def test_independent_program(self):
        """At most 100 cells: Nbar to 1e-5 relative, N(w) to 1e-4 in L1, relative too."""
        rows = voltage_studies.against_independent(engram_test.PROGRAM)
        self.assertLessEqual(max(row["cells"] for row in rows), 100)
        for row in rows:
            with self.subTest(case=row["case"], cells=row["cells"]):
                self.assertLess(row["doubt"], 1e-6)
                self.assertLess(row["Nbar"], 1e-5)
                self.assertLess(row["N"], 1e-5)
                self.assertLess(row["H"], 1e-5)

    def test_initial_rate(self):
        """Row 0 of the series is -a dp/dv at the threshold."""
        for row in voltage_studies.initial_rates(engram_test.PROGRAM):
            with self.subTest(case=row["case"]):
                self.assertGreater(min(row["orders"]), 3.7)
                self.assertGreater(abs(row["errors"][0]), 1e-5)
                self.assertLess(abs(row["errors"][-1]), 1e-5)


if __name__ == "__main__":
    engram_test.main()
