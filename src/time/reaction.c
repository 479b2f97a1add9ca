#include "reaction.h"

#include <math.h>

#include "engram/base/error.h"
#include "rates.h"

/* Iterations for the initial total rate, which drift and noise depend on. */
enum { MAXIMUM_START_ITERATIONS = 100 };

/* Beyond it a step reaches the quasi-static state to the last digit, and a much larger one would
 * overflow where it meets the largest weight of a face, e^350. */
static const double LARGEST_LAMBDA = 1e100;

/* Entries of the history to begin with. */
enum { HISTORY_ROOM = 1024 };

void ReactionFollowModel(Reaction *reaction)
{
    DriveFollowModel(&reaction->drive);
    reaction->delay = reaction->model->phase.epsilon * reaction->model->delay;
}

PetscErrorCode ReactionCreate(Reaction *reaction)
{
    PetscFunctionBeginUser;
    PetscCall(DriveCreate(&reaction->drive));
    ReactionFollowModel(reaction);
    PetscCall(RateHistoryCreate(reaction->model->initial_rate, HISTORY_ROOM, &reaction->history));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReduceRates(Reaction *reaction, PetscBool with_mass)
{
    PetscFunctionBeginUser;
    PetscCall(RatesReduce(reaction->grid, reaction->reduction, reaction->rule, with_mass,
                          reaction->state));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionRenewRates(Reaction *reaction, const EngramDensity *rows)
{
    PetscFunctionBeginUser;
    const PetscBool is_limit = (PetscBool)(reaction->model->phase.epsilon == 0.0);
    const EngramSliceResults *results = reaction->state->results;
    for (PetscInt i = 0; is_limit && i < reaction->grid->w_local; i++) {
        results->firing_rate[i] = rows->values[i] * results->threshold_rate[i];
    }
    PetscCall(ReduceRates(reaction, PETSC_FALSE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionRestoreMass(Reaction *reaction, const EngramDensity *rows)
{
    const double *summed[1] = {rows->values};
    double mass = 0.0;
    PetscFunctionBeginUser;
    const EngramGrid *grid = reaction->grid;
    if (reaction->model->phase.epsilon > 0.0) {
        PetscCall(EngramSliceSolverMeasure(reaction->solver, rows));
        summed[0] = reaction->state->results->weight_density;
    }
    PetscCall(RatesIntegrate(grid, reaction->reduction, 1, summed, &mass));
    const double excess = RatesRoundOff(mass - 1.0);
    for (PetscInt i = 0; i < rows->rows * grid->w_stride; i++) {
        rows->values[i] -= rows->values[i] * excess;
    }
    reaction->state->mass_excess = 0.0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

ReactionRate ReactionKnownRate(const Reaction *reaction)
{
    const EngramState *state = reaction->state;
    return (ReactionRate){
        .guess = {state->total_rate, state->coupling_slope[0], INFINITY, PETSC_TRUE},
        .lagged = state->total_rate,
        .root = {state->total_rate, state->coupling_slope[0]}};
}

/** What the activity of a step is made of: known + share * (rate at its end). */
static RateEquation EquationOfStep(const Reaction *reaction, double time, const EngramDensity *rows,
                                   const EngramSliceTransport *transport, double lagged)
{
    const EngramState *state = reaction->state;
    const double dt = time - state->time;
    const double seen = time - reaction->delay;
    const double epsilon = reaction->model->phase.epsilon;
    RateEquation equation = {.rows = rows,
                             .transport = transport,
                             .time = time,
                             .side = DRIVE_AT_END,
                             .known = 0.0,
                             .share = 1.0};
    equation.lambda = epsilon > 0.0 ? PetscMin(dt / epsilon, LARGEST_LAMBDA) : INFINITY;
    if (reaction->delay > 0.0) {
        equation.share = seen > state->time ? (seen - state->time) / dt : 0.0;
        equation.known =
            equation.share > 0.0
                ? (1.0 - equation.share) * lagged
                : RateHistoryBefore(&reaction->history, time, reaction->delay, RATE_BEFORE_JUMP);
    }
    return equation;
}

static PetscBool IsScanDue(const Reaction *reaction)
{
    const PetscInt every = reaction->coupled.coupling->scan_every;
    return (PetscBool)(every > 0 && reaction->state->steps % every == 0);
}

/** The distribution of weights less the round-off that its mass has gained. */
static void TakeOutExcess(const EngramGrid *grid, const EngramState *state,
                          const EngramDensity *weights)
{
    for (PetscInt i = 0; i < grid->w_local; i++) {
        weights->values[i] -= weights->values[i] * state->mass_excess;
    }
}

/** Sets the drift for the activity of a step, which an implicit coupling finds. */
static PetscErrorCode SetDriveOfStep(Reaction *reaction, const RateEquation *equation,
                                     ReactionRate *rate)
{
    EngramState *state = reaction->state;
    double seen = rate->lagged;
    PetscFunctionBeginUser;
    if (reaction->coupled.coupling->time == ENGRAM_COUPLING_IMPLICIT && equation->share > 0.0) {
        PetscCall(CoupledRateFind(&reaction->coupled, equation, rate->guess, IsScanDue(reaction),
                                  &rate->root));
        seen = rate->root.rate;
    }
    if (state->is_finite) {
        DriveSet(&reaction->drive, equation->time, equation->side,
                 equation->known + equation->share * seen, state);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionStep(Reaction *reaction, double time, ReactionExtent extent,
                            const EngramDensity *from, const EngramSliceTransport *transport,
                            const EngramDensity *to, ReactionRate *rate)
{
    EngramState *state = reaction->state;
    PetscFunctionBeginUser;
    const PetscBool is_limit = (PetscBool)(reaction->model->phase.epsilon == 0.0);
    if (is_limit && from != to) {
        PetscCall(VecCopy(from->vec, to->vec));
    }
    if (is_limit && extent == REACTION_SOLVE) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const RateEquation equation = EquationOfStep(reaction, time, from, transport, rate->lagged);
    EngramSliceSolverKeepRates(reaction->solver);
    PetscCall(SetDriveOfStep(reaction, &equation, rate));
    if (!state->is_finite) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (is_limit) {
        TakeOutExcess(reaction->grid, state, to);
        PetscCall(EngramSliceSolverQuasiStatic(reaction->solver, to->values, reaction->density));
    } else {
        PetscCall(EngramSliceSolverSolve(reaction->solver, equation.lambda, state->mass_excess,
                                         transport, from, to));
    }
    state->solves++;
    if (extent == REACTION_WITH_RATE) {
        PetscCall(ReduceRates(reaction, PETSC_TRUE));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RefuseStart(const Reaction *reaction)
{
    PetscFunctionBeginUser;
    PetscCall(EngramInputError("-model_drift \"%s\", -model_input \"%s\", -model_response \"%s\", "
                               "-model_noise \"%s\": the total firing rate of the initial state is "
                               "not finite",
                               EngramExpressionText(reaction->model->drift),
                               EngramInputText(reaction->model->phase.input),
                               EngramExpressionText(reaction->model->response),
                               EngramExpressionText(reaction->model->noise)));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Rates that have no value, and the drift of a network at rest. */
static void LeaveOutRates(Reaction *reaction)
{
    EngramState *state = reaction->state;
    DriveSet(&reaction->drive, state->time, DRIVE_AT_START, 0.0, state);
    for (PetscInt i = 0; i < reaction->grid->w_local; i++) {
        state->results->firing_rate[i] = NAN;
    }
    state->total_rate = NAN;
    state->largest_learning = 0.0;
    state->is_finite = PETSC_TRUE;
    state->has_blown_up = PETSC_FALSE;
    state->failure = NULL;
}

PetscErrorCode ReactionStart(Reaction *reaction, const EngramDensity *rows)
{
    double previous = NAN;
    EngramState *state = reaction->state;
    PetscFunctionBeginUser;
    const double time = state->time;
    const PetscBool is_delayed = (PetscBool)(reaction->delay > 0.0);
    const double known =
        RateHistoryBefore(&reaction->history, time, reaction->delay, RATE_AFTER_JUMP);
    state->total_rate = 0.0;
    for (int i = 0; i < MAXIMUM_START_ITERATIONS && state->total_rate != previous; i++) {
        previous = state->total_rate;
        DriveSet(&reaction->drive, time, DRIVE_AT_START, is_delayed ? known : previous, state);
        if (state->is_finite) {
            EngramSliceSolverMeasureRates(reaction->solver, rows);
            PetscCall(ReduceRates(reaction, PETSC_FALSE));
        }
        if (!state->is_finite && reaction->model->uses_weights_only) {
            LeaveOutRates(reaction);
            break;
        }
        if (!state->is_finite) {
            PetscCall(RefuseStart(reaction));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The rates of the rows, or of the quasi-static states of H, for the drift that is set. */
static PetscErrorCode MeasureRates(Reaction *reaction, const EngramDensity *rows)
{
    PetscFunctionBeginUser;
    if (reaction->model->phase.epsilon > 0.0) {
        EngramSliceSolverMeasureRates(reaction->solver, rows);
    } else {
        PetscCall(EngramSliceSolverQuasiStatic(reaction->solver, rows->values, NULL));
    }
    PetscCall(ReduceRates(reaction, PETSC_FALSE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Fits the refractory state to a noise that jumps with the rate that a delayed network sees. */
static void FollowNoise(Reaction *reaction, const EngramDensity *rows)
{
    EngramState *state = reaction->state;
    const EngramModel *model = reaction->model;
    if (reaction->delay > 0.0 && model->phase.epsilon > 0.0) {
        const double activity =
            RateHistoryBefore(&reaction->history, state->time, reaction->delay, RATE_AFTER_JUMP);
        DriveSet(&reaction->drive, state->time, DRIVE_AT_START, activity, state);
        if (state->is_finite) {
            EngramSliceSolverFollowNoise(reaction->solver, rows);
        }
    }
}

/** The activity just after a jump, to which the rates fit. */
static PetscErrorCode FindActivity(Reaction *reaction, const EngramDensity *rows, double *activity)
{
    const EngramState *state = reaction->state;
    ReactionRate rate = ReactionKnownRate(reaction);
    PetscFunctionBeginUser;
    if (reaction->delay > 0.0) {
        *activity =
            RateHistoryBefore(&reaction->history, state->time, reaction->delay, RATE_AFTER_JUMP);
    } else {
        const RateEquation equation = {.rows = rows,
                                       .time = state->time,
                                       .side = DRIVE_AT_START,
                                       .lambda =
                                           reaction->model->phase.epsilon > 0.0 ? 0.0 : INFINITY,
                                       .known = 0.0,
                                       .share = 1.0};
        rate.guess.slope = 0.0;
        rate.guess.may_scan = PETSC_FALSE;
        PetscCall(
            CoupledRateFind(&reaction->coupled, &equation, rate.guess, PETSC_FALSE, &rate.root));
        *activity = rate.root.rate;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionMeasureAnew(Reaction *reaction, const EngramDensity *rows)
{
    EngramState *state = reaction->state;
    double activity = 0.0;
    PetscFunctionBeginUser;
    const EngramState before = *state;
    EngramSliceSolverKeepRates(reaction->solver);
    FollowNoise(reaction, rows);
    if (state->is_finite) {
        PetscCall(FindActivity(reaction, rows, &activity));
        DriveSet(&reaction->drive, state->time, DRIVE_AT_START, activity, state);
    }
    if (state->is_finite) {
        PetscCall(MeasureRates(reaction, rows));
    }
    const PetscBool is_good = (PetscBool)(state->is_finite && !state->has_blown_up);
    if (!is_good) {
        *state = before;
        DriveSet(&reaction->drive, before.activity_time, DRIVE_AT_END, before.activity, state);
        PetscCall(MeasureRates(reaction, rows));
    }
    state->coupling_solutions = before.coupling_solutions;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionScan(Reaction *reaction, const EngramDensity *weights,
                            EngramCouplingRoot *roots, PetscInt *count,
                            EngramCouplingSearch *search)
{
    const RateEquation equation = {.rows = weights,
                                   .time = reaction->state->time,
                                   .side = DRIVE_AT_START,
                                   .lambda = INFINITY,
                                   .known = 0.0,
                                   .share = 1.0};
    PetscFunctionBeginUser;
    PetscCall(CoupledRateScan(&reaction->coupled, &equation, roots, count, search));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionTakeQuasiStatic(Reaction *reaction, const EngramDensity *weights,
                                       double rate)
{
    PetscFunctionBeginUser;
    DriveSet(&reaction->drive, reaction->state->time, DRIVE_AT_START, rate, reaction->state);
    PetscCall(EngramSliceSolverQuasiStatic(reaction->solver, weights->values, reaction->density));
    if (reaction->model->phase.epsilon > 0.0) {
        EngramSliceSolverThresholdRates(reaction->solver);
    }
    PetscCall(ReduceRates(reaction, PETSC_TRUE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionDestroy(Reaction *reaction)
{
    PetscFunctionBeginUser;
    PetscCall(DriveDestroy(&reaction->drive));
    PetscCall(RateHistoryDestroy(&reaction->history));
    PetscFunctionReturn(PETSC_SUCCESS);
}
