#include "engram/app/simulation.h"

#include "engram/base/error.h"
#include "engram/base/log.h"

enum { MAXIMUM_OBSERVERS = 16 };

PetscErrorCode EngramSimulationRegisterOptions(EngramOptions options)
{
    static const EngramOptionTable *const tables[] = {&EngramModelOptions, &EngramGridOptions,
                                                      &EngramTimeOptions, &EngramOutputOptions,
                                                      &EngramSliceSolverOptions};
    PetscFunctionBeginUser;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        PetscCall(EngramOptionsRegister(options, tables[i]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSimulationSetUp(MPI_Comm comm, EngramOptions options,
                                     EngramSimulation *simulation)
{
    EngramGridParameters grid_parameters;
    PetscFunctionBeginUser;
    simulation->options = options;
    PetscCall(EngramTimeParametersGet(options, &simulation->time));
    PetscCall(EngramModelCreate(options, &simulation->model));
    PetscCall(EngramGridParametersGet(options, &grid_parameters));
    PetscCall(EngramGridCreate(comm, &grid_parameters, &simulation->grid));
    PetscCall(EngramSliceSolverCreate(simulation->grid, simulation->model->noise,
                                      simulation->model->flux, &simulation->solver));
    PetscCall(EngramSliceSolverSetFromOptions(simulation->solver));
    PetscCall(EngramSliceSolverSetUp(simulation->solver));
    PetscCall(EngramOptionsRefuseUnknown(options));
    PetscCall(EngramStepperCreate(simulation->grid, simulation->model, simulation->solver,
                                  &simulation->stepper));
    PetscCall(EngramStepperStart(simulation->stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Copies of what a step says of the slices, so that the last good state outlives a bad one. */
typedef struct SliceCopies {
    PetscInt count;
    double *firing_rate;
    double *weight_density;
    double *minimum;
} SliceCopies;

static PetscErrorCode CreateSliceCopies(const EngramGrid *grid, SliceCopies *copies)
{
    PetscFunctionBeginUser;
    copies->count = grid->w_local;
    PetscCall(PetscMalloc3(copies->count, &copies->firing_rate, copies->count,
                           &copies->weight_density, copies->count, &copies->minimum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroySliceCopies(SliceCopies *copies)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree3(copies->firing_rate, copies->weight_density, copies->minimum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeSnapshot(const EngramSimulation *simulation, PetscInt64 step, double dt,
                                   const SliceCopies *copies, EngramSnapshot *snapshot)
{
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    PetscCall(PetscArraycpy(copies->firing_rate, state->results->firing_rate, copies->count));
    PetscCall(PetscArraycpy(copies->weight_density, state->results->weight_density, copies->count));
    PetscCall(PetscArraycpy(copies->minimum, state->results->minimum, copies->count));
    snapshot->step = step;
    snapshot->time = state->time;
    snapshot->dt = dt;
    snapshot->total_rate = state->total_rate;
    snapshot->density = state->density->values;
    snapshot->firing_rate = copies->firing_rate;
    snapshot->weight_density = copies->weight_density;
    snapshot->minimum = copies->minimum;
    snapshot->is_last = (PetscBool)(step == simulation->time.steps);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The observers of one run. */
typedef struct ObserverList {
    EngramObserver members[MAXIMUM_OBSERVERS];
    int count;
} ObserverList;

static PetscErrorCode CreateObservers(const EngramSimulation *simulation,
                                      const EngramOutputParameters *output, ObserverList *list)
{
    PetscFunctionBeginUser;
    PetscCheck(EngramObserverConstructorCount <= MAXIMUM_OBSERVERS, PETSC_COMM_SELF,
               PETSC_ERR_MAX_VALUE, "Too many observers");
    for (list->count = 0; list->count < EngramObserverConstructorCount; list->count++) {
        PetscCall(EngramObserverConstructors[list->count](simulation->grid, output,
                                                          &list->members[list->count]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartObservers(const ObserverList *list, const EngramSnapshot *snapshot)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < list->count; i++) {
        if (list->members[i].start) {
            PetscCall(list->members[i].start(list->members[i].context, snapshot));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Observe(const ObserverList *list, const EngramSnapshot *snapshot)
{
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_OBSERVE));
    for (int i = 0; i < list->count; i++) {
        if (list->members[i].observe) {
            PetscCall(list->members[i].observe(list->members[i].context, snapshot));
        }
    }
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_OBSERVE, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StopObservers(const ObserverList *list, const EngramSnapshot *snapshot,
                                    const EngramOutcome *outcome)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < list->count; i++) {
        if (list->members[i].stop) {
            PetscCall(list->members[i].stop(list->members[i].context, snapshot, outcome));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyObservers(ObserverList *list)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < list->count; i++) {
        if (list->members[i].destroy) {
            PetscCall(list->members[i].destroy(list->members[i].context));
        }
    }
    list->count = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Ends the run with this step when the rate is beyond what the user calls a blow-up. */
static void CheckBlowUp(const EngramSimulation *simulation, EngramSnapshot *snapshot,
                        EngramOutcome *outcome)
{
    if (snapshot->total_rate > simulation->time.blowup_rate) {
        outcome->failure = "blow-up: the total firing rate is beyond -blowup_rate";
        outcome->has_blown_up = PETSC_TRUE;
        outcome->blowup_time = snapshot->time;
        snapshot->is_last = PETSC_TRUE;
    }
}

/** All steps, until the end or a state that cannot be continued. */
static PetscErrorCode StepLoop(EngramSimulation *simulation, const ObserverList *observers,
                               const SliceCopies *copies, EngramSnapshot *snapshot,
                               EngramOutcome *outcome)
{
    PetscFunctionBeginUser;
    const double started = MPI_Wtime();
    const EngramState *state = EngramStepperState(simulation->stepper);
    for (PetscInt64 step = 1; step <= simulation->time.steps && !outcome->failure; step++) {
        const double time = EngramTimeAt(&simulation->time, step);
        const double dt = time - state->time;
        const double before = MPI_Wtime();
        PetscCall(EngramStepperAdvance(simulation->stepper, time));
        outcome->step_seconds += MPI_Wtime() - before;
        if (!state->is_finite) {
            outcome->failure = state->failure;
            snapshot->is_last = PETSC_TRUE;
            snapshot->density = state->is_untouched ? snapshot->density : NULL;
            break;
        }
        outcome->steps_done = step;
        outcome->substeps += state->substeps;
        PetscCall(TakeSnapshot(simulation, step, dt, copies, snapshot));
        CheckBlowUp(simulation, snapshot, outcome);
        PetscCall(Observe(observers, snapshot));
    }
    outcome->is_complete = (PetscBool)(outcome->failure == NULL);
    outcome->wall_seconds = MPI_Wtime() - started;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSimulationRun(EngramSimulation *simulation,
                                   const EngramOutputParameters *output, EngramOutcome *outcome)
{
    ObserverList observers;
    SliceCopies copies;
    EngramSnapshot snapshot = {.grid = simulation->grid,
                               .steps = simulation->time.steps,
                               .end_time = simulation->time.end};
    PetscFunctionBeginUser;
    *outcome = (EngramOutcome){.is_complete = PETSC_FALSE};
    PetscCall(EngramReductionCreate(simulation->grid->comm, &snapshot.reduction));
    PetscCall(CreateObservers(simulation, output, &observers));
    PetscCall(CreateSliceCopies(simulation->grid, &copies));
    PetscCall(TakeSnapshot(simulation, 0, 0.0, &copies, &snapshot));
    PetscCall(StartObservers(&observers, &snapshot));
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_STEPS));
    PetscCall(StepLoop(simulation, &observers, &copies, &snapshot, outcome));
    PetscCall(EngramLogStageEnd());
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_FINISH));
    PetscCall(StopObservers(&observers, &snapshot, outcome));
    PetscCall(EngramLogStageEnd());
    PetscCall(DestroyObservers(&observers));
    PetscCall(DestroySliceCopies(&copies));
    PetscCall(EngramReductionDestroy(&snapshot.reduction));
    PetscFunctionReturn(PETSC_SUCCESS);
}

double EngramSimulationMemory(const EngramSimulation *simulation)
{
    const EngramGrid *grid = simulation->grid;
    const double density = (double)grid->v_nodes * (double)grid->w_stride * sizeof(double);
    return density + EngramSliceSolverMemory(simulation->solver);
}

PetscErrorCode EngramSimulationDestroy(EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    PetscCall(EngramStepperDestroy(&simulation->stepper));
    PetscCall(EngramSliceSolverDestroy(&simulation->solver));
    PetscCall(EngramModelDestroy(&simulation->model));
    PetscCall(EngramGridDestroy(&simulation->grid));
    PetscFunctionReturn(PETSC_SUCCESS);
}
