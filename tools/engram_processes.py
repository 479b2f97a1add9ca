"""Runs many engram cases at a time as processes of this machine; see engram_grid.py for cases.

A case that was interrupted goes on from its last checkpoint, one that is finished is left alone,
and one that fails does not stop the others.
"""

import concurrent.futures
import os
import pathlib
import shlex
import signal
import subprocess
import tempfile
import time

from engram_grid import (BLOWN_UP, DONE, FAILED, FINISHED, INTERRUPTED, NOT_FINITE, REFUSED,
                         Outcome, find_outcome)

# Exit codes of the program that are results or promises: docs/user_guide.md, section 9.
STOPPED, TO_BE_CONTINUED = 3, (85, 86)
POLL_SECONDS = 0.02
# What a run is given for its checkpoint when the tool is interrupted.
PATIENCE_SECONDS = 60.0


def default_processes(ranks):
    """As many runs at a time as this machine has cores for."""
    return max(1, len(os.sched_getaffinity(0)) // max(1, ranks))


def command_of(case, folder, program, ranks):
    """The command that starts a case or goes on with it."""
    launcher = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    return [*launcher, str(program), *words_of(case, folder)]


def words_of(case, folder):
    """The words for the program: case file, options, and where its results go."""
    options = [word for name, value in case.options.items() for word in (f"-{name}", value)]
    return [str(case.file), *options, "-output_dir", str(pathlib.Path(folder) / case.name),
            "-restart", "auto"]


def environment_of(folder):
    """One thread a rank, and a folder of temporary files that no other run has.

    Open MPI makes and removes a folder there, and does not bear another run that does so.
    """
    return {"OMP_NUM_THREADS": "1", **os.environ, "TMPDIR": folder}


def message_in(lines):
    """The first line that tells an error, or else the last one; empty where nothing was said."""
    lines = [line.strip() for line in lines if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return errors[0] if errors else lines[-1] if lines else ""


def complaint_of(case, folder, program, ranks):
    """What the program finds wrong with a case in a dry run; empty if it would run."""
    with tempfile.TemporaryDirectory(prefix="engram_", ignore_cleanup_errors=True) as temporary:
        process = subprocess.run([*command_of(case, folder, program, ranks), "-dry_run"],
                                 capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL, env=environment_of(temporary))
    if process.returncode == 0:
        return ""
    message = message_in((process.stderr or process.stdout).splitlines())
    return f"exit code {process.returncode}: {message}"


def check_cases(outcomes, folder, program, ranks, processes=None):
    """The same outcomes; those to be run that the program refuses are refused."""
    def check(outcome):
        if outcome.state in (*FINISHED, REFUSED):
            return outcome
        complaint = complaint_of(outcome.case, folder, program, ranks)
        return Outcome(outcome.case, REFUSED, complaint) if complaint else outcome

    with concurrent.futures.ThreadPoolExecutor(processes or default_processes(ranks)) as pool:
        return list(pool.map(check, outcomes))


class Process:
    """A run that is under way, with a folder of temporary files of its own."""

    def __init__(self, case, folder, program, ranks):
        self.case, self.folder = case, folder
        self.log = pathlib.Path(folder) / "logs" / f"{case.name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.temporary = tempfile.TemporaryDirectory(prefix="engram_", ignore_cleanup_errors=True)
        command = command_of(case, folder, program, ranks)
        with open(self.log, "a", encoding="utf-8") as stream:
            stream.write(shlex.join(command) + "\n")
            stream.flush()
            self.begin = stream.tell()
            # A session of its own: Ctrl-C reaches the tool, which hands it on as a signal that
            # mpirun passes to its ranks in time.
            self.process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL,
                                            env=environment_of(self.temporary.name),
                                            start_new_session=True)

    def outcome(self):
        """What has become of it, or None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        self.temporary.cleanup()
        state, remark = self.judge(code)
        return Outcome(self.case, state, remark, was_run=True)

    def judge(self, code):
        """State and remark of an exit code."""
        if code in (0, STOPPED):
            found = find_outcome(self.case, self.folder)
            if found.state in ((DONE,) if code == 0 else (BLOWN_UP, NOT_FINITE)):
                return found.state, found.remark
        if code in TO_BE_CONTINUED:
            return INTERRUPTED, "left with a checkpoint; the same command goes on"
        if code < 0:
            return FAILED, f"killed by {signal.Signals(-code).name}; the same command goes on"
        return FAILED, f"exit code {code}: {self.last_message()}"

    def last_message(self):
        """The line of the log that tells the error, or else its last one."""
        with open(self.log, encoding="utf-8", errors="replace") as stream:
            stream.seek(self.begin)
            return message_in(stream) or f"nothing was said; see {self.log}"

    def stop(self):
        """Asks the run to leave with a checkpoint; USR1 is passed on by mpirun as well."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)

    def wait(self, deadline):
        """The outcome of a run that was asked to leave; killed if it does not until then."""
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return self.outcome()


def run_cases(cases, folder, program, ranks=1, processes=None, say=print):
    """Runs what is not finished of the cases in a folder; returns their outcomes in their order.

    say is called with a line of text for every case that starts no longer or has ended. After an
    interrupt the runs write checkpoints, and what was not run is as it was found.
    """
    outcomes = {case.name: find_outcome(case, folder) for case in cases}
    waiting = [case for case in cases
               if outcomes[case.name].state not in (*FINISHED, REFUSED)]
    for outcome in outcomes.values():
        if outcome.state == REFUSED:
            say(f"{outcome.case.name}: refused: {outcome.remark}")
    if len(waiting) < len(cases):
        say(f"{len(cases) - len(waiting)} of {len(cases)} points are there; "
            f"{len(waiting)} to run")
    count = len(waiting)
    handler = signal.signal(signal.SIGTERM, interrupt)
    running = []
    try:
        while waiting or running:
            while waiting and len(running) < (processes or default_processes(ranks)):
                running.append(Process(waiting.pop(0), folder, program, ranks))
            note_ended(running, outcomes, lambda: count - len(waiting) - len(running), count, say)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        say("interrupted: waiting for checkpoints")
        stop_all(running, outcomes)
    finally:
        signal.signal(signal.SIGTERM, handler)
    return [outcomes[case.name] for case in cases]


def interrupt(number, frame):
    """A signal to end the tool, as an exception."""
    del number, frame
    raise KeyboardInterrupt


def note_ended(running, outcomes, ended, count, say):
    """Takes the runs that have ended out of the list, and tells of them."""
    for process in list(running):
        outcome = process.outcome()
        if outcome is None:
            continue
        running.remove(process)
        outcomes[outcome.case.name] = outcome
        remark = f" ({outcome.remark})" if outcome.remark else ""
        say(f"[{ended()}/{count}] {outcome.case.name}: {outcome.state}{remark}")


def stop_all(running, outcomes):
    """Ends the runs that are under way; each writes a checkpoint."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for process in running:
        process.stop()
    for process in running:
        outcome = process.wait(deadline)
        outcomes[outcome.case.name] = outcome
