"""What adaptive steps promise at all times of the output, against an independent program."""

import dataclasses
import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import runner  # noqa: E402
import time_cases  # noqa: E402
import time_studies  # noqa: E402

# The error that is promised at any output time, in tolerances.
PROMISED = 3.0


class Promise(engram_test.EngramTestCase):
    """Adaptive steps: errors of Nbar and of the mean weight at the times of the series."""

    def check(self, rows):
        """No row of a series is above the promise."""
        for row in rows:
            with self.subTest(case=row["case"], tolerance=row["tolerance"],
                              options=row["options"]):
                self.assertLessEqual(row["error"] / row["tolerance"], PROMISED)

    def test_cases(self):
        """Those that are made to be hard, with all tolerances."""
        rows, _ = time_studies.tolerances(engram_test.PROGRAM)
        self.assertEqual(len(rows), len(time_cases.ADAPTIVE_CASES) * len(time_studies.TOLERANCES))
        self.check(rows)

    def test_random(self):
        """Cases of all parts of the model, each with one tolerance.

        The first of the hundred in docs/verification.md.
        """
        rows, _ = time_studies.random_tolerances(engram_test.PROGRAM, 40)
        self.assertEqual(len(rows), 40)
        self.check(rows)

    def test_rows_at_echoes(self):
        """A row at an echo is the state before it, however the time of the echo is rounded."""
        for delay, interval in ((0.25, 0.125), (0.3, 0.1), (0.45, 0.15)):
            options = dict(time_cases.NOISE_ECHOES.options, model_delay=delay, time_end=0.925)
            case = dataclasses.replace(time_cases.NOISE_ECHOES, options=options)
            with self.subTest(delay=delay):
                run = runner.run(engram_test.PROGRAM, dict(
                    options, time_tolerance=1e-5, output_series_interval=interval))
                known = time_cases.solve((case, run.series["time"][1:], 1e-8))
                self.assertLessEqual(time_studies.error_of(run, known) / 1e-5, PROMISED)


if __name__ == "__main__":
    engram_test.main()
