"""What the tests of the in situ side share: X servers of their own, a case, and its pictures."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

import h5py
import numpy
from PIL import Image

import engram_test

SCRIPTS = engram_test.SOURCE / "tools" / "insitu"

# Steps of a power of two, so that every multiple is exact.
STEP = 0.015625

# A density that is large and small in every quarter of the weights, and moves.
CASE = {
    "model_noise": 1,
    "model_epsilon": 0.1,
    "model_input": "1 + sin(9*t) + 0.3*w",
    "model_response": "N/(1 + N)",
    "model_learning": "cos(4*w)",
    "initial_density": "(1.3 + sin(11*w))*exp(-(v + 1 - w)^2/0.5)",
    "grid_v_cells": 60,
    "grid_w_min": -1,
    "grid_w_max": 1,
    "grid_w_cells": 26,
    "transport_order": 1,
    "time_step": STEP,
    "time_end": 8 * STEP,
    "output_fields_every": 4 * STEP,
}

# What no run may print, however it ends.
UNWANTED = ["PETSC ERROR", "MPI_ABORT", "MPI_Abort", "Segmentation", "Backtrace", "Aborted",
            "bad X server connection", "WARN|", "ERR|"]


class XServer:
    """An X server without a screen, on a free display; `name` is its DISPLAY."""

    def __init__(self):
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-noreset",
             "-nolisten", "tcp"],
            pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading, encoding="ascii") as answer:
            self.name = f":{answer.readline().strip()}"

    def stop(self):
        """Ends it; its display is stale from then on."""
        self._process.terminate()
        self._process.wait(timeout=20)


class InsituTestCase(engram_test.EngramTestCase):
    """A test with an X server for all of its runs, and ways to look at what they leave."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = XServer()
        cls.addClassCleanup(server.stop)
        cls.display = server.name

    def environment(self, display=None, **variables):
        """The variables of a run: with this DISPLAY, or none."""
        values = {name: value for name, value in os.environ.items()
                  if name != "DISPLAY" and not name.startswith("ENGRAM_INSITU")}
        if display:
            values["DISPLAY"] = display
        values.update(variables)
        return values

    def command(self, name, scripts, *words, ranks=1, **changes):
        """The words that start a run with scripts into the folder of that name."""
        case = self.write_case({**CASE, **changes}, name=f"{name}.yaml", time_end=changes.get(
            "time_end", CASE["time_end"]))
        paths = ",".join(str(SCRIPTS / script) for script in scripts)
        return ["mpirun", "-n", str(ranks), str(engram_test.PROGRAM), str(case), "-output_dir",
                str(self.folder / name), *(["-insitu_scripts", paths] if scripts else []),
                *map(str, words)]

    def show(self, name, scripts, *words, ranks=1, display=None, variables=None, expect=0,
             **changes):
        """Runs the case with scripts; returns what engram_test.Result has."""
        return self.run_words(name, self.command(name, scripts, *words, ranks=ranks, **changes),
                              self.environment(display, **(variables or {})), expect)

    def run_words(self, name, command, environment, expect=0):
        """Runs a command to its end and checks its exit code."""
        process = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True,
                                 text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        text = process.stdout + process.stderr
        self.assertEqual(process.returncode, expect, text[-4000:])
        unwanted = [line for line in text.splitlines() if any(word in line for word in UNWANTED)]
        self.assertEqual(unwanted[:5], [])
        return engram_test.Result(process, self.folder / name)

    @contextlib.contextmanager
    def running(self, name, command, environment):
        """A run in the background, its output in a file; killed if it is still there at the end."""
        with open(self.folder / f"{name}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                       start_new_session=True)
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self, name):
        """What a run in the background has printed so far."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def wait_until(self, is_true, what, process=None, name=None, seconds=60):
        """Waits for something, as long as a run lives."""
        end = time.monotonic() + seconds
        while not is_true():
            is_over = process is not None and process.poll() is not None
            if is_over or time.monotonic() > end:
                self.fail(f"{what}: not seen\n{self.log(name) if name else ''}")
            time.sleep(0.05)

    def names(self, result, ending):
        """Names of the files in situ that end so."""
        folder = result.folder / "insitu"
        return sorted(path.name for path in folder.glob(f"*{ending}")) if folder.exists() else []

    def picture(self, result, name):
        """A picture as array [row][column][colour] of numbers from 0 to 255."""
        with Image.open(result.folder / "insitu" / name) as image:
            return numpy.asarray(image.convert("RGB")).astype(float)


def faces(centres):
    """Faces of equal cells around centres."""
    half = 0.5 * (centres[1] - centres[0])
    return numpy.concatenate([centres - half, [centres[-1] + half]])


def correlation(first, second):
    """Of two arrays of the same shape, as numbers between -1 and 1."""
    return numpy.corrcoef(numpy.ravel(first), numpy.ravel(second))[0, 1]


def datasets(path):
    """All datasets of an HDF5 file, at its root or in /state."""
    with h5py.File(path, "r") as file:
        found = {}
        file.visititems(lambda name, item: found.update({name: item[...]})
                        if isinstance(item, h5py.Dataset) else None)
        return found


def pvpython(script, *words, **options):
    """Starts a script under ParaView's Python, without any display."""
    variables = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    path = pathlib.Path(__file__).parent / script
    return subprocess.Popen(["pvpython", str(path), *map(str, words)], env=variables,
                            stdin=subprocess.DEVNULL, text=True, start_new_session=True, **options)


def main():
    """Runs the tests of the calling script."""
    engram_test.main()
