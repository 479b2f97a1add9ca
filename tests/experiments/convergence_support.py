"""Studies of tools/convergence.py in the folder of a test."""

import contextlib
import csv
import io
import math
import os
import sys
from unittest import mock

from engram_test import PROGRAM, SOURCE, EngramTestCase

sys.path.insert(0, str(SOURCE / "tools"))
import convergence  # noqa: E402
import convergence_errors  # noqa: E402

# A case that takes no time, and a network with a single weight that comes to rest.
TINY = {"grid_v_cells": 12, "grid_w_cells": 4, "time_end": 0.01, "time_step": 0.001}
SINGLE = {"model_epsilon": 1, "model_response": "N", "model_input": "0", "model_v_min": -5,
          "model_plasticity": False, "initial_density": "exp(-(v + 1)^2/0.5)", "grid_v_cells": 70,
          "grid_w_min": 0.5, "grid_w_max": 0.5, "grid_w_cells": 1, "time_end": 15,
          "time_step": 0.05}


class Outcome:
    """What a call of the tool has left."""

    def __init__(self, code, stdout, stderr):
        self.code, self.stdout, self.stderr = code, stdout, stderr


class StudyTestCase(EngramTestCase):
    """Studies in the folder `study`; the tool is called within the process of the test."""

    def setUp(self):
        super().setUp()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def call(self, *words, expect=0, **settings):
        """Calls the tool without a terminal, and checks the exit code."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr), \
                open(os.devnull, encoding="ascii") as nothing, \
                mock.patch.multiple(sys, argv=["convergence.py", *map(str, words)],
                                    stdin=nothing), \
                mock.patch.dict(os.environ, settings):
            try:
                code = convergence.main()
            except SystemExit as leave:
                code = leave.code
        self.assertEqual(code, expect, stdout.getvalue() + stderr.getvalue())
        return Outcome(code, stdout.getvalue(), stderr.getvalue())

    def study(self, *words, expect=0, environment=None, **changes):
        """Writes a case and studies it."""
        case = self.write_case(**changes)
        return self.call(case.name, "--output", "study", "--program", PROGRAM, *words,
                         expect=expect, **(environment or {}))

    def columns(self):
        """Columns of convergence.csv as texts."""
        path = self.folder / "study" / "convergence.csv"
        with open(path, newline="", encoding="ascii") as stream:
            rows = list(csv.DictReader(stream))
        return {name: [row[name] for row in rows] for name in rows[0]}

    def orders_below_the_last_node(self, refine):
        """Of the largest difference of densities at all nodes but the last."""
        runs = [convergence_errors.Fields(path.parent)
                for path in sorted((self.folder / "study").glob("level-*/fields.h5"))]
        densities = [run.density[run.row] for run in runs]
        for run in runs:
            run.close()
        differences = [
            abs(coarse - convergence_errors.restrict_density(fine, refine, 1))[:-1].max()
            for coarse, fine in zip(densities, densities[1:])]
        return [math.log(first / second) / math.log(refine)
                for first, second in zip(differences, differences[1:])]

    def assert_refused(self, message, *words, **changes):
        """One line on stderr that says what is wrong."""
        process = self.study(*words, expect=2, **changes)
        self.assertRegex(process.stderr.splitlines()[-1], message)
        self.assertIn("convergence.py: error: ", process.stderr)
        return process
