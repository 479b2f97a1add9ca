"""A tiny program builds against the installed package, through CMake and through pkg-config."""

import os
import subprocess

import engram_test

PROGRAM = r"""
#include <engram/app/program.h>
#include <engram/kernels/exact_sum.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    EngramExactSum sum;
    EngramExactSumClear(&sum);
    EngramExactSumAdd(&sum, 1e100);
    EngramExactSumAdd(&sum, 1.0);
    EngramExactSumAdd(&sum, -1e100);
    printf("sum %g\n", EngramExactSumValue(&sum));
    return EngramProgram(argc, argv);
}
"""

PROJECT = """
cmake_minimum_required(VERSION 3.21)
project(consumer LANGUAGES C)
find_package(engram 0.1 REQUIRED)
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE engram::engram)
"""


class Consumer(engram_test.EngramTestCase):
    """Installs into a temporary prefix and uses what is there, and nothing else."""

    def call(self, *command, **changes):
        """Runs a command that must succeed; returns its output."""
        environment = dict(os.environ, **changes)
        process = subprocess.run([str(word) for word in command], cwd=self.folder, text=True,
                                 capture_output=True, check=False, env=environment)
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        return process.stdout

    def setUp(self):
        super().setUp()
        self.prefix = self.folder / "prefix"
        self.call("cmake", "--install", engram_test.BUILD, "--prefix", self.prefix)
        (self.folder / "consumer.c").write_text(PROGRAM, encoding="utf-8")

    def check_program(self, path):
        """The consumer sums exactly, and runs the whole program."""
        output = self.call(path, "-version")
        self.assertIn("sum 1\n", output)
        self.assertIn("engram 0.1.0", output)

    def test_cmake_package(self):
        (self.folder / "CMakeLists.txt").write_text(PROJECT, encoding="utf-8")
        self.call("cmake", "-S", ".", "-B", "build", "-G", "Ninja",
                  f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.call("cmake", "--build", "build")
        self.check_program(self.folder / "build" / "consumer")

    def test_pkg_config(self):
        pkg_config = next(self.prefix.rglob("engram.pc")).parent
        flags = self.call("pkg-config", "--cflags", "--libs", "engram",
                          PKG_CONFIG_PATH=str(pkg_config)).split()
        self.call("cc", "consumer.c", "-o", "consumer", *flags)
        self.check_program(self.folder / "consumer")

    def test_installed_program_and_cases(self):
        self.assertIn("engram 0.1.0", self.call(self.prefix / "bin" / "engram", "-version"))
        cases = list((self.prefix / "share" / "engram" / "input").glob("*.yaml"))
        self.assertGreaterEqual(len(cases), 4)
        for name in ("plot", "sweep", "status", "recognition"):
            tool = self.prefix / "share" / "engram" / "tools" / f"{name}.py"
            self.assertIn("usage:", self.call(engram_test.PYTHON, "-B", tool, "--help"))


if __name__ == "__main__":
    engram_test.main()
