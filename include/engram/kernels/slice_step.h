/**
 * @file slice_step.h
 * One step of many voltage slices: transport in w, then the implicit step of the reacting part.
 *
 * For every slice (one synaptic weight) it solves, with the fluxes D_v in v of face_table.h and the
 * way D_R from the refractory state back to the reset potential,
 *
 *     (I + (lambda - kappa) D_v + lambda D_R) p_new = (I - kappa D_v) p_old ,     lambda = dt/eps .
 *
 * Order 2 has kappa = 0, order 4 kappa = h^2/(12 a): I - kappa D_v is the mass matrix that belongs
 * to the flux of order 4. The flux through the threshold arrives at the reset node, or in the
 * refractory state; columns sum to one, so mass is kept. The firing rate is
 *
 *     (1 + x) N_new = (1 - x) F[p_new] + x F[p_old] + x N_old ,     x = kappa/lambda ,
 *
 * F the flux of the last face with the drift of the step.
 *
 * The elimination keeps, for every column not yet eliminated, its column sum instead of its
 * diagonal, so that nothing is subtracted: for lambda >= 2 kappa densities and rates are not
 * negative, bit for bit, and every entry has high relative accuracy for any lambda. Below that,
 * order 4 and positivity exclude each other for some data. Such data are noticed by their result: a
 * slice that has become negative in more than its outermost tails is solved again with
 * kappa = lambda/2, and a negative rate becomes zero. This is decided slice by slice.
 *
 * Source: W. K. Grassmann, M. I. Taksar, D. P. Heyman, Oper. Res. 33 (1985) 1107; for M-matrices
 * A. S. Alfa, J. Xue, Q. Ye, Numer. Math. 90 (2002) 401. The flux shift inside the matrix follows
 * Hu, Liu, Xie, Zhou (arXiv 1911.07619), section 3. Order 4: docs/numerics.md.
 */
#ifndef ENGRAM_KERNELS_SLICE_STEP_H
#define ENGRAM_KERNELS_SLICE_STEP_H

#include <stddef.h>

#include "engram/kernels/face_table.h"
#include "engram/kernels/transport.h"
#include "engram/kernels/transport_fifth.h"
#include "engram/kernels/transport_limited.h"

/** All arrays over slices are padded to a multiple of this many. */
#define ENGRAM_SLICE_PADDING 8

/** Slices that are worked on together at most. */
#define ENGRAM_SLICE_GROUP 24

/** What is known of every slice after a step. Arrays are [slices], padded, owned by the caller. */
typedef struct EngramSliceResults {
    double *threshold_rate; /**< flux through the threshold over the density at the last node:
                               (a/h) g B(-q) of the last face */
    double *firing_rate;    /**< N(w), per unit of time and weight */
    double *weight_density; /**< H(w) = h * sum over v of p */
    double *minimum;        /**< smallest density of the slice */
} EngramSliceResults;

/**
 * An explicit transport in w: the step of transport.h, its limited form, or that of fifth order.
 * The first two can be made on the way of a slice step.
 */
typedef struct EngramSliceTransport {
    int order;                                 /**< 1, 2 or 5 */
    const EngramTransportFractions *fractions; /**< of order 1 */
    const EngramTransportCourant *courant;     /**< of order 2 */
    const EngramTransportFifth *fifth;         /**< of order 5 */
    const double *left_ghost;                  /**< [rows][ghosts] as the explicit step has them */
    const double *right_ghost;                 /**< [rows][ghosts] */
} EngramSliceTransport;

/** What a step is told. */
typedef struct EngramSliceStep {
    double lambda;                 /**< dt/eps > 0 */
    double excess;                 /**< relative excess of mass to take out of every slice */
    const double *drift;           /**< [slices, padded] mu of every slice */
    const double *threshold_slope; /**< [slices, padded] N/a, the slope at the threshold, of p_old;
                                      NULL: that of its flux */
    double last_kappa;             /**< kappa before the noise changed; 0: it has not changed */
    const EngramSliceTransport *transport; /**< NULL: none */
    const double *mass; /**< [slices, padded] weight_density of p_old where there is no transport,
                           may be that of the results; NULL: to be found where it is needed */
    int is_bare;        /**< 1: the matrix alone, p_old is the right-hand side of any sign */
} EngramSliceStep;

/** Doubles of work memory that a step needs. */
size_t EngramSliceWorkSize(const EngramFaceTable *table);

/**
 * Takes the step of all slices.
 *
 * Densities are stored p[k * stride + i]: node k, slice i, the slices contiguous; 64-byte alignment
 * of the rows is not needed for correctness but makes the loops fast. Entries from `slices` up to
 * the next multiple of ENGRAM_SLICE_PADDING may be read and written too, as slices of their own.
 *
 * @param table    faces of the voltage grid
 * @param slices   slices of this process
 * @param stride   distance of two rows, at least `slices` rounded up to ENGRAM_SLICE_PADDING
 * @param step     what is wanted
 * @param from     [rows * stride] p_old >= 0, with the rows of EngramFaceTableRows: where there is
 * a refractory state, its content over h is the last row
 * @param to       [rows * stride] p_new; may be the same array
 * @param work     [EngramSliceWorkSize]
 * @param results  what is reported of the slices
 */
void EngramSliceStepTake(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                         const EngramSliceStep *step, const double *from, double *to, double *work,
                         const EngramSliceResults *results);

/** The threshold and firing rates that a step would lead to, which is not taken. */
void EngramSliceStepTry(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const EngramSliceStep *step, const double *from, double *work,
                        const EngramSliceResults *results);

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

/** The threshold rates for the drifts given. Arrays as in EngramSliceStep. */
void EngramSliceThresholdRates(const EngramFaceTable *table, ptrdiff_t slices, const double *drift,
                               double *threshold_rate);

/** weight_density and minimum of a density found in another way. Shapes as in EngramSliceStepTake.
 */
void EngramSliceMeasure(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const double *density, const EngramSliceResults *results);

/**
 * Lets a part of what waits in the refractory state return for a noise that has jumped: of order 4
 * the state is R + kappa (N - R/tau), and only kappa N does not change with the noise. Shapes as in
 * EngramSliceStepTake.
 *
 * @param last_kappa  as in EngramSliceStep, before the jump
 */
void EngramSliceFollowNoise(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            double last_kappa, double *density);

#endif
