"""tools/particles.py: particles by closed forms, engram by particles, and what is refused."""

import contextlib
import csv
import io
import math
import subprocess
import sys
import unittest.mock

import numpy

from engram_test import PROGRAM, PYTHON, SOURCE, EngramTestCase, main

sys.path[:0] = [str(SOURCE / "tools"), str(SOURCE / "tools" / "verification")]
import exact  # noqa: E402
import particle_network  # noqa: E402
import particles  # noqa: E402
from engram_expression import Expression, ExpressionError  # noqa: E402

FEW = ("--neurons", 20000, "--replicas", 32, "--processes", 2)
FEWER = ("--neurons", 10000, "--replicas", 10, "--processes", 2)
STEP = 0.05
SMALL_GRID = {"grid_v_cells": 60, "grid_w_cells": 40, "output_fields_every": 0.005,
              "time_step": 0.005}


class Neuron:
    """The potentials that closed forms are known for."""

    threshold, reset = 2.0, 1.0


def simulated_rate(mu, neurons=40000, settle=8.0, duration=10.0):
    """Rate of uncoupled neurons and its standard error, from the spikes of each of them."""
    generator = numpy.random.Generator(numpy.random.PCG64(3))
    v, drift = numpy.full(neurons, 0.5), numpy.full(neurons, mu)
    counts = numpy.zeros(neurons)
    for number in range(round((settle + duration) / STEP)):
        spikes = particle_network.advance_in_blocks(v, drift, STEP, 1.0, Neuron, generator)
        if number * STEP >= settle:
            counts += numpy.bincount(spikes, minlength=neurons)
    return counts.mean() / duration, counts.std() / duration / math.sqrt(neurons)


class UncoupledNeurons(EngramTestCase):
    """The threshold is passed as often as it should be."""

    def test_rate_is_that_of_siegert(self):
        for mu in (0.0, 1.0, 3.0):
            with self.subTest(mu=mu):
                rate, error = simulated_rate(mu)
                self.assertLess(abs(rate - exact.rate(mu)), 3.0 * error)
                self.assertLess(error, 0.008 * rate)

    def test_passages_within_a_step_matter(self):
        def ends_only(distance, end_distance, *_):
            return numpy.flatnonzero((distance > 0.0) & (end_distance <= 0.0))

        whole = particle_network.find_passages
        self.addCleanup(setattr, particle_network, "find_passages", whole)
        particle_network.find_passages = ends_only
        rate, error = simulated_rate(1.0)
        self.assertLess(rate, exact.rate(1.0) - 10.0 * error)

    def test_time_of_passage_is_that_of_a_path_in_short_steps(self):
        generator = numpy.random.Generator(numpy.random.PCG64(1))
        start, mu, duration, parts, count = 1.7, 1.5, 0.2, 500, 20000
        v, time = numpy.full(count, start), numpy.full(count, numpy.inf)
        short = duration / parts
        for part in range(parts):
            moved = particle_network.move_freely(v, mu, short, 1.0, generator)
            passed = particle_network.find_passages(2.0 - v, 2.0 - moved, short, 1.0, generator)
            time[passed] = numpy.minimum(time[passed], (part + 0.5) * short)
            v = moved
        v = numpy.full(count, start)
        moved = particle_network.move_freely(v, mu, duration, 1.0, generator)
        passed = particle_network.find_passages(2.0 - v, 2.0 - moved, duration, 1.0, generator)
        sampled = particle_network.passage_time(2.0 - v[passed], 2.0 - moved[passed],
                                                numpy.full(len(passed), duration), 1.0, generator)
        known = time[numpy.isfinite(time)]
        self.assertLess(abs(len(known) - len(passed)), 4.0 * math.sqrt(0.5 * count))
        for share in (0.1, 0.5, 0.9):
            self.assertAlmostEqual(numpy.quantile(sampled, share), numpy.quantile(known, share),
                                   delta=0.05 * duration)


class InitialSample(EngramTestCase):
    """Neurons are where the initial density is."""

    def test_moments(self):
        network = particle_network.Network(
            1.0, 1.0, 2.0, 1.0, -6.0, -1.0, 1.0, 10, False, *(Expression("1", ""),) * 4,
            Expression("(1 + w)*exp(-(v + 2 + w)^2/0.5)", "wv"))
        generator = numpy.random.Generator(numpy.random.PCG64(2))
        w, v = particle_network.sample_initial(network, 20000, generator)
        self.assertAlmostEqual(w.mean(), 1.0 / 3.0, delta=1e-5)
        self.assertAlmostEqual(v.mean(), -7.0 / 3.0, delta=2e-3)
        self.assertAlmostEqual(((v + 2.0 + w)**2).mean(), 0.25, delta=2e-3)
        self.assertTrue((numpy.diff(w) >= 0.0).all())


class Expressions(EngramTestCase):
    """The grammar of case files."""

    def test_values(self):
        for text, expected in (
                ("-2^2", -4.0), ("2^3^2", 512.0), ("2^-1", 0.5), ("1 - 2 - 3", -4.0),
                ("8/2/2", 2.0), ("1 + 2*3", 7.0), ("(1 + 2)*3", 9.0), ("1.5e1 + .5", 15.5),
                ("w < 0 ? -1 : 1", 1.0), ("w > 0 ? w > 1 ? 1 : 2 : 3", 2.0), ("log(exp(2))", 2.0),
                ("w > 0 && w < 1 || w > 2", 1.0), ("max(1, 3, 2) + min(2, 1)", 4.0), ("sin(pi/2)", 1.0),
                ("w != 0.5", 0.0), ("-w + +w", 0.0)):
            with self.subTest(text=text):
                self.assertAlmostEqual(float(Expression(text, "w")(w=0.5)), expected, delta=1e-12)

    def test_refusals(self):
        for text, message in (("1 +", "not understood at its end"), ("v", "unknown name v"),
                              ("1 2", "not understood at 2"), ("sin 1", "not understood at 1"),
                              ("1 $ 2", "not understood at position 2"), ("(1", "at its end")):
            with self.subTest(text=text), self.assertRaises(ExpressionError) as raised:
                Expression(text, "w")
            self.assertIn(message, str(raised.exception))


class Comparison(EngramTestCase):
    """The program from the outside."""

    def call(self, *arguments, expect=0):
        """Runs particles.py in the test's folder, and checks the exit code."""
        process = subprocess.run(
            [PYTHON, "-B", str(SOURCE / "tools" / "particles.py"), "--program", str(PROGRAM),
             *map(str, arguments)], cwd=self.folder, capture_output=True, text=True, timeout=300,
            check=False, stdin=subprocess.DEVNULL)
        if expect is not None:
            self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process

    def rows(self, folder):
        """The rows of comparison.csv by quantity."""
        with open(self.folder / folder / "comparison.csv", newline="", encoding="ascii") as stream:
            rows = list(csv.DictReader(stream))
        return {quantity: [row for row in rows if row["quantity"] == quantity]
                for quantity in ("firing_rate", "weight_density", "total_rate")}

    def test_frozen_weights(self):
        case = SOURCE / "input" / "particles_frozen.yaml"
        process = self.call(case, *FEW, "--output", "out", "--", "-grid_v_cells", 210,
                            "-time_step", 0.02)
        self.assertIn("within 3 standard errors in all 39 bins", process.stdout)
        rows = self.rows("out")
        self.assertEqual([len(rows[name]) for name in rows], [20, 0, 19])
        for row in rows["firing_rate"]:
            self.assertLess(abs(float(row["z"])), 3.0)
            self.assertLess(float(row["standard_error"]), 0.01 * float(row["particles"]))
        for name in ("comparison.md", "comparison.png", "comparison.pdf"):
            self.assertGreater((self.folder / "out" / name).stat().st_size, 1000)
        process = self.call(case, *FEWER, "--output", "other", "--particles-only",
                            "model_noise=1.05", "--", "-grid_v_cells", 210, "-time_step", 0.02,
                            expect=1)
        self.assertRegex(process.stderr, r"of 39 bins are beyond 3 standard errors; the farthest")

    def test_learning_weights(self):
        case = SOURCE / "input" / "particles_learning.yaml"
        coarse = ("-grid_w_cells", 800, "-time_step", 0.005)
        process = self.call(case, *FEW, "--output", "out", "--", *coarse)
        self.assertIn("within 3 standard errors in all", process.stdout)
        rows = self.rows("out")
        self.assertGreaterEqual(len(rows["weight_density"]), 7)
        self.assertEqual(len(rows["firing_rate"]), len(rows["weight_density"]))
        self.assertEqual((rows["firing_rate"][0]["from"], rows["firing_rate"][-1]["to"]),
                         ("-0.6", "1.4"))
        # Neurons that learn a little less are elsewhere in the end.
        process = self.call(case, *FEWER, "--output", "other", "--particles-only",
                            "model_learning=0.55", "--", *coarse, expect=1)
        self.assertRegex(process.stderr, r"bins are beyond 3 standard errors; .* weight_density")

    def write_small(self, **changes):
        """A small case with frozen weights."""
        options = {"model_plasticity": "false", "initial_density": "exp(-(v + 0.5)^2/0.5)",
                   "model_epsilon": 0.05, **SMALL_GRID, **changes}
        return self.write_case(options)

    def test_finished_parts_are_kept_and_results_are_equal(self):
        case = self.write_small()
        # Too coarse a grid and too few neurons to be within or beyond: that is not asked here.
        small = ("--neurons", 2000, "--replicas", 8, "--bins", 4)
        self.call(case, *small, "--output", "a", expect=None)
        before = {path.name: path.stat().st_mtime_ns for path in (self.folder / "a").iterdir()
                  if path.name.startswith(("particles", "density"))}
        table = (self.folder / "a" / "comparison.csv").read_bytes()
        self.call(case, *small, "--output", "a", expect=None)
        after = {name: (self.folder / "a" / name).stat().st_mtime_ns for name in before}
        self.assertEqual(before, after)
        self.call(case, *small, "--processes", 1, "--output", "b", expect=None)
        self.assertEqual((self.folder / "b" / "comparison.csv").read_bytes(), table)
        process = self.call(case, *small, "--seed", 2, "--output", "a", expect=2)
        self.assertIn("--output a: holds the comparison of another case", process.stderr)

    def assert_refused(self, message, *arguments):
        """Exit code 2 and one line on stderr, with this text; in this process, which is faster."""
        words = ["particles.py", "--program", str(PROGRAM), *map(str, arguments)]
        stderr = io.StringIO()
        with unittest.mock.patch.object(sys, "argv", words), contextlib.redirect_stderr(stderr), \
                contextlib.chdir(self.folder):
            try:
                code = particles.main()
            except SystemExit as end:
                code = end.code
        self.assertEqual(code, 2, stderr.getvalue())
        lines = [line for line in stderr.getvalue().splitlines() if not line.startswith("usage")]
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith("particles.py: error: "), lines)
        self.assertIn(message, lines[0])

    def test_refusals(self):
        small = ("--neurons", 2000, "--replicas", 8)
        for number, (changes, message) in enumerate((
                ({"model_delay": 1}, "model_delay: 1: not simulated with particles"),
                ({"model_drift": "v^2"}, "model_drift: v^2: not simulated with particles"),
                ({"model_refractory": 1}, "model_refractory: 1: not simulated"),
                ({"initial_quasi_static": "true"}, "initial_quasi_static: true: not sampled"),
                ({"model_epsilon": 0}, "model_epsilon: 0: the limit model"),
                ({"grid_w_cells": 30}, "--bins 20: grid_w_cells: 30 is no multiple of it"),
                ({"output_fields_every": 0}, "fields.h5: fewer than 5 rows between"),
                ({"model_noise": -1}, "-model_noise"))):
            with self.subTest(changes=changes):
                self.assert_refused(message, self.write_small(**changes), *small, "--output",
                                    f"out_{number}")
        case = self.write_small()
        self.assert_refused("--particles-only noise=1: not NAME=VALUE", case, *small, "--output",
                            "bad", "--particles-only", "noise=1")
        self.assert_refused("--output .: exists and holds no comparison", case, "--output", ".")

    def test_command_line(self):
        self.assert_refused("nowhere.yaml: no such case file", "nowhere.yaml")
        case = self.write_small()
        self.assert_refused("--replicas: 2 is not between 8 and", case, "--replicas", 2)
        self.assert_refused("--program nowhere: no such program", case, "--program", "nowhere")
        self.assertIn("examples:", self.call("--help").stdout)


if __name__ == "__main__":
    main()
