"""The protocol of a recognition experiment: what is learned, what is shown, and in which phases.

Patterns are learned one after the other. After each of them the whole panel is shown: test phases
with frozen weights, each of which begins with the potentials of the initial density. So is every
later learning phase, and what is learned does not depend on the panel.
"""

import csv
import dataclasses
import math
import pathlib
import re

import numpy

from engram_expression import Expression, ExpressionError
from engram_grid import Case, GridError, folder_name, normal, shielded, wanted_options

BASE = "panel"
# Patterns that --patterns adds: the first, shifted along w by multiples of this part of the axis.
SHIFT = 0.4
# Two inputs are one if they differ by less than this part of the largest value of all.
SAME = 1e-3
# Points at which inputs are looked at.
POINTS = 400
# The test that is more of the learned input has its mean times this.
MORE = 1.5
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


def axis_of(options):
    """Points between the ends of the weight axis."""
    return numpy.linspace(number_of(options, "grid_w_min", 0.0),
                          number_of(options, "grid_w_max", 1.0), POINTS)


def values_of(text, w):
    """The values of an input at the weights; a GridError if it has others than w."""
    try:
        if text.startswith("file:"):
            with open(text.removeprefix("file:"), newline="", encoding="utf-8-sig") as stream:
                rows = csv.DictReader((line for line in stream if not line.startswith("#")),
                                      skipinitialspace=True)
                known, values = zip(*((float(row["w"]), float(row["I"])) for row in rows))
            if list(known) != sorted(set(known)):
                raise GridError(f"{text}: changes in time")
            return numpy.interp(w, known, values)
        return Expression(text, "w")(w=w) + 0.0 * w
    except (ExpressionError, OSError, KeyError, TypeError, ValueError) as error:
        raise GridError(f"{text}: {error}") from error


def shifted(text, distance):
    """The input at weights that are larger by a distance."""
    return re.sub(r"\bw\b", f"(w + {distance:.10g})", text)


def fill_up(learned, count, options):
    """The first learned input shifted along w, until there are so many; all of them differ."""
    w, patterns = axis_of(options), list(learned)
    if learned[0].startswith("file:"):
        raise GridError(f"--patterns: {learned[0]} cannot be shifted; give all patterns by --learn")
    try:
        patterns += [shifted(learned[0], SHIFT * (w[-1] - w[0]) * number)
                     for number in range(1, count - len(learned) + 1)]
        values = [values_of(text, w) for text in patterns]
    except GridError as error:
        raise GridError(f"--patterns: {error}; give all patterns by --learn") from error
    same = SAME * max(abs(mine).max() for mine in values)
    for number, mine in enumerate(values):
        if any(abs(mine - other).max() <= same for other in values[:number]):
            raise GridError(f"--patterns {count}: {learned[0]} shifted along w gives no so many "
                            "different inputs; give the patterns by --learn")
    return patterns


def learned_inputs(given, count, options):
    """The inputs that are learned: those given or that of the case, filled up to the count."""
    learned = list(given or [str(options.get("model_input", "0"))])
    if len(set(map(normal, learned))) < len(learned):
        raise GridError("--learn: an input is there twice; each of them is learned once")
    if count is not None and count < len(learned):
        raise GridError(f"--patterns {count}: --learn gives {len(learned)} already; at least as "
                        "many")
    return fill_up(learned, count, options) if count else learned


def default_tests(learned, options):
    """Of the first learned input: its mean without structure, more of that, and the opposite."""
    text = learned[0]
    try:
        values = values_of(text, axis_of(options))
    except GridError as error:
        raise GridError(f"no default tests: {error}; give the inputs to be shown by --test") \
            from error
    mean = float(f"{values.mean():.2g}")
    tests = [f"{mean:g}", f"{MORE * mean if mean else values.max():g}"]
    if not text.startswith("file:") and abs(values - mean).max() > SAME * abs(values).max():
        tests.append(f"{2.0 * mean:g} - ({text})")
    return tests


def make_panel(learned, tests, names, learn_duration, test_duration):
    """The panel; learned inputs are shown first, and no input twice."""
    shown = {}
    for text in [*learned, *tests]:
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
