"""What the tests of the program share: runs in temporary folders, and readers of their results."""

import csv
import os
import pathlib
import subprocess
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["ENGRAM_PROGRAM"])
SOURCE = pathlib.Path(os.environ["ENGRAM_SOURCE"])
BUILD = pathlib.Path(os.environ["ENGRAM_BUILD"])
PYTHON = os.environ.get("ENGRAM_PYTHON", "python3")
IS_SANITIZED = os.environ.get("ENGRAM_SANITIZED") == "1"

# The scheme of the paper: of first order, with the total rate of the beginning of a step, in whole
# steps that see no jumps.
PLAIN_EULER = {"time_scheme": "euler", "time_start": "plain", "coupling": "lagged"}

# A small learning case that runs in well under a second, in fixed steps with the defaults of the
# program; tests change what they are about.
SMALL_CASE = {
    "model_noise": 1,
    "model_epsilon": 0.1,
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "exp(-(w - 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)",
    "grid_v_cells": 60,
    "grid_w_cells": 20,
    "time_end": 0.1,
    "time_step": 0.01,
}


class Result:
    """Outcome of one run: exit code, texts, and the files it left."""

    def __init__(self, process, folder):
        self.code = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr
        self.folder = pathlib.Path(folder)

    def series(self):
        """The rows of series.csv, as a dictionary of lists of floats."""
        with open(self.folder / "series.csv", newline="", encoding="ascii") as stream:
            rows = list(csv.DictReader(stream))
        return {name: [float(row[name]) for row in rows] for name in rows[0]}

    def fields(self):
        """All datasets of fields.h5 as a dictionary of arrays."""
        import h5py

        with h5py.File(self.folder / "fields.h5", "r") as file:
            return {name: item[...] for name, item in file.items() if isinstance(item, h5py.Dataset)}

    def yaml(self, name):
        """A YAML file of the output folder."""
        import yaml

        with open(self.folder / name, encoding="utf-8") as stream:
            return yaml.safe_load(stream)


class EngramTestCase(unittest.TestCase):
    """A test with a temporary folder, `self.folder`, and ways to run the program in it."""

    maxDiff = None

    def setUp(self):
        self.addCleanup(os.environ.update, {"TMPDIR": tempfile.gettempdir()})
        temporary = tempfile.TemporaryDirectory(prefix="engram_test_")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self._runs = 0
        # Open MPI makes and removes a folder there, and does not bear another run that does so.
        sessions = tempfile.TemporaryDirectory(prefix="engram_mpi_", ignore_cleanup_errors=True)
        self.addCleanup(sessions.cleanup)
        os.environ["TMPDIR"] = sessions.name

    def write_case(self, options=None, name="case.yaml", **changes):
        """Writes a case file from the small case, the options and the changes; None drops one."""
        values = dict(SMALL_CASE)
        values.update(options or {})
        values.update(changes)
        path = self.folder / name
        with open(path, "w", encoding="utf-8") as stream:
            for key, value in values.items():
                if value is None:
                    continue
                text = f'"{value}"' if isinstance(value, str) else str(value).lower()
                stream.write(f"{key}: {text}\n")
        return path

    def execute(self, arguments, ranks=0, environment=None, timeout=300):
        """Runs the program with these words; ranks=0 runs it without mpirun."""
        command = [str(PROGRAM)] + [str(word) for word in arguments]
        if ranks:
            command = ["mpirun", "-n", str(ranks)] + command
        variables = dict(os.environ)
        variables.update(environment or {})
        return subprocess.run(command, cwd=self.folder, env=variables, capture_output=True,
                              text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)

    def run_case(self, options=None, ranks=0, extra=(), expect=0, **changes):
        """Writes a case, runs it into a new output folder, and checks the exit code."""
        self._runs += 1
        output = self.folder / f"output_{self._runs}"
        case = self.write_case(options, name=f"case_{self._runs}.yaml", **changes)
        process = self.execute([case, "-output_dir", output, *extra], ranks=ranks)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        return Result(process, output)


def main():
    """Runs the tests of the calling script."""
    unittest.main(verbosity=2)
