/**
 * Transport in w: the fractions of a step, its conservation and positivity, the flux it stands for,
 * equal bits for any split over ranks, and the order of convergence.
 */
#include "unit_support.h"

#include <float.h>

#include "engram/kernels/transport.h"

enum { ROWS = 5 };

/** One w axis without ranks: cells 1 .. cells, and a ghost at either end. */
typedef struct TransportAxis {
    ptrdiff_t cells;
    double width;         /* dw */
    double *phi;          /* [cells + 2] */
    double *left_face_w;  /* [cells + 3], NaN at and beyond the ends */
    double *density;      /* [ROWS * cells] */
    double largest_speed; /* max|Phi| + max|w| */
} TransportAxis;

/** Axis from `low` to `high` with neither Phi nor density. */
static TransportAxis AxisCreate(ptrdiff_t cells, double low, double high)
{
    TransportAxis axis = {.cells = cells, .width = (high - low) / (double)cells};
    axis.phi = UnitAllocate(cells + 2);
    axis.left_face_w = UnitAllocate(cells + 3);
    axis.density = UnitAllocate(ROWS * cells);
    for (ptrdiff_t i = 0; i < cells + 3; i++) {
        const int is_inside = i > 1 && i < cells + 1;
        axis.left_face_w[i] = is_inside ? low + (double)(i - 1) * axis.width : NAN;
    }
    axis.largest_speed = fmax(fabs(low), fabs(high));
    return axis;
}

static void AxisDestroy(TransportAxis *axis)
{
    free(axis->phi);
    free(axis->left_face_w);
    free(axis->density);
}

/** Phi of both signs and a rough density; the ghosts beyond the ends have a Phi, too. */
static TransportAxis RandomAxis(ptrdiff_t cells, uint64_t seed)
{
    UnitRandom random = {seed};
    TransportAxis axis = AxisCreate(cells, -1.0 - UnitRandomBetween(&random, 0.0, 1.0), 1.3);
    double largest_phi = 0.0;
    for (ptrdiff_t i = 0; i < cells + 2; i++) {
        axis.phi[i] = UnitRandomBetween(&random, -2.0, 3.0) * UnitRandomBelow(&random, 3);
        largest_phi = fmax(largest_phi, fabs(axis.phi[i]));
    }
    for (ptrdiff_t i = 0; i < ROWS * cells; i++) {
        axis.density[i] = ldexp(UnitRandomBetween(&random, 0.0, 1.0), -UnitRandomBelow(&random, 9));
    }
    axis.largest_speed += largest_phi;
    return axis;
}

static EngramTransportFractions FractionsCreate(ptrdiff_t cells)
{
    const EngramTransportFractions fractions = {UnitAllocate(cells + 2), UnitAllocate(cells + 2),
                                                UnitAllocate(cells + 2)};
    return fractions;
}

static void FractionsDestroy(EngramTransportFractions *fractions)
{
    free(fractions->to_left);
    free(fractions->stays);
    free(fractions->to_right);
}

/** dt/dw with the CFL condition as an equality. */
static double LargestRatio(const TransportAxis *axis)
{
    return 1.0 / axis->largest_speed;
}

/** One step of the whole axis as one rank. */
static void StepAxis(TransportAxis *axis, double ratio)
{
    const double ghosts[ROWS] = {0.0};
    EngramTransportFractions fractions = FractionsCreate(axis->cells);
    EngramTransportFractionsCompute(axis->cells, ratio, axis->phi, axis->left_face_w, &fractions);
    EngramTransportApply(ROWS, axis->cells, axis->cells, &fractions, ghosts, ghosts, axis->density,
                         axis->density);
    FractionsDestroy(&fractions);
}

static const ptrdiff_t COUNTS[] = {1, 2, 3, 7, 63, 64, 65, 128, 129, 200};
enum { COUNT_COUNT = sizeof(COUNTS) / sizeof(COUNTS[0]) };

/** Non-negative, of sum 1 without any rounding, and none through the ends of the axis. */
static void ExpectFractions(const EngramTransportFractions *fractions, ptrdiff_t cells)
{
    for (ptrdiff_t i = 0; i < cells + 2; i++) {
        const double to_left = fractions->to_left[i];
        const double stays = fractions->stays[i];
        const double to_right = fractions->to_right[i];
        const long double sum = (long double)to_left + (long double)stays + (long double)to_right;
        assert_true(to_left >= 0.0 && stays >= 0.0 && to_right >= 0.0);
        assert_true(sum == 1.0L);
        UNIT_ASSERT_SAME_BITS(to_left + to_right + stays, 1.0);
        UNIT_ASSERT_SAME_BITS(to_right + stays + to_left, 1.0);
    }
    UNIT_ASSERT_SAME_BITS(fractions->to_left[1], 0.0);
    UNIT_ASSERT_SAME_BITS(fractions->to_right[cells], 0.0);
    UNIT_ASSERT_SAME_BITS(fractions->to_right[0], 0.0);
    UNIT_ASSERT_SAME_BITS(fractions->to_left[cells + 1], 0.0);
}

static void TestFractions(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        TransportAxis axis = RandomAxis(COUNTS[seed % COUNT_COUNT], seed);
        EngramTransportFractions fractions = FractionsCreate(axis.cells);
        const double share = seed % 2 ? 1.0 : 0.37;
        EngramTransportFractionsCompute(axis.cells, share * LargestRatio(&axis), axis.phi,
                                        axis.left_face_w, &fractions);
        ExpectFractions(&fractions, axis.cells);
        FractionsDestroy(&fractions);
        AxisDestroy(&axis);
    }
}

/** A cell that gives away all it has, to either side alone and to both, at a CFL number of 1. */
static void TestFractionsAtTheLimit(void **state)
{
    (void)state;
    UnitRandom random = {1};
    EngramTransportFractions fractions = FractionsCreate(1);
    for (int trial = 0; trial < 100000; trial++) {
        const double speed = UnitRandomBetween(&random, 1e-3, 10.0);
        const double share = trial % 3 == 2 ? UnitRandomBetween(&random, 0.0, 1.0) : trial % 3;
        const double phi[3] = {0.0, -share * speed, 0.0};
        const double rest = speed - share * speed;
        const double faces[4] = {NAN, 0.0, -rest, NAN};
        EngramTransportFractionsCompute(1, 1.0 / speed, phi, faces, &fractions);
        assert_true(fractions.stays[1] >= 0.0 && fractions.stays[1] <= 4.0 * DBL_EPSILON);
        assert_true(fractions.to_left[1] >= 0.0 && fractions.to_right[1] >= 0.0);
        UNIT_ASSERT_SAME_BITS(fractions.to_left[1] + fractions.to_right[1] + fractions.stays[1],
                              1.0);
    }
    FractionsDestroy(&fractions);
}

static long double MassOfRow(const TransportAxis *axis, int row)
{
    long double sum = 0.0L;
    for (ptrdiff_t i = 0; i < axis->cells; i++) {
        sum += (long double)axis->density[row * axis->cells + i];
    }
    return sum;
}

static void TestMassAndPositivityAtTheLimit(void **state)
{
    (void)state;
    for (int count = 0; count < COUNT_COUNT; count++) {
        TransportAxis axis = RandomAxis(COUNTS[count], (uint64_t)count);
        long double before[ROWS];
        for (int row = 0; row < ROWS; row++) {
            before[row] = MassOfRow(&axis, row);
        }
        for (int step = 0; step < 100; step++) {
            StepAxis(&axis, LargestRatio(&axis));
            for (ptrdiff_t i = 0; i < ROWS * axis.cells; i++) {
                assert_true(axis.density[i] >= 0.0);
            }
        }
        for (int row = 0; row < ROWS; row++) {
            UNIT_ASSERT_AT_MOST(fabsl(MassOfRow(&axis, row) / before[row] - 1.0L), 3e-15);
        }
        AxisDestroy(&axis);
    }
}

static long double PositivePart(double x)
{
    return x > 0.0 ? (long double)x : 0.0L;
}

/** The split flux through the face right of cell i of a row, i = 0 .. cells. */
static long double SplitFlux(const TransportAxis *axis, const double *row, ptrdiff_t i)
{
    if (i == 0 || i == axis->cells) {
        return 0.0L;
    }
    const long double left = (long double)row[i - 1];
    const long double right = (long double)row[i];
    const double face_w = axis->left_face_w[i + 1];
    return PositivePart(axis->phi[i]) * left - PositivePart(-axis->phi[i + 1]) * right -
           PositivePart(face_w) * right + PositivePart(-face_w) * left;
}

static void TestAgainstTheFlux(void **state)
{
    (void)state;
    for (int count = 0; count < COUNT_COUNT; count++) {
        TransportAxis axis = RandomAxis(COUNTS[count], 100 + (uint64_t)count);
        const ptrdiff_t cells = axis.cells;
        const double ratio = 0.8 * LargestRatio(&axis);
        double *old = UnitAllocate(ROWS * cells);
        memcpy(old, axis.density, (size_t)(ROWS * cells) * sizeof(*old));
        StepAxis(&axis, ratio);
        for (ptrdiff_t place = 0; place < ROWS * cells; place++) {
            const double *row = old + place / cells * cells;
            const ptrdiff_t i = place % cells;
            const long double change = SplitFlux(&axis, row, i + 1) - SplitFlux(&axis, row, i);
            const long double expected = (long double)row[i] - (long double)ratio * change;
            UNIT_ASSERT_AT_MOST(fabsl((long double)axis.density[place] - expected), 1e-15);
        }
        free(old);
        AxisDestroy(&axis);
    }
}

/** The part of the axis that one rank has, with its ghosts, stepped into `result`. */
static void StepRank(const TransportAxis *axis, double ratio, ptrdiff_t first, ptrdiff_t count,
                     double *result)
{
    const ptrdiff_t cells = axis->cells;
    const ptrdiff_t stride = count + 3;
    double *part = UnitAllocate(ROWS * stride);
    double left[ROWS];
    double right[ROWS];
    EngramTransportFractions fractions = FractionsCreate(count);
    for (int row = 0; row < ROWS; row++) {
        const double *whole = axis->density + row * cells;
        left[row] = first > 0 ? whole[first - 1] : 0.0;
        right[row] = first + count < cells ? whole[first + count] : 0.0;
        memcpy(part + row * stride, whole + first, (size_t)count * sizeof(*part));
    }
    EngramTransportFractionsCompute(count, ratio, axis->phi + first, axis->left_face_w + first,
                                    &fractions);
    EngramTransportApply(ROWS, count, stride, &fractions, left, right, part, part);
    for (int row = 0; row < ROWS; row++) {
        memcpy(result + row * cells + first, part + row * stride, (size_t)count * sizeof(*part));
        /* What follows a row in memory is not the rank's to change. */
        UNIT_ASSERT_SAME_BITS(part[row * stride + count], 0.0);
    }
    FractionsDestroy(&fractions);
    free(part);
}

/** One step split over ranks of at most `longest` cells has the bits of the undivided one. */
static void ExpectSameSplit(ptrdiff_t cells, ptrdiff_t longest, UnitRandom *random)
{
    TransportAxis axis = RandomAxis(cells, UnitRandomBits(random));
    const double ratio = LargestRatio(&axis);
    double *result = UnitAllocate(ROWS * cells);
    for (ptrdiff_t first = 0; first < cells;) {
        const ptrdiff_t wanted = 1 + UnitRandomBelow(random, (int)longest);
        const ptrdiff_t count = wanted < cells - first ? wanted : cells - first;
        StepRank(&axis, ratio, first, count, result);
        first += count;
    }
    StepAxis(&axis, ratio);
    assert_memory_equal(result, axis.density, (size_t)(ROWS * cells) * sizeof(*result));
    free(result);
    AxisDestroy(&axis);
}

static void TestAnySplitHasTheSameBits(void **state)
{
    (void)state;
    const ptrdiff_t longest[5] = {1, 2, 17, 70, 200};
    UnitRandom random = {21};
    for (int trial = 0; trial < 40 * COUNT_COUNT; trial++) {
        ExpectSameSplit(COUNTS[trial % COUNT_COUNT], longest[trial / COUNT_COUNT % 5], &random);
    }
}

/** Where Phi = c, the solution of dp/dt + d/dw[(c - w) p] = 0: a Gaussian on shrinking lines. */
static double ExactDensity(double w, double t, double c)
{
    const double start = c + (w - c) * exp(t);
    const double distance = (start - 0.5) / 0.25;
    return exp(t - 0.5 * distance * distance);
}

/** Error at t = 0.5 in the norm of L1. */
static double AdvectionError(ptrdiff_t cells, double c)
{
    TransportAxis axis = AxisCreate(cells, -2.0, 2.0);
    const double end = 0.5;
    const ptrdiff_t steps = cells * 2;
    for (ptrdiff_t i = 0; i < cells + 2; i++) {
        axis.phi[i] = c;
    }
    for (ptrdiff_t i = 0; i < ROWS * cells; i++) {
        axis.density[i] = ExactDensity(-2.0 + ((double)(i % cells) + 0.5) * axis.width, 0.0, c);
    }
    for (ptrdiff_t step = 0; step < steps; step++) {
        StepAxis(&axis, end / (double)steps / axis.width);
    }
    double error = 0.0;
    for (ptrdiff_t i = 0; i < cells; i++) {
        const double w = -2.0 + ((double)i + 0.5) * axis.width;
        error += axis.width * fabs(axis.density[i] - ExactDensity(w, end, c));
    }
    AxisDestroy(&axis);
    return error;
}

static void TestFirstOrder(void **state)
{
    (void)state;
    const double phis[3] = {0.0, 0.4, -0.3};
    for (int i = 0; i < 3; i++) {
        const double coarse = AdvectionError(400, phis[i]);
        const double middle = AdvectionError(800, phis[i]);
        const double fine = AdvectionError(1600, phis[i]);
        UNIT_ASSERT_BETWEEN(log2(coarse / middle), 0.95, 1.05);
        UNIT_ASSERT_BETWEEN(log2(middle / fine), 0.95, 1.05);
        UNIT_ASSERT_AT_MOST(fine, 1.2e-2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestFractions),
        cmocka_unit_test(TestFractionsAtTheLimit),
        cmocka_unit_test(TestMassAndPositivityAtTheLimit),
        cmocka_unit_test(TestAgainstTheFlux),
        cmocka_unit_test(TestAnySplitHasTheSameBits),
        cmocka_unit_test(TestFirstOrder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
