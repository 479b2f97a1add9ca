/**
 * How a watch over the input follows what is no jump: pulses that shorten steps, inputs that are
 * steady, and the times of tables.
 */
#include <stdio.h>
#include <unistd.h>

#include "watch_problem.h"

static const Phase PLAIN = {.begin = 0.0, .end = 2.0, .epsilon = 0.1, .cells = 8};

static Phase PhaseOf(const char *input)
{
    Phase phase = PLAIN;
    phase.input = input;
    return phase;
}

/** Largest distance of the input from straight lines between beginning, middle and end. */
static double Deviation(const Watched *watched, double start, double end)
{
    double largest = 0.0;
    const double a = WatchedInput(watched, start);
    const double b = WatchedInput(watched, 0.5 * (start + end));
    const double c = WatchedInput(watched, end);
    for (int i = 0; i <= 1000; i++) {
        const double part = 0.002 * i;
        const double line = part < 1.0 ? a + part * (b - a) : b + (part - 1.0) * (c - b);
        const double value = WatchedInput(watched, start + 0.5 * part * (end - start));
        largest = fmax(largest, fabs(value - line));
    }
    return largest;
}

/** What a step may pass over: ten tolerances, more where it is short beside eps. */
static double Limit(const Watched *watched, double start, double end)
{
    const double share = fmin(1.0, (end - start) / watched->model.phase.epsilon);
    return 10.0 * watched->watch.tolerance / share;
}

static const char *const PULSE = "exp(-((t-1)/1e-3)^2)*50";

/** A pulse that a step would pass over makes it short, if it is to follow, and far away does not.
 */
static void TestNarrowPulse(void **state)
{
    (void)state;
    Watched watched;
    const Phase phase = PhaseOf(PULSE);
    WatchedCreate(&phase, &watched);
    UNIT_ASSERT_SAME_BITS(WatchedStep(&watched, 0.0, 0.9, PETSC_TRUE), 0.9);
    UNIT_ASSERT_SAME_BITS(WatchedStep(&watched, 1.1, 1.9, PETSC_TRUE), 1.9);
    UNIT_ASSERT_SAME_BITS(WatchedStep(&watched, 0.9, 1.2, PETSC_FALSE), 1.2);
    UNIT_ASSERT_AT_MOST(WatchedStep(&watched, 0.9, 1.2, PETSC_TRUE), 1.0);
    UNIT_ASSERT_AT_MOST(WatchedStep(&watched, 0.999, 1.2, PETSC_TRUE), 1.0);
    assert_int_equal(watched.jumps.count, 1);
    WatchedDestroy(&watched);
}

/** Every step that follows keeps its limit, and none is much shorter than it must be. */
static void TestStepsFollow(void **state)
{
    (void)state;
    const char *inputs[4] = {PULSE, "3*sin(40*t)", "tanh(1e5*(t - 1))", "w*t + 2"};
    const int fewest[4] = {30, 200, 20, 8};
    for (int i = 0; i < 4; i++) {
        Watched watched;
        const Phase phase = PhaseOf(inputs[i]);
        WatchedCreate(&phase, &watched);
        double now = 0.0;
        int steps = 0;
        while (now < phase.end) {
            const double wanted = fmin(now + 0.25, phase.end);
            const double end = WatchedStep(&watched, now, wanted, PETSC_TRUE);
            const double twice = now + 2.0 * (end - now);
            UNIT_ASSERT_AT_MOST(Deviation(&watched, now, end), 1.05 * Limit(&watched, now, end));
            if (end < wanted) {
                assert_true(Deviation(&watched, now, twice) > 0.95 * Limit(&watched, now, twice));
            }
            now = end;
            steps++;
        }
        UNIT_ASSERT_BETWEEN(steps, fewest[i], 20 * fewest[i]);
        assert_int_equal(watched.jumps.count, 1);
        WatchedDestroy(&watched);
    }
}

/** The limit goes with the tolerance, the square root of the noise, and eps over a short step. */
static void TestLimit(void **state)
{
    (void)state;
    Watched watched;
    const Phase phase = PhaseOf("1e-3*abs(t - 0.25)");
    const double noises[4] = {1.0, 0.25, 1.0, 4.0};
    const double epsilons[4] = {0.1, 0.1, 10.0, 0.0};
    const double limits[4] = {2.5e-5, 5e-5, 2.5e-6, 1.25e-5};
    WatchedCreate(&phase, &watched);
    for (int i = 0; i < 8; i++) {
        /* The kink is 2.5e-4 below the lines of a step to 1, and a point of those of one to 1/2. */
        double end = 1.0;
        watched.watch.tolerance = limits[i / 2] * (i % 2 ? 1.01 : 0.99);
        watched.model.phase.epsilon = epsilons[i / 2];
        assert_int_equal(InputWatchStep(&watched.watch, noises[i / 2], 0.0, PETSC_TRUE, &end), 0);
        UNIT_ASSERT_SAME_BITS(end, i % 2 ? 1.0 : 0.5);
    }
    WatchedDestroy(&watched);
}

/** Where the input is the same at all times no value of it is asked for. */
static void TestSteadyInput(void **state)
{
    (void)state;
    const char *inputs[3] = {"2", "0.3*w + (w > 0.5)", "sin(w)*(1 < 2)"};
    for (int i = 0; i < 3; i++) {
        Watched watched;
        const Phase phase = PhaseOf(inputs[i]);
        WatchedCreate(&phase, &watched);
        EngramInput input = watched.model.phase.input;
        watched.model.phase.input = NULL;
        for (int follows = 0; follows < 2; follows++) {
            UNIT_ASSERT_SAME_BITS(WatchedStep(&watched, 0.0, 2.0, (PetscBool)follows), 2.0);
        }
        assert_int_equal(watched.jumps.count, 1);
        watched.model.phase.input = input;
        WatchedDestroy(&watched);
    }
}

/** Inputs without a value somewhere neither hold up a run nor make steps of no length. */
static void TestNotFinite(void **state)
{
    (void)state;
    const char *inputs[3] = {"1/(t - 1)", "sqrt(t - 1)", "t < 1 ? 0 : 1/0"};
    for (int i = 0; i < 6; i++) {
        Watched watched;
        const Phase phase = PhaseOf(inputs[i / 2]);
        WatchedCreate(&phase, &watched);
        UNIT_ASSERT_AT_MOST(WatchedWalk(&watched, 0.1, (PetscBool)(i % 2)), 5000);
        WatchedDestroy(&watched);
    }
}

/** The weights are cells, all of them or some that are spread evenly. */
static void TestWeights(void **state)
{
    (void)state;
    const PetscInt cells[5] = {1, 2, 63, 64, 1000};
    for (int i = 0; i < 5; i++) {
        Watched watched;
        Phase phase = PhaseOf("t");
        phase.cells = cells[i];
        WatchedCreate(&phase, &watched);
        const PetscInt weights = watched.watch.samples.weights;
        assert_int_equal(weights, PetscMin(cells[i], 64));
        for (PetscInt k = 0; k < weights; k++) {
            const double place = watched.watch.samples.w[k] * (double)cells[i] - 0.5;
            UNIT_ASSERT_AT_MOST(fabs(place - round(place)), 1e-9);
            UNIT_ASSERT_BETWEEN(watched.watch.samples.w[k], (double)k / (double)weights,
                                (double)(k + 1) / (double)weights);
        }
        WatchedDestroy(&watched);
    }
}

/** A table with the values of times, the same at two weights. */
static void WriteTable(const char *path, const char *head, const double *times,
                       const double *values, int count)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "%s,w,I\n", head);
    for (int i = 0; i < count; i++) {
        (void)fprintf(file, "%.17g,0,%.17g\n%.17g,1,%.17g\n", times[i], values[i], times[i],
                      values[i]);
    }
    assert_int_equal(fclose(file), 0);
}

enum { ROWS = 9 };

/** A steep ramp; one as short that changes next to nothing; slow ones. */
static const double TIMES[ROWS] = {0.0, 0.5, 0.504, 0.9, 0.903, 1.2, 1.206, 1.6, 5.0};
static const double VALUES[ROWS] = {1.0, 1.0, 3.0, 3.0, 3.01, 3.01, 1.0, 2.0, 0.0};

/** Begins a phase at a time, with a table of t or s. */
static void CreateWithTable(const char *head, double begin, double delay, Watched *watched)
{
    char path[] = "/tmp/engram_watch_XXXXXX";
    char text[64];
    Phase phase = PhaseOf(text);
    const int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    WriteTable(path, head, TIMES, VALUES, ROWS);
    (void)snprintf(text, sizeof(text), "file:%s", path);
    phase.begin = begin;
    phase.end = begin + 2.0;
    phase.delay = delay;
    WatchedCreate(&phase, watched);
    assert_int_equal(unlink(path), 0);
}

/** Steps end at the times of a table; either end of a steep ramp is as good as a jump. */
static void TestTable(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Watched watched;
        const double begin = i ? 3.0 : 0.0;
        CreateWithTable(i ? "s" : "t", begin, 0.0, &watched);
        assert_int_equal(watched.jumps.count, ROWS - 1);
        for (int k = 1; k < ROWS - 1; k++) {
            const Jump *jump = &watched.jumps.list[k];
            UNIT_ASSERT_SAME_BITS(jump->time, begin + TIMES[k]);
            UNIT_ASSERT_SAME_BITS(jump->before, jump->time);
            UNIT_ASSERT_SAME_BITS(jump->after, jump->time);
            UNIT_ASSERT_SAME_BITS(jump->restarts, k == 1 || k == 2);
        }
        /* Everything is known of it: steps need no value. */
        EngramInput input = watched.model.phase.input;
        watched.model.phase.input = NULL;
        assert_int_equal(WatchedWalk(&watched, 9.0, PETSC_TRUE), ROWS - 1);
        assert_int_equal(watched.jumps.count, ROWS - 1);
        watched.model.phase.input = input;
        WatchedDestroy(&watched);
    }
}

/** Times of a table that are not within the phase are none of its business. */
static void TestTableOfAnotherPhase(void **state)
{
    (void)state;
    Watched watched;
    CreateWithTable("t", 0.504, 0.0, &watched);
    assert_int_equal(watched.jumps.count, 6);
    UNIT_ASSERT_SAME_BITS(watched.jumps.list[0].time, 0.504);
    UNIT_ASSERT_SAME_BITS(watched.jumps.list[0].restarts, 1.0);
    UNIT_ASSERT_SAME_BITS(watched.jumps.list[5].time, 1.6);
    WatchedDestroy(&watched);
}

/** Steep ramps have echoes, kinks have none. */
static void TestTableWithDelay(void **state)
{
    (void)state;
    Watched watched;
    CreateWithTable("t", 0.0, 1.0, &watched);
    /* The beginning, seven times, six echoes of both ends of the steep ramp; 0.9 is one of them. */
    assert_int_equal(watched.jumps.count, 19);
    for (int i = 1; i <= 6; i++) {
        for (int k = 1; k <= 2; k++) {
            const Jump *echo = JumpsAt(&watched.jumps, TIMES[k] + 0.1 * i);
            assert_non_null(echo);
            UNIT_ASSERT_SAME_BITS(echo->restarts, i <= 3);
        }
    }
    WatchedDestroy(&watched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestNarrowPulse),    cmocka_unit_test(TestStepsFollow),
        cmocka_unit_test(TestLimit),          cmocka_unit_test(TestSteadyInput),
        cmocka_unit_test(TestNotFinite),      cmocka_unit_test(TestWeights),
        cmocka_unit_test(TestTable),          cmocka_unit_test(TestTableOfAnotherPhase),
        cmocka_unit_test(TestTableWithDelay),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
