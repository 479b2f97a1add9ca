/**
 * The implicit step with a refractory state: against the product with its matrix, mass and
 * positivity, the limits of a short stay and of a long step, and bits that do not depend on a
 * slice's place.
 */
#include "refractory_problem.h"

#include <float.h>

#include "engram/kernels/slice_matrix.h"

enum { NODES = 53, ROWS = NODES + 1, TRIALS = 48 };

/* The last one is too small for the polynomials. */
static const double NOISES[3] = {1.0, 0.02, 1e-4};
static const int RESETS[4] = {0, 40, NODES - 2, NODES - 1};
static const double TAUS[4] = {1e-3, 0.3, 40.0, 1e9};
static const double LAMBDAS[5] = {1e-4, 0.02, 1.0, 50.0, 1e4};

/** Random slices of one of 48 kinds: all noises, reset nodes and fluxes, and two stays each. */
static SliceProblem Create(int trial, ptrdiff_t slices, double tau)
{
    const SliceGrid grid = {NODES, RESETS[trial % 4], -4.0, 2.0, NOISES[trial / 4 % 3]};
    UnitRandom random = {(uint64_t)trial};
    SliceProblem problem = SliceProblemCreate(grid, slices, SlicePadded(slices));
    problem.table.flux = trial / 12 % 2 ? ENGRAM_FLUX_HARMONIC : ENGRAM_FLUX_SCHARFETTER_GUMMEL;
    RefractoryProblemSet(&problem, tau);
    RefractoryProblemFill(&problem, &random);
    return problem;
}

static double TauOf(int trial)
{
    return TAUS[(trial + trial / 12) % 4];
}

/** A matrix whose arrays the caller frees with DestroyMatrix. */
static EngramSliceMatrix CreateMatrix(const SliceProblem *problem, double lambda)
{
    EngramSliceMatrix matrix = {
        .table = &problem->table, .slices = problem->slices, .stride = problem->stride};
    matrix.up = UnitAllocate(NODES * problem->stride);
    matrix.down = UnitAllocate(NODES * problem->stride);
    matrix.kappa = UnitAllocate(problem->stride);
    matrix.content = UnitAllocate(problem->stride);
    EngramSliceMatrixFill(&matrix, lambda, problem->drift);
    return matrix;
}

static void DestroyMatrix(EngramSliceMatrix *matrix)
{
    free(matrix->up);
    free(matrix->down);
    free(matrix->kappa);
    free(matrix->content);
}

/** The product differs from that without the state by what enters it and what leaves it. */
static void ExpectProduct(const SliceProblem *problem, double lambda)
{
    const ptrdiff_t stride = problem->stride;
    const int reset = problem->table.reset_node;
    EngramFaceTable bare = problem->table;
    double *with = UnitAllocate(ROWS * stride);
    double *without = UnitAllocate(NODES * stride);
    EngramFaceTableSetRefractory(&bare, 0.0);
    EngramSliceMatrix matrix = CreateMatrix(problem, lambda);
    EngramSliceMatrixMultiply(&matrix, problem->rhs, with);
    matrix.table = &bare;
    EngramSliceMatrixMultiply(&matrix, problem->rhs, without);
    for (ptrdiff_t i = 0; i < problem->slices; i++) {
        const double waiting = problem->rhs[NODES * stride + i];
        const double fired =
            matrix.up[(NODES - 1) * stride + i] * problem->rhs[(NODES - 1) * stride + i];
        const double left = lambda / problem->table.refractory * waiting;
        const double size = fabs(without[reset * stride + i]) + fired + left + waiting;
        const double change = with[reset * stride + i] - without[reset * stride + i];
        UNIT_ASSERT_AT_MOST(fabs(change - fired + left), 8.0 * DBL_EPSILON * size);
        const double entry = with[NODES * stride + i];
        UNIT_ASSERT_AT_MOST(fabs(entry - (waiting + left - fired)), 4.0 * DBL_EPSILON * size);
        for (int k = 0; k < NODES; k++) {
            if (k != reset) {
                UNIT_ASSERT_SAME_BITS(with[k * stride + i], without[k * stride + i]);
            }
        }
    }
    DestroyMatrix(&matrix);
    free(with);
    free(without);
}

static void TestProduct(void **state)
{
    (void)state;
    for (int trial = 0; trial < TRIALS; trial++) {
        SliceProblem problem = Create(trial, 13, TauOf(trial));
        ExpectProduct(&problem, LAMBDAS[trial % 5]);
        SliceProblemDestroy(&problem);
    }
}

/** Magnitudes of the terms of a row's product, which its round-off is measured by. */
static double SizeOfTerms(const EngramSliceMatrix *matrix, const double *x, int k, ptrdiff_t i)
{
    const ptrdiff_t stride = matrix->stride;
    const double waiting = x[NODES * stride + i];
    const double last = x[(NODES - 1) * stride + i];
    if (k == NODES) {
        return (1.0 + matrix->leaving) * waiting + fabs(EngramSliceMatrixSpike(matrix, i) * last);
    }
    const EngramSliceRow row = EngramSliceMatrixRow(matrix, k, i);
    double size = row.diagonal * x[k * stride + i];
    size += k > 0 ? fabs(row.left * x[(k - 1) * stride + i]) : 0.0;
    size += k < NODES - 1 ? fabs(row.right * x[(k + 1) * stride + i]) : 0.0;
    size += k == matrix->table->reset_node ? matrix->leaving * waiting : 0.0;
    return size;
}

/** The matrix takes the solution back to the right-hand side, row by row. */
static void ExpectInverse(SliceProblem *problem, double lambda)
{
    EngramSliceMatrix matrix = CreateMatrix(problem, lambda);
    double *product = UnitAllocate(ROWS * problem->stride);
    SliceProblemSolve(problem, lambda);
    EngramSliceMatrixMultiply(&matrix, problem->solution, product);
    for (int k = 0; k < ROWS; k++) {
        for (ptrdiff_t i = 0; i < problem->slices; i++) {
            const ptrdiff_t here = k * problem->stride + i;
            const double size = SizeOfTerms(&matrix, problem->solution, k, i) + 1e-280;
            UNIT_ASSERT_AT_MOST(fabs(product[here] - problem->rhs[here]) / size, 5e-15);
        }
    }
    free(product);
    DestroyMatrix(&matrix);
}

static void TestEliminationIsTheInverse(void **state)
{
    (void)state;
    for (int trial = 0; trial < TRIALS; trial++) {
        SliceProblem problem = Create(trial, 41, TauOf(trial));
        for (int i = 0; i < 5; i++) {
            ExpectInverse(&problem, LAMBDAS[i]);
        }
        SliceProblemDestroy(&problem);
    }
}

/** Mass with the refractory state, positivity, and what is reported. */
static void ExpectSlice(const SliceProblem *problem, ptrdiff_t i)
{
    const EngramSliceResults *results = &problem->results;
    const long double before = RefractorySum(problem, problem->rhs, i);
    const long double after = RefractorySum(problem, problem->solution, i);
    const long double density = (long double)problem->table.spacing * after;
    double smallest = INFINITY;
    for (int k = 0; k < ROWS; k++) {
        const double value = problem->solution[k * problem->stride + i];
        UNIT_ASSERT_BETWEEN(value, 0.0, DBL_MAX);
        smallest = k < NODES ? fmin(smallest, value) : smallest;
    }
    UNIT_ASSERT_AT_MOST(fabsl(after - before), 2e-14L * before);
    UNIT_ASSERT_AT_MOST(fabsl((long double)results->weight_density[i] - density), 4e-15L * density);
    UNIT_ASSERT_SAME_BITS(results->minimum[i], smallest);
    UNIT_ASSERT_SAME_BITS(results->firing_rate[i],
                          results->threshold_rate[i] *
                              problem->solution[(NODES - 1) * problem->stride + i]);
}

/** Steps of one problem, all slices of which are looked at. */
static void ExpectSlices(SliceProblem *problem, double lambda)
{
    SliceProblemSolve(problem, lambda);
    for (ptrdiff_t i = 0; i < problem->slices; i++) {
        ExpectSlice(problem, i);
    }
}

/** For any step, however long; an empty slice stays empty. */
static void TestMassAndPositivityForAnyLambda(void **state)
{
    (void)state;
    const double lambdas[8] = {1e-200, 1e-9, 1e-3, 1.0, 1e5, 1e16, 1e100, 1e200};
    for (int trial = 0; trial < TRIALS; trial++) {
        SliceProblem problem = Create(trial, 43, TauOf(trial));
        for (int k = 0; k < ROWS; k++) {
            problem.rhs[k * problem.stride + 5] = 0.0;
        }
        for (int n = 0; n < 8; n++) {
            ExpectSlices(&problem, lambdas[n]);
            UNIT_ASSERT_SAME_BITS(problem.results.weight_density[5], 0.0);
        }
        SliceProblemDestroy(&problem);
    }
}

/** For drifts far beyond the axis, also beyond the range of the polynomials. */
static void TestFarDrifts(void **state)
{
    (void)state;
    const double lambdas[4] = {1e-4, 1.0, 1e16, 1e140};
    const double drifts[8] = {-1e6, -1e4, -1e3, -1e2, 1e2, 1e3, 1e4, 1e6};
    for (int trial = 0; trial < TRIALS; trial++) {
        SliceProblem problem = Create(trial, 8, TauOf(trial));
        memcpy(problem.drift, drifts, sizeof(drifts));
        for (int n = 0; n < 4; n++) {
            ExpectSlices(&problem, lambdas[n]);
        }
        SliceProblemDestroy(&problem);
    }
}

/** The excess is taken out of the refractory state, too. */
static void TestExcessIsTakenOut(void **state)
{
    (void)state;
    const double excess = 1e-10;
    SliceProblem problem = Create(1, 43, 40.0);
    SliceProblemStep(&problem, 1.0, excess, problem.rhs, problem.solution);
    for (ptrdiff_t i = 0; i < problem.slices; i++) {
        const long double before = RefractorySum(&problem, problem.rhs, i);
        const long double after = RefractorySum(&problem, problem.solution, i);
        UNIT_ASSERT_AT_MOST(fabsl(after / before - (1.0L - (long double)excess)), 4e-15);
    }
    SliceProblemDestroy(&problem);
}

/** Round-off must not add up over many steps. */
static void TestMassAfterManySteps(void **state)
{
    (void)state;
    for (int trial = 1; trial < 12; trial += 4) {
        UnitRandom random = {7};
        SliceProblem problem = Create(trial, 8, 0.3);
        long double masses[8];
        for (int i = 0; i < 8; i++) {
            masses[i] = RefractorySum(&problem, problem.rhs, i);
        }
        EngramSliceMeasure(&problem.table, 8, problem.stride, problem.rhs, &problem.results);
        for (int step = 0; step < 10000; step++) {
            double *old = problem.rhs;
            const EngramSliceStep taken = {.lambda = step % 2 ? 0.02 : 3.0,
                                           .drift = problem.drift,
                                           .mass = problem.results.weight_density};
            EngramSliceStepTake(&problem.table, 8, problem.stride, &taken, old, problem.solution,
                                problem.work, &problem.results);
            problem.rhs = problem.solution;
            problem.solution = old;
            problem.drift[step % 8] = UnitRandomBetween(&random, -2.0, 4.0);
        }
        for (int i = 0; i < 8; i++) {
            const long double mass = RefractorySum(&problem, problem.rhs, i);
            UNIT_ASSERT_AT_MOST(fabsl(mass / masses[i] - 1.0L), 1e-13);
        }
        SliceProblemDestroy(&problem);
    }
}

/** A stay too short to matter: what waits is put back at once, and the rest is as without it. */
static void TestShortStay(void **state)
{
    (void)state;
    for (int trial = 0; trial < TRIALS; trial++) {
        SliceProblem problem = Create(trial, 41, 1e-12);
        SliceProblem bare = Create(trial, 41, 0.0);
        const ptrdiff_t stride = bare.stride;
        for (ptrdiff_t i = 0; i < stride; i++) {
            bare.rhs[bare.table.reset_node * stride + i] += problem.rhs[NODES * stride + i];
        }
        SliceProblemSolve(&problem, 1.0);
        SliceProblemSolve(&bare, 1.0);
        for (ptrdiff_t i = 0; i < NODES * stride; i++) {
            const double expected = bare.solution[i];
            UNIT_ASSERT_AT_MOST(fabs(problem.solution[i] - expected), 1e-9 * expected + 1e-280);
        }
        SliceProblemDestroy(&problem);
        SliceProblemDestroy(&bare);
    }
}

/** After a long step the state holds tau N, with N = H r/(1 + tau r) of neurons that fire at r. */
static void TestSteadyState(void **state)
{
    (void)state;
    for (int trial = 0; trial < TRIALS; trial++) {
        const double tau = TAUS[trial % 3];
        SliceProblem problem = Create(trial, 41, tau);
        SliceProblem bare = Create(trial, 41, 0.0);
        const double spacing = problem.table.spacing;
        SliceProblemSolve(&problem, 1e60);
        EngramSliceQuasiStatic(&bare.table, 41, bare.stride, bare.drift, bare.rhs, NULL, bare.work,
                               &bare.results);
        for (ptrdiff_t i = 0; i < 41; i++) {
            const double mass = spacing * (double)RefractorySum(&problem, problem.rhs, i);
            const double rate = bare.results.threshold_rate[i];
            const double fired = mass * rate / (1.0 + tau * rate);
            const double waiting = spacing * problem.solution[NODES * problem.stride + i];
            UNIT_ASSERT_AT_MOST(fabs(problem.results.firing_rate[i] - fired),
                                2e-14 * fired + 1e-45);
            UNIT_ASSERT_AT_MOST(fabs(waiting - tau * fired), 2e-14 * tau * fired + 1e-45);
        }
        SliceProblemDestroy(&problem);
        SliceProblemDestroy(&bare);
    }
}

/** Asked for the rates alone, it agrees with the whole solution and leaves all else untouched. */
static void ExpectRatesAlone(SliceProblem *problem, double lambda)
{
    double *expected = UnitAllocate(problem->stride);
    double *threshold = UnitAllocate(problem->stride);
    const size_t size = (size_t)problem->stride * sizeof(double);
    SliceProblemSolve(problem, lambda);
    memcpy(expected, problem->results.firing_rate, size);
    memcpy(threshold, problem->results.threshold_rate, size);
    for (ptrdiff_t i = 0; i < problem->stride; i++) {
        problem->results.weight_density[i] = -7.0;
        problem->results.minimum[i] = -7.0;
        problem->results.threshold_rate[i] = -7.0;
    }
    SliceProblemStep(problem, lambda, 0.0, problem->rhs, NULL);
    for (ptrdiff_t i = 0; i < problem->slices; i++) {
        const double rate = problem->results.firing_rate[i];
        UNIT_ASSERT_AT_MOST(fabs(rate - expected[i]), 1e-13 * expected[i]);
        UNIT_ASSERT_SAME_BITS(problem->results.threshold_rate[i], threshold[i]);
        UNIT_ASSERT_SAME_BITS(problem->results.weight_density[i], -7.0);
        UNIT_ASSERT_SAME_BITS(problem->results.minimum[i], -7.0);
    }
    free(expected);
    free(threshold);
}

static void TestRatesAlone(void **state)
{
    (void)state;
    const double lambdas[5] = {1e-6, 0.1, 10.0, 1e8, 1e200};
    for (int trial = 0; trial < TRIALS; trial++) {
        SliceProblem problem = Create(trial, 43, trial % 3 ? TauOf(trial) : 0.0);
        for (int n = 0; n < 5; n++) {
            ExpectRatesAlone(&problem, lambdas[n]);
        }
        SliceProblemDestroy(&problem);
    }
}

/** The measures of a density with a refractory state are those that the elimination reports. */
static void TestMeasuresOfADensity(void **state)
{
    (void)state;
    for (int trial = 0; trial < TRIALS; trial++) {
        SliceProblem problem = Create(trial, 43, TauOf(trial));
        SliceProblem other = Create(trial, 43, TauOf(trial));
        SliceProblemSolve(&problem, 0.3);
        EngramSliceThresholdRates(&problem.table, 43, problem.drift, other.results.threshold_rate);
        EngramSliceMeasure(&problem.table, 43, problem.stride, problem.solution, &other.results);
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

/** Slices `first` and following of all, solved together in place, are those solved one by one. */
static void ExpectSameTogether(const SliceProblem *all, int trial, ptrdiff_t slices,
                               ptrdiff_t first)
{
    SliceProblem problem = Create(trial, slices, all->table.refractory);
    for (ptrdiff_t i = 0; i < slices; i++) {
        problem.drift[i] = all->drift[first + i];
        for (int k = 0; k < ROWS; k++) {
            problem.solution[k * problem.stride + i] = all->rhs[k * all->stride + first + i];
        }
    }
    SliceProblemStep(&problem, 0.3, 0.0, problem.solution, problem.solution);
    for (ptrdiff_t i = 0; i < slices; i++) {
        for (int k = 0; k < ROWS; k++) {
            UNIT_ASSERT_SAME_BITS(problem.solution[k * problem.stride + i],
                                  all->solution[k * all->stride + first + i]);
        }
        UNIT_ASSERT_SAME_BITS(problem.results.firing_rate[i], all->results.firing_rate[first + i]);
        UNIT_ASSERT_SAME_BITS(problem.results.weight_density[i],
                              all->results.weight_density[first + i]);
        UNIT_ASSERT_SAME_BITS(problem.results.minimum[i], all->results.minimum[first + i]);
    }
    SliceProblemDestroy(&problem);
}

/** In any number and place, and in place. */
static void TestBitsDoNotDependOnThePlace(void **state)
{
    (void)state;
    const int trials[4] = {1, 9, 13, 21};
    for (int n = 0; n < 4; n++) {
        SliceProblem all = Create(trials[n], 80, 0.3);
        SliceProblemSolve(&all, 0.3);
        for (ptrdiff_t slices = 1; slices <= 70; slices++) {
            ExpectSameTogether(&all, trials[n], slices, slices % 11);
        }
        SliceProblemDestroy(&all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestProduct),
        cmocka_unit_test(TestEliminationIsTheInverse),
        cmocka_unit_test(TestMassAndPositivityForAnyLambda),
        cmocka_unit_test(TestFarDrifts),
        cmocka_unit_test(TestExcessIsTakenOut),
        cmocka_unit_test(TestMassAfterManySteps),
        cmocka_unit_test(TestShortStay),
        cmocka_unit_test(TestSteadyState),
        cmocka_unit_test(TestRatesAlone),
        cmocka_unit_test(TestMeasuresOfADensity),
        cmocka_unit_test(TestBitsDoNotDependOnThePlace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
