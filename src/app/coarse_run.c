#include "coarse_run.h"

#include <math.h>
#include <stdio.h>

#include "deadline.h"
#include "engram/base/error.h"
#include "engram/base/notice.h"
#include "interruption.h"
#include "protocol.h"
#include "run.h"

/* Times that are kept of a run are this part of it apart, but for ends of phases. */
static const double SPACING = 1.0 / 2000.0;

/* A target that was reached, relative to it. */
static const double TARGET_TOLERANCE = 1e-12;

static const int LEAVING = ENGRAM_NOTICE_REQUEUE | ENGRAM_NOTICE_STOP;

/** A coarse run under way. */
typedef struct CoarseRun {
    EngramSimulation simulation;
    double fields_every; /* of the coarse run; 0: none */
    double series_interval;
    Deadline deadline;
    int number;
    RateTable *table;
    double kept; /* the last time that was kept */
} CoarseRun;

/** Sets up the case with the values of the coarser grid, in its initial state. */
static PetscErrorCode Begin(const EngramSimulation *fine, const CoarseGrid *grid, CoarseRun *run)
{
    const char *walltime = NULL;
    PetscFunctionBeginUser;
    EngramOptions options = fine->options;
    PetscCall(CoarseGridVary(fine, grid));
    PetscErrorCode code = EngramSimulationSetUp(fine->grid->comm, options, &run->simulation);
    if (!code) {
        code = EngramSimulationStart(&run->simulation);
    }
    PetscCall(EngramOptionsEndVariation(options));
    PetscCall(code);
    PetscCall(EngramOptionsGetText(options, "walltime", &walltime));
    PetscCall(DeadlineFind(fine->grid->comm, walltime, fine->started, 0.0, &run->deadline));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Keeps the present rate if another run can have a state at this time, too. */
static PetscErrorCode Keep(CoarseRun *run, double target)
{
    PetscFunctionBeginUser;
    const EngramSimulation *simulation = &run->simulation;
    const EngramState *state = EngramStepperState(simulation->stepper);
    const double end = simulation->protocol->end;
    if (run->number > 0) {
        RateTableFill(run->table, run->number, state->time, state->total_rate);
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const PetscBool is_end =
        (PetscBool)(ProtocolIsAtEnd(simulation->protocol, state->time) || state->time >= end);
    const PetscBool is_due = (PetscBool)(state->time >= target * (1.0 - TARGET_TOLERANCE) &&
                                         state->time >= run->kept + SPACING * end);
    if (is_end || is_due) {
        run->kept = state->time;
        PetscCall(RateTableAdd(run->table, state->time, state->total_rate));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Posts what the clock says, and learns what the step says of signals. @return why to leave */
static const char *ReasonToLeave(CoarseRun *run, double began)
{
    const double now = MPI_Wtime();
    DeadlineNoteStep(&run->deadline, now - began);
    if (run->simulation.grid->rank == 0 && DeadlineIsNear(&run->deadline, now)) {
        EngramNoticePost(ENGRAM_NOTICE_REQUEUE);
    }
    const int notices = EngramStepperState(run->simulation.stepper)->notices;
    return notices & LEAVING ? "a signal, or the end of the wall time" : NULL;
}

/** Takes one step. @param reason why there is none to follow, or NULL */
static PetscErrorCode TakeStep(CoarseRun *run, const char **reason)
{
    EngramSimulation *simulation = &run->simulation;
    PetscFunctionBeginUser;
    const double began = MPI_Wtime();
    PetscCall(ProtocolAdvance(simulation));
    const double target = RunNextTarget(simulation, run->fields_every, run->series_interval);
    PetscCall(EngramStepperAdvance(simulation->stepper, target));
    const EngramState *state = EngramStepperState(simulation->stepper);
    if (!state->is_finite || state->has_blown_up) {
        *reason = state->failure;
    } else if (state->total_rate > simulation->time.blowup_rate) {
        *reason = "its total firing rate is beyond -blowup_rate";
    } else {
        PetscCall(Keep(run, target));
        *reason = ReasonToLeave(run, began);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Runs to the end, or to what ends it before. */
static PetscErrorCode Go(CoarseRun *run, const CoarseGrid *grid, char *reason, size_t size)
{
    const char *failure = NULL;
    PetscFunctionBeginUser;
    const EngramSimulation *simulation = &run->simulation;
    const EngramState *state = EngramStepperState(simulation->stepper);
    while (!failure && state->time < simulation->protocol->end) {
        PetscCall(TakeStep(run, &failure));
        state = EngramStepperState(simulation->stepper);
    }
    if (failure) {
        (void)snprintf(reason, size,
                       "the coarser run on %" PetscInt_FMT " x %" PetscInt_FMT
                       " cells (v x w) has ended at t = %g: %s",
                       grid->v_cells, grid->w_cells, state->time, failure);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CoarseRunTake(const EngramSimulation *simulation,
                             const EngramOutputParameters *output, const CoarseGrid *grid,
                             int number, RateTable *table, char *reason, size_t size)
{
    CoarseRun run = {.fields_every = output->fields_every * grid->interval,
                     .series_interval = output->series_interval * grid->interval,
                     .number = number,
                     .table = table};
    PetscFunctionBeginUser;
    EngramMessagesSilence(PETSC_TRUE);
    PetscErrorCode code = Begin(simulation, grid, &run);
    if (!code) {
        code = Go(&run, grid, reason, size);
    }
    EngramMessagesSilence(PETSC_FALSE);
    if (code == ENGRAM_ERR_INPUT || code == ENGRAM_ERR_SOLVER) {
        (void)snprintf(reason, size,
                       "the coarser run on %" PetscInt_FMT " x %" PetscInt_FMT
                       " cells (v x w) has failed: %s",
                       grid->v_cells, grid->w_cells, EngramErrorMessage());
        code = PETSC_SUCCESS;
    }
    PetscCall(EngramSimulationDestroy(&run.simulation));
    PetscCall(code);
    if (!InterruptionSignal()) {
        /* The clock's, which the run watches by itself. */
        EngramNoticeClear(ENGRAM_NOTICE_REQUEUE);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
