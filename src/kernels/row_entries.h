/**
 * @file row_entries.h
 * Entries of a row of the density as the explicit transports read them, ghosts behind its end
 * included.
 */
#ifndef ENGRAM_SRC_KERNELS_ROW_ENTRIES_H
#define ENGRAM_SRC_KERNELS_ROW_ENTRIES_H

#include <stddef.h>
#include <string.h>

/**
 * Copies `count` densities of a row of `cells` cells from its entry `first` on; beyond its end
 * those of the ghosts, the nearest first.
 */
static inline void CopyEntries(ptrdiff_t first, ptrdiff_t count, ptrdiff_t cells, const double *row,
                               const double *right_ghost, double *density)
{
    const ptrdiff_t end = first + count < cells ? first + count : cells;
    if (first < end) {
        memcpy(density, row + first, (size_t)(end - first) * sizeof(*row));
    }
    for (ptrdiff_t i = first < end ? end : first; i < first + count; i++) {
        density[i - first] = right_ghost[i - cells];
    }
}

#endif
