/**
 * The bits of a slice do not depend on its place, on the number of slices, on the stride, or on
 * whether the solve is in place: what equal results on any number of ranks rest on.
 */
#include "slice_problem.h"

enum { MOST_SLICES = 70, NODES = 37, GROUPS_OF_SLICES = 9 * ENGRAM_SLICE_PADDING };

static const double LAMBDA = 0.3;

/* The second noise is too small for the polynomials. */
static const double NOISES[2] = {1.0, 1e-3};

static SliceGrid Grid(int kind)
{
    const SliceGrid grid = {NODES, 30, -4.0, 2.0, NOISES[kind]};
    return grid;
}

/** Slice `from` of one problem becomes slice `to` of another one. */
static void CopySlice(const SliceProblem *source, ptrdiff_t from, SliceProblem *target,
                      ptrdiff_t to)
{
    target->drift[to] = source->drift[from];
    for (int k = 0; k < NODES; k++) {
        target->rhs[k * target->stride + to] = source->rhs[k * source->stride + from];
    }
}

/** The solution and all results of slice `here` are those of slice `there` of `expected`. */
static void ExpectSameSlice(const SliceProblem *problem, ptrdiff_t here,
                            const SliceProblem *expected, ptrdiff_t there)
{
    const EngramSliceResults *found = &problem->results;
    const EngramSliceResults *wanted = &expected->results;
    for (int k = 0; k < NODES; k++) {
        UNIT_ASSERT_SAME_BITS(problem->solution[k * problem->stride + here],
                              expected->solution[k * expected->stride + there]);
    }
    UNIT_ASSERT_SAME_BITS(found->threshold_rate[here], wanted->threshold_rate[there]);
    UNIT_ASSERT_SAME_BITS(found->firing_rate[here], wanted->firing_rate[there]);
    UNIT_ASSERT_SAME_BITS(found->weight_density[here], wanted->weight_density[there]);
    UNIT_ASSERT_SAME_BITS(found->minimum[here], wanted->minimum[there]);
}

/** Every slice solved by itself, in the first place of the smallest group. */
static SliceProblem SolveOneByOne(int kind)
{
    UnitRandom random = {11};
    SliceProblem all = SliceProblemCreate(Grid(kind), GROUPS_OF_SLICES, GROUPS_OF_SLICES);
    SliceProblem single = SliceProblemCreate(Grid(kind), 1, ENGRAM_SLICE_PADDING);
    SliceProblemFill(&all, &random);
    for (ptrdiff_t i = 0; i < all.slices; i++) {
        CopySlice(&all, i, &single, 0);
        SliceProblemSolve(&single, LAMBDA);
        for (int k = 0; k < NODES; k++) {
            all.solution[k * all.stride + i] = single.solution[k * single.stride];
        }
        all.results.threshold_rate[i] = single.results.threshold_rate[0];
        all.results.firing_rate[i] = single.results.firing_rate[0];
        all.results.weight_density[i] = single.results.weight_density[0];
        all.results.minimum[i] = single.results.minimum[0];
    }
    SliceProblemDestroy(&single);
    return all;
}

/** `slices` of the given ones, beginning with `first`, at once; `wider` columns of the arrays are
 * not part of any slice. */
static void ExpectSameTogether(const SliceProblem *all, int kind, ptrdiff_t slices, ptrdiff_t first,
                               ptrdiff_t wider)
{
    SliceProblem problem = SliceProblemCreate(Grid(kind), slices, SlicePadded(slices) + wider);
    for (ptrdiff_t i = 0; i < slices; i++) {
        CopySlice(all, (first + i) % GROUPS_OF_SLICES, &problem, i);
    }
    SliceProblemSolve(&problem, LAMBDA);
    for (ptrdiff_t i = 0; i < slices; i++) {
        ExpectSameSlice(&problem, i, all, (first + i) % GROUPS_OF_SLICES);
    }
    SliceProblemDestroy(&problem);
}

static void TestAnyNumberAndPlace(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        SliceProblem all = SolveOneByOne(kind);
        for (ptrdiff_t slices = 1; slices <= MOST_SLICES; slices++) {
            ExpectSameTogether(&all, kind, slices, 0, 0);
            ExpectSameTogether(&all, kind, slices, slices % 13, ENGRAM_SLICE_PADDING);
        }
        SliceProblemDestroy(&all);
    }
}

static void TestInPlace(void **state)
{
    (void)state;
    const ptrdiff_t counts[5] = {1, 8, 24, 32, MOST_SLICES};
    for (int trial = 0; trial < 10; trial++) {
        const int kind = trial / 5;
        const ptrdiff_t slices = counts[trial % 5];
        UnitRandom random = {12};
        SliceProblem apart = SliceProblemCreate(Grid(kind), slices, SlicePadded(slices));
        SliceProblem inside = SliceProblemCreate(Grid(kind), slices, SlicePadded(slices));
        SliceProblemFill(&apart, &random);
        for (ptrdiff_t i = 0; i < slices; i++) {
            CopySlice(&apart, i, &inside, i);
        }
        memcpy(inside.solution, inside.rhs,
               (size_t)(NODES * inside.stride) * sizeof(*inside.solution));
        SliceProblemSolve(&apart, LAMBDA);
        SliceProblemStep(&inside, LAMBDA, 0.0, inside.solution, inside.solution);
        for (ptrdiff_t i = 0; i < slices; i++) {
            ExpectSameSlice(&inside, i, &apart, i);
        }
        SliceProblemDestroy(&apart);
        SliceProblemDestroy(&inside);
    }
}

/** Reads the right-hand side, and leaves it and all that is no slice as it was. */
static void TestTouchesOnlyItsSlices(void **state)
{
    (void)state;
    const ptrdiff_t slices = 41;
    UnitRandom random = {13};
    for (int kind = 0; kind < 2; kind++) {
        SliceProblem problem = SliceProblemCreate(Grid(kind), slices, 64);
        double *before = UnitAllocate(NODES * 64);
        SliceProblemFill(&problem, &random);
        memcpy(before, problem.rhs, NODES * 64 * sizeof(*before));
        for (ptrdiff_t i = 0; i < NODES * 64; i++) {
            problem.solution[i] = -7.0;
        }
        SliceProblemSolve(&problem, LAMBDA);
        assert_memory_equal(before, problem.rhs, NODES * 64 * sizeof(*before));
        for (ptrdiff_t i = 0; i < NODES * 64; i++) {
            assert_true(i % 64 >= slices || problem.solution[i] >= 0.0);
            assert_true(i % 64 < SlicePadded(slices) || problem.solution[i] < 0.0);
        }
        free(before);
        SliceProblemDestroy(&problem);
    }
}

/** A slice full of NaNs, or a huge one, leaves its neighbours alone. */
static void TestSlicesAreIndependent(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        SliceProblem all = SolveOneByOne(kind);
        SliceProblem problem = SliceProblemCreate(Grid(kind), 40, 40);
        for (ptrdiff_t i = 0; i < 40; i++) {
            CopySlice(&all, i, &problem, i);
        }
        for (int k = 0; k < NODES; k++) {
            problem.rhs[k * 40 + 5] = NAN;
            problem.rhs[k * 40 + 38] = 1e300;
        }
        SliceProblemSolve(&problem, LAMBDA);
        for (ptrdiff_t i = 0; i < 40; i++) {
            if (i != 5 && i != 38) {
                ExpectSameSlice(&problem, i, &all, i);
            }
        }
        assert_true(isnan(problem.solution[5]));
        SliceProblemDestroy(&problem);
        SliceProblemDestroy(&all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestAnyNumberAndPlace),
        cmocka_unit_test(TestInPlace),
        cmocka_unit_test(TestTouchesOnlyItsSlices),
        cmocka_unit_test(TestSlicesAreIndependent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
