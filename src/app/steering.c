#include "steering.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engram/base/error.h"
#include "run.h"

static const char *const names[ENGRAM_STEER_COUNT] = ENGRAM_STEERING_NAMES;

static const char *const PART = "steering";

/* Adaptive steps end at every output; nobody waits for more of them, as a part of the run. */
static const double SHORTEST_INTERVAL = 1e-9;

PetscErrorCode SteeringSetFactor(const EngramSimulation *simulation)
{
    double factor = 1.0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetReal(simulation->options, names[ENGRAM_STEER_INPUT_FACTOR], &factor));
    EngramStepperSetInputFactor(simulation->stepper, (EngramInputFactor){factor, factor, 0.0});
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringStart(Run *run)
{
    EngramSteering *steering = &run->steering;
    PetscFunctionBeginUser;
    const EngramSimulation *simulation = run->simulation;
    const Restart *restart = simulation->restart;
    const PetscBool goes_on = (PetscBool)(restart && restart->is_found && restart->has_steering);
    for (int i = 0; i < STEERING_OPTIONS; i++) {
        PetscCall(EngramOptionsGetReal(simulation->options, names[i], &steering->present[i]));
        if (goes_on && !isnan(restart->steering.present[i])) {
            steering->present[i] = restart->steering.present[i];
        }
    }
    const double factor = steering->present[ENGRAM_STEER_INPUT_FACTOR];
    if (factor != EngramStepperInputFactor(simulation->stepper).after) {
        PetscCall(EngramStepperChangeInputFactor(simulation->stepper, factor));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Why a request cannot be met, or NULL. */
static const char *ReasonToRefuse(const Run *run, int what, double value)
{
    const EngramTimeParameters *time = &run->simulation->time;
    if (!isfinite(value) || fabs(value) > (double)PETSC_MAX_INT) {
        return "it must be a finite number of moderate size";
    }
    switch (what) {
    case ENGRAM_STEER_INSITU_EVERY:
    case ENGRAM_STEER_SERIES_EVERY:
        return value >= 1.0 && value == floor(value) ? NULL : "it must be a whole number from 1 on";
    case ENGRAM_STEER_FIELDS_EVERY:
        if (time->is_adaptive && value > 0.0 &&
            value < PetscMax(time->step_min, SHORTEST_INTERVAL * run->snapshot.end_time)) {
            return "adaptive steps end at every output: it must not be far below the run";
        }
        return value >= 0.0 ? NULL : "it must be at least 0";
    case ENGRAM_STEER_CHECKPOINT_EVERY:
        return value >= 0.0 ? NULL : "it must be at least 0";
    default:
        return NULL;
    }
}

/** Gives a new value to whoever uses it; the observers look it up themselves. */
static PetscErrorCode Apply(Run *run, int what, double value)
{
    PetscFunctionBeginUser;
    run->steering.present[what] = value;
    if (what == ENGRAM_STEER_INPUT_FACTOR) {
        PetscCall(EngramStepperChangeInputFactor(run->simulation->stepper, value));
    } else if (what == ENGRAM_STEER_CHECKPOINT_EVERY) {
        CheckpointingSetInterval(run, value);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeOverOne(Run *run, int what, double value)
{
    char text[256];
    EngramSteering *steering = &run->steering;
    PetscFunctionBeginUser;
    const double before = steering->present[what];
    const char *refusal = ReasonToRefuse(run, what, value);
    if (refusal) {
        (void)snprintf(text, sizeof(text),
                       "a script has requested %s = %g at step %" PetscInt64_FMT ": %s",
                       names[what], value, run->snapshot.step, refusal);
        PetscCall(EngramSteeringNoteFailure(steering, 1, text));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (value == before) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(Apply(run, what, value));
    steering->change[steering->changes++] =
        (EngramSteeringChange){what, run->snapshot.step, run->snapshot.time, before, value};
    PetscCall(EngramNote("step %" PetscInt64_FMT ": a script changes %s from %g to %g",
                         run->snapshot.step, names[what], before, value));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringTakeOver(Run *run)
{
    EngramSteering *steering = &run->steering;
    PetscFunctionBeginUser;
    if (!steering->has_requests) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    steering->has_requests = PETSC_FALSE;
    for (int i = 0; i < STEERING_OPTIONS; i++) {
        if (!isnan(steering->requests[i])) {
            PetscCall(TakeOverOne(run, i, steering->requests[i]));
        }
    }
    run->is_stop_requested = (PetscBool)!isnan(steering->requests[ENGRAM_STEER_STOP]);
    if (run->is_stop_requested) {
        steering->change[steering->changes++] = (EngramSteeringChange){
            ENGRAM_STEER_STOP, run->snapshot.step, run->snapshot.time, 0.0, 1.0};
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddPart(EngramStateParts *parts, SteeringNumbers *numbers)
{
    PetscFunctionBeginUser;
    PetscCall(EngramStateAddCommon(parts, PART, "dimensionless",
                                   "factor of the input before and after its last change, time of "
                                   "that; steer_input_factor, insitu_every, output_fields_every, "
                                   "output_series_every, checkpoint_every",
                                   STEERING_NUMBERS, (double *)numbers));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringAddNumbers(Run *run, EngramStateParts *parts)
{
    SteeringNumbers *numbers = &run->steering_numbers;
    PetscFunctionBeginUser;
    numbers->factor = EngramStepperInputFactor(run->simulation->stepper);
    for (int i = 0; i < STEERING_OPTIONS; i++) {
        numbers->present[i] = run->steering.present[i];
    }
    PetscCall(AddPart(parts, numbers));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringFindNumbers(EngramCheckpointFile *file, SteeringNumbers *numbers,
                                   EngramStateParts *parts, PetscBool *are_there)
{
    PetscInt count = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramCheckpointCount(file, PART, &count));
    *are_there = (PetscBool)(count == STEERING_NUMBERS);
    if (*are_there) {
        PetscCall(AddPart(parts, numbers));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteeringForgetChanged(EngramOptions options, EngramCheckpointFile *file,
                                     SteeringNumbers *numbers)
{
    char text[ENGRAM_OPTION_LENGTH];
    PetscFunctionBeginUser;
    for (int i = 0; i < STEERING_OPTIONS; i++) {
        double value = 0.0;
        PetscBool is_there = PETSC_FALSE;
        PetscCall(EngramOptionsGetReal(options, names[i], &value));
        PetscCall(EngramCheckpointReadOption(file, names[i], text, sizeof(text), &is_there));
        if (!is_there || strtod(text, NULL) != value) {
            numbers->present[i] = NAN;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
