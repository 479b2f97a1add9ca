"""In situ: a line chart of the distribution of weights H(w) and of the firing rate N(w).

    engram case.yaml -insitu_scripts weights.py -insitu_every 100

The pictures are the same pixels on any number of ranks. Where nothing can be drawn, for want of an
X server, the program writes the data instead. Environment variables (defaults in brackets):

    ENGRAM_INSITU_DIR    folder of the pictures weights_STEP.png [output_dir/insitu]
    ENGRAM_INSITU_STEPS  a picture at the multiples of so many steps, of those that are shown [1]
    ENGRAM_INSITU_WEIGHT_RANGE, ENGRAM_INSITU_RATE_RANGE
                         LOW,HIGH of the axes of H and of N; or "global": 0 to the maximum over all
                         ranks of each picture; for a movie, fix them [global]
    ENGRAM_INSITU_SIZE   WIDTHxHEIGHT in pixels [800x600]
"""

import os

from paraview import catalyst
from paraview.simple import *  # noqa: F403
from vtkmodules.vtkRenderingCore import vtkTextRenderer

FOLDER = os.environ.get("ENGRAM_INSITU_DIR", "insitu")
STEPS = int(os.environ.get("ENGRAM_INSITU_STEPS", "1"))
SIZE = [int(word) for word in os.environ.get("ENGRAM_INSITU_SIZE", "800x600").split("x")]
WEIGHT_RANGE = os.environ.get("ENGRAM_INSITU_WEIGHT_RANGE", "global")
RATE_RANGE = os.environ.get("ENGRAM_INSITU_RATE_RANGE", "global")

FONT = round(SIZE[1] / 33)
BLUE, RED = [0.12, 0.35, 0.65], [0.80, 0.25, 0.10]
# Array, its name in the legend, its range, where its axis is, and its colour.
CURVES = [("weight_density", "H(w)", WEIGHT_RANGE, "Left", BLUE),
          ("firing_rate", "N(w)", RATE_RANGE, "Right", RED)]

options = catalyst.Options()
options.ExtractsOutputDirectory = FOLDER
options.GlobalTrigger = "TimeStep"
options.GlobalTrigger.Frequency = STEPS

# The name is that of the channel; its data are there already when the script is loaded.
weights = TrivialProducer(registrationName="weights")
# The values belong to cells: a curve goes through the middles of the cells.
points = CellCenters(Input=weights, VertexCells=1)


def numbers(name):
    """The values of an array of the field data: the same on all ranks."""
    array = weights.GetClientSideObject().GetOutputDataObject(0).GetFieldData().GetArray(name)
    return [array.GetValue(index) for index in range(array.GetNumberOfValues())]


def make_chart():
    """An empty chart with an axis for each curve."""
    chart = CreateView("XYChartView", ViewSize=SIZE, LegendLocation="TopRight", LegendFontSize=FONT,
                       ChartTitleFontSize=FONT, BottomAxisTitle="weight w",
                       LeftAxisTitle="distribution of weights H(w)", LeftAxisTitleColor=BLUE,
                       RightAxisTitle="firing rate N(w)", RightAxisTitleColor=RED)
    for side in ("Bottom", "Left", "Right"):
        setattr(chart, f"{side}AxisTitleFontSize", FONT)
        setattr(chart, f"{side}AxisLabelFontSize", FONT)
        setattr(chart, f"{side}AxisUseCustomRange", 1)
    chart.BottomAxisRangeMinimum, chart.BottomAxisRangeMaximum = numbers("domain")[:2]
    return chart


def draw_curves(chart):
    """The curves, in a single representation of the points."""
    curves = Show(points, chart, "XYChartRepresentation")
    curves.AttributeType = "Point Data"
    curves.UseIndexForXAxis, curves.XArrayName = 0, "Points_X"
    curves.SeriesVisibility = [array for array, *_ in CURVES]
    curves.SeriesLabel = [word for array, label, *_ in CURVES for word in (array, label)]
    curves.SeriesColor = [word for array, *_, colour in CURVES
                          for word in (array, *map(str, colour))]
    curves.SeriesLineThickness = [word for array, *_ in CURVES for word in (array, "3")]
    # Corner 0 has its axes at the left and the bottom, corner 1 at the right and the bottom.
    curves.SeriesPlotCorner = ["weight_density", "0", "firing_rate", "1"]


view = make_chart()
draw_curves(view)

picture = CreateExtractor("PNG", view, registrationName="weights_picture")
picture.Trigger = "TimeStep"
picture.Trigger.Frequency = 1
picture.Writer.FileName = "weights_{timestep:08d}.png"
picture.Writer.ImageResolution = SIZE


def catalyst_execute(info):
    """Called at each step that is shown, before the picture is taken."""
    # Pictures of other scripts change this, and the numbers at the axes would leave shadows.
    vtkTextRenderer.GetInstance().SetScaleToPowerOfTwo(True)
    for array, _, wanted, side, _ in CURVES:
        if wanted == "global":
            low, high = numbers(f"{array}_range")
            low, high = min(low, 0.0), 1.05 * high if high > 0.0 else 1.0
        else:
            low, high = map(float, wanted.split(","))
        setattr(view, f"{side}AxisRangeMinimum", low)
        setattr(view, f"{side}AxisRangeMaximum", high)
    view.ChartTitle = f"t = {info.time:.6g}   step {info.timestep}"
