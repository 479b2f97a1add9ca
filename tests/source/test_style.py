"""The source as text: formatting, static analysis, folders that may include each other, lengths."""

import concurrent.futures
import json
import os
import re
import subprocess

import engram_test

# Who may include whom, beside the C library and the folder itself: docs/architecture.md.
MAY_INCLUDE = {
    "kernels": set(),
    "base": {"kernels"},
    "grid": {"base", "kernels"},
    "model": {"base", "kernels", "grid"},
    "solver": {"base", "kernels", "grid", "model"},
    "time": {"base", "kernels", "grid", "model", "solver"},
    "insitu": set(),
    "observe": {"base", "grid", "insitu"},
    "checkpoint": {"base", "kernels", "grid"},
    "app": {"base", "kernels", "grid", "model", "solver", "time", "observe", "checkpoint",
            "insitu"},
}

# Libraries a folder may use; only kernels are held to the C library.
KERNEL_HEADERS = {"arm_neon.h", "float.h", "immintrin.h", "math.h", "stdatomic.h", "stddef.h",
                  "stdint.h", "stdlib.h", "string.h"}

# The files of src/time from the bottom of the stack to its top: each includes only those before it.
TIME_STACK = ("rates", "jumps", "rate_history", "drive", "coupled_rate", "reaction",
              "steady_search", "implicit_transport", "transport_step", "euler_step", "slice_values",
              "step_error", "combined_step", "step_control", "input_samples", "input_watch", "segment",
              "adaptive_step", "graded_step", "stepper_private", "stepper_jumps", "stepper",
              "stepper_start", "stepper_phase", "stepper_state")

# The analyser follows so many paths of a function: a third of what it does by itself, which takes
# three times as long and finds the same here.
ANALYZER = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang",
                                               "max-nodes=75000")]

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)
LONGEST_FILE = 450
LONGEST_FUNCTION = 120


def sources(*suffixes, folders=("src", "include", "tests", "tools")):
    """Files of the project with these endings."""
    paths = []
    for folder in folders:
        for suffix in suffixes:
            paths += sorted((engram_test.SOURCE / folder).rglob(f"*{suffix}"))
    return paths


def room_of(name):
    """The room of a folder of include/engram/, or of a header that stands there by itself."""
    return name.removesuffix(".h")


def folder_of(path):
    """The room of a file of src/ or include/engram/."""
    relative = path.relative_to(engram_test.SOURCE)
    return relative.parts[1] if relative.parts[0] == "src" else room_of(relative.parts[2])


class Style(engram_test.EngramTestCase):
    """Checks of the text."""

    def test_clang_format(self):
        files = [str(path) for path in sources(".c", ".cxx", ".h")]
        process = subprocess.run(["clang-format", "--dry-run", "--Werror", *files],
                                 capture_output=True, text=True, check=False)
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_include_directions(self):
        wrong = []
        for path in sources(".c", ".cxx", ".h", folders=("src", "include")):
            room = folder_of(path)
            for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
                parts = header.split("/")
                if parts[0] == "engram":
                    included = room_of(parts[1])
                    if included != room and included not in MAY_INCLUDE[room]:
                        wrong.append(f"{path}: {header}")
                elif room == "kernels" and len(parts) == 1 and header not in KERNEL_HEADERS:
                    if not (engram_test.SOURCE / "src" / "kernels" / header).exists():
                        wrong.append(f"{path}: {header}")
                elif room == "kernels" and len(parts) > 1:
                    wrong.append(f"{path}: {header}")
        self.assertEqual(wrong, [])

    def test_stack_of_time(self):
        """A file includes only those below it; time_parameters.c stands beside the stack."""
        files = sources(".c", ".h", folders=("src/time",))
        self.assertEqual({path.stem for path in files}, {*TIME_STACK, "time_parameters"})
        wrong = []
        for path in files:
            place = TIME_STACK.index(path.stem) if path.stem in TIME_STACK else 0
            for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
                stem = header.removesuffix(".h")
                if "/" not in header and stem in TIME_STACK and TIME_STACK.index(stem) > place:
                    wrong.append(f"{path}: {header}")
        self.assertEqual(wrong, [])

    def test_rooms_are_known(self):
        for base in ("src", "include/engram"):
            rooms = {room_of(path.name) for path in (engram_test.SOURCE / base).iterdir()}
            self.assertLessEqual(rooms, set(MAY_INCLUDE), f"unknown folders in {base}")

    def test_main_is_short(self):
        lines = (engram_test.SOURCE / "src/app/main.c").read_text(encoding="utf-8").count("\n")
        self.assertLess(lines, 60)

    def test_lengths(self):
        long_files = [str(path) for path in sources(".c", ".cxx", ".h", ".py", ".sh")
                      if path.read_text(encoding="utf-8").count("\n") > LONGEST_FILE]
        self.assertEqual(long_files, [])
        long_functions = []
        for path in sources(".c"):
            start = 0
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
                start = number if line == "{" else start
                if line == "}" and number - start > LONGEST_FUNCTION:
                    long_functions.append(f"{path}:{start}")
        self.assertEqual(long_functions, [])

    def test_own_public_names(self):
        declared = re.compile(r"^(?:[A-Za-z_][\w \*]*?[ \*])(\w+)\(", re.MULTILINE)
        for path in sources(".h", folders=("include",)):
            for name in declared.findall(path.read_text(encoding="utf-8")):
                self.assertTrue(name.startswith("Engram") or name in ("PetscErrorCode",),
                                f"{path}: {name}")


class StaticAnalysis(engram_test.EngramTestCase):
    """clang-tidy and cppcheck on the compile commands of this build."""

    def compile_commands(self):
        path = engram_test.BUILD / "compile_commands.json"
        files = [entry["file"] for entry in json.loads(path.read_text(encoding="utf-8"))]
        return [file for file in files if file.endswith(".c")]

    def test_clang_tidy(self):
        def check(file):
            # What tests do wrong the sanitizers see as they run.
            depth = ["--checks=-clang-analyzer-*"] if "/tests/" in file else ANALYZER
            return file, subprocess.run(
                ["clang-tidy", "--quiet", "-p", str(engram_test.BUILD), *depth, file],
                capture_output=True, text=True, check=False)

        files = sorted(set(self.compile_commands()))
        self.assertGreater(len(files), 20)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for file, process in pool.map(check, files):
                with self.subTest(file=file):
                    self.assertEqual(process.returncode, 0, process.stdout + process.stderr)

    def test_cppcheck(self):
        process = subprocess.run(
            ["cppcheck", "--std=c11", "--enable=warning,performance,portability", "--inline-suppr",
             "--error-exitcode=1", "--quiet", "--suppress=missingIncludeSystem",
             "--suppress=readdirCalled",
             "--library=posix", "-DPETSC_ATTRIBUTE_FORMAT(a,b)=", "-D__GNUC__",
             f"-I{engram_test.SOURCE / 'include'}", str(engram_test.SOURCE / "src"),
             str(engram_test.SOURCE / "tools")],
            capture_output=True, text=True, check=False)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)


if __name__ == "__main__":
    engram_test.main()
