/**
 * @file transport_step.h
 * Transport in w over one time step, sub-cycled to its CFL limit.
 */
#ifndef ENGRAM_SRC_TIME_TRANSPORT_STEP_H
#define ENGRAM_SRC_TIME_TRANSPORT_STEP_H

#include "engram/base/reduction.h"
#include "engram/grid/density.h"
#include "engram/kernels/transport.h"
#include "engram/solver/slice_solver.h"
#include "engram/time/stepper.h"

/** Work space of the transport; all arrays include the two ghost cells. */
typedef struct TransportStep {
    const EngramGrid *grid;    /* borrowed */
    EngramSliceSolver solver;  /* borrowed: its rates are renewed between sub-steps */
    EngramReduction reduction; /* borrowed */
    const double *learning;    /* [w_local + 2], borrowed */
    EngramHalo halo;
    double largest_weight; /* max over all faces of |w| */
    double *phi;           /* [w_local + 2] */
    EngramTransportFractions fractions;
} TransportStep;

/** Allocates the work space. Collective. */
PetscErrorCode TransportStepCreate(const EngramGrid *grid, EngramSliceSolver solver,
                                   EngramReduction reduction, const double *learning,
                                   TransportStep *transport);

/** Longest explicit step for the rates of the state. Not collective. */
double TransportStepLimit(const TransportStep *transport, const EngramState *state);

/**
 * Transports the density over dt; counts the sub-steps in the state, and marks it when they are too
 * many to go on. Collective.
 */
PetscErrorCode TransportStepAdvance(TransportStep *transport, double dt, EngramState *state);

/** Frees the work space; may be called twice. Collective. */
PetscErrorCode TransportStepDestroy(TransportStep *transport);

#endif
