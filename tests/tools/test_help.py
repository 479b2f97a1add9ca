"""Every tool and script answers --help and does nothing else; readers may leave in the middle."""

import concurrent.futures
import os
import pathlib
import subprocess

import engram_test

SOURCE = engram_test.SOURCE
# What builds, installs, runs or submits something; in their place a note that they were called.
COMMANDS = ("apt-get", "cmake", "ctest", "engram", "ffmpeg", "git", "mpirun", "ninja", "sbatch",
            "srun", "ssh", "sudo", "Xvfb")
# They print one line, or one table that a pipe holds.
EXEMPT = ("checkpoint.py", "engram_names.py")
NOTE = '#!/bin/bash\necho "$0 $*" >>"{}"\nexit 1\n'


def scripts():
    """All that can be called: Python files with a main part, shell scripts, job scripts."""
    python = [path for path in (SOURCE / "tools").rglob("*.py")
              if '__name__ == "__main__"' in path.read_text(encoding="utf-8")]
    return sorted([*python, *(SOURCE / "tools").rglob("*.sh"),
                   *(SOURCE / "jobscripts").glob("*.sbatch")])


class Help(engram_test.EngramTestCase):
    """Calls in an empty folder."""

    def setUp(self):
        super().setUp()
        self.notes = self.folder / "notes"
        (self.folder / "bin").mkdir()
        (self.folder / "work").mkdir()
        for name in COMMANDS:
            path = self.folder / "bin" / name
            path.write_text(NOTE.format(self.notes), encoding="ascii")
            path.chmod(0o755)

    def call(self, path, word):
        """The script with one word."""
        interpreter = [engram_test.PYTHON, "-B"] if path.suffix == ".py" else ["bash"]
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                       "ENGRAM_PROGRAM": "engram"}
        return subprocess.run([*interpreter, str(path), word], cwd=self.folder / "work",
                              env=environment, capture_output=True, text=True, check=False,
                              timeout=120, stdin=subprocess.DEVNULL)

    def check(self, path):
        """Both words bring the same text, which says something of the script."""
        texts = []
        for word in ("--help",) if path.suffix == ".py" else ("--help", "-h"):
            process = self.call(path, word)
            self.assertEqual(process.returncode, 0, f"{path} {word}: {process.stderr}")
            texts.append(process.stdout)
        self.assertGreater(len(texts[0].splitlines()), 2, path)
        self.assertEqual(texts[0], texts[-1], path)
        if path.suffix == ".py":
            self.assertIn(f"usage: {path.name}", texts[0])

    def test_all(self):
        found = scripts()
        self.assertGreaterEqual(len(found), 30)
        executable = [path for path in (SOURCE / "tools").rglob("*")
                      if path.is_file() and os.access(path, os.X_OK)]
        self.assertEqual(set(executable) - set(found), set())
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self.check, found))
        self.assertFalse(self.notes.exists(), self.notes.exists() and self.notes.read_text())
        self.assertEqual(list((self.folder / "work").iterdir()), [])


class FindingTheProgram(engram_test.EngramTestCase):
    """--program, ENGRAM_PROGRAM, build/release of the tree of the tool, PATH; one message."""

    def setUp(self):
        super().setUp()
        # A tree of its own, whose build this test decides on.
        self.tree = self.folder / "tree"
        (self.tree / "tools").mkdir(parents=True)
        for name in ("engram_program.py", "engram_stream.py", "option_reference.py"):
            (self.tree / "tools" / name).write_bytes((SOURCE / "tools" / name).read_bytes())

    def program(self, place):
        """A stand-in that writes its own name where it is called."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\necho {place} >{self.folder / 'called'}\n", encoding="ascii")
        path.chmod(0o755)
        return str(path)

    def call(self, *words, **environment):
        """Which program the tool has called, or its message."""
        (self.folder / "called").unlink(missing_ok=True)
        process = subprocess.run(
            [engram_test.PYTHON, "-B", str(self.tree / "tools" / "option_reference.py"), "--output",
             str(self.folder / "options.md"), *words], capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", **environment}, timeout=60, stdin=subprocess.DEVNULL)
        if process.returncode:
            self.assertEqual(len(process.stderr.splitlines()), 1, process.stderr)
            return process.stderr.strip()
        return (self.folder / "called").read_text(encoding="ascii").strip()

    def test_order(self):
        path = f"{self.folder / 'path'}:/usr/bin:/bin"
        self.assertIn("no engram found: neither ", self.call())
        self.program("path/engram")
        self.assertEqual(self.call(PATH=path), "path/engram")
        self.program("tree/build/release/engram")
        self.assertEqual(self.call(PATH=path), "tree/build/release/engram")
        named, other = self.program("named"), self.program("other")
        self.assertEqual(self.call(PATH=path, ENGRAM_PROGRAM=named), "named")
        self.assertEqual(self.call("--program", other, PATH=path, ENGRAM_PROGRAM=named), "other")

    def test_named_and_not_there(self):
        """No other program is taken in its place."""
        self.program("tree/build/release/engram")
        self.assertIn("ENGRAM_PROGRAM=nowhere: no such program",
                      self.call(ENGRAM_PROGRAM="nowhere"))
        self.assertIn("--program nowhere: no such program",
                      self.call("--program", "nowhere", ENGRAM_PROGRAM=self.program("named")))

    def test_all_tools_have_the_same_help(self):
        """Whoever takes --program says how it is found, or requires it."""
        for path in scripts():
            source = path.read_text(encoding="utf-8")
            if path.suffix == ".py" and '"--program"' in source:
                self.assertRegex(source, r'"--program",( metavar="P",)? help=HELP\)', path)


class ClosedPipes(engram_test.EngramTestCase):
    """A reader that leaves, as `head -1` does."""

    def pipe(self, command, messages="2>messages"):
        """Runs a command with a reader that takes one line; its exit code, and its messages."""
        process = subprocess.run(
            ["bash", "-c", f">messages; {command} {messages} | head -1 >/dev/null; "
             'echo "${PIPESTATUS[0]}"'], cwd=self.folder, capture_output=True, text=True,
            check=True, timeout=120, stdin=subprocess.DEVNULL)
        self.assertEqual(process.stderr, "")
        return process.stdout.strip(), (self.folder / "messages").read_text(encoding="utf-8")

    def make_runs(self, count):
        """Folders that are runs to status.py, enough for more than a pipe holds."""
        for number in range(count):
            run = self.folder / "runs" / f"{number:04}-{'x' * 150}"
            run.mkdir(parents=True)
            (run / "summary.yaml").write_text('status: done\ntime: 1\nreason: ""\n', "ascii")

    def test_status(self):
        self.make_runs(600)
        tool = f"{engram_test.PYTHON} -B {SOURCE / 'tools' / 'status.py'} runs"
        self.assertEqual(self.pipe(tool), ("0", ""))
        # Nobody reads messages either.
        self.assertEqual(self.pipe(f"{tool} nowhere", "2>&1"), ("2", ""))

    def test_work_goes_on(self):
        """What a tool does after the reader has gone is done."""
        code = ("import sys; sys.path.insert(0, r'%s'); import engram_stream as stream; "
                "stream.bear_closed_pipes()\n"
                "for number in range(20000): print(number, 'x' * 20)\n"
                "import subprocess; subprocess.run(['echo', 'from a child'], check=True)\n"
                "open('done', 'w').close()") % (SOURCE / "tools")
        pathlib.Path(self.folder / "writer.py").write_text(code, encoding="utf-8")
        self.assertEqual(self.pipe(f"{engram_test.PYTHON} -B writer.py"), ("0", ""))
        self.assertTrue((self.folder / "done").exists())

    def test_all_tools_bear_it(self):
        for path in scripts():
            source = path.read_text(encoding="utf-8")
            if path.suffix == ".py" and "print(" in source and path.name not in EXEMPT:
                self.assertIn("    bear_closed_pipes()\n", source, path)


if __name__ == "__main__":
    engram_test.main()
