/**
 * @file run.h
 * One run under way: the simulation, its observers, and what they are shown.
 */
#ifndef ENGRAM_SRC_APP_RUN_H
#define ENGRAM_SRC_APP_RUN_H

#include "checkpointing.h"
#include "cut_off_warning.h"
#include "engram/app/simulation.h"
#include "engram/observe/observer.h"
#include "oscillation.h"
#include "quasi_static.h"
#include "steering.h"
#include "threshold_layer.h"

enum { RUN_MAXIMUM_OBSERVERS = 16 };

/** Copies of what a step says of the slices, so that the last good state outlives a bad one. */
typedef struct SliceCopies {
    PetscInt count;
    double *firing_rate;
    double *weight_density;
    double *minimum;
    double *refractory;
    double *learning_velocity;
} SliceCopies;

/** A run. */
typedef struct Run {
    EngramSimulation *simulation;         /* borrowed */
    const EngramOutputParameters *output; /* borrowed */
    EngramOutcome *outcome;               /* borrowed */
    EngramObserver observers[RUN_MAXIMUM_OBSERVERS];
    int observer_count;
    SliceCopies copies;
    EngramSnapshot snapshot;
    Checkpointing checkpointing;
    EngramSteering steering;
    SteeringNumbers steering_numbers; /* for a checkpoint */
    PetscBool is_stop_requested;      /* by a script */
    QuasiStatic quasi_static;
    ThresholdLayer layer;
    CutOff cut_off;
    Oscillation oscillation;
    double started; /* wall time */
} Run;

/**
 * Makes the observers and shows them the first state, or lets them go on where they were. After a
 * failure, too, RunStop must be called. Collective.
 *
 * @param plan  what the run does, in some words; borrowed
 */
PetscErrorCode RunStart(EngramSimulation *simulation, const EngramOutputParameters *output,
                        const char *plan, EngramOutcome *outcome, Run *run);

/**
 * One step, shown to the observers; where there is no way on the outcome says why and the snapshot
 * is the last. Writes checkpoints that are due. Collective.
 */
PetscErrorCode RunStep(Run *run);

/**
 * Where the next step may lead: its end, or for adaptive steps the next time of the output or the
 * end of the phase. Not collective.
 *
 * @param fields_every     present interval of the fields; 0: none
 * @param series_interval  interval of the rows of the series; 0: none
 */
double RunNextTarget(const EngramSimulation *simulation, double fields_every,
                     double series_interval);

/** Whether another step is to be taken. Not collective. */
PetscBool RunGoesOn(const Run *run);

/** Shows the observers the present state as step `number` at time `number`. Collective. */
PetscErrorCode RunShow(Run *run, PetscInt64 number);

/**
 * Completes the outcome, stops the observers and frees them. Collective.
 *
 * @param code  of what the run has done: after a failure the observers are freed without a word
 * @return that code, or that of a failure to stop
 */
PetscErrorCode RunStop(Run *run, PetscErrorCode code);

#endif
