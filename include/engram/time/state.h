/**
 * @file state.h
 * The state of a run in time: what a step begins with, and what it says of itself.
 */
#ifndef ENGRAM_TIME_STATE_H
#define ENGRAM_TIME_STATE_H

#include <petscsys.h>

#include "engram/grid/density.h"
#include "engram/kernels/slice_step.h"

/** Most results that a step combines: that of one, two and three sub-steps. */
#define ENGRAM_COMBINED_RESULTS 3

/** The state after a step. Pointers are borrowed and valid until the next step. */
typedef struct EngramState {
    double time;
    double step_length;      /**< of the last step */
    double next_step;        /**< what an adaptive run tries next; 0: nothing is known yet */
    double total_rate;       /**< Nbar */
    double largest_learning; /**< max over w of |Phi| / Nbar */
    double mass_excess;      /**< integral of p minus one, where that is round-off */
    double activity;         /**< total rate that the present drift and noise see ... */
    double activity_time;    /**< ... and the time of the present input */
    double rate_trend;       /**< change of Nbar per time in the last step */
    double coupling_slope[ENGRAM_COMBINED_RESULTS]; /**< G' of the scalar equation, for one, two
                                                         and three sub-steps; 0: not known */
    PetscInt64 steps;                               /**< taken since the start */
    PetscInt64 parts;                               /**< of the last step, where it was graded */
    PetscInt64 solves;                 /**< of all slices in the last step, attempts included */
    PetscInt64 substeps;               /**< transport sub-steps of the last step */
    double learning_courant;           /**< cells crossed by learning in an implicit transport step:
                                            2 max|Phi| dt/dw; 0 where transport is explicit */
    PetscInt64 rejected;               /**< attempts at the last step that were too long */
    PetscBool is_unmet;                /**< the last step is the shortest and above its tolerance */
    PetscInt coupling_iterations;      /**< evaluations of the scalar equation in the last step */
    PetscInt coupling_solutions;       /**< total rates known to solve it; 1 where none is needed */
    PetscBool is_finite;               /**< false: the state must not be continued */
    PetscBool has_blown_up;            /**< no step can follow; the state is good if it is finite */
    const char *failure;               /**< why not */
    int notices;                       /**< of any rank, as of the last Allreduce: notice.h */
    PetscBool is_untouched;            /**< the failed step has left density and results alone */
    const EngramDensity *density;      /**< p of this rank */
    const EngramSliceResults *results; /**< N, H, minimum of this rank's slices */
} EngramState;

/** The factor of the input, which a run may change between two steps. */
typedef struct EngramInputFactor {
    double before; /**< up to the time of the change ... */
    double after;  /**< ... and beyond it */
    double since;  /**< that time */
} EngramInputFactor;

#endif
