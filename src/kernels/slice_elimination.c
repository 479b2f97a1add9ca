#include "engram/kernels/slice_elimination.h"

#include <float.h>

#include "slice_group.h"

/** What the sweeps over one group of slices share. */
typedef struct SliceGroup {
    const EngramFaceTable *table;
    ptrdiff_t stride;
    double strength;      /* lambda a / h^2 */
    double excess;        /* relative excess of mass to take out */
    double waiting_share; /* tau/(tau + lambda): refractory neurons that stay so */
    double return_share;  /* the others, which are put back */
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
    double outflow[ENGRAM_SLICE_GROUP];    /* the entry of the last column that leaves it upwards */
} SliceState;

size_t EngramSliceWorkSize(const EngramFaceTable *table)
{
    return (2 * (size_t)table->nodes + 1) * ENGRAM_SLICE_GROUP;
}

/**
 * The refractory state is the first to be eliminated. Its pivot is 1 + lambda/tau: what flows into
 * it from the last node goes on to the reset node in the proportion of the two terms, and so does
 * its own content. Without such a state the shares are 0 and 1.
 */
ENGRAM_INLINE void StartGroup(const SliceGroup *group, int lanes, EngramEvaluation evaluation,
                              double lambda, const double *drift, SliceState *state,
                              double *threshold_rate)
{
    const EngramFaceTable *table = group->table;
    ENGRAM_INDEPENDENT
    for (int i = 0; i < lanes; i++) {
        const double scaled = EngramScaledDrift(table, drift[i]);
        const double slice_factor = EngramSliceFactor(table, evaluation, scaled);
        const double rate = ThresholdRate(table, evaluation, scaled, slice_factor);
        const double outflow = rate * (lambda / table->spacing);
        threshold_rate[i] = rate;
        state->scaled_drift[i] = scaled;
        state->slice_factor[i] = slice_factor;
        state->outflow[i] = outflow;
        state->spike[i] = outflow * group->return_share;
        state->column_sum[i] = 1.0 + outflow * group->waiting_share;
        state->carry[i] = 0.0;
        state->returned[i] = 0.0;
    }
    if (table->refractory > 0.0) {
        const double *waiting = group->rhs + table->nodes * group->stride;
        for (int i = 0; i < lanes; i++) {
            state->returned[i] = group->return_share * waiting[i];
        }
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

/** The refractory state, the last unknown of the back substitution, kept as one more row. */
ENGRAM_INLINE void FillRefractory(const SliceGroup *group, const SliceState *state, int lanes,
                                  const double *last, BlockedSum *before, BlockedSum *after)
{
    const int nodes = group->table->nodes;
    const double *waiting = group->rhs + nodes * group->stride;
    double *intermediate = group->intermediate + (ptrdiff_t)nodes * lanes;
    for (int i = 0; i < lanes; i++) {
        const double now =
            group->waiting_share * EngramMultiplyAdd(state->outflow[i], last[i], waiting[i]);
        intermediate[i] = now;
        before->total[i] += waiting[i];
        after->total[i] += now;
    }
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
    if (group->table->refractory > 0.0) {
        FillRefractory(group, state, lanes, previous, &before, &after);
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
    if (group->table->refractory > 0.0) {
        const double *intermediate = group->intermediate + (ptrdiff_t)nodes * lanes;
        double *waiting = group->solution + nodes * group->stride;
        for (int i = 0; i < lanes; i++) {
            waiting[i] = EngramMultiplyAdd(intermediate[i], defect[i], intermediate[i]);
            sum.total[i] += waiting[i];
        }
    }
    const double *last = group->solution + (nodes - 1) * group->stride;
    for (int i = 0; i < lanes; i++) {
        firing_rate[i] = threshold_rate[i] * last[i];
        weight_density[i] = group->table->spacing * sum.total[i];
        minimum[i] = smallest[i];
    }
}

/** The firing rates alone: back substitution without storing or summing anything. */
ENGRAM_INLINE void RatesOfGroup(const SliceGroup *group, const SliceState *state, int lanes,
                                const double *threshold_rate, double *firing_rate)
{
    double value[ENGRAM_SLICE_GROUP];
    for (int i = 0; i < lanes; i++) {
        value[i] = (group->rhs[i] + state->carry[i]) / state->column_sum[i];
    }
    for (int k = 1; k < group->table->nodes; k++) {
        const double *restrict ratios = group->ratio + (ptrdiff_t)k * lanes;
        const double *restrict intermediate = group->intermediate + (ptrdiff_t)k * lanes;
        ENGRAM_INDEPENDENT
        for (int i = 0; i < lanes; i++) {
            value[i] = EngramMultiplyAdd(ratios[i], value[i], intermediate[i]);
        }
    }
    for (int i = 0; i < lanes; i++) {
        firing_rate[i] = threshold_rate[i] * value[i];
    }
}

ENGRAM_INLINE void SolveGroup(const SliceGroup *group, int lanes, EngramEvaluation evaluation,
                              double lambda, const double *drift, const EngramSliceResults *results,
                              ptrdiff_t first)
{
    SliceState state;
    double defect[ENGRAM_SLICE_GROUP];
    double *threshold_rate = results->threshold_rate + first;
    double *firing_rate = results->firing_rate + first;
    StartGroup(group, lanes, evaluation, lambda, drift + first, &state, threshold_rate);
    EliminateDownwards(group, &state, lanes, evaluation);
    if (!group->solution) {
        RatesOfGroup(group, &state, lanes, threshold_rate, firing_rate);
        return;
    }
    SubstituteUpwards(group, &state, lanes, defect);
    StoreSolution(group, lanes, defect, threshold_rate, firing_rate,
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
    const double tau = table->refractory;
    SliceGroup group = {.table = table,
                        .stride = stride,
                        .strength = lambda * table->noise / (table->spacing * table->spacing),
                        .excess = excess,
                        .waiting_share = tau / (tau + lambda),
                        .return_share = lambda / (tau + lambda),
                        .intermediate = work,
                        .ratio = work + ((ptrdiff_t)table->nodes + 1) * ENGRAM_SLICE_GROUP};
    ptrdiff_t first = 0;
    while (first < slices) {
        const int lanes = LanesOfColumns(table->nodes, slices, first);
        group.rhs = rhs + first;
        group.solution = solution ? solution + first : NULL;
        if (lanes == ENGRAM_SLICE_GROUP) {
            SolveGroupAs(&group, ENGRAM_SLICE_GROUP, lambda, drift, results, first);
        } else if (lanes == MEDIUM_GROUP) {
            SolveGroupAs(&group, MEDIUM_GROUP, lambda, drift, results, first);
        } else {
            SolveGroupAs(&group, ENGRAM_SLICE_PADDING, lambda, drift, results, first);
        }
        first += lanes;
    }
}
