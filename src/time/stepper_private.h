/**
 * @file stepper_private.h
 * The inside of a stepper, for the files that make its steps.
 */
#ifndef ENGRAM_SRC_TIME_STEPPER_PRIVATE_H
#define ENGRAM_SRC_TIME_STEPPER_PRIVATE_H

#include "engram/base/reduction.h"
#include "engram/time/stepper.h"
#include "reaction.h"
#include "transport_step.h"

/** Values over the slices of this rank, padded, that a later attempt needs again. */
typedef struct SliceValues {
    double *threshold_rate;
    double *firing_rate;
    double *weight_density;
    double *minimum;
} SliceValues;

/** Numbers of a state that are the same on all ranks. */
enum { STEPPER_STATE_NUMBERS = 13 };

/** What one whole step and two half steps need besides the state. */
typedef struct PairedStep {
    EngramDensity whole;   /* result of the whole step */
    EngramDensity other;   /* result of the halves, where the rows before the step are kept */
    EngramState state;     /* before the step */
    SliceValues before;    /* results before the step */
    SliceValues result;    /* of the whole step */
    PetscBool has_swapped; /* the rows before the step are in `other` */
    double *shortfall;
    double *difference;
    double *rate_difference;
} PairedStep;

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
    PairedStep pair;
    PetscBool was_limit;     /* before the last change of the model: H itself was transported */
    PetscBool is_paired;     /* steps consist of a whole one and two halves */
    EngramLearningRule rule; /* its arrays are owned */
    EngramState state;
    double saved_numbers[STEPPER_STATE_NUMBERS]; /* of the state, when it is kept or given back */
    double *saved_history;                       /* [2 * saved_entries] times, then rates */
    PetscInt saved_entries;
    PetscInt saved_capacity;
};

/**
 * One step of first order from the state's time to a later one.
 *
 * @param from      rows before
 * @param to        rows after; may be the same
 * @param substeps  fewest sub-steps of an explicit transport
 */
PetscErrorCode StepperSubStep(EngramStepper stepper, const EngramDensity *from,
                              const EngramDensity *to, double time, ReactionExtent extent,
                              double substeps);

/** Allocates what paired steps need; the stepper's rows must exist. Not collective. */
PetscErrorCode PairedStepCreate(EngramStepper stepper);

/**
 * Steps to a later time by a whole step and two halves, which it combines. Collective.
 *
 * @param error  how much the two results differ, or NULL; needs another Allreduce
 */
PetscErrorCode PairedStepTake(EngramStepper stepper, double time, double *error);

/** Puts the stepper back to where the last paired step began; of adaptive runs. Not collective. */
PetscErrorCode PairedStepTakeBack(EngramStepper stepper);

/** Frees it; may be called twice. Not collective. */
PetscErrorCode PairedStepDestroy(EngramStepper stepper);

/** One adaptive step, not beyond a time: attempts until one is accepted. Collective. */
PetscErrorCode StepAdaptively(EngramStepper stepper, double latest);

#endif
