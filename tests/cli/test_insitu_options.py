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


# A back end that has the name of the one on Catalyst 2 and does nothing.
IDLE = """
#include "engram/insitu.h"
static int Start(const EngramInsituSetup *setup, EngramInsituReport *report)
{
    (void)setup;
    return report->failures;
}
static int Wants(int64_t step, double time, int is_last)
{
    return step < 0 && time < 0.0 && is_last;
}
static void Show(const EngramInsituScene *scene, EngramInsituReport *report)
{
    report->failures = scene->channels;
}
static void Stop(EngramInsituReport *report)
{
    report->failures = 0;
}
static const EngramInsituBackend backend = {
    ENGRAM_INSITU_VERSION, "catalyst", Start, Wants, Show, Stop};
const EngramInsituBackend *EngramInsituGetBackend(void)
{
    return &backend;
}
"""


class IdleBackEnd(EngramTestCase):
    """What is said of a back end by its name."""

    def test_strict_with_catalyst(self):
        (self.folder / "idle.c").write_text(IDLE, encoding="ascii")
        subprocess.run(["mpicc", "-shared", "-fPIC", "-I", SOURCE / "include", "idle.c", "-o",
                        "libengram_insitu_catalyst.so"], cwd=self.folder, check=True)
        for words, lines in (([], 0), (["-insitu_strict"], 1)):
            process = self.execute(
                [self.write_case(), "-output_dir", f"output_{lines}", "-insitu_backend", "catalyst",
                 "-insitu_scripts", SCRIPT, *words],
                environment={"ENGRAM_INSITU_PATH": str(self.folder)})
            self.assertEqual(process.returncode, 0, process.stderr)
            self.assertEqual(process.stderr.count("does not learn what fails"), lines)


if __name__ == "__main__":
    main()
