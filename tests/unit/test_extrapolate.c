/**
 * Combination of two or three results of a step: q where that is not negative, its positive part
 * scaled to the mass of q elsewhere, the mass of every slice and of all, and the error estimate.
 */
#include "extrapolate_problem.h"

enum { NODES = EXTRAPOLATE_NODES, ROWS = EXTRAPOLATE_ROWS, MOST_SLICES = 70, POOL = 72 };

static const double SPACING = EXTRAPOLATE_SPACING;

/** Three values: of a row and a slice, or sums over the rows of a slice. */
typedef struct Triple {
    long double of[ENGRAM_STEP_RESULTS];
} Triple;

static Triple RowTriple(const Steps *steps, int k, ptrdiff_t i)
{
    Triple triple;
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        triple.of[result] = (long double)steps->rows[result][k * steps->stride + i];
    }
    return triple;
}

static Triple RateTriple(const Steps *steps, ptrdiff_t i)
{
    Triple triple;
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        triple.of[result] = (long double)steps->rates[result][i];
    }
    return triple;
}

static Triple MassTriple(const Steps *steps, ptrdiff_t i)
{
    Triple triple;
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        triple.of[result] = StepsColumnMass(steps->rows[result], steps->stride, i);
    }
    return triple;
}

/** q as extrapolate.h writes it for the order. */
static long double ExactValue(int combination, Triple y)
{
    const long double y1 = y.of[ENGRAM_STEP_EARLIER];
    const long double y2 = y.of[ENGRAM_STEP_MIDDLE];
    const long double y3 = y.of[ENGRAM_STEP_LAST];
    if (combination == THIRD_ORDER) {
        return y3 + 3.5L * (y3 - y2) - 0.5L * (y2 - y1);
    }
    return combination == SECOND_ORDER ? y3 + (y3 - y1) : y3;
}

/** d, likewise. */
static long double ExactError(int combination, Triple y)
{
    if (combination == THIRD_ORDER) {
        const long double y3 = y.of[ENGRAM_STEP_LAST];
        return ExactValue(combination, y) - (y3 + 2.0L * (y3 - y.of[ENGRAM_STEP_MIDDLE]));
    }
    return y.of[ENGRAM_STEP_LAST] - y.of[ENGRAM_STEP_EARLIER];
}

/** Size of the terms of q and d: what their round-off is relative to. */
static long double Size(int combination, Triple y)
{
    const double *c = COMBINATION[combination].value;
    const long double last = y.of[ENGRAM_STEP_LAST];
    return last + (1.0L + fabsl((long double)c[0])) * (y.of[ENGRAM_STEP_EARLIER] + last) +
           fabsl((long double)c[1]) * (y.of[ENGRAM_STEP_MIDDLE] + last);
}

/** Polynomials in the length of the sub-steps have their value at 0, and d the last term. */
static void TestOrders(void **state)
{
    (void)state;
    UnitRandom random = {8};
    for (int i = 0; i < 100; i++) {
        const double a = UnitRandomBelow(&random, 3);
        const double b = UnitRandomBelow(&random, 5) - 2.0;
        const double c = UnitRandomBelow(&random, 5) - 2.0;
        const double line[2] = {a + b, a + b / 2.0};
        const double curve[3] = {a + b + c, a + b / 2.0 + c / 4.0, a + b / 3.0 + c / 9.0};
        const EngramCombination *second = &COMBINATION[SECOND_ORDER];
        const EngramCombination *third = &COMBINATION[THIRD_ORDER];
        const double found = EngramExtrapolatedValue(third, curve[0], curve[1], curve[2]);
        const double error = EngramExtrapolatedError(third, curve[0], curve[1], curve[2]);
        UNIT_ASSERT_AT_MOST(fabs(EngramExtrapolatedValue(second, line[0], 7.0, line[1]) - a), 0.0);
        UNIT_ASSERT_AT_MOST(fabs(EngramExtrapolatedError(second, line[0], 7.0, line[1]) + b / 2.0),
                            0.0);
        UNIT_ASSERT_AT_MOST(fabs(found - a), 1e-14);
        /* The second order through y2 and y3 leaves -c/6. */
        UNIT_ASSERT_AT_MOST(fabs(error - c / 6.0), 1e-14);
    }
}

/** q by the kernel's formula; its products are with powers of two, so none of them is rounded. */
static double LongHand(int combination, const double *y)
{
    const double last = y[ENGRAM_STEP_LAST];
    const double *c = COMBINATION[combination].value;
    return last + (c[0] * (y[ENGRAM_STEP_EARLIER] - last) + c[1] * (y[ENGRAM_STEP_MIDDLE] - last));
}

static void ExpectLongHand(const Steps *steps, int combination, ptrdiff_t i)
{
    double y[ENGRAM_STEP_RESULTS];
    for (int k = 0; k < ROWS; k++) {
        for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
            y[result] = steps->rows[result][k * steps->stride + i];
        }
        UNIT_ASSERT_SAME_BITS(steps->values[k * steps->stride + i], LongHand(combination, y));
    }
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        y[result] = steps->rates[result][i];
    }
    UNIT_ASSERT_SAME_BITS(steps->combined.firing_rate[i], fmax(0.0, LongHand(combination, y)));
}

static void TestExactWhereItIsNotNegative(void **state)
{
    (void)state;
    for (int combination = SECOND_ORDER; combination < COMBINATIONS; combination++) {
        Steps steps = StepsFilled(MOST_SLICES, 1);
        StepsCombine(&steps, combination, 1.0);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            const int kind = (int)(i % KINDS);
            if (kind == SMOOTH || kind == NO_EARLIER || kind == NEGATIVE_RATE) {
                ExpectLongHand(&steps, combination, i);
            }
        }
        assert_true(steps.combined.firing_rate[SMOOTH] > 0.0);
        UNIT_ASSERT_SAME_BITS(steps.combined.firing_rate[NEGATIVE_RATE], 0.0);
        StepsDestroy(&steps);
    }
}

/** Without coefficients the last result stays, whatever the others are. */
static void TestLastResultIsKept(void **state)
{
    (void)state;
    Steps steps = StepsFilled(MOST_SLICES, 2);
    EngramStepResult results[ENGRAM_STEP_RESULTS];
    double shortfall[POOL];
    StepsResults(&steps, results);
    StepsCombine(&steps, KEEPS_LAST, 1.0);
    EngramExtrapolationShortfall(MOST_SLICES, &COMBINATION[KEEPS_LAST], results, shortfall);
    for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
        for (int k = 0; k < ROWS; k++) {
            const ptrdiff_t here = k * steps.stride + i;
            UNIT_ASSERT_SAME_BITS(steps.values[here], steps.rows[ENGRAM_STEP_LAST][here]);
        }
        UNIT_ASSERT_SAME_BITS(steps.combined.firing_rate[i], steps.rates[ENGRAM_STEP_LAST][i]);
        UNIT_ASSERT_SAME_BITS(shortfall[i], 0.0);
    }
    StepsDestroy(&steps);
}

/** Every slice has the mass of its q, or none; as reported, and in its rows. */
static void TestMassOfEverySlice(void **state)
{
    (void)state;
    for (uint64_t seed = 3; seed < 23; seed++) {
        const double factor = 0.75;
        const int combination = seed % 2 ? SECOND_ORDER : THIRD_ORDER;
        Steps steps = StepsFilled(MOST_SLICES, seed);
        StepsCombine(&steps, combination, factor);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            const Triple masses = MassTriple(&steps, i);
            const long double expected = factor * fmaxl(0.0L, ExactValue(combination, masses));
            const long double mass = StepsColumnMass(steps.values, steps.stride, i);
            const long double bound = 5e-16L * Size(combination, masses);
            UNIT_ASSERT_AT_MOST(fabsl(mass - expected), bound);
            UNIT_ASSERT_AT_MOST(fabsl((long double)steps.combined.weight_density[i] - mass), bound);
        }
        StepsDestroy(&steps);
    }
}

/** All results are given the total mass 1. */
static void NormaliseTotals(Steps *steps)
{
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        long double total = 0.0L;
        for (ptrdiff_t i = 0; i < steps->slices; i++) {
            total += StepsColumnMass(steps->rows[result], steps->stride, i);
        }
        for (ptrdiff_t i = 0; i < ROWS * steps->stride; i++) {
            steps->rows[result][i] /= (double)total;
        }
    }
    StepsWeigh(steps);
}

/** The sum of what the slices fall short of zero by. */
static double Shortfall(const Steps *steps, int combination)
{
    double sum = 0.0;
    double shortfall[POOL];
    EngramStepResult results[ENGRAM_STEP_RESULTS];
    StepsResults(steps, results);
    EngramExtrapolationShortfall(POOL, &COMBINATION[combination], results, shortfall);
    for (ptrdiff_t i = 0; i < POOL; i++) {
        const Triple masses = MassTriple(steps, i);
        const long double expected = fmaxl(0.0L, -ExactValue(combination, masses));
        UNIT_ASSERT_AT_MOST(fabsl((long double)shortfall[i] - expected),
                            5e-16L * Size(combination, masses));
        sum += shortfall[i];
    }
    return sum;
}

/** What some slices fall short of is taken from the others by the common factor. */
static void TestTotalMass(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 40; seed++) {
        const int combination = seed % 2 ? SECOND_ORDER : THIRD_ORDER;
        Steps steps = StepsCreate(POOL, POOL);
        long double total = 0.0L;
        StepsFill(&steps, seed);
        NormaliseTotals(&steps);
        const double sum = Shortfall(&steps, combination);
        assert_true(sum > 0.01);
        StepsCombine(&steps, combination, 1.0 / (1.0 + sum));
        for (ptrdiff_t i = 0; i < POOL; i++) {
            total += StepsColumnMass(steps.values, steps.stride, i);
        }
        UNIT_ASSERT_AT_MOST(fabsl(total - 1.0L), 4e-15);
        StepsDestroy(&steps);
    }
}

/** Nothing is below zero, not even as -0. */
static void TestNothingIsNegative(void **state)
{
    (void)state;
    for (uint64_t seed = 30; seed < 90; seed++) {
        Steps steps = StepsFilled(MOST_SLICES, seed);
        StepsCombine(&steps, (int)(seed % COMBINATIONS), 1.0 / 1.7);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            for (int k = 0; k < ROWS; k++) {
                const double value = steps.values[k * steps.stride + i];
                assert_true(isfinite(value) && !signbit(value));
            }
            assert_true(!signbit(steps.combined.weight_density[i]) &&
                        !signbit(steps.combined.firing_rate[i]) &&
                        !signbit(steps.combined.minimum[i]));
            assert_true(isfinite(steps.combined.firing_rate[i]));
        }
        StepsDestroy(&steps);
    }
}

/** One slice in long double: what its entries are scaled by. */
typedef struct Clipping {
    long double scale;
    long double precision; /* relative, of the scale: the mass of q may have cancelled */
    int is_clipped;
} Clipping;

static Clipping ExpectedClipping(const Steps *steps, int combination, ptrdiff_t i)
{
    const Triple masses = MassTriple(steps, i);
    const long double mass = ExactValue(combination, masses);
    long double positive = 0.0L;
    Clipping clipping = {1.0L, 5e-16L, 0};
    for (int k = 0; k < ROWS; k++) {
        const long double q = ExactValue(combination, RowTriple(steps, k, i));
        positive += fmaxl(0.0L, q) * (long double)SPACING;
        clipping.is_clipped = clipping.is_clipped || q < 0.0L;
    }
    if (clipping.is_clipped) {
        clipping.scale = mass > 0.0L ? mass / positive : 0.0L;
        clipping.precision *= mass > 0.0L ? Size(combination, masses) / mass : 1.0L;
    }
    return clipping;
}

static void ExpectClipped(const Clipping *clipping, int combination, Triple y, double value)
{
    const long double expected = clipping->scale * fmaxl(0.0L, ExactValue(combination, y));
    UNIT_ASSERT_AT_MOST(fabsl((long double)value - expected),
                        clipping->precision * expected +
                            5e-16L * clipping->scale * Size(combination, y));
}

/** Negative entries become zero, the others are scaled down, and so is the rate. */
static void TestClipping(void **state)
{
    (void)state;
    int clipped[COMBINATIONS][KINDS] = {{0}};
    for (uint64_t seed = 60; seed < 120; seed++) {
        const int combination = seed % 2 ? SECOND_ORDER : THIRD_ORDER;
        Steps steps = StepsFilled(MOST_SLICES, seed);
        StepsCombine(&steps, combination, 1.0);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            const Clipping clipping = ExpectedClipping(&steps, combination, i);
            for (int k = 0; k < ROWS; k++) {
                ExpectClipped(&clipping, combination, RowTriple(&steps, k, i),
                              steps.values[k * steps.stride + i]);
            }
            ExpectClipped(&clipping, combination, RateTriple(&steps, i),
                          steps.combined.firing_rate[i]);
            clipped[combination][i % KINDS] += clipping.is_clipped && clipping.scale > 0.0L;
        }
        StepsDestroy(&steps);
    }
    for (int combination = SECOND_ORDER; combination < COMBINATIONS; combination++) {
        assert_true(clipped[combination][ROUGH] > 20 && clipped[combination][DENT] > 20);
        assert_int_equal(clipped[combination][SMOOTH] + clipped[combination][NO_EARLIER], 0);
    }
}

/** A slice whose mass would be negative, or that is empty, holds nothing afterwards. */
static void TestEmptySlices(void **state)
{
    (void)state;
    for (uint64_t seed = 90; seed < 100; seed++) {
        Steps steps = StepsFilled(MOST_SLICES, seed);
        StepsCombine(&steps, seed % 2 ? SECOND_ORDER : THIRD_ORDER, 1.0);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            const int kind = (int)(i % KINDS);
            if (kind != NO_LAST && kind != EMPTY && kind != HEAVY) {
                continue;
            }
            for (int k = 0; k < ROWS; k++) {
                UNIT_ASSERT_SAME_BITS(steps.values[k * steps.stride + i], 0.0);
            }
            UNIT_ASSERT_SAME_BITS(steps.combined.weight_density[i], 0.0);
            UNIT_ASSERT_SAME_BITS(steps.combined.firing_rate[i], 0.0);
            UNIT_ASSERT_SAME_BITS(steps.combined.minimum[i], 0.0);
        }
        StepsDestroy(&steps);
    }
}

/** The error estimate is that of d, whatever becomes of q. */
static void TestDifference(void **state)
{
    (void)state;
    for (int combination = 0; combination < COMBINATIONS; combination++) {
        Steps steps = StepsFilled(MOST_SLICES, 92);
        StepsCombine(&steps, combination, 0.5);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            long double expected = 0.0L;
            for (int k = 0; k < ROWS; k++) {
                expected +=
                    fabsl(ExactError(combination, RowTriple(&steps, k, i))) * (long double)SPACING;
            }
            UNIT_ASSERT_AT_MOST(fabsl((long double)steps.combined.difference[i] - expected),
                                5e-16L * Size(combination, MassTriple(&steps, i)));
        }
        StepsDestroy(&steps);
    }
}

/** The refractory state is no node, and has no part in the minimum. */
static void TestMinimumIsThatOfTheNodes(void **state)
{
    (void)state;
    for (int combination = 0; combination < COMBINATIONS; combination++) {
        Steps steps = StepsCreate(MOST_SLICES, POOL);
        UnitRandom random = {93};
        for (ptrdiff_t i = 0; i < ROWS * POOL; i++) {
            const double last = i / POOL < NODES ? UnitRandomBetween(&random, 1.0, 2.0) : 0.01;
            steps.rows[ENGRAM_STEP_LAST][i] = last;
            steps.rows[ENGRAM_STEP_MIDDLE][i] = last * UnitRandomBetween(&random, 0.95, 1.05);
            steps.rows[ENGRAM_STEP_EARLIER][i] = last * UnitRandomBetween(&random, 0.5, 2.5);
        }
        StepsWeigh(&steps);
        StepsCombine(&steps, combination, 1.0);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            double smallest = INFINITY;
            for (int k = 0; k < NODES; k++) {
                smallest = fmin(smallest, steps.values[k * POOL + i]);
            }
            UNIT_ASSERT_SAME_BITS(steps.combined.minimum[i], smallest);
        }
        StepsDestroy(&steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestOrders),           cmocka_unit_test(TestExactWhereItIsNotNegative),
        cmocka_unit_test(TestLastResultIsKept), cmocka_unit_test(TestMassOfEverySlice),
        cmocka_unit_test(TestTotalMass),        cmocka_unit_test(TestNothingIsNegative),
        cmocka_unit_test(TestClipping),         cmocka_unit_test(TestEmptySlices),
        cmocka_unit_test(TestDifference),       cmocka_unit_test(TestMinimumIsThatOfTheNodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
