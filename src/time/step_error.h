/**
 * @file step_error.h
 * The estimated error of a combined step: what its results differ by, slice by slice and in sum.
 */
#ifndef ENGRAM_SRC_TIME_STEP_ERROR_H
#define ENGRAM_SRC_TIME_STEP_ERROR_H

#include "engram/base/reduction.h"
#include "engram/grid/density.h"
#include "engram/kernels/extrapolate.h"

/** Estimates of every slice, [EngramGridPaddedSlices] each. */
typedef struct StepErrorSlices {
    double *density; /* integral of |d_p| over v */
    double *rate;    /* |d_N| */
    double *signed_rate;
    double *weight; /* w d_H */
} StepErrorSlices;

/** Estimated errors of a step: integrals over w. */
typedef struct StepError {
    double density; /* integral of |d_p| */
    double rates;   /* integral of |d_N| */
    double total;   /* |integral of d_N| */
    double weight;  /* |integral of w d_H| */
} StepError;

/** Allocates the arrays. Not collective. */
PetscErrorCode StepErrorCreate(const EngramGrid *grid, StepErrorSlices *slices);

/**
 * Estimates of N and w H, before the results are combined; that of the density comes with the
 * combination. Where results have no rates, d_N is the rate of one neuron times d_H. Not
 * collective.
 *
 * @param results  [ENGRAM_STEP_RESULTS]
 * @param one      [w_local] rate of one neuron
 */
void StepErrorEstimate(const EngramGrid *grid, const EngramCombination *combination,
                       const EngramStepResult *results, const double *one,
                       const StepErrorSlices *slices);

/** The integrals of all estimates. Collective; one Allreduce. */
PetscErrorCode StepErrorIntegrate(const EngramGrid *grid, EngramReduction reduction,
                                  const StepErrorSlices *slices, StepError *error);

/** Frees the arrays; may be called twice. Not collective. */
PetscErrorCode StepErrorDestroy(StepErrorSlices *slices);

#endif
