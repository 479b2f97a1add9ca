/* The initial state. */
#include <math.h>

#include "engram/base/error.h"
#include "rates.h"
#include "steady_search.h"
#include "stepper_jumps.h"

/** Scales the density to unit mass, with a factor that is the same on any rank count. */
static PetscErrorCode Normalise(EngramStepper stepper, double *threshold_slope)
{
    const double *const summed[1] = {stepper->state.results->weight_density};
    double mass = 0.0;
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    PetscCall(RatesIntegrate(grid, stepper->reduction, 1, summed, &mass));
    if (!(mass > 0.0 && isfinite(1.0 / mass))) {
        PetscCall(EngramInputError("-initial_density \"%s\": its integral over the grid is %g; it "
                                   "must be positive",
                                   EngramExpressionText(stepper->model->initial), mass));
    }
    for (PetscInt k = 0; k < stepper->density.rows; k++) {
        double *row = stepper->density.values + k * grid->w_stride;
        for (PetscInt i = 0; i < grid->w_local; i++) {
            row[i] /= mass;
        }
    }
    for (PetscInt i = 0; i < grid->w_local; i++) {
        threshold_slope[i] /= mass;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RefuseNoSteady(EngramStepper stepper, const EngramSteadyStates *states)
{
    char text[512];
    const PetscBool is_made_up = (PetscBool)(states->made_up_count > 0);
    PetscFunctionBeginUser;
    PetscCall(
        EngramSteadyStatesDescribeNone(states, stepper->time.blowup_rate, text, sizeof(text)));
    PetscCall(
        EngramInputError("-initial_density \"%s\": its weights have no quasi-static state%s: "
                         "%s%s",
                         EngramExpressionText(stepper->model->initial),
                         states->search.is_certain ? "" : " that could be found", text,
                         is_made_up ? "; what -model_flux harmonic has, the grid makes up" : ""));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WarnOfSeveral(EngramStepper stepper, const EngramSteadyStates *states,
                                    double taken)
{
    char list[512] = "";
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < states->count; i++) {
        char text[32];
        PetscCall(
            PetscSNPrintf(text, sizeof(text), "%s%.6g", i ? ", " : "", states->roots[i].rate));
        PetscCall(PetscStrlcat(list, text, sizeof(list)));
    }
    PetscCall(EngramWarning("the initial weights have %" PetscInt_FMT " quasi-static states, with "
                            "total rates %s; the run starts from %.6g, the nearest to "
                            "-initial_rate %g",
                            states->count, list, taken, stepper->model->initial_rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Starts all slices in their quasi-static states. */
static PetscErrorCode StartQuasiStatic(EngramStepper stepper)
{
    EngramSteadyStates states;
    PetscInt taken = 0;
    PetscFunctionBeginUser;
    const double wanted = stepper->model->initial_rate;
    PetscCall(SteadySearch(&stepper->reaction, &stepper->weights, PETSC_TRUE, &states));
    if (states.count == 0) {
        PetscCall(RefuseNoSteady(stepper, &states));
    }
    PetscCall(EngramSteadyStatesWarn(&states));
    const EngramCouplingRoot *roots = states.roots;
    for (PetscInt i = 1; i < states.count; i++) {
        if (fabs(roots[i].rate - wanted) < fabs(roots[taken].rate - wanted)) {
            taken = i;
        }
    }
    if (states.count > 1) {
        PetscCall(WarnOfSeveral(stepper, &states, roots[taken].rate));
    }
    stepper->state.coupling_solutions = states.count;
    for (int k = 0; k < ENGRAM_COMBINED_RESULTS; k++) {
        stepper->state.coupling_slope[k] = roots[taken].slope;
    }
    PetscCall(EngramStepperTakeSteady(stepper, roots[taken].rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperStart(EngramStepper stepper)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    double *threshold_slope = EngramSliceSolverThresholdSlope(stepper->solver);
    *state = (EngramState){.next_step = stepper->time.is_adaptive ? stepper->time.step : 0.0,
                           .coupling_solutions = 1,
                           .is_finite = PETSC_TRUE,
                           .density = state->density,
                           .results = state->results};
    PetscCall(EngramModelInitialDensity(stepper->model, grid, &stepper->density, threshold_slope));
    PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    PetscCall(Normalise(stepper, threshold_slope));
    PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    PetscCall(
        PetscArraycpy(stepper->weights.values, state->results->weight_density, grid->w_local));
    if (stepper->model->quasi_static_start) {
        PetscCall(StartQuasiStatic(stepper));
    } else {
        PetscCall(ReactionStart(&stepper->reaction, &stepper->density));
        PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    }
    PetscCall(RateHistoryPush(&stepper->reaction.history, 0.0, state->total_rate));
    PetscCall(StepperBeginJumps(stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}
