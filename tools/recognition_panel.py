"""The protocol of a recognition experiment: what is learned, what is shown, and in which phases.

Patterns are learned one after the other. After each of them the whole panel is shown: test phases
with frozen weights, each of which begins with the potentials of the initial density. So is every
later learning phase, and what is learned does not depend on the panel.
"""

import dataclasses
import math
import pathlib

from engram_grid import Case, GridError, folder_name, normal, shielded, wanted_options

BASE = "panel"
# The panel beside what is learned: the same mean without structure, more of it, the opposite.
DEFAULT_TESTS = ("1", "1.5", "1 - 0.3*sin(6*w)")
# Patterns that --patterns adds: of one kind, each turned by an angle that repeats none.
ANGLE = 2.4
# Test phases last this many times eps by default, and at least so many steps.
RESTS, STEPS = 20.0, 10
MOST_PHASES = 64
OWN = ("time_end", "output_dir", "restart", "output_overwrite", "protocol_phases")


@dataclasses.dataclass(frozen=True)
class Panel:
    """What is learned and what is shown; learned inputs are the first of the tests."""

    learned: tuple  # inputs, in the order in which they are learned
    tests: tuple  # inputs
    names: tuple  # of the tests
    learn_duration: float
    test_duration: float = None  # None: RESTS times eps

    def phases(self):
        """Pairs of stage and test of every phase in order; test None is the learning phase."""
        return [(stage, test) for stage in range(len(self.learned))
                for test in (None, *range(len(self.tests)))]


def phase_name(stage, test):
    """learn_1, test_1_1, test_1_2, ..., learn_2, ..."""
    return f"learn_{stage + 1}" if test is None else f"test_{stage + 1}_{test + 1}"


def make_pattern(number):
    """The input that --patterns takes as the pattern of this number, from 0 on."""
    angle = ANGLE * number
    return f"1 + 0.3*sin(6*w + {angle:.10g})" if number else "1 + 0.3*sin(6*w)"


def learned_inputs(given, count, default):
    """The inputs that are learned: those given, filled up to the count."""
    learned = list(given or [default])
    if count is not None:
        if count < len(learned):
            raise GridError(f"--patterns {count}: --learn gives {len(learned)} already; at least "
                            "as many")
        candidates = (make_pattern(number) for number in range(count + len(learned)))
        learned += [text for text in candidates if text not in learned][:count - len(learned)]
    if len(set(map(normal, learned))) < len(learned):
        raise GridError("--learn: an input is there twice; each of them is learned once")
    return learned


def make_panel(learned, tests, names, learn_duration, test_duration):
    """The panel; learned inputs are shown first, and no input twice."""
    shown = {}
    for text in [*learned, *(DEFAULT_TESTS if tests is None else tests)]:
        shown.setdefault(normal(text), text)
    shown = list(shown.values())
    if names is not None and len(names) != len(shown):
        raise GridError(f"--names: {len(names)} names for {len(shown)} inputs; the panel is "
                        f"{', '.join(shown)}")
    names = shown if names is None else names
    if len(set(names)) < len(names):
        raise GridError(f"--names {' '.join(names)}: a name is there twice")
    for option, duration in (("learn", learn_duration), ("test", test_duration)):
        if duration is not None and not (math.isfinite(duration) and duration > 0.0):
            raise GridError(f"--{option}-duration {duration:g}: must be above 0")
    panel = Panel(tuple(learned), tuple(shown), tuple(names), learn_duration, test_duration)
    count = len(panel.phases())
    if count > MOST_PHASES:
        raise GridError(f"{len(learned)} patterns and {len(shown)} tests after each make {count} "
                        f"phases, and a run has {MOST_PHASES} at most; take fewer of --patterns, "
                        "--learn or --test")
    return panel


def number_of(options, name, default=None):
    """A number among the options of a case, or the default."""
    try:
        return float(options[name])
    except KeyError:
        return default
    except (TypeError, ValueError) as error:
        raise GridError(f"{name}: {options[name]} is not a number") from error


def series_options(options, duration):
    """Options for the rows of the series: as in the case, unless a test would have too few."""
    step = number_of(options, "time_step", 0.0)
    if not step:
        interval = number_of(options, "output_series_interval", duration) or duration
        return {"output_series_interval": repr(min(interval, duration / STEPS))}
    wanted = number_of(options, "output_series_every", 1.0)
    return {"output_series_every": str(int(max(1.0, min(wanted, duration / step / STEPS))))}


def protocol_options(panel, options):
    """Options of the protocol for a case with these options."""
    test_duration = panel.test_duration
    if test_duration is None:
        test_duration = max(RESTS * number_of(options, "model_epsilon", 0.1),
                            STEPS * number_of(options, "time_step", 0.0))
    words = {"protocol_phases": ",".join(phase_name(*phase) for phase in panel.phases())}
    end = 0.0
    for stage, test in panel.phases():
        is_test = test is not None
        name = f"phase_{phase_name(stage, test)}"
        duration = test_duration if is_test else panel.learn_duration
        words[f"{name}_duration"] = repr(duration)
        words[f"{name}_input"] = shielded(panel.tests[test] if is_test else panel.learned[stage])
        if is_test:
            words[f"{name}_plasticity"] = "false"
        if is_test or stage > 0:
            words[f"{name}_initial"] = "reset"
        end += duration
    words.update(series_options(options, test_duration))
    # The case may have an end of its own, which is that of its learning.
    words["time_end"] = repr(end)
    return words


def cases_of(file, panel, fixed, varied):
    """The case of the panel itself, and one for each value of each option that is varied."""
    points = [{}] + [{name: value} for name, values in varied for value in values]
    cases = []
    for values in points:
        options = {**fixed, **values}
        wanted = wanted_options(Case("", pathlib.Path(file), options, {}))
        options.update(protocol_options(panel, wanted))
        options = {name: shielded(value) for name, value in options.items()}
        cases.append(Case(folder_name(values) if values else BASE, pathlib.Path(file), options,
                          values))
    return cases


def check_case(file, options):
    """Complains about a case that is no ground for a protocol."""
    for name in options:
        if name.startswith(("phase_", "steady")) or name == "protocol_phases":
            raise GridError(f"{file}: has {name}; the protocol is made by --learn and --test: "
                            "leave it out of the case")
    if str(options.get("model_plasticity", "true")).lower() in ("false", "no", "off", "0"):
        raise GridError(f"{file}: model_plasticity is false; nothing would be learned")
