/**
 * @file protocol.h
 * A run that is made of named phases, one after the other, each with an input, a time scale and
 * plasticity of its own: learning, rest, tests.
 *
 * A phase lasts up to and including its end: the state at that time belongs to it, and the next one
 * begins with the step after.
 */
#ifndef ENGRAM_SRC_APP_PROTOCOL_H
#define ENGRAM_SRC_APP_PROTOCOL_H

#include "engram/app/simulation.h"

/** One phase. */
typedef struct Phase {
    char *name; /* owned */
    double end;
    EngramModelPhase model; /* its input is owned */
    PetscBool resets;       /* it begins with the potentials of the initial density */
} Phase;

/** The phases of a run; without any, `count` is 0 and the run goes to `end` as it began. */
typedef struct Protocol {
    int count;
    int present;
    Phase *phase;     /* [count] */
    double end;       /* of the whole run */
    PetscInt64 steps; /* of all phases */
} Protocol;

/** The options, for registration. */
extern const EngramOptionTable ProtocolOptions;
extern const EngramOptionFamily ProtocolPhaseOptions;

/**
 * Reads the phases and the end of the run, puts the model into the first phase, and has the steps
 * end with it. The simulation has its time and model already. Collective.
 * @return ENGRAM_ERR_INPUT for any mistake of the user
 */
PetscErrorCode ProtocolCreate(EngramSimulation *simulation);

/** Refuses phases with which the stepper could not go on. Collective. */
PetscErrorCode ProtocolCheck(EngramSimulation *simulation);

/**
 * Puts model and stepper into the phase of a time, before a state of that time is restored.
 * Collective.
 * @return ENGRAM_ERR_INPUT for a time beyond the end
 */
PetscErrorCode ProtocolGoTo(EngramSimulation *simulation, double time);

/** Where the present phase has come to its end and another one follows, begins that. Collective. */
PetscErrorCode ProtocolAdvance(EngramSimulation *simulation);

/** Whether a time is the end of the present phase of a protocol. Not collective. */
PetscBool ProtocolIsAtEnd(const Protocol *protocol, double time);

/** Steps of the whole run; of no meaning where they are adaptive. Not collective. */
PetscInt64 ProtocolSteps(const EngramSimulation *simulation);

/** Name of the present phase, or NULL without phases; borrowed. Not collective. */
const char *ProtocolPhaseName(const Protocol *protocol);

/** Frees it; accepts NULL. Not collective. */
PetscErrorCode ProtocolDestroy(Protocol **protocol);

#endif
