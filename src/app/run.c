#include "run.h"

#include <math.h>

#include "doubts.h"
#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/base/notice.h"
#include "engram/observe/insitu_observer.h"
#include "error_estimate.h"
#include "initial_resolution.h"
#include "protocol.h"
#include "steering.h"

/* A time this close to a multiple of the output interval, in units of it, is that multiple. */
static const double TARGET_TOLERANCE = 1e-9;

static PetscErrorCode CreateSliceCopies(const EngramGrid *grid, SliceCopies *copies)
{
    PetscFunctionBeginUser;
    copies->count = grid->w_local;
    PetscCall(PetscMalloc5(copies->count, &copies->firing_rate, copies->count,
                           &copies->weight_density, copies->count, &copies->minimum, copies->count,
                           &copies->refractory, copies->count, &copies->learning_velocity));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroySliceCopies(SliceCopies *copies)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree5(copies->firing_rate, copies->weight_density, copies->minimum,
                         copies->refractory, copies->learning_velocity));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The refractory neurons, which the density keeps over h as the row after the nodes. */
static void CopyRefractory(const EngramGrid *grid, const EngramDensity *density,
                           const SliceCopies *copies, EngramSnapshot *snapshot)
{
    snapshot->refractory = NULL;
    if (density->rows > grid->v_nodes) {
        const double *row = density->values + grid->v_nodes * grid->w_stride;
        for (PetscInt i = 0; i < copies->count; i++) {
            copies->refractory[i] = grid->v_spacing * row[i];
        }
        snapshot->refractory = copies->refractory;
    }
}

static PetscErrorCode TakeSnapshot(Run *run)
{
    const EngramSimulation *simulation = run->simulation;
    const SliceCopies *copies = &run->copies;
    EngramSnapshot *snapshot = &run->snapshot;
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    CopyRefractory(simulation->grid, state->density, copies, snapshot);
    PetscCall(PetscArraycpy(copies->firing_rate, state->results->firing_rate, copies->count));
    PetscCall(PetscArraycpy(copies->weight_density, state->results->weight_density, copies->count));
    PetscCall(PetscArraycpy(copies->minimum, state->results->minimum, copies->count));
    EngramStepperLearningVelocity(simulation->stepper, copies->learning_velocity);
    snapshot->clock = MPI_Wtime();
    snapshot->step = state->steps;
    snapshot->time = state->time;
    snapshot->dt = state->step_length;
    snapshot->total_rate = state->total_rate;
    snapshot->density = state->density->values;
    snapshot->firing_rate = copies->firing_rate;
    snapshot->weight_density = copies->weight_density;
    snapshot->minimum = copies->minimum;
    snapshot->learning_velocity = copies->learning_velocity;
    snapshot->drift = EngramSliceSolverDrift(simulation->solver);
    snapshot->coupling_iterations = state->coupling_iterations;
    snapshot->coupling_solutions = state->coupling_solutions;
    snapshot->phase = simulation->protocol->present;
    snapshot->phase_name = ProtocolPhaseName(simulation->protocol);
    snapshot->is_wanted = ProtocolIsAtEnd(simulation->protocol, state->time);
    snapshot->is_last = (PetscBool)(state->time >= simulation->protocol->end);
    snapshot->weights_move = simulation->model->phase.plasticity;
    snapshot->noise = EngramSliceSolverNoise(simulation->solver);
    ThresholdLayerLook(simulation->solver, snapshot, &run->layer);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The observer for scripts, where there are any. */
static PetscErrorCode CreateInsitu(Run *run)
{
    PetscBool is_wanted = PETSC_FALSE;
    PetscBool with_deviation = PETSC_FALSE;
    PetscFunctionBeginUser;
    EngramOptions options = run->output->options;
    PetscCall(EngramInsituIsWanted(options, &is_wanted));
    PetscCall(EngramInsituWantsDeviation(options, &with_deviation));
    if (with_deviation) {
        PetscCall(QuasiStaticCreate(run->simulation, &run->quasi_static));
        run->snapshot.quasi_static = QuasiStaticFind;
        run->snapshot.quasi_static_context = &run->quasi_static;
    }
    if (is_wanted) {
        EngramObserver *observer = &run->observers[run->observer_count];
        PetscCall(EngramInsituCreate(run->simulation->grid, run->output, &run->steering, observer));
        run->observer_count++;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateObservers(Run *run)
{
    PetscFunctionBeginUser;
    PetscCheck(EngramObserverConstructorCount < RUN_MAXIMUM_OBSERVERS, PETSC_COMM_SELF,
               PETSC_ERR_MAX_VALUE, "Too many observers");
    for (int i = 0; i < EngramObserverConstructorCount; i++) {
        PetscCall(
            EngramObserverConstructors[i](run->simulation->grid, run->output, &run->observers[i]));
        run->observer_count++;
    }
    PetscCall(CreateInsitu(run));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartObservers(const Run *run)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < run->observer_count; i++) {
        const EngramObserver *observer = &run->observers[i];
        if (observer->start) {
            PetscCall(observer->start(observer->context, &run->snapshot));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Observe(const Run *run)
{
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_OBSERVE));
    for (int i = 0; i < run->observer_count; i++) {
        const EngramObserver *observer = &run->observers[i];
        if (observer->observe) {
            PetscCall(observer->observe(observer->context, &run->snapshot));
        }
    }
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_OBSERVE, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StopObservers(const Run *run)
{
    PetscFunctionBeginUser;
    for (int i = run->observer_count - 1; i >= 0; i--) {
        const EngramObserver *observer = &run->observers[i];
        if (observer->stop) {
            PetscCall(observer->stop(observer->context, &run->snapshot, run->outcome));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyObservers(Run *run)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < run->observer_count; i++) {
        const EngramObserver *observer = &run->observers[i];
        if (observer->destroy) {
            PetscCall(observer->destroy(observer->context));
        }
    }
    run->observer_count = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void NoteBlowUp(EngramSnapshot *snapshot, EngramOutcome *outcome, const char *failure)
{
    outcome->failure = failure;
    outcome->has_blown_up = PETSC_TRUE;
    outcome->blowup_time = snapshot->time;
    snapshot->is_last = PETSC_TRUE;
}

/** The next multiple of an interval after a time, or the end; the end where there is no interval.
 */
static double NextMultiple(double now, double every, double end)
{
    if (!(every > 0.0)) {
        return end;
    }
    const double next = (floor(now / every + TARGET_TOLERANCE) + 1.0) * every;
    return next > end - TARGET_TOLERANCE * every ? end : next;
}

double RunNextTarget(const EngramSimulation *simulation, double fields_every,
                     double series_interval)
{
    const EngramTimeParameters *time = &simulation->time;
    const EngramState *state = EngramStepperState(simulation->stepper);
    if (!time->is_adaptive) {
        return EngramTimeAt(time, state->steps + 1);
    }
    const double fields = NextMultiple(state->time, fields_every, time->end);
    const double rows = NextMultiple(state->time, series_interval, time->end);
    return PetscMin(fields, rows);
}

static void CountStep(const EngramState *state, EngramOutcome *outcome)
{
    outcome->steps_done = state->steps;
    outcome->solves += state->solves;
    outcome->parts += state->parts;
    outcome->unmet += state->is_unmet ? 1 : 0;
    outcome->substeps += state->substeps;
    outcome->learning_courant = PetscMax(outcome->learning_courant, state->learning_courant);
    outcome->rejected += state->rejected;
    outcome->coupling_iterations += state->coupling_iterations;
    outcome->ambiguous += state->coupling_solutions > 1 ? 1 : 0;
}

/** What a step has led to, in the snapshot, or in the outcome if there is no way on. */
static PetscErrorCode TakeStep(Run *run, double began)
{
    const EngramTimeParameters *time = &run->simulation->time;
    EngramSnapshot *snapshot = &run->snapshot;
    EngramOutcome *outcome = run->outcome;
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(run->simulation->stepper);
    const double target =
        RunNextTarget(run->simulation, run->steering.present[ENGRAM_STEER_FIELDS_EVERY],
                      run->output->series_interval);
    PetscCall(EngramStepperAdvance(run->simulation->stepper, target));
    const PetscBool is_stuck = (PetscBool)(state->has_blown_up && state->is_untouched);
    if (is_stuck) {
        outcome->rejected += state->rejected;
        NoteBlowUp(snapshot, outcome, state->failure);
    } else if (!state->is_finite) {
        outcome->failure = state->failure;
        outcome->has_blown_up = state->has_blown_up;
        outcome->blowup_time = snapshot->time;
        snapshot->is_last = PETSC_TRUE;
        snapshot->density = state->is_untouched ? snapshot->density : NULL;
        snapshot->drift = NULL;
    } else {
        CountStep(state, outcome);
        PetscCall(OscillationLook(run->simulation, &run->oscillation));
        PetscCall(TakeSnapshot(run));
        outcome->step_seconds += snapshot->clock - began;
        if (state->has_blown_up) {
            NoteBlowUp(snapshot, outcome, state->failure);
        } else if (snapshot->total_rate > time->blowup_rate) {
            NoteBlowUp(snapshot, outcome, "blow-up: the total firing rate is beyond -blowup_rate");
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What a run has counted before it was continued. */
static void SetOutcome(const EngramSimulation *simulation, EngramOutcome *outcome)
{
    const Restart *restart = simulation->restart;
    *outcome = (EngramOutcome){.steady_states = -1};
    if (restart && restart->is_found) {
        outcome->first_step = EngramStepperState(simulation->stepper)->steps;
        outcome->steps_done = outcome->first_step;
        outcome->solves = (PetscInt64)restart->numbers.solves;
        outcome->parts = (PetscInt64)restart->numbers.parts;
        outcome->unmet = (PetscInt64)restart->numbers.unmet;
        outcome->substeps = (PetscInt64)restart->numbers.substeps;
        outcome->learning_courant = restart->numbers.learning_courant;
        outcome->rejected = (PetscInt64)restart->numbers.rejected;
        outcome->ambiguous = (PetscInt64)restart->numbers.ambiguous;
        outcome->coupling_iterations = (PetscInt64)restart->numbers.coupling_iterations;
    }
}

/** Signals that came before the first step. */
static PetscErrorCode ObeyEarlyNotices(Run *run)
{
    int notices = 0;
    PetscFunctionBeginUser;
    PetscCall(CheckpointingAgree(run, &notices));
    notices |= run->is_stop_requested ? ENGRAM_NOTICE_STOP : 0;
    if (notices && !(run->simulation->is_steady && !run->simulation->model->phase.plasticity)) {
        PetscCall(CheckpointingAfterStep(run, notices));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Takes the folder of the results, where the program has one to take, and begins or continues the
 * files in it. What can be refused was refused when the first of them is touched.
 */
static PetscErrorCode Begin(Run *run)
{
    const Restart *restart = run->simulation->restart;
    PetscFunctionBeginUser;
    const PetscBool continues = (PetscBool)(restart && restart->continues_folder);
    if (continues) {
        PetscCall(CheckpointingVerify(run));
    }
    if (restart) {
        PetscCall(EngramOutputPrepare(run->simulation->grid, run->output, RestartMode(restart)));
        run->outcome->has_begun = PETSC_TRUE;
        PetscCall(RestartPrepareFolder(run->simulation, run->output, restart));
    }
    if (continues) {
        PetscCall(CheckpointingResume(run));
    } else {
        PetscCall(StartObservers(run));
        PetscCall(CutOffWarnOfFirst(run->simulation, &run->cut_off));
        PetscCall(InitialResolutionWarn(run->simulation));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunStart(EngramSimulation *simulation, const EngramOutputParameters *output,
                        const char *plan, EngramOutcome *outcome, Run *run)
{
    const EngramTimeParameters *time = &simulation->time;
    PetscFunctionBeginUser;
    *run = (Run){.simulation = simulation, .output = output, .outcome = outcome};
    SetOutcome(simulation, outcome);
    run->snapshot.grid = simulation->grid;
    run->snapshot.steps = time->is_adaptive ? 0 : ProtocolSteps(simulation);
    run->snapshot.tolerance = time->is_adaptive ? time->tolerance : 0.0;
    run->snapshot.end_time = simulation->protocol->end;
    run->snapshot.plan = plan;
    run->snapshot.steering = &run->steering;
    run->snapshot.cut_off = &run->cut_off.largest;
    CutOffStart(&run->cut_off);
    CutOffDescribe(simulation, &run->snapshot);
    PetscCall(SteeringStart(run));
    PetscCall(EngramReductionCreate(simulation->grid->comm, &run->snapshot.reduction));
    PetscCall(CreateObservers(run));
    PetscCall(CreateSliceCopies(simulation->grid, &run->copies));
    PetscCall(TakeSnapshot(run));
    run->snapshot.start_time = run->snapshot.time;
    PetscCall(CheckpointingStart(run, simulation->started));
    PetscCall(Begin(run));
    PetscCall(SteeringTakeOver(run));
    PetscCall(ThresholdLayerWarn(simulation->grid, &run->layer));
    run->started = MPI_Wtime();
    PetscCall(ObeyEarlyNotices(run));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool RunGoesOn(const Run *run)
{
    return (PetscBool)(!run->snapshot.is_last && !run->outcome->departure);
}

PetscErrorCode RunStep(Run *run)
{
    PetscFunctionBeginUser;
    PetscCall(ProtocolAdvance(run->simulation));
    const PetscInt64 done = run->outcome->steps_done;
    const double began = MPI_Wtime();
    CheckpointingWatchClock(run, began);
    PetscCall(TakeStep(run, began));
    if (run->outcome->steps_done > done) {
        const PetscErrorCode code = Observe(run);
        if (code == ENGRAM_ERR_OUTPUT) {
            PetscCall(CheckpointingRescue(run));
        }
        PetscCall(code);
        ErrorEstimateWatch(run->simulation->estimate, run->snapshot.time, run->snapshot.total_rate);
        PetscCall(SteeringTakeOver(run));
        DeadlineNoteStep(&run->checkpointing.deadline, MPI_Wtime() - began);
    }
    if (!run->outcome->failure) {
        const int notices = EngramStepperState(run->simulation->stepper)->notices;
        const int stop = run->is_stop_requested ? ENGRAM_NOTICE_STOP : 0;
        PetscCall(CheckpointingAfterStep(run, notices | stop));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunShow(Run *run, PetscInt64 number)
{
    PetscFunctionBeginUser;
    PetscCall(TakeSnapshot(run));
    run->snapshot.step = number;
    run->snapshot.time = (double)number;
    run->snapshot.is_wanted = PETSC_TRUE;
    run->outcome->steps_done = number;
    PetscCall(Observe(run));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Conclude(Run *run)
{
    EngramOutcome *outcome = run->outcome;
    PetscFunctionBeginUser;
    outcome->is_complete = (PetscBool)(!outcome->failure && !outcome->departure);
    outcome->last_time = run->snapshot.time;
    outcome->wall_seconds = MPI_Wtime() - run->started;
    if (!outcome->departure) {
        PetscCall(DoubtsWarn(run->simulation, outcome));
        PetscCall(ThresholdLayerWarn(run->simulation->grid, &run->layer));
        PetscCall(CutOffWarn(run->simulation, "", &run->cut_off));
        ErrorEstimateConclude(run->simulation, outcome);
    }
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_FINISH));
    const PetscErrorCode code = StopObservers(run);
    PetscCall(EngramLogStageEnd());
    PetscCall(code);
    PetscCall(ErrorEstimateTell(&outcome->estimate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RunStop(Run *run, PetscErrorCode code)
{
    PetscErrorCode stopped = code;
    PetscFunctionBeginUser;
    if (!stopped) {
        stopped = Conclude(run);
    }
    PetscCall(DestroyObservers(run));
    PetscCall(CheckpointingDestroy(run));
    PetscCall(DestroySliceCopies(&run->copies));
    PetscCall(QuasiStaticDestroy(&run->quasi_static));
    PetscCall(EngramReductionDestroy(&run->snapshot.reduction));
    PetscCall(stopped);
    PetscFunctionReturn(PETSC_SUCCESS);
}
