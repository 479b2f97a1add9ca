#include "engram/kernels/transport.h"

#include <math.h>
#include <string.h>

#include "arithmetic.h"
#include "limited_slope.h"

enum { TILE = 64, CACHE_LINE = 8 };

/** Rounds 0 <= x <= 1 to a multiple of 2^-52: sums of two such numbers are exact. */
static double RoundToGrid(double x)
{
    volatile double shifted = x + 1.0;
    return shifted - 1.0;
}

void EngramTransportFractionsCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                     const double *left_face_w,
                                     const EngramTransportFractions *fractions)
{
    for (ptrdiff_t i = 0; i < cells + 2; i++) {
        const double left = left_face_w[i];
        const double right = left_face_w[i + 1];
        const double speed_left = PositivePart(-phi[i]) + PositivePart(left);
        const double speed_right = PositivePart(phi[i]) + PositivePart(-right);
        const double to_left = isnan(left) ? 0.0 : RoundToGrid(fmin(step_ratio * speed_left, 1.0));
        double to_right = isnan(right) ? 0.0 : RoundToGrid(step_ratio * speed_right);
        /* The CFL condition holds up to round-off: one unit of it must not go below zero. */
        if (to_left + to_right > 1.0) {
            to_right = 1.0 - to_left;
        }
        fractions->to_left[i] = to_left;
        fractions->to_right[i] = to_right;
        fractions->stays[i] = 1.0 - (to_left + to_right);
    }
}

/**
 * Moves the content of one tile: `old` holds the tile's cells before the step from index 1 on, with
 * its neighbours at index 0 and count + 1.
 */
ENGRAM_INLINE void MoveTile(ptrdiff_t count, const double *restrict to_right,
                            const double *restrict stays, const double *restrict to_left,
                            const double *restrict old, double *restrict row)
{
    ENGRAM_INDEPENDENT
    for (ptrdiff_t i = 0; i < count; i++) {
        const double arriving = EngramMultiplyAdd(to_right[i], old[i], to_left[i + 2] * old[i + 2]);
        row[i] = EngramMultiplyAdd(stays[i + 1], old[i + 1], arriving);
    }
}

/**
 * One row tile by tile, which may be where it was: the copy of a tile stays in the first-level
 * cache.
 */
static void MoveRow(ptrdiff_t cells, const EngramTransportFractions *fractions, double left_ghost,
                    double right_ghost, const double *row, double *moved, const double *next_row)
{
    double old[TILE + 2];
    double left = left_ghost;
    for (ptrdiff_t first = 0; first < cells; first += TILE) {
        const ptrdiff_t count = cells - first < TILE ? cells - first : TILE;
        old[0] = left;
        memcpy(old + 1, row + first, (size_t)count * sizeof(*row));
        old[count + 1] = first + count < cells ? row[first + count] : right_ghost;
        left = old[count];
        for (ptrdiff_t i = 0; i < count; i += CACHE_LINE) {
            ENGRAM_PREFETCH_WRITE(next_row + first + i);
        }
        MoveTile(count, fractions->to_right + first, fractions->stays + first,
                 fractions->to_left + first, old, moved + first);
    }
}

void EngramTransportApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                          const EngramTransportFractions *fractions, const double *left_ghost,
                          const double *right_ghost, const double *density, double *moved)
{
    for (ptrdiff_t k = 0; k < rows; k++) {
        const ptrdiff_t next = k + 1 < rows ? (k + 1) * stride : k * stride;
        MoveRow(cells, fractions, left_ghost[k], right_ghost[k], density + k * stride,
                moved + k * stride, moved + next);
    }
}
