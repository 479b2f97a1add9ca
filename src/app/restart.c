#include "restart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/checkpoint/checkpoint_case.h"
#include "engram/checkpoint/checkpoint_folder.h"
#include "protocol.h"

PetscErrorCode RestartAddNumbers(EngramStateParts *parts, RunNumbers *numbers)
{
    PetscFunctionBeginUser;
    PetscCall(EngramStateAddCommon(
        parts, RUN_NUMBERS_PART, "dimensionless",
        "solves, parts, unmet, substeps, learning_courant, rejected, ambiguous, "
        "coupling_iterations, origin_time, origin_step",
        RUN_NUMBERS, (double *)numbers));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether two paths lead to the same folder. */
static PetscBool IsSameFolder(const char *a, const char *b)
{
    struct stat first;
    struct stat second;
    return (PetscBool)(stat(a, &first) == 0 && stat(b, &second) == 0 &&
                       first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

/** Whether a checkpoint lies among those of the folder of the results. Collective. */
static PetscErrorCode BelongsToFolder(MPI_Comm comm, const char *path, const char *directory,
                                      PetscBool *belongs)
{
    char own[PETSC_MAX_PATH_LEN];
    char folder[PETSC_MAX_PATH_LEN];
    PetscMPIInt rank = 0;
    int answer = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    PetscCall(PetscSNPrintf(own, sizeof(own), "%s/%s", directory, ENGRAM_CHECKPOINT_FOLDER));
    const char *slash = strrchr(path, '/');
    const int length = slash ? (int)(slash - path) : 0;
    (void)snprintf(folder, sizeof(folder), "%.*s", length, path);
    if (rank == 0) {
        answer = IsSameFolder(own, slash ? (length > 0 ? folder : "/") : ".");
    }
    PetscCallMPI(MPI_Bcast(&answer, 1, MPI_INT, 0, comm));
    *belongs = (PetscBool)answer;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FindByPath(MPI_Comm comm, const char *path,
                                 const EngramOutputParameters *output, Restart *restart)
{
    char reason[ENGRAM_CHECKPOINT_REASON];
    PetscBool has_later = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(PetscStrncpy(restart->path, path, sizeof(restart->path)));
    PetscCall(EngramCheckpointVerify(comm, path, &restart->head, reason));
    if (reason[0]) {
        PetscCall(EngramInputError("-restart %s: damaged, or no checkpoint (%s)", path, reason));
    }
    restart->is_found = PETSC_TRUE;
    PetscCall(BelongsToFolder(comm, path, output->directory, &restart->continues_folder));
    if (restart->continues_folder) {
        PetscCall(EngramCheckpointFolderHasLater(comm, output->directory, restart->head.step,
                                                 &has_later));
    }
    if (has_later && !output->overwrite) {
        PetscCall(EngramInputError("-restart %s: the run has come further than this checkpoint; "
                                   "going back in its own folder loses that. Choose another "
                                   "-output_dir, or allow it with -output_overwrite",
                                   path));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RestartFind(const EngramSimulation *simulation, const EngramOutputParameters *output,
                           Restart *restart)
{
    const char *text = NULL;
    PetscFunctionBeginUser;
    MPI_Comm comm = simulation->grid->comm;
    *restart = (Restart){.is_wanted = PETSC_FALSE};
    PetscCall(EngramOptionsGetText(simulation->options, "restart", &text));
    if (strcmp(text, "none") == 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (simulation->is_steady && !simulation->model->phase.plasticity) {
        PetscCall(EngramInputError("-restart %s: steady states of frozen weights are found at "
                                   "once; there is nothing to continue",
                                   text));
    }
    restart->is_wanted = PETSC_TRUE;
    restart->is_auto = (PetscBool)(strcmp(text, "auto") == 0);
    if (restart->is_auto) {
        PetscCall(EngramCheckpointFolderNewest(comm, output->directory, restart->path,
                                               sizeof(restart->path), &restart->head,
                                               &restart->is_found));
        restart->continues_folder = restart->is_found;
    } else {
        PetscCall(FindByPath(comm, text, output, restart));
    }
    if (restart->is_found) {
        PetscCall(EngramNote("continuing from %s (step %" PetscInt64_FMT ", t = %g)", restart->path,
                             restart->head.step, restart->head.time));
    } else {
        PetscCall(EngramNote("no checkpoint in %s/%s yet: starting at the beginning",
                             output->directory, ENGRAM_CHECKPOINT_FOLDER));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Reads the state into the stepper and the numbers of the run. */
static PetscErrorCode ReadState(EngramSimulation *simulation, EngramCheckpointFile *file,
                                Restart *restart)
{
    EngramStateParts parts = {.count = 0};
    PetscInt history = 0;
    PetscInt jumps = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramCheckpointCount(file, ENGRAM_STEPPER_HISTORY, &history));
    PetscCall(EngramCheckpointCount(file, ENGRAM_STEPPER_JUMPS, &jumps));
    PetscCall(EngramStepperRestoreBegin(simulation->stepper, history, jumps, &parts));
    PetscCall(RestartAddNumbers(&parts, &restart->numbers));
    PetscCall(SteeringFindNumbers(file, &restart->steering, &parts, &restart->has_steering));
    PetscCall(EngramCheckpointReadState(file, &parts));
    if (restart->has_steering) {
        EngramStepperSetInputFactor(simulation->stepper, restart->steering.factor);
    }
    PetscCall(EngramStepperRestoreEnd(simulation->stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Fixed steps go on counting as before, or, with another length, from here. */
static PetscErrorCode SetOrigin(EngramSimulation *simulation, EngramCheckpointFile *file,
                                Restart *restart)
{
    char text[ENGRAM_OPTION_LENGTH];
    PetscBool is_there = PETSC_FALSE;
    RunNumbers *numbers = &restart->numbers;
    EngramTimeParameters *time = &simulation->time;
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    PetscCall(EngramCheckpointReadOption(file, "time_step", text, sizeof(text), &is_there));
    if (strtod(text, NULL) != time->step) {
        numbers->origin_time = state->time;
        numbers->origin_step = (double)state->steps;
    }
    PetscCall(EngramTimeSetOrigin(time, numbers->origin_time, (PetscInt64)numbers->origin_step));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RestartLoad(EngramSimulation *simulation, Restart *restart)
{
    EngramCheckpointFile file;
    PetscBool is_forced = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetBoolean(simulation->options, "restart_force", &is_forced));
    PetscCall(EngramCheckpointOpen(simulation->grid, restart->path, &file));
    PetscCall(EngramCheckpointCheckCase(&file, simulation->options, is_forced));
    PetscCall(ProtocolGoTo(simulation, restart->head.time));
    PetscCall(ReadState(simulation, &file, restart));
    PetscCall(SetOrigin(simulation, &file, restart));
    PetscCall(SteeringForgetChanged(simulation->options, &file, &restart->steering));
    PetscCall(EngramCheckpointClose(&file));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RestartHasEnded(const EngramSimulation *simulation,
                               const EngramOutputParameters *output, const Restart *restart,
                               PetscBool *has_ended)
{
    char path[PETSC_MAX_PATH_LEN];
    int answer = 0;
    PetscFunctionBeginUser;
    *has_ended = PETSC_FALSE;
    if (!restart->continues_folder || restart->head.time != simulation->protocol->end) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/summary.yaml", output->directory));
    answer = simulation->grid->rank == 0 && EngramFileExists(path);
    PetscCallMPI(MPI_Bcast(&answer, 1, MPI_INT, 0, simulation->grid->comm));
    *has_ended = (PetscBool)answer;
    PetscFunctionReturn(PETSC_SUCCESS);
}

EngramOutputMode RestartMode(const Restart *restart)
{
    if (restart->continues_folder) {
        return ENGRAM_OUTPUT_CONTINUE;
    }
    return restart->is_auto ? ENGRAM_OUTPUT_AGAIN : ENGRAM_OUTPUT_NEW;
}

PetscErrorCode RestartPrepareFolder(const EngramSimulation *simulation,
                                    const EngramOutputParameters *output, const Restart *restart)
{
    PetscFunctionBeginUser;
    if (simulation->grid->rank == 0 && restart->continues_folder) {
        EngramCheckpointFolderCut(output->directory, restart->head.step,
                                  restart->is_auto ? ENGRAM_CHECKPOINT_SET_ASIDE
                                                   : ENGRAM_CHECKPOINT_REMOVED);
    } else if (simulation->grid->rank == 0) {
        EngramCheckpointFolderCut(output->directory, -1, ENGRAM_CHECKPOINT_REMOVED);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
