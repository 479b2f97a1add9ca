/**
 * @file slice_group.h
 * Groups of slices that are worked on side by side in plain loops, and sums over their rows.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_GROUP_H
#define ENGRAM_SRC_KERNELS_SLICE_GROUP_H

#include <stddef.h>

#include "columns.h"
#include "engram/kernels/slice_step.h"

/* Slices of a wide group. */
enum { WIDE_GROUP = 32 };

/** A sum over rows, in blocks. */
typedef struct BlockedSum {
    double total[WIDE_GROUP];
    double block[WIDE_GROUP];
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

/** Lanes of the group that starts at a slice: wide where that many slices are left. */
ENGRAM_INLINE int LanesOfGroup(ptrdiff_t slices, ptrdiff_t first)
{
    const int is_wide = slices - first > WIDE_GROUP - ENGRAM_SLICE_PADDING;
    return is_wide ? WIDE_GROUP : ENGRAM_SLICE_PADDING;
}

#endif
