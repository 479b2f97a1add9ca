/**
 * What is found of the jumps of an input given by an expression: comparisons that are linear in
 * time before a phase begins, others and jumps without comparison within a step.
 */
#include "watch_problem.h"

static const Phase PLAIN = {.begin = 0.0, .end = 10.0, .epsilon = 0.1, .cells = 8};

static Phase PhaseOf(const char *input, double begin, double end)
{
    Phase phase = PLAIN;
    phase.input = input;
    phase.begin = begin;
    phase.end = end;
    return phase;
}

/** A comparison that is linear in time changes once, between two neighbouring numbers. */
static void ExpectLinear(const char *input, double begin, double time, double before, double after)
{
    Watched watched;
    const Phase phase = PhaseOf(input, begin, 10.0);
    WatchedCreate(&phase, &watched);
    if (watched.jumps.count != 2) {
        fail_msg("\"%s\": %d jumps", input, (int)watched.jumps.count);
    }
    const Jump *jump = &watched.jumps.list[1];
    ExpectNeighbours(jump, 1.0);
    UNIT_ASSERT_SAME_BITS(jump->time, time);
    UNIT_ASSERT_SAME_BITS(jump->before, before);
    UNIT_ASSERT_SAME_BITS(jump->after, after);
    UNIT_ASSERT_AT_MOST(fabs(WatchedInput(&watched, before) - WatchedInput(&watched, begin)), 0.0);
    UNIT_ASSERT_AT_MOST(fabs(WatchedInput(&watched, after) - WatchedInput(&watched, 10.0)), 0.0);
    /* Steps to it and from it see no other one. */
    WatchedWalk(&watched, 0.7, PETSC_TRUE);
    assert_int_equal(watched.jumps.count, 2);
    WatchedDestroy(&watched);
}

static void TestLinearComparisons(void **state)
{
    (void)state;
    const double pi = 3.14159265358979323846;
    ExpectLinear("t < 5 ? 1 : 0", 0.0, 5.0, nextafter(5.0, 0.0), 5.0);
    ExpectLinear("t <= 5 ? 1 : 0", 0.0, 5.0, 5.0, nextafter(5.0, 9.0));
    ExpectLinear("t >= 0.1", 0.0, 0.1, nextafter(0.1, 0.0), 0.1);
    ExpectLinear("0.1 < t", 0.0, 0.1, 0.1, nextafter(0.1, 1.0));
    ExpectLinear("w*(3*t + 1 > 2*t + 8)", 0.0, 7.0, 7.0, nextafter(7.0, 9.0));
    ExpectLinear("s >= 2", 3.0, 5.0, nextafter(5.0, 0.0), 5.0);
    ExpectLinear("s > 2", 3.0, 5.0, 5.0, nextafter(5.0, 9.0));
    ExpectLinear("t >= pi ? w : 0", 0.0, pi, nextafter(pi, 0.0), pi);
    /* What is on from the beginning, or off until the end, never changes. */
    Watched watched;
    const Phase phase = PhaseOf("(t > 1) + (t < 3) + (t >= 3) + (t > 20)", 3.0, 10.0);
    WatchedCreate(&phase, &watched);
    assert_int_equal(watched.jumps.count, 1);
    WatchedDestroy(&watched);
}

/** Two comparisons that change together make one jump, the widest of the two. */
static void TestComparisonsAtOneTime(void **state)
{
    (void)state;
    Watched watched;
    const Phase phase = PhaseOf("(t < 5) + (t <= 5) + (s > 6)", 0.0, 10.0);
    WatchedCreate(&phase, &watched);
    assert_int_equal(watched.jumps.count, 3);
    const Jump *jump = JumpsAt(&watched.jumps, 5.0);
    UNIT_ASSERT_SAME_BITS(jump->before, nextafter(5.0, 0.0));
    UNIT_ASSERT_SAME_BITS(jump->after, nextafter(5.0, 9.0));
    WatchedDestroy(&watched);
}

/** With a delay what is found has echoes. */
static void TestEchoes(void **state)
{
    (void)state;
    Watched watched;
    Phase phase = PhaseOf("t < 2 ? 1 : 0", 0.0, 10.0);
    phase.delay = 2.5;
    WatchedCreate(&phase, &watched);
    assert_int_equal(watched.jumps.count, 8);
    for (int i = 1; i <= 6; i++) {
        const Jump *echo = JumpsAt(&watched.jumps, 2.0 + 0.25 * i);
        assert_non_null(echo);
        UNIT_ASSERT_SAME_BITS(echo->restarts, i <= 3);
    }
    WatchedDestroy(&watched);
}

/** A change just after the beginning is one with it: no step is too short, and none is lost. */
static void TestChangeAtTheBeginning(void **state)
{
    (void)state;
    const char *inputs[5] = {"t > 0 ? 1 : 0", "sin(6*t) > 0 ? 1 : 0", "t*t > 0", "s > 0 ? w : 0",
                             "(t > 0) + (sin(t) > 0) + (t^3 > 0)"};
    for (int i = 0; i < 5; i++) {
        Watched watched;
        const Phase phase = PhaseOf(inputs[i], 0.0, 0.5);
        WatchedCreate(&phase, &watched);
        UNIT_ASSERT_SAME_BITS(WatchedStep(&watched, 0.0, 1e-6, PETSC_TRUE), 1e-6);
        assert_int_equal(watched.jumps.count, 1);
        const Jump *jump = JumpsAt(&watched.jumps, 0.0);
        UNIT_ASSERT_SAME_BITS(jump->time, 0.0);
        UNIT_ASSERT_SAME_BITS(jump->before, 0.0);
        UNIT_ASSERT_SAME_BITS(WatchedInput(&watched, jump->after), WatchedInput(&watched, 1e-6));
        assert_true(WatchedInput(&watched, jump->after) > 0.0);
        WatchedDestroy(&watched);
    }
}

/** Walks through a phase; the jumps are those that are expected, and the input has both sides. */
static void ExpectJumps(const char *input, double end, double length, const double *times,
                        int count)
{
    for (int follows = 0; follows < 2; follows++) {
        Watched watched;
        const Phase phase = PhaseOf(input, 0.0, end);
        WatchedCreate(&phase, &watched);
        WatchedWalk(&watched, length, (PetscBool)follows);
        if (watched.jumps.count != count + 1) {
            fail_msg("\"%s\", step %g: %d jumps, not %d", input, length,
                     (int)watched.jumps.count - 1, count);
        }
        for (int i = 0; i < count; i++) {
            const Jump *jump = &watched.jumps.list[i + 1];
            UNIT_ASSERT_AT_MOST(fabs(jump->time - times[i]), 1e-14 * times[i] + 3e-16);
            UNIT_ASSERT_SAME_BITS(jump->restarts, 1.0);
            UNIT_ASSERT_AT_MOST(jump->after - jump->before, ENGRAM_TIME_RESOLUTION * times[i]);
            assert_true(jump->before <= jump->time && jump->time <= jump->after);
            /* Constant between jumps, so that neighbours of a jump tell what is beside it. */
            UNIT_ASSERT_SAME_BITS(WatchedInput(&watched, jump->before),
                                  WatchedInput(&watched, times[i] * (1.0 - 1e-9)));
            UNIT_ASSERT_SAME_BITS(WatchedInput(&watched, jump->after),
                                  WatchedInput(&watched, times[i] * (1.0 + 1e-9)));
        }
        WatchedDestroy(&watched);
    }
}

/**
 * Comparisons of any other kind are found by samples of the step, however long it is, and however
 * little the input changes.
 */
static void TestOtherComparisons(void **state)
{
    (void)state;
    const double pi = 3.14159265358979323846;
    const double lengths[3] = {0.01, 0.3, 10.0};
    double sine[12];
    double wave[11];
    for (int i = 0; i < 6; i++) {
        sine[2 * i] = (1.0 + 12.0 * i) * pi / 36.0;
        sine[2 * i + 1] = (5.0 + 12.0 * i) * pi / 36.0;
    }
    for (int i = 0; i < 11; i++) {
        wave[i] = (i + 1) * pi / 6.0;
    }
    const double root[1] = {sqrt(2.0)};
    const double pair[2] = {1.75, 2.25};
    for (int i = 0; i < 3; i++) {
        ExpectJumps("sin(6*t) > 0.5 ? 1 : 0", 6.0, lengths[i], sine, 12);
        ExpectJumps("sin(6*t) > 0.5 ? 1e-7 : 0", 6.0, lengths[i], sine, 12);
        ExpectJumps("sin(6*t) > 0 ? 1e-7 : 0", 6.0, lengths[i], wave, 11);
        ExpectJumps("t*t < 2 ? 3*w : 1", 5.0, lengths[i], root, 1);
        ExpectJumps("abs(t - 2) < 0.25", 5.0, lengths[i], pair, 2);
        ExpectJumps("1e-7*(abs(t - 2) <= 0.25)", 5.0, lengths[i], pair, 2);
        ExpectJumps("1e-7*(abs(t - 2) < 0.25)", 5.0, lengths[i], pair, 2);
    }
}

/** Jumps of other origin are found where the input changes and does not cease to. */
static void TestJumpsWithoutComparison(void **state)
{
    (void)state;
    const double lengths[3] = {0.01, 0.3, 10.0};
    const double halves[5] = {0.5, 1.5, 2.5, 3.5, 4.5};
    const double one[1] = {1.7};
    for (int i = 0; i < 3; i++) {
        ExpectJumps("rint(t)", 5.0, lengths[i], halves, 5);
        ExpectJumps("w*rint(0.2*t + 0.16)", 5.0, lengths[i], one, 1);
    }
}

/** A jump close to the beginning or the end of a step is told from a larger one there. */
static void TestJumpsBesideJumps(void **state)
{
    (void)state;
    const double late[1] = {5e-5};
    const double early[2] = {0.49995, 0.5};
    ExpectJumps("10*(t > 0) + rint(t + 0.49995)", 1.0, 0.1, late, 1);
    ExpectJumps("10*(t >= 0.5) + rint(t + 5e-5)", 1.0, 0.1, early, 2);
}

/** A jump without comparison that is too small to matter is none. */
static void TestSmallJumps(void **state)
{
    (void)state;
    Watched watched;
    const Phase phase = PhaseOf("0.3*t*t + 9e-5*rint(t + 0.49)", 0.0, 2.0);
    WatchedCreate(&phase, &watched);
    WatchedWalk(&watched, 0.25, PETSC_TRUE);
    WatchedWalk(&watched, 0.01, PETSC_FALSE);
    assert_int_equal(watched.jumps.count, 1);
    WatchedDestroy(&watched);
}

/** A change at the very end of a step is there when the next one begins. */
static void TestChangeAtTheEndOfAStep(void **state)
{
    (void)state;
    const char *inputs[6] = {"t*t > 0.25", "t*t >= 0.25",      "sin(2*pi*t) > 0 ? 1 : 0",
                             "rint(t)",    "sign(t*t - 0.25)", "1e-7*(t*t > 0.25)"};
    for (int i = 0; i < 30; i++) {
        Watched watched;
        const Phase phase = PhaseOf(inputs[i / 5], 0.0, 0.9);
        const double end = 0.5 * (1.0 + (i % 5 - 2) * 4e-16);
        WatchedCreate(&phase, &watched);
        const double found = WatchedStep(&watched, 0.1, end, PETSC_TRUE);
        assert_true(JumpsAreOneTime(found, 0.5));
        assert_int_equal(InputWatchStart(&watched.watch, 1.0, found), 0);
        assert_int_equal(watched.jumps.count, 2);
        const Jump *jump = JumpsAt(&watched.jumps, found);
        assert_non_null(jump);
        UNIT_ASSERT_SAME_BITS(jump->restarts, 1.0);
        UNIT_ASSERT_SAME_BITS(WatchedInput(&watched, jump->before), WatchedInput(&watched, 0.4));
        UNIT_ASSERT_SAME_BITS(WatchedInput(&watched, jump->after), WatchedInput(&watched, 0.6));
        UNIT_ASSERT_SAME_BITS(WatchedStep(&watched, found, 0.7, PETSC_TRUE), 0.7);
        assert_int_equal(watched.jumps.count, 2);
        WatchedDestroy(&watched);
    }
}

/** With a delay, a jump that is found at the beginning of a step has echoes like any other. */
static void TestEchoesOfWhatIsFound(void **state)
{
    (void)state;
    const char *inputs[2] = {"t*t > 0.25", "rint(t)"};
    for (int i = 0; i < 4; i++) {
        Watched watched;
        Phase phase = PhaseOf(inputs[i / 2], 0.0, 0.9);
        phase.delay = 0.5;
        WatchedCreate(&phase, &watched);
        const double found = WatchedStep(&watched, 0.1, i % 2 ? 0.5 : 0.52, PETSC_TRUE);
        assert_int_equal(InputWatchStart(&watched.watch, 1.0, found), 0);
        assert_int_equal(watched.jumps.count, 8);
        for (int k = 0; k <= 6; k++) {
            const Jump *jump = JumpsAt(&watched.jumps, 0.5 + 0.05 * k);
            assert_non_null(jump);
            UNIT_ASSERT_SAME_BITS(jump->restarts, k <= 3);
        }
        WatchedDestroy(&watched);
    }
}

/** The look at the beginning of a step finds nothing where the input is steep or hardly changes. */
static void TestNothingAtTheBeginning(void **state)
{
    (void)state;
    const char *inputs[5] = {"1e9*t", "tanh(1e7*(t - 0.5))", "w*(t > 2)", "sin(t) > 0.9",
                             "9e-5*rint(t - 2e-15)"};
    for (int i = 0; i < 5; i++) {
        Watched watched;
        const Phase phase = PhaseOf(inputs[i], 0.0, 0.9);
        WatchedCreate(&phase, &watched);
        for (int k = 0; k <= 9; k++) {
            assert_int_equal(InputWatchStart(&watched.watch, 1.0, 0.1 * k), 0);
        }
        assert_int_equal(watched.jumps.count, 1);
        WatchedDestroy(&watched);
    }
}

/** Of several jumps within a step the first one ends it, however small beside the others. */
static void TestSeveralJumpsInAStep(void **state)
{
    (void)state;
    const double lengths[3] = {0.05, 0.3, 10.0};
    const double times[4] = {0.4, 0.5, 1.4, 1.5};
    const double close[4] = {0.49, 0.5, 1.49, 1.5};
    for (int i = 0; i < 3; i++) {
        ExpectJumps("rint(t + 0.1) + 3*rint(t)", 2.0, lengths[i], times, 4);
        ExpectJumps("rint(t + 0.01) + 3*rint(t)", 2.0, lengths[i], close, 4);
    }
}

/** The sign is zero at one time only, between its two other values. */
static void TestSign(void **state)
{
    (void)state;
    const double lengths[4] = {0.01, 0.3, 10.0, 1.3};
    /* Round-off makes the second half of the change the larger one with 1.2. */
    const char *inputs[2] = {"sign(t - 1.3)", "sign(t - 1.3) + 1.2"};
    for (int i = 0; i < 8; i++) {
        Watched watched;
        const Phase phase = PhaseOf(inputs[i / 4], 0.0, 5.0);
        WatchedCreate(&phase, &watched);
        WatchedWalk(&watched, lengths[i % 4], PETSC_TRUE);
        assert_int_equal(watched.jumps.count, 2);
        const Jump *jump = &watched.jumps.list[1];
        UNIT_ASSERT_AT_MOST(fabs(jump->time - 1.3), 4e-16);
        assert_true(jump->before <= jump->time && jump->time <= jump->after);
        UNIT_ASSERT_SAME_BITS(WatchedInput(&watched, jump->before), WatchedInput(&watched, 1.2));
        UNIT_ASSERT_SAME_BITS(WatchedInput(&watched, jump->after), WatchedInput(&watched, 1.4));
        WatchedDestroy(&watched);
    }
}

/** A comparison with the weight is a jump at another time for every weight. */
static void TestComparisonWithTheWeight(void **state)
{
    (void)state;
    Watched watched;
    Phase phase = PhaseOf("w < t ? 1 : 0", 0.0, 2.0);
    phase.cells = 5;
    WatchedCreate(&phase, &watched);
    WatchedWalk(&watched, 0.37, PETSC_TRUE);
    assert_int_equal(watched.jumps.count, 6);
    for (int i = 0; i < 5; i++) {
        const Jump *jump = &watched.jumps.list[i + 1];
        assert_true(JumpsAreOneTime(jump->before, jump->after));
        UNIT_ASSERT_SAME_BITS(jump->restarts, 1.0);
        UNIT_ASSERT_AT_MOST(fabs(jump->time - (0.1 + 0.2 * i)), 1e-15);
    }
    WatchedDestroy(&watched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestLinearComparisons),
        cmocka_unit_test(TestComparisonsAtOneTime),
        cmocka_unit_test(TestEchoes),
        cmocka_unit_test(TestChangeAtTheBeginning),
        cmocka_unit_test(TestOtherComparisons),
        cmocka_unit_test(TestJumpsWithoutComparison),
        cmocka_unit_test(TestJumpsBesideJumps),
        cmocka_unit_test(TestSmallJumps),
        cmocka_unit_test(TestChangeAtTheEndOfAStep),
        cmocka_unit_test(TestEchoesOfWhatIsFound),
        cmocka_unit_test(TestNothingAtTheBeginning),
        cmocka_unit_test(TestSeveralJumpsInAStep),
        cmocka_unit_test(TestSign),
        cmocka_unit_test(TestComparisonWithTheWeight),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
