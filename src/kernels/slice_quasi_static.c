#include <float.h>

#include "engram/kernels/slice_step.h"
#include "face_weights.h"
#include "slice_plan.h"

/** What the sweeps over one group of slices share. */
typedef struct QuasiGroup {
    const EngramFaceTable *table;
    ptrdiff_t stride;
    const double *weight_density; /* of the group */
    double *density;              /* first node, first slice of the group; NULL: rates alone */
    double *profile;              /* [node][slice]: content over a running scale */
    double *ratio;                /* [node][slice]: p_k over p_{k-1}, then the change of scale */
    Vector scaled[MOST_VECTORS];
    VectorBits outside[MOST_VECTORS];
    Vector threshold_rate[MOST_VECTORS];
    Vector content[MOST_VECTORS]; /* of the last node over h times its density */
} QuasiGroup;

/** What is known of the profile. */
typedef struct Profile {
    Vector last[MOST_VECTORS]; /* at the last node */
    Vector sum[MOST_VECTORS];  /* in the scale of the last node */
} Profile;

/**
 * The ratios p_k / p_{k-1} of the state without column sums (lambda -> infinity). Each pivot is the
 * flux to the node below and, above the reset node, the spike: the firing rate over p_k.
 */
ENGRAM_INLINE void EliminateWithoutSums(QuasiGroup *group, int vectors, Evaluation evaluation)
{
    const EngramFaceTable *table = group->table;
    Vector spike[MOST_VECTORS];
    FaceWeights faces[MOST_VECTORS];
    WeightsOfFace(table, evaluation, table->nodes - 1, vectors, group->scaled, group->outside,
                  faces);
    for (int j = 0; j < vectors; j++) {
        spike[j] = faces[j].up;
        group->threshold_rate[j] = ThresholdRate(table, spike[j]);
        group->content[j] = LayerContent(table, evaluation, group->scaled[j], spike[j]);
    }
    for (int k = table->nodes - 1; k >= 1; k--) {
        const double is_above = k > table->reset_node ? 1.0 : 0.0;
        double *ratios = group->ratio + (ptrdiff_t)k * vectors * VECTOR_LANES;
        WeightsOfFace(table, evaluation, k - 1, vectors, group->scaled, group->outside, faces);
        ENGRAM_UNROLL
        for (int j = 0; j < vectors; j++) {
            const Vector leaving = is_above * spike[j];
            const Vector ratio = faces[j].up * VectorReciprocal(leaving + faces[j].down);
            VectorStore(ratios + j * VECTOR_LANES, ratio);
            spike[j] = leaving * ratio;
        }
    }
}

/** 2^-e for x in [2^e, 2^(e+1)) with e >= 0, and 1 for smaller x. */
ENGRAM_INLINE Vector ScaleDown(Vector x)
{
    const VectorBits exponent = (VectorBits)x & INT64_C(0x7ff0000000000000);
    const Vector scale = (Vector)(INT64_C(0x7fe0000000000000) - exponent);
    return VectorChoose(x >= 1.0, scale, VectorOf(1.0));
}

/**
 * The profile from its ratios, scaled down by a power of two wherever it grows beyond 1: it may
 * span exp((mu - v_min)^2/(2a)), far more than a double can. What is then too small to be a number
 * is too small beside the rest of the slice.
 */
ENGRAM_INLINE void BuildProfile(const QuasiGroup *group, int vectors, Profile *profile)
{
    const int nodes = group->table->nodes;
    const ptrdiff_t width = vectors * VECTOR_LANES;
    Vector block[MOST_VECTORS];
    for (int j = 0; j < vectors; j++) {
        profile->last[j] = VectorOf(1.0);
        profile->sum[j] = VectorOf(0.0);
        block[j] = VectorOf(1.0);
        VectorStore(group->profile + j * VECTOR_LANES, VectorOf(1.0));
        VectorStore(group->ratio + j * VECTOR_LANES, VectorOf(1.0));
    }
    for (int k = 1; k < nodes; k++) {
        ENGRAM_UNROLL
        for (int j = 0; j < vectors; j++) {
            double *ratio = group->ratio + k * width + j * VECTOR_LANES;
            const Vector grown = profile->last[j] * VectorLoad(ratio);
            const Vector scale = ScaleDown(grown);
            profile->last[j] = grown * scale;
            profile->sum[j] *= scale;
            block[j] = VectorMultiplyAdd(block[j], scale, profile->last[j]);
            VectorStore(group->profile + k * width + j * VECTOR_LANES, profile->last[j]);
            VectorStore(ratio, scale);
        }
        if (EndsBlock(k, nodes)) {
            for (int j = 0; j < vectors; j++) {
                profile->sum[j] += block[j];
                block[j] = VectorOf(0.0);
            }
        }
    }
}

/** Writes the density downwards, undoing the changes of scale, and reports mass and minimum. */
ENGRAM_INLINE void StoreDensity(const QuasiGroup *group, int vectors, Vector *factor,
                                const Vector *waiting, double *weight_density, double *minimum)
{
    const int nodes = group->table->nodes;
    const ptrdiff_t width = vectors * VECTOR_LANES;
    Vector total[MOST_VECTORS];
    Vector block[MOST_VECTORS];
    Vector least[MOST_VECTORS];
    for (int j = 0; j < vectors; j++) {
        total[j] = VectorOf(0.0);
        block[j] = VectorOf(0.0);
        least[j] = VectorOf(DBL_MAX);
    }
    for (int k = nodes - 1; k >= 0; k--) {
        ENGRAM_UNROLL
        for (int j = 0; j < vectors; j++) {
            const ptrdiff_t place = k * width + j * VECTOR_LANES;
            const Vector value = VectorLoad(group->profile + place) * factor[j];
            VectorStore(group->density + k * group->stride + j * VECTOR_LANES, value);
            block[j] += value;
            least[j] = VectorSmaller(value, least[j]);
            factor[j] *= VectorLoad(group->ratio + place);
        }
        if (k % SUM_BLOCK == 0) {
            for (int j = 0; j < vectors; j++) {
                total[j] += block[j];
                block[j] = VectorOf(0.0);
            }
        }
    }
    for (int j = 0; j < vectors; j++) {
        if (group->table->refractory > 0.0) {
            VectorStore(group->density + nodes * group->stride + j * VECTOR_LANES, waiting[j]);
            total[j] += waiting[j];
        }
        VectorStore(weight_density + j * VECTOR_LANES, group->table->spacing * total[j]);
        VectorStore(minimum + j * VECTOR_LANES, least[j]);
    }
}

/** Rates and density of a group whose drifts are set. */
ENGRAM_INLINE void SolveGroup(QuasiGroup *group, int vectors, Evaluation evaluation,
                              const EngramSliceResults *results, ptrdiff_t first)
{
    const EngramFaceTable *table = group->table;
    Profile profile;
    Vector factor[MOST_VECTORS];
    Vector waiting[MOST_VECTORS];
    EliminateWithoutSums(group, vectors, evaluation);
    BuildProfile(group, vectors, &profile);
    for (int j = 0; j < vectors; j++) {
        const ptrdiff_t at = first + j * VECTOR_LANES;
        const ptrdiff_t place = ((table->nodes - 1) * vectors + j) * VECTOR_LANES;
        const Vector held = group->content[j] * profile.last[j];
        const Vector sum = profile.sum[j] + (held - profile.last[j]);
        VectorStore(group->profile + place, held);
        const Vector weight_density = VectorLoad(group->weight_density + j * VECTOR_LANES);
        const Vector rate = group->threshold_rate[j] * profile.last[j];
        const Vector refractory = (table->refractory / table->spacing) * rate;
        const Vector unit = 1.0 / (table->spacing * (sum + refractory));
        factor[j] = weight_density * unit;
        waiting[j] = refractory * factor[j];
        VectorStore(results->threshold_rate + at, rate * unit);
        VectorStore(results->firing_rate + at, weight_density * (rate * unit));
    }
    if (group->density) {
        StoreDensity(group, vectors, factor, waiting, results->weight_density + first,
                     results->minimum + first);
    }
}

/** Sets the drifts of a group; whether all its slices are within the range of the polynomials. */
ENGRAM_INLINE int SetDrifts(QuasiGroup *group, int vectors, const double *drift)
{
    VectorBits any = {0};
    for (int j = 0; j < vectors; j++) {
        group->scaled[j] = ScaledDrift(group->table, VectorLoad(drift + j * VECTOR_LANES));
        group->outside[j] = IsOutside(group->table, group->scaled[j]);
        any |= group->outside[j];
    }
    return group->table->flux == ENGRAM_FLUX_SCHARFETTER_GUMMEL && !VectorAny(any);
}

void EngramSliceQuasiStatic(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            const double *drift, const double *weight_density, double *density,
                            double *work, const EngramSliceResults *results)
{
    QuasiGroup group = {.table = table,
                        .stride = stride,
                        .profile = work,
                        .ratio = work + ((ptrdiff_t)table->nodes + 1) * ENGRAM_SLICE_GROUP};
    for (ptrdiff_t first = 0; first < slices;) {
        int vectors = VectorsOfGroup(slices, first);
        group.weight_density = weight_density + first;
        group.density = density ? density + first : NULL;
        if (HAS_TWO_WIDTHS && vectors == MAIN_VECTORS &&
            SetDrifts(&group, MAIN_VECTORS, drift + first)) {
            SolveGroup(&group, MAIN_VECTORS, EVALUATE_POLYNOMIAL, results, first);
        } else {
            vectors = NARROW_VECTORS;
            if (SetDrifts(&group, NARROW_VECTORS, drift + first)) {
                SolveGroup(&group, NARROW_VECTORS, EVALUATE_POLYNOMIAL, results, first);
            } else {
                SolveGroup(&group, NARROW_VECTORS, EVALUATE_ANY, results, first);
            }
        }
        first += vectors * VECTOR_LANES;
    }
}
