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

/** Content of the old rows, as the new ones should have it. */
static inline Vector ContentOfRows(const Plan *plan, const OldRows *old)
{
    const int nodes = plan->table->nodes;
    Vector total = VectorOf(0.0);
    Vector block = VectorOf(0.0);
    for (int k = 0; k < nodes; k++) {
        block += VectorLoad(old->first + k * old->stride);
        if (EndsBlock(k, nodes)) {
            total += block;
            block = VectorOf(0.0);
        }
    }
    if (plan->table->refractory > 0.0) {
        total += VectorLoad(old->first + nodes * old->stride);
    }
    return plan->rho * total;
}

/**
 * What a vector of slices lacks of the mass of its old rows, relative. Where that is known as a sum
 * like the new one, a slice at rest lacks nothing: no error adds up.
 */
static inline Vector MissingMass(const Plan *plan, ptrdiff_t at, const OldRows *old, Vector total)
{
    const double spacing = plan->table->spacing;
    const double *mass = plan->step->mass;
    const Vector found = spacing * total;
    const Vector wanted = mass ? VectorLoad(mass + at) : spacing * ContentOfRows(plan, old);
    const Vector missing = (wanted - found) / found;
    return mass ? missing - plan->step->excess : missing;
}

/** Scales a vector of slices to the mass of their old rows. */
ENGRAM_SELDOM void CloseSlices(const Plan *plan, ptrdiff_t at, const OldRows *old,
                               SliceOutcome *outcome)
{
    const int nodes = plan->table->nodes;
    const int has_refractory = plan->table->refractory > 0.0;
    const Vector missing = MissingMass(
        plan, at, old, has_refractory ? outcome->total + outcome->refractory : outcome->total);
    const VectorBits is_rounding = VectorMagnitude(missing) < MOST_ROUNDINGS * DBL_EPSILON * nodes;
    const Vector part = VectorChoose(is_rounding, missing, VectorOf(0.0));
    Vector total = VectorOf(0.0);
    Vector block = VectorOf(0.0);
    for (int k = 0; k < nodes; k++) {
        double *row = plan->to + k * plan->stride + at;
        const Vector value = VectorLoad(row);
        const Vector closed = VectorMultiplyAdd(part, value, value);
        VectorStore(row, closed);
        block += closed;
        if (EndsBlock(k, nodes)) {
            total += block;
            block = VectorOf(0.0);
        }
    }
    outcome->total = total;
    outcome->least = VectorMultiplyAdd(part, outcome->least, outcome->least);
    outcome->rate = VectorMultiplyAdd(part, outcome->rate, outcome->rate);
    outcome->refractory = VectorMultiplyAdd(part, outcome->refractory, outcome->refractory);
}

#endif
