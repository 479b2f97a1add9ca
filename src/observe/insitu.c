/* Shows the run to scripts through a back end, and takes what they request. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/observe/insitu_observer.h"
#include "insitu_library.h"
#include "insitu_options.h"
#include "insitu_scene.h"
#include "steering_table.h"

/* A time this close to a multiple of the interval, in units of it, is that multiple. */
static const double INTERVAL_TOLERANCE = 1e-9;

typedef struct Insitu {
    const EngramGrid *grid; /* borrowed */
    const char *directory;
    InsituParameters parameters;
    EngramSteering *steering; /* borrowed */
    const EngramInsituBackend *backend;
    PetscBool is_started; /* the back end is to be stopped */
    MPI_Comm comm;        /* of the back end */
    double interval;      /* of parameters.every_time, in which the last state was */
    InsituScene scene;
    TextFile table;
} Insitu;

/** Ends the back end, unless that was done. */
static PetscErrorCode StopBackend(Insitu *insitu, EngramInsituReport *report)
{
    InsituGuard guard;
    PetscFunctionBeginUser;
    if (insitu->is_started && insitu->backend) {
        insitu->is_started = PETSC_FALSE;
        InsituGuardBegin(&guard, PETSC_TRUE);
        insitu->backend->stop(report);
        InsituGuardEnd(&guard);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Makes known to all ranks, and once to the user, what has failed on any of them.
 * @param failed  whether something has
 */
static PetscErrorCode ShareReport(Insitu *insitu, EngramInsituReport *report, PetscBool *failed)
{
    const EngramGrid *grid = insitu->grid;
    int shared[2] = {report->failures, report->text[0] ? grid->size - grid->rank : 0};
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, shared, 2, MPI_INT, MPI_MAX, grid->comm));
    *failed = (PetscBool)(shared[0] > 0);
    if (shared[1] > 0) {
        PetscCallMPI(MPI_Bcast(report->text, ENGRAM_INSITU_TEXT, MPI_CHAR, grid->size - shared[1],
                               grid->comm));
    }
    if (*failed && insitu->steering->is_strict) {
        EngramInsituReport ignored = {.failures = 0};
        PetscCall(StopBackend(insitu, &ignored));
    }
    if (*failed) {
        PetscCall(EngramSteeringNoteFailure(insitu->steering, shared[0], report->text));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What scripts may find in the environment. */
static void SetEnvironment(const Insitu *insitu)
{
    char folder[PETSC_MAX_PATH_LEN];
    (void)snprintf(folder, sizeof(folder), "%s/insitu", insitu->directory);
    (void)setenv("ENGRAM_INSITU_DIR", folder, 0);
    if (insitu->parameters.live) {
        (void)setenv("ENGRAM_INSITU_LIVE", insitu->parameters.live, 0);
    }
}

/** Catalyst 2 answers for itself, not for the scripts. */
static PetscErrorCode WarnOfSilence(const Insitu *insitu)
{
    PetscFunctionBeginUser;
    if (insitu->parameters.is_strict && strcmp(insitu->backend->name, "catalyst") == 0) {
        PetscCall(EngramWarning("-insitu_strict: back end catalyst does not learn what fails "
                                "inside of scripts; only calls of Catalyst that fail end the run"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartBackend(Insitu *insitu)
{
    InsituGuard guard;
    EngramInsituReport report = {.failures = 0};
    PetscBool has_failed = PETSC_FALSE;
    PetscFunctionBeginUser;
    const InsituParameters *parameters = &insitu->parameters;
    PetscCall(WarnOfSilence(insitu));
    SetEnvironment(insitu);
    const EngramInsituSetup setup = {insitu->comm, parameters->scripts, parameters->script,
                                     parameters->live};
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_INSITU));
    InsituGuardBegin(&guard, PETSC_TRUE);
    int is_lost = insitu->backend->start(&setup, &report);
    InsituGuardEnd(&guard);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_INSITU, 0.0));
    insitu->is_started = (PetscBool)!is_lost;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &is_lost, 1, MPI_INT, MPI_MAX, insitu->grid->comm));
    PetscCall(ShareReport(insitu, &report, &has_failed));
    if (is_lost) {
        insitu->backend = NULL;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Takes over what the scripts of rank 0 have written into the steering array. */
static PetscErrorCode TakeRequests(Insitu *insitu)
{
    EngramSteering *steering = insitu->steering;
    PetscFunctionBeginUser;
    PetscCall(
        PetscArraycpy(steering->requests, insitu->scene.steering, (size_t)ENGRAM_STEER_COUNT));
    PetscCallMPI(
        MPI_Bcast(steering->requests, ENGRAM_STEER_COUNT, MPI_DOUBLE, 0, insitu->grid->comm));
    for (int i = 0; i < ENGRAM_STEER_COUNT; i++) {
        if (!isnan(steering->requests[i])) {
            steering->has_requests = PETSC_TRUE;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Show(Insitu *insitu, const EngramSnapshot *snapshot)
{
    InsituGuard guard;
    EngramInsituReport report = {.failures = 0};
    PetscBool has_failed = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(InsituSceneTake(snapshot, &insitu->scene));
    InsituGuardBegin(&guard, PETSC_FALSE);
    insitu->backend->show(&insitu->scene.scene, &report);
    InsituGuardEnd(&guard);
    PetscCall(ShareReport(insitu, &report, &has_failed));
    PetscCall(TakeRequests(insitu));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static double IntervalOf(const Insitu *insitu, double time)
{
    const double every = insitu->parameters.every_time;
    return every > 0.0 ? floor(time / every + INTERVAL_TOLERANCE) : 0.0;
}

/** Whether the scripts are to be asked at this state. */
static PetscBool IsDue(Insitu *insitu, const EngramSnapshot *snapshot)
{
    const PetscInt64 every = (PetscInt64)insitu->steering->present[ENGRAM_STEER_INSITU_EVERY];
    const double interval = IntervalOf(insitu, snapshot->time);
    const PetscBool has_passed = insitu->parameters.every_time > 0.0
                                     ? (PetscBool)(interval > insitu->interval)
                                     : (PetscBool)(snapshot->step % every == 0);
    insitu->interval = interval;
    return (PetscBool)(has_passed || snapshot->is_wanted || snapshot->is_last);
}

static PetscErrorCode Ask(Insitu *insitu, const EngramSnapshot *snapshot)
{
    InsituGuard guard;
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_INSITU));
    InsituGuardBegin(&guard, PETSC_FALSE);
    const int is_wanted =
        insitu->backend->wants(snapshot->step, snapshot->time, snapshot->is_last ? 1 : 0);
    InsituGuardEnd(&guard);
    if (is_wanted) {
        PetscCall(Show(insitu, snapshot));
    }
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_INSITU, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartInsitu(void *context, const EngramSnapshot *initial)
{
    Insitu *insitu = context;
    PetscFunctionBeginUser;
    PetscCall(SteeringTableStart(initial->grid->comm, insitu->directory, &insitu->table));
    PetscCall(StartBackend(insitu));
    insitu->interval = IntervalOf(insitu, initial->time);
    if (insitu->backend) {
        PetscCall(Ask(insitu, initial));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode VerifyInsitu(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    const Insitu *insitu = context;
    PetscFunctionBeginUser;
    PetscCall(SteeringTableVerify(snapshot->grid->comm, insitu->directory, position));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The state of the checkpoint was shown before it was written. */
static PetscErrorCode ResumeInsitu(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    Insitu *insitu = context;
    PetscFunctionBeginUser;
    PetscCall(
        SteeringTableResume(snapshot->grid->comm, insitu->directory, position, &insitu->table));
    PetscCall(StartBackend(insitu));
    insitu->interval = IntervalOf(insitu, snapshot->time);
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ObserveInsitu(void *context, const EngramSnapshot *snapshot)
{
    Insitu *insitu = context;
    PetscFunctionBeginUser;
    SteeringTableWrite(insitu->steering, &insitu->table);
    if (IsDue(insitu, snapshot) && insitu->backend) {
        PetscCall(Ask(insitu, snapshot));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StopInsitu(void *context, const EngramSnapshot *last,
                                 const EngramOutcome *outcome)
{
    Insitu *insitu = context;
    EngramInsituReport report = {.failures = 0};
    PetscBool has_failed = PETSC_FALSE;
    PetscFunctionBeginUser;
    (void)last;
    (void)outcome;
    PetscCall(StopBackend(insitu, &report));
    PetscCall(ShareReport(insitu, &report, &has_failed));
    SteeringTableWrite(insitu->steering, &insitu->table);
    PetscCall(TextFileClose(&insitu->table));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SaveInsitu(void *context, EngramPosition *position)
{
    Insitu *insitu = context;
    uint64_t bytes = 0;
    PetscFunctionBeginUser;
    SteeringTableWrite(insitu->steering, &insitu->table);
    PetscCall(TextFileSync(&insitu->table, &bytes));
    PetscCall(EngramPositionAdd(position, bytes));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyInsitu(void *context)
{
    Insitu *insitu = context;
    PetscFunctionBeginUser;
    /* After an error of one rank the others may not come here, so a back end that still runs is
     * left alone. */
    TextFileAbandon(&insitu->table);
    PetscCall(InsituSceneDestroy(&insitu->scene));
    if (insitu->comm != MPI_COMM_NULL && !insitu->is_started) {
        PetscCallMPI(MPI_Comm_free(&insitu->comm));
    }
    PetscCall(PetscFree(insitu));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramInsituCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramSteering *steering, EngramObserver *observer)
{
    Insitu *insitu = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&insitu));
    *observer = (EngramObserver){.name = "insitu",
                                 .context = insitu,
                                 .start = StartInsitu,
                                 .observe = ObserveInsitu,
                                 .stop = StopInsitu,
                                 .destroy = DestroyInsitu,
                                 .save = SaveInsitu,
                                 .verify = VerifyInsitu,
                                 .resume = ResumeInsitu};
    insitu->grid = grid;
    insitu->directory = parameters->directory;
    insitu->steering = steering;
    insitu->comm = MPI_COMM_NULL;
    PetscCall(InsituParametersGet(parameters->options, &insitu->parameters));
    steering->is_used = PETSC_TRUE;
    steering->is_strict = insitu->parameters.is_strict;
    PetscCallMPI(MPI_Comm_dup(grid->comm, &insitu->comm));
    PetscCall(InsituLibraryLoad(grid->comm, insitu->parameters.backend, &insitu->backend));
    PetscCall(InsituSceneCreate(grid, insitu->parameters.with_deviation, &insitu->scene));
    PetscFunctionReturn(PETSC_SUCCESS);
}
