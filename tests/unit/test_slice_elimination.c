/**
 * The elimination without subtractions: against a dense solve in long double, mass and positivity
 * for any lambda, and what it reports of the slices.
 */
#include "slice_problem.h"

#include <float.h>

/* The last two have so little noise that slices are beyond the polynomials. */
static const double NOISES[] = {1.0, 0.05, 1e-4, 1e-6};
enum { NOISE_COUNT = sizeof(NOISES) / sizeof(NOISES[0]) };

static const double LAMBDAS[] = {1e-3, 0.1, 1.0, 30.0, 1e4};
enum { LAMBDA_COUNT = sizeof(LAMBDAS) / sizeof(LAMBDAS[0]) };

static SliceGrid GridOf(int nodes, int reset_node, double noise)
{
    const SliceGrid grid = {nodes, reset_node, -4.0, 2.0, noise};
    return grid;
}

/** I + lambda D of one slice with its right-hand side as last column, [nodes * (nodes + 1)]. */
static long double *DenseSystem(const SliceProblem *problem, ptrdiff_t slice, double lambda)
{
    const EngramFaceTable *table = &problem->table;
    const int nodes = table->nodes;
    const int width = nodes + 1;
    const long double spacing = (long double)table->spacing;
    const long double strength =
        (long double)lambda * (long double)table->noise / spacing / spacing;
    long double *a = calloc((size_t)nodes * (size_t)width, sizeof(*a));
    assert_non_null(a);
    for (int k = 0; k < nodes; k++) {
        double up;
        double down;
        EngramFaceWeights(table, k, 1, &problem->drift[slice], &up, &down);
        const int target = k < nodes - 1 ? k + 1 : table->reset_node;
        a[k * width + k] += 1.0L + strength * (long double)up;
        a[target * width + k] -= strength * (long double)up;
        if (k < nodes - 1) {
            a[k * width + k + 1] -= strength * (long double)down;
            a[(k + 1) * width + k + 1] += strength * (long double)down;
        }
        a[k * width + nodes] = (long double)problem->rhs[k * problem->stride + slice];
    }
    return a;
}

static void SwapRows(long double *a, int width, int first, int second)
{
    for (int j = 0; j < width; j++) {
        const long double kept = a[first * width + j];
        a[first * width + j] = a[second * width + j];
        a[second * width + j] = kept;
    }
}

static int PivotRow(const long double *a, int nodes, int column)
{
    int pivot = column;
    for (int i = column + 1; i < nodes; i++) {
        if (fabsl(a[i * (nodes + 1) + column]) > fabsl(a[pivot * (nodes + 1) + column])) {
            pivot = i;
        }
    }
    return pivot;
}

/** Gaussian elimination with partial pivoting; the last column becomes the solution. */
static void SolveDense(long double *a, int nodes)
{
    const int width = nodes + 1;
    for (int k = 0; k < nodes; k++) {
        SwapRows(a, width, k, PivotRow(a, nodes, k));
        for (int i = k + 1; i < nodes; i++) {
            const long double factor = a[i * width + k] / a[k * width + k];
            for (int j = k; factor != 0.0L && j < width; j++) {
                a[i * width + j] -= factor * a[k * width + j];
            }
        }
    }
    for (int k = nodes - 1; k >= 0; k--) {
        for (int j = k + 1; j < nodes; j++) {
            a[k * width + nodes] -= a[k * width + j] * a[j * width + nodes];
        }
        a[k * width + nodes] /= a[k * width + k];
    }
}

/** Largest relative error of an entry of the solution; entries near underflow are left out. */
static double EntrywiseError(const SliceProblem *problem, ptrdiff_t slice, double lambda)
{
    const int nodes = problem->table.nodes;
    long double *dense = DenseSystem(problem, slice, lambda);
    double worst = 0.0;
    SolveDense(dense, nodes);
    for (int k = 0; k < nodes; k++) {
        const long double expected = dense[k * (nodes + 1) + nodes];
        const double value = problem->solution[k * problem->stride + slice];
        if (expected > 1e-290L) {
            worst = UnitWorse(worst, (double)fabsl((long double)value / expected - 1.0L));
        } else {
            worst = UnitWorse(worst, value <= 1e-289 ? 0.0 : 1.0);
        }
    }
    free(dense);
    return worst;
}

/** Relative errors of all slices of a grid, for every lambda. */
static void ExpectEntrywiseAccuracy(SliceGrid grid, double bound)
{
    const ptrdiff_t slices = 11;
    UnitRandom random = {(uint64_t)(grid.nodes + 100 * grid.reset_node)};
    SliceProblem problem = SliceProblemCreate(grid, slices, SlicePadded(slices));
    for (int i = 0; i < LAMBDA_COUNT; i++) {
        SliceProblemFill(&problem, &random);
        SliceProblemSolve(&problem, LAMBDAS[i]);
        for (ptrdiff_t slice = 0; slice < slices; slice++) {
            UNIT_ASSERT_AT_MOST(EntrywiseError(&problem, slice, LAMBDAS[i]), bound);
        }
    }
    SliceProblemDestroy(&problem);
}

static void TestEveryEntryIsAccurate(void **state)
{
    (void)state;
    const int nodes = 41;
    const int resets[] = {0, 1, 17, 33, nodes - 2, nodes - 1};
    for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
        for (int k = 0; k < NOISE_COUNT; k++) {
            ExpectEntrywiseAccuracy(GridOf(nodes, resets[i], NOISES[k]), k < 2 ? 6e-14 : 2e-14);
        }
    }
}

static void TestSmallestGrids(void **state)
{
    (void)state;
    for (int nodes = 2; nodes <= 4; nodes++) {
        for (int reset = 0; reset < nodes; reset++) {
            ExpectEntrywiseAccuracy(GridOf(nodes, reset, 1.0), 6e-14);
            ExpectEntrywiseAccuracy(GridOf(nodes, reset, 1e-3), 2e-14);
        }
    }
}

/** Entries of both signs that cancel but for round-off; in every third slice they do not. */
static void FillWithMixedSigns(SliceProblem *problem)
{
    const int nodes = problem->table.nodes;
    for (ptrdiff_t i = 0; i < problem->stride; i++) {
        double mean = 0.0;
        for (int k = 0; k < nodes; k++) {
            problem->rhs[k * problem->stride + i] = cos(1.7 * k + (double)i);
            mean += cos(1.7 * k + (double)i) / nodes;
        }
        for (int k = 0; k < nodes; k++) {
            problem->rhs[k * problem->stride + i] -= i % 3 ? mean : 0.2;
        }
    }
}

/** Krylov methods hand in vectors whose sum is zero or nearly so: no sum to be scaled to. */
static void TestVectorsOfMixedSign(void **state)
{
    (void)state;
    const int nodes = 41;
    UnitRandom random = {5};
    SliceProblem problem = SliceProblemCreate(GridOf(nodes, 20, 1.0), 40, 40);
    SliceProblemFill(&problem, &random);
    FillWithMixedSigns(&problem);
    SliceProblemSolve(&problem, 0.1);
    for (int i = 0; i < 40; i++) {
        long double *dense = DenseSystem(&problem, i, 0.1);
        SolveDense(dense, nodes);
        for (int k = 0; k < nodes; k++) {
            const long double expected = dense[k * (nodes + 1) + nodes];
            UNIT_ASSERT_AT_MOST(fabsl((long double)problem.solution[k * 40 + i] - expected), 1e-15);
        }
        free(dense);
    }
    SliceProblemDestroy(&problem);
}

/** Relative change of the mass of a slice by one solve. */
static double MassError(const SliceProblem *problem, ptrdiff_t slice)
{
    const long double before = SliceSum(problem, problem->rhs, slice);
    const long double after = SliceSum(problem, problem->solution, slice);
    return (double)fabsl(after / before - 1.0L);
}

/** The excess of earlier steps is taken out of every slice, and nothing becomes negative. */
static void TestExcessIsTakenOut(void **state)
{
    (void)state;
    const double excess = 1e-10;
    UnitRandom random = {11};
    SliceProblem problem = SliceProblemCreate(GridOf(119, 99, 1.0), 40, 40);
    SliceProblemFill(&problem, &random);
    SliceProblemStep(&problem, 0.1, excess, problem.rhs, problem.solution);
    for (ptrdiff_t slice = 0; slice < problem.slices; slice++) {
        const long double before = SliceSum(&problem, problem.rhs, slice);
        const long double after = SliceSum(&problem, problem.solution, slice);
        UNIT_ASSERT_AT_MOST((double)fabsl(after / before - (1.0L - (long double)excess)), 4e-15);
        assert_true(problem.results.minimum[slice] >= 0.0);
    }
    SliceProblemDestroy(&problem);
}

static double SmallestEntry(const SliceProblem *problem, ptrdiff_t slice)
{
    double smallest = INFINITY;
    for (int k = 0; k < problem->table.nodes; k++) {
        const double value = problem->solution[k * problem->stride + slice];
        assert_true(!isnan(value));
        smallest = value < smallest ? value : smallest;
    }
    return smallest;
}

static void TestMassAndPositivityForAnyLambda(void **state)
{
    (void)state;
    UnitRandom random = {6};
    for (int n = 0; n < NOISE_COUNT; n++) {
        SliceProblem problem = SliceProblemCreate(GridOf(239, 199, NOISES[n]), 40, 40);
        for (int exponent = -6; exponent <= 16; exponent++) {
            SliceProblemFill(&problem, &random);
            SliceProblemSolve(&problem, pow(10.0, exponent));
            for (ptrdiff_t slice = 0; slice < problem.slices; slice++) {
                UNIT_ASSERT_AT_MOST(MassError(&problem, slice), 2e-14);
                UNIT_ASSERT_BETWEEN(SmallestEntry(&problem, slice), 0.0, INFINITY);
            }
        }
        SliceProblemDestroy(&problem);
    }
}

/** Round-off of a slice adds up like a random walk, and a run takes it out: after 20000 steps, for
 * drifts that change all the time. */
static void TestMassAfterManySteps(void **state)
{
    (void)state;
    const double noises[2] = {1.0, 1e-3};
    for (int n = 0; n < 2; n++) {
        UnitRandom random = {7};
        SliceProblem problem = SliceProblemCreate(GridOf(29, 24, noises[n]), 8, 8);
        double *masses = UnitAllocate(8);
        SliceProblemFill(&problem, &random);
        for (int i = 0; i < 8; i++) {
            masses[i] = (double)SliceSum(&problem, problem.rhs, i);
        }
        for (int step = 0; step < 20000; step++) {
            double *old = problem.rhs;
            SliceProblemSolve(&problem, step % 2 ? 0.02 : 3.0);
            problem.rhs = problem.solution;
            problem.solution = old;
            problem.drift[step % 8] = UnitRandomBetween(&random, -2.0, 4.0);
        }
        for (int i = 0; i < 8; i++) {
            const double mass = (double)SliceSum(&problem, problem.rhs, i);
            UNIT_ASSERT_AT_MOST(fabs(mass / masses[i] - 1.0), 1e-12);
        }
        free(masses);
        SliceProblemDestroy(&problem);
    }
}

/** What is reported of one slice, against its definition. */
static void ExpectResults(const SliceProblem *problem, ptrdiff_t slice)
{
    const EngramFaceTable *table = &problem->table;
    const EngramSliceResults *results = &problem->results;
    const int last = table->nodes - 1;
    double up;
    double down;
    EngramFaceWeights(table, last, 1, &problem->drift[slice], &up, &down);
    const double rate = table->noise / table->spacing * up;
    const double firing_rate = rate * problem->solution[last * problem->stride + slice];
    const double density = table->spacing * (double)SliceSum(problem, problem->solution, slice);
    UNIT_ASSERT_AT_MOST(fabs(results->threshold_rate[slice] - rate), 4.0 * DBL_EPSILON * rate);
    UNIT_ASSERT_AT_MOST(fabs(results->firing_rate[slice] - firing_rate),
                        4.0 * DBL_EPSILON * firing_rate);
    UNIT_ASSERT_AT_MOST(fabs(results->weight_density[slice] - density), 1e-15 * density);
    UNIT_ASSERT_SAME_BITS(results->minimum[slice], SmallestEntry(problem, slice));
}

static void TestResults(void **state)
{
    (void)state;
    UnitRandom random = {8};
    for (int n = 0; n < NOISE_COUNT; n++) {
        SliceProblem problem = SliceProblemCreate(GridOf(101, 84, NOISES[n]), 43, 48);
        SliceProblemFill(&problem, &random);
        for (ptrdiff_t slice = 0; slice < 43; slice++) {
            problem.rhs[(100 - slice) * 48 + slice] = 1e-3 / 64.0;
        }
        SliceProblemSolve(&problem, 0.01);
        for (ptrdiff_t slice = 0; slice < problem.slices; slice++) {
            assert_true(problem.results.firing_rate[slice] >= 0.0);
            ExpectResults(&problem, slice);
        }
        SliceProblemDestroy(&problem);
    }
}

/** The measures of a density are those that the elimination reports of it, bit for bit. */
static void TestMeasuresOfADensity(void **state)
{
    (void)state;
    UnitRandom random = {9};
    for (int n = 0; n < NOISE_COUNT; n++) {
        SliceProblem problem = SliceProblemCreate(GridOf(101, 84, NOISES[n]), 43, 48);
        SliceProblem other = SliceProblemCreate(GridOf(101, 84, NOISES[n]), 43, 48);
        SliceProblemFill(&problem, &random);
        SliceProblemSolve(&problem, 0.01);
        EngramSliceThresholdRates(&problem.table, 43, problem.drift, other.results.threshold_rate);
        EngramSliceMeasure(&problem.table, 43, 48, problem.solution, &other.results);
        for (ptrdiff_t i = 0; i < 43; i++) {
            const EngramSliceResults *expected = &problem.results;
            const double *last = problem.solution + (problem.table.nodes - 1) * problem.stride;
            UNIT_ASSERT_SAME_BITS(other.results.threshold_rate[i], expected->threshold_rate[i]);
            UNIT_ASSERT_SAME_BITS(other.results.threshold_rate[i] * last[i],
                                  expected->firing_rate[i]);
            UNIT_ASSERT_SAME_BITS(other.results.weight_density[i], expected->weight_density[i]);
            UNIT_ASSERT_SAME_BITS(other.results.minimum[i], expected->minimum[i]);
        }
        SliceProblemDestroy(&problem);
        SliceProblemDestroy(&other);
    }
}

/** Empty slices stay empty, also next to others. */
static void TestZerosStayZeros(void **state)
{
    (void)state;
    const double lambdas[3] = {1e-6, 1.0, 1e16};
    UnitRandom random = {10};
    for (int n = 0; n < 3 * NOISE_COUNT; n++) {
        SliceProblem problem = SliceProblemCreate(GridOf(40, 30, NOISES[n % NOISE_COUNT]), 16, 16);
        SliceProblemFill(&problem, &random);
        for (ptrdiff_t i = 0; i < 40 * 16; i += 2) {
            problem.rhs[i] = 0.0;
        }
        SliceProblemSolve(&problem, lambdas[n / NOISE_COUNT]);
        for (ptrdiff_t i = 0; i < 40 * 16; i++) {
            assert_true(i % 2 == 0 ? UnitBits(problem.solution[i]) == 0
                                   : problem.solution[i] >= 0.0);
        }
        for (ptrdiff_t i = 0; i < 16; i += 2) {
            UNIT_ASSERT_SAME_BITS(problem.results.firing_rate[i], 0.0);
            UNIT_ASSERT_SAME_BITS(problem.results.weight_density[i], 0.0);
            UNIT_ASSERT_SAME_BITS(problem.results.minimum[i], 0.0);
            assert_true(problem.results.weight_density[i + 1] > 0.0);
        }
        SliceProblemDestroy(&problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestEveryEntryIsAccurate),
        cmocka_unit_test(TestSmallestGrids),
        cmocka_unit_test(TestVectorsOfMixedSign),
        cmocka_unit_test(TestExcessIsTakenOut),
        cmocka_unit_test(TestMassAndPositivityForAnyLambda),
        cmocka_unit_test(TestMassAfterManySteps),
        cmocka_unit_test(TestResults),
        cmocka_unit_test(TestMeasuresOfADensity),
        cmocka_unit_test(TestZerosStayZeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
