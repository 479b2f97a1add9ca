#include "engram/app/program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "command_line.h"
#include "cut_off_warning.h"
#include "engram/app/simulation.h"
#include "engram/base/error.h"
#include "engram/base/hdf5_file.h"
#include "engram/base/kernel_choice.h"
#include "engram/base/log.h"
#include "engram/kernels/denormals.h"
#include "engram/observe/insitu_observer.h"
#include "error_estimate.h"
#include "forecast.h"
#include "initial_resolution.h"
#include "interruption.h"
#include "restart.h"
#include "steady.h"

/* For a program that ends after a failure to write. */
enum { SECONDS_TO_END = 30 };

/** Initial state, or that of a checkpoint. */
static PetscErrorCode SetState(EngramSimulation *simulation, Restart *restart)
{
    PetscFunctionBeginUser;
    if (restart->is_found) {
        PetscCall(RestartLoad(simulation, restart));
    } else {
        PetscCall(EngramSimulationStart(simulation));
    }
    simulation->restart = restart;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DryRun(EngramSimulation *simulation, const EngramOutputParameters *output,
                             Restart *restart)
{
    EngramErrorEstimate forecast = {.is_wanted = PETSC_FALSE};
    CutOff cut_off;
    PetscFunctionBeginUser;
    InterruptionRemove();
    PetscCall(RestartFind(simulation, output, restart));
    if (restart->has_ended) {
        PetscCall(EngramPrint("dry run: nothing was written\n"));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(SetState(simulation, restart));
    CutOffStart(&cut_off);
    PetscCall(CutOffLook(simulation, &cut_off));
    PetscCall(CutOffWarnOfFirst(simulation, &cut_off));
    PetscCall(InitialResolutionWarn(simulation));
    PetscCall(ErrorEstimateRun(simulation, output));
    ErrorEstimateForecast(simulation, &forecast);
    PetscCall(CommandLinePrintDryRun(simulation, output, &forecast));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether the run in the folder has nothing left to do; else the state to begin with is set. */
static PetscErrorCode FindState(EngramSimulation *simulation, const EngramOutputParameters *output,
                                Restart *restart, EngramOutcome *outcome)
{
    PetscFunctionBeginUser;
    PetscCall(RestartFind(simulation, output, restart));
    if (!restart->has_ended) {
        PetscCall(SetState(simulation, restart));
        PetscCall(RestartConcludeEnd(simulation, output, restart));
    }
    if (restart->has_ended) {
        outcome->is_complete = restart->ended.is_complete;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Runs, or goes on, in a folder that no other run can enter. Whatever is refused is refused before
 * anything in it has changed.
 */
static PetscErrorCode RunInFolder(EngramSimulation *simulation,
                                  const EngramOutputParameters *output, Restart *restart,
                                  EngramOutcome *outcome)
{
    PetscFunctionBeginUser;
    PetscCall(FindState(simulation, output, restart, outcome));
    if (restart->has_ended) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramOutputCheck(simulation->grid, output, RestartMode(restart)));
    PetscCall(RestartCheckFolder(simulation, output));
    PetscErrorCode code = ErrorEstimateRun(simulation, output);
    if (!code) {
        code = EngramSimulationRun(simulation, output, outcome);
    }
    if (code && outcome->has_begun && simulation->grid->rank == 0) {
        EngramStatusNoteFailure(output->directory, EngramErrorMessage());
    }
    PetscCall(code);
    if (outcome->failure) {
        PetscCall(EngramWarning("stopped after t = %g: %s; the results up to there are in %s",
                                outcome->last_time, outcome->failure, output->directory));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Runs a case whose options are loaded. */
static PetscErrorCode RunCase(EngramOptions options, EngramSimulation *simulation,
                              EngramOutputParameters *output, Restart *restart,
                              EngramOutcome *outcome)
{
    PetscBool is_dry = PETSC_FALSE;
    PetscInt ranks = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOutputParametersGet(options, output));
    PetscCall(EngramOptionsGetBoolean(options, "dry_run", &is_dry));
    PetscCall(EngramOptionsGetInteger(options, "dry_run_ranks", &ranks));
    if (ranks > 0) {
        InterruptionRemove();
        PetscCall(ForecastPrint(options, output, ranks));
        outcome->is_complete = PETSC_TRUE;
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_SETUP));
    PetscCall(EngramSimulationSetUp(PETSC_COMM_WORLD, options, simulation));
    output->files = simulation->file_sums;
    PetscCall(
        EngramSliceSolverDescribe(simulation->solver, output->solver, sizeof(output->solver)));
    if (simulation->is_steady && !simulation->model->phase.plasticity) {
        /* These are found at once, or again: there is no state to keep. */
        InterruptionRemove();
    }
    PetscCall(ErrorEstimateCreate(simulation, output, &simulation->estimate));
    PetscCall(SteadyCheck(simulation));
    PetscCall(EngramInsituCheck(simulation->grid->comm, options));
    PetscCall(EngramLogStageEnd());
    if (is_dry) {
        PetscCall(DryRun(simulation, output, restart));
        outcome->is_complete = PETSC_TRUE;
    } else {
        PetscCall(EngramOutputLock(simulation->grid, output));
        PetscCall(RunInFolder(simulation, output, restart, outcome));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LoadCase(EngramOptions options, const CommandLine *command, int argc,
                               char **argv)
{
    PetscFunctionBeginUser;
    if (!command->case_file) {
        PetscCall(EngramInputError("no case file: it comes first, as in 'engram CASE.yaml "
                                   "-option value'; see engram -help"));
    }
    PetscCall(EngramOptionsLoad(options, command->case_file, argc, argv));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Execute(const CommandLine *command, int argc, char **argv,
                              EngramOptions options, EngramSimulation *simulation, Restart *restart,
                              EngramOutcome *outcome)
{
    EngramOutputParameters output;
    PetscFunctionBeginUser;
    PetscCall(EngramLogRegister());
    PetscCall(EngramSliceSolverRegister());
    PetscCall(EngramSimulationRegisterOptions(options));
    PetscCall(EngramOptionsRegisterCommands(options, &CommandLineOptions));
    PetscCall(EngramKernelsAgree(PETSC_COMM_WORLD));
    PetscCall(EngramProvenanceCollect(PETSC_COMM_WORLD, &output.provenance));
    PetscCall(
        EngramProvenanceAdd(&output.provenance, "muparser", EngramExpressionLibraryVersion()));
    outcome->is_complete = PETSC_TRUE;
    if (command->wants_help || command->wants_version) {
        InterruptionRemove();
    }
    if (command->wants_help) {
        PetscCall(CommandLinePrintHelp(options));
    } else if (command->wants_version) {
        PetscCall(CommandLinePrintVersion(&output.provenance));
    } else {
        PetscCall(CommandLineWarnOfSingletons());
        PetscCall(LoadCase(options, command, argc, argv));
        PetscCall(RunCase(options, simulation, &output, restart, outcome));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CleanUp(EngramOptions *options, EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    PetscCall(EngramSimulationDestroy(simulation));
    PetscCall(EngramOptionsDestroy(options));
    PetscCall(EngramErrorHandlerRemove());
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Ends the process where HDF5 could not end, and takes all ranks along. */
static void LeaveBrokenLibrary(EngramExitCode exit_code)
{
    int is_broken = EngramHdf5IsBroken();
    (void)MPI_Allreduce(MPI_IN_PLACE, &is_broken, 1, MPI_INT, MPI_MAX, PETSC_COMM_WORLD);
    if (is_broken) {
        (void)fflush(stdout);
        (void)fflush(stderr);
        _exit((int)exit_code);
    }
}

static EngramExitCode ExitCodeOfOutcome(const EngramOutcome *outcome)
{
    if (outcome->departure) {
        return outcome->is_requeued ? ENGRAM_EXIT_REQUEUE : ENGRAM_EXIT_INTERRUPTED;
    }
    return outcome->is_complete ? ENGRAM_EXIT_DONE : ENGRAM_EXIT_NONFINITE;
}

/**
 * Spares a process that no launcher has started the daemon of Open MPI and its search for networks,
 * which take longer than many runs. What the user has set stays.
 */
static void StartAlone(void)
{
    static const char *const launchers[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof(launchers) / sizeof(launchers[0]); i++) {
        if (getenv(launchers[i])) {
            return;
        }
    }
    (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    (void)setenv("OMPI_MCA_pml", "ob1", 0);
}

int EngramProgram(int argc, char **argv)
{
    CommandLine command;
    EngramOptions options = NULL;
    EngramSimulation simulation = {.options = NULL};
    Restart restart = {.is_wanted = PETSC_FALSE};
    EngramOutcome outcome = {.is_complete = PETSC_FALSE};
    int petsc_argc = 0;
    char **petsc_argv = argv;

    InterruptionInstall();
    CommandLineParse(&argc, argv, &command);
    petsc_argc = argc;
    StartAlone();
    /* No other thread calls MPI, not even those of ParaView, which starts MPI in the same way; with
     * more support for threads Open MPI would lock every message. */
    PETSC_MPI_THREAD_REQUIRED = MPI_THREAD_SINGLE;
    /* PETSc would take the signals for errors. */
    if (PetscOptionsSetValue(NULL, "-no_signal_handler", "true") != PETSC_SUCCESS ||
        PetscInitialize(&petsc_argc, &petsc_argv, NULL, NULL) != PETSC_SUCCESS) {
        return ENGRAM_EXIT_INTERNAL;
    }
    simulation.started = MPI_Wtime();
    EngramDenormalsFlush();
    /* MPI ignores it. A reader that closes the pipe early, as in "engram -help | head", is no
     * error. */
    InterruptionRenew();
    PetscErrorCode code = EngramErrorHandlerInstall();
    if (code == PETSC_SUCCESS) {
        code = EngramOptionsCreate(&options);
    }
    if (code == PETSC_SUCCESS) {
        code = Execute(&command, argc, argv, options, &simulation, &restart, &outcome);
    }
    EngramExitCode exit_code = EngramExitCodeOf(code);
    if (exit_code == ENGRAM_EXIT_INTERNAL) {
        /* Other ranks may wait for this one in a collective call. */
        (void)fflush(stderr);
        (void)MPI_Abort(PETSC_COMM_WORLD, ENGRAM_EXIT_INTERNAL);
    }
    if (exit_code == ENGRAM_EXIT_DONE) {
        exit_code = ExitCodeOfOutcome(&outcome);
    } else if (exit_code == ENGRAM_EXIT_OUTPUT) {
        /* Libraries may try to write again when they end, and wait for it. */
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(SECONDS_TO_END);
        LeaveBrokenLibrary(exit_code);
    }
    if (CleanUp(&options, &simulation) != PETSC_SUCCESS || PetscFinalize() != PETSC_SUCCESS) {
        return ENGRAM_EXIT_INTERNAL;
    }
    return (int)exit_code;
}
