#include "restart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        answer = EngramFileIsSame(own, slash ? (length > 0 ? folder : "/") : ".");
    }
    PetscCallMPI(MPI_Bcast(&answer, 1, MPI_INT, 0, comm));
    *belongs = (PetscBool)answer;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Steady states of frozen weights need no steps on their way, and no checkpoints. */
static PetscBool IsFoundAtOnce(const EngramSimulation *simulation)
{
    return (PetscBool)(simulation->is_steady && !simulation->model->phase.plasticity);
}

/** Says that there is nothing to do. */
static PetscErrorCode TellEnd(const char *directory, double time)
{
    PetscFunctionBeginUser;
    PetscCall(EngramNote("the run in %s has reached its end, t = %g: nothing left to do", directory,
                         time));
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

/** Why a run that has ended is neither left as it is nor continued. */
static PetscErrorCode RefuseEnded(const EngramSimulation *simulation, const char *directory,
                                  const EndedRun *ended, const char *differences)
{
    PetscFunctionBeginUser;
    if (differences[0]) {
        PetscCall(EngramInputError("-restart auto: the run in %s has ended, with other options:%s\n"
                                   "Choose another -output_dir, or begin it anew with "
                                   "-output_overwrite",
                                   directory, differences));
    }
    if (ended->time > simulation->protocol->end) {
        PetscCall(EngramInputError("-time_end %g: the run in %s has ended at t = %g already; "
                                   "choose another -output_dir, or begin it anew with "
                                   "-output_overwrite",
                                   simulation->protocol->end, directory, ended->time));
    }
    PetscCall(EngramInputError("-time_end %g: the run in %s has ended at t = %g and kept no "
                               "checkpoint to go on from; choose another -output_dir, or begin it "
                               "anew with -output_overwrite, and with -checkpoint_every to extend "
                               "it later",
                               simulation->protocol->end, directory, ended->time));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What becomes of a run that has ended and has no checkpoint. */
static PetscErrorCode JudgeEnded(const EngramSimulation *simulation,
                                 const EngramOutputParameters *output, const char *differences,
                                 Restart *restart)
{
    const EndedRun *ended = &restart->ended;
    PetscFunctionBeginUser;
    if (output->overwrite) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (differences[0] || ended->is_complete) {
        PetscCall(RefuseEnded(simulation, output->directory, ended, differences));
    }
    restart->has_ended = PETSC_TRUE;
    PetscCall(EngramNote("the run in %s has stopped at t = %g (%s) and kept no checkpoint: nothing "
                         "left to do; -output_overwrite begins it anew",
                         output->directory, ended->time, ended->reason));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Looks for the end of the run in the folder of the results, then for its newest checkpoint. */
static PetscErrorCode FindInFolder(const EngramSimulation *simulation,
                                   const EngramOutputParameters *output, Restart *restart)
{
    char differences[4096] = "";
    EndedRun *ended = &restart->ended;
    PetscFunctionBeginUser;
    MPI_Comm comm = simulation->grid->comm;
    PetscCall(EndedRunFind(comm, output->directory, ended));
    if (ended->is_there) {
        PetscCall(EndedRunCompare(simulation, output->directory, differences, sizeof(differences)));
    }
    if (ended->is_there && !differences[0] && EndedRunHasReached(simulation, ended)) {
        restart->has_ended = PETSC_TRUE;
        PetscCall(TellEnd(output->directory, ended->time));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (!IsFoundAtOnce(simulation)) {
        PetscCall(EngramCheckpointFolderNewest(comm, output->directory, restart->path,
                                               sizeof(restart->path), &restart->head,
                                               &restart->is_found));
    }
    restart->continues_folder = restart->is_found;
    if (ended->is_there && !restart->is_found) {
        PetscCall(JudgeEnded(simulation, output, differences, restart));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RestartFind(const EngramSimulation *simulation, const EngramOutputParameters *output,
                           Restart *restart)
{
    const char *text = NULL;
    PetscFunctionBeginUser;
    *restart = (Restart){.is_wanted = PETSC_FALSE};
    PetscCall(EngramOptionsGetText(simulation->options, "restart", &text));
    if (strcmp(text, "none") == 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    restart->is_wanted = PETSC_TRUE;
    restart->is_auto = (PetscBool)(strcmp(text, "auto") == 0);
    if (IsFoundAtOnce(simulation) && !restart->is_auto) {
        PetscCall(EngramInputError("-restart %s: steady states of frozen weights are found at "
                                   "once; there is nothing to continue",
                                   text));
    }
    if (restart->is_auto) {
        PetscCall(FindInFolder(simulation, output, restart));
    } else {
        PetscCall(FindByPath(simulation->grid->comm, text, output, restart));
    }
    if (restart->is_found) {
        PetscCall(EngramNote("continuing from %s (step %" PetscInt64_FMT ", t = %g)", restart->path,
                             restart->head.step, restart->head.time));
    } else if (!restart->has_ended && !IsFoundAtOnce(simulation)) {
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
    PetscCall(
        EngramCheckpointCheckCase(&file, simulation->options, &simulation->file_sums, is_forced));
    PetscCall(ProtocolGoTo(simulation, restart->head.time));
    PetscCall(ReadState(simulation, &file, restart));
    PetscCall(SetOrigin(simulation, &file, restart));
    PetscCall(SteeringForgetChanged(simulation->options, &file, &restart->steering));
    PetscCall(EngramCheckpointClose(&file));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RestartConcludeEnd(const EngramSimulation *simulation,
                                  const EngramOutputParameters *output, Restart *restart)
{
    PetscFunctionBeginUser;
    if (restart->continues_folder && !restart->is_auto) {
        PetscCall(EndedRunFind(simulation->grid->comm, output->directory, &restart->ended));
    }
    if (restart->continues_folder && restart->ended.is_there &&
        restart->head.time == simulation->protocol->end) {
        restart->has_ended = PETSC_TRUE;
        PetscCall(TellEnd(output->directory, restart->head.time));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

EngramOutputMode RestartMode(const Restart *restart)
{
    if (restart->continues_folder) {
        return ENGRAM_OUTPUT_CONTINUE;
    }
    return restart->is_auto ? ENGRAM_OUTPUT_AGAIN : ENGRAM_OUTPUT_NEW;
}

PetscErrorCode RestartCheckFolder(const EngramSimulation *simulation,
                                  const EngramOutputParameters *output)
{
    PetscFunctionBeginUser;
    PetscCall(EngramCheckpointFolderCheck(simulation->grid->comm, output->directory,
                                          output->checkpoint_directory, output->overwrite));
    PetscFunctionReturn(PETSC_SUCCESS);
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
    PetscCall(EngramCheckpointFolderLink(simulation->grid->comm, output->directory,
                                         output->checkpoint_directory));
    PetscFunctionReturn(PETSC_SUCCESS);
}
