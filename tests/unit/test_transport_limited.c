/**
 * Explicit transport in w of second order: its flux, conservation and positivity, states it keeps
 * or moves exactly, equal bits for any split over ranks, and the order of its truncation error.
 */
#include "unit_support.h"

#include "engram/kernels/denormals.h"
#include "engram/kernels/transport_limited.h"

enum { ROWS = 5 };

/** One w axis without ranks, with two ghosts at either end. */
typedef struct LimitedAxis {
    ptrdiff_t cells;
    double width;        /* dw */
    double *phi;         /* [cells + 4] */
    double *left_face_w; /* [cells + 3], NaN at and beyond the ends */
    double *density;     /* [ROWS * cells] */
} LimitedAxis;

/** Axis from `low` to `high` with neither Phi nor density. */
static LimitedAxis AxisCreate(ptrdiff_t cells, double low, double high)
{
    LimitedAxis axis = {.cells = cells, .width = (high - low) / (double)cells};
    axis.phi = UnitAllocate(cells + 4);
    axis.left_face_w = UnitAllocate(cells + 3);
    axis.density = UnitAllocate(ROWS * cells);
    for (ptrdiff_t i = 0; i < cells + 3; i++) {
        const int is_inside = i > 1 && i < cells + 1;
        axis.left_face_w[i] = is_inside ? low + (double)(i - 1) * axis.width : NAN;
    }
    return axis;
}

static void AxisDestroy(LimitedAxis *axis)
{
    free(axis->phi);
    free(axis->left_face_w);
    free(axis->density);
}

/** The cell itself, or the one it mirrors beyond an end of the axis. */
static ptrdiff_t Mirrored(ptrdiff_t cells, ptrdiff_t i)
{
    const ptrdiff_t inside = i < 0 ? -1 - i : i;
    const ptrdiff_t mirrored = inside < cells ? inside : 2 * cells - 1 - inside;
    return mirrored < 0 ? 0 : mirrored;
}

/** Fills the ghosts of Phi. */
static void MirrorPhi(LimitedAxis *axis)
{
    for (ptrdiff_t i = 0; i < 2; i++) {
        const ptrdiff_t right = axis->cells + i;
        axis->phi[i] = axis->phi[2 + Mirrored(axis->cells, i - 2)];
        axis->phi[2 + right] = axis->phi[2 + Mirrored(axis->cells, right)];
    }
}

/** Phi and w of one sign or of both, and a rough density. */
static LimitedAxis RandomAxis(ptrdiff_t cells, uint64_t seed)
{
    UnitRandom random = {seed};
    const double lows[3] = {-1.3, 0.0, -2.5};
    const double highs[3] = {1.1, 2.0, 0.0};
    const int signs = UnitRandomBelow(&random, 3);
    const double lowest_phi = UnitRandomBelow(&random, 2) ? 0.0 : -2.0;
    const double highest_phi = UnitRandomBelow(&random, 2) ? 0.0 : 3.0;
    LimitedAxis axis = AxisCreate(cells, lows[signs], highs[signs]);
    for (ptrdiff_t i = 2; i < cells + 2; i++) {
        axis.phi[i] = UnitRandomBetween(&random, lowest_phi, highest_phi);
        axis.phi[i] *= UnitRandomBelow(&random, 3);
    }
    MirrorPhi(&axis);
    for (ptrdiff_t i = 0; i < ROWS * cells; i++) {
        axis.density[i] = UnitRoughValue(&random);
    }
    return axis;
}

static double PositivePart(double x)
{
    return x > 0.0 ? x : 0.0;
}

/** dt/dw with the condition of positivity as an equality in one cell. */
static double LargestRatio(const LimitedAxis *axis)
{
    double speed = 1e-3;
    for (ptrdiff_t i = 0; i < axis->cells; i++) {
        const double left = axis->left_face_w[i + 1];
        const double right = axis->left_face_w[i + 2];
        const double leaving = fabs(axis->phi[i + 2]) + PositivePart(left) + PositivePart(-right);
        speed = fmax(speed, leaving);
    }
    return 0.5 * ENGRAM_TRANSPORT_LARGEST_COURANT / speed;
}

/** Velocities to be filled in; the first array is to be freed. */
static EngramTransportCourant CourantCreate(ptrdiff_t cells)
{
    double *memory = UnitAllocate(3 * cells + 6);
    return (EngramTransportCourant){memory, memory + cells + 4, memory + 2 * cells + 5};
}

/** The part of the axis that one rank has, with its ghosts, stepped into `result`. */
static void StepRank(const LimitedAxis *axis, double ratio, ptrdiff_t first, ptrdiff_t count,
                     double *result)
{
    const ptrdiff_t cells = axis->cells;
    const ptrdiff_t stride = count + 3;
    double *part = UnitAllocate(ROWS * stride);
    double left[2 * ROWS];
    double right[2 * ROWS];
    EngramTransportCourant courant = CourantCreate(count);
    for (int row = 0; row < ROWS; row++) {
        const double *whole = axis->density + row * cells;
        for (ptrdiff_t i = 0; i < 2; i++) {
            left[2 * row + i] = whole[Mirrored(cells, first - 2 + i)];
            right[2 * row + i] = whole[Mirrored(cells, first + count + i)];
        }
        memcpy(part + row * stride, whole + first, (size_t)count * sizeof(*part));
    }
    EngramTransportCourantCompute(count, ratio, axis->phi + first, axis->left_face_w + first,
                                  &courant);
    EngramTransportLimitedApply(ROWS, count, stride, &courant, left, right, part, part);
    for (int row = 0; row < ROWS; row++) {
        memcpy(result + row * cells + first, part + row * stride, (size_t)count * sizeof(*part));
        /* What follows a row in memory is not the rank's to change. */
        UNIT_ASSERT_SAME_BITS(part[row * stride + count], 0.0);
    }
    free(courant.phi);
    free(part);
}

static void StepAxis(LimitedAxis *axis, double ratio)
{
    StepRank(axis, ratio, 0, axis->cells, axis->density);
}

static const ptrdiff_t COUNTS[] = {1, 2, 3, 4, 7, 64, 127, 128, 129, 200, 256, 258, 300};
enum { COUNT_COUNT = sizeof(COUNTS) / sizeof(COUNTS[0]) };

static void TestCourant(void **state)
{
    (void)state;
    const double phi[7] = {-1.0, 2.0, 3.0, -4.0, 5.0, 6.0, 7.0};
    const double faces[6] = {NAN, NAN, -0.5, 0.75, NAN, NAN};
    EngramTransportCourant courant = CourantCreate(3);
    EngramTransportCourantCompute(3, 0.25, phi, faces, &courant);
    for (int i = 0; i < 7; i++) {
        UNIT_ASSERT_SAME_BITS(courant.phi[i], 0.25 * phi[i]);
    }
    const double decay[4] = {0.0, -0.125, 0.1875, 0.0};
    const double open[4] = {0.0, 1.0, 1.0, 0.0};
    assert_memory_equal(courant.decay, decay, sizeof(decay));
    assert_memory_equal(courant.open, open, sizeof(open));
    free(courant.phi);
}

/** Ten steps; the density is rough enough to be limited nearly everywhere. */
static void TestMassAndPositivityAtTheLimit(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        LimitedAxis axis = RandomAxis(COUNTS[seed % COUNT_COUNT], seed);
        LimitedAxis start = RandomAxis(COUNTS[seed % COUNT_COUNT], seed);
        for (int step = 0; step < 10; step++) {
            StepAxis(&axis, LargestRatio(&axis));
        }
        for (ptrdiff_t row = 0; row < ROWS; row++) {
            long double mass = 0.0L;
            long double error = 0.0L;
            for (ptrdiff_t i = row * axis.cells; i < (row + 1) * axis.cells; i++) {
                mass += (long double)start.density[i];
                error += (long double)axis.density[i] - (long double)start.density[i];
                assert_true(axis.density[i] >= 0.0);
            }
            UNIT_ASSERT_AT_MOST(fabsl(error), 3e-15L * mass + 1e-303L);
        }
        AxisDestroy(&start);
        AxisDestroy(&axis);
    }
}

/** A slope that is as steep as the limiter lets it be, and all three ways out of one cell. */
static void TestPositivityOfOneCell(void **state)
{
    (void)state;
    UnitRandom random = {5};
    const double ghosts[2] = {0.0};
    EngramTransportCourant courant = CourantCreate(3);
    for (int trial = 0; trial < 100000; trial++) {
        const double share = UnitRandomBetween(&random, 0.0, 1.0);
        const double left = share * UnitRandomBetween(&random, 0.0, 1.0);
        const double phi[7] = {0.0, 0.0, 0.0, trial % 2 ? 1.0 - share : share - 1.0, 0.0, 0.0, 0.0};
        const double faces[6] = {NAN, NAN, left, left - share, NAN, NAN};
        double density[3] = {0.0, UnitRoughValue(&random), 0.0};
        density[trial / 2 % 2 ? 2 : 0] = 3.0 * density[1];
        EngramTransportCourantCompute(3, 0.5 * ENGRAM_TRANSPORT_LARGEST_COURANT, phi, faces,
                                      &courant);
        EngramTransportLimitedApply(1, 3, 3, &courant, ghosts, ghosts, density, density);
        assert_true(density[0] >= 0.0 && density[1] >= 0.0 && density[2] >= 0.0);
    }
    free(courant.phi);
}

/** minmod(2 left, 2 right, (left + right)/2) */
static long double LimitedSlope(long double before, long double here, long double after)
{
    const long double left = here - before;
    const long double right = after - here;
    const long double steepest = 2.0L * fminl(fabsl(left), fabsl(right));
    const long double slope = fminl(steepest, 0.5L * fabsl(left + right));
    return left * right > 0.0L ? copysignl(slope, left) : 0.0L;
}

/** Content per step through the face left of cell i in a row, from the formula. */
static long double LimitedFlux(const LimitedAxis *axis, const double *row, ptrdiff_t i)
{
    if (i == 0 || i == axis->cells) {
        return 0.0L;
    }
    long double density[4];
    long double right[4];
    long double left[4];
    for (ptrdiff_t k = 0; k < 4; k++) {
        const double phi = axis->phi[i + k];
        density[k] = (long double)row[Mirrored(axis->cells, i - 2 + k)];
        right[k] = (long double)PositivePart(phi) * density[k];
        left[k] = (long double)PositivePart(-phi) * density[k];
    }
    const long double w = (long double)axis->left_face_w[i + 1];
    long double flux = right[1] + 0.5L * LimitedSlope(right[0], right[1], right[2]) - left[2] +
                       0.5L * LimitedSlope(left[1], left[2], left[3]);
    if (w > 0.0L) {
        flux -= w * (density[2] - 0.5L * LimitedSlope(density[1], density[2], density[3]));
    } else {
        flux -= w * (density[1] + 0.5L * LimitedSlope(density[0], density[1], density[2]));
    }
    return flux;
}

static void TestAgainstTheFlux(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const ptrdiff_t cells = COUNTS[seed % COUNT_COUNT];
        LimitedAxis axis = RandomAxis(cells, 5000 + seed);
        const double ratio = LargestRatio(&axis);
        double *old = UnitAllocate(ROWS * cells);
        memcpy(old, axis.density, (size_t)(ROWS * cells) * sizeof(*old));
        StepAxis(&axis, ratio);
        for (ptrdiff_t place = 0; place < ROWS * cells; place++) {
            const double *row = old + place / cells * cells;
            const ptrdiff_t i = place % cells;
            const long double from_left = (long double)ratio * LimitedFlux(&axis, row, i);
            const long double to_right = (long double)ratio * LimitedFlux(&axis, row, i + 1);
            const long double expected = (long double)row[i] + from_left - to_right;
            /* A value on a face may be what is left of a difference of two cells. */
            const double size = row[i] + row[Mirrored(cells, i - 1)] + row[Mirrored(cells, i + 1)];
            UNIT_ASSERT_AT_MOST(fabsl((long double)axis.density[place] - expected),
                                2e-15 * size + 1e-300);
        }
        free(old);
        AxisDestroy(&axis);
    }
}

/** One step in two to four parts, each of at least one cell, has the bits of the undivided one. */
static void TestAnySplitHasTheSameBits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1500; seed++) {
        const ptrdiff_t cells = COUNTS[3 + seed % (COUNT_COUNT - 3)];
        UnitRandom random = {seed};
        LimitedAxis axis = RandomAxis(cells, seed);
        const double ratio = LargestRatio(&axis);
        double *result = UnitAllocate(ROWS * cells);
        ptrdiff_t first = 0;
        for (int part = 2 + UnitRandomBelow(&random, 3); part > 0; part--) {
            const ptrdiff_t most = cells - first - (part - 1);
            const ptrdiff_t count = part > 1 ? 1 + UnitRandomBelow(&random, (int)most) : most;
            StepRank(&axis, ratio, first, count, result);
            first += count;
        }
        StepAxis(&axis, ratio);
        assert_memory_equal(result, axis.density, (size_t)(ROWS * cells) * sizeof(*result));
        free(result);
        AxisDestroy(&axis);
    }
}

/** Both signs of Phi at one end of a rank do not show in the bits of cells away from it. */
static void TestOneSignHasTheBitsOfBoth(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        LimitedAxis axis = RandomAxis(200, 900 + seed);
        LimitedAxis other = RandomAxis(200, 900 + seed);
        const double ratio = LargestRatio(&axis);
        other.phi[2] = 1.0;
        other.phi[3] = -1.0;
        StepAxis(&axis, ratio);
        StepAxis(&other, ratio);
        for (int row = 0; row < ROWS; row++) {
            const ptrdiff_t inner = row * axis.cells + 5;
            assert_memory_equal(axis.density + inner, other.density + inner,
                                (size_t)(axis.cells - 5) * sizeof(*axis.density));
        }
        AxisDestroy(&axis);
        AxisDestroy(&other);
    }
}

/** A linear profile moves with a constant Phi, and spreads with w, as the equation says. */
static void TestLinearProfileIsExact(void **state)
{
    (void)state;
    const double phis[3] = {0.7, 0.0, -0.4};
    for (int trial = 0; trial < 12; trial++) {
        const double low = trial % 2 - 2.0;
        const double slope = trial % 4 < 2 ? 0.3 : -0.2;
        const double phi = phis[trial % 3];
        LimitedAxis axis = AxisCreate(200, low, low + 2.0);
        const double ratio = LargestRatio(&axis) / 2.0;
        for (ptrdiff_t i = 0; i < ROWS * axis.cells; i++) {
            const double w = low + ((double)(i % axis.cells) + 0.5) * axis.width;
            axis.phi[2 + i % axis.cells] = phi;
            axis.density[i] = 2.0 + slope * w;
        }
        MirrorPhi(&axis);
        StepAxis(&axis, ratio);
        /* The slope of the end cells is zero, which reaches their neighbours. */
        for (ptrdiff_t i = 2; i < axis.cells - 2; i++) {
            const double w = low + ((double)i + 0.5) * axis.width;
            const double flux_slope = slope * (phi - w) - (2.0 + slope * w);
            const double expected = 2.0 + slope * w - ratio * axis.width * flux_slope;
            UNIT_ASSERT_AT_MOST(fabs(axis.density[i] - expected), 4e-15);
        }
        AxisDestroy(&axis);
    }
}

/** Without decay, and away from the closed ends. */
static void TestConstantStateStays(void **state)
{
    (void)state;
    for (int trial = -1; trial <= 1; trial++) {
        LimitedAxis axis = AxisCreate(200, 0.0, 0.0);
        for (ptrdiff_t i = 0; i < ROWS * axis.cells; i++) {
            axis.density[i] = 0.37;
            axis.phi[2 + i % axis.cells] = 0.4 * trial;
        }
        MirrorPhi(&axis);
        StepAxis(&axis, 0.6);
        for (ptrdiff_t i = 1; i + 1 < axis.cells; i++) {
            UNIT_ASSERT_SAME_BITS(axis.density[i], 0.37);
        }
        AxisDestroy(&axis);
    }
}

/** The flux of a bump at the place `top`, and the bump itself for Phi - w = 1. */
static double SmoothFlux(double w, double top, double velocity)
{
    return velocity * (0.1 + exp(-18.0 * (w - top) * (w - top)));
}

static double SmoothPhi(double w, double sign)
{
    return sign * (0.8 + 0.3 * sin(3.0 * w));
}

/**
 * Error of the divergence of the flux in the norm of L1, on [-1, 1] without the ends and without
 * the places closer to w = 0 than `excluded`. A limited cell counts by its place, so it is the mean
 * over rows with bumps at different places relative to the cells.
 */
static double TruncationError(ptrdiff_t cells, double sign, double excluded)
{
    LimitedAxis axis = AxisCreate(cells, -1.0, 1.0);
    const double ratio = 0.1;
    double *old = UnitAllocate(ROWS * cells);
    double error = 0.0;
    for (ptrdiff_t place = 0; place < ROWS * cells; place++) {
        const ptrdiff_t row = place / cells;
        const double w = -1.0 + ((double)(place % cells) + 0.5) * axis.width;
        axis.phi[2 + place % cells] = SmoothPhi(w, sign);
        axis.density[place] = SmoothFlux(w, axis.width * (double)row / ROWS, 1.0);
        old[place] = axis.density[place];
    }
    MirrorPhi(&axis);
    StepAxis(&axis, ratio);
    for (ptrdiff_t place = 0; place < ROWS * cells; place++) {
        const ptrdiff_t row = place / cells;
        const ptrdiff_t i = place % cells;
        const double top = axis.width * (double)row / ROWS;
        const double left = -1.0 + (double)i * axis.width;
        const double right = left + axis.width;
        const double exact = SmoothFlux(right, top, SmoothPhi(right, sign) - right) -
                             SmoothFlux(left, top, SmoothPhi(left, sign) - left);
        const double computed = (old[place] - axis.density[place]) / ratio;
        const int is_counted = i >= 2 && i < cells - 2 && fabs(left) >= excluded;
        error += is_counted ? fabs(computed - exact) / ROWS : 0.0;
    }
    free(old);
    AxisDestroy(&axis);
    return error;
}

/** Away from the extrema of p and of Phi p, which lie within 0.15 of w = 0, and with them. */
static void TestSecondOrder(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const double sign = i % 2 == 0 ? 1.0 : -1.0;
        const double excluded = i / 2 == 0 ? 0.15 : 0.0;
        const double middle = TruncationError(800, sign, excluded);
        const double fine = TruncationError(1600, sign, excluded);
        UNIT_ASSERT_BETWEEN(log2(TruncationError(400, sign, excluded) / middle), 1.9, 2.1);
        UNIT_ASSERT_BETWEEN(log2(middle / fine), 1.9, 2.1);
        UNIT_ASSERT_AT_MOST(fine, 1e-4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestCourant),
        cmocka_unit_test(TestMassAndPositivityAtTheLimit),
        cmocka_unit_test(TestPositivityOfOneCell),
        cmocka_unit_test(TestAgainstTheFlux),
        cmocka_unit_test(TestAnySplitHasTheSameBits),
        cmocka_unit_test(TestOneSignHasTheBitsOfBoth),
        cmocka_unit_test(TestLinearProfileIsExact),
        cmocka_unit_test(TestConstantStateStays),
        cmocka_unit_test(TestSecondOrder),
    };
    /* As the program does: cells that are emptied step by step would become subnormal. */
    EngramDenormalsFlush();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
