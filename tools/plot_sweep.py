"""Draws what became of a grid of runs: a quantity over one or two options, or a phase diagram."""

import numpy
from matplotlib import colors, pyplot

from engram_grid import BLOWN_UP, DONE, FINISHED, NOT_FINITE, number_or_none
from plot_labels import label_of
from plot_layout import add_legend
from plot_style import (HEAT_COLOURS, HEIGHT_OF_ZEROS, LINE_COLOUR, REFERENCE_COLOUR, figure_size,
                        mark, thick)

# Phases differ in grey and in their marker, so that no colour is needed to tell them.
PHASES = {DONE: ("#cfdcef", "o"), BLOWN_UP: ("#f7c58f", "x"), NOT_FINITE: ("#d98a6a", "+")}
# Values of an option that reach over more than this want a logarithmic axis.
RATIO_FOR_LOGARITHM = 20.0
OTHERS = ("0.97", "s", "D", "v")


def positions_of(values):
    """Places of values on an axis: themselves if all are numbers, else their order."""
    numbers = [number_or_none(value) for value in values]
    if None in numbers:
        return numpy.arange(len(values), dtype=float), values
    return numpy.array(numbers), None


def cells_of(values):
    """The same for the cells of a map, where values over decades stand in their order."""
    places, names = positions_of(values)
    if names is None and has_decades(places):
        order = numpy.argsort(places)
        return numpy.argsort(order).astype(float), values
    return places, names


def has_decades(places):
    """True if values want a logarithmic axis."""
    sizes = numpy.abs(places[places != 0.0])
    return len(sizes) > 1 and sizes.max() > RATIO_FOR_LOGARITHM * sizes.min()


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
                                     figsize=figure_size(1, 0.15 + 0.55 * len(quantities)))
    places, names = positions_of([row[varied] for row in rows])
    if names is None:
        spread_values(panels[-1, 0], places)
    for axes, quantity in zip(panels.flat, quantities):
        draw = draw_states if quantity == "status" else draw_values
        draw(axes, rows, places, quantity)
        axes.set_ylabel(label_of(quantity))
    name_ticks(panels[-1, 0].xaxis, places, names)
    panels[-1, 0].set_xlabel(label_of(varied))
    return figure


def spread_values(axes, places):
    """A logarithmic axis for values over decades, with a linear part for zero and below."""
    if not has_decades(places):
        return
    if (places > 0.0).all():
        axes.set_xscale("log")
    else:
        sizes = numpy.abs(places[places != 0.0])
        axes.set_xscale("symlog", linthresh=sizes.min(), linscale=1.0)
        low, high = places.min(), places.max()
        axes.set_xlim(2.0 * low if low < 0.0 else -0.3 * sizes.min(),
                      2.0 * high if high > 0.0 else 0.3 * sizes.min())


def draw_states(axes, rows, places, quantity):
    """What became of each point."""
    states = [row[quantity] for row in rows]
    kinds = list(dict.fromkeys(states))
    axes.plot(places, [kinds.index(state) for state in states], "o", color=LINE_COLOUR)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_ylim(-0.5, len(kinds) - 0.5)


def draw_values(axes, rows, places, quantity):
    """A quantity over the places of the points; what has none is marked at the foot."""
    order = numpy.argsort(places)
    # No number becomes nan.
    values = numpy.array([number_or_none(row.get(quantity)) for row in rows], dtype=float)
    is_done = numpy.array([row["status"] == DONE for row in rows])
    has_value = numpy.isfinite(values)
    if (is_done & has_value).any():
        axes.plot(places[order], numpy.where(is_done, values, numpy.nan)[order], "-o",
                  color=LINE_COLOUR, label="done")
    if (~is_done & has_value).any():
        axes.plot(places[~is_done & has_value], values[~is_done & has_value], "x",
                  color=REFERENCE_COLOUR, markersize=mark(1.5), markeredgewidth=thick(1.0),
                  label="last state of a run that blew up")
    is_without = numpy.array([row["status"] in FINISHED for row in rows]) & ~has_value
    if is_without.any():
        axes.plot(places[is_without], numpy.full(is_without.sum(), HEIGHT_OF_ZEROS), "^",
                  color="0.45", transform=axes.get_xaxis_transform(), clip_on=False,
                  label="finished without a finite value")
    if not (is_done & has_value).all():
        add_legend(axes)
    axes.ticklabel_format(axis="y", useOffset=False)


def table_of(rows, varied, quantity):
    """Places along x and y, their names, and the entries [y][x] as texts."""
    x_values, y_values = (list(dict.fromkeys(row[name] for row in rows)) for name in varied)
    (x, x_names), (y, y_names) = cells_of(x_values), cells_of(y_values)
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
    figure, axes = pyplot.subplots(figsize=figure_size(1, 0.85))
    axes.grid(False)
    mesh = axes.pcolormesh(edges_of(x), edges_of(y), numpy.ma.masked_invalid(values),
                           cmap=HEAT_COLOURS)
    figure.colorbar(mesh, ax=axes, label=label_of(quantity), pad=0.02)
    is_stopped = table_of(rows, varied, "status")[4] != DONE
    if is_stopped.any():
        rows_of, columns_of = numpy.nonzero(is_stopped)
        axes.plot(x[columns_of], y[rows_of], "x", color=REFERENCE_COLOUR,
                  markersize=mark(1.5), markeredgewidth=thick(1.0),
                  label="not done")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.03), borderaxespad=0.0)
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
                    vmax=len(known) - 0.5, edgecolors="white", linewidth=thick(0.4))
    for phase in known:
        rows, columns = numpy.nonzero(phases == phase)
        colour, marker = styles[phase]
        axes.plot(x[columns], y[rows], linestyle="none", marker=marker, color="0.25",
                  markersize=mark(1.0), markeredgewidth=thick(0.7), label=phase,
                  markerfacecolor=colour if marker not in "x+" else "0.25")


def status_figure(rows, varied):
    """The status of every point over two options."""
    x, y, x_names, y_names, phases = table_of(rows, varied, "status")
    phases[phases == ""] = "missing"
    styles = dict(PHASES)
    for phase in dict.fromkeys(phases.ravel()):
        styles.setdefault(phase, (OTHERS[0], OTHERS[1 + len(styles) % 3]))
    figure, axes = pyplot.subplots(figsize=figure_size(1, 0.85))
    draw_phases(axes, x, y, phases, styles)
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.03), borderaxespad=0.0, ncol=3)
    name_axes(axes, varied, (x, y), (x_names, y_names))
    return figure


def figures_of(rows, varied, quantities):
    """Pairs of a picture's name and the function that makes its figure."""
    if len(varied) == 1:
        return [("curves", lambda: curve_figure(rows, varied[0], quantities))]
    figures = [(f"map_{quantity}", lambda quantity=quantity: map_figure(rows, varied, quantity))
               for quantity in quantities if quantity != "status"]
    return figures + [("status", lambda: status_figure(rows, varied))]
