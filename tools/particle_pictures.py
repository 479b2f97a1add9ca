"""Draws the density and the particles over each other: N(w), H(w), Nbar(t), and the differences."""

import numpy
from matplotlib import pyplot

from particle_comparison import ALLOWED
from plot_layout import add_legend
from plot_style import (LINE_COLOUR, RATE, REFERENCE_COLOUR, WEIGHT, figure_size, letter_panels,
                        mark, quantity, thick, time_label)

FIRING_RATE, DENSITY_OF_WEIGHTS = "$N(w)$", "$H(w)$"


def of_quantity(rows, name):
    """The rows of a quantity with their centres and values as arrays."""
    own = [row for row in rows if row.quantity == name]
    centres = numpy.array([0.5 * (row.start + row.end) for row in own])
    return own, centres


def draw_bars(axes, rows, name):
    """Particles as points with bars."""
    own, centres = of_quantity(rows, name)
    axes.errorbar(centres, [row.particles for row in own],
                  yerr=[ALLOWED * row.standard_error for row in own], fmt="o",
                  color=REFERENCE_COLOUR, ecolor="0.15", markersize=mark(0.9),
                  markeredgecolor="0.15", markeredgewidth=thick(0.4), capsize=mark(0.6),
                  elinewidth=thick(0.8), zorder=3, label="particles, three standard errors")


def draw_steps(axes, rows, name):
    """The density's means over the same bins."""
    own, _ = of_quantity(rows, name)
    edges = [row.start for row in own] + [own[-1].end]
    axes.stairs([row.density for row in own], edges, baseline=None, color=LINE_COLOUR,
                linewidth=thick(0.6), alpha=0.7, label="density, mean over the bin")


def draw_profile(axes, results, rows, name):
    """N(w) or H(w) of both."""
    is_rate = name == "firing_rate"
    field = results.firing_rate if is_rate else results.weight_density
    own, _ = of_quantity(rows, name)
    if not is_rate:
        axes.plot(results.w, field[0], color="0.5", linestyle=":", linewidth=thick(1.5),
                  label="density at the start")
    axes.plot(results.w, field[-1], color=LINE_COLOUR, label="density at the end")
    if own:
        draw_steps(axes, rows, name)
        draw_bars(axes, rows, name)
    title = "Firing rate by weight, second half" if is_rate else "Distribution of weights, end"
    axes.set(title=title, xlabel=WEIGHT,
             ylabel=quantity(FIRING_RATE if is_rate else DENSITY_OF_WEIGHTS))
    axes.set_ylim(bottom=0.0)
    add_legend(axes)


def draw_total_rate(axes, results, rows):
    """Nbar(t) of both."""
    axes.plot(results.series["time"], results.series["total_rate"], color=LINE_COLOUR,
              label="density")
    draw_bars(axes, rows, "total_rate")
    axes.set(title="Total firing rate", xlabel=time_label(results), ylabel=RATE)
    axes.set_ylim(bottom=0.0)
    add_legend(axes)


def draw_differences(axes, rows):
    """All differences in standard errors, over the place of the bin in its axis."""
    axes.axhspan(-ALLOWED, ALLOWED, color="0.93", zorder=0)
    axes.axhline(0.0, color="0.35", linewidth=thick(0.6))
    for name, marker, colour, label in (("firing_rate", "o", LINE_COLOUR, FIRING_RATE),
                                            ("weight_density", "s", "0.5", DENSITY_OF_WEIGHTS),
                                            ("total_rate", "^", REFERENCE_COLOUR, r"$\bar N$")):
        own, centres = of_quantity(rows, name)
        if own:
            place = (centres - own[0].start) / (own[-1].end - own[0].start)
            axes.plot(place, [row.z for row in own], marker=marker, linestyle="none", color=colour,
                      markeredgecolor="0.15", markeredgewidth=thick(0.4), label=label)
    largest = max(abs(row.z) for row in rows)
    axes.set_ylim(-1.15 * max(largest, ALLOWED + 0.6), 1.15 * max(largest, ALLOWED + 0.6))
    axes.set(title="Particles less density", xlabel="place of the bin, in parts of its axis",
             ylabel="difference (standard errors)")
    add_legend(axes, ncol=3)


def comparison_figure(results, rows):
    """The four panels, with letters for a caption."""
    figure, panels = pyplot.subplots(2, 2, figsize=figure_size(2, 0.72))
    draw_profile(panels[0, 0], results, rows, "firing_rate")
    draw_profile(panels[0, 1], results, rows, "weight_density")
    draw_total_rate(panels[1, 0], results, rows)
    draw_differences(panels[1, 1], rows)
    letter_panels(panels.flat)
    return figure
