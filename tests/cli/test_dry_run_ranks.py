"""-dry_run_ranks: what a run on many ranks takes, and what it is refused for, from a few slices."""

import re

import engram_test

LARGE = {"grid_v_cells": 600, "grid_w_cells": 900, "time_end": 1, "output_fields_every": 0.03}


class DryRunRanksTest(engram_test.EngramTestCase):
    """Forecasts beside what a run of that size says of itself."""

    def forecast(self, ranks, *words, expect=0, **changes):
        """What the program prints for so many ranks."""
        case = self.write_case(**changes)
        before = sorted(self.folder.rglob("*"))
        process = self.execute([case, "-output_dir", "output", "-dry_run_ranks", ranks, *words])
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        return process

    def number(self, pattern, text):
        """A number that was printed."""
        found = re.search(pattern, text)
        self.assertTrue(found, f"{pattern} in {text}")
        return float(found[1])

    def test_is_what_the_run_says(self):
        """Memory of the first rank to a few parts in a hundred, the results to the last digit."""
        for scheme in ({}, {"time_scheme": "third-order", "model_refractory": 0.2},
                       {"transport_time": "implicit", "transport_order": 2}):
            with self.subTest(scheme=scheme):
                text = self.forecast(3, **LARGE, **scheme).stdout
                process = self.execute([self.folder / "case.yaml", "-dry_run"], ranks=3)
                whole = process.stdout
                memory = r"memory:  (?:about )?(\S+) MiB on "
                self.assertAlmostEqual(self.number(memory, text) / self.number(memory, whole), 1,
                                       delta=0.03, msg=text + whole)
                self.assertEqual(self.number(r"disk:    about (\S+) MiB", text),
                                 self.number(r"output:  about (\S+) MiB", whole))
                self.assertIn("ranks:   3, at most 300 cells of w on each", text)
                self.assertGreater(self.number(r"time:    about (\S+) s a step", text), 0)
                self.assertIn("; 100 steps take ", text)

    def test_needs_no_memory_of_the_run(self):
        """A density of 400 GB, in planes too large for a chunk of HDF5, is told of on any machine."""
        case = self.write_case(grid_v_cells=3000, grid_w_cells=16384000, output_fields_every=0.1)
        process = self.execute([case, "-output_dir", "output", "-dry_run_ranks", 4096])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("49135616000 unknowns", process.stdout)
        self.assertIn("at most 4000 cells of w on each", process.stdout)
        self.assertLess(self.number(r"memory:  about (\S+) MiB", process.stdout), 2000)
        self.assertRegex(process.stderr, r"warning: the disk of output has \S+ MiB left, and the run "
                                         r"needs about \S+ MiB")

    def test_refusals(self):
        """Those of the run on so many ranks."""
        for ranks, words, message in [
                (21, (), "-grid_w_cells 20: fewer cells than the 21 ranks"),
                (2, ("-grid_v_cells", 39996, "-grid_w_cells", 200000), "PETSc's integers"),
                (2, ("-grid_v_cells", 61), "-grid_v_cells 61: V_R = 1 falls between two nodes"),
                (2, ("-output_dir", "."), "-output_dir .: the folder is not empty"),
                (2, ("-restart", "absent.h5"), "-restart absent.h5: .*No such file"),
                (2, ("-no_such", 1), "unknown option -no_such"),
                (-1, (), "-dry_run_ranks -1: must be ")]:
            with self.subTest(words=words):
                process = self.forecast(ranks, *words, expect=2)
                self.assertRegex(process.stderr, message)
                self.assertEqual(process.stdout, "")

    def test_first_step_that_fails(self):
        text = self.forecast(2, model_learning="1e9", time_scheme="euler", coupling="lagged").stdout
        self.assertRegex(text, r"(?m)^time:    (not known: |about )")

    def test_steady_states_and_adaptive_steps(self):
        text = self.forecast(2, steady=True, model_plasticity=False).stdout
        self.assertIn("time:    not known: no steps in time are taken", text)
        text = self.forecast(2, time_step=None, coupling="implicit").stdout
        self.assertRegex(text, r"; \d+ steps, if all were as the first ones, take \S+ seconds")


if __name__ == "__main__":
    engram_test.main()
