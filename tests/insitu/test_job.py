"""The job script of pictures, without a scheduler, and the movies that are made of them."""

import json
import os
import subprocess

import engram_test
from insitu_support import SCRIPTS, InsituTestCase, main

JOB = engram_test.SOURCE / "jobscripts" / "insitu.sbatch"
MOVIE = engram_test.SOURCE / "tools" / "movie.sh"

# In the place of ssh: notes what it was asked for, and lasts like a tunnel.
TUNNEL = """#!/bin/bash
echo "$@" >"$0.words"
exec sleep 100
"""


class Jobs(InsituTestCase):
    """insitu.sbatch and movie.sh."""

    def submit(self, *words, **variables):
        """Runs the job script as SLURM would, with mpirun for its launcher."""
        case = self.write_case({"grid_w_cells": 16, "output_dir": "elsewhere"})
        environment = self.environment(
            ENGRAM=str(engram_test.PROGRAM), LAUNCHER="mpirun -n 2", CASE=str(case),
            SCRIPTS=str(SCRIPTS / "density.py"), EVERY="2", **variables)
        environment.pop("SLURM_JOB_ID", None)
        return subprocess.run(["bash", str(JOB), *words], cwd=self.folder, env=environment,
                              capture_output=True, text=True, check=False, timeout=120,
                              stdin=subprocess.DEVNULL)

    def movie(self, *words):
        """Runs movie.sh in the folder of the test."""
        return subprocess.run(["bash", str(MOVIE), *map(str, words)], cwd=self.folder, check=False,
                              capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)

    def check_movie(self, name, codec, pictures):
        """A movie has as many pictures as went into it, of their size."""
        words = ["ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_entries",
                 "stream=codec_name,nb_read_frames,width,height", name]
        process = subprocess.run(words, cwd=self.folder, capture_output=True, check=True)
        (stream,) = json.loads(process.stdout)["streams"]
        self.assertEqual(stream, {"codec_name": codec, "width": 800, "height": 600,
                                  "nb_read_frames": str(pictures)})

    def test_pictures_and_movies(self):
        tunnel = self.folder / "bin" / "ssh"
        tunnel.parent.mkdir()
        tunnel.write_text(TUNNEL, encoding="ascii")
        tunnel.chmod(0o755)
        process = self.submit("-time_end", "0.1", VIA="login1", PORT="22999",
                              PATH=f"{tunnel.parent}:{os.environ['PATH']}")
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        self.assertIn("results are in results/case-local", process.stdout)
        self.assertNotIn("display", process.stderr)
        self.assertIn("-L 22999:localhost:22999 login1",
                      (tunnel.parent / "ssh.words").read_text("ascii"))
        pictures = sorted((self.folder / "results/case-local/insitu").glob("density_*.png"))
        self.assertEqual(len(pictures), 6)
        # The key of the X server is gone, and so is what ran beside the program.
        self.assertEqual([path.name for path in (self.folder / "results").iterdir()],
                         ["case-local"])
        listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        self.assertNotIn(str(self.folder), listing.stdout)
        for name, codec in (("density.mp4", "h264"), ("density.gif", "gif")):
            self.assertEqual(self.movie("--rate", 10, *pictures, name).returncode, 0)
            self.check_movie(name, codec, 6)
        self.assertEqual(list(self.folder.glob(".movie*")), [])
        again = self.movie(*pictures, "density.gif")
        self.assertEqual(again.returncode, 2)
        self.assertIn("--force replaces it", again.stderr)

    def test_movies_that_cannot_be_made(self):
        (self.folder / "broken.png").write_text("no picture", encoding="ascii")
        for words, message in ((["a.png"], "wants pictures"),
                               (["missing.png", "a.mp4"], "missing.png: no such picture"),
                               (["broken.png", "a.avi"], "ends in .mp4 or .gif"),
                               (["--rate", "fast", "broken.png", "a.gif"], "wants a number"),
                               (["broken.png", "a.gif"], "cannot make a.gif")):
            process = self.movie(*words)
            self.assertEqual(process.returncode, 2, words)
            self.assertIn(message, process.stderr)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["broken.png"])


if __name__ == "__main__":
    main()
