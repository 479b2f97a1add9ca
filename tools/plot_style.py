"""What all pictures of engram share: sizes, fonts, colours, labels, and their files.

Pictures are made for one of two styles. `journal`: 85 or 178 mm wide, which is one or two columns
of a page, 8 points, 300 dots an inch. `talk`: a half or the whole width of a slide of 16:9, with
large letters and thick lines. Widths of lines and sizes of marks are given as multiples of those of
the style (thick, mark), sizes of figures by figure_size.
"""

import io
import pathlib

import matplotlib
import numpy
from cycler import cycler
from PIL import Image, PngImagePlugin

# Before pyplot is imported: compute nodes have no display.
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

from engram_learning import learns  # noqa: E402
from engram_results import ResultsError, changes_early  # noqa: E402
from plot_layout import tidy  # noqa: E402
from style_option import JOURNAL, TALK  # noqa: E402

# Written into every picture; only files that carry it are ever overwritten.
MARK = "engram tools/plot.py"

# Of curves that name none; told apart by the colour-blind, and by their darkness.
COLOURS = ("#21386e", "#f28e2b", "#2a9d8f", "#8c2d19", "#9a86c2", "0.45")
MILLIMETRE = 1.0 / 25.4
ONE_COLUMN, TWO_COLUMNS = 85.0 * MILLIMETRE, 178.0 * MILLIMETRE
SLIDE = 13.333


def style_of(width, letters, line, dots):
    """Settings of matplotlib: width of one column in inches, points of letters and lines."""
    return {
        "figure.figsize": (width, 0.72 * width), "figure.dpi": dots, "savefig.dpi": dots,
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.3 * letters / 72.0,
        "figure.constrained_layout.w_pad": 0.3 * letters / 72.0,
        # Type 42 are TrueType fonts; journals refuse those of Type 3, the default.
        "pdf.fonttype": 42, "ps.fonttype": 42,
        "font.size": letters, "axes.titlesize": letters, "axes.labelsize": letters,
        "xtick.labelsize": 0.88 * letters, "ytick.labelsize": 0.88 * letters,
        "legend.fontsize": 0.88 * letters, "legend.edgecolor": "none", "legend.framealpha": 0.85,
        "legend.handlelength": 1.7, "legend.handletextpad": 0.5, "legend.borderpad": 0.3,
        "legend.labelspacing": 0.3, "legend.columnspacing": 1.2,
        "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6 * line,
        "axes.grid": True, "grid.color": "0.9", "grid.linewidth": 0.5 * line,
        "axes.titlepad": 0.5 * letters, "axes.labelpad": 0.3 * letters,
        "axes.prop_cycle": cycler(color=COLOURS), "lines.linewidth": line, "lines.markersize": 3.5 * line,
        "lines.markeredgewidth": 0.6 * line, "patch.linewidth": 0.6 * line,
        "xtick.major.pad": 0.45 * letters, "ytick.major.pad": 0.45 * letters,
        "xtick.major.width": 0.6 * line, "ytick.major.width": 0.6 * line,
        "xtick.minor.width": 0.4 * line, "ytick.minor.width": 0.4 * line,
        "xtick.major.size": 2.5 * line, "ytick.major.size": 2.5 * line,
        "xtick.minor.size": 1.5 * line, "ytick.minor.size": 1.5 * line,
    }


STYLES = {
    JOURNAL: style_of(ONE_COLUMN, letters=8.0, line=1.0, dots=300),
    TALK: style_of(SLIDE * ONE_COLUMN / TWO_COLUMNS, letters=18.0, line=2.4, dots=150),
}
STYLE = STYLES[JOURNAL]

LINE_COLOUR = "#21386e"
REFERENCE_COLOUR = "#f28e2b"
HEAT_COLOURS = "viridis"

NO_UNIT = "(dimensionless)"
LEARNING_TIME = f"learning time $t$ {NO_UNIT}"
TIME = f"time $t$ {NO_UNIT}"
WEIGHT = f"synaptic weight $w$ {NO_UNIT}"
MEAN_WEIGHT = rf"mean weight $\langle w \rangle$ {NO_UNIT}"
POTENTIAL = f"membrane potential $v$ {NO_UNIT}"
RATE = rf"total firing rate $\bar N$ {NO_UNIT}"

# Several curves in one picture: colours of falling darkness, and dashes and marks for print.
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")

# Rows above this share of all row maxima may be clipped, or a short peak would dim the rest.
SHARE_OF_MAXIMA = 95
# Where zeros stand on a logarithmic axis, as a part of its height.
HEIGHT_OF_ZEROS = 0.03

# Squared distance up to which two colours of eight bits a channel need not be told apart.
SAME_COLOUR = 4


def figure_size(columns, ratio):
    """Width and height in inches of a figure of one or two columns; ratio: height over width."""
    width = matplotlib.rcParams["figure.figsize"][0] * (TWO_COLUMNS / ONE_COLUMN if columns == 2
                                                        else 1.0)
    return width, ratio * width


def thick(factor):
    """The width of a line, as a multiple of what the style has."""
    return factor * matplotlib.rcParams["lines.linewidth"]


def mark(factor):
    """The size of a mark, as a multiple of what the style has."""
    return factor * matplotlib.rcParams["lines.markersize"]


def quantity(symbol, name=""):
    """The label of a quantity without unit: its name, its symbol, and that."""
    return " ".join(filter(None, (name, symbol, NO_UNIT)))


def time_label(results):
    """The label of an axis of times: only where something is learned they are learning times."""
    return LEARNING_TIME if learns(results) else TIME


def curve_style(number, count):
    """Colour, dashes and mark of one of several curves, as arguments of a plot."""
    colour = pyplot.get_cmap(HEAT_COLOURS)(0.82 * number / max(1, count - 1))
    return {"color": colour, "linestyle": DASHES[number % len(DASHES)],
            "marker": MARKS[number % len(MARKS)]}


def letter_panels(panels):
    """Puts letters for a caption before the titles of panels."""
    for letter, axes in zip("abcdefgh", panels):
        title = axes.get_title()
        axes.set_title("")
        axes.set_title(rf"$\bf{{{letter}}}$  {title}", loc="left")


def square_root_of(time):
    """A square-root scale for an axis of times, as arguments of set_yscale.

    Odd functions, for the lowest cells of a heat map reach half an interval below the first time.
    """
    return {"value": "function", "functions": (
        lambda t: numpy.sign(t - time[0]) * numpy.sqrt(numpy.abs(t - time[0])),
        lambda root: time[0] + root * numpy.abs(root))}


def scale_times(axes, results, field):
    """The vertical time axis of a field [time][position]: square-root if its change is early."""
    if changes_early(results.time, numpy.nan_to_num(field)):
        axes.set_yscale(**square_root_of(results.time))
        axes.set_ylabel(time_label(results).replace(NO_UNIT, "(square-root scale, dimensionless)"))
    else:
        axes.set_ylabel(time_label(results))
    axes.set_ylim(results.time[0], results.time[-1])


def draw_heat(axes, results, positions, field, symbol):
    """A field [time][position] as heat map."""
    field = numpy.ma.masked_invalid(field)
    maxima = field.max(axis=1).compressed()
    top = numpy.percentile(maxima, SHARE_OF_MAXIMA) if len(maxima) else 1.0
    axes.grid(False)
    mesh = axes.pcolormesh(positions, results.time, field, shading="nearest", rasterized=True,
                           cmap=HEAT_COLOURS, vmin=0.0, vmax=top if top > 0.0 else 1.0)
    scale_times(axes, results, field.filled(0.0))
    is_clipped = field.max() > mesh.norm.vmax
    axes.figure.colorbar(mesh, ax=axes, label=quantity(symbol), pad=0.02,
                         extend="max" if is_clipped else "neither")


def mark_phases(axes, results):
    """The phases of a protocol as bands across an axis of times, with their names below."""
    for number, (name, begin, end) in enumerate(results.phases):
        if number % 2:
            axes.axvspan(begin, end, color="0.93", linewidth=0.0, zorder=0)
        length = results.phases[-1][2]
        is_narrow = end - begin < 0.022 * len(name) * length
        axes.annotate(name, (0.5 * (begin + end), 0.02), xycoords=("data", "axes fraction"),
                      ha="center", va="bottom", fontsize="small", color="0.35",
                      rotation=90 if is_narrow else 0)


def draw_zeros(axes, places, colour="0.45"):
    """Triangles at the lower end of a logarithmic axis, where zeros have no place of their own."""
    if len(places):
        axes.plot(places, numpy.full(len(places), HEIGHT_OF_ZEROS), "v", color=colour,
                  markersize=mark(0.8), transform=axes.get_xaxis_transform(), clip_on=False,
                  label="exactly zero")


def check_owner(path):
    """Complains if a file is in the way that is not a picture of this program."""
    if path.exists() and not (path.is_file() and MARK.encode() in path.read_bytes()):
        raise ResultsError(f"{path}: exists and was not drawn by plot.py; not overwritten")


def in_few_colours(image, count=256):
    """The picture in its most frequent colours that differ: of maps and curves they stay.

    PIL's own choices leave steps in heat maps, or change the colour of thin curves.
    """
    pixels = numpy.asarray(image).astype(int) @ [1 << 16, 1 << 8, 1]
    packed, place, numbers = numpy.unique(pixels, return_inverse=True, return_counts=True)
    colours = numpy.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
    ordered = colours[numpy.argsort(-numbers, kind="stable")]
    palette = ordered[:1]
    for colour in ordered[1:]:
        if len(palette) < count and ((palette - colour) ** 2).sum(axis=1).min() > SAME_COLOUR:
            palette = numpy.concatenate([palette, [colour]])
    # Squares of the distances, less what is the same for the whole palette.
    distances = (palette ** 2).sum(axis=1) - 2 * colours @ palette.T
    nearest = distances.argmin(axis=1).astype(numpy.uint8)
    few = Image.fromarray(nearest[place].reshape(pixels.shape))
    few.putpalette(palette.astype(numpy.uint8).tobytes())
    return few


def write_png(image, dots, file, is_small):
    """Writes pixels as PNG, small ones in 256 colours."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", MARK)
    if is_small:
        image = in_few_colours(image)
    image.save(file, format="png", optimize=True, pnginfo=text, dpi=(dots, dots))


def shrink(paths):
    """Makes small pictures of PNG files of these tools."""
    for path in paths:
        check_owner(pathlib.Path(path))
        with Image.open(path) as picture:
            image, dots = picture.convert("RGB"), round(picture.info["dpi"][0])
        write_png(image, dots, path, True)


def save(figure, path, say=True, is_small=False):
    """Writes a figure; without dates, so that equal results give equal files."""
    tidy(figure)
    # Drawn in memory first: an error while drawing leaves an older picture whole.
    picture = io.BytesIO()
    if path.suffix == ".pdf":
        figure.savefig(picture, format="pdf", metadata={"Creator": MARK, "CreationDate": None})
    else:
        figure.canvas.draw()
        # Nothing is transparent: without that channel the file is smaller.
        pixels = numpy.asarray(figure.canvas.buffer_rgba())[:, :, :3]
        write_png(Image.fromarray(pixels), figure.dpi, picture, is_small)
    pyplot.close(figure)
    path.write_bytes(picture.getvalue())
    if say:
        print(path, flush=True)
