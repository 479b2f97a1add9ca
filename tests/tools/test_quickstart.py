"""The first command of the README, on a copy of the source in an empty folder, twice."""

import os
import shutil
import subprocess

import engram_test


class Quickstart(engram_test.EngramTestCase):
    """Set-up, build, run and pictures, from another working directory."""

    def setUp(self):
        super().setUp()
        self.copy = self.folder / "a copy"
        shutil.copytree(engram_test.SOURCE, self.copy,
                        ignore=shutil.ignore_patterns("build", "results", ".git", "__pycache__"))

    def call(self, *arguments, ranks="2"):
        """Runs the command in the copy; a small grid and a short time keep it quick."""
        return subprocess.run(
            [str(self.copy / "tools" / "quickstart.sh"), *arguments], cwd=self.folder,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env=dict(os.environ, ENGRAM_RANKS=ranks, CCACHE_BASEDIR=str(self.copy)))

    def test_twice(self):
        small = ("-time_end", "0.01", "-grid_w_cells", "16")
        for folder in ("learning", "learning-2"):
            process = self.call(*small)
            self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
            self.assertIn(f"results/{folder}", process.stderr)
            results = self.copy / "results" / folder
            for name in ("series.csv", "fields.h5", "fields.xmf", "case.yaml", "summary.yaml",
                         "plots/overview.png"):
                self.assertGreater((results / name).stat().st_size, 100, name)

        case = self.copy / "input" / "nnlif_steady.yaml"
        process = self.call(os.path.relpath(case, self.folder), "-time_end", "0.1", ranks="1")
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertTrue((self.copy / "results" / "nnlif_steady" / "plots" / "rate.png").exists())

        process = self.call("-grid_w_cell", "16")
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("did you mean -grid_w_cells?", process.stderr)
        self.assertNotIn("done: results", process.stderr)


if __name__ == "__main__":
    engram_test.main()
