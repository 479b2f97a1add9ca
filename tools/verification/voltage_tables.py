"""Sections of docs/verification.md on fourth order in the potential and on rough data."""

import rough_studies
import voltage_studies
from layout import number, order_list, table

STUDIES = {
    "voltage orders": lambda program: voltage_studies.potential_orders(program, 4),
    "independent program": voltage_studies.against_independent,
    "initial rates": voltage_studies.initial_rates,
    "rough data": rough_studies.structure_of_rough_data,
}


def orders_section(results):
    """Halvings of h on unprepared data, and the initial rate."""
    rows = [[row["case"], quantity, ", ".join(str(count) for count in row["cells"]),
             ", ".join(number(value) for value in row["differences"][quantity]),
             order_list(row["orders"][quantity]), number(row["in_time"][quantity])]
            for row in results["voltage orders"] for quantity in voltage_studies.QUANTITIES]
    initial = [[row["case"], f"{row['exact']:.9f}",
                ", ".join(number(error) for error in row["errors"]), order_list(row["orders"])]
               for row in results["initial rates"]]
    cells = ", ".join(str(count) for count in results["initial rates"][0]["cells"])
    return "\n".join([
        "## Order four in the potential on unprepared data\n",
        "Learning networks (K = 1, sigma = N/(1+N), weights w(1-w)^2 on 12 cells) from potentials",
        "(2-v)exp(-(v+1/2)^2) between -7 and 2, far from quasi-static and with a slope at V_F: the",
        "rate begins with a layer. The first input is 1 + sin(5t)/2, the others are 1, or 2.5 from",
        "t = 0.05 on (with sigma = 0), or 1 + 2w with K = 10 (1 - w). The last case has sigma = N,",
        "tau = 0.5, a = 0.5 + 0.3 N, a delay of 1 from a rate of 0.3, so that drift and noise jump",
        "before its end, and the bump",
        "at 1/2. L1 differences between halvings of h, of p at the nodes that grids share. Steps in",
        "time are the same on all grids; the last column tells by what part steps of half the",
        "length change the last difference.\n",
        table(["case", "of", "cells", "differences", "orders", "steps halved"], rows),
        "Row 0 of the series against -a dp/dv at V_F in closed form, for (2-v)exp(-(v-1/2)^2):",
        f"relative errors on {cells} cells.\n",
        table(["case", "Nbar", "errors", "orders"], initial)])


def independent_section(results):
    """Few cells against the independent program."""
    rows = [[row["case"], row["cells"], f"{row['exact']:.9f}", number(row["Nbar"]),
             number(row["N"]), number(row["H"]), number(row["doubt"])]
            for row in results["independent program"]]
    cells = ", ".join(str(count) for count in voltage_studies.INDEPENDENT_CELLS)
    return "\n".join([
        "## Few cells against the independent program\n",
        "The method of lines with SciPy (`method_of_lines.py`, second order in v) on the same 8",
        f"cells of w, extrapolated in h from {cells} cells. Relative errors; N(w) and H(w) in L1.",
        "Doubt: how far N(w) extrapolated from the two finest grids is from that of the two",
        "coarsest.\n",
        table(["case", "cells of v", "Nbar", "error of Nbar", "of N(w)", "of H(w)", "doubt"],
              rows)])


def rough_section(results):
    """Mass and sign of rough data."""
    cells = {(row["settings"], row["lambda"]): row for row in results["rough data"]}
    smallest = min(row["smallest"] for row in results["rough data"])
    rows = [[name] + [number(cells[name, lam]["mass_error"]) for lam in rough_studies.LAMBDAS]
            for name in rough_studies.SETTINGS]
    return "\n".join([
        "## Mass and sign of rough data\n",
        f"{len(rough_studies.DATA)} slices on 60 cells, each with other data: bumps narrower than",
        "a cell, on a node and between two, steps in v, neurons at V_F, single nodes at the",
        "threshold, at V_R and at the lower end, and two smooth ones. Below dt/eps = h^2/(6a) =",
        "1.7e-3 a part of them is solved twice. Largest mass error of all rows of a run;",
        f"the smallest of all p, N and refractory states is {smallest:g}, never negative.\n",
        table(["steps"] + [f"dt/eps = {lam:g}" for lam in rough_studies.LAMBDAS], rows)])


SECTIONS = (orders_section, independent_section, rough_section)
