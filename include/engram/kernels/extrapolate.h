/**
 * @file extrapolate.h
 * Local extrapolation in time: a step of second order from one whole step and two half steps of a
 * first-order scheme, kept non-negative.
 *
 * With y1 from the whole step and y2 from the two halves, q = y2 + (y2 - y1) is of second order and
 * has their mass (L. F. Richardson; E. Hairer, G. Wanner, Solving ODEs II, section IV.9). It may be
 * negative where a step is too long for what happens in it. A slice is then moved towards
 *
 *     b = y2 H / (mass of y2),   H = max(0, mass of q),
 *
 * which is not negative and has the same mass as q: p = b + theta (q - b) with the largest theta in
 * [0, 1] that keeps p and the firing rate non-negative. Mass moves between slices, too, and a slice
 * whose q has a negative mass is left empty: what it would have lost is then taken from all others
 * by one common factor.
 */
#ifndef ENGRAM_KERNELS_EXTRAPOLATE_H
#define ENGRAM_KERNELS_EXTRAPOLATE_H

#include <stddef.h>

/** What one of the two results says of every slice: [slices, padded] each, owned by the caller. */
typedef struct EngramStepResult {
    const double *weight_density; /**< mass over w: spacing * sum over the rows */
    const double *firing_rate;    /**< NULL: there is none to be kept non-negative */
} EngramStepResult;

/** What the extrapolation says of every slice: [slices, padded] each, owned by the caller. */
typedef struct EngramExtrapolated {
    double *weight_density; /**< mass of the new rows */
    double *firing_rate;    /**< left alone where there is none */
    double *minimum;        /**< smallest entry of the rows that are nodes */
    double *difference;     /**< spacing * sum over the rows of |y2 - y1| */
} EngramExtrapolated;

/**
 * Mass that the slice would fall short of zero by: max(0, -mass of q), for the sum that gives the
 * common factor.
 *
 * @param extrapolation  1, or 0 to keep y2
 */
void EngramExtrapolationShortfall(ptrdiff_t slices, double extrapolation, const double *whole_mass,
                                  const double *half_mass, double *shortfall);

/**
 * Replaces y2 by the extrapolated rows.
 *
 * @param rows           rows of the densities, the nodes first
 * @param nodes          rows that are nodes
 * @param slices         slices of this process
 * @param stride         distance of two rows, at least `slices` rounded up to ENGRAM_SLICE_PADDING
 * @param spacing        h, which makes a sum over rows a mass
 * @param extrapolation  1, or 0 to keep y2 and learn the difference
 * @param factor         common factor: 1 over one plus the total shortfall
 * @param whole_result   of y1
 * @param halves_result  of y2; its arrays may be those of `extrapolated`
 * @param whole          [rows * stride] y1
 * @param halves         [rows * stride] y2, replaced
 */
void EngramExtrapolate(int rows, int nodes, ptrdiff_t slices, ptrdiff_t stride, double spacing,
                       double extrapolation, double factor, const EngramStepResult *whole_result,
                       const EngramStepResult *halves_result, const double *whole, double *halves,
                       const EngramExtrapolated *extrapolated);

#endif
