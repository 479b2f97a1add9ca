"""The panels of docs/pictures/verification_scheme.png."""

import math

from picture_style import (LINE_COLOUR, NO_UNIT, REFERENCE_COLOUR, add_legend, curve_style,
                           draw_slope, mark, name_steps, quantity, thick)


def differences(values):
    """Distances of successive values."""
    return [abs(a - b) for a, b in zip(values, values[1:])]


def draw_time_orders(axes, results):
    """Differences of Nbar over dt."""
    markers = {"euler, coupling lagged": "o", "euler, coupling implicit": "^",
               "second-order, coupling lagged": "s", "second-order, coupling implicit": "D"}
    for row in results["orders in dt"]:
        name = row["settings"].replace("transport explicit, ", "")
        if name in markers:
            marker = markers[name]
            values = differences(row["values"])
            steps = [0.005 / 2**k for k in range(len(values))]
            axes.loglog(steps, values, marker, color=curve_style(len(axes.lines) // 2, 4)["color"],
                        label=name)
            draw_slope(axes, steps, values[-1], row["expected"])
    name_steps(axes, steps, [f"{step * 1e3:.3g}" for step in steps])
    axes.set(xlabel=rf"$1000\,\Delta t$ {NO_UNIT}", title=r"Orders in $\Delta t$",
             ylabel=rf"change of $\bar N$ under halving {NO_UNIT}")
    add_legend(axes)


def draw_weight_orders(axes, results):
    """Differences of N(w) over dw."""
    for number, (row, marker) in enumerate(zip(results["orders in dw"], "osDv")):
        steps = [1.0 / (20 * 2**k) for k in range(len(row["distances"]))]
        axes.loglog(steps, row["distances"], marker, label=row["settings"],
                    color=curve_style(number, 4)["color"],
                    markerfacecolor="none" if "implicit" in row["settings"] else None)
        draw_slope(axes, steps, row["distances"][-1], row["expected"])
    name_steps(axes, steps, [f"1/{1.0 / step:g}" for step in steps])
    axes.set(xlabel=rf"$\Delta w$ {NO_UNIT}", title=r"Orders in $\Delta w$",
             ylabel=f"change of $N(w)$ under halving {NO_UNIT}")
    add_legend(axes)


def draw_approach(axes, results):
    """Distances from the limit over eps."""
    rows = results["approach"]
    shown = [k for k, epsilon in enumerate(rows[0]["epsilons"]) if epsilon >= 1e-16]
    epsilons = [rows[0]["epsilons"][k] for k in shown]
    for number, (row, marker) in enumerate(zip(rows, "o^sD")):
        # Zero is shown as the unit round-off.
        values = [max(row["differences"][k], 2.0**-53) for k in shown]
        axes.loglog(epsilons, values, marker, label=row["settings"],
                    color=curve_style(number, 4)["color"])
    slope = rows[0]["differences"][5] / epsilons[5]
    axes.loglog(epsilons, [slope * epsilon for epsilon in epsilons], color="0.6",
                linewidth=thick(0.6), zorder=0)
    axes.axhline(results["plateau"]["over_cells"][1], color=REFERENCE_COLOUR,
                 linestyle="--", label="level of second-order transport")
    axes.set_ylim(3e-17, 3e-3)
    axes.set(xlabel=quantity(r"$\varepsilon$"), title="Approach of the limit",
             ylabel=quantity(r"$|\bar N(\varepsilon) - \bar N(0)|$"))
    add_legend(axes)


def draw_inhibition(axes, results):
    """Nbar of both couplings over the steps."""
    series = results["series"]
    for name, style, colour in (("lagged", "o-", LINE_COLOUR), ("implicit", "s-", "#2a9d8f")):
        axes.plot(range(len(series[name])), series[name], style, label=name, color=colour,
                  markersize=mark(0.7), linewidth=thick(0.6))
    axes.axhline(results["inhibition"]["exact"], color="0.4", linestyle=":",
                 label="root of $N = r(4 - 20 N)$")
    axes.set(xlabel="step (number)", ylabel=quantity(r"$\bar N$"),
             title=r"Strong inhibition, $\varepsilon = 10^{-6}$")
    add_legend(axes)


def draw_bifurcation(axes, results):
    """Steady states over the weight."""
    for (tau, table), color in zip(results["series"]["bifurcation"].items(),
                                   (LINE_COLOUR, REFERENCE_COLOUR)):
        for is_stable, fill in ((1.0, color), (0.0, "none")):
            chosen = [k for k, stable in enumerate(table["stable"]) if stable == is_stable]
            axes.semilogy([table["grid_w_min"][k] for k in chosen],
                          [table["total_rate"][k] for k in chosen], "o", markersize=mark(0.8), color=color,
                          markerfacecolor=fill,
                          label=rf"$\tau = {tau:g}$, {'stable' if is_stable else 'unstable'}")
    for row in results["folds"]:
        axes.plot([row["weight"]], [row["rate"]], "x", color="black", markersize=mark(2.0),
                  label=None if row["tau"] else "folds, by quadrature")
    axes.set(xlabel=quantity("$b$"), ylabel=quantity(r"$\bar N$"), ylim=(0.08, 12),
             title="Steady states and folds")
    add_legend(axes)


def draw_delay(axes, results):
    """The delayed oscillation, and that of the independent program."""
    series = results["series"]
    axes.plot(*series["independent"], color="0.75", linewidth=thick(3.0), label="independent program")
    axes.plot(*series["delayed"], color=LINE_COLOUR, linewidth=thick(0.7), label="Engram")
    top = max(series["delayed"][1][math.ceil(len(series["delayed"][1]) / 4):])
    axes.set(xlabel=quantity("$t$", "time"), ylabel=quantity(r"$\bar N$"),
             title="Delay: period 2.839", ylim=(0, 1.3 * top), xlim=(0, 25))
    add_legend(axes)


PANELS = (draw_time_orders, draw_weight_orders, draw_approach, draw_inhibition, draw_bifurcation,
          draw_delay)
