"""tools/convergence_table.py: differences, observed orders, and refusal of what is no study."""

import math
import subprocess

from engram_test import PYTHON, SOURCE, EngramTestCase, main


class ConvergenceTableTest(EngramTestCase):
    """Tables of made-up runs, and of real ones."""

    def call(self, *arguments, expect=0):
        """Runs convergence_table.py in the test's folder, and checks the exit code."""
        process = subprocess.run([PYTHON, "-B", str(SOURCE / "tools" / "convergence_table.py"),
                                  *map(str, arguments)], cwd=self.folder, capture_output=True,
                                 text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process

    def make(self, name, rate, weight=0.5, summary=None, **options):
        """The folder of a finished run."""
        folder = self.folder / name
        folder.mkdir()
        values = {"model_noise": 1, "grid_v_cells": 60, "grid_w_cells": 20, "time_step": "1e-3",
                  "output_dir": f'"{name}"', **options}
        (folder / "case.yaml").write_text(
            "".join(f"{key}: {value}\n" for key, value in values.items()), encoding="ascii")
        text = f"status: done\ntotal_rate: {rate!r}\nmean_weight: {weight!r}\n"
        (folder / "summary.yaml").write_text(summary or text, encoding="ascii")
        return name

    def study(self, option, values, order, power=-1):
        """Runs with the error h^p in the rate, and 3 h^p in the weight, in mixed order."""
        names = [self.make(f"run_{value}", 2.0 + float(value) ** (power * order),
                           0.5 - 3.0 * float(value) ** (power * order), **{option: value})
                 for value in values]
        return names[1:] + names[:1]

    def rows(self, text):
        """Cells of the rows of a table."""
        lines = [line for line in text.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    def assert_orders(self, names, option, order):
        """The table has this order for both quantities in all rows from the third on."""
        header, _, *rows = self.rows(self.call(*names).stdout)
        self.assertEqual(header, ["run", option, "total_rate", "difference", "order",
                                  "mean_weight", "difference", "order"])
        for column in (4, 7):
            self.assertEqual([row[column] for row in rows],
                             ["-", "-"] + [f"{order:.2f}"] * (len(rows) - 2))

    def test_orders(self):
        for order in (1, 2, 0.5):
            with self.subTest(order=order):
                names = self.study("grid_w_cells", [f"{cells}" for cells in
                                                    (10 * 2 ** level + 0 for level in range(4))],
                                   order)
                self.assert_orders(names, "grid_w_cells", order)
                for name in names:
                    for path in (self.folder / name).iterdir():
                        path.unlink()
                    (self.folder / name).rmdir()

    def test_ratios_of_any_size(self):
        self.assert_orders(self.study("grid_v_cells", ["30", "36", "60", "300"], 2),
                           "grid_v_cells", 2)

    def test_steps(self):
        self.assert_orders(self.study("time_step", ["1e-2", "0.005", "2e-3"], 1, power=1),
                           "time_step", 1)

    def test_values_and_differences_from_coarse_to_fine(self):
        names = self.study("grid_w_cells", ["8", "16", "128"], 1)
        rows = self.rows(self.call(*names).stdout)[2:]
        self.assertEqual([row[0] for row in rows], ["run_8", "run_16", "run_128"])
        self.assertEqual([row[1] for row in rows], ["8", "16", "128"])
        self.assertEqual([row[2] for row in rows], ["2.125", "2.0625", "2.0078125"])
        self.assertEqual([row[3] for row in rows], ["-", "-6.250e-02", "-5.469e-02"])
        self.assertEqual([row[6] for row in rows], ["-", "1.875e-01", "1.641e-01"])

    def test_no_order_without_convergence(self):
        for name, rates in (("oscillates", (1.0, 2.0, 1.5)), ("rests", (1.0, 1.0, 1.0)),
                            ("ends", (1.0, 2.0, 2.0))):
            with self.subTest(name=name):
                names = [self.make(f"{name}_{cells}", rate, grid_w_cells=cells)
                         for cells, rate in zip((10, 20, 40), rates)]
                self.assertEqual(self.rows(self.call(*names).stdout)[-1][4], "-")

    def test_diverging_runs_have_a_negative_order(self):
        names = [self.make(f"run_{cells}", rate, grid_w_cells=cells)
                 for cells, rate in ((10, 1.0), (20, 2.0), (40, 4.0))]
        self.assertEqual(self.rows(self.call(*names).stdout)[-1][4], "-1.00")

    def test_options_that_vary_together(self):
        names = [self.make(f"run_{cells}", 1.0 + 1.0 / cells, grid_w_cells=cells,
                           time_step=0.1 / cells) for cells in (10, 20, 40)]
        header, _, *rows = self.rows(self.call(*names).stdout)
        self.assertEqual(header[:3], ["run", "grid_w_cells", "time_step"])
        self.assertEqual(rows[-1][5], "1.00")

    def test_two_runs_have_a_difference_only(self):
        rows = self.rows(self.call(*self.study("grid_w_cells", ["10", "20"], 1)).stdout)
        self.assertEqual([row[4] for row in rows[2:]], ["-", "-"])

    def test_output_file(self):
        names = self.study("grid_w_cells", ["10", "20", "40"], 1)
        output = self.call(*names, "--output", "table.md").stdout
        self.assertEqual((self.folder / "table.md").read_text(encoding="utf-8"), output)
        self.assertEqual(list(self.folder.glob("*.part")), [])
        process = self.call(*names, "--output", "nowhere/table.md", expect=2)
        self.assertIn("nowhere/table.md: cannot be written: No such file", process.stderr)

    def test_equal_values_written_in_two_ways(self):
        names = [self.make("a", 1.0, grid_w_cells=10, time_step="1e-3"),
                 self.make("b", 1.1, grid_w_cells=20, time_step="0.001")]
        self.assertEqual(self.rows(self.call(*names).stdout)[0][:3],
                         ["run", "grid_w_cells", "total_rate"])

    def assert_refused(self, names, message):
        """One line on stderr that says why there is no table, and no table."""
        process = self.call(*names, expect=2)
        self.assertEqual(process.stdout, "")
        self.assertIn(f"convergence_table.py: error: {message}", process.stderr)
        self.assertEqual(len(process.stderr.splitlines()), 1)

    def test_refusals(self):
        coarse = self.make("coarse", 1.0)
        fine = self.make("fine", 1.1, grid_w_cells=40)
        self.assert_refused([coarse, self.make("noisy", 1.0, model_noise=2, grid_w_cells=40)],
                            "the runs differ in model_noise (1, 2), which is no resolution")
        self.assert_refused([coarse, coarse], "two runs have the same resolution")
        self.assert_refused([coarse, fine, self.make("long", 1.0, time_step=1)],
                            "two runs have the same resolution")
        self.assert_refused([coarse, "nowhere"], "nowhere: no such folder")
        (self.folder / "empty").mkdir()
        self.assert_refused([coarse, "empty"], "empty/case.yaml: no such file")
        running = self.make("running", 1.0, grid_w_cells=80)
        (self.folder / running / "summary.yaml").unlink()
        self.assert_refused([coarse, running], "running/summary.yaml: no such file; has the run")
        stopped = self.make("stopped", 1.0, summary='status: stopped\nreason: "blow-up"\n')
        self.assert_refused([coarse, stopped], "stopped/summary.yaml: the run is not done but "
                                               "stopped: blow-up")
        self.assert_refused([coarse, self.make("none", math.nan, grid_w_cells=9)],
                            "none/summary.yaml: total_rate: nan is not a number")
        self.assert_refused([coarse, self.make("odd", 1.0, grid_w_cells="many")],
                            "odd/case.yaml: grid_w_cells: many is not a number")
        self.assertIn("two runs at least", self.call(coarse, expect=2).stderr)

    def test_runs_of_the_program(self):
        folders = [self.run_case(grid_w_cells=cells, transport_order=1).folder
                   for cells in (8, 16, 32)]
        rows = self.rows(self.call(*folders).stdout)
        self.assertEqual([row[1] for row in rows[2:]], ["8", "16", "32"])
        self.assertRegex(rows[-1][4], r"^\d\.\d\d$")


if __name__ == "__main__":
    main()
