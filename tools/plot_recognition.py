"""Draws recognition experiments: answers, the discrimination matrix, and curves of the spread."""

import numpy
from matplotlib import pyplot

from plot_style import REFERENCE_COLOUR, WEIGHT, curve_style
from recognition_measure import SIGNATURE

LONGEST_NAME = 30
# Marks on a curve, so that it can be told in grey; more would hide it.
MARKS_ON_CURVE = 9
LIGHT = "0.93"
SPREAD = "spread (distance to the signature $w/K$)"
# Spreads of a state at rest end somewhere above round-off; zeros have to stand somewhere too.
FLOOR = 1e-6


def short(name):
    """A name that fits a legend."""
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME - 1] + "…"


def draw_curve(axes, places, values, number, count, label):
    """One of several curves, told apart by colour, dashes and marks."""
    style = curve_style(number, count)
    spacing = max(1, len(places) // MARKS_ON_CURVE)
    axes.plot(places, values, **style, label=label, markersize=5,
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
    axes.plot(w, values, color=REFERENCE_COLOUR, linestyle=(0, (2, 2)), linewidth=2.6, zorder=4,
              label=label)


def responses_figure(panel, stage):
    """N(w) of all tests with the signature, and below the profiles K Nbar N/w, where it is 1."""
    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(8.5, 8.4), sharex=True)
    rates = [response.rate for response in stage.responses]
    draw_answers(upper, panel, stage, rates, "Answers to the panel", "firing rate $N(w)$")
    low, high = stage.support()
    middle = (stage.w >= low) & (stage.w <= high)
    draw_signature(upper, stage.w[middle], stage.signature()[middle],
                   r"signature $w/(K \bar N)$")
    upper.set_ylim(bottom=0.0)
    upper.set_xlabel("")
    upper.legend()
    levels = [response.level * response.shape for response in stage.responses]
    draw_answers(lower, panel, stage, levels, "Profiles: flat where the input was learned",
                 r"$K \bar N N(w)/w$")
    draw_signature(lower, stage.w[middle], numpy.ones(middle.sum()), "signature")
    seen = numpy.concatenate([level[middle] for level in levels])
    lower.set_ylim(0.0, 1.15 * seen.max())
    handles, labels = lower.get_legend_handles_labels()
    spreads = [f": spread {response.spread:.2g}" for response in stage.responses] + [""]
    lower.legend(handles, [label + text for label, text in zip(labels, spreads)])
    return figure


def matrix_figure(panel, stage):
    """Distances between all answers, and to the signature; numbers in the cells."""
    names = [short(name) for name in panel.names] + [SIGNATURE]
    matrix = stage.distances()
    size = 3.6 + 0.75 * len(names)
    figure, axes = pyplot.subplots(figsize=(size + 0.8, size))
    axes.grid(False)
    image = axes.imshow(matrix, cmap="Greys", vmin=0.0, vmax=max(matrix.max(), FLOOR))
    for (row, column), value in numpy.ndenumerate(matrix):
        is_dark = value > 0.55 * matrix.max()
        text = "0" if row == column else f"{value:.2g}"
        axes.text(column, row, text, ha="center", va="center", fontsize=10,
                  color="white" if is_dark else "black")
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    for draw_line in (axes.axhline, axes.axvline):
        draw_line(len(names) - 1.5, color=REFERENCE_COLOUR, linewidth=2.0)
    axes.set_title("Distances between the answers")
    figure.colorbar(image, ax=axes, label="distance of shapes", shrink=0.8, pad=0.02)
    return figure


def curves_figure(places, rows, names, label, title):
    """Spreads [test][place] over places, on a logarithmic axis."""
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for number, (name, row) in enumerate(zip(names, rows)):
        axes.plot(places, numpy.maximum(row, FLOOR), **curve_style(number, len(names)),
                  label=short(name), markersize=6)
    axes.set_yscale("log")
    top = numpy.nanmax(rows) if numpy.isfinite(rows).any() else 1.0
    axes.set_ylim(top=12.0 * max(top, FLOOR))
    axes.set(title=title, xlabel=label, ylabel=SPREAD)
    axes.legend(ncol=2)
    return figure


def option_figure(panel, option, points):
    """The spreads over the value of an option; points are pairs of value and last stage."""
    values = [value for value, _ in points]
    rows = numpy.array([[stage.responses[test].spread for _, stage in points]
                        for test in range(len(panel.tests))])
    try:
        places = [float(value) for value in values]
        order = numpy.argsort(places)
        figure = curves_figure(numpy.take(places, order), rows[:, order], panel.names, option,
                               f"Recognition and {option}")
        positive = min(places) > 0.0
        if positive and max(places) > 20.0 * min(places):
            figure.axes[0].set_xscale("log")
        return figure
    except ValueError:  # expressions
        figure = curves_figure(range(len(values)), rows, panel.names, option,
                               f"Recognition and {option}")
        figure.axes[0].set_xticks(range(len(values)), [short(value) for value in values])
        return figure


def forgetting_figure(panel, stages):
    """The spread of every learned pattern after each of the stages."""
    count = len(panel.learned)
    rows = numpy.array([[stage.responses[test].spread for stage in stages]
                        for test in range(count)])
    names = [f"{number + 1}: {name}" for number, name in enumerate(panel.names[:count])]
    figure = curves_figure(range(1, count + 1), rows, names, "patterns learned so far",
                           "Forgetting: patterns learned one after the other")
    axes = figure.axes[0]
    axes.set_xticks(range(1, count + 1))
    for number in range(count):
        axes.plot(number + 1, max(rows[number, number], FLOOR), "o", markersize=13,
                  markerfacecolor="none", markeredgecolor=REFERENCE_COLOUR, markeredgewidth=2.0,
                  label="just learned" if number == 0 else None)
    axes.legend(ncol=2)
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
