#!/usr/bin/env python3
"""Draws runs whose neurons have different drifts: drift, density, rate, and what is learned.

    tools/plot_neurons.py results/quadratic results/exponential --output neurons.png
"""

import argparse
import pathlib
import sys

import numpy
from matplotlib import pyplot

from engram_expression import ExpressionError, evaluate
from engram_learning import learned_row, learning_strength, reached
from engram_results import ResultsError, read_results
from engram_stream import bear_closed_pipes
from plot_layout import add_legend
from plot_style import (POTENTIAL, RATE, REFERENCE_COLOUR, STYLES, WEIGHT, check_owner,
                        curve_style, figure_size, letter_panels, quantity, save,
                        thick, time_label)
from style_option import add_style_option

# Drifts are drawn up to this many times what they are in the middle of the axis.
TALLEST = 6.0
# Densities below this part of their maximum are not worth a place on the axis.
VISIBLE = 1e-3


def drift_of(results):
    """The drift of the neuron on the axis from reset to threshold."""
    low, high = (results.number(f"model_v_{name}") for name in ("reset", "threshold"))
    v = numpy.linspace(low, high, 400)
    try:
        return v, evaluate(str(results.case.get("model_drift", "-v")), v=v) + 0.0 * v
    except ExpressionError as error:
        raise ResultsError(f"{results.directory}: model_drift: {error}") from error


def draw_neuron(axes, results, style):
    """Drift over v, and below it the density of the last state, over all weights."""
    v, drift = drift_of(results)
    axes[0].plot(v, drift, **style, markevery=0.2, label=results.directory.name)
    density = results.last_density.sum(axis=1)
    density = density / (density.sum() * (results.v[1] - results.v[0]))
    seen = density > VISIBLE * density.max()
    axes[1].plot(results.v[seen], density[seen], **style, markevery=0.2,
                 label=results.directory.name)


def draw_learning(axes, results, style):
    """The total rate over time, and K Nbar N(w) at the end of learning, where it is w."""
    time, rate = results.series["time"], results.series["total_rate"]
    axes[0].plot(time, rate, **style, markevery=0.2, label=results.directory.name)
    row, strength = learned_row(results), learning_strength(results)
    if strength is None:
        return  # frozen weights, or K(w): nothing is to be compared with w
    inside = reached(results, row)
    total = results.integral(results.firing_rate[row])
    axes[1].plot(results.w[inside], strength * total * results.firing_rate[row][inside], **style,
                 markevery=0.2, label=results.directory.name)


def draw_learned(axes, runs):
    """The line w, as far as the weights of the runs reach."""
    weights = [results.w[reached(results, learned_row(results))] for results in runs
               if learning_strength(results) is not None]
    if weights:
        ends = min(0.0, *(w.min() for w in weights)), max(0.0, *(w.max() for w in weights))
        axes.plot(ends, ends, color=REFERENCE_COLOUR, linestyle=(0, (2, 2)), linewidth=thick(1.4),
                  zorder=1, label="$w$")
    else:
        axes.text(0.5, 0.5, "no constant $K$: nothing to compare", ha="center", va="center",
                  transform=axes.transAxes, wrap=True)


def figure_of(runs):
    """All runs in one picture."""
    figure, axes = pyplot.subplots(2, 2, figsize=figure_size(2, 0.68))
    for number, results in enumerate(runs):
        style = curve_style(number, len(runs))
        draw_neuron(axes[:, 0], results, style)
        draw_learning(axes[:, 1], results, style)
    draw_learned(axes[1, 1], runs)
    middle = max(numpy.median(numpy.abs(drift_of(results)[1])) for results in runs)
    axes[0, 0].axhline(0.0, color="0.35", linewidth=thick(0.5))
    axes[0, 0].set(title="Drift of the neuron", xlabel=POTENTIAL, ylabel=quantity("$f(v)$"),
                   ylim=(-0.1 * TALLEST * middle, TALLEST * middle))
    axes[1, 0].set(title="Density at the end", xlabel=POTENTIAL,
                   ylabel=quantity(r"$\int p\,dw$"), ylim=(0.0, None),
                   xlim=axes[0, 0].get_xlim())
    axes[0, 1].set(title="Learning", xlabel=time_label(runs[0]), ylabel=RATE, ylim=(0.0, None))
    axes[1, 1].set(title="What is learned", xlabel=WEIGHT,
                   ylabel=quantity(r"$K \bar N\, N(w)$"))
    for axis in axes.flat:
        if axis.get_legend_handles_labels()[0]:
            add_legend(axis)
    letter_panels(axes.flat)
    return figure


def main():
    """Reads the folders and writes the picture; 2 with one line on stderr if the input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER", type=pathlib.Path,
                        help="results of a run with more than one weight")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE",
                        help="the picture, .png or .pdf")
    add_style_option(parser)
    arguments = parser.parse_args()
    try:
        runs = [read_results(folder) for folder in arguments.folders]
        for results in runs:
            if results.firing_rate is None or results.is_single_weight:
                raise ResultsError(f"{results.directory}: needs fields of more than one weight")
        check_owner(arguments.output)
        with pyplot.rc_context(STYLES[arguments.style]):
            save(figure_of(runs), arguments.output)
    except (ResultsError, OSError) as error:
        print(f"plot_neurons.py: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main())
