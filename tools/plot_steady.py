"""Draws steady states: their densities, and the branches that a sweep over an option finds."""

import numpy
from matplotlib import pyplot

from engram_results import fold_neighbours, link_states
from plot_labels import label_of
from plot_layout import add_legend
from plot_style import (HEAT_COLOURS, LINE_COLOUR, POTENTIAL, RATE, REFERENCE_COLOUR, WEIGHT, mark,
                        quantity, thick)

STABLE, UNSTABLE = "stable by slope", "unstable by slope"
# Beyond this ratio of largest to smallest rate the branches need a logarithmic axis.
RATIO_FOR_LOGARITHM = 30.0
# Densities below this part of their maximum are not worth a place on the axis.
VISIBLE = 1e-3


def mark_potentials(axes, results):
    """Reset and threshold as lines across an axis of potentials."""
    for name, symbol in (("model_v_reset", "$V_R$"), ("model_v_threshold", "$V_F$")):
        potential = results.number(name)
        axes.axvline(potential, color="0.35", linestyle="--", linewidth=thick(0.7))
        axes.annotate(symbol, (potential, 1.0), xycoords=("data", "axes fraction"),
                      xytext=(-3, -3), textcoords="offset points", ha="right", va="top")


def show_occupied(axes, results, densities):
    """Limits the axis of potentials to where one of the densities [row][v] can be seen."""
    densities = numpy.nan_to_num(densities)
    seen = (densities > VISIBLE * densities.max(axis=1, keepdims=True)).any(axis=0)
    left = results.v[seen][0] if seen.any() else results.v[0]
    width = results.number("model_v_threshold") - left
    axes.set_xlim(left - 0.05 * width, left + 1.04 * width)


def state_lines(axes, results, positions, rows):
    """One line per steady state, solid where its slope says stable, else dashed."""
    colours = pyplot.get_cmap(HEAT_COLOURS)(numpy.linspace(0.0, 0.8, len(rows)))
    for state, row, colour in zip(results.steady, rows, colours):
        kind = STABLE if state.is_stable else UNSTABLE
        axes.plot(positions, row, color=colour, linestyle="-" if state.is_stable else "--",
                  linewidth=thick(1.4 if state.is_stable else 1.0),
                  label=rf"$\bar N = {state.rate:.5g}$, {kind}")
    axes.set_ylim(bottom=0.0)
    add_legend(axes)


def draw_states(axes, results):
    """The density of every steady state over v, all weights together."""
    state_lines(axes, results, results.v, results.state_density)
    show_occupied(axes, results, results.state_density)
    mark_potentials(axes, results)
    if results.is_single_weight:
        axes.set(title=f"Steady states at $w = {results.w[0]:.4g}$", ylabel=quantity("$p(v)$"))
    else:
        axes.set(title="Steady states", ylabel=quantity(r"$\int p\, dw$"))
    axes.set_xlabel(POTENTIAL)


def draw_state_rates(axes, results):
    """The firing rate of every steady state over w."""
    state_lines(axes, results, results.w, results.firing_rate[1:])
    axes.set(title="Firing rate by weight", xlabel=WEIGHT, ylabel=quantity("$N(w)$"))


def draw_lines(axes, points, links):
    """Branches: states of neighbouring values that belong together."""
    for (value, state), (next_value, next_state) in links:
        axes.plot((value, next_value), (state.rate, next_state.rate), color=LINE_COLOUR,
                  linestyle="-" if state.is_stable else (0, (3, 2)), linewidth=thick(0.9))
    size = mark(1.0 if len(points) <= 200 else 0.5)
    for is_stable, label in ((True, STABLE), (False, UNSTABLE)):
        chosen = [(value, state.rate) for value, state in points if state.is_stable == is_stable]
        if chosen:
            axes.plot(*zip(*chosen), "o", color=LINE_COLOUR, markersize=size, label=label,
                      markerfacecolor=LINE_COLOUR if is_stable else "white")


def draw_folds(axes, branches, folds):
    """Folds, with lines to the two states that meet there and the value beside them."""
    for value, rate in folds:
        pair = fold_neighbours(branches, value, rate)
        for neighbour, state in pair:
            axes.plot((neighbour, value), (state.rate, rate), color=LINE_COLOUR,
                      linestyle="-" if state.is_stable else (0, (3, 2)), linewidth=thick(0.9))
        is_right = not pair or pair[0][0] <= value
        axes.annotate(f"{value:.6g}", (value, rate), xytext=(6 if is_right else -6, 0),
                      textcoords="offset points", ha="left" if is_right else "right", va="center")
    if len(folds):
        axes.plot(*zip(*folds), "D", color=REFERENCE_COLOUR, markersize=mark(1.4), zorder=3,
                  label="fold" if len(folds) == 1 else "folds")


def shade_empty(axes, branches, folds):
    """A grey ground where there is no steady state."""
    label = "no steady state"
    edges = [value for value, _ in folds]
    for (value, states), (next_value, next_states) in zip(branches, branches[1:]):
        if states and next_states:
            continue
        between = [edge for edge in edges if value <= edge <= next_value]
        left = between[0] if between and states else value
        right = between[0] if between and next_states else next_value
        is_known = bool(between) or not (states or next_states)
        if is_known:
            axes.axvspan(left, right, color="0.93", linewidth=0.0, zorder=0, label=label)
            label = None


def say_none(axes, results):
    """A sweep that has found nothing is no empty picture: it says so."""
    first, last = results.branches[0][0], results.branches[-1][0]
    axes.text(0.5, 0.5, f"no steady state at any of the\n{len(results.branches)} values from "
              f"{first:.6g} to {last:.6g}", ha="center", va="center", transform=axes.transAxes)
    axes.set_yticks([])
    axes.set(title="Steady states", xlabel=label_of(results.swept), ylabel=RATE,
             xlim=(first, last) if first < last else None)


def draw_bifurcation(axes, results):
    """Total rates of all steady states over the option that was varied."""
    branches, folds = results.branches, results.folds
    points = [(value, state) for value, states in branches for state in states]
    if not points:
        say_none(axes, results)
        return
    rates = [state.rate for _, state in points if state.rate > 0.0]
    if rates and max(rates) > RATIO_FOR_LOGARITHM * min(rates):
        axes.set_yscale("log")
    draw_lines(axes, points, link_states(branches))
    draw_folds(axes, branches, folds)
    shade_empty(axes, branches, folds)
    if axes.get_yscale() == "linear" and rates:
        axes.set_ylim(0.0, 1.08 * max(rates))
    margin = 0.02 * (branches[-1][0] - branches[0][0])
    axes.set_xlim(branches[0][0] - margin, branches[-1][0] + margin)
    add_legend(axes)
    axes.set(title="Steady states", xlabel=label_of(results.swept), ylabel=RATE)
