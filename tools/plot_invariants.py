"""Draws what the scheme keeps: the mass and the sign of the density, and the spread of weights."""

import numpy

from plot_layout import add_legend
from plot_style import (LINE_COLOUR, REFERENCE_COLOUR, WEIGHT, draw_zeros, mark, mark_phases,
                        quantity, thick, time_label)

# Room below and above, in parts of the span of the exponents, and the least span of all.
MARGIN, LEAST_SPAN = 0.1, 3.0


def draw_sizes(axes, time, values, line="-"):
    """Absolute values on a logarithmic axis that ends where they end; zeros as triangles below."""
    sizes = numpy.abs(values)
    is_positive = numpy.isfinite(sizes) & (sizes > 0.0)
    axes.set_yscale("log")
    axes.plot(time, numpy.where(is_positive & (values > 0.0), values, numpy.nan),
              marker=".", markersize=mark(0.8), color=LINE_COLOUR, linewidth=thick(0.8),
              linestyle=line)
    exponents = numpy.log10(sizes[is_positive]) if is_positive.any() else numpy.array([-16.0])
    low, high = exponents.min(), exponents.max()
    span = max(high - low, LEAST_SPAN)
    # 1e-308 is the least that a logarithmic axis bears.
    axes.set_ylim(10.0 ** max(low - MARGIN * span, -308.0), 10.0 ** (high + MARGIN * span))
    draw_zeros(axes, time[sizes == 0.0])


def draw_negative(axes, time, values, label):
    """Negative values have marks of their own."""
    is_negative = values < 0.0
    if is_negative.any():
        axes.plot(time[is_negative], -values[is_negative], "x", color=REFERENCE_COLOUR,
                  markersize=mark(1.1), label=label)


def finish(axes, results, title, label):
    """Names of both axes, and a legend if there is something to tell."""
    axes.set(title=title, xlabel=time_label(results), ylabel=label)
    if axes.get_legend_handles_labels()[0]:
        add_legend(axes)


def draw_mass_error(axes, results):
    """Absolute value of the mass error."""
    time, error = results.series["time"], results.series["mass_error"]
    # Points: a few units of round-off that go up and down are no curve.
    draw_sizes(axes, time, numpy.abs(error), line="none")
    finish(axes, results, "Conservation of mass", quantity("", "|mass error|"))


def draw_min_density(axes, results):
    """Smallest density; its sign matters, so negative values have marks of their own."""
    time, smallest = results.series["time"], results.series["min_density"]
    draw_sizes(axes, time, smallest)
    draw_negative(axes, time, smallest, "size of a negative one")
    negative = int((smallest < 0.0).sum())
    verdict = "never negative" if numpy.isfinite(smallest).all() else "not always finite"
    if negative:
        verdict = f"negative in {negative} of {len(time)} rows"
    finish(axes, results, f"Smallest density: {verdict}", quantity(r"$\min\ p$"))


def draw_mean_weight(axes, results):
    """Mean weight with the standard deviation as band."""
    time, mean = results.series["time"], results.series["mean_weight"]
    # Round-off can leave the variance of a frozen peak just below zero.
    deviation = numpy.sqrt(numpy.maximum(results.series["var_weight"], 0.0))
    axes.fill_between(time, mean - deviation, mean + deviation, color=LINE_COLOUR, alpha=0.2,
                      linewidth=0.0, label="± standard deviation")
    axes.plot(time, mean, color=LINE_COLOUR, label=r"mean $\langle w \rangle$")
    mark_phases(axes, results)
    add_legend(axes)
    axes.set(title="Mean weight", xlabel=time_label(results), ylabel=WEIGHT)
