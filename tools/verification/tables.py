#!/usr/bin/env python3
"""Runs the verification studies and writes docs/verification.md with its pictures.

    tools/verification/tables.py --program build/release/engram
"""

import argparse
import pathlib
import sys

from matplotlib import pyplot

import neurons
import published_rates
import scheme_tables
import studies
import time_tables
import voltage_tables
import weight_studies
from layout import number, order_list, table
from picture_style import (NO_UNIT, add_legend, draw_in_style, draw_slope, figure_size,
                           letter_panels, name_steps)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engram_program import HELP, ProgramError, find_program  # noqa: E402
from engram_stream import bear_closed_pipes  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]

HEAD = """# Verification

| | order | shown in |
|---|---|---|
| steady rates of leaky neurons | 6 in v | *Rates in closed form* |
| all else in the potential | 4 in v | *Orders on a learning transient*, *Orders of all schemes* |
| weight, where the solution is smooth | 5 in w | *Orders in w* |
| time, on data with jumps, delays and layers | 3 | *Orders in time on unprepared data* |
| mass and sign | round-off, and bit for bit | *Mass and positivity in floating point* |

Every table here is written by `tools/verification/tables.py`; the tests in `tests/verify` run the
same studies and assert on them. The references are closed forms (docs/theory.md) evaluated by
quadrature and root finding, in `tools/verification/exact.py` and `reference.py`, and independent
programs: characteristics of the macroscopic equation, another discretisation of a delayed network,
and a method of lines for the whole model. None of them shares code with the solver.

The first part is about the plain scheme: euler steps, explicit transport of first order, lagged
coupling. All of it is of order 4 in v where nothing else is said. *Orders in w* has all orders of
the transport. The second part, from *Orders of all schemes* on, is about all the others; the third, from *Orders in time on unprepared data* on,
about graded and adaptive steps. The last, from *Published rates* on, is about rates of other
programs, low noise and other neurons. What all this costs, and what a user should take, is in
[work_precision.md](work_precision.md).

![Errors against steps](pictures/verification.png)

*Left: rates against closed forms, lines of slope 6. Middle: the learned steady state against its
closed form, a line of slope 1. Right: differences of successive refinements of one step at a time
on a learning transient, with lines of slope 4 (h) and 1 (dt, dw).*
"""


STUDIES = {
    "uncoupled": studies.uncoupled_rates,
    "second order": studies.second_order_rates,
    "harmonic": studies.harmonic_rates,
    "networks": studies.single_weight_rates,
    "structure": studies.structure,
    "learned": studies.learned_state,
    "transient": studies.transient_orders,
    **weight_studies.STUDIES,
    **scheme_tables.STUDIES,
    **time_tables.STUDIES,
    **published_rates.STUDIES,
    **neurons.STUDIES,
    **voltage_tables.STUDIES,
}


# Steps as in the formulas.
SYMBOLS = {"h": "$h$", "dw": r"$\Delta w$", "dt": r"$\Delta t$"}


def draw_rates(axes, uncoupled, networks):
    """Errors of rates over h."""
    steps = [12.0 / cells for cells in studies.V_LEVELS[6]]
    for rows, name, symbol, marker in ((uncoupled, "mu", r"\mu", "o"), (networks, "b", "b", "s")):
        for row in rows:
            errors = [abs(error) for error in row["errors"]]
            axes.loglog(steps, errors, marker, label=f"${symbol} = {row[name]:g}$")
            draw_slope(axes, steps, errors[-1], 6)
    name_steps(axes, steps, [f"1/{1.0 / step:g}" for step in steps])
    axes.set(xlabel=f"width of a cell $h$ {NO_UNIT}", ylabel=f"error of the rate {NO_UNIT}",
             title="Rates in closed form")
    add_legend(axes)


def draw_learned(axes, study):
    """Error of Nbar over dw."""
    steps = [1.0 / row["cells"] for row in study["rows"]]
    errors = [abs(row["error"]) for row in study["rows"]]
    axes.loglog(steps, errors, "o")
    draw_slope(axes, steps, errors[-1], 1)
    name_steps(axes, steps, [f"1/{1.0 / step:g}" for step in steps])
    axes.set(xlabel=rf"width of a cell $\Delta w$ {NO_UNIT}", title="Learned steady state",
             ylabel=rf"error of $\bar N$ {NO_UNIT}")


def draw_transient(axes, study):
    """Differences over halvings."""
    for (name, entry), marker in zip(study.items(), "o^s"):
        differences = [abs(a - b) for a, b in zip(entry["values"], entry["values"][1:])]
        steps = [0.5**k for k in range(len(differences))]
        axes.loglog(steps, differences, marker, label=SYMBOLS.get(name, name))
        draw_slope(axes, steps, differences[-1], 4 if name == "h" else 1)
    name_steps(axes, [0.5**k for k in range(4)], ["1", "1/2", "1/4", "1/8"])
    axes.set(xlabel="step, in parts of the coarsest", title="Learning transient",
             ylabel=rf"difference of $\bar N$ {NO_UNIT}")
    add_legend(axes)


def figure_of(results):
    """The picture of all orders."""
    figure, axes = pyplot.subplots(1, 3, figsize=figure_size(2, 0.42))
    draw_rates(axes[0], results["uncoupled"], results["networks"])
    draw_learned(axes[1], results["learned"])
    draw_transient(axes[2], results["transient"])
    letter_panels(axes)
    return figure


def rates_section(results):
    """r(mu) and the single-weight network."""
    text = ["## Rates in closed form: sixth order in h\n",
            "Potentials from -10 to V_F = 2 with V_R = 1, a = 1. `r(mu)` is the rate of an",
            "uncoupled neuron; `b` is the single weight of a network with sigma(N) = N, whose steady rate",
            "solves N = r(b N). Steady rates of linear neurons are of sixth order, that of mu = 0 with",
            "a factor next to nothing. The second and third tables are for the fluxes of second",
            "order.\n"]
    for title, rows, name in (("r(mu)", results["uncoupled"], "mu"),
                              ("r(mu), grid_v_order 2", results["second order"], "mu"),
                              ("r(mu), harmonic flux", results["harmonic"], "mu"),
                              ("network", results["networks"], "b")):
        levels = [f"error at {cells}" for cells in studies.V_LEVELS[rows[0]["expected"]]]
        text.append(table([f"{title}, {name}", "exact"] + levels + ["orders"],
                          [[row[name], f"{row['exact']:.9f}"]
                           + [number(error) for error in row["errors"]]
                           + [order_list(row["orders"])] for row in rows]))
    return "\n".join(text)


def structure_section(results):
    """Mass and positivity in floating point."""
    rows = results["structure"]
    return "\n".join([
        "## Mass and positivity in floating point\n",
        "1,000 steps of dt = 0.002 of a learning network on 480 x 64 cells. `gth` is the",
        "subtraction-free elimination, `lu` PETSc's LU factorisation of the same matrix: the smaller",
        "eps, the more mass it loses, and with the mass the firing rate is wrong.\n",
        table(["slices", "eps", "largest mass error", "smallest density", "Nbar at the end"],
              [[row["solver"], f"{row['epsilon']:g}", number(row["mass_error"]),
                number(row["min_density"]), f"{row['total_rate']:.12f}"] for row in rows])])


def learned_section(results):
    """The learned steady state."""
    study = results["learned"]
    return "\n".join([
        "## The learned steady state: first order in dw\n",
        f"K = 1, I = 1, sigma = N/(1+N), eps = 0.1: exactly Nbar = {study['exact']:.6f} with",
        f"weights up to {study['largest_weight']:.6f}. The total variation of N(w) over its maximum",
        "is 2 for one hump; a saw-tooth would make it large. The last column is the largest relative",
        "deviation of N(w) from w/(K Nbar) for w between 0.2 and 0.9 of the largest weight.\n",
        table(["cells of w", "Nbar", "error", "variation of N / max N", "N against w/(K Nbar)"],
              [[row["cells"], f"{row['total_rate']:.6f}", number(row["error"]),
                f"{row['variation']:.4f}", number(row["slope_error"])] for row in study["rows"]]),
        f"Observed orders: {order_list(study['orders'])}.\n"])


def transient_section(results):
    """Orders on the way."""
    study = results["transient"]
    return "\n".join([
        "## Orders on a learning transient\n",
        "Nbar at t = 0.2 of a network on its way, from successive halvings of one step at a time.\n",
        table(["halved", "Nbar", "orders"],
              [[name, ", ".join(f"{value:.8f}" for value in entry["values"]),
                order_list(entry["orders"])] for name, entry in study.items()])])


def main():
    """Writes the document."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help=HELP)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "verification.md",
                        help="what is written (default: docs/verification.md)")
    arguments = parser.parse_args()
    try:
        program = pathlib.Path(find_program(arguments.program)).resolve()
    except ProgramError as error:
        sys.exit(f"tables.py: error: {error}")
    results = {}
    for name, study in STUDIES.items():
        print(f"tables.py: {name}", file=sys.stderr)
        results[name] = study(program)
    sections = [HEAD] + [section(results) for section in (rates_section, structure_section,
                                                          learned_section, transient_section,
                                                          *weight_studies.SECTIONS,
                                                          *scheme_tables.SECTIONS,
                                                          *time_tables.SECTIONS,
                                                          *published_rates.SECTIONS,
                                                          *neurons.SECTIONS,
                                                          *voltage_tables.SECTIONS)]
    pictures = arguments.output.parent / "pictures"
    draw_in_style(lambda: figure_of(results), pictures / "verification.png")
    draw_in_style(lambda: scheme_tables.figure_of(results), pictures / "verification_scheme.png")
    arguments.output.write_text("\n".join(sections), encoding="utf-8")
    print(f"tables.py: wrote {arguments.output}", file=sys.stderr)


if __name__ == "__main__":
    bear_closed_pipes()
    main()
