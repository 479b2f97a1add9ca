"""Rates of LIF neurons that NNMT and NEST publish, Siegert's formula, and the law of the error."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import exact  # noqa: E402
import published_rates  # noqa: E402


class PublishedRates(engram_test.EngramTestCase):
    """Six digits from 500 voltage cells, but where a layer at the threshold needs more."""

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
        """To 1e-6, which is coarser than the digits of any source."""
        rows = published_rates.published(engram_test.PROGRAM)
        seen = [row for row in rows if row["row"] in published_rates.NNMT
                or row["row"] == published_rates.NEST_AT_THRESHOLD]
        self.assertEqual(len(seen), 19)
        for row in seen:
            with self.subTest(source=row["source"], row=row["row"]):
                self.assertLessEqual(row["cells"], 500)
                self.assertLess(abs(row["error"]), 1e-6)
        # Noise so weak that the layer is thinner than a cell, or close to that: the error is known.
        for row in rows:
            if row not in seen:
                with self.subTest(source=row["source"], row=row["row"]):
                    law = row["point"].law(row["cells"])
                    self.assertAlmostEqual(row["own_error"] / law, 1.0, delta=0.01)

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
        """The error over the cell Peclet number is the sum of h p at the ends of the density."""
        for row in published_rates.unseen_layer(engram_test.PROGRAM, peclets=(0.5, 2, 16, 100)):
            with self.subTest(mu=row["mu"], peclet=row["peclet"]):
                self.assertAlmostEqual(row["error"] / row["law"], 1.0, delta=0.005)
                if row["peclet"] == 100:
                    # The next term is 2/q of it, and a little more.
                    ends = 1.0 / (row["mu"] - 1.0) - 1.0 / row["mu"]
                    self.assertAlmostEqual(row["error"] / (0.5 * row["h"] * row["exact"] * ends),
                                           1.0, delta=0.04)

    def test_quadrature_itself(self):
        """Far above the threshold without noise the rate is 1/ln((mu - V_R)/(mu - V_F))."""
        self.assertAlmostEqual(exact.rate(1.5, 1e-7, 1.0, 0.0) * 1.0986122886681098, 1.0,
                               delta=2e-7)


if __name__ == "__main__":
    engram_test.main()
