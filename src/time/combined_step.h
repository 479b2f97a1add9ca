/**
 * @file combined_step.h
 * A step of first, second or third order: one, two and three Euler sub-steps, combined.
 *
 * T1, T2 and T3 are the results of one, two and three equal sub-steps, with equally many sub-steps
 * of an explicit transport in each, so that their errors are in proportion. extrapolate.h combines
 * them and estimates the error.
 */
#ifndef ENGRAM_SRC_TIME_COMBINED_STEP_H
#define ENGRAM_SRC_TIME_COMBINED_STEP_H

#include "engram/time/time_parameters.h"
#include "euler_step.h"
#include "slice_values.h"
#include "step_error.h"

/** What sub-steps need besides the state. */
typedef struct CombinedStep {
    EulerStep euler;
    EngramTimeScheme scheme;
    int results;         /* that are combined: 1, 2 or 3 */
    PetscBool can_undo;  /* the rows before the step are kept */
    PetscBool may_scan;  /* a coupling without a solution is searched for others */
    PetscBool is_lagged; /* coupling */
    EngramDensity *rows; /* what a step changes, p or H; borrowed */
    EngramDensity other[ENGRAM_STEP_RESULTS]; /* rows of the results that are not in `rows` */
    SliceValues before;                       /* results of the slices before the step */
    SliceValues values[ENGRAM_STEP_RESULTS];  /* those of each result but the last */
    EngramState state;                        /* before the step */
    DriveSide side;                           /* of the drift before the step */
    ReactionRate found[ENGRAM_STEP_RESULTS];  /* total rates at the end, by each result */
    double middle_rate;                       /* of two sub-steps, between them */
    PetscBool has_swapped;                    /* the rows before the step are in `other` */
    double *shortfall;                        /* [padded] each, over the slices */
    StepErrorSlices error;
} CombinedStep;

/**
 * Allocates what the steps of a scheme need; `euler` must be set. Not collective.
 *
 * @param rows         what a step changes; borrowed
 * @param is_adaptive  steps need an estimate, and can be undone
 */
PetscErrorCode CombinedStepCreate(const EulerStep *euler, EngramTimeScheme scheme,
                                  PetscBool is_adaptive, EngramDensity *rows, CombinedStep *step);

/**
 * Steps to a later time. Collective.
 *
 * @param side   from which the drift at the beginning sees its input
 * @param error  the estimated error, or NULL; needs another Allreduce
 */
PetscErrorCode CombinedStepTake(CombinedStep *step, double time, DriveSide side, StepError *error);

/** Goes back to where the last step began; of adaptive steps. Not collective. */
PetscErrorCode CombinedStepUndo(CombinedStep *step);

/** Densities of the size of the rows that it holds. */
int CombinedStepDensities(EngramTimeScheme scheme, PetscBool is_adaptive);

/** Frees it; may be called twice. Not collective. */
PetscErrorCode CombinedStepDestroy(CombinedStep *step);

#endif
