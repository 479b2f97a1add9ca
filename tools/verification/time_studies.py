"""Studies of the error in time: orders of fixed steps, and what adaptive ones promise and cost.

The references are from an independent program on the same grid (method_of_lines.py). As in
studies.py each function runs the program and returns rows of a table.
"""

import concurrent.futures

import numpy

import random_cases
import runner
import time_cases

# Steps of a whole run, halved.
STEPS = {"second-order": (32, 64, 128, 256), "third-order": (16, 32, 64, 128)}
# Where errors of N(w) cancel in Nbar to less than this part they say nothing of an order: it is the
# one of N(w) that bounds them.
CANCELLED = 0.3

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
# Rows of a series; none is at an echo or at a jump.
ROWS = 9.7

SEED = 20240229
RANDOM_CASES = 100
# Fixed steps between two rows, at most.
MOST_STEPS = 4096


def orders_of(errors, resolved):
    """Orders between successive errors that can be told."""
    return runner.orders_from_errors([error for error in errors if error > resolved])


def order_row(program, case, scheme, known):
    """Errors of N(w), H(w) and Nbar at the end of a case under halving, and their orders."""
    options = dict(case.options, time_scheme=scheme, time_adaptive="false",
                   coupling_tolerance=1e-13)
    runs = runner.run_all(program, [dict(options, time_step=case.end / steps)
                                    for steps in STEPS[scheme]])
    distances = [time_cases.distances_at_end(run, known) for run in runs]
    errors = {name: [distance[name] for distance in distances] for name in distances[0]}
    orders = {name: orders_of(values, case.resolved) for name, values in errors.items()}
    if any(rate <= CANCELLED * of_weights
           for rate, of_weights in zip(errors["Nbar"], errors["N(w)"])):
        orders["Nbar"] = []
    return {"case": case.name, "scheme": scheme, "errors": errors, "orders": orders}


def orders(program, cases=time_cases.ORDER_CASES + (time_cases.WAVE,)):
    """Graded fixed steps of second and third order on unprepared data."""
    references = time_cases.solve_all([(case, [case.end], 1e-12) for case in cases])
    return [order_row(program, case, scheme, known)
            for case, known in zip(cases, references) for scheme in STEPS]


def series_options(case, **steps):
    """A run with rows at equal times."""
    return dict(case.options, output_series_interval=case.end / ROWS, **steps)


def error_of(run, known):
    """Largest error of Nbar and of the mean weight at the rows whose times the reference has.

    Those are all rows of adaptive steps; fixed ones have others after a phase that is no whole
    number of steps.
    """
    pairs = [(row, place) for row, time in enumerate(run.series["time"])
             for place, other in enumerate(known.times) if abs(time - other) < 1e-12]
    if not pairs or pairs[-1] != (len(run.series["time"]) - 1, len(known.times) - 1):
        raise RuntimeError(f"rows at {run.series['time']} for {known.times}")
    return max(max(time_cases.promised_errors(run.series, known, *pair)) for pair in pairs)


def tolerance_row(case, tolerance, run, known):
    """What one adaptive run kept of its promise, and what it took."""
    if len(run.series["time"]) != len(known.times) + 1 or len(known.times) <= ROWS:
        raise RuntimeError(f"rows at {run.series['time']}")
    return {"case": case.name, "options": case.options, "tolerance": tolerance,
            "error": error_of(run, known), "steps": run.summary["steps"],
            "rejected": run.summary["rejected_steps"], "solves": run.summary["slice_solves"]}


def run_tolerances(program, cases, tolerances):
    """Adaptive runs of some cases, each with its tolerance."""
    return runner.run_all(program, [series_options(case, time_tolerance=tolerance)
                                    for case, tolerance in zip(cases, tolerances)])


def tolerances(program, cases=time_cases.ADAPTIVE_CASES):
    """The cases that are made to be hard with all tolerances: rows, and references by case."""
    pairs = [(case, tolerance) for case in cases for tolerance in TOLERANCES]
    runs = run_tolerances(program, *zip(*pairs))
    first = runs[::len(TOLERANCES)]
    found = time_cases.solve_all([(case, run.series["time"][1:], 1e-3 * min(TOLERANCES))
                                  for case, run in zip(cases, first)])
    known = {case.name: reference for case, reference in zip(cases, found)}
    return [tolerance_row(case, tolerance, run, known[case.name])
            for (case, tolerance), run in zip(pairs, runs)], known


def random_tolerances(program, count=RANDOM_CASES, seed=SEED):
    """Random cases of all parts of the model, each with one tolerance: rows, and references."""
    cases = random_cases.random_cases(count, seed)
    exponents = numpy.random.default_rng(seed).uniform(2.0, 5.0, count)
    chosen = [float(f"{10.0 ** -exponent:.2g}") for exponent in exponents]
    runs = run_tolerances(program, cases, chosen)
    found = time_cases.solve_all([(case, run.series["time"][1:], 1e-3 * tolerance)
                                  for case, run, tolerance in zip(cases, runs, chosen)])
    return [tolerance_row(*each) for each in zip(cases, chosen, runs, found)], \
        {case.name: reference for case, reference in zip(cases, found)}


def fixed_run(program, case, count, known):
    """Error, steps with all their parts, and solves of graded fixed steps, `count` a row."""
    options = series_options(case, time_adaptive="false", time_step=case.end / ROWS / count)
    run = runner.run(program, options)
    return {"error": error_of(run, known), "steps": run.summary["parts_of_steps"],
            "solves": run.summary["slice_solves"]}


def fewest_fixed(program, case, error, known):
    """The fewest graded fixed steps of third order with an error: doubled, then bisected."""
    count = 1
    best = fixed_run(program, case, count, known)
    while best["error"] > error:
        if count >= MOST_STEPS:
            return None
        count *= 2
        best = fixed_run(program, case, count, known)
    low, high = count // 2, count
    while high - low > max(1, high // 8):
        middle = (low + high) // 2
        found = fixed_run(program, case, middle, known)
        if found["error"] > error:
            low = middle
        else:
            high, best = middle, found
    return best


def beside_fixed(program, rows, cases, known):
    """Adaptive runs, each beside the fewest graded fixed steps that are as good."""
    by_name = {case.name: case for case in cases}

    def with_fixed(row):
        name = row["case"]
        return dict(row, fixed=fewest_fixed(program, by_name[name], row["error"], known[name]))

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(with_fixed, rows))


# Tolerances of the table of costs.
COSTS = (1e-2, 1e-4, 1e-6)


def promise(program):
    """Both kinds of cases, beside fixed steps."""
    rows, known = tolerances(program)
    chosen = [row for row in rows if row["tolerance"] in COSTS]
    random_rows, random_known = random_tolerances(program)
    random = random_cases.random_cases(RANDOM_CASES, SEED)
    return {"rows": rows, "random": beside_fixed(program, random_rows, random, random_known),
            "costs": beside_fixed(program, chosen, time_cases.ADAPTIVE_CASES, known)}
