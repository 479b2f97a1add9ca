"""The pictures of experiments: film, phase plane, entropy, phases, movies; and expressions."""

import re
import sys

import matplotlib
import numpy

from engram_test import SOURCE, EngramTestCase, main
from test_plot import ALL_PICTURES, SINGLE_WEIGHT, PlotTestCase, find_heat_map, sample

sys.path.insert(0, str(SOURCE / "tools"))
import plot_experiments  # noqa: E402
from engram_expression import ExpressionError, evaluate, variables_of  # noqa: E402
from engram_results import ResultsError, read_results  # noqa: E402
from plot_style import STYLE, mark_phases  # noqa: E402

UNCOUPLED = {"model_plasticity": "false", "model_response": "0", "time_end": 1.5,
             "output_fields_every": 0.05, "grid_w_cells": 4, "model_input": "1 + w"}
PHASES = {"time_end": None, "protocol_phases": "learn,rest,test", "phase_learn_duration": 0.4,
          "phase_rest_duration": 0.2, "phase_test_duration": 0.3, "phase_rest_input": "0",
          "output_fields_every": 0.05}


class TestEntropy(PlotTestCase):
    """Relative entropy of frozen, uncoupled networks."""

    def test_of_two_cells(self):
        """p = (3, 1)/2 and Q = (1, 1) with cells of 1/2: sums by hand; empty cells do not count."""
        density, steady = numpy.array([1.5, 0.5, 0.0]), numpy.array([1.0, 1.0, 0.0])
        expected = 0.5 * (1.5 * numpy.log(1.5) + 0.5 * numpy.log(0.5))
        self.assertAlmostEqual(plot_experiments.relative_entropy(
            plot_experiments.logarithmic, density, steady, 0.5), expected, places=15)
        self.assertAlmostEqual(plot_experiments.relative_entropy(
            plot_experiments.quadratic, density, steady, 0.5), 0.125, places=15)

    def test_decreases_as_from_the_state_of_the_limit_model(self):
        result = self.run_case(UNCOUPLED)
        times, values = plot_experiments.entropies(read_results(result.folder))
        limit = self.run_case(UNCOUPLED, model_epsilon=0, output_fields_every=0).fields()
        steady, fields = limit["density"][-1], result.fields()
        cell = (fields["v"][1] - fields["v"][0]) * (fields["w"][1] - fields["w"][0])
        self.assertEqual(len(times), 30)
        for function, row in zip((lambda x: x * numpy.log(x), lambda x: 0.5 * (x - 1.0) ** 2),
                                 values.values()):
            exact = [cell * (function(density / steady) * steady).sum()
                     for density in fields["density"][:8]]
            numpy.testing.assert_allclose(row[:8], exact, rtol=1e-5)
            falling = row[row > 1e-13]
            self.assertGreater(len(falling), 10)
            self.assertLess(numpy.diff(falling).max(), 0.0)

    def test_picture_shows_it_on_a_logarithmic_axis(self):
        results = read_results(self.run_case(UNCOUPLED).folder)
        axes = plot_experiments.entropy_figure(results).axes[0]
        self.assertEqual(axes.get_yscale(), "log")
        _, values = plot_experiments.entropies(results)
        for line, row in zip(axes.lines, values.values()):
            numpy.testing.assert_array_equal(line.get_ydata(), numpy.maximum(row, 1e-16))

    def test_refused_where_it_need_not_decrease(self):
        for message, changes in (
                ("decreases for frozen weights", {"model_plasticity": "true"}),
                ("decreases without coupling", {"model_response": "N/(1 + N)"}),
                ("for an input that rests; model_input has t", {"model_input": "sin(t)"}),
                ("has not come to rest", {"time_end": 0.2}),
                ("only 2 times in fields.h5", {"output_fields_every": 0}),
                ("the run has phases", PHASES)):
            folder = self.run_case({**UNCOUPLED, **changes}).folder
            process = self.plot(folder, "--pictures", "entropy", expect=2)
            self.assertIn(f"plot.py: error: {folder}: entropy: ", process.stderr)
            self.assertIn(message, process.stderr)


class TestFilm(PlotTestCase):
    """H over time, as a picture and as a movie."""

    def test_heat_map_holds_the_weights_over_time(self):
        result = self.run_case(output_fields_every=0.02, time_end=0.5)
        results = read_results(result.folder)
        fields = result.fields()
        with matplotlib.rc_context(STYLE):
            figure = plot_experiments.film_figure(results)
        heat, rate, stills = figure.axes[:3]
        shown = numpy.asarray(heat.collections[0].get_array()).reshape(len(fields["time"]), -1)
        numpy.testing.assert_array_equal(shown, fields["weight_density"])
        numpy.testing.assert_array_equal(rate.lines[0].get_xdata(),
                                         result.series()["total_rate"])
        names = [float(label.get_text()) for label in stills.get_yticklabels()]
        self.assertEqual((names[0], names[-1], names), (0.0, 0.5, sorted(names)))
        last = fields["weight_density"][-1]
        numpy.testing.assert_allclose(stills.lines[-1].get_ydata(),
                                      len(names) - 1 + plot_experiments.HEIGHT * last / last.max())

    def test_file(self):
        result = self.run_case(output_fields_every=0.01, model_plasticity="false")
        self.plot(result.folder, "--pictures", "film,phase-plane", "--format", "both")
        folder = result.folder / "plots"
        self.assertEqual({path.name for path in folder.iterdir()},
                         {"film.png", "film.pdf", "phase-plane.png", "phase-plane.pdf"})
        self.assertEqual((folder / "film.pdf").read_bytes()[:5], b"%PDF-")
        image = find_heat_map(self.assert_picture(folder / "film.png"))
        stored = result.fields()["weight_density"][::-1]
        green = sample(image[:, :, 1], stored.shape)
        self.assertGreater(numpy.corrcoef(green.ravel(), stored.ravel())[0, 1], 0.8)

    def test_movie(self):
        folder = self.run_case(output_fields_every=0.05).folder
        words = (folder, "--pictures", "film", "--movie", "gif")
        self.assertIn("film.gif: 3 pictures", self.plot(*words).stdout)
        movie = folder / "plots" / "film.gif"
        self.assertEqual(movie.read_bytes()[:6], b"GIF89a")
        before = movie.stat().st_mtime_ns
        self.assertIn("film.gif: is there already", self.plot(*words).stdout)
        self.assertEqual(movie.stat().st_mtime_ns, before)
        (folder / "fields.h5").touch()
        process = self.plot(*words, expect=2)
        self.assertIn("film.gif: is older than the results; remove it", process.stderr)

    def test_frames_hold_the_fields(self):
        result = self.run_case(output_fields_every=0.05)
        figure = plot_experiments.frame_figure(read_results(result.folder), 1, (3.0, 4.0))
        for axes, name, top in zip(figure.axes, ("weight_density", "firing_rate"), (3.0, 4.0)):
            numpy.testing.assert_array_equal(axes.lines[0].get_ydata(), result.fields()[name][1])
            self.assertEqual(axes.get_ylim(), (0.0, top))

    def test_refused(self):
        single = self.run_case(SINGLE_WEIGHT).folder
        short = self.run_case(output_fields_every=0).folder
        for folder, name, message in ((single, "film", "a single weight has no distribution"),
                                      (single, "phase-plane", "one mean weight only"),
                                      (short, "film", "only 2 times in fields.h5"),
                                      (short, "flim", "no such picture of this run; there is")):
            process = self.plot(folder, "--pictures", name, expect=2)
            self.assertEqual(len(process.stderr.splitlines()), 1)
            self.assertIn(f"{name}", process.stderr)
            self.assertIn(message, process.stderr)


class TestPhases(PlotTestCase):
    """Runs with a protocol."""

    def test_phases_are_read_as_far_as_the_run_has_come(self):
        folder = self.run_case(PHASES).folder
        phases = read_results(folder).phases
        self.assertEqual([name for name, _, _ in phases], ["learn", "rest", "test"])
        numpy.testing.assert_allclose([(begin, end) for _, begin, end in phases],
                                      [(0.0, 0.4), (0.4, 0.6), (0.6, 0.9)])
        path = folder / "series.csv"
        lines = path.read_text(encoding="ascii").splitlines(keepends=True)
        path.write_text("".join(lines[:52]), encoding="ascii")  # up to t = 0.5
        numpy.testing.assert_allclose(read_results(folder).phases[-1][1:], (0.4, 0.5))
        self.plot(folder)
        self.assert_pictures(folder / "plots", ALL_PICTURES)

    def test_bands(self):
        results = read_results(self.run_case(PHASES).folder)
        axes = matplotlib.pyplot.figure().add_subplot()
        mark_phases(axes, results)
        self.assertEqual([text.get_text() for text in axes.texts], ["learn", "rest", "test"])
        corners = numpy.asarray(axes.patches[0].get_xy())
        corners = corners[:, 0] if corners.ndim == 2 else [corners[0]]
        self.assertAlmostEqual(min(corners), 0.4)
        self.assertEqual(len(axes.patches), 1)

    def test_phase_plane(self):
        """One line a phase, together the whole series; marks at equal times."""
        result = self.run_case(PHASES)
        axes = plot_experiments.phase_plane_figure(read_results(result.folder)).axes[0]
        series = result.series()
        parts = [line.get_xdata() for line in axes.lines[:3]]
        self.assertEqual([len(part) for part in parts], [41, 21, 31])
        numpy.testing.assert_array_equal(
            numpy.concatenate([parts[0], parts[1][1:], parts[2][1:]]), series["mean_weight"])
        self.assertEqual(len(axes.lines[3].get_xdata()), 9)
        self.assertAlmostEqual(axes.lines[3].get_ydata()[4],
                               numpy.interp(0.45, series["time"], series["total_rate"]))

    def test_no_phases_without_a_protocol(self):
        folder = self.run_case().folder
        self.assertEqual(read_results(folder).phases, [])
        case = folder / "case.yaml"
        text = case.read_text(encoding="utf-8").replace('protocol_phases: "none"',
                                                        'protocol_phases: "learn"')
        case.write_text(text, encoding="utf-8")
        with self.assertRaisesRegex(ResultsError, "phase_learn_duration is missing"):
            read_results(folder)


class TestExpressions(EngramTestCase):
    """The language of the options, evaluated by the tools."""

    def test_values(self):
        w = numpy.linspace(-1.0, 1.0, 5)
        for text, expected in (
                ("1", 1.0), ("w < 0 ? -1 : 1", numpy.where(w < 0.0, -1.0, 1.0)),
                ("-w^2", -w**2), ("2^-w", 2.0**-w), ("max(w, 0.2) + min(w,0)*pi",
                                                    numpy.maximum(w, 0.2)
                                                    + numpy.minimum(w, 0.0) * numpy.pi),
                ("w > -0.6 && w < 0.6 ? abs(w) : (w > 0 ? 2 : 3)",
                 numpy.where(numpy.abs(w) < 0.6, numpy.abs(w), numpy.where(w > 0.0, 2.0, 3.0))),
                ("max(w > 0 ? 1 : 2, w)", numpy.maximum(numpy.where(w > 0.0, 1.0, 2.0), w))):
            numpy.testing.assert_allclose(evaluate(text, w=w) * numpy.ones_like(w),
                                          expected * numpy.ones_like(w), err_msg=text)

    def test_variables_and_errors(self):
        self.assertEqual(variables_of("1 + 0.3*sin(6*w)*t"), {"w", "t"})
        for text in ("1 +", "x", "w ? 1", "(w", "w)", "import os", "w.real", "exp(w"):
            with self.assertRaises(ExpressionError, msg=text):
                evaluate(text, w=1.0)

    def test_forms_of_the_program(self):
        """The same values and refusals as muParser's, of forms that readers misread."""
        lines = (SOURCE / "tests" / "unit" / "expression_forms.def").read_text().splitlines()
        self.assertGreater(len(lines), 100)
        for line in lines:
            kind, text, rest = re.fullmatch(r'(FORM|REFUSED)\("(.*?)", (.*)\)', line).groups()
            with self.subTest(text=text):
                if kind == "FORM":
                    self.assertAlmostEqual(float(evaluate(text, w=0.75, t=2.0)), float(rest),
                                           delta=1e-15)
                else:
                    with self.assertRaises(ExpressionError):
                        evaluate(text, w=0.75, t=2.0)


if __name__ == "__main__":
    main()
