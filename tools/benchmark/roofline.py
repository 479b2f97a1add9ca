"""What bounds the solve and the full step: operations, bytes and divisions of a cell.

The counts follow from src/kernels/slice_sweep.h, face_weights.h and slice_rows.h, for a group of
slices within the range of the polynomial of degree 2 (the grid of the benchmark), where a fused
multiply-add is two operations and one instruction.
"""

import statistics

# Instructions of a vector of slices and a node: (adds and the like, products and fused ones), the
# fused ones among the latter. The order is that of the code.
WEIGHTS = {2: ((1, 6), 5), 4: ((1, 8), 7)}       # q, q^2, m, factor, E, both weights
EXPLICIT = {2: ((0, 0), 0), 4: ((2, 2), 1)}      # flux of the old density, off and on
ELIMINATION = ((1, 5), 2)                        # pivot, ratio, quotient, carry, sum
SUBSTITUTION = ((2, 1), 1)                       # value; sum and minimum
SCALE = ((0, 1), 0)                              # of the old density, without transport
TRANSPORT = ((0, 3), 2)                          # of first order, on the way

# Bytes of a cell: the density is read and written once; quotients wait in its place and ratios
# beside it for the way back, in the second-level cache.
DENSITY_BYTES = 16
CACHE_BYTES = 8 + 8 + 8 + 8


def counts(order, with_transport):
    """Adds, products, fused ones among these, and operations of a cell."""
    parts = [WEIGHTS[order], EXPLICIT[order], ELIMINATION, SUBSTITUTION,
             TRANSPORT if with_transport else SCALE]
    adds = sum(part[0][0] for part in parts)
    products = sum(part[0][1] for part in parts)
    fused = sum(part[1] for part in parts)
    return adds, products, fused, adds + products + fused + 1


def row(title, order, with_transport, nanoseconds, stream):
    """One line of the table."""
    adds, products, fused, operations = counts(order, with_transport)
    return (f"| {title} | {operations} | {adds + products} ({fused} fused) | 1 | {DENSITY_BYTES} | "
            f"{CACHE_BYTES} | {nanoseconds:.2f} | {operations / nanoseconds:.1f} | "
            f"{100.0 * stream / nanoseconds:.0f} % |")


def section(results, beside):
    """The section of docs/performance.md."""
    median = {name: statistics.median(results[name]) for name in ("stream", "slices", "step")}
    flat = statistics.median(rows[2] for rows in beside["full step"])
    lines = [
        "\n## What bounds a step\n",
        "Counts a cell, from the text of the kernel. A division of a whole vector is one "
        "instruction; AVX-512 replaces it by a reciprocal and four more. The density streams "
        "through the processor once, read and written; on the way back quotients and ratios come "
        "from the second-level cache. The last column is the part of the time that the density's "
        "own traffic takes at the speed of the in-place update above.\n",
        "| work | operations | vector instructions | divisions | bytes of the density | bytes in "
        "the cache | ns | operations a ns | of the stream |",
        "|---|---|---|---|---|---|---|---|---|",
        row("slices, order 4", 4, False, median["slices"], median["stream"]),
        row("full step, order 4", 4, True, median["step"], median["stream"]),
        row("full step, order 2", 2, True, flat, median["stream"]),
        "",
        "So a step is bound by arithmetic, not by memory: while the density fits into a cache "
        "its traffic is a tenth of the time, and two ranks are twice as fast. A core with two "
        "units for products and two for sums needs at least half a cycle for each product: "
        "that and the loads and stores of the two sweeps are what is left to gain.\n",
    ]
    return "\n".join(lines)
