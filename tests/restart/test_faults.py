"""Full disks, folders without permission, quotas, short writes, ranks that die: nothing is lost."""

import errno
import os
import pathlib
import signal
import subprocess
import sys

import engram_test
from restart_support import LONG, NOT_WRITTEN, STEP, RestartTestCase, main, watched_run

# The mounts of the tests live and end with this process.
NAMESPACE = "ENGRAM_TEST_NAMESPACE"

# A run whose checkpoints have some 100 kB, the fields of one time 60 kB, the whole series 1 MB.
CASE = {**LONG, "time_step": STEP / 64, "checkpoint_every": 8 * STEP, "output_series_every": 1}

# Without the capability to pass over permissions, which root has.
WITHOUT_PRIVILEGE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]

ROOM = "64m"


def enter_namespace():
    """Goes on in a mount namespace of its own; of a user namespace where that takes no root."""
    if os.environ.get(NAMESPACE):
        return
    os.environ[NAMESPACE] = "1"
    can_mount = subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True)
    flag = "-m" if can_mount.returncode == 0 else "-rm"
    os.execvp("unshare", ["unshare", flag, sys.executable, "-B", *sys.argv])


class FaultTestCase(RestartTestCase):
    """Runs on small disks and disks with faults, and the uninterrupted results."""

    def reference(self, **changes):
        """The uninterrupted run."""
        return self.made(CASE, **changes)

    def mount(self, folder, size):
        """An empty disk of a size in a new folder."""
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)

    def remount(self, folder, options):
        """Changes size or permission of a disk."""
        subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)

    def assert_not_written(self, outcome, pattern, reason):
        """One message with the path and the reason; the status tells of the failure."""
        self.assert_one_error(outcome)
        self.assertRegex(outcome.errors[0], rf"^engram: error: cannot \w+ \S*{pattern}: .*{reason}")

    def kept(self, place):
        """The checkpoints with their bytes."""
        return {path: path.read_bytes() for path in place.checkpoints}

    def assert_kept(self, before, place):
        """Checkpoints there are; of those before none was changed, though newer ones replace them."""
        after = self.kept(place)
        self.assertGreaterEqual(len(after), 1)
        self.assertEqual([path.name for path in after if before.get(path, after[path]) != after[path]],
                         [])

    def assert_good(self, place, paths):
        """These checkpoints are whole, as a dry run tells."""
        for path in paths:
            self.go(place, "-restart", path, "-dry_run", "-output_overwrite")

    def assert_completed(self, place, reference, ranks=0):
        """A restart in a better world gives the uninterrupted result."""
        # The restart reads the newest one by itself.
        self.assert_good(place, place.checkpoints[:-1])
        self.wrapper = ()
        outcome = self.go(place, "-restart", "auto", ranks=ranks)
        self.assert_same(reference, place)
        return outcome


class FullDiskTest(FaultTestCase):
    """Disks that fill up."""

    def strike(self, pattern, size, checkpoint_size=ROOM, **changes):
        """A run whose outputs and checkpoints have disks of these sizes; then there is room."""
        reference = self.reference(**changes)
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                place = self.place(f"full_{ranks}", CASE, **changes)
                self.mount(place.output, size)
                self.mount(place.output / "checkpoints", checkpoint_size)
                outcome = self.go(place, "-output_overwrite", ranks=ranks, expect=NOT_WRITTEN)
                self.assert_not_written(outcome, pattern, "No space left on device")
                self.assertGreaterEqual(len(place.checkpoints), 1)
                self.assertFalse((place.output / "summary.yaml").exists())
                self.remount(place.output, f"size={ROOM}")
                self.remount(place.output / "checkpoints", f"size={ROOM}")
                self.assert_completed(place, reference)

    def test_series(self):
        self.strike("series.csv", "700k", output_fields_every=0)

    def test_fields(self):
        self.strike("fields.h5", "2m", output_series_every=1000, output_fields_every=STEP)

    def test_checkpoints(self):
        """Two of them fit, and the third, which is written before the first goes, does not."""
        self.strike("checkpoint_[0-9]*.h5.*", "64m", checkpoint_size="300k")

    def test_one_disk_for_all(self):
        """Whatever comes first: folders, tables, fields, checkpoints."""
        reference = self.reference()
        written = sum(path.stat().st_size for path in reference.output.rglob("*"))
        sizes = [4096, 16384, 40000, 90000, 150000, 260000, written // 4, written // 2,
                 written * 9 // 10]
        for number, size in enumerate(sizes):
            with self.subTest(size=size):
                place = self.place(f"disk_{size}", CASE)
                self.mount(place.output, size)
                outcome = self.go(place, "-restart", "auto", ranks=number % 3, expect=NOT_WRITTEN)
                self.assert_not_written(outcome, "output/.*", "No space left on device")
                if number % 2 == 0:
                    self.remount(place.output, f"size={ROOM}")
                    self.assert_completed(place, reference)

    def test_full_at_the_restart(self):
        """The restart itself finds no room: the checkpoint it came from stays."""
        reference = self.reference()
        place = self.place("restart", CASE)
        self.mount(place.output, ROOM)
        self.go(place, "-time_end", 48 * STEP, ranks=2)
        before = self.kept(place)
        space = os.statvfs(place.output)
        used = (space.f_blocks - space.f_bfree) * space.f_frsize
        self.remount(place.output, f"size={used + 40960}")
        outcome = self.go(place, "-restart", "auto", ranks=3, expect=NOT_WRITTEN)
        self.assert_not_written(outcome, "output/.*", "No space left on device")
        self.assert_kept(before, place)
        self.remount(place.output, f"size={ROOM}")
        self.assert_completed(place, reference)


class LimitTest(FaultTestCase):
    """Files that may not be larger than a limit of the shell, as after "ulimit -f"."""

    def strike(self, name, pattern, limit, rescued, **changes):
        """A run under a limit of so many bytes ends with a message, and goes on without it."""
        reference = self.reference(**changes)
        place = self.place(name, CASE, **changes)
        self.wrapper = ["prlimit", f"--fsize={limit}"]
        outcome = self.go(place, expect=NOT_WRITTEN)
        self.assert_not_written(outcome, pattern, "File too large")
        status = place.yaml("status.yaml")
        self.assertEqual(status["status"], "failed")
        self.assertRegex(status["reason"], "File too large")
        if rescued:
            written = self.assert_said(outcome, r"^engram: checkpoint (\S+) written; the run can go on")
            self.assertEqual(written[1], place.checkpoints[-1].name)
            self.assertEqual(self.last_step(place), place.steps()[-1])
        self.assert_completed(place, reference)

    def last_step(self, place):
        """Step of the last row of series.csv."""
        return int((place.output / "series.csv").read_text("ascii").splitlines()[-1].split(",")[0])

    def test_fields(self):
        """Nothing is lost: the checkpoint is that of the very step whose fields had no room."""
        self.strike("fields", "fields.h5", 800000, True, output_series_every=1,
                    output_fields_every=STEP)

    def test_fields_of_many_small_rows(self):
        """Rows that share chunks: the limit strikes where a chunk begins."""
        self.strike("small", "fields.h5", 400000, True, grid_v_cells=60, grid_w_cells=5,
                    output_series_every=1, output_fields_every=STEP / 64, checkpoint_every=1)

    def test_series(self):
        """From the last checkpoint before the limit."""
        self.strike("series", "series.csv", 300000, False, output_fields_every=0)


class PermissionTest(FaultTestCase):
    """Folders that may not be written."""

    def test_read_only_disk(self):
        place = self.place("read_only", CASE)
        self.mount(place.output, ROOM)
        self.go(place, "-restart", "auto", "-time_end", 16 * STEP, ranks=2)
        self.remount(place.output, "ro")
        before = place.contents()
        for ranks in (0, 2):
            outcome = self.go(place, "-restart", "auto", ranks=ranks, expect=NOT_WRITTEN)
            self.assert_not_written(outcome, "output/.*", "Read-only file system")
        self.go(place, "-restart", "auto", "-dry_run")
        self.assert_unchanged(place, before)
        self.remount(place.output, "rw")
        self.assert_completed(place, self.reference())

    def test_read_only_folder(self):
        self.wrapper = WITHOUT_PRIVILEGE
        place = self.place("folder", CASE)
        self.go(place, "-time_end", 16 * STEP, ranks=2)
        before = self.kept(place)
        folder = place.output / "checkpoints"
        folder.chmod(0o555)
        outcome = self.go(place, "-restart", "auto", ranks=2, expect=NOT_WRITTEN)
        self.assert_not_written(outcome, "output/checkpoints.*", "Permission denied")
        self.assertEqual(self.kept(place), before)
        folder.chmod(0o755)
        self.assert_completed(place, self.reference())

    def test_folder_that_becomes_read_only(self):
        """While the run is on its way."""
        self.wrapper = WITHOUT_PRIVILEGE
        place = self.place("becomes", CASE)
        run = self.start(place, ranks=2)
        self.wait_for_checkpoint(run, place)
        folder = place.output / "checkpoints"
        folder.chmod(0o555)
        outcome = self.ended(run, place, expect=NOT_WRITTEN, timeout=60)
        self.assert_not_written(outcome, "output/checkpoints/.*", "Permission denied")
        folder.chmod(0o755)
        self.assertGreaterEqual(len(place.checkpoints), 1)
        self.assert_completed(place, self.reference())


class FaultyFilesTest(FaultTestCase):
    """File operations that fail or do half of what they should, below a library of the test."""

    def setUp(self):
        super().setUp()
        self.library = self.folder / "faulty_files.so"
        source = pathlib.Path(__file__).with_name("faulty_files.c")
        subprocess.run(["gcc", "-std=gnu11", "-shared", "-fPIC", "-O1", "-o", self.library, source,
                        "-ldl"], check=True)

    def faulty(self, kind, below, number=0, **more):
        """The next runs have this fault."""
        settings = {"FAULT_KIND": kind, "FAULT_BELOW": below, "FAULT_ERRNO": number,
                    **{f"FAULT_{name.upper()}": value for name, value in more.items()},
                    "LD_PRELOAD": self.library}
        if engram_test.IS_SANITIZED:
            settings["ASAN_OPTIONS"] = "detect_leaks=0:verify_asan_link_order=0"
        self.wrapper = ["env", *(f"{name}={value}" for name, value in settings.items())]

    def test_short_writes(self):
        """Right results, or a refusal; and no checkpoint that is not whole."""
        reference = self.reference()
        below_all = ("/output/", "/output/checkpoints/", "/fields.h5", "/series.csv")
        for number, below in enumerate(below_all):
            for ranks in (0, 2):
                with self.subTest(below=below, ranks=ranks):
                    place = self.place(f"short_{number}_{ranks}", CASE)
                    self.faulty("short", below)
                    outcome = self.go(place, ranks=ranks, expect=(0, NOT_WRITTEN))
                    if outcome.code == 0:
                        self.assert_same(reference, place)
                        self.assert_good(place, place.checkpoints)
                    else:
                        self.assert_one_error(outcome, ["output/"])
                        self.assert_completed(place, reference)

    def strike(self, reference, name, path, reason):
        """A run with the present fault fails as it should, and is completed without."""
        place = self.place(name, CASE)
        self.go_to_first_checkpoint(place)
        before = self.kept(place)
        outcome = self.go(place, "-restart", "auto", ranks=2, expect=NOT_WRITTEN, timeout=30)
        self.assert_not_written(outcome, path, reason)
        self.assert_kept(before, place)
        self.assert_completed(place, reference)

    def go_to_first_checkpoint(self, place):
        """Runs without faults up to a checkpoint."""
        wrapper, self.wrapper = self.wrapper, ()
        self.go(place, "-time_end", 8 * STEP, ranks=3)
        self.wrapper = wrapper

    def test_failures_of_checkpoints(self):
        """Of fsync, close and write; on all ranks, or on one that is not the first."""
        reference = self.reference()
        faults = [("fsync", errno.EIO, {}), ("close", errno.EDQUOT, {}), ("write", errno.EIO, {}),
                  ("fsync", errno.EDQUOT, {"rank": 1}), ("write", errno.EDQUOT, {"rank": 1}),
                  ("write", errno.EDQUOT, {"after": 30000}), ("write", errno.EIO, {"after": 60000})]
        for count, (kind, number, more) in enumerate(faults):
            with self.subTest(kind=kind, reason=os.strerror(number), **more):
                self.faulty(kind, "/output/checkpoints", number, **more)
                self.strike(reference, f"fault_{count}", "output/checkpoints.*",
                            os.strerror(number))

    def test_failures_of_outputs(self):
        """Of series.csv and fields.h5."""
        reference = self.reference()
        for name in ("series.csv", "fields.h5"):
            for kind in ("write", "fsync", "close"):
                with self.subTest(name=name, kind=kind):
                    self.faulty(kind, f"/output/{name}", errno.EDQUOT)
                    self.strike(reference, f"{kind}_{name.split('.')[0]}", f"output/{name}",
                                "Disk quota exceeded")


class DeathTest(FaultTestCase):
    """Processes that end without a word."""

    def strike(self, place, choose, is_at_checkpoint=False):
        """Starts a run and kills one of its processes; the run must end."""
        run = self.start(place, "-restart", "auto", ranks=3)
        self.wait_for_checkpoint(run, place)
        if is_at_checkpoint:
            self.assertTrue(run.wait_until(lambda: place.partial_checkpoints(), pause=0.0))
        os.kill(choose(run), signal.SIGKILL)
        run.finish(30)
        self.assertNotEqual(run.code, 0)
        self.assertEqual(watched_run.wait_for_no_process(run.mark, 30), [], "ranks that stay")

    def test_one_rank(self):
        reference = self.reference()
        for number, (index, is_at_checkpoint) in enumerate([(0, False), (-1, False), (1, True),
                                                            (0, True)]):
            with self.subTest(index=index, is_at_checkpoint=is_at_checkpoint):
                place = self.place(f"rank_{number}", CASE)
                self.strike(place, lambda run: run.ranks(engram_test.PROGRAM)[index],
                            is_at_checkpoint)
                self.assert_completed(place, reference, ranks=2)

    def test_the_launcher(self):
        reference = self.reference()
        place = self.place("launcher", CASE)
        self.strike(place, lambda run: run.process.pid)
        self.assert_completed(place, reference, ranks=2)


if __name__ == "__main__":
    enter_namespace()
    main()
