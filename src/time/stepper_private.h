/**
 * @file stepper_private.h
 * The inside of a stepper, for the files that start it, take it to a new phase, and keep its state.
 */
#ifndef ENGRAM_SRC_TIME_STEPPER_PRIVATE_H
#define ENGRAM_SRC_TIME_STEPPER_PRIVATE_H

#include "engram/base/reduction.h"
#include "engram/time/stepper.h"
#include "segment.h"

/** Numbers of a state that are the same on all ranks. */
enum { STEPPER_STATE_NUMBERS = 16 };

struct EngramStepper {
    const EngramGrid *grid;   /* borrowed */
    const EngramModel *model; /* borrowed */
    EngramSliceSolver solver; /* borrowed */
    EngramTimeParameters time;
    EngramCouplingParameters coupling;
    EngramDensity density; /* p */
    EngramDensity weights; /* H, one row: what is transported where eps = 0 */
    EngramDensity *rows;   /* the one of the two that a step changes */
    EngramReduction reduction;
    TransportStep transport;
    Reaction reaction;
    CombinedStep step;
    Jumps jumps; /* empty with plain steps */
    InputWatch watch;
    Segment segment;
    PetscBool was_limit;     /* before the last change of the model: H itself was transported */
    PetscBool is_plain;      /* fixed steps that know nothing of jumps */
    EngramLearningRule rule; /* its arrays are owned */
    EngramState state;
    double saved_numbers[STEPPER_STATE_NUMBERS]; /* of the state, when it is kept or given back */
    double *saved_history;                       /* [2 * saved_entries] times, then rates */
    PetscInt saved_entries;
    PetscInt saved_capacity;
    PetscInt saved_jumps; /* that are given back into `jumps` */
};

#endif
