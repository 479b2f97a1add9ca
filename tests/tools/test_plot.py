"""The pictures of tools/plot.py: present, not blank, right where it can be told, errors clear."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import unittest.mock

import h5py
import matplotlib
import matplotlib.image
import numpy

from engram_test import PYTHON, SOURCE, EngramTestCase, main

sys.path.insert(0, str(SOURCE / "tools"))
import plot  # noqa: E402
import plot_style  # noqa: E402

ALL_PICTURES = {"rate", "weights", "firing", "density", "invariants", "overview"}
PICTURES_OF_SINGLE_WEIGHT = {"rate", "density", "invariants", "overview"}
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

SINGLE_WEIGHT = {
    "grid_w_cells": 1, "grid_w_min": 0.5, "grid_w_max": 0.5, "model_plasticity": "false",
    "model_response": "N", "model_input": "0", "model_epsilon": 1, "time_end": 1,
    "initial_density": "exp(-(v+1)^2)", "output_fields_every": 0.1,
}


class PlotTestCase(EngramTestCase):
    """Runs plot.py, and looks at what it has drawn."""

    def plot(self, *arguments, expect=0):
        """Calls plot.py with these words in the test's folder, and checks the exit code.

        In this process, which is much faster; what needs one of its own starts it.
        """
        words = ["plot.py", *map(str, arguments)]
        code, stdout, stderr = 0, io.StringIO(), io.StringIO()
        with unittest.mock.patch.object(sys, "argv", words), contextlib.chdir(self.folder), \
                contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                code = plot.main()
            except SystemExit as leaving:
                code = leaving.code
        process = subprocess.CompletedProcess(words, code, stdout.getvalue(), stderr.getvalue())
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        return process

    def start_plot(self, *arguments, expect=0):
        """The same in a process of its own."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("DISPLAY", "MPLBACKEND")}
        process = subprocess.run([PYTHON, "-B", str(SOURCE / "tools" / "plot.py"),
                                  *map(str, arguments)],
                                 cwd=self.folder, env=environment, capture_output=True, text=True,
                                 timeout=300, check=False)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process

    def assert_fails(self, folder, path, message):
        """plot.py of the folder ends with one line on stderr that names the path and the fault."""
        process = self.plot(folder, expect=2)
        self.assertEqual(len(process.stderr.splitlines()), 1, process.stderr)
        self.assertTrue(process.stderr.startswith(f"plot.py: error: {path}: "), process.stderr)
        self.assertIn(message, process.stderr)
        self.assertEqual(process.stdout, "")

    def assert_picture(self, path):
        """The file is a PNG of a sensible size with something in it; returns its pixels."""
        self.assertTrue(path.is_file(), path)
        self.assertEqual(path.read_bytes()[:8], PNG_SIGNATURE, path)
        pixels = matplotlib.image.imread(path)[:, :, :3]
        height, width = pixels.shape[:2]
        self.assertTrue(400 <= height <= 2200 and 600 <= width <= 2200, (path, width, height))
        self.assertGreater(pixels.std(), 0.03, f"{path} is blank")
        return pixels

    def assert_pictures(self, folder, names):
        """The folder holds these pictures and nothing else."""
        self.assertEqual({path.name for path in folder.iterdir()},
                         {f"{name}.png" for name in names})
        for name in names:
            self.assert_picture(folder / f"{name}.png")


class TestPictures(PlotTestCase):
    """What is drawn of good results."""

    def test_learning_gives_all_pictures_and_lists_them(self):
        folder = self.run_case(output_fields_every=0.01).folder
        process = self.plot(folder)
        self.assert_pictures(folder / "plots", ALL_PICTURES)
        self.assertEqual(set(process.stdout.split()),
                         {str(folder / "plots" / f"{name}.png") for name in ALL_PICTURES})
        self.assertEqual(process.stderr, "")

    def test_overview_fits_a_readme(self):
        folder = self.run_case(output_fields_every=0.01).folder
        self.plot(folder, "--pictures", "overview")
        overview = folder / "plots" / "overview.png"
        self.assertEqual(self.assert_picture(overview).shape[1], 2102)
        self.assertLess(overview.stat().st_size, 200_000)

    def test_small_pictures_keep_their_colours(self):
        """Steps in a heat map would be seen; its pixels keep their colour to three parts in 256."""
        folder = self.run_case(output_fields_every=0.01).folder
        self.plot(folder, "--pictures", "overview")
        small = self.assert_picture(folder / "plots" / "overview.png")
        with unittest.mock.patch.object(plot_style, "write_png", all_colours):
            self.plot(folder, "--pictures", "overview")
        whole = self.assert_picture(folder / "plots" / "overview.png")
        difference = 256 * numpy.abs(small[:, :, :3] - whole[:, :, :3]).max(axis=2)
        is_map = is_of_map(whole)
        self.assertGreater(is_map.mean(), 0.1)
        self.assertLess(numpy.percentile(difference[is_map], 95), 3.0)
        self.assertLess(difference.mean(), 0.5)
        self.assertGreater(count_orange(whole), 100)
        self.assertGreater(count_orange(small), 0.9 * count_orange(whole))

    def test_density_map_shows_the_density_the_right_way_up(self):
        result = self.run_case(grid_w_min=-1, model_plasticity="false")
        self.plot(result.folder, "--pictures", "density")
        pixels = self.assert_picture(result.folder / "plots" / "density.png")
        drawn = find_heat_map(pixels)
        stored = result.fields()["density"][-1][::-1]  # row 0 of a picture is its top
        # viridis: green rises monotonically with the value.
        green = sample(drawn[:, :, 1], stored.shape)
        self.assertGreater(numpy.corrcoef(green.ravel(), stored.ravel())[0, 1], 0.8)
        for turned in (stored[::-1], stored[:, ::-1]):
            self.assertLess(numpy.corrcoef(green.ravel(), turned.ravel())[0, 1], 0.5)

    def test_maps_follow_the_results(self):
        first = self.run_case(output_fields_every=0.01).folder
        second = self.run_case(output_fields_every=0.01, model_input="0",
                               initial_density="exp(-(w - 0.7)^2/0.02)*exp(-v^2/0.5)").folder
        self.plot(first, second)
        for name in ALL_PICTURES:
            one, other = (self.assert_picture(folder / "plots" / f"{name}.png")
                          for folder in (first, second))
            self.assertFalse(numpy.array_equal(one, other), name)

    def test_learned_line_only_for_a_constant_strength(self):
        constant = self.run_case(output_fields_every=0.01, time_end=1).folder
        varying = self.run_case(output_fields_every=0.01, time_end=1,
                                model_learning="1 + 0*w").folder
        frozen = self.run_case(output_fields_every=0.01, time_end=1,
                               model_plasticity="false").folder
        self.plot(constant, varying, frozen, "--pictures", "firing")
        counts = [count_orange(self.assert_picture(folder / "plots" / "firing.png"))
                  for folder in (constant, varying, frozen)]
        self.assertGreater(counts[0], 100)
        self.assertEqual(counts[1:], [0, 0])

    def test_single_weight_gives_lines_and_says_so(self):
        folder = self.run_case(SINGLE_WEIGHT).folder
        process = self.plot(folder)
        self.assert_pictures(folder / "plots", PICTURES_OF_SINGLE_WEIGHT)
        self.assertIn(f"note: {folder}: a single weight: no pictures over w (weights, firing)",
                      process.stdout)

    def test_first_and_last_state_only_give_curves(self):
        folder = self.run_case(output_fields_every=0).folder
        process = self.plot(folder)
        self.assert_pictures(folder / "plots", ALL_PICTURES)
        self.assertIn("too few times for heat maps over time, only 2", process.stdout)

    def test_values_that_are_not_finite_are_left_blank(self):
        folder = self.run_case(output_fields_every=0.01).folder
        with h5py.File(folder / "fields.h5", "r+") as file:
            for name in ("density", "firing_rate", "weight_density"):
                file[name][-1] = numpy.nan
        self.plot(folder)
        self.assert_pictures(folder / "plots", ALL_PICTURES)

    def test_negative_densities_are_marked(self):
        path = self.run_case().folder / "series.csv"
        self.plot(path.parent, "--pictures", "invariants")
        picture = path.parent / "plots" / "invariants.png"
        self.assertEqual(count_orange(self.assert_picture(picture)), 0)
        header, *rows = path.read_text(encoding="ascii").splitlines()
        column = header.split(",").index("min_density")
        words = rows[5].split(",")
        words[column] = "-1e-9"
        rows[5] = ",".join(words)
        path.write_text("\n".join([header, *rows, ""]), encoding="ascii")
        self.plot(path.parent, "--pictures", "invariants")
        self.assertGreater(count_orange(self.assert_picture(picture)), 5)

    def test_line_still_being_written_is_left_out(self):
        folder = self.run_case().folder
        with open(folder / "series.csv", "a", encoding="ascii") as stream:
            stream.write("11,0.1")
        process = self.plot(folder, "--pictures", "rate")
        self.assertIn("series.csv: left out line 13, which is not complete", process.stdout)
        self.assert_pictures(folder / "plots", {"rate"})


class TestFiles(PlotTestCase):
    """Where pictures go, and what they may replace."""

    def test_output_and_format(self):
        folder = self.run_case().folder
        self.plot(folder, "--output", self.folder / "new" / "deep", "--format", "pdf")
        names = {path.name for path in (self.folder / "new" / "deep").iterdir()}
        self.assertEqual(names, {f"{name}.pdf" for name in ALL_PICTURES})
        for name in names:
            self.assertEqual((self.folder / "new" / "deep" / name).read_bytes()[:5], b"%PDF-")
        self.assertFalse((folder / "plots").exists())

    def test_several_runs_get_folders_of_their_own(self):
        folders = [self.run_case().folder, self.run_case(SINGLE_WEIGHT).folder]
        self.plot(*folders, "--output", self.folder / "both", "--pictures", "density")
        for folder in folders:
            self.assert_pictures(self.folder / "both" / folder.name, {"density"})

    def test_several_runs_of_one_name_are_refused(self):
        process = self.plot("a/run", "b/run", "--output", "both", expect=2)
        self.assertIn("--output needs folders DIR of different names", process.stderr)

    def test_a_bad_run_does_not_keep_the_good_ones_from_being_drawn(self):
        folder = self.run_case().folder
        process = self.start_plot("absent", folder, "--pictures", "rate", expect=2)
        self.assertEqual(process.stderr, "plot.py: error: absent: no such folder\n")
        self.assert_pictures(folder / "plots", {"rate"})

    def test_own_pictures_are_replaced_by_equal_ones(self):
        folder = self.run_case().folder
        pictures = []
        for _ in range(2):
            self.start_plot(folder, "--format", "both", "--pictures", "density,firing")
            pictures.append({path.name: path.read_bytes()
                             for path in (folder / "plots").iterdir()})
        self.assertEqual(len(pictures[0]), 4)
        self.assertEqual(pictures[0].keys(), pictures[1].keys())
        for name, picture in pictures[0].items():
            self.assertTrue(picture == pictures[1][name], f"{name} differs")

    def test_foreign_files_stay(self):
        folder = self.run_case().folder
        (folder / "plots").mkdir()
        foreign = folder / "plots" / "density.png"
        foreign.write_bytes(b"mine")
        self.assert_fails(folder, foreign, "exists and was not drawn by plot.py; not overwritten")
        self.assertEqual(foreign.read_bytes(), b"mine")
        self.assertEqual(list((folder / "plots").iterdir()), [foreign])

    def test_results_are_left_as_they_are(self):
        folder = self.run_case().folder
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.plot(folder, "--pictures", "rate")
        shutil.rmtree(folder / "plots")
        self.assertTrue(before == {path.name: path.read_bytes() for path in folder.iterdir()})

    def test_help_has_examples(self):
        text = self.start_plot("--help").stdout
        self.assertIn("examples:", text)
        self.assertIn("tools/plot.py results/learning", text)


class TestErrors(PlotTestCase):
    """What is said of results that cannot be drawn."""

    def test_no_folder_named(self):
        self.assertIn("required: DIR", self.plot(expect=2).stderr)

    def test_missing_folder(self):
        self.assert_fails("absent", "absent", "no such folder")

    def test_missing_files(self):
        folder = self.run_case().folder
        for name in ("fields.h5", "series.csv", "case.yaml"):
            kept = (folder / name).read_bytes()
            (folder / name).unlink()
            self.assert_fails(folder, folder / name, "no such file; is this the output folder")
            (folder / name).write_bytes(b"")
            self.assert_fails(folder, folder / name, "the file is empty")
            (folder / name).write_bytes(kept)
        self.assertFalse((folder / "plots").exists())

    def test_truncated_fields(self):
        path = self.run_case(output_fields_every=0.01).folder / "fields.h5"
        whole = path.read_bytes()
        for size in (len(whole) - 1, len(whole) // 2, 2000, 10):
            path.write_bytes(whole[:size])
            self.assert_fails(path.parent, path, "not readable as HDF5, truncated")

    def test_fields_of_something_else(self):
        path = self.run_case().folder / "fields.h5"
        with h5py.File(path, "r+") as file:
            del file["firing_rate"]
        self.assert_fails(path.parent, path, "no dataset 'firing_rate'")
        with h5py.File(path, "r+") as file:
            file["firing_rate"] = numpy.zeros((2, 7))
        self.assert_fails(path.parent, path, "dataset 'firing_rate' has shape (2, 7)")
        path.write_text("not HDF5 at all\n", encoding="ascii")
        self.assert_fails(path.parent, path, "not readable as HDF5")

    def test_fields_without_rows(self):
        path = self.run_case().folder / "fields.h5"
        with h5py.File(path, "r+") as file:
            file["density"].resize(0, axis=0)
        self.assert_fails(path.parent, path, "no rows in its datasets")

    def test_bad_series(self):
        path = self.run_case().folder / "series.csv"
        header, *rows = path.read_text(encoding="ascii").splitlines(keepends=True)
        for text, message in (
                (header, "no rows below the header"),
                ("a,b\n1,2\n", "no column time, total_rate"),
                ("\n", "no column time"),
                (header + rows[0] + "1,2\n" + rows[1], "line 3 has 2 columns, not 10"),
                (header + rows[0].replace("0", "zero"), "line 2 is not made of numbers")):
            path.write_text(text, encoding="ascii")
            self.assert_fails(path.parent, path, message)
        path.write_bytes(b"\xff\x00\xfe")
        self.assert_fails(path.parent, path, "not readable as text")

    def test_bad_case(self):
        path = self.run_case().folder / "case.yaml"
        for text, message in (
                ("model_v_reset: 1\n", "model_v_threshold is missing or not a number"),
                ("model_v_threshold: 2\nmodel_v_reset: x\n", "model_v_reset is missing or not"),
                ("just words\n", "not a list of options"),
                ("a: [1\n", "not readable as YAML")):
            path.write_text(text, encoding="ascii")
            self.assert_fails(path.parent, path, message)


def find_heat_map(pixels):
    """The largest area of a picture in colours of viridis: the pixels of the heat map, cropped."""
    # Neither white nor grey: the canvas, lines and letters have no colour.
    is_coloured = pixels.max(axis=2) - pixels.min(axis=2) > 0.15
    columns = numpy.flatnonzero(is_coloured.mean(axis=0) > 0.5)
    # The colour bar stands to the right, behind a gap.
    gaps = numpy.flatnonzero(numpy.diff(columns) > 1)
    columns = columns[:gaps[-1] + 1] if len(gaps) else columns
    rows = numpy.flatnonzero(is_coloured[:, columns].mean(axis=1) > 0.5)
    return pixels[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def all_colours(image, dots, file, _, write=plot_style.write_png):
    """As write_png, with all colours."""
    write(image, dots, file, False)


def is_of_map(pixels):
    """Which pixels have a colour of the heat maps, viridis: neither grey nor a curve's."""
    colours = matplotlib.colormaps["viridis"](numpy.arange(256))[:, :3]
    known = {tuple(colour) for colour in numpy.round(255 * colours).astype(int)}
    flat = numpy.round(255 * pixels[:, :, :3]).astype(int).reshape(-1, 3)
    names, place = numpy.unique(flat, axis=0, return_inverse=True)
    found = numpy.array([tuple(name) in known for name in names])
    return found[place.ravel()].reshape(pixels.shape[:2])


def sample(image, shape):
    """An image read at the centres of an even grid of another shape."""
    rows, columns = (((numpy.arange(count) + 0.5) * size / count).astype(int)
                     for count, size in zip(shape, image.shape))
    return image[numpy.ix_(rows, columns)]


def count_orange(pixels):
    """Number of pixels in the colour of the reference line, which no colour map contains."""
    red, green, blue = (pixels[:, :, channel] for channel in range(3))
    return int(((red > 0.9) & (green > 0.5) & (green < 0.65) & (blue < 0.3)).sum())


if __name__ == "__main__":
    main()
