"""Inputs that jump, pulse or are switched off: nothing is passed over, and nothing blows up."""

import re
import sys

import engram_test
import numpy

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import method_of_lines  # noqa: E402

# One frozen weight that excites, at its own pace.
NETWORK = {
    "model_epsilon": 1,
    "model_response": "N",
    "model_plasticity": False,
    "model_v_min": -5,
    "initial_density": "exp(-(v + 1)^2/0.5)",
    "grid_v_cells": 70,
    "grid_v_order": 2,
    "grid_w_min": 0.5,
    "grid_w_max": 0.5,
    "grid_w_cells": 1,
    "time_step": None,
}

# Expressions of the input, the times at which they jump, and the end of the run.
PULSES = (
    ("t > 12 && t < 12.5 ? 20 : 0", (12, 12.5), 14),
    ("t > 1 && t < 1.0001 ? 4000 : 0", (1, 1.0001), 2),
    ("1 + 30*(s >= 3) - 30*(s >= 3.01)", (3, 3.01), 5),
    ("abs(t - 2) < 0.05 ? 15 : 0.5", (1.95, 2.05), 4),
)
SWITCHES = (
    ("t < 2 ? 10 : 0", (2,), 4),
    ("t < 0.5 ? 50 : -3", (0.5,), 1.5),
    ("3*(sin(6*t) > 0)", tuple(numpy.pi / 6 * k for k in range(1, 8)), 4),
    ("4*(cos(t*t) > 0.3)", tuple(numpy.sqrt(abs(2 * numpy.pi * k + sign * numpy.arccos(0.3))) for k, sign in ((0, 1), (1, -1), (1, 1), (2, -1))), 3.5),
)
# Tables as times and values, and the same as an expression.
TABLES = (
    (((0, 0), (12, 0), (12.001, 20), (12.5, 20), (12.501, 0)),
     "20*min(max((t - 12)/0.001, 0), 1) - 20*min(max((t - 12.5)/0.001, 0), 1)", 14),
    (((0, 1), (1, 1), (1.00001, 4000), (1.0001, 4000), (1.00011, 1)),
     "1 + 3999*min(max((t - 1)/0.00001, 0), 1) - 3999*min(max((t - 1.0001)/0.00001, 0), 1)", 2),
    (((0, 10), (2, 10), (2.0005, 0)), "10 - 10*min(max((t - 2)/0.0005, 0), 1)", 4),
)

# Inputs, and when a plain step of 0.1 first passes over what they do; None where none does.
PASSED_OVER = (
    ("abs(t - 0.5) < 0.01 ? 9 : 1", 0.49),
    ("(t > 0.32 && t < 0.33) ? 9 : 1", 0.32),
    ("t < 0.55 ? 2 : 0", 0.55),
    ("sin(6*t) > 0.5", numpy.pi / 36),
    ("1 + rint(1.7*t)", 0.5 / 1.7),
    ("1 + w*(cos(t*t) > 0.8 ? 1 : 0)", numpy.sqrt(numpy.arccos(0.8))),
    ("abs(t - 0.5) < 0.2 ? 9 : 1", None),
    ("1 + 0.2*rint(10*t + 0.5)", None),
    ("1 + sin(6*t) + abs(t - 0.55)", None),
)

TOLERANCE = 1e-4

# What the user guide shows.
PROTOCOL = {
    "transport_order": 1,
    "model_input": "1 + 0.3*sin(6*w)",
    "initial_density": "exp(-(w - 0.3)^2/0.02) * exp(-v^2/0.5)",
    "protocol_phases": "learn,rest,same,other",
    "phase_learn_duration": 5,
    "phase_rest_duration": 1,
    "phase_rest_input": "0",
    "phase_rest_plasticity": False,
    "phase_same_duration": 1,
    "phase_same_plasticity": False,
    "phase_same_initial": "reset",
    "phase_other_duration": 1,
    "phase_other_input": "1 - 0.3*sin(6*w)",
    "phase_other_plasticity": False,
    "phase_other_initial": "reset",
    "grid_v_cells": 120,
    "grid_w_cells": 64,
    "time_end": None,
    "time_step": None,
}


class InputJumps(engram_test.EngramTestCase):
    """Every step of a run against an independent program."""

    def check(self, given, expression, jumps, end):
        """The rate after each step, the peak among them, is within the promise."""
        options = dict(NETWORK, model_input=given, time_end=end)
        series = self.run_case(options, time_tolerance=TOLERANCE).series()
        known = method_of_lines.solve({**engram_test.SMALL_CASE, **NETWORK, "time_end": end,
                                       "model_input": expression},
                                      series["time"][1:], jumps, rtol=1e-8, atol=1e-12)
        found, exact = numpy.array(series["total_rate"][1:]), numpy.array(known.total_rate)
        self.assertLess((numpy.abs(found - exact) / (exact + 0.02)).max(), 3 * TOLERANCE)
        self.assertAlmostEqual(found.max() / exact.max(), 1.0, delta=3 * TOLERANCE)
        self.assertGreater(exact.max(), 2 * exact[-1])

    def test_pulses(self):
        for expression, jumps, end in PULSES:
            with self.subTest(input=expression):
                self.check(expression, expression, jumps, end)

    def test_switches(self):
        for expression, jumps, end in SWITCHES:
            with self.subTest(input=expression):
                options = dict(NETWORK, model_input=expression, time_end=end,
                               output_series_interval=end / 37)
                series = self.run_case(options, time_tolerance=TOLERANCE).series()
                known = method_of_lines.solve({**engram_test.SMALL_CASE, **options},
                                              series["time"][1:], jumps, rtol=1e-8, atol=1e-12)
                found, exact = numpy.array(series["total_rate"][1:]), numpy.array(known.total_rate)
                error = numpy.abs(found - exact) / (exact + 0.02)
                self.assertLess(error.max(), 3 * TOLERANCE)

    def test_tables(self):
        for rows, expression, end in TABLES:
            with self.subTest(table=rows):
                path = self.folder / "input.csv"
                path.write_text("t,w,I\n" + "".join(f"{time!r},0,{value!r}\n"
                                                    for time, value in rows), encoding="ascii")
                self.check(f"file:{path}", expression, [time for time, _ in rows[1:]], end)

    def test_protocol(self):
        """Phases end inputs: every tolerance comes through, to the same end."""
        for tolerance in (1e-3, 1e-5):
            with self.subTest(tolerance=tolerance):
                series = self.run_case(PROTOCOL, time_tolerance=tolerance).series()
                self.assertAlmostEqual(series["total_rate"][-1], 0.61824, delta=2e-5)

    def test_plain_steps_tell(self):
        """One warning with the time of the first jump that plain steps pass over; else none."""
        for given, time in PASSED_OVER:
            with self.subTest(input=given):
                result = self.run_case(NETWORK, model_input=given, time_end=1, time_step=0.1,
                                       time_start="plain")
                told = re.findall(r"warning: .* passes over .* at t = ([0-9.]+);", result.stderr)
                self.assertEqual(len(told), 0 if time is None else 1, result.stderr)
                for found in told:
                    self.assertAlmostEqual(float(found), time, delta=1e-9)

    def test_coarse_grids(self):
        """Coarse cells are an error of the rate, and no blow-up."""
        for cells in (7, 14, 28):
            for expression in ("t < 2 ? 10 : 0", "t < 2 ? 200 : 0", "t > 1 ? 100 : -5"):
                with self.subTest(cells=cells, input=expression):
                    result = self.run_case(NETWORK, grid_v_cells=cells, model_input=expression,
                                           time_end=3)
                    self.assertEqual(result.series()["time"][-1], 3.0)


if __name__ == "__main__":
    engram_test.main()
