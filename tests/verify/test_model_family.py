"""Refractory state, noise that depends on the rate, adaptive steps, and what is refused."""

import sys

import engram_test
import numpy

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import network_studies  # noqa: E402
import reference  # noqa: E402
import runner  # noqa: E402
import scheme_studies  # noqa: E402

# A learning network with every member of the family at once.
ALL = dict(scheme_studies.TRANSIENT, model_refractory=0.3, model_noise="1 + 0.3*N",
           model_delay=0.07, transport_order=2, grid_w_cells=20)


class SteadyStates(engram_test.EngramTestCase):
    """Against quadrature and root finding."""

    def test_rates(self):
        rows = network_studies.family_rates(engram_test.PROGRAM)
        self.assertEqual(len(rows), 9)
        for row in rows:
            with self.subTest(b=row["weight"], member=row["member"]):
                self.assertEqual(len(row["rates"]), len(row["exact"]))
                for rate, slope, stable, (root, steepness) in zip(row["rates"], row["slopes"],
                                                                  row["stable"], row["exact"]):
                    self.assertAlmostEqual(rate, root, delta=4e-6 * (1.0 + root))
                    self.assertAlmostEqual(slope, steepness, delta=4e-6)
                    self.assertEqual(stable, float(steepness < 1.0))

    def test_known_rate_with_noise(self):
        table = runner.run(engram_test.PROGRAM, network_studies.single(
            0.5, model_noise="1 + 0.1*N", grid_v_cells=22400)).tables["steady"]
        self.assertAlmostEqual(table["total_rate"][0], 0.138703400296, delta=1e-8)

    def test_delay_has_no_steady_effect(self):
        """The steady states of a delayed network are those without delay."""
        with_delay, without = (
            runner.run(engram_test.PROGRAM, network_studies.single(1.5, grid_v_cells=320,
                                                                   model_delay=delay))
            .tables["steady"] for delay in (2, 0))
        self.assertEqual(with_delay, without)

    def test_long_runs_arrive_there(self):
        for member, options, words in network_studies.FAMILY:
            with self.subTest(member=member):
                exact = reference.network_steady_rates(0.5, **words)[0][0]
                rates = self.run_case(network_studies.single(0.5, grid_v_cells=320), steady="false",
                                      time_step=0.05, time_end=30, **options).series()
                self.assertAlmostEqual(rates["total_rate"][-1], exact, delta=2e-5)


class Refractory(engram_test.EngramTestCase):
    """One more state between firing and reset."""

    CASE = network_studies.single(0.5, grid_v_cells=80, steady="false")

    def test_mass_is_density_and_refractory(self):
        fields = self.run_case(ALL, output_fields_every=0.05).fields()
        width, cell = (fields[name][1] - fields[name][0] for name in ("v", "w"))
        awake = width * fields["density"].sum(axis=1)
        self.assertLess(numpy.abs(awake + fields["refractory"] - fields["weight_density"]).max(),
                        1e-13 * fields["weight_density"].max())
        for mass in cell * fields["weight_density"].sum(axis=1):
            self.assertAlmostEqual(mass, 1.0, delta=1e-13)
        self.assertGreater((cell * fields["refractory"].sum(axis=1))[-1], 1e-2)
        self.assertEqual(fields["refractory"][0].max(), 0.0, "all are awake at the start")

    def steps_of(self, tau, step, **changes):
        """Fields after each of some steps without coupling, and their refractory state."""
        fields = self.run_case(self.CASE, **engram_test.PLAIN_EULER, model_refractory=tau,
                               model_response="0", time_step=step,
                               **{"time_end": 20 * step, "output_fields_every": step,
                                  "model_input": "1", **changes}).fields()
        return fields, fields["refractory"][:, 0]

    def check_balance(self, resting, inflow, step, tau):
        """R_new - R_old = (dt/eps)(inflow - R_new/tau) in each step."""
        change = step * (inflow[1:] - resting[1:] / tau)
        scale = step * numpy.abs(inflow).max()
        self.assertLess(numpy.abs(resting[1:] - resting[:-1] - change).max(), 1e-12 * scale)

    BALANCES = ((0.3, 0.01), (0.3, 5.0), (20.0, 0.1), (1e-3, 0.01))

    def test_balance_of_the_refractory_state(self):
        """Who fires comes in: with order 2 that is N, which is the state's own equation."""
        for tau, step in self.BALANCES:
            with self.subTest(tau=tau, step=step):
                fields, resting = self.steps_of(tau, step, grid_v_order=2)
                self.check_balance(resting, fields["firing_rate"][:, 0], step, tau)

    def test_balance_of_order_four(self):
        """R = (R_kept - kappa N)/(1 - kappa/tau) obeys its own equation, with N, in each step."""
        for tau, step in self.BALANCES:
            for drift in ("1", "1 + 5*(t > 3*%g)" % step):
                with self.subTest(tau=tau, step=step, drift=drift):
                    fields, kept = self.steps_of(tau, step, model_input=drift)
                    kappa = (10.0 / 80)**2 / 12.0
                    rate = fields["firing_rate"][:, 0]
                    resting = (kept - kappa * rate) / (1.0 - kappa / tau)
                    self.check_balance(resting, rate, step, tau)

    def test_short_rest_is_none(self):
        """tau -> 0 is the network without refractory state, linearly in tau."""
        rates = [self.run_case(self.CASE, model_refractory=tau, time_step=0.05,
                               time_end=5).series()["total_rate"][-1]
                 for tau in (0, 1e-4, 1e-5)]
        gaps = [abs(rate - rates[0]) for rate in rates[1:]]
        self.assertGreater(gaps[0], 1e-7)
        self.assertAlmostEqual(gaps[0] / gaps[1], 10.0, delta=0.1)

    def test_no_field_without_it(self):
        self.assertNotIn("refractory", self.run_case(self.CASE, time_step=0.1).fields())

    def test_limit_model(self):
        """eps = 0: the resting share of each weight is tau times its rate."""
        fields = self.run_case(ALL, model_delay=0, model_epsilon=0, coupling="implicit",
                               time_step=0.01).fields()
        resting, rate = fields["refractory"][-1], fields["firing_rate"][-1]
        self.assertLess(numpy.abs(resting - 0.3 * rate).max(), 1e-13 * rate.max())

    def test_rates_stay_below_one_over_tau(self):
        series = self.run_case(self.CASE, model_refractory=0.5, model_input="40", time_step=0.01,
                               time_end=5).series()
        self.assertLess(series["total_rate"][-1], 2.0)
        self.assertGreater(series["total_rate"][-1], 1.8)


class TransientOrders(engram_test.EngramTestCase):
    """First and second order in dt with all members at once, and with each alone."""

    def test_orders(self):
        members = [{"model_refractory": 0.3}, {"model_noise": "1 + 0.3*N"},
                   {name: ALL[name] for name in ("model_refractory", "model_noise", "model_delay")}]
        for options in members:
            for settings, expected in (({}, 1.0), (scheme_studies.SECOND_ORDER, 2.0)):
                with self.subTest(expected=expected, **options):
                    cases = [dict(scheme_studies.TRANSIENT, **options,
                                  **{"transport_order": 2, **settings}, time_step=0.005 / 2**k)
                             for k in range(4)]
                    values = [result.total_rate
                              for result in runner.run_all(engram_test.PROGRAM, cases)]
                    self.assertGreater(abs(values[0] - values[1]), 1e-6)
                    self.assertAlmostEqual(runner.orders_from_values(values)[-1], expected,
                                           delta=0.2)


class Adaptive(engram_test.EngramTestCase):
    """Steps chosen by their error."""

    CASE = dict(scheme_studies.TRANSIENT, **scheme_studies.SECOND_ORDER, time_end=0.5,
                time_adaptive="true", time_step=0.01, grid_w_cells=32)

    def test_outputs_are_hit_exactly(self):
        for every in (0.1, 0.07, 1.0 / 3.0):
            with self.subTest(every=every):
                result = self.run_case(self.CASE, output_fields_every=every)
                times = result.fields()["time"]
                expected = [k * every for k in range(int(0.5 / every + 1e-9) + 1)]
                expected += [] if expected[-1] == 0.5 else [0.5]
                self.assertEqual(times.tolist(), expected)
                self.assertTrue(set(times) <= set(result.series()["time"]))

    def test_tolerance_controls_the_error(self):
        """A quarter of the tolerance: about half the step, and an error that falls with it."""
        fine = runner.run(engram_test.PROGRAM, dict(self.CASE, time_adaptive="false",
                                                    time_step=0.5 / 2**12)).total_rate
        tolerances = [2.5e-4 / 4**k for k in range(4)]
        for scheme in scheme_studies.SCHEMES:
            results = runner.run_all(engram_test.PROGRAM, [
                dict(self.CASE, time_scheme=scheme, time_tolerance=tolerance)
                for tolerance in tolerances])
            errors = [abs(result.total_rate - fine) for result in results]
            steps = [result.summary["steps"] for result in results]
            with self.subTest(scheme=scheme):
                self.assertEqual(errors, sorted(errors, reverse=True))
                for fewer, more in zip(steps, steps[1:]):
                    self.assertAlmostEqual(more / fewer, 2.0, delta=0.5)
                order = numpy.log2(errors[0] / errors[-1]) / numpy.log2(steps[-1] / steps[0])
                self.assertAlmostEqual(order, scheme_studies.SCHEMES.index(scheme) + 1, delta=0.3)

    def test_rejected_steps_are_counted_and_repeated(self):
        """A steep ramp that no comparison tells of: steps into it are too long and taken again."""
        smooth = self.run_case(self.CASE, time_tolerance=1e-2)
        ramping = self.run_case(self.CASE, time_tolerance=1e-2,
                                model_input="2 + tanh((t - 0.2371)/0.002)")
        counts = [result.yaml("summary.yaml")["rejected_steps"] for result in (smooth, ramping)]
        self.assertGreater(counts[1], counts[0])
        series = ramping.series()
        late = [k for k in range(len(series["dt"])) if series["time"][k] > 0.1]
        shortest = min(late, key=lambda k: series["dt"][k])
        self.assertAlmostEqual(series["time"][shortest], 0.2371, delta=0.01)
        # A rejected step leaves no trace: what is written is a sequence of steps without gaps.
        for before, after, step in zip(series["time"], series["time"][1:], series["dt"][1:]):
            self.assertAlmostEqual(after - before, step, delta=1e-15)
        self.assertEqual(series["step"], list(range(len(series["step"]))))

    def test_bounds_of_the_step(self):
        lengths = self.run_case(self.CASE, time_tolerance=1e-3,
                                time_step_max=4e-3).series()["dt"][1:]
        self.assertAlmostEqual(max(lengths), 4e-3, delta=1e-8)
        free = self.run_case(self.CASE, time_tolerance=1e-3).series()["dt"][1:]
        self.assertGreater(max(free), 8e-3)

    def test_slow_states_get_long_steps(self):
        """Frozen weights at rest: the last step is far longer than the first."""
        lengths = self.run_case(self.CASE, model_plasticity=False,
                                time_end=100).series()["dt"][1:]
        self.assertGreater(max(lengths), 1000 * lengths[0])


# Options that contradict each other, and words of the message.
REFUSED = [
    ({"model_epsilon": 0, "model_delay": 1}, "-model_delay 1: is a time in units of the reacting"),
    ({"model_epsilon": 0, "time_scheme": "extrapolated", "coupling": "lagged"},
     "add -coupling implicit"),
    ({"model_epsilon": 0, "slice_pc_type": "lu"}, "has no linear systems to solve"),
    ({"model_noise": "N - 1"}, '-model_noise "N - 1": is -1 at Nbar = 0; it must be'),
    ({"model_noise": "0"}, "greater than 0"),
    ({"coupling": "half"}, "-coupling half: must be lagged or implicit or auto"),
    ({"transport_time": "half"}, "-transport_time half: must be explicit or implicit"),
    ({"transport_order": 3}, "-transport_order 3"),
    ({"time_scheme": "half"}, "-time_scheme half: must be euler or second-order or third-order"),
    ({"time_adaptive": True, "time_step_min": 0.1, "time_step_max": 0.05}, "-time_step"),
    ({"time_adaptive": True, "coupling": "lagged"}, "adaptive steps cannot keep their tolerance"),
    ({"time_adaptive": False, "time_step": 0}, "fixed steps need their length"),
    ({"steady": True, "model_input": "1 + t"}, "changes with t, so nothing is steady"),
    ({"steady_sweep": "grid_w_max:1:2:3"}, "needs frozen weights, -model_plasticity false"),
    ({"steady_sweep": "grid_w_max:1:2", "model_plasticity": False}, "must be OPTION:from:to:n"),
    ({"steady_sweep": "grid_w_max:1:1:3", "model_plasticity": False}, "must be OPTION:from:to:n"),
    ({"steady_sweep": "nonsense:1:2:3", "model_plasticity": False}, "nonsense"),
]


class Refusals(engram_test.EngramTestCase):
    """A combination without meaning ends in one message and exit code 2; nothing is written."""

    def test_contradictions(self):
        for changes, message in REFUSED:
            with self.subTest(**changes):
                process = self.execute([self.write_case(**changes), "-output_dir", "refused"])
                self.assertEqual(process.returncode, 2, process.stdout + process.stderr)
                errors = [line for line in process.stderr.splitlines() if "error" in line]
                self.assertEqual(len(errors), 1, process.stderr)
                self.assertIn(message, errors[0])
                self.assertFalse((self.folder / "refused").exists())

    def test_second_order_transport_needs_two_cells_a_rank(self):
        case = self.write_case(transport_order=2, grid_w_cells=3)
        process = self.execute([case, "-output_dir", "refused"], ranks=2)
        self.assertEqual(process.returncode, 2, process.stdout + process.stderr)
        self.assertIn("needs 2 cells of w on every rank", process.stderr)
        self.run_case(transport_order=2, grid_w_cells=3, transport_time="implicit", ranks=2)

    def test_noise_that_becomes_negative(self):
        """Allowed at rest, but not where the network goes: it stops there and says so."""
        result = self.run_case(engram_test.PLAIN_EULER, model_noise="1 - 2*N", time_end=2,
                               expect=3)
        self.assertIn("the noise a(Nbar) is not positive and finite", result.stderr)


if __name__ == "__main__":
    engram_test.main()
