"""Draws the phase diagrams of the excitation experiment with their theoretical boundaries."""

import numpy
from matplotlib import pyplot

from plot_labels import label_of
from plot_style import (LINE_COLOUR, NO_UNIT, REFERENCE_COLOUR, figure_size, letter_panels, mark,
                        thick)
from plot_sweep import draw_phases, edges_of

LEARNED, RUN_AWAY, BLOW_UP, UNDECIDED = ("learned state", "weights run away", "blow-up at once",
                                         "undecided")
STYLES = {LEARNED: ("#cfdcef", "o"), RUN_AWAY: ("#f7c58f", "^"), BLOW_UP: ("#c46b5c", "x"),
          UNDECIDED: ("0.97", "D")}
RESPONSES = {"linear": r"$\sigma(N) = N$", "saturating": r"$\sigma(N) = N/(1+N)$"}
RATES = 160
HIGHEST_RATE = 300.0


def curve_of(plane):
    """K and mean weight of the learned states, the fold among them, as lower and upper branch."""
    network, fold = plane.network, plane.network.fold()
    lower = numpy.geomspace(1.0 + 1e-6, fold.total_rate / network.smallest_rate, RATES)
    upper = numpy.geomspace(fold.total_rate, HIGHEST_RATE, RATES)
    branches = []
    for rates in (lower * network.smallest_rate, upper):
        states = [network.state_of_rate(rate) for rate in rates]
        branches.append(([state.learning for state in states],
                         [state.mean_weight for state in states], states))
    return fold, branches


def draw_boundary(axes, plane):
    """The branches of learned states, the boundary that they are, and the end of rest."""
    fold, (lower, upper) = curve_of(plane)
    last = plane.network.last_resting_state()
    highest = last.total_rate if last else numpy.inf
    boundary = [(learning, mean) for learning, mean, state in zip(*upper)
                if state.total_rate <= highest]
    bottom = edges_of(plane.mean_weights)[0]
    axes.plot(*zip((fold.learning, bottom), (fold.learning, fold.mean_weight), *boundary),
              color="black", linewidth=thick(1.6), label="theory: end of learning")
    axes.plot(*lower[:2], color=LINE_COLOUR, linestyle="--", linewidth=thick(1.1),
              label="learned states that attract")
    if last:
        axes.axhline(last.mean_weight, color="black", linewidth=thick(1.2), linestyle=":",
                     label="theory: no rate at rest above")
    axes.plot(fold.learning, fold.mean_weight, "D", color=REFERENCE_COLOUR, markersize=mark(1.6),
              markeredgecolor="black", zorder=4, label="fold at $K_c$")


def draw_plane(axes, plane, points):
    """One phase diagram."""
    phases = numpy.array([row["seen"] for row in points if row["plane"] == plane.name],
                         dtype=object).reshape(len(plane.mean_weights), -1)
    draw_phases(axes, plane.strengths, plane.mean_weights, phases, STYLES)
    draw_boundary(axes, plane)
    axes.set_xlim(edges_of(plane.strengths)[[0, -1]])
    axes.set_ylim(edges_of(plane.mean_weights)[[0, -1]])
    strongest = plane.network.fold().learning
    axes.set(title=f"{RESPONSES[plane.name]}, $I = {plane.network.current:g}$: "
             f"$K_c = {strongest:.4g}$",
             xlabel=label_of("model_learning"), ylabel=f"initial mean weight {NO_UNIT}")


def diagram_figure(planes, points):
    """The diagrams side by side, with one legend for all."""
    figure = pyplot.figure(figsize=figure_size(len(planes), 1.2 if len(planes) == 1 else 0.52))
    grid = figure.add_gridspec(2, len(planes), height_ratios=[1.0, 0.15])
    handles = {}
    for column, plane in enumerate(planes):
        axes = figure.add_subplot(grid[0, column])
        draw_plane(axes, plane, points)
        handles.update(dict(zip(*reversed(axes.get_legend_handles_labels()))))
    if len(planes) > 1:
        letter_panels(figure.axes)
    order = [name for name in STYLES if name in handles]
    order += [name for name in handles if name not in STYLES]
    # This release of matplotlib leaves no room for legends of a figure: they get axes of their own.
    bottom = figure.add_subplot(grid[1, :])
    bottom.axis("off")
    bottom.legend([handles[name] for name in order], order, loc="center",
                  ncol=2 * len(planes))
    return figure
