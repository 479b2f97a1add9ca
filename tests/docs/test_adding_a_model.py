"""docs/adding_a_model.md, followed to the letter in a copy of the sources."""

import os
import pathlib
import re
import shutil
import subprocess

import engram_test
import numpy
from scipy import integrate, optimize, special

DOCUMENT = engram_test.SOURCE / "docs" / "adding_a_model.md"
BLOCK = re.compile(r"^```(diff|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE_ROW = re.compile(r"^\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
LEFT_OUT = shutil.ignore_patterns("build", ".git", "results", "__pycache__")


def rate_of_a_neuron(drift):
    """r(mu) for V_F = 2, V_R = 1 and a = 1 from the mean time between two spikes."""
    def inner(u):
        return numpy.exp((u - drift)**2 / 2) * special.ndtr(u - drift)

    return 1 / (numpy.sqrt(2 * numpy.pi) * integrate.quad(inner, 1, 2)[0])


def learned_state(saturation):
    """Total rate and front: N = w/(Nbar - s w), both its integrals by quadrature."""
    def excess(front, total_rate, divided):
        response = total_rate / (1 + total_rate)

        def firing_rate(w):
            rate = w / (total_rate - saturation * w)
            return rate / rate_of_a_neuron(1 + w * response) if divided else rate

        return integrate.quad(firing_rate, 0, front)[0] - (1 if divided else total_rate)

    def front_of(total_rate):
        most = 3.0 if saturation == 0 else min(3.0, 0.9999 * total_rate / saturation)
        return optimize.brentq(excess, 1e-9, most, args=(total_rate, False))

    total_rate = optimize.brentq(lambda rate: excess(front_of(rate), rate, True), 0.3, 0.9)
    return total_rate, front_of(total_rate)


class AddingAModel(engram_test.EngramTestCase):
    """The blocks of the document in their order."""

    def setUp(self):
        super().setUp()
        self.copy = self.folder / "copy"
        self.text = DOCUMENT.read_text(encoding="utf-8")

    def apply(self, kind, block):
        """Follows one block of the document."""
        if kind == "diff":
            command = ["patch", "-p1", "--forward", "--no-backup-if-mismatch", "--reject-file=-"]
        else:
            command = ["sh", "-e", "-u", "-x"]
        process = subprocess.run(command, input=block, cwd=self.copy, capture_output=True,
                                 text=True, check=False, timeout=300,
                                 env=dict(os.environ, CCACHE_BASEDIR=str(self.copy)))
        self.assertEqual(process.returncode, 0,
                         f"{kind} block:\n{block}\n{process.stdout}{process.stderr}")

    def fields(self, folder):
        """Datasets of the last state in a folder of results of the copy."""
        rows = engram_test.Result(subprocess.CompletedProcess([], 0), self.copy / folder).fields()
        return {name: rows[name] if name == "w" else rows[name][-1]
                for name in ("w", "total_rate", "firing_rate")}

    def test_followed_to_the_letter(self):
        shutil.copytree(engram_test.SOURCE, self.copy, ignore=LEFT_OUT)
        blocks = BLOCK.findall(self.text)
        self.assertGreater(sum(kind == "diff" for kind, _ in blocks), 5)
        self.assertGreater(sum(kind == "sh" for kind, _ in blocks), 3)
        for kind, block in blocks:
            self.apply(kind, block)
        self.check_results()
        self.check_default()
        options = (self.copy / "docs" / "options.md").read_text(encoding="utf-8")
        self.assertIn("`model_saturation`", options)

    def check_results(self):
        """The rule on, against its oracle; off, against that of the old rule."""
        total_rate, front = learned_state(1.0)
        fields = self.fields(pathlib.Path("results") / "saturating")
        self.assertAlmostEqual(fields["total_rate"], total_rate, delta=3e-4)
        inside = (fields["w"] > 0.1) & (fields["w"] < 0.8 * front)
        w = fields["w"][inside]
        numpy.testing.assert_allclose(fields["firing_rate"][inside], w / (total_rate - w),
                                      rtol=0.01)
        hebbian, _ = learned_state(0.0)
        fields = self.fields(pathlib.Path("results") / "hebbian")
        self.assertAlmostEqual(fields["total_rate"], hebbian, delta=1e-3)
        self.assertGreater(hebbian - total_rate, 0.04)

    def check_default(self):
        """Without the new option the copy computes what this program does."""
        case = self.write_case(transport_order=2)
        series = []
        for name, program in (("before", engram_test.PROGRAM),
                              ("after", self.copy / "build" / "rule" / "engram")):
            process = subprocess.run([program, case, "-output_dir", self.folder / name],
                                     capture_output=True, text=True, check=False)
            self.assertEqual(process.returncode, 0, process.stderr)
            result = engram_test.Result(process, self.folder / name)
            series.append(result.series()["total_rate"])
        numpy.testing.assert_allclose(series[0], series[1], rtol=1e-12)

    def test_numbers_of_the_table(self):
        rows = [tuple(map(float, row)) for row in TABLE_ROW.findall(self.text)]
        self.assertEqual([row[0] for row in rows], [0, 0.5, 1])
        for saturation, total_rate, front in rows:
            expected = learned_state(saturation)
            self.assertAlmostEqual(total_rate, expected[0], delta=1e-6)
            self.assertAlmostEqual(front, expected[1], delta=1e-6)


if __name__ == "__main__":
    engram_test.main()
