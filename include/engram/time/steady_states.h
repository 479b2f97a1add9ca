/**
 * @file steady_states.h
 * The total rates at which a network with given weights is in a quasi-static state, and what is
 * known where there is none.
 */
#ifndef ENGRAM_TIME_STEADY_STATES_H
#define ENGRAM_TIME_STEADY_STATES_H

#include "engram/solver/coupling.h"

/** What a search has found. */
typedef struct EngramSteadyStates {
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS]; /**< in ascending order */
    PetscInt count;
    double made_up[ENGRAM_COUPLING_ROOTS]; /**< rates of states of the harmonic flux that the other
                                                flux does not have; not among the roots */
    PetscInt made_up_count;
    PetscInt other_count;        /**< states that the other flux has, where there is no root */
    EngramCouplingSearch search; /**< where there is no root; zeros if it was not asked for */
    const char *failure;         /**< why some rate that was tried has no meaning, or NULL */
} EngramSteadyStates;

/**
 * Describes in what sense there is no state. Not collective.
 *
 * @param largest_rate  of the search
 */
PetscErrorCode EngramSteadyStatesDescribeNone(const EngramSteadyStates *states, double largest_rate,
                                              char *text, size_t size);

/** Warns of states that were left out. Collective. */
PetscErrorCode EngramSteadyStatesWarn(const EngramSteadyStates *states);

#endif
