"""Damaged checkpoints are found, and passed over; unit.test_checkpoint_file tries more of them."""

import concurrent.futures
import random
import subprocess

import engram_test
from restart_support import LEARNING, STEP, RestartTestCase, main, watched_run

HEADER = 512
BLOCK = 4096
FLIPS = 24
SEED = 20

# A checkpoint of some 60 kB with every part that one can have.
CASE = {
    **LEARNING,
    "model_delay": 0.2,
    "model_refractory": 0.4,
    "time_scheme": "third-order",
    "time_start": "graded",
    "coupling": "implicit",
    "model_input": "2 + sin(9*t) + 0.3*w + (t < 0.1 ? 0 : 1)",
    "grid_v_cells": 120,
    "grid_w_cells": 53,
    "checkpoint_every": 8 * STEP,
}


def flipped(content, position):
    """The bytes with one bit changed, the bits counted from the first byte."""
    byte, bit = divmod(position, 8)
    return content[:byte] + bytes([content[byte] ^ (1 << bit)]) + content[byte + 1:]


def chosen_bits(content, generator):
    """Positions of bits: all over the file, in the header, and in what HDF5 says of itself."""
    bits = [generator.randrange(8 * HEADER) for _ in range(FLIPS // 4)]
    text_end = len(content[:HEADER].rstrip(b"\0 \n"))
    bits += [generator.randrange(8 * text_end) for _ in range(FLIPS // 10)]
    marks = [b"\x89HDF", b"TREE", b"HEAP", b"SNOD", b"OHDR", b"OCHK", b"GCOL", b"FRHP", b"BTHD"]
    places = [content.find(mark, HEADER) for mark in marks]
    places = [place for place in places if place >= 0]
    while len(bits) < FLIPS * 6 // 10:
        bits.append(8 * generator.choice(places) + generator.randrange(8 * 64))
    while len(bits) < FLIPS:
        bits.append(generator.randrange(8 * len(content)))
    return bits


class DamageTestCase(RestartTestCase):
    """A run that has left several good checkpoints, of which copies are damaged."""

    def setUp(self):
        super().setUp()
        self.good = self.copy(self.made(CASE), "good")
        self.content = self.good.checkpoint(16).read_bytes()


class VerdictTest(DamageTestCase):
    """What a dry run says of damaged files."""

    def verdict(self, name, content):
        """What a dry run says of these bytes. @return exit code, stderr"""
        path = self.folder / f"{name}.h5"
        path.write_bytes(content)
        words = [engram_test.PROGRAM, "case.yaml", "-output_dir", "output", "-dry_run", "-restart",
                 path]
        sessions = self.folder / "sessions" / name
        sessions.mkdir(parents=True)
        process = subprocess.run(words, cwd=self.good.path, capture_output=True, text=True,
                                 timeout=60, check=False, stdin=subprocess.DEVNULL,
                                 env=watched_run.quiet_environment(sessions, name))
        self.assertEqual(path.read_bytes(), content, "a dry run changes nothing")
        path.unlink()
        return process.returncode, process.stderr

    def check_all(self, contents):
        """None of these contents, by their names, is taken for a checkpoint."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            verdicts = list(pool.map(self.verdict, contents.keys(), contents.values()))
        for name, (code, text) in zip(contents, verdicts):
            with self.subTest(damage=name):
                self.assertEqual(code, 2, text)
                lines = text.splitlines()
                self.assertEqual(len(lines), 1, text)
                self.assertRegex(lines[0], rf"^engram: error: -restart \S*{name}\.h5: .*"
                                           r"damaged.* \(.+\)$")

    def test_the_good_one_is_taken(self):
        code, text = self.verdict("good", self.content)
        self.assertEqual(code, 0, text)

    def test_truncations(self):
        lengths = [*range(0, len(self.content), BLOCK), 1, HEADER - 1, HEADER, HEADER + 1,
                   len(self.content) - 1]
        self.assertGreater(len(lengths), 12)
        self.check_all({f"cut_{length}": self.content[:length] for length in lengths})

    def test_flipped_bits(self):
        bits = chosen_bits(self.content, random.Random(SEED))
        self.assertEqual(len(bits), FLIPS)
        self.check_all({f"bit_{bit}": flipped(self.content, bit) for bit in bits})

    def test_other_damage(self):
        """Lost blocks, blocks of other files, bytes more than there were."""
        content = self.content
        other = self.good.checkpoint(8).read_bytes()
        middle = len(content) // 2 // BLOCK * BLOCK
        end = middle + BLOCK
        self.check_all({
            "longer_by_one": content + b"\0",
            "longer": content + content,
            "all_zero": bytes(len(content)),
            "no_header": content[HEADER:],
            "zero_header": bytes(HEADER) + content[HEADER:],
            "other_header": other[:HEADER] + content[HEADER:],
            "zero_block": content[:middle] + bytes(BLOCK) + content[end:],
            "other_block": content[:middle] + other[middle:end] + content[end:],
            "swapped": content[:BLOCK] + content[2 * BLOCK:3 * BLOCK] + content[BLOCK:2 * BLOCK]
                       + content[3 * BLOCK:],
            "zero_tail": content[:-BLOCK] + bytes(BLOCK),
        })


class FallbackTest(DamageTestCase):
    """-restart auto passes over what is damaged, of a run that was lost just before its end."""

    def setUp(self):
        super().setUp()
        (self.good.output / "summary.yaml").unlink()

    def damages(self):
        """Some kinds of damage to the newest checkpoint."""
        generator = random.Random(SEED + 1)
        size = self.good.checkpoint(24).stat().st_size
        return {
            "cut": lambda content: content[:generator.randrange(size)],
            "empty": lambda content: b"",
            "header": lambda content: flipped(content, 8 * generator.randrange(20)),
            "body": lambda content: flipped(content, generator.randrange(8 * HEADER, 8 * size)),
        }

    def test_newest_damaged(self):
        for number, (name, damage) in enumerate(self.damages().items()):
            with self.subTest(damage=name):
                place = self.copy(self.good, f"fall_back_{name}")
                newest = place.checkpoint(24)
                content = damage(newest.read_bytes())
                newest.write_bytes(content)
                outcome = self.go(place, "-restart", "auto", ranks=number % 3)
                self.assert_said(outcome, rf"^engram: warning: \S*{newest.name} is damaged "
                                          r"\(.+\); trying the one before$")
                self.assert_continued(outcome, 16)
                self.assert_same(self.good, place)
                self.assertEqual(place.steps(), [8, 16, 24])
                kept = newest.with_name(newest.name + ".damaged")
                self.assertEqual(kept.read_bytes(), content)

    def test_dry_run_falls_back_and_renames_nothing(self):
        newest = self.good.checkpoint(24)
        newest.write_bytes(newest.read_bytes()[:-1])
        before = self.good.contents()
        outcome = self.go(self.good, "-restart", "auto", "-dry_run", ranks=2)
        self.assert_said(outcome, r"warning: \S+_000000000024.h5 is damaged")
        self.assertIn("checkpoint_000000000016.h5", outcome.text)
        self.assert_unchanged(self.good, before)

    def test_two_damaged(self):
        for step in (24, 16):
            self.good.checkpoint(step).write_bytes(self.content[:1000 * step])
        reference = self.made(CASE)
        outcome = self.go(self.good, "-restart", "auto", ranks=3)
        damaged = [warning for warning in outcome.warnings if "is damaged" in warning]
        self.assertEqual(len(damaged), 2, outcome.text)
        self.assert_continued(outcome, 8)
        self.assert_same(reference, self.good)

    def test_all_damaged(self):
        """Then nothing is begun anew silently, and nothing is lost."""
        for path in self.good.checkpoints:
            path.write_bytes(flipped(path.read_bytes(), 5555))
        series = (self.good.output / "series.csv").read_bytes()
        for ranks in (0, 2):
            outcome = self.refused(self.good, "-restart", "auto", ranks=ranks,
                                   fragments=["-restart auto: none of the 3 checkpoints in output"])
            self.assertEqual(len([line for line in outcome.warnings if "is damaged (" in line]), 3)
            self.assertEqual((self.good.output / "series.csv").read_bytes(), series, outcome.text)

    def test_damaged_path(self):
        """A checkpoint asked for by its path is that one or none."""
        path = self.good.checkpoint(24)
        path.write_bytes(self.content[:-7])
        before = self.good.contents()
        self.refused(self.good, "-restart", path, ranks=2,
                     fragments=[rf"^engram: error: -restart {path}: .*damaged.* \(.+\)"])
        self.assert_unchanged(self.good, before)


if __name__ == "__main__":
    main()
