/**
 * @file oscillation.h
 * Whether the total rate jumps up and down from step to step without end, as it does where the
 * lagged coupling overshoots.
 */
#ifndef ENGRAM_SRC_APP_OSCILLATION_H
#define ENGRAM_SRC_APP_OSCILLATION_H

#include "engram/app/simulation.h"

/** The last steps. */
typedef struct Oscillation {
    double rate;   /* before the last step */
    double change; /* by the last step */
    int turns;     /* one after the other */
    PetscBool has_warned;
} Oscillation;

/** Looks at the last step and warns, once. The same on all ranks; not collective. */
PetscErrorCode OscillationLook(const EngramSimulation *simulation, Oscillation *oscillation);

#endif
