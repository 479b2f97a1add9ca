#include "step_error.h"

#include <math.h>

#include "engram/base/error.h"
#include "rates.h"

PetscErrorCode StepErrorCreate(const EngramGrid *grid, StepErrorSlices *slices)
{
    PetscFunctionBeginUser;
    const PetscInt padded = EngramGridPaddedSlices(grid);
    PetscCall(EngramAlignedCalloc(padded, &slices->density));
    PetscCall(EngramAlignedCalloc(padded, &slices->rate));
    PetscCall(EngramAlignedCalloc(padded, &slices->signed_rate));
    PetscCall(EngramAlignedCalloc(padded, &slices->weight));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void StepErrorEstimate(const EngramGrid *grid, const EngramCombination *combination,
                       const EngramStepResult *results, const double *one,
                       const StepErrorSlices *slices)
{
    const EngramStepResult *earlier = &results[ENGRAM_STEP_EARLIER];
    const EngramStepResult *middle = &results[ENGRAM_STEP_MIDDLE];
    const EngramStepResult *last = &results[ENGRAM_STEP_LAST];
    for (PetscInt i = 0; i < grid->w_local; i++) {
        const double weight =
            EngramExtrapolatedError(combination, earlier->weight_density[i],
                                    middle->weight_density[i], last->weight_density[i]);
        const double rate =
            last->firing_rate
                ? EngramExtrapolatedError(combination, earlier->firing_rate[i],
                                          middle->firing_rate[i], last->firing_rate[i])
                : one[i] * weight;
        slices->weight[i] = grid->w[i + 1] * weight;
        slices->signed_rate[i] = rate;
        slices->rate[i] = fabs(rate);
    }
}

PetscErrorCode StepErrorIntegrate(const EngramGrid *grid, EngramReduction reduction,
                                  const StepErrorSlices *slices, StepError *error)
{
    const double *const summed[4] = {slices->density, slices->rate, slices->signed_rate,
                                     slices->weight};
    double integrals[4] = {0.0};
    PetscFunctionBeginUser;
    PetscCall(RatesIntegrate(grid, reduction, 4, summed, integrals));
    *error = (StepError){integrals[0], integrals[1], fabs(integrals[2]), fabs(integrals[3])};
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StepErrorDestroy(StepErrorSlices *slices)
{
    PetscFunctionBeginUser;
    PetscCall(EngramAlignedFree(&slices->density));
    PetscCall(EngramAlignedFree(&slices->rate));
    PetscCall(EngramAlignedFree(&slices->signed_rate));
    PetscCall(EngramAlignedFree(&slices->weight));
    PetscFunctionReturn(PETSC_SUCCESS);
}
