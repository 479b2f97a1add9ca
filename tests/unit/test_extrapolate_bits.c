/**
 * The bits of a combined slice do not depend on its place, on the number of slices, on the stride,
 * on where its results are kept, or on what is not used.
 */
#include "extrapolate_problem.h"

enum { NODES = EXTRAPOLATE_NODES, ROWS = EXTRAPOLATE_ROWS, MOST_SLICES = 70, POOL = 72 };

static const double SPACING = EXTRAPOLATE_SPACING;
static const double FACTOR = 0.9;

/** What is given to one slice. */
static void CopySlice(const Steps *source, ptrdiff_t from, Steps *target, ptrdiff_t to)
{
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        for (int k = 0; k < ROWS; k++) {
            target->rows[result][k * target->stride + to] =
                source->rows[result][k * source->stride + from];
        }
        target->masses[result][to] = source->masses[result][from];
        target->rates[result][to] = source->rates[result][from];
    }
}

/** What has become of one slice. */
static void CopyCombined(const Steps *source, ptrdiff_t from, Steps *target, ptrdiff_t to)
{
    for (int k = 0; k < ROWS; k++) {
        target->values[k * target->stride + to] = source->values[k * source->stride + from];
    }
    target->combined.weight_density[to] = source->combined.weight_density[from];
    target->combined.firing_rate[to] = source->combined.firing_rate[from];
    target->combined.minimum[to] = source->combined.minimum[from];
    target->combined.difference[to] = source->combined.difference[from];
}

static void ExpectSameSlice(const Steps *steps, ptrdiff_t here, const Steps *expected,
                            ptrdiff_t there)
{
    for (int k = 0; k < ROWS; k++) {
        UNIT_ASSERT_SAME_BITS(steps->values[k * steps->stride + here],
                              expected->values[k * expected->stride + there]);
    }
    const EngramExtrapolated *found = &steps->combined;
    const EngramExtrapolated *wanted = &expected->combined;
    UNIT_ASSERT_SAME_BITS(found->weight_density[here], wanted->weight_density[there]);
    UNIT_ASSERT_SAME_BITS(found->firing_rate[here], wanted->firing_rate[there]);
    UNIT_ASSERT_SAME_BITS(found->minimum[here], wanted->minimum[there]);
    UNIT_ASSERT_SAME_BITS(found->difference[here], wanted->difference[there]);
}

/** Combines into the rows of one of the results, and into the arrays of the last one. */
static void CombineInPlace(Steps *steps, int combination, int place)
{
    EngramStepResult results[ENGRAM_STEP_RESULTS];
    const size_t size = (size_t)steps->stride * sizeof(double);
    StepsResults(steps, results);
    memcpy(steps->combined.weight_density, steps->masses[ENGRAM_STEP_LAST], size);
    memcpy(steps->combined.firing_rate, steps->rates[ENGRAM_STEP_LAST], size);
    results[ENGRAM_STEP_LAST].weight_density = steps->combined.weight_density;
    results[ENGRAM_STEP_LAST].firing_rate = steps->combined.firing_rate;
    EngramExtrapolate(ROWS, NODES, steps->slices, steps->stride, SPACING, FACTOR,
                      &COMBINATION[combination], results, steps->rows[place], &steps->combined);
    memcpy(steps->values, steps->rows[place], ROWS * size);
}

/** Every slice of a pool for itself. */
static Steps CombinedAlone(const Steps *given, int combination)
{
    Steps all = StepsCreate(POOL, POOL);
    for (ptrdiff_t i = 0; i < POOL; i++) {
        Steps single = StepsCreate(1, ENGRAM_SLICE_PADDING);
        CopySlice(given, i, &single, 0);
        StepsCombine(&single, combination, FACTOR);
        CopyCombined(&single, 0, &all, i);
        StepsDestroy(&single);
    }
    return all;
}

/** Any number of slices from any place on, next to columns that are no slices; also in place. */
static void TestBitsDoNotDependOnThePlace(void **state)
{
    (void)state;
    Steps given = StepsCreate(POOL, POOL);
    StepsFill(&given, 94);
    for (int combination = SECOND_ORDER; combination < COMBINATIONS; combination++) {
        Steps all = CombinedAlone(&given, combination);
        for (ptrdiff_t slices = 1; slices <= MOST_SLICES; slices++) {
            const int place = (int)(slices % (ENGRAM_STEP_RESULTS + 1));
            Steps steps = StepsCreate(slices, POOL + ENGRAM_SLICE_PADDING * (slices % 3));
            for (ptrdiff_t i = 0; i < slices; i++) {
                CopySlice(&given, (i + slices) % POOL, &steps, i);
            }
            if (place == ENGRAM_STEP_RESULTS) {
                StepsCombine(&steps, combination, FACTOR);
            } else {
                CombineInPlace(&steps, combination, place);
            }
            for (ptrdiff_t i = 0; i < slices; i++) {
                ExpectSameSlice(&steps, i, &all, (i + slices) % POOL);
            }
            StepsDestroy(&steps);
        }
        StepsDestroy(&all);
    }
    StepsDestroy(&given);
}

/** Where there are no rates, none is written, and all else is the same. */
static void TestWithoutRates(void **state)
{
    (void)state;
    for (int combination = SECOND_ORDER; combination < COMBINATIONS; combination++) {
        Steps with = StepsFilled(MOST_SLICES, 91);
        Steps steps = StepsFilled(MOST_SLICES, 91);
        EngramStepResult results[ENGRAM_STEP_RESULTS];
        StepsCombine(&with, combination, FACTOR);
        StepsResults(&steps, results);
        for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
            results[result].firing_rate = NULL;
        }
        for (ptrdiff_t i = 0; i < steps.stride; i++) {
            steps.combined.firing_rate[i] = -7.0;
        }
        EngramExtrapolate(ROWS, NODES, MOST_SLICES, steps.stride, SPACING, FACTOR,
                          &COMBINATION[combination], results, steps.values, &steps.combined);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            UNIT_ASSERT_SAME_BITS(steps.combined.firing_rate[i], -7.0);
            steps.combined.firing_rate[i] = with.combined.firing_rate[i];
            ExpectSameSlice(&steps, i, &with, i);
        }
        StepsDestroy(&with);
        StepsDestroy(&steps);
    }
}

/** With two results the middle one may be any array. */
static void TestMiddleIsNotUsed(void **state)
{
    (void)state;
    for (int combination = 0; combination < THIRD_ORDER; combination++) {
        Steps expected = StepsFilled(MOST_SLICES, 96);
        Steps steps = StepsFilled(MOST_SLICES, 96);
        const size_t size = (size_t)steps.stride * sizeof(double);
        memcpy(steps.rows[ENGRAM_STEP_MIDDLE], steps.rows[ENGRAM_STEP_EARLIER], ROWS * size);
        memcpy(steps.masses[ENGRAM_STEP_MIDDLE], steps.masses[ENGRAM_STEP_EARLIER], size);
        memcpy(steps.rates[ENGRAM_STEP_MIDDLE], steps.rates[ENGRAM_STEP_EARLIER], size);
        StepsCombine(&expected, combination, FACTOR);
        StepsCombine(&steps, combination, FACTOR);
        for (ptrdiff_t i = 0; i < MOST_SLICES; i++) {
            ExpectSameSlice(&steps, i, &expected, i);
        }
        StepsDestroy(&expected);
        StepsDestroy(&steps);
    }
}

/** The results are read only, and columns beyond the padding are nobody's. */
static void TestTouchesOnlyItsSlices(void **state)
{
    (void)state;
    const ptrdiff_t padded = 48;
    for (int combination = 0; combination < COMBINATIONS; combination++) {
        Steps steps = StepsCreate(41, POOL);
        Steps before = StepsCreate(41, POOL);
        StepsFill(&steps, 95);
        StepsFill(&before, 95);
        for (ptrdiff_t i = 0; i < ROWS * POOL; i++) {
            steps.values[i] = -3.0;
        }
        StepsCombine(&steps, combination, FACTOR);
        for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
            assert_memory_equal(steps.rows[result], before.rows[result],
                                ROWS * POOL * sizeof(double));
        }
        for (ptrdiff_t i = padded; i < POOL; i++) {
            for (int k = 0; k < ROWS; k++) {
                UNIT_ASSERT_SAME_BITS(steps.values[k * POOL + i], -3.0);
            }
            UNIT_ASSERT_SAME_BITS(steps.combined.minimum[i], 0.0);
            UNIT_ASSERT_SAME_BITS(steps.combined.weight_density[i], 0.0);
        }
        StepsDestroy(&steps);
        StepsDestroy(&before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestBitsDoNotDependOnThePlace),
        cmocka_unit_test(TestWithoutRates),
        cmocka_unit_test(TestMiddleIsNotUsed),
        cmocka_unit_test(TestTouchesOnlyItsSlices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
