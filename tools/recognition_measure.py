"""How a network answers a panel of inputs with frozen weights, as numbers.

What was learned is the distribution H(w) at the end of the learning phase. There K N Nbar = w where
H > 0, so the answer to the learned input is the pure shape

    N(w) = w/(K Nbar)        (the signature of a learned input)

and the profile x(w) = K N(w)/w of an answer N is constant for the learned input, and for no other.
All averages are over the neurons, that is weighted by H, over its middle 95 %: the outermost 2.5 %
at either end are left out, where the scheme smears the fronts of H over a few cells.

    mean      m = <x>
    level     m Nbar, with the total rate of the answer; 1 for the learned input
    shape     x/m
    spread    sqrt(<(x/m - 1)^2>): standard deviation over mean; the distance to the signature
    distance  sqrt(<(x_1/m_1 - x_2/m_2)^2>) between two answers, so that the signature is one of
              them, and the spread of an answer is its distance to the signature
"""

import csv
import dataclasses

import h5py
import numpy

from engram_expression import ExpressionError, evaluate
from engram_runs import RunError, first_line, read_values

# Share of the neurons that is left out at each end.
LEFT_OUT = 0.025
# The last part of a phase, over which a state at rest does not change.
LAST_PART = 0.1
SIGNATURE = "signature"
# Cells at either end of the weights where nothing should be: what gets there piles up.
END_CELLS = 2


@dataclasses.dataclass
class Response:
    """The answer to one input."""

    rate: numpy.ndarray  # N(w)
    total_rate: float  # Nbar
    change: float  # relative change of Nbar in the last tenth of the phase
    level: float
    spread: float
    shape: numpy.ndarray  # [w], x/m


@dataclasses.dataclass
class Stage:
    """The panel after one more pattern has been learned."""

    w: numpy.ndarray
    weights: numpy.ndarray  # H(w)
    strength: numpy.ndarray  # K(w)
    total_rate: float  # at the end of learning
    learning_change: float  # of Nbar in the last tenth of the learning phase
    share: numpy.ndarray  # [w], of each cell in the averages; sums to one
    responses: list  # of Response, in the order of the tests

    def signature(self):
        """w/(K Nbar) with the rate at the end of learning; no number where K = 0."""
        with numpy.errstate(all="ignore"):
            return numpy.where(self.strength != 0.0,
                               self.w / (self.strength * self.total_rate), numpy.nan)

    def support(self):
        """Lower and upper end of the weights that count."""
        counted = self.w[self.share > 0.0]
        return counted[0], counted[-1]

    def share_at_ends(self):
        """The share of all neurons in the last cells at either end of the grid."""
        ends = self.weights[:END_CELLS].sum() if self.w[0] < 0.0 else 0.0
        return (ends + self.weights[-END_CELLS:].sum()) / self.weights.sum()

    def distances(self):
        """The discrimination matrix; its last row and column are the signature."""
        shapes = [response.shape for response in self.responses] + [numpy.ones_like(self.w)]
        return numpy.array([[distance(self.share, one, other) for other in shapes]
                            for one in shapes])


def shares(w, weights, strength):
    """The share of each cell in averages over the middle 95 % of the neurons."""
    below = numpy.cumsum(weights) / weights.sum()
    # A cell counts if it lies as a whole within the middle.
    inner = (below <= 1.0 - LEFT_OUT) & (below - weights / weights.sum() >= LEFT_OUT)
    counted = numpy.where(inner & (w != 0.0) & (strength != 0.0), weights, 0.0)
    if not counted.sum() > 0.0:
        raise ValueError("all weights lie in a few cells")
    return counted / counted.sum()


def distance(share, one, other):
    """Root of the mean square difference of two shapes."""
    return float(numpy.sqrt(share @ numpy.where(share > 0.0, one - other, 0.0) ** 2))


def measure(w, strength, share, rate, total_rate, change):
    """The numbers of one answer."""
    with numpy.errstate(all="ignore"):
        profile = numpy.where(w != 0.0, strength * rate / w, 0.0)
    mean = float(share @ profile)
    if not mean > 0.0:
        raise ValueError("the network does not fire")
    shape = profile / mean
    return Response(rate, float(total_rate), change, mean * float(total_rate),
                    distance(share, shape, numpy.ones_like(w)), shape)


def changes_of_phases(path, count):
    """Relative change of Nbar in the last tenth of each phase; no number if rows are too few."""
    phases = [[] for _ in range(count)]
    with open(path, newline="", encoding="ascii") as stream:
        for row in csv.DictReader(stream):
            phases[int(float(row["phase"]))].append((float(row["time"]), float(row["total_rate"])))
    changes, begin = [], 0.0
    for rows in phases:
        end, last = rows[-1]
        earlier = [rate for time, rate in rows if time <= end - LAST_PART * (end - begin)]
        changes.append(abs(last / earlier[-1] - 1.0) if earlier and earlier[-1] else numpy.nan)
        begin = end
    return changes


def read_stages(directory, panel):
    """The stages of a finished run of the panel."""
    path = directory / "fields.h5"
    phases = panel.phases()
    try:
        strength_text = read_values(directory / "case.yaml")["model_learning"]
        changes = changes_of_phases(directory / "series.csv", len(phases))
        with h5py.File(path, "r") as file:
            w, phase = file["w"][:], file["phase"][:]
            strength = evaluate(strength_text, w=w) * numpy.ones_like(w)
            ends = [int(numpy.flatnonzero(phase == number)[-1]) for number in range(len(phases))]
            weights, rates, totals = (file[name][:] for name in
                                      ("weight_density", "firing_rate", "total_rate"))
        return [stage_of(w, strength, weights, rates, totals, ends, changes, phases, stage)
                for stage in range(len(panel.learned))]
    except ExpressionError as error:
        raise RunError(f"{directory}: model_learning: {error}") from error
    except (OSError, KeyError, IndexError, ValueError, RuntimeError) as error:
        raise RunError(f"{path}: no answers to a panel: {first_line(error)}") from error


def stage_of(w, strength, weights, rates, totals, ends, changes, phases, stage):
    """One stage, of the rows at which its phases end."""
    learning = phases.index((stage, None))
    learned = weights[ends[learning]]
    share = shares(w, learned, strength)
    responses = [measure(w, strength, share, rates[ends[number]], totals[ends[number]],
                         changes[number])
                 for number, (of, test) in enumerate(phases) if of == stage and test is not None]
    return Stage(w, learned, strength, float(totals[ends[learning]]), changes[learning], share,
                 responses)


def contrast(stage, learned):
    """How many times farther from the signature the nearest other is than the one just learned.

    learned is its number among the tests; with no other test there is no number.
    """
    spreads = [response.spread for response in stage.responses]
    others = spreads[:learned] + spreads[learned + 1:]
    return min(others) / spreads[learned] if others else numpy.nan
