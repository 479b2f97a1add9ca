"""The panels of docs/pictures/verification_scheme.png."""

import math

from layout import draw_slope, name_steps


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
            axes.loglog(steps, values, marker, label=name, markersize=5)
            draw_slope(axes, steps, values[-1], row["expected"])
    name_steps(axes, steps, [f"{step * 1e3:.3g}" for step in steps])
    axes.set(xlabel="dt / 0.001", ylabel="change of the total rate under halving",
             title="Orders in dt")
    axes.legend(fontsize=8)


def draw_weight_orders(axes, results):
    """Differences of N(w) over dw."""
    for row, marker in zip(results["orders in dw"], "osDv"):
        steps = [1.0 / (20 * 2**k) for k in range(len(row["distances"]))]
        axes.loglog(steps, row["distances"], marker, label=row["settings"], markersize=6,
                    markerfacecolor="none" if "implicit" in row["settings"] else None)
        draw_slope(axes, steps, row["distances"][-1], row["expected"])
    name_steps(axes, steps, [f"1/{1.0 / step:g}" for step in steps])
    axes.set(xlabel="dw", ylabel="mean change of N(w) under halving", title="Orders in dw")
    axes.legend(fontsize=8)


def draw_approach(axes, results):
    """Distances from the limit over eps."""
    rows = results["approach"]
    shown = [k for k, epsilon in enumerate(rows[0]["epsilons"]) if epsilon >= 1e-16]
    epsilons = [rows[0]["epsilons"][k] for k in shown]
    for row, marker in zip(rows, "o^sD"):
        # Zero is shown as the unit round-off.
        values = [max(row["differences"][k], 2.0**-53) for k in shown]
        axes.loglog(epsilons, values, marker, label=row["settings"], markersize=5)
    slope = rows[0]["differences"][5] / epsilons[5]
    axes.loglog(epsilons, [slope * epsilon for epsilon in epsilons], color="0.6", linewidth=0.8,
                zorder=0)
    axes.axhline(results["plateau"]["over_cells"][1], color="tab:purple", linewidth=1.2,
                 linestyle="--", label="level of second-order transport")
    axes.set_ylim(3e-17, 3e-3)
    axes.set(xlabel="eps", ylabel="|Nbar(eps) - Nbar(0)|", title="Approach of the limit")
    axes.legend(fontsize=8)


def draw_inhibition(axes, results):
    """Nbar of both couplings over the steps."""
    series = results["series"]
    for name, style in (("lagged", "o-"), ("implicit", "s-")):
        axes.plot(range(len(series[name])), series[name], style, label=name, markersize=4,
                  linewidth=0.8)
    axes.axhline(results["inhibition"]["exact"], color="0.4", linewidth=0.8, linestyle=":",
                 label="root of N = r(4 - 20 N)")
    axes.set(xlabel="step", ylabel="total rate", title="Strong inhibition, eps = 1e-6",
             ylim=(-0.1, 3.6))
    axes.legend(fontsize=8, loc="upper right", ncol=3)


def draw_bifurcation(axes, results):
    """Steady states over the weight."""
    for (tau, table), color in zip(results["series"]["bifurcation"].items(),
                                   ("tab:blue", "tab:orange")):
        for is_stable, fill in ((1.0, color), (0.0, "none")):
            chosen = [k for k, stable in enumerate(table["stable"]) if stable == is_stable]
            axes.semilogy([table["grid_w_min"][k] for k in chosen],
                          [table["total_rate"][k] for k in chosen], "o", markersize=4, color=color,
                          markerfacecolor=fill,
                          label=f"tau = {tau:g}, {'stable' if is_stable else 'unstable'}")
    for row in results["folds"]:
        axes.plot([row["weight"]], [row["rate"]], "x", color="black", markersize=9,
                  label=None if row["tau"] else "folds, by quadrature")
    axes.set(xlabel="b", ylabel="steady total rate", title="Steady states and folds",
             ylim=(0.08, 12))
    axes.legend(fontsize=8)


def draw_delay(axes, results):
    """The delayed oscillation, and that of the independent program."""
    series = results["series"]
    axes.plot(*series["independent"], color="0.75", linewidth=4, label="independent program")
    axes.plot(*series["delayed"], color="tab:red", linewidth=1, label="Engram")
    top = max(series["delayed"][1][math.ceil(len(series["delayed"][1]) / 4):])
    axes.set(xlabel="time", ylabel="total rate", title="Delayed inhibition: period 2.839",
             ylim=(0, 1.3 * top), xlim=(0, 25))
    axes.legend(fontsize=8, loc="upper right", ncol=2)


PANELS = (draw_time_orders, draw_weight_orders, draw_approach, draw_inhibition, draw_bifurcation,
          draw_delay)
