"""What the tests of checkpoints, restarts, signals and faults share."""

import functools
import hashlib
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

import yaml

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools"))
import watched_run  # noqa: E402

REQUEUED = 85
INTERRUPTED = 86
NOT_WRITTEN = 4

# What no run may print, however it ends.
UNWANTED = ["PETSC ERROR", "MPI_ABORT", "MPI_Abort", "HDF5-DIAG", "Segmentation", "Backtrace",
            "Traceback", "Assertion", "AddressSanitizer"]

# Steps of a power of two, so that every multiple is exact and a run may end at any of them.
STEP = 0.015625

# Learning that is as hard on the order of sums as it gets, in 24 steps of the scheme of the paper.
LEARNING = {
    **engram_test.PLAIN_EULER,
    "model_input": "2 + sin(9*t) + 0.3*w",
    "model_response": "N/(1 + N)",
    "model_learning": "8*cos(4*w)",
    "initial_density": "(1 + w^2)*exp(-(v - 0.4)^2/0.3)",
    "grid_v_cells": 60,
    "grid_w_min": -1,
    "grid_w_max": 1,
    "grid_w_cells": 17,
    "transport_order": 1,
    "time_step": STEP,
    "time_end": 24 * STEP,
    "output_fields_every": 4 * STEP,
    "checkpoint_every": STEP,
    "checkpoint_keep": 1000,
}

# A run of some seconds, to be struck at any moment: delay, history and both output intervals.
LONG = {
    **LEARNING,
    "model_delay": 0.05,
    "grid_v_cells": 120,
    "grid_w_cells": 61,
    "time_step": STEP / 256,
    "time_end": 96 * STEP,
    "output_series_every": 7,
    "output_fields_every": 5.5 * STEP,
    "checkpoint_every": 0,
    "checkpoint_keep": 2,
    "checkpoint_wall": 0,
}


# The places of runs that several tests need, by their cases.
places_of_made = {}


@functools.cache
def folder_of_made():
    """Where they are, until the tests end."""
    return tempfile.TemporaryDirectory(prefix="engram_made_")


class Place:
    """A folder with a case; the results of its runs go to `output` in it."""

    def __init__(self, path):
        self.path = path
        self.output = path / "output"

    @property
    def checkpoints(self):
        """Checkpoint files, oldest first."""
        return watched_run.checkpoints(self.output)

    def checkpoint(self, step):
        """Path of the checkpoint of a step."""
        return self.output / "checkpoints" / f"checkpoint_{step:012d}.h5"

    def steps(self):
        """Steps of the checkpoints, oldest first."""
        return [int(path.stem.split("_")[1]) for path in self.checkpoints]

    def lose_checkpoints_after(self, step):
        """As if the run had crashed after that checkpoint; the outputs have gone on."""
        (self.output / "summary.yaml").unlink(missing_ok=True)
        for path, number in zip(self.checkpoints, self.steps()):
            if number > step:
                path.unlink()

    def partial_checkpoints(self):
        """Checkpoints that are not complete."""
        return list(watched_run.partial_checkpoints(self.output))

    def yaml(self, name):
        """A YAML file of the results."""
        with open(self.output / name, encoding="utf-8") as stream:
            return yaml.safe_load(stream)

    def contents(self):
        """Times of change and checksums of all files of the results; None for a folder."""
        return {str(path.relative_to(self.path)):
                (path.stat().st_mtime_ns, hashlib.sha1(path.read_bytes()).hexdigest())
                if path.is_file() else None for path in self.output.rglob("*")}


class Outcome(engram_test.Result):
    """A run that has ended, with its messages."""

    def __init__(self, run, output):
        super().__init__(run.process, output)
        self.stdout = run.stdout
        self.stderr = run.stderr
        self.started_at = run.started_at

    @property
    def text(self):
        """All that was printed."""
        return f"exit code {self.code}\n{self.stdout}{self.stderr}"

    @property
    def messages(self):
        """The lines of stderr that are the program's own."""
        return [line for line in self.stderr.splitlines() if line.startswith("engram: ")]

    @property
    def errors(self):
        """Messages of errors."""
        return [line for line in self.messages if line.startswith("engram: error: ")]

    @property
    def warnings(self):
        """Warnings."""
        return [line for line in self.messages if line.startswith("engram: warning: ")]


class RestartTestCase(engram_test.EngramTestCase):
    """Places with cases, runs that can be struck, and comparisons of what they leave."""

    # Words before the program; tests of faults put it into a worse world.
    wrapper = ()

    def place(self, name, options=None, **changes):
        """A new folder with a case in it: the small case of all tests, options, changes."""
        path = self.folder / name
        path.mkdir()
        self.write_case(options, name=f"{name}/case.yaml", **changes)
        return Place(path)

    def made(self, options, **changes):
        """The place of a run that several tests need: made once, only to be read or copied."""
        key = repr((options, changes))
        if key not in places_of_made:
            path = pathlib.Path(folder_of_made().name) / str(len(places_of_made))
            place = self.place(str(path), options, **changes)
            self.go(place)
            places_of_made[key] = place
        return places_of_made[key]

    def everything(self, place, *more):
        """Names, times of change and bytes of all below a place and other folders; links as they are.
        """
        paths = [path for folder in (place.path, *more) for path in (folder, *folder.rglob("*"))]
        return {str(path): (path.lstat().st_mtime_ns, os.readlink(path) if path.is_symlink() else
                            hashlib.sha1(path.read_bytes()).hexdigest() if path.is_file() else "")
                for path in paths}

    def copy(self, place, name):
        """A copy of a folder with all its results, under which the case is the same."""
        path = self.folder / name
        shutil.copytree(place.path, path, symlinks=True)
        return Place(path)

    def start(self, place, *words, ranks=0, environment=None):
        """Starts the case of a folder; ranks=0 runs it without mpirun."""
        command = [*self.wrapper, engram_test.PROGRAM, "case.yaml", "-output_dir", "output", *words]
        if ranks:
            command = ["mpirun", "-n", ranks, *command]
        run = watched_run.WatchedRun(command, place.path, self.folder / "temporary", environment)
        self.addCleanup(run.kill)
        return run

    def ended(self, run, place, expect=0, timeout=120):
        """Waits for the end of a run and checks its exit code, and that nothing broke."""
        run.finish(timeout)
        outcome = Outcome(run, place.output)
        expected = expect if isinstance(expect, (tuple, list)) else (expect,)
        self.assertIn(outcome.code, expected, outcome.text)
        for word in UNWANTED:
            self.assertNotIn(word, outcome.stderr)
        return outcome

    def go(self, place, *words, ranks=0, expect=0, timeout=120, environment=None):
        """Runs the case of a folder to its end."""
        run = self.start(place, *words, ranks=ranks, environment=environment)
        return self.ended(run, place, expect, timeout)

    def refused(self, place, *words, ranks=0, expect=2, fragments=(), environment=None):
        """A run that ends with one message of an error, in which all fragments stand."""
        outcome = self.go(place, *words, ranks=ranks, expect=expect, environment=environment)
        self.assert_one_error(outcome, fragments)
        return outcome

    def assert_one_error(self, outcome, fragments=()):
        """The run had one message of an error; all fragments stand in it or the lines below."""
        self.assertEqual(len(outcome.errors), 1, outcome.text)
        told = outcome.stderr[outcome.stderr.index(outcome.errors[0]):]
        for fragment in fragments:
            self.assertRegex(told, fragment)

    def assert_said(self, outcome, pattern):
        """Exactly one of the messages has the pattern. @return what was found"""
        found = [re.search(pattern, line) for line in outcome.messages]
        found = [match for match in found if match]
        self.assertEqual(len(found), 1, f"'{pattern}' in {outcome.text}")
        return found[0]

    def assert_continued(self, outcome, step):
        """The run said that it went on from the checkpoint of a step."""
        pattern = rf"^engram: continuing from \S+/checkpoint_{step:012d}\.h5 \(step {step}, t = "
        self.assert_said(outcome, pattern)

    def assert_same(self, first, second):
        """Two places hold the same series, fields and newest checkpoint, bit by bit."""
        texts = watched_run.output_differences(first.output, second.output)
        self.assertEqual(texts, [], f"{first.path} and {second.path}")

    def assert_unchanged(self, place, before, but=()):
        """The results are what Place.contents told before, but for files of these names."""
        after = place.contents()
        changed = [name for name in sorted(set(before) | set(after))
                   if before.get(name, "") != after.get(name, "") and name not in but]
        self.assertEqual(changed, [])

    def wait_for_file(self, run, path):
        """Waits until a running run has made a file."""
        self.assertTrue(run.wait_until(path.exists), f"ended too soon:\n{run.stdout}{run.stderr}")

    def wait_for_checkpoint(self, run, place, count=1):
        """Waits until there are so many checkpoints."""
        self.assertTrue(run.wait_until(lambda: len(place.checkpoints) >= count),
                        f"ended too soon:\n{run.stdout}{run.stderr}")

    def sleep(self, run, seconds):
        """Lets a run go on for a while; it must not come to its end."""
        time.sleep(seconds)
        self.assertIsNone(run.code, f"ended too soon:\n{run.stdout}{run.stderr}")


def main():
    """Runs the tests of the calling script."""
    engram_test.main()
