"""The cases of the work-precision study: options, output times and the coarsest fixed step.

Grids are small, because the error in time on a fixed grid is what is measured. Output times are
chosen so that none of them is a time at which a rate jumps, and so that the fixed steps end at
those jumps that can be known beforehand.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """One case of the study.

    `outputs` equal intervals lead to `end`; the coarsest fixed step is an interval divided by
    `coarsest`. `design` holds how many steps the adaptive scheme is designed to accept at the
    tolerances of `DESIGN_TOLERANCES`, or nothing where that is not known.
    """

    key: str
    title: str
    options: dict
    end: float
    outputs: int
    coarsest: int
    design: tuple = ()

    @property
    def interval(self):
        """Time between two outputs."""
        return self.end / self.outputs

    def all_options(self):
        """Options of the model, the grid and the output, without those of the steps."""
        return {**self.options, "time_end": self.end, "output_series_interval": self.interval}

    def fixed_step(self, level):
        """The fixed step after so many halvings."""
        return self.interval / (self.coarsest * 2**level)

    def grid(self):
        """Cells as text."""
        return f"{self.options['grid_v_cells']} x {self.options['grid_w_cells']}"


DESIGN_TOLERANCES = (1e-2, 1e-4, 1e-6)

# A learning network that starts far from its quasi-static state.
UNPREPARED = {
    "model_input": "1 + 0.3*sin(6*w)",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "w*(1 - w)^2 * exp(-(v + 1)^2/0.5)",
    "grid_v_cells": 120,
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_w_cells": 40,
    "transport_order": 2,
}

# The whole family at once. Its rate has echoes at multiples of 0.25.
FAMILY = {
    **UNPREPARED,
    "model_epsilon": 0.5,
    "model_delay": 0.5,
    "model_refractory": 0.2,
    "model_noise": "1 + 0.1*N",
}

# input/learning.yaml and input/limit.yaml on coarser grids.
LEARNING = {
    "model_epsilon": 0.1,
    "model_input": "1 + 0.3*sin(6*w)",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "exp(-(w - 0.1)^2/0.005) * exp(-(v + 1)^2/0.5)",
    "grid_v_cells": 120,
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_w_cells": 64,
    "transport_order": 1,
}

LIMIT = {
    "model_epsilon": 0,
    "model_input": "1",
    "model_response": "N/(1 + N)",
    "model_learning": "1",
    "initial_density": "exp(-(w - 0.2)^2/0.005)",
    "grid_v_cells": 120,
    "grid_w_min": 0,
    "grid_w_max": 1,
    "grid_w_cells": 64,
    "transport_order": 2,
}


def single_weight(weight, v_cells, initial, **options):
    """Options of a network with one frozen weight."""
    return {"model_epsilon": 1, "model_input": "0", "model_response": "N",
            "model_plasticity": "false", "grid_w_min": weight, "grid_w_max": weight,
            "grid_w_cells": 1, "grid_v_cells": v_cells, "initial_density": initial, **options}


BUMP = "exp(-(v + 1)^2/0.5)"
PULSE = single_weight(0.5, 280, BUMP, model_input="t > 12 && t < 12.5 ? 20 : 0", model_v_min=-5)
SWITCH = single_weight(0.5, 240, BUMP, model_input="t < 2 ? 10 : 0")
BLOWUP = single_weight(3, 240, "exp(-(v + 1)^2/(2*0.5))")

# input/delayed.yaml on a coarser grid. Its rate has echoes at whole times.
DELAYED = single_weight(-45, 200, "exp(-(v + 1)^2/0.4)", model_delay=1, model_noise=0.2,
                        model_v_threshold=1, model_v_reset=0, model_v_min=-3)

CASES = (
    Case("unprepared", "unprepared learning, eps = 1", {**UNPREPARED, "model_epsilon": 1},
         end=0.5, outputs=8, coarsest=1, design=(14, 37, 151)),
    Case("fast", "the same, eps = 0.1", {**UNPREPARED, "model_epsilon": 0.1},
         end=0.2, outputs=8, coarsest=1, design=(18, 60, 257)),
    Case("family", "delay, refractory, noise(N)", FAMILY,
         end=0.6, outputs=10, coarsest=2, design=(35, 84, 342)),
    Case("learning", "learning.yaml", LEARNING, end=3, outputs=10, coarsest=3,
         design=(36, 363, 2498)),
    Case("limit", "limit.yaml, eps = 0", LIMIT, end=5, outputs=10, coarsest=1,
         design=(16, 205, 1847)),
    Case("delayed", "delayed.yaml", DELAYED, end=12, outputs=15, coarsest=8,
         design=(77, 250, 1244)),
    Case("pulse", "pulse of the input", PULSE, end=28, outputs=16, coarsest=7,
         design=(82, 275, 1250)),
    Case("switch", "input switched off", SWITCH, end=4.125, outputs=11, coarsest=3,
         design=(61, 238, 1124)),
    Case("blowup", "towards a blow-up", BLOWUP, end=3.3, outputs=10, coarsest=3),
)

KEYS = tuple(case.key for case in CASES)
QUICK_KEYS = ("unprepared", "switch", "blowup")


def chosen(keys):
    """The cases of these keys, in the order of CASES."""
    return [case for case in CASES if case.key in keys]
