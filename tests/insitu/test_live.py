"""Catalyst Live: a viewer joins a running simulation, pauses it, lets it go on, and leaves."""

import json
import socket
import subprocess

import engram_test
from insitu_support import CASE, STEP, InsituTestCase, main, pvpython

# More steps than the viewer has time for; without a viewer each is fast.
STEPS = 600


def free_port():
    """A port on which nobody waits."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


class Live(InsituTestCase):
    """live.py."""

    def test_viewer(self):
        port = free_port()
        series = self.folder / "run" / "series.csv"
        found = self.folder / "found.json"
        command = self.command("run", ["live.py"], "-insitu_live", f"localhost:{port}", ranks=2,
                               time_end=STEPS * STEP, output_fields_every=STEP,
                               checkpoint_wall=0)
        with open(self.folder / "viewer.log", "w", encoding="utf-8") as log:
            viewer = pvpython("live_viewer.py", port, series, found, stdout=log,
                              stderr=subprocess.STDOUT)
        self.addCleanup(viewer.wait)
        self.addCleanup(viewer.kill)
        self.wait_until(lambda: "Accepting" in self.log("viewer"), "the viewer's port", viewer,
                        "viewer")
        with self.running("run", command, self.environment()) as run:
            self.wait_until(lambda: viewer.poll() is not None, "the end of the viewer", run, "run",
                            seconds=150)
            self.assertEqual(viewer.returncode, 0, self.log("viewer") + self.log("run"))
            # The viewer has left without a word, and the run goes on to its end.
            self.assertIsNone(run.poll(), "the run was over before the viewer had left")
            self.assertEqual(run.wait(timeout=60), 0, self.log("run"))
        self.check(json.loads(found.read_text(encoding="ascii")))

    def check(self, found):
        """What the viewer has seen is the whole domain, and the state of the step it says."""
        fields = self.fields_of("run")
        self.assertEqual(len(fields["time"]), STEPS + 1)
        for name in ("first", "paused", "resumed"):
            seen = found[name]
            with self.subTest(name):
                density = fields["density"][int(seen["step"])]
                self.assertEqual(seen["cells"], density.size)
                self.assertEqual(seen["values"], sorted(density.ravel()))
                self.assertEqual(seen["range"], [density.min(), density.max()])
                bounds = [CASE["grid_w_min"], CASE["grid_w_max"], -3.95, 1.95, 0.0, 0.0]
                for value, expected in zip(seen["bounds"], bounds):
                    self.assertAlmostEqual(value, expected, places=6)
        self.assertGreater(found["paused"]["step"], found["first"]["step"])
        self.assertEqual(found["still_paused"], found["paused"])
        self.assertEqual(found["rows_in_pause"], 0)
        self.assertGreater(found["resumed"]["step"], found["paused"]["step"])

    def fields_of(self, name):
        """All datasets of a run that has ended in the background."""
        process = subprocess.CompletedProcess([], 0, "", "")
        return engram_test.Result(process, self.folder / name).fields()

    def test_nobody_waits(self):
        result = self.show("alone", ["live.py"], "-insitu_live", f"localhost:{free_port()}",
                           ranks=2)
        self.assertEqual(result.yaml("summary.yaml")["status"], "done")
        foreign = [line for line in (result.stdout + result.stderr).splitlines()
                   if not line.startswith("engram: ")]
        self.assertEqual(foreign, [])


if __name__ == "__main__":
    main()
