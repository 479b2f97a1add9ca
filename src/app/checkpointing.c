#include "checkpointing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/base/notice.h"
#include "engram/checkpoint/checkpoint_folder.h"
#include "interruption.h"
#include "run.h"

static const EngramOption checkpoint_options[] = {
    {"checkpoint_every", ENGRAM_OPTION_REAL, "0", "time",
     "interval of checkpoints; 0: none by time; steerable", ENGRAM_BOUND_AT_LEAST, 0},
    {"checkpoint_wall", ENGRAM_OPTION_REAL, "600", "seconds of wall time",
     "longest wall time without a checkpoint; 0: none by wall time", ENGRAM_BOUND_AT_LEAST, 0},
    {"checkpoint_keep", ENGRAM_OPTION_INTEGER, "2", "checkpoints",
     "how many of the newest are kept", ENGRAM_BOUND_AT_LEAST, 1},
    {"checkpoint_dir", ENGRAM_OPTION_TEXT, "auto", "auto or path",
     "folder for the checkpoints of this run alone, as on another file system; the folder of the "
     "results gets a symbolic link to it. auto: checkpoints in the folder of the results",
     ENGRAM_BOUND_NONE, 0},
    {"walltime", ENGRAM_OPTION_TEXT, "auto", "auto, none or [days-]HH:MM:SS",
     "wall time that the program has: shortly before its end it writes a checkpoint and leaves "
     "with "
     "exit code 85; auto: the time that is left to the SLURM job, where there is one",
     ENGRAM_BOUND_NONE, 0},
};

const EngramOptionTable CheckpointOptions = {
    "Checkpoints", checkpoint_options,
    (int)(sizeof(checkpoint_options) / sizeof(checkpoint_options[0]))};

/* A time this close to a multiple of the interval, in units of it, is that multiple. */
static const double INTERVAL_TOLERANCE = 1e-9;

/* For the time of a first checkpoint. */
static const double BYTES_PER_SECOND = 1e8;
static const double SECONDS_AT_LEAST = 0.1;

static const int LEAVING = ENGRAM_NOTICE_REQUEUE | ENGRAM_NOTICE_STOP;

static double IntervalOf(const Checkpointing *checkpointing, double now)
{
    return checkpointing->every > 0.0 ? floor(now / checkpointing->every + INTERVAL_TOLERANCE)
                                      : 0.0;
}

PetscErrorCode CheckpointingStart(Run *run, double started)
{
    Checkpointing *checkpointing = &run->checkpointing;
    const char *walltime = NULL;
    PetscFunctionBeginUser;
    const EngramSimulation *simulation = run->simulation;
    const EngramGrid *grid = simulation->grid;
    EngramOptions options = simulation->options;
    const Restart *restart = simulation->restart;
    checkpointing->every = run->steering.present[ENGRAM_STEER_CHECKPOINT_EVERY];
    PetscCall(EngramOptionsGetReal(options, "checkpoint_wall", &checkpointing->wall));
    PetscCall(EngramOptionsGetInteger(options, "checkpoint_keep", &checkpointing->keep));
    PetscCall(EngramOptionsGetText(options, "walltime", &walltime));
    const double bytes = 8.0 * (double)grid->v_nodes * (double)grid->w_cells;
    PetscCall(DeadlineFind(grid->comm, walltime, started,
                           SECONDS_AT_LEAST + bytes / BYTES_PER_SECOND, &checkpointing->deadline));
    const EngramState *state = EngramStepperState(simulation->stepper);
    const PetscBool is_restart = (PetscBool)(restart && restart->is_found);
    checkpointing->interval = IntervalOf(checkpointing, state->time);
    checkpointing->written_at = MPI_Wtime();
    checkpointing->is_used = (PetscBool)(checkpointing->every > 0.0 || is_restart);
    checkpointing->last_step = -1;
    if (is_restart) {
        checkpointing->numbers = restart->numbers;
        checkpointing->last_step = restart->continues_folder ? state->steps : -1;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void CheckpointingWatchClock(Run *run, double now)
{
    Checkpointing *checkpointing = &run->checkpointing;
    if (run->simulation->grid->rank != 0) {
        return;
    }
    const PetscBool is_due = (PetscBool)(checkpointing->wall > 0.0 &&
                                         now - checkpointing->written_at >= checkpointing->wall);
    if (is_due || DeadlineWantsCheckpoint(&checkpointing->deadline, now)) {
        EngramNoticePost(ENGRAM_NOTICE_CHECKPOINT_DUE);
    }
    if (DeadlineIsNear(&checkpointing->deadline, now)) {
        checkpointing->announces_clock = PETSC_TRUE;
        EngramNoticePost(ENGRAM_NOTICE_REQUEUE);
    }
}

void CheckpointingSetInterval(Run *run, double every)
{
    Checkpointing *checkpointing = &run->checkpointing;
    checkpointing->every = every;
    checkpointing->interval = IntervalOf(checkpointing, run->snapshot.time);
    checkpointing->is_used = (PetscBool)(checkpointing->is_used || every > 0.0);
}

/** Positions of all observers that have one. */
static PetscErrorCode SavePositions(Run *run, EngramCheckpointContent *content)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < run->observer_count; i++) {
        const EngramObserver *observer = &run->observers[i];
        if (!observer->save) {
            continue;
        }
        PetscCheck(content->outputs < ENGRAM_CHECKPOINT_OUTPUTS, PETSC_COMM_SELF,
                   PETSC_ERR_MAX_VALUE, "Too many outputs");
        EngramPosition *position = &run->checkpointing.positions[content->outputs];
        EngramPositionClear(position);
        PetscCall(observer->save(observer->context, position));
        content->output_names[content->outputs] = observer->name;
        content->positions[content->outputs++] = position;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What the run has counted, for the checkpoint. */
static void CollectNumbers(const Run *run, RunNumbers *numbers)
{
    const EngramOutcome *outcome = run->outcome;
    const EngramTimeParameters *time = &run->simulation->time;
    numbers->solves = (double)outcome->solves;
    numbers->parts = (double)outcome->parts;
    numbers->unmet = (double)outcome->unmet;
    numbers->substeps = (double)outcome->substeps;
    numbers->learning_courant = outcome->learning_courant;
    numbers->rejected = (double)outcome->rejected;
    numbers->ambiguous = (double)outcome->ambiguous;
    numbers->coupling_iterations = (double)outcome->coupling_iterations;
    numbers->origin_time = time->origin_time;
    numbers->origin_step = (double)time->origin_step;
}

/** What the snapshots say of the last checkpoint from now on. */
static void NoteWritten(Run *run, const char *path)
{
    Checkpointing *checkpointing = &run->checkpointing;
    const char *slash = strrchr(path, '/');
    struct tm utc;
    const time_t now = time(NULL);
    (void)snprintf(checkpointing->name, sizeof(checkpointing->name), "%.63s",
                   slash ? slash + 1 : path);
    if (!gmtime_r(&now, &utc) || strftime(checkpointing->written, sizeof(checkpointing->written),
                                          "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        checkpointing->written[0] = '\0';
    }
    run->snapshot.checkpoint = checkpointing->name;
    run->snapshot.checkpoint_time = run->snapshot.time;
    run->snapshot.checkpoint_written = checkpointing->written;
    checkpointing->last_step = run->snapshot.step;
    checkpointing->is_used = PETSC_TRUE;
}

static PetscErrorCode WriteCheckpoint(Run *run)
{
    Checkpointing *checkpointing = &run->checkpointing;
    EngramStateParts parts = {.count = 0};
    char path[PETSC_MAX_PATH_LEN];
    PetscFunctionBeginUser;
    const EngramSimulation *simulation = run->simulation;
    const EngramOutputParameters *output = run->output;
    const double began = MPI_Wtime();
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_CHECKPOINT));
    if (!checkpointing->has_folder) {
        PetscCall(EngramCheckpointFolderPrepare(simulation->grid->comm, output->directory));
        checkpointing->has_folder = PETSC_TRUE;
    }
    EngramCheckpointContent content = {.step = run->snapshot.step,
                                       .time = run->snapshot.time,
                                       .state = &parts,
                                       .options = simulation->options,
                                       .files = &simulation->file_sums,
                                       .provenance = &output->provenance};
    PetscCall(SavePositions(run, &content));
    PetscCall(EngramStepperSave(simulation->stepper, &parts));
    CollectNumbers(run, &checkpointing->numbers);
    PetscCall(RestartAddNumbers(&parts, &checkpointing->numbers));
    PetscCall(SteeringAddNumbers(run, &parts));
    PetscCall(EngramCheckpointPath(output->directory, content.step, path, sizeof(path)));
    PetscCall(EngramCheckpointWrite(simulation->grid, path, &content));
    if (simulation->grid->rank == 0) {
        EngramCheckpointFolderPrune(output->directory, checkpointing->keep);
    }
    NoteWritten(run, path);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_CHECKPOINT, 0.0));
    checkpointing->written_at = MPI_Wtime();
    DeadlineNoteCheckpoint(&checkpointing->deadline, checkpointing->written_at - began);
    run->outcome->checkpoints++;
    run->outcome->checkpoint_seconds += checkpointing->written_at - began;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether a checkpoint is due after the present step. */
static PetscBool IsDue(Run *run, int notices)
{
    static const int asking = ENGRAM_NOTICE_CHECKPOINT | ENGRAM_NOTICE_CHECKPOINT_DUE;
    Checkpointing *checkpointing = &run->checkpointing;
    const double interval = IntervalOf(checkpointing, run->snapshot.time);
    const PetscBool has_passed = (PetscBool)(interval > checkpointing->interval);
    const PetscBool is_end = (PetscBool)(run->snapshot.is_last && checkpointing->is_used);
    checkpointing->interval = interval;
    return (PetscBool)(has_passed || is_end || (notices & (asking | LEAVING)));
}

/** Why the run is left. Only rank 0 knows for sure, and only it tells. */
static const char *ReasonToLeave(const Run *run, int notices)
{
    static char reason[64];
    const char *name = InterruptionSignal();
    if (run->is_stop_requested && !name) {
        return "the request of an in situ script";
    }
    if (run->checkpointing.announces_clock && !name) {
        return run->checkpointing.deadline.is_of_job ? "the time of the job is up"
                                                     : "-walltime is up";
    }
    if (!name) {
        name = notices & ENGRAM_NOTICE_STOP ? "INT or PIPE" : "TERM, USR1 or HUP";
    }
    (void)snprintf(reason, sizeof(reason), "signal %s", name);
    return reason;
}

static PetscErrorCode Leave(Run *run, int notices)
{
    char path[PETSC_MAX_PATH_LEN];
    EngramOutcome *outcome = run->outcome;
    PetscFunctionBeginUser;
    outcome->departure = ReasonToLeave(run, notices);
    outcome->is_requeued = (PetscBool)((notices & ENGRAM_NOTICE_REQUEUE) != 0);
    PetscCall(EngramCheckpointPath(run->output->directory, run->snapshot.step, path, sizeof(path)));
    PetscCall(
        EngramNote("checkpoint %s written; leaving on %s (exit code %d)", path, outcome->departure,
                   outcome->is_requeued ? (int)ENGRAM_EXIT_REQUEUE : (int)ENGRAM_EXIT_INTERRUPTED));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointingAfterStep(Run *run, int notices)
{
    Checkpointing *checkpointing = &run->checkpointing;
    EngramCheckpointContent content = {.outputs = 0};
    PetscFunctionBeginUser;
    if (notices & ENGRAM_NOTICE_OUTPUT_FAILED) {
        /* The file that could not be written says so itself. */
        PetscCall(SavePositions(run, &content));
        EngramNoticeClear(ENGRAM_NOTICE_OUTPUT_FAILED);
    }
    const PetscBool is_due = IsDue(run, notices);
    if (is_due && checkpointing->last_step != run->snapshot.step) {
        PetscCall(WriteCheckpoint(run));
        if ((notices & ENGRAM_NOTICE_CHECKPOINT) && !(notices & LEAVING)) {
            PetscCall(EngramNote("checkpoint %s written on signal USR2", checkpointing->name));
        }
    }
    if (is_due) {
        EngramNoticeClear(ENGRAM_NOTICE_CHECKPOINT | ENGRAM_NOTICE_CHECKPOINT_DUE);
    }
    if ((notices & LEAVING) && !run->snapshot.is_last) {
        PetscCall(Leave(run, notices));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointingRescue(Run *run)
{
    char message[512];
    PetscFunctionBeginUser;
    if (run->checkpointing.last_step == run->snapshot.step) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    (void)snprintf(message, sizeof(message), "%s", EngramErrorMessage());
    EngramMessagesSilence(PETSC_TRUE);
    const PetscErrorCode code = WriteCheckpoint(run);
    EngramMessagesSilence(PETSC_FALSE);
    EngramErrorMessageKeep(message);
    if (!code) {
        PetscCall(EngramNote("checkpoint %s written; the run can go on from it when there is room",
                             run->checkpointing.name));
    } else if (code != ENGRAM_ERR_OUTPUT) {
        PetscCall(code);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointingAgree(const Run *run, int *notices)
{
    PetscFunctionBeginUser;
    *notices = EngramNoticePosted();
    PetscCallMPI(
        MPI_Allreduce(MPI_IN_PLACE, notices, 1, MPI_INT, MPI_BOR, run->simulation->grid->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Shows all observers the positions that they had at the checkpoint. */
static PetscErrorCode ShowPositions(Run *run, PetscBool verifies)
{
    EngramCheckpointFile file;
    EngramPosition position = {NULL, 0, 0};
    PetscFunctionBeginUser;
    const EngramSimulation *simulation = run->simulation;
    PetscCall(EngramCheckpointOpen(simulation->grid, simulation->restart->path, &file));
    PetscErrorCode code = PETSC_SUCCESS;
    for (int i = 0; i < run->observer_count && !code; i++) {
        const EngramObserver *observer = &run->observers[i];
        PetscErrorCode (*show)(void *, const EngramSnapshot *, const EngramPosition *) =
            verifies ? observer->verify : observer->resume;
        EngramPositionClear(&position);
        if (show && observer->save) {
            code = EngramCheckpointReadPosition(&file, observer->name, &position);
        }
        if (show && !code) {
            code = show(observer->context, &run->snapshot, &position);
        }
    }
    PetscCall(EngramPositionDestroy(&position));
    PetscCall(EngramCheckpointClose(&file));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointingVerify(Run *run)
{
    PetscFunctionBeginUser;
    PetscCall(ShowPositions(run, PETSC_TRUE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointingResume(Run *run)
{
    PetscFunctionBeginUser;
    PetscCall(ShowPositions(run, PETSC_FALSE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointingDestroy(Run *run)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < ENGRAM_CHECKPOINT_OUTPUTS; i++) {
        PetscCall(EngramPositionDestroy(&run->checkpointing.positions[i]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
