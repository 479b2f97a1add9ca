#include "engram/kernels/extrapolate.h"

#include <float.h>
#include <math.h>

#include "slice_group.h"

/** What the passes over one group of slices share. */
typedef struct Group {
    int rows;
    int nodes;
    ptrdiff_t stride;
    double spacing;
    const EngramCombination *combination;
    const double *result[ENGRAM_STEP_RESULTS]; /* first row, first slice of the group */
    double *values;                            /* likewise */
    double scale[WIDE_GROUP];                  /* of the non-negative part of q */
    double positive[WIDE_GROUP];               /* its mass */
    double lowest[WIDE_GROUP];                 /* smallest entry of q, at most 0 */
} Group;

/** c0 (earlier - last) + c1 (middle - last). */
ENGRAM_INLINE double Differences(const double *c, double earlier, double middle, double last)
{
    return EngramMultiplyAdd(c[0], earlier - last, c[1] * (middle - last));
}

double EngramExtrapolatedValue(const EngramCombination *combination, double earlier, double middle,
                               double last)
{
    return last + Differences(combination->value, earlier, middle, last);
}

double EngramExtrapolatedError(const EngramCombination *combination, double earlier, double middle,
                               double last)
{
    return Differences(combination->error, earlier, middle, last);
}

/** The mass of q in one slice. */
static double MassOf(const EngramCombination *combination, const EngramStepResult *results,
                     ptrdiff_t slice)
{
    return EngramExtrapolatedValue(combination, results[ENGRAM_STEP_EARLIER].weight_density[slice],
                                   results[ENGRAM_STEP_MIDDLE].weight_density[slice],
                                   results[ENGRAM_STEP_LAST].weight_density[slice]);
}

void EngramExtrapolationShortfall(ptrdiff_t slices, const EngramCombination *combination,
                                  const EngramStepResult *results, double *shortfall)
{
    for (ptrdiff_t i = 0; i < slices; i++) {
        const double mass = MassOf(combination, results, i);
        shortfall[i] = mass < 0.0 ? -mass : 0.0;
    }
}

/** Error estimate, mass of the non-negative part of q, and its lowest entry, for every slice. */
ENGRAM_INLINE void Survey(Group *group, int lanes, double *difference)
{
    BlockedSum error;
    BlockedSum positive;
    ClearSum(&error, lanes);
    ClearSum(&positive, lanes);
    for (int i = 0; i < lanes; i++) {
        group->lowest[i] = 0.0;
    }
    for (int k = 0; k < group->rows; k++) {
        const double *restrict earlier = group->result[ENGRAM_STEP_EARLIER] + k * group->stride;
        const double *restrict middle = group->result[ENGRAM_STEP_MIDDLE] + k * group->stride;
        const double *restrict last = group->result[ENGRAM_STEP_LAST] + k * group->stride;
        if (k + PREFETCH_ROWS < group->rows) {
            PrefetchRow(earlier + PREFETCH_ROWS * group->stride, lanes);
            PrefetchRow(middle + PREFETCH_ROWS * group->stride, lanes);
            PrefetchRow(last + PREFETCH_ROWS * group->stride, lanes);
        }
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const double q =
                last[i] + Differences(group->combination->value, earlier[i], middle[i], last[i]);
            const double d = Differences(group->combination->error, earlier[i], middle[i], last[i]);
            error.block[i] += fabs(d);
            positive.block[i] += q > 0.0 ? q : 0.0;
            group->lowest[i] = q < group->lowest[i] ? q : group->lowest[i];
        }
        if (EndsBlock(k, group->rows)) {
            CloseBlock(&error, lanes);
            CloseBlock(&positive, lanes);
        }
    }
    for (int i = 0; i < lanes; i++) {
        difference[i] = group->spacing * error.total[i];
        group->positive[i] = group->spacing * positive.total[i];
    }
}

/** What the non-negative part of q must be scaled by to have the mass of q, times the factor. */
static void FindScales(Group *group, int lanes, ptrdiff_t first, double factor,
                       const EngramStepResult *results)
{
    for (int i = 0; i < lanes; i++) {
        const double mass = MassOf(group->combination, results, first + i);
        const int is_clipped = group->lowest[i] < 0.0;
        const double share =
            is_clipped && group->positive[i] > 0.0 ? mass / group->positive[i] : 1.0;
        group->scale[i] = mass > 0.0 || !is_clipped ? factor * share : 0.0;
    }
}

ENGRAM_INLINE void Store(const Group *group, int lanes, double *weight_density, double *minimum)
{
    double smallest[WIDE_GROUP];
    BlockedSum sum;
    ClearSum(&sum, lanes);
    for (int i = 0; i < lanes; i++) {
        smallest[i] = DBL_MAX;
    }
    for (int k = 0; k < group->rows; k++) {
        const double *earlier = group->result[ENGRAM_STEP_EARLIER] + k * group->stride;
        const double *middle = group->result[ENGRAM_STEP_MIDDLE] + k * group->stride;
        const double *last = group->result[ENGRAM_STEP_LAST] + k * group->stride;
        double *values = group->values + k * group->stride;
        const double infinite = k < group->nodes ? 0.0 : DBL_MAX;
        /* Each value is read before it may be overwritten in its own place. */
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const double q =
                last[i] + Differences(group->combination->value, earlier[i], middle[i], last[i]);
            const double value = group->scale[i] * (q > 0.0 ? q : 0.0);
            const double candidate = value + infinite;
            values[i] = value;
            sum.block[i] += value;
            smallest[i] = candidate < smallest[i] ? candidate : smallest[i];
        }
        if (EndsBlock(k, group->rows)) {
            CloseBlock(&sum, lanes);
        }
    }
    for (int i = 0; i < lanes; i++) {
        weight_density[i] = group->spacing * sum.total[i];
        minimum[i] = smallest[i];
    }
}

static void StoreRates(const Group *group, int lanes, ptrdiff_t first,
                       const EngramStepResult *results, double *firing_rate)
{
    for (int i = 0; i < lanes; i++) {
        const double rate = EngramExtrapolatedValue(
            group->combination, results[ENGRAM_STEP_EARLIER].firing_rate[first + i],
            results[ENGRAM_STEP_MIDDLE].firing_rate[first + i],
            results[ENGRAM_STEP_LAST].firing_rate[first + i]);
        firing_rate[first + i] = group->scale[i] * (rate > 0.0 ? rate : 0.0);
    }
}

/** One group; inlined with a constant number of lanes. */
ENGRAM_INLINE void ExtrapolateGroup(Group *group, int lanes, ptrdiff_t first, double factor,
                                    const EngramStepResult *results,
                                    const EngramExtrapolated *extrapolated)
{
    Survey(group, lanes, extrapolated->difference + first);
    FindScales(group, lanes, first, factor, results);
    if (results[ENGRAM_STEP_LAST].firing_rate) {
        StoreRates(group, lanes, first, results, extrapolated->firing_rate);
    }
    Store(group, lanes, extrapolated->weight_density + first, extrapolated->minimum + first);
}

void EngramExtrapolate(int rows, int nodes, ptrdiff_t slices, ptrdiff_t stride, double spacing,
                       double factor, const EngramCombination *combination,
                       const EngramStepResult *results, double *values,
                       const EngramExtrapolated *extrapolated)
{
    Group group = {.rows = rows,
                   .nodes = nodes,
                   .stride = stride,
                   .spacing = spacing,
                   .combination = combination};
    ptrdiff_t first = 0;
    while (first < slices) {
        const int lanes = LanesOfGroup(slices, first);
        for (int k = 0; k < ENGRAM_STEP_RESULTS; k++) {
            group.result[k] = results[k].rows + first;
        }
        group.values = values + first;
        if (lanes == WIDE_GROUP) {
            ExtrapolateGroup(&group, WIDE_GROUP, first, factor, results, extrapolated);
        } else {
            ExtrapolateGroup(&group, ENGRAM_SLICE_PADDING, first, factor, results, extrapolated);
        }
        first += lanes;
    }
}
