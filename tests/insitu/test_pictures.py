"""Pictures: the same pixels on any number of ranks, and those of fields.h5 by other means."""

import matplotlib
import numpy

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

from insitu_support import CASE, InsituTestCase, correlation, faces, main  # noqa: E402

SIZE = (800, 600)
# Where density.py puts its heat map, as parts of the picture: left, right, bottom, top.
FRAME = (0.12, 0.82, 0.13, 0.90)
THRESHOLD, RESET, V_MIN = 2.0, 1.0, -4.0
LAST = "00000008"
RED, BLUE, WHITE = (217, 26, 26), (31, 89, 166), (255, 255, 255)


def near(picture, colour, distance=60):
    """Where a picture has nearly this colour, as array of booleans [row][column]."""
    return numpy.abs(picture - numpy.array(colour)).max(axis=2) < distance


def row_of(potential):
    """The row of pixels of a potential in a picture of density.py."""
    _, _, bottom, top = FRAME
    return SIZE[1] * (1.0 - bottom - (top - bottom) * (potential - V_MIN) / (THRESHOLD - V_MIN))


def drawn_by_matplotlib(fields):
    """The last density of fields.h5 with the same frame, colours and size."""
    left, right, bottom, top = FRAME
    figure = pyplot.figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100)
    axes = figure.add_axes((left, bottom, right - left, top - bottom))
    density = fields["density"][-1]
    axes.pcolormesh(faces(fields["w"]), faces(fields["v"]), density, cmap="viridis", vmin=0.0,
                    vmax=density.max())
    axes.set(xlim=(CASE["grid_w_min"], CASE["grid_w_max"]), ylim=(V_MIN, THRESHOLD))
    axes.axhline(RESET, color="white", linewidth=1.0)
    axes.set_axis_off()
    figure.canvas.draw()
    picture = numpy.asarray(figure.canvas.buffer_rgba())[:, :, :3].astype(float)
    pyplot.close(figure)
    return picture


def inside(picture):
    """The part of a picture with the heat map, without the lines at its edges."""
    left, right, _, _ = FRAME
    return picture[round(row_of(THRESHOLD)) + 4:round(row_of(V_MIN + 0.1)) - 4,
                   round(left * SIZE[0]) + 4:round(right * SIZE[0]) - 4]


class Pictures(InsituTestCase):
    """density.py and weights.py."""

    def drawn(self, ranks):
        """One run with both scripts."""
        return self.show(f"ranks_{ranks}", ["density.py", "weights.py"], "-insitu_every", 4,
                         ranks=ranks, display=self.display)

    def test_pictures(self):
        one = self.drawn(1)
        names = self.names(one, ".png")
        steps = ["00000000", "00000004", LAST]
        self.assertEqual(names, [f"{kind}_{step}.png" for kind in ("density", "weights")
                                 for step in steps])
        for ranks in (2, 4):
            other = self.drawn(ranks)
            self.assertEqual(self.names(other, ".png"), names)
            for name in names:
                with self.subTest(ranks=ranks, picture=name):
                    difference = numpy.abs(self.picture(other, name) - self.picture(one, name))
                    self.assertEqual(difference.max(), 0.0)
        with self.subTest("alone"):
            alone = self.show("alone", ["weights.py"], "-insitu_every", 4, display=self.display)
            name = f"weights_{LAST}.png"
            difference = numpy.abs(self.picture(alone, name) - self.picture(one, name))
            self.assertEqual(difference.max(), 0.0)
        fields = one.fields()
        with self.subTest("density"):
            self.check_density(self.picture(one, f"density_{LAST}.png"), fields)
        with self.subTest("lines and texts"):
            self.check_marks(self.picture(one, f"density_{LAST}.png"),
                             self.picture(one, "density_00000000.png"))
        with self.subTest("weights"):
            self.check_weights(self.picture(one, f"weights_{LAST}.png"), fields)

    def check_density(self, picture, fields):
        """The whole domain is there, every quarter of it, and not mirrored."""
        self.assertEqual(picture.shape, (SIZE[1], SIZE[0], 3))
        drawn, expected = inside(picture), inside(drawn_by_matplotlib(fields))
        self.assertGreater(correlation(drawn, expected), 0.99)
        for quarter in range(4):
            columns = slice(quarter * drawn.shape[1] // 4, (quarter + 1) * drawn.shape[1] // 4)
            self.assertGreater(correlation(drawn[:, columns], expected[:, columns]), 0.98)
        self.assertLess(correlation(drawn[:, ::-1], expected), 0.9)
        self.assertLess(correlation(drawn[::-1], expected), 0.9)

    def check_marks(self, last, first):
        """Threshold and reset where they belong; colour bar, axes, and a time that changes."""
        left, right = round(FRAME[0] * SIZE[0]) + 2, round(FRAME[1] * SIZE[0]) - 2
        rows = numpy.flatnonzero(near(last, RED)[:, left:right].mean(axis=1) > 0.95)
        self.assertLess(abs(rows.mean() - row_of(THRESHOLD)), 2.5)
        rows = numpy.flatnonzero(near(last, WHITE)[:, left:right].mean(axis=1) > 0.95)
        reset = rows[(rows > row_of(THRESHOLD) + 5) & (rows < row_of(V_MIN) - 5)]
        self.assertLess(abs(reset.mean() - row_of(RESET)), 2.5)
        bar = last[100:500, round(0.86 * SIZE[0])]
        self.assertGreater(len(numpy.unique(bar, axis=0)), 100)
        stamp = numpy.s_[:45, 250:500]
        for picture in (last, first):
            self.assertGreater((picture[stamp] < 100).sum(), 300)
        self.assertGreater((last[stamp] != first[stamp]).sum(), 50)
        # Words below the frame, and numbers left of it.
        self.assertGreater((last[530:, 100:700] < 100).sum(), 500)
        self.assertGreater((last[70:520, 30:90] < 100).sum(), 500)

    def check_weights(self, picture, fields):
        """The blue curve is H(w), from the first weight to the last."""
        blue = near(picture, BLUE, 40)
        blue[:100, 600:] = False  # the legend
        blue[:, :60] = False  # the name of the axis
        columns = numpy.flatnonzero(blue.any(axis=0))
        rows = numpy.array([numpy.flatnonzero(blue[:, column]).mean() for column in columns])
        weights = numpy.linspace(fields["w"][0], fields["w"][-1], columns[-1] - columns[0] + 1)
        height = numpy.interp(weights, fields["w"], fields["weight_density"][-1])
        # Where the red curve covers the blue one, nothing can be said.
        self.assertGreater(len(columns), 0.5 * len(weights))
        self.assertGreater(len(weights), 600)
        self.assertLess(correlation(rows, height[columns - columns[0]]), -0.99)

    def test_options_of_the_scripts(self):
        variables = {"ENGRAM_INSITU_SIZE": "400x300", "ENGRAM_INSITU_RANGE": "0,1000",
                     "ENGRAM_INSITU_STEPS": "8", "ENGRAM_INSITU_DIR": str(self.folder / "insitu")}
        self.show("run", ["density.py"], display=self.display, variables=variables)
        pictures = sorted((self.folder / "insitu").glob("*.png"))
        self.assertEqual([path.name for path in pictures], ["density_00000000.png",
                                                            f"density_{LAST}.png"])
        picture = self.picture(type("Folder", (), {"folder": self.folder}), pictures[1].name)
        self.assertEqual(picture.shape, (300, 400, 3))
        # Next to zero on this scale: the lowest colour all over.
        self.assertTrue(near(picture[120:250, 60:320], (68, 1, 84), 8).all())


if __name__ == "__main__":
    main()
