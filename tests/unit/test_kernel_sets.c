/**
 * Every set of kernels that this build has and this processor can run, against the scalar form of
 * the same text: vectors of one lane. Where both are compiled for the same instructions all bits
 * are the same, unless a division is replaced by an estimate (AVX-512); else they differ by
 * round-off.
 */
#include "extrapolate_problem.h"
#include "slice_problem.h"
#include "transport_problem.h"

#include <float.h>

#include "engram/kernels/kernel_set.h"
#include "kernel_list.h"

enum { NODES = 59, RESET = 49, SLICES = 45 };

static const double LAMBDAS[] = {1e-8, 3e-4, 1e-3, 0.1, 1e4, 1e12};
enum { LAMBDA_COUNT = sizeof(LAMBDAS) / sizeof(LAMBDAS[0]) };

ENGRAM_DECLARE_KERNELS(scalar)
static const KernelSet SCALAR = ENGRAM_KERNEL_TABLE(scalar);

/* What everybody calls. */
#define OWN_NAME(kernel, unused) .kernel = (kernel),
static const KernelSet IN_USE = {.name = "in use", ENGRAM_ALL_KERNELS(OWN_NAME, unused)};

/* Largest difference, in units of round-off of what it is compared with; 0: the same bits. */
static double bound;
static const double BOUND = 64.0;

/* Numbers of each set of which not all bits were the same. */
enum { MOST_SETS = 3 };
static int differing[MOST_SETS];

static void Expect(double found, double wanted, double size)
{
    if (bound == 0.0) {
        UNIT_ASSERT_SAME_BITS(found, wanted);
    }
    differing[EngramKernelSetInUse()] += UnitBits(found) != UnitBits(wanted);
    UNIT_ASSERT_AT_MOST(fabs(found - wanted), bound * DBL_EPSILON * fabs(size));
}

/** Runs a comparison with all sets. */
static void WithAllSets(void (*compare)(void))
{
    const int best = EngramKernelSetBest();
    for (int set = 0; set <= best; set++) {
#if defined(__AVX512F__)
        bound = BOUND;
#else
        bound = set > 0 ? BOUND : 0.0;
#endif
        EngramKernelSetUse(set);
        compare();
    }
    EngramKernelSetUse(best);
}

/** What a step is taken with. */
typedef struct StepCase {
    EngramFlux flux;
    double noise;
    double tau;
    int order;     /* in v */
    int transport; /* order in w, 0: none */
    int is_bare;
    int has_slope;
    double lambda;
} StepCase;

/** Data that could embarrass: bumps, steps, density at the threshold, many sizes, and smooth. */
static void FillColumn(SliceProblem *problem, ptrdiff_t i, int is_signed, UnitRandom *random)
{
    const int kind = UnitRandomBelow(random, 6);
    const int place = UnitRandomBelow(random, NODES);
    problem->drift[i] = UnitRandomBetween(random, -5.0, 8.0);
    for (int k = 0; k <= NODES; k++) {
        const double x = (k - place) / 6.0;
        const double value = kind == 0   ? k == place
                             : kind == 1 ? k >= place
                             : kind == 2 ? k <= place
                             : kind == 3 ? k >= NODES - 2
                             : kind == 4 ? ldexp(1.0, -UnitRandomBelow(random, 60))
                                         : (NODES - k) * exp(-x * x);
        const int is_negative = is_signed && UnitRandomBelow(random, 2);
        problem->rhs[k * problem->stride + i] = is_negative ? -value : value;
    }
}

static SliceProblem ProblemOf(const StepCase *what, uint64_t seed)
{
    const ptrdiff_t stride = SlicePadded(SLICES);
    const double spacing = 0.1;
    UnitRandom random = {seed};
    SliceProblem problem =
        SliceProblemCreate((SliceGrid){NODES, RESET, -4.0, 2.0, 1.0}, SLICES, stride);
    EngramFaceTableDestroy(&problem.table);
    assert_int_equal(
        EngramFaceTableCreate(&problem.table, NODES, RESET, -4.0, spacing, what->noise, what->flux),
        0);
    EngramFaceTableSetOrder(&problem.table, what->order);
    EngramFaceTableSetRefractory(&problem.table, what->tau);
    free(problem.rhs);
    free(problem.solution);
    problem.rhs = UnitAllocate((NODES + 1) * stride);
    problem.solution = UnitAllocate((NODES + 1) * stride);
    for (ptrdiff_t i = 0; i < stride; i++) {
        FillColumn(&problem, i, what->is_bare, &random);
    }
    return problem;
}

/** Content of a slice and its neighbours, of which a transport makes that of the slice. */
static double SizeAround(const SliceProblem *problem, ptrdiff_t slice)
{
    double sum = 4.0; /* and of ghosts */
    for (ptrdiff_t i = slice > 2 ? slice - 2 : 0; i <= slice + 2 && i < SLICES; i++) {
        for (int k = 0; k <= NODES; k++) {
            sum += fabs(problem->rhs[k * problem->stride + i]);
        }
    }
    return sum;
}

/** A rate of order 4 is the difference of two fluxes that are so much larger: see slice_step.h. */
static double Cancelled(const SliceProblem *problem, ptrdiff_t slice, double lambda)
{
    return 1.0 + 2.0 * EngramFaceTableKappa(&problem->table, problem->drift[slice]) / lambda;
}

/** @param slope  of the density at the threshold before the step, or NULL */
static void CompareResults(const SliceProblem *found, const SliceProblem *wanted, double lambda,
                           const double *slope, int is_taken)
{
    for (ptrdiff_t i = 0; i < SLICES; i++) {
        const double size = SizeAround(wanted, i);
        const double weight = wanted->results.threshold_rate[i];
        Expect(found->results.threshold_rate[i], weight, weight);
        Expect(found->results.firing_rate[i], wanted->results.firing_rate[i],
               weight * size * Cancelled(wanted, i, lambda) +
                   (slope ? wanted->table.noise * slope[i] : 0.0));
        if (is_taken) {
            Expect(found->results.weight_density[i], wanted->results.weight_density[i], size);
            Expect(found->results.minimum[i], wanted->results.minimum[i], size);
        }
        for (int k = 0; is_taken && k < EngramFaceTableRows(&wanted->table); k++) {
            const ptrdiff_t at = k * wanted->stride + i;
            Expect(found->solution[at], wanted->solution[at], size);
        }
    }
}

/** Mass and sign, of what is no bare right-hand side and has not been moved. */
static void ExpectStructure(const SliceProblem *problem, double excess)
{
    const int rows = EngramFaceTableRows(&problem->table);
    for (ptrdiff_t i = 0; i < SLICES; i++) {
        long double before = 0.0L;
        long double after = 0.0L;
        for (int k = 0; k < rows; k++) {
            const double value = problem->solution[k * problem->stride + i];
            assert_true(value >= 0.0);
            before += (long double)problem->rhs[k * problem->stride + i];
            after += (long double)value;
        }
        before *= 1.0L - (long double)excess;
        UNIT_ASSERT_AT_MOST((double)fabsl(after / before - 1.0L), 4e-15);
        assert_true(problem->results.firing_rate[i] >= 0.0);
    }
}

static void CompareStep(const StepCase *what, const TransportProblem *moves, uint64_t seed)
{
    SliceProblem problems[2] = {ProblemOf(what, seed), ProblemOf(what, seed)};
    const KernelSet *kernels[2] = {&IN_USE, &SCALAR};
    const EngramSliceTransport transport = TransportProblemOf(moves, what->transport);
    double threshold_slope[SLICES + ENGRAM_SLICE_PADDING];
    UnitRandom random = {seed};
    for (size_t i = 0; i < sizeof(threshold_slope) / sizeof(threshold_slope[0]); i++) {
        threshold_slope[i] = UnitRandomBetween(&random, 0.0, 20.0);
    }
    EngramSliceStep step = {.lambda = what->lambda,
                            .excess = what->is_bare ? 0.0 : 1e-3,
                            .threshold_slope = what->has_slope ? threshold_slope : NULL,
                            .transport = what->transport ? &transport : NULL,
                            .is_bare = what->is_bare};
    for (int is_taken = 0; is_taken < 2; is_taken++) {
        for (int which = 0; which < 2; which++) {
            SliceProblem *problem = &problems[which];
            step.drift = problem->drift;
            if (is_taken) {
                kernels[which]->EngramSliceStepTake(&problem->table, SLICES, problem->stride, &step,
                                                    problem->rhs, problem->solution, problem->work,
                                                    &problem->results);
            } else {
                kernels[which]->EngramSliceStepTry(&problem->table, SLICES, problem->stride, &step,
                                                   problem->rhs, problem->work, &problem->results);
            }
        }
        CompareResults(&problems[0], &problems[1], what->lambda, step.threshold_slope, is_taken);
    }
    if (!what->transport && !what->is_bare) {
        ExpectStructure(&problems[0], step.excess);
    }
    SliceProblemDestroy(&problems[0]);
    SliceProblemDestroy(&problems[1]);
}

/** Slices within the range of the polynomials, partly outside, and all outside; second solves. */
static void CompareSteps(void)
{
    const double noises[3] = {1.0, 0.05, 1e-4};
    TransportProblem moves = TransportProblemCreate(SLICES, NODES + 1);
    for (int n = 0; n < LAMBDA_COUNT * 3 * 3 * 2; n++) {
        const StepCase what = {.flux = ENGRAM_FLUX_SCHARFETTER_GUMMEL,
                               .noise = noises[n % 3],
                               .transport = n / 3 % 3,
                               .tau = (n / 3 + n / 18) % 2 ? 0.3 : 0.0,
                               .order = n / 9 % 2 ? 2 : 4,
                               .has_slope = n % 2,
                               .lambda = LAMBDAS[n / 18]};
        CompareStep(&what, &moves, (uint64_t)n);
    }
    TransportProblemDestroy(&moves);
}

/** The harmonic flux, and a matrix by itself, with drifts for which it is far from singular. */
static void CompareOtherSteps(void)
{
    TransportProblem moves = TransportProblemCreate(SLICES, NODES + 1);
    for (int n = 0; n < LAMBDA_COUNT * 4; n++) {
        const int is_bare = n % 2;
        const StepCase what = {.flux =
                                   is_bare ? ENGRAM_FLUX_SCHARFETTER_GUMMEL : ENGRAM_FLUX_HARMONIC,
                               .noise = is_bare ? 1.0 : 0.05,
                               .tau = n / 2 % 2 ? 0.3 : 0.0,
                               .order = 4,
                               .is_bare = is_bare,
                               .lambda = LAMBDAS[n / 4]};
        CompareStep(&what, &moves, (uint64_t)n);
    }
    TransportProblemDestroy(&moves);
}

/** Quasi-static states, the measures of a density, and the weights of the faces. */
static void CompareStates(void)
{
    const KernelSet *kernels[2] = {&IN_USE, &SCALAR};
    for (int n = 0; n < 12; n++) {
        const StepCase what = {.flux =
                                   n % 2 ? ENGRAM_FLUX_HARMONIC : ENGRAM_FLUX_SCHARFETTER_GUMMEL,
                               .noise = n / 2 % 3 == 0 ? 1.0 : (n / 2 % 3 == 1 ? 0.05 : 1e-4),
                               .tau = n / 6 ? 0.3 : 0.0,
                               .order = 4};
        SliceProblem problems[2] = {ProblemOf(&what, 7), ProblemOf(&what, 7)};
        double up[2][SLICES];
        double down[2][SLICES];
        for (int which = 0; which < 2; which++) {
            SliceProblem *problem = &problems[which];
            kernels[which]->EngramSliceQuasiStatic(&problem->table, SLICES, problem->stride,
                                                   problem->drift, problem->rhs, problem->solution,
                                                   problem->work, &problem->results);
        }
        CompareResults(&problems[0], &problems[1], INFINITY, NULL, 1);
        for (int which = 0; which < 2; which++) {
            SliceProblem *problem = &problems[which];
            kernels[which]->EngramSliceThresholdRates(&problem->table, SLICES, problem->drift,
                                                      problem->results.threshold_rate);
            kernels[which]->EngramSliceMeasure(&problem->table, SLICES, problem->stride,
                                               problem->rhs, &problem->results);
            memcpy(problem->solution, problem->rhs,
                   (size_t)((NODES + 1) * problem->stride) * sizeof(double));
            kernels[which]->EngramSliceFollowNoise(&problem->table, SLICES, problem->stride,
                                                   0.5 * problem->table.kappa, problem->solution);
            kernels[which]->EngramFaceWeights(&problem->table, n, SLICES, problem->drift, up[which],
                                              down[which]);
        }
        CompareResults(&problems[0], &problems[1], INFINITY, NULL, 1);
        for (int i = 0; i < SLICES; i++) {
            Expect(up[0][i], up[1][i], up[1][i]);
            Expect(down[0][i], down[1][i], down[1][i]);
        }
        SliceProblemDestroy(&problems[0]);
        SliceProblemDestroy(&problems[1]);
    }
}

static void CompareExtrapolation(void)
{
    const KernelSet *kernels[2] = {&IN_USE, &SCALAR};
    for (int combination = 0; combination < COMBINATIONS; combination++) {
        Steps steps[2] = {StepsFilled(SLICES, 91), StepsFilled(SLICES, 91)};
        for (int which = 0; which < 2; which++) {
            EngramStepResult results[ENGRAM_STEP_RESULTS];
            StepsResults(&steps[which], results);
            kernels[which]->EngramExtrapolate(EXTRAPOLATE_ROWS, EXTRAPOLATE_NODES, SLICES,
                                              steps[which].stride, EXTRAPOLATE_SPACING, 0.99,
                                              &COMBINATION[combination], results,
                                              steps[which].values, &steps[which].combined);
        }
        for (ptrdiff_t i = 0; i < SLICES; i++) {
            const EngramExtrapolated *found = &steps[0].combined;
            const EngramExtrapolated *wanted = &steps[1].combined;
            double size = 0.0;
            for (int k = 0; k < ENGRAM_STEP_RESULTS; k++) {
                size += 4.0 * steps[0].masses[k][i];
            }
            Expect(found->weight_density[i], wanted->weight_density[i], size);
            Expect(found->difference[i], wanted->difference[i], size);
            Expect(found->firing_rate[i], wanted->firing_rate[i], 4.0);
            for (int k = 0; k < EXTRAPOLATE_ROWS; k++) {
                const ptrdiff_t at = k * steps[0].stride + i;
                Expect(steps[0].values[at], steps[1].values[at], size / EXTRAPOLATE_SPACING);
            }
        }
        StepsDestroy(&steps[0]);
        StepsDestroy(&steps[1]);
    }
}

/** The transports by themselves. */
static void CompareTransports(void)
{
    const KernelSet *kernels[2] = {&IN_USE, &SCALAR};
    TransportProblem moves = TransportProblemCreate(SLICES, NODES + 1);
    const ptrdiff_t count = SLICES * (ptrdiff_t)(NODES + 1);
    double *moved[2] = {UnitAllocate(count), UnitAllocate(count)};
    for (int kind = 0; kind < TRANSPORT_KINDS; kind++) {
        for (int which = 0; which < 2; which++) {
            TransportProblemMove(kernels[which], &moves, kind, moved[which]);
        }
        for (ptrdiff_t i = 0; i < count; i++) {
            Expect(moved[0][i], moved[1][i], 4.0);
        }
    }
    free(moved[0]);
    free(moved[1]);
    TransportProblemDestroy(&moves);
}

static void TestSteps(void **state)
{
    (void)state;
    WithAllSets(CompareSteps);
    WithAllSets(CompareOtherSteps);
}

static void TestStates(void **state)
{
    (void)state;
    WithAllSets(CompareStates);
}

static void TestExtrapolation(void **state)
{
    (void)state;
    WithAllSets(CompareExtrapolation);
}

static void TestTransports(void **state)
{
    (void)state;
    WithAllSets(CompareTransports);
}

/** Names are told apart; the best set is in use, and then the one that is chosen. */
static void TestChoice(void **state)
{
    (void)state;
    const int best = EngramKernelSetBest();
    assert_in_range(best, 0, EngramKernelSets() - 1);
    assert_int_equal(EngramKernelSetInUse(), best);
    for (int set = 0; set <= best; set++) {
        EngramKernelSetUse(set);
        assert_int_equal(EngramKernelSetInUse(), set);
        assert_true(set == 0 ||
                    strcmp(EngramKernelSetName(set), EngramKernelSetName(set - 1)) != 0);
    }
}

/** The first set is compiled as the scalar form is, the others with fused operations. */
static void TestSetsAreNotTheSame(void **state)
{
    (void)state;
    for (int set = 1; set <= EngramKernelSetBest(); set++) {
        assert_true(differing[set] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestChoice),     cmocka_unit_test(TestSteps),
        cmocka_unit_test(TestStates),     cmocka_unit_test(TestExtrapolation),
        cmocka_unit_test(TestTransports), cmocka_unit_test(TestSetsAreNotTheSame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
