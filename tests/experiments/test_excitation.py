"""The excitation experiment: phases of small planes against the existence of the learned state."""

import csv
import subprocess
import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "verification"))
import exact  # noqa: E402
import learned_state  # noqa: E402
import numpy  # noqa: E402
import reference  # noqa: E402


class LearnedStates(engram_test.EngramTestCase):
    """The theory, against closed forms and adaptive quadrature."""

    def test_known_state(self):
        network = learned_state.Network(1.0, reference.saturating)
        lower = network.states_of_learning(1.0)
        self.assertEqual(len(lower), 1)
        total_rate, largest_weight = exact.learned_state()
        self.assertAlmostEqual(lower[0].total_rate, total_rate, delta=1e-10)
        self.assertAlmostEqual(lower[0].largest_weight, largest_weight, delta=1e-10)

    def test_states_solve_both_equations(self):
        network = learned_state.Network(1.0, reference.identity)
        states = network.states_of_learning(0.8)
        self.assertEqual(len(states), 2)
        for state in states:
            self.assertAlmostEqual(state.total_rate**2, state.largest_weight**2 / 1.6, delta=1e-10)
            w = numpy.linspace(0.0, state.largest_weight, 2001)
            rates = [exact.rate(1.0 + weight * state.total_rate) for weight in w[::20]]
            density = w[::20] / (0.8 * state.total_rate * numpy.array(rates))
            step = w[20]
            simpson = numpy.array([1.0] + [4.0, 2.0] * 49 + [4.0, 1.0]) * step / 3.0
            self.assertAlmostEqual(simpson @ density, 1.0, delta=1e-6)
            self.assertAlmostEqual(simpson @ (density * w[::20]), state.mean_weight, delta=1e-6)

    def test_folds(self):
        """On either side of K_c there are two states and none; beyond, the mass is below one."""
        for response, strength in ((reference.identity, 0.968342),
                                   (reference.saturating, 4.027246)):
            network = learned_state.Network(1.0, response)
            fold = network.fold()
            self.assertAlmostEqual(fold.learning, strength, delta=1e-6)
            self.assertEqual(len(network.states_of_learning(0.999 * fold.learning)), 2)
            self.assertEqual(network.states_of_learning(1.001 * fold.learning), [])
            rates = numpy.geomspace(0.5, 50.0, 300)
            masses = [network.mass(rate, (2.002 * fold.learning) ** 0.5 * rate * response(rate))
                      for rate in rates]
            self.assertLess(max(masses), 1.0)

    def test_end_of_rest(self):
        """Weights of the shape of the last state at rest are at the fold of their own equation."""
        network = learned_state.Network(1.0, reference.identity)
        last = network.last_resting_state()
        self.assertIsNone(learned_state.Network(1.0, reference.saturating).last_resting_state())

        def shape(stretch):
            top = stretch * last.largest_weight
            return reference.implicit_roots(
                lambda w: w / reference.firing_rate(1.0 + w / stretch * last.total_rate),
                [0.0, top], 1.0, reference.identity)

        self.assertEqual(len(shape(0.99)), 2)
        self.assertEqual(shape(1.01), [])


class Excitation(engram_test.EngramTestCase):
    """tools/excitation.py --fast."""

    def call(self, *words, expect=0):
        """Runs excitation.py in the test's folder, and checks the exit code."""
        process = subprocess.run(
            [engram_test.PYTHON, "-B", str(engram_test.SOURCE / "tools" / "excitation.py"),
             "--program", str(engram_test.PROGRAM), *words], cwd=self.folder, text=True,
            capture_output=True, check=False, timeout=300, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process

    def rows(self, name):
        """Rows of a table."""
        with open(self.folder / "out" / name, newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def test_boundary_within_a_cell(self):
        self.call("--output", "out", "--fast")
        points, boundary = self.rows("excitation.csv"), self.rows("boundary.csv")
        self.assertEqual(len(points), 60)
        for plane, phases in (("linear", {"learned state", "weights run away", "blow-up at once"}),
                              ("saturating", {"learned state", "weights run away"})):
            mine = [row for row in points if row["plane"] == plane]
            self.assertEqual({row["seen"] for row in mine}, phases)
            agree = sum(row["seen"] == row["expected"] for row in mine)
            self.assertGreaterEqual(agree, 28, plane)
        for row in boundary:
            self.assertLess(float(row["cells"]), 1.0, row)
            # Seen and expected are what the distance was made of.
            self.assertLess(abs(float(row["seen"]) - float(row["expected"])),
                            {"linear": {"model_learning": 0.24, "mean_weight": 0.225},
                             "saturating": {"model_learning": 0.72}}[row["plane"]][row["along"]])
        errors = [abs(float(row["total_rate"]) / float(row["learned_rate"]) - 1.0)
                  for row in points if row["learned_rate"] and row["plane"] == "linear"]
        self.assertLess(float(numpy.median(errors)), 0.02)
        for ending in ("png", "pdf"):
            self.assertGreater((self.folder / "out" / f"excitation.{ending}").stat().st_size, 10000)
        self.assert_second_call_runs_nothing()

    def assert_second_call_runs_nothing(self):
        """All points are there; what cannot be another grid is refused."""
        before = {path: path.stat().st_mtime_ns for path in self.folder.glob("out/*/*/*")}
        text = self.call("--output", "out", "--fast").stdout
        self.assertEqual(text.count("30 of 30 points are there; 0 to run"), 2)
        self.assertEqual(before, {path: path.stat().st_mtime_ns
                                  for path in self.folder.glob("out/*/*/*")})

    def test_messages(self):
        process = self.call("--output", "out", "--program", "nothing", expect=2)
        self.assertIn("excitation.py: error: --program nothing: no such program", process.stderr)
        self.assertIn("--processes 0: must be at least 1",
                      self.call("--output", "out", "--processes", "0", expect=2).stderr)
        self.assertIn("examples:", self.call("--help").stdout)


if __name__ == "__main__":
    engram_test.main()
