#include "slice_operator.h"

#include "engram/base/error.h"
#include "engram/grid/density.h"

enum { ENTRIES_PER_ROW = 4 };

static PetscErrorCode MultiplyShell(Mat shell, Vec x, Vec y)
{
    SliceOperator *slices = NULL;
    const double *from = NULL;
    double *to = NULL;
    PetscFunctionBeginUser;
    PetscCall(MatShellGetContext(shell, &slices));
    PetscCall(VecGetArrayRead(x, &from));
    PetscCall(VecGetArray(y, &to));
    /* The padding is an identity. */
    PetscCall(
        PetscArraycpy(to, from, EngramFaceTableRows(&slices->table) * slices->grid->w_stride));
    EngramSliceMatrixMultiply(&slices->entries, from, to);
    PetscCall(VecRestoreArray(y, &to));
    PetscCall(VecRestoreArrayRead(x, &from));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SliceOperatorCreate(const EngramGrid *grid, double noise, EngramFlux flux,
                                   double refractory, SliceOperator *slices)
{
    PetscFunctionBeginUser;
    const PetscInt padded = EngramGridPaddedSlices(grid);
    slices->grid = grid;
    slices->lambda = 0.0;
    slices->last_kappa = 0.0;
    PetscCheck(EngramFaceTableCreate(&slices->table, (int)grid->v_nodes, (int)grid->reset_node,
                                     grid->v_min, grid->v_spacing, noise, flux) == 0,
               PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for the face table");
    EngramFaceTableSetRefractory(&slices->table, refractory);
    EngramFaceTableSetOrder(&slices->table, (int)grid->v_order);
    const PetscInt length = EngramFaceTableRows(&slices->table) * grid->w_stride;
    PetscCall(EngramAlignedCalloc(padded, &slices->drift));
    PetscCall(EngramAlignedCalloc(padded, &slices->threshold_slope));
    PetscCall(EngramAlignedCalloc((PetscInt)EngramSliceWorkSize(&slices->table), &slices->work));
    PetscCall(EngramAlignedCalloc(padded, &slices->results.threshold_rate));
    PetscCall(EngramAlignedCalloc(padded, &slices->results.firing_rate));
    PetscCall(EngramAlignedCalloc(padded, &slices->results.weight_density));
    PetscCall(EngramAlignedCalloc(padded, &slices->results.minimum));
    PetscCall(
        MatCreateShell(PETSC_COMM_SELF, length, length, length, length, slices, &slices->shell));
    PetscCall(MatShellSetOperation(slices->shell, MATOP_MULT, (void (*)(void))MultiplyShell));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SliceOperatorAllocateEntries(SliceOperator *slices)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = slices->grid;
    const PetscInt length = EngramFaceTableRows(&slices->table) * grid->w_stride;
    slices->entries.table = &slices->table;
    slices->entries.slices = grid->w_local;
    slices->entries.stride = grid->w_stride;
    PetscCall(EngramAlignedCalloc(length, &slices->entries.up));
    PetscCall(EngramAlignedCalloc(length, &slices->entries.down));
    PetscCall(EngramAlignedCalloc(grid->w_stride, &slices->entries.kappa));
    PetscCall(EngramAlignedCalloc(grid->w_stride, &slices->entries.content));
    PetscCall(MatCreateSeqAIJ(PETSC_COMM_SELF, length, length, ENTRIES_PER_ROW, NULL,
                              &slices->assembled));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetRow(SliceOperator *slices, PetscInt node, PetscInt slice)
{
    const PetscInt stride = slices->grid->w_stride;
    const PetscInt row = node * stride + slice;
    const PetscInt last = slices->grid->v_nodes - 1;
    PetscInt columns[ENTRIES_PER_ROW];
    double values[ENTRIES_PER_ROW];
    PetscInt count = 0;
    PetscFunctionBeginUser;
    const PetscBool has_refractory = (PetscBool)(slices->table.refractory > 0.0);
    if (slice >= slices->grid->w_local) {
        PetscCall(MatSetValue(slices->assembled, row, row, 1.0, ADD_VALUES));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (node == slices->grid->v_nodes) {
        const PetscInt sources[2] = {row, row - stride};
        const double both[2] = {1.0 + slices->entries.leaving,
                                EngramSliceMatrixSpike(&slices->entries, slice)};
        PetscCall(MatSetValues(slices->assembled, 1, &row, 2, sources, both, ADD_VALUES));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const EngramSliceRow entries = EngramSliceMatrixRow(&slices->entries, (int)node, slice);
    columns[count] = row;
    values[count++] = entries.diagonal;
    if (node > 0) {
        columns[count] = row - stride;
        values[count++] = entries.left;
    }
    if (node < last) {
        columns[count] = row + stride;
        values[count++] = entries.right;
    }
    if (node == slices->grid->reset_node) {
        columns[count] = (has_refractory ? last + 1 : last) * stride + slice;
        values[count++] = has_refractory ? -slices->entries.leaving
                                         : EngramSliceMatrixSpike(&slices->entries, slice);
    }
    PetscCall(MatSetValues(slices->assembled, 1, &row, count, columns, values, ADD_VALUES));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SliceOperatorAssemble(SliceOperator *slices)
{
    PetscFunctionBeginUser;
    slices->entries.last_kappa = slices->last_kappa;
    EngramSliceMatrixFill(&slices->entries, slices->lambda, slices->drift);
    PetscCall(MatZeroEntries(slices->assembled));
    for (PetscInt node = 0; node < EngramFaceTableRows(&slices->table); node++) {
        for (PetscInt slice = 0; slice < slices->grid->w_stride; slice++) {
            PetscCall(SetRow(slices, node, slice));
        }
    }
    PetscCall(MatAssemblyBegin(slices->assembled, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(slices->assembled, MAT_FINAL_ASSEMBLY));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SliceOperatorDestroy(SliceOperator *slices)
{
    PetscFunctionBeginUser;
    EngramFaceTableDestroy(&slices->table);
    PetscCall(EngramAlignedFree(&slices->drift));
    PetscCall(EngramAlignedFree(&slices->threshold_slope));
    PetscCall(EngramAlignedFree(&slices->work));
    PetscCall(EngramAlignedFree(&slices->results.threshold_rate));
    PetscCall(EngramAlignedFree(&slices->results.firing_rate));
    PetscCall(EngramAlignedFree(&slices->results.weight_density));
    PetscCall(EngramAlignedFree(&slices->results.minimum));
    PetscCall(EngramAlignedFree(&slices->entries.up));
    PetscCall(EngramAlignedFree(&slices->entries.down));
    PetscCall(EngramAlignedFree(&slices->entries.kappa));
    PetscCall(EngramAlignedFree(&slices->entries.content));
    PetscCall(MatDestroy(&slices->shell));
    PetscCall(MatDestroy(&slices->assembled));
    PetscFunctionReturn(PETSC_SUCCESS);
}
