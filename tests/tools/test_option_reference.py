"""docs/options.md is what the program says of its options."""

import subprocess

import engram_test


class OptionReference(engram_test.EngramTestCase):
    """The tool with --check, on the committed file and on a stale one."""

    def check(self, *arguments):
        """Runs the tool."""
        return subprocess.run(
            [engram_test.PYTHON, str(engram_test.SOURCE / "tools" / "option_reference.py"),
             "--program", str(engram_test.PROGRAM), "--check", *arguments],
            capture_output=True, text=True, check=False)

    def test_reference_is_up_to_date(self):
        process = self.check()
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_stale_reference_is_found(self):
        stale = self.folder / "options.md"
        stale.write_text("# Options\n", encoding="utf-8")
        process = self.check("--output", str(stale))
        self.assertEqual(process.returncode, 1)
        self.assertIn("not up to date", process.stderr)


if __name__ == "__main__":
    engram_test.main()
