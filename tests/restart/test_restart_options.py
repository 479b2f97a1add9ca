"""-restart: what it says, what it refuses, and which options may change."""

import os
import re
import signal

import h5py

from restart_support import (LEARNING, LONG, REQUEUED, STEP, RestartTestCase, main, watched_run)

# Other values that change no step, or only where the run ends.
FREE = [
    {"time_end": 32 * STEP}, {"output_series_every": 5}, {"output_fields_every": 0},
    {"checkpoint_every": 3 * STEP}, {"checkpoint_wall": 5}, {"checkpoint_keep": 1},
    {"walltime": "10:00"}, {"coupling_scan": 4}, {"blowup_rate": 5e3},
    {"slice_ksp_rtol": 1e-10}, {"slice_ksp_type": "gmres"}, {"time_step": "1.5625e-2"},
]

# Options of model, time and scheme with another value, which is allowed only on purpose.
BOUND = [
    {"model_noise": 2}, {"model_epsilon": 0.2}, {"model_input": "2"}, {"model_response": "N"},
    {"model_learning": "1"}, {"model_flux": "harmonic"}, {"model_delay": 0.3},
    {"model_plasticity": False},
    {"time_step": STEP / 2}, {"time_scheme": "second-order"}, {"time_start": "graded"},
    {"time_adaptive": True, "coupling": "implicit"},
    {"transport_time": "implicit"}, {"transport_order": 2}, {"coupling": "implicit"},
    {"coupling_tolerance": 1e-6}, {"initial_density": "1"}, {"initial_rate": 0.4},
]

# Another shape of the grid is never allowed.
SHAPES = [{"grid_w_cells": 19}, {"grid_v_cells": 120}, {"grid_w_max": 2}, {"model_v_min": -10}]


def words_of(changes):
    """Options as words of the command line."""
    return [word for name, value in changes.items()
            for word in (f"-{name}", str(value).lower() if isinstance(value, bool) else value)]


class RestartOptionsTestCase(RestartTestCase):
    """Copies of one short run that has stopped halfway."""

    def setUp(self):
        super().setUp()
        self.half = self.copy(self.made(LEARNING, time_end=12 * STEP), "half")


class MessagesTest(RestartOptionsTestCase):
    """What a restart says and does before its first step."""

    def test_nothing_there_yet(self):
        for name, ranks in (("one", 0), ("two", 2)):
            place = self.place(name, LEARNING)
            outcome = self.go(place, "-restart", "auto", ranks=ranks)
            self.assert_said(outcome, r"^engram: no checkpoint in output/checkpoints yet: starting "
                                      r"at the beginning$")
            self.assertEqual(place.steps()[-1], 24)

    def test_killed_before_the_first_checkpoint(self):
        """A folder with outputs but no checkpoint is begun again."""
        reference = self.made(LONG)
        place = self.place("killed", LONG)
        run = self.start(place, ranks=2)
        self.wait_for_file(run, place.output / "fields.h5")
        run.kill()
        self.assertEqual(place.checkpoints, [])
        outcome = self.go(place, "-restart", "auto", ranks=3)
        self.assert_said(outcome, "no checkpoint in output/checkpoints yet: starting at the")
        self.assert_same(reference, place)

    def test_killed_as_it_began(self):
        """Before its status was there, or while an earlier one was about to be replaced."""
        for name, entry in (("part", "status.yaml.part"), ("checkpoint", "checkpoints/half.part")):
            place = self.place(name, LEARNING, time_end=3 * STEP)
            path = place.output / entry
            path.parent.mkdir(parents=True)
            path.write_text("status: run", encoding="utf-8")
            self.refused(place, fragments=["-output_dir output: the folder is not empty"])
            self.go(place, "-restart", "auto")
            self.assertEqual(place.steps()[-1], 3)
        place = self.place("mine", LEARNING, time_end=3 * STEP)
        place.output.mkdir(parents=True)
        (place.output / "notes.txt").write_text("mine", encoding="utf-8")
        self.refused(place, "-restart", "auto", fragments=["something else than a run"])

    def test_status_stays_until_it_is_replaced(self):
        """A run that begins again and gets no further than its status can begin once more."""
        place = self.place("again", LEARNING, time_end=3 * STEP)
        (place.output / "status.yaml.part").mkdir(parents=True)
        (place.output / "status.yaml").write_text("status: running\n", encoding="utf-8")
        (place.output / "series.csv").write_text("step,time\n", encoding="utf-8")
        self.go(place, "-restart", "auto", expect=4)
        self.assertTrue((place.output / "status.yaml").exists())
        (place.output / "status.yaml.part").rmdir()
        self.go(place, "-restart", "auto")
        self.assertEqual(place.steps()[-1], 3)

    def test_without_restart_the_folder_is_refused(self):
        """A folder with checkpoints is not overwritten by accident."""
        before = self.half.contents()
        self.refused(self.half, fragments=["-output_dir output: the folder is not empty",
                                           "-restart auto"])
        self.assert_unchanged(self.half, before)

    def test_overwriting_begins_anew(self):
        """With -output_overwrite no old checkpoint stays to be taken for one of the new run."""
        self.go(self.half, "-output_overwrite", "-time_end", 6 * STEP)
        self.assertEqual(self.half.steps()[-1], 6)

    def test_finished_run(self):
        """Nothing is done, nothing is changed, on any number of ranks, and that is said."""
        before = self.half.contents()
        for ranks in (0, 2):
            outcome = self.go(self.half, "-restart", "auto", "-time_end", 12 * STEP, ranks=ranks)
            self.assert_said(outcome, r"the run in output has reached its end.*: nothing left to do")
            self.assert_unchanged(self.half, before, but=["output/status.yaml"])
            self.assertEqual(outcome.yaml("status.yaml")["status"], "done")

    def test_end_before_the_checkpoint(self):
        before = self.half.contents()
        self.refused(self.half, "-restart", "auto", "-time_end", 5 * STEP,
                     fragments=["-time_end 0.078125: the checkpoint is at t = 0.1875 already"])
        self.assert_unchanged(self.half, before)

    def test_continuing(self):
        outcome = self.go(self.half, "-restart", "auto", "-time_end", 24 * STEP, ranks=3)
        self.assert_continued(outcome, 12)
        status = outcome.yaml("status.yaml")
        self.assertEqual((status["status"], status["start_time"], status["time"]),
                         ("done", 12 * STEP, 24 * STEP))
        case = outcome.yaml("case.yaml")
        self.assertEqual(case["time_end"], 24 * STEP)
        for name in ("restart", "restart_force", "dry_run"):
            self.assertNotIn(name, case)

    def test_older_checkpoint_in_the_same_folder(self):
        """The newer ones would be lost, which is done on purpose only; then they are gone."""
        place = self.half
        before = place.contents()
        words = ["-restart", place.checkpoint(5), "-time_end", 8 * STEP]
        self.refused(place, *words, fragments=["-restart .*has come further", "-output_overwrite"])
        self.assert_unchanged(place, before)
        changes = ["-restart_force", "-model_noise", 2]
        outcome = self.go(place, *words, *changes, "-output_overwrite", ranks=2)
        self.assert_continued(outcome, 5)
        self.assertEqual(place.steps(), [1, 2, 3, 4, 5, 6, 7, 8])
        self.assertEqual(outcome.series()["step"], list(range(9)))
        again = self.go(place, "-restart", "auto", "-model_noise", 2, "-time_end", 12 * STEP)
        self.assert_continued(again, 8)
        self.assertEqual(again.series()["step"], list(range(13)))

    def test_another_folder(self):
        """Outputs begin with the state of the checkpoint; the old folder is left alone."""
        reference = self.place("reference", LEARNING)
        whole = self.go(reference)
        place = self.place("elsewhere", LEARNING)
        before = self.half.contents()
        outcome = self.go(place, "-restart", self.half.checkpoint(10), ranks=2)
        self.assert_continued(outcome, 10)
        self.assert_unchanged(self.half, before)
        rows = [(folder / "series.csv").read_text("ascii").splitlines()
                for folder in (whole.folder, outcome.folder)]
        self.assertEqual(rows[1], rows[0][:1] + rows[0][11:])
        fields, wanted = outcome.fields(), whole.fields()
        self.assertEqual(list(fields["time"]), [10 * STEP, *wanted["time"][3:]])
        self.assertEqual(fields["density"][1:].tobytes(), wanted["density"][3:].tobytes())
        self.assertEqual(watched_run.checkpoint_differences(place.checkpoint(24),
                                                            reference.checkpoint(24)), [])
        self.assertEqual(place.steps(), list(range(11, 25)))

    def test_another_folder_that_is_not_empty(self):
        place = self.place("full", LEARNING)
        place.output.mkdir()
        (place.output / "precious").write_text("mine\n", encoding="ascii")
        self.refused(place, "-restart", self.half.checkpoint(10),
                     fragments=["-output_dir output: the folder is not empty"])
        self.assertEqual([path.name for path in place.output.iterdir()], ["precious"])

    def test_dry_run(self):
        """It tells which checkpoint would be taken, and writes nothing."""
        for words in (["auto"], [self.half.checkpoint(12)]):
            before = self.half.contents()
            outcome = self.go(self.half, "-restart", *words, "-dry_run", "-time_end", 24 * STEP)
            self.assertIn("checkpoint_000000000012.h5", outcome.stdout + outcome.stderr)
            self.assertIn("nothing was written", outcome.stdout)
            self.assert_unchanged(self.half, before)
        place = self.place("nothing", LEARNING)
        outcome = self.go(place, "-restart", "auto", "-dry_run")
        self.assertIn("no checkpoint", outcome.text)
        self.assertFalse(place.output.exists())

    def test_two_programs_in_one_folder(self):
        """The second one is refused while the first goes on, whatever it wants to do there."""
        place = self.place("shared", LONG, checkpoint_every=STEP, time_end=9600 * STEP)
        run = self.start(place, ranks=2)
        self.wait_for_checkpoint(run, place)
        others = [self.start(place, *words) for words in (["-restart", "auto"],
                                                          ["-output_overwrite"])]
        for other in others:
            outcome = self.ended(other, place, expect=2)
            self.assert_one_error(outcome, ["-output_dir output: another run"])
        run.process.send_signal(signal.SIGUSR1)
        self.ended(run, place, expect=REQUEUED)
        self.assert_readable(place)

    def assert_readable(self, place):
        """Series without gap, fields as long as they are said to be."""
        status = place.yaml("status.yaml")
        steps = [int(row.split(",")[0])
                 for row in (place.output / "series.csv").read_text("ascii").splitlines()[1:]]
        self.assertEqual(steps, list(range(0, status["step"] + 1, LONG["output_series_every"])))

    def test_second_program_waits_for_the_first_to_leave(self):
        """A requeued job may start while the old one still writes its last checkpoint."""
        reference = self.made(LONG, time_end=480 * STEP, checkpoint_every=STEP)
        place = self.place("handed_over", LONG, time_end=480 * STEP, checkpoint_every=STEP)
        run = self.start(place, ranks=2)
        self.wait_for_checkpoint(run, place)
        other = self.start(place, "-restart", "auto")
        self.sleep(run, 1.0)
        run.process.send_signal(signal.SIGUSR1)
        first = self.ended(run, place, expect=REQUEUED)
        # The other one may have gone on by now, and say so in the folder.
        left = int(re.search(r"checkpoint_(\d+)\.h5 written; leaving", first.stderr)[1])
        outcome = self.ended(other, place)
        self.assert_continued(outcome, left)
        self.assert_same(reference, place)

    def test_stale_parts_are_removed(self):
        part = self.half.output / "checkpoints" / "checkpoint_000000000777.h5.part"
        part.write_bytes(b"half of it")
        self.go(self.half, "-restart", "auto", "-time_end", 24 * STEP, ranks=2)
        self.assertEqual(self.half.partial_checkpoints(), [])

    def test_checkpoints_at_multiples(self):
        """At the first step at or beyond each multiple, the newest few of them kept."""
        for every, keep, steps in [(4, 1000, [4, 8, 12, 16, 20, 24]), (4, 2, [20, 24]),
                                   (2.5, 1000, [3, 5, 8, 10, 13, 15, 18, 20, 23, 24]),
                                   (0.3, 3, [22, 23, 24]), (100, 2, [24]), (11, 1, [24])]:
            with self.subTest(every=every, keep=keep):
                place = self.place(f"every_{every}_{keep}", LEARNING, checkpoint_keep=keep,
                                   checkpoint_every=every * STEP)
                self.go(place)
                self.assertEqual(place.steps(), steps)


class ChangesTest(RestartOptionsTestCase):
    """Options with other values than those of the checkpoint."""

    def test_accepted(self):
        for number, changes in enumerate(FREE):
            with self.subTest(changes=changes):
                place = self.copy(self.half, f"free_{number}")
                end = {"time_end": 16 * STEP}
                outcome = self.go(place, "-restart", "auto", *words_of({**end, **changes}))
                self.assert_continued(outcome, 12)
                self.assertEqual(outcome.errors, [])

    def test_refused_with_their_list(self):
        path = self.half.checkpoint(12)
        for changes in BOUND:
            with self.subTest(changes=changes):
                self.refused(self.half, "-restart", path, "-time_end", 16 * STEP,
                             *words_of(changes), fragments=[
                                 rf"^engram: error: -restart {path}: made with other options:",
                                 *(rf"(?m)^  -{name} \S.* there, .*\S here$" for name in changes),
                                 "-restart_force"])
        outcome = self.refused(self.half, "-restart", "auto", "-time_end", 16 * STEP,
                               "-model_noise", "2", "-transport_order", "2", ranks=2)
        self.assertEqual(re.findall(r"(?m)^  (-\w+ .* there, .* here)$", outcome.stderr),
                         ["-model_noise 1 there, 2 here", "-transport_order 1 there, 2 here"])

    def test_forced(self):
        """On purpose it goes on, or says why it cannot; it never breaks."""
        for number, changes in enumerate([*BOUND, {"model_refractory": 0.4}]):
            with self.subTest(changes=changes):
                place = self.copy(self.half, f"forced_{number}")
                outcome = self.go(place, "-restart", "auto", "-restart_force", "-time_end",
                                  16 * STEP, *words_of(changes), ranks=2, expect=(0, 2))
                if outcome.code == 0:
                    self.assert_continued(outcome, 12)
                    self.assertGreater(outcome.series()["time"][-1], 15 * STEP)
                else:
                    self.assertIn(f"-{next(iter(changes))}", " ".join(outcome.errors))
                forced = next(iter(changes)) in ("model_noise", "transport_order", "model_input")
                self.assertEqual(outcome.code if forced else 0, 0)

    def test_forced_noise_is_used(self):
        place = self.copy(self.half, "forced")
        words = ["-restart", "auto", "-time_end", 16 * STEP]
        plain = self.go(self.half, *words).series()
        forced = self.go(place, *words, "-restart_force", "-model_noise", 2).series()
        self.assertEqual(forced["total_rate"][:13], plain["total_rate"][:13])
        self.assertNotEqual(forced["total_rate"][13], plain["total_rate"][13])

    def test_another_grid_is_never_taken(self):
        for changes in SHAPES:
            (name, value), = changes.items()
            for words in ([], ["-restart_force"]):
                with self.subTest(changes=changes, words=words):
                    before = self.half.contents()
                    self.refused(self.half, "-restart", "auto", "-time_end", 24 * STEP, *words,
                                 *words_of(changes),
                                 fragments=[rf"(?m)^  -{name} \S+ there, {value} here$"])
                    self.assert_unchanged(self.half, before)


class WrongFilesTest(RestartOptionsTestCase):
    """-restart with something that is no checkpoint."""

    def test_values_that_are_none(self):
        for words, fragment in [(["-restart"], "-restart: needs a value"),
                                (["-restart", ""], "-restart: needs a value"),
                                (["-restart", "-dry_run"], "-restart: needs a value"),
                                (["-restart", "absent.h5"], "-restart absent.h5: .*No such file"),
                                (["-restart", "."], r"-restart \.: "),
                                (["-restart", "newest"], "-restart newest: ")]:
            with self.subTest(words=words):
                before = self.half.contents()
                self.refused(self.half, *words, fragments=[fragment])
                self.assert_unchanged(self.half, before)

    def test_files_of_others(self):
        path = self.folder / "other.h5"
        with h5py.File(path, "w") as file:
            file["state/density"] = [1.0, 2.0]
        for file in (path, self.half.output / "fields.h5", self.half.output / "series.csv",
                     self.half.path / "case.yaml"):
            with self.subTest(file=file.name):
                for ranks in (0, 2):
                    self.refused(self.half, "-restart", file, ranks=ranks,
                                 fragments=[rf"-restart \S*{file.name}: ", "checkpoint"])
        path.write_bytes(b"")
        self.refused(self.half, "-restart", path, fragments=["-restart .*other.h5: "])

    def test_other_formats_and_versions(self):
        """A header with another token or version is not taken for one of this program."""
        path = self.half.checkpoint(12)
        good = path.read_bytes()
        header = good[:512].rstrip(b"\0 \n").decode("ascii")
        self.assertRegex(header, r"(?i)engram")
        self.assertRegex(header, r"\d")
        for number, (old, new, reason) in enumerate([
                ("engram", "angrem", "does not begin as a checkpoint"),
                ("format 2", "format 1", "of format 1; this program reads format 2"),
                ("format 2", "format 3", "of format 3; this program reads format 2")]):
            self.assertIn(old, header)
            place = self.copy(self.half, f"token_{number}")
            text = header.replace(old, new, 1).encode("ascii")
            place.checkpoint(12).write_bytes(text + good[len(text):])
            self.refused(place, "-restart", place.checkpoint(12),
                         fragments=["-restart .*checkpoint_000000000012.h5: ", reason])

    def test_unreadable_file(self):
        """No permission is no damage: the message says so, and the file keeps its name."""
        self.wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        if os.geteuid() != 0:
            self.wrapper = []
        path = self.half.checkpoint(12)
        path.chmod(0)
        self.refused(self.half, "-restart", path, fragments=[f"{path}: .*Permission denied"])
        outcome = self.go(self.half, "-restart", "auto", "-time_end", 16 * STEP, expect=(0, 2, 4))
        self.assertIn("Permission denied", outcome.stderr)
        self.assertTrue(path.exists())

    def test_frozen_steady_states_have_nothing_to_continue(self):
        place = self.place("frozen", LEARNING, model_plasticity=False, steady=True,
                           model_input="0.2", checkpoint_every=0)
        self.go(place)
        self.refused(place, "-restart", "some.h5", fragments=["-restart some.h5: .*nothing to cont"])

    def test_values_of_the_other_options(self):
        for name, value in [("checkpoint_every", "-1"), ("checkpoint_every", "often"),
                            ("checkpoint_wall", "-1"), ("checkpoint_keep", "0"),
                            ("checkpoint_keep", "1.5"), ("restart_force", "perhaps")]:
            with self.subTest(name=name, value=value):
                before = self.half.contents()
                self.refused(self.half, "-restart", "auto", f"-{name}", value,
                             fragments=[rf"^engram: error: -{name} {value}: must be "])
                self.assert_unchanged(self.half, before)


class StatusTest(RestartTestCase):
    """status.yaml of a run on its way."""

    def test_keys(self):
        place = self.place("status", LONG, checkpoint_every=STEP)
        run = self.start(place, ranks=2, environment={"SLURM_JOB_ID": "42",
                                                      "SLURM_ARRAY_JOB_ID": "40",
                                                      "SLURM_ARRAY_TASK_ID": "7",
                                                      "SLURM_JOB_END_TIME": "99999999999"})
        self.wait_for_checkpoint(run, place)
        run.process.send_signal(signal.SIGUSR1)
        status = self.ended(run, place, expect=REQUEUED).yaml("status.yaml")
        self.assertEqual(status["status"], "requeued")
        self.assertEqual(status["checkpoint"], place.checkpoints[-1].name)
        self.assertEqual(status["checkpoint_time"], status["time"])
        self.assertEqual((status["steps"], status["end_time"]), (24576, LONG["time_end"]))
        self.assertEqual((status["ranks"], status["start_time"]), (2, 0))
        self.assertEqual(status["job"], "40_7")
        for name in ("checkpoint_written", "updated"):
            self.assertRegex(str(status[name]), r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
        self.assertFalse((place.output / "summary.yaml").exists())


if __name__ == "__main__":
    main()
