#include "engram/kernels/transpose.h"

#include "arithmetic.h"

enum { SIDE = 8 };

/** One tile; inlined with constant sides where it is whole. */
ENGRAM_INLINE void TransposeTile(ptrdiff_t rows, ptrdiff_t columns, const double *restrict from,
                                 ptrdiff_t from_stride, double *restrict to, ptrdiff_t to_stride)
{
    for (ptrdiff_t column = 0; column < columns; column++) {
        for (ptrdiff_t row = 0; row < rows; row++) {
            to[column * to_stride + row] = from[row * from_stride + column];
        }
    }
}

void EngramTranspose(ptrdiff_t rows, ptrdiff_t columns, const double *from, ptrdiff_t from_stride,
                     double *to, ptrdiff_t to_stride)
{
    for (ptrdiff_t row = 0; row < rows; row += SIDE) {
        const ptrdiff_t height = rows - row < SIDE ? rows - row : SIDE;
        for (ptrdiff_t column = 0; column < columns; column += SIDE) {
            const ptrdiff_t width = columns - column < SIDE ? columns - column : SIDE;
            const double *source = from + row * from_stride + column;
            double *target = to + column * to_stride + row;
            if (height == SIDE && width == SIDE) {
                TransposeTile(SIDE, SIDE, source, from_stride, target, to_stride);
            } else {
                TransposeTile(height, width, source, from_stride, target, to_stride);
            }
        }
    }
}
