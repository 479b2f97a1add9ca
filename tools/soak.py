#!/usr/bin/env python3
"""Kills runs of the program at random moments, restarts them, and compares what comes out.

    tools/soak.py [--kills 300] [--seed 1] [--ranks 1,2,3] [--fixed] [CASE.yaml]
        [-- -option value ...]

A first run is never interrupted. Then the same case is started again and again with `-restart
auto`, each time on another number of ranks, and all its processes are killed with signal 9; about
every third time while a checkpoint is being written, and every seventh while the outputs are put
back to where the checkpoint was written. Whenever a run gets to its end, its series,
fields and last checkpoint must be those of the first one, bit by bit, and it begins anew. Any
difference, damaged checkpoint or run that does not start again ends the soak with exit code 1 and
leaves its folder for a look.
"""

import argparse
import dataclasses
import pathlib
import random
import shutil
import sys
import tempfile
import time

import watched_run
from engram_program import HELP, ProgramError, find_program
from engram_stream import bear_closed_pipes

# A learning network with what a restart could lose: a delay, a refractory time, noise that depends
# on the rate, adaptive steps that end at jumps of the input and at their echoes. A checkpoint is half
# a megabyte and comes some 20 times a second.
CASE = {
    "model_epsilon": 0.05,
    "model_noise": "0.5 + 0.2*N",
    "model_input": "2 + sin(9*t) + 0.3*w + (sin(40*t) > 0.3 ? 0.5 : 0)",
    "model_response": "N/(1 + N)",
    "model_learning": "cos(4*w)",
    "model_delay": 0.1,
    "model_refractory": 0.4,
    "initial_density": "(1 + w^2)*exp(-(v - 0.4)^2/0.3)",
    "initial_rate": 0.2,
    "grid_v_cells": 240,
    "grid_w_min": -1,
    "grid_w_max": 1,
    "grid_w_cells": 251,
    "time_scheme": "third-order",
    "time_adaptive": "true",
    "time_end": 1,
    "time_step": 0.0001,
    "time_tolerance": 2e-6,
    "transport_order": 2,
    "output_series_every": 3,
    "output_fields_every": 0.07,
    "checkpoint_every": 0.01,
}

# The same in few fixed steps of many parts each: nearly every kill is between two parts.
FIXED = {**CASE, "time_adaptive": "false", "time_step": 0.03125, "output_series_every": 1}

# What kills are aimed at, with their shares. The outputs of a run are put back to its checkpoint just
# after its first message.
AIMS = {"a checkpoint": 35, "its outputs": 15, "any moment": 50}


def write_case(path, options):
    """Writes options as a case file."""
    lines = [f'{name}: "{value}"\n' for name, value in options.items()]
    path.write_text("".join(lines), encoding="utf-8")


EXAMPLES = """\
examples:
  tools/soak.py                                   300 kills of a case that has everything
  tools/soak.py --kills 30 --seed 7 --ranks 1,4
  tools/soak.py --fixed                           in fixed steps of many parts
  tools/soak.py input/learning.yaml --latest 20 -- -time_end 2 -checkpoint_every 0.1
"""


@dataclasses.dataclass
class Plan:
    """What a campaign does; moments are seconds after the start of a run."""

    program: str
    case: pathlib.Path
    options: list
    kills: int = 30
    seed: int = 1
    ranks: tuple = (2, 1, 3)
    latest: float = 1.2
    patience: float = 120.0


class Campaign:
    """Runs of one case in a folder, killed and restarted; `problems` tells what went wrong."""

    def __init__(self, plan, folder, say=lambda text: None):
        self.plan = plan
        self.folder = pathlib.Path(folder)
        self.say = say
        self.random = random.Random(plan.seed)
        self.problems = []
        self.kills = 0
        self.hits = 0        # kills that left a checkpoint half written
        self.before_any = 0  # kills before there was a checkpoint
        self.ends = 0        # runs that came to their end
        self._last_ranks = None

    def place(self, name):
        """A new folder with the case in it. Results go to its folder `output`."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(self.plan.case, place / "case.yaml")
        return place

    def start(self, place, ranks, *words):
        """Starts the case of a folder."""
        command = ["mpirun", "-n", ranks, self.plan.program, "case.yaml", "-output_dir", "output",
                   *self.plan.options, *words]
        return watched_run.WatchedRun(command, place, self.folder / "temporary")

    def next_ranks(self):
        """A number of ranks other than the last one."""
        choice = [ranks for ranks in self.plan.ranks if ranks != self._last_ranks]
        self._last_ranks = self.random.choice(choice or list(self.plan.ranks))
        return self._last_ranks

    def problem(self, text, run):
        """Notes what went wrong, with the messages of the run."""
        self.problems.append(f"{text}\n{run.stderr}" if run else text)
        self.say(self.problems[-1])

    def check_start(self, run, had_checkpoint):
        """A kill damages no checkpoint, and a run that has one continues from it."""
        text = run.stderr
        if " is damaged " in text or "engram: error" in text:
            self.problem("a kill has damaged something", run)
        elif run.code == 0 and had_checkpoint and "continuing from" not in text:
            self.problem("a run with a checkpoint has not continued from it", run)

    def wait_for_moment(self, run, output, stale, aim):
        """Lets the run go on to the moment of its end. @return whether it still runs"""
        moment = self.random.uniform(0.0, self.plan.latest)
        pause = self.random.choice([0.0, 0.0, 0.001, 0.003, 0.01, 0.03])
        skipped = self.random.randrange(3)
        seen = set()

        def is_writing():
            seen.update(watched_run.partial_checkpoints(output).items() - stale)
            return len(seen) > skipped

        conditions = {"a checkpoint": is_writing, "its outputs": lambda: "engram: " in run.stderr,
                      "any moment": lambda: run.seconds > moment}
        run.wait_until(conditions[aim], self.plan.patience, pause=0.0005)
        time.sleep(0.0 if aim == "any moment" else pause)
        return run.code is None

    def kill_once(self, place):
        """Starts a run and kills it. @return whether it came to its end before"""
        output = place / "output"
        aim = self.random.choices(list(AIMS), list(AIMS.values()))[0]
        ranks = self.next_ranks()
        had_checkpoint = bool(watched_run.checkpoints(output))
        stale = watched_run.partial_checkpoints(output).items()
        run = self.start(place, ranks, "-restart", "auto")
        is_running = self.wait_for_moment(run, output, stale, aim)
        if is_running:
            run.kill()
            count = len(watched_run.checkpoints(output))
            self.kills += 1
            self.hits += 1 if watched_run.partial_checkpoints(output).items() - stale else 0
            self.before_any += 0 if count else 1
            self.say(f"kill {self.kills}: {ranks} ranks, {run.seconds:.2f} s, {count} checkpoints, "
                     f"aimed at {aim}")
        elif run.code != 0:
            self.problem(f"exit code {run.code}", run)
        self.check_start(run, had_checkpoint)
        return not is_running

    def finish(self, place, reference):
        """Lets a killed run come to its end, and compares it with the first one."""
        had_checkpoint = bool(watched_run.checkpoints(place / "output"))
        run = self.start(place, self.next_ranks(), "-restart", "auto")
        if run.finish(self.plan.patience) != 0:
            self.problem(f"the last restart: exit code {run.code}", run)
        else:
            self.check_start(run, had_checkpoint)
            self.compare(place, reference)

    def compare(self, place, reference):
        """The results of a run against those of the first one."""
        self.ends += 1
        texts = watched_run.output_differences(reference / "output", place / "output")
        if texts:
            self.problem("not the bits of the uninterrupted run:\n" + "\n".join(texts), None)
        if watched_run.partial_checkpoints(place / "output"):
            self.problem("a half-written checkpoint was left", None)

    def run(self):
        """The whole campaign. @return whether all was well"""
        reference = self.place("reference")
        run = self.start(reference, self.plan.ranks[0])
        if run.finish(self.plan.patience) != 0:
            self.problem(f"the uninterrupted run: exit code {run.code}", run)
            return False
        self.say(f"uninterrupted: {run.seconds:.2f} s")
        place = self.place("killed")
        while self.kills < self.plan.kills and not self.problems:
            if self.ends > self.plan.kills:
                self.problem("runs end before they can be killed: take a longer one", None)
            if self.kill_once(place) and not self.problems:
                self.compare(place, reference)
                place = self.place("killed")
        if not self.problems:
            self.finish(place, reference)
        return not self.problems


def parse(words):
    """The command line. @return its arguments, and the options for the program"""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog=EXAMPLES, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", help="case file; without it one that has everything")
    parser.add_argument("--fixed", action="store_true",
                        help="without a case file: one in fixed steps of many parts")
    parser.add_argument("--kills", type=int, default=300, help="how many (300)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments (1)")
    parser.add_argument("--ranks", default="1,2,3", help="numbers of ranks to choose from (1,2,3)")
    parser.add_argument("--latest", type=float, default=3.0,
                        help="seconds after a start within which it is killed (3)")
    parser.add_argument("--program", help=HELP)
    parser.add_argument("--patience", type=float, default=3600.0,
                        help="seconds after which a run that does not end is a failure (3600)")
    end = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:end])
    try:
        arguments.program = pathlib.Path(find_program(arguments.program))
    except ProgramError as error:
        parser.error(str(error))
    return arguments, words[end + 1:]


def main(words):
    """Runs the soak. @return the exit code"""
    arguments, options = parse(words)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="engram_soak_"))
    case = pathlib.Path(arguments.case or folder / "case.yaml")
    if not arguments.case:
        write_case(case, FIXED if arguments.fixed else CASE)
    plan = Plan(program=str(arguments.program.resolve()), case=case.resolve(), options=options,
                kills=arguments.kills, seed=arguments.seed, latest=arguments.latest,
                ranks=tuple(int(word) for word in arguments.ranks.split(",")),
                patience=arguments.patience)
    campaign = Campaign(plan, folder, say=lambda text: print(text, flush=True))
    is_well = campaign.run()
    print(f"{campaign.kills} kills, {campaign.hits} of them in a checkpoint, {campaign.before_any} "
          f"before the first; {campaign.ends} runs compared: "
          f"{'all as uninterrupted' if is_well else 'see ' + str(folder)}")
    if is_well:
        shutil.rmtree(folder)
    return 0 if is_well else 1


if __name__ == "__main__":
    bear_closed_pipes()
    sys.exit(main(sys.argv[1:]))
