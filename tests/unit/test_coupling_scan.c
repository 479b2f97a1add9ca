/**
 * The scan for all roots of x = G(x): how many there are, where, and how steep G is there.
 */
#include "coupling_problem.h"

/** Roots of a network below a rate, and what holds of every scan. */
static PetscInt Scan(Network *network, double largest, EngramCouplingRoot *roots)
{
    PetscInt count = -1;
    EngramCouplingParameters parameters = NETWORK_PARAMETERS;
    parameters.largest_rate = largest;
    /* A scan is as precise as it ever is where solves need not be. */
    parameters.tolerance = 0.1;
    network->evaluations = 0;
    network->smallest = INFINITY;
    const EngramCouplingFunction function = {.evaluate = NetworkEvaluate, .context = network};
    assert_int_equal(EngramCouplingScan(&parameters, function, roots, &count, NULL), 0);
    assert_true(count >= 0 && count <= ENGRAM_COUPLING_ROOTS);
    assert_true(network->smallest >= 0.0);
    for (PetscInt i = 0; i < count; i++) {
        const double rate = roots[i].rate;
        const double answer = network->answer(network->numbers, rate);
        UNIT_ASSERT_AT_MOST(fabs(answer - rate),
                            1e-9 * rate * fmax(1.0, fabs(roots[i].slope)) + 1e-300);
        assert_true(i == 0 || rate > roots[i - 1].rate);
    }
    return count;
}

static void ExpectRoot(const EngramCouplingRoot *root, double rate, double slope)
{
    UNIT_ASSERT_AT_MOST(fabs(root->rate - rate), 2e-10 * rate);
    UNIT_ASSERT_AT_MOST(fabs(root->slope - slope), 1e-7 * fmax(1.0, fabs(slope)));
}

static void TestOneRoot(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    const double slopes[5] = {-1e3, -5.0, 0.0, 0.5, 0.999};
    for (int n = 0; n < 5; n++) {
        Network network = {.answer = NetworkLinear, .numbers = {3.0, slopes[n]}};
        assert_int_equal(Scan(&network, 1e4, roots), 1);
        ExpectRoot(&roots[0], 3.0 / (1.0 - slopes[n]), slopes[n]);
        UNIT_ASSERT_AT_MOST(network.evaluations, 1000);
    }
    const double tiny[3] = {1e-3, 1e-9, 1e-20};
    for (int n = 0; n < 3; n++) {
        Network network = {.answer = NetworkLinear, .numbers = {tiny[n], 0.0}};
        assert_int_equal(Scan(&network, 1e4, roots), 1);
        ExpectRoot(&roots[0], tiny[n], 0.0);
    }
    Network network = {.answer = NetworkExponential, .numbers = {1.0, -1.0}};
    assert_int_equal(Scan(&network, 1e4, roots), 1);
    ExpectRoot(&roots[0], 0.5671432904097838, -0.5671432904097838);
}

static void TestSilentNetwork(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    Network network = {.answer = NetworkLinear};
    assert_int_equal(Scan(&network, 1e4, roots), 1);
    UNIT_ASSERT_SAME_BITS(roots[0].rate, 0.0);
    UNIT_ASSERT_SAME_BITS(roots[0].slope, 0.0);
}

/** 4 x^2/(1 + x^2): the roots 0 and 2 +- sqrt(3). */
static double Bistable(const double *numbers, double rate)
{
    (void)numbers;
    return 4.0 * rate * rate / (1.0 + rate * rate);
}

static void TestSeveralRoots(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    Network cubic = {.answer = NetworkCubic};
    const double slopes[3] = {0.8, 1.1, 0.8};
    assert_int_equal(Scan(&cubic, 1e4, roots), 3);
    for (int i = 0; i < 3; i++) {
        ExpectRoot(&roots[i], i + 1.0, slopes[i]);
    }
    Network bistable = {.answer = Bistable};
    assert_int_equal(Scan(&bistable, 1e4, roots), 3);
    UNIT_ASSERT_SAME_BITS(roots[0].rate, 0.0);
    for (int i = 1; i < 3; i++) {
        const double root = 2.0 + (2 * i - 3) * sqrt(3.0);
        ExpectRoot(&roots[i], root, 8.0 * root / pow(1.0 + root * root, 2.0));
    }
}

/** A pair closer together than two points of the scan: 2 +- a distance. */
static void TestNarrowPairs(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    const double distances[5] = {0.3, 0.03, 1e-2, 1e-4, 1e-6};
    const double middles[4] = {2.0, 2.03, 2.06, 777.0};
    for (int n = 0; n < 20; n++) {
        const double distance = distances[n % 5];
        const double middle = middles[n / 5];
        Network network = {.answer = NetworkBottleneck,
                           .numbers = {middle, -distance * distance, 1.0}};
        assert_int_equal(Scan(&network, 1e4, roots), 2);
        for (int i = 0; i < 2; i++) {
            const double side = i ? distance : -distance;
            /* The difference of G and x, a square of the distance, has the round-off of x. */
            UNIT_ASSERT_AT_MOST(fabs(roots[i].rate - middle - side),
                                3e-10 * middle + 1e-15 * middle / distance);
            UNIT_ASSERT_AT_MOST(fabs(roots[i].slope - 1.0 - 2.0 * side), 1e-6);
        }
    }
}

/** A peak that only just exceeds the diagonal: a pair seen from below, beside the lower root. */
static double Peak(const double *numbers, double rate)
{
    const double distance = rate - 2.0;
    return 0.5 + (1.5 + numbers[0]) * exp(-numbers[1] * distance * distance);
}

static void TestNarrowPeaks(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    const double widths[3] = {50.0, 200.0, 800.0};
    for (int n = 0; n < 6; n++) {
        Network network = {.answer = Peak, .numbers = {n < 3 ? 1e-4 : -0.1, widths[n % 3]}};
        const PetscInt count = Scan(&network, 1e4, roots);
        UNIT_ASSERT_AT_MOST(fabs(roots[0].rate - 0.5), 1e-9);
        assert_int_equal(count, n < 3 ? 3 : 1);
        for (int i = 1; i < count; i++) {
            UNIT_ASSERT_BETWEEN(roots[i].rate, 1.95, 2.001);
            assert_true((roots[i].slope > 1.0) == (i == 1));
        }
    }
}

/** x + cos(x)/2: the roots pi/2 + k pi. */
static double Wave(const double *numbers, double rate)
{
    (void)numbers;
    return rate + 0.5 * cos(rate);
}

/** Up to as many roots as fit, the lowest ones. */
static void TestManyRoots(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    Network network = {.answer = Wave};
    const double largest[3] = {20.0, 38.0, 60.0};
    const int counts[3] = {6, 12, ENGRAM_COUPLING_ROOTS};
    for (int n = 0; n < 3; n++) {
        assert_int_equal(Scan(&network, largest[n], roots), counts[n]);
        for (int i = 0; i < counts[n]; i++) {
            ExpectRoot(&roots[i], (i + 0.5) * PETSC_PI, i % 2 ? 1.5 : 0.5);
        }
    }
}

/** x (1 + ln(x/m)^2 - d^2): the roots m e^-d and m e^d. */
static double Pair(const double *numbers, double rate)
{
    const double distance = rate > 0.0 ? log(rate / numbers[0]) : 1.0;
    return rate > 0.0 ? rate * (1.0 + distance * distance - numbers[1] * numbers[1]) : numbers[0];
}

/** Rates of any size are found, alone and in pairs. */
static void TestWholeRange(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    for (int exponent = -307; exponent < 4; exponent += 6) {
        const double rate = pow(10.0, exponent);
        const double slopes[3] = {-3.0, 0.0, 0.9};
        for (int n = 0; n < 3; n++) {
            Network network = {.answer = NetworkLinear,
                               .numbers = {rate * (1.0 - slopes[n]), slopes[n]}};
            assert_int_equal(Scan(&network, 1e4, roots), 1);
            ExpectRoot(&roots[0], rate, slopes[n]);
            UNIT_ASSERT_AT_MOST(network.evaluations, n < 2 ? 1000 : 17000);
        }
    }
    const double distances[3] = {3.0, 0.5, 1e-4};
    for (int exponent = -300; exponent < 3; exponent += 25) {
        for (int n = 0; n < 3; n++) {
            Network network = {.answer = Pair,
                               .numbers = {2.0 * pow(10.0, exponent), distances[n]}};
            assert_int_equal(Scan(&network, 1e4, roots), 2);
            for (int i = 0; i < 2; i++) {
                const double side = i ? distances[n] : -distances[n];
                const double root = network.numbers[0] * exp(side);
                UNIT_ASSERT_AT_MOST(fabs(roots[i].rate - root), 3e-10 * root);
                UNIT_ASSERT_AT_MOST(fabs(roots[i].slope - 1.0 - 2.0 * side), 1e-6);
            }
        }
    }
}

/** A network with a part of its answer by itself: e^x and e^-x, times numbers. */
typedef struct Mixed {
    double rising;
    double falling;
    double part;
} Mixed;

static PetscErrorCode MixedEvaluate(void *context, double rate, double *answer)
{
    Mixed *mixed = context;
    mixed->part = mixed->rising * exp(rate);
    *answer = mixed->part + mixed->falling * exp(-rate);
    return PETSC_SUCCESS;
}

static EngramCouplingSearch SearchNone(EngramCouplingFunction function, double largest)
{
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    EngramCouplingSearch search;
    EngramCouplingParameters parameters = NETWORK_PARAMETERS;
    PetscInt count = -1;
    parameters.largest_rate = largest;
    assert_int_equal(EngramCouplingScan(&parameters, function, roots, &count, &search), 0);
    assert_int_equal(count, 0);
    return search;
}

/** That there is no root is certain where the answer does not turn and keeps its distance. */
static void TestCertainty(void **state)
{
    (void)state;
    Network steep = {.answer = NetworkLinear, .numbers = {1e-200, 1.1}};
    assert_true(
        SearchNone((EngramCouplingFunction){.evaluate = NetworkEvaluate, .context = &steep}, 1e4)
            .is_certain);
    Network high = {.answer = NetworkLinear, .numbers = {2e4, 0.0}};
    assert_true(
        SearchNone((EngramCouplingFunction){.evaluate = NetworkEvaluate, .context = &high}, 1e4)
            .is_certain);

    Network near = {.answer = NetworkBottleneck, .numbers = {2.0, 1e-9, 1e-3}};
    EngramCouplingSearch search =
        SearchNone((EngramCouplingFunction){.evaluate = NetworkEvaluate, .context = &near}, 1e4);
    assert_false(search.is_certain);
    assert_true(search.from < 2.0 && search.to > 2.0);
    UNIT_ASSERT_BETWEEN(search.from, 0.5, 2.0);

    /* Its sum turns, its parts do not. */
    Mixed mixed = {.rising = 0.4, .falling = 1.4};
    search = SearchNone((EngramCouplingFunction){MixedEvaluate, &mixed, &mixed.part}, 100.0);
    assert_true(search.is_certain && !search.turns);
    search = SearchNone((EngramCouplingFunction){MixedEvaluate, &mixed, NULL}, 100.0);
    assert_true(!search.is_certain && search.turns);

    Network undefined = {.answer = NetworkNotANumber, .numbers = {3.0, 0.2, 1.0}};
    search = SearchNone(
        (EngramCouplingFunction){.evaluate = NetworkEvaluate, .context = &undefined}, 1e4);
    assert_false(search.is_certain);
    UNIT_ASSERT_BETWEEN(search.from, 0.9, 1.0);
}

static void TestNoRoot(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    Network networks[4] = {{.answer = NetworkLinear, .numbers = {1.0, 1.1}},
                           {.answer = NetworkLinear, .numbers = {2e4, 0.0}},
                           {.answer = NetworkBottleneck, .numbers = {2.0, 1e-4, 1.0}},
                           {.answer = NetworkBottleneck, .numbers = {2.0, 1e-9, 1e-3}}};
    for (int n = 0; n < 4; n++) {
        assert_int_equal(Scan(&networks[n], 1e4, roots), 0);
    }
}

/** Where G ceases to be finite there is no root, and nothing to be looked for beyond. */
static void TestNotFinite(void **state)
{
    (void)state;
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    Network network = {.answer = NetworkNotANumber, .numbers = {0.3, 0.2, 1.0}};
    assert_int_equal(Scan(&network, 1e4, roots), 1);
    ExpectRoot(&roots[0], 0.375, 0.2);
    UNIT_ASSERT_AT_MOST(network.evaluations, 1000);
    network.numbers[2] = -1.0;
    assert_int_equal(Scan(&network, 1e4, roots), 0);
    UNIT_ASSERT_AT_MOST(network.evaluations, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestOneRoot),      cmocka_unit_test(TestSilentNetwork),
        cmocka_unit_test(TestSeveralRoots), cmocka_unit_test(TestNarrowPairs),
        cmocka_unit_test(TestNarrowPeaks),  cmocka_unit_test(TestManyRoots),
        cmocka_unit_test(TestNoRoot),       cmocka_unit_test(TestNotFinite),
        cmocka_unit_test(TestWholeRange),   cmocka_unit_test(TestCertainty),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
