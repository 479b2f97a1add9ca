/**
 * @file columns.h
 * What loops over the rows of columns share: sums in blocks, and rows that are fetched early.
 */
#ifndef ENGRAM_SRC_KERNELS_COLUMNS_H
#define ENGRAM_SRC_KERNELS_COLUMNS_H

#include "arithmetic.h"

/* Rows whose sum is formed before it goes to the total: keeps the rounding of a column's sum at
 * the square root of its length. */
enum { SUM_BLOCK = 32 };

/* Rows ahead that are fetched early: a row's slices are a page away from those of the next row,
 * where the hardware does not look for them. */
enum { PREFETCH_ROWS = 8, CACHE_LINE = 8 };

ENGRAM_INLINE void PrefetchRow(const double *row, int slices)
{
    for (int i = 0; i < slices; i += CACHE_LINE) {
        ENGRAM_PREFETCH_READ(row + i);
    }
}

ENGRAM_INLINE int EndsBlock(int k, int nodes)
{
    return k % SUM_BLOCK == SUM_BLOCK - 1 || k == nodes - 1;
}

#endif
