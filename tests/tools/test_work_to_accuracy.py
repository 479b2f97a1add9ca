"""The search for the grids and steps that reach a given error, on made-up and on real programs."""

import math
import sys

import numpy

import engram_test

sys.path[:0] = [str(engram_test.SOURCE / "tools" / folder) for folder in
                ("benchmark", "verification")]
import work_precision_cases as cases  # noqa: E402
import work_precision_study as study  # noqa: E402
import work_to_accuracy as work  # noqa: E402

CASE, = cases.chosen(["fast"])


class MadeUp(work.Bench):
    """A program whose error is a known sum, and which takes a nanosecond a cell."""

    CONSTANTS = (3.0, 5.0, 2.0)

    def __init__(self, orders):
        contender = work.Contender("made up", "field", orders, (60, 40, 80.0))
        super().__init__(contender, CASE, {}, numpy.ones(2))

    def rates(self, point, rounds=1):
        grid = work.rounded(point, self.case.outputs)
        error = sum(constant * part**-order for constant, part, order in
                    zip(self.CONSTANTS, grid, self.contender.orders))
        cells = math.prod(grid)
        return self.exact + error, 1e-9 * cells, cells, grid[2]


class Search(engram_test.EngramTestCase):
    """The search on programs that are made up."""

    def test_fewest_cells(self):
        bench = MadeUp((2, 1, 1))
        errors = bench.errors_of_parts()
        for found, constant, part, order in zip(errors, bench.CONSTANTS, bench.contender.begin,
                                                bench.contender.orders):
            self.assertAlmostEqual(found, constant * part**-order)

        def error(point):
            return sum(c * x**-p for c, x, p in zip(bench.CONSTANTS, point, (2, 1, 1)))

        point = bench.best(errors, 1e-3)
        self.assertAlmostEqual(error(point), 1e-3)
        # Any other share of the error takes more cells for the same error.
        for k in range(3):
            for factor in (0.9, 1.1):
                other = [x * factor if i == k else x for i, x in enumerate(point)]
                scale = 1.0
                while error([scale * x for x in other]) > 1e-3:
                    scale *= 1.0001
                while error([scale * x for x in other]) < 1e-3:
                    scale /= 1.0001
                self.assertGreater(math.prod(scale * x for x in other), math.prod(point))

    def test_climb(self):
        for misjudged in (1.0, 0.2, 5.0):
            bench = MadeUp((4, 2, 3))
            errors = [misjudged * error for error in bench.errors_of_parts()]
            bench.errors_of_parts = lambda known=tuple(errors): known
            found = work.climb(bench, (1e-2, 1e-3, 1e-4))
            for run, target in zip(found, (1e-2, 1e-3, 1e-4)):
                with self.subTest(misjudged=misjudged, target=target):
                    self.assertFalse(run.is_extrapolated)
                    self.assertLessEqual(run.error, target)
                    self.assertGreater(run.error, 0.4 * target)

    def test_what_takes_too_long_is_extrapolated(self):
        bench = MadeUp((2, 1, 1))
        found = work.climb(bench, (1e-2, 1e-5))
        self.assertEqual([run.is_extrapolated for run in found], [False, True])
        self.assertGreater(found[1].seconds, work.LONGEST)
        # Ten to the power of 1/2 + 1 + 1 as many cells for a tenth of the error.
        self.assertAlmostEqual(math.log10(found[1].cells / found[0].cells), 3 * 2.5, delta=0.3)
        self.assertIn("| ~", work.table(CASE, (1e-2, 1e-5), [("made up", found)]))


class Programs(engram_test.EngramTestCase):
    """The search on real ones."""

    TARGET = 1e-2

    def test_engram_and_the_field(self):
        options = {**CASE.all_options(), "grid_w_cells": 320, "time_tolerance": 1e-6}
        _, series = study.execute(engram_test.PROGRAM, options, 60.0)
        exact = numpy.array([rate for rate, _ in study.states_at_outputs(CASE, series)])
        chosen = [contender for contender in work.CONTENDERS if contender.program != "before"]
        rows = []
        for contender in chosen:
            bench = work.Bench(contender, CASE, {"program": engram_test.PROGRAM}, exact)
            run, = work.climb(bench, (self.TARGET,))
            with self.subTest(contender=contender.name):
                self.assertLessEqual(run.error, self.TARGET)
                self.assertFalse(run.is_extrapolated)
                self.assertEqual(run.grid[0] % work.V_STEP, 0)
                self.assertGreater(run.seconds, 0.0)
            rows.append((contender.name, [run]))
        # Engram's orders are higher: fewer cells.
        self.assertLess(rows[0][1][0].cells, rows[-1][1][0].cells)
        text = work.table(CASE, (self.TARGET,), rows)
        self.assertEqual(text.count("\n| 0.01 |"), len(chosen))


if __name__ == "__main__":
    engram_test.main()
