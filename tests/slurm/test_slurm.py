"""The job scripts under a real SLURM: requeued, cancelled and struck jobs lose nothing.

The scripts are submitted as they are; sizes and times come from sbatch's command line. The cluster
is the test's own, see cluster.py. It needs no root: jobs run as the user who runs the test.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import yaml

import cluster
import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools"))
import watched_run  # noqa: E402

SCRIPTS = engram_test.SOURCE / "jobscripts"
CASE = engram_test.SOURCE / "input" / "learning.yaml"
SRUN, MPIRUN = None, "mpirun"  # None: the launcher that the script has by itself
LAUNCHERS = {"srun": SRUN, "mpirun": MPIRUN}
TWO_NODES = ("--nodes=2", "--ntasks=2", "--time=10")
ONE_RANK = ("--nodes=1", "--ntasks=1", "--time=10")
SMALL = ("-grid_v_cells", "120", "-grid_w_cells", "48", "-output_fields_every", "0.5",
         "-checkpoint_every", "0.2")
CHECKPOINT_STEPS = 4000
# Seconds of work, to be struck in the middle, and a moment of work.
LONG = (*SMALL, "-time_end", "4")
SHORT = (*SMALL, "-time_end", "0.3")
ENDLESS = (*SMALL, "-time_end", "10000")
WAITING_SECONDS = 60

# A launcher that starts the program once, with low priority; of a requeued job nothing is wanted.
LAUNCHER_ONCE = """\
#!/bin/bash
[ ! -e {name}.started ] || exit 0
touch {name}.started
sleep {delay}
exec srun --mpi=pmix --wait=20 nice -n 19 "$@"
"""

shared = {}


def setUpModule():
    """Starts the cluster, and jobs that take their time while other tests run."""
    shared["cluster"] = cluster.Cluster()
    unittest.addModuleCleanup(shared["cluster"].stop)
    shared["folder"] = shared["cluster"].folder / "work"
    shared["folder"].mkdir()
    # The program reads the rest of its time when it starts: one minute, less the delay.
    start_once("sweep", "sweep.sbatch", 42, *ONE_RANK, "--time=1", "--nodelist=n2", "--array=0")
    # Limits and signals are looked at every 30 s.
    start_once("chain", "chain.sbatch", 0, *ONE_RANK, "--time=1", "--nodelist=n2")
    start_once("run", "run.sbatch", 0, *TWO_NODES)
    run_reference("long", LONG)
    kill_a_rank(shared["folder"] / "results" / f"learning-{shared['run']}")


def start_once(name, script, delay, *options):
    """Submits an endless run."""
    launcher = shared["folder"] / f"{name}_launcher"
    launcher.write_text(LAUNCHER_ONCE.format(name=name, delay=delay), encoding="ascii")
    launcher.chmod(0o755)
    shared[name] = shared["cluster"].submit(
        SCRIPTS / script, *ENDLESS, cwd=shared["folder"], environment=variables(str(launcher)),
        options=options)


def kill_a_rank(folder):
    """Kills the first rank of a run that has written a checkpoint."""
    deadline = time.monotonic() + WAITING_SECONDS
    while not watched_run.checkpoints(folder):
        if time.monotonic() > deadline:
            raise AssertionError(f"no checkpoint in {folder}")
        time.sleep(0.05)
    os.kill(status_of(folder)["pid"], signal.SIGKILL)


def status_of(folder):
    """The status.yaml of a run."""
    return yaml.safe_load((folder / "status.yaml").read_text(encoding="utf-8"))


def run_reference(name, words):
    """A run that nothing interrupts, without SLURM and on one rank."""
    shared[name] = shared["folder"] / name
    subprocess.run([engram_test.PROGRAM, CASE, *words, "-output_dir", shared[name]], check=True,
                   capture_output=True, stdin=subprocess.DEVNULL,
                   env=shared["cluster"].environment)


def variables(launcher, **others):
    """The environment of a job."""
    values = {"ENGRAM": str(engram_test.PROGRAM), "CASE": str(CASE), "PYTHON": engram_test.PYTHON,
              "TABLE": str(engram_test.SOURCE / "tools" / "convergence_table.py"),
              # Two virtual nodes share the cores of this machine, which ranks must not fight for.
              "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1",
              # mpirun waits so long twice when ranks end with another exit code than 0.
              "OMPI_MCA_odls_base_sigkill_timeout": "2", **others}
    if launcher:
        values["LAUNCHER"] = launcher
    return values


class SlurmTestCase(engram_test.EngramTestCase):
    """Jobs that work in the test's folder, and what they have left there."""

    def setUp(self):
        super().setUp()
        self.cluster = shared["cluster"]
        self.own_jobs = []
        self.addCleanup(self.clear_cluster)

    def clear_cluster(self):
        """A test that failed leaves nothing behind to disturb the next."""
        for node in list(self.cluster.lost_nodes):
            self.cluster.start_node(node)
        self.cluster.call("scancel", *self.own_jobs, check=False)
        self.wait_for_end(*self.own_jobs)

    def submit(self, script, *words, options=TWO_NODES, launcher=SRUN, **environment):
        """Submits a script of jobscripts/; returns the number of the job."""
        job = self.cluster.submit(SCRIPTS / script, *words, options=options, cwd=self.folder,
                                  environment=variables(launcher, **environment))
        self.own_jobs.append(job)
        return job

    def result(self, job):
        """The output folder of a job of one run."""
        return self.folder / "results" / f"learning-{job}"

    def log(self, job):
        """What a job has printed."""
        return "".join(path.read_text(errors="replace")
                       for path in sorted(self.folder.glob(f"*-{job}.log")))

    def wait_until(self, condition, what):
        """Polls until the condition holds."""
        deadline = time.monotonic() + WAITING_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited in vain for {what}")
            time.sleep(0.05)

    def wait_for_end(self, *jobs):
        """Waits until SLURM has nothing more to do with these jobs, whatever became of them."""
        numbers = ",".join(map(str, jobs))
        self.wait_until(lambda: not self.cluster.call("squeue", "-h", "-j", numbers).stdout,
                        f"the end of {numbers}")

    def wait_for_checkpoint(self, folder, job):
        """Waits until a run has written a checkpoint, and makes sure that it is not done yet."""
        deadline = time.monotonic() + WAITING_SECONDS
        while not watched_run.checkpoints(folder):
            state = self.cluster.job(job)["JobState"]
            self.assertIn(state, ("PENDING", "RUNNING", "CONFIGURING"), self.log(job))
            self.assertLess(time.monotonic(), deadline, "no checkpoint\n" + self.log(job))
            time.sleep(0.05)
        self.assertFalse((folder / "summary.yaml").exists(), "done too soon: a longer run, please")

    def assert_completed(self, job, restarts=0):
        """Waits for the end of a job, which must be a good one after so many restarts."""
        known = self.cluster.wait_for(job, ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT",
                                            "NODE_FAIL"))
        self.assertEqual(known["JobState"], "COMPLETED", self.log(job))
        self.assertEqual(known["Restarts"], str(restarts), self.log(job))

    def assert_same_results(self, folder, reference):
        """Two runs, the one of them interrupted, have left the same bits."""
        self.assertEqual((folder / "series.csv").read_bytes(),
                         (reference / "series.csv").read_bytes())
        pairs = [(folder / "fields.h5", reference / "fields.h5")]
        newest = [watched_run.checkpoints(each)[-1] for each in (folder, reference)]
        self.assertEqual(newest[0].name, newest[1].name)
        pairs.append(newest)
        for path, other in pairs:
            first, second = ({name: values for name, values in watched_run.datasets(each).items()
                              if not name.startswith("outputs")} for each in (path, other))
            self.assertEqual(set(first), set(second))
            for name, values in first.items():
                self.assertEqual(values.shape, second[name].shape, name)
                self.assertEqual(values.tobytes(), second[name].tobytes(), f"{path}: {name}")

    def assert_continued(self, job, times=1):
        """So many starts of the program have gone on from a checkpoint."""
        self.assertEqual(len(re.findall("^engram: continuing from ", self.log(job), re.MULTILINE)),
                         times, self.log(job))


class ArrayTest(SlurmTestCase):
    """sweep.sbatch and convergence.sbatch."""

    def task(self, job, number):
        """What SLURM knows of a task of an array."""
        return next((each for each in self.cluster.jobs() if each.get("ArrayJobId") == str(job)
                     and each.get("ArrayTaskId") == str(number)), {})

    def test_sweep_with_a_task_that_is_requeued(self):
        job = self.submit("sweep.sbatch", *LONG, options=(*ONE_RANK, "--array=0-1"),
                          VALUES="1 1.5")
        folder = self.folder / "results" / f"sweep-{job}"
        tasks = [folder / "model_noise_1", folder / "model_noise_1.5"]
        self.wait_until(lambda: watched_run.checkpoints(tasks[0]), "a checkpoint")
        self.cluster.call("scontrol", "requeue", f"{job}_0")
        for number, restarts in ((0, "1"), (1, "0")):
            self.wait_until(lambda number=number: self.task(job, number).get("JobState")
                            in ("COMPLETED", "FAILED"), f"task {number}")
            self.assertEqual(self.task(job, number)["JobState"], "COMPLETED")
            self.assertEqual(self.task(job, number)["Restarts"], restarts)
        self.assert_same_results(tasks[0], shared["long"])
        self.assertEqual(status_of(tasks[0])["job"], f"{job}_0")
        self.assertEqual(status_of(tasks[1])["status"], "done")
        self.assertNotEqual(status_of(tasks[1])["total_rate"],
                            status_of(tasks[0])["total_rate"])

    def test_convergence_makes_its_table_once(self):
        resolutions = "\n".join(f"-grid_w_cells {cells}" for cells in (16, 32, 48))
        words = ("-grid_v_cells", "60", "-time_end", "3", "-checkpoint_every", "0.2")
        job = self.submit("convergence.sbatch", *words, options=(*ONE_RANK, "--array=0-2"),
                          RESOLUTIONS=resolutions)
        folder = self.folder / "results" / f"convergence-{job}"
        # The first task asks for the table; requeued, it must not ask again.
        self.wait_until(lambda: watched_run.checkpoints(folder / "level-0"), "a checkpoint")
        self.cluster.call("scontrol", "requeue", f"{job}_0")
        table_job = int((folder / f"table-of-{job}").read_text(encoding="ascii"))
        self.own_jobs.append(table_job)
        self.assert_completed(table_job)
        self.assertEqual(self.task(job, 0)["Restarts"], "1")
        names = [each["JobName"] for each in self.cluster.jobs()]
        self.assertEqual(names.count("engram-table"), 1)
        table = (folder / "table.md").read_text(encoding="utf-8")
        self.assertEqual(table, self.log(table_job))
        for number in range(3):
            rate = status_of(folder / f"level-{number}")["total_rate"]
            self.assertIn(f"| {rate:.12g} |", table)
        self.assertRegex(table.splitlines()[-1], r"^\| level-2 \| 48 \| .* \| \d\.\d\d \|")

    def test_table_of_a_failed_study_does_not_wait_for_ever(self):
        job = self.submit("convergence.sbatch", "-time_end", "-1",
                          options=(*ONE_RANK, "--array=0-1"))
        marker = self.folder / "results" / f"convergence-{job}" / f"table-of-{job}"
        self.wait_until(lambda: marker.exists() and marker.read_text(encoding="ascii"), "a job")
        known = self.cluster.wait_for(int(marker.read_text(encoding="ascii")),
                                      ("CANCELLED", "COMPLETED", "FAILED"))
        self.assertEqual(known["JobState"], "CANCELLED")


class ChainTest(SlurmTestCase):
    """chain.sbatch, struck in all ways, with both launchers at once."""

    def start(self):
        """Chains that have written a checkpoint: a dictionary of launcher -> job."""
        jobs = {name: self.submit("chain.sbatch", *LONG, launcher=launcher)
                for name, launcher in LAUNCHERS.items()}
        for job in jobs.values():
            self.wait_for_checkpoint(self.result(job), job)
        return jobs

    def assert_went_on(self, job):
        """The job was requeued once, and has the results of a run that nothing interrupted."""
        self.assert_completed(job, restarts=1)
        self.assert_continued(job)
        self.assertEqual(status_of(self.result(job))["status"], "done")
        self.assert_same_results(self.result(job), shared["long"])

    def test_requeue_by_signal(self):
        jobs = self.start()
        self.cluster.call("scancel", "--batch", "--signal=USR1", *jobs.values())
        for job in jobs.values():
            self.assert_went_on(job)
            self.assertIn("leaving on signal USR1 (exit code 85)", self.log(job))
            self.assertIn("checkpoint written; requeued", self.log(job))

    def test_requeue_by_hand(self):
        jobs = self.start()
        for job in jobs.values():
            self.cluster.call("scontrol", "requeue", job)
        for job in jobs.values():
            self.assert_went_on(job)
            # mpirun no longer shows what its ranks say then; that they could act is in the step.
            step = int(re.search(r"continuing from .*\(step (\d+),", self.log(job))[1])
            self.assertNotEqual(step % CHECKPOINT_STEPS, 0, self.log(job))
            self.assertNotIn("requeued", self.log(job), "the script has requeued it once more")
        self.assertIn("leaving on signal TERM (exit code 85)", self.log(jobs["srun"]))

    def test_cancelled_stays_cancelled_and_goes_on_in_another_job(self):
        jobs = self.start()
        self.cluster.call("scancel", *jobs.values())
        again = {}
        for name, job in jobs.items():
            self.wait_for_end(job)
            known = self.cluster.job(job)
            self.assertEqual((known["JobState"], known["Restarts"]), ("CANCELLED", "0"))
            status = status_of(self.result(job))
            self.assertEqual((status["status"], status["reason"]), ("requeued", "signal TERM"))
            again[job] = self.submit("chain.sbatch", *LONG, launcher=LAUNCHERS[name],
                                     OUTPUT=f"results/learning-{job}")
        for job, other in again.items():
            self.assert_completed(other)
            self.assert_continued(other)
            self.assert_same_results(self.result(job), shared["long"])

    def test_lost_node(self):
        """The node of the batch scripts loses its power; the jobs wait for it and go on."""
        jobs = self.start()
        self.cluster.lose_node("n1")
        for job in jobs.values():
            self.cluster.wait_for(job, ("PENDING",))
        self.cluster.start_node("n1")
        for job in jobs.values():
            self.assert_went_on(job)

    def test_failure_is_not_repeated(self):
        job = self.submit("chain.sbatch", "-time_end", "-1")
        known = self.cluster.wait_for(job, ("FAILED", "COMPLETED"))
        self.assertEqual((known["JobState"], known["Restarts"], known["ExitCode"]),
                         ("FAILED", "0", "2:0"), self.log(job))
        self.assertIn("engram: error: -time_end -1", self.log(job))


class ClusterTest(engram_test.EngramTestCase):
    """The cluster of the tests leaves nothing behind, in whatever way its user ends."""

    def processes_of(self, folder):
        """Processes that have the folder's configuration in their environment."""
        marked = f"SLURM_CONF={folder}/slurm.conf".encode()
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                if marked in path.read_bytes().split(b"\0"):
                    found.append(path.parent.name)
            except OSError:
                continue
        return found

    def test_killed_user(self):
        """The program that uses a cluster is killed while a job runs on it."""
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", "import cluster, sys, time; c = cluster.Cluster(); "
             "c.call('sbatch', '--wrap', 'touch running; sleep 100'); "
             "print(c.folder, flush=True); time.sleep(100)"],
            stdout=subprocess.PIPE, text=True, cwd=self.folder,
            env=dict(os.environ, PYTHONPATH=str(pathlib.Path(cluster.__file__).parent)))
        folder = pathlib.Path(process.stdout.readline().strip())
        process.stdout.close()
        self.assertTrue(folder.is_dir())
        deadline = time.monotonic() + 20
        while not (folder / "running").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertGreater(len(self.processes_of(folder)), 6)
        process.kill()
        process.wait()
        while (folder.exists() or self.processes_of(folder)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.processes_of(folder), [])
        self.assertFalse(folder.exists())


class RunTest(SlurmTestCase):
    """run.sbatch."""

    def test_run(self):
        jobs = [self.submit("run.sbatch", *SHORT, launcher=launcher)
                for launcher in LAUNCHERS.values()]
        run_reference("short", SHORT)
        for job in jobs:
            self.assert_completed(job)
            self.assertIn(f"results are in results/learning-{job}", self.log(job))
            self.assertEqual(status_of(self.result(job))["ranks"], 2)
            self.assert_same_results(self.result(job), shared["short"])

    def test_cancelled_run_goes_on(self):
        job = self.submit("run.sbatch", *LONG)
        self.wait_for_checkpoint(self.result(job), job)
        self.cluster.call("scancel", job)
        self.wait_for_end(job)
        self.assertIn("leaving on signal TERM", self.log(job))
        again = self.submit("run.sbatch", *LONG, options=ONE_RANK, OUTPUT=str(self.result(job)))
        self.assert_completed(again)
        self.assert_continued(again)
        self.assert_same_results(self.result(job), shared["long"])


class WaitingTest(SlurmTestCase):
    """The jobs that setUpModule has submitted; the last tests."""

    def end_of(self, name, state, restarts):
        """Waits for the end of a job; returns its log."""
        known = self.cluster.wait_for(shared[name], ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"))
        log = "".join(path.read_text(errors="replace")
                      for path in shared["folder"].glob(f"*-{shared[name]}*.log"))
        self.assertEqual((known["JobState"], known["Restarts"]), (state, restarts), log)
        self.assertNotIn("DUE TO TIME LIMIT", log)
        return log

    def test_program_leaves_in_time_by_itself(self):
        """No signal: the program has asked SLURM how much time is left."""
        log = self.end_of("sweep", "COMPLETED", "1")
        self.assertIn("leaving on the time of the job is up (exit code 85)", log)
        self.assertIn("checkpoint written; requeued", log)

    def test_signal_before_the_limit(self):
        """SLURM warns the script by its own clock."""
        log = self.end_of("chain", "COMPLETED", "1")
        self.assertIn("leaving on signal USR1 (exit code 85)", log)
        self.assertIn("checkpoint written; requeued", log)

    def test_killed_rank_ends_the_job(self):
        """The other rank would wait for ever; the last checkpoint is good."""
        log = self.end_of("run", "FAILED", "0")
        self.assertIn("First task exited 20s ago", log)
        folder = shared["folder"] / "results" / f"learning-{shared['run']}"
        process = self.execute([CASE, *ENDLESS, "-output_dir", folder, "-restart", "auto",
                                "-dry_run"], environment=self.cluster.environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        newest = watched_run.checkpoints(folder)[-1]
        self.assertIn(newest.name, process.stdout + process.stderr)


if __name__ == "__main__":
    engram_test.main()
