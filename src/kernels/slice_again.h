/**
 * @file slice_again.h
 * What a step makes of a vector of slices in the end: the outcome of the sweeps, and a second solve
 * of slices that need one.
 *
 * Those have become negative because lambda is below 2 kappa and their data are rough. That is
 * decided for a slice by itself, from its own numbers: other slices and ranks never see it. The
 * rate stays that of the first solve: it depends on the data alone, and not on which slices are
 * solved again.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_AGAIN_H
#define ENGRAM_SRC_KERNELS_SLICE_AGAIN_H

#include "slice_plan.h"

/** What is found of a vector of slices. */
typedef struct SliceOutcome {
    Vector last;       /* density of the last node, by the first solve */
    Vector total;      /* sum over the nodes */
    Vector least;      /* smallest value */
    Vector refractory; /* content over h */
} SliceOutcome;

/** P of a vector of slices, rho that of the plan. */
typedef struct OldRows {
    const double *first;
    ptrdiff_t stride;
} OldRows;

/** N of vector j, whose last node becomes `value`; zero where rough data make it negative in a
 * short step. A NaN is kept. */
ENGRAM_INLINE Vector RateOf(const Plan *plan, ptrdiff_t at, const LaneSystem *system, int j,
                            Vector value)
{
    const EngramFaceTable *table = plan->table;
    const double *slope = plan->step->threshold_slope;
    const Vector weight = VectorLoad(plan->results->threshold_rate + at);
    const Vector before = system->rho[j] * system->last[j];
    const Vector rate = slope ? table->noise * VectorLoad(slope + at) : weight * before;
    const Vector found = RateOverStep(system->chi[j] * (table->kappa / plan->step->lambda), weight,
                                      before, value, rate);
    return plan->may_fail ? VectorChoose(found < 0.0, VectorOf(0.0), found) : found;
}

ENGRAM_INLINE SliceOutcome OutcomeOf(const Plan *plan, const LaneSystem *system, int j,
                                     const Substitution *found, Vector refractory)
{
    const Vector chi = system->chi[j];
    const Vector rho = system->rho[j];
    const Vector last = system->last[j];
    const Vector value = found->value[j];
    const Vector inflow = system->outflow[j] * VectorMultiplyAdd(chi, last, value);
    return (SliceOutcome){.last = value,
                          .total = found->total[j],
                          .least = found->least[j],
                          .refractory = plan->shares.waiting * (rho * (refractory + inflow))};
}

/** Solves the slices of a vector with weights for any drift and the chi of each. */
static inline SliceOutcome SolveAgain(const Plan *plan, ptrdiff_t at, const OldRows *old,
                                      Vector chi)
{
    const EngramFaceTable *table = plan->table;
    const int last = table->nodes - 1;
    LaneSystem system;
    Elimination state;
    Substitution found;
    BeginSystem(plan, at, 1, EVALUATE_ANY, &system);
    SetChi(plan, &system, 0, chi);
    const Vector rescale = system.rescale[0];
    const int has_refractory = table->refractory > 0.0;
    const Vector refractory = has_refractory
                                  ? rescale * VectorLoad(old->first + (last + 1) * old->stride)
                                  : VectorOf(0.0);
    state.here[0] = rescale * VectorLoad(old->first + last * old->stride);
    BeginElimination(&state, &system, 1, EXPLICIT_SHARE, plan->shares,
                     has_refractory ? &refractory : NULL);
    for (int k = last; k >= 1; k--) {
        const Vector below = rescale * VectorLoad(old->first + (k - 1) * old->stride);
        if (k == table->reset_node) {
            ReturnToReset(&state, 1);
        }
        EliminateNode(table, &state, &system, k, 1, EVALUATE_ANY, EXPLICIT_SHARE,
                      k > table->reset_node, &below, plan->work.values + k * VECTOR_LANES,
                      plan->work.again + k * VECTOR_LANES);
    }
    if (table->reset_node == 0) {
        ReturnToReset(&state, 1);
    }
    BeginSubstitution(&found, &state, 1, plan->work.values);
    for (int k = 1; k < last; k++) {
        SubstituteNode(&found, 1, plan->work.again + k * VECTOR_LANES,
                       plan->work.values + k * VECTOR_LANES);
        if (EndsBlock(k, table->nodes)) {
            CloseBlock(&found, 1);
        }
    }
    SubstituteLast(&found, &system, 1, plan->work.again + last * VECTOR_LANES,
                   plan->work.values + last * VECTOR_LANES);
    CloseBlock(&found, 1);
    return OutcomeOf(plan, &system, 0, &found, refractory);
}

/** Solves the slices of a mask again and takes over their densities. */
static inline void Replace(const Plan *plan, ptrdiff_t at, const OldRows *old, VectorBits mask,
                           Vector chi, SliceOutcome *outcome)
{
    const SliceOutcome other = SolveAgain(plan, at, old, chi);
    for (int k = 0; k < plan->table->nodes; k++) {
        double *row = plan->to + k * plan->stride + at;
        const Vector value = VectorLoad(plan->work.values + k * VECTOR_LANES);
        VectorStore(row, VectorChoose(mask, value, VectorLoad(row)));
    }
    outcome->total = VectorChoose(mask, other.total, outcome->total);
    outcome->least = VectorChoose(mask, other.least, outcome->least);
    outcome->refractory = VectorChoose(mask, other.refractory, outcome->refractory);
}

/** Slices that are negative in more than tails without weight. */
static inline VectorBits AreNegative(const Plan *plan, const SliceOutcome *outcome)
{
    const Vector bound = outcome->total * (-NEGATIVE_PART / plan->table->nodes);
    return (outcome->least < bound) | (outcome->refractory < bound);
}

/** Puts negative tails to zero and scales the slice to its mass; others keep their bits. */
static inline void ClampTails(const Plan *plan, ptrdiff_t at, SliceOutcome *outcome)
{
    const Vector zero = VectorOf(0.0);
    const VectorBits is_negative = (outcome->least < zero) | (outcome->refractory < zero);
    if (!VectorAny(is_negative)) {
        return;
    }
    Vector positive = zero;
    for (int k = 0; k < plan->table->nodes; k++) {
        positive += VectorLarger(VectorLoad(plan->to + k * plan->stride + at), zero);
    }
    /* A negative flux leaves a negative refractory state where that was empty. */
    const Vector kept = outcome->total + VectorSmaller(outcome->refractory, zero);
    const Vector scale = VectorChoose(is_negative, kept / positive, VectorOf(1.0));
    Vector total = zero;
    Vector block = zero;
    for (int k = 0; k < plan->table->nodes; k++) {
        double *row = plan->to + k * plan->stride + at;
        const Vector old = VectorLoad(row);
        const Vector value = VectorChoose(is_negative, scale * VectorLarger(old, zero), old);
        VectorStore(row, value);
        block += value;
        if (EndsBlock(k, plan->table->nodes)) {
            total += block;
            block = zero;
        }
    }
    outcome->total = VectorChoose(is_negative, total, outcome->total);
    outcome->least =
        VectorChoose(is_negative, scale * VectorLarger(outcome->least, zero), outcome->least);
    outcome->refractory = VectorChoose(outcome->refractory < zero, zero, outcome->refractory);
}

/** Solves again what must be, and puts tails to zero. */
ENGRAM_SELDOM void RepairSlices(const Plan *plan, ptrdiff_t at, const OldRows *old, Vector chi,
                                SliceOutcome *outcome)
{
    const VectorBits negative = AreNegative(plan, outcome);
    if (VectorAny(negative)) {
        const Vector half = VectorOf(0.5 * plan->step->lambda / plan->table->kappa);
        Replace(plan, at, old, negative, VectorSmaller(chi, half), outcome);
    }
    ClampTails(plan, at, outcome);
}

#endif
