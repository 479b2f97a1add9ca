"""-restart auto on a run that has ended: its summary says so, whatever checkpoints it has kept."""

import os
import subprocess

import engram_test
from restart_support import LEARNING, STEP, RestartTestCase, main

# Without a checkpoint: the default, for a run of less than ten minutes.
SHORT = {**LEARNING, "checkpoint_every": 0, "time_end": 6 * STEP}

FROZEN = {"model_plasticity": False, "steady": True, "model_input": "0.2"}

ENDED = r"the run in output has reached its end.*: nothing left to do$"


class EndedRunsTest(RestartTestCase):
    """What is left to do is told from summary.yaml and case.yaml."""

    def assert_left_alone(self, place, *words, ranks=0, expect=0, pattern=ENDED):
        """The restart says that nothing is left to do, and does nothing."""
        before = self.everything(place)
        outcome = self.go(place, "-restart", "auto", *words, ranks=ranks, expect=expect)
        self.assert_said(outcome, pattern)
        self.assertNotIn("continuing", outcome.stderr)
        self.assertEqual(self.everything(place), before)

    def assert_refused(self, place, *words, fragments=()):
        """The restart is refused and has changed nothing."""
        before = self.everything(place)
        self.refused(place, "-restart", "auto", *words, fragments=fragments)
        self.assertEqual(self.everything(place), before)

    def finished(self, name="short", options=None, **changes):
        """A place with a run that has ended."""
        place = self.place(name, options or SHORT, **changes)
        self.go(place, expect=(0, 3))
        return place

    def test_without_checkpoints(self):
        place = self.finished()
        self.assertFalse((place.output / "checkpoints").exists())
        for ranks in (0, 2):
            self.assert_left_alone(place, ranks=ranks)
        self.assert_left_alone(place, "-time_end", f"{6 * STEP:.3e}", "-dry_run")
        self.assert_left_alone(place, "-output_series_every", 3, "-checkpoint_keep", 1)

    def test_all_kinds_of_runs(self):
        """Phases, inputs in quotes, steady states; adaptive steps."""
        cases = {
            "protocol": {"time_end": None, "protocol_phases": "a,b", "phase_a_duration": 2 * STEP,
                         "phase_b_duration": 3.5 * STEP, "phase_b_input": "t < 1 ? 1 : 2"},
            "adaptive": {"time_adaptive": True, "coupling": "implicit", "time_tolerance": 0.01},
            "frozen": FROZEN,
            "sweep": {**FROZEN, "steady_sweep": "model_refractory:0.1:0.3:3", "grid_w_cells": 5},
        }
        for name, changes in cases.items():
            with self.subTest(case=name):
                self.assert_left_alone(self.finished(name, **changes))

    def test_with_checkpoints_of_any_kind(self):
        """Damaged ones, early ones, none of the end: the run has ended all the same."""
        place = self.finished("kept", LEARNING, time_end=6 * STEP)
        self.assert_left_alone(place)
        for path in place.checkpoints[2:]:
            path.write_bytes(path.read_bytes()[:-9])
        self.assert_left_alone(place)
        for path in place.checkpoints[2:]:
            path.unlink()
        self.assert_left_alone(place, ranks=2)

    def test_blow_up_without_checkpoints(self):
        """It ends as it has ended, with the same exit code."""
        place = self.finished("blow_up", model_plasticity=False, model_response="N", grid_w_min=2,
                           grid_w_max=4, model_epsilon=0.5, time_end=30, output_fields_every=0)
        self.assertEqual(place.yaml("summary.yaml")["status"], "stopped")
        self.assert_left_alone(place, expect=3, pattern=r"has stopped at t = \S+ \(blow-up: .*\) and "
                                                        r"kept no checkpoint: nothing left to do")

    def test_later_end(self):
        """From the checkpoint, or a clear word that there is none."""
        place = self.finished()
        self.assert_refused(place, "-time_end", 9 * STEP, fragments=[
            "-time_end 0.140625: the run in output has ended at t = 0.09375 and kept no checkpoint",
            "-output_overwrite"])
        self.assert_refused(place, "-time_end", 3 * STEP,
                            fragments=["-time_end 0.046875: .* has ended at t = 0.09375 already"])
        outcome = self.go(place, "-restart", "auto", "-time_end", 9 * STEP, "-output_overwrite")
        self.assertEqual(outcome.series()["step"], list(range(10)))
        kept = self.finished("kept", LEARNING, time_end=6 * STEP)
        outcome = self.go(kept, "-restart", "auto", "-time_end", 9 * STEP)
        self.assert_continued(outcome, 6)

    def test_another_case(self):
        """The results are not those of this case: that is not passed over in silence."""
        place = self.finished()
        for words, line in [(["-model_noise", "2"], "-model_noise 1 there, 2 here"),
                            (["-blowup_rate", "50"], r"-blowup_rate \S+ there, 50 here"),
                            (["-grid_w_cells", "18"], "-grid_w_cells 17 there, 18 here")]:
            with self.subTest(words=words):
                self.assert_refused(place, *words, fragments=[
                    "-restart auto: the run in output has ended, with other options:",
                    rf"(?m)^  {line}$", "-output_overwrite"])
        frozen = self.finished("sweep", **FROZEN, steady_sweep="model_refractory:0.1:0.3:3")
        self.assert_refused(frozen, "-steady_sweep", "model_refractory:0.1:0.3:4",
                            fragments=[r"(?m)^  -steady_sweep \S+:3 there, \S+:4 here$"])

    def test_changed_input_file(self):
        place = self.place("file", SHORT, model_input="file:in.csv")
        (place.path / "in.csv").write_text("w,I\n0,1\n1,2\n", encoding="ascii")
        self.go(place)
        self.assert_left_alone(place)
        (place.path / "in.csv").write_text("w,I\n0,1\n1,3\n", encoding="ascii")
        self.assert_refused(place, fragments=[
            r"(?m)^  -model_input a file with checksum \w+ there, a file with checksum \w+ here$"])

    def test_programs_that_kept_no_checksums(self):
        """A summary without them is taken as it is."""
        place = self.place("file", SHORT, model_input="file:in.csv")
        (place.path / "in.csv").write_text("w,I\n0,1\n1,2\n", encoding="ascii")
        self.go(place)
        summary = place.output / "summary.yaml"
        text = summary.read_text(encoding="utf-8")
        self.assertRegex(text, r'(?m)^files:\n  model_input: "[0-9a-f]{16}"$')
        lines = [line for line in text.splitlines(True)
                 if not line.startswith(("files:", "  model_input:"))]
        summary.write_text("".join(lines), encoding="utf-8")
        self.assert_left_alone(place)


class ResubmittedScriptsTest(RestartTestCase):
    """Job scripts that were submitted again after all, or some, of their runs had ended."""

    def call(self, script, *words, expect=0, **environment):
        """Runs a script as a task or job, without SLURM."""
        scripts = self.folder / "bin"
        scripts.mkdir(exist_ok=True)
        for name in ("sbatch", "scontrol"):
            path = scripts / name
            path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{self.folder}/{name}\n', "ascii")
            path.chmod(0o755)
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith("SLURM_")}
        process = subprocess.run(
            ["bash", engram_test.SOURCE / "jobscripts" / script, *map(str, words)],
            cwd=self.folder, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
            env={**inherited, "ENGRAM": str(engram_test.PROGRAM), "LAUNCHER": "env",
                 "CASE": "case.yaml", "PATH": f"{scripts}:{os.environ['PATH']}",
                 "PYTHON": engram_test.PYTHON, "OUTPUT": "again",
                 "TABLE": str(engram_test.SOURCE / "tools" / "convergence_table.py"),
                 **environment})
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        return process

    def test_arrays(self):
        self.write_case(SHORT)
        resolutions = "-grid_w_cells 8\n-grid_w_cells 16\n-grid_w_cells 32"
        for script, folder, settings in [
                ("sweep.sbatch", "model_noise_", {"OPTION": "model_noise", "VALUES": "0.6 0.8 1"}),
                ("convergence.sbatch", "level-", {"RESOLUTIONS": resolutions})]:
            for job in ("40", "50"):
                for task in range(2 if job == "40" else 3):
                    process = self.call(script, SLURM_ARRAY_JOB_ID=job, SLURM_JOB_ID=f"{job}{task}",
                                        SLURM_ARRAY_TASK_MIN="0", SLURM_ARRAY_TASK_ID=str(task),
                                        **settings)
                    self.assertIn(f"results are in again/{folder}", process.stdout)
                    self.assertEqual("nothing left to do" in process.stderr,
                                     job == "50" and task < 2, process.stderr)
        # Both arrays have had a table ordered, and that of the second has all it needs.
        orders = (self.folder / "sbatch").read_text("ascii").splitlines()
        wraps = [orders[at + 1] for at, word in enumerate(orders) if word == "--wrap"]
        self.assertEqual(len(wraps), 2)
        subprocess.run(["sh", "-c", wraps[1]], cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL)
        self.assertIn("| level-2 | 32 |", (self.folder / "again" / "table.md").read_text("utf-8"))

    def test_chain(self):
        self.write_case(SHORT)
        for is_again in (False, True):
            process = self.call("chain.sbatch", SLURM_JOB_ID="7")
            self.assertIn("results are in again", process.stdout)
            self.assertEqual("nothing left to do" in process.stderr, is_again)
        self.assertFalse((self.folder / "scontrol").exists())

    def test_chain_with_linked_checkpoints(self):
        """The script sees the progress of a run whose checkpoints are elsewhere."""
        self.write_case(LEARNING)
        self.call("chain.sbatch", "-time_end", 4 * STEP, SLURM_JOB_ID="7")
        (self.folder / "scratch").mkdir()
        (self.folder / "again" / "checkpoints").rename(self.folder / "scratch" / "checkpoints")
        (self.folder / "again" / "checkpoints").symlink_to("../scratch/checkpoints")
        process = self.call("chain.sbatch", "-time_end", 1e6, "-walltime", "0:02",
                            "-output_series_every", 100000, "-output_fields_every", 0,
                            "-checkpoint_keep", 2, "-checkpoint_every", 0,
                            SLURM_JOB_ID="7", expect=85)
        self.assertIn("checkpoint written; requeued", process.stdout)
        self.assertEqual((self.folder / "scontrol").read_text("ascii").split(), ["requeue", "7"])


if __name__ == "__main__":
    main()
