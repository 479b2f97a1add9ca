"""Displays: without one, or with one that is no more, pictures become data and the run goes on."""

from insitu_support import InsituTestCase, XServer, main

# A script that looks at nothing and draws: as ParaView exports them.
CARELESS = """
from paraview import catalyst
from paraview.simple import *
options = catalyst.Options()
channel = TrivialProducer(registrationName="density")
view = GetActiveViewOrCreate("RenderView")
view.ViewSize = [200, 200]
display = Show(channel, view)
ColorBy(display, ("CELLS", "density"))
GetColorTransferFunction("density").RescaleTransferFunction(0.0, 1.0)
view.ResetCamera()
picture = CreateExtractor("PNG", view, registrationName="picture")
picture.Writer.FileName = "careless_{timestep:06d}.png"
picture.Writer.ImageResolution = [200, 200]
"""


class Displays(InsituTestCase):
    """Runs whose X server is missing in one way or another."""

    def assert_fell_back(self, result, message):
        """No picture, the data instead, and one line that says so."""
        self.assertEqual(self.names(result, ".png"), [])
        self.assertIn("density_00000008.pvtr", self.names(result, ".pvtr"))
        self.assertIn("weights_00000008.pvtr", self.names(result, ".pvtr"))
        lines = [line for line in (result.stdout + result.stderr).splitlines()
                 if "display" in line.lower()]
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(message, lines[0])
        self.assertEqual(result.yaml("summary.yaml")["status"], "done")

    def test_no_display(self):
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                result = self.show(f"none_{ranks}", ["density.py", "weights.py"], "-insitu_every",
                                   8, ranks=ranks)
                self.assert_fell_back(result, f"on {ranks} of {ranks} ranks")

    def test_stale_display(self):
        server = XServer()
        server.stop()
        result = self.show("stale", ["density.py", "weights.py"], "-insitu_every", 8, ranks=2,
                           display=server.name)
        self.assert_fell_back(result, "on 2 of 2 ranks")

    def test_display_on_one_rank_only(self):
        for first in (True, False):
            with self.subTest(first=first):
                name = f"one_{first}"
                words = self.command(name, ["density.py", "weights.py"], "-insitu_every", 8)[3:]
                display = ["env", f"DISPLAY={self.display}", *words]
                sides = [display, words] if first else [words, display]
                command = ["mpirun", "-n", "1", *sides[0], ":", "-n", "1", *sides[1]]
                result = self.run_words(name, command, self.environment())
                self.assert_fell_back(result, "on 1 of 2 ranks")

    def test_scripts_that_look_at_nothing(self):
        (self.folder / "careless.py").write_text(CARELESS, encoding="ascii")
        result = self.show("careless", [self.folder / "careless.py"], "-insitu_every", 8, ranks=2,
                           variables={"ENGRAM_INSITU_DIR": str(self.folder)})
        self.assertEqual(list(self.folder.rglob("*.png")), [])
        self.assertEqual(result.yaml("summary.yaml")["status"], "done")

    def test_without_scripts_paraview_is_not_loaded(self):
        trace = self.folder / "libraries"
        self.show("bare", [], variables={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(trace)})
        loaded = "".join(path.read_text(encoding="utf-8", errors="replace")
                         for path in self.folder.glob("libraries.*"))
        expected = {"libpetsc": True, "libvtk": False, "libpython": False, "engram_insitu": False}
        self.assertEqual({library: library in loaded for library in expected}, expected)


if __name__ == "__main__":
    main()
