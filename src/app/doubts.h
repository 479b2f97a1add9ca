/**
 * @file doubts.h
 * What may make the results doubtful though every step was taken.
 */
#ifndef ENGRAM_SRC_APP_DOUBTS_H
#define ENGRAM_SRC_APP_DOUBTS_H

#include "engram/app/simulation.h"

/**
 * Warns at the end of a run of steps with several total rates, of adaptive steps above their
 * tolerance, and of learning that crosses too many cells in an implicit step. Collective.
 */
PetscErrorCode DoubtsWarn(const EngramSimulation *simulation, const EngramOutcome *outcome);

#endif
