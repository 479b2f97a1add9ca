/**
 * Implicit transport in w: the fractions of the elimination, the solution, its mass and positivity
 * at any length of step, and the correction to second order; equal bits for any number of rows.
 */
#include "unit_support.h"

#include "engram/kernels/transport.h"
#include "engram/kernels/transport_implicit.h"
#include "engram/kernels/transport_limited.h"

enum { DENSE = 24, SHORT = 64 }; /* cells of an axis that is compared with another solution */

/** A whole w axis and some rows of content, transposed. */
typedef struct ImplicitAxis {
    ptrdiff_t cells;
    ptrdiff_t rows;
    ptrdiff_t stride;
    double width;    /* dw */
    double *phi;     /* [cells] */
    double *face_w;  /* [cells + 1], NaN at the ends */
    double *content; /* [cells * stride] */
} ImplicitAxis;

/** Axis from `low` to `high` with neither Phi nor content. */
static ImplicitAxis AxisCreate(ptrdiff_t cells, ptrdiff_t rows, double low, double high)
{
    ImplicitAxis axis = {.cells = cells, .rows = rows, .width = (high - low) / (double)cells};
    axis.stride = rows > 1 ? rows + 3 : 1;
    axis.phi = UnitAllocate(cells);
    axis.face_w = UnitAllocate(cells + 1);
    axis.content = UnitAllocate(cells * axis.stride);
    for (ptrdiff_t i = 0; i < cells + 1; i++) {
        axis.face_w[i] = i > 0 && i < cells ? low + (double)i * axis.width : NAN;
    }
    return axis;
}

static void AxisDestroy(ImplicitAxis *axis)
{
    free(axis->phi);
    free(axis->face_w);
    free(axis->content);
}

/* Contents between 1 and 2, or of many sizes: zeros, spikes, and numbers next to nothing. */
enum { TAME, ROUGH };

/** Phi and w of one sign or of both, at times a closed face, and random contents. */
static ImplicitAxis RandomAxis(ptrdiff_t cells, ptrdiff_t rows, int roughness, uint64_t seed)
{
    UnitRandom random = {seed};
    const double lows[3] = {-1.3, 0.0, -2.5};
    const double highs[3] = {1.1, 2.0, 0.0};
    const double sizes[6] = {0.0, 0x1p-1071, 1e-12, 1.0, 1.0, 1e9};
    const int signs = UnitRandomBelow(&random, 3);
    const double lowest_phi = UnitRandomBelow(&random, 2) ? 0.0 : -2.0;
    const double highest_phi = UnitRandomBelow(&random, 2) ? 0.0 : 3.0;
    ImplicitAxis axis = AxisCreate(cells, rows, lows[signs], highs[signs]);
    axis.face_w[cells / 2] = UnitRandomBelow(&random, 3) ? axis.face_w[cells / 2] : NAN;
    for (ptrdiff_t i = 0; i < cells; i++) {
        axis.phi[i] = UnitRandomBetween(&random, lowest_phi, highest_phi);
        axis.phi[i] *= UnitRandomBelow(&random, 3);
        for (ptrdiff_t k = 0; k < rows; k++) {
            const double size = roughness == TAME ? 1.0 : sizes[UnitRandomBelow(&random, 6)];
            axis.content[i * axis.stride + k] = size * UnitRandomBetween(&random, 1.0, 2.0);
        }
    }
    return axis;
}

static double *CopyOfContent(const ImplicitAxis *axis)
{
    double *copy = UnitAllocate(axis->cells * axis->stride);
    memcpy(copy, axis->content, (size_t)(axis->cells * axis->stride) * sizeof(*copy));
    return copy;
}

/** The fractions of a step; the first array is to be freed. */
static EngramTransportFactors Factorise(const ImplicitAxis *axis, double ratio)
{
    const ptrdiff_t n = axis->cells;
    double *memory = UnitAllocate(4 * n);
    const EngramTransportFactors factors = {memory, memory + n, memory + 2 * n, memory + 3 * n};
    EngramTransportFactorise(n, ratio, axis->phi, axis->face_w, &factors);
    return factors;
}

static void Solve(ImplicitAxis *axis, double ratio)
{
    const EngramTransportFactors factors = Factorise(axis, ratio);
    EngramTransportSolve(axis->cells, axis->rows, axis->stride, &factors, axis->content);
    free(factors.to_right);
}

static void Sharpen(ImplicitAxis *axis, double ratio)
{
    EngramTransportSharpen(axis->cells, axis->rows, axis->stride, ratio, axis->phi, axis->face_w,
                           axis->content);
}

/** One of 10^-12 .. 10^12. */
static double AnyRatio(uint64_t seed)
{
    return pow(10.0, (double)(seed % 25) - 12.0);
}

enum { SHORT_COUNT = 6, COUNT_COUNT = 8 };
static const ptrdiff_t COUNTS[COUNT_COUNT] = {1, 2, 3, 4, 17, SHORT, 200, 1024};

/** Pairs are 1 together up to half a unit of the larger one. */
static void TestFractions(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const ptrdiff_t cells = COUNTS[seed % COUNT_COUNT];
        ImplicitAxis axis = RandomAxis(cells, 1, TAME, seed);
        const EngramTransportFactors factors = Factorise(&axis, AnyRatio(seed));
        for (ptrdiff_t i = 0; i < cells; i++) {
            const long double right = (long double)factors.to_right[i] - 1.0L;
            const long double left = (long double)factors.to_left[i] - 1.0L;
            UNIT_ASSERT_AT_MOST(fabsl(right + (long double)factors.turns[i]), 0x1p-54L);
            UNIT_ASSERT_AT_MOST(fabsl(left + (long double)factors.settles[i]), 0x1p-54L);
        }
        assert_true(factors.to_left[0] == 0.0 && factors.to_right[cells - 1] == 0.0);
        free(factors.to_right);
        AxisDestroy(&axis);
    }
}

static long double PositivePart(double x)
{
    return x > 0.0 ? (long double)x : 0.0L;
}

/** What a cell of content 1 loses to its right (side 1) or to its left (side -1) in a step. */
static long double Rate(const ImplicitAxis *axis, double ratio, ptrdiff_t i, int side)
{
    const double w = axis->face_w[side > 0 ? i + 1 : i];
    const long double speed = PositivePart(side * axis->phi[i]) + PositivePart(-side * w);
    return isnan(w) ? 0.0L : (long double)ratio * speed;
}

/** Elimination of a dense matrix, to a diagonal one; its columns are dominant: no pivoting. */
static void SolveDense(ptrdiff_t n, long double matrix[DENSE][DENSE], long double *x)
{
    for (ptrdiff_t k = 0; k < n; k++) {
        x[k] /= matrix[k][k];
        for (ptrdiff_t j = n - 1; j >= k; j--) {
            matrix[k][j] /= matrix[k][k];
        }
        for (ptrdiff_t i = 0; i < n; i++) {
            const long double factor = i == k ? 0.0L : matrix[i][k];
            for (ptrdiff_t j = k; j < n; j++) {
                matrix[i][j] -= factor * matrix[k][j];
            }
            x[i] -= factor * x[k];
        }
    }
}

static void TestAgainstDenseElimination(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 600; seed++) {
        const double ratio = AnyRatio(seed % 16); /* beyond 10^3 the dense one loses digits */
        const ptrdiff_t cells = 1 + (ptrdiff_t)(seed % DENSE);
        ImplicitAxis axis = RandomAxis(cells, 1, seed / DENSE % 2 ? TAME : ROUGH, seed);
        long double matrix[DENSE][DENSE] = {{0.0L}};
        long double x[DENSE];
        for (ptrdiff_t i = 0; i < cells; i++) {
            matrix[i][i] += 1.0L + Rate(&axis, ratio, i, 1) + Rate(&axis, ratio, i, -1);
            matrix[i + 1 < cells ? i + 1 : i][i] -= Rate(&axis, ratio, i, 1);
            matrix[i > 0 ? i - 1 : i][i] -= Rate(&axis, ratio, i, -1);
            x[i] = (long double)axis.content[i];
        }
        SolveDense(cells, matrix, x);
        Solve(&axis, ratio);
        for (ptrdiff_t i = 0; i < cells; i++) {
            UNIT_ASSERT_AT_MOST(fabsl((long double)axis.content[i] - x[i]),
                                1e-14L * x[i] + 1e-290L);
        }
        AxisDestroy(&axis);
    }
}

/** Every row of the matrix holds for the solution of the contents before. */
static void ExpectSmallResidual(const ImplicitAxis *axis, double ratio, const double *before)
{
    const ptrdiff_t n = axis->cells;
    for (ptrdiff_t place = 0; place < n * axis->rows; place++) {
        const ptrdiff_t i = place / axis->rows;
        const double *x = axis->content + i * axis->stride + place % axis->rows;
        const long double leaving = Rate(axis, ratio, i, 1) + Rate(axis, ratio, i, -1);
        long double sum = (long double)before[x - axis->content];
        sum += i > 0 ? Rate(axis, ratio, i - 1, 1) * (long double)x[-axis->stride] : 0.0L;
        sum += i + 1 < n ? Rate(axis, ratio, i + 1, -1) * (long double)x[axis->stride] : 0.0L;
        UNIT_ASSERT_AT_MOST(fabsl((1.0L + leaving) * (long double)*x - sum),
                            4e-15L * sum + 1e-290L);
    }
}

/** Non-negative, of the mass of `before`, and nothing written between the cells. */
static void ExpectMassAndPositivity(const ImplicitAxis *axis, const double *before,
                                    long double bound)
{
    for (ptrdiff_t row = 0; row < axis->stride; row++) {
        long double mass = 0.0L;
        long double error = 0.0L;
        for (ptrdiff_t i = row; i < axis->cells * axis->stride; i += axis->stride) {
            mass += (long double)before[i];
            error += (long double)axis->content[i] - (long double)before[i];
            assert_true(axis->content[i] >= 0.0);
        }
        UNIT_ASSERT_AT_MOST(fabsl(error), row < axis->rows ? bound * mass + 1e-310L : 0.0L);
    }
}

/** Most of them once, some many times with the same fractions, whose errors would add up. */
static void TestStepOfAnyLength(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 800; seed++) {
        const ptrdiff_t rows = 1 + (ptrdiff_t)(seed % 5);
        ImplicitAxis axis = RandomAxis(COUNTS[seed % COUNT_COUNT], rows, ROUGH, seed);
        double *before = CopyOfContent(&axis);
        Solve(&axis, AnyRatio(seed));
        ExpectSmallResidual(&axis, AnyRatio(seed), before);
        ExpectMassAndPositivity(&axis, before, 5e-15L);
        for (int step = 1; step < 100 && seed < 100; step++) {
            Solve(&axis, AnyRatio(seed));
            Sharpen(&axis, AnyRatio(seed));
        }
        ExpectMassAndPositivity(&axis, before, 5e-14L);
        free(before);
        AxisDestroy(&axis);
    }
}

/** A short axis by an explicit step of first or second order, with memory as that has it. */
static void StepExplicitly(const ImplicitAxis *axis, double ratio, int order, double *row)
{
    double phi[SHORT + 4];
    double faces[SHORT + 3] = {NAN};
    double memory[3][SHORT + 4];
    memcpy(phi + 2, axis->phi, SHORT * sizeof(*phi));
    memcpy(faces + 1, axis->face_w, (SHORT + 1) * sizeof(*faces));
    phi[0] = phi[3];
    phi[1] = phi[2];
    phi[SHORT + 2] = phi[SHORT + 1];
    phi[SHORT + 3] = phi[SHORT];
    if (order == 1) {
        const double nothing = 0.0;
        const EngramTransportFractions fractions = {memory[0], memory[1], memory[2]};
        EngramTransportFractionsCompute(SHORT, ratio, phi + 1, faces, &fractions);
        EngramTransportApply(1, SHORT, SHORT, &fractions, &nothing, &nothing, row, row);
    } else {
        const double left[2] = {row[1], row[0]};
        const double right[2] = {row[SHORT - 1], row[SHORT - 2]};
        const EngramTransportCourant courant = {memory[0], memory[1], memory[2]};
        EngramTransportCourantCompute(SHORT, ratio, phi, faces, &courant);
        EngramTransportLimitedApply(1, SHORT, SHORT, &courant, left, right, row, row);
    }
}

/** Largest difference of the implicit step from the explicit one of the same order in w. */
static double DifferenceFromExplicit(double ratio, int order, uint64_t seed)
{
    ImplicitAxis axis = RandomAxis(SHORT, 1, TAME, seed);
    double *row = CopyOfContent(&axis);
    Solve(&axis, ratio);
    if (order == 2) {
        Sharpen(&axis, ratio);
    }
    StepExplicitly(&axis, ratio, order, row);
    double worst = 0.0;
    for (ptrdiff_t i = 0; i < SHORT; i++) {
        worst = UnitWorse(worst, fabs(row[i] - axis.content[i]));
    }
    free(row);
    AxisDestroy(&axis);
    return worst;
}

/** Both orders in w, the second one with Sharpen: the steps differ by O(dt^2). */
static void TestAgreesWithExplicitSteps(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const double coarse = DifferenceFromExplicit(0x1p-14, 1 + (int)(seed % 2), seed);
        const double fine = DifferenceFromExplicit(0x1p-15, 1 + (int)(seed % 2), seed);
        UNIT_ASSERT_AT_MOST(coarse, 1e-6);
        UNIT_ASSERT_BETWEEN(log2(coarse / fine), 1.9, 2.1);
    }
}

/** Half of minmod(2 left, 2 right, (left + right)/2). */
static long double HalfSlope(long double before, long double here, long double after)
{
    const long double left = here - before;
    const long double right = after - here;
    const long double steepest = fminl(fabsl(left), fabsl(right));
    return left * right > 0.0L ? copysignl(fminl(steepest, 0.25L * fabsl(left + right)), left)
                               : 0.0L;
}

/** Adds to the fluxes through the faces of cell i what its slopes add to those of first order. */
static void AddSlopes(const ImplicitAxis *axis, const long double *x, ptrdiff_t i,
                      long double *flux)
{
    const double *phi = axis->phi + i;
    const long double decay = HalfSlope(x[i - 1], x[i], x[i + 1]);
    flux[i] += decay * PositivePart(axis->face_w[i]);
    flux[i] += HalfSlope(PositivePart(-phi[-1]) * x[i - 1], PositivePart(-phi[0]) * x[i],
                         PositivePart(-phi[1]) * x[i + 1]);
    flux[i + 1] += decay * PositivePart(-axis->face_w[i + 1]);
    flux[i + 1] += HalfSlope(PositivePart(phi[-1]) * x[i - 1], PositivePart(phi[0]) * x[i],
                             PositivePart(phi[1]) * x[i + 1]);
}

/** Sharpens the only row of a short axis, from the formula. */
static void SharpenPlainly(const ImplicitAxis *axis, double ratio, long double *result)
{
    const ptrdiff_t n = axis->cells;
    long double x[SHORT];
    long double flux[SHORT + 1] = {0.0L};
    for (ptrdiff_t i = 0; i < n; i++) {
        x[i] = (long double)axis->content[i];
        result[i] = x[i];
    }
    for (ptrdiff_t i = 1; i + 1 < n; i++) {
        AddSlopes(axis, x, i, flux);
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        const double open_right = isnan(axis->face_w[i + 1]) ? 0.0 : ratio;
        const double open_left = isnan(axis->face_w[i]) ? 0.0 : ratio;
        const long double to_right = (long double)open_right * fmaxl(flux[i + 1], 0.0L);
        const long double to_left = (long double)open_left * fmaxl(-flux[i], 0.0L);
        const long double leaving = to_right + to_left;
        const long double share = leaving > 0.9L * x[i] ? 0.9L * x[i] / leaving : 1.0L;
        result[i] -= share * leaving;
        result[i > 0 ? i - 1 : i] += share * to_left;
        result[i + 1 < n ? i + 1 : i] += share * to_right;
    }
}

static void TestSharpenAgainstTheFlux(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 600; seed++) {
        const double ratio = AnyRatio(seed % 17);
        ImplicitAxis axis = RandomAxis(COUNTS[seed % SHORT_COUNT], 1, TAME, seed);
        long double expected[SHORT];
        SharpenPlainly(&axis, ratio, expected);
        Sharpen(&axis, ratio);
        for (ptrdiff_t i = 0; i < axis.cells; i++) {
            /* A flux is the difference of slopes, which may cancel. */
            UNIT_ASSERT_AT_MOST(fabsl((long double)axis.content[i] - expected[i]),
                                2e-15 * (1.0 + ratio));
        }
        AxisDestroy(&axis);
    }
}

static void TestSharpenMassAndPositivity(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        ImplicitAxis axis = RandomAxis(COUNTS[seed % COUNT_COUNT], 3, ROUGH, seed);
        double *before = CopyOfContent(&axis);
        Sharpen(&axis, AnyRatio(seed));
        ExpectMassAndPositivity(&axis, before, 1e-15L);
        free(before);
        AxisDestroy(&axis);
    }
}

/** Rate in L1 at which a bump changes where Phi = w, so that nothing should move. */
static double RateOfChange(ptrdiff_t cells, double low)
{
    enum { PLACES = 16 }; /* of the top relative to the cells: a limited cell counts by its place */
    const double step = 0.005;
    ImplicitAxis axis = AxisCreate(cells, PLACES, low, low + 2.0);
    for (ptrdiff_t place = 0; place < cells * PLACES; place++) {
        const ptrdiff_t i = place / PLACES;
        const double top = low + 1.0 + axis.width * (double)(place % PLACES) / PLACES;
        axis.phi[i] = low + ((double)i + 0.5) * axis.width;
        axis.content[i * axis.stride + place % PLACES] = exp(-20.0 * pow(axis.phi[i] - top, 2.0));
    }
    double *before = CopyOfContent(&axis);
    Solve(&axis, step / axis.width);
    Sharpen(&axis, step / axis.width);
    double change = 0.0;
    for (ptrdiff_t i = 0; i < cells * axis.stride; i++) {
        change += axis.width * fabs(axis.content[i] - before[i]) / step / PLACES;
    }
    free(before);
    AxisDestroy(&axis);
    return change;
}

static void TestSteadyStateOrder(void **state)
{
    (void)state;
    const double lows[2] = {0.2, -2.2};
    for (int i = 0; i < 2; i++) {
        const double middle = RateOfChange(800, lows[i]);
        UNIT_ASSERT_BETWEEN(log2(RateOfChange(400, lows[i]) / middle), 1.9, 2.1);
        UNIT_ASSERT_BETWEEN(log2(middle / RateOfChange(1600, lows[i])), 1.9, 2.1);
        UNIT_ASSERT_AT_MOST(middle, 1e-3);
    }
}

/** Each row alone has the bits it has among all of them. */
static void TestAnyNumberOfRowsHasTheSameBits(void **state)
{
    (void)state;
    for (ptrdiff_t rows = 1; rows <= 300; rows += rows < 70 ? 1 : 5) {
        const double ratio = AnyRatio(8 + (uint64_t)rows % 9);
        ImplicitAxis axis = RandomAxis(9, rows, ROUGH, (uint64_t)rows);
        double *alone = CopyOfContent(&axis);
        const EngramTransportFactors factors = Factorise(&axis, ratio);
        for (ptrdiff_t row = 0; row < rows; row++) {
            EngramTransportSolve(9, 1, axis.stride, &factors, alone + row);
            EngramTransportSharpen(9, 1, axis.stride, ratio, axis.phi, axis.face_w, alone + row);
        }
        axis.face_w[0] = 1.0; /* the ends are closed whatever they hold */
        axis.face_w[9] = -1.0;
        Solve(&axis, ratio);
        Sharpen(&axis, ratio);
        assert_memory_equal(alone, axis.content, (size_t)(9 * axis.stride) * sizeof(*alone));
        free(factors.to_right);
        free(alone);
        AxisDestroy(&axis);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestFractions),
        cmocka_unit_test(TestAgainstDenseElimination),
        cmocka_unit_test(TestStepOfAnyLength),
        cmocka_unit_test(TestAgreesWithExplicitSteps),
        cmocka_unit_test(TestSharpenAgainstTheFlux),
        cmocka_unit_test(TestSharpenMassAndPositivity),
        cmocka_unit_test(TestSteadyStateOrder),
        cmocka_unit_test(TestAnyNumberOfRowsHasTheSameBits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
