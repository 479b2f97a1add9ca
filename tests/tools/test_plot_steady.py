"""The pictures of tools/plot.py for steady states, sweeps, delays and refractory states."""

import shutil
import sys

import numpy

from engram_test import SOURCE, main
from test_plot import (ALL_PICTURES, PICTURES_OF_SINGLE_WEIGHT, SINGLE_WEIGHT, PlotTestCase,
                       count_orange)

sys.path.insert(0, str(SOURCE / "tools"))
from engram_results import State, fold_neighbours, link_states, pick_rows  # noqa: E402

TWO_STATES = {**SINGLE_WEIGHT, "grid_w_min": 1.5, "grid_w_max": 1.5}
SWEEP = "grid_w_min+grid_w_max"


class TestSteady(PlotTestCase):
    """Folders of runs with -steady and -steady_sweep."""

    def steady(self, options, sweep=None, **changes):
        """The folder of a run that looks for steady states."""
        return self.run_case(options, steady="true", steady_sweep=sweep, **changes).folder

    def draw(self, folder, names):
        """Draws a folder without a complaint; it must give these pictures."""
        process = self.plot(folder)
        self.assertEqual(process.stderr, "")
        self.assert_pictures(folder / "plots", names)
        return process.stdout

    def test_states(self):
        for options in (TWO_STATES, {**TWO_STATES, "grid_w_max": 2, "grid_w_cells": 9}):
            folder = self.steady(options)
            self.assertNotIn("note", self.draw(folder, {"states"}))

    def test_states_differ(self):
        """Two states are more lines than one."""
        one = self.steady(TWO_STATES, blowup_rate=1)
        two = self.steady(TWO_STATES)
        self.draw(one, {"states"})
        self.draw(two, {"states"})
        dark = [(self.assert_picture(folder / "plots" / "states.png") < 0.9).any(axis=2).sum()
                for folder in (one, two)]
        self.assertGreater(dark[1], 1.1 * dark[0])

    def test_bifurcation_with_a_fold(self):
        folder = self.steady(TWO_STATES, f"{SWEEP}:0:3:13")
        self.draw(folder, {"states", "bifurcation"})
        self.assertGreater(count_orange(self.assert_picture(folder / "plots" / "bifurcation.png")),
                           20)

    def test_bifurcation_without_a_fold(self):
        folder = self.steady(TWO_STATES, f"{SWEEP}:-1:1:3")
        self.draw(folder, {"states", "bifurcation"})
        self.assertEqual(count_orange(self.assert_picture(folder / "plots" / "bifurcation.png")),
                         0)

    def test_bifurcation_with_several_folds_downwards(self):
        folder = self.steady({**TWO_STATES, "model_response": "sin(10*N)", "model_input": "1"},
                             f"{SWEEP}:2:0:9")
        self.draw(folder, {"states", "bifurcation"})
        self.assertEqual(len((folder / "folds.csv").read_text(encoding="ascii").splitlines()), 3)

    def test_no_state(self):
        folder = self.steady({**TWO_STATES, "grid_w_min": 3, "grid_w_max": 3})
        process = self.plot(folder)
        self.assertIn("no steady state: no picture of states", process.stdout)
        self.assertEqual(list((folder / "plots").iterdir()), [])
        folder = self.steady({**TWO_STATES, "grid_w_min": 3, "grid_w_max": 3}, f"{SWEEP}:3:4:2")
        self.assertIn("no steady state", self.draw(folder, {"bifurcation"}))

    def test_learned_state_is_drawn_as_a_run(self):
        folder = self.steady({}, time_end=20, steady_tolerance="1e-4", output_fields_every=0.5)
        self.draw(folder, ALL_PICTURES)

    def test_tables_of_an_older_run_are_left_alone(self):
        folder = self.run_case(TWO_STATES).folder
        shutil.copy(self.steady(TWO_STATES) / "steady.csv", folder)
        self.draw(folder, PICTURES_OF_SINGLE_WEIGHT)

    def test_bad_tables(self):
        folder = self.steady(TWO_STATES, f"{SWEEP}:1:3:3")
        for name in ("steady.csv", "bifurcation.csv", "folds.csv"):
            path = folder / name
            kept = path.read_text(encoding="ascii")
            path.unlink()
            self.assert_fails(folder, path, "no such file")
            path.write_text("a,b\n", encoding="ascii")
            self.assert_fails(folder, path, "no column ")
            path.write_text(kept + "1,2,3,4,5,6\n", encoding="ascii")
            self.assert_fails(folder, path, "has 6 columns, not")
            path.write_text(kept, encoding="ascii")
        path = folder / "steady.csv"
        lines = path.read_text(encoding="ascii").splitlines(keepends=True)
        path.write_text("".join(lines[:2]), encoding="ascii")
        self.assert_fails(folder, folder / "fields.h5", "has 3 rows, not the initial one and one "
                                                        "for each of the 1 states of steady.csv")

    def test_sweep_under_way(self):
        """A line that is not complete is left out, and so is a table that has none."""
        folder = self.steady(TWO_STATES, f"{SWEEP}:1:3:3")
        path = folder / "bifurcation.csv"
        with open(path, "a", encoding="ascii") as stream:
            stream.write("3,1")
        self.assertIn("which is not complete", self.draw(folder, {"states", "bifurcation"}))
        shutil.rmtree(folder / "plots")
        path.write_text(path.read_text(encoding="ascii").splitlines()[0] + "\n", encoding="ascii")
        self.assertIn("no bifurcation", self.draw(folder, {"states"}))


class TestFamily(PlotTestCase):
    """Runs with a refractory state or a delay."""

    def test_refractory_neurons_have_a_picture(self):
        for options, names in (({}, ALL_PICTURES), (SINGLE_WEIGHT, PICTURES_OF_SINGLE_WEIGHT)):
            folder = self.run_case(options, model_refractory=0.5, output_fields_every=0.05).folder
            process = self.plot(folder)
            self.assertEqual(process.stderr, "")
            self.assert_pictures(folder / "plots", names | {"refractory"})

    def test_delay_and_all_second_order(self):
        for options in ({"transport_order": 2}, {**SINGLE_WEIGHT, "initial_rate": 1}):
            folder = self.run_case(options, model_delay=0.1, time_scheme="extrapolated",
                                   time_adaptive=True, coupling="implicit",
                                   output_fields_every=0.02).folder
            process = self.plot(folder, "--pictures", "overview")
            self.assertEqual(process.stderr, "")
            self.assert_picture(folder / "plots" / "overview.png")

    def test_single_weight_has_a_heat_map_of_its_density(self):
        """One with enough times is higher than one with the first and the last only."""
        heights = []
        for every in (0, 0.1):
            folder = self.run_case(SINGLE_WEIGHT, output_fields_every=every).folder
            self.plot(folder, "--pictures", "density")
            heights.append(self.assert_picture(folder / "plots" / "density.png").shape[0])
        self.assertGreater(heights[1], heights[0])


class TestChoices(PlotTestCase):
    """Which rows are drawn, and which states are joined by lines."""

    def test_rows_of_an_oscillation_have_all_phases(self):
        phase = numpy.linspace(0.0, 6.0 * numpy.pi, 301)
        field = numpy.stack([numpy.cos(phase), numpy.sin(phase)], axis=1)
        rows = pick_rows(field, 5)
        self.assertEqual((rows[0], rows[-1], len(rows)), (0, 300, 5))
        angles = sorted(phase[rows[:-1]] % (2.0 * numpy.pi))
        # Four rows a quarter of a period apart would be ideal.
        self.assertLess(numpy.diff([*angles, angles[0] + 2.0 * numpy.pi]).max(), 2.5)

    def test_rows_of_a_relaxation_are_spread(self):
        rows = pick_rows(numpy.exp(-numpy.linspace(0.0, 20.0, 401))[:, None] * [1.0, 2.0], 5)
        self.assertEqual((rows[0], rows[-1]), (0, 400))
        values = numpy.exp(-numpy.array(rows) / 20.0)
        self.assertLess(numpy.diff(values).max(), -0.1)

    def test_equal_rows_are_not_repeated(self):
        self.assertEqual(pick_rows(numpy.array([[1.0], [2.0], [2.0], [2.0]]), 5), [0, 3])
        self.assertEqual(pick_rows(numpy.ones((4, 3)), 5), [0, 3])
        self.assertEqual(pick_rows(numpy.ones((1, 3)), 5), [0])

    def test_links_and_folds(self):
        low, middle, high = (State(0.2, 0.5, True), State(1.0, 1.5, False), State(9.0, 0.5, True))
        branches = [(0.0, [low]), (1.0, [low, middle, high]), (2.0, [high]), (3.0, [])]
        linked = [(left[0], left[1].rate, right[1].rate) for left, right in link_states(branches)]
        self.assertEqual(linked, [(0.0, 0.2, 0.2), (1.0, 9.0, 9.0)])
        self.assertEqual(fold_neighbours(branches, 0.5, 4.0), [(1.0, middle), (1.0, high)])
        self.assertEqual(fold_neighbours(branches, 1.5, 0.6), [(1.0, low), (1.0, middle)])
        self.assertEqual(fold_neighbours(branches, 2.5, 0.6), [])


if __name__ == "__main__":
    main()
