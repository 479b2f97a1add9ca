"""Case files: where a mistake stands, what is no case, and cases from standard input."""

import os
import subprocess
import sys

from engram_test import PROGRAM, SMALL_CASE, SOURCE, EngramTestCase, main

sys.path.insert(0, str(SOURCE / "tools"))

from engram_runs import flatten, read_values

# The small case, in groups; the changes of a test stand below it.
CASE = """\
model: {noise: 1, epsilon: 0.1, input: "1", response: "N/(1 + N)", learning: "1"}
initial: {density: "exp(-(w - 0.3)^2/0.02)*exp(-(v + 1)^2/0.5)"}
grid: {v_cells: 60, w_cells: 20}
time: {end: 0.1, step: 0.01}
"""
LINES = CASE.count("\n")

# What is appended to the case, and the message behind the folder of the case.
REFUSED = [
    # A name, a kind, a bound, a choice.
    ("model_nosie: 1", "5:1: unknown option -model_nosie: did you mean -model_noise?"),
    ("output:\n  dirr: x", "6:3: unknown option -output_dirr: did you mean -output_dir?"),
    ("protocol:", "5:1: unknown option -protocol: a group, whose options have values, such as "
     "-protocol_phases; leave it out"),
    ("insitu: every", "5:1: unknown option -insitu: a group, whose options have values"),
    ("slice: {ksp_typ: gmres}", "5:9: unknown option -slice_ksp_typ: did you mean -slice_ksp_type"),
    ("model_delay: 1e400", "5:14: -model_delay 1e400: must be a finite number ("),
    ("model_delay: null", "5:14: -model_delay null: must be a finite number ("),
    ("model_delay: -1", "5:14: -model_delay -1: must be at least 0 ("),
    ("coupling_iterations: 2.5", "5:22: -coupling_iterations 2.5: must be a whole number ("),
    ("model_plasticity: maybe", "5:19: -model_plasticity maybe: must be true or false ("),
    ("model_flux: upwind", "5:13: -model_flux upwind: must be scharfetter-gummel or harmonic"),
    ("slice: {pc: {type: foo}}", "5:20: -slice_pc_type foo: PETSc has no such PC"),
    ("slice_ksp_type: gmres\nslice_ksp_gmres_restart: -3", "5:17: -slice_...: PETSc refuses"),
    # Blanks.
    ("output: {overwrite: , series_every: 2}", "5:21: -output_overwrite: is blank; write true or"),
    ("restart_force: ''", "5:16: -restart_force: is blank; write true or false ("),
    ("model_delay:", "5:13: -model_delay: needs a value (a finite number: "),
    ("output_dir: []", "5:13: -output_dir: needs a value (a text: "),
    # Expressions and tables.
    ("model_drift: \"v +\"", "5:14: -model_drift \"v +\": not a valid expression in v; at position 3"),
    ("model_drift: 1/(v - 1.5)", "5:14: -model_drift \"1/(v - 1.5)\": is inf at v = 1.5"),
    ("protocol: {phases: [a, b, A]}", "5:20: -protocol_phases a,b,A: has the name 'A' twice"),
    # Options that contradict each other, both of them or one of them in the file.
    ("model_v_threshold: 0.5",
     "5:20: -model_v_reset 1: must lie below -model_v_threshold 0.5 (-model_v_threshold: CASE:5:20)"),
    ("model_v_reset: 3\nmodel_v_threshold: 2.5",
     "5:16: -model_v_reset 3: must lie below -model_v_threshold 2.5 (-model_v_threshold: CASE:6:20)"),
    ("transport: {order: 5, time: implicit}",
     "5:20: -transport_order 5: needs -transport_time explicit; implicit transport is of order 1 "
     "or 2 (-transport_time: CASE:5:29)"),
    ("protocol_phases: a\nphase_a_duration: 3",
     "4:13: -time_end 0.1: the phases of -protocol_phases last until t = 3; leave -time_end out "
     "(-protocol_phases: CASE:5:18)"),
    # Values of aliases and merged groups stand behind the anchor; references where they refer to.
    ("$$x: &x {delay: -1}\nphase: {<<: *x}", "5:10: unknown option -phase_delay: "),
    ("$$x: &x -1\nmodel_delay: *x", "5:6: -model_delay -1: must be at least 0 ("),
    ("protocol_phases: a\nphase: {a: {duration: 0}}", "6:23: -phase_a_duration 0: must be above 0"),
    ("time_end: 3", "5:1: -time_end: stands here for the second time, after line 4; leave one out"),
    ("steady_sweep: \"model_refractory:-1:1:3\"\nsteady: true\nmodel_plasticity: false",
     "5:15: -steady_sweep: -model_refractory -1: must be at least 0 ("),
    # No case.
    ("--- {}\nmodel_delay: 1", "5:1: a second document; a case file has one"),
]

# Words that change a refusal: what is appended, the words, and the message.
WITH_WORDS = [
    ("model_v_threshold: 0.5", ["-model_v_reset", "0.7"],
     "-model_v_reset 0.7: must lie below -model_v_threshold 0.5 (-model_v_threshold: CASE:5:20)"),
    ("model_v_reset: 0.7", ["-model_v_threshold", "0.5"],
     "CASE:5:16: -model_v_reset 0.7: must lie below -model_v_threshold 0.5"),
    ("model_delay: 1", ["-model_delay", "-1"], "-model_delay -1: must be at least 0 ("),
    ("output_overwrite: false", ["-output_overwrite", ""],
     '-output_overwrite "": is blank; write true or false ('),
    ("", ["-dry_run", ""], '-dry_run "": is blank; write true or false ('),
]


class CaseFileTestCase(EngramTestCase):
    """Runs of a case that is written as text."""

    def write(self, text, name="case.yaml"):
        """A file with this text, or these bytes; its name."""
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        (self.folder / name).write_bytes(data)
        return name

    def pipe(self, words, data, ranks=0):
        """Runs the program with these words and this standard input."""
        command = ["mpirun", "-n", str(ranks)] if ranks else []
        return subprocess.run([*command, str(PROGRAM), *words], cwd=self.folder, input=data,
                              env=dict(os.environ), capture_output=True, text=True, timeout=300,
                              check=False)

    def check_refused(self, process, message):
        """One line that begins like this, exit code 2, and nothing is written."""
        text = process.stdout + process.stderr
        self.assertEqual(process.returncode, 2, text)
        lines = [line for line in process.stderr.splitlines() if line.startswith("engram:")]
        self.assertEqual(len(lines), 1, text)
        beginning = "engram: error: " + message.replace("CASE", "case.yaml")
        self.assertEqual(lines[0][:len(beginning)], beginning)
        self.assertNotIn("PETSC ERROR", text)
        self.assertFalse((self.folder / "results").exists())
        return lines[0]

    def check_same(self, first, second):
        """Two runs have the same options and the same results to the bit."""
        for name in ("series.csv", "case.yaml"):
            texts = [(self.folder / run / name).read_text(encoding="utf-8").replace(run, "")
                     for run in (first, second)]
            self.assertEqual(*texts)


class PlaceTest(CaseFileTestCase):
    """A refusal says where the value stands."""

    def test_places(self):
        for text, message in REFUSED:
            with self.subTest(text=text):
                self.write(CASE + text + "\n")
                self.check_refused(self.execute(["case.yaml"]), f"CASE:{message}")

    def test_expressions_and_values_of_the_first_lines(self):
        for old, new, message in [
                ('"1", response', '"1 +", response', '1:40: -model_input "1 +": not a valid'),
                ("N/(1 + N)", "1/(N - N)", '1:40: -model_drift "-v", -model_input "1", '),
                ('learning: "1"', 'learning: "sqrt(w - 3)"', '1:78: -model_learning "sqrt(w - 3)"'),
                ("exp(-(w - 0.3)^2/0.02)", "0", '2:20: -initial_density "0*exp(-(v + 1)^2/0.5)": '),
                ("v_cells: 60", "v_cells: 61", "3:17: -grid_v_cells 61: V_R = 1 falls between"),
                ("end: 0.1", "end: 0", "4:13: -time_end 0: must be above 0 ("),
                ("step: 0.01", "step: 1e-17",
                 "4:24: -time_step 1e-17: 1e+16 steps to -time_end 0.1 are more than a run can take "
                 "(-time_end: CASE:4:13)")]:
            with self.subTest(new=new):
                self.assertIn(old, CASE)
                self.write(CASE.replace(old, new))
                self.check_refused(self.execute(["case.yaml"]), f"CASE:{message}")

    def test_command_line_is_no_place(self):
        for text, words, message in WITH_WORDS:
            with self.subTest(text=text, words=words):
                self.write(CASE + text + "\n")
                self.check_refused(self.execute(["case.yaml", *words]), message)

    def test_reference_stands_where_it_refers_to(self):
        """The input of a phase that has none of its own is model_input."""
        self.write(CASE.replace('input: "1"', 'input: "1 +"').replace("end: 0.1, ", "") +
                   "protocol_phases: a\nphase_a_duration: 1\n")
        process = self.execute(["case.yaml"])
        self.check_refused(process, 'CASE:1:40: -')

    def test_ranks_agree(self):
        for text in ("model_delay: -1\n", "time: {end: 2}\n", "a: \"\n", "--- {}\nb: 1\n"):
            self.write(CASE + text)
            self.check_refused(self.execute(["case.yaml"], ranks=3), f"CASE:{LINES + 1}:")
        self.check_refused(self.execute(["none.yaml"], ranks=3),
                           "case file 'none.yaml': cannot be read (No such file")

    def test_files_that_are_no_text(self):
        (self.folder / "folder").mkdir()
        for name, message in [("folder", "(Is a directory)"), ("none", "(No such file"),
                              ("case.yaml/none", "(Not a directory)"),
                              ("/dev/zero", "(File too large)")]:
            self.write(CASE)
            self.check_refused(self.execute([name]), f"case file '{name}': cannot be read {message}")
        self.write((CASE + "model_delay: 1\n").encode("utf-16"))
        self.check_refused(self.execute(["case.yaml"]), "CASE:1:1: text in UTF-16")
        self.write(CASE.encode() + b"# \xe9\n")
        self.check_refused(self.execute(["case.yaml"]), "CASE:5:3: not valid YAML: incomplete UTF-8")
        for text in ("", "# model_noise: 1\n", "---\n"):
            self.write(text)
            process = self.execute(["case.yaml"])
            self.check_refused(process, "-initial_density: must be given (an expression: ")
            self.assertIn("; the case file is empty", process.stderr)


class BlankTest(CaseFileTestCase):
    """Blanks are no "true"; flags of the command line are."""

    def test_blank_overwrite_deletes_nothing(self):
        self.write(CASE)
        words = ["case.yaml", "-output_dir", "kept"]
        self.assertEqual(self.execute(words).returncode, 0)
        before = {path.name: path.read_bytes() for path in (self.folder / "kept").iterdir()}
        for text in ("output: {overwrite: }\n", "output_overwrite:\n", "output_overwrite: ''\n"):
            self.write(CASE + text)
            self.check_refused(self.execute(words), "CASE:5:")
        self.write(CASE)
        self.check_refused(self.execute([*words, "-output_overwrite", ""]), "-output_overwrite")
        after = {path.name: path.read_bytes() for path in (self.folder / "kept").iterdir()}
        self.assertEqual(after, before)

    def test_bare_flag_is_true_and_is_recorded(self):
        self.write(CASE)
        words = ["case.yaml", "-output_dir", "flag", "-time_end", "0.02"]
        for _ in range(2):
            process = self.execute([*words, "-output_overwrite"])
            self.assertEqual(process.returncode, 0, process.stderr)
        process = self.execute(["flag/case.yaml", "-output_dir", "again"])
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("\noutput_overwrite: true\n",
                      (self.folder / "again" / "case.yaml").read_text(encoding="utf-8"))


class YamlTest(CaseFileTestCase):
    """All of YAML that has a meaning here leads to the same options as the flat file."""

    def run_text(self, text, name):
        """Runs a text into a folder."""
        process = self.execute([self.write(text, f"{name}.yaml"), "-output_dir", name])
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_anchors_aliases_and_merge_keys(self):
        self.run_text("".join(f"{name}: \"{value}\"\n" for name, value in SMALL_CASE.items()
                              if name not in ("time_end", "model_noise")) +
                      "model_noise: 1\nprotocol_phases: learn,rest\n"
                      "phase_learn_duration: 0.05\nphase_learn_input: 1 + w\n"
                      "phase_rest_duration: 0.05\nphase_rest_input: 1 + w\n"
                      "phase_rest_plasticity: false\n", "flat")
        self.run_text("\ufeff" + CASE.replace("end: 0.1, ", "").replace("\n", "\r\n") +
                      "protocol: {phases: [learn, rest]}\n"
                      "phase:\n"
                      "  learn: &learn\n"
                      "    duration: &half 0.05\n"
                      "    input: 1 + w\n"
                      "  rest: {plasticity: no, <<: *learn, duration: *half}\n", "nested")
        flat, nested = ((self.folder / run / "case.yaml").read_text(encoding="utf-8").splitlines()
                        for run in ("flat", "nested"))
        self.assertEqual([line.replace("flat", "").replace(": false", ": no") for line in flat],
                         [line.replace("nested", "").replace(": false", ": no")
                          for line in nested])
        self.assertEqual(*((self.folder / run / "series.csv").read_bytes()
                           for run in ("flat", "nested")))
        # The tools read such cases alike: they compare them with what a run has used.
        given = flatten(read_values(self.folder / "nested.yaml"))
        used = read_values(self.folder / "nested" / "case.yaml")
        self.assertEqual(given, {name: used[name] for name in given})
        self.assertEqual(len(given), 15)

    def test_case_wins_over_environment(self):
        self.write(CASE + "output_dir: file\n")
        process = self.execute(["case.yaml", "-time_end", "0.03"], environment={
            "PETSC_OPTIONS": "-time_end 7 -output_dir environment -output_series_every 2"})
        self.assertEqual(process.returncode, 0, process.stderr)
        used = (self.folder / "file" / "case.yaml").read_text(encoding="utf-8")
        self.assertIn("\ntime_end: 0.03\n", used)
        self.assertIn("\noutput_series_every: 2\n", used)


class InputTest(CaseFileTestCase):
    """A case from standard input."""

    def test_the_same_run(self):
        self.write(CASE + "model_input_unknown: 1\n", "-")
        self.write(CASE)
        self.assertEqual(self.execute(["case.yaml", "-output_dir", "file"]).returncode, 0)
        for ranks in (0, 3):
            name = f"pipe{ranks}"
            process = self.pipe(["-", "-output_dir", name], CASE, ranks=ranks)
            self.assertEqual(process.returncode, 0, process.stderr)
            self.check_same("file", name)

    def test_restart_and_dry_run(self):
        words = ["-", "-output_dir", "run", "-checkpoint_every", "0.02"]
        process = self.pipe([*words, "-dry_run"], CASE)
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        self.assertIn("dry run: nothing was written", process.stdout)
        self.assertFalse((self.folder / "run").exists())
        self.assertEqual(self.pipe([*words, "-time_end", "0.05"], CASE).returncode, 0)
        process = self.pipe([*words, "-restart", "auto"], CASE)
        self.assertEqual(process.returncode, 0, process.stderr)
        process = self.pipe(["-", "-output_dir", "whole", "-checkpoint_every", "0.02"], CASE)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(*((self.folder / run / "series.csv").read_bytes()
                           for run in ("run", "whole")))

    def test_files_are_seen_from_the_folder(self):
        (self.folder / "signal.csv").write_text("w,I\n0,1\n1,2\n", encoding="ascii")
        text = CASE.replace('input: "1"', "input: file:signal.csv")
        self.assertEqual(self.pipe(["-", "-dry_run"], text).returncode, 0)
        self.check_refused(self.pipe(["-"], text.replace("signal", "absent")),
                           "<stdin>:1:40: -model_input file:absent.csv: cannot be read")

    def test_refusals(self):
        for ranks in (0, 2):
            for text, message in [("model_delay: -1\n", "<stdin>:5:14: -model_delay -1: must be"),
                                  ("time: {end: 2}\n", "<stdin>:5:1: time: stands here for"),
                                  ("a: \"\n", "<stdin>:5:4: not valid YAML: ")]:
                self.check_refused(self.pipe(["-"], CASE + text, ranks=ranks), message)
        process = self.pipe(["-"], "")
        self.check_refused(process, "-initial_density: must be given (")
        self.assertIn("; the case file is empty", process.stderr)
        self.write(CASE)
        self.check_refused(self.pipe(["case.yaml", "-"], CASE), "unexpected argument '-'")


if __name__ == "__main__":
    main()
