"""Runs of the program that are watched, signalled, killed, and compared with each other."""

import os
import pathlib
import signal
import subprocess
import time
import uuid

import h5py

# Every process of a run carries it in its environment, whoever its parent is.
MARK = "ENGRAM_WATCHED_RUN"

CHECKPOINT_PATTERN = "checkpoint_*.h5"


def quiet_environment(folder, mark):
    """Variables of a run that leaves nothing behind outside of its folder, however it ends.

    No other run may have that folder: Open MPI makes and removes a folder in it, and does not bear
    another process that does the same.
    """
    variables = dict(os.environ)
    variables.update({
        "OMP_NUM_THREADS": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMPI_MCA_btl_vader_backing_directory": str(folder),
        "TMPDIR": str(folder),
        MARK: mark,
    })
    return variables


def marked_processes(mark):
    """Numbers of all living processes with this mark in their environment."""
    wanted = f"{MARK}={mark}".encode("ascii")
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue  # gone, or of somebody else
    return found


def wait_for_no_process(mark, timeout):
    """Waits until no process has the mark. @return those that are left after so many seconds"""
    limit = time.monotonic() + timeout
    while marked_processes(mark) and time.monotonic() < limit:
        time.sleep(0.05)
    return marked_processes(mark)


class WatchedRun:
    """One start of the program in a session of its own; its texts go to files."""

    def __init__(self, command, folder, temporary, environment=None):
        """Starts the command in a folder. `temporary` keeps texts and what MPI leaves."""
        self.mark = uuid.uuid4().hex
        self.temporary = pathlib.Path(temporary) / self.mark[:8]
        self.temporary.mkdir(parents=True)
        self._texts = [self.temporary / name for name in ("out", "err")]
        variables = quiet_environment(self.temporary, self.mark)
        variables.update(environment or {})
        with open(self._texts[0], "wb") as output, open(self._texts[1], "wb") as errors:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(word) for word in command], cwd=folder, env=variables, stdout=output,
                stderr=errors, stdin=subprocess.DEVNULL, start_new_session=True)
        self.started = time.monotonic()
        self.started_at = time.time()

    @property
    def code(self):
        """Exit code of the launcher or program, None while it runs, negative after a signal."""
        return self.process.poll()

    @property
    def seconds(self):
        """Seconds since its start."""
        return time.monotonic() - self.started

    @property
    def stdout(self):
        """What was printed so far."""
        return self._texts[0].read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self):
        """The messages so far."""
        return self._texts[1].read_text(encoding="utf-8", errors="replace")

    def ranks(self, program):
        """Processes of the run that execute the program, in ascending order."""
        program = os.path.realpath(program)
        found = []
        for number in marked_processes(self.mark):
            try:
                if os.readlink(f"/proc/{number}/exe").startswith(program):
                    found.append(number)
            except OSError:
                continue
        return sorted(found)

    def kill(self):
        """Kills every process of the run, launcher and ranks, until none is left."""
        numbers = [self.process.pid] if self.code is None else []
        while True:
            for number in set(numbers) | set(marked_processes(self.mark)):
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
            numbers = marked_processes(self.mark)
            if not numbers:
                return

    def finish(self, timeout):
        """Waits for the end. A run that takes longer is killed, and an error."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise RuntimeError(f"no end after {timeout} s: {self.process.args}\n{self.stdout}"
                               f"{self.stderr}") from error

    def wait_until(self, condition, timeout=60.0, pause=0.002):
        """Polls until the condition holds or the run ends. @return whether it held"""
        limit = time.monotonic() + timeout
        while not condition():
            if self.code is not None:
                return bool(condition())
            if time.monotonic() > limit:
                self.kill()
                raise RuntimeError(f"waited {timeout} s in vain: {self.process.args}\n"
                                   f"{self.stdout}{self.stderr}")
            time.sleep(pause)
        return True


def checkpoints(output):
    """Checkpoint files of an output folder, oldest first."""
    return sorted((pathlib.Path(output) / "checkpoints").glob(CHECKPOINT_PATTERN))


def partial_checkpoints(output):
    """Checkpoint files that are not complete, each with the number that tells it from one of the same name."""
    found = {}
    for path in (pathlib.Path(output) / "checkpoints").glob("*.part"):
        try:
            found[path] = path.stat().st_ino
        except FileNotFoundError:
            continue  # complete by now
    return found


def datasets(path, group="/"):
    """All datasets below a group of an HDF5 file, by their path, as arrays."""
    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[...]

    with h5py.File(path, "r") as file:
        file[group].visititems(take)
    return found


def attributes(path, group):
    """Attributes of a group of an HDF5 file and of all in it, as texts by their path."""
    found = {}

    def take(name, item):
        for key, value in item.attrs.items():
            found[f"{name}@{key}"] = value.decode() if isinstance(value, bytes) else str(value)

    with h5py.File(path, "r") as file:
        take("", file[group])
        file[group].visititems(take)
    return found


def _unpaired(first, second, what):
    """Texts about the names that only one of two dictionaries has."""
    return [f"{what} {name}: only in the {'first' if name in first else 'second'}"
            for name in sorted(set(first) ^ set(second))]


def _differing_arrays(first, second, what):
    """Texts about the arrays of two dictionaries that have not the same bits."""
    texts = _unpaired(first, second, what)
    for name in sorted(set(first) & set(second)):
        one, other = first[name], second[name]
        if one.shape != other.shape or one.dtype != other.dtype:
            texts.append(f"{what} {name}: {one.dtype} {one.shape} and {other.dtype} {other.shape}")
        elif one.tobytes() != other.tobytes():
            texts.append(f"{what} {name}: {int((one != other).sum())} of {one.size} differ, by "
                         f"{abs(one.astype(float) - other.astype(float)).max():.3g}")
    return texts


def _differing_texts(first, second, what):
    """Texts about the entries of two dictionaries that are not the same."""
    return _unpaired(first, second, what) + [
        f"{what} {name}: {first[name]} and {second[name]}"
        for name in sorted(set(first) & set(second)) if first[name] != second[name]]


def checkpoint_differences(first, second):
    """Texts about the differences of the state and the case of two checkpoints."""
    texts = []
    for group in ("state", "case"):
        texts += _differing_arrays(datasets(first, group), datasets(second, group), f"/{group}")
        texts += _differing_texts(attributes(first, group), attributes(second, group),
                                  f"/{group}")
    return texts


def output_differences(first, second):
    """Texts about the differences of two output folders; none if they hold the same bits.

    The series and fields.xmf as bytes, the datasets of the fields, the newest checkpoint.
    """
    first, second = pathlib.Path(first), pathlib.Path(second)
    texts = []
    for name in ("series.csv", "fields.xmf"):
        if (first / name).read_bytes() != (second / name).read_bytes():
            texts.append(f"{name} differs")
    texts += _differing_arrays(datasets(first / "fields.h5"), datasets(second / "fields.h5"),
                               "fields.h5")
    newest = [checkpoints(folder)[-1:] for folder in (first, second)]
    names = [[path.name for path in paths] for paths in newest]
    if names[0] != names[1]:
        texts.append(f"newest checkpoints {names[0]} and {names[1]}")
    elif newest[0]:
        texts += checkpoint_differences(newest[0][0], newest[1][0])
    return texts
