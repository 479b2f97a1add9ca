#include <float.h>
#include <stdint.h>
#include <string.h>

#include "engram/kernels/slice_elimination.h"
#include "slice_group.h"

/** What the sweeps over one group of slices share. */
typedef struct QuasiGroup {
    const EngramFaceTable *table;
    ptrdiff_t stride;
    const double *weight_density; /* of the group */
    double *density;              /* first node, first slice of the group; NULL: rates alone */
    double *profile;              /* [nodes][lanes]: density over a running scale */
    double *ratio;                /* [nodes][lanes]: p_k over p_{k-1}, then the change of scale */
} QuasiGroup;

/** One entry a slice of the group. */
typedef struct QuasiState {
    double threshold_rate[ENGRAM_SLICE_GROUP];
    double last[ENGRAM_SLICE_GROUP]; /* profile at the last node */
    double sum[ENGRAM_SLICE_GROUP];  /* of the profile, in the scale of the last node */
} QuasiState;

/**
 * The ratios p_k / p_{k-1} of the state without column sums (lambda -> infinity). Each pivot is the
 * flux to the node below and, above the reset node, the spike: the firing rate over p_k.
 */
ENGRAM_INLINE void EliminateWithoutSums(const QuasiGroup *group, int lanes,
                                        EngramEvaluation evaluation, const double *drift,
                                        QuasiState *state)
{
    const EngramFaceTable *table = group->table;
    double scaled[ENGRAM_SLICE_GROUP];
    double slice_factor[ENGRAM_SLICE_GROUP];
    double spike[ENGRAM_SLICE_GROUP];
    for (int i = 0; i < lanes; i++) {
        scaled[i] = EngramScaledDrift(table, drift[i]);
        slice_factor[i] = EngramSliceFactor(table, evaluation, scaled[i]);
        state->threshold_rate[i] = ThresholdRate(table, evaluation, scaled[i], slice_factor[i]);
        spike[i] = state->threshold_rate[i] * (table->spacing / table->noise);
    }
    for (int k = table->nodes - 1; k >= 1; k--) {
        const double face_factor = table->face_factor[k - 1];
        const double scaled_face = table->scaled_face[k - 1];
        const double is_above = k > table->reset_node ? 1.0 : 0.0;
        double *restrict ratios = group->ratio + (ptrdiff_t)k * lanes;
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const EngramFaceWeight weight = EngramWeightOfFace(
                evaluation, slice_factor[i], face_factor, scaled[i] - scaled_face);
            const double leaving = is_above * spike[i];
            const double ratio =
                weight.forward / EngramMultiplyAdd(leaving, weight.gap, weight.backward);
            ratios[i] = ratio;
            spike[i] = leaving * ratio;
        }
    }
}

/** 2^-e for x in [2^e, 2^(e+1)) with e >= 0, and 1 for smaller x. */
ENGRAM_INLINE double ScaleDown(double x)
{
    uint64_t bits;
    double scale;
    memcpy(&bits, &x, sizeof(bits));
    bits = UINT64_C(0x7fe0000000000000) - (bits & UINT64_C(0x7ff0000000000000));
    memcpy(&scale, &bits, sizeof(scale));
    return x >= 1.0 ? scale : 1.0;
}

/**
 * The profile from its ratios, scaled down by a power of two wherever it grows beyond 1: it may
 * span exp((mu - v_min)^2/(2a)), far more than a double can. What is then too small to be a number
 * is too small beside the rest of the slice.
 */
ENGRAM_INLINE void BuildProfile(const QuasiGroup *group, int lanes, QuasiState *state)
{
    const int nodes = group->table->nodes;
    double block[ENGRAM_SLICE_GROUP];
    for (int i = 0; i < lanes; i++) {
        state->last[i] = 1.0;
        state->sum[i] = 0.0;
        block[i] = 1.0;
        group->profile[i] = 1.0;
    }
    for (int k = 1; k < nodes; k++) {
        double *restrict ratios = group->ratio + (ptrdiff_t)k * lanes;
        double *restrict profile = group->profile + (ptrdiff_t)k * lanes;
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const double grown = state->last[i] * ratios[i];
            const double scale = ScaleDown(grown);
            state->last[i] = grown * scale;
            state->sum[i] *= scale;
            block[i] = EngramMultiplyAdd(block[i], scale, state->last[i]);
            profile[i] = state->last[i];
            ratios[i] = scale;
        }
        if (EndsBlock(k, nodes)) {
            for (int i = 0; i < lanes; i++) {
                state->sum[i] += block[i];
                block[i] = 0.0;
            }
        }
    }
}

/** Factor from the profile to the density, the rate of one neuron, and the firing rates. */
ENGRAM_INLINE void Normalise(const QuasiGroup *group, int lanes, const QuasiState *state,
                             double *factor, double *neuron_rate, double *firing_rate,
                             double *waiting)
{
    const EngramFaceTable *table = group->table;
    for (int i = 0; i < lanes; i++) {
        const double rate = state->threshold_rate[i] * state->last[i];
        const double refractory = table->refractory * rate / table->spacing;
        const double unit = 1.0 / (table->spacing * (state->sum[i] + refractory));
        factor[i] = group->weight_density[i] * unit;
        neuron_rate[i] = rate * unit;
        firing_rate[i] = group->weight_density[i] * neuron_rate[i];
        waiting[i] = refractory * factor[i];
    }
}

/** Writes the density downwards, undoing the changes of scale, and reports mass and minimum. */
ENGRAM_INLINE void StoreDensity(const QuasiGroup *group, int lanes, double *factor,
                                const double *waiting, double *weight_density, double *minimum)
{
    const int nodes = group->table->nodes;
    BlockedSum sum;
    double smallest[ENGRAM_SLICE_GROUP];
    ClearSum(&sum, lanes);
    for (int i = 0; i < lanes; i++) {
        smallest[i] = DBL_MAX;
    }
    for (int k = nodes - 1; k >= 0; k--) {
        const double *restrict profile = group->profile + (ptrdiff_t)k * lanes;
        const double *restrict scale = group->ratio + (ptrdiff_t)k * lanes;
        double *restrict row = group->density + k * group->stride;
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const double value = profile[i] * factor[i];
            row[i] = value;
            sum.block[i] += value;
            smallest[i] = value < smallest[i] ? value : smallest[i];
            factor[i] *= scale[i];
        }
        if (k % SUM_BLOCK == 0) {
            CloseBlock(&sum, lanes);
        }
    }
    for (int i = 0; i < lanes; i++) {
        if (group->table->refractory > 0.0) {
            group->density[nodes * group->stride + i] = waiting[i];
            sum.total[i] += waiting[i];
        }
        weight_density[i] = group->table->spacing * sum.total[i];
        minimum[i] = smallest[i];
    }
}

ENGRAM_INLINE void QuasiStaticGroup(const QuasiGroup *group, int lanes, EngramEvaluation evaluation,
                                    const double *drift, const EngramSliceResults *results,
                                    ptrdiff_t first)
{
    QuasiState state;
    double factor[ENGRAM_SLICE_GROUP];
    double waiting[ENGRAM_SLICE_GROUP];
    /* Without scale at node 0, whose entry nothing else fills. */
    for (int i = 0; i < lanes; i++) {
        group->ratio[i] = 1.0;
    }
    EliminateWithoutSums(group, lanes, evaluation, drift + first, &state);
    BuildProfile(group, lanes, &state);
    Normalise(group, lanes, &state, factor, results->threshold_rate + first,
              results->firing_rate + first, waiting);
    if (group->density) {
        StoreDensity(group, lanes, factor, waiting, results->weight_density + first,
                     results->minimum + first);
    }
}

ENGRAM_INLINE void QuasiStaticGroupAs(const QuasiGroup *group, int lanes, const double *drift,
                                      const EngramSliceResults *results, ptrdiff_t first)
{
    switch (EngramEvaluationOf(group->table)) {
    case ENGRAM_SCHARFETTER_GUMMEL_FACTORED:
        QuasiStaticGroup(group, lanes, ENGRAM_SCHARFETTER_GUMMEL_FACTORED, drift, results, first);
        break;
    case ENGRAM_SCHARFETTER_GUMMEL_GENERAL:
        QuasiStaticGroup(group, lanes, ENGRAM_SCHARFETTER_GUMMEL_GENERAL, drift, results, first);
        break;
    case ENGRAM_HARMONIC_FACTORED:
        QuasiStaticGroup(group, lanes, ENGRAM_HARMONIC_FACTORED, drift, results, first);
        break;
    case ENGRAM_HARMONIC_GENERAL:
        QuasiStaticGroup(group, lanes, ENGRAM_HARMONIC_GENERAL, drift, results, first);
        break;
    }
}

void EngramSliceQuasiStatic(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            const double *drift, const double *weight_density, double *density,
                            double *work, const EngramSliceResults *results)
{
    QuasiGroup group = {.table = table,
                        .stride = stride,
                        .profile = work,
                        .ratio = work + ((ptrdiff_t)table->nodes + 1) * ENGRAM_SLICE_GROUP};
    ptrdiff_t first = 0;
    while (first < slices) {
        const int lanes = LanesOfGroup(slices, first);
        group.weight_density = weight_density + first;
        group.density = density ? density + first : NULL;
        if (lanes == ENGRAM_SLICE_GROUP) {
            QuasiStaticGroupAs(&group, ENGRAM_SLICE_GROUP, drift, results, first);
        } else {
            QuasiStaticGroupAs(&group, ENGRAM_SLICE_PADDING, drift, results, first);
        }
        first += lanes;
    }
}
