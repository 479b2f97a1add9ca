"""What the program prints and how it ends: help, version, dry run, warnings, PETSc's options."""

import math
import os
import re

import h5py

from engram_test import PLAIN_EULER, EngramTestCase, main

# The contract of the command line: option, unit, default; None must be given.
CONTRACT = [
    ("insitu_scripts", "none or FILE[,FILE...]", "none"),
    ("insitu_every", "steps", "1"),
    ("insitu_every_time", "time", "0"),
    ("insitu_backend", "auto, paraview or catalyst", "auto"),
    ("insitu_strict", "true or false", "false"),
    ("insitu_deviation", "true or false", "false"),
    ("insitu_live", "none or HOST:PORT", "none"),
    ("steer_input_factor", "dimensionless", "1"),
    ("checkpoint_every", "time", "0"),
    ("checkpoint_wall", "seconds of wall time", "600"),
    ("checkpoint_dir", "auto or path", "auto"),
    ("checkpoint_keep", "checkpoints", "2"),
    ("walltime", "auto, none or [days-]HH:MM:SS", "auto"),
    ("restart", "none, auto or PATH", "none"),
    ("restart_force", "true or false", "false"),
    ("blowup_rate", "1/reacting time", "1e4"),
    ("model_noise", "expression in Nbar (or N)", "1"),
    ("model_flux", "scharfetter-gummel or harmonic", "scharfetter-gummel"),
    ("model_epsilon", "dimensionless", "0.1"),
    ("model_input", "expression in w, t, s, or file:PATH", "0"),
    ("model_response", "expression in Nbar (or N)", "N"),
    ("model_learning", "expression in w", "1"),
    ("model_drift", "expression in v", "-v"),
    ("model_delay", "reacting time", "0"),
    ("model_refractory", "reacting time", "0"),
    ("model_plasticity", "true or false", "true"),
    ("initial_density", "expression in w, v", None),
    ("initial_quasi_static", "true or false", "false"),
    ("initial_rate", "1/reacting time", "0"),
    ("model_v_threshold", "potential", "2"),
    ("model_v_reset", "potential", "1"),
    ("model_v_min", "potential", "-4"),
    ("grid_v_cells", "cells", "60"),
    ("grid_v_order", "2 or 4", "4"),
    ("grid_w_min", "weight", "0"),
    ("grid_w_max", "weight", "1"),
    ("grid_w_cells", "cells", "256"),
    ("time_end", "time", "0"),
    ("time_step", "time", "0"),
    ("time_scheme", "euler, second-order or third-order", "third-order"),
    ("time_adaptive", "auto, true or false", "auto"),
    ("time_tolerance", "dimensionless", "1e-4"),
    ("time_start", "graded or plain", "graded"),
    ("time_step_min", "time", "0"),
    ("time_step_max", "time", "0"),
    ("transport_time", "explicit or implicit", "explicit"),
    ("transport_order", "auto, 1, 2 or 5", "auto"),
    ("coupling", "auto, lagged or implicit", "auto"),
    ("coupling_tolerance", "dimensionless", "0"),
    ("coupling_iterations", "evaluations", "100"),
    ("coupling_scan", "steps", "0"),
    ("output_dir", "path", "results"),
    ("output_overwrite", "true or false", "false"),
    ("output_series_every", "steps", "1"),
    ("output_series_interval", "time", "0"),
    ("protocol_phases", "none or NAME,NAME,...", "none"),
    ("phase_NAME_duration", "time", None),
    ("phase_NAME_input", "expression in w, t, s, or file:PATH", "that of -model_input"),
    ("phase_NAME_plasticity", "true or false", "that of -model_plasticity"),
    ("phase_NAME_epsilon", "dimensionless", "that of -model_epsilon"),
    ("phase_NAME_initial", "continue or reset", "continue"),
    ("output_fields_every", "time", "0"),
    ("slice_ksp_type", "name of a PETSc KSP", "preonly"),
    ("slice_pc_type", "name of a PETSc PC", "gth"),
    ("slice_ksp_rtol", "dimensionless", "1e-12"),
    ("steady", "true or false", "false"),
    ("steady_sweep", "none or OPTION:from:to:n", "none"),
    ("steady_tolerance", "1/time", "1e-8"),
    ("dry_run", "true or false", "false"),
    ("dry_run_ranks", "ranks", "0"),
    ("estimate_error", "true or false", "false"),
    ("help", "true or false", "false"),
    ("version", "true or false", "false"),
]

EVENTS = ["EngramSlices", "EngramTransprt", "EngramHalo", "EngramRateSum", "EngramObserve",
          "EngramFields"]

# Responses that are fine at first and break off when the network fires more.
BREAKING = ["N > 0.1 ? 0/0 : N", "N > 0.1 ? 1/0 : N", "sqrt(0.1 - N)"]


class TextsTest(EngramTestCase):
    """Help, version and dry run, which write nothing but text."""

    def printed(self, *words, ranks=0):
        """Standard output of a command that succeeds without a message."""
        process = self.execute(words, ranks=ranks)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(process.stderr, "")
        return process.stdout

    def test_help_lists_the_contract_and_nothing_else(self):
        text = self.printed("-help")
        found = re.findall(r"^  -(\S+) +(\S.*)\n +\[(.*); (?:default (.*)|must be given)\]$", text,
                           re.MULTILINE)
        listed = [(name, unit, default or None) for name, _, unit, default in found]
        self.assertEqual(sorted(listed, key=str), sorted(CONTRACT, key=str))
        self.assertEqual(re.findall(r"^ *-(\w+)", text, re.MULTILINE),
                         [name for name, _, _, _ in found])
        self.assertIn("Usage: mpirun -n RANKS engram CASE.yaml", text)
        self.assertIn("Exit codes: 0 done, 1 internal error, 2 bad input, 3 ", text)

    def test_help_has_several_names_and_needs_no_case(self):
        text = self.printed("-help")
        for words in (["-h"], ["--help"], ["absent.yaml", "-help"]):
            self.assertEqual(self.printed(*words), text)
        self.assertEqual(self.printed("-help", ranks=2), text)

    def test_version_names_the_libraries(self):
        text = self.printed("-version")
        self.assertRegex(text, r"^engram \d+\.\d+\.\d+\n")
        for pattern in [r"revision +\S+", r"compiler +\S+ \d+", r"build +\S+", r"kernels +\w+$",
                        r"petsc +.*Version \d+\.\d+\.\d+", r"mpi +\S.*\d+\.\d+", r"hdf5 +\d+\.\d+",
                        r"muparser +\d+\.\d+"]:
            self.assertRegex(text, rf"(?m)^  {pattern}")
        self.assertEqual(self.printed("--version"), text)

    def test_dry_run_prints_the_plan_and_writes_nothing(self):
        case = self.write_case(output_dir="planned")
        text = self.printed(case, "-dry_run")
        for line in [r"grid: +v 60 cells of 0\.1, w 20 cells of 0\.05, 1180 unknowns",
                     r"ranks: +1, 20 cells of w on the first", r"memory: +\d+\.\d MiB .*",
                     r"steps: +10 of 0\.01 to t = 0\.1",
                     r"CFL: +0\.444 at t = 0 \(transport limit 0\.0225;.*",
                     r"rate: +Nbar = 1\.1\d*e-07 at t = 0", r"error: +not estimated; .*",
                     r"slices: +preonly \+ gth",
                     r"output: +about \d+\.\d MiB in planned"]:
            self.assertRegex(text, rf"(?m)^{line}$")
        self.assertEqual(list(self.folder.iterdir()), [case])

    def test_dry_run_on_several_ranks(self):
        text = self.printed(self.write_case(), "-dry_run", ranks=3)
        self.assertRegex(text, r"(?m)^ranks: +3, 7 cells of w on the first$")
        self.assertEqual(text.count("dry run: nothing was written"), 1)

    def test_dry_run_counts_steps(self):
        for end, step, steps in [("0.1", "0.03", 4), ("0.3", "0.1", 3), ("1", "1e-6", 1000000),
                                 ("1", "5", 1), ("1", "1e-10", 10000000000)]:
            with self.subTest(end=end, step=step):
                text = self.printed(self.write_case(time_end=end, time_step=step), "-dry_run")
                self.assertRegex(text, rf"(?m)^steps: +{steps} of ")

    def test_dry_run_foretells_the_size_of_the_output(self):
        options = {"grid_v_cells": 240, "grid_w_cells": 120, "output_fields_every": 0.02}
        text = self.printed(self.write_case(options), "-dry_run")
        foretold = float(re.search(r"output: +about (\S+) MiB", text).group(1)) * 2 ** 20
        result = self.run_case(options)
        written = sum(path.stat().st_size for path in result.folder.iterdir())
        self.assertLess(abs(foretold / written - 1), 0.2)

    def test_dry_run_foretells_the_memory(self):
        text = self.printed(self.write_case(grid_v_cells=480, grid_w_cells=1024), "-dry_run")
        memory = float(re.search(r"memory: +(\S+) MiB", text).group(1))
        density = 479 * 1024 * 8 / 2 ** 20
        self.assertGreater(memory, density)
        self.assertLess(memory, 4 * density)


class PrecedenceTest(EngramTestCase):
    """Where options come from."""

    def test_command_line_wins(self):
        result = self.run_case(extra=["-grid_w_cells", "10", "-model_noise", "2"])
        case = result.yaml("case.yaml")
        self.assertEqual((case["grid_w_cells"], case["model_noise"]), (10, 2))
        self.assertEqual(result.yaml("summary.yaml")["w_cells"], 10)
        same = self.run_case(grid_w_cells=10, model_noise=2)
        self.assertEqual(result.series(), same.series())
        self.assertNotEqual(result.series(), self.run_case().series())

    def test_last_word_wins(self):
        result = self.run_case(extra=["-grid_w_cells", "10", "-grid_w_cells", "12"])
        self.assertEqual(result.yaml("summary.yaml")["w_cells"], 12)

    def test_nested_file_is_the_flat_one(self):
        flat = self.run_case()
        nested = self.folder / "nested.yaml"
        nested.write_text('model: {noise: 1, epsilon: 0.1, input: "1", learning: "1"}\n'
                          "model_response: N/(1 + N)\n"
                          "initial:\n  density: exp(-(w - 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)\n"
                          "grid:\n  v:\n    cells: 60\n  w: {cells: 20}\n"
                          "time:\n  end: 0.1\n  step: 0.01\n", encoding="ascii")
        process = self.execute([nested, "-output_dir", "nested"])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual((self.folder / "nested" / "series.csv").read_bytes(),
                         (flat.folder / "series.csv").read_bytes())
        with h5py.File(self.folder / "nested" / "fields.h5", "r") as file:
            for name, values in flat.fields().items():
                self.assertEqual(file[name][...].tobytes(), values.tobytes(), name)

    def test_overwrite(self):
        first = self.run_case()
        case = self.write_case(time_end=0.05)
        words = [case, "-output_dir", first.folder, "-output_overwrite"]
        self.assertEqual(self.execute(words).returncode, 0)
        self.assertEqual(first.series()["step"], [0, 1, 2, 3, 4, 5])
        self.assertEqual(list(first.fields()["time"]), [0, 0.05])
        self.assertEqual(first.yaml("summary.yaml")["steps"], 5)
        self.assertEqual(self.execute(words + ["no"]).returncode, 2)


class WarningTest(EngramTestCase):
    """The warning that a launcher of another MPI started one-rank runs."""

    def run_under(self, size, ranks=0):
        """Messages of a run with the environment of a launcher."""
        environment = {name: value for name, value in os.environ.items() if name != "PMI_SIZE"}
        environment["PMI_SIZE"] = size
        process = self.execute([self.write_case(), "-output_dir", "output", "-output_overwrite"],
                               ranks=ranks, environment=environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        return [line for line in process.stderr.splitlines() if "warning" in line]

    def test_separate_runs_are_warned_of(self):
        warnings = self.run_under("4")
        self.assertEqual(len(warnings), 1)
        self.assertIn("engram: warning: PMI_SIZE = 4, but this run has one rank: the launcher "
                      "started 4 separate runs", warnings[0])

    def test_proper_runs_are_not(self):
        self.assertEqual(self.run_under("1"), [])
        self.assertEqual(self.run_under("4", ranks=2), [])


class PetscOptionsTest(EngramTestCase):
    """PETSc's own options work."""

    def stdout_with(self, *words, ranks=0):
        """Standard output of a run with these options."""
        result = self.run_case(extra=words, ranks=ranks)
        self.assertNotIn("PETSC ERROR", result.stderr)
        self.assertEqual(result.yaml("summary.yaml")["steps"], 10)
        return result.stdout

    def test_log_view_has_stages_and_events(self):
        text = self.stdout_with("-log_view", "-output_fields_every", "0.05",
                                "-checkpoint_every", "0.05", "-time_scheme", "euler",
                                "-time_start", "plain", "-transport_time", "implicit", ranks=2)
        for stage in ["Engram set-up", "Engram steps", "Engram finish"]:
            self.assertRegex(text, rf"(?m)^ ?\d: +{stage}: ")
        steps = text.split("Event Stage 2: Engram steps")[1].split("--- Event Stage 3")[0]
        for event in EVENTS:
            self.assertRegex(steps, rf"(?m)^{event} +\d+ ")
        calls = int(re.search(r"(?m)^EngramSlices +(\d+) ", steps).group(1))
        self.assertEqual(calls, 10)

    def test_log_view_counts_the_sums_of_a_search(self):
        """Also those that are split by the sign of the weight."""
        for lowest in (0, -1):
            result = self.run_case(extra=["-log_view"], steady=True, model_plasticity=False,
                                   grid_w_min=lowest)
            counts = re.findall(r"(?m)^EngramRateSum +(\d+) ", result.stdout)
            self.assertGreater(int(counts[-1]), 100)

    def test_views_of_the_slice_solver(self):
        text = self.stdout_with("-slice_ksp_view")
        self.assertIn("KSP Object: (slice_)", text)
        self.assertRegex(text, r"PC Object: \(slice_\).*\n +type: gth")

    def test_monitor_of_the_exact_solver(self):
        self.assertIn("KSP Residual norm", self.stdout_with("-slice_ksp_monitor"))

    def test_monitor_of_an_iterative_solver(self):
        text = self.stdout_with("-slice_ksp_monitor", "-slice_ksp_type", "gmres")
        self.assertGreaterEqual(len(re.findall(r"\d+ KSP Residual norm", text)), 20)

    def test_iterative_solver_has_the_same_answer(self):
        exact = self.run_case().series()["total_rate"][-1]
        extra = ["-slice_ksp_type", "gmres", "-slice_pc_type", "lu", "-slice_ksp_max_it", "50"]
        other = self.run_case(extra=extra)
        self.assertIn("slices by gmres + lu", other.stderr)
        self.assertAlmostEqual(other.series()["total_rate"][-1], exact, delta=1e-10)

    def test_no_memory_is_left(self):
        """PETSc counts what was allocated and never freed."""
        for words in ((), ("-slice_ksp_type", "gmres", "-slice_pc_type", "ilu")):
            self.assertNotRegex(self.stdout_with("-malloc_debug", "-malloc_dump", *words), "bytes")
            self.assertNotRegex(self.stdout_with("-malloc_debug", "-malloc_dump", *words, ranks=2),
                                "bytes")

    def test_options_left_finds_none(self):
        self.assertIn("There are no unused options.", self.stdout_with("-options_left"))


class StoppedTest(EngramTestCase):
    """Runs whose state becomes infinite or no number."""

    def check_stopped(self, result, most_steps=9):
        """One message, exit code 3, and results up to the last good step."""
        messages = [line for line in result.stderr.splitlines() if "warning" in line]
        self.assertEqual(len(messages), 1, result.stderr)
        series, fields = result.series(), result.fields()
        self.assertRegex(messages[0], rf"^engram: warning: stopped after t = "
                                      rf"{series['time'][-1]:g}: .*not finite.*{result.folder}")
        self.assertGreaterEqual(len(series["step"]), 4)
        self.assertLessEqual(series["step"][-1], most_steps)
        self.assertLess(series["time"][-1], 0.1)
        for name, values in series.items():
            self.assertTrue(all(map(math.isfinite, values)), name)
        for name, values in fields.items():
            self.assertTrue(all(map(math.isfinite, values.ravel())), name)
        self.assertNotIn("PETSC ERROR", result.stderr)
        return series

    def kept(self, response, most_steps=9, **changes):
        """The last total rate of a run with a response that breaks off, all of it kept."""
        with self.subTest(response=response, changes=changes):
            result = self.run_case(expect=3, model_response=response, output_fields_every=0.02,
                                   **changes)
            series = self.check_stopped(result, most_steps)
            summary = result.yaml("summary.yaml")
            self.assertEqual(summary["status"], "stopped")
            self.assertIn("not finite", summary["reason"])
            self.assertEqual(summary["steps"], series["step"][-1])
            self.assertGreaterEqual(len(result.fields()["time"]), 3)
        return series["total_rate"][-1]

    def test_results_up_to_the_last_good_step_are_kept(self):
        """A lagged step may end where there is no response; an implicit one does not."""
        for response in BREAKING:
            self.assertGreater(self.kept(response, **PLAIN_EULER), 0.1)
            rate = self.kept(response)
            self.assertTrue(0.08 < rate <= 0.1, rate)
            self.assertAlmostEqual(self.kept(response, time_step=None, most_steps=150), 0.1,
                                   delta=1e-6)

    def test_stop_on_several_ranks(self):
        for changes in ({}, PLAIN_EULER):
            self.check_stopped(self.run_case(changes, expect=3, ranks=2,
                                             model_response=BREAKING[0]))

    def test_summary_is_that_of_the_last_good_step(self):
        result = self.run_case(expect=3, model_response=BREAKING[0])
        summary, series = result.yaml("summary.yaml"), result.series()
        self.assertLessEqual({"time", "total_rate"}, set(summary))
        for name in (set(series) & set(summary)) - {"coupling_iterations"}:
            self.assertEqual(float(summary[name]), series[name][-1], name)
        self.assertEqual(summary["coupling_iterations"], sum(series["coupling_iterations"]))
        self.assertNotIn("nan", result.stderr)
        self.assertNotIn("1.8e+308", result.stderr)


if __name__ == "__main__":
    main()
