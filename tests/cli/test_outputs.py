"""What a run writes: series.csv, fields.h5, fields.xmf, case.yaml and summary.yaml."""

import csv
import xml.etree.ElementTree

import h5py
import numpy
import xarray

from engram_test import PLAIN_EULER, EngramTestCase, main

SERIES_COLUMNS = ["step", "time", "dt", "total_rate", "mass_error", "min_density", "mean_weight",
                  "var_weight", "coupling_iterations", "coupling_solutions"]

PROVENANCE = {"program", "version", "revision", "compiler", "build", "kernels", "petsc", "mpi",
              "hdf5", "muparser", "ranks", "started"}

SUMMARY_KEYS = {"status", "steps", "mean_step", "slice_solves", "transport_substeps", "ranks", "v_cells", "w_cells",
                "wall_seconds", "step_seconds", "ns_per_cell_and_step", "time", "total_rate",
                "mass_error", "min_density", "mean_weight", "var_weight", "slice_solver",
                "provenance", "rejected_steps", "coupling_iterations", "steps_with_several_rates",
                "checkpoints", "checkpoint_seconds", "cut_off_v_min", "cut_off_w_min",
                "cut_off_w_max", "warnings"}

UNITS = {
    "v": "dimensionless",
    "w_quadrature": "dimensionless",
    "w": "dimensionless",
    "time": "learning time",
    "total_rate": "1/reacting time",
    "density": "1/(potential weight)",
    "firing_rate": "1/(reacting time weight)",
    "weight_density": "1/weight",
}


def text_of(attribute):
    """An attribute of HDF5 as a str."""
    return attribute.decode("ascii") if isinstance(attribute, bytes) else str(attribute)


class SeriesTest(EngramTestCase):
    """The rows of series.csv."""

    def raw_rows(self, result):
        """Header and rows as texts."""
        with open(result.folder / "series.csv", newline="", encoding="ascii") as stream:
            rows = list(csv.reader(stream))
        return rows[0], rows[1:]

    def test_header_and_initial_row(self):
        header, rows = self.raw_rows(self.run_case())
        self.assertEqual(header, SERIES_COLUMNS)
        self.assertEqual(len(rows), 11)
        self.assertEqual(rows[0][:3], ["0", "0", "0"])
        self.assertEqual([row[0] for row in rows], [str(step) for step in range(11)])

    def test_every_few_steps_and_the_last(self):
        for every, steps in [(1, list(range(11))), (4, [0, 4, 8, 10]), (5, [0, 5, 10]),
                             (100, [0, 10])]:
            with self.subTest(every=every):
                series = self.run_case(output_series_every=every).series()
                self.assertEqual(series["step"], steps)

    def test_rows_do_not_depend_on_their_interval(self):
        _, every_row = self.raw_rows(self.run_case())
        _, third_rows = self.raw_rows(self.run_case(output_series_every=3))
        self.assertEqual(third_rows, [every_row[step] for step in (0, 3, 6, 9, 10)])

    def test_numbers_survive_the_text(self):
        header, rows = self.raw_rows(self.run_case())
        for row in rows:
            for name, text in zip(header[1:], row[1:]):
                self.assertEqual(f"{float(text):.17g}", text, name)
        digits = [len(text.split("e")[0].replace(".", "").strip("-0"))
                  for row in rows[1:] for text in (row[3], row[6])]
        self.assertGreaterEqual(max(digits), 17)

    def test_end_that_is_no_multiple_of_the_step(self):
        series = self.run_case(time_end=0.1, time_step=0.03).series()
        self.assertEqual(series["step"], [0, 1, 2, 3, 4])
        self.assertEqual(series["time"], [0.0, 0.03, 2 * 0.03, 3 * 0.03, 0.1])
        self.assertEqual(series["dt"][1:], list(numpy.diff(series["time"])))

    def test_end_that_is_a_multiple_but_for_rounding(self):
        series = self.run_case(time_end=0.3, time_step=0.1).series()
        self.assertEqual(series["step"][-1], 3)
        self.assertEqual(series["time"][-1], 0.3)

    def test_step_longer_than_the_run(self):
        series = self.run_case(time_end=0.1, time_step=5).series()
        self.assertEqual(series["step"], [0, 1])
        self.assertEqual(series["time"], [0.0, 0.1])

    def test_interval_in_time_of_adaptive_steps(self):
        """Steps end exactly at the multiples, whatever they divide; all others have no row."""
        for every, count in [(0.025, 4), (0.04, 3), (0.003, 34), (7, 1)]:
            with self.subTest(every=every):
                result = self.run_case(time_step=None, output_series_interval=every)
                series = result.series()
                self.assertEqual(series["time"], [*(k * every for k in range(count)), 0.1])
                self.assertGreater(result.yaml("summary.yaml")["steps"], count)

    def test_interval_in_time_of_fixed_steps(self):
        """At the first step that is not before a multiple."""
        for every, steps in [(0.02, [0, 2, 4, 6, 8, 10]), (0.025, [0, 3, 5, 8, 10]),
                             (0.001, list(range(11))), (7, [0, 10])]:
            with self.subTest(every=every):
                series = self.run_case(output_series_interval=every).series()
                self.assertEqual(series["step"], steps)

    def test_rows_of_an_interval_are_rows_of_the_run(self):
        """With fixed steps it only chooses among them; -output_series_every may choose more."""
        _, every_row = self.raw_rows(self.run_case())
        for every, steps in [(1, (0, 5, 10)), (3, (0, 3, 5, 6, 9, 10)), (100, (0, 5, 10))]:
            with self.subTest(every=every):
                _, rows = self.raw_rows(self.run_case(output_series_interval=0.05,
                                                      output_series_every=every))
                self.assertEqual(rows, [every_row[step] for step in steps])

    def test_rows_and_fields_at_times_of_their_own(self):
        result = self.run_case(time_step=None, output_series_interval=0.04,
                               output_fields_every=0.03)
        self.assertEqual(result.series()["time"], [0, 0.04, 0.08, 0.1])
        numpy.testing.assert_array_equal(result.fields()["time"], [0, 0.03, 0.06, 0.09, 0.1])

    def test_moments_and_mass(self):
        result = self.run_case()
        series, fields = result.series(), result.fields()
        for row, entry in [(0, 0), (-1, -1)]:
            share = fields["w_quadrature"] * fields["weight_density"][row]
            share /= share.sum()
            mean = numpy.dot(share, fields["w"])
            variance = numpy.dot(share, (fields["w"] - mean) ** 2)
            self.assertAlmostEqual(series["mean_weight"][entry], mean, delta=1e-13)
            self.assertAlmostEqual(series["var_weight"][entry], variance, delta=1e-13)
            self.assertEqual(series["min_density"][entry], fields["density"][row].min())
        self.assertLess(max(map(abs, series["mass_error"])), 1e-14)


class FieldsTest(EngramTestCase):
    """The datasets of fields.h5, and fields.xmf."""

    def test_shapes_units_and_descriptions(self):
        result = self.run_case(output_fields_every=0.02)
        shapes = {"v": (59,), "w": (20,), "time": (6,), "total_rate": (6,),
                  "w_quadrature": (20,), "density": (6, 59, 20),
                  "firing_rate": (6, 20), "weight_density": (6, 20)}
        with h5py.File(result.folder / "fields.h5", "r") as file:
            datasets = {name for name in file if isinstance(file[name], h5py.Dataset)}
            self.assertEqual(datasets, set(shapes))
            descriptions = set()
            for name, shape in shapes.items():
                self.assertEqual(file[name].shape, shape, name)
                self.assertEqual(file[name].dtype, numpy.dtype("<f8"), name)
                self.assertEqual(text_of(file[name].attrs["unit"]), UNITS[name])
                descriptions.add(text_of(file[name].attrs["description"]))
            self.assertEqual(len(descriptions), len(shapes))
            self.assertGreater(min(map(len, descriptions)), 10)

    def test_opens_with_xarray(self):
        """Dimensions have names and coordinates, and all has units: nothing has to be told."""
        changes = {"model_refractory": 0.2, "protocol_phases": "a,b", "phase_a_duration": 0.04,
                   "phase_b_duration": 0.06, "time_end": None, "output_fields_every": 0.02}
        single = {"grid_w_cells": 1, "grid_w_min": 0.5, "grid_w_max": 0.5,
                  "model_plasticity": False}
        for name, case in (("phases", changes), ("single", single)):
            with self.subTest(name=name):
                result = self.run_case(case)
                with xarray.open_dataset(result.folder / "fields.h5") as data:
                    self.check_dataset(data, result.fields())

    def check_dataset(self, data, fields):
        """What xarray has found is what is in the file."""
        planes = {1: ("time",), 2: ("time", "w"), 3: ("time", "v", "w")}
        others = {"v": ("v",), "w": ("w",), "w_quadrature": ("w",)}
        self.assertEqual(set(data.coords), {"time", "v", "w"})
        self.assertEqual(set(data.variables), set(fields))
        for name, values in fields.items():
            found = data[name]
            self.assertEqual(found.dims, others.get(name, planes[values.ndim]), name)
            self.assertEqual(found.values.tobytes(), values.tobytes(), name)
            self.assertEqual(found.attrs["units"], found.attrs["unit"])
            self.assertEqual(found.attrs["long_name"], found.attrs["description"])
        chosen = data["density"].sel(time=0.06, v=-1, method="nearest")
        row = numpy.abs(fields["time"] - 0.06).argmin()
        node = numpy.abs(fields["v"] + 1).argmin()
        numpy.testing.assert_array_equal(chosen.values, fields["density"][row, node])

    def test_axes(self):
        fields = self.run_case(model_v_min=-3, grid_v_cells=40, grid_w_min=-1,
                               grid_w_cells=8).fields()
        self.assertLess(numpy.abs(fields["v"] - (-3 + 0.125 * numpy.arange(1, 40))).max(), 1e-14)
        self.assertLess(numpy.abs(fields["w"] - (-1 + 0.25 * (numpy.arange(8) + 0.5))).max(),
                        1e-14)

    def test_provenance_and_options(self):
        result = self.run_case(model_noise="1.0e0")
        with h5py.File(result.folder / "fields.h5", "r") as file:
            self.assertLessEqual(PROVENANCE, set(file.attrs))
            self.assertEqual(text_of(file.attrs["program"]), "engram")
            self.assertEqual(text_of(file.attrs["ranks"]), "1")
            self.assertRegex(text_of(file.attrs["started"]), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            used = {name: text_of(value) for name, value in file["options_used"].attrs.items()}
            default = {name: text_of(value)
                       for name, value in file["options_default"].attrs.items()}
        self.assertEqual(set(used) & set(default), set())
        self.assertEqual(used["model_noise"], "1.0e0")
        self.assertEqual(used["model_response"], "N/(1 + N)")
        self.assertEqual(used["output_dir"], str(result.folder))
        self.assertEqual(default["model_v_threshold"], "2")
        self.assertEqual(default["slice_pc_type"], "gth")
        self.assertNotIn("grid_w_cells", default)

    def test_times_at_multiples_of_the_interval(self):
        for every, times in [(0, [0, 0.1]), (0.05, [0, 0.05, 0.1]),
                             (0.025, [0, 0.03, 0.05, 0.08, 0.1]),
                             (0.04, [0, 0.04, 0.08, 0.1]), (0.03, [0, 0.03, 0.06, 0.09, 0.1]),
                             (7, [0, 0.1])]:
            with self.subTest(every=every):
                fields = self.run_case(output_fields_every=every).fields()
                self.assertEqual(fields["time"].shape, (len(times),))
                self.assertLess(numpy.abs(fields["time"] - times).max(), 1e-14)

    def test_interval_far_below_the_step(self):
        for every in ("1e-4", "1e-30"):
            with self.subTest(every=every):
                fields = self.run_case(output_fields_every=every).fields()
                self.assertEqual(fields["time"].shape, (11,))

    def test_fields_agree_with_each_other_and_the_series(self):
        result = self.run_case(output_fields_every=0.02)
        fields, series = result.fields(), result.series()
        weight_density = 0.1 * fields["density"].sum(axis=1)
        self.assertLess(numpy.abs(weight_density - fields["weight_density"]).max(), 1e-13)
        total_rate = 0.05 * fields["firing_rate"] @ fields["w_quadrature"]
        self.assertLess(numpy.abs(total_rate - fields["total_rate"]).max(), 1e-14)
        self.assertEqual(list(fields["total_rate"]), series["total_rate"][::2])
        self.assertEqual(list(fields["time"]), series["time"][::2])
        self.assertLess(numpy.abs(0.05 * weight_density @ fields["w_quadrature"] - 1).max(), 1e-13)
        self.assertGreater(total_rate[-1], 0.2)

    def test_xdmf_describes_the_fields(self):
        result = self.run_case(output_fields_every=0.02)
        fields = result.fields()
        root = xml.etree.ElementTree.parse(result.folder / "fields.xmf").getroot()
        grids = root.findall("./Domain/Grid[@CollectionType='Temporal']/Grid")
        self.assertEqual([float(grid.find("Time").get("Value")) for grid in grids],
                         list(fields["time"]))
        for row, grid in enumerate(grids):
            self.assertEqual(grid.find("Topology").get("Dimensions"), "59 20")
            items = [item for item in grid.iter("DataItem") if item.get("Format") == "HDF"]
            self.assertEqual([item.text.strip() for item in items],
                             ["fields.h5:/w", "fields.h5:/v", f"fields.h5:/density|{row} 0 0:1 1 1:"
                              f"1 59 20:{row + 1} 59 20", "fields.h5:/density"])
            for item in items[:2]:
                shape = fields[item.text.strip().split("/")[1]].shape
                self.assertEqual(item.get("Dimensions"), str(shape[0]))
            slab = grid.find("./Attribute[@Name='density']/DataItem[@ItemType='HyperSlab']")
            self.assertEqual(slab.get("Dimensions"), "59 20")
            selection = [int(word) for word in slab[0].text.split()]
            self.assertEqual(selection, [row, 0, 0, 1, 1, 1, 1, 59, 20])
            extent = [int(word) for word in items[3].get("Dimensions").split()]
            self.assertGreater(extent[0], row)
            self.assertEqual(extent[1:], [59, 20])


class RecordTest(EngramTestCase):
    """case.yaml and summary.yaml."""

    def test_case_reruns_to_the_same_bits(self):
        options = {"model_input": "1 + w*sin(20*t)", "output_fields_every": 0.05,
                   "output_series_every": 2}
        first = self.run_case(options, extra=["-model_noise", "0.7", "-model_plasticity", "no"])
        again = self.folder / "again"
        process = self.execute([first.folder / "case.yaml", "-output_dir", again])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual((again / "series.csv").read_bytes(),
                         (first.folder / "series.csv").read_bytes())
        with h5py.File(again / "fields.h5", "r") as file:
            for name, values in first.fields().items():
                self.assertEqual(file[name][...].tobytes(), values.tobytes(), name)
        case = first.yaml("case.yaml")
        self.assertEqual(case["model_noise"], 0.7)
        self.assertIs(case["model_plasticity"], False)
        self.assertEqual(case["model_input"], "1 + w*sin(20*t)")

    def test_case_keeps_options_of_the_solver(self):
        extra = ["-slice_ksp_type", "gmres", "-slice_pc_type", "lu", "-slice_ksp_max_it", "7"]
        case = self.run_case(extra=extra).yaml("case.yaml")
        self.assertEqual(case["slice_ksp_type"], "gmres")
        self.assertEqual(case["slice_pc_type"], "lu")
        self.assertEqual(str(case["slice_ksp_max_it"]), "7")

    def test_summary(self):
        result = self.run_case()
        summary, series = result.yaml("summary.yaml"), result.series()
        self.assertEqual(set(summary), SUMMARY_KEYS | {"parts_of_steps"})
        self.assertEqual(set(summary["provenance"]), PROVENANCE)
        self.assertEqual((summary["status"], summary["steps"], summary["ranks"]), ("done", 10, 1))
        self.assertEqual((summary["v_cells"], summary["w_cells"]), (60, 20))
        self.assertEqual(summary["slice_solver"], "preonly + gth")
        for name in SERIES_COLUMNS[3:8] + ["time"]:
            self.assertEqual(float(summary[name]), series[name][-1], name)
        self.assertGreaterEqual(summary["transport_substeps"], 10)
        self.assertGreater(summary["wall_seconds"], 0)
        self.assertAlmostEqual(summary["mean_step"], 0.01, delta=1e-12)
        # Six sub-steps of three results for each part, and one solve or more for each of them.
        self.assertGreater(summary["parts_of_steps"], 10)
        self.assertGreaterEqual(summary["slice_solves"], 6 * summary["parts_of_steps"])

    def test_summary_of_adaptive_steps(self):
        result = self.run_case(time_step=None, time_tolerance=0.003)
        summary, series = result.yaml("summary.yaml"), result.series()
        self.assertEqual(set(summary), SUMMARY_KEYS | {"time_tolerance", "steps_above_tolerance"})
        self.assertEqual((summary["time_tolerance"], summary["steps_above_tolerance"]), (0.003, 0))
        self.assertEqual(summary["steps"], series["step"][-1])
        self.assertAlmostEqual(summary["mean_step"] / (0.1 / summary["steps"]), 1, delta=1e-5)
        attempts = summary["steps"] + summary["rejected_steps"]
        self.assertGreaterEqual(summary["slice_solves"], 6 * attempts)

    def test_summary_of_plain_steps(self):
        """The scheme of the paper has one part and one solve a step."""
        summary = self.run_case(PLAIN_EULER).yaml("summary.yaml")
        self.assertEqual((summary["parts_of_steps"], summary["slice_solves"]), (10, 10))

    def test_all_files_of_a_run(self):
        result = self.run_case()
        self.assertEqual({path.name for path in result.folder.iterdir()},
                         {"case.yaml", "series.csv", "fields.h5", "fields.xmf", "summary.yaml",
                          "status.yaml"})


if __name__ == "__main__":
    main()
