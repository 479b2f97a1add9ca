"""Recognition: what was learned is answered with w/(K Nbar), and nothing else is."""

import concurrent.futures
import csv
import os
import re
import subprocess
import sys
import types

import h5py
import numpy

from engram_test import PYTHON, SOURCE, EngramTestCase, main

sys.path[:0] = [str(SOURCE / "tools"), str(SOURCE / "tools" / "verification")]
import exact  # noqa: E402
import recognition  # noqa: E402
from engram_grid import GridError  # noqa: E402
from recognition_measure import distance, measure, shares  # noqa: E402
from recognition_panel import default_tests, learned_inputs, make_panel  # noqa: E402

CASE = SOURCE / "input" / "recognition.yaml"
LEARNED = "1 + 0.3*sin(6*w)"
OPPOSITE = f"2 - ({LEARNED})"
# Half the cells of the case, and a larger tolerance.
FAST = ("--set", "grid_v_cells=120", "--set", "grid_w_cells=100", "--set", "time_tolerance=1e-3")
TINY = (*FAST, "--set", "grid_w_cells=40", "--learn-duration", "1", "--test-duration", "0.1")


class RecognitionTestCase(EngramTestCase):
    """Calls of the tool in the test's folder."""

    def call(self, *arguments, case=CASE, expect=0):
        """Runs recognition.py with these words, and checks the exit code."""
        words = []
        for word in map(str, arguments):  # of an option that is set twice the last one counts
            if "=" in word and words and words[-1] == "--set":
                name = word.split("=")[0] + "="
                for place in [k for k, other in enumerate(words) if other.startswith(name)][::-1]:
                    del words[place - 1:place + 1]
            words.append(word)
        process = subprocess.run(
            [PYTHON, "-B", str(SOURCE / "tools" / "recognition.py"), str(case), "--program",
             os.environ["ENGRAM_PROGRAM"], *words], cwd=self.folder, capture_output=True,
            text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process

    def rows(self, path):
        """The rows of a table in the test's folder."""
        with open(self.folder / path, newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def spreads(self, path, **chosen):
        """Spread by test, of rows with these values."""
        return {row["test"]: float(row["spread"]) for row in self.rows(path)
                if all(row[name] == value for name, value in chosen.items())}

    def assert_refused(self, message, *arguments, **options):
        """One line on stderr that holds the message; nothing is made."""
        process = self.call(*arguments, "--output", "refused", expect=2, **options)
        self.assertEqual(len(process.stderr.splitlines()), 1, process.stderr)
        self.assertTrue(process.stderr.startswith("recognition.py: error: "), process.stderr)
        self.assertIn(message, process.stderr)
        self.assertFalse((self.folder / "refused").exists())


class TestPanel(RecognitionTestCase):
    """The default panel, learned from the case as it is but for a coarser grid."""

    def test_learned_input_alone_is_recognised(self):
        process = self.call(*FAST, "--output", "panel")
        spreads = self.spreads("panel/recognition.csv")
        self.assertEqual(list(spreads), [LEARNED, "1", "1.5", OPPOSITE])
        learned = spreads.pop(LEARNED)
        self.assertLess(learned, 0.004)
        self.assertGreater(min(spreads.values()), 50.0 * learned)
        # A prototype with a scheme of its own had these.
        for test, expected in (("1", 0.19), ("1.5", 0.19), (OPPOSITE, 0.37)):
            self.assertAlmostEqual(spreads[test], expected, delta=0.02)
        self.assertRegex(process.stdout, rf"(?m)^{re.escape(LEARNED)}: recognised: its answer is "
                         r"\d+ times closer to the signature w/K than any other \(recognised: at "
                         r"least 10 times\)$")
        self.check_rates()
        self.check_tables()
        self.check_second_call()

    def check_rates(self):
        """N(w) of the learned input against w/(K Nbar), from the fields themselves."""
        with h5py.File(self.folder / "panel" / "panel" / "fields.h5", "r") as file:
            w, phase = file["w"][:], file["phase"][:]
            row = numpy.flatnonzero(phase == 1)[-1]  # test_1_1
            rates, total = file["firing_rate"][row], file["total_rate"][row]
        inner = (w > 0.1) & (w < 0.7)
        numpy.testing.assert_allclose(rates[inner], w[inner] / total, rtol=0.01)
        answers = [line for line in self.rows("panel/responses.csv") if line["test"] == LEARNED]
        numpy.testing.assert_allclose([float(line["firing_rate"]) for line in answers], rates,
                                      rtol=1e-8, atol=1e-12)
        shapes = numpy.array([float(line["shape"]) for line in answers])
        numpy.testing.assert_allclose(shapes[inner], 1.0, atol=0.01)
        self.assertEqual(max(float(line["over_maximum"]) for line in answers), 1.0)

    def check_tables(self):
        """The matrix is a distance, the signature one of its rows; tables and pictures exist."""
        rows = self.rows("panel/discrimination.csv")
        names = [row["test"] for row in rows]
        matrix = numpy.array([[float(row[name]) for name in names] for row in rows])
        numpy.testing.assert_array_equal(matrix, matrix.T)
        numpy.testing.assert_array_equal(matrix.diagonal(), 0.0)
        self.assertEqual(names[-1], "signature")
        spreads = list(self.spreads("panel/recognition.csv").values())
        numpy.testing.assert_allclose(matrix[-1, :-1], spreads, rtol=1e-5)
        text = (self.folder / "panel" / "recognition.md").read_text(encoding="utf-8")
        self.assertIn("## Distances between the answers", text)
        for name in ("responses", "discrimination"):
            for ending, begin in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
                picture = (self.folder / "panel" / f"{name}.{ending}").read_bytes()
                self.assertEqual(picture[:4], begin)

    def check_second_call(self):
        """A second call runs nothing; other options are refused with the difference."""
        run = self.folder / "panel" / "panel"
        before = {path.name: path.stat().st_mtime_ns for path in run.iterdir()}
        table = (self.folder / "panel" / "recognition.csv").read_bytes()
        self.assertIn("0 run now", self.call(*FAST, "--output", "panel").stdout)
        self.assertEqual({path.name: path.stat().st_mtime_ns for path in run.iterdir()}, before)
        self.assertEqual((self.folder / "panel" / "recognition.csv").read_bytes(), table)
        process = self.call(*FAST, "--output", "panel", "--set", "model_noise=1.1", expect=2)
        self.assertEqual(len(process.stderr.splitlines()), 1)
        self.assertIn("model_noise is 1 there, and 1.1 here", process.stderr)
        process = self.call(*FAST, "--output", "panel", "--test", "2", expect=2)
        self.assertIn("phase_test_1_2_input is 1 there, and 2 here", process.stderr)

    def test_learned_state_has_the_closed_form(self):
        """I = 1: total rate and front of the learned state are the roots of two equations."""
        total, front = exact.learned_state(1.0, 1.0)
        self.assertAlmostEqual(total, 0.584384, places=6)
        self.assertAlmostEqual(front, 0.826443, places=6)
        self.call(*FAST, "--learn", "1", "--test", "2", "--output", "flat")
        row = self.rows("flat/recognition.csv")[0]
        self.assertAlmostEqual(float(row["total_rate"]), total, delta=0.004)
        self.assertAlmostEqual(float(row["level"]), 1.0, delta=0.003)
        lines = [line for line in self.rows("flat/responses.csv") if line["test"] == "1"]
        weights = numpy.array([float(line["weight_density"]) for line in lines])
        w = numpy.array([float(line["w"]) for line in lines])
        reached = w[weights > 0.5 * weights.max()][-1]
        self.assertAlmostEqual(reached, front, delta=0.015)
        inner = (w > 0.1) & (w < 0.8)
        drift = 1.0 + w[inner] * total / (1.0 + total)
        rate = numpy.array([exact.rate(mu) for mu in drift])
        numpy.testing.assert_allclose(weights[inner], w[inner] / (total * rate), rtol=0.02)


class TestVerdict(RecognitionTestCase):
    """What a verdict rests on."""

    def test_coarse_grid_is_found_out(self):
        """First order in w smears the front; twice the cells bring the contrast above ten."""
        words = ("--set", "grid_w_cells=120", "--set", "transport_order=1", "--set",
                 "time_tolerance=1e-3", "--test", "1", "--output", "coarse")
        process = self.call(*words)
        self.assertRegex(process.stdout, rf"(?m)^{re.escape(LEARNED)}: NOT recognised: its answer "
                         r"is \d\.\d times closer to the signature w/K than any other \(recognised: "
                         r"at least 10 times; on a grid of twice the cells 1\d times: recognised "
                         r"there: the grid is too coarse\)$")
        self.assertEqual(len(self.rows("coarse/recognition.csv")), 2)
        with h5py.File(self.folder / "coarse" / "panel,finer" / "fields.h5", "r") as file:
            self.assertEqual(file["density"].shape[1:], (119, 240))

    def stage(self, *spreads, change=0.0):
        """Answers with these spreads, the first of which is that of the learned input."""
        responses = [types.SimpleNamespace(spread=spread, change=change) for spread in spreads]
        return types.SimpleNamespace(responses=responses, learning_change=0.0,
                                     share_at_ends=lambda: 0.0)

    def test_sentences(self):
        panel = make_panel(["1"], ["2"], None, 1.0, None)
        rest = "times closer to the signature w/K than any other (recognised: at least 10 times"
        for stage, finer, sentence in (
                (self.stage(0.1, 1.0), None, f"1: recognised: its answer is 10 {rest})"),
                (self.stage(0.1, 0.9), [self.stage(0.1, 0.95)], "1: NOT recognised: its answer is "
                 f"9 {rest}; on a grid of twice the cells 9.5 times: the grid is not the reason)"),
                (self.stage(0.1, 0.9), None, f"1: NOT recognised: its answer is 9 {rest}; not "
                 "checked on a finer grid: --set grid_w_cells and grid_v_cells tell)"),
                (self.stage(0.1, 0.9, change=0.1), None, f"1: NOT recognised: its answer is 9 {rest}"
                 "; it is not at rest, see below)")):
            self.assertEqual(recognition.verdicts(panel, [stage], finer)[0], sentence)
        self.assertTrue(recognition.is_doubtful([self.stage(0.1, 0.9)]))
        self.assertFalse(recognition.is_doubtful([self.stage(0.1, 0.9, change=0.1)]))
        self.assertFalse(recognition.is_doubtful([self.stage(0.1, 1.0)]))


class TestForgetting(RecognitionTestCase):
    """Patterns learned one after the other."""

    def test_second_pattern_replaces_the_first(self):
        second = "1 - 0.3*sin(6*w)"
        self.call(*FAST, "--learn", LEARNED, second, "--test", "1", "--names", "first", "second",
                  "flat", "--output", "two")
        stages = [self.spreads("two/recognition.csv", learned=number) for number in ("1", "2")]
        self.assertLess(stages[0]["first"], 0.004)
        self.assertLess(stages[1]["second"], 0.004)
        self.assertGreater(stages[0]["second"], 0.2)
        self.assertGreater(stages[1]["first"], 50.0 * stages[1]["second"])
        self.assertTrue((self.folder / "two" / "forgetting.png").is_file())
        text = (self.folder / "two" / "recognition.md").read_text(encoding="utf-8")
        self.assertIn("| test | 1 | 2 |", text)

    def test_patterns_are_made_to_a_number(self):
        self.assertEqual(learned_inputs(None, 3, {"model_input": LEARNED}),
                         [LEARNED, "1 + 0.3*sin(6*(w + 0.4))", "1 + 0.3*sin(6*(w + 0.8))"])
        self.assertEqual(learned_inputs(["w", LEARNED], 3, {"grid_w_max": "2"}),
                         ["w", LEARNED, "(w + 0.8)"])
        # A constant, a bump that leaves the axis, a file, and what depends on time.
        for text in ("2", "exp(-(w - 0.2)^2/0.001)", "file:in.csv", "1 + t*w"):
            with self.assertRaisesRegex(GridError, "by --learn", msg=text):
                learned_inputs([text], 4, {})

    def test_default_tests_follow_from_what_is_learned(self):
        self.assertEqual(default_tests([LEARNED, "7"], {}), ["1", "1.5", OPPOSITE])
        self.assertEqual(default_tests(["3 - w"], {"grid_w_max": "2"}),
                         ["2", "3", "4 - (3 - w)"])
        self.assertEqual(default_tests(["2"], {}), ["2", "3"])
        path = self.folder / "in.csv"
        path.write_text("# measured\nw,I\n0,1\n1, 3\n", encoding="utf-8-sig")
        self.assertEqual(default_tests([f"file:{path}"], {}), ["2", "3"])
        for text in ("1 + t", "file:nowhere.csv", "1 +"):
            with self.assertRaisesRegex(GridError, "no default tests: .* by --test", msg=text):
                default_tests([text], {})


class TestVary(RecognitionTestCase):
    """Other values of an option."""

    def test_a_run_for_each_value(self):
        process = self.call(*TINY, "--vary", "model_noise=0.8,1.2", "--vary",
                            "model_epsilon=0.05,0.2", "--output", "vary")
        rows = self.rows("vary/recognition.csv")
        self.assertEqual([row["point"] for row in rows[::4]],
                         ["panel", "model_noise_0.8", "model_noise_1.2", "model_epsilon_0.05",
                          "model_epsilon_0.2"])
        self.assertEqual(len({row["spread"] for row in rows}), 20)
        for option in ("model_noise", "model_epsilon"):
            self.assertTrue((self.folder / "vary" / f"spread_{option}.pdf").is_file())
        text = (self.folder / "vary" / "recognition.md").read_text(encoding="utf-8")
        self.assertIn("## Spread over model_noise\n\n| test | 0.8 | 1.2 |", text)
        # One time unit is too short to learn, and a time of eps to answer.
        self.assertIn("still learning: the total rate changes by", process.stdout)
        self.assertIn("answers after stage 1 are not at rest", process.stdout)
        # One value more is one run more.
        process = self.call(*TINY, "--vary", "model_noise=0.8,1,1.2", "--vary",
                            "model_epsilon=0.05,0.2", "--output", "vary")
        self.assertIn("6 done; 1 run now", process.stdout)

    def test_array_job(self):
        """With a stand-in for sbatch that runs the tasks at once."""
        fake = self.folder / "bin" / "sbatch"
        fake.parent.mkdir()
        fake.write_text('#!/bin/bash\nscript=${!#}\n'
                        'for word; do case $word in --array=0-*) last=${word##*-};; esac; done\n'
                        'for task in $(seq 0 "$last"); do\n'
                        '    LAUNCHER= SLURM_ARRAY_TASK_ID=$task bash "$script" >&2\ndone\n'
                        'echo 17\n', encoding="utf-8")
        text = fake.read_text(encoding="utf-8").replace("LAUNCHER= ", "LAUNCHER=env ")
        fake.write_text(text, encoding="utf-8")
        fake.chmod(0o755)
        path = os.environ["PATH"]
        self.addCleanup(os.environ.update, {"PATH": path})
        os.environ["PATH"] = f"{fake.parent}:{path}"
        words = (*TINY, "--vary", "model_noise=0.8", "--output", "array", "--slurm")
        self.assertIn("submitted job 17 with 2 tasks", self.call(*words).stdout)
        self.assertFalse((self.folder / "array" / "recognition.csv").exists())
        self.assertIn("2 done; 0 run now", self.call(*words).stdout)
        self.assertTrue((self.folder / "array" / "spread_model_noise.png").is_file())


class TestMessages(RecognitionTestCase):
    """What is said of wrong input."""

    def test_panel(self):
        cases = (
            ("--names: 2 names for 4 inputs; the panel is 1 + 0.3*sin(6*w), 1, 1.5,",
             ("--names", "a", "b")),
            ("--names a a: a name is there twice", ("--test", "1", "--names", "a", "a")),
            ("--patterns 1: --learn gives 2 already",
             ("--learn", "1", "2", "--patterns", "1")),
            ("--patterns 0: must be at least 1", ("--patterns", "0")),
            ("--learn: an input is there twice", ("--learn", "1", "1.0")),
            ("make 112 phases, and a run has 64 at most", ("--patterns", "7", "--test",
                                                          *map(str, range(2, 10)))),
            ("--test-duration 0: must be above 0", ("--test-duration", "0")),
            ("--learn-duration -1: must be above 0", ("--learn-duration", "-1")),
            ("--ranks 0: must be at least 1", ("--ranks", "0")),
            ("--vary model_noise: not of the form OPTION=VALUE", ("--vary", "model_noise")),
            ("time_end belongs to the protocol", ("--set", "time_end=3")),
            ("model_noise is given twice", ("--set", "model_noise=1", "--vary",
                                            "model_noise=1,2")),
            ("--sbatch --time=1: needs --slurm", ("--sbatch=--time=1",)),
            ("--program absent: no such program", ("--program", "absent")))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda case: self.assert_refused(case[0], *case[1]), cases))

    def test_case(self):
        self.assert_refused("absent.yaml: no such case file", case="absent.yaml")
        case = self.write_case(time_end=None)
        self.assert_refused("has no time_end; give --learn-duration", case=case)
        case = self.write_case(protocol_phases="a", phase_a_duration=1)
        self.assert_refused("has protocol_phases; the protocol is made by --learn", case=case)
        case = self.write_case(model_plasticity=False)
        self.assert_refused("model_plasticity is false; nothing would be learned", case=case)

    def test_input_that_the_program_refuses(self):
        process = self.call(*TINY, "--learn", "1 + x", "--test", "1", "--output", "wrong", expect=1)
        self.assertIn("phase_learn_1_input", process.stdout)
        self.assertIn("the run of the panel itself is not done", process.stdout)

    def test_foreign_files_stay(self):
        folder = self.folder / "mine"
        folder.mkdir()
        for name in ("recognition.csv", "recognition.md", "responses.png"):
            (folder / name).write_text("mine\n", encoding="utf-8")
            process = self.call(*TINY, "--output", "mine", expect=2)
            self.assertIn(f"mine/{name}: exists and", process.stderr)
            self.assertEqual((folder / name).read_text(encoding="utf-8"), "mine\n")
            (folder / name).unlink()

    def test_help_has_examples(self):
        text = self.call("--help").stdout
        self.assertIn("examples:\n  tools/recognition.py input/recognition.yaml", text)


class TestMeasure(EngramTestCase):
    """The numbers, of made-up answers."""

    def test_spread_of_a_known_profile(self):
        """Uniform H, and x = 1 + b cos: the spread is b/sqrt(2)."""
        w = (numpy.arange(2000) + 0.5) / 2000.0
        share = shares(w, numpy.ones_like(w), numpy.ones_like(w))
        self.assertAlmostEqual(share.sum(), 1.0)
        self.assertAlmostEqual(float(share @ w), 0.5, places=3)
        self.assertAlmostEqual((share > 0.0).sum(), 1900, delta=2)
        # Whole periods within the middle 95 %.
        profile = 1.0 + 0.3 * numpy.cos(2.0 * numpy.pi * (w - 0.025) / 0.95 * 4.0)
        answer = measure(w, numpy.full_like(w, 2.0), share, profile * w, 0.7, 0.0)
        self.assertAlmostEqual(answer.spread, 0.3 / numpy.sqrt(2.0), delta=3e-4)
        self.assertAlmostEqual(answer.level, 2.0 * 0.7, delta=1e-3)
        pure = measure(w, numpy.full_like(w, 2.0), share, w, 0.7, 0.0)
        self.assertLess(pure.spread, 1e-12)
        self.assertAlmostEqual(distance(share, answer.shape, pure.shape), answer.spread)

    def test_learned_inputs_come_first_and_once(self):
        panel = make_panel(["2", "3"], ["1", "3.0", "4"], None, 1.0, None)
        self.assertEqual(panel.tests, ("2", "3", "1", "4"))
        self.assertEqual(panel.phases()[:7], [(0, None), (0, 0), (0, 1), (0, 2), (0, 3), (1, None),
                                              (1, 0)])


if __name__ == "__main__":
    main()
