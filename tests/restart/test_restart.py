"""A restarted run gives the bits of one that was never interrupted, on any number of ranks."""

import math
import signal

from engram_test import SMALL_CASE
from restart_support import (LEARNING, LONG, REQUEUED, STEP, RestartTestCase, main,
                             watched_run)

# Options that may carry something from step to step, by themselves and together.
EVERYTHING = {
    "model_epsilon": 0.05,
    "model_flux": "harmonic",
    "model_noise": "0.5 + 0.2*N",
    "model_delay": 0.1,
    "model_refractory": 0.4,
    "initial_rate": 0.2,
    "coupling": "implicit",
    "coupling_scan": 5,
    "time_scheme": "second-order",
    "transport_order": 2,
    "output_series_every": 7,
}

ADAPTIVE = {
    "time_adaptive": True,
    "coupling": "implicit",
    "time_tolerance": 1e-2,
    "time_step": STEP / 2,
    "time_step_max": STEP,
}

FAMILY = {
    "euler": {},
    "steps of the outputs": {"output_series_every": 7, "output_fields_every": 2.3 * STEP,
                             "checkpoint_every": 1.7 * STEP},
    "no fields": {"output_fields_every": 0, "output_series_every": 5},
    "scheme": {"time_scheme": "second-order", "transport_order": 2},
    "coupling": {"coupling": "implicit", "coupling_scan": 3},
    "extrapolated coupling": {"time_scheme": "second-order", "coupling": "implicit"},
    "long delay": {"model_delay": 0.7, "initial_rate": 0.3},
    "short delay": {"model_delay": 0.05, "time_scheme": "second-order"},
    "refractory": {"model_refractory": 0.4},
    "noise": {"model_noise": "0.5 + 0.2*N"},
    "flux": {"model_flux": "harmonic", "initial_quasi_static": True},
    "implicit transport": {"transport_time": "implicit", "transport_order": 2},
    "sub-steps": {"model_learning": "2000*cos(4*w)", "transport_order": 2},
    "fifth order in w": {"time_scheme": "third-order", "coupling": "implicit",
                         "transport_order": 5, "grid_w_cells": 26, "model_refractory": 0.4},
    "limit of fifth order in w": {"model_epsilon": 0, "time_scheme": "third-order",
                                  "coupling": "implicit", "transport_order": 5,
                                  "grid_w_cells": 26},
    "limit": {"model_epsilon": 0, "model_refractory": 0.4, "transport_order": 2},
    "frozen": {"model_plasticity": False, "model_delay": 0.3},
    "adaptive": ADAPTIVE,
    "adaptive delay": {**ADAPTIVE, "model_delay": 0.4, "time_scheme": "second-order",
                       "output_fields_every": 0},
    "everything": {**EVERYTHING, **ADAPTIVE},
    "everything in fixed steps": {**EVERYTHING, "transport_time": "implicit"},
    "everything in the limit": {**EVERYTHING, **ADAPTIVE, "model_epsilon": 0, "model_delay": 0},
}

# Data of which a part of the slices is rough, so that these are solved twice in steps as short.
SHORT = STEP / 256
ROUGH = {
    **EVERYTHING,
    "model_flux": "scharfetter-gummel",
    "initial_density": "w > 0.4 ? (abs(v - 1.6) < 0.01 ? 9 : 0) + exp(-((v - 0.3)/0.001)^2) :"
                       " (w < -0.5 ? (v < 0.35 ? 1 : 0) : (1 + w^2)*exp(-(v - 0.4)^2/0.3))",
    "time_step": SHORT,
    "time_end": 24 * SHORT,
    "output_fields_every": 4 * SHORT,
    "checkpoint_every": SHORT,
}

# Phases that end with steps and between them, with all that can change from one to the next.
PROTOCOL = {
    "time_end": None, "model_delay": 0.1, "initial_rate": 0.2, "transport_order": 2,
    "model_refractory": 0.4, "protocol_phases": "learn,rest,test",
    "phase_learn_duration": 8 * STEP, "phase_rest_duration": 5.5 * STEP,
    "phase_test_duration": 7 * STEP, "phase_rest_input": "0.5 + s", "phase_rest_epsilon": 0.03,
    "phase_test_plasticity": False, "phase_test_initial": "reset", "checkpoint_every": STEP / 2**24,
}

PROTOCOLS = {
    "fixed": PROTOCOL,
    "adaptive": {**PROTOCOL, **ADAPTIVE, "time_scheme": "second-order", "model_delay": 0.4},
    "limit": {**PROTOCOL, "model_delay": 0, "phase_rest_epsilon": 0, "time_scheme": "second-order",
              "coupling": "implicit"},
}

# Parts of the way at which the runs of the family are stopped, with the ranks that go on. Of the
# family every case takes one of them in turn.
STOPS = [(0.1, 3), (0.55, 2), (0.97, 5)]

# Cases of the family that are also continued to later ends: a kind of step and of output each. The
# last adaptive step is cut to the end, unless an output is wanted there anyway.
EXTENDED = ("euler", "steps of the outputs", "extrapolated coupling", "fifth order in w", "limit",
            "adaptive", "everything")

# Numbers in summary.yaml that count the whole run.
COUNTED = ["status", "steps", "time", "total_rate", "mass_error", "min_density", "mean_weight",
           "var_weight", "transport_substeps", "rejected_steps", "coupling_iterations",
           "steps_with_several_rates", "cut_off_v_min", "cut_off_w_min", "cut_off_w_max"]


class BitsTest(RestartTestCase):
    """Stops at known steps."""

    def assert_same_summary(self, first, second):
        """What summary.yaml counts is the whole run, however often it was begun."""
        for name in COUNTED:
            self.assertEqual(second.yaml("summary.yaml")[name], first.yaml("summary.yaml")[name],
                             name)

    def restart_everywhere(self, reference, whole, stops=None):
        """Copies of a finished run go on from some of its checkpoints, as after a crash."""
        steps = reference.steps()
        self.assertGreater(len(steps), 5)
        for part, ranks in stops or STOPS:
            step = steps[min(math.floor(part * len(steps)), len(steps) - 2)]
            with self.subTest(step=step, ranks=ranks):
                place = self.copy(reference, f"{reference.path.name}_{step}")
                place.lose_checkpoints_after(step)
                outcome = self.go(place, "-restart", "auto", ranks=ranks)
                self.assert_continued(outcome, step)
                self.assert_same(reference, place)
                self.assert_same_summary(whole, outcome)
                self.assertEqual(place.steps(), steps)

    def extend(self, reference, whole, end, name):
        """Runs with earlier ends, whose last checkpoints are continued to later ones."""
        place = self.place(name)
        (place.path / "case.yaml").write_bytes((reference.path / "case.yaml").read_bytes())
        outcome = None
        for part, ranks in [(1, 2), (2, 3), (3, 1)]:
            words = ["-time_end", end / 3 * part] if part < 3 else []
            outcome = self.go(place, *words, "-restart", "auto", ranks=ranks)
            self.assertEqual(outcome.yaml("summary.yaml")["time"], end / 3 * part)
        self.assert_same(reference, place)
        self.assert_same_summary(whole, outcome)

    def test_family(self):
        """Every option that carries something from step to step."""
        for number, (name, changes) in enumerate(FAMILY.items()):
            with self.subTest(case=name):
                reference = self.place(f"case_{number}", LEARNING, **changes)
                whole = self.go(reference)
                self.assertNotIn("checkpoint", whole.stderr)
                self.restart_everywhere(reference, whole, [STOPS[number % 3]])
                if name in EXTENDED:
                    self.extend(reference, whole, LEARNING["time_end"], f"extended_{number}")

    def test_rough_data(self):
        """Slices that are solved twice, with all options on."""
        reference = self.place("rough", {**LEARNING, **ROUGH})
        self.restart_everywhere(reference, self.go(reference))

    def test_protocols(self):
        """From any step of any phase, the ends of phases among them."""
        for name, changes in PROTOCOLS.items():
            with self.subTest(case=name):
                reference = self.place(f"protocol_{name}", {**LEARNING, **changes})
                whole = self.go(reference)
                steps = reference.steps()
                numbers = whole.series()["phase"]
                ends = [step for step in steps[:-1] if numbers[step + 1] != numbers[step]]
                self.assertEqual(len(ends), 2)
                for step, ranks in [(ends[0], 2), (ends[0] + 1, 3), (ends[1] - 1, 1),
                                    (ends[1], 3), (steps[-2], 2)]:
                    place = self.copy(reference, f"protocol_{name}_{step}_{ranks}")
                    place.lose_checkpoints_after(step)
                    outcome = self.go(place, "-restart", "auto", ranks=ranks)
                    self.assert_continued(outcome, step)
                    self.assert_same(reference, place)
                    self.assert_same_summary(whole, outcome)

    def test_checkpoints_change_no_bit(self):
        """Runs with checkpoints and without any have the same outputs, on other ranks too."""
        places = [self.place("with", LEARNING, **EVERYTHING),
                  self.place("without", LEARNING, **EVERYTHING, checkpoint_every=0)]
        results = [self.go(places[0], ranks=3), self.go(places[1], ranks=2)]
        for name in ("series.csv", "fields.xmf"):
            texts = [(place.output / name).read_bytes() for place in places]
            self.assertEqual(texts[0], texts[1], name)
        for name, values in results[0].fields().items():
            self.assertEqual(values.tobytes(), results[1].fields()[name].tobytes(), name)
        self.assertFalse((places[1].output / "checkpoints").exists())

    def test_checkpoints_on_any_ranks(self):
        """State and case of every checkpoint are the same on any number of ranks."""
        places = {ranks: self.place(f"ranks_{ranks}", LEARNING, **{**EVERYTHING, **ADAPTIVE})
                  for ranks in (1, 2, 5)}
        for ranks, place in places.items():
            self.go(place, ranks=ranks)
            self.assertEqual(place.steps(), places[1].steps())
            for path, other in zip(place.checkpoints, places[1].checkpoints):
                self.assertEqual(watched_run.checkpoint_differences(path, other), [])

    def test_single_weight(self):
        """One cell of w, which one rank has."""
        reference = self.place("single", LEARNING, grid_w_min=0.5, grid_w_max=0.5, grid_w_cells=1,
                               model_plasticity=False, model_delay=0.3, model_response="N")
        whole = self.go(reference)
        place = self.copy(reference, "again")
        place.lose_checkpoints_after(11)
        again = self.go(place, "-restart", "auto")
        self.assert_same(reference, place)
        self.assert_same_summary(whole, again)

    def test_iterative_slices(self):
        """Another solver of the slices carries nothing either, on the same ranks."""
        words = ["-slice_ksp_type", "bcgs", "-slice_pc_type", "jacobi"]
        reference = self.place("iterative", LEARNING, model_delay=0.1)
        self.go(reference, *words, ranks=2)
        place = self.copy(reference, "again")
        place.lose_checkpoints_after(9)
        self.go(place, *words, "-restart", "auto", ranks=2)
        self.assert_same(reference, place)

    def test_blow_up(self):
        """A run that blows up does so again."""
        changes = {"model_plasticity": False, "model_response": "N", "grid_w_min": 2,
                   "grid_w_max": 4, "model_epsilon": 0.5, **ADAPTIVE}
        reference = self.place("blow_up", LEARNING, **changes)
        whole = self.go(reference, expect=3)
        steps = reference.steps()
        self.assertGreater(len(steps), 1)
        place = self.copy(reference, "again")
        place.lose_checkpoints_after(steps[0])
        again = self.go(place, "-restart", "auto", ranks=2, expect=3)
        self.assert_same(reference, place)
        self.assert_same_summary(whole, again)
        self.assertEqual(again.yaml("status.yaml")["status"], "blown up")

    def test_steady_state_of_learning_weights(self):
        """The search for rest is a run in time, and goes on like one."""
        reference = self.place("rest", SMALL_CASE, steady=True, grid_w_cells=13, time_end=40,
                               transport_order=1,
                               time_step=0.05, checkpoint_every=1, checkpoint_keep=1000,
                               output_series_every=10)
        whole = self.go(reference)
        self.assertEqual(whole.yaml("summary.yaml")["steady_states"], 1)
        steps = reference.steps()
        for step, ranks in [(steps[0], 3), (steps[len(steps) // 2], 2)]:
            with self.subTest(step=step):
                place = self.copy(reference, f"rest_{step}")
                place.lose_checkpoints_after(step)
                again = self.go(place, "-restart", "auto", ranks=ranks)
                self.assert_continued(again, step)
                self.assert_same(reference, place)
                self.assertEqual(again.yaml("summary.yaml")["steady_states"], 1)

    def test_torn_outputs(self):
        """Whatever a crash has left behind the checkpoint in the outputs is dropped."""
        reference = self.place("reference", LEARNING, **EVERYTHING)
        self.go(reference)
        series = (reference.output / "series.csv").read_bytes()
        for name, text in [("half a row", series[:-20]), ("rubbish", series + b"17,0.1,,\0\n\xff"),
                           ("no end of line", series[:-1]), ("twice", series + series)]:
            with self.subTest(name=name):
                place = self.copy(reference, name.replace(" ", "_"))
                (place.output / "series.csv").write_bytes(text)
                place.lose_checkpoints_after(10)
                self.go(place, "-restart", "auto", ranks=2)
                self.assert_same(reference, place)

    def test_lost_outputs(self):
        """Outputs that end before the checkpoint cannot be continued, and that is said."""
        reference = self.place("reference", LEARNING)
        self.go(reference)
        series = (reference.output / "series.csv").read_bytes()
        for name, damage in [("series.csv", lambda path: path.write_bytes(series[:300])),
                             ("series.csv", lambda path: path.unlink()),
                             ("fields.h5", lambda path: path.unlink()),
                             ("fields.h5", lambda path: path.write_bytes(b"no HDF5\n" * 999))]:
            with self.subTest(name=name):
                place = self.copy(reference, f"lost_{len(list(self.folder.iterdir()))}")
                damage(place.output / name)
                place.lose_checkpoints_after(20)
                before = place.checkpoint(20).read_bytes()
                self.refused(place, "-restart", "auto", ranks=2, expect=2, fragments=[name])
                self.assertEqual(place.checkpoint(20).read_bytes(), before)


class MomentsTest(RestartTestCase):
    """Stops by a signal at moments that no one knows."""

    def test_chain_of_stops(self):
        """USR1 again and again, each part on other ranks."""
        for name, changes in [("fixed", {}),
                              ("adaptive", {**EVERYTHING, **ADAPTIVE, "time_step": STEP / 256,
                                            "time_step_max": STEP / 128})]:
            with self.subTest(case=name):
                options = {**LONG, "checkpoint_every": 8 * STEP, **changes}
                reference = self.made(options)
                place = self.place(name, options)
                parts = 0
                for ranks in (2, 3, 1, 2, 3, 1):
                    before = place.steps()[-1:]
                    run = self.start(place, "-restart", "auto", ranks=ranks)
                    # The last part goes to the end. Others come to a checkpoint by themselves, so
                    # that there are several of them on a fast machine and progress on a slow one.
                    if (parts < 5 and run.wait_until(
                            lambda before=before: place.steps()[-1:] != before)
                            and run.code is None):
                        run.process.send_signal(signal.SIGUSR1)
                    outcome = self.ended(run, place, expect=(0, REQUEUED))
                    parts += 1
                    if outcome.code == 0:
                        break
                self.assertEqual(outcome.code, 0)
                self.assertGreater(parts, 2)
                self.assert_same(reference, place)


if __name__ == "__main__":
    main()
