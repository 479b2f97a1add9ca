"""Job scripts run as they are, with launchers and commands that need no scheduler."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import yaml

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools"))
from engram_grid import grid_cases  # noqa: E402

SCRIPTS = engram_test.SOURCE / "jobscripts"

# Stands for launcher and program. It notes its words, and ends as it is told; it counts its
# checkpoints like the program, and leaves on signals like the program.
LAUNCHER = r"""#!/bin/bash
echo "$*" >>calls
while [ "$1" != -output_dir ]; do shift; done
checkpoint() {
    mkdir -p "$output/checkpoints"
    touch "$output/checkpoints/checkpoint_$(wc -l <calls).h5"
}
output=$2
trap 'checkpoint; exit 85' USR1 TERM
case $BEHAVIOUR in
limit) checkpoint; exit 85 ;;
stuck) exit 85 ;;
fail) exit 3 ;;
wait) touch started; while :; do sleep 0.02; done ;;
esac
"""

# Stand for commands of SLURM: they note their words, and answer.
COMMANDS = {
    "scontrol": '#!/bin/bash\necho "$*" >>requests\n',
    "sbatch": '#!/bin/bash\nprintf "%s\\n" "$@" >>submitted\n${SBATCH_ANSWER:-echo 4711}\n',
}


class ScriptsTestCase(engram_test.EngramTestCase):
    """Scripts called from a working folder of their own."""

    def setUp(self):
        super().setUp()
        (self.folder / "bin").mkdir()
        for name, text in {**COMMANDS, "launcher": LAUNCHER}.items():
            path = self.folder / "bin" / name
            path.write_text(text, encoding="ascii")
            path.chmod(0o755)

    def variables(self, launcher, **environment):
        """The environment of a job outside of SLURM."""
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith("SLURM_")}
        return {**inherited, "ENGRAM": str(engram_test.PROGRAM), "LAUNCHER": launcher,
                "CASE": str(engram_test.SOURCE / "input" / "learning.yaml"),
                "PYTHON": engram_test.PYTHON, "OMPI_MCA_odls_base_sigkill_timeout": "1",
                "TABLE": str(engram_test.SOURCE / "tools" / "convergence_table.py"),
                "NAMES": str(engram_test.SOURCE / "tools" / "engram_names.py"),
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "BEHAVIOUR": "done",
                **environment}

    def call(self, script, *words, launcher="mpirun -n 2", expect=0, **environment):
        """Runs a script of jobscripts/, and checks the exit code."""
        process = subprocess.run(["bash", str(SCRIPTS / script), *words], cwd=self.folder,
                                 env=self.variables(launcher, **environment), text=True,
                                 capture_output=True, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        return process

    def pretend(self, script, *words, **settings):
        """Runs a script with the launcher that pretends, as job 42."""
        return self.call(script, *words, launcher="launcher", SLURM_JOB_ID="42", **settings)

    def lines(self, name):
        """Lines of a file that one of the commands has written."""
        path = self.folder / name
        return path.read_text(encoding="ascii").splitlines() if path.exists() else []

    def strike(self, script, *signals, **environment):
        """Sends signals to a script whose program runs, and to it alone."""
        process = subprocess.Popen(
            ["bash", str(SCRIPTS / script)], cwd=self.folder, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            env=self.variables("launcher", BEHAVIOUR="wait", SLURM_JOB_ID="42", **environment))
        while not (self.folder / "started").exists() and process.poll() is None:
            time.sleep(0.01)
        for number in signals:
            process.send_signal(number)
            time.sleep(0.1)
        return process


class AllScripts(ScriptsTestCase):
    """What the scripts have in common."""

    def test_short_and_with_three_places_to_edit(self):
        scripts = sorted(SCRIPTS.glob("*.sbatch"))
        self.assertEqual([path.stem for path in scripts],
                         ["chain", "convergence", "insitu", "run", "sweep"])
        for path in scripts:
            text = path.read_text(encoding="ascii")
            self.assertEqual([text.count(f"edit {number}") for number in range(1, 5)], [1, 1, 1, 0])
            self.assertLess(text.count("\n"), 95 if path.stem == "insitu" else 80, path)
            self.assertLessEqual(max(map(len, text.splitlines())), 100, path)
            self.assertIn("#SBATCH --open-mode=append", text)
            self.assertIn("export OMP_NUM_THREADS=1", text)
            self.assertIn("\n# module load", text)
            subprocess.run(["bash", "-n", path], check=True)

    def test_program_by_the_rule_of_the_tools(self):
        """ENGRAM, ENGRAM_PROGRAM, build/release/engram, PATH; none in the place of a named one."""
        inherited = {"ENGRAM": "", "ENGRAM_PROGRAM": ""}
        built = self.folder / "build" / "release" / "engram"
        for path in (built, self.folder / "bin" / "engram", self.folder / "named"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/bash\n", encoding="ascii")
            path.chmod(0o755)
        for script in ("run.sbatch", "chain.sbatch", "sweep.sbatch", "convergence.sbatch"):
            array = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_MIN": "1",
                     "SLURM_ARRAY_TASK_ID": "1"}
            for variables, program in (
                    ({**inherited, "ENGRAM": "./named", "ENGRAM_PROGRAM": "no"}, "./named"),
                    ({**inherited, "ENGRAM_PROGRAM": "./named"}, "./named"),
                    (inherited, "build/release/engram")):
                self.pretend(script, **array, **variables)
                self.assertEqual(self.lines("calls")[-1].split()[0], program, script)
            built.rename(self.folder / "away")
            self.pretend(script, **array, **inherited)
            self.assertEqual(self.lines("calls")[-1].split()[0], "engram", script)
            (self.folder / "away").rename(built)
            count = len(self.lines("calls"))
            process = self.pretend(script, expect=2, **array, **{**inherited, "ENGRAM": "no"})
            self.assertIn("no no: set ENGRAM to the program", process.stderr)
            self.assertEqual(len(self.lines("calls")), count)

    def test_tasks_want_an_array(self):
        for script in ("sweep.sbatch", "convergence.sbatch"):
            process = self.call(script, launcher="launcher", expect=1)
            self.assertIn("it is an array of jobs", process.stderr)
            self.assertEqual(self.lines("calls"), [])


class RunScript(ScriptsTestCase):
    """run.sbatch."""

    def test_run(self):
        process = self.call("run.sbatch", "-time_end", "0.01", "-grid_w_cells", "16",
                            SLURM_JOB_ID="42")
        self.assertIn("results are in results/learning-42", process.stdout)
        self.assertTrue((self.folder / "results" / "learning-42" / "summary.yaml").exists())

    def test_run_tells_of_failure(self):
        process = self.call("run.sbatch", "-grid_w_cells", "1", expect=2)
        self.assertIn("-grid_w_cells 1: fewer cells than the 2 ranks", process.stderr)
        self.assertNotIn("results are in", process.stdout)

    def test_words_for_the_program(self):
        self.pretend("run.sbatch", "-time_end", "1", OUTPUT="results/old")
        self.assertRegex(self.lines("calls")[0],
                         r"/learning\.yaml -output_dir results/old -restart auto -time_end 1$")

    def test_not_done(self):
        process = self.pretend("run.sbatch", BEHAVIOUR="limit", expect=85)
        self.assertIn("to go on: OUTPUT=results/learning-42 sbatch run.sbatch", process.stdout)
        self.assertEqual(self.lines("requests"), [])


class ChainScript(ScriptsTestCase):
    """chain.sbatch: who is requeued, and who is not."""

    def test_done(self):
        process = self.pretend("chain.sbatch", "-time_end", "1")
        self.assertIn("results are in results/learning-42", process.stdout)
        self.assertRegex(self.lines("calls")[0],
                         r"/learning\.yaml -output_dir results/learning-42 -restart auto "
                         r"-time_end 1$")
        self.assertEqual(self.lines("requests"), [])

    def test_requeued_at_the_limit_again_and_again(self):
        for times in (1, 2):
            self.pretend("chain.sbatch", BEHAVIOUR="limit", expect=85)
            self.assertEqual(self.lines("requests"), ["requeue 42"] * times)

    def test_not_requeued_without_progress(self):
        process = self.pretend("chain.sbatch", BEHAVIOUR="stuck", expect=85)
        self.assertIn("not a step further than before; not requeued", process.stdout)
        self.assertEqual(self.lines("requests"), [])

    def test_not_requeued_after_a_failure(self):
        process = self.pretend("chain.sbatch", BEHAVIOUR="fail", expect=3)
        self.assertIn("OUTPUT=results/learning-42 sbatch chain.sbatch", process.stdout)
        self.assertEqual(self.lines("requests"), [])

    def test_warning_is_handed_on(self):
        for signals in ([signal.SIGUSR1], [signal.SIGUSR1, signal.SIGUSR1]):
            with self.subTest(times=len(signals)):
                process = self.strike("chain.sbatch", *signals)
                text = process.communicate(timeout=60)[0]
                self.assertEqual(process.returncode, 85, text)
                self.assertIn("checkpoint written; requeued", text)
                self.assertEqual(self.lines("requests"), ["requeue 42"] * len(signals))
                (self.folder / "started").unlink()

    def test_stopped_job_waits_for_its_program_and_is_not_requeued(self):
        """SLURM sends TERM to all processes of a job that ends: scancel, requeue, lost node."""
        process = self.strike("chain.sbatch", signal.SIGTERM)
        self.assertIsNone(process.poll())
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        os.kill(int(children.read_text(encoding="ascii").split()[0]), signal.SIGTERM)
        text = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 85, text)
        self.assertIn("unless SLURM requeues the job", text)
        self.assertEqual(self.lines("requests"), [])

    def test_program_is_warned_and_goes_on(self):
        """The real program, on two ranks: struck once, then run to its end."""
        words = ("-grid_v_cells", "60", "-grid_w_cells", "16", "-checkpoint_every", "0.01")
        variables = self.variables("mpirun -n 2", SLURM_JOB_ID="42")
        process = subprocess.Popen(["bash", str(SCRIPTS / "chain.sbatch"), *words,
                                    "-time_end", "1000"], cwd=self.folder, env=variables, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        checkpoints = self.folder / "results" / "learning-42" / "checkpoints"
        while not list(checkpoints.glob("*.h5")) and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGUSR1)
        text = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 85, text)
        self.assertEqual(self.lines("requests"), ["requeue 42"])
        reached = max(int(path.stem.split("_")[1]) for path in checkpoints.glob("*.h5"))
        status = yaml.safe_load((checkpoints.parent / "status.yaml").read_text(encoding="utf-8"))
        self.assertEqual(status["step"], reached)
        process = self.call("chain.sbatch", *words, "-time_end", f"{status['time'] + 0.01:.5f}",
                            SLURM_JOB_ID="42")
        self.assertIn(f"(step {reached}, ", process.stderr)
        self.assertEqual(self.lines("requests"), ["requeue 42"])


# Whether a program may draw with the key of the job, and with another one.
DISPLAY_TEST = """#!{python}
import ctypes
import os

library = ctypes.CDLL("libX11.so.6")
library.XOpenDisplay.restype = ctypes.c_void_p
with open("calls", "a", encoding="ascii") as stream:
    stream.write(f"{{bool(library.XOpenDisplay(None))}}\\n")
if not os.path.exists("other"):
    with open(os.environ["XAUTHORITY"], "rb") as stream:
        key = stream.read()
    with open("other", "wb") as stream:
        stream.write(key[:-1] + bytes([key[-1] ^ 1]))
    os.environ["XAUTHORITY"] = "other"
    os.execv(__file__, [__file__])
"""


@unittest.skipUnless(shutil.which("Xvfb"), "needs Xvfb")
class InsituScript(ScriptsTestCase):
    """insitu.sbatch."""

    def test_x_server_with_a_key_that_needs_no_lock(self):
        """xauth gives up on a loaded machine: the script does without it."""
        (self.folder / "bin" / "xauth").write_text("#!/bin/bash\nexit 1\n", encoding="ascii")
        (self.folder / "bin" / "xauth").chmod(0o755)
        launcher = self.folder / "bin" / "launcher"
        launcher.write_text(DISPLAY_TEST.format(python=engram_test.PYTHON), encoding="ascii")
        process = self.call("insitu.sbatch", launcher="launcher", OUTPUT="results/here")
        self.assertNotIn("no X server", process.stderr)
        self.assertEqual(self.lines("calls"), ["True", "False"])
        self.assertEqual(list((self.folder / "results").iterdir()), [])


class ArrayScripts(ScriptsTestCase):
    """sweep.sbatch and convergence.sbatch, a task at a time."""

    def task(self, script, number, *words, **settings):
        """Runs a task of an array of three as job 42, number 40 of all."""
        return self.pretend(script, *words, SLURM_ARRAY_JOB_ID="40", SLURM_ARRAY_TASK_MIN="0",
                            SLURM_ARRAY_TASK_ID=str(number), **settings)

    def test_sweep_gives_each_value_a_folder(self):
        values = {"OPTION": "model_input", "VALUES": "0.5 1+w/2 1+w*2 w<1?1:2 w>1?1:2 -1e-3"}
        words = values["VALUES"].split()
        folders = [next(iter(grid_cases("case.yaml", {"model_input": [value]}, {}))).name
                   for value in words]
        self.assertEqual(len(set(folders)), 6)
        self.assertEqual((folders[0], folders[-1]), ("model_input_0.5", "model_input_-1e-3"))
        for number, (value, folder) in enumerate(zip(words, folders)):
            self.task("sweep.sbatch", number, "-time_end", "1", **values)
            self.assertIn(f" -model_input {value} -output_dir results/sweep-40/{folder}"
                          " -restart auto -time_end 1", self.lines("calls")[-1])
        process = self.task("sweep.sbatch", 6, expect=2, **values)
        self.assertIn("task 6 has no value: there are 6; --array=0-5", process.stderr)
        self.assertEqual(len(self.lines("calls")), 6)

    def test_sweep_finds_the_names_by_itself(self):
        """In the tree of the script, or that of the working folder, as for a copy in a spool."""
        values = {"OPTION": "model_response", "VALUES": "N/2 N*2", "NAMES": ""}
        script = self.folder / "spool" / "script"
        script.parent.mkdir()
        shutil.copy(SCRIPTS / "sweep.sbatch", script)
        (self.folder / "tools").mkdir()
        for number, path in ((0, SCRIPTS / "sweep.sbatch"), (1, script)):
            if number:
                shutil.copy(engram_test.SOURCE / "tools" / "engram_names.py",
                            self.folder / "tools")
            self.task(path, number, **values)
        folders = [re.search(r"-output_dir (\S+)", line).group(1) for line in self.lines("calls")]
        self.assertEqual(folders, ["results/sweep-40/model_response_N_2_4813c2",
                                   "results/sweep-40/model_response_N_2_92f1ea"])

    def test_sweep_without_names_runs_nothing(self):
        """Rather than all values in one folder."""
        process = self.task("sweep.sbatch", 0, NAMES="nowhere.py", expect=2)
        self.assertIn("nowhere.py", process.stderr)
        self.assertEqual(self.lines("calls"), [])

    def test_tasks_are_requeued_at_the_limit_only(self):
        for script in ("sweep.sbatch", "convergence.sbatch"):
            self.task(script, 1, BEHAVIOUR="fail", expect=3)
            self.assertEqual(self.lines("requests"), [])
            process = self.task(script, 1, BEHAVIOUR="limit", expect=85)
            self.assertIn("checkpoint written; requeued", process.stdout)
            self.assertEqual(self.lines("requests"), ["requeue 42"])
            (self.folder / "requests").unlink()
            process = self.strike(script, signal.SIGTERM, SLURM_ARRAY_JOB_ID="40",
                                  SLURM_ARRAY_TASK_MIN="0", SLURM_ARRAY_TASK_ID="1")
            self.assertIsNone(process.poll())
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
            os.kill(int(children.read_text(encoding="ascii").split()[0]), signal.SIGTERM)
            self.assertNotIn("requeued", process.communicate(timeout=60)[0])
            self.assertEqual(process.returncode, 85)
            self.assertEqual(self.lines("requests"), [])
            (self.folder / "started").unlink()

    def test_first_task_alone_submits_the_table_once(self):
        for number in (2, 1):
            self.task("convergence.sbatch", number)
        self.assertEqual(self.lines("submitted"), [])
        self.task("convergence.sbatch", 0)
        submitted = self.lines("submitted")
        self.assertIn("--dependency=afterok:40", submitted)
        self.assertIn("--kill-on-invalid-dep=yes", submitted)
        self.assertFalse([word for word in submitted if "account" in word or "partition" in word])
        self.task("convergence.sbatch", 0)
        self.assertEqual(self.lines("submitted"), submitted)

    def test_table_has_account_and_partition_of_the_array(self):
        self.task("convergence.sbatch", 0, SLURM_JOB_ACCOUNT="brains", SLURM_JOB_PARTITION="long")
        self.assertIn("--account=brains", self.lines("submitted"))
        self.assertIn("--partition=long", self.lines("submitted"))

    def test_no_table_is_no_reason_not_to_run(self):
        process = self.task("convergence.sbatch", 0, SBATCH_ANSWER="false")
        self.assertIn("no job for the table; when all is done: '", process.stderr)
        self.assertEqual(len(self.lines("calls")), 1)
        self.task("convergence.sbatch", 0)
        self.assertEqual(len(self.lines("calls")), 2)
        self.assertEqual(self.lines("submitted").count("--parsable"), 2)

    def test_convergence(self):
        """The real program, and the command that the last job would run."""
        resolutions = "\n".join(f"-grid_w_cells {cells}" for cells in (12, 24, 48))
        for number in range(3):
            self.call("convergence.sbatch", "-grid_v_cells", "60", "-time_end", "0.001",
                      launcher="env", RESOLUTIONS=resolutions, SLURM_JOB_ID="42",
                      SLURM_ARRAY_JOB_ID="40", SLURM_ARRAY_TASK_MIN="0",
                      SLURM_ARRAY_TASK_ID=str(number))
        submitted = self.lines("submitted")
        subprocess.run(["sh", "-c", submitted[submitted.index("--wrap") + 1]], cwd=self.folder,
                       check=True, stdout=subprocess.DEVNULL)
        table = (self.folder / "results" / "convergence-40" / "table.md").read_text("utf-8")
        self.assertRegex(table, r"(?m)^\| level-2 \| 48 \| ")


if __name__ == "__main__":
    engram_test.main()
