#!/usr/bin/env python3
"""The section of docs/performance.md on 2 to 4096 ranks: what was counted, measured and modelled.

Also a command of its own, which puts the section in place of that in the document:

    tools/benchmark/scaling_report.py --build build/release --document docs/performance.md
"""

import argparse
import pathlib
import re
import sys

import scaling_model
import scaling_runs

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from engram_stream import bear_closed_pipes  # noqa: E402

TITLE = "## 2 to 4096 ranks"

# Slices of a rank for which a step is measured, and cells of v.
SLICES = (8, 16, 24, 48, 96, 768)
V_CELLS = (480, 1026)

# Cells of v and w of the table of efficiencies, and its ranks.
GRIDS = ((480, 4096), (480, 16384), (1026, 65536))
RANKS = (2, 16, 64, 256, 1024, 4096)
THRESHOLD_RANKS = (16, 256, 4096)

# Slices in all for which two ranks are timed.
TIMED_SLICES = (48, 192, 1024)

# Ranks on which messages are counted. Sixteen share two cores for seconds before they begin.
COUNTED = ((2, scaling_runs.COUNTED_SCHEMES), (4, scaling_runs.COUNTED_SCHEMES),
           (8, (scaling_runs.THIRD,)), (16, (scaling_runs.THIRD,)))

# Times on one rank and on two follow each other in so many rounds, and the shortest count: others
# on the machine disturb both.
ROUNDS = 2

# Events of a step in PETSc's log.
EVENTS = ("EngramSlices", "EngramTransprt", "EngramHalo", "EngramRateSum", "EngramObserve")
LOGGED_STEPS = 200


TEXT = """
{title}

There is no cluster behind this section: it is a model, checked where two cores of this machine
allow it ({machine}). A step of a rank takes

    T(P) = compute(slices of the rank) + halos (pack + exchange) + reductions Allreduce(P) .

*compute* is measured on one rank with 8 to 768 slices, fixed costs and incomplete groups of slices
included. The messages follow from the scheme. Each transport sub-step, one a solve as a rule, has
an exchange with both neighbours of (nodes + 2) x width numbers; the width is 1, 2, 3 for orders 1,
2, 5 of the transport in w. Reductions take 120 bytes an entry: a trial evaluation of an implicit
coupling has one entry, a solve whose rate is needed two, the masses of a combination four, and the
error of an adaptive step four more.

**Messages, counted.** A library between the program and MPI (`tools/benchmark/message_counts.c`)
counts what a run sends, and the difference of two runs is a step. Counted numbers and the model
agree in every run, on every rank, to the byte; there are no other collective calls in a step. One
step, the second rank, {nodes} x {cells} unknowns; four ranks and more share the two cores of this
machine:

{counts}

Operations of the busiest rank by PETSc's log, times the ranks, over those of one rank:
{balance} ranks. The work divides evenly.

**Messages, timed.** On two ranks of this machine, by shared memory: {messages}. Open MPI sends more
than 4096 bytes in another way, which takes longer.

**Two ranks, timed.** Microseconds of a step with {v_cells} cells of v, the model with the latencies
of this machine:

{timed}

**Networks.** Published latencies in microseconds, not measured here:

{networks}

An Allreduce is taken as ceil(log2 P) such messages one after the other, all of them through the
network, though most ranks share a node: for that on ARCHER2 it gives {archer:.1f} microseconds.
Nothing overlaps. Not in the model: memory that the ranks of a node share, noise of the system, and
congestion.

{efficiencies}

An efficiency is the time of the cells at the best speed of one rank over what the ranks take
together.

**How many slices a rank needs.** The fewest slices a rank, in whole vectors of {vector}, from which
on the efficiency is {wanted:.0f} %; networks and ranks:

{thresholds}

It grows with the ranks because an Allreduce does: a step of third order has {reductions:g} of them
and {halos:g} exchanges.

**A step in PETSc's log.** `-log_view`, stage "Engram steps", {steps} steps of third order,
479 x 1024 unknowns, two ranks:

{log}
"""

READING = """

Reading: a step has {solves:.3g} calls of the slices, trial solves of the coupling among them, which
take {slices:.3g} s in all, and {reductions:.3g} reductions (`EngramRateSum`). `EngramHalo` has two
calls for each of its {halos:.3g} exchanges, one to send and one to receive. What both take
together, {messages:.3g} s, is mostly waiting for the other rank: the messages by themselves are the
microseconds above. `EngramObserve` writes a row of series.csv a step, for which it has one more
reduction of three entries (360 bytes)."""


def measure(run_benchmark, build, case, machine):
    """All that the section needs, by name."""
    program = build / "engram_benchmark"
    print("report.py: scaling: messages")
    counts = [(ranks, scheme, scaling_runs.count(build, case, ranks, scheme))
              for ranks, schemes in COUNTED for scheme in schemes]
    serial = scaling_runs.count(build, case, 1, scaling_runs.THIRD)
    print("report.py: scaling: times")
    times = [time_steps(run_benchmark, program) for _ in range(ROUNDS)]
    shortest = {key: min(one[key] for one in times) for key in times[0]}
    compute = {(scheme.name, cells): scaling_model.Compute(
        SLICES, [shortest[scheme.name, cells, number, 1] for number in SLICES])
        for scheme in scaling_runs.SCHEMES for cells in V_CELLS}
    messages = {cells: scaling_runs.measure_messages(run_benchmark, program, scaling_runs.FIRST,
                                                     cells) for cells in V_CELLS}
    timed = {(scheme.name, slices): shortest[scheme.name, V_CELLS[0], slices, 2]
             for scheme in scaling_runs.SCHEMES for slices in TIMED_SLICES}
    log = scaling_runs.run_counted(build, case, 2, ("-grid_v_cells", "480", "-grid_w_cells", "1024")
                                   + scaling_runs.THIRD.options, LOGGED_STEPS)[2]
    return {"machine": machine, "counts": counts, "serial": serial, "compute": compute,
            "messages": messages, "timed": timed, "log": log}


def time_steps(run_benchmark, program):
    """Microseconds of steps by scheme, cells of v, slices and ranks."""
    wanted = [(cells, number, 1) for cells in V_CELLS for number in SLICES] \
        + [(V_CELLS[0], number, 2) for number in TIMED_SLICES]
    return {(scheme.name, cells, number, ranks): scaling_runs.time_step(
        run_benchmark, program, scheme, (cells, number), ranks)
        for scheme in scaling_runs.SCHEMES for cells, number, ranks in wanted}


def trials_of(measured, scheme):
    """Trial evaluations of a step, as counted."""
    return next(count.trials for _, counted, count in measured["counts"] if counted == scheme)


def step_of(measured, scheme, v_cells):
    """The model of a scheme with so many cells of v."""
    times = measured["messages"][v_cells]
    messages = scaling_model.messages_of_step(scheme.results, trials_of(measured, scheme),
                                              v_cells - 1, scheme.order)
    return scaling_model.Step(measured["compute"][scheme.name, v_cells], messages,
                              max(0.0, times["halo"] - times["exchange"]))


def counts_table(measured):
    """What ranks were counted to do beside what the model says."""
    lines = ["| ranks | scheme | exchanges | sent, counted | model | reductions, counted | model | "
             "cells of a rank |", "|---|---|---|---|---|---|---|---|"]
    wrong = []
    for ranks, scheme, count in measured["counts"]:
        messages = scaling_runs.predicted(scheme, count)
        wrong += [f"{ranks} ranks, {scheme.name}: {text}"
                  for text in scaling_runs.disagreement(scheme, count)]
        middle = min(1, ranks - 1)
        sent = messages.sent((middle > 0) + (middle + 1 < ranks))
        cells = scaling_runs.COUNTED_CELLS // ranks * scaling_runs.COUNTED_NODES
        lines.append(
            f"| {ranks} | {scheme.name} | {count.substeps:g} | {count.sent[middle]:g} of "
            f"{count.sent_bytes[middle]:g} B | {sent[0]:g} of {sent[1]:g} B | "
            f"{count.reductions:g} of {count.reduced_bytes:g} B | {messages.reductions:g} of "
            f"{messages.reduced_bytes:g} B | {cells} |")
    if wrong:
        raise SystemExit("scaling_report.py: the model disagrees: " + "; ".join(wrong))
    return "\n".join(lines)


def balance(measured):
    """Operations of the busiest rank times ranks over those of one rank, third order."""
    shares = [(ranks, ranks * count.flops / measured["serial"].flops)
              for ranks, scheme, count in measured["counts"] if scheme is scaling_runs.THIRD]
    return ", ".join(f"{share:.3f} on {ranks}" for ranks, share in shares)


def timed_table(measured):
    """The model with the latencies of this machine beside times on two ranks."""
    lines = ["| scheme | slices | a rank's slices alone | messages | model | measured | "
             "measured / model |", "|---|---|---|---|---|---|---|"]
    times = measured["messages"][V_CELLS[0]]
    for scheme in scaling_runs.SCHEMES:
        step = step_of(measured, scheme, V_CELLS[0])
        for slices in TIMED_SLICES:
            alone = step.compute(slices // 2)
            sent = step.messages.halos * times["halo"] \
                + step.messages.reductions * times["reduction"]
            found = measured["timed"][scheme.name, slices]
            lines.append(f"| {scheme.name} | {slices} | {alone:.1f} | {sent:.1f} | "
                         f"{alone + sent:.1f} | {found:.1f} | {found / (alone + sent):.2f} |")
    return "\n".join(lines)


def efficiency_table(measured, network):
    """Efficiencies in per cent."""
    lines = ["| cells | scheme | " + " | ".join(str(ranks) for ranks in RANKS) + " |",
             "|---|---|" + "---|" * len(RANKS)]
    for v_cells, w_cells in GRIDS:
        for scheme in scaling_runs.SCHEMES:
            step = step_of(measured, scheme, v_cells)
            numbers = " | ".join(f"{100 * step.efficiency(network, w_cells, ranks):.0f}"
                                 for ranks in RANKS)
            lines.append(f"| {v_cells} x {w_cells} | {scheme.name} | {numbers} |")
    return "\n".join(lines)


def threshold_table(measured):
    """Slices a rank for the efficiency that is wanted."""
    heads = [f"{network.name}, {ranks}" for network in scaling_model.NETWORKS
             for ranks in THRESHOLD_RANKS]
    lines = ["| cells of v | scheme | " + " | ".join(heads) + " |",
             "|---|---|" + "---|" * len(heads)]
    for v_cells in V_CELLS:
        for scheme in scaling_runs.SCHEMES:
            step = step_of(measured, scheme, v_cells)
            numbers = " | ".join(str(step.threshold(network, ranks))
                                 for network in scaling_model.NETWORKS for ranks in THRESHOLD_RANKS)
            lines.append(f"| {v_cells} | {scheme.name} | {numbers} |")
    return "\n".join(lines)


def log_lines(log):
    """Events of the steps: count, seconds, operations, each with the ratio of the ranks."""
    stage = log[log.index("Event Stage 2"):log.index("Event Stage 3")]
    found = {}
    for name, *words in re.findall(r"^(\w+) +(\d+) (\S+) (\S+) +(\S+) (\S+) +(\S+)", stage,
                                   re.MULTILINE):
        if name in EVENTS:
            found[name] = words
    return found


def log_section(log):
    """An example of PETSc's log and how to read it."""
    found = log_lines(log)
    lines = ["| event | calls | a step | seconds, slowest rank | slowest / fastest | operations | "
             "most / fewest |", "|---|---|---|---|---|---|---|"]
    for name, (calls, _, seconds, ratio, flops, flop_ratio) in found.items():
        lines.append(f"| `{name}` | {calls} | {int(calls) / LOGGED_STEPS:.3g} | "
                     f"{float(seconds):.3g} | {ratio} | {float(flops):.3g} | {flop_ratio} |")
    seconds = {name: float(words[2]) for name, words in found.items()}
    calls = {name: int(words[0]) / LOGGED_STEPS for name, words in found.items()}
    return "\n".join(lines) + READING.format(
        solves=calls["EngramSlices"], reductions=calls["EngramRateSum"],
        slices=seconds["EngramSlices"], halos=calls["EngramHalo"] / 2,
        messages=seconds["EngramHalo"] + seconds["EngramRateSum"])


def messages_text(measured):
    """Times of messages on this machine, in words."""
    return "; ".join(
        f"with {cells} cells of v an exchange of {8 * (cells + 1)} bytes takes "
        f"{times['exchange']:.2f} microseconds and {times['halo']:.2f} with its columns packed, an "
        f"Allreduce of 240 bytes {times['allreduce']:.2f} and {times['reduction']:.2f} with its "
        "exact sums" for cells, times in measured["messages"].items())


def sources():
    """Networks and where their numbers come from."""
    return "\n".join(f"- **{network.name}**: {network.source}"
                     for network in scaling_model.NETWORKS)


def section(measured):
    """The whole section."""
    third = step_of(measured, scaling_runs.THIRD, V_CELLS[0]).messages
    nodes, cells = scaling_runs.COUNTED_NODES, scaling_runs.COUNTED_CELLS
    parts = {
        "title": TITLE, "machine": measured["machine"], "nodes": nodes, "cells": cells,
        "counts": counts_table(measured), "balance": balance(measured), "messages": messages_text(measured), "v_cells": V_CELLS[0],
        "timed": timed_table(measured), "networks": sources(),
        "archer": scaling_model.SLINGSHOT.allreduce(256, 256),
        "efficiencies": "\n\n".join(f"Efficiency in per cent on {network.name}, by ranks:\n\n"
                                     f"{efficiency_table(measured, network)}"
                                     for network in scaling_model.NETWORKS),
        "wanted": 100 * scaling_model.WANTED, "vector": scaling_model.VECTOR,
        "thresholds": threshold_table(measured), "reductions": third.reductions,
        "halos": third.halos, "steps": LOGGED_STEPS, "log": log_section(measured["log"])}
    return TEXT.format(**parts)


def replace(document, text):
    """The document with this section in place of the old one, or before the last one."""
    begin = document.find(f"\n{TITLE}")
    if begin < 0:
        begin = end = document.rindex("\n## ")
    else:
        end = document.find("\n## ", begin + 1)
        end = len(document) if end < 0 else end
    return document[:begin] + text + document[end:]


def main():
    """Measures this section alone."""
    import report

    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=report.ROOT / "build" / "release")
    parser.add_argument("--document", type=pathlib.Path)
    arguments = parser.parse_args()
    text = section(measure(report.run_benchmark, arguments.build, report.CASE, report.machine()))
    print(text)
    if arguments.document:
        old = arguments.document.read_text(encoding="utf-8")
        arguments.document.write_text(replace(old, text), encoding="utf-8")


if __name__ == "__main__":
    bear_closed_pipes()
    main()
