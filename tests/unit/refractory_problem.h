/**
 * @file refractory_problem.h
 * The slices of slice_problem.h with a refractory state, whose content is one more row.
 */
#ifndef ENGRAM_TESTS_REFRACTORY_PROBLEM_H
#define ENGRAM_TESTS_REFRACTORY_PROBLEM_H

#include "slice_problem.h"

/** Gives the slices a refractory state; rhs and solution are made anew, exactly large enough. */
static inline void RefractoryProblemSet(SliceProblem *problem, double refractory)
{
    EngramFaceTableSetRefractory(&problem->table, refractory);
    const ptrdiff_t count = EngramFaceTableRows(&problem->table) * problem->stride;
    free(problem->rhs);
    free(problem->solution);
    problem->rhs = UnitAllocate(count);
    problem->solution = UnitAllocate(count);
}

/** Fills the problem at random, its last row included. */
static inline void RefractoryProblemFill(SliceProblem *problem, UnitRandom *random)
{
    const ptrdiff_t nodes = problem->table.nodes;
    SliceProblemFill(problem, random);
    if (problem->table.refractory > 0.0) {
        for (ptrdiff_t i = 0; i < problem->stride; i++) {
            const double size = i % 5 ? 1.0 : 1e-12;
            problem->rhs[nodes * problem->stride + i] =
                i % 4 ? size * UnitRandomBetween(random, 0.0, 3.0) : 0.0;
        }
    }
}

/** Sum over all rows of one slice. */
static inline long double RefractorySum(const SliceProblem *problem, const double *density,
                                        ptrdiff_t slice)
{
    long double sum = SliceSum(problem, density, slice);
    if (problem->table.refractory > 0.0) {
        sum += (long double)density[problem->table.nodes * problem->stride + slice];
    }
    return sum;
}

#endif
