#include <math.h>

#include "engram/base/error.h"
#include "stepper_private.h"

/* The error of a first-order step goes with the square of its length. A new length is a little
 * shorter than what the error of the last one allows, and not too different from it. */
static const double SAFETY = 0.9;
static const double SMALLEST_FACTOR = 0.2;
static const double LARGEST_FACTOR = 3.0;

/* A step that would leave less than this part of itself is stretched to the target. */
static const double STRETCH = 1e-6;

/** Factor for the length of the next step. */
static double FactorFor(double tolerance, double error)
{
    const double factor = SAFETY * sqrt(tolerance / error);
    return isfinite(factor) ? PetscMin(PetscMax(factor, SMALLEST_FACTOR), LARGEST_FACTOR)
                            : (error == 0.0 ? LARGEST_FACTOR : SMALLEST_FACTOR);
}

/** End of an attempt: the target exactly, or halfway to it rather than just before it. */
static double EndOfAttempt(double now, double length, double target)
{
    const double remaining = target - now;
    if (length * (1.0 + STRETCH) >= remaining) {
        return target;
    }
    return 2.0 * length > remaining ? now + 0.5 * remaining : now + length;
}

static void NoteBlowUp(EngramState *state)
{
    state->has_blown_up = PETSC_TRUE;
    state->is_untouched = PETSC_TRUE;
    state->failure = state->failure ? state->failure
                                    : "the adaptive step has reached -time_step_min: a blow-up, or "
                                      "-time_tolerance is out of reach";
}

PetscErrorCode StepAdaptively(EngramStepper stepper, double latest)
{
    EngramState *state = &stepper->state;
    const EngramTimeParameters *time = &stepper->time;
    PetscInt64 rejected = 0;
    PetscFunctionBeginUser;
    double length = PetscMin(state->next_step, time->step_max);
    while (PETSC_TRUE) {
        double error = INFINITY;
        const double started = state->time;
        const double end = EndOfAttempt(started, length, latest);
        if (!(end > started)) {
            state->failure = "the adaptive step is too short to change the time";
            NoteBlowUp(state);
            break;
        }
        PetscCall(PairedStepTake(stepper, end, &error));
        const PetscBool is_good = (PetscBool)(state->is_finite && !state->has_blown_up);
        if (is_good && error <= time->tolerance) {
            const double suggested = FactorFor(time->tolerance, error) * (end - started);
            const PetscBool is_cut = (PetscBool)(end - started < length * (1.0 - STRETCH));
            state->next_step = is_cut ? PetscMax(suggested, length) : suggested;
            state->next_step = PetscMin(PetscMax(state->next_step, time->step_min), time->step_max);
            break;
        }
        const char *failure = state->failure;
        PetscCall(PairedStepTakeBack(stepper));
        rejected++;
        if (end - started <= time->step_min * (1.0 + STRETCH)) {
            state->failure = failure;
            NoteBlowUp(state);
            break;
        }
        length = PetscMax(FactorFor(time->tolerance, is_good ? error : INFINITY) * (end - started),
                          time->step_min);
    }
    state->rejected = rejected;
    PetscFunctionReturn(PETSC_SUCCESS);
}
