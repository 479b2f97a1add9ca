"""What ParaView says nothing about: empty and cut files, and names that are nothing, are failures."""

import re

from insitu_support import InsituTestCase, main

STRICT = 5
STATES = 3  # of the run, at which scripts are asked

HEAD = """
import os, resource, signal
from paraview import catalyst
from paraview.simple import *
from vtkmodules.vtkParallelCore import vtkMultiProcessController
options = catalyst.Options()
options.ExtractsOutputDirectory = os.environ["ENGRAM_INSITU_DIR"]
rank = vtkMultiProcessController.GetGlobalController().GetLocalProcessId()

def extract(kind, source, name, **properties):
    made = CreateExtractor(kind, source, registrationName=name)
    made.Trigger = "TimeStep"
    made.Trigger.Frequency = 1
    made.Writer.FileName = name
    for key, value in properties.items():
        setattr(made.Writer, key, value)

def limit(size):
    # As on a full disk: a file ends there.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
"""

GOOD = """
limit(resource.RLIM_INFINITY)
extract("VTR", TrivialProducer(registrationName="density"), "good_{timestep:06d}.pvtr")

def catalyst_execute(info):
    limit(resource.RLIM_INFINITY)
"""

# Name of a script: its text, and what is to be said of it.
FILES = {
    "grid_on_full_disk": ("""
extract("VTR", TrivialProducer(registrationName="density"), "grid_{timestep:06d}.pvtr")

def catalyst_execute(info):
    limit(3000)
""", "grid_000000"),
    "first_byte_on_full_disk": ("""
extract("VTR", TrivialProducer(registrationName="weights"), "byte_{timestep:06d}.pvtr")

def catalyst_execute(info):
    limit(0)
""", "byte_000000"),
    "table_on_full_disk": ("""
middles = CellCenters(Input=TrivialProducer(registrationName="density"))
extract("CSV", middles, "table_{timestep:06d}.csv")

def catalyst_execute(info):
    limit(1500)
""", "table_000000.csv is cut off"),
    "folder_that_is_a_file": ("""
options.ExtractsOutputDirectory = "blocked/extracts"
limit(resource.RLIM_INFINITY)
extract("VTR", TrivialProducer(registrationName="density"), "grid_{timestep:06d}.pvtr")
""", "blocked/extracts"),
    "device_that_is_full": ("""
options.ExtractsOutputDirectory = "."
limit(resource.RLIM_INFINITY)
extract("CSV", TrivialProducer(registrationName="weights"), "full.csv")
""", "full.csv is empty"),
}

THERE = "the channels are density and weights"
CHANNELS = {
    "other_letters": ("""
extract("VTR", TrivialProducer(registrationName="Density"), "grid_{timestep:06d}.pvtr")
""", f"there is no channel 'Density', {THERE}"),
    "behind_a_filter": ("""
middles = CellCenters(Input=TrivialProducer(registrationName="rates"))
extract("CSV", middles, "table_{timestep:06d}.csv")
""", f"there is no channel 'rates', {THERE}"),
    "raises_for_it": ("""
density = TrivialProducer(registrationName="pdf")
density.GetClientSideObject().GetOutputDataObject(0).GetFieldData().GetArray("domain").GetValue(0)
""", f"there is no channel 'pdf', {THERE}"),
    "file_of_another_run": ("""
old = XMLRectilinearGridReader(registrationName="densities", FileName=["old.vtr"])
extract("VTR", old, "old_{timestep:06d}.pvtr")
""", f"its extracts show no channel, {THERE}"),
}

NOTHING = {
    "writer_of_other_data": ("""
extract("VTPD", TrivialProducer(registrationName="density"), "parts_{timestep:06d}.vtpd")
""", "parts_000000.vtpd was not written"),
    "threshold_without_cells": ("""
density = TrivialProducer(registrationName="density")
high = Threshold(registrationName="high", Input=density, Scalars=["CELLS", "density"],
                 LowerThreshold=1e9, UpperThreshold=2e9)
extract("VTU", high, "high_{timestep:06d}.pvtu")
""", "source 'high' has no data"),
    "array_in_a_formula": ("""
density = TrivialProducer(registrationName="density")
double = Calculator(Input=density, AttributeType="Cell Data", Function="2*Density")
extract("VTR", double, "double_{timestep:06d}.pvtr")
""", "Undefined symbol: 'Density'"),
    "file_that_is_missing": ("""
extract("VTR", TrivialProducer(registrationName="density"), "density_{timestep:06d}.pvtr")

def catalyst_execute(info):
    XMLRectilinearGridReader(FileName=["missing.vtr"]).UpdatePipeline(info.time)
""", "Error opening file missing.vtr"),
}

VIEW = """
view = CreateView("RenderView", ViewSize=[200, 200])
density = TrivialProducer(registrationName="density")

def picture(source, array, name):
    display = Show(source, view)
    display.Representation = "Surface"
    ColorBy(display, ("CELLS", array))
    GetColorTransferFunction(array).RescaleTransferFunction(0.0, 1.0)
    view.ResetCamera()
    extract("PNG", view, name, ImageResolution=[200, 200])
"""
PICTURES = {
    "picture_on_full_disk": (VIEW + """
picture(density, "density", "cut_{timestep:06d}.png")

def catalyst_execute(info):
    limit(500)
""", "cut_000000.png"),
    "picture_in_one_colour": (VIEW + """
limit(resource.RLIM_INFINITY)
picture(density, "Density", "colour_{timestep:06d}.png")
""", "source 'density' has no array 'Density'"),
    "picture_of_nothing": (VIEW + """
Show(Text(registrationName="title", Text="density"), view)
high = Threshold(registrationName="above", Input=density, Scalars=["CELLS", "density"],
                 LowerThreshold=1e9, UpperThreshold=2e9)
picture(high, "density", "nothing_{timestep:06d}.png")
""", "source 'above' has no data"),
}

# On one rank only: the others must hear of it.
ONE_RANK = """
extract("VTR", TrivialProducer(registrationName="density"), "grid_{timestep:06d}.pvtr")

def catalyst_execute(info):
    limit(4000 if rank == 1 else resource.RLIM_INFINITY)
"""


class Silent(InsituTestCase):
    """Runs on two ranks of scripts that get less than they asked for."""

    def setUp(self):
        super().setUp()
        (self.folder / "blocked").write_text("a file", encoding="ascii")
        (self.folder / "full.csv").symlink_to("/dev/full")

    def script(self, name, text):
        """The path of a script."""
        path = self.folder / f"{name}.py"
        path.write_text(HEAD + text, encoding="ascii")
        return path

    def check(self, scripts, failures, **options):
        """Each of these scripts is told of once, and counted; a good one does all of its work."""
        paths = [self.script(name, text) for name, (text, _) in scripts.items()]
        result = self.show("run", [*paths, self.script("good", GOOD)], "-insitu_every", 4, ranks=2,
                           **options)
        # Messages of a step share a line; those for which it has no room come with the next step.
        told = [text for line in result.stderr.splitlines() if "warning: in situ: " in line
                for text in re.split("; (?=/)", line.split("warning: in situ: ")[1])]
        self.assertEqual(len(told), len(paths), told)
        for path, (_, message) in zip(paths, scripts.values()):
            with self.subTest(path.stem):
                (text,) = [text for text in told if text.startswith(f"{path} failed at step ")]
                self.assertIn(message, text)
        self.assertEqual(result.yaml("summary.yaml")["insitu_failures"], failures)
        self.assertEqual([name for name in self.names(result, ".pvtr") if "good" in name],
                         [f"good_00000{step}.pvtr" for step in (0, 4, 8)])


class Data(Silent):
    """Files and channels, which need no X server."""

    @classmethod
    def setUpClass(cls):
        super(InsituTestCase, cls).setUpClass()

    def test_files(self):
        self.check(FILES, STATES * len(FILES))

    def test_channels(self):
        # The one that raises when it is loaded is not asked again.
        self.check(CHANNELS, STATES * (len(CHANNELS) - 1) + 1)

    def test_nothing_to_see(self):
        self.check(NOTHING, STATES * len(NOTHING))

    def test_strict(self):
        for name, text in (("one_rank", ONE_RANK), ("channel", CHANNELS["other_letters"][0])):
            with self.subTest(name):
                path = self.script(name, text)
                result = self.show(name, [path], "-insitu_strict", ranks=2, expect=STRICT)
                self.assertIn(f"in situ: {path} failed at step 0", result.stderr)
                self.assertIn("-insitu_strict", result.stderr)


class Pictures(Silent):
    """The same of pictures."""

    def test_pictures(self):
        self.check(PICTURES, STATES * len(PICTURES), display=self.display)


if __name__ == "__main__":
    main()
