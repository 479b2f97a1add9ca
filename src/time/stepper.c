#include "engram/time/stepper.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/base/reduction.h"
#include "rates.h"
#include "transport_step.h"

/* Iterations for the initial total rate; each reduces its error by a factor of order h. */
enum { MAXIMUM_START_ITERATIONS = 100 };

/* Beyond it a step reaches the quasi-static state to the last digit, and a larger one would only
 * overflow. */
static const double LARGEST_LAMBDA = 1e200;

struct EngramStepper {
    const EngramGrid *grid;   /* borrowed */
    const EngramModel *model; /* borrowed */
    EngramSliceSolver solver; /* borrowed */
    EngramDensity density;
    EngramReduction reduction;
    TransportStep transport;
    double *learning; /* [w_local + 2] K(w) */
    double *input;    /* [w_local] I(w, t) */
    double input_time;
    PetscBool input_is_steady;
    EngramState state;
};

PetscErrorCode EngramStepperCreate(const EngramGrid *grid, const EngramModel *model,
                                   EngramSliceSolver solver, EngramStepper *stepper)
{
    EngramStepper made = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&made));
    *stepper = made;
    made->grid = grid;
    made->model = model;
    made->solver = solver;
    made->input_time = NAN;
    made->input_is_steady = (PetscBool)!EngramExpressionUses(model->input, 't');
    PetscCall(EngramDensityCreate(grid, &made->density));
    PetscCall(EngramReductionCreate(grid->comm, &made->reduction));
    PetscCall(EngramAlignedCalloc(grid->w_local + 2, &made->learning));
    PetscCall(EngramAlignedCalloc(grid->w_local, &made->input));
    PetscCall(EngramModelLearning(model, grid, made->learning));
    PetscCall(TransportStepCreate(grid, solver, made->reduction, made->learning, &made->transport));
    made->state.density = &made->density;
    made->state.results = EngramSliceSolverResults(solver);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** mu = I(w, t) + w sigma for all slices of this rank, with sigma the response given. */
static void SetDrift(EngramStepper stepper, double time, double response)
{
    const PetscInt cells = stepper->grid->w_local;
    const double *w = stepper->grid->w + 1;
    double *drift = EngramSliceSolverDrift(stepper->solver);
    const PetscBool is_known = (PetscBool)(stepper->input_is_steady ? !isnan(stepper->input_time)
                                                                    : stepper->input_time == time);
    if (!is_known) {
        EngramModelInput(stepper->model, time, cells, w, stepper->input);
        stepper->input_time = time;
    }
    for (PetscInt i = 0; i < cells; i++) {
        drift[i] = stepper->input[i] + w[i] * response;
    }
}

static PetscErrorCode ReduceRates(EngramStepper stepper, PetscBool with_mass)
{
    PetscFunctionBeginUser;
    PetscCall(RatesReduce(stepper->grid, stepper->reduction, stepper->learning, with_mass,
                          &stepper->state));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Scales the density to unit mass, with a factor that is the same on any rank count. */
static PetscErrorCode Normalise(EngramStepper stepper)
{
    EngramReductionEntry entry;
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    EngramReductionEntryClear(&entry);
    EngramExactSumAddArray(&entry.sum, stepper->state.results->weight_density, grid->w_local);
    PetscCall(EngramReductionApply(stepper->reduction, 1, &entry));
    const double mass = grid->w_spacing * EngramExactSumValue(&entry.sum);
    if (!(mass > 0.0 && isfinite(1.0 / mass))) {
        PetscCall(EngramInputError("-initial_density \"%s\": its integral over the grid is %g; it "
                                   "must be positive",
                                   EngramExpressionText(stepper->model->initial), mass));
    }
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        double *row = stepper->density.values + k * grid->w_stride;
        for (PetscInt i = 0; i < grid->w_local; i++) {
            row[i] /= mass;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * The rate of a density depends on its drift through the weight of the last face, and the drift on
 * the total rate: a fixed point, whose slope is of order h.
 */
static PetscErrorCode FindInitialRate(EngramStepper stepper)
{
    double previous = NAN;
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    state->total_rate = 0.0;
    for (int i = 0; i < MAXIMUM_START_ITERATIONS && state->total_rate != previous; i++) {
        previous = state->total_rate;
        SetDrift(stepper, 0.0, EngramModelResponse(stepper->model, previous));
        PetscCall(EngramSliceSolverMeasureRates(stepper->solver, state->density));
        PetscCall(ReduceRates(stepper, PETSC_FALSE));
        if (!state->is_finite) {
            PetscCall(EngramInputError("-model_input \"%s\", -model_response \"%s\": the total "
                                       "firing rate of the initial state is not finite",
                                       EngramExpressionText(stepper->model->input),
                                       EngramExpressionText(stepper->model->response)));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperStart(EngramStepper stepper)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    state->time = 0.0;
    state->substeps = 0;
    state->is_finite = PETSC_TRUE;
    state->failure = NULL;
    state->is_untouched = PETSC_FALSE;
    state->mass_excess = 0.0;
    PetscCall(EngramModelInitialDensity(stepper->model, stepper->grid, stepper->density.values));
    PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    PetscCall(Normalise(stepper));
    PetscCall(FindInitialRate(stepper));
    PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperAdvance(EngramStepper stepper, double time)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    const double dt = time - state->time;
    const double lagged_rate = state->total_rate;
    const double response = EngramModelResponse(stepper->model, lagged_rate);
    state->substeps = 0;
    if (!isfinite(response)) {
        state->is_finite = PETSC_FALSE;
        state->is_untouched = PETSC_TRUE;
        state->failure = "the response sigma(Nbar) is not finite";
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (stepper->model->plasticity) {
        PetscCall(TransportStepAdvance(&stepper->transport, dt, state));
    }
    if (state->is_finite) {
        SetDrift(stepper, time, response);
        const double lambda = PetscMin(dt / stepper->model->epsilon, LARGEST_LAMBDA);
        PetscCall(
            EngramSliceSolverSolve(stepper->solver, lambda, state->mass_excess, &stepper->density));
        PetscCall(ReduceRates(stepper, PETSC_TRUE));
    }
    state->time = time;
    PetscFunctionReturn(PETSC_SUCCESS);
}

const EngramState *EngramStepperState(EngramStepper stepper)
{
    return &stepper->state;
}

double EngramStepperTransportLimit(EngramStepper stepper)
{
    return stepper->model->plasticity ? TransportStepLimit(&stepper->transport, &stepper->state)
                                      : INFINITY;
}

PetscErrorCode EngramStepperDestroy(EngramStepper *stepper)
{
    PetscFunctionBeginUser;
    if (!*stepper) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramDensityDestroy(&(*stepper)->density));
    PetscCall(EngramReductionDestroy(&(*stepper)->reduction));
    PetscCall(TransportStepDestroy(&(*stepper)->transport));
    PetscCall(EngramAlignedFree(&(*stepper)->learning));
    PetscCall(EngramAlignedFree(&(*stepper)->input));
    PetscCall(PetscFree(*stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}
