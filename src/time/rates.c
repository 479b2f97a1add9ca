#include "rates.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/base/log.h"

/* Far above any rate with a meaning, and far below where the arithmetic of a step would overflow.
 */
static const double RUNAWAY_RATE = 1e100;

static double LargestLearning(PetscInt cells, const EngramLearningRule *rule,
                              const double *firing_rate)
{
    double largest = 0.0;
    for (PetscInt i = 0; i < cells; i++) {
        const double magnitude = fabs(EngramLearningDrive(rule, i, firing_rate[i]));
        /* Written so that a NaN is kept. */
        largest = magnitude <= largest ? largest : magnitude;
    }
    return largest;
}

/** A difference to unit mass up to this one is round-off; a larger one is not hidden. */
static const double LARGEST_ROUND_OFF = 1e-12;

static void StoreRates(const EngramGrid *grid, EngramReductionEntry *entry, EngramState *state)
{
    state->total_rate = grid->w_spacing * EngramExactSumValue(&entry->sum);
    state->largest_learning = entry->maximum;
    if (!isfinite(state->total_rate) || !isfinite(state->largest_learning)) {
        state->is_finite = PETSC_FALSE;
        state->failure = "the total firing rate is not finite";
    } else if (fabs(state->total_rate) > RUNAWAY_RATE) {
        state->is_finite = PETSC_FALSE;
        state->has_blown_up = PETSC_TRUE;
        state->failure = "the total firing rate has run away (blow-up)";
    }
}

double RatesRoundOff(double excess)
{
    return fabs(excess) <= LARGEST_ROUND_OFF ? excess : 0.0;
}

static void StoreMass(const EngramGrid *grid, EngramReductionEntry *entry, EngramState *state)
{
    const double excess = grid->w_spacing * EngramExactSumValue(&entry->sum) - 1.0;
    state->mass_excess = RatesRoundOff(excess);
}

/* Numbers of a reduction: the rates, and in some of them one more. */
enum { RATE, OTHER, ENTRIES };

/** Adds up the rates over all ranks, and what the entries after them have. */
static PetscErrorCode Reduce(const EngramGrid *grid, EngramReduction reduction,
                             const EngramLearningRule *rule, int count,
                             EngramReductionEntry *entries, EngramState *state)
{
    const double *firing_rate = state->results->firing_rate;
    PetscFunctionBeginUser;
    EngramReductionEntryClear(&entries[RATE]);
    EngramGridAddToSum(grid, firing_rate, &entries[RATE].sum);
    entries[RATE].maximum = LargestLearning(grid->w_local, rule, firing_rate);
    PetscCall(EngramReductionApply(reduction, count, entries));
    StoreRates(grid, &entries[RATE], state);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RatesReduce(const EngramGrid *grid, EngramReduction reduction,
                           const EngramLearningRule *rule, PetscBool with_mass, EngramState *state)
{
    EngramReductionEntry entries[ENTRIES];
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_RATE_SUM));
    if (with_mass) {
        EngramReductionEntryClear(&entries[OTHER]);
        EngramGridAddToSum(grid, state->results->weight_density, &entries[OTHER].sum);
    }
    PetscCall(Reduce(grid, reduction, rule, with_mass ? ENTRIES : OTHER, entries, state));
    if (with_mass) {
        StoreMass(grid, &entries[OTHER], state);
    }
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_RATE_SUM, 2.0 * (double)grid->w_local));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RatesReduceSplit(const EngramGrid *grid, EngramReduction reduction,
                                const EngramLearningRule *rule, EngramState *state,
                                double *excitatory)
{
    EngramReductionEntry entries[ENTRIES];
    const double *firing_rate = state->results->firing_rate;
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_RATE_SUM));
    EngramReductionEntryClear(&entries[OTHER]);
    for (PetscInt i = 0; i < grid->w_local; i++) {
        if (grid->w[i + 1] >= 0.0) {
            EngramExactSumAdd(&entries[OTHER].sum, grid->w_quadrature[i + 1] * firing_rate[i]);
        }
    }
    PetscCall(Reduce(grid, reduction, rule, ENTRIES, entries, state));
    *excitatory = grid->w_spacing * EngramExactSumValue(&entries[OTHER].sum);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_RATE_SUM, 2.0 * (double)grid->w_local));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RatesIntegrate(const EngramGrid *grid, EngramReduction reduction, int count,
                              const double *const *values, double *integrals)
{
    EngramReductionEntry entries[ENGRAM_REDUCTION_ENTRIES];
    PetscFunctionBeginUser;
    PetscCheck(count <= ENGRAM_REDUCTION_ENTRIES, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
               "Too many integrals");
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_RATE_SUM));
    for (int k = 0; k < count; k++) {
        EngramReductionEntryClear(&entries[k]);
        EngramGridAddToSum(grid, values[k], &entries[k].sum);
    }
    PetscCall(EngramReductionApply(reduction, count, entries));
    for (int k = 0; k < count; k++) {
        integrals[k] = grid->w_spacing * EngramExactSumValue(&entries[k].sum);
    }
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_RATE_SUM, (double)count * (double)grid->w_local));
    PetscFunctionReturn(PETSC_SUCCESS);
}
