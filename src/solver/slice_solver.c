#include "engram/solver/slice_solver.h"

#include <string.h>

#include "engram/base/error.h"
#include "pc_gth.h"
#include "slice_solver_private.h"

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

double EngramSliceSolverNoise(EngramSliceSolver solver)
{
    return solver->slices.table.noise;
}

void EngramSliceSolverSetFlux(EngramSliceSolver solver, EngramFlux flux)
{
    EngramFaceTable *table = &solver->slices.table;
    table->flux = flux;
    EngramFaceTableSetOrder(table, (int)solver->grid->v_order);
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
