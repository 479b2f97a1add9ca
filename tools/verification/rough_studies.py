"""Mass and sign for rough data: what the grid does not see must not cost either.

The explicit part of fourth order makes slices negative where lambda = dt/eps is below h^2/(6 a) and
the data are rough; such slices are solved again. Every slice of a run has other data here, so that
only some are. As in studies.py the function runs the program and returns rows of a table.
"""

import runner

# Of a slice each: bumps narrower than a cell, on a node and between two (which see nothing of it:
# an empty slice), steps, neurons at V_F, one node alone, at the threshold, at V_R, at the lower end.
DATA = (
    "exp(-((v - 0.4)/0.001)^2)",
    "exp(-((v - 0.513)/0.001)^2)",
    "exp(-((v - 0.45)/0.04)^2)",
    "v > 1.2 && v < 1.3 ? 1 : 0",
    "v < 0.33 ? 1 : 0",
    "abs(v + 2) < 0.01 ? 1 : 0",
    "abs(v - 1) < 0.01 ? 1 : 0",
    "v < -3.7 ? 1 : 0",
    "exp(-(v + 1)^2)",
    "abs(v - 1.7) < 0.01 ? 1 : 0",
    "v > 1.9 ? 1 : 0",
    "1",
)


def rough_density():
    """All of DATA, one in each cell of w between 0 and 1."""
    text = "0"
    for number, density in reversed(list(enumerate(DATA, 1))):
        text = f"w < {number}/{len(DATA)} ? ({density}) : ({text})"
    return text


# Next to V_F the first rates are as large as 1/dt: weights that learned from them would be carried
# away, so that they only decay.
ROUGH = {
    "model_input": "1 + 0.5*w",
    "model_response": "N/(1 + N)",
    "model_learning": "0",
    "initial_density": rough_density(),
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_v_cells": 60,
    "grid_w_cells": len(DATA),
    "coupling": "implicit",
    "time_start": "plain",
    "blowup_rate": 1e12,
}

SETTINGS = {
    "euler": {"time_scheme": "euler"},
    "euler, refractory": {"time_scheme": "euler", "transport_order": 2, "model_refractory": 0.5},
    "third-order": {"transport_order": 2},
    "third-order, delay": {"model_delay": 2.5, "initial_rate": 0.5, "transport_time": "implicit"},
    "third-order, refractory, noise(N)":
        {"model_refractory": 0.5, "model_noise": "0.5 + 0.1*N/(1 + N)", "transport_order": 2},
    "third-order, small noise": {"model_noise": 0.01, "transport_order": 2},
}

LAMBDAS = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1.0, 1e2, 1e4, 1e8, 1e12)

# Steps beyond it are made by a smaller eps.
LONGEST = 1e-2

STEPS = 4


def rough_case(settings, lam):
    """Some steps of dt/eps = lam."""
    step = min(lam, LONGEST)
    return dict(ROUGH, **settings, model_epsilon=step / lam, time_step=step, time_end=STEPS * step,
                output_fields_every=step)


def structure_of_rough_data(program, lambdas=LAMBDAS):
    """Largest mass error of all rows and what is smallest of p, N and the refractory state."""
    combinations = [(name, lam) for name in SETTINGS for lam in lambdas]
    results = runner.run_all(program, [rough_case(SETTINGS[name], lam)
                                       for name, lam in combinations])
    return [{"settings": name, "lambda": lam, "states": len(result.times),
             "mass_error": max(abs(error) for error in result.series["mass_error"]),
             "smallest": float(min(result.densities.min(), result.firing_rates.min(),
                                   min(result.series["min_density"]),
                                   min(result.series["total_rate"]),
                                   0.0 if result.refractory is None
                                   else result.refractory.min())),
             "change": float(abs(result.densities[-1] - result.densities[0]).max())}
            for (name, lam), result in zip(combinations, results)]
