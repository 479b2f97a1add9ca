#include "slice_again.h"
#include "slice_forms.h"

/**
 * The last unknown alone, so from the low end upwards, and nothing is stored. What is eliminated
 * upwards is what the column of the last node has in the row of the reset node.
 */
typedef struct Trial {
    Vector sum[MOST_VECTORS];      /* of the column to be eliminated next */
    Vector carry[MOST_VECTORS];    /* the right-hand side that is known of its row */
    Vector here[MOST_VECTORS];     /* P of the node */
    Vector last_sum[MOST_VECTORS]; /* of the column of the last node */
} Trial;

/** Eliminates node k, with P of the node above. */
ENGRAM_INLINE void EliminateUpwards(const EngramFaceTable *table, Trial *trial, Elimination *state,
                                    const LaneSystem *system, int k, int vectors,
                                    Evaluation evaluation, ExplicitPart part, const Vector *above)
{
    FaceWeights faces[MOST_VECTORS];
    WeightsOfFace(table, evaluation, k, vectors, system->scaled, system->outside, faces);
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const FaceWeights face = faces[j];
        Vector value = trial->carry[j];
        Vector rest = above[j];
        if (part != EXPLICIT_NONE) {
            const Vector flux =
                ExplicitFlux(part, system->chi[j], face.up, trial->here[j], face.down, above[j]);
            value -= flux;
            rest += flux;
        }
        const Vector reciprocal = VectorReciprocal(trial->sum[j] + face.up);
        const Vector on = face.up * reciprocal;
        trial->carry[j] = VectorMultiplyAdd(value, on, rest);
        if (k >= table->reset_node) {
            trial->last_sum[j] =
                VectorMultiplyAdd(trial->sum[j] * reciprocal, state->spike[j], trial->last_sum[j]);
            state->spike[j] *= on;
        }
        trial->sum[j] =
            VectorMultiplyAdd(trial->sum[j] * face.down, reciprocal, IdentityOf(system, j, part));
        trial->here[j] = above[j];
    }
}

ENGRAM_INLINE void ScaledRow(const RowSource *source, int k, int vectors, int order,
                             ExplicitPart part, const LaneSystem *system, Vector *value)
{
    RowValues(source, k, vectors, order, value);
    for (int j = 0; part == EXPLICIT_SHARE && j < vectors; j++) {
        value[j] *= system->rescale[j];
    }
}

ENGRAM_INLINE void AddReturned(Trial *trial, const Elimination *state, int vectors)
{
    for (int j = 0; j < vectors; j++) {
        trial->carry[j] += state->returned[j];
    }
}

/** The value of the last node of every slice. */
ENGRAM_INLINE void FindLastValues(const Plan *plan, const RowSource *source, LaneSystem *system,
                                  int vectors, int order, Evaluation evaluation, ExplicitPart part,
                                  Vector *value)
{
    const EngramFaceTable *table = plan->table;
    const int last = table->nodes - 1;
    Elimination state;
    Trial trial;
    Vector above[MOST_VECTORS];
    Vector refractory[MOST_VECTORS] = {{0.0}};
    if (table->refractory > 0.0) {
        ScaledRow(source, last + 1, vectors, order, part, system, refractory);
    }
    ScaledRow(source, last, vectors, order, part, system, state.here);
    ScaledRow(source, 0, vectors, order, part, system, trial.here);
    BeginElimination(&state, system, vectors, part, plan->shares,
                     table->refractory > 0.0 ? refractory : NULL);
    for (int j = 0; j < vectors; j++) {
        trial.sum[j] = system->identity[j];
        trial.last_sum[j] = state.sum[j];
        trial.carry[j] = trial.here[j];
    }
    for (int k = 0; k < last; k++) {
        if (k + 1 + PREFETCH_ROWS < table->nodes) {
            PrefetchRow(source->from + (k + 1 + PREFETCH_ROWS) * source->stride,
                        vectors * VECTOR_LANES);
        }
        ScaledRow(source, k + 1, vectors, order, part, system, above);
        for (int j = 0; k + 1 == last && j < vectors; j++) {
            above[j] = system->last[j];
        }
        if (k == table->reset_node) {
            AddReturned(&trial, &state, vectors);
        }
        EliminateUpwards(table, &trial, &state, system, k, vectors, evaluation, part, above);
    }
    if (table->reset_node == last) {
        AddReturned(&trial, &state, vectors);
    }
    for (int j = 0; j < vectors; j++) {
        /* What came up includes the last node's own density, whose content has partly left it. */
        const Vector held = trial.carry[j] + (state.carry[j] - system->last[j]);
        const Vector sum = (trial.sum[j] - system->identity[j]) + trial.last_sum[j];
        value[j] = held / sum;
    }
}

/** Rates of a group, those of the step to the bit. */
ENGRAM_INLINE void TryGroup(const Plan *plan, ptrdiff_t first, int vectors, int order,
                            Evaluation evaluation, ExplicitPart part)
{
    RowSource source;
    LaneSystem system;
    Vector value[MOST_VECTORS];
    BeginSource(plan, first, vectors, order, &source);
    BeginSystem(plan, first, vectors, evaluation, &system);
    FindLastValues(plan, &source, &system, vectors, order, evaluation, part, value);
    for (int j = 0; j < vectors; j++) {
        const ptrdiff_t at = first + j * VECTOR_LANES;
        VectorStore(plan->results->firing_rate + at, RateOf(plan, at, &system, j, value[j]));
    }
}

ENGRAM_GROUP_FORMS(TryGroup, 0)
ENGRAM_GROUP_FORMS(TryGroup, 1)
ENGRAM_GROUP_FORMS(TryGroup, 2)

static const GroupForms FORMS[] = {ENGRAM_FORMS_OF(TryGroup, 0), ENGRAM_FORMS_OF(TryGroup, 1),
                                   ENGRAM_FORMS_OF(TryGroup, 2)};

void EngramSliceStepTry(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const EngramSliceStep *step, const double *from, double *work,
                        const EngramSliceResults *results)
{
    Plan plan = MakePlan(table, slices, stride, step, from, NULL, work, results);
    WorkOnGroups(&plan, FORMS);
}
