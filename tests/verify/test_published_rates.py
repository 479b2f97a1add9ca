"""Rates of LIF neurons that NNMT and NEST publish, Siegert's formula, and unseen layers."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import exact  # noqa: E402
import published_rates  # noqa: E402


class PublishedRates(engram_test.EngramTestCase):
    """Six digits from 500 voltage cells, also where they do not see the layer at the threshold."""

    def test_references(self):
        """The quadrature has the published digits: doubles, 12 digits, and those of a limit."""
        for row in published_rates.NNMT + published_rates.NNMT_WEAK_NOISE_ABOVE_THRESHOLD:
            point = published_rates.Point.of(row)
            self.assertAlmostEqual(point.exact / point.published, 1.0, delta=1e-12)
        point = published_rates.Point.of(published_rates.NEST_AT_THRESHOLD)
        self.assertAlmostEqual(point.exact / point.published, 1.0, delta=2e-12)
        point = published_rates.Point.of(published_rates.NEST_WITHOUT_NOISE)
        self.assertAlmostEqual(point.exact / point.published, 1.0, delta=1e-5)

    def test_rates(self):
        """To 1e-6, however weak the noise; of a limit without noise that of the rate itself."""
        rows = published_rates.published(engram_test.PROGRAM)
        self.assertEqual(len(rows), 24)
        for row in rows:
            with self.subTest(source=row["source"], row=row["row"]):
                self.assertLessEqual(row["cells"], 500)
                self.assertLess(abs(row["own_error"]), 1e-6)
                self.assertLess(abs(row["error"]), 1e-6)

    def test_siegert(self):
        """Many inputs and sigmas, by one run for each sigma."""
        rows = published_rates.sweep(engram_test.PROGRAM)
        self.assertEqual(len(rows), 65)
        for row in rows:
            with self.subTest(mu=row["mu"], sigma=row["sigma"]):
                self.assertLess(abs(row["error"]), 1e-6)

    def test_second_order_has_fewer_digits(self):
        """The bound tells the schemes apart."""
        points = [published_rates.Point.of(row) for row in published_rates.NNMT[:4]]
        cells = [point.cells(500) for point in points]
        values = published_rates.rates(engram_test.PROGRAM, zip(points, cells), grid_v_order=2)
        for point, value in zip(points, values):
            self.assertGreater(abs(value / point.published - 1.0), 5e-6)

    def test_unseen_layer(self):
        """Next to nothing of what a plain sum would make, and of second order at least."""
        for row in published_rates.unseen_layer(engram_test.PROGRAM, peclets=(0.5, 2, 16, 100)):
            with self.subTest(mu=row["mu"], peclet=row["peclet"]):
                self.assertLess(abs(row["error"]), 4e-3 * row["plain"])
                self.assertGreater(abs(row["coarse_error"]), 3.5 * abs(row["error"]))
                self.assertGreater(abs(row["error"]), 1e-11)

    def test_quadrature_itself(self):
        """Far above the threshold without noise the rate is 1/ln((mu - V_R)/(mu - V_F))."""
        self.assertAlmostEqual(exact.rate(1.5, 1e-7, 1.0, 0.0) * 1.0986122886681098, 1.0,
                               delta=2e-7)


if __name__ == "__main__":
    engram_test.main()
