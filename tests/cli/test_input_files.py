"""Inputs from files of numbers: interpolated in weight and time, with the line of every mistake."""

import numpy

from engram_test import EngramTestCase, main

CASE = {"grid_w_cells": 40, "time_step": 0.01, "time_end": 0.2, "output_fields_every": 0.1}


class InputFileTest(EngramTestCase):
    """file:PATH in the place of an expression."""

    def write(self, text, name="signal.csv"):
        """A file in the folder of the test; returns the value of the option."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return f"file:{name}"

    def assert_close(self, first, second):
        """The same results up to round-off."""
        for name in ("density", "firing_rate"):
            numpy.testing.assert_allclose(first.fields()[name], second.fields()[name], rtol=1e-9,
                                          atol=1e-13)
        self.assertEqual(len(first.series()["time"]), len(second.series()["time"]))

    def test_weights(self):
        text = "# measured\n\n w , I \n0.2,1\n0.6 , 3\n 1.0, 2.5\r\n"
        table = self.run_case(CASE, model_input=self.write(text))
        formula = "w < 0.2 ? 1 : (w < 0.6 ? 1 + 5*(w - 0.2) : 3 - 1.25*(w - 0.6))"
        self.assert_close(table, self.run_case(CASE, model_input=formula))
        other = self.run_case(CASE, model_input="2")
        self.assertGreater(numpy.abs(other.fields()["density"] - table.fields()["density"]).max(),
                           1e-3)

    def test_byte_order_mark(self):
        """As spreadsheets write it; with and without comments, blank lines and carriage returns."""
        plain = self.run_case(CASE, model_input=self.write("t,w,I\n0,0,1\n0,1,2\n1,0,3\n1,1,0\n"))
        for text in ("t,w,I\r\n0,0,1\r\n0,1,2\r\n1,0,3\r\n1,1,0\r\n",
                     "# measured\n\n t , w,I\n0,0,1\n0,1,2\n1,0,3\n1,1,0\n",
                     "\nt,w,I\n0,0,1\n0,1,2\n1,0,3\n1,1,0"):
            marked = self.run_case(CASE, model_input=self.write("\ufeff" + text, "marked.csv"))
            self.assertEqual(marked.series(), plain.series())

    def test_one_number(self):
        table = self.run_case(CASE, model_input=self.write("w,I\n0.5,1.5"))
        self.assert_close(table, self.run_case(CASE, model_input="1.5"))

    def test_times(self):
        """Bilinear functions are met exactly; after the last time it stays as it is."""
        rows = "".join(f"{t},{w},{1 + 4 * t + 3 * w * t}\n" for t in (0, 0.05, 0.15)
                       for w in (-1, 0.3, 2))
        table = self.run_case(CASE, model_input=self.write("t,w,I\n" + rows))
        formula = "1 + 4*min(t, 0.15) + 3*w*min(t, 0.15)"
        self.assert_close(table, self.run_case(CASE, model_input=formula))

    def test_time_of_the_phase(self):
        rows = "".join(f"{s},{w},{1 + 10 * s}\n" for s in (0, 1) for w in (0, 1))
        phases = {"time_end": None, "protocol_phases": "a,b", "phase_a_duration": 0.1,
                  "phase_b_duration": 0.1}
        signal = self.write("s,w,I\n" + rows)
        table = self.run_case(CASE, **phases, phase_b_input=signal)
        self.assert_close(table, self.run_case(CASE, **phases, phase_b_input="1 + 10*s"))

    def test_any_number_of_ranks(self):
        signal = self.write("t,w,I\n0,0,1\n0,1,2\n0.1,0,3\n0.1,1,0.5\n")
        series = [self.run_case(CASE, model_input=signal, ranks=ranks).series()
                  for ranks in (1, 3)]
        self.assertEqual(series[0], series[1])

    def test_mistakes_name_the_line(self):
        cases = [
            ("", "there are no numbers in it"),
            ("w,I\n", "there are no numbers in it"),
            ("\ufeff", "there are no numbers in it"),
            ("\ufeffw,I\n0,x\n", "line 2 is '0,x'"),
            ("w;I\n1;2\n", "line 1 is 'w;I'; it must name the columns"),
            ("0,1\n", "line 1 is '0,1'; it must name the columns"),
            ("w,I\n0,1\n1\n", "line 3 is '1'; it must be 2 finite numbers"),
            ("w,I\n0,1,2\n", "line 2 is '0,1,2'; it must be 2 finite numbers"),
            ("w,I\n# x\n0,nan\n", "line 3 is '0,nan'"),
            ("w,I\n0,1\n0,2\n", "line 3: weights must ascend"),
            ("t,w,I\n0,0,1\n0,1,1\n1,0,1\n", "line 4: the last time has 1 of the 2 weights"),
            ("t,w,I\n0,0,1\n0,1,1\n1,0,1\n1,2,1\n", "line 5: each time must have the same weights"),
            ("t,w,I\n0,0,1\n0,1,1\n1,0,1\n2,1,1\n", "line 5: each time must have the same weights"),
            ("t,w,I\n1,0,1\n1,1,1\n0,0,1\n0,1,1\n", "line 4: times must ascend"),
        ]
        for text, message in cases:
            with self.subTest(text):
                process = self.execute([self.write_case(CASE, model_input=self.write(text)),
                                        "-output_dir", "refused"], ranks=2)
                self.assertEqual(process.returncode, 2, process.stderr)
                lines = [line for line in process.stderr.splitlines() if "engram: " in line]
                self.assertEqual(len(lines), 1, process.stderr)
                self.assertIn(f"-model_input file:signal.csv: {message}", lines[0])
        process = self.execute([self.write_case(CASE, model_input="file:none.csv")])
        self.assertEqual(process.returncode, 2)
        self.assertIn("-model_input file:none.csv: cannot be read", process.stderr)


if __name__ == "__main__":
    main()
