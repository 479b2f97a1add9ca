/**
 * Explicit transport in w of fifth order: the order of its error on smooth data, where Phi and w
 * change sign and at the ends of the axis, and what it does to fronts.
 */
#include "fifth_axis.h"

#include "engram/kernels/denormals.h"

/** A smooth problem: a density, and Phi, on the axis from -1 to 1. */
typedef struct Problem {
    double (*density)(double w);
    double (*phi)(double w);
} Problem;

static double Bump(double w)
{
    return exp(-30.0 * w * w);
}

/** Does not vanish at the ends; its flux does. */
static double Everywhere(double w)
{
    return 2.0 + sin(3.0 * w) + w * w;
}

static double ConstantPhi(double w)
{
    (void)w;
    return 0.7;
}

/** Of both signs, as w is, inside the mass. */
static double ChangingPhi(double w)
{
    return 0.5 * sin(4.0 * w + 0.3);
}

/** w at both ends, where Phi - w thus vanishes. */
static double ClosingPhi(double w)
{
    return w + 0.8 * (1.0 - w * w) * cos(w);
}

/** The slope of the flux, from a difference of eighth order that round-off does not reach. */
static double FluxSlope(const Problem *problem, double w)
{
    static const double factors[4] = {4.0 / 5.0, -1.0 / 5.0, 4.0 / 105.0, -1.0 / 280.0};
    const double step = 4e-3;
    double slope = 0.0;
    for (int k = 1; k <= 4; k++) {
        const double right = w + k * step;
        const double left = w - k * step;
        slope += factors[k - 1] * ((problem->phi(right) - right) * problem->density(right) -
                                   (problem->phi(left) - left) * problem->density(left));
    }
    return slope / step;
}

/** Error of the divergence of the flux in the norm of L1. */
static double TruncationError(const Problem *problem, ptrdiff_t cells)
{
    FifthAxis axis = FifthAxisCreate(cells, -1.0, 1.0);
    const double ratio = 0.02;
    double error = 0.0;
    for (ptrdiff_t i = 0; i < cells; i++) {
        const double w = FifthWeight(&axis, i);
        axis.phi[i + FIFTH_GHOSTS] = problem->phi(w);
        axis.density[i] = problem->density(w);
    }
    FifthContinuePhi(&axis);
    FifthStepAxis(&axis, ratio);
    for (ptrdiff_t i = 0; i < cells; i++) {
        const double w = FifthWeight(&axis, i);
        const double slope = (problem->density(w) - axis.density[i]) / (ratio * axis.width);
        error += axis.width * fabs(slope - FluxSlope(problem, w));
    }
    FifthAxisDestroy(&axis);
    return error;
}

/** The last two orders on 80, 160 and 320 cells. */
static void AssertOrder(const Problem *problem, double lowest)
{
    const double middle = TruncationError(problem, 160);
    const double fine = TruncationError(problem, 320);
    UNIT_ASSERT_BETWEEN(log2(TruncationError(problem, 80) / middle), lowest, 7.0);
    UNIT_ASSERT_BETWEEN(log2(middle / fine), lowest, 7.0);
    UNIT_ASSERT_AT_MOST(fine, 1e-5);
}

static void TestFifthOrderOfABump(void **state)
{
    (void)state;
    const Problem problem = {Bump, ConstantPhi};
    AssertOrder(&problem, 4.7);
}

static void TestFifthOrderWherePhiAndWChangeSign(void **state)
{
    (void)state;
    const Problem problem = {Bump, ChangingPhi};
    AssertOrder(&problem, 4.7);
}

static void TestFifthOrderAtTheEnds(void **state)
{
    (void)state;
    const Problem problem = {Everywhere, ClosingPhi};
    AssertOrder(&problem, 4.5);
}

/** The integral of a density that does not vanish at the ends. */
static void TestQuadrature(void **state)
{
    (void)state;
    double error[2];
    for (int k = 0; k < 2; k++) {
        FifthAxis axis = FifthAxisCreate(k ? 80 : 40, -1.0, 1.0);
        double sum = 0.0;
        for (ptrdiff_t i = 0; i < axis.cells; i++) {
            sum += axis.quadrature[i + 1] * exp(FifthWeight(&axis, i));
        }
        error[k] = fabs(axis.width * sum - 2.0 * sinh(1.0));
        FifthAxisDestroy(&axis);
    }
    UNIT_ASSERT_AT_MOST(error[1], 3e-8);
    UNIT_ASSERT_BETWEEN(log2(error[0] / error[1]), 4.4, 5.5);
}

/** One step of the scheme in time of third order, extrapolated from 1, 2 and 3 sub-steps. */
static void ExtrapolatedStep(FifthAxis *axis, double ratio)
{
    static const double factors[3] = {0.5, -4.0, 4.5};
    const size_t bytes = (size_t)(FIFTH_ROWS * axis->cells) * sizeof(double);
    double *old = UnitAllocate(FIFTH_ROWS * axis->cells);
    double *sum = UnitAllocate(FIFTH_ROWS * axis->cells);
    memcpy(old, axis->density, bytes);
    for (int count = 1; count <= 3; count++) {
        memcpy(axis->density, old, bytes);
        for (int k = 0; k < count; k++) {
            FifthStepAxis(axis, ratio / count);
        }
        for (ptrdiff_t i = 0; i < FIFTH_ROWS * axis->cells; i++) {
            sum[i] += factors[count - 1] * axis->density[i];
        }
    }
    memcpy(axis->density, sum, bytes);
    free(old);
    free(sum);
}

/**
 * A box moves twenty cells in the longest sub-steps that learning takes, whose disturbances are
 * twice as fast as Phi: it keeps its height, and no neuron appears before or behind it.
 */
static void TestFrontsDoNotOvershoot(void **state)
{
    (void)state;
    FifthAxis axis = FifthAxisCreate(200, 0.0, 1e-9);
    for (ptrdiff_t i = 0; i < axis.cells; i++) {
        axis.phi[i + FIFTH_GHOSTS] = 1.0;
        axis.density[i] = i >= 60 && i < 120 ? 1.0 : 0.0;
    }
    FifthContinuePhi(&axis);
    const int steps = (int)ceil(20.0 / (0.25 * ENGRAM_TRANSPORT_LARGEST_COURANT));
    for (int step = 0; step < steps; step++) {
        ExtrapolatedStep(&axis, 20.0 / steps);
    }
    double front = 0.0;
    for (ptrdiff_t i = 0; i < axis.cells; i++) {
        UNIT_ASSERT_BETWEEN(axis.density[i], -1e-12, 1.001);
        front += fabs(axis.density[i] - (i >= 80 && i < 140 ? 1.0 : 0.0));
    }
    /* In cells: both fronts together. */
    UNIT_ASSERT_AT_MOST(front, 3.5);
    FifthAxisDestroy(&axis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestFifthOrderOfABump),
        cmocka_unit_test(TestFifthOrderWherePhiAndWChangeSign),
        cmocka_unit_test(TestFifthOrderAtTheEnds),
        cmocka_unit_test(TestQuadrature),
        cmocka_unit_test(TestFrontsDoNotOvershoot),
    };
    EngramDenormalsFlush();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
