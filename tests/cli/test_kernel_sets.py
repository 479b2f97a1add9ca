"""Kernels for several processors in one program: what it says of them, and that all of them work.

A build for the processor of this machine has one set of kernels, one for all x86-64 several: the
suite under the sanitizers is one.
"""

import re
import subprocess
import unittest

import engram_test

VARIABLE = "ENGRAM_KERNELS"

# Whatever the kernels can do in one run: a second order in w, a refractory state, and a delay.
CASE = {"transport_order": 2, "model_refractory": 0.1, "model_delay": 0.05,
        "model_noise": "1 + 0.1*N", "time_end": 0.05}


class KernelSets(engram_test.EngramTestCase):
    """Runs of the program with each set that this processor has."""

    def printed(self, **environment):
        """What -version prints of the kernels."""
        process = self.execute(["-version"], environment=environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        return re.search(r"(?m)^  kernels +(\w+)$", process.stdout).group(1)

    def available(self):
        """Sets of the program for this processor, as the refusal of another name lists them."""
        process = self.execute(["-version"], environment={VARIABLE: "abacus"})
        self.assertEqual(process.returncode, 2, process.stdout)
        text = re.fullmatch(r"engram: error: ENGRAM_KERNELS=abacus: .* which are (.*)\n",
                            process.stderr).group(1)
        return text.split(", ")

    def run_with(self, name, ranks=0):
        """A run with one of the sets; its result says so."""
        self._runs += 1
        folder = self.folder / f"output_{self._runs}"
        case = self.write_case(CASE, name=f"case_{self._runs}.yaml")
        process = self.execute([case, "-output_dir", folder], ranks=ranks,
                               environment={VARIABLE: name})
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        result = engram_test.Result(process, folder)
        self.assertEqual(result.yaml("summary.yaml")["provenance"]["kernels"], name)
        return result

    def test_version_tells_the_set(self):
        names = self.available()
        self.assertEqual(self.printed(), names[-1])
        self.assertEqual(self.printed(**{VARIABLE: ""}), names[-1])
        for name in names:
            self.assertEqual(self.printed(**{VARIABLE: name}), name)

    def test_every_set_runs(self):
        """To round-off the same results, and to the bit the same on any number of ranks."""
        runs = {name: self.run_with(name) for name in self.available()}
        expected = next(iter(runs.values())).series()
        for name, result in runs.items():
            with self.subTest(kernels=name):
                series = result.series()
                for column in ("time", "total_rate", "mean_weight"):
                    for found, wanted in zip(series[column], expected[column], strict=True):
                        self.assertLessEqual(abs(found - wanted), 1e-11 * abs(wanted))
                self.assertLess(max(map(abs, series["mass_error"])), 1e-14)
                self.assertGreaterEqual(min(series["min_density"]), 0.0)
                self.assertEqual(self.run_with(name, ranks=3).series()["total_rate"],
                                 series["total_rate"])

    def two_ranks(self, first, second):
        """-version on two ranks, each with its own environment."""
        words = ["mpirun"]
        for name in (first, second):
            words += ["-n", "1", "env", f"{VARIABLE}={name}", str(engram_test.PROGRAM), "-version"]
            words += [":"]
        return subprocess.run(words[:-1], cwd=self.folder, capture_output=True, text=True,
                              check=False, timeout=300)

    def test_ranks_agree_on_the_least(self):
        least = self.available()[0]
        process = self.two_ranks("", least)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertRegex(process.stdout, rf"(?m)^  kernels +{least}$")

    def test_one_rank_that_cannot_is_enough(self):
        process = self.two_ranks("", "abacus")
        self.assertEqual(process.returncode, 2, process.stdout)
        self.assertEqual(process.stderr.count("engram: error: ENGRAM_KERNELS="), 1)

    @unittest.skipUnless(engram_test.IS_SANITIZED, "the other builds are for this machine")
    def test_build_for_all_processors_has_several(self):
        names = self.available()
        self.assertEqual(names[0], "sse2")
        self.assertEqual(len(names), len(set(names)))
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as stream:
            flags = re.search(r"(?m)^flags\s*:(.*)$", stream.read()).group(1).split()
        self.assertEqual("avx2" in names, {"avx2", "fma"} <= set(flags))


if __name__ == "__main__":
    engram_test.main()
