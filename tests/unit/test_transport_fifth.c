/**
 * Explicit transport in w of fifth order: its flux against the formula, conservation and positivity
 * on rough data, equal bits for any split over ranks.
 */
#include "fifth_axis.h"

#include "engram/kernels/denormals.h"

/** Phi and w of one sign or of both, and a rough density. */
static FifthAxis RandomAxis(ptrdiff_t cells, uint64_t seed)
{
    UnitRandom random = {seed};
    const double lows[3] = {-1.3, 0.0, -2.5};
    const double highs[3] = {1.1, 2.0, 0.0};
    const int signs = UnitRandomBelow(&random, 3);
    const double lowest_phi = UnitRandomBelow(&random, 2) ? 0.0 : -2.0;
    const double highest_phi = UnitRandomBelow(&random, 2) ? 0.0 : 3.0;
    FifthAxis axis = FifthAxisCreate(cells, lows[signs], highs[signs]);
    for (ptrdiff_t i = 0; i < cells; i++) {
        axis.phi[i + FIFTH_GHOSTS] = UnitRandomBetween(&random, lowest_phi, highest_phi);
        axis.phi[i + FIFTH_GHOSTS] *= UnitRandomBelow(&random, 3);
    }
    FifthContinuePhi(&axis);
    for (ptrdiff_t i = 0; i < FIFTH_ROWS * cells; i++) {
        axis.density[i] = UnitRoughValue(&random);
    }
    return axis;
}

static const ptrdiff_t COUNTS[] = {8, 9, 10, 16, 40, 200, 382, 383, 384, 391, 392, 767, 800};
enum { COUNT_COUNT = sizeof(COUNTS) / sizeof(COUNTS[0]) };

/** Ten steps; the density is rough enough to be limited nearly everywhere. */
static void TestMassAndPositivityAtTheLimit(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        FifthAxis axis = RandomAxis(COUNTS[seed % COUNT_COUNT], seed);
        FifthAxis start = RandomAxis(COUNTS[seed % COUNT_COUNT], seed);
        for (int step = 0; step < 10; step++) {
            FifthStepAxis(&axis, FifthLargestRatio(&axis));
        }
        for (ptrdiff_t row = 0; row < FIFTH_ROWS; row++) {
            long double mass = 0.0L;
            long double error = 0.0L;
            for (ptrdiff_t i = 0; i < axis.cells; i++) {
                const ptrdiff_t place = row * axis.cells + i;
                const long double weight = (long double)axis.quadrature[i + 1];
                const long double before = (long double)start.density[place];
                mass += weight * before;
                error += weight * ((long double)axis.density[place] - before);
                assert_true(axis.density[place] >= 0.0);
            }
            UNIT_ASSERT_AT_MOST(fabsl(error), 5e-15L * mass + 1e-303L);
        }
        FifthAxisDestroy(&start);
        FifthAxisDestroy(&axis);
    }
}

static long double MinMod(long double a, long double b)
{
    const long double smaller = fminl(fabsl(a), fabsl(b));
    return a * b > 0.0L ? copysignl(smaller, a) : 0.0L;
}

static long double MinMod4(long double d0, long double d1)
{
    return MinMod(MinMod(4.0L * d0 - d1, 4.0L * d1 - d0), MinMod(d0, d1));
}

/** MP5 with the curvatures of all six cells: the value on the face behind q[2], flow along q. */
static long double FaceValue(const long double q[6], long double alpha)
{
    const long double value =
        (2.0L * q[0] - 13.0L * q[1] + 47.0L * q[2] + 27.0L * q[3] - 3.0L * q[4]) / 60.0L;
    const long double monotone = q[2] + MinMod(q[3] - q[2], alpha * (q[2] - q[1]));
    if ((value - q[2]) * (value - monotone) <= 0.0L) {
        return value;
    }
    const long double d_before = q[0] - 2.0L * q[1] + q[2];
    const long double d_here = q[1] - 2.0L * q[2] + q[3];
    const long double d_after = q[2] - 2.0L * q[3] + q[4];
    const long double d_after2 = q[3] - 2.0L * q[4] + q[5];
    const long double curvature = MinMod(MinMod4(d_here, d_after), MinMod(d_before, d_after2));
    const long double curvature_before = MinMod(MinMod4(d_before, d_here), d_after);
    const long double steepest = q[2] + alpha * (q[2] - q[1]);
    const long double median = 0.5L * (q[2] + q[3] - curvature);
    const long double large = q[2] + 0.5L * (q[2] - q[1]) + 4.0L / 3.0L * curvature_before;
    const long double lowest =
        fmaxl(fminl(fminl(q[2], q[3]), median), fminl(fminl(q[2], steepest), large));
    const long double highest =
        fminl(fmaxl(fmaxl(q[2], q[3]), median), fmaxl(fmaxl(q[2], steepest), large));
    return value + MinMod(lowest - value, highest - value);
}

/** Flux of one stream through the face left of cell i; a has one sign. */
static long double StreamFlux(const double *a, const double *row, ptrdiff_t i, long double alpha)
{
    long double q[6];
    const int is_right = a[i] > 0.0;
    for (ptrdiff_t k = 0; k < 6; k++) {
        const ptrdiff_t cell = is_right ? i - 3 + k : i + 2 - k;
        q[k] = (long double)a[cell] * (long double)row[cell];
    }
    const long double most = 2.0L * (is_right ? (long double)a[i - 1] * (long double)row[i - 1]
                                              : -(long double)a[i] * (long double)row[i]);
    const long double value = FaceValue(q, alpha);
    return is_right ? fmaxl(fminl(value, most), 0.0L) : fminl(fmaxl(value, -most), 0.0L);
}

/** Phi of either sign with w of either sign, inside the axis, with the limiter at work. */
static void TestAgainstTheFormula(void **state)
{
    (void)state;
    enum { CELLS = 420 };
    const long double alpha[2] = {4.0L, 1.2L}; /* learning, decay */
    for (uint64_t seed = 0; seed < 100; seed++) {
        UnitRandom random = {seed};
        const double low = seed % 2 ? 0.2 : -1.5;
        const double sign = seed / 2 % 2 ? 1.0 : -1.0;
        FifthAxis axis = FifthAxisCreate(CELLS, low, low + 1.2);
        double old[CELLS];
        double velocity[2][CELLS];
        for (ptrdiff_t i = 0; i < CELLS; i++) {
            axis.phi[i + FIFTH_GHOSTS] = sign * UnitRandomBetween(&random, 0.5, 0.8);
            velocity[0][i] = axis.phi[i + FIFTH_GHOSTS];
            velocity[1][i] = -FifthWeight(&axis, i);
            for (int row = 0; row < FIFTH_ROWS; row++) {
                axis.density[row * CELLS + i] = UnitRandomBetween(&random, 0.1, 1.0);
            }
            old[i] = axis.density[i];
        }
        FifthContinuePhi(&axis);
        const double ratio = FifthLargestRatio(&axis);
        FifthStepAxis(&axis, ratio);
        for (ptrdiff_t i = 8; i < CELLS - 8; i++) {
            long double gain = 0.0L;
            for (int k = 0; k < 2; k++) {
                gain += StreamFlux(velocity[k], old, i, alpha[k]) -
                        StreamFlux(velocity[k], old, i + 1, alpha[k]);
            }
            const long double expected = (long double)old[i] + (long double)ratio * gain;
            UNIT_ASSERT_AT_MOST(fabsl((long double)axis.density[i] - expected), 3e-15);
        }
        FifthAxisDestroy(&axis);
    }
}

/** One step in two to four parts of at least five cells has the bits of the undivided one. */
static void TestAnySplitHasTheSameBits(void **state)
{
    (void)state;
    const int fewest = ENGRAM_TRANSPORT_FIFTH_LOCAL_CELLS;
    for (uint64_t seed = 0; seed < 600; seed++) {
        const ptrdiff_t cells = COUNTS[3 + seed % (COUNT_COUNT - 3)];
        UnitRandom random = {seed};
        FifthAxis axis = RandomAxis(cells, seed);
        const double ratio = FifthLargestRatio(&axis);
        double *result = UnitAllocate(FIFTH_ROWS * cells);
        ptrdiff_t first = 0;
        for (int part = cells >= 4 * fewest ? 2 + UnitRandomBelow(&random, 3) : 2; part > 0;
             part--) {
            const ptrdiff_t most = cells - first - (part - 1) * fewest;
            const ptrdiff_t more = UnitRandomBelow(&random, (int)most - fewest + 1);
            const ptrdiff_t count = part > 1 ? fewest + more : most;
            FifthStepRank(&axis, ratio, first, count, result);
            first += count;
        }
        FifthStepAxis(&axis, ratio);
        assert_memory_equal(result, axis.density, (size_t)(FIFTH_ROWS * cells) * sizeof(*result));
        free(result);
        FifthAxisDestroy(&axis);
    }
}

/** A cell that gives to both sides of both streams, beside changes of sign, keeps some of it. */
static void TestPositivityBesideChangesOfSign(void **state)
{
    (void)state;
    enum { CELLS = 12 };
    UnitRandom random = {11};
    for (int trial = 0; trial < 20000; trial++) {
        FifthAxis axis = FifthAxisCreate(CELLS, -0.05, 0.07);
        for (ptrdiff_t i = 0; i < CELLS; i++) {
            axis.phi[i + FIFTH_GHOSTS] = 0.1 * UnitRandomBetween(&random, -1.0, 1.0);
            for (int row = 0; row < FIFTH_ROWS; row++) {
                axis.density[row * CELLS + i] = UnitRandomBelow(&random, 3) * 0.5;
            }
        }
        FifthContinuePhi(&axis);
        FifthStepAxis(&axis, FifthLargestRatio(&axis));
        for (ptrdiff_t i = 0; i < FIFTH_ROWS * CELLS; i++) {
            assert_true(axis.density[i] >= 0.0);
        }
        FifthAxisDestroy(&axis);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestMassAndPositivityAtTheLimit),
        cmocka_unit_test(TestAgainstTheFormula),
        cmocka_unit_test(TestAnySplitHasTheSameBits),
        cmocka_unit_test(TestPositivityBesideChangesOfSign),
    };
    /* As the program does: cells that are emptied step by step would become subnormal. */
    EngramDenormalsFlush();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
