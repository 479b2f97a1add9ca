/* The beginning of a phase: another model goes on with the state. */
#include "engram/base/error.h"
#include "rates.h"
#include "stepper_jumps.h"

/* Rows that are integrated together. */
enum { ROWS_AT_ONCE = 4 };

/**
 * Integrals of the initial density over w, of all rows, and of its slope at the threshold; the same
 * bits on any number of ranks.
 */
static PetscErrorCode IntegrateInitial(EngramStepper stepper, double *profile, double *slope)
{
    double *threshold_slope = EngramSliceSolverThresholdSlope(stepper->solver);
    const double *const slopes[1] = {threshold_slope};
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    const double *values = stepper->density.values;
    PetscCall(EngramModelInitialDensity(stepper->model, grid, &stepper->density, threshold_slope));
    PetscCall(RatesIntegrate(grid, stepper->reduction, 1, slopes, slope));
    for (PetscInt k = 0; k < stepper->density.rows; k += ROWS_AT_ONCE) {
        const double *rows[ROWS_AT_ONCE];
        const int count = (int)PetscMin(ROWS_AT_ONCE, stepper->density.rows - k);
        for (int i = 0; i < count; i++) {
            rows[i] = values + (k + i) * grid->w_stride;
        }
        PetscCall(RatesIntegrate(grid, stepper->reduction, count, rows, profile + k));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** p = H(w) q(v), q of unit mass. */
static void Distribute(EngramStepper stepper, const double *profile, double slope,
                       const double *weight_density)
{
    double *threshold_slope = EngramSliceSolverThresholdSlope(stepper->solver);
    const EngramGrid *grid = stepper->grid;
    const EngramDensity *density = &stepper->density;
    double sum = 0.0;
    for (PetscInt k = 0; k < density->rows; k++) {
        sum += profile[k];
    }
    for (PetscInt k = 0; k < density->rows; k++) {
        const double q = profile[k] / (sum * grid->v_spacing);
        double *row = density->values + k * grid->w_stride;
        for (PetscInt i = 0; i < grid->w_local; i++) {
            row[i] = weight_density[i] * q;
        }
    }
    for (PetscInt i = 0; i < grid->w_local; i++) {
        threshold_slope[i] = weight_density[i] * (slope / (sum * grid->v_spacing));
    }
}

static PetscErrorCode ResetPotentials(EngramStepper stepper)
{
    double *profile = NULL;
    double slope = 0.0;
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    const EngramSliceResults *results = stepper->state.results;
    PetscCall(PetscArraycpy(stepper->weights.values, results->weight_density, grid->w_local));
    PetscCall(PetscMalloc1(stepper->density.rows, &profile));
    PetscCall(IntegrateInitial(stepper, profile, &slope));
    Distribute(stepper, profile, slope, stepper->weights.values);
    PetscCall(PetscFree(profile));
    PetscCall(ReactionRestoreMass(&stepper->reaction, &stepper->density));
    PetscCall(ReactionStart(&stepper->reaction, &stepper->density));
    PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperBeginPhase(EngramStepper stepper, PetscBool resets)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    const PetscBool is_limit = (PetscBool)(stepper->model->phase.epsilon == 0.0);
    if (is_limit) {
        if (!stepper->was_limit) {
            PetscCall(PetscArraycpy(stepper->weights.values, state->results->weight_density,
                                    stepper->grid->w_local));
        }
        PetscCall(EngramStepperTakeSteady(stepper, state->total_rate));
    } else if (resets) {
        PetscCall(ResetPotentials(stepper));
    } else if (stepper->was_limit) {
        EngramSliceSolverThresholdRates(stepper->solver);
    }
    /* What the steps have learned of the old input says nothing of the new one. */
    state->rate_trend = 0.0;
    state->is_unmet = PETSC_FALSE;
    for (int k = 0; k < ENGRAM_COMBINED_RESULTS; k++) {
        state->coupling_slope[k] = stepper->is_plain ? state->coupling_slope[k] : 0.0;
    }
    PetscCall(StepperBeginJumps(stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}
