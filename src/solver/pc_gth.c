#include "pc_gth.h"

#include <petsc/private/pcimpl.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "slice_operator.h"

/* Floating-point operations of the elimination for one cell. */
static const double FLOPS_PER_CELL = 40.0;

static PetscErrorCode ApplyGth(PC pc, Vec rhs, Vec solution)
{
    SliceOperator *slices = NULL;
    const double *from = NULL;
    double *to = NULL;
    Mat shell = NULL;
    PetscFunctionBeginUser;
    PetscCall(PCGetOperators(pc, &shell, NULL));
    PetscCall(MatShellGetContext(shell, &slices));
    PetscCall(VecGetArrayRead(rhs, &from));
    PetscCall(VecGetArrayWrite(solution, &to));
    const EngramGrid *grid = slices->grid;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_SLICE_SOLVE));
    const EngramSliceStep step = {.lambda = slices->lambda,
                                  .drift = slices->drift,
                                  .last_kappa = slices->last_kappa,
                                  .is_bare = 1};
    EngramSliceStepTake(&slices->table, grid->w_local, grid->w_stride, &step, from, to,
                        slices->work, &slices->results);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_SLICE_SOLVE,
                                FLOPS_PER_CELL * (double)(grid->v_nodes * grid->w_local)));
    PetscCall(VecRestoreArrayWrite(solution, &to));
    PetscCall(VecRestoreArrayRead(rhs, &from));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetUpGth(PC pc)
{
    PetscBool is_shell = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(PetscObjectTypeCompare((PetscObject)pc->mat, MATSHELL, &is_shell));
    PetscCheck(is_shell, PetscObjectComm((PetscObject)pc), PETSC_ERR_ARG_WRONG,
               "The preconditioner gth needs the operator of the slice solver");
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ViewGth(PC pc, PetscViewer viewer)
{
    PetscFunctionBeginUser;
    (void)pc;
    PetscCall(PetscViewerASCIIPrintf(
        viewer, "  subtraction-free elimination (Grassmann, Taksar, Heyman), exact inverse\n"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramPCCreateGth(PC pc)
{
    PetscFunctionBeginUser;
    pc->ops->apply = ApplyGth;
    pc->ops->setup = SetUpGth;
    pc->ops->view = ViewGth;
    PetscFunctionReturn(PETSC_SUCCESS);
}
