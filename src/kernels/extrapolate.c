#include "engram/kernels/extrapolate.h"

#include <float.h>
#include <math.h>

#include "slice_group.h"

/** What the passes over one group of slices share. */
typedef struct Group {
    int rows;
    int nodes;
    ptrdiff_t stride;
    double extrapolation;
    const double *whole;              /* first row, first slice of the group */
    double *halves;                   /* likewise */
    double base[ENGRAM_SLICE_GROUP];  /* b = base * y2 */
    double theta[ENGRAM_SLICE_GROUP]; /* share of q */
} Group;

static double Extrapolated(double extrapolation, double whole, double halves)
{
    return EngramMultiplyAdd(extrapolation, halves - whole, halves);
}

void EngramExtrapolationShortfall(ptrdiff_t slices, double extrapolation, const double *whole_mass,
                                  const double *half_mass, double *shortfall)
{
    for (ptrdiff_t i = 0; i < slices; i++) {
        const double mass = Extrapolated(extrapolation, whole_mass[i], half_mass[i]);
        shortfall[i] = mass < 0.0 ? -mass : 0.0;
    }
}

/** Difference of the two results in the mean; returns whether any entry of q is negative. */
ENGRAM_INLINE int Compare(const Group *group, int lanes, double spacing, double *difference)
{
    double lowest[ENGRAM_SLICE_GROUP];
    BlockedSum sum;
    ClearSum(&sum, lanes);
    for (int i = 0; i < lanes; i++) {
        lowest[i] = 0.0;
    }
    for (int k = 0; k < group->rows; k++) {
        const double *restrict whole = group->whole + k * group->stride;
        const double *restrict halves = group->halves + k * group->stride;
        if (k + PREFETCH_ROWS < group->rows) {
            PrefetchRow(whole + PREFETCH_ROWS * group->stride, lanes);
            PrefetchRow(halves + PREFETCH_ROWS * group->stride, lanes);
        }
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const double change = halves[i] - whole[i];
            const double value = EngramMultiplyAdd(group->extrapolation, change, halves[i]);
            lowest[i] = value < lowest[i] ? value : lowest[i];
            sum.block[i] += fabs(change);
        }
        if (EndsBlock(k, group->rows)) {
            CloseBlock(&sum, lanes);
        }
    }
    int is_negative = 0;
    for (int i = 0; i < lanes; i++) {
        difference[i] = spacing * sum.total[i];
        is_negative = is_negative || lowest[i] < 0.0;
    }
    return is_negative;
}

/** Largest share of q < 0 beside b >= 0 that is not negative. */
static double LargestShare(double b, double q)
{
    return b > 0.0 ? b / (b - q) : 0.0;
}

/** Lowers theta to what the entries of the group allow. */
static void LimitByEntries(Group *group, int lanes)
{
    for (int k = 0; k < group->rows; k++) {
        const double *whole = group->whole + k * group->stride;
        const double *halves = group->halves + k * group->stride;
        for (int i = 0; i < lanes; i++) {
            const double q = Extrapolated(group->extrapolation, whole[i], halves[i]);
            if (q < 0.0) {
                const double b = group->base[i] * halves[i];
                group->theta[i] = fmin(group->theta[i], LargestShare(b, q));
            }
        }
    }
}

/** The bases and the shares of the group's slices, before any entry is looked at. */
static void Prepare(Group *group, int lanes, ptrdiff_t first, const EngramStepResult *whole,
                    const EngramStepResult *halves)
{
    for (int i = 0; i < lanes; i++) {
        const double half_mass = halves->weight_density[first + i];
        const double mass =
            Extrapolated(group->extrapolation, whole->weight_density[first + i], half_mass);
        group->base[i] = mass > 0.0 && half_mass > 0.0 ? mass / half_mass : 0.0;
        group->theta[i] = mass > 0.0 ? 1.0 : 0.0;
        if (whole->firing_rate) {
            const double half_rate = halves->firing_rate[first + i];
            const double rate =
                Extrapolated(group->extrapolation, whole->firing_rate[first + i], half_rate);
            if (rate < 0.0) {
                const double share = LargestShare(group->base[i] * half_rate, rate);
                group->theta[i] = fmin(group->theta[i], share);
            }
        }
    }
}

/** b + theta (q - b), times the common factor; exactly q where theta and the factor are 1. */
ENGRAM_INLINE double Blend(double theta, double base, double factor, double extrapolation,
                           double whole, double halves)
{
    const double q = EngramMultiplyAdd(extrapolation, halves - whole, halves);
    const double value = factor * EngramMultiplyAdd(theta, q, (1.0 - theta) * base * halves);
    return value > 0.0 ? value : 0.0;
}

ENGRAM_INLINE void Store(const Group *group, int lanes, double spacing, double factor,
                         double *weight_density, double *minimum)
{
    double smallest[ENGRAM_SLICE_GROUP];
    BlockedSum sum;
    ClearSum(&sum, lanes);
    for (int i = 0; i < lanes; i++) {
        smallest[i] = DBL_MAX;
    }
    for (int k = 0; k < group->rows; k++) {
        const double *restrict whole = group->whole + k * group->stride;
        double *restrict halves = group->halves + k * group->stride;
        const double infinite = k < group->nodes ? 0.0 : DBL_MAX;
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const double value = Blend(group->theta[i], group->base[i], factor,
                                       group->extrapolation, whole[i], halves[i]);
            const double candidate = value + infinite;
            halves[i] = value;
            sum.block[i] += value;
            smallest[i] = candidate < smallest[i] ? candidate : smallest[i];
        }
        if (EndsBlock(k, group->rows)) {
            CloseBlock(&sum, lanes);
        }
    }
    for (int i = 0; i < lanes; i++) {
        weight_density[i] = spacing * sum.total[i];
        minimum[i] = smallest[i];
    }
}

static void StoreRates(const Group *group, int lanes, ptrdiff_t first, double factor,
                       const EngramStepResult *whole, const EngramStepResult *halves,
                       double *firing_rate)
{
    for (int i = 0; i < lanes; i++) {
        firing_rate[first + i] =
            Blend(group->theta[i], group->base[i], factor, group->extrapolation,
                  whole->firing_rate[first + i], halves->firing_rate[first + i]);
    }
}

/** One group; inlined with a constant number of lanes. */
ENGRAM_INLINE void ExtrapolateGroup(Group *group, int lanes, ptrdiff_t first, double spacing,
                                    double factor, const EngramStepResult *whole,
                                    const EngramStepResult *halves,
                                    const EngramExtrapolated *extrapolated)
{
    Prepare(group, lanes, first, whole, halves);
    if (Compare(group, lanes, spacing, extrapolated->difference + first)) {
        LimitByEntries(group, lanes);
    }
    if (whole->firing_rate) {
        StoreRates(group, lanes, first, factor, whole, halves, extrapolated->firing_rate);
    }
    Store(group, lanes, spacing, factor, extrapolated->weight_density + first,
          extrapolated->minimum + first);
}

void EngramExtrapolate(int rows, int nodes, ptrdiff_t slices, ptrdiff_t stride, double spacing,
                       double extrapolation, double factor, const EngramStepResult *whole_result,
                       const EngramStepResult *halves_result, const double *whole, double *halves,
                       const EngramExtrapolated *extrapolated)
{
    Group group = {.rows = rows, .nodes = nodes, .stride = stride, .extrapolation = extrapolation};
    ptrdiff_t first = 0;
    while (first < slices) {
        const int lanes = LanesOfGroup(slices, first);
        group.whole = whole + first;
        group.halves = halves + first;
        if (lanes == ENGRAM_SLICE_GROUP) {
            ExtrapolateGroup(&group, ENGRAM_SLICE_GROUP, first, spacing, factor, whole_result,
                             halves_result, extrapolated);
        } else {
            ExtrapolateGroup(&group, ENGRAM_SLICE_PADDING, first, spacing, factor, whole_result,
                             halves_result, extrapolated);
        }
        first += lanes;
    }
}
