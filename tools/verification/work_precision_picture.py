"""The picture of the work-precision study: errors over solves and over seconds, case by case."""

from matplotlib import lines, pyplot

import work_precision_study as study
from picture_style import NO_UNIT, draw_in_style, figure_size, mark, thick

COLOURS = {"euler": "#d95f02", "second-order": "#1b9e77", "third-order": "#21386e"}
DASHES = {"plain": ":", "graded": "--", "adaptive": "-"}
MARKS = {"plain": "x", "graded": "^", "adaptive": "o"}
ORDERS = {"euler": "first order", "second-order": "second order", "third-order": "third order"}
SMALLEST = 1e-10   # errors below are drawn here
COLUMNS = 4


def draw_case(axes, result, measure):
    """Errors of all schemes over one measure of work."""
    for family in result["families"]:
        done = [run for run in family["runs"] if run["failure"] is None and run[measure] > 0]
        axes.loglog([run[measure] for run in done], [max(run["error"], SMALLEST) for run in done],
                    color=COLOURS[family["scheme"]], linestyle=DASHES[family["kind"]],
                    marker=MARKS[family["kind"]], markersize=mark(0.8), linewidth=thick(0.8),
                    markerfacecolor="none")
    for target in study.TARGETS:
        axes.axhline(target, color="0.75", linewidth=thick(0.5), zorder=0)


def draw_legend(axes):
    """Colours and dashes."""
    entries = [lines.Line2D([], [], color=COLOURS[scheme], label=ORDERS[scheme])
               for scheme in study.SCHEMES]
    entries += [lines.Line2D([], [], color="0.3", linestyle=DASHES[kind], marker=MARKS[kind],
                             markerfacecolor="none", label=f"{kind} steps")
                for kind in study.KINDS]
    axes.legend(handles=entries, loc="center", frameon=False)


def figure_of(results, titles):
    """All cases, a pair of panels each."""
    shown = [result for result in results if result["families"]]
    rows = -(-(2 * len(shown) + 1) // COLUMNS)
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=figure_size(2, 0.24 * rows),
                                   squeeze=False)
    panels = axes.ravel()
    for axis in panels[2 * len(shown):]:
        axis.set_axis_off()
    draw_legend(panels[2 * len(shown)])
    for result, left, right in zip(shown, panels[::2], panels[1::2]):
        for axis, measure, label in ((left, "solves", "slice solves (number)"),
                                     (right, "seconds", "time (s)")):
            draw_case(axis, result, measure)
            axis.set_xlabel(label)
        right.sharey(left)
        right.tick_params(labelleft=False)
        left.set_ylabel(f"error {NO_UNIT}")
        left.set_title(titles[result["key"]], loc="left")
    return figure


def draw(results, titles, path):
    """The picture as a file."""
    draw_in_style(lambda: figure_of(results, titles), path)
