#include "engram/kernels/slice_step.h"

#include "slice_close.h"
#include "slice_forms.h"
#include "slice_plan.h"

size_t EngramSliceWorkSize(const EngramFaceTable *table)
{
    const size_t rows = (size_t)table->nodes + 1;
    return (2 * ENGRAM_SLICE_GROUP + 2 * ENGRAM_SLICE_PADDING + 6 + EDGE_STRIDE) * rows;
}

/* Rows of a group, and as many ratios, that the second-level cache still has on the way back. */
enum { NEAR_ROWS = 1024 };

/** What a group of slices is worked on with. */
typedef struct Group {
    RowSource source;
    LaneSystem system;
    Vector refractory[MOST_VECTORS]; /* P of the refractory state */
    double *to;                      /* first node, first slice */
    double *old;                     /* P of all nodes, or NULL where it is not needed again */
    int is_summed;                   /* the old rows */
    OldContent content;              /* their sums */
} Group;

/** P of a row; kept for a second solve as the plan scales it, and then scaled for the slice. */
ENGRAM_INLINE void ReadRow(Group *group, int k, int vectors, int order, ExplicitPart part,
                           Vector *value)
{
    RowValues(&group->source, k, vectors, order, value);
    if (group->old) {
        ENGRAM_UNROLL
        for (int j = 0; j < vectors; j++) {
            VectorStore(group->old + ((ptrdiff_t)k * vectors + j) * VECTOR_LANES, value[j]);
        }
    }
    for (int j = 0; part == EXPLICIT_SHARE && j < vectors; j++) {
        value[j] *= group->system.rescale[j];
    }
    if (group->is_summed) {
        AddOldRow(&group->content, k, vectors, value);
    }
}

/** From the threshold down to node 1. */
ENGRAM_INLINE void SweepDown(const Plan *plan, Group *group, int vectors, int order,
                             Evaluation evaluation, ExplicitPart part, Elimination *state)
{
    const EngramFaceTable *table = plan->table;
    const int width = vectors * VECTOR_LANES;
    Vector below[MOST_VECTORS];
    for (int k = table->nodes - 1; k >= 1; k--) {
        double *quotients = group->to + k * plan->stride;
        double *ratios = plan->work.ratios + (ptrdiff_t)k * width;
        if (k > PREFETCH_ROWS) {
            /* With what the transport takes from the right: that is in another line. */
            PrefetchRow(group->source.from + (k - PREFETCH_ROWS) * group->source.stride,
                        width + order);
        }
        ReadRow(group, k - 1, vectors, order, part, below);
        if (k > table->reset_node) {
            EliminateNode(table, state, &group->system, k, vectors, evaluation, part, 1, below,
                          quotients, ratios);
        } else {
            if (k == table->reset_node) {
                ReturnToReset(state, vectors);
            }
            EliminateNode(table, state, &group->system, k, vectors, evaluation, part, 0, below,
                          quotients, ratios);
        }
    }
    if (table->reset_node == 0) {
        ReturnToReset(state, vectors);
    }
}

/** Back up from node 0. */
ENGRAM_INLINE void SweepUp(const Plan *plan, const LaneSystem *system, double *to, int vectors,
                           const Elimination *state, Substitution *found)
{
    const int nodes = plan->table->nodes;
    const int width = vectors * VECTOR_LANES;
    const int last = nodes - 1;
    const int is_far = nodes > NEAR_ROWS;
    BeginSubstitution(found, state, vectors, to);
    for (int k = 1; k < last; k++) {
        if (is_far && k + PREFETCH_ROWS < nodes) {
            PrefetchRow(to + (k + PREFETCH_ROWS) * plan->stride, width);
        }
        SubstituteNode(found, vectors, plan->work.ratios + (ptrdiff_t)k * width,
                       to + k * plan->stride);
        if (EndsBlock(k, nodes)) {
            CloseBlock(found, vectors);
        }
    }
    SubstituteLast(found, system, vectors, plan->work.ratios + (ptrdiff_t)last * width,
                   to + last * plan->stride);
    CloseBlock(found, vectors);
}

/** Reports a vector of slices, and stores their refractory state. */
ENGRAM_INLINE void Report(const Plan *plan, ptrdiff_t at, const SliceOutcome *outcome, Vector rate)
{
    const EngramFaceTable *table = plan->table;
    const EngramSliceResults *results = plan->results;
    Vector total = outcome->total;
    if (table->refractory > 0.0) {
        VectorStore(plan->to + table->nodes * plan->stride + at, outcome->refractory);
        total += outcome->refractory;
    }
    VectorStore(results->firing_rate + at, rate);
    VectorStore(results->weight_density + at, table->spacing * total);
    VectorStore(results->minimum + at, outcome->least);
}

/** What becomes of a group, with slices solved again or closed where that is needed. */
ENGRAM_INLINE void FinishGroup(const Plan *plan, const Group *group, int vectors,
                               const Substitution *found)
{
    const ptrdiff_t first = group->source.first;
    const LaneSystem *system = &group->system;
    SliceOutcome outcomes[MOST_VECTORS];
    for (int j = 0; j < vectors; j++) {
        outcomes[j] = OutcomeOf(plan, system, j, found, group->refractory[j]);
    }
    for (int j = 0; plan->may_fail && j < vectors; j++) {
        const OldRows rows = {group->old + j * VECTOR_LANES, vectors * VECTOR_LANES};
        RepairSlices(plan, first + j * VECTOR_LANES, &rows, system->chi[j], &outcomes[j]);
    }
    if (plan->is_long) {
        CloseGroup(plan, first, system, &group->content, vectors, outcomes);
    }
    for (int j = 0; j < vectors; j++) {
        const ptrdiff_t at = first + j * VECTOR_LANES;
        Report(plan, at, &outcomes[j], RateOf(plan, at, system, j, outcomes[j].last));
    }
}

/** One group: `vectors` of slices from `first` on. */
ENGRAM_INLINE void TakeGroup(const Plan *plan, ptrdiff_t first, int vectors, int order,
                             Evaluation evaluation, ExplicitPart part)
{
    Group group;
    Elimination state;
    Substitution found;
    const int last = plan->table->nodes - 1;
    const int has_refractory = plan->table->refractory > 0.0;
    group.to = plan->to + first;
    group.old = plan->may_fail ? plan->work.old : NULL;
    group.is_summed = plan->is_long && !plan->step->mass;
    BeginSource(plan, first, vectors, order, &group.source);
    BeginSystem(plan, first, vectors, evaluation, &group.system);
    for (int j = 0; j < vectors; j++) {
        group.refractory[j] = VectorOf(0.0);
        group.content.total[j] = VectorOf(0.0);
        group.content.block[j] = VectorOf(0.0);
    }
    if (has_refractory) {
        ReadRow(&group, last + 1, vectors, order, part, group.refractory);
    }
    ReadRow(&group, last, vectors, order, part, state.here);
    BeginElimination(&state, &group.system, vectors, part, plan->shares,
                     has_refractory ? group.refractory : NULL);
    SweepDown(plan, &group, vectors, order, evaluation, part, &state);
    SweepUp(plan, &group.system, group.to, vectors, &state, &found);
    FinishGroup(plan, &group, vectors, &found);
}

ENGRAM_GROUP_FORMS(TakeGroup, 0)
ENGRAM_GROUP_FORMS(TakeGroup, 1)
ENGRAM_GROUP_FORMS(TakeGroup, 2)

static const GroupForms FORMS[] = {ENGRAM_FORMS_OF(TakeGroup, 0), ENGRAM_FORMS_OF(TakeGroup, 1),
                                   ENGRAM_FORMS_OF(TakeGroup, 2)};

void EngramSliceStepTake(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                         const EngramSliceStep *step, const double *from, double *to, double *work,
                         const EngramSliceResults *results)
{
    Plan plan = MakePlan(table, slices, stride, step, from, to, work, results);
    WorkOnGroups(&plan, FORMS);
}
