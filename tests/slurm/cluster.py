"""A real SLURM on this machine for the tests: a controller and two virtual nodes.

Everything is the cluster's own: folder, ports, munge key and sockets; nothing of an installed SLURM
is used or touched, and nothing has to run before. `Cluster` is what tests use. The daemons are
children of a supervisor, which is this file run as a program: it adopts whatever its descendants
leave behind, and ends all of them and removes the folder when its standard input closes. That
happens at the latest when the test ends, in whatever way.
"""

import contextlib
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PACKAGES = "slurmctld slurmd slurm-client munge libpmix-dev openmpi-bin"
DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "scancel", "scontrol", "squeue", "sinfo", "srun", "mpirun")
NODES = ("n1", "n2")
USABLE = {"idle", "mixed", "allocated", "completing"}
# Daemons are in folders that the PATH of an ordinary user, or of an empty environment, lacks.
SEARCH_PATH = os.pathsep.join(filter(None, (
    os.environ.get("PATH"), "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin",
    "/bin")))
# The path of a socket may have 107 characters at most.
LONGEST_FOLDER = 60
CLIENT_SECONDS = 20
START_SECONDS = 20
START_ATTEMPTS = 3
REPETITION_SECONDS = 3
# By the supervisor: it ends when its standard input does.
IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
# From linux/prctl.h.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

SLURM_CONF = """\
ClusterName=engram
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits until the credential of its last start has expired.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool.%n
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
# Where pmix has its sockets: two nodes of one machine must not share them.
TmpFS={folder}/tmp.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
ReturnToService=2
KillWait=5
MinJobAge=3600
SlurmdParameters=config_overrides
{communication}
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first_port} CPUs=4 RealMemory=1000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second_port} CPUs=4 RealMemory=1000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=60 DefaultTime=5 State=UP
"""


class ClusterError(Exception):
    """The cluster could not be started, or did not answer; the text says what and why."""


def find_program(name):
    """Path of an installed program, or a message that names the packages."""
    path = shutil.which(name, path=SEARCH_PATH)
    if path is None:
        raise ClusterError(f"{name} is not installed; on Debian: apt-get install "
                           f"--no-install-recommends {PACKAGES}")
    return path


def free_ports(count):
    """Ports of this machine that nobody uses just now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def resolves(host):
    """True if the name of this machine leads to an address."""
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def write_configuration(folder):
    """slurm.conf, the key of munge, and the folders that these want to find."""
    host = socket.gethostname().split(".")[0]
    controller, first, second = free_ports(3)
    communication = "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny" if resolves(host) else ""
    (folder / "slurm.conf").write_text(SLURM_CONF.format(
        host=host, user=pwd.getpwuid(os.getuid()).pw_name, folder=folder,
        controller_port=controller, first_port=first, second_port=second,
        communication=communication), encoding="ascii")
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    # Open MPI does not bear that another job removes the folder of its sessions: it is never empty.
    sessions = [f"tmp/ompi.{node}.{os.getuid()}/kept" for node in NODES]
    folders = [f"{kind}.{node}" for kind in ("spool", "tmp") for node in NODES]
    for name in ("state", "tmp", *folders, *sessions):
        (folder / name).mkdir(parents=True, exist_ok=True)


def process_table():
    """Parents and environments are read from /proc: a dictionary of pid -> parent's pid."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # The name, in brackets, may hold anything; state and parent come after it.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry.name)] = int(fields[1])
    return parents


def descendants(root):
    """All processes below this one."""
    parents = process_table()
    found, added = set(), {root}
    while added:
        added = {pid for pid, parent in parents.items() if parent in added and pid not in found}
        found |= added
    return found


def kill(pids, number):
    """Sends a signal to those of the processes that are still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def prepare_daemon():
    """In the new process of a daemon: it dies with the supervisor, and heeds all signals."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in IGNORED:
        signal.signal(number, signal.SIG_DFL)


class Supervisor:
    """Starts the daemons, waits, and ends them and all that came from them."""

    def __init__(self, folder):
        self.folder = folder
        self.daemons = {}

    def start_daemon(self, name, *words):
        """Starts one daemon in the foreground."""
        with open(self.folder / f"{name}.output", "ab") as output:
            self.daemons[name] = subprocess.Popen(
                [find_program(words[0]), *words[1:]], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, cwd=self.folder,
                preexec_fn=prepare_daemon)

    def start_node(self, node):
        """Starts the daemon of a virtual node."""
        self.start_daemon(node, "slurmd", "-D", "-N", node)

    def start(self):
        """Starts everything; whether it answers is for the one who asks for it."""
        # `--force`: the folder is closed to other users, of which munged warns.
        self.start_daemon("munged", "munged", "--foreground", "--force",
                          *(f"--{what}={self.folder}/munge.{end}" for what, end in (
                              ("key-file", "key"), ("socket", "socket"), ("pid-file", "pid"),
                              ("log-file", "log"), ("seed-file", "seed"))), "--num-threads=2")
        deadline = time.monotonic() + START_SECONDS
        while not (self.folder / "munge.socket").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.start_daemon("slurmctld", "slurmctld", "-D", "-i")
        for node in NODES:
            self.start_node(node)

    def lose_node(self, node):
        """Kills a node with all that runs on it, as when its power fails; its disk is new then."""
        marked = f"SLURMD_NODENAME={node}".encode()
        doomed = {self.daemons[node].pid} if self.daemons[node].poll() is None else set()
        parents = process_table()
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                if marked in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    doomed.add(pid)
                    parent = parents.get(pid, pid)
                    if b"slurmstepd" in pathlib.Path(f"/proc/{parent}/comm").read_bytes():
                        doomed.add(parent)
        # All at one moment: nobody may live to tell of the end of another.
        kill(doomed, signal.SIGSTOP)
        kill(doomed, signal.SIGKILL)
        self.daemons[node].wait()
        # A socket of pmix that is left would be in the way of the same step of a requeued job.
        for name in (f"spool.{node}", f"tmp.{node}"):
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir()

    def serve(self, commands):
        """Obeys lines `lose NODE` and `start NODE` until the input ends; answers each."""
        for line in commands:
            word, node = line.split()
            (self.lose_node if word == "lose" else self.start_node)(node)
            print("done", flush=True)

    def stop(self):
        """Ends the daemons in reverse order, then whatever they have left."""
        for process in reversed(self.daemons.values()):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + 5.0
        for process in self.daemons.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        deadline = time.monotonic() + 10.0
        while left := descendants(os.getpid()):
            kill(left, signal.SIGKILL)
            if time.monotonic() > deadline:
                print(f"processes that do not end: {left}", file=sys.stderr)
                break
            time.sleep(0.02)
        reap_children()


def reap_children(*_):
    """Takes note of all children that have ended, adopted ones too; none stays as a zombie."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def supervise(folder):
    """The program that a Cluster starts: runs the daemons until standard input closes."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, reap_children)
    supervisor = Supervisor(folder)
    try:
        supervisor.start()
        print("started", flush=True)
        supervisor.serve(sys.stdin)
    finally:
        supervisor.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """The running cluster. Use it as a context, or call stop()."""

    def __init__(self):
        self.lost_nodes = []
        for name in DAEMONS + CLIENTS:
            find_program(name)
        for attempt in range(START_ATTEMPTS):
            try:
                self._start()
                return
            except ClusterError as error:
                # Somebody may have taken a port in between: with others once more.
                self.stop()
                if attempt == START_ATTEMPTS - 1:
                    raise error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _start(self):
        parent = tempfile.gettempdir()
        self.folder = pathlib.Path(tempfile.mkdtemp(
            prefix="engram_slurm_", dir=parent if len(parent) <= LONGEST_FOLDER else "/tmp"))
        write_configuration(self.folder)
        # What killed programs leave in the folder for temporary files goes with the cluster.
        self.environment = dict(os.environ, SLURM_CONF=str(self.folder / "slurm.conf"),
                                PATH=SEARCH_PATH, TMPDIR=str(self.folder / "tmp"))
        # A test that itself runs within a job must not hand that one's variables on.
        for name in list(self.environment):
            if name.startswith(("SLURM_", "SBATCH_", "SRUN_", "PMIX_")) and name != "SLURM_CONF":
                del self.environment[name]
        self._supervisor = subprocess.Popen(
            [sys.executable, "-B", __file__, str(self.folder)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=self.environment, start_new_session=True)
        if self._supervisor.stdout.readline() != "started\n":
            raise ClusterError("the daemons could not be started")
        self._wait_until_up()

    def _wait_until_up(self, wanted=USABLE):
        deadline = time.monotonic() + START_SECONDS
        while True:
            process = self.call("sinfo", "-N", "-h", "-o", "%N %T", check=False, seconds=5)
            states = [line.split()[1] for line in process.stdout.splitlines()]
            if len(states) == len(NODES) and wanted.issuperset(states):
                return
            if time.monotonic() > deadline:
                raise ClusterError(f"the nodes are not there: {process.stdout}{process.stderr}"
                                   f"{self.logs()}")
            time.sleep(0.05)

    def stop(self):
        """Ends the cluster and all its jobs; may be called twice."""
        if self._supervisor.poll() is None:
            self._supervisor.stdin.close()
            self._supervisor.wait()
        self._supervisor.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self, lines=20):
        """The ends of the logs of all daemons."""
        text = ""
        for path in sorted([*self.folder.glob("*.log"), *self.folder.glob("*.output")]):
            tail = path.read_text(errors="replace").splitlines()[-lines:]
            text += "\n".join([f"--- {path.name}", *tail, ""])
        return text

    def call(self, *words, check=True, seconds=CLIENT_SECONDS, cwd=None, environment=None):
        """Runs a client of SLURM; a failure becomes an error with its message."""
        try:
            process = subprocess.run(
                [find_program(words[0]), *map(str, words[1:])], cwd=cwd or self.folder,
                env={**self.environment, **(environment or {})}, capture_output=True, text=True,
                check=False, stdin=subprocess.DEVNULL, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            if not check:
                return subprocess.CompletedProcess(words, 1, "", "no answer")
            raise ClusterError(f"{' '.join(map(str, words))}: no answer\n{self.logs()}") from error
        if check and process.returncode != 0:
            raise ClusterError(f"{' '.join(map(str, words))}: {process.stderr}")
        return process

    def submit(self, script, *words, options=(), cwd=None, environment=None):
        """Submits a script; returns the number of the job."""
        process = self.call("sbatch", "--parsable", *options, script, *words, cwd=cwd,
                            environment=environment)
        return int(process.stdout.split(";")[0])

    def job(self, job):
        """What the controller knows of a job, or of a task as in 7_2: a dictionary."""
        lines = self.call("scontrol", "-o", "show", "job", job).stdout.splitlines()
        return dict(word.split("=", 1) for word in lines[0].split() if "=" in word)

    def jobs(self):
        """What the controller knows of all jobs: a list of dictionaries."""
        lines = self.call("scontrol", "-o", "show", "job").stdout.splitlines()
        return [dict(word.split("=", 1) for word in line.split() if "=" in word)
                for line in lines if line.startswith("JobId=")]

    def wait_for(self, job, states, seconds=120):
        """Waits until a job is in one of these states; returns what is known of it then."""
        deadline = time.monotonic() + seconds
        while True:
            known = self.job(job)
            if known["JobState"] in states:
                return known
            if time.monotonic() > deadline:
                raise ClusterError(f"job {job} is {known['JobState']} ({known.get('Reason')}), not "
                                   f"{' or '.join(states)} after {seconds} s\n{self.logs()}")
            time.sleep(0.1)

    def _ask_supervisor(self, *words):
        print(*words, file=self._supervisor.stdin, flush=True)
        if self._supervisor.stdout.readline() != "done\n":
            raise ClusterError(f"{' '.join(words)}: failed")

    def lose_node(self, node):
        """A node loses its power: all that runs on it is killed, and SLURM finds it down."""
        self._ask_supervisor("lose", node)
        self.lost_nodes.append(node)
        self.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=power")

    def start_node(self, node):
        """The node comes back. It takes no job before it has heard what it was told meanwhile:

        the controller repeats its orders, and would cancel by an old one what has just started.
        """
        self.call("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=boot")
        self._ask_supervisor("start", node)
        self.lost_nodes.remove(node)
        self._wait_until_up({"drained", "draining"} | USABLE)
        time.sleep(REPETITION_SECONDS)
        self.call("scontrol", "update", f"NodeName={node}", "State=RESUME")
        self._wait_until_up()


if __name__ == "__main__":
    supervise(pathlib.Path(sys.argv[1]))
