#include "slice_values.h"

#include "engram/base/error.h"

PetscErrorCode SliceValuesCreate(const EngramGrid *grid, SliceValues *values)
{
    PetscFunctionBeginUser;
    const PetscInt padded = EngramGridPaddedSlices(grid);
    PetscCall(EngramAlignedCalloc(padded, &values->threshold_rate));
    PetscCall(EngramAlignedCalloc(padded, &values->firing_rate));
    PetscCall(EngramAlignedCalloc(padded, &values->weight_density));
    PetscCall(EngramAlignedCalloc(padded, &values->minimum));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SliceValuesCopy(const EngramGrid *grid, const SliceValues *from,
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

SliceValues SliceValuesOf(const EngramSliceResults *results)
{
    return (SliceValues){results->threshold_rate, results->firing_rate, results->weight_density,
                         results->minimum};
}

PetscErrorCode SliceValuesDestroy(SliceValues *values)
{
    PetscFunctionBeginUser;
    PetscCall(EngramAlignedFree(&values->threshold_rate));
    PetscCall(EngramAlignedFree(&values->firing_rate));
    PetscCall(EngramAlignedFree(&values->weight_density));
    PetscCall(EngramAlignedFree(&values->minimum));
    PetscFunctionReturn(PETSC_SUCCESS);
}
