"""What all pictures of the tools have in common: fonts, sizes, labels, legends; and what they say.

Every kind of picture is drawn, from small runs or from numbers made up here.
"""

import re
import sys

import matplotlib
import matplotlib.image
import numpy
from PIL import Image

from engram_test import SOURCE, main
from test_plot import SINGLE_WEIGHT, PlotTestCase

sys.path.insert(0, str(SOURCE / "tools"))
import convergence_report  # noqa: E402
import particle_pictures  # noqa: E402
import plot  # noqa: E402
import plot_experiments  # noqa: E402
import plot_invariants  # noqa: E402
import plot_neurons  # noqa: E402
import plot_recognition  # noqa: E402
import plot_sweep  # noqa: E402
from convergence_ladder import Level  # noqa: E402
from convergence_runs import Cost  # noqa: E402
from engram_grid import BLOWN_UP, DONE, NOT_FINITE  # noqa: E402
from engram_results import read_results  # noqa: E402
from particle_comparison import Row  # noqa: E402
from plot_labels import label_of  # noqa: E402
from plot_layout import tidy  # noqa: E402
from plot_style import STYLES, save  # noqa: E402
from recognition_measure import Stage, measure  # noqa: E402
from recognition_panel import Panel  # noqa: E402

LEARNING = {"output_fields_every": 0.1, "time_end": 1.5, "grid_w_cells": 24}
# What is learned, and then shown to frozen weights with more input.
TESTED = {**LEARNING, "time_end": None, "protocol_phases": "learn,test",
          "phase_learn_duration": 1.5, "phase_test_duration": 0.5, "phase_test_input": "2",
          "phase_test_plasticity": "false"}
INHIBITED = {**LEARNING, "model_learning": "-1", "grid_w_min": -1, "grid_w_max": 0,
             "initial_density": "exp(-(w + 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)"}
FROZEN = {**LEARNING, "model_plasticity": "false"}
TWO_STATES = {**SINGLE_WEIGHT, "grid_w_min": 1.5, "grid_w_max": 1.5, "steady": "true",
              "steady_sweep": "grid_w_min+grid_w_max:0:3:13"}
RAW_NAME = re.compile(r"[a-z]+_[a-z]")
# Not all pictures of these.
PICTURES = {"tested": ["overview", "firing"], "inhibited": ["firing"],
            "single": ["density", "overview"]}
# Where large letters need most of the room.
IN_TALKS = ("discrimination", "plane status", "convergence")
# Pixels of what is drawn are darker than this; grids and bands are lighter.
DRAWN = 200


def panel_of_answers():
    """A panel of two learned inputs and two others, with answers made up."""
    w = numpy.linspace(0.01, 0.99, 50)
    weights = numpy.where(w < 0.8, w, 0.0)
    share = numpy.where((w > 0.1) & (w < 0.75), weights, 0.0)
    share = share / share.sum()
    panel = Panel(("1 + 0.3*sin(6*w)", "1 + 0.3*sin(6*w + 2.4)"),
                  ("1 + 0.3*sin(6*w)", "1 + 0.3*sin(6*w + 2.4)", "1", "1.5"),
                  ("1 + 0.3*sin(6*w)", "1 + 0.3*sin(6*w + 2.4)", "1", "1.5"), 8.0)
    stages = []
    for learned in (0, 1):
        answers = [measure(w, numpy.ones_like(w), share,
                           w * (1.0 + (0.3 + 0.1 * test) * (test != learned) * w) / 0.55,
                           0.55 + 0.1 * test, 1e-6) for test in range(4)]
        stages.append(Stage(w, weights, numpy.ones_like(w), 0.55, 1e-6, share, answers))
    return panel, stages


def recognition_figures():
    """Pictures of a recognition experiment."""
    panel, stages = panel_of_answers()
    varied = {"model_noise": [("0.5", stages[0]), ("1", stages[1])],
              "model_epsilon": [("0.001", stages[0]), ("1", stages[1])]}
    return dict(plot_recognition.figures_of(panel, stages, varied))


def sweep_rows(option, values, **more):
    """Rows of a sweep in which the last point has blown up."""
    rows = [{"point": value, option: value, "status": DONE, "total_rate": 0.5 + 0.1 * number,
             "mean_weight": 0.3 - 0.02 * number, **more} for number, value in enumerate(values)]
    rows[-1].update(status=BLOWN_UP, blowup_time=0.7)
    return rows


def sweep_figures():
    """Pictures of sweeps over one option and over two."""
    quantities = ["total_rate", "mean_weight"]
    plane = [row for noise in ("0.5", "1", "1.5")
             for row in sweep_rows("model_learning", ("0.5", "1", "2"), model_noise=noise)]
    sweeps = {"decades": (sweep_rows("model_epsilon", ("0", "1e-6", "1e-3", "1")),
                          ["model_epsilon"], quantities),
              "words": (sweep_rows("model_input", ("1 + w", "sin(6*w)", "1 - w")),
                        ["model_input"], quantities),
              "plane": (plane, ["model_learning", "model_noise"], ["total_rate"])}
    return {f"{key} {name}": make for key, arguments in sweeps.items()
            for name, make in plot_sweep.figures_of(*arguments)}


def convergence_figure():
    """The picture of a ladder of fourth order."""
    levels = [Level(k, 24 * 2**k, 24, 0.01, 10.0, None) for k in range(4)]
    keys = [(quantity, norm) for quantity in convergence_report.QUANTITIES
            for norm in convergence_report.NORMS]
    norms = {key: [None] + [1e-3 * 16.0 ** -k for k in range(3)] for key in keys}
    costs = [Cost(*([10.0 * 4.0**k] * len(Cost.__dataclass_fields__))) for k in range(4)]
    report = convergence_report.Report("study", 2, False, levels, costs, [0.5] * 4, norms, {}, {},
                                       [])
    return convergence_report.picture(report)


def particle_figure(results):
    """The picture of a comparison with particles that differ by a standard error."""
    time, rate = results.series["time"], results.series["total_rate"]
    rows = [Row("total_rate", a, b, r, r + 0.001, 0.001, 0.0)
            for a, b, r in zip(time[:-1:15], time[15::15], rate[15::15])]
    for name, field in (("firing_rate", results.firing_rate),
                        ("weight_density", results.weight_density)):
        rows += [Row(name, w - 0.02, w + 0.02, value, value + 0.02, 0.01, 0.0)
                 for w, value in zip(results.w[::3], field[-1, ::3])]
    return particle_pictures.comparison_figure(results, rows)


class EveryPicture(PlotTestCase):
    """All kinds of pictures."""

    def figures(self):
        """Name and maker of every kind."""
        kinds = {"learning": LEARNING, "tested": TESTED, "inhibited": INHIBITED,
                 "single": {**SINGLE_WEIGHT, "model_refractory": 0.2}, "steady": TWO_STATES}
        runs = {kind: read_results(self.run_case(options).folder)
                for kind, options in kinds.items()}
        makers = {}
        for kind, results in runs.items():
            names = PICTURES.get(kind)
            for name, draw in plot.chosen_figures(results, names):
                makers[f"{kind} {name}"] = lambda draw=draw, results=results: draw(results)
        for name in ("film", "phase-plane"):
            draw = plot_experiments.FIGURES[name]
            makers[name] = lambda draw=draw: draw(runs["tested"])
        makers["frame"] = lambda: plot_experiments.frame_figure(runs["learning"], 3, (5.0, 3.0))
        makers["neurons"] = lambda: plot_neurons.figure_of([runs["learning"], runs["tested"]])
        makers["particles"] = lambda: particle_figure(runs["learning"])
        makers["convergence"] = convergence_figure
        return {**makers, **recognition_figures(), **sweep_figures()}

    def test_layout(self):
        """In both styles: labels name units and no options, nothing covers anything else."""
        makers = self.figures()
        self.assertGreater(len(makers), 25)
        for style, names in (("journal", makers), ("talk", IN_TALKS)):
            style = STYLES[style]
            with matplotlib.rc_context({**style, "figure.dpi": 60}):
                for name, make in ((name, makers[name]) for name in names):
                    with self.subTest(picture=name, letters=style["font.size"]):
                        figure = make()
                        tidy(figure)
                        self.check_labels(figure)
                        self.check_texts(figure)
                        self.check_legends(figure)
                    matplotlib.pyplot.close("all")

    def check_labels(self, figure):
        """Labels of axes tell units, and are no names of options."""
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                label = axis.label.get_text()
                self.assertNotRegex(label, RAW_NAME)
                has_names = any(RAW_NAME.search(word.get_text()) for word in axis.get_ticklabels())
                self.assertFalse(has_names)
                if label and "status" not in label:
                    self.assertRegex(label.replace("\n", " "),
                                     r"\((.*dimensionless|number|s|ns|reacting time|standard "
                                     r"errors)\)|in parts of")

    def check_texts(self, figure):
        """All words are within the picture, and no two of them share a place."""
        boxes = [(text, text.get_window_extent()) for text in words_of(figure)]
        for text, box in boxes:
            inside = box.x0 > -1 and box.y0 > -1 and box.x1 < figure.bbox.width + 1 \
                and box.y1 < figure.bbox.height + 1
            self.assertTrue(inside, f"'{text.get_text()}' leaves the picture")
        for number, (text, box) in enumerate(boxes):
            for other, place in boxes[:number]:
                is_slanted = text.get_rotation() % 90 and other.get_rotation() % 90
                if not is_slanted and box.overlaps(place):
                    self.fail(f"'{text.get_text()}' and '{other.get_text()}' share a place")

    def check_legends(self, figure):
        """Without the legend nothing but the ground would be seen where it is."""
        legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
        if not legends:
            return
        boxes = [legend.get_window_extent() for legend in legends]
        figure.set_layout_engine("none")
        for legend in legends:
            legend.set_visible(False)
        figure.canvas.draw()
        pixels = numpy.asarray(figure.canvas.buffer_rgba())[::-1, :, :3]
        for legend, box in zip(legends, boxes):
            part = pixels[max(int(box.y0), 0):int(box.y1), max(int(box.x0), 0):int(box.x1)]
            names = [text.get_text() for text in legend.get_texts()]
            self.assertGreaterEqual(part.min(), DRAWN, f"a legend hides something: {names}")


def words_of(figure):
    """All texts of a figure that are seen."""
    texts = []
    for axes in figure.axes:
        if not axes.axison:
            continue
        texts += [axes.title, axes._left_title, axes._right_title, *axes.texts]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            texts += [axis.label, *(tick.label1 for tick in axis.get_major_ticks()
                                    if low <= tick.get_loc() <= high)]
            texts += [tick.label2 for tick in axis.get_major_ticks()
                      if low <= tick.get_loc() <= high and tick.label2.get_visible()]
    for axes in figure.axes:
        texts += axes.get_legend().get_texts() if axes.get_legend() else []
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


class Files(PlotTestCase):
    """What journals look at."""

    def test_fonts_are_true_type(self):
        """Type 3 fonts are refused; a PDF names the types of its fonts in clear."""
        folder = self.run_case(TESTED).folder
        self.plot(folder, "--format", "pdf", "--pictures", "overview,film")
        paths = list((folder / "plots").iterdir())
        for name, make in {"discrimination": recognition_figures()["discrimination"],
                           "study": convergence_figure}.items():
            with matplotlib.rc_context(STYLES["journal"]):
                paths.append(self.folder / f"{name}.pdf")
                save(make(), paths[-1], say=False)
        self.assertEqual(len(paths), 4)
        for path in paths:
            text = path.read_bytes()
            fonts = re.findall(rb"/Subtype /(Type3|Type1|TrueType|CIDFontType2)", text)
            self.assertTrue(fonts, path)
            self.assertNotIn(b"Type3", fonts, path)
            self.assertIn(b"/FontFile2", text, path)

    def test_sizes(self):
        """One or two columns of a page, 300 dots an inch; a half or the whole of a slide."""
        folder = self.run_case(LEARNING).folder
        for style, widths, dots in (("journal", (85.0, 178.0), 300),
                                    ("talk", (161.7, 338.7), 150)):
            self.plot(folder, "--pictures", "rate,film", "--format", "both", "--style", style)
            for name, width in zip(("rate", "film"), widths):
                path = folder / "plots" / name
                with Image.open(path.with_suffix(".png")) as picture:
                    self.assertAlmostEqual(picture.info["dpi"][0], dots, delta=0.1)
                    self.assertAlmostEqual(picture.width / dots * 25.4, width, delta=0.3)
                box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", path.with_suffix(".pdf").read_bytes())
                self.assertAlmostEqual(float(box.group(1)) / 72.0 * 25.4, width, delta=0.2)

    def test_letters_of_talks_are_larger(self):
        """On a page 8 points; in a talk more of the picture."""
        journal, talk = STYLES["journal"], STYLES["talk"]
        self.assertEqual(journal["font.size"], 8.0)
        self.assertGreater(talk["font.size"] / talk["figure.figsize"][0],
                           1.15 * journal["font.size"] / journal["figure.figsize"][0])


class Truth(PlotTestCase):
    """What the pictures say is so."""

    def lines(self, draw, results):
        """The lines that a function of (axes, results) draws, by their labels."""
        axes = matplotlib.pyplot.figure().add_subplot()
        self.addCleanup(matplotlib.pyplot.close, "all")
        draw(axes, results)
        return axes, {line.get_label(): line for line in axes.lines}

    def test_learned_line_is_of_the_end_of_learning(self):
        """The frozen phase after it has another rate, which says nothing of what was learned."""
        results = read_results(self.run_case(TESTED).folder)
        row = int(numpy.flatnonzero(results.phase == 0)[-1])
        self.assertAlmostEqual(results.time[row], 1.5)
        total, last = (results.integral(results.firing_rate[k]) for k in (row, -1))
        self.assertGreater(abs(last / total - 1.0), 0.1)
        _, lines = self.lines(plot.draw_firing_curves, results)
        line = lines[r"learned: $w/\bar N(1.5)$"]
        numpy.testing.assert_allclose(line.get_ydata(), line.get_xdata() / total, rtol=1e-12)
        self.assertIn("$t = 1.5$", lines)

    def test_learned_line_without_a_later_phase(self):
        """Of a protocol that learns to its end, and of a run without one, it is the last row."""
        for options in ({**TESTED, "phase_test_plasticity": None}, LEARNING):
            results = read_results(self.run_case(options).folder)
            _, lines = self.lines(plot.draw_firing_curves, results)
            line = lines[r"learned: $w/\bar N$"]
            numpy.testing.assert_allclose(
                line.get_ydata(),
                line.get_xdata() / results.integral(results.firing_rate[-1]), rtol=1e-12)

    def test_learned_line_of_inhibition(self):
        """K = -1: negative weights, positive rates."""
        results = read_results(self.run_case(INHIBITED).folder)
        _, lines = self.lines(plot.draw_firing_curves, results)
        line = lines[r"learned: $w/(K \bar N)$"]
        self.assertGreater(len(line.get_xdata()), 3)
        self.assertTrue((line.get_xdata() < 0.0).all())
        numpy.testing.assert_allclose(
            line.get_ydata(), -line.get_xdata() / results.integral(results.firing_rate[-1]),
            rtol=1e-12)

    def test_times_are_learning_times_only_where_something_is_learned(self):
        some = {**TESTED, "model_plasticity": "false", "phase_learn_plasticity": "true"}
        for options, is_learning in ((LEARNING, True), (FROZEN, False), (TESTED, True),
                                     (some, True), (SINGLE_WEIGHT, False),
                                     ({**TESTED, "phase_learn_plasticity": "false"}, False)):
            results = read_results(self.run_case(options).folder)
            axes, _ = self.lines(plot.draw_rate, results)
            self.assertEqual("learning" in axes.get_xlabel(), is_learning, options)

    def test_film_has_one_scale_of_times(self):
        """A time stands at the same height in the map and beside it."""
        learns = read_results(self.run_case(LEARNING, time_end=6).folder)
        rests = read_results(self.run_case(TESTED, phase_test_plasticity=None).folder)
        scales = set()
        for results in (learns, rests):
            heat, rate = plot_experiments.film_figure(results).axes[:2]
            scales.add(heat.get_yscale())
            rate.figure.canvas.draw()
            for time in results.time:
                heights = [axes.transAxes.inverted().transform(
                    axes.transData.transform((0.1, time)))[1] for axes in (heat, rate)]
                self.assertAlmostEqual(*heights, places=12)
            self.assertIn("square-root" if heat.get_yscale() == "function" else "learning time",
                          heat.get_ylabel())
            matplotlib.pyplot.close("all")
        self.assertEqual(scales, {"function", "linear"})

    def test_small_densities_stand_where_they_are(self):
        """Down to the smallest, with no floor; a zero is told from them."""
        results = read_results(self.run_case().folder)
        for values in ([1e-77, 0.0, 1e-20, 1e-3], [5e-300, 1e-290, 1e-280, 1.0],
                       [0.0, 0.0, 0.0, 0.0], [1e-5, -1e-9, 0.0, 1e-4]):
            results.series["time"] = numpy.arange(4.0)
            results.series["min_density"] = numpy.array(values)
            axes, lines = self.lines(plot_invariants.draw_min_density, results)
            axes.figure.canvas.draw()
            drawn = axes.lines[0].get_ydata()
            for value, shown in zip(values, drawn):
                if value > 0.0:
                    self.assertEqual(shown, value)
                    self.assertGreater(value, axes.get_ylim()[0])
                else:
                    self.assertTrue(numpy.isnan(shown))
            zeros = lines.get("exactly zero")
            self.assertEqual(0 if zeros is None else len(zeros.get_xdata()), values.count(0.0))
            negative = lines.get("size of a negative one")
            self.assertEqual(0 if negative is None else list(negative.get_ydata()),
                             [1e-9] if min(values) < 0.0 else 0)

    def test_mass_error_has_no_floor(self):
        results = read_results(self.run_case().folder)
        results.series["time"] = numpy.arange(3.0)
        results.series["mass_error"] = numpy.array([-1e-19, 0.0, 2e-16])
        axes, lines = self.lines(plot_invariants.draw_mass_error, results)
        self.assertEqual(list(axes.lines[0].get_ydata()[[0, 2]]), [1e-19, 2e-16])
        self.assertEqual(list(lines["exactly zero"].get_xdata()), [1.0])

    def test_sweeps_whose_points_have_no_value_say_so(self):
        """A finished sweep is never an empty picture."""
        rows = sweep_rows("model_noise", ("0.5", "1", "2"))
        for row, status in zip(rows, (BLOWN_UP, NOT_FINITE, DONE)):
            row.update(status=status, total_rate="nan")
        figure = plot_sweep.curve_figure(rows, "model_noise", ["total_rate", "status"])
        marks = {line.get_label(): line for line in figure.axes[0].lines}
        self.assertEqual(list(marks["finished without a finite value"].get_xdata()),
                         [0.5, 1.0, 2.0])
        self.assertEqual([text.get_text() for text in figure.axes[1].get_yticklabels()],
                         [BLOWN_UP, NOT_FINITE, DONE])

    def test_a_steady_sweep_that_finds_nothing_says_so(self):
        folder = self.run_case(TWO_STATES, steady_sweep="grid_w_min+grid_w_max:3:4:5").folder
        axes, lines = self.lines(plot.draw_bifurcation, read_results(folder))
        self.assertEqual(lines, {})
        self.assertEqual([text.get_text() for text in axes.texts],
                         ["no steady state at any of the\n5 values from 3 to 4"])

    def test_values_over_decades_can_be_told_apart(self):
        """The tick of each value of a sweep has a place of its own, zero too."""
        values = ("0", "1e-6", "1e-4", "1e-2", "1")
        figure = plot_sweep.curve_figure(sweep_rows("model_epsilon", values), "model_epsilon",
                                         ["total_rate"])
        axes = figure.axes[0]
        places = axes.transData.transform([(float(value), 0.5) for value in values])[:, 0]
        self.assertGreater(numpy.diff(places).min(), 0.05 * axes.bbox.width)

    def test_labels_of_options(self):
        for name in (SOURCE / "docs" / "options.md").read_text(encoding="utf-8").split("`"):
            if RAW_NAME.match(name) and re.fullmatch(r"[a-z_]+", name):
                self.assertNotIn("_", re.sub(r"\$.*?\$", "", label_of(name)), name)
        self.assertEqual(label_of("grid_w_min = grid_w_max"),
                         "synaptic weight $w$ (dimensionless)")
        self.assertEqual(label_of("phase_learn_duration"),
                         "duration of the phase learn (dimensionless)")


if __name__ == "__main__":
    main()
