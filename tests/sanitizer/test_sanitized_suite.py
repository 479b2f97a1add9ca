"""Tests of memory once more in a debug build with the address and undefined-behaviour sanitizers."""

import os
import subprocess

import engram_test


class SanitizedSuite(engram_test.EngramTestCase):
    """Builds the preset asan's configuration into a temporary folder and runs the tests of memory."""

    def call(self, *command):
        """Runs a command that must succeed; returns its output."""
        process = subprocess.run([str(word) for word in command], text=True, capture_output=True,
                                 check=False, env=dict(os.environ))
        self.assertEqual(process.returncode, 0, (process.stdout + process.stderr)[-8000:])
        return process.stdout

    def test_suite(self):
        build = self.folder / "asan"
        self.call("cmake", "--preset", "asan", "-S", engram_test.SOURCE, "-B", build,
                  "-DENGRAM_INSITU=OFF", "-DENGRAM_BENCHMARK=OFF")
        self.call("cmake", "--build", build)
        output = self.call("ctest", "--test-dir", build, "--no-tests=error", "--output-on-failure",
                           "-L", "memory", "-j", "4")
        self.assertIn("100% tests passed", output)

    def test_sanitizers_see_errors(self):
        """The build must really be instrumented: a deliberate overflow is found."""
        source = self.folder / "overflow.c"
        source.write_text("#include <stdlib.h>\nint main(int c, char **v) { int *p = malloc(4); "
                          "(void)v; return p[c]; }\n", encoding="utf-8")
        subprocess.run(["cc", "-fsanitize=address,undefined", "-o", self.folder / "overflow",
                        source], check=True)
        process = subprocess.run([self.folder / "overflow"], capture_output=True, text=True,
                                 check=False)
        self.assertIn("heap-buffer-overflow", process.stderr)


if __name__ == "__main__":
    engram_test.main()
