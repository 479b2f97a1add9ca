"""Steering: what a script changes is taken over by all ranks at the same step, and recorded."""

import csv

import h5py

from insitu_support import CASE, STEP, InsituTestCase, datasets, main

# After the step at 4 STEP the input is doubled: from then on, so that the step to 5 STEP has it.
CHANGE = f"at {3.5 * STEP} steer_input_factor 2  # from the fourth step on\n"
SAME_CHANGE = f"(t > {4 * STEP} ? 2 : 1)*({CASE['model_input']})"


class Steering(InsituTestCase):
    """steer.py."""

    def steer(self, name, text, *words, **options):
        """A run with a file of wishes."""
        path = self.folder / f"{name}.txt"
        path.write_text(text, encoding="ascii")
        variables = {"ENGRAM_STEER_FILE": str(path)}
        return self.show(name, ["steer.py"], *words, variables=variables, **options)

    def assert_same_results(self, first, second):
        """The same bits in the series and in all fields."""
        self.assertEqual((first.folder / "series.csv").read_bytes(),
                         (second.folder / "series.csv").read_bytes())
        fields, others = first.fields(), second.fields()
        self.assertEqual(fields.keys(), others.keys())
        for name, values in fields.items():
            self.assertEqual(values.tobytes(), others[name].tobytes(), name)

    def changes(self, result):
        """The rows of steering.csv."""
        with open(result.folder / "steering.csv", newline="", encoding="ascii") as stream:
            return [(int(row["step"]), float(row["time"]), row["option"], float(row["old"]),
                     float(row["new"])) for row in csv.DictReader(stream)]

    def test_input_equals_a_case_with_the_same_change(self):
        unsteered = self.show("case", [], model_input=SAME_CHANGE)
        plain = self.show("plain", [])
        for ranks in (1, 2, 4):
            with self.subTest(ranks=ranks):
                steered = self.steer(f"steered_{ranks}", CHANGE, ranks=ranks)
                self.assert_same_results(steered, unsteered)
                self.assertEqual(self.changes(steered),
                                 [(4, 4 * STEP, "steer_input_factor", 1.0, 2.0)])
        rates, plain_rates = unsteered.series()["total_rate"], plain.series()["total_rate"]
        self.assertEqual(rates[:5], plain_rates[:5])
        self.assertNotEqual(rates[5], plain_rates[5])

    def test_other_schemes(self):
        schemes = {"time_scheme": "extrapolated", "transport_order": 2, "coupling": "implicit"}
        unsteered = self.show("case", [], model_input=SAME_CHANGE, **schemes)
        steered = self.steer("steered", CHANGE, ranks=2, **schemes)
        self.assert_same_results(steered, unsteered)

    def test_checkpoint_keeps_the_change(self):
        whole = self.steer("whole", CHANGE, ranks=2, checkpoint_every=STEP, checkpoint_keep=100)
        checkpoint = whole.folder / "checkpoints" / "checkpoint_000000000006.h5"
        self.assertTrue(checkpoint.exists())
        with h5py.File(checkpoint, "r") as file:
            self.assertTrue(any("steer" in name for group in file.values() for name in
                                list(group.attrs) + list(group)), list(file))
        # Without any wish of its own the rest of the run still has the factor.
        rest = self.steer("rest", "", "-restart", checkpoint, "-checkpoint_every", STEP, ranks=1)
        state = datasets(whole.folder / "checkpoints" / "checkpoint_000000000008.h5")
        other = datasets(rest.folder / "checkpoints" / "checkpoint_000000000008.h5")
        for name in (name for name in state if name.startswith("state/")):
            self.assertEqual(state[name].tobytes(), other[name].tobytes(), name)

    def test_stop_and_go_on(self):
        words = {"ranks": 2, "checkpoint_every": 0}
        stopped = self.steer("run", f"at {2.5 * STEP} stop 1\n", expect=86, **words)
        self.assertEqual(len(stopped.series()["time"]), 4)
        resumed = self.steer("run", "# nothing any more\n", "-restart", "auto", **words)
        self.assertEqual(resumed.yaml("summary.yaml")["status"], "done")
        self.assert_same_results(resumed, self.show("plain", []))

    def test_intervals(self):
        text = (f"at {3.5 * STEP} output_series_every 2\nat {3.5 * STEP} insitu_every 4\n"
                f"at {3.5 * STEP} output_fields_every {2 * STEP}\n"
                f"at {6.5 * STEP} output_series_every 1  # asked at the eighth step only\n")
        result = self.steer("run", text, ranks=2, output_fields_every=8 * STEP)
        self.assertEqual(result.series()["step"], [0, 1, 2, 3, 4, 6, 8])
        times = [round(time / STEP) for time in result.fields()["time"]]
        self.assertEqual(times, [0, 6, 8])
        self.assertEqual([change[:1] + change[2:] for change in self.changes(result)][:3],
                         [(4, "insitu_every", 1.0, 4.0),
                          (4, "output_fields_every", 8 * STEP, 2 * STEP),
                          (4, "output_series_every", 1.0, 2.0)])

    def test_nonsense_does_no_harm(self):
        text = ("steer_input_factor\nsteer_input_fuctor 2\nat noon stop 1\nstop now\n"
                "insitu_every -3\nsteer_input_factor inf\n")
        result = self.steer("run", text, ranks=2)
        self.assert_same_results(result, self.show("plain", []))
        told = [line for line in (result.stdout + result.stderr).splitlines()
                if "is ignored" in line]
        self.assertEqual(len(told), 4, told)
        self.assertEqual(self.changes(result), [])


if __name__ == "__main__":
    main()
