"""A mistake of the user ends in one message, naming option and value, and in exit code 2."""

import re

from engram_test import EngramTestCase, main

# Options of real numbers and of whole numbers, with a value that lies outside their bounds.
BOUNDED = [
    ("blowup_rate", "0", "must be above 0"),
    ("blowup_rate", "-1", "must be above 0"),
    ("model_epsilon", "-1e-9", "must be at least 0"),
    ("model_delay", "-1", "must be at least 0"),
    ("model_refractory", "-1", "must be at least 0"),
    ("initial_rate", "-1", "must be at least 0"),
    ("time_tolerance", "0", "must be above 0"),
    ("time_tolerance", "2", "must be at most 1"),
    ("time_step_min", "-1", "must be at least 0"),
    ("time_step_max", "-1", "must be at least 0"),
    ("coupling_tolerance", "-1e-10", "must be at least 0"),
    ("coupling_iterations", "1", "must be at least 2"),
    ("coupling_scan", "-1", "must be at least 0"),
    ("steady_tolerance", "0", "must be above 0"),
    ("time_end", "0", "must be above 0"),
    ("time_step", "-1e-3", "must be at least 0"),
    ("grid_v_cells", "2", "must be at least 3"),
    ("grid_v_cells", "-60", "must be at least 3"),
    ("grid_w_cells", "0", "must be at least 1"),
    ("output_series_every", "0", "must be at least 1"),
    ("output_series_interval", "-0.1", "must be at least 0"),
    ("output_fields_every", "-0.1", "must be at least 0"),
    ("slice_ksp_rtol", "0", "must be above 0"),
]

REAL_OPTIONS = ["model_epsilon", "model_v_threshold", "model_v_reset", "model_v_min", "grid_w_min",
                "grid_w_max", "time_end", "time_step", "output_fields_every", "slice_ksp_rtol"]

COUNT_OPTIONS = ["grid_v_cells", "grid_w_cells", "output_series_every"]

# Misspelt name, and the option it is meant to be; None where no option is near.
MISSPELT = [
    ("modell_noise", "model_noise"),
    ("model_nosie", "model_noise"),
    ("grid_w_cell", "grid_w_cells"),
    ("tine_step", "time_step"),
    ("time_ends", "time_end"),
    ("output_dirr", "output_dir"),
    ("initial_densty", "initial_density"),
    ("slice_ksp_typ", "slice_ksp_type"),
    ("slice_pc_tpye", "slice_pc_type"),
    ("qqq", None),
]

# Case file changes that are wrong by themselves or together.
WRONG_GRIDS = [
    ({"model_v_reset": 2}, ["-model_v_reset 2: must lie below -model_v_threshold 2"]),
    ({"model_v_threshold": 0.5}, ["-model_v_reset 1: must lie below -model_v_threshold 0.5"]),
    ({"model_v_min": 1}, ["-model_v_min 1: must lie below -model_v_reset 1"]),
    ({"grid_w_max": -0.5}, ["-grid_w_max -0.5: must lie above -grid_w_min 0"]),
    ({"grid_w_min": 3}, ["-grid_w_max 1: must lie above -grid_w_min 3"]),
    ({"grid_w_min": 1}, ["-grid_w_max 1: must lie above -grid_w_min 1", "-grid_w_cells 1"]),
    ({"grid_v_cells": 1200000000}, ["-grid_v_cells 1200000000"]),
    ({"grid_v_cells": 1200000000, "grid_w_cells": 1}, ["-grid_v_cells 1200000000"]),
    ({"grid_w_cells": 300000000}, ["-grid_w_cells 300000000"]),
    ({"model_v_min": -3.9999}, ["-grid_v_cells 60: V_R = 1 falls between two nodes",
                                "no count near it works", "-model_v_min"]),
]

# Option, expression, and what the message says of the place.
BAD_EXPRESSIONS = [
    ("model_input", "1 + x", 'in w, t and s; at position 5: Unexpected token "x"'),
    ("model_input", "v", 'in w, t and s; at position 1: Unexpected token "v"'),
    ("model_input", "2*foo(1)", 'at position 3: Unexpected token "foo"'),
    ("model_input", "w t", 'at position 3: Unexpected variable "t"'),
    ("model_input", "(1 + w", "at position 6: Missing parenthesis"),
    ("model_input", "1 # 2", 'at position 3: Unexpected token "#'),
    ("model_input", "w < 0.5 ? 1", "at position 11: If-then-else operator is missing an else"),
    ("model_input", "1e400", "at position 1: Unexpected token"),
    ("model_input", " ", "at position 1: Expression is empty"),
    ("model_input", "", "-model_input: needs a value"),
    ("model_input", "1, 2", "2 values separated by commas where one expression is expected"),
    ("model_response", "w", 'in Nbar (or N); at position 1: Unexpected token "w"'),
    ("model_learning", "1 + t", 'in w; at position 5: Unexpected token "t"'),
    ("initial_density", "exp(-t)", 'in w and v; at position 6: Unexpected token "t"'),
    ("initial_density", "", "-initial_density: needs a value"),
]

# muParser repeats a position of its own in these, counted from 0.
POSITIONS = [("1 +", 3), ("1 + w)", 6), ("2^", 2), ("exp()", 5), ("exp(1, 2)", 9)]

# Option, expression, and the value and place that the message names.
BAD_VALUES = [
    ("initial_density", "w - 0.5", "is -0.475 at w = 0.025, v = -3.9; it must be finite and not"),
    ("initial_density", "0.51 - w", "is -0.015 at w = 0.525, v = -3.9; it must be finite and not"),
    ("initial_density", "1.22 - v", "is -0.08 at w = 0.025, v = 1.3; it must be finite and not"),
    ("initial_density", "sqrt(w - 0.5)", "nan at w = 0.025, v = -3.9; it must be finite and not"),
    ("initial_density", "w < 0.9 ? 1 : 1/0", "is inf at w = 0.925, v = -3.9; it must be finite"),
    ("initial_density", "0", "its integral over the grid is 0; it must be positive"),
    ("model_learning", "1/(w < 0.5 ? 1 : 0)", "is inf at w = 0.525; it must be finite"),
    ("model_learning", "sqrt(0.8 - w)", "nan at w = 0.825; it must be finite"),
    ("model_input", "1/(w - 0.525)", "the total firing rate of the initial state is not finite"),
    ("model_input", "log(t - 1)", "the total firing rate of the initial state is not finite"),
    ("model_response", "1/(N - N)", "the total firing rate of the initial state is not finite"),
    ("model_response", "sqrt(-1 - N)", "the total firing rate of the initial state is not finite"),
]

# Words after the case file.
BAD_WORDS = [
    (["stray"], ["unexpected argument 'stray'"]),
    (["--model_noise", "1"], ["unexpected argument '--model_noise'"]),
    (["-"], ["unexpected argument '-'"]),
    (["-model_input", "-w"], ["-model_input -w: the option needs a value", '-model_input "(-w)"']),
    (["-model_response", "-N/2"], ["-model_response -N/2", '-model_response "(-N/2)"']),
    (["-model_noise"], ["-model_noise: needs a value"]),
    (["-model_noise", "-grid_w_cells", "20"], ["-model_noise: needs a value"]),
    (["-model_epsilon", "--1"], ["-model_epsilon --1: must be a finite number"]),
    (["-model_plasticity", "maybe"], ["-model_plasticity maybe: must be true or false"]),
    (["-dry_run", "2"], ["-dry_run 2: must be true or false"]),
    (["-slice_ksp_type", "foo"], ["-slice_ksp_type foo: PETSc has no such KSP", "preonly"]),
    (["-slice_pc_type", "foo"], ["-slice_pc_type foo: PETSc has no such PC", "gth"]),
    (["-slice_ksp_type", "gmres", "-slice_ksp_max_it", "abc"], ["slice solver", "abc"]),
    (["-slice_ksp_type", "gmres", "-slice_ksp_norm_type", "foo"],
     ["-slice_ksp_norm_type", "foo", "unpreconditioned"]),
    (["-slice_ksp_type", "gmres", "-slice_ksp_gmres_restart", "-3"],
     ["slice solver", "Restart must be positive"]),
    (["-slice_pc_type", "lu", "-slice_pc_factor_mat_ordering_type", "foo"],
     ["slice solver", "foo"]),
]

# Text of a case file that is none, and words of the message; CASE stands for its path.
BAD_FILES = [
    ("model_noise: [1\n", ["CASE:1:14: not valid YAML"]),
    ('model_noise: "1\n', ["CASE:1:14: not valid YAML"]),
    ("a:\tb: c\n", ["CASE:1:5: not valid YAML"]),
    ("just text\n", ["CASE:1:1: a single text where options are expected"]),
    ("- a\n- b\n", ["CASE:1:1: a list where options are expected"]),
    ("", ["-initial_density: must be given", "an expression"]),
    ("model:\n  noise: 1\n  epsilonn: 0.1\n",
     ["CASE:3:3: unknown option -model_epsilonn: did you mean -model_epsilon?"]),
    ("grid: {w: {cell: 20}}\n",
     ["CASE:1:12: unknown option -grid_w_cell: did you mean -grid_w_cells?"]),
]


class RefusalTestCase(EngramTestCase):
    """Ways to run mistakes, each of which must be refused before anything is written."""

    def check_refused(self, process, fragments, ranks=0):
        """One message with all fragments, exit code 2, no trace, no output folder."""
        text = process.stdout + process.stderr
        self.assertEqual(process.returncode, 2, text)
        lines = process.stderr.splitlines()
        messages = [line for line in lines if line.startswith("engram:")]
        self.assertEqual(len(messages), 1, text)
        if not ranks:
            self.assertEqual(lines, messages)
        self.assertTrue(messages[0].startswith("engram: error: "), text)
        for fragment in fragments:
            self.assertIn(fragment, messages[0])
        self.assertNotIn("PETSC ERROR", text)
        self.assertFalse((self.folder / "output").exists())
        self.assertFalse((self.folder / "results").exists())

    def refuse(self, fragments, words=(), ranks=0, **changes):
        """Runs the small case with changes and words, which must be refused."""
        case = self.write_case(**changes)
        process = self.execute([case, "-output_dir", "output", *words], ranks=ranks)
        self.check_refused(process, fragments, ranks)
        return process.stderr

    def refuse_everywhere(self, option, value, fragments):
        """The mistake stands in the case file, then on the command line."""
        with self.subTest(option=option, value=value, place="file"):
            self.refuse(fragments, **{option: value})
        with self.subTest(option=option, value=value, place="words"):
            self.refuse(fragments, words=[f"-{option}", value])


class BadInputTest(RefusalTestCase):
    """Each test runs a table of mistakes on one rank."""

    def test_misspelt_names_get_a_suggestion(self):
        for name, meant in MISSPELT:
            with self.subTest(name=name):
                hint = f"did you mean -{meant}?" if meant else "see engram -help"
                self.refuse([f"unknown option -{name}: {hint}"], words=[f"-{name}", "1"])
        for name, meant in MISSPELT[:3]:
            with self.subTest(name=name):
                self.refuse([f"unknown option -{name}: did you mean -{meant}?"], **{name: 1})

    def test_misspelt_option_that_must_be_given(self):
        self.refuse(["unknown option -tine_end: did you mean -time_end?"], time_end=None,
                    tine_end=1)

    def test_missing_options(self):
        for option, kind in [("initial_density", "an expression"), ("time_end", "a finite number")]:
            with self.subTest(option=option):
                self.refuse([f"-{option}: must be given ({kind}: "], **{option: None})

    def test_fixed_steps_without_their_length(self):
        for step in (None, 0):
            self.refuse(["-time_adaptive false: fixed steps need their length, as in -time_step"],
                        time_step=step, time_adaptive=False)

    def test_unknown_names_of_the_flux(self):
        self.refuse_everywhere("model_flux", "upwind",
                               ["-model_flux upwind: must be scharfetter-gummel or harmonic"])

    def test_values_outside_their_bounds(self):
        for option, value, fragment in BOUNDED:
            with self.subTest(option=option, value=value):
                self.refuse([f"-{option} {value}: {fragment} ("], words=[f"-{option}", value])

    def test_values_that_are_no_numbers(self):
        for value in ["nan", "inf", "1e400", "1.5x", "1,5"]:
            with self.subTest(value=value):
                self.refuse([f"-model_epsilon {value}: must be a"], model_epsilon=value)
        self.refuse_everywhere("model_epsilon", "abc",
                               ["-model_epsilon abc: must be a finite number"])
        self.refuse_everywhere("model_epsilon", "", ["-model_epsilon: needs a value"])
        for option in REAL_OPTIONS:
            with self.subTest(option=option):
                self.refuse([f"-{option} abc: must be a finite number ("], **{option: "abc"})

    def test_counts_that_are_no_whole_numbers(self):
        for value in ["60.5", "abc", "nan"]:
            with self.subTest(value=value):
                self.refuse([f"-grid_w_cells {value}: must be a whole number"],
                            words=["-grid_w_cells", value])
        self.refuse(["-grid_w_cells 1e12: "], grid_w_cells="1e12")
        for option in COUNT_OPTIONS:
            with self.subTest(option=option):
                self.refuse([f"-{option} 7.5: must be a whole number ("], **{option: 7.5})

    def test_grids_that_are_none(self):
        for changes, fragments in WRONG_GRIDS:
            with self.subTest(changes=changes):
                self.refuse(fragments, **changes)

    def test_nearest_counts_of_voltage_cells_work(self):
        for changes, expected in [({"grid_v_cells": 61}, (60, 66)),
                                  ({"grid_v_cells": 100, "model_v_min": -3.5}, (99, 110)),
                                  ({"grid_v_cells": 100, "model_v_min": -3.7}, (57, 114))]:
            with self.subTest(changes=changes):
                text = self.refuse([f"-grid_v_cells {changes['grid_v_cells']}: V_R = 1 falls"],
                                   **changes)
                found = re.search(r"nearest counts that work are (\d+) and (\d+)$", text.strip())
                self.assertEqual(tuple(map(int, found.groups())), expected)
                for count in expected:
                    self.accept(**{**changes, "grid_v_cells": count})
        for count in range(62, 66):
            self.refuse([f"-grid_v_cells {count}: V_R = 1", "60 and 66"], grid_v_cells=count)
        self.refuse(["-grid_v_cells 3: V_R = 1", "the nearest count that works is 6"],
                    grid_v_cells=3)
        self.accept(grid_v_cells=6)

    def accept(self, **changes):
        """A dry run of the small case with changes succeeds."""
        process = self.execute([self.write_case(**changes), "-dry_run"])
        self.assertEqual((process.returncode, process.stderr), (0, ""))

    def test_expressions(self):
        for option, text, fragment in BAD_EXPRESSIONS:
            with self.subTest(option=option, text=text):
                fragments = [f'-{option} "{text}": ', fragment] if text else [fragment]
                self.refuse(fragments, words=[f"-{option}", text])

    def test_expression_has_one_position_counted_from_one(self):
        for text, position in POSITIONS:
            with self.subTest(text=text):
                message = self.refuse([f'-model_input "{text}": ', f"at position {position}: "],
                                      model_input=text)
                self.assertEqual(message.count("position"), 1, message)

    def test_assignment_is_no_expression(self):
        self.refuse(['-model_input "w = 0.5 ? 1 : 2"'], model_input="w = 0.5 ? 1 : 2")

    def test_expressions_with_bad_values(self):
        for option, text, fragment in BAD_VALUES:
            with self.subTest(option=option, text=text):
                self.refuse([f'-{option} "{text}"', fragment], **{option: text})

    def test_words_after_the_case_file(self):
        for words, fragments in BAD_WORDS:
            with self.subTest(words=words):
                self.refuse(fragments, words=words)

    def test_negative_numbers_are_values(self):
        case = self.write_case(initial_density="exp(-(v - 1)^2/0.05)")
        process = self.execute([case, "-dry_run", "-model_input", "-1",
                                "-model_v_min", "-.5", "-grid_w_min", "-2"])
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        self.assertIn("v 60 cells of 0.0416667, w 20 cells of 0.15", process.stdout)

    def test_step_counts_no_run_can_take(self):
        for step, count in [("1e-17", "1e+16"), ("1e-300", "1e+299")]:
            with self.subTest(step=step):
                self.refuse([f"-time_step {step}: {count} steps to -time_end 0.1 are more than"],
                            time_step=step)
        self.refuse(["-time_step 1e-300: inf steps to -time_end 1e+300"], time_step="1e-300",
                    time_end="1e300")

    def test_case_files(self):
        for text, fragments in BAD_FILES:
            with self.subTest(text=text):
                case = self.folder / "bad.yaml"
                case.write_text(text, encoding="utf-8")
                process = self.execute([case, "-output_dir", "output"])
                self.check_refused(process, [fragment.replace("CASE", str(case))
                                             for fragment in fragments])

    def test_no_case_file(self):
        (self.folder / "folder").mkdir()
        for words, fragments in [
                ([], ["no case file", "engram -help"]),
                (["-model_noise", "2", self.write_case()], ["no case file"]),
                (["absent.yaml"], ["case file 'absent.yaml': cannot be read"]),
                (["folder"], ["case file 'folder': "]),
                (["one.yaml", self.write_case()], ["unexpected argument '", "case.yaml'"])]:
            with self.subTest(words=words):
                self.check_refused(self.execute(words), fragments)


class OutputFolderTest(RefusalTestCase):
    """Folders that results cannot go into."""

    def contents(self, folder):
        """Names, texts and times of change of all that a folder holds."""
        return {str(path): (path.stat().st_mtime_ns, path.is_file() and path.read_bytes())
                for path in [folder, *folder.rglob("*")]}

    def test_folder_not_empty(self):
        full = self.folder / "full"
        (full / "below").mkdir(parents=True)
        (full / "series.csv").write_text("precious\n", encoding="ascii")
        before = self.contents(full)
        for ranks in (0, 2):
            self.refuse([f"-output_dir {full}: the folder is not empty", "-output_overwrite"],
                        words=["-output_dir", full], ranks=ranks)
            self.assertEqual(self.contents(full), before)

    def test_folder_that_cannot_be_made(self):
        file = self.folder / "file"
        file.write_text("no folder\n", encoding="ascii")
        for path, reason in [(file, "no folder"), (file / "below", "Not a directory"),
                             (file / "far" / "below", "Not a directory"),
                             (self.folder / ("a" * 300), "File name too long")]:
            with self.subTest(path=path):
                self.refuse([f"-output_dir {path}: cannot be made", reason],
                            words=["-output_dir", path])
        self.refuse(["-output_dir: needs a value"], words=["-output_dir", ""])
        self.assertEqual(file.read_text(encoding="ascii"), "no folder\n")


class ManyRanksTest(RefusalTestCase):
    """With several ranks the message comes once."""

    def test_more_ranks_than_weight_cells(self):
        self.refuse(["-grid_w_cells 1: fewer cells than the 2 ranks", "at most 1 rank"], ranks=2,
                    grid_w_cells=1)

    def test_messages_come_once(self):
        for changes, fragments in [
                ({"modell_noise": 1}, ["unknown option -modell_noise: did you mean -model_noise?"]),
                ({"grid_v_cells": 61}, ["-grid_v_cells 61: ", "are 60 and 66"]),
                ({"model_input": "1 +"}, ['-model_input "1 +": ', "at position 3: "]),
                ({"initial_density": "0.51 - w"}, ["is -0.015 at w = 0.525, v = -3.9; "]),
                ({"model_learning": "sqrt(0.8 - w)"}, ["nan at w = 0.825; it must be finite"]),
                ({"model_response": "1/(N - N)"}, ["initial state is not finite"]),
                ({"time_end": None}, ["-time_end: must be given"])]:
            with self.subTest(changes=changes):
                self.refuse(fragments, ranks=2, **changes)
        process = self.execute(["absent.yaml"], ranks=2)
        self.check_refused(process, ["case file 'absent.yaml': cannot be read"], ranks=2)


if __name__ == "__main__":
    main()
