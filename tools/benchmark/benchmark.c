/* Times the parts of a step in one process, and prints "name minimum median" in nanoseconds per
 * cell, one line each. Options as for engram, -benchmark_samples N, and -benchmark_messages for the
 * messages of a step, in nanoseconds a call. Run by tools/bench.sh. */
#include <stdio.h>
#include <stdlib.h>

#include "engram/app/simulation.h"
#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/kernels/denormals.h"
#include "message_times.h"

enum { MAXIMUM_SAMPLES = 1000 };

static const EngramOption benchmark_options[] = {
    {"benchmark_samples", ENGRAM_OPTION_INTEGER, "50", "samples", "timed calls of each part",
     ENGRAM_BOUND_AT_LEAST, 1},
    {"benchmark_messages", ENGRAM_OPTION_BOOLEAN, "false", "", "time the messages of a step, too",
     ENGRAM_BOUND_NONE, 0},
};

static const EngramOptionTable BenchmarkOptions = {"Benchmark", benchmark_options, 2};

/** One part: does its work once. */
typedef PetscErrorCode (*Part)(EngramSimulation *simulation);

static double *stream_values;
static PetscInt stream_length;

/** The limit: every number of an array like the density is read, changed and written back. */
static PetscErrorCode Stream(EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    (void)simulation;
    for (PetscInt i = 0; i < stream_length; i++) {
        stream_values[i] = 0.999999 * stream_values[i];
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveSlices(EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    PetscCall(EngramSliceSolverSolve(simulation->solver,
                                     simulation->time.step / simulation->model->phase.epsilon, 0.0,
                                     NULL, state->density, state->density));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FullStep(EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    PetscCall(EngramStepperAdvance(simulation->stepper, state->time + simulation->time.step));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareNumbers(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static PetscErrorCode Time(EngramSimulation *simulation, const char *name, Part part,
                           PetscInt samples)
{
    double seconds[MAXIMUM_SAMPLES] = {0.0};
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    PetscCall(part(simulation)); /* warm-up */
    for (PetscInt i = 0; i < samples; i++) {
        PetscCallMPI(MPI_Barrier(grid->comm));
        const double started = MPI_Wtime();
        PetscCall(part(simulation));
        PetscCallMPI(MPI_Barrier(grid->comm));
        seconds[i] = MPI_Wtime() - started;
    }
    qsort(seconds, (size_t)samples, sizeof(seconds[0]), CompareNumbers);
    const double scale = 1e9 / ((double)grid->v_nodes * (double)grid->w_cells);
    PetscCall(PetscPrintf(grid->comm, "%s %.4f %.4f\n", name, scale * seconds[0],
                          scale * seconds[samples / 2]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Measure(EngramSimulation *simulation, PetscInt samples)
{
    PetscFunctionBeginUser;
    stream_length = simulation->grid->v_nodes * simulation->grid->w_stride;
    PetscCall(EngramAlignedCalloc(stream_length, &stream_values));
    for (PetscInt i = 0; i < stream_length; i++) {
        stream_values[i] = 1.0;
    }
    PetscCall(Time(simulation, "stream", Stream, samples));
    PetscCall(Time(simulation, "slices", SolveSlices, samples));
    PetscCall(Time(simulation, "step", FullStep, samples));
    PetscCall(EngramAlignedFree(&stream_values));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(int argc, char **argv)
{
    EngramOptions options = NULL;
    EngramSimulation simulation = {.options = NULL};
    PetscInt samples = 0;
    PetscBool with_messages = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(EngramErrorHandlerInstall());
    PetscCall(EngramLogRegister());
    PetscCall(EngramSliceSolverRegister());
    PetscCall(EngramOptionsCreate(&options));
    PetscCall(EngramSimulationRegisterOptions(options));
    PetscCall(EngramOptionsRegister(options, &BenchmarkOptions));
    if (argc < 2) {
        PetscCall(EngramInputError("usage: engram_benchmark CASE.yaml [-option value ...]"));
    }
    PetscCall(EngramOptionsLoad(options, argv[1], argc, argv));
    PetscCall(EngramOptionsGetInteger(options, "benchmark_samples", &samples));
    PetscCall(EngramOptionsGetBoolean(options, "benchmark_messages", &with_messages));
    PetscCall(EngramSimulationSetUp(PETSC_COMM_WORLD, options, &simulation));
    PetscCall(EngramSimulationStart(&simulation));
    PetscCall(Measure(&simulation, PetscMin(samples, MAXIMUM_SAMPLES)));
    if (with_messages) {
        PetscCall(MessageTimesPrint(&simulation));
    }
    PetscCall(EngramSimulationDestroy(&simulation));
    PetscCall(EngramOptionsDestroy(&options));
    PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
    int petsc_argc = argc;
    char **petsc_argv = argv;
    PETSC_MPI_THREAD_REQUIRED = MPI_THREAD_SINGLE; /* as the program does */
    if (PetscInitialize(&petsc_argc, &petsc_argv, NULL, NULL) != PETSC_SUCCESS) {
        return ENGRAM_EXIT_INTERNAL;
    }
    EngramDenormalsFlush();
    const EngramExitCode code = EngramExitCodeOf(Run(argc, argv));
    return PetscFinalize() != PETSC_SUCCESS ? (int)ENGRAM_EXIT_INTERNAL : (int)code;
}
