"""tools/convergence.py: resuming, refusals, questions, and jobs of a cluster."""

import os
import pty
import re
import signal
import subprocess
import time

from convergence_support import SINGLE, TINY, StudyTestCase
from engram_test import PLAIN_EULER, PROGRAM, PYTHON, SOURCE, main

# Stands for sbatch: notes its words, and answers with a number.
SBATCH = '#!/bin/bash\nprintf "%s\\n" "$@" "" >>submitted\n${SBATCH_ANSWER:-echo 4711}\n'


class Resuming(StudyTestCase):
    """What is done is not done again."""

    words = ("--vary", "w", "--levels", "3")

    def times(self):
        """When the summaries of the levels were written."""
        return [path.stat().st_mtime_ns
                for path in sorted(self.folder.glob("study/level-*/summary.yaml"))]

    def test_second_call_runs_nothing(self):
        first = self.study(*self.words, **TINY)
        self.assertEqual(first.stdout.count(": running"), 3)
        times, table = self.times(), (self.folder / "study/convergence.md").read_bytes()
        second = self.study(*self.words, **TINY)
        self.assertNotIn("running", second.stdout)
        self.assertEqual(second.stdout.count("done before"), 3)
        self.assertEqual((self.times(), (self.folder / "study/convergence.md").read_bytes()),
                         (times, table))
        self.call("--collect", "study")
        self.assertEqual(self.times(), times)
        for extension in ("csv", "md", "tex", "png", "pdf"):
            self.assertGreater((self.folder / f"study/convergence.{extension}").stat().st_size, 500)
        tex = (self.folder / "study/convergence.tex").read_text(encoding="utf-8")
        self.assertEqual(tex.count(r"\toprule"), tex.count(r"\bottomrule"))
        self.assertIn(r"12 $\times$ 16 & 0.001 & $", tex)

    def test_missing_level_and_further_level(self):
        self.study(*self.words, **TINY)
        times = self.times()
        subprocess.run(["rm", "-r", self.folder / "study/level-1"], check=True)
        process = self.study("--vary", "w", "--levels", "4", **TINY)
        self.assertEqual(re.findall(r"level (\d): running", process.stdout), ["1", "3"])
        self.assertEqual([self.times()[0], self.times()[2]], [times[0], times[2]])

    def test_interrupted_level_goes_on_from_its_checkpoint(self):
        changes = {**TINY, **PLAIN_EULER, "grid_v_cells": 120, "grid_w_cells": 64, "time_end": 40}
        self.write_case(**changes)
        process = subprocess.Popen(
            [PYTHON, "-B", str(SOURCE / "tools" / "convergence.py"), "case.yaml", "--output",
             "study", "--program", str(PROGRAM), "--vary", "v", "--levels", "2"], text=True,
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        while not (self.folder / "study/level-1/series.csv").exists() and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        text = "".join(process.communicate(timeout=60))
        self.assertEqual(process.returncode, 130, text)
        self.assertIn("interrupted; the same command goes on", text)
        self.assertTrue(list(self.folder.glob("study/level-1/checkpoints/*.h5")), text)
        process = self.study("--vary", "v", "--levels", "2", **changes)
        self.assertNotIn("level 0: running", process.stdout)
        log = (self.folder / "study/level-1.log").read_text(encoding="utf-8")
        self.assertIn("engram: continuing from study/level-1/checkpoints/", log)

    def test_changed_case_is_refused(self):
        self.study(*self.words, **TINY)
        times = self.times()
        self.assert_refused("study: holds a study with model_noise: 1, and the case now has 2",
                            *self.words, "--set", "model_noise=2", **TINY)
        self.assert_refused("study: holds a study with --vary w, not v", "--vary", "v", **TINY)
        self.assert_refused("study with grid_w_cells: 4, and the case now has 8", *self.words,
                            **{**TINY, "grid_w_cells": 8})
        self.assertEqual(self.times(), times)
        self.study(*self.words, **{**TINY, "time_step": "1e-3"})


class Refusals(StudyTestCase):
    """Wrong input, and ladders that are too much."""

    def test_wrong_input(self):
        for words, changes, message in (
                (("--vary", "t"), {"time_step": None}, "--vary t: time_adaptive chooses"),
                (("--vary", "w"), {"time_step": None, "time_adaptive": False}, "no time_step; a"),
                (("--vary", "v"), {"grid_v_cells": 13}, "V_R = 1 falls between two nodes"),
                (("--vary", "w"), {"grid_w_cells": "many"}, "grid_w_cells: many is not a whole"),
                (("--vary", "t"), {"time_adaptive": True}, "--vary t: time_adaptive chooses"),
                (("--vary", "v"), {"steady": True}, "steady: true: steady states have no ladder"),
                (("--vary", "v"), {"model_nois": 1}, "unknown option"),
                (("--vary", "w"), SINGLE, "--vary w: the case has a single weight"),
                (("--vary", "w", "--set", "noise"), {}, "--set noise: give it as OPTION=VALUE"),
                (("--vary", "w", "--set", "restart=auto"), {}, "sets restart by itself"),
                (("--vary", "x"), {}, "invalid choice: 'x'"),
                (("--vary", "w", "--levels", "1"), {}, "1 is not a whole number of at least 2"),
                ((), {}, "give CASE.yaml and --vary"),
                (("--vary", "w", "--ranks", "8"), {}, "fewer cells than the 8 ranks")):
            with self.subTest(message=message):
                self.assert_refused(message, *words, **{**TINY, **changes})
                subprocess.run(["rm", "-rf", self.folder / "study"], check=True)

    def test_folders_of_others(self):
        (self.folder / "study").mkdir()
        (self.folder / "study" / "mine.txt").write_text("mine", encoding="ascii")
        self.assert_refused("study: not empty, and holds no study", "--vary", "w", **TINY)
        self.assertEqual(len(list((self.folder / "study").iterdir())), 1)
        process = self.call("--collect", "study", expect=2)
        self.assertIn("study: holds no study of this tool", process.stderr)
        process = self.call("nowhere.yaml", "--vary", "w", expect=2)
        self.assertIn("nowhere.yaml: no such file", process.stderr)

    def test_blow_up_is_no_level(self):
        self.assert_refused(r"level 0 \(12 x 4 cells, 10 steps\): exit code 3: .*blow-up", "--vary",
                            "w", **TINY, blowup_rate=1e-9)

    def test_hours_want_a_word(self):
        changes = {**TINY, "time_end": 1e7, "grid_w_cells": 64}
        self.assert_refused(r"the rest of the ladder takes about \d+ (h|d) .*; say --yes", "--vary",
                            "w", **changes)
        self.assertFalse((self.folder / "study" / "level-0").exists())
        mine, other = pty.openpty()
        process = subprocess.Popen(
            [PYTHON, "-B", str(SOURCE / "tools" / "convergence.py"), "case.yaml", "--vary", "w",
             "--output", "study", "--program", str(PROGRAM)], cwd=self.folder, stdin=other,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.write(mine, b"n\n")
        texts = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 2, texts)
        self.assertIn("Run it? [y/N]", texts[0])
        self.assertIn("error: not run", texts[1])
        self.assertFalse((self.folder / "study" / "level-0").exists())

    def test_memory(self):
        """The dry run of a stand-in for the program tells of more than there can be."""
        path = self.folder / "engram"
        path.write_text('#!/bin/sh\necho "memory:  900000000 MiB on the first rank"\n',
                        encoding="ascii")
        path.chmod(0o755)
        process = self.call(self.write_case(**TINY), "--vary", "w", "--program", path, expect=2)
        self.assertRegex(process.stderr, r"needs 9000\d+ MiB of memory and \d+ MiB are free; use "
                                         r"fewer --levels")


class Cluster(StudyTestCase):
    """--slurm, with a stand-in for sbatch."""

    def setUp(self):
        super().setUp()
        (self.folder / "bin").mkdir()
        for name, text in (("sbatch", SBATCH), ("scontrol", '#!/bin/sh\necho "$*" >>requests\n')):
            path = self.folder / "bin" / name
            path.write_text(text, encoding="ascii")
            path.chmod(0o755)
        self.environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        self.words = ("--vary", "w", "--levels", "3", "--slurm",
                      "--sbatch-option=--partition=long")

    def jobs(self):
        """The words of each job that was submitted."""
        text = (self.folder / "submitted").read_text(encoding="utf-8")
        return [job.splitlines() for job in text.rstrip("\n").split("\n\n")]

    def task(self, number, launcher="env", expect=0):
        """Runs a task of the array."""
        process = subprocess.run(["bash", "study/ladder.sbatch"], cwd=self.folder, text=True,
                                 capture_output=True, check=False, env={
                                     **os.environ, **self.environment, "LAUNCHER": launcher,
                                     "SLURM_ARRAY_TASK_ID": str(number), "SLURM_JOB_ID": "42"})
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        return process

    def test_array_and_table(self):
        process = self.study(*self.words, environment=self.environment, **TINY)
        self.assertIn("levels 0, 1, 2: job 4711", process.stdout)
        array, table = self.jobs()
        self.assertIn("--array=0,1,2", array)
        self.assertIn("--time=00:10:00", array)
        self.assertEqual(array[-1], "study/ladder.sbatch")
        self.assertIn("--dependency=afterok:4711", table)
        self.assertIn("--kill-on-invalid-dep=yes", table)
        self.assertTrue(all("--partition=long" in job for job in (array, table)))
        for number in range(3):
            self.task(number)
        self.task(7, expect=2)
        subprocess.run(["sh", "-c", table[table.index("--wrap") + 1]], cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL)
        self.assertEqual(self.columns()["w_cells"], ["4", "8", "16"])
        self.study(*self.words, environment=self.environment, **TINY)
        self.assertEqual(len(self.jobs()), 3)
        self.assertFalse([word for word in self.jobs()[2] if "dependency" in word])

    def test_tasks_are_requeued_at_the_limit_only(self):
        self.study(*self.words, environment=self.environment, **TINY)
        for code in (85, 3):
            launcher = self.folder / "bin" / f"leave{code}"
            launcher.write_text(f"#!/bin/sh\nexit {code}\n", encoding="ascii")
            launcher.chmod(0o755)
            self.task(0, launcher=str(launcher), expect=code)
        self.assertEqual((self.folder / "requests").read_text(encoding="ascii"), "requeue 42\n")

    def test_collect_wants_all_levels(self):
        self.study(*self.words, environment=self.environment, **TINY)
        process = self.call("--collect", "study", expect=2)
        self.assertIn("study/level-0: this level is not done", process.stderr)

    def test_no_slurm(self):
        self.assert_refused("sbatch: ", *self.words, environment={
            **self.environment, "SBATCH_ANSWER": "false"}, **TINY)


if __name__ == "__main__":
    main()
