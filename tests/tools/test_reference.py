"""The references of the verification: against known values, each other, and under refinement."""

import sys

import engram_test
import numpy

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import exact  # noqa: E402
import reference  # noqa: E402


def cosine(w):
    """A density on [0, 1] that is smooth at both ends; it learns for 0.18 before a shock forms."""
    return 1.0 + numpy.cos(2.0 * numpy.pi * (w - 0.5))


def gaussian(w):
    """A narrow density around 0.4."""
    return numpy.exp(-(w - 0.4) ** 2 / (2.0 * 0.05 ** 2))


def uniform(w):
    """A constant density."""
    return numpy.ones_like(w)


def iterate(gain, start=0.0, count=1000):
    """The last two values of a fixed-point iteration."""
    values = [start]
    for _ in range(count):
        values.append(float(gain(values[-1])))
    return values[-2:]


class Rates(engram_test.EngramTestCase):
    """Rates of one neuron."""

    def test_known_rates(self):
        known = {-1: 0.013071346855, 0: 0.119975965239, 1: 0.477690275873, 3: 1.910962330034}
        for mu, rate in known.items():
            self.assertAlmostEqual(float(reference.firing_rate(mu)), rate, delta=5.1e-13)

    def test_other_noises_against_adaptive_quadrature(self):
        for noise, mu in ((0.2, -3.0), (0.2, 5.0), (0.01, 0.5), (1e-3, 2.5), (5.0, 0.0),
                          (1.0, -20.0)):
            with self.subTest(noise=noise, mu=mu):
                other = exact.rate(mu, noise)
                self.assertLess(abs(float(reference.firing_rate(mu, noise)) / other - 1.0), 1e-12)

    def test_no_noise_and_no_drive(self):
        """r = 1/ln((mu - V_R)/(mu - V_F)) for a -> 0; zero where it is too small for a double."""
        limits = [float(reference.firing_rate(3.0, noise)) - 1.0 / numpy.log(2.0)
                  for noise in (2e-4, 1e-4)]
        self.assertLess(abs(limits[1]), 1e-4)
        self.assertAlmostEqual(limits[0] / limits[1], 2.0, delta=0.01)
        self.assertEqual(float(reference.firing_rate(-60.0)), 0.0)

    def test_slope(self):
        for noise in (0.2, 1.0):
            slope = float(reference.firing_rate_slope(1.0, noise))
            other = reference.derivative(lambda mu: reference.firing_rate(mu, noise), 1.0)
            self.assertAlmostEqual(slope, float(other), delta=1e-10)

    def test_rate_table(self):
        mu = numpy.linspace(-20.0, 20.0, 1234)
        table, slope = reference.rate_table()
        exact_rate = reference.firing_rate(mu)
        self.assertLess(abs(numpy.exp(table(mu)) / exact_rate - 1.0).max(), 1e-11)
        self.assertLess(abs(slope(mu) * exact_rate - reference.firing_rate_slope(mu)).max(), 1e-8)

    def test_refractory_rate(self):
        self.assertAlmostEqual(float(reference.refractory_rate(1.0, 0.5)),
                               1.0 / (1.0 / 0.477690275873 + 0.5), delta=1e-12)
        self.assertLess(float(reference.refractory_rate(15.0, 0.1)), 10.0)


class SteadyNetworks(engram_test.EngramTestCase):
    """Networks with a single weight."""

    def check(self, pairs, rates, digits=6):
        """The rates to all digits given."""
        self.assertEqual(len(pairs), len(rates))
        for (rate, _), expected in zip(pairs, rates):
            self.assertAlmostEqual(rate, expected, delta=0.51 * 10.0 ** -digits)

    def test_known_networks(self):
        known = {-1: [0.100202], 0: [0.119976], 0.5: [0.134775], 1: [0.156207],
                 1.5: [0.192364, 2.289126], 2: [0.292583, 0.689434], 2.1: [0.407425, 0.442180],
                 2.2: []}
        for weight, rates in known.items():
            with self.subTest(weight=weight):
                pairs = reference.network_steady_rates(weight)
                self.check(pairs, rates)
                for (_, slope), is_stable in zip(pairs, (True, False)):
                    self.assertEqual(slope < 1.0, is_stable)

    def test_slope_of_the_gain(self):
        """dG/dN = b r'(bN) where neither noise nor refractory time complicates it."""
        (rate, slope), _ = reference.network_steady_rates(1.5)
        self.assertAlmostEqual(slope, 1.5 * float(reference.firing_rate_slope(1.5 * rate)),
                               delta=1e-9)

    def test_fold(self):
        (fold, rate), = reference.fold_weights()
        self.assertAlmostEqual(fold, 2.1009677604, delta=1e-10)
        self.assertAlmostEqual(rate, 0.4242243598, delta=1e-10)
        self.assertAlmostEqual(float(reference.firing_rate(fold * rate)), rate, delta=1e-13)
        self.assertEqual(len(reference.network_steady_rates(fold - 1e-4)), 2)
        self.assertEqual(len(reference.network_steady_rates(fold + 1e-4)), 0)

    def test_refractory_time(self):
        """Rates stay finite: one steady state above the fold; three between the two folds."""
        self.check(reference.network_steady_rates(3.0, tau=0.1), [6.394422])
        self.check(reference.network_steady_rates(0.5, tau=0.1), [0.132758])
        folds = [fold for fold, _ in reference.fold_weights(tau=0.1)]
        self.assertAlmostEqual(folds[0], 2.193862816, delta=1e-9)
        self.assertAlmostEqual(folds[1], 1.827569292, delta=1e-9)
        self.assertEqual(len(reference.network_steady_rates(2.0, tau=0.1)), 3)
        self.assertEqual(reference.fold_weights(tau=0.5), [])

    def test_noise_of_the_activity(self):
        """a = 1 + 0.1 N: the rate is that of the noise it makes itself."""
        pairs = reference.network_steady_rates(0.5, noise=lambda rate: 1.0 + 0.1 * rate)
        self.check(pairs, [0.1387034003], digits=10)
        rate = pairs[0][0]
        self.assertAlmostEqual(exact.rate(0.5 * rate, 1.0 + 0.1 * rate), rate, delta=1e-12)


class ImplicitRate(engram_test.EngramTestCase):
    """The scalar equation of Nbar."""

    def test_strong_inhibition(self):
        """The root exists, but the fixed-point iteration ends in a cycle of two."""
        (rate, slope), = reference.network_steady_rates(-20.0, current=4.0)
        self.assertAlmostEqual(rate, 0.1865720318, delta=1e-10)
        self.assertAlmostEqual(slope, -5.7362508, delta=1e-7)
        low, high = sorted(iterate(lambda n: reference.firing_rate(4.0 - 20.0 * n)))
        self.assertLess(low, 1e-12)
        self.assertAlmostEqual(high, 2.7999575867, delta=1e-9)

    def test_one_weight_is_a_narrow_distribution(self):
        pair, = reference.implicit_roots(uniform, (-20.0 - 1e-4, -20.0 + 1e-4), 4.0)
        other, = reference.network_steady_rates(-20.0, current=4.0)
        numpy.testing.assert_allclose(pair, other, rtol=1e-7)

    def test_distributed_inhibition(self):
        """A uniform density down to w = 0 has a slope just above -1, a bump beyond -1."""
        (rate, slope), = reference.implicit_roots(uniform, (-20.0, 0.0), 4.0)
        self.assertAlmostEqual(rate, 0.4977265224, delta=1e-10)
        self.assertAlmostEqual(slope, -1.0, delta=1e-6)
        (rate, slope), = reference.implicit_roots(lambda w: numpy.exp(-0.5 * (w + 15.0) ** 2),
                                                  (-20.0, -10.0), 4.0)
        self.assertAlmostEqual(rate, 0.2392409910, delta=1e-10)
        self.assertAlmostEqual(slope, -4.8939940, delta=1e-7)

    def test_decay_without_learning(self):
        """Quadrature, and the cells of the macroscopic equation without learning."""
        times, known = (0.5, 1.0, 2.0), (0.532953416451, 0.509822767834, 0.489046663578)
        rates = [reference.limit_total_rate(time, cosine, (0.0, 1.0), 1.0, reference.saturating)
                 for time in times]
        numpy.testing.assert_allclose(rates, known, rtol=2e-12)
        runs = [reference.macroscopic_reference(times, cosine, cells=cells, learning=0.0)
                for cells in (100, 200)]
        errors = [values - rates for values, _ in runs]
        self.assertLess(abs(errors[1]).max(), 2e-5)
        self.assertGreater((errors[0] / errors[1]).min(), 3.0)

    def test_decay_to_no_coupling(self):
        """All weights end at zero, where every neuron fires at r(I)."""
        rate = reference.limit_total_rate(20.0, cosine, (0.0, 1.0), 1.0)
        self.assertAlmostEqual(rate, 0.477690275873, delta=1e-8)


class DelayedNetwork(engram_test.EngramTestCase):
    """The delayed network and its period."""

    def test_period_of_a_known_curve(self):
        times = numpy.arange(0.0, 20.0, 0.01)
        rates = 2.0 + numpy.sin(2.0 * numpy.pi * times / 2.7) ** 3
        self.assertAlmostEqual(reference.period_of(times, rates, 5.0), 2.7, delta=1e-5)
        _, heights = reference.maxima_of(times, rates, 5.0)
        numpy.testing.assert_allclose(heights, 3.0, atol=1e-7)
        with self.assertRaises(ValueError):
            reference.period_of(times, rates, 18.0)

    def test_period_and_amplitude_converge(self):
        runs = [reference.delayed_network(cells=100 * 2**k, steps_per_delay=50 * 2**k)
                for k in range(4)]
        periods = [reference.period_of(*run, 10.0) for run in runs]
        differences = numpy.diff(periods)
        numpy.testing.assert_allclose(numpy.log2(differences[:-1] / differences[1:]), 2.0, atol=0.1)
        self.assertAlmostEqual(periods[-1], 2.84011, delta=2e-4)
        self.assertAlmostEqual(reference.maxima_of(*runs[-1], 20.0)[1].max(), 0.021169, delta=2e-6)

    def test_oscillations_last(self):
        """They neither grow nor decay on the limit cycle, and weaker inhibition has none."""
        times, rates = reference.delayed_network(time_end=80.0, steps_per_delay=100, cells=200)
        _, heights = reference.maxima_of(times, rates, 60.0)
        self.assertLess(numpy.ptp(heights), 1e-6)
        times, rates = reference.delayed_network(weight=-10.0, steps_per_delay=100, cells=200)
        self.assertLess(numpy.ptp(rates[times > 20.0]), 1e-5)

    def test_steady_state_without_coupling(self):
        """Cells against the Siegert integral: second order."""
        rate = exact.rate(0.5, 0.2, 1.0, 0.0)
        errors = [reference.delayed_network(weight=0.0, current=0.5, cells=cells)[1][-1] - rate
                  for cells in (200, 400)]
        self.assertLess(abs(errors[1]), 1e-4)
        self.assertAlmostEqual(errors[0] / errors[1], 4.0, delta=0.2)

    def test_reset_must_be_on_a_face(self):
        with self.assertRaises(ValueError):
            reference.delayed_network(cells=401)


class LearningTransient(engram_test.EngramTestCase):
    """The macroscopic equation by characteristics and by cells."""

    def test_characteristics_converge(self):
        times, known = (0.05, 0.1, 0.15), (0.575657729082, 0.576002195930, 0.576645435229)
        values = [reference.characteristic_reference(times, cosine, points=points)
                  for points in (201, 401, 801)]
        numpy.testing.assert_allclose(values[-1], known, rtol=1e-11)
        self.assertTrue((abs(values[0] - known) < 2e-9).all())

    def test_cells_against_characteristics(self):
        for density, learning, times in ((cosine, 1.0, (0.05, 0.1, 0.15)),
                                         (gaussian, 0.2, (0.025, 0.05, 0.07))):
            with self.subTest(density=density.__name__):
                values = reference.characteristic_reference(times, density, learning=learning)
                errors = [reference.macroscopic_reference(times, density, cells=cells,
                                                          learning=learning)[0] - values
                          for cells in (200, 800)]
                self.assertLess(abs(errors[1]).max(), 6e-7)
                self.assertGreater((errors[0] / errors[1]).min(), 10.0)

    def test_shock_is_noticed(self):
        with self.assertRaises(ArithmeticError):
            reference.characteristic_reference((0.3,), cosine)

    def test_learned_state(self):
        """Beyond the shock the cells end in the closed form of the learned steady state."""
        rates, (w, density) = reference.macroscopic_reference((0.5, 20.0), cosine, cells=100)
        self.assertAlmostEqual(rates[0], 0.58361, delta=2e-5)
        self.assertAlmostEqual(rates[1], exact.learned_state()[0], delta=6e-5)
        self.assertAlmostEqual(density.sum() * (w[1] - w[0]), 1.0, delta=1e-12)


if __name__ == "__main__":
    engram_test.main()
