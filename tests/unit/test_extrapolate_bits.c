/**
 * The bits of an extrapolated slice do not depend on its place, on the number of slices, on the
 * stride, or on where its results are kept.
 */
#include "extrapolate_problem.h"

enum { NODES = EXTRAPOLATE_NODES, ROWS = EXTRAPOLATE_ROWS, MOST_SLICES = 70, POOL = 72 };

static const double SPACING = EXTRAPOLATE_SPACING;

/** What is given to one slice. */
static void CopySlice(const Steps *source, ptrdiff_t from, Steps *target, ptrdiff_t to)
{
    for (int k = 0; k < ROWS; k++) {
        target->whole[k * target->stride + to] = source->whole[k * source->stride + from];
        target->halves[k * target->stride + to] = source->halves[k * source->stride + from];
    }
    for (int i = 0; i < 2; i++) {
        target->masses[i][to] = source->masses[i][from];
        target->rates[i][to] = source->rates[i][from];
    }
}

static void ExpectSameSlice(const Steps *steps, ptrdiff_t here, const Steps *expected,
                            ptrdiff_t there)
{
    for (int k = 0; k < ROWS; k++) {
        UNIT_ASSERT_SAME_BITS(steps->halves[k * steps->stride + here],
                              expected->halves[k * expected->stride + there]);
    }
    const EngramExtrapolated *found = &steps->results;
    const EngramExtrapolated *wanted = &expected->results;
    UNIT_ASSERT_SAME_BITS(found->weight_density[here], wanted->weight_density[there]);
    UNIT_ASSERT_SAME_BITS(found->firing_rate[here], wanted->firing_rate[there]);
    UNIT_ASSERT_SAME_BITS(found->minimum[here], wanted->minimum[there]);
    UNIT_ASSERT_SAME_BITS(found->difference[here], wanted->difference[there]);
}

/** Extrapolates with the arrays of y2's results as those of the new ones. */
static void ExtrapolateInPlace(Steps *steps)
{
    const EngramStepResult whole = {steps->masses[0], steps->rates[0]};
    const EngramStepResult halves = {steps->results.weight_density, steps->results.firing_rate};
    const size_t size = (size_t)steps->stride * sizeof(double);
    memcpy(steps->results.weight_density, steps->masses[1], size);
    memcpy(steps->results.firing_rate, steps->rates[1], size);
    EngramExtrapolate(ROWS, NODES, steps->slices, steps->stride, SPACING, 1.0, 0.9, &whole, &halves,
                      steps->whole, steps->halves, &steps->results);
}

/** Any number of slices from any place on, next to columns that are no slices; also in place. */
static void TestBitsDoNotDependOnThePlace(void **state)
{
    (void)state;
    Steps given = StepsCreate(POOL, POOL);
    Steps all = StepsCreate(POOL, POOL);
    StepsFill(&given, 94);
    for (ptrdiff_t i = 0; i < POOL; i++) {
        Steps single = StepsCreate(1, ENGRAM_SLICE_PADDING);
        CopySlice(&given, i, &single, 0);
        StepsExtrapolate(&single, 1.0, 0.9);
        CopySlice(&single, 0, &all, i);
        all.results.weight_density[i] = single.results.weight_density[0];
        all.results.firing_rate[i] = single.results.firing_rate[0];
        all.results.minimum[i] = single.results.minimum[0];
        all.results.difference[i] = single.results.difference[0];
        StepsDestroy(&single);
    }
    for (ptrdiff_t slices = 1; slices <= MOST_SLICES; slices++) {
        Steps steps = StepsCreate(slices, POOL + ENGRAM_SLICE_PADDING * (slices % 2));
        for (ptrdiff_t i = 0; i < slices; i++) {
            CopySlice(&given, (i + slices) % POOL, &steps, i);
        }
        if (slices % 3) {
            StepsExtrapolate(&steps, 1.0, 0.9);
        } else {
            ExtrapolateInPlace(&steps);
        }
        for (ptrdiff_t i = 0; i < slices; i++) {
            ExpectSameSlice(&steps, i, &all, (i + slices) % POOL);
        }
        StepsDestroy(&steps);
    }
    StepsDestroy(&given);
    StepsDestroy(&all);
}

/** y1 is read only, and columns beyond the padding are nobody's. */
static void TestTouchesOnlyItsSlices(void **state)
{
    (void)state;
    const ptrdiff_t padded = 48;
    Steps steps = StepsCreate(41, POOL);
    Steps before = StepsCreate(41, POOL);
    StepsFill(&steps, 95);
    StepsFill(&before, 95);
    StepsExtrapolate(&steps, 1.0, 0.9);
    assert_memory_equal(steps.whole, before.whole, ROWS * POOL * sizeof(*before.whole));
    for (ptrdiff_t i = padded; i < POOL; i++) {
        for (int k = 0; k < ROWS; k++) {
            UNIT_ASSERT_SAME_BITS(steps.halves[k * POOL + i], before.halves[k * POOL + i]);
        }
        UNIT_ASSERT_SAME_BITS(steps.results.minimum[i], 0.0);
    }
    StepsDestroy(&steps);
    StepsDestroy(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestBitsDoNotDependOnThePlace),
        cmocka_unit_test(TestTouchesOnlyItsSlices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
