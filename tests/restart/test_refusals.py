"""A run that is refused has changed nothing: not a name, not a byte, not a time of change."""

import os
import shutil

import h5py

from restart_support import LEARNING, NOT_WRITTEN, STEP, RestartTestCase, main

AUTO = ("-restart", "auto", "-time_end", 16 * STEP)
PATH = "output/checkpoints/checkpoint_000000000005.h5"

CASE = {**LEARNING, "model_input": "file:in.csv", "time_end": 12 * STEP}


def spoil(path, place):
    """Changes one bit of a file."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def row_of_density(place):
    """A place within the first row of the density in fields.h5: the file has no other such numbers."""
    with h5py.File(place.output / "fields.h5", "r") as file:
        return file["density"].id.get_chunk_info(0).byte_offset + 77


# What is done to the folder, what is asked for, and what the message says.
def change_nothing(place):
    """The folder is as the run has left it."""


def lose_fields(place):
    (place.output / "fields.h5").unlink()


def cut_fields(place):
    os.truncate(place.output / "fields.h5", 3000)


def change_fields(place):
    spoil(place.output / "fields.h5", row_of_density(place))


def lose_series(place):
    (place.output / "series.csv").unlink()


def cut_series(place):
    os.truncate(place.output / "series.csv", 400)


def change_series(place):
    spoil(place.output / "series.csv", 300)


def change_input(place):
    (place.path / "in.csv").write_text("w,I\n-1,2\n1,2.5\n", encoding="ascii")


def lose_input(place):
    (place.path / "in.csv").unlink()


def spoil_checkpoints(place):
    (place.output / "summary.yaml").unlink()
    for path in place.checkpoints:
        spoil(path, 7000)


def lose_checkpoints(place):
    shutil.rmtree(place.output / "checkpoints")


def break_link(place):
    lose_checkpoints(place)
    (place.output / "checkpoints").symlink_to("/nowhere/at/all")


def break_link_of_lost_run(place):
    break_link(place)
    (place.output / "summary.yaml").unlink()


def put_file_in_the_way(place):
    lose_checkpoints(place)
    (place.output / "summary.yaml").unlink()
    (place.output / "checkpoints").write_text("no folder", encoding="ascii")


def use_another_folder(place):
    (place.path / "other").mkdir()
    shutil.copy(place.checkpoint(3), place.path / "other")


CHANGED = "fields.h5 were changed since the run"
REFUSALS = [
    (lose_fields, AUTO, "-restart: output/fields.h5 is not the file that the run has written"),
    (cut_fields, AUTO, "-restart: output/fields.h5 is not the file"),
    (change_fields, AUTO, f"-restart: the rows of output/{CHANGED}"),
    (lose_series, AUTO, "-restart: output/series.csv is not the file"),
    (cut_series, AUTO, "-restart: output/series.csv is not the file"),
    (change_series, AUTO, "-restart: the rows of output/series.csv were changed"),
    (lose_fields, ("-restart", PATH, "-output_overwrite"), "-restart: output/fields.h5 is not"),
    (change_fields, ("-restart", PATH, "-output_overwrite"), CHANGED),
    (change_series, ("-restart", PATH, "-output_overwrite"), "series.csv were changed"),
    (change_input, AUTO, r"(?m)^  -model_input a file with checksum \w+ there, a file with \w+ \w+ h"),
    (change_input, ("-restart", PATH, "-output_dir", "new"), "  -model_input a file with checksum"),
    (lose_input, AUTO, "-model_input file:in.csv: cannot be read"),
    (spoil_checkpoints, AUTO, "-restart auto: none of the 12 checkpoints in output/checkpoints can"),
    (lose_checkpoints, AUTO, "-time_end 0.25: the run in output has ended at t = 0.1875 and kept no"),
    (lose_checkpoints, ("-restart", PATH), "-restart output/checkpoints/.*: .*No such file"),
    (break_link, AUTO, "-restart: output/checkpoints cannot be listed: No such file"),
    (break_link_of_lost_run, AUTO, "-restart: output/checkpoints cannot be listed: No such file"),
    (put_file_in_the_way, AUTO, "-restart: output/checkpoints cannot be listed: Not a directory"),
    (change_nothing, ("-restart", PATH), "-restart .*: the run has come further"),
    (change_nothing, ("-restart", "in.csv"), "-restart in.csv: damaged, or no checkpoint"),
    (change_nothing, ("-restart", PATH, "-output_dir", "."), "-output_dir .: the folder is not empty"),
    (change_nothing, ("-restart", PATH, "-output_dir", "in.csv"), "-output_dir in.csv: cannot be made"),
    (change_nothing, ("-restart", PATH, "-output_dir", "new", "-model_noise", 2), "model_noise"),
    (change_nothing, (*AUTO, "-grid_w_cells", 18), "-grid_w_cells 17 there, 18 here"),
    (change_nothing, (*AUTO, "-model_noise", 2), "-model_noise 1 there, 2 here"),
    (change_nothing, (*AUTO, "-model_refractory", 0.3, "-restart_force"), "-model_refractory"),
    (change_nothing, (*AUTO, "-walltime", "soon"), "-walltime soon"),
    (change_nothing, (*AUTO, "-no_such_option", 1), "unknown option -no_such_option"),
    (change_nothing, (*AUTO, "-insitu_scripts", "absent.py"), "absent.py|built without"),
    (change_nothing, ("-restart", "auto", "-time_end", STEP), "the checkpoint is at t = 0.1875"),
    (change_nothing, (), "-output_dir output: the folder is not empty"),
    (change_nothing, ("-output_dir", "in.csv"), "-output_dir in.csv: cannot be made or listed"),
    (change_nothing, ("-output_dir", "in.csv/new"), "-output_dir in.csv/new: cannot be made"),
    (change_nothing, ("-output_overwrite", "-initial_density", "v"), "initial_density"),
    (use_another_folder, (*AUTO, "-checkpoint_dir", "other"), "-checkpoint_dir other: the run has its"),
    (use_another_folder, ("-output_dir", "new", "-checkpoint_dir", "other"),
     "-checkpoint_dir other: holds checkpoints of another run"),
    (use_another_folder, ("-output_overwrite", "-checkpoint_dir", "other"),
     "-checkpoint_dir other: holds checkpoints of another run"),
]


class RefusalsTest(RestartTestCase):
    """All that restarts, output folders and options are refused for."""

    def test_nothing_has_changed(self):
        made = self.place("made", CASE)
        (made.path / "in.csv").write_text("w,I\n-1,2\n1,3\n", encoding="ascii")
        self.go(made, ranks=2)
        self.assertEqual(len(made.checkpoints), 12)
        for number, (change, words, message) in enumerate(REFUSALS):
            with self.subTest(change=change.__name__, words=words):
                place = self.copy(made, f"refused_{number}")
                change(place)
                before = self.everything(place)
                self.refused(place, *words, ranks=2 if number % 4 == 1 else 0, fragments=[message])
                self.assertEqual(self.everything(place), before)

    def test_files_that_may_not_be_written(self):
        """No refusal, but a failure before anything was changed."""
        if os.geteuid() == 0:
            self.wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        place = self.place("made", {**CASE, "model_input": "2"})
        self.go(place)
        for name in ("series.csv", "fields.h5"):
            (place.output / name).chmod(0o444)
            before = self.everything(place)
            self.refused(place, *AUTO, expect=NOT_WRITTEN,
                         fragments=[f"cannot write output/{name}: Permission denied"])
            self.assertEqual(self.everything(place), before)
            (place.output / name).chmod(0o644)

    def test_what_was_put_back_is_taken(self):
        """After a refusal nothing is lost: with the file as it was the run goes on."""
        made = self.place("made", CASE)
        (made.path / "in.csv").write_text("w,I\n-1,2\n1,3\n", encoding="ascii")
        self.go(made)
        reference = self.copy(made, "reference")
        self.go(reference, *AUTO)
        (made.output / "fields.h5").rename(made.path / "kept.h5")
        self.refused(made, *AUTO, fragments=["fields.h5 is not the file"])
        (made.path / "kept.h5").rename(made.output / "fields.h5")
        self.go(made, *AUTO)
        self.assert_same(reference, made)

    def test_forced_input(self):
        """Another file is taken on purpose, as other options are."""
        place = self.place("made", CASE)
        (place.path / "in.csv").write_text("w,I\n-1,2\n1,3\n", encoding="ascii")
        self.go(place)
        change_input(place)
        outcome = self.go(place, *AUTO, "-restart_force")
        self.assert_continued(outcome, 12)
        self.assert_said(outcome, "warning: -restart_force: the run goes on with other options")
        # The next checkpoint knows of the new file.
        self.go(place, "-restart", "auto", "-time_end", 20 * STEP)


if __name__ == "__main__":
    main()
