"""Runs of the program for the verification studies, and the arithmetic of convergence tables."""

import concurrent.futures
import csv
import math
import os
import pathlib
import subprocess
import tempfile

import h5py
import yaml


# The scheme of the paper in steps that know of no jumps.
PLAIN_EULER = {"time_scheme": "euler", "time_start": "plain"}


def read_table(path):
    """The columns of a CSV file, as a dictionary of lists of floats."""
    with open(path, newline="", encoding="ascii") as stream:
        names, *rows = csv.reader(stream)
    return {name: [float(row[k]) for row in rows] for k, name in enumerate(names)}


class Run:
    """Results of one run: the series as lists, the fields of the last state, the other tables.

    The tables are those of steady states, by their names without ending; `densities` are the
    densities and `firing_rates` the N(w) of all states that were written, at `times`.
    """

    def __init__(self, folder):
        self.series = read_table(folder / "series.csv")
        self.tables = {path.stem: read_table(path) for path in folder.glob("*.csv")}
        with open(folder / "summary.yaml", encoding="utf-8") as stream:
            self.summary = yaml.safe_load(stream)
        with h5py.File(folder / "fields.h5", "r") as file:
            self.w = file["w"][...]
            self.firing_rates = file["firing_rate"][...]
            self.firing_rate = self.firing_rates[-1]
            self.weight_density = file["weight_density"][-1]
            self.densities = file["density"][...]
            self.density = self.densities[-1]
            self.times = file["time"][...]
            self.refractory = file["refractory"][-1] if "refractory" in file else None
            self.v = file["v"][...]

    @property
    def total_rate(self):
        """Total firing rate at the end."""
        return self.series["total_rate"][-1]


def run(program, options, ranks=0, expect=0):
    """Runs the program with these options in a temporary folder and reads what it left.

    Any other exit code than the expected one is an error.
    """
    with tempfile.TemporaryDirectory(prefix="engram_verification_") as name:
        folder = pathlib.Path(name)
        with open(folder / "case.yaml", "w", encoding="utf-8") as stream:
            for key, value in options.items():
                stream.write(f'{key}: "{value}"\n')
        command = [str(program), "case.yaml", "-output_dir", "output"]
        if ranks:
            command = ["mpirun", "-n", str(ranks)] + command
        # Runs at the same time do not share the folder in which Open MPI makes and removes its own.
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                                 env={**os.environ, "TMPDIR": name}, stdin=subprocess.DEVNULL)
        if process.returncode != expect:
            raise RuntimeError(f"{' '.join(command)} with {options}: {process.stderr}")
        return Run(folder / "output")


def run_all(program, cases, expect=0):
    """Results of many cases, in their order. Some run at a time: a short run is mostly waiting."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda options: run(program, options, expect=expect), cases))


def orders_from_errors(errors):
    """Observed orders under halving, from errors against a known value."""
    return [math.log2(abs(a / b)) for a, b in zip(errors, errors[1:])]


def orders_from_values(values):
    """Observed orders under halving without a known value, from successive differences."""
    differences = [a - b for a, b in zip(values, values[1:])]
    return orders_from_errors(differences)
