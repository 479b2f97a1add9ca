"""tools/sweep.py: grids of options, going on with them, their table and pictures, SLURM arrays."""

import csv
import os
import re
import signal
import subprocess
import time

import engram_test

# Stand for commands of SLURM: they note their words, and answer.
COMMANDS = {
    "sbatch": '#!/bin/bash\nprintf "%s\\n" "$@" >>submitted\necho "${SBATCH_ANSWER:-4711}"\n'
              'exit "${SBATCH_CODE:-0}"\n',
    "squeue": '#!/bin/bash\necho "$QUEUE"\n',
    "scontrol": '#!/bin/bash\necho "$*" >>requests\n',
}


class SweepTestCase(engram_test.EngramTestCase):
    """Sweeps in the test's folder."""

    def setUp(self):
        super().setUp()
        self.write_case()

    def command(self, *words):
        """The words of a sweep into the folder sweep."""
        return [engram_test.PYTHON, "-B", str(engram_test.SOURCE / "tools" / "sweep.py"),
                "case.yaml", "--output", "sweep", "--program", str(engram_test.PROGRAM),
                *map(str, words)]

    def sweep(self, *words, expect=0, **environment):
        """Runs sweep.py and checks its exit code."""
        # Pictures take longer than these runs.
        words = words if "--plot" in words else (*words, "--plot", "")
        process = subprocess.run(self.command(*words), cwd=self.folder, text=True, check=False,
                                 capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
                                 env={**os.environ, **environment})
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process

    def table(self):
        """The rows of sweep.csv."""
        with open(self.folder / "sweep" / "sweep.csv", newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def assert_refused(self, message, *words):
        """One line on stderr, and nothing started."""
        process = self.sweep(*words, expect=2)
        self.assertIn(f"sweep.py: error: {message}", process.stderr)
        self.assertEqual(len(process.stderr.splitlines()), 1)
        self.assertFalse((self.folder / "sweep" / "logs").exists())

    def change_times(self):
        """When each file of the runs was written."""
        return {path: path.stat().st_mtime_ns for path in self.folder.glob("sweep/model*/*")}


class Running(SweepTestCase):
    """Local processes."""

    def test_table_and_pictures(self):
        text = self.sweep("--vary", "model_noise=0.8,1", "--vary", "model_input=0:1:3",
                          "--plot", "total_rate,mean_weight").stdout
        self.assertIn("6 points: 6 done; 6 run now", text)
        rows = self.table()
        self.assertEqual([(row["model_noise"], row["model_input"]) for row in rows],
                         [(noise, current) for noise in ("0.8", "1")
                          for current in ("0", "0.5", "1")])
        alone = self.run_case(model_noise=0.8, model_input="0.5").yaml("summary.yaml")
        self.assertEqual(rows[1]["status"], "done")
        self.assertEqual(rows[1]["point"], "model_noise_0.8,model_input_0.5")
        for name in ("total_rate", "mean_weight", "steps", "var_weight"):
            self.assertEqual(float(rows[1][name]), alone[name], name)
        for name in ("map_total_rate", "map_mean_weight", "status"):
            for ending in ("png", "pdf"):
                size = (self.folder / "sweep" / f"{name}.{ending}").stat().st_size
                self.assertGreater(size, 5000)

    def test_second_call_runs_nothing_and_a_wider_one_what_is_missing(self):
        self.sweep("--vary", "model_noise=0.8,1")
        before = self.change_times()
        text = self.sweep("--vary", "model_noise=0.8,1.00").stdout
        self.assertIn("model_noise_1.00: done", text)
        text = self.sweep("--vary", "model_noise=0.8,1").stdout
        self.assertIn("2 done; 0 run now", text)
        text = self.sweep("--vary", "model_noise=0.8,1,1.2").stdout
        self.assertIn("3 done; 1 run now", text)
        after = self.change_times()
        self.assertEqual(before, {path: after[path] for path in before})

    def test_parameter_in_braces(self):
        self.sweep("--vary", "middle=0.2,0.6", "--set",
                   "initial_density=exp(-(w - {middle})^2/0.002)*exp(-(v + 1)^2/0.5)", "--set",
                   "model_plasticity=false", "--plot", "mean_weight")
        for row in self.table():
            self.assertAlmostEqual(float(row["mean_weight"]), float(row["middle"]), delta=1e-3)
        self.assertTrue((self.folder / "sweep" / "curves.png").exists())

    def test_failure_of_one_does_not_stop_the_others(self):
        process = self.sweep("--vary", "grid_v_cells=60,61,120", "--processes", 1, expect=1)
        self.assertIn("3 points: 2 done, 1 failed; 3 run now", process.stdout)
        self.assertIn("-grid_v_cells 61: V_R = 1 falls between two nodes", process.stdout)
        self.assertEqual([row["status"] for row in self.table()], ["done", "failed", "done"])
        self.assertEqual(self.table()[1]["total_rate"], "")

    def test_blow_up_is_a_result(self):
        words = ("--vary", "blowup_rate=1e-3,1e4")
        self.assertIn("1 blown up, 1 done; 2 run now", self.sweep(*words).stdout)
        self.assertIn("1 blown up, 1 done; 0 run now", self.sweep(*words).stdout)

    def test_other_options_are_refused_with_the_difference(self):
        self.sweep("--vary", "model_noise=0.8,1")
        before = self.change_times()
        process = self.sweep("--vary", "model_noise=0.8,1", "--set", "time_step=0.005", expect=1)
        self.assertIn("has other options: time_step is 0.01 there, and 0.005 here", process.stdout)
        self.assertIn("2 refused; 0 run now", process.stdout)
        self.assertEqual(before, self.change_times())
        self.sweep("--vary", "model_noise=0.8,1", "--set", "time_step=1e-2", "--set",
                   "output_series_every=2")
        self.sweep("--vary", "model_noise=0.8", "--set", "model_delay=0.0")
        self.write_case(coupling="implicit")
        process = self.sweep("--vary", "model_noise=0.8", expect=1)
        self.assertIn("coupling is auto there, and implicit here", process.stdout)

    def test_option_left_out_of_the_case(self):
        self.sweep("--vary", "model_noise=0.8", "--set", "model_delay=0.5")
        process = self.sweep("--vary", "model_noise=0.8", expect=1)
        self.assertIn("model_delay is 0.5 there, and not given here", process.stdout)

    def test_two_ranks_give_the_same_table(self):
        self.sweep("--vary", "model_noise=0.8")
        alone = self.table()[0]["total_rate"]
        (self.folder / "sweep").rename(self.folder / "alone")
        self.sweep("--vary", "model_noise=0.8", "--ranks", 2)
        self.assertEqual(self.table()[0]["total_rate"], alone)
        self.assertEqual(self.table()[0]["ranks"], "2")

    def test_ranks_that_cannot_be(self):
        process = self.sweep("--vary", "grid_w_cells=1", "--ranks", 2, expect=1)
        self.assertIn("fewer cells than the 2 ranks", process.stdout)


class Interrupted(SweepTestCase):
    """Points that did not come to their end."""

    # Long enough to be struck.
    STEPS = 15000
    LONG = ("--vary", "model_noise=0.8,1", "--set", "time_end=3",
            "--set", f"time_step={3 / STEPS:g}", "--set", "time_scheme=euler",
            "--set", "time_start=plain",
            "--set", "checkpoint_every=0.05", "--set", "output_series_every=1000")

    def start(self):
        """A sweep whose first point has written a checkpoint."""
        process = subprocess.Popen(self.command(*self.LONG, "--processes", 1, "--plot", ""),
                                   cwd=self.folder, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        checkpoints = self.folder / "sweep" / "model_noise_0.8" / "checkpoints"
        while not list(checkpoints.glob("*.h5")) and process.poll() is None:
            time.sleep(0.01)
        return process

    def assert_goes_on(self):
        """The same command finishes both points, and the first from its checkpoint."""
        text = self.sweep(*self.LONG).stdout
        self.assertIn("2 done; 2 run now", text)
        log = (self.folder / "sweep" / "logs" / "model_noise_0.8.log").read_text(encoding="utf-8")
        self.assertRegex(log, r"(?i)restart|goes on|going on|continu")
        self.assertEqual([row["steps"] for row in self.table()], [str(self.STEPS)] * 2)

    def test_interrupted_sweep_goes_on(self):
        process = self.start()
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 85, text)
        self.assertIn("1 interrupted, 1 missing", text)
        self.assert_goes_on()

    def test_killed_point_goes_on(self):
        process = self.start()
        run = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True,
                             check=True).stdout.split()[0]
        os.kill(int(run), signal.SIGKILL)
        text = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 1, text)
        self.assertIn("model_noise_0.8: failed (killed by SIGKILL", text)
        self.assertEqual([row["status"] for row in self.table()], ["failed", "done"])
        self.assertIn("2 done; 1 run now", self.sweep(*self.LONG).stdout)


class Slurm(SweepTestCase):
    """Arrays, with commands that stand for those of SLURM."""

    def setUp(self):
        super().setUp()
        (self.folder / "bin").mkdir()
        for name, text in COMMANDS.items():
            path = self.folder / "bin" / name
            path.write_text(text, encoding="ascii")
            path.chmod(0o755)
        self.path = f"{self.folder / 'bin'}:{os.environ['PATH']}"

    def test_submitted_run_and_collected(self):
        words = ("--vary", "model_noise=0.8,1,1.2", "--set", "model_input=1 + 0.3*sin(6*w)")
        self.sweep(*words[:1], "model_noise=1", *words[2:])
        text = self.sweep(*words, "--slurm", "--ranks", 2, "--sbatch", "--time=5 -p short",
                          PATH=self.path).stdout
        self.assertIn("submitted job 4711 with 2 tasks", text)
        self.assertIn("--collect", text)
        submitted = (self.folder / "submitted").read_text(encoding="ascii").split("\n")
        self.assertEqual(submitted[:-1], ["--parsable", "--array=0-1", "--time=5", "-p", "short",
                                          "sweep/sweep.sbatch"])
        self.assertIn("#SBATCH --ntasks=2",
                      (self.folder / "sweep" / "sweep.sbatch").read_text(encoding="utf-8"))
        self.sweep(*words, "--collect", expect=85)
        for task in range(2):
            subprocess.run(["bash", "sweep/sweep.sbatch"], cwd=self.folder, check=True,
                           capture_output=True, stdin=subprocess.DEVNULL,
                           env={**os.environ, "SLURM_ARRAY_TASK_ID": str(task),
                                "LAUNCHER": "mpirun -n 2"})
        self.assertIn("3 done; 0 run now", self.sweep(*words, "--collect").stdout)
        self.assertEqual([row["ranks"] for row in self.table()], ["2", "1", "2"])

    def test_not_submitted_twice(self):
        words = ("--vary", "model_noise=0.8", "--slurm")
        self.sweep(*words, PATH=self.path)
        process = self.sweep(*words, PATH=self.path, QUEUE="4711_0 RUNNING", expect=2)
        self.assertIn("job 4711 of this sweep has tasks in the queue", process.stderr)
        self.sweep(*words, PATH=self.path)

    def test_refusals(self):
        words = ("--vary", "model_noise=0.8", "--slurm")
        process = self.sweep(*words, PATH=self.path, SBATCH_CODE="1", expect=2)
        self.assertIn("--slurm: sbatch --parsable --array=0-0 sweep/sweep.sbatch: 4711",
                      process.stderr)
        process = self.sweep(*words, PATH="/nowhere", expect=2)
        self.assertIn("sbatch: No such file or directory; without SLURM leave --slurm out",
                      process.stderr)

    def test_task_that_needs_more_time_is_requeued(self):
        self.sweep("--vary", "model_noise=0.8", "--slurm", PATH=self.path)
        for code, expected in ((85, 85), (3, 0), (2, 2)):
            (self.folder / "bin" / "launcher").write_text(f"#!/bin/bash\nexit {code}\n")
            (self.folder / "bin" / "launcher").chmod(0o755)
            process = subprocess.run(["bash", "sweep/sweep.sbatch"], cwd=self.folder, check=False,
                                     capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                     env={**os.environ, "SLURM_ARRAY_TASK_ID": "0",
                                          "SLURM_JOB_ID": "42", "PATH": self.path,
                                          "LAUNCHER": "launcher"})
            self.assertEqual(process.returncode, expected, process.stderr)
        self.assertEqual((self.folder / "requests").read_text(encoding="ascii"), "requeue 42\n")


class Messages(SweepTestCase):
    """What is said of input that makes no sense."""

    def test_refusals(self):
        for words, message in (
                (["--vary", "model_noise"], "--vary model_noise: not of the form OPTION=VALUE"),
                (["--vary", "model_noise=1,,2"], "--vary model_noise=1,,2: there is an empty"),
                (["--vary", "model_noise=0.5:1.5:0.25"], "--vary model_noise=0.5:1.5:0.25: "
                 "0.5:1.5:0.25 is not understood: a range is FROM:TO:COUNT, with a whole number of "
                 "values; steps of 0.25 are 0.5:1.5:5"),
                (["--vary", "model_noise=2:1:-0.5"], "--vary model_noise=2:1:-0.5: 2:1:-0.5 is not "
                 "understood: a range is FROM:TO:COUNT, with a whole number of values; steps of "
                 "-0.5 are 2:1:3"),
                (["--vary", "model_noise=0.5:1.5"], "--vary model_noise=0.5:1.5: 0.5:1.5 is not "
                 "understood"),
                (["--vary", "model_noise=1,1:2:3:4"], "--vary model_noise=1,1:2:3:4: 1:2:3:4 is "
                 "not understood"),
                (["--vary", "model_noise=1:two:3"], "--vary model_noise=1:two:3: 1:two:3 is not"),
                (["--vary", "model_noise=1,1.0"], "--vary model_noise=1,1.0: a value is there"),
                (["--vary", "model_noise=1:2:1"], "--vary model_noise=1:2:1: FROM:TO:COUNT wants"),
                (["--vary", "model_noise=1", "--vary", "model_noise=2"], "--vary: the same option"),
                (["--vary", "a=1", "--set", "model_input={b}"], "--set model_input={b}: nothing of "
                 "the name 'b' is varied; there is a"),
                (["--vary", "model_noise=1", "--set", "model_noise=2"], "model_noise is varied"),
                (["--vary", "output_dir=a,b"], "output_dir belongs to the sweep"),
                (["--vary", "model_noise=1", "--ranks", "0"], "--ranks 0: must be at least 1"),
                (["--vary", "model_noise=1", "--processes", "-1"], "--processes -1: must be"),
                (["--vary", "model_noise=1", "--sbatch", "-p x"], "--sbatch -p x: needs --slurm"),
                (["--vary", "model_noise=1", "--program", "nothing"], "--program nothing: no such"),
                (["--vary", "model_noise=1", "--collect"], "--output sweep: no such folder")):
            with self.subTest(words=words):
                self.assert_refused(message, *words)

    def test_case_file(self):
        (self.folder / "case.yaml").write_text("a: [1\n", encoding="ascii")
        self.assert_refused("case.yaml: not readable as YAML", "--vary", "model_noise=1")
        (self.folder / "case.yaml").unlink()
        self.assert_refused("case.yaml: no such case file", "--vary", "model_noise=1")

    def test_unknown_column(self):
        process = self.sweep("--vary", "model_noise=1", "--plot", "total_rat", expect=2)
        self.assertIn("--plot total_rat: no such number in sweep.csv; there is", process.stderr)

    def test_foreign_files_stay(self):
        (self.folder / "sweep" / "model_noise_1").mkdir(parents=True)
        mine = self.folder / "sweep" / "model_noise_1" / "mine"
        mine.write_text("mine", encoding="ascii")
        process = self.sweep("--vary", "model_noise=1", expect=1)
        self.assertIn("exists and is no run of engram; move it away", process.stdout)
        self.assertEqual(list(mine.parent.iterdir()), [mine])
        table = self.folder / "sweep" / "sweep.csv"
        table.write_text("mine\n", encoding="ascii")
        process = self.sweep("--vary", "model_noise=2", expect=2)
        self.assertIn("sweep.csv: exists and is no table of this tool", process.stderr)
        self.assertEqual(table.read_text(encoding="ascii"), "mine\n")

    def test_dry_run_writes_nothing(self):
        text = self.sweep("--vary", "model_noise=1:2:3", "--dry-run").stdout
        self.assertIn("3 points: 3 missing; 3 to run", text)
        self.assertIn("-model_noise 1 -output_dir sweep/model_noise_1 -restart auto", text)
        self.assertFalse((self.folder / "sweep").exists())

    def test_dry_run_refuses_what_the_run_would_refuse(self):
        for words, message in (
                (("--vary", "model_nois=1,2"), "did you mean -model_noise?"),
                (("--vary", "model_noise=1", "--set", "model_response=1 +"), "-model_response"),
                (("--vary", "model_noise=1", "--set", "grid_w_cells=1", "--ranks", 2),
                 "fewer cells than the 2 ranks")):
            with self.subTest(words=words):
                process = self.sweep(*words, "--dry-run", expect=1)
                self.assertRegex(process.stdout,
                                 r": refused \(exit code 2: .*" + re.escape(message))
                self.assertIn("refused; 0 to run", process.stdout)
        process = self.sweep("--vary", "grid_v_cells=60,61,120", "--dry-run", expect=1)
        self.assertIn("3 points: 2 missing, 1 refused; 2 to run", process.stdout)
        self.assertIn("grid_v_cells_61: refused (exit code 2: ", process.stdout)
        self.assertFalse((self.folder / "sweep").exists())
        # What is done is not checked again.
        self.sweep("--vary", "grid_v_cells=60")
        text = self.sweep("--vary", "grid_v_cells=60", "--dry-run").stdout
        self.assertIn("1 points: 1 done; 0 to run", text)

    def test_files_and_choices_are_no_ranges(self):
        (self.folder / "in.csv").write_text("w,I\n0,1\n1,2\n", encoding="ascii")
        self.sweep("--vary", "model_input=file:in.csv,w < 0.5 ? 1 : 2,0:1:2", expect=2)
        words = ("--vary", "model_input=file:in.csv,w < 0.5 ? 1 : 2", "--dry-run")
        self.assertIn("2 points: 2 missing; 2 to run", self.sweep(*words).stdout)

    def test_expressions(self):
        words = ("--vary", "model_learning=-w,min(1, w),w < 0.5 ? 1 : 2")
        self.assertIn("3 done; 3 run now", self.sweep(*words).stdout)
        self.assertEqual([row["model_learning"] for row in self.table()],
                         ["-w", "min(1, w)", "w < 0.5 ? 1 : 2"])
        self.assertIn("3 done; 0 run now", self.sweep(*words).stdout)

    def test_help_has_examples(self):
        self.assertIn("examples:", self.sweep("--help").stdout)


if __name__ == "__main__":
    engram_test.main()
