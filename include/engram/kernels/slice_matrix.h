/**
 * @file slice_matrix.h
 * The matrix of a step, I + (lambda - kappa) D_v + lambda D_R, as a product and as its entries, and
 * what else a step of slice_step.h consists of, for iterative methods and for assembled matrices.
 * Row k of slice i holds, with the weights of face_table.h,
 *
 *     diagonal   1 + strength g (B(-q_k) + B(q_{k-1}))
 *     left       -strength g B(-q_{k-1})        column k-1
 *     right      -strength g B(q_k)             column k+1
 *     spike      -strength g B(-q_{nodes-1})    last column, in the row of the reset node only
 *
 * with strength = (lambda - kappa) a/h^2; nothing leaves to the left of node 0.
 */
#ifndef ENGRAM_KERNELS_SLICE_MATRIX_H
#define ENGRAM_KERNELS_SLICE_MATRIX_H

#include <stddef.h>

#include "engram/kernels/face_table.h"

/** Weights of all faces: up[k * stride + i] = strength B(-q), down likewise with B(q). */
typedef struct EngramSliceMatrix {
    const EngramFaceTable *table; /**< borrowed */
    ptrdiff_t slices;
    ptrdiff_t stride;  /**< distance of two rows of the arrays below, and of the densities */
    double *up;        /**< [nodes * stride], owned by the caller */
    double *down;      /**< [nodes * stride], owned by the caller */
    double *kappa;     /**< [stride] kappa of each slice, owned by the caller */
    double *content;   /**< [stride] content of the last node over h times its density, likewise */
    double lambda;     /**< dt/eps */
    double last_kappa; /**< as in EngramSliceStep */
    double leaving;    /**< what leaves the refractory state, over what stays; 0 without one */
} EngramSliceMatrix;

/** Computes the weights for the drifts [slices] and lambda = dt/eps. */
void EngramSliceMatrixFill(EngramSliceMatrix *matrix, double lambda, const double *drift);

/**
 * The right-hand side (I - kappa D_v) p_old of a step whose weights are filled in; shapes as in
 * EngramSliceMatrixMultiply.
 *
 * @param from  p_old
 * @param rhs   what is found; another array
 */
void EngramSliceMatrixRightHandSide(const EngramSliceMatrix *matrix, const double *from,
                                    double *rhs);

/**
 * N of every slice after a step, from its flux before and after.
 *
 * @param slope           [slices] threshold_slope of EngramSliceStep
 * @param old_last        [slices] p_old of the last node
 * @param last            [slices] p_new of the last node
 * @param threshold_rate  [slices] of the drift
 * @param firing_rate     [slices] what is found, not negative
 */
void EngramSliceMatrixRates(const EngramSliceMatrix *matrix, const double *slope,
                            const double *old_last, const double *last,
                            const double *threshold_rate, double *firing_rate);

/**
 * Product y = A x with the matrix A of the step; x and y are [rows * stride] with the rows of
 * EngramFaceTableRows, p[k * stride + i], and distinct.
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
