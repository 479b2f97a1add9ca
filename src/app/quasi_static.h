/**
 * @file quasi_static.h
 * The quasi-static state of the present weights beside a run that is not in it.
 */
#ifndef ENGRAM_SRC_APP_QUASI_STATIC_H
#define ENGRAM_SRC_APP_QUASI_STATIC_H

#include "engram/app/simulation.h"

/** Memory for it; zeros where it is not asked for. */
typedef struct QuasiStatic {
    EngramSliceSolver solver; /* borrowed */
    PetscInt padded;
    EngramDensity density;
    double *weight_density; /* [padded] H, which the solver measures anew */
    double *kept;           /* [4 * padded] results of the solver */
} QuasiStatic;

/** Allocates it. Not collective. */
PetscErrorCode QuasiStaticCreate(const EngramSimulation *simulation, QuasiStatic *state);

/**
 * H Q(v; mu) with the present H and mu; the solver is left as it was. Not collective.
 *
 * @param context  a QuasiStatic
 * @param density  [v_nodes * w_stride], valid until the next call
 */
PetscErrorCode QuasiStaticFind(void *context, const double **density);

/** Frees it; may be called twice. Not collective. */
PetscErrorCode QuasiStaticDestroy(QuasiStatic *state);

#endif
