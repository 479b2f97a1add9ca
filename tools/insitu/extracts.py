"""In situ: data instead of pictures, so no display is needed: VTK files and a small table.

    engram case.yaml -insitu_scripts extracts.py -insitu_every 100

At each step that is shown it writes

    density_STEP.pvtr  the density p(w, v) to the bit: open density_..pvtr in ParaView; the data
                       are in a folder beside it, a file a rank
    weights_STEP.csv   a row for each weight, the same bytes on any number of ranks

Environment variables (defaults in brackets):

    ENGRAM_INSITU_DIR    folder of the files [output_dir/insitu]
    ENGRAM_INSITU_STEPS  at the multiples of so many steps, of those that are shown [1]
"""

import os

from paraview import catalyst
from paraview.simple import *  # noqa: F403
from vtkmodules.vtkCommonCore import vtkDoubleArray
from vtkmodules.vtkParallelCore import vtkMultiProcessController

FOLDER = os.environ.get("ENGRAM_INSITU_DIR", "insitu")
STEPS = int(os.environ.get("ENGRAM_INSITU_STEPS", "1"))
COLUMNS = ("weight_density", "firing_rate", "learning_velocity", "drift")

options = catalyst.Options()
options.ExtractsOutputDirectory = FOLDER
options.GlobalTrigger = "TimeStep"
options.GlobalTrigger.Frequency = STEPS

# The names are those of the channels.
density = TrivialProducer(registrationName="density")
weights = TrivialProducer(registrationName="weights")
middles = CellCenters(Input=weights, VertexCells=1)

grid_files = CreateExtractor("VTR", density, registrationName="density_files")
grid_files.Trigger = "TimeStep"
grid_files.Trigger.Frequency = 1
grid_files.Writer.FileName = "density_{timestep:08d}.pvtr"
grid_files.Writer.CompressorType = "None"

controller = vtkMultiProcessController.GetGlobalController()


def gather(array):
    """The values of all ranks, in the order of the weights, on rank 0; nothing on the others."""
    if controller.GetNumberOfProcesses() == 1:
        values = array
    else:
        values = vtkDoubleArray()
        controller.GatherV(array, values, 0)
    return [values.GetValue(index) for index in range(values.GetNumberOfValues())]


def catalyst_execute(info):
    """Called at each step that is shown, before the files of the extractors are written."""
    middles.UpdatePipeline(info.time)
    points = middles.GetClientSideObject().GetOutputDataObject(0)
    if points.IsA("vtkPartitionedDataSet"):
        points = points.GetPartition(0)  # Catalyst 2 wraps the part of a rank
    coordinates = vtkDoubleArray()
    coordinates.SetNumberOfValues(points.GetNumberOfPoints())
    for index in range(points.GetNumberOfPoints()):
        coordinates.SetValue(index, points.GetPoint(index)[0])
    columns = [gather(coordinates)]
    columns += [gather(points.GetPointData().GetArray(name)) for name in COLUMNS]
    if controller.GetLocalProcessId() > 0:
        return
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, f"weights_{info.timestep:08d}.csv")
    with open(path, "w", encoding="ascii") as table:
        print("w", *COLUMNS, sep=",", file=table)
        for row in zip(*columns):
            print(*map(repr, row), sep=",", file=table)
