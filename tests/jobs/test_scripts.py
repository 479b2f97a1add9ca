"""Job scripts run as they are, with a launcher that needs no scheduler."""

import os
import subprocess

import engram_test


class Scripts(engram_test.EngramTestCase):
    """The scripts, from a working folder of their own."""

    def call(self, script, *words, **environment):
        """Runs a script of jobscripts/ with mpirun on two ranks."""
        variables = dict(os.environ, ENGRAM=str(engram_test.PROGRAM), LAUNCHER="mpirun -n 2",
                         CASE=str(engram_test.SOURCE / "input" / "learning.yaml"), **environment)
        return subprocess.run(["bash", str(engram_test.SOURCE / "jobscripts" / script), *words],
                              cwd=self.folder, env=variables, capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)

    def test_run(self):
        process = self.call("run.sbatch", "-time_end", "0.01", "-grid_w_cells", "16",
                            SLURM_JOB_ID="42")
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertIn("results are in results/learning-42", process.stdout)
        self.assertTrue((self.folder / "results" / "learning-42" / "summary.yaml").exists())

    def test_run_tells_of_failure(self):
        process = self.call("run.sbatch", "-grid_w_cells", "1")
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("-grid_w_cells 1: fewer cells than the 2 ranks", process.stderr)
        self.assertNotIn("results are in", process.stdout)


if __name__ == "__main__":
    engram_test.main()
