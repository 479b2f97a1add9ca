"""fields.xmf in ParaView: every reader of XDMF, the one of OpenDataFile first, finds the density."""

import importlib.util
import subprocess
import unittest

import numpy

from engram_test import PYTHON, EngramTestCase, main

READ = """
import sys
import numpy
from paraview.simple import OpenDataFile, XDMFReader, Xdmf3ReaderS, Xdmf3ReaderT
from vtk.util.numpy_support import vtk_to_numpy

path = sys.argv[1]
readers = [OpenDataFile(path), XDMFReader(FileNames=[path]), Xdmf3ReaderS(FileName=[path]),
           Xdmf3ReaderT(FileName=[path])]
for number, reader in enumerate(readers):
    reader.UpdatePipelineInformation()
    times, rows = list(reader.TimestepValues), []
    for time in times:
        reader.UpdatePipeline(time)
        grid = reader.GetClientSideObject().GetOutputDataObject(0)
        shape = grid.GetDimensions()[1::-1]
        density = vtk_to_numpy(grid.GetPointData().GetArray("density"))
        rows.append(density.reshape(shape).copy())  # its room is taken again for the next time
    axes = [vtk_to_numpy(axis) for axis in (grid.GetXCoordinates(), grid.GetYCoordinates())]
    numpy.savez(sys.argv[2] + f"/reader_{number}.npz", times=times, density=rows, w=axes[0],
                v=axes[1])
"""


@unittest.skipUnless(importlib.util.find_spec("paraview"), "needs ParaView's Python")
class Readers(EngramTestCase):
    """What ParaView finds, to the bit."""

    def test_all_readers(self):
        result = self.run_case(output_fields_every=0.04, ranks=2)
        fields = result.fields()
        script = self.folder / "read.py"
        script.write_text(READ, encoding="utf-8")
        process = subprocess.run([PYTHON, script, result.folder / "fields.xmf", self.folder],
                                 cwd=self.folder, capture_output=True, text=True, check=False,
                                 timeout=300, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertNotIn("ERR", process.stdout + process.stderr)
        for number in range(4):
            with numpy.load(self.folder / f"reader_{number}.npz") as found:
                numpy.testing.assert_array_equal(found["times"], fields["time"])
                for name in ("density", "w", "v"):
                    self.assertEqual(found[name].tobytes(), fields[name].tobytes(), (number, name))


if __name__ == "__main__":
    main()
