#include "engram/time/time_parameters.h"

#include <float.h>
#include <math.h>

#include "engram/base/error.h"

static const EngramOption time_options[] = {
    {"time_end", ENGRAM_OPTION_REAL, "0", "time",
     "end of the run in learning time; must be given, but for a protocol, which ends with its "
     "phases",
     ENGRAM_BOUND_ABOVE, 0},
    {"time_step", ENGRAM_OPTION_REAL, NULL, "time",
     "step; mass and positivity hold for any length. With -time_adaptive the first step",
     ENGRAM_BOUND_ABOVE, 0},
    {"time_scheme", ENGRAM_OPTION_TEXT, "euler", "euler or extrapolated",
     "euler is of first order, one slice solve a step; extrapolated of second, three solves",
     ENGRAM_BOUND_NONE, 0},
    {"time_adaptive", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "choose the steps by their error; every multiple of -output_fields_every is hit",
     ENGRAM_BOUND_NONE, 0},
    {"time_tolerance", ENGRAM_OPTION_REAL, "1e-4", "dimensionless",
     "error allowed in an adaptive step: of the density in the mean, or of the firing rates",
     ENGRAM_BOUND_ABOVE, 0},
    {"time_step_min", ENGRAM_OPTION_REAL, "0", "time",
     "shortest adaptive step; one that would have to be shorter is a blow-up. 0: a millionth of "
     "-time_step",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"time_step_max", ENGRAM_OPTION_REAL, "0", "time", "longest adaptive step; 0: no bound",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"blowup_rate", ENGRAM_OPTION_REAL, "1e4", "1/reacting time",
     "a total firing rate beyond this one is a blow-up: the run stops there, with exit code 3",
     ENGRAM_BOUND_ABOVE, 0},
};

const EngramOptionTable EngramTimeOptions = {"Time", time_options,
                                             (int)(sizeof(time_options) / sizeof(time_options[0]))};

static const EngramOption transport_options[] = {
    {"transport_time", ENGRAM_OPTION_TEXT, "explicit", "explicit or implicit",
     "transport in w: explicit divides long steps into sub-steps, implicit solves once",
     ENGRAM_BOUND_NONE, 0},
    {"transport_order", ENGRAM_OPTION_INTEGER, "1", "1 or 2",
     "order of the transport in w; 2 reconstructs the density linearly, with a limiter",
     ENGRAM_BOUND_AT_LEAST, 1},
};

const EngramOptionTable EngramTransportOptions = {
    "Transport", transport_options,
    (int)(sizeof(transport_options) / sizeof(transport_options[0]))};

/* A quotient this close to a whole number, beside its own round-off, is meant to be one. */
static const double STEP_TOLERANCE = 1e-9;

static const double MAXIMUM_STEPS = 1e15;

/* The shortest adaptive step unless one is given, in units of the first. */
static const double DEFAULT_SHORTEST = 1e-6;

static PetscErrorCode GetTransport(EngramOptions options, EngramTransportParameters *transport)
{
    static const char *const names[] = {
        [ENGRAM_TRANSPORT_EXPLICIT] = "explicit", [ENGRAM_TRANSPORT_IMPLICIT] = "implicit"};
    int choice = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetChoice(options, "transport_time", names, 2, &choice));
    transport->time = (EngramTransportTime)choice;
    PetscCall(EngramOptionsGetInteger(options, "transport_order", &transport->order));
    if (transport->order > 2) {
        PetscCall(EngramInputError("-transport_order %" PetscInt_FMT ": must be 1 or 2",
                                   transport->order));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetScheme(EngramOptions options, EngramTimeParameters *parameters)
{
    static const char *const names[] = {
        [ENGRAM_TIME_EULER] = "euler", [ENGRAM_TIME_EXTRAPOLATED] = "extrapolated"};
    int choice = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetChoice(options, "time_scheme", names, 2, &choice));
    parameters->scheme = (EngramTimeScheme)choice;
    PetscCall(EngramOptionsGetBoolean(options, "time_adaptive", &parameters->is_adaptive));
    PetscCall(EngramOptionsGetReal(options, "time_tolerance", &parameters->tolerance));
    PetscCall(EngramOptionsGetReal(options, "time_step_min", &parameters->step_min));
    PetscCall(EngramOptionsGetReal(options, "time_step_max", &parameters->step_max));
    if (parameters->step_min == 0.0) {
        parameters->step_min = DEFAULT_SHORTEST * parameters->step;
    }
    if (parameters->step_max == 0.0) {
        parameters->step_max = PETSC_MAX_REAL;
    }
    if (parameters->is_adaptive &&
        !(parameters->step_min <= parameters->step && parameters->step <= parameters->step_max)) {
        PetscCall(EngramInputError("-time_step %g: the first adaptive step must lie between "
                                   "-time_step_min %g and -time_step_max %g",
                                   parameters->step, parameters->step_min, parameters->step_max));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramTimeParametersGet(EngramOptions options, EngramTimeParameters *parameters)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetReal(options, "time_end", &parameters->end));
    PetscCall(EngramOptionsGetReal(options, "time_step", &parameters->step));
    PetscCall(EngramOptionsGetReal(options, "blowup_rate", &parameters->blowup_rate));
    PetscCall(GetScheme(options, parameters));
    PetscCall(GetTransport(options, &parameters->transport));
    PetscCall(EngramTimeSetOrigin(parameters, 0.0, 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramTimeSetOrigin(EngramTimeParameters *parameters, double time, PetscInt64 step)
{
    PetscFunctionBeginUser;
    const double quotient = (parameters->end - time) / parameters->step;
    const double tolerance = STEP_TOLERANCE + 4.0 * DBL_EPSILON * fabs(quotient);
    const double steps =
        fabs(quotient - round(quotient)) <= tolerance ? round(quotient) : ceil(quotient);
    if (!(steps + (double)step <= MAXIMUM_STEPS)) {
        PetscCall(EngramInputError("-time_step %g: %g steps to -time_end %g are more than a run "
                                   "can take",
                                   parameters->step, steps, parameters->end));
    }
    parameters->origin_time = time;
    parameters->origin_step = step;
    parameters->steps = step + PetscMax((PetscInt64)steps, step > 0 ? 0 : 1);
    PetscFunctionReturn(PETSC_SUCCESS);
}

double EngramTimeAt(const EngramTimeParameters *parameters, PetscInt64 step)
{
    if (step >= parameters->steps) {
        return parameters->end;
    }
    return parameters->origin_time + (double)(step - parameters->origin_step) * parameters->step;
}
