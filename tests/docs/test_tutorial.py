"""The commands of docs/tutorial.md, one after the other, on smaller grids."""

import os
import re
import subprocess

from engram_test import PROGRAM, SOURCE, EngramTestCase, main

# A comment `small: WORDS` before a block is added to its last command; `makes: PATHS` must be there
# afterwards; `exit: CODE` is the exit code of the block, 0 without it.
BLOCK = re.compile(r"((?:<!-- \w+: .*? -->\n)*)```sh\n(.*?)```\n", re.DOTALL)
COMMENT = re.compile(r"<!-- (\w+): (.*?) -->")

# Notes what it was asked for. The scripts themselves are tried under a scheduler in tests/slurm.
SBATCH = """#!/bin/bash
echo "$@" >>"$SBATCH_WORDS"
echo "Submitted batch job 7"
for word in "$@"; do case $word in *.sbatch) bash -n "$word" || exit 1 ;; esac; done
"""


class TutorialTest(EngramTestCase):
    """In a folder that looks like the project's."""

    def setUp(self):
        super().setUp()
        for name in ("tools", "input", "jobscripts"):
            (self.folder / name).symlink_to(SOURCE / name)
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "engram").symlink_to(PROGRAM)
        (programs / "sbatch").write_text(SBATCH, encoding="ascii")
        (programs / "sbatch").chmod(0o755)
        (programs / "squeue").write_text("#!/bin/bash\n", encoding="ascii")
        (programs / "squeue").chmod(0o755)
        self.variables = {
            **os.environ, "PATH": f"{programs}:{os.environ['PATH']}",
            "SBATCH_WORDS": str(self.folder / "sbatch.words"), "MPLBACKEND": "Agg"}
        self.variables.pop("DISPLAY", None)

    def run_block(self, text, small, code):
        """Runs a block, with these words behind its last command; it must leave with this code."""
        if small:
            text = text.rstrip() + " " + small + "\n"
        process = subprocess.run(["bash", "-euc", text], cwd=self.folder, env=self.variables,
                                 capture_output=True, text=True, check=False, timeout=200,
                                 stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, code, text + process.stdout + process.stderr)

    def test_commands(self):
        tutorial = (SOURCE / "docs" / "tutorial.md").read_text(encoding="utf-8")
        blocks = BLOCK.findall(tutorial)
        self.assertEqual(len(blocks), tutorial.count("```sh"))
        self.assertGreater(len(blocks), 7)
        made = 0
        for comments, text in blocks:
            words = dict(COMMENT.findall(comments))
            self.run_block(text, words.get("small"), int(words.get("exit", 0)))
            for path in words.get("makes", "").split():
                self.assertTrue((self.folder / path).is_file(), f"{text}: no {path}")
                made += 1
        self.assertGreater(made, 9)
        submitted = (self.folder / "sbatch.words").read_text(encoding="utf-8")
        self.assertIn("jobscripts/chain.sbatch", submitted)
        self.assertEqual(len(submitted.splitlines()), 2)

    def test_pictures_and_links(self):
        """Whatever the documents link to is there."""
        missing = []
        for path in [*sorted((SOURCE / "docs").glob("*.md")), SOURCE / "README.md"]:
            for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8")):
                if "://" not in target and not (path.parent / target).exists():
                    missing.append(f"{path.name}: {target}")
        self.assertEqual(missing, [])


if __name__ == "__main__":
    main()
