"""A mistake of the user ends in one message, naming option and value, and in exit code 2."""

from engram_test import EngramTestCase, main

# One mistake of each kind; unit.test_refusals tries many more in one process. Words after the case.
BAD_WORDS = [
    (["-modell_noise", "1"], ["unknown option -modell_noise: did you mean -model_noise?"]),
    (["-model_epsilon", "-1e-9"], ["-model_epsilon -1e-9: must be at least 0 ("]),
    (["-grid_w_cells", "60.5"], ["-grid_w_cells 60.5: must be a whole number"]),
    (["-model_noise"], ["-model_noise: needs a value"]),
    (["-model_input", "-w"], ["-model_input -w: the option needs a value", '-model_input "(-w)"']),
    (["stray"], ["unexpected argument 'stray'"]),
    (["-slice_pc_type", "foo"], ["-slice_pc_type foo: PETSc has no such PC", "gth"]),
    (["-output_dir", ""], ["-output_dir: needs a value"]),
]

# The same in the case file.
BAD_CHANGES = [
    ({"modell_noise": 1}, ["unknown option -modell_noise: did you mean -model_noise?"]),
    ({"time_end": None}, ["-time_end: must be given (a finite number: "]),
    ({"time_end": None, "tine_end": 1}, ["unknown option -tine_end: did you mean -time_end?"]),
    ({"time_step": None, "time_adaptive": False},
     ["-time_adaptive false: fixed steps need their length, as in -time_step"]),
    ({"model_flux": "upwind"}, ["-model_flux upwind: must be scharfetter-gummel or harmonic"]),
    ({"model_epsilon": "abc"}, ["-model_epsilon abc: must be a finite number"]),
    ({"model_epsilon": ""}, ["-model_epsilon: needs a value"]),
    ({"grid_v_cells": 61}, ["-grid_v_cells 61: V_R = 1 falls", "are 60 and 66"]),
    ({"model_input": "1 + x"}, ['-model_input "1 + x": ', "at position 5: "]),
    ({"initial_density": "0.51 - w"}, ["is -0.015 at w = 0.525, v = -3.9; "]),
    ({"model_learning": "sqrt(0.8 - w)"}, ["nan at w = 0.825; it must be finite"]),
    ({"model_response": "1/(N - N)"}, ["initial state is not finite"]),
    ({"time_step": "1e-17"}, ["-time_step 1e-17: 1e+16 steps to -time_end 0.1 are more than"]),
]

# Text of a case file that is none, and words of the message; CASE stands for its path.
BAD_FILES = [
    ("model_noise: [1\n", ["CASE:1:14: not valid YAML"]),
    ("- a\n- b\n", ["CASE:1:1: a list where options are expected"]),
    ("model:\n  noise: 1\n  epsilonn: 0.1\n",
     ["CASE:3:3: unknown option -model_epsilonn: did you mean -model_epsilon?"]),
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


class BadInputTest(RefusalTestCase):
    """Mistakes on one rank."""

    def test_words_after_the_case_file(self):
        for words, fragments in BAD_WORDS:
            with self.subTest(words=words):
                self.refuse(fragments, words=words)

    def test_options_of_the_case_file(self):
        for changes, fragments in BAD_CHANGES:
            with self.subTest(changes=changes):
                self.refuse(fragments, **changes)

    def test_negative_numbers_are_values(self):
        case = self.write_case(initial_density="exp(-(v - 1)^2/0.05)")
        process = self.execute([case, "-dry_run", "-model_input", "-1",
                                "-model_v_min", "-.5", "-grid_w_min", "-2"])
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        self.assertIn("v 60 cells of 0.0416667, w 20 cells of 0.15", process.stdout)

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
        self.assertEqual(file.read_text(encoding="ascii"), "no folder\n")


class ManyRanksTest(RefusalTestCase):
    """With several ranks the message comes once."""

    def test_more_ranks_than_weight_cells(self):
        self.refuse(["-grid_w_cells 1: fewer cells than the 2 ranks", "at most 1 rank"], ranks=2,
                    grid_w_cells=1)

    def test_messages_come_once(self):
        for changes, fragments in BAD_CHANGES[::2]:
            with self.subTest(changes=changes):
                self.refuse(fragments, ranks=2, **changes)
        process = self.execute(["absent.yaml"], ranks=2)
        self.check_refused(process, ["case file 'absent.yaml': cannot be read"], ranks=2)


if __name__ == "__main__":
    main()
