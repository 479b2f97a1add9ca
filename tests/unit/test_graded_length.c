/**
 * Length of the parts of fixed steps after a jump: its bounds, its growth, that it goes with the
 * step, and that the number of parts is bounded for any eps.
 */
#include "unit_support.h"

#include "graded_step.h"

enum { SCHEMES = 3, STEPS = 5, EPSILONS = 14, TIMES = 200 };

static const EngramTimeScheme SCHEME[SCHEMES] = {ENGRAM_TIME_EULER, ENGRAM_TIME_SECOND_ORDER,
                                                 ENGRAM_TIME_THIRD_ORDER};

/** Fastest time of the grid in units of eps. */
static const double FASTEST = 1e-4;

/** A step and an eps, of all orders of magnitude in turn. */
typedef struct Given {
    EngramTimeScheme scheme;
    double step;
    double epsilon;
} Given;

enum { CASES = SCHEMES * STEPS * EPSILONS };

static Given GivenOf(int i)
{
    const int step = i / SCHEMES % STEPS;
    const int epsilon = i / (SCHEMES * STEPS);
    return (Given){SCHEME[i % SCHEMES], pow(10.0, -step), pow(10.0, 1 - epsilon)};
}

static double LengthAt(const Given *given, double since)
{
    return GradedStepLength(given->scheme, given->step, since, given->epsilon,
                            FASTEST * given->epsilon);
}

/** Times since a jump, from none to far beyond eps. */
static double TimeOf(const Given *given, int k)
{
    return k == 0 ? 0.0 : given->epsilon * pow(10.0, -12.0 + 0.15 * k);
}

/** Parts grow, are never longer than the step, and always go on. */
static void TestBoundsAndGrowth(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const Given given = GivenOf(i);
        double last = 0.0;
        for (int k = 0; k < TIMES; k++) {
            const double length = LengthAt(&given, TimeOf(&given, k));
            assert_true(length > 0.0);
            UNIT_ASSERT_AT_MOST(length, given.step);
            UNIT_ASSERT_AT_MOST(last, length);
            last = length;
        }
        UNIT_ASSERT_SAME_BITS(last, given.step);
    }
}

/** kappa eps (t/eps)^(1 - 1/gamma) with gamma = 3, 4, 6, kappa = dt eps^(-1/p) or 0.3. */
static void TestLaw(void **state)
{
    (void)state;
    const double lengths[SCHEMES] = {2.5e-3, 3.952847075210474e-4, 6.732608406349638e-5};
    const double times[SCHEMES] = {0.1 / 8.0, 0.1 / 16.0, 0.1 / 64.0};
    for (int i = 0; i < SCHEMES; i++) {
        const double length = GradedStepLength(SCHEME[i], 0.01, times[i], 0.1, 1e-5);
        UNIT_ASSERT_AT_MOST(fabs(length / lengths[i] - 1.0), 1e-14);
        UNIT_ASSERT_AT_MOST(
            fabs(GradedStepLength(SCHEME[i], 0.01, 1e-9, 1e-9, 1e-13) / 3e-10 - 1.0), 1e-14);
    }
}

/** While the layer lasts, half the step has parts half as long, and never longer ones. */
static void TestHalves(void **state)
{
    (void)state;
    int compared = 0;
    for (int i = 0; i < CASES; i++) {
        const Given given = GivenOf(i);
        Given half = given;
        half.step = 0.5 * given.step;
        for (int k = 0; k < TIMES; k++) {
            const double since = TimeOf(&given, k);
            const double whole = LengthAt(&given, since);
            const double part = LengthAt(&half, since);
            UNIT_ASSERT_AT_MOST(part, whole);
            if (given.step > 0.3 * pow(given.epsilon, 1.0 / (double)given.scheme) ||
                since > 20.0 * given.epsilon) {
                continue;
            }
            UNIT_ASSERT_AT_MOST(part, 0.5 * whole * (1.0 + 1e-13));
            if (since > 0.03 * given.epsilon) {
                UNIT_ASSERT_AT_MOST(fabs(part / whole - 0.5), 1e-13);
                compared++;
            }
        }
    }
    assert_true(compared > 1000);
}

/** The first part is short beside eps, and not far below the fastest time of the grid. */
static void TestFirstPart(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const Given given = GivenOf(i);
        const double first = LengthAt(&given, 0.0);
        const double lowest = GradedStepLength(given.scheme, given.step, 0.0, given.epsilon, 0.0);
        const double slow =
            GradedStepLength(given.scheme, given.step, 0.0, given.epsilon, 0.1 * given.epsilon);
        UNIT_ASSERT_AT_MOST(first, 0.01 * given.epsilon);
        assert_true(lowest > 0.0 && lowest <= first && first <= slow);
        UNIT_ASSERT_AT_MOST(slow, fmax(0.1 * 0.1 * given.epsilon, lowest) * (1.0 + 1e-14));
        if (given.step > 0.3 * pow(given.epsilon, 1.0 / (double)given.scheme)) {
            UNIT_ASSERT_AT_MOST(fmin(given.step, 0.1 * FASTEST * given.epsilon),
                                first * (1.0 + 1e-14));
        }
    }
}

/** Parts from a jump until there are whole steps, and the time that this takes. */
static int PartsOf(const Given *given, double *since)
{
    int parts = 0;
    double length = 0.0;
    *since = 0.0;
    do {
        length = LengthAt(given, *since);
        *since += length;
        parts++;
    } while (length < given->step && parts < 100000);
    return parts;
}

/** Few parts for any eps; and where eps is small the layer soon is behind. */
static void TestNumberOfParts(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        const Given given = GivenOf(i);
        double since = 0.0;
        const int parts = PartsOf(&given, &since);
        /* In proportion to 1/kappa while the layer lasts, and six for each factor of ten then. */
        const double kappa =
            fmin(0.3, given.step * pow(given.epsilon, -1.0 / (double)given.scheme));
        UNIT_ASSERT_AT_MOST(parts, 10.0 / kappa + 90.0);
        UNIT_ASSERT_AT_MOST(since, 21.0 * given.epsilon + 5.0 * given.step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestBoundsAndGrowth), cmocka_unit_test(TestLaw),
        cmocka_unit_test(TestHalves),          cmocka_unit_test(TestFirstPart),
        cmocka_unit_test(TestNumberOfParts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
