"""What the tests of the job scripts share: the cluster, jobs, and what they leave.

The scripts are submitted as they are; sizes and times come from sbatch's command line.
"""

import re
import subprocess
import sys
import time

import yaml

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools"))
import watched_run  # noqa: E402

SCRIPTS = engram_test.SOURCE / "jobscripts"
CASE = engram_test.SOURCE / "input" / "learning.yaml"
ONE_RANK = ("--nodes=1", "--ntasks=1", "--time=10")
ONE_NODE = ("--nodes=1", "--ntasks=2", "--time=10", "--nodelist=n1")
TWO_NODES = ("--nodes=2", "--ntasks=2", "--time=10")
# Launcher and places of the ranks; None is the launcher that the script has by itself, srun, whose
# jobs on two virtual nodes do not always start: see start_on_two_nodes.
LAUNCHERS = {"srun": (None, ONE_NODE), "mpirun": ("mpirun", TWO_NODES)}
# Many short steps, so that a run lasts.
STEPS = ("-time_step", "0.00005", "-time_scheme", "euler", "-time_start", "plain",
         "-output_series_interval", "0", "-output_series_every", "60")
SMALL = (*STEPS, "-grid_v_cells", "120", "-grid_w_cells", "48", "-output_fields_every", "0.5",
         "-checkpoint_every", "0.2")
CHECKPOINT_STEPS = 4000
# Seconds of work, to be struck in the middle, and a moment of work.
LONG = (*SMALL, "-time_end", "2.4")
SHORT = (*SMALL, "-time_end", "0.3")
ENDLESS = (*SMALL, "-time_end", "10000")
WAITING_SECONDS = 120

# A launcher that starts the program once, with low priority; of a requeued job nothing is wanted.
# Linux may group processes by their sessions: nice counts within a group, and the group has a
# priority of its own.
LAUNCHER_ONCE = """\
#!/bin/bash
[ ! -e {name}.started ] || exit 0
touch {name}.started
sleep {delay}
exec srun --mpi=pmix sh -c 'echo {priority} 2>/dev/null >/proc/self/autogroup
exec nice -n 19 "$@"' sh "$@"
"""

# The cluster, its folder, and by their names jobs and references that several tests want.
shared = {}


def submit_endless(name, script, options, launcher=None):
    """Submits an endless run."""
    shared[name] = shared["cluster"].submit(
        SCRIPTS / script, *ENDLESS, cwd=shared["folder"], environment=variables(launcher),
        options=options)


def start_once(name, script, *options, delay=0, priority=0):
    """Submits an endless run that is not begun again when its job is requeued."""
    launcher = shared["folder"] / f"{name}_launcher"
    launcher.write_text(LAUNCHER_ONCE.format(name=name, delay=delay, priority=priority),
                        encoding="ascii")
    launcher.chmod(0o755)
    submit_endless(name, script, options, str(launcher))


def start_on_two_nodes(name, script):
    """Submits an endless run with a rank on each node; comes back when it has a checkpoint.

    Started by srun on two nodes, Open MPI 4.1 may call a function that is not there yet when the
    other rank is faster: in MPI_Init, with any program, once in a few hundred starts on a machine
    with more to do than it can. Such a start is tried again.
    """
    for _ in range(3):
        submit_endless(name, script, TWO_NODES)
        deadline = time.monotonic() + WAITING_SECONDS
        while not watched_run.checkpoints(result(name)):
            log = log_of(name)
            if shared["cluster"].job(shared[name])["JobState"] in ("FAILED", "COMPLETED"):
                if "Segmentation fault" not in log or "engram: " in log:
                    raise AssertionError(log)
                break
            if time.monotonic() > deadline:
                raise AssertionError(f"no checkpoint: {log}")
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log)


def result(name):
    """The output folder of a job that was started once."""
    return shared["folder"] / "results" / f"learning-{shared[name]}"


def log_of(name):
    """What a job that was started once has printed."""
    return "".join(path.read_text(errors="replace") for path in
                   sorted(shared["folder"].glob(f"*-{shared[name]}*.log")))


def status_of(folder):
    """The status.yaml of a run."""
    return yaml.safe_load((folder / "status.yaml").read_text(encoding="utf-8"))


def run_reference(name, words):
    """A run that nothing interrupts, without SLURM and on one rank; once for all who want it."""
    if name in shared:
        return
    shared[name] = shared["folder"] / name
    subprocess.run([engram_test.PROGRAM, CASE, *words, "-output_dir", shared[name]], check=True,
                   capture_output=True, stdin=subprocess.DEVNULL,
                   env=shared["cluster"].environment)


def variables(launcher, **others):
    """The environment of a job."""
    values = {"ENGRAM": str(engram_test.PROGRAM), "CASE": str(CASE), "PYTHON": engram_test.PYTHON,
              "TABLE": str(engram_test.SOURCE / "tools" / "convergence_table.py"),
              "NAMES": str(engram_test.SOURCE / "tools" / "engram_names.py"),
              # Two virtual nodes share the cores of this machine, which ranks must not fight for.
              "OMPI_MCA_hwloc_base_binding_policy": "none", "OMPI_MCA_mpi_yield_when_idle": "1",
              # Where killed ranks leave their shared memory.
              "OMPI_MCA_btl_vader_backing_directory": str(shared["folder"]),
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

    def submit(self, script, *words, options=ONE_NODE, launcher=None, **environment):
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

    def first_checkpoint(self, jobs):
        """Waits until one of the jobs has written a checkpoint, and returns that job.

        Makes sure that its run is not done yet.
        """
        deadline = time.monotonic() + WAITING_SECONDS
        while True:
            for job in jobs:
                if watched_run.checkpoints(self.result(job)):
                    self.assertFalse((self.result(job) / "summary.yaml").exists(),
                                     "done too soon: a longer run, please")
                    return job
                state = self.cluster.job(job)["JobState"]
                self.assertIn(state, ("PENDING", "RUNNING", "CONFIGURING"), self.log(job))
                self.assertLess(time.monotonic(), deadline, "no checkpoint\n" + self.log(job))
            time.sleep(0.05)

    def assert_completed(self, job, restarts=0):
        """Waits for the end of a job, which must be a good one after so many restarts."""
        known = self.cluster.wait_for(job, ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT",
                                            "NODE_FAIL"))
        story = self.log(job) + self.cluster.logs()
        self.assertEqual(known["JobState"], "COMPLETED", story)
        self.assertEqual(known["Restarts"], str(restarts), story)

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


