"""The second part of docs/verification.md: sections and picture of the studies of all schemes."""

from matplotlib import pyplot

import limit_studies
import network_studies
import scheme_pictures
import scheme_studies
from layout import number, order_list, table
from picture_style import figure_size, letter_panels

STUDIES = {
    "orders in dt": scheme_studies.time_orders,
    "orders in h": scheme_studies.potential_orders,
    "orders in dw": scheme_studies.weight_orders,
    "second order, limit": scheme_studies.second_order_limit,
    "second order, transient": scheme_studies.second_order_transient,
    "approach": limit_studies.approach,
    "plateau": limit_studies.plateau,
    "uniform": limit_studies.uniform_errors,
    "product": scheme_studies.structure_of_all,
    "many steps": scheme_studies.structure_after_many_steps,
    "entropy": scheme_studies.relative_entropies,
    "long transport": scheme_studies.long_transport_steps,
    "inhibition": limit_studies.strong_inhibition,
    "inhibition, grids": limit_studies.inhibited_grids,
    "inhibition, slopes": limit_studies.lagged_threshold,
    "blow-up": network_studies.blowup_times,
    "delay": network_studies.delayed_periods,
    "steady": network_studies.steady_rates,
    "folds": network_studies.folds,
    "family": network_studies.family_rates,
    "rest": network_studies.learned_rest,
    "series": network_studies.series_for_picture,
}


def orders_section(results):
    """Orders in h, dw and dt of every scheme."""
    rows = [[row["halved"], row["settings"], len(row["values"]), f"{row['values'][-1]:.8f}",
             number(abs(row["values"][-1] - row["values"][-2])), order_list(row["orders"]),
             order_list(row["mean_orders"]) if "mean_orders" in row else ""]
            for study in ("orders in h", "orders in dw", "orders in dt") for row in results[study]]
    return "\n".join([
        "## Orders of all schemes\n",
        "![All schemes](pictures/verification_scheme.png)\n",
        "*Top: differences of Nbar under halving of dt, with lines of slope 1 and 2; of N(w)",
        "under halving of dw; the distance of a scheme for eps > 0 from that for eps = 0. Bottom:",
        "Nbar of a strongly inhibitory network, step by step; all steady states of the network",
        "with one weight b, without and with a refractory state; the oscillation that a",
        "transmission delay sustains.*\n",
        "A smooth learning transient (K = 1, I = 1, sigma = N/(1+N), eps = 0.1, weights w(1-w)^2)",
        "to t = 0.15; one step is halved at a time, the orders are those of successive",
        "differences of Nbar. Much of what a grid in w does to N(w) cancels in Nbar, so the last",
        "column gives the orders of N(w) itself, in the mean over w.\n",
        table(["halved", "settings", "runs", "Nbar, finest", "last difference", "orders of Nbar",
               "orders of N(w)"], rows),
        "The second-order scheme with *lagged* coupling comes close to its order, but stays",
        "below it; with implicit coupling it has it. Where a response is strong, take the",
        "implicit one.\n"])


def level_name(level):
    """Cells of a level of refinement."""
    return f"{level[0]} x {level[1]}"


def together_section(results):
    """All second-order settings at once."""
    names = [level_name(level) for level in scheme_studies.LEVELS]
    rows = []
    for title, name, column in (("eps = 0", "second order, limit", 2),
                                ("eps = 0.1", "second order, transient", 3)):
        study = results[name]
        rows.append([title, f"{study['exact']:.9f}",
                     f"{scheme_studies.LEVELS[0][column]:g}"]
                    + [number(error) for error in study["errors"]]
                    + [order_list(study["orders"])])
    return "\n".join([
        "## The second-order settings together\n",
        "`time_scheme: second-order`, `coupling: implicit`, `transport_order: 2`; h, dw and dt",
        "are halved together; with order 4 in v the errors are those of dw and dt. Relative errors",
        "of Nbar at t = 0.15 against characteristics of the",
        "macroscopic equation (eps = 0), and against the extrapolation of the two finest grids",
        "(eps = 0.1), whose orders are those of differences. At 108 x 100 cells both are below",
        "1e-4.\n",
        table(["model", "Nbar, reference", "first dt"] + [f"error at {name}" for name in names]
              + ["orders"], rows)])


def limit_section(results):
    """Asymptotic preservation and uniform errors."""
    approach, plateau, uniform = (results[name] for name in ("approach", "plateau", "uniform"))
    distances = [[f"{epsilon:g}"] + [number(row["differences"][k]) for row in approach]
                 for k, epsilon in enumerate(approach[0]["epsilons"])]
    errors = [[f"{row['v_cells']} x {row['w_cells']}", f"{row['step']:g}"]
              + [number(error) for error in row["errors"]] for row in uniform["rows"]]
    return "\n".join([
        "## The limit eps -> 0\n",
        "How far Nbar(eps) is from Nbar(0): a learning network at t = 0.15 on one grid (60 x 50)",
        "and with one step (dt = 0.005), implicit coupling, transport of first order. The",
        "distance falls in proportion to eps over ten decades, and is round-off after that.\n",
        table(["eps"] + [row["settings"] for row in approach], distances),
        "With transport of second order the difference levels off, because the limiter acts on",
        "p(w,v) for eps > 0 and on H(w) for eps = 0: two second-order schemes of the same limit.",
        "What is left at eps = 1e-16 falls with dw, and does not depend on dt (no step is",
        "divided by the transport):\n",
        table(["refined"] + [f"{count} cells of w" for count in plateau["cells"]]
              + [f"dt = {step:g}" for step in plateau["steps"]],
              [["difference"] + [number(value)
                                 for value in plateau["over_cells"] + plateau["over_steps"]]]),
        "**Errors against the exact limit**, for a network whose weights only decay (K = 0),",
        f"whose Nbar is known in the limit: {uniform['exact']:.9f} at t = 1. Second-order",
        "settings. Each column is the distance between the models, proportional to eps, plus an",
        "error of at least second order in the steps, with one bound for all eps: no step has to",
        "follow eps.\n",
        table(["cells", "dt"] + [f"eps = {epsilon:g}" for epsilon in limit_studies.DECAY_EPSILONS],
              errors)])


def product_section(results):
    """Mass and sign of the whole product of settings, and of many steps."""
    rows = scheme_studies.structure_by_step(results["product"])
    cells = {(row["step"], row["epsilon"]): row for row in rows}
    lowest = min(row["min_density"] for row in rows)
    matrix = [[f"{step:g}"] + [number(cells[step, epsilon]["mass_error"])
                               for epsilon in scheme_studies.EPSILONS]
              for step in scheme_studies.STEPS]
    many = [[row["settings"], f"{row['epsilon']:g}", number(row["mass_error"]),
             number(row["min_density"])] for row in results["many steps"]]
    return "\n".join([
        "## Mass and sign for any step and any eps\n",
        f"{len(results['product'])} runs: every combination of step, eps, explicit and implicit",
        "transport, its order 1 and 2, steps of order 1 to 3, lagged and implicit",
        "coupling (but for what is refused: lagged with third order, or with eps = 0 and second). Largest mass error of",
        f"all runs of one step and eps; the smallest density of all runs is {lowest:g}, never",
        "negative.\n",
        table(["dt"] + [f"eps = {epsilon:g}" for epsilon in scheme_studies.EPSILONS], matrix),
        "After 100,000 steps:\n",
        table(["settings", "eps", "largest mass error", "smallest density"], many)])


def entropy_section(results):
    """Relative entropies."""
    rows = [row for row in results["entropy"] if row["epsilon"] == 1.0 and row["step"] == 0.1]
    worst = max(row["largest_rise"] / row["values"][0].max() for row in results["entropy"])
    return "\n".join([
        "## Relative entropy\n",
        "Frozen weights without coupling: the sum of h G(p/Q) Q over a slice, Q being its",
        "steady state from a run with eps = 0, must fall for every convex G. Four slices of",
        "different input, 30 steps, dt and eps over many decades, both fluxes, both schemes:",
        f"the largest rise in any of the {len(results['entropy'])} sequences, relative to their",
        f"start, is {number(worst)}. Largest of the four slices, for eps = 1 and dt = 0.1:\n",
        table(["G(x)", "flux", "scheme", "start", "1 step", "3 steps", "10 steps", "30 steps"],
              [[row["entropy"], row["flux"], row["scheme"]]
               + [number(row["values"][k].max()) for k in (0, 1, 3, 10, 30)] for row in rows])])


def transport_section(results):
    """Long implicit transport steps."""
    rows = [[row["order"], f"{row['step']:g}", f"{row['crossed']:.2f}", f"{row['variation']:.3f}",
             number(row["range"]), f"{row['total_rate']:.6f}"] for row in results["long transport"]]
    return "\n".join([
        "## What implicit transport cannot do\n",
        "It keeps mass and sign for any step, but it takes the learning velocity from the",
        "beginning of the step. Where learning crosses too many cells in a step (2 max|Phi|",
        "dt/dw), N(w) becomes a saw-tooth and does not come to rest. The learned steady state on",
        "100 cells, eps = 0, at t = 30; the variation of N(w) over its maximum must be 2.\n",
        table(["order", "dt", "cells crossed", "variation of N / max N", "late range of Nbar",
               "Nbar"], rows)])


def inhibition_section(results):
    """Lagged and implicit coupling under strong inhibition."""
    study = results["inhibition"]
    lagged, implicit = ([row for row in study["rows"] if row["coupling"] == name]
                        for name in ("lagged", "implicit"))
    rows = [[f"{old['epsilon']:g}", f"{old['lowest']:.8f} to {old['highest']:.8f}",
             f"{new['lowest']:.8f} to {new['highest']:.8f}", f"{new['iterations']:g}"]
            for old, new in zip(lagged, implicit)]
    grids = [[row["weights"], f"{row['exact']:.9f}"] + [number(error) for error in row["errors"]]
             + [order_list(row["orders"])] for row in results["inhibition, grids"]]
    slopes = [[f"{row['weight']:g}", f"{row['slope']:.4f}", f"{row['exact']:.6f}",
               f"{row['lowest']:.6f} to {row['highest']:.6f}"]
              for row in results["inhibition, slopes"]]
    return "\n".join([
        "## Strong inhibition: lagged and implicit coupling\n",
        "One weight w = -20, input 4, sigma(N) = N, dt = 0.01. The total rate solves N = r(4 -",
        f"20 N): N = {study['exact']:.9f}, where the right side has the slope",
        f"{study['slope']:.2f}. Range of Nbar over the last 20 steps: for small eps the lagged",
        "coupling alternates for ever between silence and the rate without inhibition.\n",
        table(["eps", "lagged", "implicit", "most evaluations a step"], rows),
        "Errors of the implicit coupling for refined h, eps = 1e-6; the second row is a bump of",
        "weights, exp(-(w+15)^2/2), with the root of Nbar = integral of H r(4 + w Nbar):\n",
        table(["weights", "exact"]
              + [f"error at {count}" for count in results["inhibition, grids"][0]["cells"]]
              + ["orders"], grids),
        "The lagged coupling with eps = 1e-9 is a fixed-point iteration, one turn a step. It",
        "converges where the slope is above -1:\n",
        table(["w", "slope", "root", "late range of Nbar, lagged"], slopes)])


def blowup_section(results):
    """Times of blow-up."""
    rows = [[row["way"], row["refined"], ", ".join(f"{value:g}" for value in row["settings"]),
             ", ".join(f"{count}" for count in row["steps"]),
             ", ".join(f"{time:.5f}" for time in row["times"])] for row in results["blow-up"]]
    return "\n".join([
        "## Blow-up\n",
        "`input/nnlif_blowup.yaml`, b = 3: the time at which a run stops, found in four ways.",
        "With implicit coupling the scalar equation of a step has no solution there; adaptive",
        "steps halve towards that time. For b = 1.5 from the same data nothing blows",
        "up, and Nbar comes to its steady state (tests).\n",
        table(["way", "refined", "values", "steps taken", "time of blow-up"], rows)])


def delay_section(results):
    """Periods of the delayed network."""
    study = results["delay"]
    rows = [[row["scheme"], row["halved"], ", ".join(f"{level:g}" for level in row["levels"]),
             ", ".join(f"{period:.6f}" for period in row["periods"]), order_list(row["orders"])]
            for row in study["rows"]]
    independent = [f"{period:.6f}" for period in study["independent"]]
    return "\n".join([
        "## Oscillation by a transmission delay\n",
        "V_min = -5, V_R = 0, V_F = 1, a = 0.2, b = -45, d = 1: mean distance of the maxima of",
        "Nbar between t = 24 and 40; dt is halved on 120 cells, h with dt = 0.0025 and implicit",
        "coupling. An independent program (central differences on cells, BDF2) finds",
        f"{independent[0]} and {independent[1]} with 600 and 1200 cells, extrapolated",
        f"{study['extrapolated']:.6f}.\n",
        table(["scheme", "halved", "steps dt, or cells of v", "periods", "orders"], rows)])


def state_rows(row, *names):
    """One line for each steady state of a row."""
    lines = [[*names, f"{root:.9f}", number(rate - root), f"{slope:.6f}",
              "stable" if stable else "unstable"]
             for rate, slope, stable, (root, _) in zip(row["rates"], row["slopes"], row["stable"],
                                                       row["exact"])]
    return lines or [[*names, "none", "", "", ""]]


def steady_section(results):
    """Steady states, folds, the learned state."""
    rates = [line for row in results["steady"] for line in state_rows(row, f"{row['weight']:g}")]
    family = [line for row in results["family"]
              for line in state_rows(row, row["member"], f"{row['weight']:g}")]
    folds = [[f"{row['tau']:g}", f"{row['weight']:.9f}", f"{row['rate']:.6f}"]
             + [number(error) for error in row["errors"]] + [order_list(row["orders"])]
             for row in results["folds"]]
    rest = [[row["order"], *(number(error) for error in row["errors"]), order_list(row["orders"])]
            for row in results["rest"]["rows"]]
    return "\n".join([
        "## Steady states\n",
        "`engram CASE.yaml -steady` for one frozen weight b, sigma(N) = N, I = 0, on 800 cells",
        "from -8 to 2, against the roots of N = r(b N). The slope is that of the right side;",
        "below 1 a state is stable.\n",
        table(["b", "exact", "error", "slope", "state"], rates),
        "The same with a refractory state (mean time tau), and with noise that grows with the",
        "rate, on 800 cells:\n",
        table(["member of the family", "b", "exact", "error", "slope", "state"], family),
        "Folds, where two states become one, from `-steady_sweep grid_w_min+grid_w_max:0:3:13`.",
        "Without refractory state there is one; with one there are two, and three states between",
        "them:\n",
        table(["tau", "b, exact", "Nbar, exact"]
              + [f"error of b at {count} cells" for count in results["folds"][0]["cells"]]
              + ["orders"], folds),
        "The learned steady state by `-steady` (K = 1, I = 1, sigma = N/(1+N), exactly Nbar =",
        f"{results['rest']['exact']:.9f}): errors of Nbar over dw on 60 cells of v. The",
        "weights end in a front, which keeps the orders a little below 1 and 2.\n",
        table(["transport order"] + [f"error at {count} cells of w"
                                     for count in results["rest"]["rows"][0]["cells"]] + ["orders"],
              rest)])


SECTIONS = (orders_section, together_section, limit_section, product_section, entropy_section,
            transport_section, inhibition_section, blowup_section, delay_section, steady_section)


def figure_of(results):
    """The picture of all schemes."""
    figure, axes = pyplot.subplots(2, 3, figsize=figure_size(2, 0.8))
    for panel, axis in zip(scheme_pictures.PANELS, axes.ravel()):
        panel(axis, results)
    letter_panels(axes.ravel())
    return figure
