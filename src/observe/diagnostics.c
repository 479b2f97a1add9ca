#include <math.h>

#include "engram/base/error.h"
#include "engram/observe/observer.h"

enum { MASS, FIRST_MOMENT, SECOND_MOMENT, CUT_OFF, ENTRIES = CUT_OFF + ENGRAM_CUT_OFF_COUNT };

PetscErrorCode EngramSnapshotDiagnostics(const EngramSnapshot *snapshot,
                                         EngramDiagnostics *diagnostics)
{
    EngramReductionEntry entries[ENTRIES];
    PetscFunctionBeginUser;
    const EngramGrid *grid = snapshot->grid;
    for (int i = 0; i < ENTRIES; i++) {
        EngramReductionEntryClear(&entries[i]);
    }
    for (PetscInt i = 0; i < grid->w_local; i++) {
        const double w = grid->w[i + 1];
        const double content = grid->w_quadrature[i + 1] * snapshot->weight_density[i];
        EngramExactSumAdd(&entries[MASS].sum, content);
        EngramExactSumAdd(&entries[FIRST_MOMENT].sum, w * content);
        EngramExactSumAdd(&entries[SECOND_MOMENT].sum, w * w * content);
        entries[MASS].maximum = PetscMax(entries[MASS].maximum, -snapshot->minimum[i]);
    }
    EngramCutOffAdd(snapshot, &entries[CUT_OFF]);
    PetscCall(EngramReductionApply(snapshot->reduction, ENTRIES, entries));
    const double content = EngramExactSumValue(&entries[MASS].sum);
    const double mean = EngramExactSumValue(&entries[FIRST_MOMENT].sum) / content;
    const double square = EngramExactSumValue(&entries[SECOND_MOMENT].sum) / content;
    diagnostics->mass_error = grid->w_spacing * content - 1.0;
    diagnostics->min_density = 0.0 - entries[MASS].maximum;
    diagnostics->mean_weight = mean;
    diagnostics->var_weight = PetscMax(square - mean * mean, 0.0);
    EngramCutOffConclude(snapshot, &entries[CUT_OFF], &diagnostics->cut_off);
    PetscFunctionReturn(PETSC_SUCCESS);
}
