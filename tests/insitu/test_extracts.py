"""Extracts: what extracts.py writes is, to the last bit, what fields.h5 holds."""

import csv

import numpy
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOXML import vtkXMLPRectilinearGridReader

from insitu_support import CASE, InsituTestCase, faces, main

STEPS = {"00000000": 0, "00000004": 1, "00000008": 2}  # and the rows of fields.h5
NUMBERS = ["time", "step", "total_rate", "mass_error", "threshold", "reset", "domain",
           "density_range", "weight_density_range", "firing_rate_range"]


def read_grid(path):
    """The grid of all ranks."""
    reader = vtkXMLPRectilinearGridReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def read_table(path):
    """The columns of a table as arrays, by name."""
    with open(path, newline="", encoding="ascii") as stream:
        rows = list(csv.DictReader(stream))
    return {name: numpy.array([float(row[name]) for row in rows]) for name in rows[0]}


class Extracts(InsituTestCase):
    """extracts.py, which needs no display."""

    def assert_same_bits(self, first, second):
        """The same doubles, signs of zeros included."""
        self.assertEqual(numpy.asarray(first).tobytes(), numpy.asarray(second).tobytes())

    def check_grid(self, result, step, fields):
        """Places and values of the density, and the numbers that come with it."""
        grid = read_grid(result.folder / "insitu" / f"density_{step}.pvtr")
        row = STEPS[step]
        density = fields["density"][row]
        self.assertEqual(grid.GetDimensions(), (density.shape[1] + 1, density.shape[0] + 1, 1))
        cells = vtk_to_numpy(grid.GetCellData().GetArray("density"))
        self.assert_same_bits(cells.reshape(density.shape), density)
        for coordinates, centres in ((grid.GetXCoordinates(), fields["w"]),
                                     (grid.GetYCoordinates(), fields["v"])):
            numpy.testing.assert_allclose(vtk_to_numpy(coordinates), faces(centres), atol=1e-14)
        numbers = {name: vtk_to_numpy(grid.GetFieldData().GetArray(name)) for name in NUMBERS}
        self.assertEqual(numbers["time"], fields["time"][row])
        self.assertEqual(numbers["step"], int(step))
        self.assertEqual(numbers["total_rate"], fields["total_rate"][row])
        self.assertEqual(numbers["mass_error"],
                         result.series()["mass_error"][int(step)])
        self.assertEqual((numbers["threshold"], numbers["reset"]), (2.0, 1.0))
        ends = [faces(fields[name])[end] for name in "wv" for end in (0, -1)]
        numpy.testing.assert_allclose(numbers["domain"], ends, atol=1e-14)
        for name in ("density", "weight_density", "firing_rate"):
            values = fields[name][row]
            self.assert_same_bits(numbers[f"{name}_range"], [values.min(), values.max()])

    def check_table(self, result, step, fields):
        """The columns of the table."""
        table = read_table(result.folder / "insitu" / f"weights_{step}.csv")
        row = STEPS[step]
        for name in ("weight_density", "firing_rate"):
            self.assert_same_bits(table[name], fields[name][row])
        numpy.testing.assert_allclose(table["w"], fields["w"], atol=1e-14)
        strength = numpy.cos(4 * fields["w"])
        velocity = strength * fields["firing_rate"][row] * fields["total_rate"][row]
        numpy.testing.assert_allclose(table["learning_velocity"], velocity, rtol=1e-13, atol=1e-300)
        return table

    def check_drift(self, result, table):
        """mu = I(w, t) + w sigma(Nbar), as the step that led to the last state had it."""
        time, rate = CASE["time_end"], result.series()["total_rate"][-1]
        weights = table["w"]
        drift = 1 + numpy.sin(9 * time) + 0.3 * weights + weights * rate / (1 + rate)
        self.assertLess(numpy.abs(table["drift"] - drift).max(), 0.2)

    def test_same_bits_as_the_fields(self):
        tables = {}
        for ranks in (1, 2, 4):
            result = self.show(f"ranks_{ranks}", ["extracts.py"], "-insitu_every", 4, ranks=ranks)
            fields = result.fields()
            names = [f"density_{step}.pvtr" for step in STEPS]
            self.assertEqual(self.names(result, ".pvtr"), names)
            for step in STEPS:
                with self.subTest(ranks=ranks, step=step):
                    self.check_grid(result, step, fields)
                    table = self.check_table(result, step, fields)
            self.check_drift(result, table)
            tables[ranks] = [(result.folder / "insitu" / name).read_bytes()
                             for name in self.names(result, ".csv")]
        self.assertEqual(tables[1], tables[2])
        self.assertEqual(tables[1], tables[4])

    def test_the_run_is_the_same_without(self):
        result = self.show("with", ["extracts.py"], "-insitu_every", 3, ranks=2)
        without = self.show("without", [], ranks=1)
        self.assertEqual((result.folder / "series.csv").read_bytes(),
                         (without.folder / "series.csv").read_bytes())
        fields, others = result.fields(), without.fields()
        self.assertEqual(fields.keys(), others.keys())
        for name, values in fields.items():
            self.assert_same_bits(values, others[name])
        self.assertEqual(self.names(result, ".csv"), [f"weights_0000000{n}.csv" for n in "0368"])

    def test_deviation(self):
        result = self.show("deviation", ["extracts.py"], "-insitu_every", 8, "-insitu_deviation",
                           ranks=2, model_epsilon=0.001, model_plasticity=False,
                           model_input="1 + 0.3*w", time_step=0.0078125)
        grid = read_grid(result.folder / "insitu" / "density_00000016.pvtr")
        deviation = vtk_to_numpy(grid.GetCellData().GetArray("deviation"))
        density = vtk_to_numpy(grid.GetCellData().GetArray("density"))
        first = read_grid(result.folder / "insitu" / "density_00000000.pvtr")
        start = vtk_to_numpy(first.GetCellData().GetArray("deviation"))
        # Frozen weights and a fast potential: large at first, and gone after 125 epsilon.
        self.assertGreater(numpy.abs(start).max(), 0.2 * density.max())
        self.assertLess(numpy.abs(deviation).max(), 1e-6 * density.max())


if __name__ == "__main__":
    main()
