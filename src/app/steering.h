/**
 * @file steering.h
 * Takes over what scripts request of a run, and keeps it through a restart.
 */
#ifndef ENGRAM_SRC_APP_STEERING_H
#define ENGRAM_SRC_APP_STEERING_H

#include "engram/app/simulation.h"
#include "engram/checkpoint/checkpoint_file.h"

struct Run;

/** Options that have a value, all but the last of ENGRAM_STEERING_NAMES. */
enum { STEERING_OPTIONS = ENGRAM_STEER_STOP };

/** The steerable side of a run, as kept in a checkpoint. */
typedef struct SteeringNumbers {
    EngramInputFactor factor;
    double present[STEERING_OPTIONS]; /* NaN: that of the case */
} SteeringNumbers;

enum { STEERING_NUMBERS = (int)(sizeof(SteeringNumbers) / sizeof(double)) };

/** Gives the stepper the factor of the case, before it starts. Not collective. */
PetscErrorCode SteeringSetFactor(const EngramSimulation *simulation);

/** Present values: of the case, or of the checkpoint that the run goes on from. Not collective. */
PetscErrorCode SteeringStart(struct Run *run);

/**
 * Takes over the requests that the observers have left: collective, after them and before a
 * checkpoint of the same step.
 * @return ENGRAM_ERR_INSITU for a request that cannot be met, where failures end the run
 */
PetscErrorCode SteeringTakeOver(struct Run *run);

/** Adds the present values to a state. Not collective. */
PetscErrorCode SteeringAddNumbers(struct Run *run, EngramStateParts *parts);

/** Adds those of a checkpoint to the parts to be read, if it has any. Collective. */
PetscErrorCode SteeringFindNumbers(EngramCheckpointFile *file, SteeringNumbers *numbers,
                                   EngramStateParts *parts, PetscBool *are_there);

/** Gives up steered values of options that the case has changed since the checkpoint. Collective.
 */
PetscErrorCode SteeringForgetChanged(EngramOptions options, EngramCheckpointFile *file,
                                     SteeringNumbers *numbers);

#endif
