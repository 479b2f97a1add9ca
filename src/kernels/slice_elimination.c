#include "engram/kernels/slice_elimination.h"

#include <float.h>

#include "face_weights.h"

/* Rows ahead that are fetched early: a row's slices are a page away from those of the next row,
 * where the hardware does not look for them. */
enum { PREFETCH_ROWS = 16, CACHE_LINE = 8 };

/* Rows whose sum is formed before it goes to the total: keeps the rounding of a column's sum at
 * the square root of its length. */
enum { SUM_BLOCK = 32 };

/** What the sweeps over one group of slices share. */
typedef struct SliceGroup {
    const EngramFaceTable *table;
    ptrdiff_t stride;
    double strength;      /* lambda a / h^2 */
    double excess;        /* relative excess of mass to take out */
    const double *rhs;    /* first node, first slice of the group */
    double *solution;     /* likewise */
    double *intermediate; /* [nodes][lanes]: right-hand sides over pivots, then the solution */
    double *ratio;        /* [nodes][lanes]: the entry left of the diagonal over the pivot */
} SliceGroup;

/** State of the elimination, one entry a slice of the group. */
typedef struct SliceState {
    double scaled_drift[ENGRAM_SLICE_GROUP];
    double slice_factor[ENGRAM_SLICE_GROUP];
    double column_sum[ENGRAM_SLICE_GROUP]; /* of the column to be eliminated next */
    double spike[ENGRAM_SLICE_GROUP];      /* its entry in the row of the reset node */
    double carry[ENGRAM_SLICE_GROUP];      /* what goes to the next right-hand side */
    double returned[ENGRAM_SLICE_GROUP];   /* what goes to that of the reset node */
} SliceState;

size_t EngramSliceWorkSize(const EngramFaceTable *table)
{
    return 2 * (size_t)table->nodes * ENGRAM_SLICE_GROUP;
}

ENGRAM_INLINE double ThresholdRate(const EngramFaceTable *table, EngramEvaluation evaluation,
                                   double scaled_drift, double slice_factor)
{
    const int last = table->nodes - 1;
    const EngramFaceWeight weight =
        EngramWeightOfFace(evaluation, slice_factor, table->face_factor[last],
                           scaled_drift - table->scaled_face[last]);
    return (table->noise / table->spacing) * (weight.forward / weight.gap);
}

ENGRAM_INLINE void StartGroup(const EngramFaceTable *table, int lanes, EngramEvaluation evaluation,
                              double lambda, const double *drift, SliceState *state,
                              double *threshold_rate)
{
    ENGRAM_INDEPENDENT
    for (int i = 0; i < lanes; i++) {
        const double scaled = EngramScaledDrift(table, drift[i]);
        const double slice_factor = EngramSliceFactor(table, evaluation, scaled);
        const double rate = ThresholdRate(table, evaluation, scaled, slice_factor);
        threshold_rate[i] = rate;
        state->scaled_drift[i] = scaled;
        state->slice_factor[i] = slice_factor;
        state->spike[i] = rate * (lambda / table->spacing);
        state->column_sum[i] = 1.0;
        state->carry[i] = 0.0;
        state->returned[i] = 0.0;
    }
}

ENGRAM_INLINE void PrefetchRow(const double *row, int lanes)
{
    for (int i = 0; i < lanes; i += CACHE_LINE) {
        ENGRAM_PREFETCH_READ(row + i);
    }
}

/**
 * Eliminates column k. With gap * pivot = (column_sum + spike) gap + strength backward the pivot
 * is never formed: one division gives its reciprocal and the weights of the face at once.
 */
ENGRAM_INLINE void EliminateColumn(const SliceGroup *group, SliceState *state, int k, int lanes,
                                   EngramEvaluation evaluation, int has_spike)
{
    const double face_factor = group->table->face_factor[k - 1];
    const double scaled_face = group->table->scaled_face[k - 1];
    const double strength = group->strength;
    const double *restrict row = group->rhs + k * group->stride;
    double *restrict intermediate = group->intermediate + (ptrdiff_t)k * lanes;
    double *restrict ratios = group->ratio + (ptrdiff_t)k * lanes;
    if (k > PREFETCH_ROWS) {
        PrefetchRow(row - PREFETCH_ROWS * group->stride, lanes);
    }
    ENGRAM_INDEPENDENT
    for (int i = 0; i < lanes; i++) {
        const EngramFaceWeight weight = EngramWeightOfFace(
            evaluation, state->slice_factor[i], face_factor, state->scaled_drift[i] - scaled_face);
        const double backward = strength * weight.backward;
        const double leaving =
            has_spike ? state->column_sum[i] + state->spike[i] : state->column_sum[i];
        const double reciprocal = 1.0 / EngramMultiplyAdd(leaving, weight.gap, backward);
        const double ratio = strength * weight.forward * reciprocal;
        const double share = (row[i] + state->carry[i]) * reciprocal;
        const double quotient = share * weight.gap;
        intermediate[i] = quotient;
        ratios[i] = ratio;
        state->carry[i] = share * backward;
        state->column_sum[i] = EngramMultiplyAdd(state->column_sum[i], ratio, 1.0);
        if (has_spike) {
            state->returned[i] = EngramMultiplyAdd(state->spike[i], quotient, state->returned[i]);
            state->spike[i] *= ratio;
        }
    }
}

/** From the threshold down to node 1; the spike runs along the row of the reset node. */
ENGRAM_INLINE void EliminateDownwards(const SliceGroup *group, SliceState *state, int lanes,
                                      EngramEvaluation evaluation)
{
    const int reset = group->table->reset_node;
    int k = group->table->nodes - 1;
    for (; k > reset; k--) {
        EliminateColumn(group, state, k, lanes, evaluation, 1);
    }
    for (int i = 0; i < lanes; i++) {
        state->carry[i] += state->returned[i];
    }
    for (; k >= 1; k--) {
        EliminateColumn(group, state, k, lanes, evaluation, 0);
    }
}

/** A sum over rows, in blocks. */
typedef struct BlockedSum {
    double total[ENGRAM_SLICE_GROUP];
    double block[ENGRAM_SLICE_GROUP];
} BlockedSum;

ENGRAM_INLINE void ClearSum(BlockedSum *sum, int lanes)
{
    for (int i = 0; i < lanes; i++) {
        sum->total[i] = 0.0;
        sum->block[i] = 0.0;
    }
}

ENGRAM_INLINE void CloseBlock(BlockedSum *sum, int lanes)
{
    for (int i = 0; i < lanes; i++) {
        sum->total[i] += sum->block[i];
        sum->block[i] = 0.0;
    }
}

ENGRAM_INLINE int EndsBlock(int k, int nodes)
{
    return k % SUM_BLOCK == SUM_BLOCK - 1 || k == nodes - 1;
}

/**
 * Back substitution upwards, into `intermediate`. Sums the right-hand side and the solution in the
 * same order, so that two equal columns have equal sums, and leaves in `defect` the relative
 * difference. The difference of two nearly equal sums is exact.
 */
ENGRAM_INLINE void SubstituteUpwards(const SliceGroup *group, const SliceState *state, int lanes,
                                     double *defect)
{
    const int nodes = group->table->nodes;
    /* Vectors of mixed sign, which Krylov methods hand in, must not be scaled by what cancels. */
    const double tolerance = 16.0 * DBL_EPSILON * nodes;
    double previous[ENGRAM_SLICE_GROUP];
    BlockedSum before;
    BlockedSum after;
    ClearSum(&before, lanes);
    ClearSum(&after, lanes);
    for (int i = 0; i < lanes; i++) {
        previous[i] = (group->rhs[i] + state->carry[i]) / state->column_sum[i];
        group->intermediate[i] = previous[i];
        before.block[i] = group->rhs[i];
        after.block[i] = previous[i];
    }
    for (int k = 1; k < nodes; k++) {
        const double *restrict row = group->rhs + k * group->stride;
        const double *restrict ratios = group->ratio + (ptrdiff_t)k * lanes;
        double *restrict intermediate = group->intermediate + (ptrdiff_t)k * lanes;
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            previous[i] = EngramMultiplyAdd(ratios[i], previous[i], intermediate[i]);
            intermediate[i] = previous[i];
            before.block[i] += row[i];
            after.block[i] += previous[i];
        }
        if (EndsBlock(k, nodes)) {
            CloseBlock(&before, lanes);
            CloseBlock(&after, lanes);
        }
    }
    for (int i = 0; i < lanes; i++) {
        const double difference = before.total[i] - after.total[i];
        const int is_round_off = fabs(difference) <= tolerance * after.total[i];
        const double own = is_round_off && after.total[i] > 0.0 ? difference / after.total[i] : 0.0;
        defect[i] = own - group->excess;
    }
}

/** Writes the corrected solution and reports mass, minimum and firing rate. */
ENGRAM_INLINE void StoreSolution(const SliceGroup *group, int lanes, const double *defect,
                                 const double *threshold_rate, double *firing_rate,
                                 double *weight_density, double *minimum)
{
    const int nodes = group->table->nodes;
    double smallest[ENGRAM_SLICE_GROUP];
    BlockedSum sum;
    ClearSum(&sum, lanes);
    for (int i = 0; i < lanes; i++) {
        smallest[i] = DBL_MAX;
    }
    for (int k = 0; k < nodes; k++) {
        const double *restrict intermediate = group->intermediate + (ptrdiff_t)k * lanes;
        double *restrict row = group->solution + k * group->stride;
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            const double value = EngramMultiplyAdd(intermediate[i], defect[i], intermediate[i]);
            row[i] = value;
            sum.block[i] += value;
            smallest[i] = value < smallest[i] ? value : smallest[i];
        }
        if (EndsBlock(k, nodes)) {
            CloseBlock(&sum, lanes);
        }
    }
    const double *last = group->solution + (nodes - 1) * group->stride;
    for (int i = 0; i < lanes; i++) {
        firing_rate[i] = threshold_rate[i] * last[i];
        weight_density[i] = group->table->spacing * sum.total[i];
        minimum[i] = smallest[i];
    }
}

ENGRAM_INLINE void SolveGroup(const SliceGroup *group, int lanes, EngramEvaluation evaluation,
                              double lambda, const double *drift, const EngramSliceResults *results,
                              ptrdiff_t first)
{
    SliceState state;
    double defect[ENGRAM_SLICE_GROUP];
    double *threshold_rate = results->threshold_rate + first;
    StartGroup(group->table, lanes, evaluation, lambda, drift + first, &state, threshold_rate);
    EliminateDownwards(group, &state, lanes, evaluation);
    SubstituteUpwards(group, &state, lanes, defect);
    StoreSolution(group, lanes, defect, threshold_rate, results->firing_rate + first,
                  results->weight_density + first, results->minimum + first);
}

/**
 * The constants make a loop of its own for each width and evaluation, of one text: the arithmetic
 * of a slice is the same in all widths, so its bits do not depend on the group it is in.
 */
ENGRAM_INLINE void SolveGroupAs(const SliceGroup *group, int lanes, double lambda,
                                const double *drift, const EngramSliceResults *results,
                                ptrdiff_t first)
{
    switch (EngramEvaluationOf(group->table)) {
    case ENGRAM_SCHARFETTER_GUMMEL_FACTORED:
        SolveGroup(group, lanes, ENGRAM_SCHARFETTER_GUMMEL_FACTORED, lambda, drift, results, first);
        break;
    case ENGRAM_SCHARFETTER_GUMMEL_GENERAL:
        SolveGroup(group, lanes, ENGRAM_SCHARFETTER_GUMMEL_GENERAL, lambda, drift, results, first);
        break;
    case ENGRAM_HARMONIC_FACTORED:
        SolveGroup(group, lanes, ENGRAM_HARMONIC_FACTORED, lambda, drift, results, first);
        break;
    case ENGRAM_HARMONIC_GENERAL:
        SolveGroup(group, lanes, ENGRAM_HARMONIC_GENERAL, lambda, drift, results, first);
        break;
    }
}

void EngramSliceEliminate(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                          double lambda, double excess, const double *drift, const double *rhs,
                          double *solution, double *work, const EngramSliceResults *results)
{
    SliceGroup group = {.table = table,
                        .stride = stride,
                        .strength = lambda * table->noise / (table->spacing * table->spacing),
                        .excess = excess,
                        .intermediate = work,
                        .ratio = work + (ptrdiff_t)table->nodes * ENGRAM_SLICE_GROUP};
    ptrdiff_t first = 0;
    while (first < slices) {
        const int is_wide = slices - first > ENGRAM_SLICE_GROUP - ENGRAM_SLICE_PADDING;
        group.rhs = rhs + first;
        group.solution = solution + first;
        if (is_wide) {
            SolveGroupAs(&group, ENGRAM_SLICE_GROUP, lambda, drift, results, first);
        } else {
            SolveGroupAs(&group, ENGRAM_SLICE_PADDING, lambda, drift, results, first);
        }
        first += is_wide ? ENGRAM_SLICE_GROUP : ENGRAM_SLICE_PADDING;
    }
}

/** Sum and minimum of one slice, in the order of StoreSolution. */
static void MeasureSlice(const EngramFaceTable *table, ptrdiff_t stride, const double *density,
                         double *weight_density, double *minimum)
{
    double total = 0.0;
    double block = 0.0;
    double smallest = DBL_MAX;
    for (int k = 0; k < table->nodes; k++) {
        const double value = density[k * stride];
        block += value;
        smallest = value < smallest ? value : smallest;
        if (EndsBlock(k, table->nodes)) {
            total += block;
            block = 0.0;
        }
    }
    *weight_density = table->spacing * total;
    *minimum = smallest;
}

void EngramSliceMeasureRates(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                             const double *drift, const double *density,
                             const EngramSliceResults *results)
{
    const double *last = density + (table->nodes - 1) * stride;
    const EngramEvaluation evaluation = EngramEvaluationOf(table);
    for (ptrdiff_t i = 0; i < slices; i++) {
        const double scaled = EngramScaledDrift(table, drift[i]);
        const double slice_factor = EngramSliceFactor(table, evaluation, scaled);
        const double rate = ThresholdRate(table, evaluation, scaled, slice_factor);
        results->threshold_rate[i] = rate;
        results->firing_rate[i] = rate * last[i];
    }
}

void EngramSliceMeasure(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const double *drift, const double *density,
                        const EngramSliceResults *results)
{
    EngramSliceMeasureRates(table, slices, stride, drift, density, results);
    for (ptrdiff_t i = 0; i < slices; i++) {
        MeasureSlice(table, stride, density + i, &results->weight_density[i], &results->minimum[i]);
    }
}
