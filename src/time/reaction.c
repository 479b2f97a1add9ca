#include "reaction.h"

#include <math.h>

#include "engram/base/error.h"
#include "rates.h"

/* Iterations for the initial total rate; each reduces its error by a factor of order h. */
enum { MAXIMUM_START_ITERATIONS = 100 };

/* Beyond it a step reaches the quasi-static state to the last digit, and a much larger one would
 * overflow where it meets the largest weight of a face, e^350. */
static const double LARGEST_LAMBDA = 1e100;

/* Entries of the history to begin with. */
enum { HISTORY_ROOM = 1024 };

void ReactionFollowModel(Reaction *reaction)
{
    const EngramModelPhase *phase = &reaction->model->phase;
    reaction->input_time = NAN;
    reaction->input_is_steady = EngramInputIsSteady(phase->input);
    reaction->delay = phase->epsilon * reaction->model->delay;
}

PetscErrorCode ReactionCreate(Reaction *reaction)
{
    PetscFunctionBeginUser;
    reaction->lagged_rate = NAN;
    reaction->factor = (EngramInputFactor){1.0, 1.0, 0.0};
    ReactionFollowModel(reaction);
    PetscCall(EngramAlignedCalloc(reaction->grid->w_local, &reaction->input));
    PetscCall(RateHistoryCreate(reaction->model->initial_rate, HISTORY_ROOM, &reaction->history));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void Fail(EngramState *state, const char *failure)
{
    state->is_finite = PETSC_FALSE;
    state->failure = failure;
}

void ReactionChangeFactor(Reaction *reaction, double factor)
{
    EngramInputFactor *changed = &reaction->factor;
    if (reaction->state->time > changed->since) {
        changed->before = changed->after;
        changed->since = reaction->state->time;
    }
    changed->after = factor;
}

/** I(w, t) times the factor of that time, unless it is there already. */
static void SetInput(Reaction *reaction, double time)
{
    const PetscInt cells = reaction->grid->w_local;
    const EngramInputFactor *factors = &reaction->factor;
    const double factor = time > factors->since ? factors->after : factors->before;
    const PetscBool is_of_time =
        (PetscBool)(reaction->input_is_steady ? !isnan(reaction->input_time)
                                              : reaction->input_time == time);
    if (is_of_time && reaction->input_factor == factor) {
        return;
    }
    EngramModelInput(reaction->model, time, cells, reaction->grid->w + 1, reaction->input);
    for (PetscInt i = 0; i < cells; i++) {
        reaction->input[i] = factor * reaction->input[i];
    }
    reaction->input_time = time;
    reaction->input_factor = factor;
}

void ReactionSetActivity(Reaction *reaction, double time, double activity)
{
    const PetscInt cells = reaction->grid->w_local;
    const double *w = reaction->grid->w + 1;
    double *drift = EngramSliceSolverDrift(reaction->solver);
    const double response = EngramModelResponse(reaction->model, activity);
    const double noise = EngramModelNoise(reaction->model, activity);
    reaction->state->activity = activity;
    reaction->state->activity_time = time;
    if (!isfinite(response)) {
        Fail(reaction->state, "the response sigma(Nbar) is not finite");
        return;
    }
    if (!(noise > 0.0 && isfinite(noise))) {
        Fail(reaction->state, "the noise a(Nbar) is not positive and finite");
        return;
    }
    SetInput(reaction, time);
    for (PetscInt i = 0; i < cells; i++) {
        drift[i] = reaction->input[i] + w[i] * response;
    }
    EngramSliceSolverSetNoise(reaction->solver, noise);
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
    if (reaction->model->phase.epsilon > 0.0) {
        PetscCall(EngramSliceSolverMeasureRates(reaction->solver, rows));
    } else {
        const EngramSliceResults *results = reaction->state->results;
        for (PetscInt i = 0; i < reaction->grid->w_local; i++) {
            results->firing_rate[i] = rows->values[i] * results->threshold_rate[i];
        }
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

/** One evaluation of the scalar equation: which step it belongs to. */
typedef struct Trial {
    Reaction *reaction;
    const EngramDensity *rows;
    double time;
    double lambda; /* infinity: quasi-static */
    double known;  /* activity = known + share * rate */
    double share;
} Trial;

/** The rate that a lagged coupling sees. */
static double LaggedRate(const Reaction *reaction)
{
    return isnan(reaction->lagged_rate) ? reaction->state->total_rate : reaction->lagged_rate;
}

/** What the activity of a step is made of: known + share * (rate at its end). */
static Trial TrialOfStep(Reaction *reaction, double time, const EngramDensity *rows)
{
    const EngramState *state = reaction->state;
    const double dt = time - state->time;
    const double seen = time - reaction->delay;
    const double epsilon = reaction->model->phase.epsilon;
    Trial trial = {.reaction = reaction, .rows = rows, .time = time, .known = 0.0, .share = 1.0};
    trial.lambda = epsilon > 0.0 ? PetscMin(dt / epsilon, LARGEST_LAMBDA) : INFINITY;
    if (reaction->delay > 0.0) {
        trial.share = seen > state->time ? (seen - state->time) / dt : 0.0;
        trial.known = trial.share > 0.0 ? (1.0 - trial.share) * LaggedRate(reaction)
                                        : RateHistoryAt(&reaction->history, seen);
    }
    return trial;
}

/** G(rate): the sum of the rates that all slices have when the network sees this one. */
static PetscErrorCode EvaluateTrial(void *context, double rate, double *answer)
{
    const Trial *trial = context;
    Reaction *reaction = trial->reaction;
    EngramState *state = reaction->state;
    PetscFunctionBeginUser;
    const PetscBool has_blown_up = state->has_blown_up;
    state->is_finite = PETSC_TRUE;
    ReactionSetActivity(reaction, trial->time, trial->known + trial->share * rate);
    if (state->is_finite) {
        if (isinf(trial->lambda)) {
            PetscCall(EngramSliceSolverQuasiStatic(reaction->solver, trial->rows->values, NULL));
        } else {
            PetscCall(EngramSliceSolverTryRates(reaction->solver, trial->lambda, trial->rows));
        }
        PetscCall(ReduceRates(reaction, PETSC_FALSE));
    }
    *answer = state->is_finite ? state->total_rate : NAN;
    reaction->trial_failure = state->is_finite ? reaction->trial_failure : state->failure;
    /* What becomes of a rate that is only tried is no fate of the run. */
    state->is_finite = PETSC_TRUE;
    state->has_blown_up = has_blown_up;
    state->failure = NULL;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Looks for all solutions and takes the one nearest to a rate. */
static PetscErrorCode TakeNearest(Reaction *reaction, EngramCouplingFunction function, double rate,
                                  EngramCouplingResult *result)
{
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    PetscInt count = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramCouplingScan(reaction->coupling, function, roots, &count));
    result->is_found = (PetscBool)(count > 0);
    result->solutions = count;
    for (PetscInt i = 0; i < count; i++) {
        const PetscBool is_nearer =
            (PetscBool)(i == 0 || fabs(roots[i].rate - rate) < fabs(result->root.rate - rate));
        result->root = is_nearer ? roots[i] : result->root;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool IsScanDue(const Reaction *reaction)
{
    const PetscInt every = reaction->coupling->scan_every;
    return (PetscBool)(every > 0 && reaction->state->steps % every == 0);
}

/** Solves the scalar equation of a step; leaves the activity it takes in `activity`. */
static PetscErrorCode FindActivity(Reaction *reaction, Trial *trial, double *activity)
{
    EngramCouplingResult result;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    EngramState *state = reaction->state;
    const EngramCouplingFunction function = {EvaluateTrial, trial};
    PetscFunctionBeginUser;
    reaction->trial_failure = NULL;
    const double start = state->total_rate;
    const double guess = start + state->rate_trend * (trial->time - state->time);
    const double largest_learning = state->largest_learning;
    PetscCall(EngramCouplingSolve(reaction->coupling, function, guess,
                                  reaction->state->coupling_slope, &result));
    if (!result.is_found) {
        PetscCall(TakeNearest(reaction, function, start, &result));
    }
    if (IsScanDue(reaction)) {
        PetscCall(EngramCouplingScan(reaction->coupling, function, roots, &result.solutions));
        result.solutions = PetscMax(result.solutions, result.is_found ? 1 : 0);
    }
    state->total_rate = start;
    state->largest_learning = largest_learning;
    state->coupling_iterations += result.iterations;
    state->coupling_solutions = result.is_found && state->coupling_solutions > 0
                                    ? PetscMax(state->coupling_solutions, result.solutions)
                                    : 0;
    if (result.is_found) {
        *activity = trial->known + trial->share * result.root.rate;
        state->coupling_slope = isfinite(result.root.slope) ? result.root.slope : 0.0;
    } else if (reaction->trial_failure) {
        Fail(state, reaction->trial_failure);
    } else {
        *activity = trial->known + trial->share * start;
        state->has_blown_up = PETSC_TRUE;
        state->failure = "blow-up: no total firing rate up to -blowup_rate solves the equation of "
                         "the implicit coupling";
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The distribution of weights less the round-off that its mass has gained. */
static void TakeOutExcess(const EngramGrid *grid, const EngramState *state,
                          const EngramDensity *weights)
{
    for (PetscInt i = 0; i < grid->w_local; i++) {
        weights->values[i] -= weights->values[i] * state->mass_excess;
    }
}

PetscErrorCode ReactionStep(Reaction *reaction, double time, ReactionExtent extent,
                            const EngramDensity *from, const EngramDensity *to)
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
    Trial trial = TrialOfStep(reaction, time, from);
    double activity = trial.known + trial.share * LaggedRate(reaction);
    if (reaction->coupling->time == ENGRAM_COUPLING_IMPLICIT && trial.share > 0.0) {
        PetscCall(FindActivity(reaction, &trial, &activity));
    }
    if (state->is_finite) {
        ReactionSetActivity(reaction, time, activity);
    }
    if (!state->is_finite) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (is_limit) {
        TakeOutExcess(reaction->grid, state, to);
        PetscCall(EngramSliceSolverQuasiStatic(reaction->solver, to->values, reaction->density));
    } else {
        PetscCall(
            EngramSliceSolverSolve(reaction->solver, trial.lambda, state->mass_excess, from, to));
    }
    if (extent == REACTION_WITH_RATE) {
        PetscCall(ReduceRates(reaction, PETSC_TRUE));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RefuseStart(const Reaction *reaction)
{
    PetscFunctionBeginUser;
    PetscCall(EngramInputError("-model_input \"%s\", -model_response \"%s\", -model_noise \"%s\": "
                               "the total firing rate of the initial state is not finite",
                               EngramInputText(reaction->model->phase.input),
                               EngramExpressionText(reaction->model->response),
                               EngramExpressionText(reaction->model->noise)));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * The rate of a density depends on its drift through the weight of the last face, and the drift on
 * the total rate: a fixed point, whose slope is of order h.
 */
PetscErrorCode ReactionStart(Reaction *reaction, const EngramDensity *rows)
{
    double previous = NAN;
    EngramState *state = reaction->state;
    PetscFunctionBeginUser;
    const double time = state->time;
    const PetscBool is_delayed = (PetscBool)(reaction->delay > 0.0);
    const double known = RateHistoryAt(&reaction->history, time - reaction->delay);
    state->total_rate = 0.0;
    for (int i = 0; i < MAXIMUM_START_ITERATIONS && state->total_rate != previous; i++) {
        previous = state->total_rate;
        ReactionSetActivity(reaction, time, is_delayed ? known : previous);
        if (state->is_finite) {
            PetscCall(EngramSliceSolverMeasureRates(reaction->solver, rows));
            PetscCall(ReduceRates(reaction, PETSC_FALSE));
        }
        if (!state->is_finite) {
            PetscCall(RefuseStart(reaction));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionScan(Reaction *reaction, const EngramDensity *weights,
                            EngramCouplingRoot *roots, PetscInt *count)
{
    Trial trial = {.reaction = reaction,
                   .rows = weights,
                   .time = reaction->state->time,
                   .lambda = INFINITY,
                   .known = 0.0,
                   .share = 1.0};
    const EngramCouplingFunction function = {EvaluateTrial, &trial};
    PetscFunctionBeginUser;
    reaction->trial_failure = NULL;
    PetscCall(EngramCouplingScan(reaction->coupling, function, roots, count));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionTakeQuasiStatic(Reaction *reaction, const EngramDensity *weights,
                                       double rate)
{
    PetscFunctionBeginUser;
    ReactionSetActivity(reaction, reaction->state->time, rate);
    PetscCall(EngramSliceSolverQuasiStatic(reaction->solver, weights->values, reaction->density));
    PetscCall(ReduceRates(reaction, PETSC_TRUE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReactionDestroy(Reaction *reaction)
{
    PetscFunctionBeginUser;
    PetscCall(EngramAlignedFree(&reaction->input));
    PetscCall(RateHistoryDestroy(&reaction->history));
    PetscFunctionReturn(PETSC_SUCCESS);
}
