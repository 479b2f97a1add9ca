/**
 * @file euler_step.h
 * One step of first order: transport in w, then the implicit reacting part in v.
 *
 * Source: He, Hu, Zhou (arXiv 2109.04667), section 3, with the flux of transport.h in w.
 */
#ifndef ENGRAM_SRC_TIME_EULER_STEP_H
#define ENGRAM_SRC_TIME_EULER_STEP_H

#include "reaction.h"
#include "transport_step.h"

/** The two parts of a step. */
typedef struct EulerStep {
    Reaction *reaction;       /* borrowed */
    TransportStep *transport; /* borrowed; NULL: the weights are frozen */
    EngramState *state;       /* borrowed */
} EulerStep;

/**
 * Steps from the state's time to a later one. Collective.
 *
 * @param from      rows before
 * @param to        rows after; may be the same
 * @param substeps  fewest sub-steps of an explicit transport
 * @param rate      what is known of the rate at the end, and what it is found to be
 */
PetscErrorCode EulerStepTake(const EulerStep *step, const EngramDensity *from,
                             const EngramDensity *to, double time, ReactionExtent extent,
                             double substeps, ReactionRate *rate);

#endif
