"""The job scripts under a real SLURM: requeued, cancelled and struck jobs lose nothing.

The cluster is the test's own, see cluster.py. It needs no root: jobs run as the user who runs the
test.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

import cluster
import engram_test
from slurm_jobs import (CASE, CHECKPOINT_STEPS, ENDLESS, LAUNCHERS, LONG, ONE_RANK, SHORT, STEPS,
                        SlurmTestCase, log_of, result, run_reference, shared, start_on_two_nodes,
                        start_once, status_of, watched_run)


def setUpModule():
    """Starts the cluster, and jobs that take their time while other tests run."""
    shared["cluster"] = cluster.Cluster()
    unittest.addModuleCleanup(shared["cluster"].stop)
    shared["folder"] = shared["cluster"].folder / "work"
    shared["folder"].mkdir()
    # The program reads the rest of its time when it starts: one minute, less the delay.
    start_once("sweep", "sweep.sbatch", *ONE_RANK, "--time=1", "--nodelist=n2", "--array=0",
               delay=42)
    # Limits and signals are looked at every 30 s.
    start_once("chain", "chain.sbatch", *ONE_RANK, "--time=1", "--nodelist=n2", priority=10)
    start_on_two_nodes("run", "run.sbatch")
    run_reference("long", LONG)
    # A rank whose neighbour dies may die of that itself: this one can only wait.
    killed = status_of(result("run"))["pid"]
    for rank in ranks_of(shared["run"]):
        if rank != killed:
            os.kill(rank, signal.SIGSTOP)
    os.kill(killed, signal.SIGKILL)


def ranks_of(job):
    """Processes of the program in a job."""
    wanted, found = f"SLURM_JOB_ID={job}".encode("ascii"), []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if (os.readlink(entry / "exe") == os.path.realpath(engram_test.PROGRAM)
                    and wanted in (entry / "environ").read_bytes().split(b"\0")):
                found.append(int(entry.name))
        except OSError:
            continue  # no process, or gone
    return found


def signal_all(processes, number):
    """Sends a signal to each of the processes."""
    for process in processes:
        os.kill(process, number)


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
        words = (*STEPS, "-grid_v_cells", "60", "-time_end", "3", "-checkpoint_every", "0.2")
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
        """Chains that have written a checkpoint: a dictionary of launcher -> job.

        The first that has one stands still until the other has, or it could be done by then.
        """
        jobs = {name: self.submit("chain.sbatch", *LONG, launcher=launcher, options=places)
                for name, (launcher, places) in LAUNCHERS.items()}
        waiting, held = set(jobs.values()), []
        while waiting:
            job = self.first_checkpoint(waiting)
            waiting.remove(job)
            if waiting:
                held = ranks_of(job)
                signal_all(held, signal.SIGSTOP)
        signal_all(held, signal.SIGCONT)
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
            launcher, places = LAUNCHERS[name]
            again[job] = self.submit("chain.sbatch", *LONG, launcher=launcher, options=places,
                                     OUTPUT=f"results/learning-{job}")
        for job, other in again.items():
            self.assert_completed(other)
            self.assert_continued(other)
            self.assert_same_results(self.result(job), shared["long"])

    def test_lost_node(self):
        """The node of the batch scripts loses its power; the jobs wait for it and go on."""
        # It has a rank there, and must end of itself.
        self.cluster.wait_for(shared["run"], ("FAILED",))
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
        jobs = [self.submit("run.sbatch", *SHORT, launcher=launcher, options=places)
                for launcher, places in LAUNCHERS.values()]
        run_reference("short", SHORT)
        for job in jobs:
            self.assert_completed(job)
            self.assertIn(f"results are in results/learning-{job}", self.log(job))
            self.assertEqual(status_of(self.result(job))["ranks"], 2)
            self.assert_same_results(self.result(job), shared["short"])

    def test_cancelled_run_goes_on(self):
        job = self.submit("run.sbatch", *LONG)
        self.first_checkpoint([job])
        self.cluster.call("scancel", job)
        self.wait_for_end(job)
        self.assertIn("leaving on signal TERM", self.log(job))
        again = self.submit("run.sbatch", *LONG, options=ONE_RANK, OUTPUT=str(self.result(job)))
        self.assert_completed(again)
        self.assert_continued(again)
        self.assert_same_results(self.result(job), shared["long"])


# As xauth where it cannot lock the file of the keys in time.
FAILING_XAUTH = """\
#!/bin/bash
echo "xauth:  timeout in locking authority file" >&2
exit 1
"""


class PicturesTest(SlurmTestCase):
    """insitu.sbatch."""

    def test_pictures_with_an_x_server_of_the_job(self):
        programs = self.folder / "programs"
        programs.mkdir()
        (programs / "xauth").write_text(FAILING_XAUTH, encoding="utf-8")
        (programs / "xauth").chmod(0o755)
        pictures = str(engram_test.SOURCE / "tools" / "insitu" / "density.py")
        job = self.submit("insitu.sbatch", *SHORT, SCRIPTS=pictures, EVERY="2000",
                          PATH=f"{programs}:{self.cluster.environment['PATH']}")
        run_reference("short", SHORT)
        self.assert_completed(job)
        self.assertNotIn("display", self.log(job))
        self.assertIn(f"results are in results/learning-{job}", self.log(job))
        drawn = sorted((self.result(job) / "insitu").glob("*.png"))
        self.assertGreater(len(drawn), 2, self.log(job))
        # As extracts: the data that is written where there is no display.
        self.assertEqual(list((self.result(job) / "insitu").glob("*.pvtr")), [])
        self.assertEqual((self.result(job) / "series.csv").read_bytes(),
                         (shared["short"] / "series.csv").read_bytes())
        self.assertEqual(list(self.folder.glob("results/.Xauthority*")), [])


class WaitingTest(SlurmTestCase):
    """The jobs that setUpModule has submitted; the last tests."""

    def end_of(self, name, state, restarts):
        """Waits for the end of a job; returns its log."""
        known = self.cluster.wait_for(shared[name], ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"))
        log = log_of(name)
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
        process = self.execute([CASE, *ENDLESS, "-output_dir", result("run"), "-restart", "auto",
                                "-dry_run"], environment=self.cluster.environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        newest = watched_run.checkpoints(result("run"))[-1]
        self.assertIn(newest.name, process.stdout + process.stderr)


if __name__ == "__main__":
    engram_test.main()
