/**
 * @file extrapolate.h
 * Extrapolation in time: a step of higher order from several results of a first-order scheme, kept
 * non-negative, and the estimate of its error.
 *
 * Let y1, y2, y3 be what one, two and three equal sub-steps make of the same state. With
 *
 *     second order   q = y2 + (y2 - y1)                    d = y2 - y1
 *     third order    q = y3 + 7/2 (y3 - y2) - 1/2 (y2 - y1)   d = q - (y3 + 2 (y3 - y2))
 *
 * q is the polynomial through them at a sub-step of length 0 (A. C. Aitken, E. H. Neville; E.
 * Hairer, G. Wanner, Solving ODEs II, section IV.9), and d its distance to the result of one order
 * less, which estimates the error. All are written as sums of differences to the last result: q
 * keeps the mass of the three to round-off.
 *
 * q may be negative where a step is too long for what happens in it. Negative entries of a slice
 * are then set to zero and the others scaled down to the mass of the slice, H = mass of q. Mass
 * moves between slices, too: a slice with H < 0 is left empty, and what it would have lost is taken
 * from all others by one common factor.
 */
#ifndef ENGRAM_KERNELS_EXTRAPOLATE_H
#define ENGRAM_KERNELS_EXTRAPOLATE_H

#include <stddef.h>

/** Results that are combined: the last one, and two earlier ones. */
enum { ENGRAM_STEP_EARLIER, ENGRAM_STEP_MIDDLE, ENGRAM_STEP_LAST, ENGRAM_STEP_RESULTS };

/**
 * Coefficients of the differences (earlier - last) and (middle - last): in q, to which the last
 * result is added, and in d. With two results the middle one may be any array and has zeros.
 */
typedef struct EngramCombination {
    double value[2];
    double error[2];
} EngramCombination;

/** One result: the rows, and what they say of every slice. Owned by the caller. */
typedef struct EngramStepResult {
    const double *rows;           /**< [rows * stride] */
    const double *weight_density; /**< [slices, padded] mass: spacing * sum over the rows */
    const double *firing_rate;    /**< [slices, padded], or NULL where there is none */
} EngramStepResult;

/** What the combination says of every slice: [slices, padded] each, owned by the caller. */
typedef struct EngramExtrapolated {
    double *weight_density; /**< mass of the new rows */
    double *firing_rate;    /**< left alone where there is none */
    double *minimum;        /**< smallest entry of the rows that are nodes */
    double *difference;     /**< spacing * sum over the rows of |d| */
} EngramExtrapolated;

/** The combination of one value: q of the three results. */
double EngramExtrapolatedValue(const EngramCombination *combination, double earlier, double middle,
                               double last);

/** The error estimate of one value: d of the three results. */
double EngramExtrapolatedError(const EngramCombination *combination, double earlier, double middle,
                               double last);

/**
 * Mass that every slice would fall short of zero by: max(0, -mass of q), for the sum that gives the
 * common factor.
 *
 * @param results    [ENGRAM_STEP_RESULTS]
 * @param shortfall  [slices]
 */
void EngramExtrapolationShortfall(ptrdiff_t slices, const EngramCombination *combination,
                                  const EngramStepResult *results, double *shortfall);

/**
 * Combines the results.
 *
 * @param rows         rows of the densities, the nodes first
 * @param nodes        rows that are nodes
 * @param slices       slices of this process
 * @param stride       distance of two rows, at least `slices` rounded up to ENGRAM_SLICE_PADDING
 * @param spacing      h, which makes a sum over rows a mass
 * @param factor       common factor: 1 over one plus the total shortfall
 * @param results      [ENGRAM_STEP_RESULTS]
 * @param values       [rows * stride] the combination; may be the rows of one of the results
 * @param extrapolated  its arrays may be those of the last result
 */
void EngramExtrapolate(int rows, int nodes, ptrdiff_t slices, ptrdiff_t stride, double spacing,
                       double factor, const EngramCombination *combination,
                       const EngramStepResult *results, double *values,
                       const EngramExtrapolated *extrapolated);

#endif
