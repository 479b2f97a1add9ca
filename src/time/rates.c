#include "rates.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/base/log.h"

/* Far above any rate with a meaning, and far below where the arithmetic of a step would overflow.
 */
static const double RUNAWAY_RATE = 1e100;

static double LargestLearning(PetscInt cells, const double *learning, const double *firing_rate)
{
    double largest = 0.0;
    for (PetscInt i = 0; i < cells; i++) {
        const double magnitude = fabs(learning[i + 1] * firing_rate[i]);
        /* Written so that a NaN is kept. */
        largest = magnitude <= largest ? largest : magnitude;
    }
    return largest;
}

PetscErrorCode RatesReduce(const EngramGrid *grid, EngramReduction reduction,
                           const double *learning, const double *firing_rate, EngramState *state)
{
    EngramReductionEntry entry;
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_RATE_SUM));
    EngramReductionEntryClear(&entry);
    EngramExactSumAddArray(&entry.sum, firing_rate, grid->w_local);
    entry.maximum = LargestLearning(grid->w_local, learning, firing_rate);
    PetscCall(EngramReductionApply(reduction, 1, &entry));
    state->total_rate = grid->w_spacing * EngramExactSumValue(&entry.sum);
    state->largest_learning = entry.maximum;
    if (!isfinite(state->total_rate) || !isfinite(state->largest_learning)) {
        state->is_finite = PETSC_FALSE;
        state->failure = "the total firing rate is not finite";
    } else if (fabs(state->total_rate) > RUNAWAY_RATE) {
        state->is_finite = PETSC_FALSE;
        state->failure = "the total firing rate has run away (blow-up)";
    }
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_RATE_SUM, 2.0 * (double)grid->w_local));
    PetscFunctionReturn(PETSC_SUCCESS);
}
