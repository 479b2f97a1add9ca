#include "insitu_options.h"

#include <stdlib.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/observe/insitu_observer.h"
#include "insitu_library.h"

static const EngramOption insitu_options[] = {
    {"insitu_scripts", ENGRAM_OPTION_TEXT, "none", "none or FILE[,FILE...]",
     "Python scripts of ParaView Catalyst that see the run while it is under way",
     ENGRAM_BOUND_NONE, 0},
    {"insitu_every", ENGRAM_OPTION_INTEGER, "1", "steps",
     "how often the scripts are asked; they may do something more seldom; steerable",
     ENGRAM_BOUND_AT_LEAST, 1},
    {"insitu_every_time", ENGRAM_OPTION_REAL, "0", "time",
     "the same as an interval of time, instead of -insitu_every; 0: by steps",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"insitu_backend", ENGRAM_OPTION_TEXT, "auto", "auto, paraview or catalyst",
     "ParaView's own interface, or Catalyst 2; auto: the first one that was built",
     ENGRAM_BOUND_NONE, 0},
    {"insitu_strict", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "end the run, with exit code 5, when a script fails", ENGRAM_BOUND_NONE, 0},
    {"insitu_deviation", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "show p less its quasi-static state, too, as cell data deviation", ENGRAM_BOUND_NONE, 0},
    {"insitu_live", ENGRAM_OPTION_TEXT, "none", "none or HOST:PORT",
     "a ParaView that waits for Catalyst Live", ENGRAM_BOUND_NONE, 0},
    {"steer_input_factor", ENGRAM_OPTION_REAL, "1", "dimensionless",
     "factor of the input I(w, t); steerable", ENGRAM_BOUND_NONE, 0},
};

const EngramOptionTable EngramInsituOptions = {
    "In situ", insitu_options, (int)(sizeof(insitu_options) / sizeof(insitu_options[0]))};

PetscErrorCode EngramInsituIsWanted(EngramOptions options, PetscBool *is_wanted)
{
    const char *text = NULL;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetText(options, "insitu_scripts", &text));
    *is_wanted = (PetscBool)(strcmp(text, "none") != 0);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramInsituWantsDeviation(EngramOptions options, PetscBool *is_wanted)
{
    PetscFunctionBeginUser;
    PetscCall(EngramInsituIsWanted(options, is_wanted));
    if (*is_wanted) {
        PetscCall(EngramOptionsGetBoolean(options, "insitu_deviation", is_wanted));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Splits the list of scripts at its commas. */
static PetscErrorCode GetScripts(EngramOptions options, InsituParameters *parameters)
{
    const char *text = NULL;
    char *rest = parameters->text;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetText(options, "insitu_scripts", &text));
    PetscCall(PetscStrncpy(parameters->text, text, sizeof(parameters->text)));
    while (rest) {
        char *comma = strchr(rest, ',');
        if (comma) {
            *comma = '\0';
        }
        if (parameters->scripts == INSITU_SCRIPTS) {
            PetscCall(EngramInputError("-insitu_scripts %s: at most %d scripts", text,
                                       (int)INSITU_SCRIPTS));
        }
        if (rest[0] == '\0') {
            PetscCall(EngramInputError("-insitu_scripts %s: a name between two commas is empty; "
                                       "it must be FILE or FILE,FILE without blanks",
                                       text));
        }
        parameters->script[parameters->scripts++] = rest;
        rest = comma ? comma + 1 : NULL;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether a text is HOST:PORT. */
static PetscBool IsAddress(const char *text)
{
    char *end = NULL;
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || colon[1] == '\0' || strpbrk(text, "'\"\\ \n")) {
        return PETSC_FALSE;
    }
    const long port = strtol(colon + 1, &end, 10);
    return (PetscBool)(*end == '\0' && port > 0 && port < 65536);
}

PetscErrorCode InsituParametersGet(EngramOptions options, InsituParameters *parameters)
{
    static const char *const names[] = {"auto", "paraview", "catalyst"};
    int choice = 0;
    PetscFunctionBeginUser;
    memset(parameters, 0, sizeof(*parameters));
    PetscCall(GetScripts(options, parameters));
    PetscCall(EngramOptionsGetChoice(options, "insitu_backend", names,
                                     (int)(sizeof(names) / sizeof(names[0])), &choice));
    parameters->backend = names[choice];
    PetscCall(EngramOptionsGetReal(options, "insitu_every_time", &parameters->every_time));
    PetscCall(EngramOptionsGetBoolean(options, "insitu_strict", &parameters->is_strict));
    PetscCall(EngramOptionsGetBoolean(options, "insitu_deviation", &parameters->with_deviation));
    PetscCall(EngramOptionsGetText(options, "insitu_live", &parameters->live));
    if (strcmp(parameters->live, "none") == 0) {
        parameters->live = NULL;
    } else if (!IsAddress(parameters->live)) {
        PetscCall(EngramInputError("-insitu_live %s: must be HOST:PORT of a ParaView that waits "
                                   "(Catalyst, Connect), as in localhost:22222",
                                   parameters->live));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Tells of options that were given and do nothing without scripts. */
static PetscErrorCode WarnOfIdle(EngramOptions options)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < EngramInsituOptions.count; i++) {
        const char *name = insitu_options[i].name;
        PetscBool is_default = PETSC_TRUE;
        PetscCall(EngramOptionsIsDefault(options, name, &is_default));
        if (!is_default && strncmp(name, "insitu_", 7) == 0) {
            PetscCall(EngramWarning("-%s does nothing without -insitu_scripts", name));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckScripts(MPI_Comm comm, const InsituParameters *parameters)
{
    PetscMPIInt rank = 0;
    int missing = -1;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    for (int i = 0; i < parameters->scripts && rank == 0; i++) {
        if (missing < 0 && !EngramFileExists(parameters->script[i])) {
            missing = i;
        }
    }
    PetscCallMPI(MPI_Bcast(&missing, 1, MPI_INT, 0, comm));
    if (missing >= 0) {
        PetscCall(
            EngramInputError("-insitu_scripts: there is no file %s", parameters->script[missing]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramInsituCheck(MPI_Comm comm, EngramOptions options)
{
    InsituParameters parameters;
    const EngramInsituBackend *backend = NULL;
    PetscBool is_wanted = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(EngramInsituIsWanted(options, &is_wanted));
    if (!is_wanted) {
        PetscCall(WarnOfIdle(options));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(InsituParametersGet(options, &parameters));
    PetscCall(CheckScripts(comm, &parameters));
    PetscCall(InsituLibraryLoad(comm, parameters.backend, &backend));
    PetscFunctionReturn(PETSC_SUCCESS);
}
