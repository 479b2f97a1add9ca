/**
 * @file fifth_axis.h
 * What the tests of the transport of fifth order share: an axis of w and a step of it, whole or as
 * one rank takes it.
 */
#ifndef ENGRAM_TESTS_FIFTH_AXIS_H
#define ENGRAM_TESTS_FIFTH_AXIS_H

#include "unit_support.h"

#include "engram/kernels/transport_fifth.h"
#include "engram/kernels/transport_limited.h"

enum { FIFTH_ROWS = 3, FIFTH_GHOSTS = ENGRAM_TRANSPORT_FIFTH_GHOSTS };

/** Weights of the cells at an end in integrals: exact for cubic polynomials. */
static const double FIFTH_END[ENGRAM_TRANSPORT_FIFTH_END_CELLS] = {6463.0 / 5760.0, 1457.0 / 1920.0,
                                                                   741.0 / 640.0, 5537.0 / 5760.0};

/** One w axis without ranks. */
typedef struct FifthAxis {
    ptrdiff_t cells;
    double low;
    double width;       /* dw */
    double *phi;        /* [cells + 6], ghosts included */
    double *quadrature; /* [cells + 2] */
    double *density;    /* [FIFTH_ROWS * cells] */
} FifthAxis;

/** Centre of a cell. */
static inline double FifthWeight(const FifthAxis *axis, ptrdiff_t cell)
{
    return axis->low + ((double)cell + 0.5) * axis->width;
}

/** Axis from `low` to `high` with neither Phi nor density. */
static inline FifthAxis FifthAxisCreate(ptrdiff_t cells, double low, double high)
{
    FifthAxis axis = {.cells = cells, .low = low, .width = (high - low) / (double)cells};
    axis.phi = UnitAllocate(cells + 2 * FIFTH_GHOSTS);
    axis.quadrature = UnitAllocate(cells + 2);
    axis.density = UnitAllocate(FIFTH_ROWS * cells);
    for (ptrdiff_t i = -1; i < cells + 1; i++) {
        const ptrdiff_t place = i < cells - 1 - i ? i : cells - 1 - i;
        const int is_end = place >= 0 && place < ENGRAM_TRANSPORT_FIFTH_END_CELLS;
        axis.quadrature[i + 1] = is_end ? FIFTH_END[place] : 1.0;
    }
    return axis;
}

static inline void FifthAxisDestroy(FifthAxis *axis)
{
    free(axis->phi);
    free(axis->quadrature);
    free(axis->density);
}

/** What lies beyond an end of the axis: the polynomial of degree 4 through the five cells there. */
static inline double FifthContinued(const double *values, ptrdiff_t cells, ptrdiff_t i)
{
    if (i >= 0 && i < cells) {
        return values[i];
    }
    const double x = i < 0 ? (double)i : (double)(cells - 1 - i);
    double sum = 0.0;
    for (int j = 0; j < 5; j++) {
        double factor = 1.0;
        for (int k = 0; k < 5; k++) {
            factor *= k == j ? 1.0 : (x - k) / (j - k);
        }
        sum += factor * values[i < 0 ? j : cells - 1 - j];
    }
    return sum;
}

/** Fills the ghosts of Phi. */
static inline void FifthContinuePhi(FifthAxis *axis)
{
    for (ptrdiff_t i = 0; i < FIFTH_GHOSTS; i++) {
        const double *inner = axis->phi + FIFTH_GHOSTS;
        axis->phi[i] = FifthContinued(inner, axis->cells, i - FIFTH_GHOSTS);
        axis->phi[axis->cells + FIFTH_GHOSTS + i] =
            FifthContinued(inner, axis->cells, axis->cells + i);
    }
}

/** dt/dw with the condition of positivity as an equality in one cell. */
static inline double FifthLargestRatio(const FifthAxis *axis)
{
    double speed = 1e-3;
    for (ptrdiff_t i = 0; i < axis->cells; i++) {
        speed = fmax(speed, fabs(axis->phi[i + FIFTH_GHOSTS]) + fabs(FifthWeight(axis, i)));
    }
    return 0.5 * ENGRAM_TRANSPORT_LARGEST_COURANT / speed;
}

/** The part of the axis that one rank has, stepped into `result`. */
static inline void FifthStepRank(const FifthAxis *axis, double ratio, ptrdiff_t first,
                                 ptrdiff_t count, double *result)
{
    const ptrdiff_t cells = axis->cells;
    const ptrdiff_t stride = count + 3;
    const ptrdiff_t faces = ENGRAM_TRANSPORT_FIFTH_FACES(count);
    double *part = UnitAllocate(FIFTH_ROWS * stride);
    double *weight = UnitAllocate(count + 2 * FIFTH_GHOSTS);
    double left[FIFTH_GHOSTS * FIFTH_ROWS];
    double right[FIFTH_GHOSTS * FIFTH_ROWS];
    EngramTransportFifth fifth = {.quadrature = axis->quadrature + first,
                                  .is_first = first == 0,
                                  .is_last = first + count == cells};
    for (int k = 0; k < ENGRAM_STREAMS; k++) {
        double *memory = UnitAllocate(count + 2 * FIFTH_GHOSTS + 3 * faces);
        double *on_faces = memory + count + 2 * FIFTH_GHOSTS;
        fifth.stream[k] =
            (EngramTransportStream){memory, on_faces, on_faces + faces, on_faces + 2 * faces};
    }
    for (ptrdiff_t i = 0; i < count + 2 * FIFTH_GHOSTS; i++) {
        weight[i] = FifthWeight(axis, first + i - FIFTH_GHOSTS);
    }
    for (int row = 0; row < FIFTH_ROWS; row++) {
        const double *whole = axis->density + row * cells;
        for (ptrdiff_t i = 0; i < FIFTH_GHOSTS; i++) {
            left[FIFTH_GHOSTS * row + i] = FifthContinued(whole, cells, first - FIFTH_GHOSTS + i);
            right[FIFTH_GHOSTS * row + i] = FifthContinued(whole, cells, first + count + i);
        }
        memcpy(part + row * stride, whole + first, (size_t)count * sizeof(*part));
    }
    EngramTransportFifthCompute(count, ratio, axis->phi + first, weight, &fifth);
    EngramTransportFifthApply(FIFTH_ROWS, count, stride, &fifth, left, right, part, part);
    for (int row = 0; row < FIFTH_ROWS; row++) {
        memcpy(result + row * cells + first, part + row * stride, (size_t)count * sizeof(*part));
        /* What follows a row in memory is not the rank's to change. */
        UNIT_ASSERT_SAME_BITS(part[row * stride + count], 0.0);
    }
    for (int k = 0; k < ENGRAM_STREAMS; k++) {
        free(fifth.stream[k].velocity);
    }
    free(weight);
    free(part);
}

static inline void FifthStepAxis(FifthAxis *axis, double ratio)
{
    FifthStepRank(axis, ratio, 0, axis->cells, axis->density);
}

#endif
