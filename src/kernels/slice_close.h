/**
 * @file slice_close.h
 * The mass of slices after a long step.
 *
 * Where lambda is large a slice comes close to its quasi-static state, whose size the last pivot
 * alone decides; the rounding errors of all nodes are in it. The mass of the old rows tells it
 * better.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_CLOSE_H
#define ENGRAM_SRC_KERNELS_SLICE_CLOSE_H

#include <float.h>

#include "slice_again.h"

/* More than so many roundings a node are no rounding errors. */
#define MOST_ROUNDINGS 4.0

/* Vectors that share a line of the cache: rows are scaled line by line. */
enum { LINE_VECTORS = ENGRAM_SLICE_PADDING / VECTOR_LANES };

/** Sums of the old rows of a group. */
typedef struct OldContent {
    Vector total[MOST_VECTORS];
    Vector block[MOST_VECTORS];
} OldContent;

/** Adds P of row k. */
ENGRAM_INLINE void AddOldRow(OldContent *content, int k, int vectors, const Vector *value)
{
    for (int j = 0; j < vectors; j++) {
        content->block[j] += value[j];
        if (k % SUM_BLOCK == 0) {
            content->total[j] += content->block[j];
            content->block[j] = VectorOf(0.0);
        }
    }
}

/**
 * What vector j lacks of the mass of its old rows, relative. Where that is known as a sum like the
 * new one, a slice at rest lacks nothing: no error adds up.
 */
ENGRAM_INLINE Vector MissingMass(const Plan *plan, ptrdiff_t at, Vector rho,
                                 const OldContent *content, int j, const SliceOutcome *outcome)
{
    const int has_refractory = plan->table->refractory > 0.0;
    const double spacing = plan->table->spacing;
    const double *mass = plan->step->mass;
    const Vector total = has_refractory ? outcome->total + outcome->refractory : outcome->total;
    const Vector found = spacing * total;
    const Vector old =
        mass ? VectorLoad(mass + at) : spacing * (rho * (content->total[j] + content->block[j]));
    const Vector missing = (old - found) / found;
    return mass ? missing - plan->step->excess : missing;
}

/** Scales the rows of some vectors by 1 + part, and sums them. */
ENGRAM_INLINE void ScaleRows(const Plan *plan, ptrdiff_t at, int vectors, const Vector *part,
                             SliceOutcome *outcomes)
{
    const int nodes = plan->table->nodes;
    Vector total[LINE_VECTORS];
    Vector block[LINE_VECTORS];
    for (int j = 0; j < vectors; j++) {
        total[j] = VectorOf(0.0);
        block[j] = VectorOf(0.0);
    }
    for (int k = 0; k < nodes; k++) {
        double *row = plan->to + k * plan->stride + at;
        ENGRAM_UNROLL
        for (int j = 0; j < vectors; j++) {
            const Vector value = VectorLoad(row + j * VECTOR_LANES);
            const Vector closed = VectorMultiplyAdd(part[j], value, value);
            VectorStore(row + j * VECTOR_LANES, closed);
            block[j] += closed;
        }
        if (EndsBlock(k, nodes)) {
            for (int j = 0; j < vectors; j++) {
                total[j] += block[j];
                block[j] = VectorOf(0.0);
            }
        }
    }
    for (int j = 0; j < vectors; j++) {
        SliceOutcome *outcome = &outcomes[j];
        outcome->total = total[j];
        outcome->least = VectorMultiplyAdd(part[j], outcome->least, outcome->least);
        outcome->last = VectorMultiplyAdd(part[j], outcome->last, outcome->last);
        outcome->refractory = VectorMultiplyAdd(part[j], outcome->refractory, outcome->refractory);
    }
}

ENGRAM_APART void ScaleLine(const Plan *plan, ptrdiff_t at, const Vector *part,
                            SliceOutcome *outcomes)
{
    ScaleRows(plan, at, LINE_VECTORS, part, outcomes);
}

ENGRAM_APART void ScaleVector(const Plan *plan, ptrdiff_t at, const Vector *part,
                              SliceOutcome *outcome)
{
    ScaleRows(plan, at, 1, part, outcome);
}

/** Scales a group of slices, from `first` on, to the mass of their old rows. */
ENGRAM_INLINE void CloseGroup(const Plan *plan, ptrdiff_t first, const LaneSystem *system,
                              const OldContent *content, int vectors, SliceOutcome *outcomes)
{
    const double most = MOST_ROUNDINGS * DBL_EPSILON * plan->table->nodes;
    Vector part[MOST_VECTORS];
    for (int j = 0; j < vectors; j++) {
        const Vector missing =
            MissingMass(plan, first + j * VECTOR_LANES, system->rho[j], content, j, &outcomes[j]);
        part[j] = VectorChoose(VectorMagnitude(missing) < most, missing, VectorOf(0.0));
    }
    int j = 0;
    for (; j + LINE_VECTORS <= vectors; j += LINE_VECTORS) {
        ScaleLine(plan, first + j * VECTOR_LANES, part + j, outcomes + j);
    }
    for (; j < vectors; j++) {
        ScaleVector(plan, first + j * VECTOR_LANES, part + j, outcomes + j);
    }
}

#endif
