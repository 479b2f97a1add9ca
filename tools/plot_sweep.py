"""Draws what became of a grid of runs: a quantity over one or two options, or a phase diagram."""

import math

import matplotlib
import numpy

# Before pyplot is imported: compute nodes have no display.
matplotlib.use("Agg")
from matplotlib import colors, pyplot  # noqa: E402

from engram_grid import BLOWN_UP, DONE, NOT_FINITE, number_or_none  # noqa: E402
from plot_steady import HEAT_COLOURS, LINE_COLOUR, RATE, REFERENCE_COLOUR  # noqa: E402

LABELS = {
    "total_rate": RATE, "mean_weight": r"mean weight $\langle w \rangle$",
    "model_learning": "learning strength $K$", "model_noise": "noise $a$",
    "model_epsilon": r"$\varepsilon$", "model_input": "input $I$",
    "blowup_time": "time of blow-up",
}
# Phases differ in grey and in their marker, so that no colour is needed to tell them.
PHASES = {DONE: ("#cfdcef", "o"), BLOWN_UP: ("#f7c58f", "x"), NOT_FINITE: ("#d98a6a", "+")}
OTHERS = ("0.97", "s", "D", "v")


def label_of(name):
    """What is written along an axis."""
    return LABELS.get(name, name)


def positions_of(values):
    """Places of values on an axis: themselves if all are numbers, else their order."""
    numbers = [number_or_none(value) for value in values]
    if None in numbers:
        return numpy.arange(len(values), dtype=float), values
    return numpy.array(numbers), None


def name_ticks(axis, positions, names):
    """Names instead of numbers along an axis of expressions."""
    if names is not None:
        axis.set_ticks(positions, names)


def edges_of(positions):
    """Edges of cells around their centres."""
    if len(positions) == 1:
        return positions[0] + numpy.array([-0.5, 0.5])
    middle = 0.5 * (positions[1:] + positions[:-1])
    return numpy.concatenate([[1.5 * positions[0] - 0.5 * positions[1]], middle,
                              [1.5 * positions[-1] - 0.5 * positions[-2]]])


def curve_figure(rows, varied, quantities):
    """Quantities over one option, each in a panel; points that are not done are marked."""
    figure, panels = pyplot.subplots(len(quantities), 1, squeeze=False, sharex=True,
                                     figsize=(8, 1.2 + 3.2 * len(quantities)))
    places, names = positions_of([row[varied] for row in rows])
    order = numpy.argsort(places)
    for axes, quantity in zip(panels.flat, quantities):
        # No number becomes nan.
        values = numpy.array([number_or_none(row.get(quantity)) for row in rows], dtype=float)
        is_done = numpy.array([row["status"] == DONE for row in rows])
        axes.plot(places[order], numpy.where(is_done, values, numpy.nan)[order], "-o",
                  color=LINE_COLOUR, label="done")
        if (~is_done & numpy.isfinite(values)).any():
            axes.plot(places[~is_done], values[~is_done], "x", color=REFERENCE_COLOUR,
                      markersize=8, markeredgewidth=2, label="last state of a run that blew up")
            axes.legend()
        axes.set_ylabel(label_of(quantity))
        axes.ticklabel_format(axis="y", useOffset=False)
    name_ticks(panels[-1, 0].xaxis, places, names)
    panels[-1, 0].set_xlabel(label_of(varied))
    return figure


def table_of(rows, varied, quantity):
    """Places along x and y, their names, and the entries [y][x] as texts."""
    x_values, y_values = (list(dict.fromkeys(row[name] for row in rows)) for name in varied)
    (x, x_names), (y, y_names) = positions_of(x_values), positions_of(y_values)
    entries = numpy.full((len(y), len(x)), "", dtype=object)
    for row in rows:
        entries[y_values.index(row[varied[1]]), x_values.index(row[varied[0]])] = \
            row.get(quantity, "")
    x_order, y_order = numpy.argsort(x), numpy.argsort(y)
    entries = entries[numpy.ix_(y_order, x_order)]
    x_names = x_names and [x_names[k] for k in x_order]
    y_names = y_names and [y_names[k] for k in y_order]
    return x[x_order], y[y_order], x_names, y_names, entries


def map_figure(rows, varied, quantity):
    """A quantity over two options as heat map; points without it are left white."""
    x, y, x_names, y_names, entries = table_of(rows, varied, quantity)
    values = numpy.array([[number_or_none(entry) for entry in line] for line in entries],
                         dtype=float)
    figure, axes = pyplot.subplots(figsize=(8, 6))
    axes.grid(False)
    mesh = axes.pcolormesh(edges_of(x), edges_of(y), numpy.ma.masked_invalid(values),
                           cmap=HEAT_COLOURS)
    figure.colorbar(mesh, ax=axes, label=label_of(quantity), pad=0.02)
    is_stopped = table_of(rows, varied, "status")[4] != DONE
    if is_stopped.any():
        rows_of, columns_of = numpy.nonzero(is_stopped)
        axes.plot(x[columns_of], y[rows_of], "x", color=REFERENCE_COLOUR, markeredgewidth=1.6,
                  label="not done: see the phase diagram")
        axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.08))
    name_axes(axes, varied, (x, y), (x_names, y_names))
    return figure


def name_axes(axes, varied, places, names):
    """Labels of both axes, and their ticks where values are no numbers."""
    for axis, name, place, words in zip((axes.xaxis, axes.yaxis), varied, places, names):
        name_ticks(axis, place, words)
        axis.set_label_text(label_of(name))


def draw_phases(axes, x, y, phases, styles):
    """Cells of a phase diagram: phases [y][x] as texts, styles phase -> (colour, marker)."""
    known = [phase for phase in styles if (phases == phase).any()]
    numbers = numpy.vectorize(known.index)(phases)
    palette = colors.ListedColormap([styles[phase][0] for phase in known])
    axes.grid(False)
    axes.pcolormesh(edges_of(x), edges_of(y), numbers, cmap=palette, vmin=-0.5,
                    vmax=len(known) - 0.5, edgecolors="white", linewidth=0.6)
    for phase in known:
        rows, columns = numpy.nonzero(phases == phase)
        colour, marker = styles[phase]
        axes.plot(x[columns], y[rows], linestyle="none", marker=marker, color="0.25",
                  markersize=5, markeredgewidth=1.3, label=phase,
                  markerfacecolor=colour if marker not in "x+" else "0.25")


def status_figure(rows, varied):
    """The status of every point over two options."""
    x, y, x_names, y_names, phases = table_of(rows, varied, "status")
    phases[phases == ""] = "missing"
    styles = dict(PHASES)
    for phase in dict.fromkeys(phases.ravel()):
        styles.setdefault(phase, (OTHERS[0], OTHERS[1 + len(styles) % 3]))
    figure, axes = pyplot.subplots(figsize=(8, 6))
    draw_phases(axes, x, y, phases, styles)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncol=4)
    name_axes(axes, varied, (x, y), (x_names, y_names))
    return figure


def figures_of(rows, varied, quantities):
    """Pairs of a picture's name and the function that makes its figure."""
    if len(varied) == 1:
        return [("curves", lambda: curve_figure(rows, varied[0], quantities))]
    figures = [(f"map_{quantity}", lambda quantity=quantity: map_figure(rows, varied, quantity))
               for quantity in quantities if quantity != "status"]
    return figures + [("status", lambda: status_figure(rows, varied))]
