"""Runs for the model of scaling: messages counted, their times, and steps of a rank's slices.

Messages are counted by a library that is loaded before the program (message_counts.c). What a step
sends is the difference of two runs with another number of steps; so is its work, from PETSc's log.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import tempfile

import yaml

import scaling_model

# The case of tools/benchmark/case.yaml on a grid so small that ranks may share a core.
COUNTED = ("-grid_v_cells", "60", "-grid_w_cells", "96", "-output_series_every", "1000000",
           "-output_fields_every", "0", "-checkpoint_wall", "0")
COUNTED_NODES, COUNTED_CELLS = 59, 96
STEP = 2e-4
STEPS = (6, 12)

# Ranks that wait let others work. One machine needs no search for networks, which takes seconds.
SHARED = {"OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_pml": "ob1",
          "OMPI_MCA_hwloc_base_binding_policy": "none"}


@dataclasses.dataclass(frozen=True)
class Scheme:
    """A way to step: its name, options, results that it combines, and order of the transport."""

    name: str
    options: tuple
    results: int
    order: int = 1
    is_adaptive: bool = False


FLAT = ("-transport_order", "1")
FIRST = Scheme("first order, lagged coupling", ("-coupling", "lagged", *FLAT), 1)
SECOND = Scheme("second order", ("-time_scheme", "second-order", *FLAT), 2)
# Half the step, so that one transport sub-step is enough.
THIRD = Scheme("third order, fifth in w",
               ("-time_scheme", "third-order", "-transport_order", "5", "-time_step",
                str(STEP / 2)), 3, 5)
SCHEMES = (FIRST, SECOND, THIRD)
THIRD_SHARP = Scheme("third order, second in w",
                     ("-time_scheme", "third-order", "-transport_order", "2", "-time_step",
                      str(STEP / 2)), 3, 2)
COUNTED_SCHEMES = SCHEMES + (THIRD_SHARP,)


@dataclasses.dataclass(frozen=True)
class Count:
    """What ranks did in one step; lists have an entry a rank."""

    sent: list               # messages to neighbours
    sent_bytes: list
    reductions: float
    reduced_bytes: float
    others: float            # collective calls that are no reductions
    trials: float
    solves: float
    substeps: float
    flops: float             # of the rank with most, of the slices


def run_counted(build, case, ranks, options, steps, step=STEP):
    """Counts of a whole run by rank, its summary, and the text of its log."""
    with tempfile.TemporaryDirectory(prefix="engram_scaling_") as name:
        folder = pathlib.Path(name)
        command = ["mpirun", "-n", str(ranks), "-x", f"LD_PRELOAD={build}/engram_message_counts.so",
                   "-x", f"ENGRAM_MESSAGE_COUNTS={folder}/counts", str(build / "engram"), str(case),
                   *COUNTED, *options, "-time_end", repr(steps * step), "-log_view",
                   "-output_dir", str(folder / "output")]
        process = subprocess.run(command, capture_output=True, text=True, check=False,
                                 stdin=subprocess.DEVNULL,
                                 env={**os.environ, **SHARED, "TMPDIR": name})
        if process.returncode != 0:
            raise SystemExit(f"scaling_runs.py: {' '.join(command)}: {process.stderr}")
        counts = [[int(word) for word in (folder / f"counts.{rank}").read_text().split()]
                  for rank in range(ranks)]
        summary = yaml.safe_load((folder / "output" / "summary.yaml").read_text(encoding="utf-8"))
    return counts, summary, process.stdout


def slice_flops(log):
    """Operations of the slices on the rank that has most, from -log_view."""
    line, = re.findall(r"^EngramSlices +\d+ \S+ \S+ +\S+ (\S+)", log, re.MULTILINE)
    return float(line)


def count(build, case, ranks, scheme):
    """What a step of a scheme takes, from two runs."""
    step = STEP / 2 if scheme.order > 1 else STEP
    few, many = (run_counted(build, case, ranks, scheme.options, steps, step) for steps in STEPS)
    steps = many[1]["steps"] - few[1]["steps"]
    ranks_by_kind = [[(b - a) / steps for a, b in zip(*pair)]
                     for pair in zip(zip(*few[0]), zip(*many[0]))]
    by_summary = {name: (many[1][name] - few[1][name]) / steps for name in
                  ("coupling_iterations", "slice_solves", "transport_substeps")}
    reductions, reduced, sent, sent_bytes, others = ranks_by_kind
    if len(set(reductions)) != 1 or len(set(reduced)) != 1:
        raise SystemExit("scaling_runs.py: ranks differ in their reductions")
    return Count(sent, sent_bytes, reductions[0], reduced[0], max(others),
                 by_summary["coupling_iterations"], by_summary["slice_solves"],
                 by_summary["transport_substeps"],
                 (slice_flops(many[2]) - slice_flops(few[2])) / steps)


def predicted(scheme, counted):
    """The model's messages for the trial evaluations that were counted."""
    return scaling_model.messages_of_step(scheme.results, counted.trials, COUNTED_NODES,
                                          scheme.order, scheme.is_adaptive,
                                          round(counted.substeps))


def disagreement(scheme, counted):
    """In which numbers the model and the run differ; nothing where they agree."""
    messages, ranks = predicted(scheme, counted), len(counted.sent)
    found = []
    for rank in range(ranks):
        sent, sent_bytes = messages.sent((rank > 0) + (rank + 1 < ranks))
        found += [f"rank {rank} sends {a:g}, not {b:g} {what}" for a, b, what in
                  ((counted.sent[rank], sent, "messages"),
                   (counted.sent_bytes[rank], sent_bytes, "bytes")) if abs(a - b) > 1e-9 * (1 + b)]
    pairs = (("reductions", counted.reductions, messages.reductions),
             ("bytes of reductions", counted.reduced_bytes, messages.reduced_bytes),
             ("other calls", counted.others, 0.0))
    found += [f"{name}: {a:g}, not {b:g}" for name, a, b in pairs if abs(a - b) > 1e-9 * (1 + b)]
    return found


def time_step(run_benchmark, program, scheme, cells, ranks):
    """Microseconds of a step on cells of v and w, at best."""
    v_cells, w_cells = cells
    samples = 400 if w_cells < 100 else 60
    each = run_benchmark(program, samples, "-grid_v_cells", str(v_cells), "-grid_w_cells",
                         str(w_cells), *scheme.options, ranks=ranks)["step"]
    return 1e-3 * each * w_cells * (v_cells - 1)


def measure_messages(run_benchmark, program, scheme, v_cells):
    """Microseconds of messages on two ranks, by name."""
    numbers = run_benchmark(program, 1, "-grid_v_cells", str(v_cells), "-benchmark_messages",
                            "true", *scheme.options, ranks=2)
    return {name: 1e-3 * numbers[name] for name in ("exchange", "halo", "allreduce", "reduction")}
