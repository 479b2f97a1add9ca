/**
 * The quasi-static state found directly: against the elimination for a huge lambda, its mass, its
 * rates, noise however small, the refractory state, and bits that do not depend on a slice's place.
 */
#include "refractory_problem.h"

/* The last two are too small for the polynomials. */
static const double NOISES[] = {1.0, 0.05, 1e-3, 1e-5};
enum { NOISE_COUNT = sizeof(NOISES) / sizeof(NOISES[0]) };

static const EngramFlux FLUXES[2] = {ENGRAM_FLUX_SCHARFETTER_GUMMEL, ENGRAM_FLUX_HARMONIC};

/** A grid from -4 to 2. */
static SliceGrid GridOf(int nodes, int reset_node, double noise)
{
    const SliceGrid grid = {nodes, reset_node, -4.0, 2.0, noise};
    return grid;
}

/** Slices with random drifts and masses; the masses are kept in the first row of rhs. */
static SliceProblem Create(SliceGrid grid, EngramFlux flux, ptrdiff_t slices, double refractory)
{
    UnitRandom random = {(uint64_t)(1000 * grid.nodes + grid.reset_node)};
    SliceProblem problem = SliceProblemCreate(grid, slices, SlicePadded(slices));
    problem.table.flux = flux;
    RefractoryProblemSet(&problem, refractory);
    for (ptrdiff_t i = 0; i < problem.stride; i++) {
        problem.drift[i] = UnitRandomBetween(&random, -6.0, 8.0);
        problem.rhs[i] = UnitRandomBetween(&random, 0.1, 3.0);
    }
    return problem;
}

static void FindState(SliceProblem *problem)
{
    EngramSliceQuasiStatic(&problem->table, problem->slices, problem->stride, problem->drift,
                           problem->rhs, problem->solution, problem->work, &problem->results);
}

/** The state that the elimination leads to from all mass at the reset node, and its rates. */
static SliceProblem Eliminated(const SliceProblem *state, SliceGrid grid, EngramFlux flux)
{
    SliceProblem problem = Create(grid, flux, state->slices, state->table.refractory);
    for (ptrdiff_t i = 0; i < problem.stride; i++) {
        problem.drift[i] = state->drift[i];
        problem.rhs[i] = 0.0;
    }
    for (ptrdiff_t i = 0; i < problem.stride; i++) {
        const double density = state->rhs[i] / problem.table.spacing;
        problem.rhs[grid.reset_node * problem.stride + i] = density;
    }
    SliceProblemSolve(&problem, 1e60);
    return problem;
}

/** Equal but for round-off, and for what is left of the old density. */
static void ExpectClose(double value, double expected)
{
    UNIT_ASSERT_AT_MOST(fabs(value - expected), 1e-12 * expected + 1e-45);
}

static void ExpectAgreement(SliceGrid grid, EngramFlux flux, double refractory)
{
    SliceProblem problem = Create(grid, flux, 43, refractory);
    SliceProblem other = Eliminated(&problem, grid, flux);
    FindState(&problem);
    for (ptrdiff_t i = 0; i < problem.slices; i++) {
        for (int k = 0; k < EngramFaceTableRows(&problem.table); k++) {
            const ptrdiff_t here = k * problem.stride + i;
            ExpectClose(problem.solution[here], other.solution[here]);
        }
        ExpectClose(problem.results.firing_rate[i], other.results.firing_rate[i]);
        ExpectClose(problem.results.weight_density[i], other.results.weight_density[i]);
        ExpectClose(problem.results.minimum[i], other.results.minimum[i]);
    }
    SliceProblemDestroy(&problem);
    SliceProblemDestroy(&other);
}

static void TestAgreesWithTheElimination(void **state)
{
    (void)state;
    const int nodes = 131;
    const int resets[] = {0, 1, 64, 109, nodes - 2, nodes - 1};
    for (int n = 0; n < 2 * NOISE_COUNT; n++) {
        for (size_t i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
            const SliceGrid grid = GridOf(nodes, resets[i], NOISES[n / 2]);
            ExpectAgreement(grid, FLUXES[n % 2], 0.0);
            ExpectAgreement(grid, FLUXES[n % 2], 0.3);
        }
        for (int small = 2; small <= 4; small++) {
            for (int reset = 0; reset < small; reset++) {
                ExpectAgreement(GridOf(small, reset, NOISES[n / 2]), FLUXES[n % 2], 0.0);
            }
        }
    }
}

/** What is reported of a state, against its definition. */
static void ExpectResults(const SliceProblem *problem, ptrdiff_t i)
{
    const EngramFaceTable *table = &problem->table;
    const EngramSliceResults *results = &problem->results;
    const double mass = problem->rhs[i];
    double smallest = INFINITY;
    double up;
    double down;
    for (int k = 0; k < table->nodes; k++) {
        smallest = fmin(smallest, problem->solution[k * problem->stride + i]);
    }
    EngramFaceWeights(table, table->nodes - 1, 1, &problem->drift[i], &up, &down);
    const double rate = table->noise / table->spacing * up *
                        problem->solution[(table->nodes - 1) * problem->stride + i];
    const double sum = table->spacing * (double)RefractorySum(problem, problem->solution, i);
    UNIT_ASSERT_AT_MOST(fabs(sum - mass), 2e-15 * mass);
    UNIT_ASSERT_AT_MOST(fabs(results->weight_density[i] - sum), 1e-15 * mass);
    UNIT_ASSERT_AT_MOST(fabs(results->firing_rate[i] - rate), 2e-15 * rate + 1e-300);
    UNIT_ASSERT_AT_MOST(fabs(results->threshold_rate[i] * mass - rate), 2e-15 * rate + 1e-300);
    UNIT_ASSERT_SAME_BITS(results->minimum[i], smallest);
    UNIT_ASSERT_BETWEEN(smallest, 0.0, INFINITY);
}

static void TestMassAndRates(void **state)
{
    (void)state;
    for (int n = 0; n < 4 * NOISE_COUNT; n++) {
        const SliceGrid grid = GridOf(131, 109, NOISES[n / 4]);
        SliceProblem problem = Create(grid, FLUXES[n % 2], 43, n % 4 / 2 ? 1e-4 : 0.0);
        FindState(&problem);
        for (ptrdiff_t i = 0; i < problem.slices; i++) {
            ExpectResults(&problem, i);
        }
        SliceProblemDestroy(&problem);
    }
}

/** Asked for the rates alone, it gives the same ones, and touches nothing else. */
static void TestRatesAlone(void **state)
{
    (void)state;
    for (int n = 0; n < 4 * NOISE_COUNT; n++) {
        const SliceGrid grid = GridOf(131, 109, NOISES[n / 4]);
        SliceProblem whole = Create(grid, FLUXES[n % 2], 43, n % 4 / 2 ? 0.2 : 0.0);
        SliceProblem rates = Create(grid, FLUXES[n % 2], 43, n % 4 / 2 ? 0.2 : 0.0);
        for (ptrdiff_t i = 0; i < rates.stride; i++) {
            rates.results.weight_density[i] = -7.0;
            rates.results.minimum[i] = -7.0;
        }
        FindState(&whole);
        EngramSliceQuasiStatic(&rates.table, rates.slices, rates.stride, rates.drift, rates.rhs,
                               NULL, rates.work, &rates.results);
        for (ptrdiff_t i = 0; i < rates.stride; i++) {
            UNIT_ASSERT_SAME_BITS(rates.results.firing_rate[i], whole.results.firing_rate[i]);
            UNIT_ASSERT_SAME_BITS(rates.results.threshold_rate[i], whole.results.threshold_rate[i]);
            UNIT_ASSERT_SAME_BITS(rates.results.weight_density[i], -7.0);
            UNIT_ASSERT_SAME_BITS(rates.results.minimum[i], -7.0);
        }
        SliceProblemDestroy(&whole);
        SliceProblemDestroy(&rates);
    }
}

/** Slices without mass are empty, and still have the rate of one neuron, whatever the others have.
 */
static void TestEmptySlices(void **state)
{
    (void)state;
    for (int n = 0; n < NOISE_COUNT; n++) {
        SliceProblem full = Create(GridOf(131, 109, NOISES[n]), FLUXES[0], 43, 0.2);
        SliceProblem problem = Create(GridOf(131, 109, NOISES[n]), FLUXES[0], 43, 0.2);
        for (ptrdiff_t i = 0; i < problem.slices; i++) {
            problem.rhs[i] = i % 2 ? 4.0 * full.rhs[i] : 0.0;
        }
        FindState(&full);
        FindState(&problem);
        for (ptrdiff_t i = 0; i < problem.slices; i++) {
            const double scale = i % 2 ? 4.0 : 0.0;
            const double rate = full.results.firing_rate[i];
            UNIT_ASSERT_SAME_BITS(problem.results.firing_rate[i], scale * rate);
            UNIT_ASSERT_SAME_BITS(problem.results.threshold_rate[i],
                                  full.results.threshold_rate[i]);
            for (int k = 0; k <= 131; k++) {
                const ptrdiff_t here = k * problem.stride + i;
                const double expected = scale * full.solution[here];
                UNIT_ASSERT_AT_MOST(fabs(problem.solution[here] - expected), scale * 1e-300);
            }
        }
        SliceProblemDestroy(&full);
        SliceProblemDestroy(&problem);
    }
}

/** Drifts from far below the axis to far above the threshold. */
enum { DRIFTS = 16 };
static const double DRIFT[DRIFTS] = {-1e6, -1e3,  -50.0, -4.5, -4.0, -1.0, 0.0,   0.99,
                                     1.0,  1.001, 1.5,   2.0,  2.01, 3.0,  100.0, 1e6};

/** All is finite and not negative, and the mass is there, whatever the state spans. */
static void ExpectUsableStates(SliceGrid grid, EngramFlux flux)
{
    SliceProblem problem = Create(grid, flux, DRIFTS, 0.0);
    memcpy(problem.drift, DRIFT, sizeof(DRIFT));
    FindState(&problem);
    for (ptrdiff_t i = 0; i < DRIFTS; i++) {
        const double sum = problem.table.spacing * (double)SliceSum(&problem, problem.solution, i);
        UNIT_ASSERT_AT_MOST(fabs(sum - problem.rhs[i]), 2e-15 * problem.rhs[i]);
        for (int k = 0; k < grid.nodes; k++) {
            UNIT_ASSERT_BETWEEN(problem.solution[k * problem.stride + i], 0.0, 1e3);
        }
        /* Nothing but noise takes a neuron over the threshold, and there is hardly any. */
        UNIT_ASSERT_BETWEEN(problem.results.firing_rate[i], 0.0, DRIFT[i] < -1.0 ? 1e-16 : 1e8);
        if (i > 0) {
            UNIT_ASSERT_AT_MOST(problem.results.threshold_rate[i - 1],
                                problem.results.threshold_rate[i] * (1.0 + 1e-12));
        }
    }
    SliceProblemDestroy(&problem);
}

static void TestAnyNoise(void **state)
{
    (void)state;
    const double noises[] = {1e-4, 1e-5, 1e-6, 1e-7, 1e-9};
    for (int n = 0; n < 10; n++) {
        ExpectUsableStates(GridOf(299, 249, noises[n / 2]), FLUXES[n % 2]);
        /* Many standard deviations wide, also where the weights are polynomials. */
        const int step = n / 2;
        const SliceGrid wide = {619, 609, -60.0, 2.0, 0.06 + 0.1 * step};
        ExpectUsableStates(wide, FLUXES[n % 2]);
    }
}

/** Relative errors of the rates of driven neurons without noise, 1/ln((mu - V_R)/(mu - V_F)). */
static void NoiselessErrors(int cells, double noise, const double *drift, double *errors)
{
    const int reset_node = 5 * cells / 6 - 1; /* of the potential 1 */
    SliceProblem problem = Create(GridOf(cells - 1, reset_node, noise), FLUXES[0], 8, 0.0);
    memcpy(problem.drift, drift, 8 * sizeof(*drift));
    FindState(&problem);
    for (int i = 0; i < 8; i++) {
        const double expected = 1.0 / log1p(1.0 / (drift[i] - 2.0));
        errors[i] = fabs(problem.results.threshold_rate[i] / expected - 1.0);
    }
    SliceProblemDestroy(&problem);
}

static void TestRatesWithoutNoise(void **state)
{
    (void)state;
    const double drift[8] = {2.5, 2.7, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0};
    const double noises[2] = {1e-7, 1e-9};
    for (int n = 0; n < 2; n++) {
        double errors[2][8];
        NoiselessErrors(300, noises[n], drift, errors[0]);
        NoiselessErrors(600, noises[n], drift, errors[1]);
        for (int i = 0; i < 8; i++) {
            UNIT_ASSERT_BETWEEN(log2(errors[0][i] / errors[1][i]), 1.9, 2.1);
            UNIT_ASSERT_AT_MOST(errors[1][i], 2e-5);
        }
    }
}

/** The refractory state holds tau N, and what is left fires as without it. */
static void TestRefractoryState(void **state)
{
    (void)state;
    const double taus[4] = {1e-12, 1e-2, 1.0, 1e6};
    for (int n = 0; n < 4 * NOISE_COUNT; n++) {
        const SliceGrid grid = GridOf(131, 109, NOISES[n / 4]);
        const double tau = taus[n % 4];
        SliceProblem bare = Create(grid, FLUXES[n % 2], 43, 0.0);
        SliceProblem problem = Create(grid, FLUXES[n % 2], 43, tau);
        FindState(&bare);
        FindState(&problem);
        for (ptrdiff_t i = 0; i < problem.slices; i++) {
            const double rate = bare.results.threshold_rate[i];
            const double share = 1.0 / (1.0 + tau * rate);
            const double fired = problem.rhs[i] * rate * share;
            const double waiting = problem.table.spacing * problem.solution[131 * 48 + i];
            UNIT_ASSERT_AT_MOST(fabs(problem.results.firing_rate[i] - fired), 4e-15 * fired);
            UNIT_ASSERT_AT_MOST(fabs(waiting - tau * fired), 4e-15 * tau * fired);
            for (int k = 0; k < 131; k++) {
                const double expected = share * bare.solution[k * 48 + i];
                const double value = problem.solution[k * 48 + i];
                UNIT_ASSERT_AT_MOST(fabs(value - expected), 4e-15 * expected + 1e-300);
            }
            ExpectResults(&problem, i);
        }
        SliceProblemDestroy(&bare);
        SliceProblemDestroy(&problem);
    }
}

/** Slice `here` is slice `there` of the other problem, bit for bit. */
static void ExpectSameSlice(const SliceProblem *problem, ptrdiff_t here,
                            const SliceProblem *expected, ptrdiff_t there)
{
    for (int k = 0; k < EngramFaceTableRows(&problem->table); k++) {
        UNIT_ASSERT_SAME_BITS(problem->solution[k * problem->stride + here],
                              expected->solution[k * expected->stride + there]);
    }
    const EngramSliceResults *found = &problem->results;
    const EngramSliceResults *wanted = &expected->results;
    UNIT_ASSERT_SAME_BITS(found->threshold_rate[here], wanted->threshold_rate[there]);
    UNIT_ASSERT_SAME_BITS(found->firing_rate[here], wanted->firing_rate[there]);
    UNIT_ASSERT_SAME_BITS(found->weight_density[here], wanted->weight_density[there]);
    UNIT_ASSERT_SAME_BITS(found->minimum[here], wanted->minimum[there]);
}

/** Any slices of 72 at once, in any place. */
static void ExpectSameAnywhere(SliceGrid grid, EngramFlux flux)
{
    enum { POOL = 72 };
    SliceProblem all = Create(grid, flux, POOL, 0.1);
    SliceProblem single = Create(grid, flux, 1, 0.1);
    for (ptrdiff_t slices = 1; slices <= 70; slices++) {
        SliceProblem problem = Create(grid, flux, slices, 0.1);
        for (ptrdiff_t i = 0; i < slices; i++) {
            problem.drift[i] = all.drift[(i + slices) % POOL];
            problem.rhs[i] = all.rhs[(i + slices) % POOL];
        }
        FindState(&problem);
        for (ptrdiff_t i = 0; i < slices; i++) {
            single.drift[0] = problem.drift[i];
            single.rhs[0] = problem.rhs[i];
            FindState(&single);
            ExpectSameSlice(&problem, i, &single, 0);
        }
        SliceProblemDestroy(&problem);
    }
    SliceProblemDestroy(&all);
    SliceProblemDestroy(&single);
}

static void TestBitsDoNotDependOnThePlace(void **state)
{
    (void)state;
    for (int n = 0; n < 4; n++) {
        ExpectSameAnywhere(GridOf(37, 30, n / 2 ? 1e-3 : 1.0), FLUXES[n % 2]);
    }
}

/** Columns that are no slices stay as they are, and so does what is read. */
static void TestTouchesOnlyItsSlices(void **state)
{
    (void)state;
    SliceProblem problem = Create(GridOf(37, 30, 1.0), FLUXES[0], 64, 0.1);
    double *drift = UnitAllocate(64);
    double *mass = UnitAllocate(64);
    memcpy(drift, problem.drift, 64 * sizeof(*drift));
    memcpy(mass, problem.rhs, 64 * sizeof(*mass));
    for (ptrdiff_t i = 0; i < 38 * 64; i++) {
        problem.solution[i] = -7.0;
    }
    problem.slices = 41;
    FindState(&problem);
    assert_memory_equal(drift, problem.drift, 64 * sizeof(*drift));
    assert_memory_equal(mass, problem.rhs, 64 * sizeof(*mass));
    for (ptrdiff_t i = 0; i < 38 * 64; i++) {
        assert_true((i % 64 < 48) == (problem.solution[i] >= 0.0));
    }
    free(drift);
    free(mass);
    SliceProblemDestroy(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestAgreesWithTheElimination),
        cmocka_unit_test(TestMassAndRates),
        cmocka_unit_test(TestRatesAlone),
        cmocka_unit_test(TestEmptySlices),
        cmocka_unit_test(TestAnyNoise),
        cmocka_unit_test(TestRatesWithoutNoise),
        cmocka_unit_test(TestRefractoryState),
        cmocka_unit_test(TestBitsDoNotDependOnThePlace),
        cmocka_unit_test(TestTouchesOnlyItsSlices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
