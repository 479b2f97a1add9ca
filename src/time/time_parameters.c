#include "engram/time/time_parameters.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "engram/base/error.h"
#include "engram/kernels/transport_fifth.h"

static const EngramOption time_options[] = {
    {"time_end", ENGRAM_OPTION_REAL, "0", "time",
     "end of the run in learning time; must be given, but for a protocol, which ends with its "
     "phases",
     ENGRAM_BOUND_ABOVE, 0},
    {"time_step", ENGRAM_OPTION_REAL, "0", "time",
     "length of fixed steps; mass and positivity hold for any. 0: adaptive steps. With "
     "-time_adaptive true the longest first step",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"time_scheme", ENGRAM_OPTION_TEXT, "third-order", "euler, second-order or third-order",
     "third-order extrapolates one, two and three sub-steps: six slice solves a step; second-order "
     "one and two: three solves; euler is the scheme of He, Hu and Zhou, of first order: one "
     "solve. extrapolated is the older name of second-order",
     ENGRAM_BOUND_NONE, 0},
    {"time_adaptive", ENGRAM_OPTION_TEXT, "auto", "auto, true or false",
     "choose the steps by their error; auto: unless -time_step is given. They end exactly at "
     "multiples of -output_fields_every and -output_series_interval",
     ENGRAM_BOUND_NONE, 0},
    {"time_tolerance", ENGRAM_OPTION_REAL, "1e-4", "dimensionless",
     "of adaptive steps: the error in time of Nbar, relative to Nbar + 0.02, and of the mean "
     "weight is at most three tolerances at all times of the output",
     ENGRAM_BOUND_ABOVE, 0},
    {"time_start", ENGRAM_OPTION_TEXT, "graded", "graded or plain",
     "fixed steps after t = 0, a jump or its echoes: graded divides them into parts that grow "
     "from very short ones, which keeps the order on any data; plain takes whole steps",
     ENGRAM_BOUND_NONE, 0},
    {"time_step_min", ENGRAM_OPTION_REAL, "0", "time", "shortest adaptive step; 0: 1e-6 eps h^2/a",
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
    {"transport_order", ENGRAM_OPTION_TEXT, "auto", "auto, 1, 2 or 5",
     "order of the transport in w. auto: 1 with -time_scheme euler; else 5 with -transport_time "
     "explicit and at least 12 cells of w, and 2 without",
     ENGRAM_BOUND_NONE, 0},
};

const EngramOptionTable EngramTransportOptions = {
    "Transport", transport_options,
    (int)(sizeof(transport_options) / sizeof(transport_options[0]))};

/* A quotient this close to a whole number, beside its own round-off, is meant to be one. */
static const double STEP_TOLERANCE = 1e-9;

static const double MAXIMUM_STEPS = 1e15;

/* Fewest cells of w with which the fifth order is chosen: on fewer nothing is smooth. */
enum { FIFTH_PAYS = 12 };

/* Names of -time_scheme; the last one is an older name. */
static const char *const scheme_names[] = {"euler", "second-order", "third-order", "extrapolated"};

static PetscErrorCode GetTransport(EngramOptions options, EngramTransportParameters *transport)
{
    static const char *const names[] = {
        [ENGRAM_TRANSPORT_EXPLICIT] = "explicit", [ENGRAM_TRANSPORT_IMPLICIT] = "implicit"};
    static const char *const order_names[] = {"auto", "1", "2", "5"};
    static const PetscInt orders[] = {0, 1, 2, 5};
    int choice = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetChoice(options, "transport_time", names, 2, &choice));
    transport->time = (EngramTransportTime)choice;
    PetscCall(EngramOptionsGetChoice(options, "transport_order", order_names, 4, &choice));
    transport->order = orders[choice];
    if (transport->order == 5 && transport->time == ENGRAM_TRANSPORT_IMPLICIT) {
        PetscCall(EngramInputError("-transport_order 5: needs -transport_time explicit; implicit "
                                   "transport is of order 1 or 2"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramTransportConclude(EngramOptions options, PetscInt w_cells,
                                       EngramTimeParameters *parameters)
{
    char text[16];
    EngramTransportParameters *transport = &parameters->transport;
    PetscFunctionBeginUser;
    if (transport->order == 5 && w_cells > 1 && w_cells < ENGRAM_TRANSPORT_FIFTH_CELLS) {
        PetscCall(EngramInputError("-transport_order 5: needs at least %d cells of w, and "
                                   "-grid_w_cells is %" PetscInt_FMT "; take order 2",
                                   ENGRAM_TRANSPORT_FIFTH_CELLS, w_cells));
    }
    if (transport->order == 0) {
        const PetscBool is_fifth =
            (PetscBool)(transport->time == ENGRAM_TRANSPORT_EXPLICIT && w_cells >= FIFTH_PAYS);
        const PetscInt sharp = is_fifth ? 5 : 2;
        transport->order = parameters->scheme == ENGRAM_TIME_EULER ? 1 : sharp;
        (void)snprintf(text, sizeof(text), "%d", (int)transport->order);
        PetscCall(EngramOptionsConcludeText(options, "transport_order", text));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetScheme(EngramOptions options, EngramTimeParameters *parameters)
{
    static const char *const starts[] = {
        [ENGRAM_START_GRADED] = "graded", [ENGRAM_START_PLAIN] = "plain"};
    static const char *const truths[] = {"false", "true", "auto"};
    int scheme = 0;
    int start = 0;
    int adaptive = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetChoice(options, "time_scheme", scheme_names, 4, &scheme));
    PetscCall(EngramOptionsGetChoice(options, "time_start", starts, 2, &start));
    PetscCall(EngramOptionsGetChoice(options, "time_adaptive", truths, 3, &adaptive));
    parameters->scheme =
        scheme == 3 ? ENGRAM_TIME_SECOND_ORDER : (EngramTimeScheme)(scheme + ENGRAM_TIME_EULER);
    parameters->start = (EngramTimeStart)start;
    parameters->is_adaptive = (PetscBool)(adaptive == 1 || (adaptive == 2 && !parameters->step));
    if (!parameters->is_adaptive && !(parameters->step > 0.0)) {
        PetscCall(EngramInputError("-time_adaptive false: fixed steps need their length, as in "
                                   "-time_step 0.01"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetBounds(EngramOptions options, EngramTimeParameters *parameters)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetReal(options, "time_tolerance", &parameters->tolerance));
    if (parameters->tolerance > 1.0) {
        PetscCall(EngramInputError("-time_tolerance %g: must be at most 1 (an error as large as "
                                   "what is computed); 1e-4 is usual",
                                   parameters->tolerance));
    }
    PetscCall(EngramOptionsGetReal(options, "time_step_min", &parameters->step_min));
    PetscCall(EngramOptionsGetReal(options, "time_step_max", &parameters->step_max));
    if (parameters->step_max == 0.0) {
        parameters->step_max = PETSC_MAX_REAL;
    }
    if (parameters->is_adaptive && parameters->step_min > parameters->step_max) {
        PetscCall(EngramInputError("-time_step_min %g: must not be longer than -time_step_max %g",
                                   parameters->step_min, parameters->step_max));
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
    PetscCall(GetBounds(options, parameters));
    PetscCall(GetTransport(options, &parameters->transport));
    PetscCall(EngramTimeSetOrigin(parameters, 0.0, 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramTimeSetOrigin(EngramTimeParameters *parameters, double time, PetscInt64 step)
{
    PetscFunctionBeginUser;
    parameters->origin_time = time;
    parameters->origin_step = step;
    parameters->steps = 0;
    if (parameters->is_adaptive) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double quotient = (parameters->end - time) / parameters->step;
    const double tolerance = STEP_TOLERANCE + 4.0 * DBL_EPSILON * fabs(quotient);
    const double steps =
        fabs(quotient - round(quotient)) <= tolerance ? round(quotient) : ceil(quotient);
    if (!(steps + (double)step <= MAXIMUM_STEPS)) {
        PetscCall(EngramInputError("-time_step %g: %g steps to -time_end %g are more than a run "
                                   "can take",
                                   parameters->step, steps, parameters->end));
    }
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

const char *EngramTimeSchemeName(EngramTimeScheme scheme)
{
    return scheme_names[scheme - ENGRAM_TIME_EULER];
}
