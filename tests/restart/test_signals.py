"""Signals and the end of the wall time: a checkpoint, and all ranks leave together."""

import os
import random
import signal
import subprocess
import time

import engram_test
from restart_support import (INTERRUPTED, LEARNING, LONG, REQUEUED, STEP, RestartTestCase, main)

# mpirun passes TERM on, and kills what is still there after so many seconds. It waits that long after
# every end of a rank with another code than 0.
PATIENT_LAUNCHER = {"OMPI_MCA_odls_base_sigkill_timeout": "4"}

# It may take so long until it has started the ranks.
LAUNCHER_STARTS = 1.5

# Exit code and status that a signal leads to.
LEAVING = {signal.SIGTERM: (REQUEUED, "requeued"), signal.SIGUSR1: (REQUEUED, "requeued"),
           signal.SIGHUP: (REQUEUED, "requeued"), signal.SIGINT: (INTERRUPTED, "interrupted")}

# Those that mpirun itself understands.
PASSED_ON = [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT]

# To whom a signal goes, and the ranks of the run; 0 is the program without mpirun.
WAYS = [("ranks", 0), ("ranks", 2), ("first", 2), ("last", 3)]

# Death by the signal itself, as a shell counts it and as Python does.
KILLED_BY_TERM = (-signal.SIGTERM, 128 + signal.SIGTERM)

# A run whose last step, the second one, lasts a second or two.
TWO_STEPS = {
    **LEARNING, "model_learning": "600*cos(4*w)", "transport_order": 2, "grid_w_cells": 40,
    "time_step": 0.25, "time_end": 0.5, "checkpoint_every": 0,
}

MALFORMED = ["abc", "1:2:3:4", "-5", "1-", "-1:00", "1:-2", "1-2:3:4:5", "1.5", "10 min", "1h",
             ":30", "1:", "1-:5", "1--2", "1-2-3", "1e3", "0x10", " "]

WELL_FORMED = ["30", "30:00", "12:30:00", "2-12", "2-12:30", "2-12:30:15", "auto", "none", "007"]


# Time steps of LONG in one STEP.
STEPS_OF_LONG = 256


class SignalTestCase(RestartTestCase):
    """A run of some seconds, and its uninterrupted results."""

    def reference(self, **changes):
        """The uninterrupted run, with as many checkpoints as the others will have: a last one."""
        return self.made(LONG, checkpoint_every=LONG["time_end"], **changes)

    def long_place(self, name, **changes):
        """A place for the same run."""
        return self.place(name, LONG, checkpoint_every=LONG["time_end"], **changes)

    def started(self, place, *words, ranks=2, environment=None):
        """Starts a run and waits until it takes steps."""
        run = self.start(place, *words, ranks=ranks, environment=environment)
        self.wait_for_file(run, place.output / "status.yaml")
        self.sleep(run, 0.1)
        return run

    def send(self, run, number, to):
        """Sends a signal to all ranks, to one of them or to the launcher."""
        ranks = run.ranks(engram_test.PROGRAM)
        targets = {"ranks": ranks, "first": ranks[:1], "last": ranks[-1:],
                   "launcher": [run.process.pid]}[to]
        self.assertTrue(targets, run.stderr)
        for target in targets:
            os.kill(target, number)

    def assert_left(self, outcome, place, code, status, word):
        """The run left a checkpoint and said so; nothing says that it had ended."""
        newest = place.checkpoints[-1]
        self.assert_said(outcome, rf"^engram: checkpoint \S*{newest.name} written; leaving .*"
                                  rf"{word}.* \(exit code {code}\)$")
        told = outcome.yaml("status.yaml")
        self.assertEqual(told["status"], status)
        self.assertEqual(told["checkpoint"], newest.name)
        self.assertEqual(told["checkpoint_time"], told["time"])
        self.assertFalse((place.output / "summary.yaml").exists())
        self.assertEqual(place.partial_checkpoints(), [])

    def assert_completed(self, place, reference):
        """A restart gives the uninterrupted result."""
        outcome = self.go(place, "-restart", "auto")
        self.assert_same(reference, place)
        return outcome


class LeavingTest(SignalTestCase):
    """Signals while steps are taken."""

    def test_every_signal(self):
        reference = self.reference()
        for number, (code, status) in LEAVING.items():
            for to, ranks in WAYS if number == signal.SIGTERM else WAYS[1::2]:
                with self.subTest(signal=number.name, to=to, ranks=ranks):
                    place = self.long_place(f"{number.name}_{to}_{ranks}")
                    run = self.started(place, ranks=ranks)
                    self.send(run, number, to)
                    outcome = self.ended(run, place, expect=code, timeout=30)
                    self.assert_left(outcome, place, code, status, number.name[3:])
            self.assert_completed(place, reference)

    def test_through_the_launcher(self):
        """mpirun passes USR1 on, and sends TERM for INT and TERM; its own code may be another."""
        reference = self.reference()
        for number in PASSED_ON:
            with self.subTest(signal=number.name):
                place = self.long_place(f"launcher_{number.name}")
                run = self.started(place, environment=PATIENT_LAUNCHER)
                self.send(run, number, "launcher")
                run.finish(60)
                self.assertNotEqual(run.code, 0, run.stderr)
                if number == signal.SIGUSR1:
                    self.assertEqual(run.code, REQUEUED, run.stderr)
                self.assertGreaterEqual(len(place.checkpoints), 1, run.stderr)
                self.assert_completed(place, reference)

    def test_checkpoint_and_go_on(self):
        """USR2, through both ways and often: checkpoints, and the same results."""
        lasting = {"time_end": 3 * LONG["time_end"]}
        reference = self.reference(**lasting)
        for to in ("ranks", "first", "launcher"):
            with self.subTest(to=to):
                place = self.long_place(f"usr2_{to}", **lasting)
                run = self.started(place)
                for _ in range(3):
                    before = place.steps()[-1:]
                    self.send(run, signal.SIGUSR2, to)
                    self.assertTrue(run.wait_until(lambda: place.steps()[-1:] > before))
                    self.assertIsNone(run.code)
                outcome = self.ended(run, place)
                self.assertLessEqual(len(place.checkpoints), LONG["checkpoint_keep"])
                self.assertEqual(outcome.yaml("status.yaml")["status"], "done")
                self.assert_same(reference, place)

    def test_last_checkpoint_after_usr2(self):
        """A run that has written a checkpoint on demand writes one at its end too."""
        place = self.place("demand", LONG)
        run = self.started(place)
        self.send(run, signal.SIGUSR2, "ranks")
        self.ended(run, place)
        self.assertEqual(place.steps()[-1], 24576)

    def test_twice_in_a_row(self):
        """Neither a second signal nor a third disturbs the checkpoint of the first."""
        reference = self.reference()
        pairs = [(signal.SIGTERM, signal.SIGTERM, 0.0), (signal.SIGTERM, signal.SIGTERM, 0.003),
                 (signal.SIGUSR1, signal.SIGTERM, 0.001), (signal.SIGTERM, signal.SIGINT, 0.0),
                 (signal.SIGINT, signal.SIGINT, 0.002), (signal.SIGUSR2, signal.SIGTERM, 0.0)]
        for number, (first, second, pause) in enumerate(pairs):
            with self.subTest(first=first.name, second=second.name, pause=pause):
                place = self.long_place(f"twice_{number}")
                run = self.started(place)
                ranks = run.ranks(engram_test.PROGRAM)
                for signal_number in (first, second, second):
                    for rank in ranks:
                        self.kill_if_there(rank, signal_number)
                    time.sleep(pause)
                outcome = self.ended(run, place, expect=(REQUEUED, INTERRUPTED), timeout=30)
                self.assertEqual(place.partial_checkpoints(), [])
                self.assertEqual(len([line for line in outcome.messages if "leaving" in line]), 1)
                self.assert_completed(place, reference)

    def kill_if_there(self, process, number):
        """Sends a signal to a process that may have ended."""
        try:
            os.kill(process, number)
        except ProcessLookupError:
            pass

    def test_during_the_last_step(self):
        """A run that has come to its end is done, whatever it was told during the last step."""
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            with self.subTest(signal=number.name):
                place = self.place(f"last_{number.name}", TWO_STEPS)
                run = self.start(place, ranks=2)
                self.assertTrue(run.wait_until(lambda: "step 1/2" in run.stderr), run.stderr)
                self.sleep(run, 0.1)
                self.send(run, number, "ranks")
                outcome = self.ended(run, place)
                self.assertEqual(outcome.yaml("status.yaml")["status"], "done")
                self.assertEqual(outcome.yaml("summary.yaml")["status"], "done")
                self.assertEqual(outcome.series()["step"], [0, 1, 2])
                self.assertNotIn("leaving", outcome.stderr)

    def test_hang_up_that_is_ignored(self):
        """As under nohup: the terminal goes, the run stays."""
        reference = self.reference()
        place = self.long_place("nohup")
        self.wrapper = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
        run = self.started(place, ranks=0)
        self.send(run, signal.SIGHUP, "ranks")
        outcome = self.ended(run, place)
        self.assertNotIn("leaving", outcome.stderr)
        self.assert_same(reference, place)

    def broken_pipe(self, place, streams):
        """A run whose reader goes away after the first line. @return its exit code, stderr"""
        with open(place.path / "errors", "wb") as errors:
            words = [engram_test.PROGRAM, "case.yaml", "-output_dir", "output", *streams[1:]]
            process = subprocess.Popen(
                [str(word) for word in words], cwd=place.path, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT if streams[0] else errors)
            self.addCleanup(process.kill)
            process.stdout.readline()
            process.stdout.close()
            process.wait(60)
        return process.returncode, (place.path / "errors").read_text(encoding="utf-8")

    def test_broken_pipe(self):
        """As in "engram case.yaml 2>&1 | head -1": a checkpoint, and the reason in the status."""
        reference = self.reference()
        place = self.long_place("pipe")
        code, _ = self.broken_pipe(place, [True])
        self.assertEqual(code, INTERRUPTED)
        status = place.yaml("status.yaml")
        self.assertEqual((status["status"], status["reason"]), ("interrupted", "signal PIPE"))
        self.assertEqual(len(place.checkpoints), 1)
        self.assert_completed(place, reference)

    def test_broken_pipe_and_a_terminal(self):
        """Where messages still arrive there is one. Steady states are printed to stdout: they have no
        checkpoint, and end as any program does."""
        place = self.place("steady", LEARNING, steady=True, model_plasticity=False,
                           model_input="0.2", grid_w_cells=60, checkpoint_every=0)
        code, text = self.broken_pipe(place, [False, "-help"])
        self.assertIn(code, (0, -signal.SIGPIPE), text)
        self.assertNotIn("error", text)

    def test_broken_socket(self):
        """PIPE with readers for all that is printed is of a library's connection, and is nothing."""
        reference = self.reference()
        place = self.long_place("socket")
        run = self.started(place, ranks=2)
        self.send(run, signal.SIGPIPE, "ranks")
        self.ended(run, place)
        self.assert_same(reference, place)

    def test_nothing_to_continue(self):
        """A sweep of steady states ends by a signal as any program does."""
        place = self.place("sweep", LEARNING, steady=True, model_plasticity=False,
                           model_input="0.2", grid_w_cells=60, checkpoint_every=0,
                           steady_sweep="model_refractory:0.01:0.5:4000")
        run = self.start(place)
        self.wait_for_file(run, place.output / "fields.h5")
        self.sleep(run, 0.3)
        self.send(run, signal.SIGTERM, "ranks")
        run.finish(20)
        self.assertIn(run.code, KILLED_BY_TERM)


class StartUpTest(SignalTestCase):
    """TERM before the first step."""

    def test_random_early_moments(self):
        """A checkpoint of the beginning, or an end before there was anything: never a mixture."""
        lasting = {"time_end": 2 * LONG["time_end"], "checkpoint_every": 2 * LONG["time_end"]}
        reference = self.made(LONG, **lasting)
        generator = random.Random(6)
        obeyed = 0
        moments = [0.0, 0.01, 0.05] + [generator.uniform(0.05, 0.5) for _ in range(9)]
        # A loaded machine starts slowly: later moments, until some runs were ready to obey.
        later = [0.5 + 0.25 * k for k in range(12)]
        for number, moment in enumerate(moments + later):
            if number >= len(moments) and obeyed > 2:
                break
            ranks = number % 3
            with self.subTest(moment=moment, ranks=ranks):
                place = self.place(f"early_{number}", LONG, **lasting)
                run = self.start(place, ranks=ranks)
                run.wait_until(lambda: run.seconds > moment and
                               run.ranks(engram_test.PROGRAM), pause=0.0)
                for rank in run.ranks(engram_test.PROGRAM):
                    os.kill(rank, signal.SIGTERM)
                run.finish(60)
                if place.checkpoints:
                    self.assertEqual(run.code, REQUEUED, run.stderr)
                    self.assertEqual(len(place.checkpoints), 1)
                    obeyed += 1
                else:
                    self.assertNotEqual(run.code, 0, run.stderr)
                if number % 4 == 1:
                    self.assert_completed(place, reference)
        self.assertGreater(obeyed, 2)

    def test_obeyed_before_the_first_step(self):
        """A signal during a long start-up: the checkpoint is that of step 0."""
        reference = self.made(TWO_STEPS, checkpoint_every=1)
        found = []
        for number in range(10):
            place = self.place(f"zero_{number}", TWO_STEPS, checkpoint_every=1)
            run = self.start(place)
            run.wait_until(lambda: run.seconds > 0.1 + 0.03 * number)
            self.kill_one(run)
            run.finish(60)
            if run.code == REQUEUED:
                self.assertEqual(place.steps(), [0])
                self.assertEqual(place.yaml("status.yaml")["time"], 0)
                found.append(place)
            if len(found) == 2:
                break
        self.assertTrue(found, "no moment between the handlers and the first step was struck")
        self.assert_completed(found[0], reference)

    def kill_one(self, run):
        """TERM to a run without a launcher."""
        if run.code is None:
            run.process.terminate()


class WallTimeTest(SignalTestCase):
    """-walltime, and the remaining time of a job."""

    SLOW = {"time_end": 4000 * STEP}

    def assert_in_time(self, outcome, place, seconds):
        """The last checkpoint was written before the time was over, and not much too early."""
        written = place.checkpoints[-1].stat().st_mtime - outcome.started_at
        self.assertLess(written, seconds)
        self.assertGreater(outcome.yaml("status.yaml")["wall_seconds"], 1.0)

    def test_leaves_before_the_end(self):
        """All ranks leave in time, with margin for a checkpoint."""
        place = self.long_place("walltime", **self.SLOW)
        for ranks in (2, 0):
            outcome = self.go(place, "-walltime", "0:04", "-restart", "auto", ranks=ranks,
                              expect=REQUEUED)
            self.assert_in_time(outcome, place, 4.0 + (LAUNCHER_STARTS if ranks else 0.0))
            self.assert_left(outcome, place, REQUEUED, "requeued", "wall")
        self.assertGreater(outcome.yaml("status.yaml")["start_time"], 0)

    def test_gives_the_same_bits(self):
        """Twice out of time on the way to an end that no machine reaches; then to a near one."""
        place = self.long_place("walltime", time_end=10000 * STEP)
        for ranks in (1, 3):
            self.go(place, "-walltime", "0:02", "-restart", "auto", ranks=ranks, expect=REQUEUED)
        end = (place.steps()[-1] // STEPS_OF_LONG + 8) * STEP
        reference = self.reference(time_end=end)
        self.go(place, "-time_end", end, "-restart", "auto", ranks=2)
        self.assert_same(reference, place)

    def test_cost_of_a_checkpoint_is_measured(self):
        """Where no other was written by the middle of the time, one is; the second is that of the
        end."""
        place = self.place("measured", LONG, **{**self.SLOW, "checkpoint_keep": 1000})
        self.go(place, "-walltime", "0:04", expect=REQUEUED)
        self.assertEqual(len(place.checkpoints), 2)

    def job(self, seconds):
        """Variables of a SLURM job that ends in so many seconds; no squeue answers."""
        return {"SLURM_JOB_ID": "42", "SLURM_JOB_END_TIME": str(int(time.time()) + seconds)}

    def test_end_of_the_job(self):
        for words in ([], ["-walltime", "1:00:00"]):
            with self.subTest(words=words):
                place = self.long_place(f"job_{len(words)}", **self.SLOW)
                outcome = self.go(place, *words, ranks=2, expect=REQUEUED,
                                  environment=self.job(5))
                self.assert_in_time(outcome, place, 5.0)
                self.assert_left(outcome, place, REQUEUED, "requeued", "wall|job")
                self.assertEqual(str(outcome.yaml("status.yaml")["job"]), "42")

    def test_answers_of_the_queue(self):
        """SLURM before 23.02 gives a job no variable of its end: squeue is asked."""
        programs = self.folder / "programs"
        programs.mkdir()
        squeue = programs / "squeue"
        environment = {"SLURM_JOB_ID": "42", "PATH": f"{programs}:{os.environ['PATH']}"}
        for answer, code, warnings in (("0:03", REQUEUED, 0), ("INVALID", REQUEUED, 0),
                                       ("UNLIMITED", 0, 0), ("NOT_SET", 0, 0), ("", 0, 1)):
            with self.subTest(answer=answer):
                squeue.write_text(f"#!/bin/sh\necho {answer}\n", encoding="ascii")
                squeue.chmod(0o755)
                if code:
                    place = self.long_place(f"queue_{answer}", **self.SLOW)
                else:
                    place = self.place(f"queue_{answer}", LEARNING, time_end=2 * STEP)
                outcome = self.go(place, expect=code, environment=environment)
                self.assertEqual(outcome.stderr.count("squeue does not say"), warnings,
                                 outcome.stderr)
                if code:
                    self.assert_left(outcome, place, REQUEUED, "requeued", "job")

    def test_job_that_does_not_count(self):
        place = self.long_place("none")
        self.go(place, "-walltime", "none", ranks=2, environment=self.job(1))

    def test_time_that_is_over_at_once(self):
        """Less time than a start-up takes: a checkpoint of the beginning, or a clear refusal."""
        place = self.long_place("over", **self.SLOW)
        outcome = self.go(place, "-walltime", "0:01", ranks=2, expect=(2, REQUEUED))
        if outcome.code == REQUEUED:
            self.assertGreaterEqual(len(place.checkpoints), 1)

    def test_checkpoints_by_the_clock(self):
        """-checkpoint_wall: the more often, the more checkpoints; none where it is 0."""
        counts = []
        for wall in (0, 0.25):
            place = self.place(f"clock_{wall}", LONG, checkpoint_wall=wall, checkpoint_keep=1000,
                               time_end=300 * STEP)
            outcome = self.go(place, ranks=2)
            counts.append(len(place.checkpoints))
            seconds = outcome.yaml("status.yaml")["wall_seconds"]
        self.assertEqual(counts[0], 0)
        self.assertGreaterEqual(counts[1], 3)
        self.assertLessEqual(counts[1], seconds / 0.25 + 1.0)

    def test_malformed(self):
        """Refused before anything is written, in a dry run too."""
        place = self.place("formats", LEARNING)
        for number, text in enumerate(MALFORMED):
            with self.subTest(text=text):
                words = ["-dry_run"] if number % 3 else []
                outcome = self.refused(place, "-walltime", text, *words, fragments=["-walltime"])
                self.assertRegex(outcome.errors[0], r"needs a value|must be auto, none, or")
                self.assertFalse(place.output.exists())

    def test_well_formed(self):
        place = self.place("formats", LEARNING)
        for text in WELL_FORMED:
            with self.subTest(text=text):
                self.go(place, "-walltime", text, "-dry_run")


if __name__ == "__main__":
    main()
