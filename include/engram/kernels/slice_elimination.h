/**
 * @file slice_elimination.h
 * Implicit step of the reacting part on many voltage slices: elimination without subtractions.
 *
 * For every slice (one synaptic weight) it solves (I + lambda D) p_new = p_old, where D holds the
 * Scharfetter-Gummel fluxes in v and puts the flux through the threshold back at the reset node:
 * an M-matrix with unit column sums, tridiagonal but for one entry. The elimination keeps, for
 * every column not yet eliminated, its column sum instead of its diagonal, so that nothing is ever
 * subtracted: densities stay non-negative bit for bit, and every entry has high relative accuracy
 * for any lambda. A last correction of some units of round-off per slice makes the sum of the
 * solution that of the right-hand side, less what round-off has added to the mass in earlier steps:
 * errors of one sign would add up over many steps.
 *
 * Source: W. K. Grassmann, M. I. Taksar, D. P. Heyman, Oper. Res. 33 (1985) 1107; for M-matrices
 * A. S. Alfa, J. Xue, Q. Ye, Numer. Math. 90 (2002) 401. The flux shift inside the matrix follows
 * Hu, Liu, Xie, Zhou (arXiv 1911.07619), section 3.
 */
#ifndef ENGRAM_KERNELS_SLICE_ELIMINATION_H
#define ENGRAM_KERNELS_SLICE_ELIMINATION_H

#include <stddef.h>

#include "engram/kernels/face_table.h"

/** Slices are worked on in groups of this many; all arrays over slices are padded to a multiple. */
#define ENGRAM_SLICE_PADDING 8

/** Slices of the widest group, which sets the size of the work array. */
#define ENGRAM_SLICE_GROUP 32

/** What the elimination says of every slice. Arrays are [slices], padded, owned by the caller. */
typedef struct EngramSliceResults {
    double *threshold_rate; /**< N = threshold_rate * p[last node]: (a/h) B(-q) on the last face */
    double *firing_rate;    /**< N(w), per unit of time and weight */
    double *weight_density; /**< H(w) = h * sum over v of p */
    double *minimum;        /**< smallest density of the slice */
} EngramSliceResults;

/** Doubles of work memory that EngramSliceEliminate needs. */
size_t EngramSliceWorkSize(const EngramFaceTable *table);

/**
 * Solves one implicit step on all slices.
 *
 * Densities are stored p[k * stride + i]: node k, slice i, the slices contiguous; 64-byte alignment
 * of the rows is not needed for correctness but makes the loops fast. Entries from `slices` up to
 * the next multiple of ENGRAM_SLICE_PADDING are read and written too, as slices of their own.
 *
 * @param table     faces of the voltage grid
 * @param slices    slices of this process
 * @param stride    distance of two rows, at least `slices` rounded up to ENGRAM_SLICE_PADDING
 * @param lambda    dt/eps > 0
 * @param excess    relative excess of mass to take out of every slice; of the size of round-off
 * @param drift     [slices, padded] mu of every slice
 * @param rhs       [rows * stride] p_old >= 0, with the rows of EngramFaceTableRows: where there is
 *                  a refractory state, its content over h is the last row
 * @param solution  [rows * stride] p_new; may be the same array as rhs. NULL asks for the threshold
 *                  and firing rates alone, which leaves everything else untouched
 * @param work      [EngramSliceWorkSize]
 * @param results   what is reported of the slices
 */
void EngramSliceEliminate(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                          double lambda, double excess, const double *drift, const double *rhs,
                          double *solution, double *work, const EngramSliceResults *results);

/**
 * The quasi-static state: the density H(w) Q(v; mu) that the reacting part leads to when it is left
 * alone (the limit eps -> 0), by the same elimination without column sums. Q spans many orders of
 * magnitude; it is rescaled by powers of two on the way, so that no noise is too small.
 *
 * Source: model of Perthame, Salort, Wainrib (arXiv 1706.05796), section 3, discretised as above.
 *
 * @param weight_density  [slices, padded] H of every slice
 * @param density         [rows * stride] what is found, or NULL for the rates alone
 * @param results         the rate of one neuron, r(mu) = N/H, as threshold_rate; firing_rate;
 *                        weight_density (the sum of the density,
 *                        round-off included) and minimum only where there is a density. Its
 *                        weight_density may not be the array of the parameter
 */
void EngramSliceQuasiStatic(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            const double *drift, const double *weight_density, double *density,
                            double *work, const EngramSliceResults *results);

/**
 * The firing rates of a density: threshold_rate and firing_rate for the drifts given, from its last
 * row alone. Shapes as in EngramSliceEliminate.
 */
void EngramSliceMeasureRates(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                             const double *drift, const double *density,
                             const EngramSliceResults *results);

/** All results of a density found in another way. Shapes as in EngramSliceEliminate. */
void EngramSliceMeasure(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const double *drift, const double *density,
                        const EngramSliceResults *results);

#endif
