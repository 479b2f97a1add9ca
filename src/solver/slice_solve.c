/* Steps, trials, quasi-static states and measurements of the slices. */
#include <math.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "slice_solver_private.h"

static const double FLOPS_PER_CELL = 40.0;

/* At which the last node may empty: squares and cubes of it are still numbers. */
static const double LARGEST_RATE = 1e100;

static PetscErrorCode SolveWithKsp(EngramSliceSolver solver, Vec rhs, Vec solution)
{
    KSPConvergedReason reason = KSP_CONVERGED_ITERATING;
    PetscFunctionBeginUser;
    PetscCall(KSPSetOperators(solver->ksp, solver->slices.shell, solver->slices.assembled));
    PetscCall(KSPSolve(solver->ksp, rhs, solution));
    PetscCall(KSPGetConvergedReason(solver->ksp, &reason));
    if (reason < 0) {
        PetscCall(EngramSolverError("the slice solver did not converge (%s); -slice_pc_type gth is "
                                    "exact",
                                    KSPConvergedReasons[reason]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramSliceSolverSetFrozen(EngramSliceSolver solver, PetscBool is_frozen)
{
    solver->is_frozen = is_frozen;
}

double EngramSliceSolverPeclet(EngramSliceSolver solver, PetscInt slice)
{
    const EngramFaceTable *table = &solver->slices.table;
    const double drift = solver->slices.drift[slice] + table->drift[table->nodes - 1];
    return drift * (table->spacing / table->noise);
}

void EngramSliceSolverThresholdRates(EngramSliceSolver solver)
{
    EngramSliceThresholdRates(&solver->slices.table, solver->grid->w_local, solver->slices.drift,
                              solver->slices.results.threshold_rate);
}

void EngramSliceSolverKeepRates(EngramSliceSolver solver)
{
    SliceOperator *slices = &solver->slices;
    const PetscInt padded = EngramGridPaddedSlices(solver->grid);
    slices->last_kappa = slices->table.kappa;
    for (PetscInt i = 0; i < padded; i++) {
        slices->threshold_slope[i] = slices->results.firing_rate[i] / slices->table.noise;
    }
}

double *EngramSliceSolverThresholdSlope(EngramSliceSolver solver)
{
    return solver->slices.threshold_slope;
}

static EngramSliceStep StepOf(EngramSliceSolver solver, double excess,
                              const EngramSliceTransport *transport)
{
    const SliceOperator *slices = &solver->slices;
    return (EngramSliceStep){.lambda = slices->lambda,
                             .excess = excess,
                             .drift = slices->drift,
                             .threshold_slope = slices->threshold_slope,
                             .last_kappa = slices->last_kappa,
                             .transport = transport};
}

/** The rows before the reacting part, in `solver->old`, and the right-hand side of the solve. */
static PetscErrorCode PrepareRightHandSide(EngramSliceSolver solver,
                                           const EngramSliceTransport *transport,
                                           const EngramDensity *density)
{
    SliceOperator *slices = &solver->slices;
    double *old = NULL;
    double *rhs = NULL;
    PetscFunctionBeginUser;
    const EngramGrid *grid = solver->grid;
    PetscCall(SliceOperatorAssemble(slices));
    PetscCall(VecCopy(density->vec, solver->old));
    PetscCall(VecGetArray(solver->old, &old));
    PetscCall(VecGetArray(solver->rhs, &rhs));
    if (transport && transport->order == 1) {
        EngramTransportApply(density->rows, grid->w_local, grid->w_stride, transport->fractions,
                             transport->left_ghost, transport->right_ghost, density->values, old);
    } else if (transport) {
        EngramTransportLimitedApply(density->rows, grid->w_local, grid->w_stride,
                                    transport->courant, transport->left_ghost,
                                    transport->right_ghost, density->values, old);
    }
    EngramSliceMatrixRightHandSide(&slices->entries, old, rhs);
    PetscCall(VecRestoreArray(solver->rhs, &rhs));
    PetscCall(VecRestoreArray(solver->old, &old));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** N of a step whose result is known. */
static PetscErrorCode FindRates(EngramSliceSolver solver, const double *solution)
{
    const double *old = NULL;
    const EngramSliceResults *results = &solver->slices.results;
    PetscFunctionBeginUser;
    const EngramGrid *grid = solver->grid;
    const PetscInt last = (grid->v_nodes - 1) * grid->w_stride;
    EngramSliceSolverThresholdRates(solver);
    PetscCall(VecGetArrayRead(solver->old, &old));
    EngramSliceMatrixRates(&solver->slices.entries, solver->slices.threshold_slope, old + last,
                           solution + last, results->threshold_rate, results->firing_rate);
    PetscCall(VecRestoreArrayRead(solver->old, &old));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverSolve(EngramSliceSolver solver, double lambda, double excess,
                                      const EngramSliceTransport *transport,
                                      const EngramDensity *density, const EngramDensity *solution)
{
    SliceOperator *slices = &solver->slices;
    PetscFunctionBeginUser;
    const EngramGrid *grid = solver->grid;
    slices->lambda = lambda;
    if (solver->is_direct) {
        EngramSliceStep step = StepOf(solver, excess, transport);
        step.mass = solver->is_frozen ? slices->results.weight_density : NULL;
        PetscCall(EngramLogEventBegin(ENGRAM_EVENT_SLICE_SOLVE));
        EngramSliceStepTake(&slices->table, grid->w_local, grid->w_stride, &step, density->values,
                            solution->values, slices->work, &slices->results);
        PetscCall(EngramLogEventEnd(ENGRAM_EVENT_SLICE_SOLVE,
                                    FLOPS_PER_CELL * (double)(grid->v_nodes * grid->w_local)));
    } else {
        PetscCall(PrepareRightHandSide(solver, transport, density));
        PetscCall(SolveWithKsp(solver, solver->rhs, solution->vec));
        PetscCall(EngramSliceSolverMeasure(solver, solution));
        PetscCall(FindRates(solver, solution->values));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The rates that a step would lead to. */
static PetscErrorCode TryStep(EngramSliceSolver solver, const EngramSliceStep *step,
                              const EngramDensity *density)
{
    const double *trial = NULL;
    SliceOperator *slices = &solver->slices;
    PetscFunctionBeginUser;
    const EngramGrid *grid = solver->grid;
    slices->lambda = step->lambda;
    slices->last_kappa = step->last_kappa;
    if (solver->is_direct) {
        PetscCall(EngramLogEventBegin(ENGRAM_EVENT_SLICE_SOLVE));
        EngramSliceStepTry(&slices->table, grid->w_local, grid->w_stride, step, density->values,
                           slices->work, &slices->results);
        PetscCall(EngramLogEventEnd(ENGRAM_EVENT_SLICE_SOLVE, 0.0));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(PrepareRightHandSide(solver, step->transport, density));
    PetscCall(SolveWithKsp(solver, solver->rhs, solver->trial));
    PetscCall(VecGetArrayRead(solver->trial, &trial));
    PetscCall(FindRates(solver, trial));
    PetscCall(VecRestoreArrayRead(solver->trial, &trial));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverTryRates(EngramSliceSolver solver, double lambda,
                                         const EngramSliceTransport *transport,
                                         const EngramDensity *density)
{
    PetscFunctionBeginUser;
    EngramSliceStep step = StepOf(solver, 0.0, transport);
    step.lambda = lambda;
    PetscCall(TryStep(solver, &step, density));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverQuasiStatic(EngramSliceSolver solver, const double *weight_density,
                                            const EngramDensity *density)
{
    SliceOperator *slices = &solver->slices;
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_SLICE_SOLVE));
    EngramSliceQuasiStatic(&slices->table, solver->grid->w_local, solver->grid->w_stride,
                           slices->drift, weight_density, density ? density->values : NULL,
                           slices->work, &slices->results);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_SLICE_SOLVE, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverMeasure(EngramSliceSolver solver, const EngramDensity *density)
{
    PetscFunctionBeginUser;
    EngramSliceMeasure(&solver->slices.table, solver->grid->w_local, solver->grid->w_stride,
                       density->values, &solver->slices.results);
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramSliceSolverFollowNoise(EngramSliceSolver solver, const EngramDensity *density)
{
    EngramSliceFollowNoise(&solver->slices.table, solver->grid->w_local, solver->grid->w_stride,
                           solver->slices.last_kappa, density->values);
}

void EngramSliceSolverMeasureRates(EngramSliceSolver solver, const EngramDensity *density)
{
    const SliceOperator *slices = &solver->slices;
    const EngramSliceResults *results = &slices->results;
    const EngramGrid *grid = solver->grid;
    const double *last = density->values + (grid->v_nodes - 1) * grid->w_stride;
    EngramSliceSolverThresholdRates(solver);
    for (PetscInt i = 0; i < grid->w_local; i++) {
        const double rate = slices->table.order == 4
                                ? slices->table.noise * slices->threshold_slope[i]
                                : results->threshold_rate[i] * last[i];
        const int is_known =
            isfinite(slices->drift[i]) && results->threshold_rate[i] < LARGEST_RATE;
        results->firing_rate[i] = is_known ? rate : NAN;
    }
}
