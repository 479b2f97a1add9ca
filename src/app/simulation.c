#include "engram/app/simulation.h"

#include <stdio.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/observe/insitu_observer.h"
#include "error_estimate.h"
#include "protocol.h"
#include "run.h"
#include "steady.h"
#include "steering.h"

/* Nobody waits for more outputs, as a part of the run. */
static const double SHORTEST_INTERVAL = 1e-9;

PetscErrorCode EngramSimulationRegisterOptions(EngramOptions options)
{
    static const EngramOptionTable *const tables[] = {
        &EngramModelOptions,       &EngramGridOptions,     &EngramTimeOptions,
        &EngramTransportOptions,   &EngramCouplingOptions, &EngramOutputOptions,
        &EngramSliceSolverOptions, &SteadyOptions,         &CheckpointOptions,
        &EngramInsituOptions,      &ProtocolOptions};
    PetscFunctionBeginUser;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        PetscCall(EngramOptionsRegister(options, tables[i]));
    }
    PetscCall(EngramOptionsRegisterFamily(options, &ProtocolPhaseOptions));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Tells of options that were given and do nothing without another one. */
static PetscErrorCode WarnOfIdle(EngramOptions options, const EngramSimulation *simulation)
{
    static const struct {
        const char *name;
        const char *needs;
        PetscBool is_coupling;
    } pairs[] = {{"time_tolerance", "adaptive steps (leave -time_step out)", PETSC_FALSE},
                 {"time_step_min", "adaptive steps (leave -time_step out)", PETSC_FALSE},
                 {"time_step_max", "adaptive steps (leave -time_step out)", PETSC_FALSE},
                 {"coupling_iterations", "-coupling implicit", PETSC_TRUE},
                 {"coupling_scan", "-coupling implicit", PETSC_TRUE}};
    PetscFunctionBeginUser;
    const PetscBool is_implicit =
        (PetscBool)(simulation->coupling.time == ENGRAM_COUPLING_IMPLICIT);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        PetscBool is_default = PETSC_FALSE;
        const PetscBool is_used = pairs[i].is_coupling ? is_implicit : simulation->time.is_adaptive;
        PetscCall(EngramOptionsIsDefault(options, pairs[i].name, &is_default));
        if (!is_used && !is_default) {
            PetscCall(EngramWarning("-%s does nothing without %s", pairs[i].name, pairs[i].needs));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Tells of a delay that fixed steps pass over. */
static PetscErrorCode WarnOfShortDelay(const EngramSimulation *simulation)
{
    const Protocol *protocol = simulation->protocol;
    double epsilon = simulation->model->phase.epsilon;
    PetscFunctionBeginUser;
    for (int i = 0; i < protocol->count; i++) {
        epsilon = PetscMin(epsilon, protocol->phase[i].model.epsilon);
    }
    const double delay = epsilon * simulation->model->delay;
    if (!simulation->time.is_adaptive && delay > 0.0 && delay < simulation->time.step) {
        PetscCall(EngramWarning("-model_delay %g: is %g in learning time, shorter than a step of "
                                "-time_step %g, within which the rate is a straight line; leave "
                                "-time_step out, or take %g at most",
                                simulation->model->delay, delay, simulation->time.step, delay));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Adaptive steps end at every output: an interval far below the run would never end. */
static PetscErrorCode CheckIntervals(EngramOptions options, const EngramTimeParameters *time,
                                     double end)
{
    static const char *const names[] = {"output_fields_every", "output_series_interval"};
    PetscFunctionBeginUser;
    const double shortest = PetscMax(time->step_min, SHORTEST_INTERVAL * end);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        double every = 0.0;
        PetscCall(EngramOptionsGetReal(options, names[i], &every));
        if (time->is_adaptive && every > 0.0 && every < shortest) {
            PetscCall(EngramInputError("-%s %g: adaptive steps end at every output, so it must be "
                                       "0, or at least %g",
                                       names[i], every, shortest));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void AddFileSum(EngramInput input, EngramFileSums *sums)
{
    EngramFileSum sum = {.option = EngramInputOption(input)};
    if (EngramInputFileSum(input, &sum.checksum)) {
        sums->list[sums->count++] = sum;
    }
}

/** Collects the checksums of the files that the run reads its input from. */
static PetscErrorCode CollectFileSums(EngramSimulation *simulation)
{
    const Protocol *protocol = simulation->protocol;
    EngramFileSums *sums = &simulation->file_sums;
    PetscFunctionBeginUser;
    PetscCall(PetscMalloc1(protocol->count + 1, &sums->list));
    if (protocol->count == 0) {
        AddFileSum(simulation->model->phase.input, sums);
    }
    for (int i = 0; i < protocol->count; i++) {
        AddFileSum(protocol->phase[i].model.input, sums);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Gives the solver the neuron's own drift. */
static PetscErrorCode SetNeuron(const EngramModel *model, const EngramGrid *grid,
                                EngramSliceSolver solver)
{
    double *mean = NULL;
    double *slope = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscMalloc2(grid->v_nodes, &mean, grid->v_nodes, &slope));
    PetscCall(EngramModelDrift(model, grid, mean, slope));
    PetscCall(EngramSliceSolverSetNeuron(solver, mean, slope));
    PetscCall(PetscFree2(mean, slope));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSimulationSetUp(MPI_Comm comm, EngramOptions options,
                                     EngramSimulation *simulation)
{
    EngramGridParameters grid_parameters;
    const char *walltime = NULL;
    PetscFunctionBeginUser;
    simulation->options = options;
    PetscCall(EngramTimeParametersGet(options, &simulation->time));
    PetscCall(EngramGridParametersGet(options, &grid_parameters));
    PetscCall(EngramTransportConclude(options, grid_parameters.w_cells, &simulation->time));
    grid_parameters.w_order = simulation->time.transport.order;
    PetscCall(EngramOptionsGetText(options, "walltime", &walltime));
    PetscCall(DeadlineCheck(walltime));
    PetscCall(EngramCouplingParametersGet(options, &simulation->coupling));
    const EngramTimeParameters *time = &simulation->time;
    EngramCouplingConclude((PetscBool)(time->scheme == ENGRAM_TIME_EULER && !time->is_adaptive),
                           time->is_adaptive ? time->tolerance : 0.0, &simulation->coupling);
    PetscCall(EngramModelCreate(options, &simulation->model));
    PetscCall(SteadyIsWanted(options, &simulation->is_steady));
    if (simulation->is_steady) {
        PetscCall(SteadyAdjust(simulation));
    } else {
        PetscCall(WarnOfIdle(options, simulation));
    }
    PetscCall(ProtocolCreate(simulation));
    PetscCall(CollectFileSums(simulation));
    PetscCall(CheckIntervals(options, &simulation->time, simulation->protocol->end));
    PetscCall(EngramGridCreate(comm, &grid_parameters, &simulation->grid));
    const EngramModel *model = simulation->model;
    PetscCall(EngramSliceSolverCreate(simulation->grid,
                                      EngramModelNoise(model, model->initial_rate), model->flux,
                                      model->refractory, &simulation->solver));
    PetscCall(SetNeuron(model, simulation->grid, simulation->solver));
    PetscCall(EngramSliceSolverSetFromOptions(simulation->solver));
    PetscCall(EngramSliceSolverSetUp(simulation->solver));
    PetscCall(EngramOptionsRefuseUnknown(options));
    PetscCall(EngramStepperCreate(simulation->grid, simulation->model, simulation->solver,
                                  &simulation->time, &simulation->coupling, &simulation->stepper));
    PetscCall(ProtocolCheck(simulation));
    PetscCall(WarnOfShortDelay(simulation));
    PetscCall(SteeringSetFactor(simulation));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSimulationStart(EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    PetscCall(EngramStepperStart(simulation->stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSimulationRun(EngramSimulation *simulation,
                                   const EngramOutputParameters *output, EngramOutcome *outcome)
{
    Run run;
    char plan[128];
    const EngramTimeParameters *time = &simulation->time;
    PetscFunctionBeginUser;
    const PetscInt64 steps = ProtocolSteps(simulation);
    if (simulation->is_steady) {
        PetscCall(SteadyRun(simulation, output, outcome));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (time->is_adaptive) {
        (void)snprintf(plan, sizeof(plan), "adaptive steps to t = %g, tolerance %g",
                       simulation->protocol->end, time->tolerance);
    } else {
        (void)snprintf(plan, sizeof(plan), "%" PetscInt64_FMT " step%s to t = %g", steps,
                       steps > 1 ? "s" : "", simulation->protocol->end);
    }
    PetscErrorCode code = RunStart(simulation, output, plan, outcome, &run);
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_STEPS));
    while (!code && RunGoesOn(&run)) {
        code = RunStep(&run);
    }
    PetscCall(EngramLogStageEnd());
    PetscCall(RunStop(&run, code));
    PetscFunctionReturn(PETSC_SUCCESS);
}

double EngramSimulationMemory(const EngramSimulation *simulation)
{
    return EngramStepperMemory(simulation->stepper) + EngramSliceSolverMemory(simulation->solver);
}

PetscErrorCode EngramSimulationDestroy(EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    PetscCall(ErrorEstimateDestroy(&simulation->estimate));
    PetscCall(PetscFree(simulation->file_sums.list));
    simulation->file_sums.count = 0;
    PetscCall(EngramStepperDestroy(&simulation->stepper));
    PetscCall(EngramSliceSolverDestroy(&simulation->solver));
    PetscCall(ProtocolDestroy(&simulation->protocol));
    PetscCall(EngramModelDestroy(&simulation->model));
    PetscCall(EngramGridDestroy(&simulation->grid));
    PetscFunctionReturn(PETSC_SUCCESS);
}
