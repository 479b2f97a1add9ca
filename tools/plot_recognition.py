"""Draws recognition experiments: answers, the discrimination matrix, and curves of the spread."""

import numpy
from matplotlib import pyplot

from plot_labels import label_of
from plot_layout import add_legend
from plot_style import (NO_UNIT, REFERENCE_COLOUR, WEIGHT, curve_style, draw_zeros, figure_size,
                        mark, quantity, thick)
from plot_sweep import spread_values
from recognition_measure import SIGNATURE

LONGEST_NAME = 24
# Marks on a curve, so that it can be told in grey; more would hide it.
MARKS_ON_CURVE = 9
LIGHT = "0.93"
# A larger matrix takes two columns.
MOST_IN_COLUMN = 6
SPREAD = f"spread {NO_UNIT}"
# Where the colours of distances end at least.
FLOOR = 1e-6


def short(name):
    """A name that fits a legend."""
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME - 1] + "…"


def draw_curve(axes, places, values, number, count, label):
    """One of several curves, told apart by colour, dashes and marks."""
    style = curve_style(number, count)
    spacing = max(1, len(places) // MARKS_ON_CURVE)
    axes.plot(places, values, **style, label=label,
              markevery=(number * spacing // max(1, count), spacing))


def draw_answers(axes, panel, stage, fields, title, label):
    """A field [test][w] of all tests over the weights that have been learned."""
    low, high = stage.support()
    axes.axvspan(low, high, color=LIGHT, linewidth=0.0, zorder=0)
    reached = stage.weights > 1e-3 * stage.weights.max()
    for number, (name, field) in enumerate(zip(panel.names, fields)):
        draw_curve(axes, stage.w[reached], field[reached], number, len(panel.names), short(name))
    axes.set(title=title, xlabel=WEIGHT, ylabel=label)


def draw_signature(axes, w, values, label):
    """The line of the signature, above all others."""
    axes.plot(w, values, color=REFERENCE_COLOUR, linestyle=(0, (2, 2)), linewidth=thick(1.6),
              zorder=4, label=label)


def responses_figure(panel, stage):
    """N(w) of all tests with the signature, and below the profiles K Nbar N/w, where it is 1."""
    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=figure_size(1, 1.4), sharex=True)
    rates = [response.rate for response in stage.responses]
    draw_answers(upper, panel, stage, rates, "Answers to the panel",
                 quantity("$N(w)$", "firing rate"))
    low, high = stage.support()
    middle = (stage.w >= low) & (stage.w <= high)
    draw_signature(upper, stage.w[middle], stage.signature()[middle],
                   r"signature $w/(K \bar N)$")
    upper.set_ylim(bottom=0.0)
    upper.set_xlabel("")
    add_legend(upper)
    levels = [response.level * response.shape for response in stage.responses]
    draw_answers(lower, panel, stage, levels, "Profiles: flat where the input was learned",
                 quantity(r"$K \bar N N(w)/w$"))
    draw_signature(lower, stage.w[middle], numpy.ones(middle.sum()), "signature")
    seen = numpy.concatenate([level[middle] for level in levels])
    lower.set_ylim(0.0, 1.15 * seen.max())
    handles, labels = lower.get_legend_handles_labels()
    spreads = [f": spread {response.spread:.2g}" for response in stage.responses] + [""]
    add_legend(lower, handles, [label + text for label, text in zip(labels, spreads)])
    return figure


def matrix_figure(panel, stage):
    """Distances between all answers, and to the signature; numbers in the cells."""
    names = [short(name) for name in panel.names] + [SIGNATURE]
    matrix = stage.distances()
    columns = 1 if len(names) <= MOST_IN_COLUMN else 2
    figure, axes = pyplot.subplots(figsize=figure_size(columns, 0.65))
    axes.grid(False)
    axes.imshow(matrix, cmap="Greys", vmin=0.0, vmax=max(matrix.max(), FLOOR), aspect="auto")
    for (row, column), value in numpy.ndenumerate(matrix):
        is_dark = value > 0.55 * matrix.max()
        text = "0" if row == column else f"{value:.{0 if value < 1e-3 else 2}g}"
        axes.text(column, row, text, ha="center", va="center", fontsize="small",
                  color="white" if is_dark else "black")
    # Columns by their numbers: names would stand slanted, and take half of the picture.
    axes.set_xticks(range(len(names)), range(1, len(names) + 1))
    axes.set_yticks(range(len(names)),
                    [f"{name}  {number}" for number, name in enumerate(names, start=1)])
    for draw_line in (axes.axhline, axes.axvline):
        draw_line(len(names) - 1.5, color=REFERENCE_COLOUR, linewidth=thick(1.2))
    axes.set_title(quantity("", "Distances"))
    return figure


def curves_figure(places, rows, names, label, title):
    """Spreads [test][place] over places, on a logarithmic axis."""
    figure, axes = pyplot.subplots(figsize=figure_size(1, 0.75))
    places = numpy.asarray(places, dtype=float)
    for number, (name, row) in enumerate(zip(names, rows)):
        style = curve_style(number, len(names))
        axes.plot(places, numpy.where(row > 0.0, row, numpy.nan), **style, label=short(name))
        draw_zeros(axes, places[row == 0.0], style["color"])
    axes.set_yscale("log")
    axes.set(title=title, xlabel=label, ylabel=SPREAD)
    add_legend(axes)
    return figure


def option_figure(panel, option, points):
    """The spreads over the value of an option; points are pairs of value and last stage."""
    values = [value for value, _ in points]
    rows = numpy.array([[stage.responses[test].spread for _, stage in points]
                        for test in range(len(panel.tests))])
    try:
        places = [float(value) for value in values]
        order = numpy.argsort(places)
        figure = curves_figure(numpy.take(places, order), rows[:, order], panel.names,
                               label_of(option), "Distance to the signature $w/K$")
        spread_values(figure.axes[0], numpy.array(places))
        return figure
    except ValueError:  # expressions
        figure = curves_figure(range(len(values)), rows, panel.names,
                               label_of(option), "Distance to the signature $w/K$")
        figure.axes[0].set_xticks(range(len(values)), [short(value) for value in values])
        return figure


def forgetting_figure(panel, stages):
    """The spread of every learned pattern after each of the stages."""
    count = len(panel.learned)
    rows = numpy.array([[stage.responses[test].spread for stage in stages]
                        for test in range(count)])
    names = [f"{number + 1}: {name}" for number, name in enumerate(panel.names[:count])]
    figure = curves_figure(range(1, count + 1), rows, names, "patterns learned so far (number)",
                           "Forgetting: distance to the signature $w/K$")
    axes = figure.axes[0]
    axes.set_xticks(range(1, count + 1))
    for number in range(count):
        axes.plot(number + 1, rows[number, number], "o", markersize=mark(2.6),
                  markerfacecolor="none", markeredgecolor=REFERENCE_COLOUR,
                  markeredgewidth=thick(1.2), label="just learned" if number == 0 else None)
    add_legend(axes)
    return figure


def figures_of(panel, stages, varied):
    """Names and figure makers: varied is option -> pairs of value and last stage."""
    figures = [("responses", lambda: responses_figure(panel, stages[-1])),
               ("discrimination", lambda: matrix_figure(panel, stages[-1]))]
    if len(stages) > 1:
        figures.append(("forgetting", lambda: forgetting_figure(panel, stages)))
    for option, points in varied.items():
        if points:
            figures.append((f"spread_{option}",
                            lambda option=option, points=points: option_figure(panel, option,
                                                                               points)))
    return figures
