"""Options of in situ scripts, where no back end is at hand: what is said, and what is not loaded."""

import os
import shutil
import subprocess

from engram_test import PROGRAM, SOURCE, EngramTestCase, main

SCRIPT = SOURCE / "tools" / "insitu" / "extracts.py"


class NoBackEnd(EngramTestCase):
    """The program alone in a folder, as one that was built without ParaView."""

    def setUp(self):
        super().setUp()
        place = self.folder / "bin"
        place.mkdir()
        self.program = shutil.copy(PROGRAM, place)

    def call(self, *words, expect=2):
        """The messages of a run; nothing is written by one that is refused."""
        command = [self.program, self.write_case(), "-output_dir", "output", *words]
        variables = {name: value for name, value in os.environ.items()
                     if name != "ENGRAM_INSITU_PATH"}
        process = subprocess.run([str(word) for word in command], cwd=self.folder, env=variables,
                                 capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, expect, process.stderr)
        self.assertEqual((self.folder / "output").exists(), expect == 0)
        return process.stderr

    def test_says_how_to_get_one(self):
        text = self.call("-insitu_scripts", SCRIPT)
        self.assertIn("no in situ back end was built", text)
        self.assertIn("paraview-dev python3-paraview", text)
        self.assertIn("ENGRAM_INSITU_PATH to the folder of libengram_insitu_paraview.so", text)
        self.assertIn("no in situ back end catalyst was built",
                      self.call("-insitu_scripts", SCRIPT, "-insitu_backend", "catalyst"))
        self.assertEqual(len(text.splitlines()), 1)

    def test_values(self):
        cases = [(["-insitu_backend", "visit"], "must be auto or paraview or catalyst"),
                 (["-insitu_every", "0"], "-insitu_every 0: must be at least 1"),
                 (["-insitu_live", "nowhere"], "-insitu_live nowhere: must be HOST:PORT"),
                 (["-insitu_live", "host:99999"], "must be HOST:PORT")]
        for words, message in cases:
            with self.subTest(words):
                self.assertIn(message, self.call("-insitu_scripts", SCRIPT, *words))
        self.assertIn("there is no file none.py", self.call("-insitu_scripts", "none.py"))

    def test_what_does_nothing_is_told(self):
        text = self.call("-insitu_every", "5", expect=0)
        self.assertIn("-insitu_every does nothing without -insitu_scripts", text)

    def test_library_that_is_none(self):
        (self.folder / "bin" / "libengram_insitu_paraview.so").write_text("text", encoding="ascii")
        text = self.call("-insitu_scripts", SCRIPT)
        self.assertIn("cannot be loaded on rank 0", text)


if __name__ == "__main__":
    main()
