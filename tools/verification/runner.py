"""Runs of the program for the verification studies, and the arithmetic of convergence tables."""

import csv
import math
import os
import pathlib
import subprocess
import tempfile

import h5py


class Run:
    """Results of one run: the series as lists, and the fields of the last state."""

    def __init__(self, folder):
        with open(folder / "series.csv", newline="", encoding="ascii") as stream:
            rows = list(csv.DictReader(stream))
        self.series = {name: [float(row[name]) for row in rows] for name in rows[0]}
        with h5py.File(folder / "fields.h5", "r") as file:
            self.w = file["w"][...]
            self.firing_rate = file["firing_rate"][-1]
            self.weight_density = file["weight_density"][-1]
            self.density = file["density"][-1]
            self.v = file["v"][...]

    @property
    def total_rate(self):
        """Total firing rate at the end."""
        return self.series["total_rate"][-1]


def run(program, options, ranks=0):
    """Runs the program with these options in a temporary folder and reads what it left."""
    with tempfile.TemporaryDirectory(prefix="engram_verification_") as name:
        folder = pathlib.Path(name)
        with open(folder / "case.yaml", "w", encoding="utf-8") as stream:
            for key, value in options.items():
                stream.write(f'{key}: "{value}"\n')
        command = [str(program), "case.yaml", "-output_dir", "output"]
        if ranks:
            command = ["mpirun", "-n", str(ranks)] + command
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                                 env=dict(os.environ), stdin=subprocess.DEVNULL)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} with {options}: {process.stderr}")
        return Run(folder / "output")


def orders_from_errors(errors):
    """Observed orders under halving, from errors against a known value."""
    return [math.log2(abs(a / b)) for a, b in zip(errors, errors[1:])]


def orders_from_values(values):
    """Observed orders under halving without a known value, from successive differences."""
    differences = [a - b for a, b in zip(values, values[1:])]
    return orders_from_errors(differences)
