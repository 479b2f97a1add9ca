/**
 * The quasi-static limit lambda -> infinity of the elimination, and the same state found directly:
 * the firing rate of a neuron in a steady input against its closed form, the Siegert integral.
 */
#include "slice_problem.h"

static const double V_RESET = 1.0;
static const double V_THRESHOLD = 2.0;

/* Low enough for the tails of all cases below: cutting them off is under 1e-9 of the rate. */
static const double V_MIN = -8.0;

/* So large that the old density contributes less than round-off even where the new one is 1e-30. */
static const double LAMBDA = 1e60;

enum { DRIFTS = 5 };
static const double DRIFT[DRIFTS] = {-1.0, 0.0, 1.0, 1.7, 3.0};

/** exp(x^2) (1 + erf x). */
static long double SiegertIntegrand(long double x)
{
    return expl(x * x) * erfcl(-x);
}

/** Rate of one neuron: 1/r = sqrt(pi) times the Siegert integral, by Simpson's rule. */
static double ClosedFormRate(double drift, double noise)
{
    enum { INTERVALS = 4000 };
    const long double scale = sqrtl(2.0L * (long double)noise);
    const long double low = ((long double)V_RESET - (long double)drift) / scale;
    const long double high = ((long double)V_THRESHOLD - (long double)drift) / scale;
    const long double width = (high - low) / INTERVALS;
    long double sum = SiegertIntegrand(low) + SiegertIntegrand(high);
    for (int i = 1; i < INTERVALS; i++) {
        sum += (i % 2 ? 4.0L : 2.0L) * SiegertIntegrand(low + i * width);
    }
    const long double sqrt_pi = 1.7724538509055160273L;
    return (double)(1.0L / (sqrt_pi * sum * width / 3.0L));
}

/** The closed form itself, against published digits. */
static void TestClosedForm(void **state)
{
    (void)state;
    UNIT_ASSERT_AT_MOST(fabs(ClosedFormRate(-1.0, 1.0) - 0.013071346855), 1e-12);
    UNIT_ASSERT_AT_MOST(fabs(ClosedFormRate(0.0, 1.0) - 0.119975965239), 1e-12);
    UNIT_ASSERT_AT_MOST(fabs(ClosedFormRate(1.0, 1.0) - 0.477690275873), 1e-12);
    UNIT_ASSERT_AT_MOST(fabs(ClosedFormRate(3.0, 1.0) - 1.910962330034), 1e-12);
}

/** Slices for all drifts, on `cells` cells between V_MIN and the threshold. */
static SliceProblem ProblemOf(int cells, double noise)
{
    const double spacing = (V_THRESHOLD - V_MIN) / cells;
    const int reset_node = (int)lround((V_RESET - V_MIN) / spacing) - 1;
    const SliceGrid grid = {cells - 1, reset_node, V_MIN, V_THRESHOLD, noise};
    SliceProblem problem = SliceProblemCreate(grid, DRIFTS, ENGRAM_SLICE_PADDING);
    UnitRandom random = {(uint64_t)cells};
    SliceProblemFill(&problem, &random);
    for (int i = 0; i < DRIFTS; i++) {
        problem.drift[i] = DRIFT[i];
    }
    return problem;
}

/** Steady slices, by the elimination. */
static SliceProblem SteadyState(int cells, double noise)
{
    SliceProblem problem = ProblemOf(cells, noise);
    SliceProblemSolve(&problem, LAMBDA);
    return problem;
}

/** Relative errors of the rate for all drifts. */
static void RateErrors(int cells, double noise, double *errors)
{
    SliceProblem problem = SteadyState(cells, noise);
    for (int i = 0; i < DRIFTS; i++) {
        const double rate = problem.results.firing_rate[i] / problem.results.weight_density[i];
        errors[i] = fabs(rate / ClosedFormRate(DRIFT[i], noise) - 1.0);
    }
    SliceProblemDestroy(&problem);
}

/** The same of the state that is found directly, which needs no density for its rates. */
static void DirectRateErrors(int cells, double noise, double *errors)
{
    SliceProblem problem = ProblemOf(cells, noise);
    EngramSliceQuasiStatic(&problem.table, DRIFTS, problem.stride, problem.drift, problem.rhs, NULL,
                           problem.work, &problem.results);
    for (int i = 0; i < DRIFTS; i++) {
        const double rate = problem.results.threshold_rate[i];
        errors[i] = fabs(rate / ClosedFormRate(DRIFT[i], noise) - 1.0);
    }
    SliceProblemDestroy(&problem);
}

/** Second order in h between each two of the grids, and an error bound on the last one. */
static void ExpectSecondOrder(void (*find_errors)(int cells, double noise, double *errors),
                              int cells, double noise, double bound)
{
    enum { GRIDS = 4 };
    double errors[GRIDS][DRIFTS];
    for (int grid = 0; grid < GRIDS; grid++) {
        find_errors(cells << grid, noise, errors[grid]);
    }
    for (int i = 0; i < DRIFTS; i++) {
        for (int grid = 1; grid < GRIDS; grid++) {
            UNIT_ASSERT_BETWEEN(log2(errors[grid - 1][i] / errors[grid][i]), 1.97, 2.03);
        }
        UNIT_ASSERT_AT_MOST(errors[GRIDS - 1][i], bound);
    }
}

static void TestRateIsSecondOrder(void **state)
{
    (void)state;
    ExpectSecondOrder(RateErrors, 160, 1.0, 1e-5);
    ExpectSecondOrder(RateErrors, 320, 0.3, 1e-5);
}

static void TestDirectRateIsSecondOrder(void **state)
{
    (void)state;
    ExpectSecondOrder(DirectRateErrors, 160, 1.0, 1e-5);
    ExpectSecondOrder(DirectRateErrors, 320, 0.3, 1e-5);
}

/** Without noise the rate of a driven neuron is 1/ln((mu - V_R)/(mu - V_F)), and 0 below. */
static void TestRateWithoutNoise(void **state)
{
    (void)state;
    const int cells[2] = {500, 1000};
    double errors[2];
    for (int grid = 0; grid < 2; grid++) {
        SliceProblem problem = SteadyState(cells[grid], 1e-7);
        const double rate = problem.results.firing_rate[4] / problem.results.weight_density[4];
        errors[grid] = fabs(rate * log(2.0) - 1.0);
        for (int i = 0; i < DRIFTS - 1; i++) {
            UNIT_ASSERT_BETWEEN(problem.results.firing_rate[i], 0.0, 1e-200);
        }
        SliceProblemDestroy(&problem);
    }
    UNIT_ASSERT_BETWEEN(log2(errors[0] / errors[1]), 1.9, 2.1);
    UNIT_ASSERT_AT_MOST(errors[1], 1e-5);
}

/** The steady state satisfies flux = N between the reset and the threshold, and 0 below it. */
static void TestFluxesOfTheSteadyState(void **state)
{
    (void)state;
    SliceProblem problem = SteadyState(200, 1.0);
    const EngramFaceTable *table = &problem.table;
    for (int i = 0; i < DRIFTS; i++) {
        const double *p = problem.solution + i;
        const double rate = problem.results.firing_rate[i];
        for (int k = 0; k + 1 < table->nodes; k++) {
            double up;
            double down;
            EngramFaceWeights(table, k, 1, &DRIFT[i], &up, &down);
            const double forward = up * p[k * problem.stride] / table->spacing;
            const double backward = down * p[(k + 1) * problem.stride] / table->spacing;
            const double expected = k >= table->reset_node ? rate : 0.0;
            UNIT_ASSERT_AT_MOST(fabs(forward - backward - expected), 2e-14 * (forward + backward));
        }
    }
    SliceProblemDestroy(&problem);
}

/** What the state was before does not matter, but its mass does. */
static void TestOldDensityIsForgotten(void **state)
{
    (void)state;
    SliceProblem first = SteadyState(200, 1.0);
    SliceProblem second = SteadyState(200, 1.0);
    for (int k = 0; k < second.table.nodes; k++) {
        for (int i = 0; i < DRIFTS; i++) {
            second.rhs[k * second.stride + i] = k == 20 * i + 1 ? 3.0 : 0.0;
        }
    }
    SliceProblemSolve(&second, LAMBDA);
    for (int i = 0; i < DRIFTS; i++) {
        const long double ratio = 3.0L / SliceSum(&first, first.rhs, i);
        for (int k = 0; k < first.table.nodes; k++) {
            const long double expected = ratio * (long double)first.solution[k * first.stride + i];
            const double value = second.solution[k * second.stride + i];
            UNIT_ASSERT_AT_MOST(fabsl((long double)value - expected) / expected, 1e-14);
        }
    }
    SliceProblemDestroy(&first);
    SliceProblemDestroy(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestClosedForm),
        cmocka_unit_test(TestRateIsSecondOrder),
        cmocka_unit_test(TestDirectRateIsSecondOrder),
        cmocka_unit_test(TestRateWithoutNoise),
        cmocka_unit_test(TestFluxesOfTheSteadyState),
        cmocka_unit_test(TestOldDensityIsForgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
