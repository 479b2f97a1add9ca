"""tools/convergence_errors.py: restriction keeps mass, its order, norms, orders, slabs."""

import pathlib
import sys
import tempfile
import unittest

import h5py
import numpy

from engram_test import SOURCE

sys.path.insert(0, str(SOURCE / "tools"))
import convergence_errors as errors  # noqa: E402
import convergence_exact as exact  # noqa: E402

LOW, RESET, HIGH = -4.0, 1.0, 2.0


def nodes(cells):
    """Nodes of the potential axis between its ends, and their distance."""
    width = (HIGH - LOW) / cells
    return LOW + width * numpy.arange(1, cells), width


def kinked(v):
    """Zero at both ends, smooth but for a kink at the reset potential, where a spike comes in."""
    smooth = numpy.sin(numpy.pi * (v - LOW) / (HIGH - LOW))
    return smooth + numpy.where(v < RESET, (v - LOW) / (RESET - LOW), (HIGH - v) / (HIGH - RESET))


class Restriction(unittest.TestCase):
    """A fine density on a coarse grid."""

    def test_mass_of_every_coarse_cell_of_w_is_kept(self):
        random = numpy.random.default_rng(1)
        for stride, group in ((1, 1), (2, 2), (4, 2), (3, 5), (8, 1)):
            density = random.random((24 * stride - 1, 10 * group))
            coarse = errors.restrict_density(density, stride, group)
            self.assertEqual(coarse.shape, (23, 10))
            mass = density.sum(axis=0).reshape(10, group).mean(axis=1)
            numpy.testing.assert_allclose(stride * coarse.sum(axis=0), mass, rtol=1e-14)
            self.assertGreaterEqual(coarse.min(), 0.0)

    def test_cell_averages_of_any_polynomial_are_exact(self):
        edges = numpy.linspace(-1.0, 1.0, 25)
        for degree in range(9):
            integral = edges ** (degree + 1) / (degree + 1)
            averages = numpy.diff(integral) / numpy.diff(edges)
            coarse = numpy.diff(integral[::4]) / numpy.diff(edges[::4])
            numpy.testing.assert_allclose(errors.mean_of_cells(averages, 4), coarse, atol=1e-15)

    def test_identity_without_refinement(self):
        density = numpy.random.default_rng(2).random((11, 4))
        self.assertTrue((errors.restrict_density(density, 1, 1) == density).all())

    def test_exact_for_linear_parts_with_a_kink_at_a_common_node(self):
        def hat(v):
            return numpy.where(v < RESET, (v - LOW) / (RESET - LOW), (HIGH - v) / (HIGH - RESET))

        fine, coarse = (hat(nodes(cells)[0]) for cells in (96, 24))
        numpy.testing.assert_allclose(errors.restrict_density(fine[:, None], 4, 1)[:, 0], coarse,
                                      rtol=1e-14)

    def test_factor_of_a_parabola_is_known(self):
        """(v - low)(high - v): the trapezoidal sum is the integral L^3/6 less L h^2/6."""
        fine, width = nodes(48)
        density = (fine - LOW) * (HIGH - fine)
        length = HIGH - LOW
        factor = (length**2 - width**2) / (length**2 - (2.0 * width)**2)
        numpy.testing.assert_allclose(errors.restrict_density(density[:, None], 2, 1)[:, 0],
                                      factor * density[1::2], rtol=1e-13)

    def test_second_order_in_both_norms_where_full_weighting_is_not(self):
        ours, weighted = [], []
        for cells in (24, 48, 96, 192):
            coarse, fine = kinked(nodes(cells)[0]), kinked(nodes(2 * cells)[0])
            ours.append(numpy.abs(errors.restrict_density(fine[:, None], 2, 1)[:, 0] - coarse))
            weighted.append(numpy.abs(
                0.25 * fine[:-2:2] + 0.5 * fine[1::2] + 0.25 * fine[2::2] - coarse))
        for measure in (numpy.max, numpy.mean):
            size = [measure(error) for error in ours]
            self.assertAlmostEqual(numpy.log2(size[-2] / size[-1]), 2.0, delta=0.05)
        largest = [error.max() for error in weighted]
        self.assertAlmostEqual(numpy.log2(largest[-2] / largest[-1]), 1.0, delta=0.1)


class Files(unittest.TestCase):
    """Densities in files are read in slabs, and give what whole arrays give."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="engram_test_")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.addCleanup(setattr, errors, "SLAB_BYTES", errors.SLAB_BYTES)

    def write(self, name, cells, slices, seed):
        """A fields.h5 with random fields."""
        random = numpy.random.default_rng(seed)
        (self.folder / name).mkdir()
        with h5py.File(self.folder / name / "fields.h5", "w") as file:
            file["v"], file["w"] = nodes(cells)[0], (numpy.arange(slices) + 0.5) / slices
            file["time"], file["total_rate"] = [0.0, 1.0], [0.0, random.random()]
            file["firing_rate"] = random.random((2, slices))
            file["weight_density"] = random.random((2, slices))
            file["density"] = random.random((2, cells - 1, slices))
        fields = errors.Fields(self.folder / name)
        self.addCleanup(fields.close)
        return fields

    def test_norms_of_differences(self):
        coarse, fine = self.write("coarse", 24, 6, 1), self.write("fine", 96, 12, 2)
        whole = coarse.density[1] - errors.restrict_density(fine.density[1], 4, 2)
        rates = coarse.firing_rate - fine.firing_rate.reshape(6, 2).mean(axis=1)
        for size in (1, 8 * 12 * 5, 2**24):
            errors.SLAB_BYTES = size
            norms = errors.combination(coarse, [(1.0, coarse), (-1.0, fine)])
            self.assertAlmostEqual(norms["density", "L1"],
                                   numpy.abs(whole).sum() * 0.25 / 6.0, places=13)
            self.assertAlmostEqual(norms["density", "max"], numpy.abs(whole).max(), places=13)
            self.assertAlmostEqual(norms["firing_rate", "L1"], numpy.abs(rates).sum() / 6.0,
                                   places=14)
            self.assertEqual(norms["total_rate", "max"],
                             abs(coarse.total_rate - fine.total_rate))

    def test_grids_that_do_not_refine(self):
        coarse, fine = self.write("coarse", 24, 6, 1), self.write("fine", 36, 12, 2)
        with self.assertRaisesRegex(errors.RunError, "does not refine that of"):
            errors.differences([coarse, fine])

    def test_orders(self):
        norms = [{"a": 3.0 * 2.0 ** -k, "b": 5.0 * 4.0 ** -k, "c": 0.0} for k in range(3)]
        found = errors.orders(norms, 2)
        numpy.testing.assert_allclose(found["a"], [1.0, 1.0])
        numpy.testing.assert_allclose(found["b"], [2.0, 2.0])
        self.assertEqual(found["c"], [None, None])
        self.assertEqual([errors.known_order(order) for order in (0.8, 1.5, 2.2, 3.2, 3.9, 4.9, 6.0, None)],
                         [1, None, 2, 3, 4, 5, None, None])


class ClosedForms(unittest.TestCase):
    """Rates and densities of the quasi-static state."""

    def test_rates(self):
        neuron = exact.Neuron(1.0, 2.0, 1.0)
        numpy.testing.assert_allclose(neuron.rate([-1.0, 0.0, 1.0, 3.0]), [
            0.013071346855, 0.119975965239, 0.477690275873, 1.910962330034], rtol=1e-10)

    def test_density_has_unit_mass_and_the_flux_of_the_rate(self):
        neuron = exact.Neuron(0.5, 2.0, 1.0)
        v = numpy.linspace(-8.0, 2.0, 200001)
        density = neuron.density(v, 0.7) * neuron.rate(0.7)
        self.assertAlmostEqual(density.sum() * (v[1] - v[0]), 1.0, delta=1e-8)
        slope = density[-2] / (v[1] - v[0])
        self.assertAlmostEqual(0.5 * slope, float(neuron.rate(0.7)), delta=1e-3)

    def test_expressions(self):
        expression = exact.FunctionOfOne("model_input", "-w^2 + 0.3*sin(6*w) + min(w, 2)*pi", "w")
        self.assertAlmostEqual(float(expression(numpy.float64(0.5))),
                               -0.25 + 0.3 * numpy.sin(3.0) + 0.5 * numpy.pi, places=15)
        for text in ("__import__('os')", "t", "w < 0 ? 1", "w.real", "[w]", "w +"):
            with self.assertRaisesRegex(exact.RunError, "model_input: "):
                exact.FunctionOfOne("model_input", text, "w")

    def test_total_rate_has_two_names(self):
        responses = [exact.FunctionOfOne("model_response", f"{name}/(1 + {name})", "N")
                     for name in ("N", "Nbar")]
        self.assertEqual(*[float(response(numpy.float64(0.3))) for response in responses])
        with self.assertRaisesRegex(exact.RunError, "unknown name w; known are N, Nbar"):
            exact.FunctionOfOne("model_response", "w", "N")
        with self.assertRaisesRegex(exact.RunError, "unknown name Nbar; known are w"):
            exact.FunctionOfOne("model_input", "Nbar", "w")

    def test_cases_without_closed_form(self):
        learning = {"model_noise": "1", "model_v_threshold": "2", "model_v_reset": "1",
                    "model_input": "1", "model_response": "N/(1 + N)", "model_learning": "1",
                    "model_plasticity": "true", "grid_w_min": "0", "grid_w_max": "1"}
        state = exact.closed_form(learning, "case.yaml", 0.5)
        self.assertAlmostEqual(state.total_rate, 0.584384, delta=1e-6)
        self.assertAlmostEqual(state.support[1], 0.826443, delta=1e-6)
        for changes, message in (
                ({"model_input": "1 + 0*t"}, "model_input: .*unknown name t; .*expressions in w"),
                ({"model_noise": "1 + 0.1*N"}, "no closed form with model_noise"),
                ({"model_refractory": "1"}, "no closed form with model_refractory: 1"),
                ({"model_plasticity": "false"}, "a single weight only"),
                ({"grid_w_min": "-1"}, "for grid_w_min: 0 and K"),
                ({"grid_w_max": "0.8"}, "no learned state ends within grid_w_max: 0.8")):
            with self.subTest(message=message):
                with self.assertRaisesRegex(exact.RunError, message):
                    exact.closed_form({**learning, **changes}, "case.yaml", 0.5)

    def test_states_of_a_single_weight(self):
        case = {"model_noise": "1", "model_v_threshold": "2", "model_v_reset": "1",
                "model_input": "0", "model_response": "N", "model_plasticity": "false",
                "grid_w_min": "1.5", "grid_w_max": "1.5"}
        for near, rate in ((0.2, 0.192364), (2.0, 2.289126)):
            self.assertAlmostEqual(exact.closed_form(case, "case.yaml", near).total_rate, rate,
                                   delta=1e-6)
        with self.assertRaisesRegex(exact.RunError, "the network has no steady state"):
            exact.closed_form({**case, "grid_w_min": "3", "grid_w_max": "3"}, "case.yaml", 1.0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
