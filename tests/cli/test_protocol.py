"""Protocols: named phases, each with an input, a time scale and plasticity of its own."""

import numpy

from engram_test import PLAIN_EULER, EngramTestCase, main

STEP = 0.0078125

# Three phases in one run; every one lasts a whole number of steps.
PHASES = {
    "time_end": None, "time_step": STEP, "model_input": "1 + 0.3*w", "output_fields_every": 4 * STEP,
    "protocol_phases": "learn,rest,test",
    "phase_learn_duration": 8 * STEP,
    "phase_rest_duration": 4 * STEP,
    "phase_test_duration": 8 * STEP,
}


class ProtocolTestCase(EngramTestCase):
    """Comparisons of runs."""

    def assert_same(self, first, second):
        """The same bits in the series, but for the phase, and in all fields."""
        series, other = first.series(), second.series()
        for name in set(series) & set(other):
            self.assertEqual(series[name], other[name], name)
        fields, others = first.fields(), second.fields()
        for name in set(fields) & set(others):
            self.assertEqual(fields[name].tobytes(), others[name].tobytes(), name)

    def plain(self, **changes):
        """A run without phases, of the same length."""
        words = {name: None for name in PHASES if name.startswith(("phase_", "protocol_"))}
        return self.run_case({**PHASES, **words, "time_end": 20 * STEP, **changes})


class PhaseTest(ProtocolTestCase):
    """What a phase has of its own."""

    def test_equal_phases_change_no_bit(self):
        phases = self.run_case(PHASES, **PLAIN_EULER)
        self.assert_same(phases, self.plain(**PLAIN_EULER))
        self.assertEqual(phases.series()["phase"], [0.0] * 9 + [1.0] * 4 + [2.0] * 8)
        fields = phases.fields()
        self.assertEqual(fields["phase"].tolist(), [0, 0, 0, 1, 2, 2])
        numpy.testing.assert_array_equal(fields["time"], [4 * STEP * row for row in range(6)])

    def test_equal_phases_change_little(self):
        """Steps that begin anew with every phase lead to the same state but for their error."""
        for changes, error in (({"transport_order": 1}, 3e-5), ({"time_step": STEP / 2}, 2e-5),
                               ({"time_step": None, "transport_order": 1}, 3e-5),
                               ({"time_step": None}, 1e-4)):
            with self.subTest(changes=changes):
                fields = self.run_case(PHASES, **changes).fields()
                others = self.plain(**changes).fields()
                numpy.testing.assert_array_equal(fields["time"], others["time"])
                for name in ("total_rate", "firing_rate", "weight_density", "density"):
                    difference = numpy.abs(fields[name] - others[name]).max()
                    self.assertLess(difference, error * numpy.abs(others[name]).max(), name)

    def test_input_and_time_of_the_phase(self):
        changes = {"phase_rest_input": "0", "phase_test_input": "1 + 2*s + w*t"}
        start = 12 * STEP
        expected = (f"t <= {8 * STEP} ? 1 + 0.3*w : (t <= {start} ? 0 : "
                    f"1 + 2*(t - {start}) + w*t)")
        self.assert_same(self.run_case(PHASES, **changes), self.plain(model_input=expected))
        # Outside of phases both times are the same.
        self.assert_same(self.plain(model_input="1 + s"), self.plain(model_input="1 + t"))

    def test_any_number_of_ranks(self):
        changes = {"phase_rest_input": "0", "phase_test_initial": "reset",
                   "phase_rest_epsilon": 0, "phase_test_plasticity": False,
                   "phase_test_epsilon": 0.02, "transport_order": 2, "model_refractory": 0.3}
        # Three results are put together with larger coefficients than one.
        for scheme, error in (({}, 4e-15), (PLAIN_EULER, 1e-15)):
            first = self.run_case(PHASES, **changes, **scheme)
            for ranks in (2, 5):
                self.assert_same(first, self.run_case(PHASES, ranks=ranks, **changes, **scheme))
            self.assertLess(max(map(abs, first.series()["mass_error"])), error)

    def test_frozen_phase_keeps_the_weights(self):
        fields = self.run_case(PHASES, phase_rest_plasticity=False, phase_test_plasticity=False
                               ).fields()
        weights = fields["weight_density"]
        self.assertGreater(numpy.abs(weights[2] - weights[0]).max(), 0.01)
        numpy.testing.assert_allclose(weights[3:], [weights[2]] * 3, rtol=1e-13)

    def test_reset(self):
        """From frozen weights a reset leads to the initial density, if that is a product."""
        result = self.run_case(
            PHASES, model_plasticity=False, phase_rest_input="3", phase_test_initial="reset",
            phase_learn_input="1", phase_test_input="1")
        fields = result.fields()
        # As far from the beginning of the run as from that of the phase.
        for name in ("density", "firing_rate", "weight_density"):
            largest = fields[name][2].max()
            numpy.testing.assert_allclose(fields[name][5], fields[name][2], rtol=1e-11,
                                          atol=1e-14 * largest)
        rates = result.series()["total_rate"]
        numpy.testing.assert_allclose(rates[13:], rates[1:9], rtol=1e-10)
        self.assertLess(rates[13], 0.1 * rates[12])

    def test_reset_keeps_what_was_learned(self):
        fields = self.run_case(PHASES, phase_test_initial="reset", phase_test_plasticity=False
                               ).fields()
        numpy.testing.assert_allclose(fields["weight_density"][4], fields["weight_density"][3],
                                      rtol=1e-13)

    def test_epsilon(self):
        """A short time scale in the phase, and none: the same state, the quasi-static one."""
        common = {"model_plasticity": False, "phase_learn_duration": 1.0,
                  "coupling": "implicit", "output_fields_every": 0}
        limit = self.run_case(PHASES, phase_rest_epsilon=0, **common)
        small = self.run_case(PHASES, phase_rest_epsilon=1e-8, **common)
        for row in (2, 3):
            numpy.testing.assert_allclose(limit.fields()["firing_rate"][row],
                                          small.fields()["firing_rate"][row], rtol=1e-6)
        # And on from the limit with a time scale again: at rest there is nothing to change.
        numpy.testing.assert_allclose(limit.fields()["firing_rate"][3],
                                      limit.fields()["firing_rate"][2], rtol=1e-9)

    def test_ends_between_steps(self):
        """A phase ends with a step that is as short as needed; the next begins with a whole one."""
        for adaptive in (False, True):
            with self.subTest(adaptive=adaptive):
                result = self.run_case(
                    PHASES, phase_learn_duration=2.5 * STEP, phase_rest_duration=0.3 * STEP,
                    output_fields_every=0, time_adaptive=adaptive, phase_test_input="3")
                times = [0, 2.5 * STEP, 2.8 * STEP, 10.8 * STEP]
                numpy.testing.assert_allclose(result.fields()["time"], times, rtol=1e-14)
                self.assertEqual(result.fields()["phase"].tolist(), [0, 0, 1, 2])
                if not adaptive:
                    lengths = [1, 1, 0.5, 0.3] + [1] * 8
                    numpy.testing.assert_allclose(result.series()["dt"][1:],
                                                  [STEP * length for length in lengths], rtol=1e-9)

    def test_delay_across_phases(self):
        """The past is kept for the phase with the longest delay."""
        changes = {"model_delay": 2.0, "model_epsilon": 0.0078125, "initial_rate": 0.1,
                   **PLAIN_EULER}
        whole = self.plain(**{**changes, "model_epsilon": 0.03125})
        phases = self.run_case(PHASES, **changes, **{
            f"phase_{name}_epsilon": 0.03125 for name in ("learn", "rest", "test")})
        self.assert_same(phases, whole)

    def test_case_of_the_results_runs_again(self):
        first = self.run_case(PHASES, phase_test_input="2*s")
        process = self.execute([first.folder / "case.yaml", "-output_dir", "again"])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual((self.folder / "again" / "series.csv").read_bytes(),
                         (first.folder / "series.csv").read_bytes())

    def test_dry_run_tells_the_phases(self):
        case = self.write_case(PHASES, phase_rest_plasticity=False, phase_rest_input="0")
        text = self.execute([case, "-dry_run"]).stdout
        self.assertIn("phase:   rest to t = 0.09375: eps 0.1, frozen weights, input 0\n", text)
        self.assertIn("steps:   20 of 0.0078125 to t = 0.15625\n", text)


class MessageTest(EngramTestCase):
    """Mistakes, each with one line that names it."""

    def refused(self, fragments, **changes):
        """A case that is refused, with all of these in its message."""
        process = self.execute([self.write_case(PHASES, **changes), "-output_dir", "refused"])
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertEqual(len(process.stderr.splitlines()), 1, process.stderr)
        for fragment in fragments:
            self.assertIn(fragment, process.stderr)
        self.assertFalse((self.folder / "refused").exists())

    def test_names(self):
        for names, what in (("learn,,test", "'' is no name"), ("2nd", "'2nd' is no name"),
                            ("a b", "'a b' is no name"), ("learn,rest,Learn", "'Learn' twice")):
            with self.subTest(names):
                self.refused(["-protocol_phases", what], protocol_phases=names)
        many = ",".join(f"p{number}" for number in range(70))
        self.refused(["more than 64 names"], protocol_phases=many)

    def test_values(self):
        cases = [
            ({"phase_rest_duration": None}, ["-phase_rest_duration: must be given"]),
            ({"phase_rest_duration": 0}, ["-phase_rest_duration 0: must be above 0"]),
            ({"phase_rest_epsilon": -1}, ["-phase_rest_epsilon -1: must be at least 0"]),
            ({"phase_rest_plasticity": "maybe"}, ["-phase_rest_plasticity maybe", "true or false"]),
            ({"phase_rest_initial": "begin"}, ["-phase_rest_initial begin", "continue or reset"]),
            ({"phase_rest_input": "1 + x"}, ["-phase_rest_input", "x"]),
            ({"phase_sleep_duration": 1}, ["unknown option -phase_sleep_duration"]),
            ({"time_end": 3}, ["-time_end 3", "until t = 0.15625", "leave -time_end out"]),
            ({"steady": True}, ["-steady", "-protocol_phases"]),
            ({"model_delay": 1, "phase_rest_epsilon": 0}, ["-model_delay 1"]),
            ({"protocol_phases": None}, ["unknown option -phase_"]),
        ]
        for changes, fragments in cases:
            with self.subTest(changes):
                self.refused(fragments, **changes)

    def test_no_end(self):
        process = self.execute([self.write_case(time_end=None), "-output_dir", "refused"])
        self.assertEqual(process.returncode, 2)
        self.assertIn("-time_end: must be given", process.stderr)


if __name__ == "__main__":
    main()
