#include "coupled_rate.h"

#include <math.h>

#include "engram/base/error.h"
#include "rates.h"

/** An evaluation under way. */
typedef struct Trial {
    CoupledRate *coupled;
    const RateEquation *equation;
    PetscBool is_split; /* the answer of excitatory neurons is wanted by itself */
    double excitatory;
} Trial;

/** The rates of all slices for the drift that is set. */
static PetscErrorCode FindRates(EngramSliceSolver solver, const RateEquation *equation)
{
    PetscFunctionBeginUser;
    if (isinf(equation->lambda)) {
        PetscCall(EngramSliceSolverQuasiStatic(solver, equation->rows->values, NULL));
    } else if (equation->lambda > 0.0) {
        PetscCall(EngramSliceSolverTryRates(solver, equation->lambda, equation->transport,
                                            equation->rows));
    } else {
        EngramSliceSolverMeasureRates(solver, equation->rows);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** G(rate): the sum of the rates that all slices have when the network sees this one. */
static PetscErrorCode Evaluate(void *context, double rate, double *answer)
{
    Trial *trial = context;
    const RateEquation *equation = trial->equation;
    CoupledRate *coupled = trial->coupled;
    Drive *drive = coupled->drive;
    EngramState *state = coupled->state;
    PetscFunctionBeginUser;
    const PetscBool has_blown_up = state->has_blown_up;
    state->is_finite = PETSC_TRUE;
    DriveSet(drive, equation->time, equation->side, equation->known + equation->share * rate,
             state);
    if (state->is_finite) {
        PetscCall(FindRates(drive->solver, equation));
        if (trial->is_split) {
            PetscCall(RatesReduceSplit(drive->grid, coupled->reduction, coupled->rule, state,
                                       &trial->excitatory));
        } else {
            PetscCall(
                RatesReduce(drive->grid, coupled->reduction, coupled->rule, PETSC_FALSE, state));
        }
    }
    *answer = state->is_finite ? state->total_rate : NAN;
    coupled->failure = state->is_finite ? coupled->failure : state->failure;
    /* What becomes of a rate that is only tried is no fate of the run. */
    state->is_finite = PETSC_TRUE;
    state->has_blown_up = has_blown_up;
    state->failure = NULL;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Looks for all solutions and takes the one nearest to a rate. */
static PetscErrorCode TakeNearest(const CoupledRate *coupled, EngramCouplingFunction function,
                                  double rate, EngramCouplingResult *result)
{
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    PetscInt count = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramCouplingScan(coupled->coupling, function, roots, &count, NULL));
    result->is_found = (PetscBool)(count > 0);
    result->solutions = count;
    for (PetscInt i = 0; i < count; i++) {
        const PetscBool is_nearer =
            (PetscBool)(i == 0 || fabs(roots[i].rate - rate) < fabs(result->root.rate - rate));
        result->root = is_nearer ? roots[i] : result->root;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void NoteResult(CoupledRate *coupled, const EngramCouplingResult *result)
{
    EngramState *state = coupled->state;
    state->coupling_iterations += result->iterations;
    state->coupling_solutions = result->is_found && state->coupling_solutions > 0
                                    ? PetscMax(state->coupling_solutions, result->solutions)
                                    : 0;
    if (!result->is_found && coupled->failure) {
        state->is_finite = PETSC_FALSE;
        state->failure = coupled->failure;
    } else if (!result->is_found) {
        state->has_blown_up = PETSC_TRUE;
        state->failure = "blow-up: no total firing rate up to -blowup_rate solves the equation of "
                         "the implicit coupling";
    }
}

PetscErrorCode CoupledRateFind(CoupledRate *coupled, const RateEquation *equation, RateGuess guess,
                               PetscBool is_scan_due, EngramCouplingRoot *root)
{
    EngramCouplingResult result;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    EngramState *state = coupled->state;
    Trial trial = {.coupled = coupled, .equation = equation};
    const EngramCouplingFunction function = {.evaluate = Evaluate, .context = &trial};
    PetscFunctionBeginUser;
    const double rate = state->total_rate;
    const double largest_learning = state->largest_learning;
    coupled->failure = NULL;
    PetscCall(EngramCouplingSolve(coupled->coupling, function, guess.rate, guess.slope,
                                  guess.slope_error, &result));
    if (!result.is_found && guess.may_scan) {
        PetscCall(TakeNearest(coupled, function, rate, &result));
    }
    if (is_scan_due) {
        PetscCall(EngramCouplingScan(coupled->coupling, function, roots, &result.solutions, NULL));
        result.solutions = PetscMax(result.solutions, result.is_found ? 1 : 0);
    }
    state->total_rate = rate;
    state->largest_learning = largest_learning;
    NoteResult(coupled, &result);
    *root = result.is_found ? result.root : (EngramCouplingRoot){rate, 0.0};
    root->slope = isfinite(root->slope) ? root->slope : 0.0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CoupledRateScan(CoupledRate *coupled, const RateEquation *equation,
                               EngramCouplingRoot *roots, PetscInt *count,
                               EngramCouplingSearch *search)
{
    const EngramGrid *grid = coupled->drive->grid;
    const double w_max = grid->w_min + (double)grid->w_cells * grid->w_spacing;
    Trial trial = {.coupled = coupled,
                   .equation = equation,
                   .is_split = (PetscBool)(grid->w_min < 0.0 && w_max > 0.0)};
    const EngramCouplingFunction function = {Evaluate, &trial,
                                             trial.is_split ? &trial.excitatory : NULL};
    PetscFunctionBeginUser;
    coupled->failure = NULL;
    PetscCall(EngramCouplingScan(coupled->coupling, function, roots, count, search));
    PetscFunctionReturn(PETSC_SUCCESS);
}
