/**
 * The weights of the fluxes in long double: B(x) = x/(e^x - 1) for order 2, by polynomials of every
 * range and by exponentials; the factor g of order 4 from its definition; the harmonic weights.
 */
#include "unit_support.h"

#include <float.h>
#include <math.h>

#include "engram/kernels/face_table.h"

/* Symmetric about 0, so that the middle face lies there to the last bit and q may be as small as
 * one likes. */
enum { NODES = 510, MIDDLE_FACE = NODES / 2 - 1, LAST_FACE = NODES - 1 };
static const double SPACING = 0x1p-6;
static const double V_MIN = -0.5 * (NODES + 1) * 0x1p-6;

/* Noises whose tables have polynomials for |q| up to these. */
static const double NOISES[] = {2.0, 0.8, 0.2, 0.08, 1e-3, 1e-6};
static const double RANGES[] = {0.107, 0.27, 1.0, 2.5, 4.0, 4.0};
enum { NOISE_COUNT = sizeof(NOISES) / sizeof(NOISES[0]) };

/* Beyond it e^-|q| is held. */
static const double HELD_FROM = 700.0;

static EngramFaceTable TableOf(double noise, EngramFlux flux)
{
    EngramFaceTable table;
    assert_int_equal(EngramFaceTableCreate(&table, NODES, NODES / 2, V_MIN, SPACING, noise, flux),
                     0);
    return table;
}

/** The argument of B for a drift that comes near the wanted q. */
static double ArgumentNear(const EngramFaceTable *table, int face, double wanted, double *drift)
{
    const double scale = table->spacing / table->noise;
    *drift = (wanted + table->faces[face].position) / scale;
    return *drift * scale - table->faces[face].position;
}

static long double Bernoulli(long double x)
{
    return x == 0.0L ? 1.0L : x / expm1l(x);
}

static double RelativeError(double value, long double reference)
{
    return (double)fabsl((long double)value / reference - 1.0L);
}

/** Errors of both weights at q, in units of the larger one where they nearly cancel. */
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

/** Largest error on the middle face, over q = 0 and from 1e-300 up to a limit, of both signs. */
static double LargestError(const EngramFaceTable *table, double limit)
{
    double worst = ErrorAt(table, MIDDLE_FACE, 0.0);
    for (int step = -690; step < 10.0 * log(limit); step++) {
        worst = UnitWorse(worst, ErrorAt(table, MIDDLE_FACE, exp(0.1 * step)));
        worst = UnitWorse(worst, ErrorAt(table, MIDDLE_FACE, -exp(0.1 * step)));
    }
    for (int step = 0; step < 5000; step++) {
        worst = UnitWorse(worst, ErrorAt(table, MIDDLE_FACE, limit * step / 5000.0));
        worst = UnitWorse(worst, ErrorAt(table, MIDDLE_FACE, -limit * step / 5000.0));
    }
    return worst;
}

/** Within the range, where the smaller weight is a difference, and beyond, where it is a product.
 */
static void TestOrder2(void **state)
{
    (void)state;
    for (int i = 0; i < NOISE_COUNT; i++) {
        EngramFaceTable table = TableOf(NOISES[i], ENGRAM_FLUX_SCHARFETTER_GUMMEL);
        UNIT_ASSERT_SAME_BITS(table.largest_q, RANGES[i]);
        UNIT_ASSERT_AT_MOST(LargestError(&table, RANGES[i]), 1e-15 * exp(RANGES[i]));
        UNIT_ASSERT_AT_MOST(LargestError(&table, HELD_FROM - 1e-9), 1e-15 * exp(RANGES[i]));
        EngramFaceTableDestroy(&table);
    }
}

/** B(-q)/B(q) = e^q is what steady states are made of; order 4 must not change it. */
static void TestQuotients(void **state)
{
    (void)state;
    UnitRandom random = {2};
    for (int i = 0; i < NOISE_COUNT; i++) {
        EngramFaceTable table = TableOf(NOISES[i], ENGRAM_FLUX_SCHARFETTER_GUMMEL);
        EngramFaceTableSetOrder(&table, 4);
        for (int k = 0; k < 20000; k++) {
            const double wanted = UnitRandomBetween(&random, -100.0, 100.0);
            const int face = UnitRandomBelow(&random, NODES);
            double drift;
            double up;
            double down;
            const double q = ArgumentNear(&table, face, wanted, &drift);
            EngramFaceWeights(&table, face, 1, &drift, &up, &down);
            UNIT_ASSERT_AT_MOST(RelativeError(up / down, expl((long double)q)), 1e-13);
        }
        EngramFaceTableDestroy(&table);
    }
}

/** g = e^{s/4} <e^{-q x}> / <e^{-q x + s x^2}> by Simpson's rule. */
static long double ExactFactor(long double q, long double s)
{
    enum { PARTS = 4000 };
    long double plain = 0.0L;
    long double weighted = 0.0L;
    for (int i = 0; i <= PARTS; i++) {
        const long double x = -0.5L + (long double)i / PARTS;
        const long double weight = i == 0 || i == PARTS ? 1.0L : i % 2 ? 4.0L : 2.0L;
        plain += weight * expl(-q * x - 0.5L * fabsl(q));
        weighted += weight * expl(-q * x - 0.5L * fabsl(q) + s * (x * x - 0.25L));
    }
    return plain / weighted;
}

/** The factor is off by less than s^2/100, for slopes of either sign. */
static void TestFactorOfOrder4(void **state)
{
    (void)state;
    const double slopes[] = {-1.0, 3.0, -20.0};
    for (int n = 0; n < NOISE_COUNT - 2; n++) {
        EngramFaceTable table = TableOf(NOISES[n], ENGRAM_FLUX_SCHARFETTER_GUMMEL);
        EngramFaceTableSetOrder(&table, 4);
        for (int i = 0; i < 3; i++) {
            double own[NODES];
            double slope[NODES];
            for (int k = 0; k < NODES; k++) {
                own[k] = table.drift[k];
                slope[k] = slopes[i];
            }
            EngramFaceTableSetDrift(&table, own, slope);
            const double s = -slopes[i] * SPACING * SPACING / (2.0 * NOISES[n]);
            for (int point = 0; point < 163; point++) {
                const double wanted = -30.0 + 0.37 * point;
                double drift;
                double up;
                double down;
                const double q = ArgumentNear(&table, MIDDLE_FACE, wanted, &drift);
                EngramFaceWeights(&table, MIDDLE_FACE, 1, &drift, &up, &down);
                const long double exact = ExactFactor(q, s) * Bernoulli(-(long double)q);
                UNIT_ASSERT_AT_MOST(RelativeError(up, exact), 0.01 * s * s + 1e-13);
            }
        }
        EngramFaceTableDestroy(&table);
    }
}

/** Cells that resolve nothing: weights stay positive, and become those of upwind differences. */
static void TestCoarseCells(void **state)
{
    (void)state;
    for (int exponent = 2; exponent < 14; exponent++) {
        EngramFaceTable table;
        const double noise = pow(10.0, -exponent);
        assert_int_equal(
            EngramFaceTableCreate(&table, 59, 40, -4.0, 0.1, noise, ENGRAM_FLUX_SCHARFETTER_GUMMEL),
            0);
        EngramFaceTableSetOrder(&table, 4);
        for (int k = 0; k < 59; k++) {
            const double drifts[3] = {-3.0, 0.7, 12.0};
            double up[3];
            double down[3];
            EngramFaceWeights(&table, k, 3, drifts, up, down);
            for (int i = 0; i < 3; i++) {
                assert_true(isfinite(up[i]) && isfinite(down[i]));
                assert_true(up[i] >= 0.0 && down[i] >= 0.0 && up[i] + down[i] > 0.0);
            }
            /* The drift at the node that the flow comes from. */
            const double node = -4.0 + 0.1 * (k + 1);
            if (exponent > 6) {
                const double wanted = (12.0 - node) * 0.1 / noise;
                UNIT_ASSERT_AT_MOST(fabs(up[2] / wanted - 1.0), 1e-3);
            }
        }
        EngramFaceTableDestroy(&table);
    }
}

/** At q = 0 exactly both weights are 1, and there is no preference. */
static void TestSymmetryAndZero(void **state)
{
    (void)state;
    for (int i = 0; i < NOISE_COUNT; i++) {
        EngramFaceTable table = TableOf(NOISES[i], ENGRAM_FLUX_SCHARFETTER_GUMMEL);
        const double drifts[3] = {0.0, 1e-5, -1e-5};
        double up[3];
        double down[3];
        EngramFaceWeights(&table, MIDDLE_FACE, 3, drifts, up, down);
        UNIT_ASSERT_SAME_BITS(up[0], 1.0);
        UNIT_ASSERT_SAME_BITS(down[0], 1.0);
        assert_true(up[1] > 1.0 && down[1] < 1.0 && up[2] < 1.0 && down[2] > 1.0);
        UNIT_ASSERT_AT_MOST(fabs(up[1] - down[2]), 4.0 * DBL_EPSILON * up[1]);
        UNIT_ASSERT_AT_MOST(fabs(down[1] - up[2]), 4.0 * DBL_EPSILON * up[1]);
        EngramFaceTableDestroy(&table);
    }
}

/** 2/(1 + e^x), which has the same quotient. */
static void TestHarmonic(void **state)
{
    (void)state;
    UnitRandom random = {4};
    EngramFaceTable table = TableOf(0.05, ENGRAM_FLUX_HARMONIC);
    EngramFaceTableSetOrder(&table, 4);
    assert_int_equal(table.order, 2);
    for (int k = 0; k < 20000; k++) {
        double drift;
        double up;
        double down;
        const double q = ArgumentNear(&table, 7, UnitRandomBetween(&random, -600.0, 600.0), &drift);
        EngramFaceWeights(&table, 7, 1, &drift, &up, &down);
        UNIT_ASSERT_AT_MOST(RelativeError(up, 2.0L / (1.0L + expl(-(long double)q))), 2e-15);
        UNIT_ASSERT_AT_MOST(RelativeError(down, 2.0L / (1.0L + expl((long double)q))), 2e-15);
    }
    EngramFaceTableDestroy(&table);
}

static void TestGeometry(void **state)
{
    (void)state;
    EngramFaceTable table;
    assert_int_equal(
        EngramFaceTableCreate(&table, 59, 40, -4.0, 0.1, 0.5, ENGRAM_FLUX_SCHARFETTER_GUMMEL), 0);
    assert_int_equal(table.nodes, 59);
    assert_int_equal(table.reset_node, 40);
    for (int k = 0; k < 59; k++) {
        UNIT_ASSERT_AT_MOST(fabs(table.faces[k].position * 5.0 - (-4.0 + 0.1 * (k + 1.5))), 1e-14);
    }
    EngramFaceTableDestroy(&table);
    assert_null(table.faces);
    EngramFaceTableDestroy(&table);
    EngramFaceTableDestroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestOrder2),          cmocka_unit_test(TestQuotients),
        cmocka_unit_test(TestFactorOfOrder4),  cmocka_unit_test(TestCoarseCells),
        cmocka_unit_test(TestSymmetryAndZero), cmocka_unit_test(TestHarmonic),
        cmocka_unit_test(TestGeometry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
