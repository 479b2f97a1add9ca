/**
 * @file test_harmonic_flux.c
 * The harmonic weights: against their formula, for both evaluations and any cell Peclet number, and
 * as an M-matrix that the elimination inverts without losing mass.
 */
#include "slice_problem.h"

#include "engram/kernels/slice_matrix.h"

enum { NODES = 119, RESET = 99, SLICES = 40 };

static const double V_MIN = -4.0;
static const double SPACING = 0.05;

static EngramFaceTable HarmonicTable(double noise)
{
    EngramFaceTable table;
    assert_int_equal(
        EngramFaceTableCreate(&table, NODES, RESET, V_MIN, SPACING, noise, ENGRAM_FLUX_HARMONIC),
        0);
    return table;
}

/** Largest relative error of both weights over all faces and many drifts. */
static double LargestError(const EngramFaceTable *table, UnitRandom *random)
{
    double worst = 0.0;
    for (int sample = 0; sample < 200; sample++) {
        const double drift = UnitRandomBetween(random, -6.0, 6.0);
        for (int face = 0; face < NODES; face++) {
            const double v_face = V_MIN + (face + 1.5) * SPACING;
            const long double q =
                ((long double)drift - (long double)v_face) * (long double)(SPACING / table->noise);
            double up;
            double down;
            EngramFaceWeights(table, face, 1, &drift, &up, &down);
            if (fabsl(q) > 600.0L) {
                UNIT_ASSERT_AT_MOST(fabs(up + down - 2.0), 1e-15);
                continue;
            }
            const long double expected_up = 2.0L / (1.0L + expl(-q));
            const long double expected_down = 2.0L / (1.0L + expl(q));
            /* q is a difference of scaled potentials up to 10 h/a: their rounding is that of e^q.
             */
            const long double scale = 1.0L + 10.0L * (long double)(SPACING / table->noise);
            worst = UnitWorse(worst, (double)(fabsl(up / expected_up - 1.0L) / scale));
            worst = UnitWorse(worst, (double)(fabsl(down / expected_down - 1.0L) / scale));
        }
    }
    return worst;
}

static void TestWeightsFollowTheFormula(void **state)
{
    (void)state;
    const double noises[] = {1.0, 0.05, 1e-3, 1e-6};
    UnitRandom random = {21};
    for (size_t n = 0; n < sizeof(noises) / sizeof(noises[0]); n++) {
        EngramFaceTable table = HarmonicTable(noises[n]);
        UNIT_ASSERT_AT_MOST(LargestError(&table, &random), 1e-15);
        EngramFaceTableDestroy(&table);
    }
}

static void TestEqualWeightsWithoutDrift(void **state)
{
    (void)state;
    EngramFaceTable table = HarmonicTable(1.0);
    const double drift = V_MIN + 10.5 * SPACING;
    double up;
    double down;
    EngramFaceWeights(&table, 9, 1, &drift, &up, &down);
    UNIT_ASSERT_AT_MOST(fabs(up - 1.0) + fabs(down - 1.0), 1e-14);
    EngramFaceTableDestroy(&table);
}

static SliceProblem HarmonicProblem(double noise, UnitRandom *random)
{
    const SliceGrid grid = {NODES, RESET, V_MIN, V_MIN + (NODES + 1) * SPACING, noise};
    SliceProblem problem = SliceProblemCreate(grid, SLICES, SLICES);
    problem.table.flux = ENGRAM_FLUX_HARMONIC;
    SliceProblemFill(&problem, random);
    return problem;
}

/** The matrix applied to the solution gives back the right-hand side, relative to its terms. */
static void CheckInverse(SliceProblem *problem, double lambda)
{
    const ptrdiff_t length = NODES * problem->stride;
    EngramSliceMatrix matrix = {.table = &problem->table,
                                .slices = SLICES,
                                .stride = problem->stride,
                                .up = UnitAllocate(length),
                                .down = UnitAllocate(length),
                                .kappa = UnitAllocate(problem->stride),
                                .content = UnitAllocate(problem->stride)};
    double *product = UnitAllocate(length);
    EngramSliceMatrixFill(&matrix, lambda, problem->drift);
    EngramSliceMatrixMultiply(&matrix, problem->solution, product);
    for (ptrdiff_t at = 0; at < length; at++) {
        const double size = (1.0 + matrix.up[at]) * problem->solution[at] + problem->rhs[at];
        UNIT_ASSERT_AT_MOST(fabs(product[at] - problem->rhs[at]) / (size + 1e-200), 1e-13);
    }
    free(matrix.up);
    free(matrix.down);
    free(matrix.kappa);
    free(matrix.content);
    free(product);
}

static void TestEliminationInvertsAndKeepsMass(void **state)
{
    (void)state;
    const double noises[] = {1.0, 0.2, 1e-3};
    UnitRandom random = {22};
    for (size_t n = 0; n < sizeof(noises) / sizeof(noises[0]); n++) {
        SliceProblem problem = HarmonicProblem(noises[n], &random);
        for (int exponent = -4; exponent <= 12; exponent += 4) {
            const double lambda = pow(10.0, exponent);
            SliceProblemSolve(&problem, lambda);
            if (lambda < 10.0) {
                CheckInverse(&problem, lambda);
            }
            for (ptrdiff_t slice = 0; slice < SLICES; slice++) {
                const long double before = SliceSum(&problem, problem.rhs, slice);
                const long double after = SliceSum(&problem, problem.solution, slice);
                UNIT_ASSERT_AT_MOST((double)fabsl(after / before - 1.0L), 4e-15);
                assert_true(problem.results.minimum[slice] >= 0.0);
            }
        }
        SliceProblemDestroy(&problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestWeightsFollowTheFormula),
        cmocka_unit_test(TestEqualWeightsWithoutDrift),
        cmocka_unit_test(TestEliminationInvertsAndKeepsMass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
