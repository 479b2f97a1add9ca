/**
 * Local extrapolation of a whole step and two halves: q = 2 y2 - y1 where that is not negative, the
 * largest part of it elsewhere, the mass of every slice and of all, and bits that do not depend on
 * a slice's place.
 */
#include "extrapolate_problem.h"

enum { NODES = EXTRAPOLATE_NODES, ROWS = EXTRAPOLATE_ROWS, MOST_SLICES = 70, POOL = 72 };

static const double SPACING = EXTRAPOLATE_SPACING;

/** A filled problem, and a copy of its y2 that the extrapolation does not replace. */
static Steps FilledSteps(ptrdiff_t slices, uint64_t seed, double **before)
{
    const ptrdiff_t padded =
        (slices + ENGRAM_SLICE_PADDING - 1) / ENGRAM_SLICE_PADDING * ENGRAM_SLICE_PADDING;
    Steps steps = StepsCreate(slices, padded);
    StepsFill(&steps, seed);
    *before = UnitAllocate(ROWS * padded);
    memcpy(*before, steps.halves, (size_t)(ROWS * padded) * sizeof(**before));
    return steps;
}

static void TestExactWhereItIsNotNegative(void **state)
{
    (void)state;
    double *before = NULL;
    Steps steps = FilledSteps(MOST_SLICES, 1, &before);
    StepsExtrapolate(&steps, 1.0, 1.0);
    for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
        const int kind = (int)(i % KINDS);
        if (kind != SMOOTH && kind != NO_WHOLE) {
            continue;
        }
        for (int k = 0; k < ROWS; k++) {
            const double half = before[k * steps.stride + i];
            const double q = half + (half - steps.whole[k * steps.stride + i]);
            UNIT_ASSERT_SAME_BITS(steps.halves[k * steps.stride + i], q);
        }
        const double half = steps.rates[1][i];
        UNIT_ASSERT_SAME_BITS(steps.results.firing_rate[i], half + (half - steps.rates[0][i]));
    }
    free(before);
    StepsDestroy(&steps);
}

/** Without extrapolation y2 stays, whatever y1 is, and only the difference is learned. */
static void TestNoExtrapolationKeepsTheHalves(void **state)
{
    (void)state;
    double *before = NULL;
    Steps steps = FilledSteps(MOST_SLICES, 2, &before);
    double shortfall[POOL];
    StepsExtrapolate(&steps, 0.0, 1.0);
    EngramExtrapolationShortfall(MOST_SLICES, 0.0, steps.masses[0], steps.masses[1], shortfall);
    for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
        for (int k = 0; k < ROWS; k++) {
            UNIT_ASSERT_SAME_BITS(steps.halves[k * steps.stride + i], before[k * steps.stride + i]);
        }
        UNIT_ASSERT_SAME_BITS(steps.results.firing_rate[i], steps.rates[1][i]);
        UNIT_ASSERT_SAME_BITS(shortfall[i], 0.0);
    }
    free(before);
    StepsDestroy(&steps);
}

/** Every slice has the mass of its q, or none; as reported, and in its rows. */
static void TestMassOfEverySlice(void **state)
{
    (void)state;
    for (uint64_t seed = 3; seed < 13; seed++) {
        double *before = NULL;
        const double factor = 0.75;
        Steps steps = FilledSteps(MOST_SLICES, seed, &before);
        StepsExtrapolate(&steps, 1.0, factor);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            const long double whole = StepsColumnMass(steps.whole, steps.stride, i);
            const long double halves = StepsColumnMass(before, steps.stride, i);
            const long double expected = factor * fmaxl(0.0L, 2.0L * halves - whole);
            const long double mass = StepsColumnMass(steps.halves, steps.stride, i);
            const long double bound = 1e-15L * (2.0L * halves + whole);
            UNIT_ASSERT_AT_MOST(fabsl(mass - expected), bound);
            UNIT_ASSERT_AT_MOST(fabsl((long double)steps.results.weight_density[i] - mass), bound);
        }
        free(before);
        StepsDestroy(&steps);
    }
}

/** Both steps are given the total mass 1. */
static void NormaliseTotals(Steps *steps)
{
    double *densities[2] = {steps->whole, steps->halves};
    for (int step = 0; step < 2; step++) {
        long double total = 0.0L;
        for (ptrdiff_t i = 0; i < steps->slices; i++) {
            total += StepsColumnMass(densities[step], steps->stride, i);
        }
        for (ptrdiff_t i = 0; i < ROWS * steps->stride; i++) {
            densities[step][i] /= (double)total;
        }
    }
    StepsWeigh(steps);
}

/** What some slices fall short of is taken from the others by the common factor. */
static void TestTotalMass(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 30; seed++) {
        Steps steps = StepsCreate(POOL, POOL);
        double shortfall[POOL];
        double sum = 0.0;
        StepsFill(&steps, seed);
        NormaliseTotals(&steps);
        EngramExtrapolationShortfall(POOL, 1.0, steps.masses[0], steps.masses[1], shortfall);
        for (int i = 0; i < POOL; i++) {
            const double mass = 2.0 * steps.masses[1][i] - steps.masses[0][i];
            UNIT_ASSERT_AT_MOST(fabs(shortfall[i] - fmax(0.0, -mass)), 1e-16);
            sum += shortfall[i];
        }
        assert_true(sum > 0.01);
        StepsExtrapolate(&steps, 1.0, 1.0 / (1.0 + sum));
        long double total = 0.0L;
        for (ptrdiff_t i = 0; i < POOL; i++) {
            total += StepsColumnMass(steps.halves, steps.stride, i);
        }
        UNIT_ASSERT_AT_MOST(fabsl(total - 1.0L), 4e-15);
        StepsDestroy(&steps);
    }
}

/** Nothing is below zero, not even as -0. */
static void TestNothingIsNegative(void **state)
{
    (void)state;
    for (uint64_t seed = 30; seed < 60; seed++) {
        double *before = NULL;
        Steps steps = FilledSteps(MOST_SLICES, seed, &before);
        StepsExtrapolate(&steps, 1.0, 1.0 / 1.7);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            for (int k = 0; k < ROWS; k++) {
                const double value = steps.halves[k * steps.stride + i];
                assert_true(isfinite(value) && !signbit(value));
            }
            assert_true(!signbit(steps.results.firing_rate[i]) &&
                        !signbit(steps.results.minimum[i]));
            assert_true(isfinite(steps.results.firing_rate[i]));
        }
        free(before);
        StepsDestroy(&steps);
    }
}

/** One slice in long double: what its entries are blended from, and by how much. */
typedef struct Blending {
    long double base;      /* b over y2 */
    long double share;     /* theta */
    long double precision; /* relative, of the base: the mass of q may have cancelled */
} Blending;

static long double LargestShare(long double share, long double b, long double q)
{
    return q < 0.0L ? fminl(share, b > 0.0L ? b / (b - q) : 0.0L) : share;
}

static Blending ExpectedBlending(const Steps *steps, const double *before, ptrdiff_t i)
{
    const long double whole = StepsColumnMass(steps->whole, steps->stride, i);
    const long double halves = StepsColumnMass(before, steps->stride, i);
    const long double mass = 2.0L * halves - whole;
    Blending blending = {0.0L, 0.0L, 1e-15L};
    if (mass > 0.0L) {
        blending = (Blending){mass / halves, 1.0L, 1e-15L * (2.0L * halves + whole) / mass};
        for (int k = 0; k < ROWS; k++) {
            const long double y1 = (long double)steps->whole[k * steps->stride + i];
            const long double y2 = (long double)before[k * steps->stride + i];
            blending.share = LargestShare(blending.share, blending.base * y2, 2.0L * y2 - y1);
        }
        const long double rate = (long double)steps->rates[1][i];
        blending.share = LargestShare(blending.share, blending.base * rate,
                                      2.0L * rate - (long double)steps->rates[0][i]);
    }
    return blending;
}

/** An entry or a rate is theta q + (1 - theta) b; returns how near it is to zero, for its terms. */
static long double ExpectBlended(const Blending *blending, double whole, double halves,
                                 double value)
{
    const long double q = 2.0L * (long double)halves - (long double)whole;
    const long double b = blending->base * (long double)halves;
    const long double expected = blending->share * q + (1.0L - blending->share) * b;
    const long double size = blending->share * fabsl(q) + (1.0L - blending->share) * b;
    UNIT_ASSERT_AT_MOST(fabsl((long double)value - expected),
                        4.0L * blending->precision * (fabsl(q) + b));
    if (q >= 0.0L) {
        return 1.0L;
    }
    return size > 0.0L ? (long double)value / size : (long double)value;
}

/** As much of q as can be: where it is less than all, an entry or the rate is zero. */
static void TestLargestShareIsAttained(void **state)
{
    (void)state;
    int limited[KINDS] = {0};
    for (uint64_t seed = 60; seed < 90; seed++) {
        double *before = NULL;
        Steps steps = FilledSteps(MOST_SLICES, seed, &before);
        StepsExtrapolate(&steps, 1.0, 1.0);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            const Blending blending = ExpectedBlending(&steps, before, i);
            long double smallest = ExpectBlended(&blending, steps.rates[0][i], steps.rates[1][i],
                                                 steps.results.firing_rate[i]);
            for (int k = 0; k < ROWS; k++) {
                const ptrdiff_t here = k * steps.stride + i;
                smallest = fminl(smallest, ExpectBlended(&blending, steps.whole[here], before[here],
                                                         steps.halves[here]));
            }
            if (blending.base > 0.0L && blending.share < 1.0L) {
                UNIT_ASSERT_AT_MOST(smallest, 4.0L * blending.precision);
                limited[i % KINDS]++;
            }
        }
        free(before);
        StepsDestroy(&steps);
    }
    assert_true(limited[ROUGH] > 20 && limited[DENT] > 20 && limited[NEGATIVE_RATE] > 20);
    assert_int_equal(limited[SMOOTH], 0);
}

/** A slice whose mass would be negative, or that is empty, holds nothing afterwards. */
static void TestEmptySlices(void **state)
{
    (void)state;
    double *before = NULL;
    Steps steps = FilledSteps(MOST_SLICES, 90, &before);
    StepsExtrapolate(&steps, 1.0, 1.0);
    for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
        const int kind = (int)(i % KINDS);
        if (kind != NO_HALVES && kind != EMPTY && kind != HEAVY_WHOLE) {
            continue;
        }
        for (int k = 0; k < ROWS; k++) {
            UNIT_ASSERT_SAME_BITS(steps.halves[k * steps.stride + i], 0.0);
        }
        UNIT_ASSERT_SAME_BITS(steps.results.weight_density[i], 0.0);
        UNIT_ASSERT_SAME_BITS(steps.results.firing_rate[i], 0.0);
        UNIT_ASSERT_SAME_BITS(steps.results.minimum[i], 0.0);
    }
    free(before);
    StepsDestroy(&steps);
}

/** Where there are no rates, none limits anything and none is written. */
static void TestWithoutRates(void **state)
{
    (void)state;
    double *before = NULL;
    Steps steps = FilledSteps(MOST_SLICES, 91, &before);
    const EngramStepResult whole = {steps.masses[0], NULL};
    const EngramStepResult halves = {steps.masses[1], NULL};
    for (ptrdiff_t i = 0; i < steps.stride; i++) {
        steps.results.firing_rate[i] = -7.0;
    }
    EngramExtrapolate(ROWS, NODES, MOST_SLICES, steps.stride, SPACING, 1.0, 1.0, &whole, &halves,
                      steps.whole, steps.halves, &steps.results);
    for (ptrdiff_t i = 0; i < steps.stride; i++) {
        UNIT_ASSERT_SAME_BITS(steps.results.firing_rate[i], -7.0);
        for (int k = 0; i % KINDS == NEGATIVE_RATE && k < ROWS; k++) {
            const double half = before[k * steps.stride + i];
            const double q = half + (half - steps.whole[k * steps.stride + i]);
            UNIT_ASSERT_SAME_BITS(steps.halves[k * steps.stride + i], q);
        }
    }
    free(before);
    StepsDestroy(&steps);
}

/** The estimate of the error does not depend on whether the step is extrapolated. */
static void TestDifference(void **state)
{
    (void)state;
    for (int extrapolation = 0; extrapolation < 2; extrapolation++) {
        double *before = NULL;
        Steps steps = FilledSteps(MOST_SLICES, 92, &before);
        StepsExtrapolate(&steps, extrapolation, 0.5);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            long double sum = 0.0L;
            for (int k = 0; k < ROWS; k++) {
                const ptrdiff_t here = k * steps.stride + i;
                sum += fabsl((long double)before[here] - (long double)steps.whole[here]);
            }
            const long double expected = sum * (long double)SPACING;
            UNIT_ASSERT_AT_MOST(fabsl((long double)steps.results.difference[i] - expected),
                                1e-15L * expected);
        }
        free(before);
        StepsDestroy(&steps);
    }
}

/** The refractory state is no node, and has no part in the minimum. */
static void TestMinimumIsThatOfTheNodes(void **state)
{
    (void)state;
    Steps steps = StepsCreate(MOST_SLICES, POOL);
    UnitRandom random = {93};
    for (ptrdiff_t i = 0; i < ROWS * POOL; i++) {
        const int is_node = i / POOL < NODES;
        steps.halves[i] = is_node ? UnitRandomBetween(&random, 1.0, 2.0) : 0.01;
        steps.whole[i] = steps.halves[i] * UnitRandomBetween(&random, 0.5, 2.5);
    }
    StepsWeigh(&steps);
    StepsExtrapolate(&steps, 1.0, 1.0);
    for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
        double smallest = INFINITY;
        for (int k = 0; k < NODES; k++) {
            smallest = fmin(smallest, steps.halves[k * POOL + i]);
        }
        UNIT_ASSERT_SAME_BITS(steps.results.minimum[i], smallest);
    }
    StepsDestroy(&steps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestExactWhereItIsNotNegative),
        cmocka_unit_test(TestNoExtrapolationKeepsTheHalves),
        cmocka_unit_test(TestMassOfEverySlice),
        cmocka_unit_test(TestTotalMass),
        cmocka_unit_test(TestNothingIsNegative),
        cmocka_unit_test(TestLargestShareIsAttained),
        cmocka_unit_test(TestEmptySlices),
        cmocka_unit_test(TestWithoutRates),
        cmocka_unit_test(TestDifference),
        cmocka_unit_test(TestMinimumIsThatOfTheNodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
