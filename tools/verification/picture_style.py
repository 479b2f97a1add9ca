"""What the pictures of the verification share; their style is that of tools/plot_style.py."""

import pathlib
import sys

import matplotlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from plot_layout import add_legend, tidy  # noqa: E402,F401
from plot_style import (LINE_COLOUR, NO_UNIT, REFERENCE_COLOUR, STYLE, curve_style,  # noqa: E402,F401
                        figure_size, letter_panels, mark, quantity, save, thick)


def draw_in_style(draw, path):
    """Writes the figure that a function makes, as a picture of two columns of a page."""
    with matplotlib.rc_context(STYLE):
        path.parent.mkdir(parents=True, exist_ok=True)
        save(draw(), path, say=False)

def draw_slope(axes, steps, value, order):
    """A thin line of this slope through the last point."""
    axes.loglog(steps, [value * (step / steps[-1])**order for step in steps], color="0.6",
                linewidth=thick(0.6), zorder=0)


def name_steps(axes, steps, labels):
    """Ticks at the steps themselves."""
    axes.set_xticks(steps, labels)
    axes.set_xticks([], minor=True)
