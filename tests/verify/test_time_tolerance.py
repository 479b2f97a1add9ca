"""What adaptive steps promise at all times of the output, against an independent program."""

import dataclasses
import sys

import engram_test
import numpy

import random_cases
import time_cases

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import runner  # noqa: E402

SEED = 20240229
RANDOM_CASES = 100
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)

# The error that is promised at any output time, in tolerances.
PROMISED = 3.0


class Promise(engram_test.EngramTestCase):
    """Adaptive steps: errors of Nbar and of the mean weight at the times of the series."""

    ROWS = 9.7  # No row is at an echo or at a jump.

    def run_series(self, cases, tolerances):
        """The series of each case with its tolerance."""
        return [run.series for run in runner.run_all(engram_test.PROGRAM, [
            dict(case.options, time_tolerance=tolerance,
                 output_series_interval=case.end / self.ROWS)
            for case, tolerance in zip(cases, tolerances)])]

    def check(self, case, tolerance, series, known):
        """No row of a run with this tolerance is above the promise."""
        with self.subTest(case=case.name, tolerance=tolerance, options=case.options):
            self.assertGreater(len(known.times), self.ROWS)
            self.assertLess(numpy.abs(numpy.subtract(series["time"][1:], known.times)).max(), 1e-12)
            for errors in time_cases.promised_errors(series, known):
                self.assertLessEqual(errors.max() / tolerance, PROMISED)

    def test_cases(self):
        """Those that are made to be hard, with all tolerances."""
        cases = time_cases.ADAPTIVE_CASES
        pairs = [(case, tolerance) for case in cases for tolerance in TOLERANCES]
        runs = self.run_series(*zip(*pairs))
        first = runs[::len(TOLERANCES)]
        references = time_cases.solve_all([(case, series["time"][1:], 1e-3 * min(TOLERANCES))
                                           for case, series in zip(cases, first)])
        known = {case.name: reference for case, reference in zip(cases, references)}
        for (case, tolerance), series in zip(pairs, runs):
            self.check(case, tolerance, series, known[case.name])

    def test_rows_at_echoes(self):
        """A row at an echo is the state before it, however the time of the echo is rounded."""
        for delay, interval in ((0.25, 0.125), (0.3, 0.1), (0.45, 0.15)):
            options = dict(time_cases.NOISE_ECHOES.options, model_delay=delay, time_end=0.925)
            case = dataclasses.replace(time_cases.NOISE_ECHOES, options=options)
            with self.subTest(delay=delay):
                series = runner.run(engram_test.PROGRAM, dict(
                    options, time_tolerance=1e-5, output_series_interval=interval)).series
                known = time_cases.solve((case, series["time"][1:], 1e-8))
                for errors in time_cases.promised_errors(series, known):
                    self.assertLessEqual(errors.max() / 1e-5, PROMISED)

    def test_random(self):
        """A hundred cases of all parts of the model, each with one tolerance."""
        cases = random_cases.random_cases(RANDOM_CASES, SEED)
        exponents = numpy.random.default_rng(SEED).uniform(2.0, 5.0, RANDOM_CASES)
        tolerances = [float(f"{10.0 ** -exponent:.2g}") for exponent in exponents]
        runs = self.run_series(cases, tolerances)
        references = time_cases.solve_all([
            (case, series["time"][1:], 1e-3 * tolerance)
            for case, series, tolerance in zip(cases, runs, tolerances)])
        for found in zip(cases, tolerances, runs, references):
            self.check(*found)


if __name__ == "__main__":
    engram_test.main()
