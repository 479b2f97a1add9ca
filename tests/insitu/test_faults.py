"""Faults of scripts end no run that is not strict; signals are obeyed as without ParaView."""

import os
import pathlib
import signal

import engram_test
from insitu_support import SCRIPTS, STEP, InsituTestCase, main

HEAD = """
from paraview import catalyst
from paraview.simple import *
options = catalyst.Options()
density = TrivialProducer(registrationName="density")
"""

# Scripts that fail, each in its own way.
FAULTY = {
    "does not compile": "def catalyst_execute(info):\n    return +\n",
    "raises when loaded": HEAD + "raise ValueError('loaded in vain')\n",
    "leaves when loaded": HEAD + "import sys\nsys.exit(3)\n",
    "raises at a step": HEAD + "def catalyst_execute(info):\n"
                               "    if info.timestep == 5:\n        raise ValueError('five')\n",
    "leaves at a step": HEAD + "def catalyst_execute(info):\n"
                               "    if info.timestep == 5:\n        raise SystemExit(7)\n",
    "raises at every step": HEAD + "def catalyst_execute(info):\n    density.no_such_thing()\n",
    "raises on one rank": HEAD + "from paraview import servermanager\n"
                                 "module = servermanager.vtkProcessModule.GetProcessModule()\n"
                                 "def catalyst_execute(info):\n"
                                 "    if module.GetPartitionId() == 1:\n"
                                 "        raise ValueError('one of two')\n",
}
STRICT = 5

# A run of ten seconds, to be struck at any moment.
LONG = {**engram_test.PLAIN_EULER, "grid_v_cells": 120, "grid_w_cells": 61,
        "time_step": STEP / 256, "time_end": 960 * STEP, "checkpoint_wall": 0,
        "checkpoint_every": 0, "output_fields_every": 0, "output_series_every": 100}
REQUEUED, INTERRUPTED = 85, 86


class Faults(InsituTestCase):
    """Scripts that fail."""

    def script(self, name):
        """The path of a faulty script."""
        path = self.folder / f"{name.replace(' ', '_')}.py"
        path.write_text(FAULTY[name], encoding="ascii")
        return path

    def failures(self, result):
        """What the summary counts."""
        return result.yaml("summary.yaml")["insitu_failures"]

    def check(self, names):
        """A run with these scripts and a good one, which does all of its work."""
        paths = [self.script(name) for name in names]
        result = self.show("faulty", [*paths, "extracts.py"], ranks=2)
        self.assertEqual((result.folder / "series.csv").read_bytes(),
                         (self.show("without", []).folder / "series.csv").read_bytes())
        self.assertEqual(len(self.names(result, ".csv")), 9)
        # One word of warning a script; those of a step share a line.
        warnings = [line for line in result.stderr.splitlines() if "warning: in situ" in line]
        for path in paths:
            with self.subTest(path.stem):
                self.assertEqual("".join(warnings).count(f"{path} failed"), 1, warnings)
        self.assertGreaterEqual(self.failures(result), len(paths))

    def test_scripts_that_raise(self):
        self.check([name for name in FAULTY if not name.startswith("leaves")])

    def test_scripts_that_leave(self):
        self.check([name for name in FAULTY if name.startswith("leaves")])

    def test_strict(self):
        for name in ("raises when loaded", "raises at a step"):
            with self.subTest(name):
                result = self.show(name.replace(" ", "_"), [self.script(name)], "-insitu_strict",
                                   ranks=2, expect=STRICT)
                self.assertIn("-insitu_strict", result.stderr)
        good = self.show("good", ["extracts.py"], "-insitu_strict", ranks=2)
        self.assertEqual(self.failures(good), 0)

    def test_scripts_that_do_not_exist(self):
        for words in (["-insitu_scripts", "missing.py"],
                      ["-insitu_scripts", f"{SCRIPTS / 'extracts.py'},missing.py"],
                      ["-insitu_scripts", f"{SCRIPTS / 'extracts.py'},"],
                      ["-insitu_scripts", "missing.py", "-dry_run"]):
            with self.subTest(words):
                result = self.show("missing", [], *words, ranks=1, expect=2)
                self.assertIn("insitu_scripts", result.stderr)
                self.assertFalse((result.folder / "series.csv").exists())


class Signals(InsituTestCase):
    """Checkpoints on signals, with ParaView and its own handlers in the process."""

    def checkpoints(self, name):
        """The steps of the checkpoints of a run, oldest first."""
        paths = sorted((self.folder / name / "checkpoints").glob("*.h5"))
        return [int(path.stem.split("_")[1]) for path in paths]

    def strike(self, name, *numbers, **changes):
        """Starts a run and sends its ranks signals once it takes steps; returns the exit code.

        Before the next signal there must be a checkpoint.
        """
        command = self.command(name, ["extracts.py"], "-insitu_every", 2000, ranks=2,
                               **{**LONG, **changes})
        variables = {"OMPI_MCA_odls_base_sigkill_timeout": "4"}
        with self.running(name, command, self.environment(**variables)) as run:
            first = self.folder / name / "insitu" / "weights_00002000.csv"
            self.wait_until(first.exists, "an extract of the running simulation", run, name)
            # To the ranks: the launcher makes TERM of INT, and a code of its own of both.
            children = pathlib.Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text("ascii")
            for number in numbers:
                for rank in children.split():
                    os.kill(int(rank), number)
                if number != numbers[-1]:
                    self.wait_until(lambda: self.checkpoints(name), "a checkpoint", run, name)
            return run.wait(timeout=60)

    def test_signals(self):
        cases = {(signal.SIGTERM,): REQUEUED, (signal.SIGINT,): INTERRUPTED,
                 (signal.SIGUSR2, signal.SIGUSR1): REQUEUED}
        for numbers, code in cases.items():
            name = numbers[0].name.lower()
            with self.subTest(name):
                self.assertEqual(self.strike(name, *numbers), code, self.log(name))
                self.assertEqual(len(self.checkpoints(name)), len(numbers), self.log(name))

    def test_goes_on_from_there(self):
        changes = {"time_end": 192 * STEP}
        self.assertEqual(self.strike("run", signal.SIGUSR1, **changes), REQUEUED, self.log("run"))
        words = {**LONG, **changes}
        result = self.show("run", ["extracts.py"], "-restart", "auto", "-insitu_every", 20000,
                           ranks=1, **words)
        whole = self.show("whole", [], ranks=2, **words)
        self.assertEqual((result.folder / "series.csv").read_bytes(),
                         (whole.folder / "series.csv").read_bytes())


if __name__ == "__main__":
    engram_test.PROGRAM.stat()
    main()
