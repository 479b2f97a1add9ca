/**
 * The scalar equation x = G(x) with a slope that is known from before: one evaluation does where
 * the slope is as good as is claimed, and a wrong claim costs no more than the part by which it is
 * wrong. And what the options of the coupling leave open.
 */
#include "coupling_problem.h"

/** A solve with a known slope, and the residual of what it found, relative to it. */
typedef struct Solved {
    EngramCouplingResult result;
    double residual;
} Solved;

static Solved Solve(Network *network, double tolerance, double start, double slope,
                    double slope_error)
{
    Solved solved;
    EngramCouplingParameters parameters = NETWORK_PARAMETERS;
    const EngramCouplingFunction function = {.evaluate = NetworkEvaluate, .context = network};
    parameters.tolerance = tolerance;
    network->evaluations = 0;
    assert_int_equal(
        EngramCouplingSolve(&parameters, function, start, slope, slope_error, &solved.result), 0);
    assert_int_equal(solved.result.iterations, network->evaluations);
    assert_true(solved.result.is_found && solved.result.solutions >= 1);
    const double rate = solved.result.root.rate;
    solved.residual = fabs(network->answer(network->numbers, rate) - rate) / rate;
    return solved;
}

/** Smooth functions with one root, and their slope there. */
typedef struct Smooth {
    Network network;
    double root;
    double slope;
} Smooth;

enum { SMOOTH_CASES = 3 };
static const Smooth SMOOTH[SMOOTH_CASES] = {
    {{.answer = NetworkExponential, .numbers = {1.0, -1.0}},
     0.5671432904097838,
     -0.5671432904097838},
    {{.answer = NetworkSaturating, .numbers = {0.5, 1.0, 0.5}},
     0.9369774072580214,
     0.40452537277302864},
    {{.answer = NetworkExponential, .numbers = {10.0, -1.0}},
     1.7455280027406992,
     -1.7455280027406992},
};

/** With a good guess and a trusted slope one evaluation does. */
static void TestOneEvaluation(void **state)
{
    (void)state;
    const double tolerance = 1e-8;
    const double parts[5] = {8e-6, 3e-6, 1e-6, 3e-7, 1e-7};
    for (int i = 0; i < 60; i++) {
        Network network = SMOOTH[i % SMOOTH_CASES].network;
        const double part = parts[i / 3 % 5];
        const double start = SMOOTH[i % SMOOTH_CASES].root * (i % 2 ? 1.0 - part : 1.0 + part);
        const double slope = SMOOTH[i % SMOOTH_CASES].slope + (i / 30 ? 5e-4 : -5e-4);
        const Solved solved = Solve(&network, tolerance, start, slope, 1e-3);
        assert_int_equal(solved.result.iterations, 1);
        assert_int_equal(solved.result.solutions, 1);
        UNIT_ASSERT_SAME_BITS(solved.result.root.slope, slope);
        /* It is a step, not the guess: what is left is the part by which the slope is wrong. */
        UNIT_ASSERT_AT_MOST(solved.residual, 6e-4 * part + 1e-15);
    }
}

/** A guess too far away for the claim, or a claim too weak, is evaluated again. */
static void TestTooFarForTheClaim(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * SMOOTH_CASES; i++) {
        const Smooth *smooth = &SMOOTH[i % SMOOTH_CASES];
        const double errors[3] = {1e-3, 1e2, INFINITY};
        const double parts[3] = {1e-3, 1e-9, 1e-9};
        Network network = smooth->network;
        const double start = smooth->root * (1.0 + parts[i / SMOOTH_CASES]);
        const Solved solved =
            Solve(&network, 1e-10, start, smooth->slope, errors[i / SMOOTH_CASES]);
        assert_true(solved.result.iterations > 1);
        UNIT_ASSERT_AT_MOST(solved.residual, 1e-10);
    }
}

/** A claim is one of the first step: a slope between two far points is no better than it is. */
static void TestLaterStepsAreNotClaimed(void **state)
{
    (void)state;
    int later = 0;
    UnitRandom random = {3};
    for (int i = 0; i < 20000; i++) {
        const Smooth *smooth = &SMOOTH[i % SMOOTH_CASES];
        Network network = smooth->network;
        const double tolerance = pow(10.0, UnitRandomBetween(&random, -8.0, -3.0));
        const double claim = pow(10.0, UnitRandomBetween(&random, -6.0, -1.0));
        const double start = smooth->root * UnitRandomBetween(&random, 0.5, 2.0);
        const Solved solved = Solve(&network, tolerance, start, smooth->slope, claim);
        if (solved.result.iterations > 1) {
            UNIT_ASSERT_AT_MOST(solved.residual, 3.0 * tolerance);
            later++;
        }
    }
    assert_true(later > 2000);
}

/** Where 1 - G' may be next to nothing, a residual says little of the distance to the root. */
static void TestSlopeNearOneIsNotTrusted(void **state)
{
    (void)state;
    const double slopes[4] = {0.95, 0.85, 0.999, 1.2};
    const double errors[4] = {1e-6, 0.06, 0.0, 0.1};
    for (int i = 0; i < 8; i++) {
        Network network = {.answer = NetworkLinear, .numbers = {0.05, 0.95}};
        const double start = i / 4 ? 1.0 + 4e-7 : 1.0 - 4e-7;
        const Solved solved = Solve(&network, 1e-8, start, slopes[i % 4], errors[i % 4]);
        assert_true(solved.result.iterations > 1);
        UNIT_ASSERT_AT_MOST(solved.residual, 1e-8);
    }
}

/** A claim that is wrong by a factor leaves a residual that is too large by this factor at most. */
static void TestWrongClaims(void **state)
{
    (void)state;
    int wrong = 0;
    UnitRandom random = {7};
    for (int i = 0; i < 20000; i++) {
        const double slope = UnitRandomBetween(&random, -1.9, 0.85);
        const double tolerance = pow(10.0, UnitRandomBetween(&random, -10.0, -3.0));
        const double claim = pow(10.0, UnitRandomBetween(&random, -6.0, 0.0));
        const double fault =
            (i % 2 ? 1.0 : -1.0) * pow(10.0, UnitRandomBetween(&random, -6.0, 0.0));
        Network network = {.answer = NetworkLinear, .numbers = {2.0, slope}};
        const double root = 2.0 / (1.0 - slope);
        const double part = pow(10.0, UnitRandomBetween(&random, -8.0, -0.31));
        const double start = root * (i / 2 % 2 ? 1.0 + part : 1.0 - part);
        const Solved solved = Solve(&network, tolerance, start, slope + fault, claim);
        const double factor = fmax(1.0, fabs(fault) / claim);
        UNIT_ASSERT_AT_MOST(solved.residual, tolerance * factor + 1e-15);
        assert_true(solved.result.root.rate > 0.0);
        wrong += solved.result.iterations == 1 && solved.residual > tolerance;
    }
    /* Some claims have been believed that should not have been. */
    assert_true(wrong > 100);
}

/** A slope without any error is believed, whatever it is. */
static void TestExactClaim(void **state)
{
    (void)state;
    Network network = {.answer = NetworkLinear, .numbers = {3.0, -0.5}};
    Solved solved = Solve(&network, 1e-10, 2.5, -0.5, 0.0);
    assert_int_equal(solved.result.iterations, 1);
    UNIT_ASSERT_AT_MOST(fabs(solved.result.root.rate - 2.0), 1e-15);
    solved = Solve(&network, 1e-10, 2.5, -2.0, 0.0);
    assert_int_equal(solved.result.iterations, 1);
    UNIT_ASSERT_AT_MOST(fabs(solved.result.root.rate - 2.25), 1e-15);
}

/** A claim that includes slopes beyond 1 does not hide that a root is unstable. */
static void TestUnstableRootIsLeft(void **state)
{
    (void)state;
    Network network = {.answer = NetworkCubic};
    const double slopes[3] = {0.5, 0.95, 1.05};
    const double errors[3] = {1.0, 0.2, 0.1};
    for (int i = 0; i < 3; i++) {
        const Solved solved = Solve(&network, 1e-10, 2.0, slopes[i], errors[i]);
        UNIT_ASSERT_AT_MOST(fabs(solved.result.root.rate - 1.0), 3e-9);
        assert_int_equal(solved.result.solutions, 2);
    }
}

/** A stable root that is met at once needs no look below it where the claim excludes others. */
static void TestStableRootIsBelieved(void **state)
{
    (void)state;
    Network network = {.answer = NetworkCubic};
    const Solved solved = Solve(&network, 1e-10, 1.0, 0.8, 0.1);
    UNIT_ASSERT_SAME_BITS(solved.result.root.rate, 1.0);
    UNIT_ASSERT_SAME_BITS(solved.result.root.slope, 0.8);
    assert_int_equal(solved.result.iterations, 1);
    assert_int_equal(solved.result.solutions, 1);
}

static EngramCouplingParameters Concluded(EngramCouplingTime time, double tolerance,
                                          PetscBool is_lagged, double step_tolerance)
{
    EngramCouplingParameters parameters = NETWORK_PARAMETERS;
    parameters.time = time;
    parameters.tolerance = tolerance;
    parameters.scan_tolerance = 1e-7;
    EngramCouplingConclude(is_lagged, step_tolerance, &parameters);
    UNIT_ASSERT_SAME_BITS(parameters.scan_tolerance, 1e-7);
    assert_int_equal(parameters.iterations, NETWORK_PARAMETERS.iterations);
    return parameters;
}

/** What is left open is decided, and what is not stays. */
static void TestConclude(void **state)
{
    (void)state;
    EngramCouplingParameters found = Concluded(ENGRAM_COUPLING_AUTO, 0.0, PETSC_TRUE, 0.0);
    assert_int_equal(found.time, ENGRAM_COUPLING_LAGGED);
    UNIT_ASSERT_SAME_BITS(found.tolerance, 1e-10);
    found = Concluded(ENGRAM_COUPLING_AUTO, 0.0, PETSC_FALSE, 1e-4);
    assert_int_equal(found.time, ENGRAM_COUPLING_IMPLICIT);
    UNIT_ASSERT_AT_MOST(fabs(found.tolerance - 3e-7), 1e-21);
    found = Concluded(ENGRAM_COUPLING_LAGGED, 1e-5, PETSC_FALSE, 1e-4);
    assert_int_equal(found.time, ENGRAM_COUPLING_LAGGED);
    UNIT_ASSERT_SAME_BITS(found.tolerance, 1e-5);
    found = Concluded(ENGRAM_COUPLING_IMPLICIT, 1e-12, PETSC_TRUE, 0.0);
    assert_int_equal(found.time, ENGRAM_COUPLING_IMPLICIT);
    UNIT_ASSERT_SAME_BITS(found.tolerance, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestOneEvaluation),
        cmocka_unit_test(TestTooFarForTheClaim),
        cmocka_unit_test(TestLaterStepsAreNotClaimed),
        cmocka_unit_test(TestSlopeNearOneIsNotTrusted),
        cmocka_unit_test(TestWrongClaims),
        cmocka_unit_test(TestExactClaim),
        cmocka_unit_test(TestUnstableRootIsLeft),
        cmocka_unit_test(TestStableRootIsBelieved),
        cmocka_unit_test(TestConclude),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
