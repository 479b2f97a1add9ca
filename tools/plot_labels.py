"""What is written along the axes of sweeps: words and units instead of names of options."""

from plot_style import MEAN_WEIGHT, NO_UNIT, RATE, WEIGHT

# Units: quantities of the model have none; times of neurons are in units of the reacting time.
REACTING, COUNT = "(reacting time)", "(number)"
WORDS = {
    "model_noise": ("noise $a$", NO_UNIT), "model_drift": ("drift $f(v)$", NO_UNIT),
    "model_epsilon": (r"ratio of time scales $\varepsilon$", NO_UNIT),
    "model_input": ("input $I$", NO_UNIT), "model_response": (r"response $\sigma$", NO_UNIT),
    "model_learning": ("learning strength $K$", NO_UNIT),
    "model_delay": ("transmission delay $d$", REACTING),
    "model_refractory": (r"refractory time $\tau$", REACTING),
    "model_v_threshold": ("firing threshold $V_F$", NO_UNIT),
    "model_v_reset": ("reset potential $V_R$", NO_UNIT),
    "model_v_min": (r"lowest potential $v_{\min}$", NO_UNIT),
    "model_flux": ("weights of the flux", ""), "model_plasticity": ("plasticity", ""),
    "initial_density": ("initial density", NO_UNIT),
    "initial_rate": (r"rate before the start $\bar N_0$", NO_UNIT),
    "initial_quasi_static": ("quasi-static start", ""),
    "grid_v_cells": ("cells of the potential", COUNT),
    "grid_w_cells": ("cells of the weight", COUNT),
    "grid_v_order": ("order in the potential", ""),
    "grid_w_min": (r"lowest weight $w_{\min}$", NO_UNIT),
    "grid_w_max": (r"largest weight $w_{\max}$", NO_UNIT),
    "time_end": ("end of the run $t$", NO_UNIT), "time_step": (r"time step $\Delta t$", NO_UNIT),
    "time_tolerance": ("tolerance of the steps", NO_UNIT), "time_scheme": ("scheme in time", ""),
    "blowup_rate": ("rate taken for a blow-up", NO_UNIT),
    "transport_order": ("order of the transport", ""), "coupling": ("coupling", ""),
    "transport_time": ("transport in time", ""),
    "steer_input_factor": ("factor of the input", NO_UNIT),
    "blowup_time": ("time of blow-up $t$", NO_UNIT),
    "var_weight": ("variance of the weights", NO_UNIT),
    "mass_error": ("mass error", NO_UNIT), "min_density": (r"smallest density $\min\ p$", NO_UNIT),
    "time": ("time at the end $t$", NO_UNIT), "mean_step": (r"mean time step $\Delta t$", NO_UNIT),
    "error_estimate": (r"estimated error of $\bar N$", NO_UNIT),
    "wall_seconds": ("wall time", "(s)"), "step_seconds": ("wall time of the steps", "(s)"),
    "checkpoint_seconds": ("wall time of checkpoints", "(s)"),
    "ns_per_cell_and_step": ("time for a cell and step", "(ns)"),
}
COUNTS = {"steps", "slice_solves", "transport_substeps", "rejected_steps", "coupling_iterations",
          "steps_with_several_rates", "steps_above_tolerance", "parts_of_steps", "checkpoints",
          "steady_states", "ranks"}
LABELS = {"total_rate": RATE, "mean_weight": MEAN_WEIGHT,
          **{name: " ".join(words).strip() for name, words in WORDS.items()},
          **{name: f"{name.replace('_', ' ')} {COUNT}" for name in COUNTS}}
# Options of a phase, as in phase_learn_input.
OF_PHASES = {"duration": ("duration", NO_UNIT), "input": ("input $I$", NO_UNIT),
             "epsilon": (r"$\varepsilon$", NO_UNIT), "plasticity": ("plasticity", ""),
             "initial": ("begin", "")}


def label_of(names):
    """The label of an option or a number of summary.yaml; of several that are varied alike."""
    names = [name.strip() for name in names.split("=")]
    if sorted(names) == ["grid_w_max", "grid_w_min"]:
        return WEIGHT
    return " = ".join(map(label_of_one, names))


def label_of_one(name):
    """The same of one: what no list has is a name that the user has made, told in words."""
    if name in LABELS:
        return LABELS[name]
    parts = name.split("_")
    if len(parts) > 2 and parts[0] == "phase" and parts[-1] in OF_PHASES:
        words, unit = OF_PHASES[parts[-1]]
        return f"{words} of the phase {'_'.join(parts[1:-1])} {unit}".strip()
    return name.replace("_", " ")
