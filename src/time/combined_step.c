#include "combined_step.h"

#include <math.h>

#include "engram/base/error.h"
#include "rates.h"

/* A slope of the scalar equation that was found for another step may be off by this part of it and
 * this much. */
static const double SLOPE_PART = 0.1;
static const double SLOPE_REST = 3e-4;

/* Steps change their length slowly; a slope is not scaled further than this with the first one. */
static const double LARGEST_SCALE = 4.0;

/** Coefficients by the count of results; with Euler's scheme the last result is kept. */
static const EngramCombination combinations[] = {
    [ENGRAM_TIME_EULER] = {.value = {0.0, 0.0}, .error = {-1.0, 0.0}},
    [ENGRAM_TIME_SECOND_ORDER] = {.value = {-1.0, 0.0}, .error = {-1.0, 0.0}},
    [ENGRAM_TIME_THIRD_ORDER] = {.value = {0.5, -4.0}, .error = {0.5, -2.0}},
};

static PetscBool IsLimit(const CombinedStep *step)
{
    return (PetscBool)(step->rows != step->euler.reaction->density);
}

static int ResultsCount(EngramTimeScheme scheme, PetscBool is_adaptive)
{
    return scheme == ENGRAM_TIME_EULER && is_adaptive ? 2 : (int)scheme;
}

int CombinedStepDensities(EngramTimeScheme scheme, PetscBool is_adaptive)
{
    return ResultsCount(scheme, is_adaptive) - (is_adaptive ? 0 : 1);
}

PetscErrorCode CombinedStepCreate(const EulerStep *euler, EngramTimeScheme scheme,
                                  PetscBool is_adaptive, EngramDensity *rows, CombinedStep *step)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = euler->reaction->grid;
    const PetscInt padded = EngramGridPaddedSlices(grid);
    step->euler = *euler;
    step->scheme = scheme;
    step->results = ResultsCount(scheme, is_adaptive);
    step->can_undo = is_adaptive;
    step->may_scan = (PetscBool)!is_adaptive;
    step->is_lagged =
        (PetscBool)(euler->reaction->coupled.coupling->time == ENGRAM_COUPLING_LAGGED);
    step->rows = rows;
    for (int k = 0; k < CombinedStepDensities(scheme, is_adaptive); k++) {
        PetscCall(EngramDensityCreate(grid, rows->rows, &step->other[k]));
    }
    for (int k = 0; k + 1 < step->results; k++) {
        PetscCall(SliceValuesCreate(grid, &step->values[k]));
    }
    if (step->results > 1) {
        PetscCall(SliceValuesCreate(grid, &step->before));
        PetscCall(EngramAlignedCalloc(padded, &step->shortfall));
        PetscCall(StepErrorCreate(grid, &step->error));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The state before the step, with all that has been counted and met since. */
static void RestoreState(const EngramState *before, EngramState *state)
{
    const EngramState now = *state;
    *state = *before;
    state->solves = now.solves;
    state->substeps = now.substeps;
    state->learning_courant = now.learning_courant;
    state->coupling_iterations = now.coupling_iterations;
    state->coupling_solutions = now.coupling_solutions;
    state->has_blown_up = now.has_blown_up;
    state->failure = now.failure;
}

/** Goes back to the rates and the drift from which the step began; the rows stay. */
static PetscErrorCode ReturnToStart(CombinedStep *step)
{
    const SliceValues results = SliceValuesOf(step->euler.state->results);
    EngramState *state = step->euler.state;
    Reaction *reaction = step->euler.reaction;
    PetscFunctionBeginUser;
    PetscCall(SliceValuesCopy(reaction->grid, &step->before, &results));
    RestoreState(&step->state, state);
    RateHistoryTruncate(&reaction->history, state->time);
    DriveSet(&reaction->drive, state->activity_time, step->side, state->activity, state);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Exchanges two densities: their values change places, nothing is copied. */
static void Swap(EngramDensity *a, EngramDensity *b)
{
    const EngramDensity kept = *a;
    *a = *b;
    *b = kept;
}

PetscErrorCode CombinedStepUndo(CombinedStep *step)
{
    const SliceValues results = SliceValuesOf(step->euler.state->results);
    PetscFunctionBeginUser;
    const Reaction *reaction = step->euler.reaction;
    if (step->has_swapped) {
        Swap(step->rows, &step->other[step->results - 1]);
        step->has_swapped = PETSC_FALSE;
    }
    PetscCall(ReturnToStart(step));
    step->euler.state->has_blown_up = step->state.has_blown_up;
    step->euler.state->failure = step->state.failure;
    step->euler.state->coupling_solutions = step->state.coupling_solutions;
    if (IsLimit(step)) {
        /* The density of the limit model follows from its weights. */
        PetscCall(
            EngramSliceSolverQuasiStatic(reaction->solver, step->rows->values, reaction->density));
        PetscCall(SliceValuesCopy(reaction->grid, &step->before, &results));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The quadratic through the rates at the beginning, the middle and the end of a step. */
static double RateBetween(double start, double middle, double end, double part)
{
    const double bend = 2.0 * (start - 2.0 * middle + end);
    return start + part * (end - start - bend * (1.0 - part));
}

/**
 * The rate after a part of the step, from the results so far. The error of T_k is about C/k: the
 * next result moves from the last one by C/(k(k-1)).
 */
static double GuessRate(const CombinedStep *step, double length, int result, int substep)
{
    const EngramState *before = &step->state;
    const double part = (double)substep / (double)(result + 1);
    const double start = before->total_rate;
    const double first = step->found[0].root.rate;
    const double second = step->found[1].root.rate;
    double guess = 0.0;
    if (result == 0) {
        guess = start + before->rate_trend * length;
    } else if (result == 1) {
        guess = start + part * (first - start);
    } else {
        guess = RateBetween(start, step->middle_rate, second, part) + part * (second - first) / 3.0;
    }
    return PetscMax(guess, 0.0);
}

/**
 * What the coupling of a sub-step begins with. The first result solves with care; where that has
 * found another slope of the scalar equation, those of the other results change in proportion.
 */
static RateGuess GuessOf(const CombinedStep *step, double length, int result, int substep)
{
    const double *slopes = step->state.coupling_slope;
    const double rate = GuessRate(step, length, result, substep);
    RateGuess guess = {rate, slopes[result], INFINITY, step->may_scan};
    if (result > 0 && slopes[result] != 0.0 && slopes[0] != 0.0) {
        const double scale = step->found[0].root.slope / slopes[0];
        if (scale > 1.0 / LARGEST_SCALE && scale < LARGEST_SCALE) {
            guess.slope = scale * slopes[result];
            guess.slope_error = SLOPE_PART * fabs(guess.slope) + SLOPE_REST;
        }
    }
    return guess;
}

/**
 * What a lagged coupling sees in the later sub-steps, so that it is of second order when
 * extrapolated: the rate after a half step of first order has an error of order dt^(3/2), which the
 * whole step does not share; the trend of the extrapolated rates has dt^2.
 */
static double LaggedRate(const CombinedStep *step, double time, int substep)
{
    const EngramState *before = &step->state;
    if (substep == 1 || !step->is_lagged || step->scheme == ENGRAM_TIME_EULER ||
        before->steps < 2) {
        return step->euler.state->total_rate;
    }
    return PetscMax(before->total_rate + before->rate_trend * (time - before->time), 0.0);
}

/** Takes the sub-steps of one result, into `to`. */
static PetscErrorCode TakeSubSteps(CombinedStep *step, int result, const EngramDensity *to,
                                   double time, double substeps)
{
    EngramState *state = step->euler.state;
    RateHistory *history = &step->euler.reaction->history;
    PetscFunctionBeginUser;
    const double start = step->state.time;
    const int count = result + 1;
    for (int k = 1; k <= count && state->is_finite; k++) {
        const PetscBool is_last = (PetscBool)(k == count);
        const double end = is_last ? time : start + (double)k * (time - start) / (double)count;
        ReactionRate *rate = &step->found[result];
        *rate = (ReactionRate){.guess = GuessOf(step, time - start, result, k),
                               .lagged = LaggedRate(step, state->time, k)};
        rate->root = (EngramCouplingRoot){rate->guess.rate, rate->guess.slope};
        PetscCall(EulerStepTake(&step->euler, k == 1 ? step->rows : to, to, end,
                                is_last ? REACTION_SOLVE : REACTION_WITH_RATE, substeps, rate));
        if (!is_last && state->is_finite && step->euler.reaction->delay > 0.0) {
            PetscCall(RateHistoryPush(history, end, state->total_rate));
        }
        step->middle_rate = result == 1 && k == 1 ? state->total_rate : step->middle_rate;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The results, the last one in the stepper's rows. */
static void CollectResults(const CombinedStep *step, EngramStepResult *results)
{
    const PetscBool is_limit = IsLimit(step);
    const SliceValues last = SliceValuesOf(step->euler.state->results);
    for (int k = 0; k < ENGRAM_STEP_RESULTS; k++) {
        /* With two results the middle one has no weight. */
        const int place = k + 1 < step->results ? k : 0;
        const PetscBool is_last = (PetscBool)(k == ENGRAM_STEP_LAST);
        const SliceValues *values = is_last ? &last : &step->values[place];
        const double *rows = is_last ? step->rows->values : step->other[place].values;
        results[k] = (EngramStepResult){.rows = rows,
                                        .weight_density = is_limit ? rows : values->weight_density,
                                        .firing_rate = is_limit ? NULL : values->firing_rate};
    }
}

/** Mass that slices would fall short of zero by, and the excess of the total mass. */
static PetscErrorCode FindShortfall(CombinedStep *step, const EngramStepResult *results,
                                    double *shortfall, double *excess)
{
    const EngramCombination *combination = &combinations[step->scheme];
    double integrals[1 + ENGRAM_STEP_RESULTS] = {0.0};
    const double *const summed[1 + ENGRAM_STEP_RESULTS] = {
        step->shortfall, results[ENGRAM_STEP_EARLIER].weight_density,
        results[ENGRAM_STEP_MIDDLE].weight_density, results[ENGRAM_STEP_LAST].weight_density};
    PetscFunctionBeginUser;
    const Reaction *reaction = step->euler.reaction;
    EngramExtrapolationShortfall(reaction->grid->w_local, combination, results, step->shortfall);
    PetscCall(RatesIntegrate(reaction->grid, reaction->reduction, 1 + ENGRAM_STEP_RESULTS, summed,
                             integrals));
    *shortfall = integrals[0];
    *excess = EngramExtrapolatedValue(combination, integrals[1], integrals[2], integrals[3]) - 1.0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Puts the results together in the stepper's rows. The coefficients magnify the rounding errors of
 * their masses: those are taken out here, or from the weights of the limit model later.
 */
static PetscErrorCode Combine(CombinedStep *step, PetscBool has_error, double *excess)
{
    EngramStepResult results[ENGRAM_STEP_RESULTS];
    double shortfall = 0.0;
    PetscFunctionBeginUser;
    const SliceValues last = SliceValuesOf(step->euler.state->results);
    const PetscBool is_limit = IsLimit(step);
    const EngramGrid *grid = step->euler.reaction->grid;
    const EngramExtrapolated extrapolated = {last.weight_density, last.firing_rate, last.minimum,
                                             step->error.density};
    CollectResults(step, results);
    if (has_error) {
        StepErrorEstimate(grid, &combinations[step->scheme], results,
                          step->euler.state->results->threshold_rate, &step->error);
    }
    PetscCall(FindShortfall(step, results, &shortfall, excess));
    double factor = 1.0 / (1.0 + shortfall);
    *excess = factor * (*excess + 1.0 + shortfall) - 1.0;
    if (!is_limit) {
        factor /= 1.0 + RatesRoundOff(*excess);
    }
    EngramExtrapolate((int)step->rows->rows, is_limit ? 1 : (int)grid->v_nodes, grid->w_local,
                      grid->w_stride, is_limit ? 1.0 : grid->v_spacing, factor,
                      &combinations[step->scheme], results, step->rows->values, &extrapolated);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Rates of the combined rows. The weights of the limit model lose their excess of mass here. */
static PetscErrorCode Conclude(CombinedStep *step, double time, double excess)
{
    EngramState *state = step->euler.state;
    Reaction *reaction = step->euler.reaction;
    PetscFunctionBeginUser;
    if (IsLimit(step)) {
        ReactionRate rate = {.guess = GuessOf(step, time - step->state.time, 0, 1),
                             .lagged = state->total_rate};
        state->mass_excess = RatesRoundOff(excess);
        PetscCall(
            ReactionStep(reaction, time, REACTION_WITH_RATE, step->rows, NULL, step->rows, &rate));
        for (int k = 0; k < step->results; k++) {
            step->found[k].root = rate.root;
        }
    } else {
        PetscCall(
            RatesReduce(reaction->grid, reaction->reduction, reaction->rule, PETSC_TRUE, state));
    }
    state->time = time;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Finds all results; stops where the state is not finite, or nothing can come of the step. */
static PetscErrorCode TakeResults(CombinedStep *step, double time, PetscBool *is_good)
{
    EngramState *state = step->euler.state;
    PetscFunctionBeginUser;
    const SliceValues results = SliceValuesOf(step->euler.state->results);
    const Reaction *reaction = step->euler.reaction;
    const double limit =
        step->euler.transport ? TransportStepLimit(step->euler.transport, state) : INFINITY;
    const double substeps = ceil((time - state->time) / limit);
    *is_good = PETSC_TRUE;
    for (int k = 0; k < step->results && *is_good; k++) {
        const PetscBool is_last = (PetscBool)(k + 1 == step->results);
        EngramDensity *to = is_last && !step->can_undo ? step->rows : &step->other[k];
        if (k > 0) {
            PetscCall(SliceValuesCopy(reaction->grid, &results, &step->values[k - 1]));
            PetscCall(ReturnToStart(step));
        }
        PetscCall(TakeSubSteps(step, k, to, time, substeps));
        *is_good = (PetscBool)(state->is_finite && !(step->can_undo && state->has_blown_up));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A step of one result: no copies, no combination. */
static PetscErrorCode TakeOne(CombinedStep *step, double time)
{
    PetscFunctionBeginUser;
    step->found[0] = (ReactionRate){.guess = GuessOf(step, time - step->state.time, 0, 1),
                                    .lagged = step->state.total_rate};
    step->found[0].root =
        (EngramCouplingRoot){step->found[0].guess.rate, step->found[0].guess.slope};
    PetscCall(EulerStepTake(&step->euler, step->rows, step->rows, time, REACTION_WITH_RATE, 1.0,
                            &step->found[0]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Several results, and their combination. */
static PetscErrorCode TakeSeveral(CombinedStep *step, double time, StepError *error)
{
    EngramState *state = step->euler.state;
    PetscBool is_good = PETSC_FALSE;
    double excess = 0.0;
    PetscFunctionBeginUser;
    const Reaction *reaction = step->euler.reaction;
    const SliceValues results = SliceValuesOf(state->results);
    PetscCall(SliceValuesCopy(reaction->grid, &results, &step->before));
    if (IsLimit(step)) {
        /* Only some sub-steps pass through a quasi-static state, which would take it out. */
        step->state.mass_excess = 0.0;
        state->mass_excess = 0.0;
    }
    PetscCall(TakeResults(step, time, &is_good));
    if (!is_good) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (step->can_undo) {
        Swap(step->rows, &step->other[step->results - 1]);
        step->has_swapped = PETSC_TRUE;
    }
    PetscCall(Combine(step, (PetscBool)(error != NULL), &excess));
    PetscCall(Conclude(step, time, excess));
    if (state->is_finite && error) {
        PetscCall(StepErrorIntegrate(reaction->grid, reaction->reduction, &step->error, error));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CombinedStepTake(CombinedStep *step, double time, DriveSide side, StepError *error)
{
    EngramState *state = step->euler.state;
    PetscFunctionBeginUser;
    step->state = *state;
    step->side = side;
    step->has_swapped = PETSC_FALSE;
    if (step->results == 1) {
        PetscCall(TakeOne(step, time));
    } else {
        PetscCall(TakeSeveral(step, time, error));
    }
    for (int k = 0; k < step->results; k++) {
        state->coupling_slope[k] = step->found[k].root.slope;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CombinedStepDestroy(CombinedStep *step)
{
    PetscFunctionBeginUser;
    for (int k = 0; k < ENGRAM_STEP_RESULTS; k++) {
        PetscCall(EngramDensityDestroy(&step->other[k]));
        PetscCall(SliceValuesDestroy(&step->values[k]));
    }
    PetscCall(SliceValuesDestroy(&step->before));
    PetscCall(EngramAlignedFree(&step->shortfall));
    PetscCall(StepErrorDestroy(&step->error));
    PetscFunctionReturn(PETSC_SUCCESS);
}
