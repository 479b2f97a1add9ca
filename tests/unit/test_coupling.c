/**
 * The scalar equation x = G(x) of the network, for functions whose roots are known: strong
 * inhibition, networks near criticality, several roots and none.
 */
#include "coupling_problem.h"

/** Solves from a start, and checks what holds of every result. */
static EngramCouplingResult Solve(Network *network, double start, double slope)
{
    EngramCouplingResult result;
    const EngramCouplingFunction function = {.evaluate = NetworkEvaluate, .context = network};
    network->evaluations = 0;
    network->largest = 0.0;
    network->smallest = INFINITY;
    assert_int_equal(
        EngramCouplingSolve(&NETWORK_PARAMETERS, function, start, slope, INFINITY, &result), 0);
    assert_int_equal(result.iterations, network->evaluations);
    assert_true(network->smallest >= 0.0);
    UNIT_ASSERT_AT_MOST(network->largest, fmax(start, NETWORK_PARAMETERS.largest_rate));
    if (result.is_found) {
        assert_false(result.is_open);
        assert_true(result.solutions >= 1);
    } else {
        assert_int_equal(result.solutions, 0);
    }
    return result;
}

/** Expects one root; returns the evaluations it took. */
static PetscInt ExpectRoot(Network *network, double start, double slope, double root)
{
    const EngramCouplingResult result = Solve(network, start, slope);
    if (!result.is_found) {
        fail_msg("no root is found from %g, slope %g", start, slope);
    }
    /* A relative residual of 1e-10 is an error of 1e-10/(1 - G') in the root. */
    const double change = 1e-6 * root + 1e-12;
    const double right = network->answer(network->numbers, root + change);
    const double left = network->answer(network->numbers, root - change);
    const double gap = fmin(1.0, fabs(1.0 - (right - left) / (2.0 * change)));
    UNIT_ASSERT_AT_MOST(fabs(result.root.rate - root), 2e-10 * root / gap);
    UNIT_ASSERT_AT_MOST(result.iterations, NETWORK_PARAMETERS.iterations);
    return result.iterations;
}

/** Exceeds the diagonal by less and less, and never meets it. */
static double NearlyParallel(const double *numbers, double rate)
{
    return rate + numbers[0] / (1.0 + rate);
}

static double Infinite(const double *numbers, double rate)
{
    return rate <= numbers[2] ? NetworkLinear(numbers, rate) : INFINITY;
}

enum { STARTS = 9 };
static const double STARTS_AT[STARTS] = {0.0, 1e-3, 0.5, 1.0, 1.9, 3.0, 20.0, 1e3, 1e4};

/** The fixed-point iteration would diverge for a slope below -1. */
static void TestStrongInhibition(void **state)
{
    (void)state;
    const double slopes[3] = {-5.0, -1.0, -1e4};
    for (int n = 0; n < 3; n++) {
        Network network = {.answer = NetworkLinear, .numbers = {10.0, slopes[n]}};
        for (int i = 0; i < STARTS; i++) {
            const double root = 10.0 / (1.0 - slopes[n]);
            ExpectRoot(&network, STARTS_AT[i], 0.0, root);
            ExpectRoot(&network, STARTS_AT[i], -3.0, root);
        }
        const PetscInt evaluations = ExpectRoot(&network, 0.0, slopes[n], 10.0 / (1.0 - slopes[n]));
        UNIT_ASSERT_AT_MOST(evaluations, 2);
    }
}

/** Near criticality G is nearly parallel to the diagonal, and the root far away. */
static void TestSlopeNearOne(void **state)
{
    (void)state;
    const double gaps[4] = {0.5, 0.05, 1e-2, 1e-3};
    for (int n = 0; n < 4; n++) {
        Network network = {.answer = NetworkLinear, .numbers = {1.0, 1.0 - gaps[n]}};
        for (int i = 0; i < STARTS; i++) {
            const double root = 1.0 / gaps[n];
            UNIT_ASSERT_AT_MOST(ExpectRoot(&network, STARTS_AT[i], 0.0, root), 30);
            UNIT_ASSERT_AT_MOST(ExpectRoot(&network, STARTS_AT[i], 1.2, root), 30);
        }
    }
}

static void TestConstants(void **state)
{
    (void)state;
    const double constants[4] = {3.0, 1e-20, 1e-3, 9e3};
    for (int n = 0; n < 4; n++) {
        Network network = {.answer = NetworkLinear, .numbers = {constants[n], 0.0}};
        for (int i = 0; i < STARTS; i++) {
            ExpectRoot(&network, STARTS_AT[i], 0.0, constants[n]);
            ExpectRoot(&network, STARTS_AT[i], -5.0, constants[n]);
            ExpectRoot(&network, STARTS_AT[i], 2.0, constants[n]);
        }
        UNIT_ASSERT_AT_MOST(ExpectRoot(&network, 1.1 * constants[n], 0.0, constants[n]), 2);
    }
}

/** A silent network: the root is 0, where nothing is relative. */
static void TestSilentNetwork(void **state)
{
    (void)state;
    for (int n = 0; n < 2; n++) {
        Network network = {.answer = NetworkLinear, .numbers = {0.0, 0.5 * n}};
        for (int i = 0; i < 2 * STARTS; i++) {
            const EngramCouplingResult result =
                Solve(&network, STARTS_AT[i / 2], i % 2 ? -5.0 : 0.0);
            assert_true(result.is_found);
            UNIT_ASSERT_BETWEEN(result.root.rate, 0.0, 1e-8);
        }
    }
}

/** A smooth function with one root. */
typedef struct SmoothCase {
    Network network;
    double root;
} SmoothCase;

enum { SMOOTH_CASES = 5 };
static const SmoothCase SMOOTH[SMOOTH_CASES] = {
    {{.answer = NetworkExponential, .numbers = {1.0, -1.0}}, 0.5671432904097838},
    {{.answer = NetworkSaturating, .numbers = {0.5, 1.0, 0.5}}, 0.9369774072580214},
    {{.answer = NetworkExponential, .numbers = {10.0, -1.0}}, 1.7455280027406992},
    {{.answer = NetworkSaturating, .numbers = {1.0, 2.0, 1.0}}, 2.9899083655075755},
    {{.answer = NetworkSaturating, .numbers = {3.0, -2.0, 1.0}}, 1.28459255344124},
};

/** From near the root, which is where a step starts, few evaluations are enough. */
static void TestFewEvaluations(void **state)
{
    (void)state;
    for (int n = 0; n < SMOOTH_CASES; n++) {
        const double root = SMOOTH[n].root;
        Network network = SMOOTH[n].network;
        for (int i = 0; i <= 20; i++) {
            const double start = root * (0.7 + 0.03 * i);
            UNIT_ASSERT_AT_MOST(ExpectRoot(&network, start, 0.0, root), 8);
        }
        UNIT_ASSERT_AT_MOST(ExpectRoot(&network, root * (1.0 + 1e-4), 0.0, root), 4);
    }
}

/** A root that is foreseen and not evaluated must be one, from however far it is seen. */
static void TestForeseenRootsAreTrue(void **state)
{
    (void)state;
    UnitRandom random = {1};
    EngramCouplingParameters parameters = NETWORK_PARAMETERS;
    for (int i = 0; i < 6000; i++) {
        EngramCouplingResult result;
        Network network = SMOOTH[i % SMOOTH_CASES].network;
        const double root = SMOOTH[i % SMOOTH_CASES].root;
        const double start = pow(10.0, UnitRandomBetween(&random, -4.0, 4.0));
        const double slope = i % 2 ? UnitRandomBetween(&random, -5.0, 1.0) : 0.0;
        parameters.tolerance = pow(10.0, -3.0 - i % 8);
        const EngramCouplingFunction function = {.evaluate = NetworkEvaluate, .context = &network};
        assert_int_equal(
            EngramCouplingSolve(&parameters, function, start, slope, INFINITY, &result), 0);
        assert_true(result.is_found);
        /* No slope of these exceeds 0.5 at the root. */
        UNIT_ASSERT_AT_MOST(fabs(result.root.rate / root - 1.0), 3.0 * parameters.tolerance);
    }
}

static void TestSlopes(void **state)
{
    (void)state;
    Network network = {.answer = NetworkExponential, .numbers = {1.0, -1.0}};
    for (int i = 0; i < STARTS; i++) {
        const EngramCouplingResult result = Solve(&network, STARTS_AT[i], 0.0);
        UNIT_ASSERT_AT_MOST(fabs(result.root.slope + result.root.rate), 2e-3);
    }
}

/** Of several roots the one is found that the start leads to, and never the unstable one. */
static void TestSeveralRoots(void **state)
{
    (void)state;
    Network network = {.answer = NetworkCubic};
    for (int i = 0; i <= 40; i++) {
        const double start = 0.1 * i;
        const EngramCouplingResult result = Solve(&network, start, i % 3 ? 0.0 : 1.1);
        assert_true(result.is_found);
        const double nearest = result.root.rate < 2.0 ? 1.0 : 3.0;
        UNIT_ASSERT_AT_MOST(fabs(result.root.rate - nearest), 3e-9);
        if (start < 1.95) {
            UNIT_ASSERT_AT_MOST(result.root.rate, 1.1);
        } else if (start > 2.05 && start < 3.05) {
            UNIT_ASSERT_BETWEEN(result.root.rate, 2.9, 3.1);
        }
    }
}

/** A start on the unstable root is left, downwards, and proves that there are others. */
static void TestUnstableRoot(void **state)
{
    (void)state;
    Network network = {.answer = NetworkCubic};
    const double slopes[3] = {1.1, 0.0, -5.0};
    const double starts[3] = {2.0, 2.0 * (1.0 + 1e-11), 2.0 * (1.0 - 1e-11)};
    for (int i = 0; i < 9; i++) {
        const EngramCouplingResult result = Solve(&network, starts[i / 3], slopes[i % 3]);
        assert_true(result.is_found);
        UNIT_ASSERT_AT_MOST(fabs(result.root.rate - 1.0), 3e-9);
        UNIT_ASSERT_AT_MOST(fabs(result.root.slope - 0.8), 1e-2);
        assert_int_equal(result.solutions, 2);
    }
}

/** A start on a stable root stays there, and needs next to nothing. */
static void TestStableRoot(void **state)
{
    (void)state;
    Network network = {.answer = NetworkCubic};
    const double roots[2] = {1.0, 3.0};
    const double slopes[3] = {0.0, 0.4, 0.8};
    for (int i = 0; i < 6; i++) {
        const EngramCouplingResult result = Solve(&network, roots[i % 2], slopes[i / 2]);
        assert_true(result.is_found);
        UNIT_ASSERT_SAME_BITS(result.root.rate, roots[i % 2]);
        assert_int_equal(result.solutions, 1);
        UNIT_ASSERT_AT_MOST(result.iterations, 2);
    }
}

static void ExpectOpen(Network network)
{
    for (int i = 0; i < 2 * STARTS; i++) {
        const EngramCouplingResult result = Solve(&network, STARTS_AT[i / 2], i % 2 ? -5.0 : 0.0);
        assert_false(result.is_found);
        assert_true(result.is_open);
        /* It is known at once when the largest rate is reached. */
        UNIT_ASSERT_AT_MOST(result.iterations, 40);
    }
}

/** Blow-up: G(x) > x wherever it is looked at, however little. */
static void TestNoRoot(void **state)
{
    (void)state;
    ExpectOpen((Network){.answer = NetworkLinear, .numbers = {1.0, 1.0}});
    ExpectOpen((Network){.answer = NetworkLinear, .numbers = {1.0, 1.1}});
    ExpectOpen((Network){.answer = NetworkExponential, .numbers = {1.0, 0.5}});
    ExpectOpen((Network){.answer = NetworkBottleneck, .numbers = {2.0, 0.01, 1.0}});
    ExpectOpen((Network){.answer = NetworkBottleneck, .numbers = {2.0, 1e-6, 1e-3}});
    ExpectOpen((Network){.answer = NearlyParallel, .numbers = {1.0}});
    /* Beyond the largest rate. */
    ExpectOpen((Network){.answer = NetworkLinear, .numbers = {2e4, 0.0}});
}

/** What is not finite is larger than any rate: a root below it is found, and it is none itself. */
static void TestNotFinite(void **state)
{
    (void)state;
    double (*const answers[2])(const double *numbers, double rate) = {NetworkNotANumber, Infinite};
    for (int n = 0; n < 2; n++) {
        Network network = {.answer = answers[n], .numbers = {0.3, 0.2, 1.0}};
        for (int i = 0; i < 4; i++) {
            ExpectRoot(&network, STARTS_AT[i], 0.0, 0.375);
        }
        for (int i = 4; i < STARTS; i++) {
            const EngramCouplingResult result = Solve(&network, STARTS_AT[i], 0.0);
            assert_false(result.is_found);
            assert_true(result.is_open);
        }
        ExpectOpen((Network){.answer = answers[n], .numbers = {0.3, 0.2, -1.0}});
    }
}

/** The fewest evaluations allowed are not exceeded where there is one root. */
static void TestIterationsAreBounded(void **state)
{
    (void)state;
    EngramCouplingParameters parameters = NETWORK_PARAMETERS;
    for (PetscInt most = 2; most < 30; most++) {
        Network network = {.answer = NetworkExponential, .numbers = {10.0, -5.0}};
        const EngramCouplingFunction function = {.evaluate = NetworkEvaluate, .context = &network};
        EngramCouplingResult result;
        parameters.iterations = most;
        assert_int_equal(EngramCouplingSolve(&parameters, function, 1e3, 0.0, INFINITY, &result),
                         0);
        UNIT_ASSERT_AT_MOST(result.iterations, most);
        assert_int_equal(result.iterations, network.evaluations);
        assert_false(result.is_open);
        assert_true(result.is_found || (most < 25 && result.solutions == 0));
        assert_false(result.is_found && most < 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestStrongInhibition),
        cmocka_unit_test(TestSlopeNearOne),
        cmocka_unit_test(TestConstants),
        cmocka_unit_test(TestSilentNetwork),
        cmocka_unit_test(TestFewEvaluations),
        cmocka_unit_test(TestForeseenRootsAreTrue),
        cmocka_unit_test(TestSlopes),
        cmocka_unit_test(TestSeveralRoots),
        cmocka_unit_test(TestUnstableRoot),
        cmocka_unit_test(TestStableRoot),
        cmocka_unit_test(TestNoRoot),
        cmocka_unit_test(TestNotFinite),
        cmocka_unit_test(TestIterationsAreBounded),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
