"""Transport of fifth order in w: orders of whole runs, and the learned state with its front."""

import math
import pathlib

import numpy
import yaml

import exact
import runner
from layout import number, table

ROOT = pathlib.Path(__file__).resolve().parents[2]

# K changes sign within the mass, and so does w.
SMOOTH = {
    "model_epsilon": 1,
    "model_input": "1 + 0.3*sin(6*w)",
    "model_response": "N/(1 + N)",
    "model_learning": "0.5 - w",
    "initial_density": "exp(-(w - 0.25)^2/0.05)*exp(-(v + 1)^2/0.5)",
    "grid_v_cells": 24,
    "grid_w_min": -0.8,
    "grid_w_max": 1.3,
    "time_end": 0.3,
    "time_tolerance": 1e-8,
    "transport_order": 5,
}

# Neither the density nor its slope vanishes at w = 0, where Phi does; at w = 1 it vanishes.
AT_AN_END = {
    **SMOOTH,
    "model_learning": "3*w",
    "initial_density": "(1 + w)*(1 - w)^4*exp(-(v + 1)^2/0.5)",
    "grid_w_min": 0,
    "grid_w_max": 1,
    "time_end": 0.2,
}

QUANTITIES = {"Nbar": "total_rate", "N(w)": "firing_rate", "H(w)": "weight_density"}
FRONT_CELLS = (64, 128, 256, 512)


def errors(program, case, coarsest):
    """Relative errors {quantity: error} on grids of `coarsest` cells and three times as many.

    The reference has nine times as many. Every third centre is a centre of the coarser grid. Errors
    of N(w) and H(w) are in the norm of L1.
    """
    counts = [coarsest, 3 * coarsest, 9 * coarsest]
    *runs, finest = runner.run_all(program, [{**case, "grid_w_cells": count} for count in counts])
    found = []
    for count, run in zip(counts, runs):
        step = counts[-1] // count
        found.append({})
        for name, attribute in QUANTITIES.items():
            reference = getattr(finest, attribute)
            if name != "Nbar":
                reference = reference[step // 2::step]
            found[-1][name] = float(numpy.abs(getattr(run, attribute) - reference).mean()
                                    / numpy.mean(reference))
    return found


def orders(program):
    """Errors and orders of both cases, with 1, 2 and 5 for the transport."""
    rows = []
    for title, case, coarsest in (("K and w change sign within the mass", SMOOTH, 64),
                                  ("mass at an end of the axis", AT_AN_END, 24)):
        for order in (1, 2, 5):
            coarse, fine = errors(program, {**case, "transport_order": order}, coarsest)
            rows.append({"case": title, "order": order, "cells": (coarsest, 3 * coarsest),
                         "errors": fine, "orders": {name: math.log(coarse[name] / fine[name], 3.0)
                                                    for name in fine}})
    return rows


def learned(program):
    """Error of Nbar of input/limit.yaml at rest, against the closed form, by order and cells."""
    case = yaml.safe_load((ROOT / "input" / "limit.yaml").read_text(encoding="utf-8"))
    options = {f"{group}_{name}": value for group, values in case.items()
               for name, value in values.items()}
    del options["output_dir"]
    options.update(time_end=12, output_fields_every=0)
    rate, _ = exact.learned_state()
    found = {}
    for order in (1, 2, 5):
        cases = [{**options, "grid_w_cells": cells, "transport_order": order}
                 for cells in FRONT_CELLS]
        found[order] = [run.total_rate - rate for run in runner.run_all(program, cases)]
    return found


STUDIES = {"orders in w": orders, "learned in w": learned}


def section(results):
    """Orders in w."""
    rows = [[row["case"], row["order"], f"{row['cells'][0]}, {row['cells'][1]}"]
            + [f"{row['errors'][name]:.1e} ({row['orders'][name]:.2f})" for name in QUANTITIES]
            for row in results["orders in w"]]
    fronts = [[order, *(number(error) for error in errors_of)]
              for order, errors_of in results["learned in w"].items()]
    return "\n".join([
        "## Orders in w\n",
        "Relative errors on the second of two grids against a third one, each three times as fine,",
        "and in brackets the order; L1 for N(w) and H(w). Adaptive steps with the tolerance 1e-8.\n",
        table(["case", "transport_order", "cells", *QUANTITIES], rows),
        "At a front every scheme is of first order in L1. Nbar of `input/limit.yaml` at rest, less",
        "that of the closed form (docs/theory.md, section 5), by cells of w:\n",
        table(["transport_order", *(str(cells) for cells in FRONT_CELLS)], fronts)])


SECTIONS = (section,)
