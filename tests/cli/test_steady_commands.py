"""-steady and -steady_sweep: what they print and write, and what they refuse."""

import csv
import math
import re

import numpy

from engram_test import EngramTestCase, main

# The NNLIF network with one weight, which has two steady states.
SINGLE = {
    "model_epsilon": 1, "model_response": "N", "model_input": "0", "model_plasticity": "false",
    "initial_density": "exp(-(v + 1)^2/0.5)", "grid_w_min": 1.5, "grid_w_max": 1.5,
    "grid_w_cells": 1, "time_end": 1,
}

# Frozen weights of both signs, on a number of cells that no number of ranks divides.
FROZEN = {
    "model_epsilon": 1, "model_response": "4*N", "model_plasticity": "false", "grid_w_min": -1,
    "grid_w_cells": 37, "initial_density": "exp(-(w - 0.4)^2/0.02)*exp(-v^2)",
}

STEADY_COLUMNS = ["state", "total_rate", "slope", "stable"]

ONE_WEIGHT = "grid_w_min+grid_w_max"

FORM = "must be OPTION:from:to:n with "

# Texts of -steady_sweep that are none.
MALFORMED = ["true", "grid_w_min", "grid_w_min:0:3", "grid_w_min:0:3:", "grid_w_min:0:3:61:1",
             ":0:3:61", "grid_w_min:zero:3:61", "grid_w_min:0:3,5:61", "grid_w_min:0:inf:61",
             "grid_w_min:nan:3:61", "grid_w_min:0:3:1", "grid_w_min:0:3:0", "grid_w_min:0:3:-5",
             "grid_w_min:0:3:2.5", "grid_w_min:0:3:many", "grid_w_min:2:2:61",
             "grid_w_min=0:3:61", "grid_w_min 0 3 61", "grid_w_min:0:3:1e9", "+:0:3:61"]

# Options that cannot be varied, with the reason.
NOT_VARIED = [
    ("model_input:0:1:3", "-model_input: is an expression; only real numbers can be varied"),
    ("model_noise:0.5:1:3", "-model_noise: is an expression; only real numbers can be varied"),
    ("grid_w_cells:1:5:5", "-grid_w_cells: is a whole number; only real numbers can be varied"),
    ("model_flux:0:1:2", "-model_flux: is a text; only real numbers can be varied"),
    ("model_plasticity:0:1:2", "-model_plasticity: is true or false; only real numbers can be"),
    ("model_refractry:0:1:3", "-model_refractry: there is no such option to vary"),
    ("grid_w_min+b:0:1:3", "-b: there is no such option to vary"),
    ("model_refractory:-1:1:3", "-model_refractory -1: must be at least 0 ("),
    ("model_refractory:1:-1:3", "-model_refractory -1: must be at least 0 ("),
    ("time_end:0:1:3", "-time_end 0: must be above 0 ("),
]


def table(path):
    """Header and rows of a table, as floats."""
    with open(path, newline="", encoding="ascii") as stream:
        header, *rows = csv.reader(stream)
    return header, [[float(word) for word in row] for row in rows]


class SteadyTestCase(EngramTestCase):
    """Runs that look for steady states, and how they are refused."""

    def steady(self, options, *words, ranks=0, **changes):
        """A run with -steady that succeeds."""
        return self.run_case(options, ranks=ranks, extra=["-steady", *words], **changes)

    def refuse(self, options, words, message, ranks=0, **changes):
        """One message with this text, exit code 2, and nothing written."""
        case = self.write_case(options, **changes)
        process = self.execute([case, "-output_dir", "output", *words], ranks=ranks)
        self.assertEqual(process.returncode, 2, process.stdout + process.stderr)
        messages = [line for line in process.stderr.splitlines() if line.startswith("engram:")]
        self.assertEqual(len(messages), 1, process.stderr)
        self.assertTrue(messages[0].startswith("engram: error: "), messages)
        self.assertIn(message, messages[0])
        self.assertNotIn("PETSC ERROR", process.stderr)
        self.assertFalse((self.folder / "output").exists())


class SteadyStatesTest(SteadyTestCase):
    """-steady for frozen weights."""

    def test_files_and_table(self):
        result = self.steady(SINGLE)
        self.assertEqual({path.name for path in result.folder.iterdir()},
                         {"case.yaml", "series.csv", "fields.h5", "fields.xmf", "summary.yaml",
                          "steady.csv", "status.yaml"})
        header, rows = table(result.folder / "steady.csv")
        self.assertEqual(header, STEADY_COLUMNS)
        self.assertEqual([row[0] for row in rows], [1, 2])
        self.assertAlmostEqual(rows[0][1], 0.1924, delta=1e-3)
        self.assertAlmostEqual(rows[1][1], 2.289, delta=1e-2)
        self.assertTrue(0 < rows[0][2] < 1 < rows[1][2], rows)
        self.assertEqual([row[3] for row in rows], [1, 0])

    def test_one_line_for_each_state(self):
        result = self.steady(SINGLE)
        _, rows = table(result.folder / "steady.csv")
        lines = re.findall(r"(?m)^steady state (\d+): Nbar = ([\d.e+-]+), (stable|unstable)\b.*"
                           r"slope ([\d.e+-]+)", result.stdout)
        self.assertEqual([(line[0], line[2]) for line in lines],
                         [("1", "stable"), ("2", "unstable")])
        for line, row in zip(lines, rows):
            self.assertAlmostEqual(float(line[1]), row[1], delta=1e-8)
            self.assertAlmostEqual(float(line[3]), row[2], delta=1e-4)

    def test_states_are_the_rows_after_the_initial_one(self):
        result = self.steady(SINGLE)
        _, rows = table(result.folder / "steady.csv")
        series, fields = result.series(), result.fields()
        self.assertEqual(series["step"], [0, 1, 2])
        self.assertEqual(series["time"], [0, 1, 2])
        self.assertEqual(list(fields["time"]), [0, 1, 2])
        self.assertEqual(list(fields["total_rate"]), series["total_rate"])
        self.assertLess(series["total_rate"][0], 1e-6)
        for number, row in enumerate(rows, start=1):
            self.assertAlmostEqual(series["total_rate"][number], row[1], delta=1e-8)
        self.assertLess(max(map(abs, series["mass_error"])), 1e-14)
        self.assertGreaterEqual(min(series["min_density"]), 0)

    def test_rows_do_not_depend_on_the_intervals_of_output(self):
        fields = self.steady(SINGLE, output_series_every=7, output_fields_every=100).fields()
        self.assertEqual(list(fields["time"]), [0, 1, 2])

    def test_summary(self):
        summary = self.steady(SINGLE).yaml("summary.yaml")
        self.assertEqual((summary["status"], summary["steady_states"]), ("done", 2))
        self.assertAlmostEqual(float(summary["total_rate"]), 2.289, delta=1e-2)
        self.assertNotIn("steady_states", self.run_case(SINGLE).yaml("summary.yaml"))

    def test_no_steady_state(self):
        result = self.steady(SINGLE, grid_w_min=3, grid_w_max=3)
        self.assertRegex(result.stdout, r"(?m)^no steady state: .*-blowup_rate 10000")
        self.assertEqual(table(result.folder / "steady.csv"), (STEADY_COLUMNS, []))
        self.assertEqual(result.yaml("summary.yaml")["steady_states"], 0)
        self.assertEqual(list(result.fields()["time"]), [0])

    def test_none_is_said_only_where_it_is_certain(self):
        """Beside a fold, where the rates turn, or where they have no value: none was found."""
        sweep = self.run_case(SINGLE, extra=["-steady_sweep", f"{ONE_WEIGHT}:2:2.5:2"])
        (fold, fold_rate), = table(sweep.folder / "folds.csv")[1]
        found = r"(?m)^no steady state found: of \d+ total rates from 0 to -blowup_rate \S+ that .*"
        for weight, changes, pattern in (
                (fold + 1e-4, {}, r"(?m)^no steady state: no total rate up to "),
                (fold + 2e-9, {}, found + r"one between (\S+) and (\S+) is not excluded"),
                (2.5, {"model_noise": "1 + 0.1*sin(50*N)"}, found + "both rise and fall as"),
                (3, {"model_noise": "0.5 - N", "model_input": "9"},
                 found + r"is not excluded \(at some rates the noise a\(Nbar\) is not positive")):
            with self.subTest(weight=weight, changes=changes):
                result = self.steady(SINGLE, grid_w_min=weight, grid_w_max=weight, **changes)
                self.assertEqual(result.yaml("summary.yaml")["steady_states"], 0)
                self.assertRegex(result.stdout, pattern)
                said = re.search(pattern, result.stdout).groups()
                if said:
                    self.assertTrue(float(said[0]) < fold_rate < float(said[1]), said)

    def test_potentials_of_the_initial_density_are_not_used(self):
        """The rates of the initial density need not exist: only its weights matter."""
        for changes, known in (
                ({"model_noise": "1 + N", "initial_density": "exp(-v^2/8)"}, 0.190149),
                ({"model_noise": "1 + 3*N", "initial_density": "exp(-v^2/2)"}, None),
                ({"model_response": "sqrt(0.4 - N)", "initial_density": "exp(-(v - 1.5)^2)"},
                 None)):
            with self.subTest(changes=changes):
                case = {**SINGLE, "grid_w_min": 0.5, "grid_w_max": 0.5, "model_v_min": -10,
                        "grid_v_cells": 480, **changes}
                result = self.steady(case)
                (_, rate, _, is_stable), = table(result.folder / "steady.csv")[1]
                other = self.run_case(case, initial_quasi_static="true", time_step=0.05, time_end=5)
                self.assertAlmostEqual(other.series()["total_rate"][-1], rate, delta=1e-9)
                self.assertEqual(is_stable, 1)
                if known:
                    self.assertAlmostEqual(rate, known, delta=1e-6)
                self.assertTrue(math.isnan(result.series()["total_rate"][0]))
                self.assertNotIn("warning", result.stderr)

    def test_states_that_the_harmonic_flux_makes_up(self):
        """It bounds the rate by the grid: its highest state is no state of the network."""
        for weight, cells, count in ((1.5, 60, 2), (2.5, 60, 0), (2.5, 240, 0), (1.2, 240, 2)):
            with self.subTest(weight=weight, cells=cells):
                changes = {"grid_w_min": weight, "grid_w_max": weight, "grid_v_cells": cells}
                plain = table(self.steady(SINGLE, **changes).folder / "steady.csv")[1]
                result = self.steady(SINGLE, model_flux="harmonic", **changes)
                rows = table(result.folder / "steady.csv")[1]
                self.assertEqual([row[3] for row in rows], [1, 0][:count])
                self.assertEqual(len(plain), count)
                for row, other in zip(rows, plain):
                    self.assertAlmostEqual(row[1] / other[1], 1, delta=0.1)
                self.assertEqual(result.stderr.count("is left out: the grid makes it up"), 1)
                if not count:
                    self.assertRegex(result.stdout, r"(?m)^no steady state: no total rate up to ")
        self.refuse(SINGLE, [], "no quasi-static state: no total rate up to", grid_w_min=2.5,
                    grid_w_max=2.5, model_flux="harmonic", initial_quasi_static="true")
        result = self.run_case(SINGLE, model_flux="harmonic",
                               extra=["-steady_sweep", f"{ONE_WEIGHT}:0:3:4"])
        self.assertIn("for 2 of 4 values of -grid_w_min states are left out", result.stderr)
        self.assertEqual([row[1] for row in table(result.folder / "bifurcation.csv")[1]],
                         [1, 1, 1, 2, 0])

    def test_states_beyond_the_largest_rate_are_left_out(self):
        result = self.steady(SINGLE, "-blowup_rate", "1")
        self.assertEqual(result.yaml("summary.yaml")["steady_states"], 1)

    def test_largest_rate_does_not_hide_states(self):
        _, plain = table(self.steady(SINGLE).folder / "steady.csv")
        for largest in ("1e9", "1e12", "1e300"):
            with self.subTest(largest=largest):
                _, rows = table(self.steady(SINGLE, blowup_rate=largest).folder / "steady.csv")
                self.assertEqual(len(rows), 2)
                self.assertLess(numpy.abs(numpy.array(rows) - plain)[:, 1].max(), 1e-8)

    def test_jumps_are_no_states(self):
        """Where the noise turns negative, or the response has a pole, nothing is solved."""
        for options, count in (({"model_noise": "1 - N"}, 1),
                               ({"model_response": "1/(N - 0.3)"}, 2)):
            with self.subTest(options=options):
                result = self.steady({**SINGLE, **options})
                _, rows = table(result.folder / "steady.csv")
                self.assertEqual(len(rows), count)
                for (_, rate, slope, _), shown in zip(rows, result.series()["total_rate"][1:]):
                    self.assertAlmostEqual(shown, rate, delta=1e-8)
                    self.assertLess(abs(slope), 1e3)

    def test_a_run_stays_in_a_state_found(self):
        """The states solve the very equations of a run in time."""
        for options in ({}, {"model_refractory": 0.7}, {"model_flux": "harmonic"},
                        {"model_noise": "1 + 0.1*N"}):
            with self.subTest(options=options):
                case = {**SINGLE, **options}
                found = self.steady(case).series()["total_rate"][1]
                run = self.run_case(case, time_end=60, time_step=0.05).series()["total_rate"][-1]
                self.assertAlmostEqual(run / found, 1, delta=1e-7)

    def test_time_scale_delay_and_scheme_make_no_difference(self):
        plain = (self.steady(SINGLE).folder / "steady.csv").read_bytes()
        for words in (["-model_epsilon", "0"], ["-model_epsilon", "1e-9"], ["-model_delay", "2"],
                      ["-time_scheme", "extrapolated", "-coupling", "implicit"],
                      ["-time_scheme", "euler"], ["-time_adaptive", "true"], ["-time_step", "0"],
                      ["-coupling_iterations", "2"]):
            with self.subTest(words=words):
                other = self.steady(SINGLE, *words).folder / "steady.csv"
                self.assertEqual(other.read_bytes(), plain)

    def test_option_in_the_file(self):
        self.assertEqual(self.run_case(SINGLE, steady="true").yaml("summary.yaml")["steady_states"],
                         2)
        result = self.run_case(SINGLE, steady="false")
        self.assertFalse((result.folder / "steady.csv").exists())

    def test_case_file_of_the_results_runs_again(self):
        first = self.steady(SINGLE, "-steady_sweep", f"{ONE_WEIGHT}:1:2:3")
        process = self.execute([first.folder / "case.yaml", "-output_dir", "again"])
        self.assertEqual(process.returncode, 0, process.stderr)
        for name in ("series.csv", "steady.csv", "bifurcation.csv", "folds.csv"):
            self.assertEqual((self.folder / "again" / name).read_bytes(),
                             (first.folder / name).read_bytes(), name)

    def test_same_bits_on_two_ranks(self):
        words = ["-steady_sweep", "grid_w_max:1:2:3"]
        one, two = (self.steady(FROZEN, *words, ranks=ranks) for ranks in (1, 2))
        for name in ("series.csv", "steady.csv", "bifurcation.csv", "folds.csv"):
            self.assertEqual((two.folder / name).read_bytes(), (one.folder / name).read_bytes(),
                             name)
        for name, values in one.fields().items():
            self.assertEqual(two.fields()[name].tobytes(), values.tobytes(), name)
        self.assertEqual(two.stdout, one.stdout)
        self.assertEqual(two.yaml("summary.yaml")["ranks"], 2)

    def test_overwriting_leaves_no_old_tables(self):
        first = self.steady(SINGLE, "-steady_sweep", f"{ONE_WEIGHT}:0:1:2")
        process = self.execute([self.write_case(SINGLE), "-output_dir", first.folder,
                                "-output_overwrite"])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual([path.name for path in first.folder.glob("*.csv")], ["series.csv"])

    def test_input_that_changes_is_refused(self):
        for options in (SINGLE, {}):
            self.refuse(options, ["-steady"], '-steady: -model_input "1 + sin(t)" changes with t',
                        model_input="1 + sin(t)")
        self.refuse(FROZEN, ["-steady"], "changes with t", ranks=2, model_input="t < 5 ? 1 : 2")

    def test_values_of_the_option(self):
        self.refuse(SINGLE, ["-steady", "maybe"], "-steady maybe: must be true or false (")
        self.refuse(SINGLE, ["-steady", "2"], "-steady 2: must be true or false (")


class SweepTest(SteadyTestCase):
    """-steady_sweep."""

    def sweep(self, text, options=None, **changes):
        """A run with a sweep: rows of both tables, with their headers."""
        result = self.run_case(options or SINGLE, extra=["-steady_sweep", text], **changes)
        return (*table(result.folder / "bifurcation.csv"), *table(result.folder / "folds.csv"))

    def test_tables(self):
        header, rows, fold_header, folds = self.sweep(f"{ONE_WEIGHT}:1:3:5")
        self.assertEqual(header, ["grid_w_min", *STEADY_COLUMNS])
        self.assertEqual(fold_header, ["grid_w_min", "total_rate"])
        self.assertEqual([tuple(row[:2]) for row in rows],
                         [(1, 1), (1.5, 1), (1.5, 2), (2, 1), (2, 2), (2.5, 0), (3, 0)])
        self.assertEqual([row[4] for row in rows[:5]], [1, 1, 0, 1, 0])
        for row in rows[5:]:
            self.assertTrue(all(map(math.isnan, row[2:])), row)
        self.assertEqual(len(folds), 1)
        self.assertAlmostEqual(folds[0][0], 2.101, delta=0.005)
        self.assertAlmostEqual(folds[0][1], 0.424, delta=0.005)

    def test_rows_are_those_of_single_runs(self):
        _, rows, _, _ = self.sweep(f"{ONE_WEIGHT}:1:2:2")
        _, states = table(self.steady(SINGLE, grid_w_min=2, grid_w_max=2).folder / "steady.csv")
        self.assertEqual([row[1:] for row in rows[1:]], states)

    def test_downwards_finds_the_same(self):
        _, up, _, up_folds = self.sweep(f"{ONE_WEIGHT}:1:3:5")
        _, down, _, down_folds = self.sweep(f"{ONE_WEIGHT}:3:1:5")
        self.assertEqual(sorted(map(str, up)), sorted(map(str, down)))
        self.assertLess(numpy.abs(numpy.array(up_folds) - down_folds).max(), 1e-6)

    def test_other_options(self):
        """Without coupling a wait of tau makes the rate r into r/(1 + tau r)."""
        _, rows, _, folds = self.sweep("model_refractory:0:1:3", grid_w_min=0, grid_w_max=0)
        rate = rows[0][2]
        self.assertEqual([row[:2] for row in rows], [[0, 1], [0.5, 1], [1, 1]])
        for value, _, with_wait, *_ in rows:
            self.assertAlmostEqual(with_wait, rate / (1 + value * rate), delta=1e-9)
        self.assertEqual(folds, [])

    def test_the_case_itself_is_found_too_and_recorded(self):
        result = self.run_case(SINGLE, extra=["-steady_sweep", f"{ONE_WEIGHT}:0:1:2"])
        self.assertEqual(len(table(result.folder / "steady.csv")[1]), 2)
        case = result.yaml("case.yaml")
        self.assertEqual((case["grid_w_min"], case["grid_w_max"]), (1.5, 1.5))
        self.assertEqual(case["steady_sweep"], f"{ONE_WEIGHT}:0:1:2")
        self.assertEqual(result.yaml("summary.yaml")["steady_states"], 2)
        self.assertEqual(result.fields()["w"], [1.5])

    def test_none_is_no_sweep(self):
        result = self.run_case(SINGLE, steady_sweep="none")
        self.assertFalse((result.folder / "bifurcation.csv").exists())
        self.assertGreater(len(result.series()["step"]), 10)

    def test_malformed_texts(self):
        for text in MALFORMED:
            with self.subTest(text=text):
                self.refuse(SINGLE, ["-steady_sweep", text], f"-steady_sweep {text}: {FORM}")
        self.refuse(FROZEN, ["-steady_sweep", MALFORMED[0]], FORM, ranks=2)
        self.refuse(SINGLE, ["-steady_sweep"], "-steady_sweep: needs a value (")

    def test_options_that_cannot_be_varied(self):
        for text, message in NOT_VARIED:
            with self.subTest(text=text):
                self.refuse(SINGLE, ["-steady_sweep", text], message)
        self.refuse(FROZEN, ["-steady_sweep", NOT_VARIED[0][0]], NOT_VARIED[0][1], ranks=2)

    def test_values_in_between_are_tried_before_anything_is_written(self):
        for text, fault, value in (
                ("model_v_reset:0:1:5", "-grid_v_cells 60: V_R = 0.25 falls between two nodes",
                 "model_v_reset = 0.25"),
                ("grid_w_min:0:3:5", "-grid_w_max 1.5: must lie above -grid_w_min 2.25",
                 "grid_w_min = 2.25")):
            with self.subTest(text=text):
                process = self.execute([self.write_case(SINGLE), "-output_dir", "output",
                                        "-steady_sweep", text])
                self.assertEqual(process.returncode, 2, process.stderr)
                self.assertRegex(process.stderr,
                                 rf"engram: error: \S+case\.yaml:\d+:\d+: {re.escape(fault)}")
                self.assertIn(value, process.stderr)
                self.assertFalse((self.folder / "output").exists())

    def test_option_without_influence_is_warned_of(self):
        result = self.run_case(SINGLE, extra=["-steady_sweep", "model_epsilon:0:1:3"])
        self.assertRegex(result.stderr, r"warning: .*same for all values of -model_epsilon")
        result = self.run_case(SINGLE, extra=["-steady_sweep", f"{ONE_WEIGHT}:0:1:3"])
        self.assertNotIn("warning", result.stderr)

    def test_learning_weights_are_refused(self):
        self.refuse({}, ["-steady_sweep", "model_refractory:0:1:3"],
                    "-steady_sweep: needs frozen weights, -model_plasticity false")


class LearnedStateTest(SteadyTestCase):
    """-steady for learning weights: the limit model until it rests."""

    def check_rest(self, **changes):
        """Rests early, at the state that a run in time comes to."""
        result = self.steady({}, time_end=100, output_series_every=10, **changes)
        summary, series = result.yaml("summary.yaml"), result.series()
        self.assertEqual((summary["status"], summary["steady_states"]), ("done", 1))
        self.assertLess(summary["time"], 50)
        self.assertEqual(series["time"][-1], summary["time"])
        self.assertEqual(result.fields()["time"][-1], summary["time"])
        self.assertFalse((result.folder / "steady.csv").exists())
        self.assertAlmostEqual(series["total_rate"][-1], series["total_rate"][-3], delta=1e-7)
        longer = self.run_case(model_epsilon=0, coupling="implicit", time_end=summary["time"] + 10,
                               **changes)
        self.assertAlmostEqual(longer.series()["total_rate"][-1], series["total_rate"][-1],
                               delta=1e-7)

    def test_rests_long_before_the_end(self):
        self.check_rest(transport_order=1)
        # At order 5 a front on 20 cells has several states of rest.
        self.check_rest(grid_w_cells=40)

    def test_tolerance(self):
        early, late = (self.steady({}, "-steady_tolerance", tolerance, time_end=100)
                       .yaml("summary.yaml")["time"] for tolerance in ("1e-2", "1e-6"))
        self.assertLess(early + 1, late)

    def test_not_at_rest_before_the_end(self):
        for ranks in (0, 2):
            result = self.run_case(ranks=ranks, extra=["-steady"], expect=3)
            warnings = [line for line in result.stderr.splitlines() if "warning" in line]
            self.assertEqual(len(warnings), 1, result.stderr)
            self.assertIn("the weights do not rest yet at -time_end", warnings[0])
            self.assertIn("-steady_tolerance", warnings[0])
            summary = result.yaml("summary.yaml")
            self.assertEqual((summary["status"], summary["steady_states"]), ("stopped", 0))
            self.assertIn("do not rest", summary["reason"])
            self.assertEqual(result.series()["time"][-1], 0.1)
            self.assertNotIn("blowup_time", summary)

    def test_same_bits_on_two_ranks(self):
        one, two = (self.steady({}, "-steady_tolerance", "1e-3", ranks=ranks, time_end=100)
                    for ranks in (1, 2))
        self.assertEqual((two.folder / "series.csv").read_bytes(),
                         (one.folder / "series.csv").read_bytes())

    def test_no_quasi_static_start(self):
        self.refuse({}, ["-steady"], "no quasi-static state", model_response="40*N",
                    model_input="5")


if __name__ == "__main__":
    main()
