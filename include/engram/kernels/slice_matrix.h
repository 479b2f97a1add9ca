/**
 * @file slice_matrix.h
 * The matrix I + lambda D of the reacting part, as a product and as its entries.
 *
 * The same matrix that slice_elimination.h inverts, for iterative methods and for assembled
 * matrices. Row k of slice i holds
 *
 *     diagonal   1 + strength (B(-q_k) + B(q_{k-1}))
 *     left       -strength B(-q_{k-1})        column k-1
 *     right      -strength B(q_k)             column k+1
 *     spike      -strength B(-q_{nodes-1})    last column, in the row of the reset node only
 *
 * with strength = lambda a/h^2; nothing leaves to the left of node 0.
 */
#ifndef ENGRAM_KERNELS_SLICE_MATRIX_H
#define ENGRAM_KERNELS_SLICE_MATRIX_H

#include <stddef.h>

#include "engram/kernels/face_table.h"

/** Weights of all faces: up[k * stride + i] = strength B(-q), down likewise with B(q). */
typedef struct EngramSliceMatrix {
    const EngramFaceTable *table; /**< borrowed */
    ptrdiff_t slices;
    ptrdiff_t stride; /**< distance of two rows of the arrays below, and of the densities */
    double *up;       /**< [nodes * stride], owned by the caller */
    double *down;     /**< [nodes * stride], owned by the caller */
    double leaving;   /**< lambda/tau, the share that leaves the refractory state; 0 without one */
} EngramSliceMatrix;

/** Computes the weights for the drifts [slices] and lambda = dt/eps. */
void EngramSliceMatrixFill(EngramSliceMatrix *matrix, double lambda, const double *drift);

/**
 * Product y = (I + lambda D) x; x and y are [rows * stride] with the rows of EngramFaceTableRows,
 * p[k * stride + i], and distinct.
 */
void EngramSliceMatrixMultiply(const EngramSliceMatrix *matrix, const double *x, double *y);

/** Entries of row k < nodes of slice i, without those of the reset. */
typedef struct EngramSliceRow {
    double left;
    double diagonal;
    double right;
} EngramSliceRow;

/** The entries left of, on and right of the diagonal; the outer ones are zero at the ends. */
EngramSliceRow EngramSliceMatrixRow(const EngramSliceMatrix *matrix, int node, ptrdiff_t slice);

/**
 * The entry of the last node's column for the flux through the threshold: in the row of the reset
 * node or, where there is a refractory state, in the row of that one, whose own entries are
 * 1 + leaving on the diagonal and -leaving in the row of the reset node.
 */
double EngramSliceMatrixSpike(const EngramSliceMatrix *matrix, ptrdiff_t slice);

#endif
