/**
 * @file transpose.h
 * Transposition of a block of numbers from one layout in memory to another.
 */
#ifndef ENGRAM_KERNELS_TRANSPOSE_H
#define ENGRAM_KERNELS_TRANSPOSE_H

#include <stddef.h>

/**
 * to[column * to_stride + row] = from[row * from_stride + column], tile by tile, so that both sides
 * use whole cache lines. The two blocks do not overlap.
 */
void EngramTranspose(ptrdiff_t rows, ptrdiff_t columns, const double *from, ptrdiff_t from_stride,
                     double *to, ptrdiff_t to_stride);

#endif
