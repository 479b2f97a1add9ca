#include "command_line.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "protocol.h"

static const EngramOption command_options[] = {
    {"dry_run", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "check the case and print grid, memory, steps, CFL number and output size; write nothing",
     ENGRAM_BOUND_NONE, 0},
    {"dry_run_ranks", ENGRAM_OPTION_INTEGER, "0", "ranks",
     "a dry run without the memory of the run: what it will take on so many ranks, from a few of "
     "its "
     "slices; 0: none",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"estimate_error", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "run the case on two coarser grids first, and tell at the end how large the error of the "
     "total rate is; with -dry_run a forecast of it",
     ENGRAM_BOUND_NONE, 0},
    {"help", ENGRAM_OPTION_BOOLEAN, "false", "true or false", "print this text", ENGRAM_BOUND_NONE,
     0},
    {"version", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "print the versions of the program and its libraries", ENGRAM_BOUND_NONE, 0},
    {"restart", ENGRAM_OPTION_TEXT, "none", "none, auto or PATH",
     "go on from a checkpoint: auto takes the newest whole one of the output folder, and starts at "
     "the beginning where there is none yet; or the path of one",
     ENGRAM_BOUND_NONE, 0},
    {"restart_force", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "go on though model or scheme have other options than the checkpoint", ENGRAM_BOUND_NONE, 0},
};

const EngramOptionTable CommandLineOptions = {
    "Commands", command_options, (int)(sizeof(command_options) / sizeof(command_options[0]))};

static PetscBool IsWord(const char *argument, const char *word)
{
    const size_t dashes = strncmp(argument, "--", 2) == 0 ? 2 : 1;
    return (PetscBool)(argument[0] == '-' && strcmp(argument + dashes, word) == 0);
}

/** Standard input that is closed is empty, and not the first thing that a library opens. */
static void OpenInput(void)
{
    if (fcntl(STDIN_FILENO, F_GETFD) < 0) {
        (void)open("/dev/null", O_RDONLY);
    }
}

void CommandLineParse(int *argc, char **argv, CommandLine *command)
{
    int kept = 1;
    memset(command, 0, sizeof(*command));
    for (int i = 1; i < *argc; i++) {
        if (IsWord(argv[i], "help") || strcmp(argv[i], "-h") == 0) {
            command->wants_help = PETSC_TRUE;
        } else if (IsWord(argv[i], "version")) {
            command->wants_version = PETSC_TRUE;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    if (kept > 1 && (argv[1][0] != '-' || argv[1][1] == '\0')) {
        command->case_file = argv[1];
        OpenInput();
    }
}

/** How -help begins what it says of a default value, and the value. */
static const char *DefaultHead(const EngramOption *option)
{
    if (!option->default_value) {
        return "must be given";
    }
    return option->default_value[0] == '=' ? "default that of -" : "default ";
}

static const char *DefaultText(const EngramOption *option)
{
    const char *text = option->default_value ? option->default_value : "";
    return text[0] == '=' ? text + 1 : text;
}

PetscErrorCode CommandLinePrintHelp(EngramOptions options)
{
    PetscFunctionBeginUser;
    PetscCall(PetscPrintf(
        PETSC_COMM_WORLD,
        "Usage: mpirun -n RANKS engram CASE.yaml [-option value ...]\n\n"
        "Solves the Fokker-Planck equation of a noisy integrate-and-fire network structured\n"
        "by its synaptic weights. Every option can stand in the case file, as model_noise: 1 or\n"
        "nested as model: {noise: 1}; the command line wins. With - in the place of CASE.yaml the\n"
        "case comes from standard input. All quantities are dimensionless.\n"));
    for (int t = 0; t < EngramOptionsTableCount(options); t++) {
        const EngramOptionTable *table = EngramOptionsTableAt(options, t);
        PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%s\n", table->heading));
        for (int i = 0; i < table->count; i++) {
            const EngramOption *option = &table->options[i];
            PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  -%-20s %s\n  %-21s [%s; %s%s]\n",
                                  option->name, option->meaning, "", option->unit,
                                  DefaultHead(option), DefaultText(option)));
        }
    }
    PetscCall(PetscPrintf(
        PETSC_COMM_WORLD,
        "\nExpressions: + - * / ^, comparisons, a ? b : c, exp log sqrt sin cos tanh abs min max,\n"
        "pi. PETSc's own options work too: -log_view, -slice_ksp_monitor, -info; its manual\n"
        "lists them.\n"
        "Exit codes: 0 done, 1 internal error, 2 bad input, 3 stopped at a blow-up or a\n"
        "state that is not finite, 4 output could not be written, 5 an in situ script failed\n"
        "(-insitu_strict); after a checkpoint: 85 to be continued (signals TERM, USR1 and HUP, "
        "end\n"
        "of the wall time), 86 stopped (signal INT, a script, or nobody reads what is "
        "printed).\n"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandLinePrintVersion(const EngramProvenance *provenance)
{
    PetscFunctionBeginUser;
    PetscCall(
        PetscPrintf(PETSC_COMM_WORLD, "engram %s\n", EngramProvenanceText(provenance, "version")));
    for (int i = 2; i < provenance->count; i++) {
        const EngramProvenanceEntry *entry = &provenance->entries[i];
        if (strcmp(entry->name, "ranks") != 0 && strcmp(entry->name, "started") != 0) {
            PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  %-9s %s\n", entry->name, entry->text));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/* Of an adaptive run nobody knows the steps beforehand; this many rows are small. */
static const double STEPS_OF_ADAPTIVE_RUN = 1000.0;

double CommandLineOutputBytes(const EngramSimulation *simulation,
                              const EngramOutputParameters *output, double unknowns)
{
    static const double bytes_per_row = 150.0;
    const double cells = unknowns * sizeof(double);
    const double steps =
        simulation->time.is_adaptive ? STEPS_OF_ADAPTIVE_RUN : (double)ProtocolSteps(simulation);
    const double end = simulation->protocol->end;
    const double rows = output->series_interval > 0.0 ? end / output->series_interval + 2.0
                                                      : steps / (double)output->series_every + 2.0;
    const double wanted = output->fields_every > 0.0
                              ? end / output->fields_every
                              : (double)PetscMax(simulation->protocol->count, 1);
    const double states = simulation->time.is_adaptive ? wanted : PetscMin(wanted, steps);
    return bytes_per_row * rows + cells * (states + 1.0);
}

/** One line for each phase. */
static PetscErrorCode PrintPhases(const Protocol *protocol)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < protocol->count; i++) {
        const Phase *phase = &protocol->phase[i];
        PetscCall(EngramPrint(
            "phase:   %s to t = %g: eps %g, %s, input %s%s\n", phase->name, phase->end,
            phase->model.epsilon, phase->model.plasticity ? "learning" : "frozen weights",
            EngramInputText(phase->model.input), phase->resets ? ", potentials reset" : ""));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Fewest adaptive steps of the first phase: those after jumps, and one for each wanted time. */
static double FewestSteps(const EngramSimulation *simulation, const EngramOutputParameters *output)
{
    const double end = simulation->time.end;
    const double fields = output->fields_every > 0.0 ? end / output->fields_every : 0.0;
    const double rows = output->series_interval > 0.0 ? end / output->series_interval : 0.0;
    return EngramStepperFewestSteps(simulation->stepper) + floor(PetscMax(fields, rows));
}

/** Steps and what the transport makes of them. */
static PetscErrorCode PrintSteps(const EngramSimulation *simulation,
                                 const EngramOutputParameters *output)
{
    PetscFunctionBeginUser;
    const EngramTimeParameters *time = &simulation->time;
    const double limit = EngramStepperTransportLimit(simulation->stepper);
    if (simulation->is_steady) {
        PetscCall(EngramPrint("steps:   none in time: steady states are looked for\n"));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (time->is_adaptive) {
        PetscCall(EngramPrint("steps:   adaptive to t = %g, tolerance %g, the first of %.3g; at "
                              "least %.0f to t = %g\n",
                              simulation->protocol->end, time->tolerance,
                              EngramStepperFirstStep(simulation->stepper),
                              FewestSteps(simulation, output), time->end));
    } else {
        PetscCall(EngramPrint("steps:   %" PetscInt64_FMT " of %g to t = %g\n",
                              ProtocolSteps(simulation), time->step, simulation->protocol->end));
    }
    PetscCall(PrintPhases(simulation->protocol));
    if (isfinite(limit) && time->is_adaptive) {
        PetscCall(EngramPrint("CFL:     steps above %g are divided at t = 0\n", limit));
    } else if (isfinite(limit)) {
        PetscCall(EngramPrint("CFL:     %.3g at t = 0 (transport limit %g; above 1 a step is "
                              "divided)\n",
                              time->step / limit, limit));
    } else {
        PetscCall(EngramPrint("CFL:     none: %s\n", simulation->model->phase.plasticity
                                                         ? "implicit transport"
                                                         : "frozen weights"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What error to expect, or how to learn that. */
static PetscErrorCode PrintForecast(const EngramErrorEstimate *forecast)
{
    PetscFunctionBeginUser;
    if (!forecast->is_wanted) {
        PetscCall(EngramPrint("error:   not estimated; -estimate_error forecasts it from two "
                              "coarser runs\n"));
    } else if (forecast->reason[0]) {
        PetscCall(EngramPrint("error:   unknown: %s\n", forecast->reason));
    } else {
        PetscCall(
            EngramPrint("error:   Nbar will be off by about %.2g of its largest value, as two "
                        "coarser runs suggest, which differ by %.2g\n",
                        forecast->error, forecast->difference));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandLinePrintDryRun(const EngramSimulation *simulation,
                                      const EngramOutputParameters *output,
                                      const EngramErrorEstimate *forecast)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    const EngramState *state = EngramStepperState(simulation->stepper);
    const double mebibyte = 1024.0 * 1024.0;
    const double unknowns = (double)grid->v_nodes * (double)grid->w_cells;
    PetscCall(EngramPrint(
        "grid:    v %" PetscInt_FMT " cells of %g, w %" PetscInt_FMT " cells of %g, %.0f unknowns\n"
        "ranks:   %d, %" PetscInt_FMT " cells of w on the first\n"
        "memory:  %.1f MiB on the first rank, libraries not counted\n",
        grid->v_nodes + 1, grid->v_spacing, grid->w_cells, grid->w_spacing, unknowns, grid->size,
        grid->w_local, EngramSimulationMemory(simulation) / mebibyte));
    PetscCall(PrintSteps(simulation, output));
    PetscCall(EngramPrint("rate:    Nbar = %.6g at t = 0\n", state->total_rate));
    if (!simulation->is_steady) {
        PetscCall(PrintForecast(forecast));
    }
    PetscCall(EngramPrint("slices:  %s\n"
                          "output:  about %.1f MiB in %s\n"
                          "dry run: nothing was written\n",
                          output->solver,
                          CommandLineOutputBytes(simulation, output, unknowns) / mebibyte,
                          output->directory));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandLineWarnOfSingletons(void)
{
    static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                            "SLURM_STEP_NUM_TASKS"};
    PetscMPIInt size = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);
        const long started = value ? strtol(value, NULL, 10) : 0;
        if (size == 1 && started > 1) {
            PetscCall(EngramWarning("%s = %s, but this run has one rank: the launcher started %s "
                                    "separate runs. Use the mpirun of the MPI that engram was "
                                    "built with (see engram -version)",
                                    variables[i], value, value));
            break;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
