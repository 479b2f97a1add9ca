"""Runs killed at random moments lose nothing: tools/soak.py, in bounded time."""

import subprocess

import engram_test
from restart_support import RestartTestCase, main
import soak  # from tools/, which restart_support has made known

KILLS = 30
KILLS_IN_PARTS = 8
SEED = 4
RANKS = (1, 2, 3)


class KillTest(RestartTestCase):
    """The whole run ends by signal 9, and is restarted on other ranks."""

    def campaign(self, options, kills):
        """Kills and restarts a case, which must leave the bits of an uninterrupted run."""
        case = self.folder / "case.yaml"
        soak.write_case(case, options)
        plan = soak.Plan(program=str(engram_test.PROGRAM), case=case, options=[], kills=kills,
                         seed=SEED, ranks=RANKS, latest=1.5)
        campaign = soak.Campaign(plan, self.folder, say=print)
        is_well = campaign.run()
        self.assertTrue(is_well, "\n".join(campaign.problems))
        self.assertEqual(campaign.kills, kills)
        self.assertGreaterEqual(campaign.ends, 1)
        return campaign

    def test_random_moments(self):
        """Adaptive steps, with jumps of the input."""
        campaign = self.campaign(soak.CASE, KILLS)
        self.assertGreaterEqual(campaign.hits, KILLS // 6, "checkpoints that were half written")

    def test_random_moments_inside_of_steps(self):
        """Fixed steps of many parts, with the same jumps inside of them."""
        self.campaign(soak.FIXED, KILLS_IN_PARTS)

    def soak(self, *words):
        """Runs the tool."""
        return subprocess.run([engram_test.PYTHON, "-B", engram_test.SOURCE / "tools/soak.py",
                               "--program", engram_test.PROGRAM, *words], cwd=self.folder,
                              capture_output=True, text=True, timeout=120, check=False)

    def test_tool(self):
        """A short soak of another case; one with other bits is found out."""
        case = self.write_case(engram_test.PLAIN_EULER, time_end=2, time_step=1e-4,
                               checkpoint_every=0.1, grid_w_cells=40)
        process = self.soak("--kills", "2", "--ranks", "2,1", "--latest", "0.8", case, "--",
                            "-model_noise", "0.7")
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertRegex(process.stdout, r"(?m)^2 kills, .* all as uninterrupted$")
        process = self.soak("--kills", "1", case, "--", "-model_noise", "none")
        self.assertEqual(process.returncode, 1, process.stdout)
        self.assertIn("the uninterrupted run: exit code 2", process.stdout)


if __name__ == "__main__":
    main()
