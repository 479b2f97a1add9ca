"""-checkpoint_dir: checkpoints on another file system, found again through a link."""

import os
import signal

import engram_test
from restart_support import LEARNING, LONG, REQUEUED, STEP, RestartTestCase, main, watched_run


class CheckpointDirTest(RestartTestCase):
    """Folders for checkpoints elsewhere; links that the user has made."""

    def reference(self, **changes):
        """The run with its checkpoints where they usually are."""
        return self.made(LEARNING, **changes)

    def test_elsewhere(self):
        """The link leads there, restarts follow it without the option, the bits are the same."""
        reference = self.reference()
        for number, again in enumerate((True, False)):
            place = self.place(f"elsewhere_{number}", LEARNING)
            target = self.folder / "scratch" / f"of this run {number}"
            words = ["-checkpoint_dir", f"../scratch/{target.name}"]
            self.go(place, *words, "-time_end", 10 * STEP, ranks=2)
            self.assertEqual(os.readlink(place.output / "checkpoints"), str(target.resolve()))
            self.assertEqual(len(list(target.iterdir())), 10)
            outcome = self.go(place, *(words if again else []), "-restart", "auto",
                              ranks=3 * number)
            self.assert_continued(outcome, 10)
            self.assertEqual(watched_run.output_differences(reference.output, place.output),
                             [f"/case @checkpoint_dir: auto and {words[1]}"] if again else [])
            self.assertEqual(len(list(target.iterdir())), 24)

    def test_recorded(self):
        """case.yaml has the option; the status names the checkpoint as ever."""
        place = self.place("recorded", LEARNING, checkpoint_dir="scratch", time_end=3 * STEP)
        outcome = self.go(place)
        self.assertEqual(outcome.yaml("case.yaml")["checkpoint_dir"], "scratch")
        self.assertEqual(outcome.yaml("status.yaml")["checkpoint"], place.checkpoints[-1].name)
        self.assertEqual((place.path / "scratch").resolve(),
                         (place.output / "checkpoints").resolve())

    def test_link_of_the_user(self):
        """Old checkpoints are passed over, pruned and set aside behind it as before it."""
        reference = self.reference(checkpoint_keep=3)
        place = self.place("linked", LEARNING, checkpoint_keep=1000)
        self.go(place, "-time_end", 10 * STEP)
        (place.output / "summary.yaml").unlink()
        (place.output / "checkpoints").rename(place.path / "moved")
        (place.output / "checkpoints").symlink_to("../moved")
        newest = place.checkpoint(10)
        newest.write_bytes(newest.read_bytes()[:-1])
        outcome = self.go(place, "-restart", "auto", "-checkpoint_keep", 3)
        self.assert_continued(outcome, 9)
        self.assert_same(reference, place)
        self.assertTrue((place.path / "moved" / (newest.name + ".damaged")).exists())
        self.assertEqual(place.steps(), [22, 23, 24])
        self.assertTrue((place.output / "checkpoints").is_symlink())

    def test_path_of_a_checkpoint_behind_the_link(self):
        """It belongs to the run, by either path."""
        place = self.place("behind", LEARNING, checkpoint_dir="scratch", time_end=6 * STEP)
        self.go(place)
        for path in ("scratch", "output/checkpoints"):
            self.refused(place, "-restart", f"{path}/checkpoint_000000000003.h5",
                         fragments=["the run has come further than this checkpoint"])
        self.go(place, "-restart", "scratch/checkpoint_000000000003.h5", "-output_overwrite")
        self.assertEqual(place.steps(), [1, 2, 3, 4, 5, 6])

    def test_overwriting(self):
        """The checkpoints of the run that is overwritten go, wherever they are; then the place may
        change."""
        place = self.place("over", LEARNING, time_end=3 * STEP)
        self.go(place, "-checkpoint_dir", "first")
        self.go(place, "-checkpoint_dir", "second", "-output_overwrite", "-time_end", 2 * STEP)
        self.assertEqual(place.steps(), [1, 2])
        self.assertEqual(list((place.path / "first").iterdir()), [])
        self.go(place, "-output_overwrite", "-time_end", STEP)
        self.assertEqual(place.steps(), [1])
        self.assertEqual(len(list((place.path / "second").iterdir())), 1)

    def test_two_runs_want_one_folder(self):
        """The second one is refused before it has made anything, also where no checkpoint is yet."""
        place = self.place("first", LONG, time_end=9600 * STEP)
        run = self.start(place, "-checkpoint_dir", "../shared", ranks=2)
        self.wait_for_file(run, place.output / "status.yaml")
        other = self.place("second", LONG)
        self.refused(other, "-checkpoint_dir", "../shared",
                     fragments=["-checkpoint_dir ../shared: another run is writing its checkpoints"])
        self.assertFalse(other.output.exists())
        for rank in run.ranks(engram_test.PROGRAM):
            os.kill(rank, signal.SIGUSR1)
        self.ended(run, place, expect=REQUEUED)
        self.refused(other, "-checkpoint_dir", "../shared", "-output_dir", "third",
                     fragments=["-checkpoint_dir ../shared: holds checkpoints of another run"])

    def test_place_that_cannot_be(self):
        place = self.place("impossible", LEARNING, time_end=2 * STEP)
        (place.path / "file").write_text("", encoding="ascii")
        outcome = self.refused(place, "-checkpoint_dir", "file/below", expect=(2, 4),
                               fragments=["cannot make file/below: Not a directory"])
        self.assertFalse((place.output / "series.csv").exists(), outcome.text)


if __name__ == "__main__":
    main()
