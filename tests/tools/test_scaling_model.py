"""The model of scaling: its messages are those of runs, and its arithmetic is right."""

import subprocess
import sys

import engram_test

sys.path.insert(0, str(engram_test.SOURCE / "tools" / "benchmark"))
import scaling_model as model  # noqa: E402
import scaling_report  # noqa: E402
import scaling_runs  # noqa: E402

CASE = engram_test.SOURCE / "tools" / "benchmark" / "case.yaml"

# A microsecond a slice and a message, whatever its size.
UNIT_COMPUTE = model.Compute((8, 16, 1024), (8.0, 16.0, 1024.0))
UNIT_NETWORK = model.Network("unit", ((1, 1.0),), 1e30, 0.0, "")
UNIT_STEP = model.Step(UNIT_COMPUTE, model.Messages(1, 8, 1, 240))


class Messages(engram_test.EngramTestCase):
    """Messages of steps, beside those that runs send."""

    RANKS = 3

    def test_counts_of_runs(self):
        adaptive = scaling_runs.Scheme(
            "adaptive", scaling_runs.THIRD.options + ("-time_adaptive", "true"), 3,
            scaling_runs.THIRD.order, is_adaptive=True)
        for scheme in (*scaling_runs.COUNTED_SCHEMES, adaptive):
            with self.subTest(scheme=scheme.name):
                count = scaling_runs.count(engram_test.BUILD, CASE, self.RANKS, scheme)
                self.assertEqual(scaling_runs.disagreement(scheme, count), [])
                self.assertEqual(len(count.sent), self.RANKS)
                self.assertEqual(count.solves, (1, 3, 6)[scheme.results - 1])
                self.assertGreater(count.reductions, 0)

    def test_more_substeps_than_solves(self):
        """A step that is longer than the CFL condition allows renews its rates in between."""
        scheme = scaling_runs.Scheme("long steps", scaling_runs.FIRST.options
                                     + ("-grid_w_cells", "1024"), 1)
        options = scheme.options + ("-time_step", repr(16 * scaling_runs.STEP))
        few, many = (scaling_runs.run_counted(engram_test.BUILD, CASE, 2, options, 16 * steps)
                     for steps in scaling_runs.STEPS)
        steps = many[1]["steps"] - few[1]["steps"]
        substeps = (many[1]["transport_substeps"] - few[1]["transport_substeps"]) / steps
        self.assertGreater(substeps, 2)
        messages = model.messages_of_step(1, 0, scaling_runs.COUNTED_NODES, 1, substeps=substeps)
        found = [(b - a) / steps for a, b in zip(few[0][0], many[0][0])]
        self.assertEqual(found[:4], [messages.reductions, messages.reduced_bytes,
                                     *messages.sent(neighbours=1)])

    def test_disagreement_is_seen(self):
        count = scaling_runs.Count([1.0, 1.0], [488.0, 496.0], 2.0, 240.0, 0.0, 0.0, 1.0, 1.0, 1.0)
        found = scaling_runs.disagreement(scaling_runs.FIRST, count)
        self.assertEqual(found, ["rank 1 sends 496, not 488 bytes", "reductions: 2, not 1"])

    def test_by_hand(self):
        self.assertEqual(model.messages_of_step(1, 0, 479, 1), model.Messages(1, 3848, 1, 240))
        self.assertEqual(model.messages_of_step(3, 12, 479, 5),
                         model.Messages(6, 3 * 3848, 12 + 4 + 1, 120 * (12 + 8 + 4)))
        self.assertEqual(model.messages_of_step(3, 12, 479, 1, is_adaptive=True).reductions, 18)


class Scaling(engram_test.EngramTestCase):
    """Times and efficiencies."""

    def test_published_latencies(self):
        self.assertAlmostEqual(model.INFINIBAND.latency(1), 1.2)
        self.assertAlmostEqual(model.INFINIBAND.latency(25001), 1.2 + 1.0)
        self.assertAlmostEqual(model.INFINIBAND.allreduce(144, 256), 13.21)
        self.assertAlmostEqual(model.SLINGSHOT.latency(4096), 4.66)
        self.assertAlmostEqual(model.SLINGSHOT.latency(640), (4.17 + 4.29) / 2)
        self.assertAlmostEqual(model.SLINGSHOT.allreduce(4096, 256), 12 * 4.17)

    def test_compute(self):
        compute = model.Compute((8, 16, 24, 96), (5.0, 9.0, 8.0, 40.0))
        self.assertEqual([compute(n) for n in (1, 8, 9, 16, 24)], [5.0, 5.0, 8.0, 8.0, 8.0])
        self.assertAlmostEqual(compute.per_slice, 1 / 3)
        self.assertAlmostEqual(compute(96), 32.0)
        self.assertAlmostEqual(compute(192), 64.0)

    def test_efficiency_falls(self):
        compute = model.Compute((8, 16, 24, 48, 96), (5.0, 9.0, 9.5, 18.0, 35.0))
        for scheme in scaling_runs.SCHEMES:
            step = model.Step(compute, model.messages_of_step(scheme.results, 12, 479, 1), 0.1)
            for network in model.NETWORKS:
                values = [step.efficiency(network, 8192, 2**k) for k in range(13)]
                self.assertEqual(values, sorted(values, reverse=True))
                self.assertLessEqual(values[0], 1.0)
                self.assertGreater(values[0], 0.99)
                self.assertLess(values[-1], 0.1)

    def test_threshold_by_hand(self):
        """s slices and 1 + log2 P microseconds of messages: s/(s + 3) is 0.8 for s = 12."""
        self.assertEqual(UNIT_STEP.communication(UNIT_NETWORK, 4), 3.0)
        self.assertEqual(UNIT_STEP.threshold(UNIT_NETWORK, 4), 16)
        self.assertEqual(UNIT_STEP.threshold(UNIT_NETWORK, 16), 24)
        self.assertEqual(UNIT_STEP.threshold(UNIT_NETWORK, 4, wanted=0.5), 8)
        self.assertIsNone(UNIT_STEP.threshold(UNIT_NETWORK, 4, wanted=1.0))
        self.assertEqual(UNIT_STEP.communication(UNIT_NETWORK, 1), 0.0)


class Report(engram_test.EngramTestCase):
    """The section, and the times that it is made from."""

    def test_message_times(self):
        process = subprocess.run(
            ["mpirun", "-n", "2", engram_test.BUILD / "engram_benchmark", CASE,
             "-benchmark_samples", "1", "-benchmark_messages", "true", "-grid_v_cells", "60"],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(process.returncode, 0, process.stderr)
        lines = [line.split() for line in process.stdout.splitlines()]
        self.assertEqual([line[0] for line in lines], ["stream", "slices", "step", "exchange",
                                                       "halo", "allreduce", "reduction"])
        for _, minimum, median in lines:
            self.assertGreater(float(minimum), 0.0)
            self.assertLessEqual(float(minimum), float(median))

    def test_place_of_the_section(self):
        new = f"\n{scaling_report.TITLE}\n\nnew\n"
        once = scaling_report.replace("# A\n\n## B\n\nb\n\n## C\n\nc\n", new)
        self.assertEqual(once, f"# A\n\n## B\n\nb\n{new}\n## C\n\nc\n")
        self.assertEqual(scaling_report.replace(once, new), once)


if __name__ == "__main__":
    engram_test.main()
