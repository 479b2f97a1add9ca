"""Orders in h, dw and dt on a smooth learning transient, and what second order reaches."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import scheme_studies  # noqa: E402


class Orders(engram_test.EngramTestCase):
    """One step halved at a time."""

    def check(self, row, orders, values, tolerance):
        """All orders but the first, which may still be on its way, and never a worse one."""
        with self.subTest(halved=row["halved"], settings=row["settings"]):
            for order in orders[1:]:
                self.assertAlmostEqual(order, row["expected"], delta=tolerance)
            self.assertGreater(orders[0], row["expected"] - 0.25)
            self.assertGreater(abs(values[0] - values[1]), 1e-6, "too small to tell an order")

    def test_potential(self):
        for row in scheme_studies.potential_orders(engram_test.PROGRAM):
            self.check(row, row["orders"], row["values"], 0.3 if row["expected"] == 4 else 0.02)

    def test_potential_fluxes_differ(self):
        rows = scheme_studies.potential_orders(engram_test.PROGRAM, levels=2)
        fourth, plain, harmonic = (row["values"][1] - row["values"][0] for row in rows)
        self.assertGreater(abs(harmonic / plain - 1.0), 0.1)
        self.assertLess(abs(fourth), 0.01 * abs(plain))

    def test_weights(self):
        """Of Nbar, and of N(w) in the mean over w, which sees errors that cancel in Nbar."""
        for row in scheme_studies.weight_orders(engram_test.PROGRAM):
            self.check(row, row["orders"], row["values"], 0.12)
            self.check(row, row["mean_orders"], (row["distances"][0], 0.0), 0.12)

    def test_time(self):
        """The extrapolated scheme with lagged coupling comes close to two, but below it."""
        for row in scheme_studies.time_orders(engram_test.PROGRAM):
            is_lagged = row["expected"] == 2 and "coupling lagged" in row["settings"]
            self.check(row, row["orders"], row["values"], 0.25 if is_lagged else 0.05)

    def test_extrapolation_pays(self):
        """Its error is far below that of a single step at the same dt."""
        rows = {row["settings"]: row["values"]
                for row in scheme_studies.time_orders(engram_test.PROGRAM, levels=3)}
        name = "transport explicit, coupling implicit"
        euler, extrapolated = (rows[f"{scheme}, {name}"] for scheme in scheme_studies.SCHEMES)
        self.assertLess(abs(extrapolated[0] - extrapolated[1]), 0.05 * abs(euler[0] - euler[1]))


class SecondOrder(engram_test.EngramTestCase):
    """All steps halved at once: dw and dt set the order; 1e-4 relative at 108 x 100 cells."""

    def check(self, study):
        """The orders come to two: the last within 0.1, those before it may be on their way."""
        self.assertEqual(scheme_studies.LEVELS[1][:2], (108, 100))
        self.assertLess(abs(study["errors"][1]), 1e-4)
        self.assertGreater(abs(study["errors"][0]), 3e-5)
        for order, tolerance in zip(reversed(study["orders"]), (0.1, 0.15, 0.25)):
            self.assertAlmostEqual(order, 2.0, delta=tolerance)

    def test_limit(self):
        """Against characteristics of the macroscopic equation."""
        for transport in scheme_studies.TRANSPORTS:
            with self.subTest(transport=transport):
                self.check(scheme_studies.second_order_limit(engram_test.PROGRAM, transport))

    def test_transient(self):
        """Against the extrapolation of the two finest grids; both transports agree on it."""
        studies = [scheme_studies.second_order_transient(engram_test.PROGRAM, transport)
                   for transport in scheme_studies.TRANSPORTS]
        for study in studies:
            self.check(study)
        self.assertAlmostEqual(studies[0]["exact"], studies[1]["exact"], delta=1e-6)


if __name__ == "__main__":
    engram_test.main()
