#include "engram/app/program.h"

#include <signal.h>
#include <stdio.h>

#include "command_line.h"
#include "engram/app/simulation.h"
#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/kernels/denormals.h"
#include "steady.h"

/** Runs a case whose options are loaded. */
static PetscErrorCode RunCase(EngramOptions options, EngramSimulation *simulation,
                              EngramOutputParameters *output, EngramOutcome *outcome)
{
    PetscBool is_dry = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_SETUP));
    PetscCall(EngramOutputParametersGet(options, output));
    PetscCall(EngramOptionsGetBoolean(options, "dry_run", &is_dry));
    PetscCall(EngramSimulationSetUp(PETSC_COMM_WORLD, options, simulation));
    PetscCall(
        EngramSliceSolverDescribe(simulation->solver, output->solver, sizeof(output->solver)));
    PetscCall(SteadyCheck(simulation));
    PetscCall(EngramLogStageEnd());
    if (is_dry) {
        PetscCall(CommandLinePrintDryRun(simulation, output));
        outcome->is_complete = PETSC_TRUE;
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramOutputPrepare(simulation->grid, output));
    PetscCall(EngramSimulationRun(simulation, output, outcome));
    if (outcome->failure) {
        PetscCall(EngramWarning("stopped after t = %g: %s; the results up to there are in %s",
                                outcome->last_time, outcome->failure, output->directory));
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
                              EngramOptions options, EngramSimulation *simulation,
                              EngramOutcome *outcome)
{
    EngramOutputParameters output;
    PetscFunctionBeginUser;
    PetscCall(EngramLogRegister());
    PetscCall(EngramSliceSolverRegister());
    PetscCall(EngramSimulationRegisterOptions(options));
    PetscCall(EngramOptionsRegister(options, &CommandLineOptions));
    PetscCall(EngramProvenanceCollect(PETSC_COMM_WORLD, &output.provenance));
    PetscCall(
        EngramProvenanceAdd(&output.provenance, "muparser", EngramExpressionLibraryVersion()));
    outcome->is_complete = PETSC_TRUE;
    if (command->wants_help) {
        PetscCall(CommandLinePrintHelp(options));
    } else if (command->wants_version) {
        PetscCall(CommandLinePrintVersion(&output.provenance));
    } else {
        PetscCall(CommandLineWarnOfSingletons());
        PetscCall(LoadCase(options, command, argc, argv));
        PetscCall(RunCase(options, simulation, &output, outcome));
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

int EngramProgram(int argc, char **argv)
{
    CommandLine command;
    EngramOptions options = NULL;
    EngramSimulation simulation = {.options = NULL};
    EngramOutcome outcome = {.is_complete = PETSC_FALSE};
    int petsc_argc = 0;
    char **petsc_argv = argv;

    CommandLineParse(&argc, argv, &command);
    petsc_argc = argc;
    if (PetscInitialize(&petsc_argc, &petsc_argv, NULL, NULL) != PETSC_SUCCESS) {
        return ENGRAM_EXIT_INTERNAL;
    }
    EngramDenormalsFlush();
    /* A reader that closes the pipe early, as in "engram -help | head", is no error. */
    (void)signal(SIGPIPE, SIG_DFL);
    PetscErrorCode code = EngramErrorHandlerInstall();
    if (code == PETSC_SUCCESS) {
        code = EngramOptionsCreate(&options);
    }
    if (code == PETSC_SUCCESS) {
        code = Execute(&command, argc, argv, options, &simulation, &outcome);
    }
    EngramExitCode exit_code = EngramExitCodeOf(code);
    if (exit_code == ENGRAM_EXIT_INTERNAL) {
        /* Other ranks may wait for this one in a collective call. */
        (void)fflush(stderr);
        (void)MPI_Abort(PETSC_COMM_WORLD, ENGRAM_EXIT_INTERNAL);
    }
    if (exit_code == ENGRAM_EXIT_DONE && !outcome.is_complete) {
        exit_code = ENGRAM_EXIT_NONFINITE;
    }
    if (CleanUp(&options, &simulation) != PETSC_SUCCESS || PetscFinalize() != PETSC_SUCCESS) {
        return ENGRAM_EXIT_INTERNAL;
    }
    return (int)exit_code;
}
