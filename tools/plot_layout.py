"""Keeps legends off what is drawn, and labels within the length of their axes.

Legends that add_legend has made are moved by tidy to a place within their axes that is free of
curves, marks and words, or below the axes where there is none.
"""

import re

import numpy
from matplotlib import collections, patches, transforms

# Formulas are not broken.
WORD = re.compile(r"(?:\$[^$]*\$|\S)+")
MARKS_OF_FORMULAS = re.compile(r"\\[a-z]+|[${}^_\\]")

# Places within the axes that are tried, in parts of what is left of their width and height.
PARTS = (1.0, 0.0, 0.5, 0.75, 0.25)
# Distances from the frame, in parts of the size of letters.
INSIDE, BELOW = 0.4, 0.5
# Moving a legend below its axes changes the sizes of all, and with them what is free.
MOST_TURNS = 6


def add_legend(axes, handles=None, labels=None, **options):
    """A legend that tidy will move; without handles that of all that is labelled."""
    if handles is None:
        handles, labels = axes.get_legend_handles_labels()
    options = {"loc": "upper left", "borderaxespad": 0.0, **options}
    legend = axes.legend(handles, labels, **options)
    # What it was made of: it has more columns below the axes; there shift is its place in pixels.
    legend.entries, legend.shift = (handles, labels, options), None


def tidy(figure):
    """Breaks labels that are too long, and moves the legends."""
    for _ in range(MOST_TURNS):
        figure.draw_without_rendering()
        has_changed = any([break_labels(axes) for axes in figure.axes])
        if not has_changed:
            has_changed = any([place_legend(axes) for axes in figure.axes
                               if hasattr(axes.get_legend(), "entries")])
        if not has_changed:
            break


def break_labels(axes):
    """Breaks labels that are longer than their axis, before the unit if that will do.

    True if the sizes of the axes will change by that.
    """
    box, has_broken = axes.get_window_extent(), False
    for axis, side in ((axes.xaxis, "width"), (axes.yaxis, "height")):
        text = axis.label.get_text()
        share = getattr(box, side) / max(getattr(axis.label.get_window_extent(), side), 1.0)
        if share < 1.0 and "\n" not in text:
            axis.label.set_text(broken(text, share * visible_length(text)))
            has_broken |= axis.label.get_text() != text
    return has_broken


def broken(text, room):
    """A text in lines of so many letters: in two before its unit, or in as many as it takes."""
    name, bracket, unit = text.rpartition(" (")
    if bracket and max(visible_length(name), visible_length(unit) + 1) <= room:
        return f"{name}\n({unit}"
    lines = [""]
    for word in WORD.findall(text):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and visible_length(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def visible_length(text):
    """Letters of a text, without the marks of formulas."""
    return len(MARKS_OF_FORMULAS.sub("", text))


def place_legend(axes):
    """Moves a legend; True if the sizes of the axes will change by that."""
    legend, frame = axes.get_legend(), axes.get_window_extent()
    size = legend.get_window_extent()
    letters = legend.get_texts()[0].get_fontsize() * axes.figure.dpi / 72.0
    if legend.shift is not None:
        return shift_below(axes, BELOW * letters)
    gap = INSIDE * letters
    free_width, free_height = (frame.width - size.width - 2.0 * gap,
                               frame.height - size.height - 2.0 * gap)
    if min(free_width, free_height) >= 0.0:
        things = obstacles(axes)
        for across, up in places():
            left, low = (frame.x0 + gap + across * free_width, frame.y0 + gap + up * free_height)
            box = transforms.Bbox.from_bounds(left, low, size.width, size.height)
            # Lines and marks are wider than their paths.
            if not any(touches(thing, box.padded(gap)) for thing in things):
                corner = axes.transAxes.inverted().transform((left, low + size.height))
                legend.set_bbox_to_anchor(corner, transform=axes.transAxes)
                return False
    put_below(axes)
    return shift_below(axes, BELOW * letters)


def places():
    """Places across and up, corners first."""
    found = [(across, up) for up in PARTS for across in PARTS]
    return sorted(found, key=lambda place: (PARTS.index(place[0]) // 2 + PARTS.index(place[1]) // 2,
                                            -place[1]))


def put_below(axes):
    """Makes the legend anew for a place below the axes, in as many columns as fit."""
    frame, legend = axes.get_window_extent(), axes.get_legend()
    handles, labels, options = legend.entries
    width = legend.get_window_extent().width / options.get("ncol", 1)
    columns = min(len(labels), max(1, int(frame.width // width)))
    below = axes.legend(handles, labels, **{**options, "ncol": columns})
    below.entries, below.shift = legend.entries, (0.0, 0.0)


def shift_below(axes, gap):
    """Puts the legend below what is written below the axes; True if it was elsewhere."""
    figure, frame, legend = axes.figure, axes.get_window_extent(), axes.get_legend()
    renderer = figure.canvas.get_renderer()
    written = axes.xaxis.get_tightbbox(renderer)
    depth = frame.y0 - written.y0 if written else 0.0
    excess = max(0.0, legend.get_window_extent(renderer).width - frame.width)
    shift = (-excess, -depth - gap)
    if numpy.allclose(shift, legend.shift, atol=1.0):
        return False
    # In inches, for the height of the axes will change.
    legend.shift, inches = shift, numpy.array(shift) / figure.dpi
    legend.set_bbox_to_anchor((0.0, 0.0), transform=axes.transAxes + transforms.ScaledTranslation(
        *inches, figure.dpi_scale_trans))
    return True


def obstacles(axes):
    """What a legend must not hide."""
    lines = [line for line in axes.lines if line.get_visible()]
    steps = [patch for patch in axes.patches if isinstance(patch, patches.StepPatch)]
    clouds = [cloud for cloud in axes.collections
              if not isinstance(cloud, collections.QuadMesh)]
    return [*lines, *steps, *clouds, *axes.texts]


def touches(thing, box):
    """True if an artist has something in a box of pixels."""
    if hasattr(thing, "get_text"):
        return bool(thing.get_text()) and thing.get_window_extent().overlaps(box)
    if isinstance(thing, collections.PathCollection):
        return has_point(thing.get_offset_transform().transform(thing.get_offsets()), box)
    if isinstance(thing, collections.Collection):
        is_filled = not isinstance(thing, collections.LineCollection)
        return any(path.transformed(thing.get_transform()).intersects_bbox(box, is_filled)
                   for path in thing.get_paths())
    path = thing.get_path().transformed(thing.get_transform())
    is_dotted = getattr(thing, "get_linestyle", lambda: "-")() in ("None", "none", "", " ")
    if is_dotted:
        return has_point(path.vertices, box)
    return path.intersects_bbox(box, False) or has_point(path.vertices, box)


def has_point(points, box):
    """True if one of the points is in the box."""
    across, up = numpy.asarray(points).reshape(-1, 2).T
    return bool(((across >= box.x0) & (across <= box.x1) & (up >= box.y0) & (up <= box.y1)).any())
