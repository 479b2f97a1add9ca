/**
 * @file slice_problem.h
 * A set of random voltage slices for the tests of the reacting part: a grid, drifts, densities and
 * the arrays that an elimination needs.
 */
#ifndef ENGRAM_TESTS_SLICE_PROBLEM_H
#define ENGRAM_TESTS_SLICE_PROBLEM_H

#include "unit_support.h"

#include "engram/kernels/slice_step.h"

/** A voltage grid from v_min to the threshold, by its number of unknown nodes. */
typedef struct SliceGrid {
    int nodes;
    int reset_node;
    double v_min;
    double v_threshold;
    double noise;
} SliceGrid;

/** Slices on one grid, and what an elimination reads and writes. */
typedef struct SliceProblem {
    EngramFaceTable table;
    ptrdiff_t slices;
    ptrdiff_t stride;
    double *drift;    /* [stride] */
    double *rhs;      /* [nodes * stride] */
    double *solution; /* [nodes * stride] */
    double *work;
    EngramSliceResults results; /* [stride] each */
} SliceProblem;

/** Slices rounded up to what the elimination works on. */
static inline ptrdiff_t SlicePadded(ptrdiff_t slices)
{
    return (slices + ENGRAM_SLICE_PADDING - 1) / ENGRAM_SLICE_PADDING * ENGRAM_SLICE_PADDING;
}

/** All arrays exactly as large as the contract asks for, so that a sanitizer sees more. */
static inline SliceProblem SliceProblemCreate(SliceGrid grid, ptrdiff_t slices, ptrdiff_t stride)
{
    SliceProblem problem = {.slices = slices, .stride = stride};
    const double spacing = (grid.v_threshold - grid.v_min) / (grid.nodes + 1);
    assert_int_equal(EngramFaceTableCreate(&problem.table, grid.nodes, grid.reset_node, grid.v_min,
                                           spacing, grid.noise, ENGRAM_FLUX_SCHARFETTER_GUMMEL),
                     0);
    problem.drift = UnitAllocate(stride);
    problem.rhs = UnitAllocate(grid.nodes * stride);
    problem.solution = UnitAllocate(grid.nodes * stride);
    problem.work = UnitAllocate((ptrdiff_t)EngramSliceWorkSize(&problem.table));
    problem.results.threshold_rate = UnitAllocate(stride);
    problem.results.firing_rate = UnitAllocate(stride);
    problem.results.weight_density = UnitAllocate(stride);
    problem.results.minimum = UnitAllocate(stride);
    return problem;
}

static inline void SliceProblemDestroy(SliceProblem *problem)
{
    EngramFaceTableDestroy(&problem->table);
    free(problem->drift);
    free(problem->rhs);
    free(problem->solution);
    free(problem->work);
    free(problem->results.threshold_rate);
    free(problem->results.firing_rate);
    free(problem->results.weight_density);
    free(problem->results.minimum);
}

/** Random drifts in [-5, 8), and non-negative densities of very different sizes, some of them 0. */
static inline void SliceProblemFill(SliceProblem *problem, UnitRandom *random)
{
    for (ptrdiff_t i = 0; i < problem->stride; i++) {
        problem->drift[i] = UnitRandomBetween(random, -5.0, 8.0);
    }
    for (ptrdiff_t i = 0; i < problem->table.nodes * problem->stride; i++) {
        const int exponent = UnitRandomBelow(random, 5) ? 0 : -UnitRandomBelow(random, 60);
        const int is_zero = UnitRandomBelow(random, 10) == 0;
        problem->rhs[i] = is_zero ? 0.0 : ldexp(UnitRandomBetween(random, 0.0, 1.0), exponent);
    }
}

/** One step of all slices from a right-hand side; without a solution its rates alone. */
static inline void SliceProblemStep(const SliceProblem *problem, double lambda, double excess,
                                    const double *rhs, double *solution)
{
    const EngramSliceStep step = {.lambda = lambda, .excess = excess, .drift = problem->drift};
    if (solution) {
        EngramSliceStepTake(&problem->table, problem->slices, problem->stride, &step, rhs, solution,
                            problem->work, &problem->results);
    } else {
        EngramSliceStepTry(&problem->table, problem->slices, problem->stride, &step, rhs,
                           problem->work, &problem->results);
    }
}

static inline void SliceProblemSolve(SliceProblem *problem, double lambda)
{
    SliceProblemStep(problem, lambda, 0.0, problem->rhs, problem->solution);
}

/** Sum over the nodes of one slice. */
static inline long double SliceSum(const SliceProblem *problem, const double *density,
                                   ptrdiff_t slice)
{
    long double sum = 0.0L;
    for (int k = 0; k < problem->table.nodes; k++) {
        sum += (long double)density[k * problem->stride + slice];
    }
    return sum;
}

#endif
