#include "protocol.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engram/base/error.h"

static const EngramOption protocol_options[] = {
    {"protocol_phases", ENGRAM_OPTION_TEXT, "none", "none or NAME,NAME,...",
     "phases of the run, one after the other; the run ends with the last one", ENGRAM_BOUND_NONE,
     0},
};

const EngramOptionTable ProtocolOptions = {
    "Protocol", protocol_options, (int)(sizeof(protocol_options) / sizeof(protocol_options[0]))};

static const EngramOption phase_options[] = {
    {"phase_NAME_duration", ENGRAM_OPTION_REAL, NULL, "time", "how long the phase lasts",
     ENGRAM_BOUND_ABOVE, 0},
    {"phase_NAME_input", ENGRAM_OPTION_EXPRESSION, "=model_input",
     "expression in w, t, s, or file:PATH", "input I during the phase; s = 0 where it begins",
     ENGRAM_BOUND_NONE, 0},
    {"phase_NAME_plasticity", ENGRAM_OPTION_BOOLEAN, "=model_plasticity", "true or false",
     "false freezes the weights during the phase", ENGRAM_BOUND_NONE, 0},
    {"phase_NAME_epsilon", ENGRAM_OPTION_REAL, "=model_epsilon", "dimensionless",
     "ratio eps of the time scales during the phase; 0: the limit model", ENGRAM_BOUND_AT_LEAST, 0},
    {"phase_NAME_initial", ENGRAM_OPTION_TEXT, "continue", "continue or reset",
     "reset: the phase begins with the potentials of the initial density, and keeps H(w)",
     ENGRAM_BOUND_NONE, 0},
};

static const EngramOptionTable phase_table = {
    "Phases, for each NAME of protocol_phases", phase_options,
    (int)(sizeof(phase_options) / sizeof(phase_options[0]))};

const EngramOptionFamily ProtocolPhaseOptions = {"protocol_phases", &phase_table};

/* Times this close to each other, relative, are the same. */
static const double TIME_TOLERANCE = 1e-12;

/** Name of an option of a phase. */
static const char *OptionName(const Phase *phase, const char *ending, char *text, size_t size)
{
    (void)snprintf(text, size, "phase_%s_%s", phase->name, ending);
    return text;
}

static PetscErrorCode GetPhase(EngramOptions options, double begin, Phase *phase)
{
    static const char *const beginnings[] = {"continue", "reset"};
    char name[PETSC_MAX_OPTION_NAME];
    const char *input = NULL;
    double duration = 0.0;
    int choice = 0;
    PetscFunctionBeginUser;
    EngramModelPhase *model = &phase->model;
    OptionName(phase, "duration", name, sizeof(name));
    PetscCall(EngramOptionsGetReal(options, name, &duration));
    phase->end = begin + duration;
    model->begin = begin;
    if (!(phase->end > begin)) {
        PetscCall(EngramInputError("-%s %g: is lost in the time before it, t = %g", name, duration,
                                   begin));
    }
    OptionName(phase, "epsilon", name, sizeof(name));
    PetscCall(EngramOptionsGetReal(options, name, &model->epsilon));
    OptionName(phase, "plasticity", name, sizeof(name));
    PetscCall(EngramOptionsGetBoolean(options, name, &model->plasticity));
    OptionName(phase, "initial", name, sizeof(name));
    PetscCall(EngramOptionsGetChoice(options, name, beginnings, 2, &choice));
    phase->resets = (PetscBool)(choice == 1);
    OptionName(phase, "input", name, sizeof(name));
    PetscCall(EngramOptionsGetText(options, name, &input));
    PetscCall(EngramInputCreate(name, input, &model->input));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Splits the list of names, which the options have checked. */
static PetscErrorCode GetNames(const char *list, Protocol *protocol)
{
    PetscFunctionBeginUser;
    protocol->count = 1;
    for (const char *at = list; *at; at++) {
        protocol->count += *at == ',';
    }
    PetscCall(PetscCalloc1(protocol->count, &protocol->phase));
    for (int i = 0; i < protocol->count; i++) {
        const char *rest = list + strspn(list, " \t");
        const size_t length = strcspn(rest, ", \t");
        PetscCall(PetscMalloc1(length + 1, &protocol->phase[i].name));
        PetscCall(PetscStrncpy(protocol->phase[i].name, rest, length + 1));
        list = rest + strcspn(rest, ",") + 1;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetPhases(EngramSimulation *simulation, Protocol *protocol)
{
    double given = 0.0;
    PetscFunctionBeginUser;
    EngramOptions options = simulation->options;
    if (simulation->is_steady) {
        PetscCall(EngramInputError("-steady: looks for states that no phase ends; leave "
                                   "-protocol_phases out"));
    }
    for (int i = 0; i < protocol->count; i++) {
        PetscCall(GetPhase(options, protocol->end, &protocol->phase[i]));
        protocol->end = protocol->phase[i].end;
    }
    PetscCall(EngramOptionsGetReal(options, "time_end", &given));
    if (given > 0.0 && !(fabs(given - protocol->end) <= TIME_TOLERANCE * protocol->end)) {
        PetscCall(EngramInputError("-time_end %g: the phases of -protocol_phases last until t = "
                                   "%.15g; leave -time_end out",
                                   given, protocol->end));
    }
    if (!(given > 0.0)) {
        PetscCall(EngramOptionsConcludeReal(options, "time_end", protocol->end));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Counts the steps of all phases, each of which ends with a step, and has them end with the first.
 */
static PetscErrorCode CountSteps(EngramSimulation *simulation, Protocol *protocol)
{
    EngramTimeParameters *time = &simulation->time;
    double begin = 0.0;
    PetscFunctionBeginUser;
    for (int i = 0; i < protocol->count; i++) {
        time->end = protocol->phase[i].end;
        PetscCall(EngramTimeSetOrigin(time, begin, protocol->steps));
        protocol->steps = time->steps;
        begin = time->end;
    }
    time->end = protocol->phase[0].end;
    PetscCall(EngramTimeSetOrigin(time, 0.0, 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A run without phases needs an end. */
static PetscErrorCode CheckEnd(const EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    if (simulation->time.end > 0.0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramInputError("-time_end: must be given (a finite number: end of the run in "
                               "learning time)"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ProtocolCreate(EngramSimulation *simulation)
{
    const char *list = NULL;
    Protocol *protocol = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&protocol));
    simulation->protocol = protocol;
    PetscCall(EngramOptionsGetText(simulation->options, "protocol_phases", &list));
    if (strcmp(list, "none") == 0) {
        protocol->end = simulation->time.end;
        PetscCall(CheckEnd(simulation));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(GetNames(list, protocol));
    PetscCall(GetPhases(simulation, protocol));
    PetscCall(CountSteps(simulation, protocol));
    for (int i = protocol->count - 1; i >= 0; i--) {
        PetscCall(EngramModelEnter(simulation->model, &protocol->phase[i].model));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ProtocolCheck(EngramSimulation *simulation)
{
    Protocol *protocol = simulation->protocol;
    PetscFunctionBeginUser;
    for (int i = protocol->count - 1; i >= 0; i--) {
        PetscCall(EngramModelEnter(simulation->model, &protocol->phase[i].model));
        PetscCall(EngramStepperCheckModel(simulation->stepper));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Gives model and stepper what a phase has, which ends the steps. */
static PetscErrorCode Enter(EngramSimulation *simulation, int number)
{
    Protocol *protocol = simulation->protocol;
    PetscFunctionBeginUser;
    protocol->present = number;
    simulation->time.end = protocol->phase[number].end;
    PetscCall(EngramModelEnter(simulation->model, &protocol->phase[number].model));
    PetscCall(EngramStepperFollowModel(simulation->stepper, simulation->time.end));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ProtocolGoTo(EngramSimulation *simulation, double time)
{
    Protocol *protocol = simulation->protocol;
    PetscFunctionBeginUser;
    if (time > protocol->end) {
        PetscCall(EngramInputError("-time_end %g: the checkpoint is at t = %g already; give a "
                                   "later end, or -restart an earlier checkpoint",
                                   protocol->end, time));
    }
    int number = 0;
    while (number + 1 < protocol->count && time > protocol->phase[number].end) {
        number++;
    }
    if (protocol->count > 0) {
        PetscCall(Enter(simulation, number));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool ProtocolIsAtEnd(const Protocol *protocol, double time)
{
    return (PetscBool)(protocol->count > 0 && time >= protocol->phase[protocol->present].end);
}

PetscErrorCode ProtocolAdvance(EngramSimulation *simulation)
{
    const Protocol *protocol = simulation->protocol;
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    const int next = protocol->present + 1;
    if (!ProtocolIsAtEnd(protocol, state->time) || next >= protocol->count) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(Enter(simulation, next));
    PetscCall(EngramTimeSetOrigin(&simulation->time, state->time, state->steps));
    PetscCall(EngramStepperBeginPhase(simulation->stepper, protocol->phase[next].resets));
    PetscCall(EngramNote("phase %s begins at t = %g", protocol->phase[next].name, state->time));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt64 ProtocolSteps(const EngramSimulation *simulation)
{
    const Protocol *protocol = simulation->protocol;
    return protocol->count > 0 ? protocol->steps : simulation->time.steps;
}

const char *ProtocolPhaseName(const Protocol *protocol)
{
    return protocol->count > 0 ? protocol->phase[protocol->present].name : NULL;
}

PetscErrorCode ProtocolDestroy(Protocol **protocol)
{
    PetscFunctionBeginUser;
    if (!*protocol) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    for (int i = 0; i < (*protocol)->count; i++) {
        PetscCall(PetscFree((*protocol)->phase[i].name));
        PetscCall(EngramInputDestroy(&(*protocol)->phase[i].model.input));
    }
    PetscCall(PetscFree((*protocol)->phase));
    PetscCall(PetscFree(*protocol));
    PetscFunctionReturn(PETSC_SUCCESS);
}
