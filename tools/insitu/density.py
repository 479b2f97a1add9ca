"""In situ: a picture of the density p(w, v) as heat map, with threshold and reset marked.

    engram case.yaml -insitu_scripts density.py -insitu_every 100

The pictures are the same pixels on any number of ranks. Where nothing can be drawn, for want of an
X server, the program writes the density itself instead. Environment variables and their defaults:

    ENGRAM_INSITU_DIR    folder of the pictures density_STEP.png [output_dir/insitu]
    ENGRAM_INSITU_STEPS  a picture at the multiples of so many steps, of those that are shown [1]
    ENGRAM_INSITU_RANGE  LOW,HIGH of the colours; or "global": 0 to the maximum over all ranks of
                         each picture; for a movie, fix it [global]
    ENGRAM_INSITU_SIZE   WIDTHxHEIGHT in pixels [800x600]
    ENGRAM_INSITU_COLOURS  a colour map of ParaView by name [Viridis (matplotlib)]
"""

import os

from paraview import catalyst
from paraview.simple import *  # noqa: F403

FOLDER = os.environ.get("ENGRAM_INSITU_DIR", "insitu")
STEPS = int(os.environ.get("ENGRAM_INSITU_STEPS", "1"))
RANGE = os.environ.get("ENGRAM_INSITU_RANGE", "global")
SIZE = [int(word) for word in os.environ.get("ENGRAM_INSITU_SIZE", "800x600").split("x")]
COLOURS = os.environ.get("ENGRAM_INSITU_COLOURS", "Viridis (matplotlib)")

# Where the heat map is, as parts of the picture: left, right, bottom, top.
LEFT, RIGHT, BOTTOM, TOP = 0.12, 0.82, 0.13, 0.90
# Greys are rounded differently where ranks join their pictures; black and white are not.
BLACK, WHITE, RED = [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.85, 0.1, 0.1]
FONT = round(SIZE[1] / 30)

options = catalyst.Options()
options.ExtractsOutputDirectory = FOLDER
options.GlobalTrigger = "TimeStep"
options.GlobalTrigger.Frequency = STEPS

# The name is that of the channel; its data are there already when the script is loaded.
density = TrivialProducer(registrationName="density")


def numbers(name):
    """The values of an array of the field data: the same on all ranks."""
    array = density.GetClientSideObject().GetOutputDataObject(0).GetFieldData().GetArray(name)
    return [array.GetValue(index) for index in range(array.GetNumberOfValues())]


# The scene has height one, and the heat map is stretched into its place, whatever its units are.
ASPECT = SIZE[0] / SIZE[1]
W_MIN, W_MAX, V_MIN, _ = numbers("domain")
(THRESHOLD,), (RESET,) = numbers("threshold"), numbers("reset")
SCALE = [ASPECT * (RIGHT - LEFT) / (W_MAX - W_MIN), (TOP - BOTTOM) / (THRESHOLD - V_MIN), 1.0]
SHIFT = [ASPECT * LEFT - SCALE[0] * W_MIN, BOTTOM - SCALE[1] * V_MIN, 0.0]


def make_view():
    """A view from above with axes around the place of the heat map."""
    view = CreateView("RenderView", ViewSize=SIZE, OrientationAxesVisibility=0, UseFXAA=0,
                      UseColorPaletteForBackground=0, Background=WHITE, CameraParallelProjection=1,
                      CameraParallelScale=0.5, CameraPosition=[0.5 * ASPECT, 0.5, 10.0],
                      CameraFocalPoint=[0.5 * ASPECT, 0.5, 0.0])
    axes = view.AxesGrid
    axes.Visibility, axes.ShowGrid, axes.GridColor = 1, 0, BLACK
    axes.DataScale, axes.DataPosition = SCALE, SHIFT
    axes.XTitle, axes.YTitle, axes.AxesToLabel = "weight w", "", 3  # labels at the left and below
    axes.XTitleFontSize = axes.XLabelFontSize = axes.YLabelFontSize = FONT
    axes.XTitleColor = axes.XLabelColor = axes.YLabelColor = BLACK
    axes.UseCustomBounds = 1
    axes.CustomBounds = [ASPECT * LEFT, ASPECT * RIGHT, BOTTOM, TOP, 0.0, 0.0]
    return view


def draw_density(view):
    """The heat map and its colour bar; returns the colours."""
    display = Show(density, view)
    display.Representation = "Surface"
    display.Scale, display.Position = SCALE, SHIFT
    display.Ambient, display.Diffuse, display.Specular = 1.0, 0.0, 0.0
    ColorBy(display, ("CELLS", "density"))
    colours = GetColorTransferFunction("density")
    colours.ApplyPreset(COLOURS, True)
    colours.AutomaticRescaleRangeMode = "Never"
    bar = GetScalarBar(colours, view)
    bar.Title, bar.ComponentTitle, bar.HorizontalTitle, bar.Visibility = "p(w, v)", "", 1, 1
    bar.WindowLocation, bar.Position = "Any Location", [0.85, BOTTOM]
    bar.ScalarBarLength, bar.ScalarBarThickness = TOP - BOTTOM - 0.08, FONT
    bar.TitleFontSize = bar.LabelFontSize = FONT
    bar.TitleColor = bar.LabelColor = BLACK
    bar.AutomaticLabelFormat, bar.LabelFormat, bar.RangeLabelFormat = 0, "%.3g", "%.3g"
    return colours


def draw_text(view, text, x, y, colour=BLACK):
    """A text with its lower left corner at (x, y), parts of the picture; returns its source."""
    source = Text(Text=text)
    display = Show(source, view)
    display.WindowLocation, display.Position = "Any Location", [x, y]
    display.FontSize, display.Color = FONT, colour
    return source


def draw_line(view, potential, colour, width):
    """A line across all weights, in front of the heat map."""
    line = Line(Point1=[W_MIN, potential, 0.0], Point2=[W_MAX, potential, 0.0])
    display = Show(line, view)
    display.Scale, display.Position = SCALE, SHIFT[:2] + [0.1]
    display.AmbientColor = display.DiffuseColor = colour
    display.Ambient, display.Diffuse, display.LineWidth = 1.0, 0.0, width


scene = make_view()
density_colours = draw_density(scene)
draw_line(scene, THRESHOLD, RED, 3.0)
draw_line(scene, RESET, WHITE, 1.5)
draw_text(scene, "potential v", 0.02, TOP + 0.03)
draw_text(scene, "threshold", RIGHT - 0.11, TOP + 0.01)
draw_text(scene, "reset", RIGHT - 0.07, BOTTOM + SCALE[1] * (RESET - V_MIN) + 0.01, WHITE)
stamp = draw_text(scene, "", 0.33, TOP + 0.03)

picture = CreateExtractor("PNG", scene, registrationName="density_picture")
picture.Trigger = "TimeStep"
picture.Trigger.Frequency = 1
picture.Writer.FileName = "density_{timestep:08d}.png"
picture.Writer.ImageResolution = SIZE


def catalyst_execute(info):
    """Called at each step that is shown, before the picture is taken."""
    if RANGE == "global":
        low, high = numbers("density_range")
        low = min(low, 0.0)
    else:
        low, high = map(float, RANGE.split(","))
    density_colours.RescaleTransferFunction(low, high)
    stamp.Text = f"t = {info.time:.6g}   step {info.timestep}"
