"""Writes a convergence study down: CSV, Markdown, LaTeX, and a log-log picture."""

import csv
import dataclasses
import io
import math

import matplotlib
from matplotlib import pyplot, ticker

from convergence_errors import NORMS, QUANTITIES
from convergence_table import write_file
from plot_layout import add_legend
from plot_style import (NO_UNIT, STYLES, check_owner, figure_size, letter_panels, save, thick)

# Symbols in LaTeX, which matplotlib reads too; plain texts; colour, marker and line.
SYMBOLS = {"total_rate": r"\bar N", "firing_rate": "N(w)", "weight_density": "H(w)",
           "density": "p(w,v)"}
PLAIN = {"total_rate": "Nbar", "firing_rate": "N(w)", "weight_density": "H(w)",
         "density": "p(w,v)"}
LINES = {"total_rate": ("#21386e", "o", "-"), "firing_rate": ("#f28e2b", "s", "--"),
         "weight_density": ("#2a9d8f", "^", "-."), "density": ("#8c2d19", "D", ":")}
VARIED = {"v": "the cells of v", "w": "the cells of w", "t": "the time step",
          "all": "cells of v and w and the time step"}


# Smaller values are not drawn.
ROUND_OFF = 1e-14


@dataclasses.dataclass
class Report:
    """What is told of a study. Lists have an entry for each level, None where there is nothing."""

    title: str
    refine: int
    is_exact: bool
    levels: list  # of Level
    costs: list  # of Cost
    total_rates: list
    norms: dict  # (quantity, norm) -> [level]: differences to the level before, or errors
    orders: dict  # (quantity, norm) -> [level]
    errors: dict  # (quantity, norm) -> [level]: against the extrapolation; empty if is_exact
    sentences: list  # what a reader has to know

    @property
    def norm_name(self):
        """What the norms are of."""
        return "error" if self.is_exact else "difference"


@dataclasses.dataclass
class Table:
    """A table of texts: the first column is left, all others right."""

    caption: str
    header: list  # (plain, LaTeX) of each column
    rows: list  # of rows of texts


def number(value, form=".3e"):
    """A number as text, or a dash."""
    return "-" if value is None else format(value, form)


def resolution(level):
    """Cells and step of a level as texts."""
    return [f"{level.v_cells} x {level.w_cells}", f"{level.time_step:.6g}"]


RESOLUTION_HEADER = [("cells v x w", r"cells $v \times w$"), ("time step", r"$\Delta t$")]


def norm_table(report, norm, values, orders, caption):
    """A table of one norm: a column of values, and one of orders if there are any."""
    header, columns = list(RESOLUTION_HEADER), []
    for quantity in QUANTITIES:
        if quantity == "total_rate" and norm == "max":
            continue
        header.append((PLAIN[quantity], f"${SYMBOLS[quantity]}$"))
        columns.append([number(value) for value in values[quantity, norm]])
        if orders:
            header.append(("order", "order"))
            columns.append([number(order, ".2f") for order in orders[quantity, norm]])
    rows = [resolution(level) + [column[row] for column in columns]
            for row, level in enumerate(report.levels)]
    return Table(caption, header, rows)


def cost_table(report):
    """Time and memory of every level."""
    header = [*RESOLUTION_HEADER, ("steps", "steps"), ("Nbar", r"$\bar N$"),
              ("wall time [s]", r"wall time [s]"), ("peak memory [MiB]", r"peak memory [MiB]"),
              ("ns per cell and step", r"ns per cell and step")]
    rows = []
    for level, cost, rate in zip(report.levels, report.costs, report.total_rates):
        rows.append(resolution(level) + [
            f"{cost.steps:.0f}", f"{rate:.10f}", f"{cost.wall_seconds:.2f}",
            f"{cost.memory:.0f}" if cost.memory else "-", f"{cost.nanoseconds:.2f}"])
    return Table("Cost of the levels.", header, rows)


def tables_of(report):
    """All tables of a study."""
    kind = "Errors against the closed form" if report.is_exact else \
        "Differences from the level above"
    tables = []
    for norm in NORMS:
        name = "L1 norm" if norm == "L1" else "maximum norm"
        tables.append(norm_table(report, norm, report.norms, report.orders,
                                 f"{kind}, {name}, and observed orders."))
    if report.errors:
        for norm in NORMS:
            name = "L1 norm" if norm == "L1" else "maximum norm"
            tables.append(norm_table(report, norm, report.errors, {},
                                     f"Estimated errors, {name}."))
    return [*tables, cost_table(report)]


def markdown(report):
    """The study in Markdown."""
    lines = [f"# {report.title}", "", *report.sentences]
    for table in tables_of(report):
        lines += ["", table.caption, "", f"| {' | '.join(plain for plain, _ in table.header)} |",
                  f"|{' ---: |' * len(table.header)}"]
        lines += [f"| {' | '.join(row)} |" for row in table.rows]
    return "\n".join(lines) + "\n"


def latex_cell(text):
    """A cell of a table in LaTeX: powers of ten are set as such."""
    if text == "-":
        return "--"
    mantissa, has_exponent, exponent = text.partition("e")
    if has_exponent and exponent.lstrip("+-").isdecimal():
        return rf"${mantissa} \cdot 10^{{{int(exponent)}}}$"
    return text.replace(" x ", r" $\times$ ")


def latex(report):
    """The tables in LaTeX, for \\input; they need the package booktabs."""
    lines = [f"% {report.title}", r"% Needs \usepackage{booktabs}."]
    for table in tables_of(report):
        lines += ["", r"\begin{table}", r"  \centering\small", rf"  \caption{{{table.caption}}}",
                  rf"  \begin{{tabular}}{{{'r' * len(table.header)}}}", r"    \toprule",
                  f"    {' & '.join(name for _, name in table.header)} \\\\", r"    \midrule"]
        lines += [f"    {' & '.join(map(latex_cell, row))} \\\\" for row in table.rows]
        lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def comma_separated(report):
    """Everything in one table, a row a level; an empty cell where there is nothing."""
    names = ["level", "v_cells", "w_cells", "time_step", "steps", "transport_substeps",
             "total_rate", "wall_seconds", "peak_memory_mebibytes", "ns_per_cell_and_step"]
    columns = [[level.number, level.v_cells, level.w_cells, repr(level.time_step),
                f"{cost.steps:.0f}", f"{cost.substeps:.0f}", repr(rate),
                f"{cost.wall_seconds:.3f}", f"{cost.memory:.1f}" if cost.memory else "",
                f"{cost.nanoseconds:.4f}"]
               for level, cost, rate in zip(report.levels, report.costs, report.total_rates)]
    groups = [(report.norm_name, report.norms), ("order", report.orders)]
    groups += [("estimated_error", report.errors)] if report.errors else []
    for (quantity, norm) in report.norms:
        if quantity == "total_rate" and norm == "max":
            continue
        for name, values in groups:
            names.append(name_of_column(quantity, norm, name))
            for row, value in zip(columns, values[quantity, norm]):
                row.append("" if value is None else f"{value:.6e}")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([names, *columns])
    return stream.getvalue()


def name_of_column(quantity, norm, name):
    """Name of a column of convergence.csv."""
    return f"{quantity}_{name}" if quantity == "total_rate" else f"{quantity}_{norm.lower()}_{name}"


def triangle(axes, corner, order, refine):
    """A slope triangle from its lower left corner to coarser steps, one step of refinement wide."""
    left, low = corner
    right, high = left * refine, low * refine**order
    axes.plot((left, right, right, left), (low, low, high, low), color="0.25", linewidth=thick(0.7))
    axes.annotate(str(order), (right, math.sqrt(low * high)), xytext=(4, 0), color="0.25",
                  textcoords="offset points", va="center", fontsize="small")


def widths_of(report):
    """The widths of the grid, or the steps, relative to the coarsest level."""
    return [float(report.refine) ** -level.number for level in report.levels]


def points_of(report, norm, widths):
    """All (width, value) that are drawn in one norm."""
    return [(width, value) for quantity in QUANTITIES if (quantity, norm) != ("total_rate", "max")
            for width, value in zip(widths, report.norms[quantity, norm])
            if (value or 0.0) > ROUND_OFF]


def draw_norm(axes, report, norm):
    """Norms of all quantities over the width of the grid, with triangles of slope 1 and 2."""
    widths = widths_of(report)
    values = [value for _, value in points_of(report, norm, widths)]
    for quantity in QUANTITIES:
        points = [(width, value) for width, value in zip(widths, report.norms[quantity, norm])
                  if (value or 0.0) > ROUND_OFF]
        if not points or quantity == "total_rate" and norm == "max":
            continue
        colour, marker, line = LINES[quantity]
        axes.plot(*zip(*points), color=colour, marker=marker, linestyle=line,
                  label=f"${SYMBOLS[quantity]}$")
    axes.set(xscale="log", yscale="log", xlabel="width or step, in parts of the coarsest",
             ylabel=f"{norm_label(norm)} of the {report.norm_name} {NO_UNIT}")
    if not values:
        return
    used = sorted({width for width, _ in points_of(report, norm, widths)})
    # The curves fall to the left: below their coarse ends there is room.
    left = max(used) / report.refine
    beneath = min(value for width, value in points_of(report, norm, widths) if width > 0.99 * left)
    for order, depth in ((1, 5.0), (2, 40.0)):
        triangle(axes, (left, beneath / depth), order, report.refine)
    axes.set_ylim(min(beneath / 80.0, min(values) / 2.0), 3.0 * max(values))
    name_widths(axes, used, report.refine)
    add_legend(axes)


def norm_label(norm):
    """A norm in words."""
    return "$L^1$ norm" if norm == "L1" else "maximum norm"


def name_widths(axes, widths, refine):
    """Ticks at the levels."""
    axes.set_xlim(min(widths) / refine**0.3, max(widths) * refine**0.5)
    axes.xaxis.set_major_locator(ticker.FixedLocator(widths))
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.xaxis.set_major_formatter(
        lambda width, _: "1" if width == 1.0 else f"1/{round(1.0 / width)}")


def draw_cost(axes, report):
    """Time per cell and step, and memory per cell, over the number of cells."""
    cells = [level.cells * cost.steps for level, cost in zip(report.levels, report.costs)]
    axes.plot(cells, [cost.nanoseconds for cost in report.costs], color="#21386e", marker="o",
              label="one cell and step")
    axes.set(xscale="log", xlabel="cells times steps (number)",
             ylabel="time for a cell and step (ns)",
             title="Cost")
    # The least and the largest: a power of ten need not be among them.
    axes.set_xticks([min(cells), max(cells)], [f"{min(cells):.1e}", f"{max(cells):.1e}"])
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())
    axes.set_ylim(0.0, 1.25 * max(cost.nanoseconds for cost in report.costs))


def picture(report):
    """The figure of a study."""
    figure, panels = pyplot.subplots(1, 3, figsize=figure_size(2, 0.4), width_ratios=(1, 1, 0.8))
    for axes, norm in zip(panels, NORMS):
        draw_norm(axes, report, norm)
        axes.set_title(norm_label(norm)[0].upper() + norm_label(norm)[1:])
    draw_cost(panels[2], report)
    letter_panels(panels)
    return figure


def write_report(report, folder, style):
    """Writes all files of a study, the picture in this style; returns the text in Markdown."""
    paths = [folder / f"convergence.{extension}" for extension in ("png", "pdf")]
    for path in paths:
        check_owner(path)
    text = markdown(report)
    for extension, content in (("csv", comma_separated(report)), ("md", text),
                               ("tex", latex(report))):
        write_file(folder / f"convergence.{extension}", content)
        print(folder / f"convergence.{extension}", flush=True)
    with matplotlib.rc_context(STYLES[style]):
        for path in paths:
            save(picture(report), path)
    return text
