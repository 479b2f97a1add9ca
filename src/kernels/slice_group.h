/**
 * @file slice_group.h
 * What the eliminations of slice_elimination.c and slice_quasi_static.c share: groups of slices
 * that are worked on side by side, and sums over their rows.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_GROUP_H
#define ENGRAM_SRC_KERNELS_SLICE_GROUP_H

#include "engram/kernels/slice_elimination.h"
#include "face_weights.h"

/* Rows ahead that are fetched early: a row's slices are a page away from those of the next row,
 * where the hardware does not look for them. */
enum { PREFETCH_ROWS = 16, CACHE_LINE = 8 };

/* Rows whose sum is formed before it goes to the total: keeps the rounding of a column's sum at
 * the square root of its length. */
enum { SUM_BLOCK = 32 };

/** (a/h) B(-q) on the last face: the firing rate over the density at the last node. */
ENGRAM_INLINE double ThresholdRate(const EngramFaceTable *table, EngramEvaluation evaluation,
                                   double scaled_drift, double slice_factor)
{
    const int last = table->nodes - 1;
    const EngramFaceWeight weight =
        EngramWeightOfFace(evaluation, slice_factor, table->face_factor[last],
                           scaled_drift - table->scaled_face[last]);
    return (table->noise / table->spacing) * (weight.forward / weight.gap);
}

ENGRAM_INLINE void PrefetchRow(const double *row, int lanes)
{
    for (int i = 0; i < lanes; i += CACHE_LINE) {
        ENGRAM_PREFETCH_READ(row + i);
    }
}

/** A sum over rows, in blocks. */
typedef struct BlockedSum {
    double total[ENGRAM_SLICE_GROUP];
    double block[ENGRAM_SLICE_GROUP];
} BlockedSum;

ENGRAM_INLINE void ClearSum(BlockedSum *sum, int lanes)
{
    for (int i = 0; i < lanes; i++) {
        sum->total[i] = 0.0;
        sum->block[i] = 0.0;
    }
}

ENGRAM_INLINE void CloseBlock(BlockedSum *sum, int lanes)
{
    for (int i = 0; i < lanes; i++) {
        sum->total[i] += sum->block[i];
        sum->block[i] = 0.0;
    }
}

ENGRAM_INLINE int EndsBlock(int k, int nodes)
{
    return k % SUM_BLOCK == SUM_BLOCK - 1 || k == nodes - 1;
}

/** Lanes of the group that starts at a slice: wide where that many slices are left. */
ENGRAM_INLINE int LanesOfGroup(ptrdiff_t slices, ptrdiff_t first)
{
    const int is_wide = slices - first > ENGRAM_SLICE_GROUP - ENGRAM_SLICE_PADDING;
    return is_wide ? ENGRAM_SLICE_GROUP : ENGRAM_SLICE_PADDING;
}

/* Lanes where columns are so long that the work of a wide group, two numbers for each row and lane,
 * would fill a second-level cache of two MiB; no column's rounding depends on its neighbours. */
enum { MEDIUM_GROUP = 16, LONG_COLUMN = 3072 };

/** The same for an elimination, which keeps the work of a whole column. */
ENGRAM_INLINE int LanesOfColumns(int nodes, ptrdiff_t slices, ptrdiff_t first)
{
    const int lanes = LanesOfGroup(slices, first);
    return lanes > MEDIUM_GROUP && nodes > LONG_COLUMN ? MEDIUM_GROUP : lanes;
}

#endif
