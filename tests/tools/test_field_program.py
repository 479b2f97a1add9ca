"""The program of the field, beside which Engram is timed: its orders, and what both find."""

import subprocess
import sys

import numpy

import engram_test

sys.path[:0] = [str(engram_test.SOURCE / "tools" / folder) for folder in
                ("benchmark", "verification")]
import field_program  # noqa: E402
import runner  # noqa: E402
import work_precision_cases as cases  # noqa: E402

# Grid and steps from which one number at a time is doubled.
V_CELLS, W_CELLS, STEPS = 60, 40, 640


def rates(case, v_cells, w_cells, steps):
    """N at the output times."""
    return field_program.solve_case(case, v_cells, w_cells, steps).total_rates


def reference_rates(case):
    """The same by Engram, on a fine grid of w and with small steps."""
    options = {**case.all_options(), "grid_w_cells": 320, "time_tolerance": 1e-6}
    series = runner.run(engram_test.PROGRAM, options).series
    times, found = numpy.array(series["time"]), numpy.array(series["total_rate"])
    outputs = case.interval * numpy.arange(1, case.outputs + 1)
    return found[numpy.abs(times[:, None] - outputs).argmin(axis=0)]


def order(values):
    """Observed order of three values under doubling, by the largest differences."""
    first, second = (numpy.abs(b - a).max() for a, b in zip(values, values[1:]))
    return float(numpy.log2(first / second))


class FieldProgram(engram_test.EngramTestCase):
    """tools/benchmark/field_program.py."""

    def test_orders(self):
        for case in cases.chosen(field_program.CASES):
            ladders = {
                "time": (1.0, [rates(case, V_CELLS, W_CELLS, STEPS * k) for k in (1, 2, 4)]),
                "v": (2.0, [rates(case, V_CELLS * k, W_CELLS, STEPS) for k in (1, 2, 4)]),
                "w": (1.0, [rates(case, V_CELLS, W_CELLS * k, STEPS) for k in (1, 2, 4)])}
            for name, (expected, values) in ladders.items():
                with self.subTest(case=case.key, order=name):
                    self.assertLess(abs(order(values) - expected), 0.25)

    def test_finds_what_engram_finds(self):
        """The errors of the three orders, extrapolated away, leave Engram's result."""
        v_cells, w_cells, steps = 2 * V_CELLS, 2 * W_CELLS, STEPS
        for case in cases.chosen(field_program.CASES):
            with self.subTest(case=case.key):
                exact = reference_rates(case)
                found = rates(case, v_cells, w_cells, steps)
                extrapolated = 3.0 * found + (found - rates(case, v_cells // 2, w_cells, steps)) \
                    / 3.0 - rates(case, v_cells, w_cells // 2, steps) \
                    - rates(case, v_cells, w_cells, steps // 2)
                self.assertLess(numpy.abs(found - exact).max(), 5e-3 * exact.max())
                self.assertLess(numpy.abs(extrapolated - exact).max(), 1e-4 * exact.max())

    def test_mass_and_counts(self):
        """Mass stays, refractory neurons included; a run says what it solved."""
        case, = cases.chosen(["family"])
        program = field_program.Program(case.all_options(), V_CELLS, W_CELLS)
        grid = program.grid
        work, density = numpy.empty((3, grid.nodes)), program.initial.copy()
        density[:, grid.nodes] = 0.1
        before = density.sum(axis=1)
        field_program.solve(density, numpy.empty(grid.cells), grid.w, grid.v[0] + 0.5 * grid.h,
                            grid.h, 1.1, 0.05, grid.reset, program.tau, work)
        numpy.testing.assert_allclose(density.sum(axis=1), before, rtol=1e-12)
        self.assertGreaterEqual(density.min(), 0.0)
        result = program.run(10, [case.end])
        self.assertEqual(result.cell_solves, 10 * W_CELLS * (V_CELLS - 1))
        self.assertGreater(result.seconds, 0.0)

    def test_command(self):
        process = subprocess.run(
            [engram_test.PYTHON, engram_test.SOURCE / "tools/benchmark/field_program.py", "fast",
             "--v-cells", "60", "--w-cells", "20", "--steps", "40"],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stdout.count(" N = "), 8)


if __name__ == "__main__":
    engram_test.main()
