#include <math.h>

#include "engram/base/error.h"
#include "engram/kernels/extrapolate.h"
#include "rates.h"
#include "stepper_private.h"

static PetscErrorCode CreateValues(const EngramGrid *grid, SliceValues *values)
{
    PetscFunctionBeginUser;
    const PetscInt padded = EngramGridPaddedSlices(grid);
    PetscCall(EngramAlignedCalloc(padded, &values->threshold_rate));
    PetscCall(EngramAlignedCalloc(padded, &values->firing_rate));
    PetscCall(EngramAlignedCalloc(padded, &values->weight_density));
    PetscCall(EngramAlignedCalloc(padded, &values->minimum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyValues(SliceValues *values)
{
    PetscFunctionBeginUser;
    PetscCall(EngramAlignedFree(&values->threshold_rate));
    PetscCall(EngramAlignedFree(&values->firing_rate));
    PetscCall(EngramAlignedFree(&values->weight_density));
    PetscCall(EngramAlignedFree(&values->minimum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Copies all values over the slices, the padding included. */
static PetscErrorCode CopyValues(const EngramGrid *grid, const SliceValues *from,
                                 const SliceValues *to)
{
    PetscFunctionBeginUser;
    const PetscInt padded = EngramGridPaddedSlices(grid);
    PetscCall(PetscArraycpy(to->threshold_rate, from->threshold_rate, padded));
    PetscCall(PetscArraycpy(to->firing_rate, from->firing_rate, padded));
    PetscCall(PetscArraycpy(to->weight_density, from->weight_density, padded));
    PetscCall(PetscArraycpy(to->minimum, from->minimum, padded));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The arrays of the solver's results, seen as values. */
static SliceValues ResultsOf(EngramStepper stepper)
{
    const EngramSliceResults *results = stepper->state.results;
    const SliceValues values = {results->threshold_rate, results->firing_rate,
                                results->weight_density, results->minimum};
    return values;
}

PetscErrorCode PairedStepCreate(EngramStepper stepper)
{
    PairedStep *pair = &stepper->pair;
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    const PetscInt padded = EngramGridPaddedSlices(grid);
    PetscCall(EngramDensityCreate(grid, stepper->rows->rows, &pair->whole));
    if (stepper->time.is_adaptive) {
        PetscCall(EngramDensityCreate(grid, stepper->rows->rows, &pair->other));
    }
    PetscCall(CreateValues(grid, &pair->before));
    PetscCall(CreateValues(grid, &pair->result));
    PetscCall(EngramAlignedCalloc(padded, &pair->shortfall));
    PetscCall(EngramAlignedCalloc(padded, &pair->difference));
    PetscCall(EngramAlignedCalloc(padded, &pair->rate_difference));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Goes back to the rates and the drift from which the step began; the rows stay. */
static PetscErrorCode ReturnToStart(EngramStepper stepper)
{
    const SliceValues results = ResultsOf(stepper);
    const EngramState *before = &stepper->pair.state;
    PetscFunctionBeginUser;
    PetscCall(CopyValues(stepper->grid, &stepper->pair.before, &results));
    stepper->state = *before;
    RateHistoryTruncate(&stepper->reaction.history, before->time);
    ReactionSetActivity(&stepper->reaction, before->activity_time, before->activity);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Exchanges two densities: their values change places, nothing is copied. */
static void Swap(EngramDensity *a, EngramDensity *b)
{
    const EngramDensity kept = *a;
    *a = *b;
    *b = kept;
}

PetscErrorCode PairedStepTakeBack(EngramStepper stepper)
{
    const SliceValues results = ResultsOf(stepper);
    PetscFunctionBeginUser;
    if (stepper->pair.has_swapped) {
        Swap(stepper->rows, &stepper->pair.other);
        stepper->pair.has_swapped = PETSC_FALSE;
    }
    PetscCall(ReturnToStart(stepper));
    if (stepper->rows != &stepper->density) {
        /* The density of the limit model follows from its weights. */
        PetscCall(EngramSliceSolverQuasiStatic(stepper->solver, stepper->rows->values,
                                               &stepper->density));
        PetscCall(CopyValues(stepper->grid, &stepper->pair.before, &results));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * What a lagged coupling sees in the second half, so that it is of second order when extrapolated:
 * the rate after a half step of first order has an error of order dt^(3/2), which the whole step
 * does not share; the trend of the extrapolated rates has dt^2. NaN where there is no trend yet.
 */
static double RateAtMiddle(EngramStepper stepper, double middle)
{
    const EngramState *before = &stepper->pair.state;
    const PetscBool is_lagged = (PetscBool)(stepper->coupling.time == ENGRAM_COUPLING_LAGGED &&
                                            stepper->time.scheme == ENGRAM_TIME_EXTRAPOLATED);
    if (!is_lagged || before->steps < 2) {
        return NAN;
    }
    return PetscMax(before->total_rate + before->rate_trend * (middle - before->time), 0.0);
}

/** Two half steps, into `to`. */
static PetscErrorCode TakeHalves(EngramStepper stepper, const EngramDensity *to, double time,
                                 double substeps)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    const double middle = state->time + 0.5 * (time - state->time);
    PetscCall(StepperSubStep(stepper, stepper->rows, to, middle, REACTION_WITH_RATE, substeps));
    if (!state->is_finite) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (stepper->reaction.delay > 0.0) {
        PetscCall(RateHistoryPush(&stepper->reaction.history, middle, state->total_rate));
    }
    stepper->reaction.lagged_rate = RateAtMiddle(stepper, middle);
    PetscCall(StepperSubStep(stepper, to, to, time, REACTION_SOLVE, substeps));
    stepper->reaction.lagged_rate = NAN;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What the whole step has counted and met is added to what the halves have. */
static void AddCounts(const EngramState *whole, EngramState *state)
{
    const PetscInt fewest = PetscMin(whole->coupling_solutions, state->coupling_solutions);
    const PetscInt most = PetscMax(whole->coupling_solutions, state->coupling_solutions);
    state->substeps += whole->substeps;
    state->learning_courant = PetscMax(whole->learning_courant, state->learning_courant);
    state->coupling_iterations += whole->coupling_iterations;
    state->coupling_solutions = fewest > 0 ? most : 0;
    state->has_blown_up = (PetscBool)(state->has_blown_up || whole->has_blown_up);
    state->failure = state->failure ? state->failure : whole->failure;
}

/** Puts the two results together in the stepper's rows; `excess` of mass for the limit model. */
static PetscErrorCode Combine(EngramStepper stepper, double *excess)
{
    PairedStep *pair = &stepper->pair;
    double integrals[3] = {0.0, 0.0, 0.0}; /* of the shortfall, and the masses of both results */
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    const SliceValues results = ResultsOf(stepper);
    const PetscBool is_limit = (PetscBool)(stepper->rows != &stepper->density);
    const double extrapolation = stepper->time.scheme == ENGRAM_TIME_EXTRAPOLATED ? 1.0 : 0.0;
    const EngramStepResult whole = {is_limit ? pair->whole.values : pair->result.weight_density,
                                    is_limit ? NULL : pair->result.firing_rate};
    const EngramStepResult halves = {is_limit ? stepper->rows->values : results.weight_density,
                                     is_limit ? NULL : results.firing_rate};
    const EngramExtrapolated extrapolated = {results.weight_density, results.firing_rate,
                                             results.minimum, pair->difference};
    for (PetscInt i = 0; i < grid->w_local && !is_limit; i++) {
        pair->rate_difference[i] = fabs(halves.firing_rate[i] - whole.firing_rate[i]);
    }
    if (extrapolation > 0.0 || is_limit) {
        const double *const summed[3] = {pair->shortfall, whole.weight_density,
                                         halves.weight_density};
        EngramExtrapolationShortfall(grid->w_local, extrapolation, whole.weight_density,
                                     halves.weight_density, pair->shortfall);
        PetscCall(RatesIntegrate(grid, stepper->reduction, 3, summed, integrals));
    }
    const double factor = 1.0 / (1.0 + integrals[0]);
    const double change = extrapolation * (integrals[2] - integrals[1]);
    *excess = factor * (integrals[2] + change + integrals[0]) - 1.0;
    EngramExtrapolate((int)stepper->rows->rows, is_limit ? 1 : (int)grid->v_nodes, grid->w_local,
                      grid->w_stride, is_limit ? 1.0 : grid->v_spacing, extrapolation, factor,
                      &whole, &halves, pair->whole.values, stepper->rows->values, &extrapolated);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Rates of the combined rows. The weights of the limit model lose their excess of mass here. */
static PetscErrorCode Conclude(EngramStepper stepper, double time, double excess)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    if (stepper->rows != &stepper->density) {
        state->mass_excess = RatesRoundOff(excess);
        PetscCall(ReactionStep(&stepper->reaction, time, REACTION_WITH_RATE, stepper->rows,
                               stepper->rows));
    } else {
        PetscCall(
            RatesReduce(stepper->grid, stepper->reduction, &stepper->rule, PETSC_TRUE, state));
    }
    state->time = time;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode EstimateError(EngramStepper stepper, double *error)
{
    const double *const summed[2] = {stepper->pair.difference, stepper->pair.rate_difference};
    double integrals[2] = {0.0, 0.0};
    PetscFunctionBeginUser;
    const PetscBool has_rates = (PetscBool)(stepper->rows == &stepper->density);
    PetscCall(
        RatesIntegrate(stepper->grid, stepper->reduction, has_rates ? 2 : 1, summed, integrals));
    const double rates = integrals[1] / (1.0 + fabs(stepper->state.total_rate));
    *error = PetscMax(integrals[0], rates);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PairedStepTake(EngramStepper stepper, double time, double *error)
{
    PairedStep *pair = &stepper->pair;
    EngramState *state = &stepper->state;
    const SliceValues results = ResultsOf(stepper);
    double excess = 0.0;
    PetscFunctionBeginUser;
    pair->state = *state;
    pair->has_swapped = PETSC_FALSE;
    PetscCall(CopyValues(stepper->grid, &results, &pair->before));
    if (stepper->rows != &stepper->density) {
        /* Only the first half passes through a quasi-static state, which would take it out. */
        pair->state.mass_excess = 0.0;
        state->mass_excess = 0.0;
    }
    const double substeps = ceil((time - state->time) / EngramStepperTransportLimit(stepper));
    PetscCall(StepperSubStep(stepper, stepper->rows, &pair->whole, time, REACTION_SOLVE, substeps));
    if (!state->is_finite) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const EngramState whole = *state;
    PetscCall(CopyValues(stepper->grid, &results, &pair->result));
    PetscCall(ReturnToStart(stepper));
    PetscCall(TakeHalves(stepper, stepper->time.is_adaptive ? &pair->other : stepper->rows, time,
                         substeps));
    if (!state->is_finite) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (stepper->time.is_adaptive) {
        Swap(stepper->rows, &pair->other);
        pair->has_swapped = PETSC_TRUE;
    }
    AddCounts(&whole, state);
    PetscCall(Combine(stepper, &excess));
    PetscCall(Conclude(stepper, time, excess));
    if (state->is_finite && error) {
        PetscCall(EstimateError(stepper, error));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PairedStepDestroy(EngramStepper stepper)
{
    PairedStep *pair = &stepper->pair;
    PetscFunctionBeginUser;
    PetscCall(EngramDensityDestroy(&pair->whole));
    PetscCall(EngramDensityDestroy(&pair->other));
    PetscCall(DestroyValues(&pair->before));
    PetscCall(DestroyValues(&pair->result));
    PetscCall(EngramAlignedFree(&pair->shortfall));
    PetscCall(EngramAlignedFree(&pair->difference));
    PetscCall(EngramAlignedFree(&pair->rate_difference));
    PetscFunctionReturn(PETSC_SUCCESS);
}
