"""What all pictures of engram share: colours, lines that differ in grey too, and their files."""

import io

import matplotlib
import numpy
from PIL import Image, PngImagePlugin

# Before pyplot is imported: compute nodes have no display.
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

from engram_results import ResultsError, changes_early  # noqa: E402

# Written into every picture; only files that carry it are ever overwritten.
MARK = "engram tools/plot.py"

STYLE = {
    "figure.dpi": 100, "font.size": 11, "axes.titlesize": 12, "legend.fontsize": 9,
    "legend.edgecolor": "none", "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "0.9", "lines.linewidth": 1.6,
    "figure.constrained_layout.use": True,
}
LINE_COLOUR = "#21386e"
REFERENCE_COLOUR = "#f28e2b"
HEAT_COLOURS = "viridis"

TIME = "learning time $t$"
WEIGHT = "synaptic weight $w$"
POTENTIAL = "membrane potential $v$"
RATE = r"total firing rate $\bar N$"

# Several curves in one picture: colours of falling darkness, and dashes and marks for print.
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")

# Rows above this share of all row maxima may be clipped, or a short peak would dim the rest.
SHARE_OF_MAXIMA = 95


def curve_style(number, count):
    """Colour, dashes and mark of one of several curves, as arguments of a plot."""
    colour = pyplot.get_cmap(HEAT_COLOURS)(0.82 * number / max(1, count - 1))
    return {"color": colour, "linestyle": DASHES[number % len(DASHES)],
            "marker": MARKS[number % len(MARKS)]}


def widen_early_times(axes, time):
    """A square-root scale of the vertical time axis."""
    # Odd functions, for the lowest cells reach half an interval below the first time.
    axes.set_yscale("function", functions=(
        lambda t: numpy.sign(t - time[0]) * numpy.sqrt(numpy.abs(t - time[0])),
        lambda root: time[0] + root * numpy.abs(root)))
    axes.set_ylabel(f"{TIME} (square-root scale)")


def draw_heat(axes, results, positions, field, symbol):
    """A field [time][position] as heat map."""
    field = numpy.ma.masked_invalid(field)
    maxima = field.max(axis=1).compressed()
    top = numpy.percentile(maxima, SHARE_OF_MAXIMA) if len(maxima) else 1.0
    axes.grid(False)
    mesh = axes.pcolormesh(positions, results.time, field, shading="nearest", rasterized=True,
                           cmap=HEAT_COLOURS, vmin=0.0, vmax=top if top > 0.0 else 1.0)
    axes.set_ylabel(TIME)
    if changes_early(results.time, field.filled(0.0)):
        widen_early_times(axes, results.time)
    axes.set_ylim(results.time[0], results.time[-1])
    is_clipped = field.max() > mesh.norm.vmax
    axes.figure.colorbar(mesh, ax=axes, label=symbol, extend="max" if is_clipped else "neither",
                         pad=0.02)


def mark_phases(axes, results):
    """The phases of a protocol as bands across an axis of times, with their names below."""
    for number, (name, begin, end) in enumerate(results.phases):
        if number % 2:
            axes.axvspan(begin, end, color="0.93", linewidth=0.0, zorder=0)
        length = results.phases[-1][2]
        is_narrow = end - begin < 0.012 * len(name) * length
        axes.annotate(name, (0.5 * (begin + end), 0.02), xycoords=("data", "axes fraction"),
                      ha="center", va="bottom", fontsize=8, color="0.35",
                      rotation=90 if is_narrow else 0)


def check_owner(path):
    """Complains if a file is in the way that is not a picture of this program."""
    if path.exists() and not (path.is_file() and MARK.encode() in path.read_bytes()):
        raise ResultsError(f"{path}: exists and was not drawn by plot.py; not overwritten")


def save(figure, path, say=True):
    """Writes a figure; without dates, so that equal results give equal files."""
    # Drawn in memory first: an error while drawing leaves an older picture whole.
    picture = io.BytesIO()
    if path.suffix == ".pdf":
        figure.savefig(picture, format="pdf", metadata={"Creator": MARK, "CreationDate": None})
    else:
        figure.canvas.draw()
        # Nothing is transparent: without that channel the file is smaller.
        pixels = numpy.asarray(figure.canvas.buffer_rgba())[:, :, :3]
        text = PngImagePlugin.PngInfo()
        text.add_text("Software", MARK)
        Image.fromarray(pixels).save(picture, format="png", optimize=True, pnginfo=text)
    pyplot.close(figure)
    path.write_bytes(picture.getvalue())
    if say:
        print(path, flush=True)
