"""The picture of the work-precision study: errors over solves and over seconds, case by case."""

import io

from matplotlib import lines, pyplot
from PIL import Image

import work_precision_study as study

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
                    marker=MARKS[family["kind"]], markersize=3.5, linewidth=1.1,
                    markerfacecolor="none")
    axes.grid(True, color="0.92", linewidth=0.6)
    axes.tick_params(labelsize=8)
    for target in study.TARGETS:
        axes.axhline(target, color="0.75", linewidth=0.6, zorder=0)


def draw_legend(axes):
    """Colours and dashes."""
    entries = [lines.Line2D([], [], color=COLOURS[scheme], label=ORDERS[scheme])
               for scheme in study.SCHEMES]
    entries += [lines.Line2D([], [], color="0.3", linestyle=DASHES[kind], marker=MARKS[kind],
                             markersize=4, markerfacecolor="none", label=f"{kind} steps")
                for kind in study.KINDS]
    axes.legend(handles=entries, loc="center", fontsize=10, frameon=False)


def save(figure, path):
    """A PNG of few colours, which is a third as large."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, format="png", metadata={"Software": None})
    buffer.seek(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(buffer).convert("RGB").quantize(64).save(path, optimize=True)


def draw(results, titles, path):
    """All cases, a pair of panels each."""
    shown = [result for result in results if result["families"]]
    rows = -(-(2 * len(shown) + 1) // COLUMNS)
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(12, 2.5 * rows), layout="constrained",
                                   squeeze=False)
    panels = axes.ravel()
    for axis in panels[2 * len(shown):]:
        axis.set_axis_off()
    draw_legend(panels[2 * len(shown)])
    for result, left, right in zip(shown, panels[::2], panels[1::2]):
        for axis, measure, label in ((left, "solves", "slice solves"),
                                     (right, "seconds", "seconds")):
            draw_case(axis, result, measure)
            axis.set_xlabel(label, fontsize=8)
        right.sharey(left)
        right.tick_params(labelleft=False)
        left.set_ylabel("error", fontsize=8)
        left.set_title(titles[result["key"]], fontsize=9, loc="left")
    save(figure, path)
    pyplot.close(figure)
