"""Restarts near jumps of the input, in the steps that are the default: graded and adaptive ones."""

from engram_test import PLAIN_EULER
from restart_support import LEARNING, STEP, RestartTestCase, main

# The defaults of the program. The comparison and the jump that is none, at t = 0.0556, are known to
# no one before a step comes to them; echoes of a delay of 0.02 follow each.
DEFAULTS = {
    **LEARNING,
    **{name: None for name in PLAIN_EULER},
    "time_end": 4 * STEP,
    "time_step": None,
    "model_epsilon": 0.05,
    "model_input": "(sin(40*t) > 0.3 ? 3 : 1) + rint(9*t) + 0.3*w",
    "model_refractory": 0.4,
    "initial_rate": 0.2,
    "transport_order": 2,
    "output_fields_every": STEP,
    "checkpoint_every": STEP / 2**24,
}

DELAY = {"model_delay": 0.4}

# Phases that end between steps, with a reset and another time scale.
PHASES = {
    "time_end": None, "protocol_phases": "learn,test", "phase_learn_duration": 1.5 * STEP,
    "phase_test_duration": 2.5 * STEP, "phase_test_initial": "reset", "phase_test_epsilon": 0.03,
}

# A table of times that are no multiples of a step: kinks, and a ramp as steep as a jump.
TABLE = "t,w,I\n" + "".join(f"{t},{w},{i + w}\n" for t, i in [
    (0, 1), (0.021, 1.5), (0.0213, 3), (0.05, 2), (0.1, 2.5)] for w in (-1, 1))

# A lagged coupling of second order remembers the trend of the step before.
LAGGED = {"time_scheme": "second-order", "coupling": "lagged"}

FIXED = {
    "steps": {},
    "delay": DELAY,
    "delay of several steps": {**DELAY, "time_step": STEP / 4},
    "lagged": LAGGED,
    "phases": {**PHASES, **DELAY},
    "implicit transport": {"transport_time": "implicit", "model_delay": 0.2},
    "limit": {"model_epsilon": 0},
}

ADAPTIVE = {
    "steps": {},
    "delay": DELAY,
    "phases": {**PHASES, **DELAY},
    "implicit transport and short delay": {"transport_time": "implicit", "model_delay": 0.2,
                                           "time_tolerance": 1e-3},
    "steps above their tolerance": {"time_step_min": STEP / 16},
    "limit": {"model_epsilon": 0},
}

RANKS = (2, 0, 3, 0)

# In summary.yaml, of the whole run.
COUNTED = ["status", "steps", "mean_step", "slice_solves", "transport_substeps", "rejected_steps",
           "coupling_iterations", "total_rate", "mass_error", "mean_weight"]


class JumpsTest(RestartTestCase):
    """Runs that lose all checkpoints after some step, and go on from there."""

    def go_on_from(self, reference, whole, steps, counted):
        """Copies of a finished run go on from these steps to the same bits."""
        for number, step in enumerate(steps):
            ranks = RANKS[number % len(RANKS)]
            with self.subTest(step=step, ranks=ranks):
                place = self.copy(reference, f"{reference.path.name}_{step}_{number}")
                place.lose_checkpoints_after(step)
                outcome = self.go(place, "-restart", "auto", ranks=ranks)
                self.assert_continued(outcome, step)
                self.assert_same(reference, place)
                self.assertEqual(place.steps(), reference.steps())
                for name in COUNTED + counted:
                    self.assertEqual(outcome.yaml("summary.yaml")[name],
                                     whole.yaml("summary.yaml")[name], name)

    def write_table(self, place):
        """Puts the table beside a case."""
        (place.path / "input.csv").write_text(TABLE, encoding="ascii")

    def test_fixed_steps(self):
        """From any step; jumps and their echoes are between the parts of steps."""
        for number, (name, changes) in enumerate(FIXED.items()):
            with self.subTest(case=name):
                reference = self.place(f"fixed_{number}", {**DEFAULTS, "time_step": STEP, **changes})
                whole = self.go(reference)
                summary = whole.yaml("summary.yaml")
                if changes.get("model_epsilon") != 0:
                    self.assertGreater(summary["parts_of_steps"], 10 * summary["steps"])
                self.assertEqual(reference.steps(), list(range(1, summary["steps"] + 1)))
                steps = reference.steps()[:-1]
                chosen = steps if name in ("delay", "phases") else [steps[len(steps) // 2]]
                self.go_on_from(reference, whole, chosen, ["parts_of_steps"])

    def test_adaptive_steps(self):
        """From a step that ends at a jump, the ones before and after it, and some others."""
        for number, (name, changes) in enumerate(ADAPTIVE.items()):
            with self.subTest(case=name):
                reference = self.place(f"adaptive_{number}", {**DEFAULTS, **changes})
                whole = self.go(reference)
                times = whole.series()["time"]
                steps = reference.steps()
                self.assertEqual(steps, list(range(1, len(times))))
                jump = min(steps, key=lambda step: abs(times[step] - 0.5 / 9))
                self.assertAlmostEqual(times[jump], 0.5 / 9, delta=1e-13)
                chosen = [jump, steps[len(steps) // 4]]
                chosen += [jump - 1, jump + 1, steps[0]] if name in ("delay", "phases") else []
                self.go_on_from(reference, whole, chosen, ["steps_above_tolerance"])
                if "time_step_min" in changes:
                    unmet = whole.yaml("summary.yaml")["steps_above_tolerance"]
                    self.assertTrue(0 < unmet < len(steps))

    def test_tables(self):
        """Times of a table are known beforehand, with or without a checkpoint."""
        for name, changes in (("fixed", {"time_step": STEP}), ("adaptive", {})):
            with self.subTest(steps=name):
                reference = self.place(f"table_{name}", {**DEFAULTS, **DELAY, **changes,
                                                         "model_input": "file:input.csv"})
                self.write_table(reference)
                whole = self.go(reference)
                steps = reference.steps()
                self.go_on_from(reference, whole, [steps[0], steps[len(steps) // 2]], [])

    def test_later_end(self):
        """A fixed run that is continued to a later end has the bits of one that went there."""
        case = {**DEFAULTS, **DELAY, "time_step": STEP}
        reference = self.place("whole", case)
        self.go(reference)
        place = self.place("parts", case)
        for end, ranks in ((STEP, 2), (3 * STEP, 3)):
            self.go(place, "-time_end", end, "-restart", "auto", ranks=ranks)
        self.go(place, "-restart", "auto")
        self.assert_same(reference, place)


if __name__ == "__main__":
    main()
