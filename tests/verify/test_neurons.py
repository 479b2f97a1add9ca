"""Neurons of any drift: their rates against quadrature, their networks, and what is refused."""

import sys

import engram_test
import scipy.optimize

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import exact  # noqa: E402
import neurons  # noqa: E402
import runner  # noqa: E402


class Rates(engram_test.EngramTestCase):
    """r(mu) of linear, quadratic and exponential neurons."""

    def test_references(self):
        """The quadrature of any drift agrees with Siegert's formula, and with another program."""
        for mu in neurons.INPUTS:
            self.assertAlmostEqual(neurons.LINEAR.rate(mu) / exact.rate(mu), 1.0, delta=1e-9)
        self.assertAlmostEqual(neurons.QUADRATIC.rate(0.0), 0.225463815, delta=1e-9)
        self.assertAlmostEqual(neurons.EXPONENTIAL.rate(0.0), 0.156511003, delta=1e-9)

    def test_fourth_order(self):
        """Of any neuron; of a linear one the sixth."""
        rows = neurons.steady_rates(engram_test.PROGRAM)
        self.assertEqual(len(rows), 12)
        for row in rows:
            with self.subTest(neuron=row["neuron"].name, mu=row["mu"]):
                if row["neuron"] is neurons.LINEAR:
                    # Six, down to the digits of the quadrature.
                    order = row["orders"][0]
                    self.assertTrue(order > 5.8 or abs(row["errors"][1]) < 1e-10, order)
                else:
                    self.assertGreater(row["orders"][-1], 3.9)
                self.assertLess(abs(row["errors"][-1]), 1e-7)

    def test_second_order(self):
        """By -grid_v_order 2 the same drift is of that order."""
        neuron = neurons.QUADRATIC
        values = [runner.run(engram_test.PROGRAM, neuron.case(cells, grid_v_order=2))
                  .tables["steady"]["total_rate"][0] for cells in neuron.levels]
        errors = [value - neuron.rate(0.0) for value in values]
        for order in runner.orders_from_errors(errors):
            self.assertAlmostEqual(order, 2.0, delta=0.05)

    def test_another_way_to_say_it(self):
        """A leak towards another potential is an input."""
        first, second = (runner.run(engram_test.PROGRAM, neurons.LINEAR.case(80, **changes))
                         .tables["steady"]["total_rate"][0]
                         for changes in ({"model_drift": "0.7 - v"}, {"model_input": "0.7"}))
        self.assertAlmostEqual(first / second, 1.0, delta=1e-11)


class Networks(engram_test.EngramTestCase):
    """N = r(b N^2) of quadratic and exponential neurons, and runs in time."""

    @staticmethod
    def states(neuron, weight, most=1.2, steps=24):
        """Rates and slopes of r(b N^2) of all states."""
        def excess(rate):
            return neuron.rate(weight * rate**2) - rate

        places = [most * k / steps for k in range(steps + 1)]
        values = [excess(place) for place in places]
        rates = [scipy.optimize.brentq(excess, low, high, xtol=1e-11)
                 for low, high, first, last in zip(places, places[1:], values, values[1:])
                 if first * last < 0.0]
        return [(rate, 1.0 + (excess(rate + 1e-4) - excess(rate - 1e-4)) / 2e-4)
                for rate in rates]

    def test_steady_states_and_their_stability(self):
        """Excitation has a stable and an unstable state, inhibition a stable one."""
        for neuron, weight, count in ((neurons.EXPONENTIAL, 2.0, 2), (neurons.QUADRATIC, 4.0, 2),
                                      (neurons.QUADRATIC, -5.0, 1)):
            with self.subTest(neuron=neuron.name, weight=weight):
                states = self.states(neuron, weight)
                self.assertEqual(len(states), count)
                case = neuron.case(320, model_response="N^2", initial_density="exp(-4*v^2)",
                                   grid_w_min=weight, grid_w_max=weight,
                                   steady_sweep=f"grid_w_min+grid_w_max:{weight}:{weight + 0.1}:2")
                tables = runner.run(engram_test.PROGRAM, case).tables
                self.assertEqual(len(tables["steady"]["total_rate"]), count)
                for name in ("steady", "bifurcation"):
                    rows = zip(*(tables[name][key][:count]
                                 for key in ("total_rate", "slope", "stable")))
                    for (rate, slope, stable), (root, steepness) in zip(rows, states):
                        self.assertAlmostEqual(rate / root, 1.0, delta=1e-4)
                        self.assertAlmostEqual(slope, steepness, delta=1e-3 * abs(steepness) + 1e-5)
                        self.assertEqual(stable, float(steepness < 1.0))

    def test_runs_arrive_there(self):
        """In time, with a refractory state: N = r/(1 + tau r)."""
        for neuron in (neurons.QUADRATIC, neurons.EXPONENTIAL):
            rate = neuron.rate(0.5)
            result = self.run_case(neuron.case(160, steady="false", model_input="0.5",
                                               model_refractory=0.4, time_end=40, time_step=None,
                                               initial_density="exp(-v^2)"))
            series = result.series()
            self.assertAlmostEqual(series["total_rate"][-1] * (1.0 / rate + 0.4), 1.0, delta=1e-5)
            self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-13)
            self.assertGreaterEqual(min(series["min_density"]), 0.0)


class Refused(engram_test.EngramTestCase):
    """Drifts that are none."""

    def refuse(self, drift, message):
        """Exit code 2 and one line."""
        process = self.execute([self.write_case(model_drift=drift), "-output_dir", "refused"])
        self.assertEqual(process.returncode, 2, process.stderr)
        lines = [line for line in process.stderr.splitlines() if "engram: " in line]
        self.assertEqual(len(lines), 1, process.stderr)
        self.assertIn(message, lines[0])

    def test_not_in_v(self):
        for name in ("t", "w", "N", "s"):
            self.refuse(f"v - {name}", f'-model_drift "v - {name}": not a valid expression in v')
        self.refuse("v^2 +", '-model_drift "v^2 +": not a valid expression in v')
        self.refuse("file:x", '-model_drift "file:x": not a valid expression in v')

    def test_not_finite(self):
        """It says where."""
        self.refuse("1/v", '-model_drift "1/v": is inf at v = 0; it must be finite')
        self.refuse("sqrt(v + 1)", "it must be finite from -model_v_min to -model_v_threshold")
        self.refuse("exp(1000*v)", "is inf at v = 0.725; it must be finite")

    def test_too_large(self):
        """Finite, but with no rate that a double can hold."""
        self.refuse("1e300*v", '-model_drift "1e300*v", -model_input "1"')

    def test_large(self):
        """A drift that empties the axis at once is a run, with mass and sign intact."""
        result = self.run_case(model_drift="(-1e8*v)")
        series = result.series()
        self.assertEqual(series["total_rate"][-1], 0.0)
        self.assertLess(max(abs(error) for error in series["mass_error"]), 1e-13)
        self.assertGreaterEqual(min(series["min_density"]), 0.0)


if __name__ == "__main__":
    engram_test.main()
