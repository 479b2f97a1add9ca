#include "stepper_jumps.h"

#include <math.h>

#include "engram/base/error.h"

/* A jump this close to the end of a step, in units of it, lies there. */
static const double STEP_TOLERANCE = 1e-6;

/* Parts of a phase in which samples look for jumps, so that one that is found costs few of them. */
enum { SEARCHED_PARTS = 64 };

/* Plain steps this much longer than eps pass over the layer in which the potentials settle. */
static const double FAR_ABOVE = 10.0;

/** The time of the first known jump, or feature of a table, within a plain step; or NaN. */
static double FirstPassedOver(const struct EngramStepper *stepper)
{
    const Jumps *jumps = &stepper->jumps;
    const double step = stepper->time.step;
    double last = stepper->model->phase.begin;
    for (PetscInt i = 0; i < jumps->count; i++) {
        const Jump *jump = &jumps->list[i];
        const double steps = (jump->time - stepper->model->phase.begin) / step;
        const PetscBool is_inside = (PetscBool)(fabs(steps - round(steps)) > STEP_TOLERANCE);
        const PetscBool is_close = (PetscBool)(jump->time - last < step * (1.0 - STEP_TOLERANCE));
        if (jump->time > last && ((is_inside && jump->restarts > 0.0) || is_close)) {
            return jump->time;
        }
        last = jump->time;
    }
    return NAN;
}

/**
 * The time of the first jump within a plain step, those that only samples find among them; or NaN.
 */
static PetscErrorCode SearchPassedOver(EngramStepper stepper, double *passed)
{
    InputWatch *watch = &stepper->watch;
    const double noise = EngramModelNoise(stepper->model, stepper->state.activity);
    const double begin = stepper->model->phase.begin;
    double start = begin;
    PetscFunctionBeginUser;
    *passed = FirstPassedOver(stepper);
    for (int part = 1; watch->needs_samples && part <= SEARCHED_PARTS; part++) {
        const double last = begin + (watch->end - begin) * part / SEARCHED_PARTS;
        while (start < last && isnan(*passed)) {
            double end = last;
            PetscCall(InputWatchStart(watch, noise, start));
            PetscCall(InputWatchStep(watch, noise, start, PETSC_FALSE, &end));
            *passed = FirstPassedOver(stepper);
            start = end;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Tells what plain steps do not see. */
static PetscErrorCode WarnOfPlainSteps(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    const double step = stepper->time.step;
    const double epsilon = stepper->model->phase.epsilon;
    double passed = NAN;
    PetscCall(SearchPassedOver(stepper, &passed));
    if (!isnan(passed)) {
        PetscCall(EngramWarning("-time_start plain: a step of %g passes over what the input does "
                                "at t = %.10g; -time_start graded ends steps there",
                                step, passed));
    } else if (stepper->state.time == 0.0 && epsilon > 0.0 && step > FAR_ABOVE * epsilon &&
               !stepper->model->quasi_static_start) {
        PetscCall(EngramWarning("-time_start plain: steps of %g are far above -model_epsilon %g: "
                                "they pass over the layer in which the initial potentials settle; "
                                "-time_start graded resolves it",
                                step, epsilon));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Echoes of what the rate did within the last delay, which the delay of a new phase may bring at
 * other times; those of echoes, too.
 */
static PetscErrorCode AddEchoesOfPast(EngramStepper stepper, double now)
{
    PetscFunctionBeginUser;
    const double delay = stepper->reaction.delay;
    Jumps *jumps = &stepper->jumps;
    for (PetscInt i = jumps->count - 1; delay > 0.0 && i >= 0; i--) {
        const Jump past = jumps->list[i];
        if (past.time <= now && past.time > now - delay) {
            PetscCall(JumpsAddWithEchoes(jumps, JumpOfTime(past.time, past.restarts > 0.0), delay));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StepperBeginJumps(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    const double now = stepper->state.time;
    if (stepper->is_plain) {
        PetscCall(InputWatchBegin(&stepper->watch, stepper->time.end));
        PetscCall(WarnOfPlainSteps(stepper));
        JumpsKeep(&stepper->jumps, 1.0, -1.0);
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    JumpsKeep(&stepper->jumps, -INFINITY, now);
    PetscCall(AddEchoesOfPast(stepper, now));
    PetscCall(
        JumpsAddWithEchoes(&stepper->jumps, JumpOfTime(now, PETSC_TRUE), stepper->reaction.delay));
    PetscCall(InputWatchBegin(&stepper->watch, stepper->time.end));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StepperRestoreJumps(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    if (!stepper->is_plain) {
        PetscCall(InputWatchBegin(&stepper->watch, stepper->time.end));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
