"""Mass and sign in the steps that are the default: adaptive ones, and fixed ones of many parts."""

import itertools
import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import runner  # noqa: E402
import scheme_studies  # noqa: E402

# The case of all schemes without one of them, and with an input that jumps at times which only
# samples tell. In every interval between two jumps the data are far from their steady state.
CASE = {name: value for name, value in scheme_studies.STRUCTURE.items()
        if name not in runner.PLAIN_EULER}
CASE["model_input"] = "(sin(9*t) > 0.3 ? 6 : -2) + 0.5*w"
CASE["time_end"] = 1
CASE["grid_w_cells"] = 9

# Steps: fixed ones from far below to far above the times between the jumps, adaptive ones of
# tolerances that are met and of ones that are not.
STEPS = {
    "short": {"time_step": 0.01},
    "long": {"time_step": 1},
    "adaptive": {},
    "coarse": {"time_tolerance": 0.1},
    "bound": {"time_step_min": 0.02, "time_tolerance": 1e-6},
}

# What else a density may go through.
MEMBERS = {
    "delay": {"model_delay": 0.3, "initial_rate": 1},
    "refractory": {"model_refractory": 0.5},
    "noise": {"model_noise": "0.01 + 0.1*N", "model_flux": "harmonic"},
    "box": {"initial_density": "abs(v + 1) < 0.25 ? 1 : 0"},
    "corner": {"initial_density": "w > 0.3 && v > 1.7 ? 1 : 0"},
    "second order": {"time_scheme": "second-order"},
    "lagged": {"time_scheme": "second-order", "coupling": "lagged", "time_step": 0.1},
    "first order": {"time_scheme": "euler"},
}


class MassAndSign(engram_test.EngramTestCase):
    """The mass to round-off of one step, however many there are, and nothing negative."""

    def check_all(self, cases):
        """Runs cases by their names and looks at all rows of their series."""
        results = runner.run_all(engram_test.PROGRAM, list(cases.values()))
        for name, result in zip(cases, results):
            with self.subTest(case=name):
                errors = [abs(error) for error in result.series["mass_error"]]
                self.assertLess(max(errors), 1e-13)
                self.assertGreaterEqual(min(result.series["min_density"]), 0.0)
                self.assertGreaterEqual(min(result.series["total_rate"]), 0.0)
                self.assertEqual(result.summary["status"], "done")
                self.assertEqual(result.series["time"][-1], 1.0)
                rates = result.series["total_rate"]
                self.assertGreater(max(rates) - min(rates), 1e-9, "nothing moves")

    @staticmethod
    def is_refused(name, kind, epsilon):
        """Adaptive steps are no longer than a delay."""
        return name == "delay" and kind == "adaptive" and epsilon == 1e-12

    def test_product(self):
        """All steps with all eps; of the transports and their orders each with each step and eps."""
        transports = (("explicit", 1), ("explicit", 2), ("explicit", 5), ("implicit", 1),
                      ("implicit", 2))
        self.check_all({
            (name, epsilon, *transports[number]): dict(
                CASE, **steps, model_epsilon=epsilon, transport_time=transports[number][0],
                transport_order=transports[number][1])
            for (i, (name, steps)), (j, epsilon), k in itertools.product(
                enumerate(STEPS.items()), enumerate(scheme_studies.EPSILONS), (0, 2))
            for number in [(i + j + k) % len(transports)]})

    def test_members(self):
        """Members of the family, and data that jump in v, for which extrapolation overshoots."""
        self.check_all({
            (name, kind, epsilon, order): {**CASE, "transport_order": order,
                                           "model_epsilon": epsilon, **STEPS[kind], **member}
            for (name, member), (kind, order), epsilon in itertools.product(
                MEMBERS.items(), (("long", 2), ("adaptive", 2), ("adaptive", 5)),
                (1.0, 1e-3, 1e-12))
            if not self.is_refused(name, kind, epsilon)})

    def test_protocol(self):
        """Phases with resets, the limit model and back."""
        case = {**CASE, "time_end": None, "protocol_phases": "a,b,c,d",
                "phase_a_duration": 0.3, "phase_b_duration": 0.2, "phase_b_epsilon": 0,
                "phase_c_duration": 0.3, "phase_c_epsilon": 1e-3, "phase_c_initial": "reset",
                "phase_d_duration": 0.2, "phase_d_plasticity": "false", "phase_d_input": "3"}
        del case["time_end"]
        self.check_all({(name, order): dict(case, **steps, transport_order=order)
                        for name, steps in STEPS.items() for order in (2, 5)})


if __name__ == "__main__":
    engram_test.main()
