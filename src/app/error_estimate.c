#include "error_estimate.h"

#include <math.h>
#include <stdio.h>

#include "coarse_run.h"
#include "engram/base/error.h"
#include "engram/base/log.h"
#include "protocol.h"
#include "rate_table.h"
#include "restart.h"

/* Fewest times at which adaptive runs must meet. */
static const double FEWEST_TIMES = 5.0;

/* Intervals of the output from one to the next of them. */
static const double MEETING_INTERVAL = 2.0;

/* Rows of the series that the message suggests. */
static const double USUAL_TIMES = 100.0;

/* Of a difference and the one before it; what is less is taken for this. */
static const double SMALLEST_RATIO = 1.4;

static const char *const NOTHING = "the runs have no time in common at which neurons fire";

/* Differences this small, relative, are of rounding and need not shrink. */
static const double ROUND_OFF = 1e-9;

struct ErrorEstimate {
    CoarseGrids grids;
    RateTable table; /* a column for each coarser run, and one for the run */
    char reason[sizeof(((EngramErrorEstimate *)NULL)->reason)]; /* why it is unknown, or empty */
};

/** Adaptive runs meet where the output wants a state, and at the ends of phases. */
static PetscErrorCode CheckTimes(const EngramSimulation *simulation,
                                 const EngramOutputParameters *output)
{
    PetscFunctionBeginUser;
    const double end = simulation->protocol->end;
    const double shortest =
        MEETING_INTERVAL *
        PetscMin(output->fields_every > 0.0 ? output->fields_every : INFINITY,
                 output->series_interval > 0.0 ? output->series_interval : INFINITY);
    const double times = floor(end / shortest) + (double)simulation->protocol->count;
    if (simulation->time.is_adaptive && !(times >= FEWEST_TIMES)) {
        PetscCall(
            EngramInputError("-estimate_error: adaptive steps on two grids end at the same "
                             "times only where there is output; give -output_series_interval, "
                             "for instance %g",
                             end / USUAL_TIMES));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ErrorEstimateCreate(const EngramSimulation *simulation,
                                   const EngramOutputParameters *output, ErrorEstimate **estimate)
{
    PetscBool is_wanted = PETSC_FALSE;
    PetscFunctionBeginUser;
    *estimate = NULL;
    PetscCall(EngramOptionsGetBoolean(simulation->options, "estimate_error", &is_wanted));
    if (!is_wanted) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (simulation->is_steady) {
        PetscCall(EngramInputError("-estimate_error: compares runs in time, and -steady is none; "
                                   "leave it out, and refine -grid_v_cells and -grid_w_cells"));
    }
    PetscCall(CheckTimes(simulation, output));
    PetscCall(PetscNew(estimate));
    ErrorEstimate *made = *estimate;
    PetscCall(CoarseGridsChoose(simulation, &made->grids, made->reason, sizeof(made->reason)));
    if (made->reason[0]) {
        PetscCall(EngramNote("no estimate of the error: %s", made->reason));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ErrorEstimateRun(const EngramSimulation *simulation,
                                const EngramOutputParameters *output)
{
    ErrorEstimate *estimate = simulation->estimate;
    PetscFunctionBeginUser;
    if (!estimate) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (simulation->restart && simulation->restart->is_found) {
        (void)snprintf(estimate->reason, sizeof(estimate->reason),
                       "the run goes on from a checkpoint, and only a whole run can be compared");
        PetscCall(EngramNote("no estimate of the error: %s", estimate->reason));
    }
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_SETUP));
    for (int i = 0; i < COARSE_GRIDS && !estimate->reason[0]; i++) {
        const CoarseGrid *grid = &estimate->grids.grid[i];
        PetscCall(EngramNote("for the estimate of the error: %" PetscInt_FMT " x %" PetscInt_FMT
                             " cells (v x w)",
                             grid->v_cells, grid->w_cells));
        PetscCall(CoarseRunTake(simulation, output, grid, i, &estimate->table, estimate->reason,
                                sizeof(estimate->reason)));
        if (estimate->reason[0]) {
            PetscCall(EngramNote("no estimate of the error: %s", estimate->reason));
        }
    }
    PetscCall(EngramLogStageEnd());
    PetscFunctionReturn(PETSC_SUCCESS);
}

void ErrorEstimateWatch(ErrorEstimate *estimate, double time, double total_rate)
{
    if (estimate) {
        RateTableFill(&estimate->table, COARSE_GRIDS, time, total_rate);
    }
}

/** What is known whatever the differences are. */
static EngramErrorEstimate Begin(const ErrorEstimate *estimate)
{
    EngramErrorEstimate result = {.is_wanted = PETSC_TRUE, .error = NAN, .difference = NAN};
    const CoarseGrid *grid = &estimate->grids.grid[0];
    result.v_cells = grid->v_cells;
    result.w_cells = grid->v_cells > 0 ? grid->w_cells : 0;
    (void)snprintf(result.reason, sizeof(result.reason), "%s", estimate->reason);
    return result;
}

void ErrorEstimateForecast(const EngramSimulation *simulation, EngramErrorEstimate *forecast)
{
    const ErrorEstimate *estimate = simulation->estimate;
    if (!estimate) {
        return;
    }
    *forecast = Begin(estimate);
    const double growth = estimate->grids.growth;
    if (forecast->reason[0]) {
        return;
    }
    forecast->difference = RateTableDifference(&estimate->table, 0, 1, 0);
    forecast->error = forecast->difference / (growth * (growth - 1.0));
    if (!isfinite(forecast->error)) {
        (void)snprintf(forecast->reason, sizeof(forecast->reason), "%s", NOTHING);
    }
}

/** The error from the differences of three runs, each finer than the one before. */
static void Judge(const ErrorEstimate *estimate, EngramErrorEstimate *result)
{
    const double growth = estimate->grids.growth;
    const double before = RateTableDifference(&estimate->table, 0, 1, COARSE_GRIDS);
    const double last = RateTableDifference(&estimate->table, COARSE_GRIDS, 0, 1);
    result->difference = RateTableDifference(&estimate->table, COARSE_GRIDS, 0, 0);
    if (!isfinite(last) || !isfinite(before)) {
        (void)snprintf(result->reason, sizeof(result->reason), "%s", NOTHING);
    } else if (last > ROUND_OFF && last >= before) {
        (void)snprintf(result->reason, sizeof(result->reason),
                       "no convergence: the two coarser runs differ by %.2g, and the finer of them "
                       "differs from the run by %.2g",
                       before, last);
    } else {
        const double seen = last > 0.0 ? before / last : growth;
        const double ratio = PetscMin(PetscMax(seen, SMALLEST_RATIO), growth);
        result->error = result->difference / (ratio - 1.0);
    }
}

/** Whether a script has changed the input, which the coarser runs know nothing of. */
static PetscBool InputHasChanged(const EngramSimulation *simulation)
{
    const EngramInputFactor factor = EngramStepperInputFactor(simulation->stepper);
    return (PetscBool)(factor.since > 0.0 || factor.before != factor.after);
}

void ErrorEstimateConclude(const EngramSimulation *simulation, EngramOutcome *outcome)
{
    const ErrorEstimate *estimate = simulation->estimate;
    if (!estimate) {
        return;
    }
    outcome->estimate = Begin(estimate);
    EngramErrorEstimate *result = &outcome->estimate;
    if (result->reason[0]) {
        return;
    }
    if (outcome->failure) {
        (void)snprintf(result->reason, sizeof(result->reason),
                       "the run has stopped before its end");
    } else if (InputHasChanged(simulation)) {
        (void)snprintf(result->reason, sizeof(result->reason),
                       "a script has changed the input of the run");
    } else {
        Judge(estimate, result);
    }
}

PetscErrorCode ErrorEstimateTell(const EngramErrorEstimate *estimate)
{
    PetscFunctionBeginUser;
    if (!estimate->is_wanted) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (estimate->reason[0]) {
        PetscCall(EngramNote("the error is unknown: %s", estimate->reason));
    } else {
        PetscCall(EngramNote(
            "Nbar is off by about %.2g of its largest value over the run; %" PetscInt_FMT
            " x %" PetscInt_FMT " cells (v x w) differ by %.2g",
            estimate->error, estimate->v_cells, estimate->w_cells, estimate->difference));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ErrorEstimateDestroy(ErrorEstimate **estimate)
{
    PetscFunctionBeginUser;
    if (*estimate) {
        PetscCall(RateTableDestroy(&(*estimate)->table));
        PetscCall(PetscFree(*estimate));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
