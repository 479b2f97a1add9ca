#include "engram/solver/slice_solver.h"

#include <string.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "pc_gth.h"
#include "slice_operator.h"

static const EngramOption solver_options[] = {
    {"slice_ksp_type", ENGRAM_OPTION_TEXT, "preonly", "name of a PETSc KSP",
     "method for the voltage slices", ENGRAM_BOUND_NONE, 0},
    {"slice_pc_type", ENGRAM_OPTION_TEXT, ENGRAM_PC_GTH, "name of a PETSc PC",
     "preconditioner of the voltage slices; gth is the exact, subtraction-free elimination",
     ENGRAM_BOUND_NONE, 0},
    {"slice_ksp_rtol", ENGRAM_OPTION_REAL, "1e-12", "dimensionless",
     "relative tolerance of iterative methods", ENGRAM_BOUND_ABOVE, 0},
};

const EngramOptionTable EngramSliceSolverOptions = {
    "Slice solver (and any other PETSc KSP or PC option with the prefix -slice_)", solver_options,
    (int)(sizeof(solver_options) / sizeof(solver_options[0]))};

/* The rates of a moment are those at the end of a step so short, in units of kappa: a shorter one
 * would lose digits, a longer one would see what becomes of them. */
static const double MOMENT = 1e-4;

static const double FLOPS_PER_CELL = 40.0;

struct EngramSliceSolver {
    const EngramGrid *grid; /* borrowed */
    SliceOperator slices;
    KSP ksp;
    PetscBool follows;   /* rates are read with a weight that follows the drift */
    PetscBool is_frozen; /* no weight moves: a solve begins with the masses of the last one */
    PetscBool is_direct; /* the PC is the exact inverse and nothing is asked of the KSP */
    Vec old;             /* rows before the reacting part, where another method solves */
    Vec rhs;             /* its right-hand side */
    Vec trial;           /* its solution where only the rates are wanted */
};

PetscErrorCode EngramSliceSolverRegister(void)
{
    PetscFunctionBeginUser;
    PetscCall(PCRegister(ENGRAM_PC_GTH, EngramPCCreateGth));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverCreate(const EngramGrid *grid, double noise, EngramFlux flux,
                                       double refractory, EngramSliceSolver *solver)
{
    EngramSliceSolver made = NULL;
    PC pc = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&made));
    *solver = made;
    made->grid = grid;
    PetscCall(SliceOperatorCreate(grid, noise, flux, refractory, &made->slices));
    PetscCall(KSPCreate(PETSC_COMM_SELF, &made->ksp));
    PetscCall(KSPSetOptionsPrefix(made->ksp, "slice_"));
    PetscCall(KSPSetOperators(made->ksp, made->slices.shell, made->slices.shell));
    PetscCall(KSPSetType(made->ksp, KSPPREONLY));
    PetscCall(KSPSetTolerances(made->ksp, 1e-12, PETSC_DEFAULT, PETSC_DEFAULT, PETSC_DEFAULT));
    PetscCall(KSPGetPC(made->ksp, &pc));
    PetscCall(PCSetType(pc, ENGRAM_PC_GTH));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckTypes(void)
{
    static const char *const keys[2] = {"-slice_ksp_type", "-slice_pc_type"};
    char name[256];
    PetscBool is_set = PETSC_FALSE;
    PetscFunctionBeginUser;
    for (int i = 0; i < 2; i++) {
        void (*constructor)(void) = NULL;
        PetscCall(PetscOptionsGetString(NULL, NULL, keys[i], name, sizeof(name), &is_set));
        if (!is_set) {
            continue;
        }
        PetscCall(PetscFunctionListFind(i == 0 ? KSPList : PCList, name, &constructor));
        if (!constructor) {
            PetscCall(EngramInputError("%s %s: PETSc has no such %s; the default is %s", keys[i],
                                       name, i == 0 ? "KSP" : "PC", i == 0 ? "preonly" : "gth"));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverSetFromOptions(EngramSliceSolver solver)
{
    EngramErrorCapture captured;
    PetscFunctionBeginUser;
    PetscCall(CheckTypes());
    PetscCall(EngramErrorCaptureBegin(&captured));
    const PetscErrorCode outcome = KSPSetFromOptions(solver->ksp);
    PetscCall(EngramErrorCaptureEnd());
    if (outcome) {
        PetscCall(EngramInputError("-slice_...: PETSc refuses the options of the slice solver: %s",
                                   captured.message));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Whether any option of the KSP was given beyond those that every case has: then its services, such
 * as monitors, are wanted.
 */
static PetscErrorCode AsksForKsp(PetscBool *asks)
{
    char *all = NULL;
    PetscFunctionBeginUser;
    *asks = PETSC_FALSE;
    PetscCall(PetscOptionsGetAll(NULL, &all));
    for (const char *at = all; (at = strstr(at, "-slice_ksp_")) != NULL; at++) {
        const PetscBool is_common =
            (PetscBool)(strncmp(at, "-slice_ksp_type ", strlen("-slice_ksp_type ")) == 0 ||
                        strncmp(at, "-slice_ksp_rtol ", strlen("-slice_ksp_rtol ")) == 0);
        *asks = (PetscBool)(*asks || !is_common);
    }
    PetscCall(PetscFree(all));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Applying a preconditioner once is a solution only if it is the exact inverse. */
static PetscErrorCode RefuseInexact(PC pc)
{
    PCType type = NULL;
    PetscBool is_exact = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(PCGetType(pc, &type));
    PetscCall(PetscObjectTypeCompareAny((PetscObject)pc, &is_exact, ENGRAM_PC_GTH, PCLU, ""));
    if (!is_exact) {
        PetscCall(EngramInputError("-slice_pc_type %s: is no exact inverse of the slices' matrix, "
                                   "which is not symmetric; iterate with it, as in -slice_ksp_type "
                                   "gmres, or take gth or lu",
                                   type));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ChooseMethod(EngramSliceSolver solver)
{
    PC pc = NULL;
    PetscBool is_preonly = PETSC_FALSE;
    PetscBool is_gth = PETSC_FALSE;
    PetscBool asks = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(KSPGetPC(solver->ksp, &pc));
    PetscCall(PetscObjectTypeCompare((PetscObject)solver->ksp, KSPPREONLY, &is_preonly));
    PetscCall(PetscObjectTypeCompare((PetscObject)pc, ENGRAM_PC_GTH, &is_gth));
    PetscCall(AsksForKsp(&asks));
    solver->is_direct = (PetscBool)(is_preonly && is_gth && !asks);
    if (is_preonly) {
        PetscCall(RefuseInexact(pc));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverSetUp(EngramSliceSolver solver)
{
    EngramErrorCapture captured;
    PetscFunctionBeginUser;
    const PetscInt length = EngramSliceSolverRows(solver) * solver->grid->w_stride;
    PetscCall(ChooseMethod(solver));
    if (!solver->is_direct) {
        /* Monitors multiply with the matrix, even where the method itself does not. */
        PetscCall(SliceOperatorAllocateEntries(&solver->slices));
        PetscCall(SliceOperatorAssemble(&solver->slices));
        PetscCall(KSPSetOperators(solver->ksp, solver->slices.shell, solver->slices.assembled));
        PetscCall(VecCreateSeq(PETSC_COMM_SELF, length, &solver->rhs));
        PetscCall(VecDuplicate(solver->rhs, &solver->trial));
        PetscCall(VecDuplicate(solver->rhs, &solver->old));
    }
    PetscCall(EngramErrorCaptureBegin(&captured));
    const PetscErrorCode outcome = KSPSetUp(solver->ksp);
    PetscCall(EngramErrorCaptureEnd());
    if (outcome) {
        PetscCall(EngramInputError("-slice_...: the slice solver cannot be set up with these "
                                   "options: %s",
                                   captured.message));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt EngramSliceSolverRows(EngramSliceSolver solver)
{
    return EngramFaceTableRows(&solver->slices.table);
}

PetscBool EngramSliceSolverIsDirect(EngramSliceSolver solver)
{
    return solver->is_direct;
}

void EngramSliceSolverSetNoise(EngramSliceSolver solver, double noise)
{
    EngramFaceTableSetNoise(&solver->slices.table, noise);
}

PetscErrorCode EngramSliceSolverSetNeuron(EngramSliceSolver solver, const double *mean,
                                          const double *slope)
{
    PetscFunctionBeginUser;
    EngramFaceTableSetDrift(&solver->slices.table, mean, slope);
    PetscFunctionReturn(PETSC_SUCCESS);
}

double *EngramSliceSolverDrift(EngramSliceSolver solver)
{
    return solver->slices.drift;
}

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

void EngramSliceSolverKeepDrift(EngramSliceSolver solver, PetscBool follows)
{
    SliceOperator *slices = &solver->slices;
    const PetscInt padded = EngramGridPaddedSlices(solver->grid);
    slices->last_kappa = slices->table.kappa;
    solver->follows = follows;
    for (PetscInt i = 0; i < padded; i++) {
        slices->last_weight[i] = slices->results.threshold_rate[i] / slices->table.noise;
    }
}

static EngramSliceStep StepOf(EngramSliceSolver solver, double excess,
                              const EngramSliceTransport *transport)
{
    const SliceOperator *slices = &solver->slices;
    return (EngramSliceStep){.lambda = slices->lambda,
                             .excess = excess,
                             .drift = slices->drift,
                             .last_weight = solver->follows ? slices->last_weight : NULL,
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
static PetscErrorCode FindRates(EngramSliceSolver solver, const double *last_weight,
                                const double *solution)
{
    const double *old = NULL;
    const EngramSliceResults *results = &solver->slices.results;
    PetscFunctionBeginUser;
    const EngramGrid *grid = solver->grid;
    const PetscInt last = (grid->v_nodes - 1) * grid->w_stride;
    EngramSliceMeasureRates(&solver->slices.table, grid->w_local, grid->w_stride,
                            solver->slices.drift, solution, results);
    PetscCall(VecGetArrayRead(solver->old, &old));
    EngramSliceMatrixRates(&solver->slices.entries, last_weight, old + last, solution + last,
                           results->threshold_rate, results->firing_rate);
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
        PetscCall(
            FindRates(solver, solver->follows ? slices->last_weight : NULL, solution->values));
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
    PetscCall(FindRates(solver, step->last_weight, trial));
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

void EngramSliceSolverSettle(EngramSliceSolver solver, const EngramDensity *density)
{
    EngramSliceSettle(&solver->slices.table, solver->grid->w_local, solver->grid->w_stride,
                      solver->slices.results.threshold_rate, density->values);
}

void EngramSliceSolverFollowNoise(EngramSliceSolver solver, const EngramDensity *density)
{
    EngramSliceFollowNoise(&solver->slices.table, solver->grid->w_local, solver->grid->w_stride,
                           solver->slices.last_kappa, density->values);
}

PetscErrorCode EngramSliceSolverMeasureRates(EngramSliceSolver solver, PetscBool follows,
                                             const EngramDensity *density)
{
    PetscFunctionBeginUser;
    const SliceOperator *slices = &solver->slices;
    if (slices->table.order == 4) {
        const EngramSliceStep step = {.lambda = MOMENT * slices->table.kappa,
                                      .drift = slices->drift,
                                      .last_weight =
                                          follows && solver->follows ? slices->last_weight : NULL};
        PetscCall(TryStep(solver, &step, density));
    } else {
        PetscCall(EngramSliceSolverRenewRates(solver, density));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverRenewRates(EngramSliceSolver solver, const EngramDensity *density)
{
    PetscFunctionBeginUser;
    EngramSliceMeasureRates(&solver->slices.table, solver->grid->w_local, solver->grid->w_stride,
                            solver->slices.drift, density->values, &solver->slices.results);
    PetscFunctionReturn(PETSC_SUCCESS);
}

const EngramSliceResults *EngramSliceSolverResults(EngramSliceSolver solver)
{
    return &solver->slices.results;
}

double EngramSliceSolverMemory(EngramSliceSolver solver)
{
    const double unknowns = (double)EngramSliceSolverRows(solver) * (double)solver->grid->w_stride;
    const double work = (double)EngramSliceWorkSize(&solver->slices.table) * sizeof(double);
    const double entry = sizeof(double) + sizeof(PetscInt);
    /* Entries: the weights, the matrix, a factor of about twice its size, the right-hand side. */
    return work +
           (solver->slices.assembled ? unknowns * (3.0 * sizeof(double) + 3.0 * 4.0 * entry) : 0.0);
}

PetscErrorCode EngramSliceSolverDescribe(EngramSliceSolver solver, char *text, size_t size)
{
    KSPType ksp_type = NULL;
    PCType pc_type = NULL;
    PC pc = NULL;
    PetscFunctionBeginUser;
    PetscCall(KSPGetType(solver->ksp, &ksp_type));
    PetscCall(KSPGetPC(solver->ksp, &pc));
    PetscCall(PCGetType(pc, &pc_type));
    PetscCall(PetscSNPrintf(text, size, "%s + %s", ksp_type, pc_type));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSliceSolverDestroy(EngramSliceSolver *solver)
{
    PetscFunctionBeginUser;
    if (!*solver) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(KSPDestroy(&(*solver)->ksp));
    PetscCall(VecDestroy(&(*solver)->old));
    PetscCall(VecDestroy(&(*solver)->rhs));
    PetscCall(VecDestroy(&(*solver)->trial));
    PetscCall(SliceOperatorDestroy(&(*solver)->slices));
    PetscCall(PetscFree(*solver));
    PetscFunctionReturn(PETSC_SUCCESS);
}
