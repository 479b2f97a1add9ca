/**
 * @file transport_step.h
 * Transport in w over one time step: explicit, sub-cycled to its CFL limit, or implicit.
 */
#ifndef ENGRAM_SRC_TIME_TRANSPORT_STEP_H
#define ENGRAM_SRC_TIME_TRANSPORT_STEP_H

#include "engram/grid/density.h"
#include "engram/kernels/slice_step.h"
#include "engram/model/learning_rule.h"
#include "engram/time/state.h"
#include "engram/time/time_parameters.h"
#include "implicit_transport.h"
#include "reaction.h"

/** Work space of the transport. */
typedef struct TransportStep {
    const EngramGrid *grid; /* borrowed */
    Reaction *reaction;     /* borrowed: it renews the rates between sub-steps */
    EngramTransportParameters parameters;
    const EngramLearningRule *rule; /* borrowed */
    EngramHalo halo;
    double largest_weight; /* max over all faces of |w| */
    double *phi;           /* [w_local + 6] Phi, with three ghost cells at either end */
    double *weight;        /* [w_local + 6] w at the same places */
    EngramTransportFractions fractions; /* of the explicit transport of first order */
    EngramTransportCourant courant;     /* of the second */
    EngramTransportFifth fifth;         /* of the fifth */
    EngramSliceTransport explicit_step; /* the present explicit sub-step */
    ImplicitTransport implicit;
} TransportStep;

/**
 * Allocates the work space. Collective.
 *
 * @param rows  rows of what will be transported
 */
PetscErrorCode TransportStepCreate(const EngramGrid *grid, PetscInt rows,
                                   const EngramTransportParameters *parameters, Reaction *reaction,
                                   const EngramLearningRule *rule, TransportStep *transport);

/** Where a transport has left the rows, and what is still to be made of it. */
typedef struct TransportRest {
    const EngramDensity *rows;
    const EngramSliceTransport *transport; /* NULL: nothing; valid until the next transport */
} TransportRest;

/** Longest step without sub-steps for the rates of the state. Not collective. */
double TransportStepLimit(const TransportStep *transport, const EngramState *state);

/**
 * Transports rows over dt in at least the given number of sub-steps; counts them in the state, and
 * marks it when they are too many to go on. With a lagged coupling the last explicit sub-step of a
 * density is left to the solve that follows, which makes it on the way. Collective.
 *
 * @param from  rows before
 * @param to    rows after; may be the same
 * @param rest  where the rows are, and what is left
 */
PetscErrorCode TransportStepAdvance(TransportStep *transport, double dt, double substeps,
                                    const EngramDensity *from, const EngramDensity *to,
                                    EngramState *state, TransportRest *rest);

/** Bytes of the work space that are as large as a density. Not collective. */
double TransportStepMemory(const TransportStep *transport);

/** Frees the work space; may be called twice. Collective. */
PetscErrorCode TransportStepDestroy(TransportStep *transport);

#endif
