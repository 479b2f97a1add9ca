"""A model of the time of a step on many ranks: what ranks compute, and what they send.

A step of a rank takes

    T(P) = compute(slices of the rank) + halos (pack + exchange) + reductions Allreduce(P) ,

where `compute` is measured on one rank with as many slices, `pack` on two ranks, and the messages
of a step follow from its scheme (src/time/combined_step.c, euler_step.c, transport_step.c,
src/base/reduction.c, src/grid/halo.c). Latencies of networks are published ones. Nothing overlaps,
and an Allreduce is ceil(log2 P) messages one after the other, none of them within a node: the
model is on the safe side in both.
"""

import dataclasses
import math

import numpy

# Columns that a rank needs of its neighbour, by the order of the transport in w.
HALO_WIDTHS = {1: 1, 2: 2, 5: 3}

# An entry of a reduction: maximum, notices, flag, range of the digits, and twelve digits.
ENTRY_BYTES = 8 + 4 * 4 + 12 * 8

# Slices of a vector register, which a rank cannot divide.
VECTOR = 8

# The efficiency that is asked for.
WANTED = 0.8

# Slices of a rank, at most, in the search for that.
MOST_SLICES = 1 << 20


@dataclasses.dataclass(frozen=True)
class Messages:
    """Messages of a step that a rank with two neighbours takes part in."""

    halos: float             # exchanges with both neighbours
    halo_bytes: float        # of one message
    reductions: float
    reduced_bytes: float     # of all of them

    def sent(self, neighbours=2):
        """Messages to neighbours, and their bytes."""
        return neighbours * self.halos, neighbours * self.halos * self.halo_bytes


def messages_of_step(results, trials, rows, order, is_adaptive=False, substeps=0):
    """The messages of a step.

    `results` is 1, 2 or 3 by the order in time: a step has one result of one implicit solve, or
    combines those of 1, 2, ... solves. `trials` is the number of trial evaluations of the coupling
    in the step, `rows` that of the nodes and the refractory state, `order` that of the transport,
    and `substeps` the number of transport sub-steps if it is more than one a solve.
    """
    solves = results * (results + 1) // 2
    substeps = max(substeps, solves)
    # Entries of the reductions: trials and renewed rates have one, rates with the mass two, the
    # masses that a combination needs and the error of a step four.
    single, double, fourfold = trials + substeps - solves, 1, 0
    if results > 1:
        # The last solve of a result leaves its rates to the combination.
        double, fourfold = solves - results + 1, 1 + is_adaptive
    return Messages(halos=substeps, halo_bytes=8 * (rows + 2) * HALO_WIDTHS[order],
                    reductions=single + double + fourfold,
                    reduced_bytes=ENTRY_BYTES * (single + 2 * double + 4 * fourfold))


@dataclasses.dataclass(frozen=True)
class Network:
    """Latencies of messages between two nodes, in microseconds, and where they come from.

    Between the sizes given latencies are interpolated; beyond the last the bandwidth (GB/s) is
    added. `stage` is the least that a message of an Allreduce takes by a published one.
    """

    name: str
    latencies: tuple         # pairs of bytes and microseconds, sizes rising
    bandwidth: float
    stage: float
    source: str

    def latency(self, size):
        """Microseconds from a send to its receive."""
        sizes, times = zip(*self.latencies)
        return float(numpy.interp(size, sizes, times)) \
            + 1e-3 * max(0.0, size - sizes[-1]) / self.bandwidth

    def exchange(self, size):
        """Microseconds of messages from and to both neighbours: the second waits for the wire."""
        return self.latency(size) + 1e-3 * size / self.bandwidth

    def allreduce(self, ranks, size):
        """Microseconds of an Allreduce by recursive doubling."""
        return math.ceil(math.log2(ranks)) * max(self.latency(size), self.stage)


INFINIBAND = Network(
    "InfiniBand HDR", ((1, 1.2),), 25.0, 13.21 / 8,
    "1.2 for 1 byte, 200 Gbit/s: Microsoft, *HBv3-series virtual machine performance* and "
    "*HBv3-series* (Azure documentation, 2023). A message of an Allreduce takes 1.65 at least: "
    "T. Miyashita, *OSU Micro-Benchmarks* (OCI tutorials, Oracle, with OSU 7.5.1), has 13.21 for "
    "256 bytes on 144 ranks of 4 nodes, 8 messages one after the other, on RoCE of 100 Gbit/s "
    "with 1.67 for 1 byte.")

SLINGSHOT = Network(
    "Slingshot 11",
    ((1, 2.76), (64, 2.60), (128, 3.41), (256, 4.17), (1024, 4.29), (4096, 4.66), (8192, 7.59),
     (16384, 8.17), (32768, 8.44)), 23.2, 17.04 / 8,
    "osu_latency of Cray MPICH 8.1.32 between two nodes of Olivia, with buffers of GPUs, and half "
    "of osu_bibw: EESSI, *MPI at Warp Speed: EESSI Meets Slingshot-11, part 2* (2026). For an "
    "Allreduce of 256 bytes on 256 ranks of 2 nodes of ARCHER2 (Slingshot 10) the *ARCHER2 user "
    "and best practice guide*, section on containers (EPCC, Cray MPICH 8.1.23), has 17.04, "
    "2.13 a message; the latencies here are larger and are used.")

NETWORKS = (INFINIBAND, SLINGSHOT)


class Compute:
    """Microseconds of a step on one rank by its number of slices, from a few measured ones."""

    def __init__(self, slices, microseconds):
        self.slices = numpy.array(slices, dtype=float)
        # More slices never take less time, nor more time each: what seems to is caches or others on
        # the machine, and is left out.
        each = numpy.minimum.accumulate(numpy.array(microseconds, dtype=float) / self.slices)
        self.times = numpy.minimum.accumulate((each * self.slices)[::-1])[::-1]
        self.per_slice = float((self.times / self.slices).min())

    def __call__(self, slices):
        """Slices of an incomplete vector cost as much as those of a full one."""
        full = VECTOR * math.ceil(slices / VECTOR)
        if full >= self.slices[-1]:
            return float(self.times[-1] + (full - self.slices[-1]) * self.per_slice)
        return float(numpy.interp(full, self.slices, self.times))


@dataclasses.dataclass(frozen=True)
class Step:
    """A scheme on a grid of v: what it computes and sends."""

    compute: Compute
    messages: Messages
    pack: float = 0.0        # microseconds of a halo besides the messages

    def communication(self, network, ranks):
        """Microseconds of all messages of a step."""
        if ranks == 1:
            return 0.0
        messages = self.messages
        size = messages.reduced_bytes / messages.reductions
        return messages.halos * (self.pack + network.exchange(messages.halo_bytes)) \
            + messages.reductions * network.allreduce(ranks, size)

    def time(self, network, slices, ranks):
        """Microseconds of a step of so many slices in all."""
        return self.compute(math.ceil(slices / ranks)) + self.communication(network, ranks)

    def efficiency(self, network, slices, ranks):
        """Time of the slices by themselves, at their best, over what the ranks take for it."""
        return self.compute.per_slice * slices / (ranks * self.time(network, slices, ranks))

    def threshold(self, network, ranks, wanted=WANTED):
        """The fewest slices a rank, in whole vectors, from which on the efficiency is wanted."""
        low, high = 0, 1
        while self.efficiency(network, ranks * VECTOR * high, ranks) < wanted:
            low, high = high, 2 * high
            if VECTOR * high > MOST_SLICES:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            is_enough = self.efficiency(network, ranks * VECTOR * middle, ranks) >= wanted
            low, high = (low, middle) if is_enough else (middle, high)
        return VECTOR * high
