#include <float.h>
#include <math.h>

#include "engram/base/error.h"
#include "engram/time/stepper.h"

static const EngramOption time_options[] = {
    {"time_end", ENGRAM_OPTION_REAL, NULL, "time", "end of the run in learning time",
     ENGRAM_BOUND_ABOVE, 0},
    {"time_step", ENGRAM_OPTION_REAL, NULL, "time",
     "step; mass and positivity hold for any length, the error is of first order in it",
     ENGRAM_BOUND_ABOVE, 0},
    {"blowup_rate", ENGRAM_OPTION_REAL, "1e4", "1/reacting time",
     "a total firing rate beyond this one is a blow-up: the run stops there, with exit code 3",
     ENGRAM_BOUND_ABOVE, 0},
};

const EngramOptionTable EngramTimeOptions = {"Time", time_options,
                                             (int)(sizeof(time_options) / sizeof(time_options[0]))};

/* A quotient this close to a whole number, beside its own round-off, is meant to be one. */
static const double STEP_TOLERANCE = 1e-9;

static const double MAXIMUM_STEPS = 1e15;

PetscErrorCode EngramTimeParametersGet(EngramOptions options, EngramTimeParameters *parameters)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetReal(options, "time_end", &parameters->end));
    PetscCall(EngramOptionsGetReal(options, "time_step", &parameters->step));
    PetscCall(EngramOptionsGetReal(options, "blowup_rate", &parameters->blowup_rate));
    const double quotient = parameters->end / parameters->step;
    const double tolerance = STEP_TOLERANCE + 4.0 * DBL_EPSILON * quotient;
    const double steps =
        fabs(quotient - round(quotient)) <= tolerance ? round(quotient) : ceil(quotient);
    if (!(steps <= MAXIMUM_STEPS)) {
        PetscCall(EngramInputError("-time_step %g: %g steps to -time_end %g are more than a run "
                                   "can take",
                                   parameters->step, steps, parameters->end));
    }
    parameters->steps = (PetscInt64)steps > 0 ? (PetscInt64)steps : 1;
    PetscFunctionReturn(PETSC_SUCCESS);
}

double EngramTimeAt(const EngramTimeParameters *parameters, PetscInt64 step)
{
    return step < parameters->steps ? (double)step * parameters->step : parameters->end;
}
