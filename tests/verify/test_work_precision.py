"""How many steps adaptive runs take, and the command that measures error against work."""

import json
import subprocess
import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import runner  # noqa: E402
import work_precision_cases as cases  # noqa: E402


class Steps(engram_test.EngramTestCase):
    """Adaptive steps of third order on the cases of the study."""

    # Steps over those that the method was designed to take on such a case.
    ALLOWED = 1.5

    def test_no_more_than_designed(self):
        pairs = [(case, tolerance, designed) for case in cases.CASES if case.design
                 for tolerance, designed in zip(cases.DESIGN_TOLERANCES, case.design)]
        self.assertEqual(len(pairs), 8 * 3)
        runs = runner.run_all(engram_test.PROGRAM, [
            dict(case.all_options(), time_tolerance=tolerance) for case, tolerance, _ in pairs])
        for (case, tolerance, designed), run in zip(pairs, runs):
            with self.subTest(case=case.key, tolerance=tolerance):
                self.assertLessEqual(run.summary["steps"], self.ALLOWED * designed)
                self.assertEqual(run.summary["steps_above_tolerance"], 0)


class Command(engram_test.EngramTestCase):
    """tools/verification/work_precision.py."""

    def call(self, *words, expect=0):
        """Runs it; returns what it tells."""
        process = subprocess.run(
            [engram_test.PYTHON, engram_test.SOURCE / "tools/verification/work_precision.py",
             "--program", engram_test.PROGRAM, *words], cwd=self.folder, capture_output=True,
            text=True, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, expect, process.stderr)
        return process.stderr

    def test_document(self):
        self.call("--quick", "--cases", "switch", "--rounds", "1", "--keep", "kept.json",
                  "--output", "first/study.md")
        text = (self.folder / "first" / "study.md").read_text(encoding="utf-8")
        self.assertGreater((self.folder / "first" / "pictures" / "work_precision.png").stat().st_size,
                           10000)
        kept = json.loads((self.folder / "kept.json").read_text(encoding="utf-8"))
        families = kept["cases"][0]["families"]
        self.assertEqual(len(families), 9)
        best = {(each["scheme"], each["kind"]): min(run["error"] for run in each["runs"])
                for each in families}
        self.assertLess(best["third-order", "adaptive"], 1e-4)
        self.assertLess(best["third-order", "graded"], best["euler", "graded"])
        self.assertIn("input switched off", text)
        self.assertIn("- 0 of ", text)
        self.call("--read", "kept.json", "--output", "second/study.md")
        self.assertEqual((self.folder / "second" / "study.md").read_text(encoding="utf-8"), text)

    def test_refusals(self):
        self.assertIn("--program nowhere: no such program",
                      self.call("--program", "nowhere", expect=1))
        self.assertIn("invalid choice: 'none'", self.call("--cases", "none", expect=2))


if __name__ == "__main__":
    engram_test.main()
