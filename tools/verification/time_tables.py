"""The sections of docs/verification.md about the error in time."""

import numpy

import time_studies
from layout import number, order_list, table

STUDIES = {"time, orders": time_studies.orders, "time, promise": time_studies.promise}


def error_list(errors):
    """Errors as text."""
    return ", ".join(f"{error:.1e}" for error in errors)


def orders_section(results):
    """Orders in dt of graded fixed steps."""
    rows = [[row["case"], row["scheme"], error_list(row["errors"]["N(w)"])]
            + [order_list(row["orders"][name]) or "-" for name in ("N(w)", "H(w)", "Nbar")]
            for row in results["time, orders"]]
    return "\n".join([
        "## Orders in time on unprepared data\n",
        "Graded fixed steps, halved with everything else fixed, on 48 x 12 cells: densities that",
        "are not quasi-static, most of them not zero at V_F, with jumps of the input, phases,",
        "resets and delays inside. Errors at the end against a method of lines by SciPy's stiff",
        "integrators, which shares no code with Engram (`tools/verification/method_of_lines.py`);",
        "L1 in w for N(w) and H(w). An order is left out where an error is below what the",
        "reference tells, or cancels in Nbar. For an input that varies in time the flux through",
        "V_F loses up to an order (docs/numerics.md, section 12).\n",
        table(["case", "scheme", "errors of N(w)", "orders of N(w)", "of H(w)", "of Nbar"], rows)])


def promise_table(rows):
    """Errors over tolerances: cases by tolerances."""
    ratios = {(row["case"], row["tolerance"]): row["error"] / row["tolerance"] for row in rows}
    names = list(dict.fromkeys(row["case"] for row in rows))
    return table(["case"] + [f"{tolerance:g}" for tolerance in time_studies.TOLERANCES],
                 [[name] + [f"{ratios[name, tolerance]:.2g}"
                            for tolerance in time_studies.TOLERANCES] for name in names])


def cost_cells(row):
    """Steps and solves of an adaptive run, and of fixed steps that are as good."""
    fixed = row["fixed"]
    return [f"{row['steps']} + {row['rejected']}", row["solves"],
            *([fixed["steps"], fixed["solves"], f"{row['solves'] / fixed['solves']:.2f}"]
              if fixed else ["none is", "-", "-"])]


def random_text(rows):
    """What the random cases say, in two sentences."""
    ratios = [row["error"] / row["tolerance"] for row in rows]
    shares = [row["solves"] / row["fixed"]["solves"] for row in rows if row["fixed"]]
    low, middle, high = numpy.quantile(shares, (0.1, 0.5, 0.9))
    return (f"{len(rows)} random cases of a fixed seed (delay, refractory state, noise(N), weights "
            "of both signs, eps from 1\nto 1e-4, one or two phases), each with one tolerance "
            f"between 1e-2 and 1e-5: the error over the tolerance is\n{number(max(ratios))} at "
            f"most, {number(float(numpy.median(ratios)))} in the median. Solves over those of the "
            f"fewest graded fixed steps for the same error:\n{middle:.2f} in the median, "
            f"{low:.2f} and {high:.2f} at the 10 and 90 % quantiles.\n")


def promise_section(results):
    """What adaptive steps promise, and what they cost beside fixed ones."""
    study = results["time, promise"]
    costs = [[row["case"], f"{row['tolerance']:g}", number(row["error"]), *cost_cells(row)]
             for row in study["costs"]]
    return "\n".join([
        "## The tolerance of adaptive steps\n",
        "The same and further cases with adaptive steps of third order. The error is the largest",
        "one at all rows of the series, of Nbar relative to Nbar + 0.02 and of the mean weight,",
        "against the independent program; the promise is three tolerances. Error over tolerance:\n",
        promise_table(study["rows"]),
        random_text(study["random"]),
        "Steps (accepted + rejected) and slice solves, beside the fewest graded fixed steps, with",
        "all their parts, that are as good. The last column is the ratio of the solves. Fixed steps",
        "know the jumps, too, and are at most as long as the time between two rows, a tenth of the",
        "run. A user would have to find their length by trial.\n",
        table(["case", "tolerance", "error", "steps", "solves", "fixed steps", "their solves",
               "ratio"], costs)])


SECTIONS = (orders_section, promise_section)
