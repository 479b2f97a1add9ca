#!/usr/bin/env python3
"""Runs the verification studies and writes docs/verification.md.

    tools/verification/tables.py --program build/release/engram
"""

import argparse
import pathlib
import sys

import studies

ROOT = pathlib.Path(__file__).resolve().parents[2]

HEAD = """# Verification

Every table here is written by `tools/verification/tables.py`; the tests in `tests/verify` run the
same studies and assert on them. The references are closed forms (docs/theory.md), evaluated by
quadrature and root finding in `tools/verification/exact.py`, which shares no code with the solver.
"""


def number(value):
    """A number for a table."""
    return f"{value:.3g}" if abs(value) < 1e-2 or abs(value) >= 1e4 else f"{value:.6g}"


def table(header, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def order_list(orders):
    """Observed orders as text."""
    return ", ".join(f"{order:.2f}" for order in orders)


def rates_section(program):
    """r(mu) and the single-weight network."""
    levels = [f"error at {cells}" for cells in studies.V_LEVELS]
    text = ["## Rates in closed form: second order in h\n",
            "Potentials from -6 to V_F = 2 with V_R = 1, a = 1. `r(mu)` is the rate of an uncoupled",
            "neuron; `b` is the single weight of a network with sigma(N) = N, whose steady rate",
            "solves N = r(b N).\n"]
    for title, rows, name in (("r(mu)", studies.uncoupled_rates(program), "mu"),
                              ("network", studies.single_weight_rates(program), "b")):
        text.append(table([f"{title}, {name}", "exact"] + levels + ["orders", "error at 480"],
                          [[row[name], f"{row['exact']:.9f}"]
                           + [number(error) for error in row["errors"]]
                           + [order_list(row["orders"]), number(row["error_at_480"])]
                           for row in rows]))
    return "\n".join(text)


def structure_section(program):
    """Mass and positivity in floating point."""
    rows = studies.structure(program)
    return "\n".join([
        "## Mass and positivity in floating point\n",
        "1,000 steps of dt = 0.002 of a learning network on 480 x 64 cells. `gth` is the",
        "subtraction-free elimination, `lu` PETSc's LU factorisation of the same matrix: the smaller",
        "eps, the more mass it loses, and with the mass the firing rate is wrong.\n",
        table(["slices", "eps", "largest mass error", "smallest density", "Nbar at the end"],
              [[row["solver"], f"{row['epsilon']:g}", number(row["mass_error"]),
                number(row["min_density"]), f"{row['total_rate']:.12f}"] for row in rows])])


def learned_section(program):
    """The learned steady state."""
    study = studies.learned_state(program)
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


def transient_section(program):
    """Orders on the way."""
    study = studies.transient_orders(program)
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
    parser.add_argument("--program", default=ROOT / "build" / "release" / "engram",
                        help="the executable (default: that of the release preset)")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs" / "verification.md",
                        help="what is written (default: docs/verification.md)")
    arguments = parser.parse_args()
    program = pathlib.Path(arguments.program).resolve()
    if not program.is_file():
        sys.exit(f"tables.py: no program at {program}; build it first (tools/quickstart.sh)")
    sections = [HEAD]
    for section in (rates_section, structure_section, learned_section, transient_section):
        print(f"tables.py: {section.__name__.removesuffix('_section')}", file=sys.stderr)
        sections.append(section(program))
    arguments.output.write_text("\n".join(sections), encoding="utf-8")
    print(f"tables.py: wrote {arguments.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
