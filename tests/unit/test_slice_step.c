/**
 * The step of order 4 against a dense solve in long double; mass and sign for any data and any
 * lambda; the rates of a trial; a transport that is made on the way; and bits that do not depend on
 * the neighbours, second solves among them.
 */
#include "slice_problem.h"
#include "transport_problem.h"

#include <float.h>

enum { NODES = 59, RESET = 49 };

static const double LAMBDAS[] = {1e-8, 1e-5, 1e-4, 3e-4, 8e-4, 1e-3, 2e-3, 0.1, 10.0, 1e4, 1e12};
enum { LAMBDA_COUNT = sizeof(LAMBDAS) / sizeof(LAMBDAS[0]) };

/** A problem of order 4; with a refractory state where tau > 0. */
static SliceProblem ProblemOf(double noise, double tau, ptrdiff_t slices)
{
    const SliceGrid grid = {NODES, RESET, -4.0, 2.0, noise};
    const ptrdiff_t stride = SlicePadded(slices);
    SliceProblem problem = SliceProblemCreate(grid, slices, stride);
    EngramFaceTableSetOrder(&problem.table, 4);
    EngramFaceTableSetRefractory(&problem.table, tau);
    free(problem.rhs);
    free(problem.solution);
    problem.rhs = UnitAllocate((NODES + 1) * stride);
    problem.solution = UnitAllocate((NODES + 1) * stride);
    return problem;
}

/** Smooth densities, as a network has them, of different widths and places. */
static void FillSmoothly(SliceProblem *problem, UnitRandom *random)
{
    for (ptrdiff_t i = 0; i < problem->stride; i++) {
        const double centre = UnitRandomBetween(random, -1.5, 0.5);
        const double width = UnitRandomBetween(random, 0.3, 0.8);
        problem->drift[i] = UnitRandomBetween(random, -2.0, 3.0);
        for (int k = 0; k < NODES; k++) {
            const double v = -4.0 + (k + 1) * problem->table.spacing;
            const double x = (v - centre) / width;
            problem->rhs[k * problem->stride + i] = (2.0 - v) * exp(-x * x);
        }
        problem->rhs[NODES * problem->stride + i] = UnitRandomBetween(random, 0.0, 5.0);
    }
}

/** Data that could embarrass: bumps of one node, steps, density at the threshold, zeros. */
static void FillRoughly(SliceProblem *problem, UnitRandom *random)
{
    for (ptrdiff_t i = 0; i < problem->stride; i++) {
        const int kind = UnitRandomBelow(random, 5);
        const int place = UnitRandomBelow(random, NODES);
        problem->drift[i] = UnitRandomBetween(random, -5.0, 8.0);
        for (int k = 0; k < NODES; k++) {
            double value = kind == 0   ? k == place
                           : kind == 1 ? k >= place
                           : kind == 2 ? k <= place
                                       : 0;
            value = kind == 3 ? k >= NODES - 2 : value;
            value = kind == 4 ? ldexp(1.0, -UnitRandomBelow(random, 60)) : value;
            problem->rhs[k * problem->stride + i] = value;
        }
        problem->rhs[NODES * problem->stride + i] = UnitRandomBelow(random, 2) ? 0.0 : 3.0;
    }
}

/** m of a layer at potential v, for f(v) = -v. */
static long double MeanOfLayer(const SliceProblem *problem, ptrdiff_t slice, double v)
{
    const EngramFaceTable *table = &problem->table;
    const long double q =
        ((long double)problem->drift[slice] - (long double)v) * table->spacing / table->noise;
    return fabsl(q) < 1e-3L ? (1.0L - q * q / 60.0L) / 6.0L
                            : 2.0L * (0.5L * q / tanhl(0.5L * q) - 1.0L) / (q * q);
}

/** Content of the last node over its density. */
static long double ContentOfLast(const SliceProblem *problem, ptrdiff_t slice)
{
    const EngramFaceTable *table = &problem->table;
    double up;
    double down;
    EngramFaceWeights(table, NODES - 1, 1, &problem->drift[slice], &up, &down);
    const double reset = table->v_min + (RESET + 1) * table->spacing;
    const double threshold = table->v_min + (NODES + 1) * table->spacing;
    const long double difference =
        MeanOfLayer(problem, slice, threshold) - MeanOfLayer(problem, slice, reset);
    return fmaxl(1.0L + 0.5L * (long double)up * difference, 0.5L);
}

/** D_v p of one slice over the reacting time, and its inflow to the refractory state. */
static void ApplyFluxes(const SliceProblem *problem, ptrdiff_t slice, const long double *p,
                        long double *result)
{
    const EngramFaceTable *table = &problem->table;
    const long double unit = (long double)(table->noise / (table->spacing * table->spacing));
    const int last = table->refractory > 0.0 ? NODES : RESET;
    const long double content = ContentOfLast(problem, slice);
    for (int k = 0; k <= NODES; k++) {
        result[k] = 0.0L;
    }
    for (int k = 0; k < NODES; k++) {
        double up;
        double down;
        EngramFaceWeights(table, k, 1, &problem->drift[slice], &up, &down);
        const long double above = k < NODES - 1 ? p[k + 1] : 0.0L;
        const long double here = k < NODES - 1 ? p[k] : p[k] / content;
        const long double flux =
            unit * ((long double)up * here -
                    (long double)down * (k == NODES - 2 ? above / content : above));
        result[k] += flux;
        result[k < NODES - 1 ? k + 1 : last] -= flux;
    }
}

/** The step itself, by plain elimination of a dense matrix with the columns of its unit vectors. */
static void StepDensely(const SliceProblem *problem, ptrdiff_t slice, double lambda,
                        long double *found)
{
    enum { ROWS = NODES + 1, WIDTH = ROWS + 1 };
    static long double a[ROWS][WIDTH];
    long double unit[ROWS];
    long double fluxes[ROWS];
    const EngramFaceTable *table = &problem->table;
    const long double kappa = (long double)EngramFaceTableKappa(table, problem->drift[slice]);
    const long double leaves =
        table->refractory > 0.0 ? (long double)(lambda / table->refractory) : 0;
    for (int j = 0; j < ROWS; j++) {
        for (int k = 0; k < ROWS; k++) {
            unit[k] = k == j ? 1.0L : 0.0L;
        }
        ApplyFluxes(problem, slice, unit, fluxes);
        for (int k = 0; k < ROWS; k++) {
            a[k][j] = unit[k] + ((long double)lambda - kappa) * fluxes[k];
        }
    }
    a[NODES][NODES] += leaves;
    a[RESET][NODES] -= leaves;
    for (int k = 0; k < ROWS; k++) {
        unit[k] = (long double)problem->rhs[k * problem->stride + slice];
    }
    ApplyFluxes(problem, slice, unit, fluxes);
    for (int k = 0; k < ROWS; k++) {
        a[k][ROWS] = unit[k] - kappa * fluxes[k];
    }
    for (int j = 0; j < ROWS; j++) {
        for (int k = j + 1; k < ROWS; k++) {
            const long double factor = a[k][j] / a[j][j];
            for (int m = j; factor != 0.0L && m < WIDTH; m++) {
                a[k][m] -= factor * a[j][m];
            }
        }
    }
    for (int k = ROWS - 1; k >= 0; k--) {
        found[k] = a[k][ROWS];
        for (int m = k + 1; m < ROWS; m++) {
            found[k] -= a[k][m] * found[m];
        }
        found[k] /= a[k][k];
    }
}

static void TestAgainstDenseSolve(void **state)
{
    (void)state;
    UnitRandom random = {3};
    const double taus[2] = {0.0, 0.3};
    const double noises[2] = {1.0, 0.02};
    int compared = 0;
    for (int n = 0; n < 4; n++) {
        SliceProblem problem = ProblemOf(noises[n / 2], taus[n % 2], 45);
        /* The plain elimination loses too many digits for the longest step. */
        for (int l = 0; l < LAMBDA_COUNT - 1; l++) {
            FillSmoothly(&problem, &random);
            SliceProblemSolve(&problem, LAMBDAS[l]);
            for (ptrdiff_t i = 0; i < problem.slices; i += 4) {
                long double wanted[NODES + 1];
                StepDensely(&problem, i, LAMBDAS[l], wanted);
                const double sum = (double)SliceSum(&problem, problem.rhs, i);
                long double least = INFINITY;
                for (int k = 0; k < NODES; k++) {
                    least = wanted[k] < least ? wanted[k] : least;
                }
                /* The others have been solved again. */
                compared += least > -1e-12L * (long double)sum;
                for (int k = 0; k < NODES && least > -1e-12L * (long double)sum; k++) {
                    const double found = problem.solution[k * problem.stride + i];
                    UNIT_ASSERT_AT_MOST(fabs(found - (double)wanted[k]), 1e-9 * sum);
                }
            }
        }
        SliceProblemDestroy(&problem);
    }
    assert_true(compared > 200);
}

static long double SumWith(const SliceProblem *problem, const double *density, ptrdiff_t slice)
{
    const double waiting = density[NODES * problem->stride + slice];
    return SliceSum(problem, density, slice) +
           (problem->table.refractory > 0.0 ? (long double)waiting : 0.0L);
}

static void TestMassAndSignOfRoughData(void **state)
{
    (void)state;
    UnitRandom random = {5};
    const double taus[2] = {0.0, 0.3};
    const double noises[3] = {1.0, 0.05, 1e-4};
    for (int n = 0; n < 6; n++) {
        SliceProblem problem = ProblemOf(noises[n / 2], taus[n % 2], 61);
        for (int l = 0; l < LAMBDA_COUNT; l++) {
            FillRoughly(&problem, &random);
            SliceProblemSolve(&problem, LAMBDAS[l]);
            for (ptrdiff_t i = 0; i < problem.slices; i++) {
                const long double before = SumWith(&problem, problem.rhs, i);
                const long double after = SumWith(&problem, problem.solution, i);
                UNIT_ASSERT_AT_MOST((double)fabsl(after / before - 1.0L), 4e-15);
                assert_true(problem.results.minimum[i] >= 0.0);
                assert_true(problem.results.firing_rate[i] >= 0.0);
                for (int k = 0; k < NODES; k++) {
                    assert_true(problem.solution[k * problem.stride + i] >= 0.0);
                }
            }
        }
        SliceProblemDestroy(&problem);
    }
}

static void TestTrialHasTheRatesOfTheStep(void **state)
{
    (void)state;
    UnitRandom random = {7};
    const double taus[2] = {0.0, 0.3};
    for (int n = 0; n < 4; n++) {
        SliceProblem problem = ProblemOf(n < 2 ? 1.0 : 0.02, taus[n % 2], 45);
        for (int l = 0; l < LAMBDA_COUNT; l++) {
            FillSmoothly(&problem, &random);
            SliceProblemSolve(&problem, LAMBDAS[l]);
            double rates[64];
            memcpy(rates, problem.results.firing_rate, (size_t)problem.stride * sizeof(double));
            SliceProblemStep(&problem, LAMBDAS[l], 0.0, problem.rhs, NULL);
            for (ptrdiff_t i = 0; i < problem.slices; i++) {
                UNIT_ASSERT_AT_MOST(fabs(problem.results.firing_rate[i] - rates[i]),
                                    1e-11 * rates[i] + 1e-7);
            }
        }
        SliceProblemDestroy(&problem);
    }
}

/** The transport by itself, as a pass over the rows. */
static void Transport(const SliceProblem *problem, const EngramSliceTransport *transport,
                      double *moved)
{
    if (transport->order == 1) {
        EngramTransportApply(NODES + 1, problem->slices, problem->stride, transport->fractions,
                             transport->left_ghost, transport->right_ghost, problem->rhs, moved);
    } else {
        EngramTransportLimitedApply(NODES + 1, problem->slices, problem->stride, transport->courant,
                                    transport->left_ghost, transport->right_ghost, problem->rhs,
                                    moved);
    }
}

/** Velocities of both signs: a step that makes it on the way is one after such a pass. */
static void TestTransportOnTheWay(void **state)
{
    (void)state;
    enum { SLICES = 45 };
    UnitRandom random = {11};
    TransportProblem moves = TransportProblemCreate(SLICES, NODES + 1);
    for (int n = 0; n < 8; n++) {
        SliceProblem problem = ProblemOf(n & 1 ? 1.0 : 0.05, n & 2 ? 0.3 : 0.0, SLICES);
        const EngramSliceTransport transport = TransportProblemOf(&moves, n & 4 ? 2 : 1);
        const ptrdiff_t length = (NODES + 1) * problem.stride;
        double *moved = UnitAllocate(length);
        double *after = UnitAllocate(length);
        FillSmoothly(&problem, &random);
        Transport(&problem, &transport, moved);
        SliceProblemStep(&problem, 0.1, 0.0, moved, after);
        const EngramSliceStep step = {
            .lambda = 0.1, .drift = problem.drift, .transport = &transport};
        EngramSliceStepTake(&problem.table, SLICES, problem.stride, &step, problem.rhs,
                            problem.solution, problem.work, &problem.results);
        for (ptrdiff_t i = 0; i < SLICES; i++) {
            const double sum = (double)SumWith(&problem, after, i);
            assert_true(sum > 0.0);
            for (int k = 0; k < NODES; k++) {
                const ptrdiff_t at = k * problem.stride + i;
                UNIT_ASSERT_AT_MOST(fabs(problem.solution[at] - after[at]), 1e-14 * sum);
            }
        }
        free(moved);
        free(after);
        SliceProblemDestroy(&problem);
    }
    TransportProblemDestroy(&moves);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestAgainstDenseSolve),
        cmocka_unit_test(TestMassAndSignOfRoughData),
        cmocka_unit_test(TestTrialHasTheRatesOfTheStep),
        cmocka_unit_test(TestTransportOnTheWay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
