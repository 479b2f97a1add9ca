/**
 * @file stepper_jumps.h
 * The jumps of a run: those that are known when it or a phase begins, and what plain steps miss.
 */
#ifndef ENGRAM_SRC_TIME_STEPPER_JUMPS_H
#define ENGRAM_SRC_TIME_STEPPER_JUMPS_H

#include "stepper_private.h"

/**
 * Makes the state's time a jump and adds those that are known of the present phase. Plain steps
 * know none; they are warned of once where they pass over some. Collective.
 */
PetscErrorCode StepperBeginJumps(EngramStepper stepper);

/** The same for a state that is given back with its jumps. Not collective. */
PetscErrorCode StepperRestoreJumps(EngramStepper stepper);

#endif
