"""tools/status.py: what it says of runs in all states, and of wrong input."""

import datetime
import os
import re
import socket
import subprocess

from engram_test import PYTHON, SOURCE, EngramTestCase, main

HERE = socket.gethostname()


def utc(seconds_ago=0):
    """A time as engram writes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class StatusTestCase(EngramTestCase):
    """Runs status.py, and reads its table."""

    def call(self, *arguments, expect=0):
        """Runs status.py in the test's folder, and checks the exit code."""
        process = subprocess.run([PYTHON, "-B", str(SOURCE / "tools" / "status.py"),
                                  *map(str, arguments)], cwd=self.folder, capture_output=True,
                                 text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, expect, process.stdout + process.stderr)
        self.assertNotIn("Traceback", process.stderr)
        return process

    def rows(self, *arguments, expect=0):
        """The table: a dictionary by the last name of the folder of dictionaries by column."""
        lines = self.call(*arguments, expect=expect).stdout.splitlines()
        starts = [match.start() for match in re.finditer(r"(?<!\S)(?:to go|last checkpoint|\S+)",
                                                         lines[0])]
        # Right-aligned columns begin before their names.
        ends = [match.end() for match in re.finditer(r"(?:to go|last checkpoint|\S+)", lines[0])]
        names = [lines[0][start:end] for start, end in zip(starts, ends)]
        table = {}
        for line in lines[1:]:
            if re.match(r"\d+ runs: ", line):
                continue
            cells = re.split(r" {2,}", line.strip())
            table[cells[0].split("/")[-1]] = dict(zip(names, cells))
        return table

    def make(self, name, text=None, **entries):
        """A run's folder with a status.yaml: one that runs here, with changes; None drops one."""
        values = {"status": "running", "time": 1.5, "end_time": 6, "step": 150, "steps": 600,
                  "start_time": 0.5, "wall_seconds": 120, "updated": f'"{utc()}"', "ranks": 2,
                  "host": f'"{HERE}"', "pid": os.getpid(), "job": '""'}
        values.update(entries)
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{key}: {value}\n" for key, value in values.items() if value is not None]
        (folder / "status.yaml").write_text("".join(lines) if text is None else text,
                                            encoding="utf-8")
        return folder


class LinkTest(StatusTestCase):
    """Folders that are links."""

    def test_links_are_followed_and_each_run_comes_once(self):
        self.make("tree/a")
        self.make("far/b")
        self.make("far/deep/c")
        (self.folder / "tree" / "b").symlink_to("../far/b")
        (self.folder / "tree" / "more").symlink_to(self.folder / "far" / "deep")
        # A second way to what is there, and ways in circles.
        (self.folder / "tree" / "0").symlink_to("a")
        (self.folder / "tree" / "again").symlink_to("../far")
        (self.folder / "tree" / "a" / "up").symlink_to("..")
        (self.folder / "tree" / "self").symlink_to("self")
        (self.folder / "tree" / "broken").symlink_to("nowhere")
        self.assertEqual(set(self.rows("tree")), {"a", "b", "c"})
        self.assertIn("3 runs: 3 running", self.call("tree").stdout)
        names = [line.split()[0] for line in self.call("tree").stdout.splitlines()[1:-1]]
        self.assertIn("tree/a", names)

    def test_link_to_a_run(self):
        self.make("far/b")
        (self.folder / "mine").symlink_to("far/b")
        self.assertEqual(set(self.rows("mine")), {"mine"})

    def test_link_alone_in_a_folder(self):
        """As results on a larger disk."""
        self.make("far/b")
        (self.folder / "results").mkdir()
        (self.folder / "results" / "b").symlink_to(self.folder / "far" / "b")
        self.assertEqual(self.rows("results")["b"]["state"], "running")


class StateTest(StatusTestCase):
    """States and numbers."""

    def test_running(self):
        self.make("one", checkpoint='"checkpoint_000000000140.h5"', checkpoint_time=1.4,
                  checkpoint_written=f'"{utc(200)}"', job='"42_3"')
        row = self.rows("one")["one"]
        self.assertEqual(row["state"], "running")
        self.assertEqual(row["progress"], "25.0 %")
        self.assertEqual(row["time"], "1.5 of 6")
        # One unit of time took this start of the program 120 s; 4.5 are left.
        self.assertEqual(row["to go"], "9 min")
        self.assertEqual(row["last checkpoint"], "t = 1.4, 3 min ago")
        self.assertEqual(row["job"], "42_3")

    def test_just_started_has_no_estimate(self):
        self.make("one", time=0.5)
        self.assertEqual(self.rows("one")["one"]["to go"], "?")

    def test_long_times(self):
        for seconds, text in ((36, "2 min"), (1600, "2 h 00 min"), (100000, "5 d 5 h")):
            with self.subTest(seconds=seconds):
                self.make(f"of_{seconds}", wall_seconds=seconds)
                self.assertEqual(self.rows(f"of_{seconds}")[f"of_{seconds}"]["to go"], text)

    def test_lost_when_the_process_is_gone(self):
        process = subprocess.Popen(["true"])
        process.wait()
        self.make("one", pid=process.pid)
        row = self.rows("one")["one"]
        self.assertEqual(row["state"], "lost")
        self.assertIn(f"process {process.pid} is gone", self.call("one").stdout)

    def test_lost_when_the_number_belongs_to_another_process(self):
        self.make("one", updated=f'"{utc(86400 * 365 * 20)}"')
        self.assertEqual(self.rows("one")["one"]["state"], "lost")

    def test_silent_process_of_this_host_is_not_lost(self):
        process = subprocess.Popen(["sleep", "60"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.make("one", pid=process.pid)
        self.assertEqual(self.rows("--silent", "0", "one")["one"]["state"], "running")

    def test_other_host_is_lost_after_long_silence(self):
        self.make("new", host='"elsewhere"', pid=1, updated=f'"{utc(500)}"')
        self.make("old", host='"elsewhere"', pid=1, updated=f'"{utc(700)}"')
        rows = self.rows(".")
        self.assertEqual(rows["new"]["state"], "running")
        self.assertEqual(rows["old"]["state"], "lost")
        self.assertIn("no news from elsewhere for 11 min", self.call("old").stdout)
        self.assertEqual(self.rows("--silent", "800", "old")["old"]["state"], "running")

    def test_states_of_runs_that_have_left(self):
        for status, reason in (("requeued", "signal USR1"), ("interrupted", "signal INT"),
                               ("failed", "cannot write x: No space left on device"),
                               ("blown up", "blow-up: beyond 1e4"), ("not finite", "input")):
            name = status.replace(" ", "_")
            self.make(name, status=status, reason=f'"{reason}"', pid=999999999,
                      updated=f'"{utc(86400)}"')
            row = self.rows(name)[name]
            self.assertEqual(row["state"], status)
            self.assertEqual(row["remark"], reason)
            self.assertEqual(row["progress"], "25.0 %")

    def test_progress_is_complete_at_the_end_only(self):
        self.make("almost", time=5.9999999)
        self.make("done", status="done", time=6)
        rows = self.rows(".")
        self.assertEqual(rows["almost"]["progress"], "99.9 %")
        self.assertEqual(rows["done"]["progress"], "100 %")

    def test_numbers_that_yaml_takes_for_texts(self):
        self.make("one", time="1e-12", end_time="4e-12", start_time="0")
        self.assertEqual(self.rows("one")["one"]["progress"], "25.0 %")

    def test_runs_of_the_program(self):
        done = self.run_case().folder
        stopped = self.run_case(blowup_rate=1e-3, expect=3).folder
        rows = self.rows(done, stopped)
        self.assertEqual(rows[done.name]["state"], "done")
        self.assertEqual(rows[done.name]["progress"], "100 %")
        self.assertEqual(rows[stopped.name]["state"], "blown up")
        for folder, state in ((done, "done"), (stopped, "blown up")):
            (folder / "status.yaml").unlink()
            self.assertEqual(self.rows(folder)[folder.name]["state"], state)


class FoldersTest(StatusTestCase):
    """Where runs are looked for."""

    def test_folders_of_runs_at_any_depth_in_natural_order(self):
        for name in ("", "/level-10", "/level-9", "/sweep/a", "/sweep/b/c"):
            self.make(f"results{name}", status="done")
        output = self.call("results").stdout
        names = [line.split()[0] for line in output.splitlines()[1:-1]]
        self.assertEqual(names, ["results", "results/level-9", "results/level-10",
                                 "results/sweep/a", "results/sweep/b/c"])
        self.assertEqual(output.splitlines()[-1], "5 runs: 5 done")

    def test_counts(self):
        self.make("a", status="done")
        self.make("b")
        self.make("c", status="done")
        self.assertEqual(self.call(".").stdout.splitlines()[-1], "3 runs: 2 done, 1 running")

    def test_run_without_news(self):
        folder = self.folder / "one"
        folder.mkdir()
        (folder / "case.yaml").write_text("model_noise: 1\n", encoding="ascii")
        (folder / "series.csv").write_text("step\n", encoding="ascii")
        self.assertEqual(self.rows("one")["one"]["state"], "unknown")

    def test_wrong_folders(self):
        (self.folder / "empty").mkdir()
        (self.folder / "file").write_text("", encoding="ascii")
        for name, message in (("nowhere", "nowhere: no such folder"),
                              ("empty", "empty: no run of engram in it"),
                              ("file", "file: not a folder")):
            with self.subTest(name=name):
                process = self.call(name, expect=2)
                self.assertIn(f"status.py: error: {message}", process.stderr)
                self.assertEqual(process.stdout, "")
        self.assertIn("usage:", self.call(expect=2).stderr)

    def test_wrong_files_do_not_hide_the_others(self):
        self.make("good")
        for name, text, message in (
                ("no_yaml", "a: [", "not readable as YAML"),
                ("empty", "", "not a list of entries"),
                ("list", "- a\n", "not a list of entries"),
                ("binary", "\x00\x01", "not readable as YAML"),
                ("other", "a: 1\n", "no entry 'status'"),
                ("nested", "status: {a: 1}\n", "no entry 'status'"),
                ("no_time", "status: done\n", "no entry 'time'"),
                ("text", "status: done\ntime: soon\nend_time: 1\n", "time: soon is not a number"),
                ("nan", "status: done\ntime: nan\nend_time: 1\n", "time: nan is not a number")):
            with self.subTest(name=name):
                folder = self.make(name, text=text)
                process = self.call("good", name, expect=2)
                self.assertIn("running", process.stdout)
                self.assertEqual(len(process.stderr.splitlines()), 1, process.stderr)
                self.assertIn(f"status.py: error: {folder.name}/status.yaml: {message}",
                              process.stderr)
        self.make("when", updated="yesterday", host='"elsewhere"')
        self.assertIn("yesterday is not a time like", self.call("when", expect=2).stderr)

    def test_odd_names_and_texts_stay_on_their_line(self):
        self.make("a\nb", status="failed", reason='"one\\ntwo \\e[31m"')
        lines = self.call(".").stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertIn("a?b", lines[1])
        self.assertIn("one?two ?[31m", lines[1])


if __name__ == "__main__":
    main()
