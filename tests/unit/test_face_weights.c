/**
 * The Scharfetter-Gummel weights against B(x) = x/(e^x - 1) in long double, for tables with e^q as
 * a product and for those that evaluate it on every face.
 */
#include "unit_support.h"

#include <float.h>
#include <math.h>

#include "engram/kernels/face_table.h"

/* Symmetric about 0, so that the middle face lies at the reference potential to the last bit and q
 * may be as small as one likes there. */
enum { NODES = 510, MIDDLE_FACE = NODES / 2 - 1, LAST_FACE = NODES - 1 };
static const double SPACING = 0x1p-6;
static const double V_MIN = -0.5 * (NODES + 1) * 0x1p-6;

/* Relative errors over all q: measured 3.7e-14 and 4.5e-16. A factored table is worst near |q| =
 * 1/128. */
static const double FACTORED_BOUND = 6e-14;
static const double GENERAL_BOUND = 1e-15;

/* Where a factored table clamps the scaled drift, and e^-|q| the general one. */
static const double FACTORED_LIMIT = 250.0;
static const double GENERAL_LIMIT = 700.0;

/** Table of the test grid for one noise, and which of its two kinds it must be of. */
static EngramFaceTable TableOf(double noise, int is_factored)
{
    EngramFaceTable table;
    assert_int_equal(EngramFaceTableCreate(&table, NODES, NODES / 2, V_MIN, SPACING, noise,
                                           ENGRAM_FLUX_SCHARFETTER_GUMMEL),
                     0);
    assert_int_equal(table.factored, is_factored);
    return table;
}

/** The argument of B as the table's grid defines it, for a drift that comes near the wanted q. */
static double ArgumentNear(const EngramFaceTable *table, int face, double wanted, double *drift)
{
    const double scale = table->spacing / table->noise;
    *drift = table->reference + (wanted + table->scaled_face[face]) / scale;
    return (*drift - table->reference) * scale - table->scaled_face[face];
}

static long double Bernoulli(long double x)
{
    return x == 0.0L ? 1.0L : x / expm1l(x);
}

static double RelativeError(double value, long double reference)
{
    return (double)fabsl((long double)value / reference - 1.0L);
}

/** Largest relative error of both weights at q, near the wanted one. */
static double ErrorAt(const EngramFaceTable *table, int face, double wanted)
{
    double drift;
    double up;
    double down;
    const double q = ArgumentNear(table, face, wanted, &drift);
    EngramFaceWeights(table, face, 1, &drift, &up, &down);
    return UnitWorse(RelativeError(up, Bernoulli(-(long double)q)),
                     RelativeError(down, Bernoulli(q)));
}

/** Largest error on three faces for both signs of q. */
static double ErrorNear(const EngramFaceTable *table, double wanted)
{
    const int faces[3] = {0, MIDDLE_FACE, LAST_FACE};
    double worst = 0.0;
    for (int i = 0; i < 3; i++) {
        worst = UnitWorse(worst, ErrorAt(table, faces[i], wanted));
        worst = UnitWorse(worst, ErrorAt(table, faces[i], -wanted));
    }
    return worst;
}

/** Largest error over q = 0, and from 1e-300 up to `limit` in equal steps of the logarithm. */
static double LargestError(const EngramFaceTable *table, double limit)
{
    double worst = ErrorNear(table, 0.0);
    for (int step = -6900; 0.1 * step < log(limit); step += 20) {
        worst = UnitWorse(worst, ErrorNear(table, exp(0.1 * step)));
    }
    for (int step = 0; step < 20000; step++) {
        const double wanted = limit * pow(1e-5, step / 20000.0);
        worst = UnitWorse(worst, ErrorNear(table, wanted));
    }
    return worst;
}

static void TestFactoredTables(void **state)
{
    (void)state;
    const double noises[4] = {6.5e-4, 0.01, 1.0, 20.0};
    for (int i = 0; i < 4; i++) {
        EngramFaceTable table = TableOf(noises[i], 1);
        const double half_range = fabs(table.scaled_face[0]);
        UNIT_ASSERT_AT_MOST(LargestError(&table, FACTORED_LIMIT - half_range - 1.0),
                            FACTORED_BOUND);
        EngramFaceTableDestroy(&table);
    }
}

/** Below |q| = 1/128 a factored table loses nothing: measured 4.5e-16. */
static void TestSmallArgumentsOfFactoredTables(void **state)
{
    (void)state;
    const double noises[2] = {0.01, 1.0};
    for (int i = 0; i < 2; i++) {
        EngramFaceTable table = TableOf(noises[i], 1);
        UNIT_ASSERT_AT_MOST(LargestError(&table, 0x1p-7 - 1e-12), 2e-15);
        EngramFaceTableDestroy(&table);
    }
}

static void TestGeneralTables(void **state)
{
    (void)state;
    const double noises[4] = {6e-4, 1e-4, 1e-6, 0x1p-20};
    for (int i = 0; i < 4; i++) {
        EngramFaceTable table = TableOf(noises[i], 0);
        UNIT_ASSERT_AT_MOST(LargestError(&table, GENERAL_LIMIT - 1e-9), GENERAL_BOUND);
        EngramFaceTableDestroy(&table);
    }
}

/** Both ways of forming the weights, on one grid. */
static void TestBothKindsAgree(void **state)
{
    (void)state;
    EngramFaceTable factored = TableOf(0.1, 1);
    EngramFaceTable general = factored;
    general.factored = 0;
    UnitRandom random = {1};
    for (int i = 0; i < 20000; i++) {
        const double drift = UnitRandomBetween(&random, -20.0, 20.0);
        const int face = UnitRandomBelow(&random, NODES);
        double up[2];
        double down[2];
        EngramFaceWeights(&factored, face, 1, &drift, &up[0], &down[0]);
        EngramFaceWeights(&general, face, 1, &drift, &up[1], &down[1]);
        UNIT_ASSERT_AT_MOST(RelativeError(up[0], up[1]), FACTORED_BOUND);
        UNIT_ASSERT_AT_MOST(RelativeError(down[0], down[1]), FACTORED_BOUND);
    }
    EngramFaceTableDestroy(&factored);
}

/** B(-q) - B(q) = q, relative to the size of the weights: their errors have nothing to do with it.
 */
static void ExpectDifferenceIsArgument(const EngramFaceTable *table)
{
    UnitRandom random = {2};
    for (int i = 0; i < 20000; i++) {
        const double magnitude = exp(UnitRandomBetween(&random, log(1e-12), log(140.0)));
        const double wanted = UnitRandomBelow(&random, 2) ? magnitude : -magnitude;
        const int face = UnitRandomBelow(&random, NODES);
        double drift;
        double up;
        double down;
        const double q = ArgumentNear(table, face, wanted, &drift);
        EngramFaceWeights(table, face, 1, &drift, &up, &down);
        const long double difference = (long double)up - (long double)down;
        UNIT_ASSERT_AT_MOST(fabsl(difference - (long double)q) / (long double)(up + down), 5e-16);
    }
}

static void TestDifferenceIsArgument(void **state)
{
    (void)state;
    EngramFaceTable factored = TableOf(1.0, 1);
    EngramFaceTable general = TableOf(5e-4, 0);
    ExpectDifferenceIsArgument(&factored);
    ExpectDifferenceIsArgument(&general);
    EngramFaceTableDestroy(&factored);
    EngramFaceTableDestroy(&general);
}

/** No drift, no preference; and at q = 0 exactly both weights are 1. */
static void TestSymmetryAndZero(void **state)
{
    (void)state;
    const double noises[2] = {1.0, 1e-4};
    for (int i = 0; i < 2; i++) {
        EngramFaceTable table = TableOf(noises[i], i == 0);
        UNIT_ASSERT_SAME_BITS(table.scaled_face[MIDDLE_FACE], 0.0);
        const double drifts[3] = {0.0, 1e-5, -1e-5};
        double up[3];
        double down[3];
        EngramFaceWeights(&table, MIDDLE_FACE, 3, drifts, up, down);
        UNIT_ASSERT_SAME_BITS(up[0], 1.0);
        UNIT_ASSERT_SAME_BITS(down[0], 1.0);
        assert_true(up[1] > 1.0 && down[1] < 1.0 && up[2] < 1.0 && down[2] > 1.0);
        UNIT_ASSERT_AT_MOST(fabs(up[1] - down[2]), 4.0 * DBL_EPSILON);
        UNIT_ASSERT_AT_MOST(fabs(down[1] - up[2]), 4.0 * DBL_EPSILON);
        EngramFaceTableDestroy(&table);
    }
}

/** Far out the larger weight is |q| and the smaller one, which underflows, is no NaN. */
static void TestLargeArguments(void **state)
{
    (void)state;
    const double noises[4] = {1.0, 1e-4, 1e-6, 1e-12};
    for (int i = 0; i < 4; i++) {
        EngramFaceTable table = TableOf(noises[i], i == 0);
        for (int step = 0; step < 80; step++) {
            const double wanted = 705.0 * pow(1.3, step);
            double drifts[2];
            double up[2];
            double down[2];
            const double q = ArgumentNear(&table, 7, wanted, &drifts[0]);
            const double opposite = ArgumentNear(&table, 7, -wanted, &drifts[1]);
            EngramFaceWeights(&table, 7, 2, drifts, up, down);
            UNIT_ASSERT_AT_MOST(RelativeError(up[0], q), 4.0 * DBL_EPSILON);
            UNIT_ASSERT_AT_MOST(RelativeError(down[1], -opposite), 4.0 * DBL_EPSILON);
            const double smallest = i == 0 ? exp(-150.0) : 1e-303;
            UNIT_ASSERT_BETWEEN(down[0], 0.0, q * smallest);
            UNIT_ASSERT_BETWEEN(up[1], 0.0, -opposite * smallest);
        }
        EngramFaceTableDestroy(&table);
    }
}

/** A drift's weights have the same bits in a vector loop, in its remainder and alone. */
static void TestBitsDoNotDependOnThePlace(void **state)
{
    (void)state;
    enum { SLICES = 61 };
    UnitRandom random = {3};
    double drifts[SLICES];
    double up[SLICES];
    double down[SLICES];
    for (int kind = 0; kind < 2; kind++) {
        EngramFaceTable table = TableOf(kind ? 5e-4 : 1.0, kind == 0);
        for (int face = 0; face < NODES; face += 17) {
            for (int i = 0; i < SLICES; i++) {
                drifts[i] = UnitRandomBetween(&random, -6.0, 6.0);
            }
            EngramFaceWeights(&table, face, SLICES, drifts, up, down);
            for (int i = 0; i < SLICES; i++) {
                double alone[2];
                EngramFaceWeights(&table, face, 1, &drifts[i], &alone[0], &alone[1]);
                UNIT_ASSERT_SAME_BITS(alone[0], up[i]);
                UNIT_ASSERT_SAME_BITS(alone[1], down[i]);
            }
        }
        EngramFaceTableDestroy(&table);
    }
}

static void TestGeometry(void **state)
{
    (void)state;
    EngramFaceTable table;
    assert_int_equal(
        EngramFaceTableCreate(&table, 59, 40, -4.0, 0.1, 0.5, ENGRAM_FLUX_SCHARFETTER_GUMMEL), 0);
    assert_int_equal(table.nodes, 59);
    assert_int_equal(table.reset_node, 40);
    UNIT_ASSERT_SAME_BITS(table.spacing, 0.1);
    UNIT_ASSERT_SAME_BITS(table.noise, 0.5);
    for (int k = 0; k < 59; k++) {
        const double face = table.reference + table.scaled_face[k] * 0.5 / 0.1;
        UNIT_ASSERT_AT_MOST(fabs(face - (-4.0 + 0.1 * (k + 1.5))), 1e-14);
        UNIT_ASSERT_AT_MOST(fabs(table.face_factor[k] * exp(table.scaled_face[k]) - 1.0), 1e-15);
    }
    EngramFaceTableDestroy(&table);
    assert_null(table.scaled_face);
    assert_null(table.face_factor);
    EngramFaceTableDestroy(&table);
    EngramFaceTableDestroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestFactoredTables),
        cmocka_unit_test(TestSmallArgumentsOfFactoredTables),
        cmocka_unit_test(TestGeneralTables),
        cmocka_unit_test(TestBothKindsAgree),
        cmocka_unit_test(TestDifferenceIsArgument),
        cmocka_unit_test(TestSymmetryAndZero),
        cmocka_unit_test(TestLargeArguments),
        cmocka_unit_test(TestBitsDoNotDependOnThePlace),
        cmocka_unit_test(TestGeometry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
