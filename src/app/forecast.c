#include "forecast.h"

#include <math.h>
#include <string.h>
#include <sys/statvfs.h>

#include "command_line.h"
#include "engram/base/error.h"
#include "protocol.h"
#include "restart.h"
#include "run.h"

/* Cells of w that are measured: memory is linear between the two. Steps are timed with the more, or
 * with the few where those would have more unknowns than this. */
enum { FEW_CELLS = 16, MORE_CELLS = 48, MOST_UNKNOWNS = 100000 };

/* Steps are timed so long, in seconds, and so many at most. */
static const double TIMED_SECONDS = 0.3;
enum { MOST_TIMED_STEPS = 50 };

static const double MEBIBYTE = 1024.0 * 1024.0;
static const double SECONDS_OF_HOUR = 3600.0;

/** What is measured and what it is for. */
typedef struct Forecast {
    EngramGridParameters grid; /* of the whole run */
    PetscInt ranks;
    PetscInt local;      /* most cells of w of a rank */
    PetscBool exchanges; /* rows for slices between ranks, for implicit transport */
    PetscInt cells[2];   /* that are measured */
    int timed;           /* with which of them steps are timed */
    double memory[2];    /* bytes of these */
    double first;        /* seconds of the first step with these: it has many parts */
    double step;         /* seconds of one of the others; 0: none was taken */
    double shift;        /* time of the model of a step */
    const char *failure; /* why there was none, or NULL */
} Forecast;

/** Sets up the case with some of its cells of w, in its initial state. */
static PetscErrorCode SetUp(EngramOptions options, PetscInt cells, EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsVaryInteger(options, "grid_w_cells", cells));
    PetscErrorCode code = EngramSimulationSetUp(PETSC_COMM_SELF, options, simulation);
    if (!code) {
        code = EngramSimulationStart(simulation);
    }
    PetscCall(EngramOptionsEndVariation(options));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Takes some steps of a small run. */
static PetscErrorCode TimeSteps(EngramSimulation *simulation, const EngramOutputParameters *output,
                                Forecast *forecast)
{
    double began = MPI_Wtime();
    int steps = 0;
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    while (steps < 2 || (steps < MOST_TIMED_STEPS && MPI_Wtime() - began < TIMED_SECONDS)) {
        if (state->time >= simulation->time.end) {
            break;
        }
        PetscCall(EngramStepperAdvance(
            simulation->stepper,
            RunNextTarget(simulation, output->fields_every, output->series_interval)));
        state = EngramStepperState(simulation->stepper);
        if (!state->is_finite || state->has_blown_up) {
            forecast->failure = state->failure;
            break;
        }
        if (++steps == 1) {
            forecast->first = MPI_Wtime() - began;
            began = MPI_Wtime();
        }
    }
    forecast->step = steps > 1 ? (MPI_Wtime() - began) / (steps - 1) : forecast->first;
    forecast->shift = steps > 0 ? state->time / steps : 0.0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Bytes on the rank that holds most. */
static double Memory(const Forecast *forecast)
{
    const double more = forecast->memory[1] - forecast->memory[0];
    const PetscInt cells = forecast->cells[1] - forecast->cells[0];
    const double slope = cells > 0 ? more / (double)cells : 0.0;
    /* One rank has no room for what many exchange: a row more than there are of the density, or
     * two. */
    const double rows = forecast->exchanges ? (double)forecast->grid.v_cells : 0.0;
    return forecast->memory[1] + slope * (double)(forecast->local - forecast->cells[1]) +
           sizeof(double) * rows * (double)forecast->local;
}

/** Room that is left on the disk of the results, or of the folder where they will be; -1: unknown.
 */
static double FreeSpace(const char *directory)
{
    char path[PETSC_MAX_PATH_LEN];
    struct statvfs space;
    (void)PetscStrncpy(path, directory, sizeof(path));
    while (statvfs(path, &space) != 0) {
        char *slash = strrchr(path, '/');
        if (!slash) {
            return statvfs(".", &space) == 0 ? (double)space.f_bavail * (double)space.f_frsize
                                             : -1.0;
        }
        *(slash == path ? slash + 1 : slash) = '\0';
        if (slash == path && statvfs(path, &space) != 0) {
            return -1.0;
        }
    }
    return (double)space.f_bavail * (double)space.f_frsize;
}

static PetscErrorCode PrintDisk(const EngramSimulation *simulation,
                                const EngramOutputParameters *output, const Forecast *forecast)
{
    PetscInt keep = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetInteger(simulation->options, "checkpoint_keep", &keep));
    const double unknowns = (double)(forecast->grid.v_cells - 1) * (double)forecast->grid.w_cells;
    const double results = CommandLineOutputBytes(simulation, output, unknowns);
    const double checkpoint = sizeof(double) * unknowns;
    const double needed = results + (double)(keep + 1) * checkpoint;
    const double left = FreeSpace(output->directory);
    PetscCall(EngramPrint("disk:    about %.1f MiB of results in %s, and room for %" PetscInt_FMT
                          " checkpoints of %.1f MiB\n",
                          results / MEBIBYTE, output->directory, keep + 1, checkpoint / MEBIBYTE));
    if (left >= 0.0 && needed > left) {
        PetscCall(
            EngramWarning("the disk of %s has %.1f MiB left, and the run needs about %.1f MiB",
                          output->directory, left / MEBIBYTE, needed / MEBIBYTE));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintTime(const EngramSimulation *simulation, const Forecast *forecast)
{
    const double end = simulation->protocol->end;
    PetscFunctionBeginUser;
    if (simulation->is_steady || forecast->step == 0.0) {
        PetscCall(EngramPrint("time:    not known: %s\n", forecast->failure
                                                              ? forecast->failure
                                                              : "no steps in time are taken"));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double part = (double)forecast->local / (double)forecast->cells[forecast->timed];
    const double step = part * forecast->step;
    const double steps = simulation->time.is_adaptive ? ceil(end / forecast->shift)
                                                      : (double)ProtocolSteps(simulation);
    const double all = part * forecast->first + fmax(steps - 1.0, 0.0) * step;
    const PetscBool is_long = (PetscBool)(all > SECONDS_OF_HOUR);
    PetscCall(EngramPrint("time:    about %.3g s a step on this processor, messages and output not "
                          "counted; %.0f steps%s take %.3g %s\n",
                          step, steps,
                          simulation->time.is_adaptive ? ", if all were as the first ones," : "",
                          is_long ? all / SECONDS_OF_HOUR : all, is_long ? "hours" : "seconds"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Print(const EngramSimulation *simulation,
                            const EngramOutputParameters *output, const Forecast *forecast)
{
    const EngramGridParameters *grid = &forecast->grid;
    PetscFunctionBeginUser;
    PetscCall(EngramPrint(
        "grid:    v %" PetscInt_FMT " cells, w %" PetscInt_FMT " cells, %.0f unknowns\n"
        "ranks:   %" PetscInt_FMT ", at most %" PetscInt_FMT " cells of w on each\n"
        "memory:  about %.1f MiB on each rank, libraries not counted\n",
        grid->v_cells, grid->w_cells, (double)(grid->v_cells - 1) * (double)grid->w_cells,
        forecast->ranks, forecast->local, Memory(forecast) / MEBIBYTE));
    PetscCall(PrintDisk(simulation, output, forecast));
    PetscCall(PrintTime(simulation, forecast));
    PetscCall(EngramPrint("from:    %" PetscInt_FMT " cells of w, measured here\n"
                          "dry run: nothing was written\n",
                          forecast->cells[forecast->timed]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Measures a run with some cells of w. */
static PetscErrorCode Measure(EngramOptions options, const EngramOutputParameters *output, int i,
                              Forecast *forecast, EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    PetscCall(SetUp(options, forecast->cells[i], simulation));
    forecast->memory[i] = EngramSimulationMemory(simulation);
    if (i == forecast->timed && !simulation->is_steady) {
        PetscCall(TimeSteps(simulation, output, forecast));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What the run would be refused for beside its options. */
static PetscErrorCode CheckFolder(const EngramSimulation *simulation,
                                  const EngramOutputParameters *output)
{
    Restart restart;
    PetscFunctionBeginUser;
    PetscCall(RestartFind(simulation, output, &restart));
    if (!restart.has_ended) {
        PetscCall(EngramOutputCheck(simulation->grid, output, RestartMode(&restart)));
        PetscCall(RestartCheckFolder(simulation, output));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ForecastPrint(EngramOptions options, const EngramOutputParameters *output,
                             PetscInt ranks)
{
    EngramTimeParameters time;
    Forecast forecast = {.ranks = ranks};
    PetscFunctionBeginUser;
    PetscCall(EngramTimeParametersGet(options, &time));
    PetscCall(EngramGridParametersGet(options, &forecast.grid));
    PetscCall(EngramGridCheck(&forecast.grid, ranks));
    /* Few cells would be given another order. */
    PetscCall(EngramTransportConclude(options, forecast.grid.w_cells, &time));
    forecast.exchanges = (PetscBool)(ranks > 1 && time.transport.time == ENGRAM_TRANSPORT_IMPLICIT);
    forecast.local = (forecast.grid.w_cells + ranks - 1) / ranks;
    forecast.cells[0] = PetscMin(FEW_CELLS, forecast.grid.w_cells);
    forecast.cells[1] = PetscMin(MORE_CELLS, forecast.grid.w_cells);
    forecast.timed = forecast.cells[1] * forecast.grid.v_cells > MOST_UNKNOWNS ? 0 : 1;
    PetscErrorCode code = PETSC_SUCCESS;
    for (int i = 0; i < 2 && !code; i++) {
        EngramSimulation simulation = {.started = MPI_Wtime()};
        code = Measure(options, output, i, &forecast, &simulation);
        if (!code && i == 1) {
            code = CheckFolder(&simulation, output);
        }
        if (!code && i == 1) {
            code = Print(&simulation, output, &forecast);
        }
        PetscCall(EngramSimulationDestroy(&simulation));
    }
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}
