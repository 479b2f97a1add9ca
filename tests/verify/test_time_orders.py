"""Orders in dt of fixed steps on unprepared data, against an independent program."""

import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import time_cases  # noqa: E402
import time_studies  # noqa: E402


class Orders(engram_test.EngramTestCase):
    """Graded fixed steps, halved with everything else fixed."""

    LEAST = {"second-order": 1.9, "third-order": 2.8}
    # Of N(w) with an input that varies in time.
    VARYING = {"second-order": 1.8, "third-order": 2.0}
    # The first halving may still be on its way.
    FIRST = 0.1

    def test_orders(self):
        for row in time_studies.orders(engram_test.PROGRAM):
            varies = row["case"] == time_cases.WAVE.name
            least = (self.VARYING if varies else self.LEAST)[row["scheme"]]
            for name, orders in row["orders"].items():
                with self.subTest(case=row["case"], scheme=row["scheme"], of=name,
                                  errors=row["errors"][name]):
                    self.assertTrue(orders or name != "N(w)", "too small to tell an order")
                    for k, order in enumerate(orders):
                        self.assertGreaterEqual(order, least - (0.0 if k else self.FIRST))


if __name__ == "__main__":
    engram_test.main()
