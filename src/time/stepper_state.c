/* The state of a stepper as named parts, and back. */
#include <math.h>

#include "engram/base/error.h"
#include "stepper_jumps.h"

/* The common numbers of a state, in the order of the file. */
enum {
    TIME,
    STEP_LENGTH,
    NEXT_STEP,
    TOTAL_RATE,
    LARGEST_LEARNING,
    MASS_EXCESS,
    ACTIVITY,
    ACTIVITY_TIME,
    RATE_TREND,
    COUPLING_SLOPE,
    COUPLING_SLOPE_OF_TWO,
    COUPLING_SLOPE_OF_THREE,
    COUPLING_ITERATIONS,
    COUPLING_SOLUTIONS,
    STEPS,
    IS_UNMET,
};

static const char *const NUMBERS_DESCRIPTION =
    "time, step_length, next_step, total_rate, largest_learning, mass_excess, activity, "
    "activity_time, rate_trend, coupling_slope of one, two and three sub-steps, "
    "coupling_iterations, coupling_solutions, steps, is_unmet";

static void PackNumbers(const EngramState *state, double *numbers)
{
    numbers[TIME] = state->time;
    numbers[STEP_LENGTH] = state->step_length;
    numbers[NEXT_STEP] = state->next_step;
    numbers[TOTAL_RATE] = state->total_rate;
    numbers[LARGEST_LEARNING] = state->largest_learning;
    numbers[MASS_EXCESS] = state->mass_excess;
    numbers[ACTIVITY] = state->activity;
    numbers[ACTIVITY_TIME] = state->activity_time;
    numbers[RATE_TREND] = state->rate_trend;
    for (int k = 0; k < ENGRAM_COMBINED_RESULTS; k++) {
        numbers[COUPLING_SLOPE + k] = state->coupling_slope[k];
    }
    numbers[COUPLING_ITERATIONS] = (double)state->coupling_iterations;
    numbers[COUPLING_SOLUTIONS] = (double)state->coupling_solutions;
    numbers[STEPS] = (double)state->steps;
    numbers[IS_UNMET] = state->is_unmet ? 1.0 : 0.0;
}

static void UnpackNumbers(const double *numbers, EngramState *state)
{
    state->time = numbers[TIME];
    state->step_length = numbers[STEP_LENGTH];
    state->next_step = numbers[NEXT_STEP];
    state->total_rate = numbers[TOTAL_RATE];
    state->largest_learning = numbers[LARGEST_LEARNING];
    state->mass_excess = numbers[MASS_EXCESS];
    state->activity = numbers[ACTIVITY];
    state->activity_time = numbers[ACTIVITY_TIME];
    state->rate_trend = numbers[RATE_TREND];
    for (int k = 0; k < ENGRAM_COMBINED_RESULTS; k++) {
        state->coupling_slope[k] = numbers[COUPLING_SLOPE + k];
    }
    state->coupling_iterations = (PetscInt)numbers[COUPLING_ITERATIONS];
    state->coupling_solutions = (PetscInt)numbers[COUPLING_SOLUTIONS];
    state->steps = (PetscInt64)numbers[STEPS];
    state->is_unmet = (PetscBool)(numbers[IS_UNMET] != 0.0);
}

/** Parts over the slices: the densities, and what the last step said of them. */
static PetscErrorCode AddSlices(EngramStepper stepper, EngramStateParts *parts)
{
    const EngramSliceResults *results = stepper->state.results;
    const PetscInt stride = stepper->grid->w_stride;
    PetscFunctionBeginUser;
    PetscCall(EngramStateAddSlices(parts, "density", "1/(potential weight)",
                                   "p[v][w]; with a refractory state its content over h as the "
                                   "last row",
                                   stepper->density.rows, stride, stepper->density.values));
    if (stepper->rows != &stepper->density) {
        PetscCall(EngramStateAddSlices(parts, "weights", "1/weight",
                                       "H[w], of which the density is the quasi-static state", 1,
                                       stride, stepper->weights.values));
    }
    PetscCall(EngramStateAddSlices(parts, "threshold_rate", "1/reacting time",
                                   "rate of one neuron in the limit model", 1, stride,
                                   results->threshold_rate));
    PetscCall(EngramStateAddSlices(parts, "firing_rate", "1/(reacting time weight)",
                                   "N[w], as the next step sees it", 1, stride,
                                   results->firing_rate));
    PetscCall(EngramStateAddSlices(parts, "weight_density", "1/weight",
                                   "H[w], as the last step measured it", 1, stride,
                                   results->weight_density));
    PetscCall(EngramStateAddSlices(parts, "minimum", "1/(potential weight)",
                                   "smallest density of each slice", 1, stride, results->minimum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Room for the total rates of the past, as times followed by rates. */
static PetscErrorCode MakeRoomForHistory(EngramStepper stepper, PetscInt entries)
{
    PetscFunctionBeginUser;
    const PetscInt count = 2 * entries;
    if (count > stepper->saved_capacity) {
        PetscCall(PetscFree(stepper->saved_history));
        PetscCall(PetscMalloc1(count, &stepper->saved_history));
        stepper->saved_capacity = count;
    }
    stepper->saved_entries = entries;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddCommon(EngramStepper stepper, EngramStateParts *parts)
{
    PetscFunctionBeginUser;
    PetscCall(EngramStateAddCommon(parts, "numbers", "dimensionless", NUMBERS_DESCRIPTION,
                                   STEPPER_STATE_NUMBERS, stepper->saved_numbers));
    PetscCall(EngramStateAddCommon(parts, ENGRAM_STEPPER_HISTORY, "dimensionless",
                                   "total rate of the past: all times, then all rates",
                                   2 * stepper->saved_entries, stepper->saved_history));
    PetscCall(EngramStateAddCommon(parts, ENGRAM_STEPPER_JUMPS, "dimensionless",
                                   "jumps of the input and their echoes: time, last time before, "
                                   "first time after, 1 if steps begin anew",
                                   JUMP_NUMBERS * stepper->jumps.count,
                                   (double *)stepper->jumps.list));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperSave(EngramStepper stepper, EngramStateParts *parts)
{
    const RateHistory *history = &stepper->reaction.history;
    PetscFunctionBeginUser;
    PackNumbers(&stepper->state, stepper->saved_numbers);
    const PetscInt entries = history->count - history->first;
    PetscCall(MakeRoomForHistory(stepper, entries));
    PetscCall(PetscArraycpy(stepper->saved_history, history->times + history->first, entries));
    PetscCall(
        PetscArraycpy(stepper->saved_history + entries, history->rates + history->first, entries));
    PetscCall(AddSlices(stepper, parts));
    PetscCall(AddCommon(stepper, parts));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperRestoreBegin(EngramStepper stepper, PetscInt history, PetscInt jumps,
                                         EngramStateParts *parts)
{
    PetscFunctionBeginUser;
    PetscCall(JumpsMakeRoom(&stepper->jumps, jumps / JUMP_NUMBERS));
    stepper->jumps.count = jumps / JUMP_NUMBERS;
    PetscCall(MakeRoomForHistory(stepper, history / 2));
    PetscCall(AddSlices(stepper, parts));
    PetscCall(AddCommon(stepper, parts));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperRestoreEnd(EngramStepper stepper)
{
    EngramState *state = &stepper->state;
    RateHistory *history = &stepper->reaction.history;
    PetscFunctionBeginUser;
    state->is_finite = PETSC_TRUE;
    UnpackNumbers(stepper->saved_numbers, state);
    history->first = 0;
    history->count = 0;
    for (PetscInt i = 0; i < stepper->saved_entries; i++) {
        PetscCall(RateHistoryPush(history, stepper->saved_history[i],
                                  stepper->saved_history[stepper->saved_entries + i]));
    }
    if (stepper->reaction.delay > 0.0 &&
        !(history->count > 0 && history->times[history->count - 1] == state->time)) {
        /* The state is that of a network without a delay. */
        PetscCall(RateHistoryPush(history, state->time, state->total_rate));
    }
    /* Drift and noise of the slices follow from the activity. */
    PetscCall(StepperRestoreJumps(stepper));
    DriveSet(&stepper->reaction.drive, state->activity_time, DRIVE_AT_END, state->activity, state);
    PetscFunctionReturn(PETSC_SUCCESS);
}
