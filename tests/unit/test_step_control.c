/**
 * The norm of the estimated error of an adaptive step, and the factor by which its length changes.
 */
#include "unit_support.h"

#include "step_control.h"

enum { SCHEMES = 3 };

static const EngramTimeScheme SCHEME[SCHEMES] = {ENGRAM_TIME_EULER, ENGRAM_TIME_SECOND_ORDER,
                                                 ENGRAM_TIME_THIRD_ORDER};

/** The estimate of Euler's scheme and of second order goes with the square of the length. */
static double PowerOf(EngramTimeScheme scheme)
{
    return scheme == ENGRAM_TIME_THIRD_ORDER ? 3.0 : 2.0;
}

static void TestNorm(void **state)
{
    (void)state;
    const double rate = 0.18;
    const StepError none = {0.0, 0.0, 0.0, 0.0};
    const StepError each[4] = {{.density = 0.3}, {.rates = 0.3}, {.total = 0.3}, {.weight = 0.3}};
    const double norms[4] = {0.3, 1.5, 1.5, 0.3};
    UNIT_ASSERT_SAME_BITS(StepControlNorm(&none, rate), 0.0);
    for (int i = 0; i < 4; i++) {
        UNIT_ASSERT_AT_MOST(fabs(StepControlNorm(&each[i], rate) - norms[i]), 1e-15);
    }
    /* The largest of them counts, whichever it is. */
    const StepError errors[4] = {
        {1.0, 0.01, 0.02, 0.5}, {0.5, 0.2, 0.1, 0.4}, {0.5, 0.1, 0.2, 0.4}, {0.1, 0.1, 0.1, 1.0}};
    for (int i = 0; i < 4; i++) {
        UNIT_ASSERT_AT_MOST(fabs(StepControlNorm(&errors[i], rate) - 1.0), 1e-15);
    }
    /* A silent network does not make the rates infinitely important. */
    UNIT_ASSERT_AT_MOST(fabs(StepControlNorm(&(StepError){.rates = 0.02}, 0.0) - 1.0), 1e-15);
}

/** An estimate that is no number, or infinite, is no small error. */
static void TestNormOfNoNumber(void **state)
{
    (void)state;
    const double values[2] = {NAN, INFINITY};
    for (int i = 0; i < 2; i++) {
        const double value = values[i];
        const StepError errors[4] = {
            {.density = value}, {.rates = value}, {.total = value}, {.weight = value}};
        for (int k = 0; k < 4; k++) {
            assert_false(StepControlNorm(&errors[k], 1.0) <= 1e300);
        }
    }
}

static void TestAllowed(void **state)
{
    (void)state;
    UNIT_ASSERT_AT_MOST(fabs(StepControlAllowed(3e-4) - 1e-4), 1e-19);
}

/** Between its bounds the factor is that for which the error would be 0.9^p of what is allowed. */
static void TestPowers(void **state)
{
    (void)state;
    const double tolerance = 1e-4;
    for (int i = 0; i < SCHEMES; i++) {
        const double power = PowerOf(SCHEME[i]);
        for (int k = -10; k <= 10; k++) {
            const double length = pow(1.15, k);
            const double error = StepControlAllowed(tolerance) * pow(length, power);
            const double factor = StepControlFactor(SCHEME[i], error, tolerance);
            UNIT_ASSERT_AT_MOST(fabs(factor * length - 0.9), 1e-14);
        }
    }
}

/** A step that has just met its tolerance is followed by a shorter one, whatever the tolerance. */
static void TestSafety(void **state)
{
    (void)state;
    for (int i = 0; i < SCHEMES; i++) {
        for (int k = 0; k < 15; k++) {
            const double tolerance = pow(10.0, -k);
            const double allowed = StepControlAllowed(tolerance);
            const double factor = StepControlFactor(SCHEME[i], allowed, tolerance);
            UNIT_ASSERT_AT_MOST(fabs(factor - 0.9), 1e-15);
        }
    }
}

/** The length changes by factors between 1/5 and 5; a failed step shrinks as much as it can. */
static void TestBounds(void **state)
{
    (void)state;
    const double errors[8] = {0.0, 1e-300, 1e-20, 1e-8, 1.0, 1e8, 1e300, INFINITY};
    const double factors[8] = {5.0, 5.0, 5.0, 5.0, 0.2, 0.2, 0.2, 0.2};
    for (int i = 0; i < SCHEMES; i++) {
        double last = INFINITY;
        for (int k = 0; k < 8; k++) {
            UNIT_ASSERT_SAME_BITS(StepControlFactor(SCHEME[i], errors[k], 1e-4), factors[k]);
        }
        UNIT_ASSERT_SAME_BITS(StepControlFactor(SCHEME[i], NAN, 1e-4), 0.2);
        for (int k = -60; k <= 60; k++) {
            const double factor = StepControlFactor(SCHEME[i], 1e-5 * pow(1.3, k), 1e-4);
            UNIT_ASSERT_BETWEEN(factor, 0.2, fmin(5.0, last));
            last = factor;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestNorm),    cmocka_unit_test(TestNormOfNoNumber),
        cmocka_unit_test(TestAllowed), cmocka_unit_test(TestPowers),
        cmocka_unit_test(TestSafety),  cmocka_unit_test(TestBounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
