"""-estimate_error: what a run says of its own error, beside the error that it has."""

import pathlib
import re
import signal
import subprocess
import threading

import engram_test

# Adaptive steps; every difference of grids is seen at the rows.
BASE = {"time_step": None, "time_end": 0.6, "output_series_interval": 0.02, "transport_order": 2,
        "grid_w_cells": 40}

FRONT = {"model_epsilon": 0, "initial_density": "exp(-(w - 0.2)^2/0.005)", "time_end": 1,
         "grid_w_cells": 48}

# One weight: the grid of v alone is coarsened.
SINGLE = {"model_epsilon": 1, "model_response": "N", "model_plasticity": "false",
          "grid_w_min": -4, "grid_w_max": -4, "grid_w_cells": 1, "time_end": 4,
          "initial_density": "exp(-(v + 1)^2/0.4)"}

CASES = {
    "smooth learning": {},
    "first order in w": {"transport_order": 1, "grid_w_cells": 64},
    "fifth order in w": {"transport_order": 5},
    "front at fifth order": {**FRONT, "transport_order": 5},
    "second order in v": {"grid_v_order": 2},
    "delay": {"model_delay": 0.5},
    "delay of one weight": {**SINGLE, "model_delay": 1},
    "refractory neurons": {"model_refractory": 0.5},
    "limit model": {"model_epsilon": 0, "initial_density": "exp(-(w - 0.3)^2/0.02)"},
    "front": FRONT,
    "graded fixed steps": {"time_step": 0.02, "output_series_interval": 0},
    "plain fixed steps of first order": {"time_step": 0.005, "output_series_interval": 0,
                                         "time_scheme": "euler", "time_start": "plain"},
    "phases": {"protocol_phases": "learn,rest", "phase_learn_duration": 0.3,
               "phase_rest_duration": 0.3, "phase_rest_plasticity": "false",
               "phase_rest_input": "2", "time_end": None},
}

# The true error may be this part of the estimate, or of the forecast, and that many times as large.
LEAST, LEAST_OF_FORECAST, MOST = 0.2, 0.1, 3.0


class ErrorEstimate(engram_test.EngramTestCase):
    """Runs with the option, and without it on finer grids."""

    def options(self, changes):
        """The case, with values as the file has them."""
        return {**BASE, **changes}

    def run_estimated(self, changes, ranks=0, expect=0, extra=()):
        """A run with an estimate, and its summary."""
        result = self.run_case(self.options(changes), ranks=ranks, expect=expect,
                               extra=("-estimate_error", *extra))
        return result, result.yaml("summary.yaml")

    def true_error(self, options, series):
        """Largest difference to a run on 4 times the cells with tight steps, relative."""
        fine = dict(options)
        fine["grid_v_cells"] = 4 * fine.get("grid_v_cells", engram_test.SMALL_CASE["grid_v_cells"])
        fine["grid_w_cells"] *= 4 if fine["grid_w_cells"] > 1 else 1
        if fine["time_step"]:
            fine["time_step"] /= 16 if "time_scheme" in fine else 4
        else:
            fine["time_tolerance"] = 1e-6
        known = self.run_case(fine).series()
        rates = {round(time, 9): rate for time, rate in zip(known["time"], known["total_rate"])}
        common = [(rate, rates[round(time, 9)])
                  for time, rate in zip(series["time"], series["total_rate"])
                  if time > 0.0 and round(time, 9) in rates]
        self.assertGreater(len(common), 10)
        return max(abs(a - b) for a, b in common) / max(a for a, _ in common)

    def forecast(self, changes, ranks=0):
        """The line of a dry run, and its number."""
        process = self.execute([self.write_case(self.options(changes)), "-dry_run",
                                "-estimate_error"], ranks=ranks)
        self.assertEqual(process.returncode, 0, process.stderr)
        line = re.search(r"^error: +(.*)$", process.stdout, re.MULTILINE)[1]
        number = re.search(r"off by about (\S+) of", line)
        return line, float(number[1]) if number else None

    def test_estimate_and_forecast_against_the_error(self):
        for name, changes in CASES.items():
            with self.subTest(name=name):
                result, summary = self.run_estimated(changes)
                error = self.true_error(self.options(changes), result.series())
                _, forecast = self.forecast(changes)
                for estimate, least in ((summary["error_estimate"], LEAST),
                                        (forecast, LEAST_OF_FORECAST)):
                    self.assertGreater(error, least * estimate)
                    self.assertLess(error, MOST * estimate)
                self.assertGreaterEqual(summary["error_estimate_difference"], 0.0)
                self.assertIn("Nbar is off by about", result.stderr)

    def test_run_is_the_same_without_it(self):
        plain = self.run_case(self.options({}))
        estimated, summary = self.run_estimated({})
        for name in ("series.csv", "summary.yaml"):
            texts = [(run.folder / name).read_text(encoding="utf-8") for run in (plain, estimated)]
            if name == "series.csv":
                self.assertEqual(*texts)
            else:
                self.assertNotIn("error_estimate", texts[0])
        self.assertNotIn("estimate_error", (estimated.folder / "case.yaml").read_text())
        self.assertEqual(sorted(path.name for path in plain.folder.iterdir()),
                         sorted(path.name for path in estimated.folder.iterdir()))
        self.assertEqual(summary["error_estimate_cells"], "42 x 20")

    def test_ranks(self):
        """The same numbers, and more ranks than cells of the coarsest grid."""
        lines = []
        for ranks in (1, 3):
            result, summary = self.run_estimated({}, ranks=ranks)
            text = re.search(r"Nbar is off by .*", result.stderr)[0]
            lines.append([text, self.forecast({}, ranks=ranks)[0], *(
                summary["error_estimate" + end] for end in ("", "_difference", "_cells"))])
        self.assertEqual(*lines)
        changes = {"grid_w_cells": 20, "time_end": 0.2}
        result, summary = self.run_estimated(changes, ranks=6)
        self.check_unknown(result, summary, "5 cells of w, fewer than the 6 ranks", begins=True)

    def check_unknown(self, result, summary, reason, begins=False):
        """No number anywhere, and the reason everywhere; where it is known before, at once."""
        self.assertEqual(summary["error_estimate"], "unknown")
        self.assertIn(reason, summary["error_estimate_reason"])
        self.assertIn("engram: the error is unknown: ", result.stderr)
        self.assertIn(reason, result.stderr.splitlines()[-1 if summary["status"] == "done" else -2])
        if begins:
            self.assertTrue(result.stderr.startswith("engram: no estimate of the error: "))
            self.assertNotIn("for the estimate of the error", result.stderr)

    def test_grids_that_cannot_be_coarsened(self):
        for changes, reason in (
                ({"grid_w_cells": 12}, "-grid_w_cells 12: the coarsest grid would have 3 cells"),
                ({"grid_w_cells": 24, "transport_order": 5}, "7 cells of w, and needs 8"),
                ({"grid_v_cells": 12}, "-grid_v_cells 12: no coarser count"),
                ({"time_step": 0.2, "time_end": 0.6}, "3 fixed steps are too few")):
            with self.subTest(reason=reason):
                result, summary = self.run_estimated({"time_end": 0.2, **changes})
                self.check_unknown(result, summary, reason, begins=True)
                self.assertNotIn("error_estimate_difference", summary)
                self.assertIn(reason, self.forecast({"time_end": 0.2, **changes})[0])

    def test_no_convergence(self):
        result, summary = self.run_estimated({"transport_order": 1, "model_refractory": 0.5,
                                              "time_end": 1})
        self.check_unknown(result, summary, "no convergence")
        self.assertGreater(summary["error_estimate_difference"], 1e-3)

    def test_blow_up(self):
        changes = {**SINGLE, "grid_w_min": 3, "grid_w_max": 3}
        result, summary = self.run_estimated(changes, expect=3)
        self.check_unknown(result, summary, "blow-up")
        # Warnings are those of the run itself.
        self.assertEqual(result.stderr.count("engram: warning: stopped after"), 1)
        self.assertLessEqual(result.stderr.count("engram: warning"), 2)
        self.assertIn("blow-up", self.forecast(changes)[0])

    def test_case_without_a_meaning_on_the_coarse_grid(self):
        """A density that only the fine grid sees: no error of the run."""
        changes = {"initial_density": "(abs(w - 0.5125) < 0.001 ? 1 : 0)*exp(-(v + 1)^2/0.5)",
                   "time_end": 0.2}
        result, summary = self.run_estimated(changes)
        self.check_unknown(result, summary, "on 42 x 20 cells (v x w) has failed: ")
        self.assertIn(": -initial_density", summary["error_estimate_reason"])
        self.assertNotIn("engram: error", result.stderr)

    def test_refusals(self):
        for changes, extra, words in (
                ({}, ["-steady"], "-estimate_error: compares runs in time, and -steady is none"),
                ({"model_plasticity": "false"}, ["-steady_sweep", "grid_w_max:1:2:3"],
                 "-steady is none"),
                ({"output_series_interval": 0}, [], "give -output_series_interval, for instance "
                 "0.006"),
                ({}, ["-estimate_error", "2"], "-estimate_error 2: must be true or false")):
            with self.subTest(words=words):
                case = self.write_case(self.options(changes))
                process = self.execute([case, "-estimate_error", *extra])
                self.assertEqual(process.returncode, 2, process.stderr)
                self.assertIn(words, process.stderr)
                self.assertEqual(process.stderr.count("\n"), 1)

    def test_dry_run_says_how(self):
        process = self.execute([self.write_case(BASE), "-dry_run"])
        self.assertRegex(process.stdout, "error: +not estimated; -estimate_error forecasts it")
        self.forecast({})
        self.assertEqual([path.name for path in pathlib.Path(self.folder).iterdir()], ["case.yaml"])

    def test_signal_during_the_coarse_runs(self):
        """It ends them at once, leaves a checkpoint of the beginning, and the run goes on there."""
        case = self.write_case(self.options({"grid_v_cells": 600, "grid_w_cells": 800,
                                             "time_end": 20}))
        words = [case, "-estimate_error", "-output_dir", self.folder / "output", "-restart", "auto"]
        with subprocess.Popen([str(word) for word in (engram_test.PROGRAM, *words)], text=True,
                              cwd=self.folder, stderr=subprocess.PIPE) as process:
            guard = threading.Timer(60, process.kill)
            guard.start()
            for line in process.stderr:
                if "for the estimate of the error" in line:
                    process.send_signal(signal.SIGTERM)
                    break
            rest = process.stderr.read()
            process.wait()
            guard.cancel()
        self.assertEqual(process.returncode, 85, rest)
        self.assertIn("a signal, or the end of the wall time", rest)
        self.assertIn("leaving on signal TERM", rest)
        checkpoints = [path.name for path in (self.folder / "output/checkpoints").iterdir()]
        self.assertEqual(checkpoints, ["checkpoint_000000000000.h5"])
        again = self.execute([*words, "-time_end", "1e-4", "-output_series_interval", "1e-5"])
        self.assertEqual(again.returncode, 0, again.stderr)
        summary = (self.folder / "output/summary.yaml").read_text(encoding="utf-8")
        self.assertIn("error_estimate: unknown", summary)
        self.assertIn("goes on from a checkpoint", summary)


if __name__ == "__main__":
    engram_test.main()
