/**
 * @file slice_rows.h
 * The rows of a group of slices as a step begins with them: after the transport in w, which is made
 * on the way from one row of the density to the next.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_ROWS_H
#define ENGRAM_SRC_KERNELS_SLICE_ROWS_H

#include "columns.h"
#include "engram/kernels/slice_step.h"
#include "face_weights.h"

/** Numbers of the transport, one a slice of the group. */
typedef struct LaneTransport {
    /* Order 1: fractions of the left neighbour, the slice itself and the right neighbour, with the
     * scale of the rows in them. */
    Vector to_right[MOST_VECTORS];
    Vector stays[MOST_VECTORS];
    Vector to_left[MOST_VECTORS];
    /* Order 2: Phi+ of the left neighbour, the slice and the right neighbour; Phi- of the slice and
     * two neighbours to the right; on the right face the decay of positive weights, which goes to
     * the left, that of negative ones, and whether it is open. */
    Vector plus[3][MOST_VECTORS];
    Vector minus[3][MOST_VECTORS];
    Vector decay_left[MOST_VECTORS];
    Vector decay_right[MOST_VECTORS];
    Vector open[MOST_VECTORS];
    /* Which of these are not all zero: the others would add exact zeros. */
    int has_plus;
    int has_minus;
    int has_decay_left;
    int has_decay_right;
} LaneTransport;

/** Where the rows of a group come from. */
typedef struct RowSource {
    const EngramSliceTransport *transport;
    const double *from; /* first row, first slice of the group; a copy where ghosts follow */
    ptrdiff_t stride;
    double scale;       /* of all rows */
    ptrdiff_t first;    /* slice of the group */
    ptrdiff_t cells;    /* slices from there on; behind them are ghosts and padding */
    const double *left; /* [rows][order] old values of the neighbours to the left */
    const double *flux; /* [rows] order 2: content that comes through the left face */
    double *kept_left;  /* [rows][order] what the next group needs of the two */
    double *kept_flux;  /* [rows] */
    LaneTransport lanes;
} RowSource;

/** Fills one number of each lane; beyond the slices there is no transport. */
ENGRAM_INLINE void FillLanes(Vector *lanes, int vectors, ptrdiff_t cells, const double *numbers,
                             double scale, double beyond)
{
    double values[MOST_VECTORS * VECTOR_LANES];
    for (int i = 0; i < vectors * VECTOR_LANES; i++) {
        values[i] = i < cells ? scale * numbers[i] : beyond;
    }
    for (int j = 0; j < vectors; j++) {
        lanes[j] = VectorLoad(values + j * VECTOR_LANES);
    }
}

/** Keeps the part of one sign; whether anything is left. */
ENGRAM_INLINE int KeepSign(Vector *lanes, int vectors, double sign)
{
    int any = 0;
    for (int j = 0; j < vectors; j++) {
        lanes[j] = VectorLarger(sign * lanes[j], VectorOf(0.0));
        any |= VectorAny(lanes[j] > 0.0);
    }
    return any;
}

ENGRAM_INLINE void FillOrder1(RowSource *source, int vectors)
{
    LaneTransport *lanes = &source->lanes;
    const EngramTransportFractions *fractions = source->transport->fractions;
    const ptrdiff_t first = source->first;
    const ptrdiff_t cells = source->cells;
    const double scale = source->scale;
    FillLanes(lanes->to_right, vectors, cells, fractions->to_right + first, scale, 0.0);
    FillLanes(lanes->stays, vectors, cells, fractions->stays + first + 1, scale, scale);
    FillLanes(lanes->to_left, vectors, cells, fractions->to_left + first + 2, scale, 0.0);
}

ENGRAM_INLINE void FillOrder2(RowSource *source, int vectors)
{
    LaneTransport *lanes = &source->lanes;
    const EngramTransportCourant *courant = source->transport->courant;
    const ptrdiff_t first = source->first;
    const ptrdiff_t cells = source->cells;
    lanes->has_plus = 0;
    lanes->has_minus = 0;
    for (int i = 0; i < 3; i++) {
        FillLanes(lanes->plus[i], vectors, cells, courant->phi + first + 1 + i, 1.0, 0.0);
        FillLanes(lanes->minus[i], vectors, cells, courant->phi + first + 2 + i, 1.0, 0.0);
        lanes->has_plus |= KeepSign(lanes->plus[i], vectors, 1.0);
        lanes->has_minus |= KeepSign(lanes->minus[i], vectors, -1.0);
    }
    FillLanes(lanes->decay_left, vectors, cells, courant->decay + first + 1, 1.0, 0.0);
    FillLanes(lanes->decay_right, vectors, cells, courant->decay + first + 1, 1.0, 0.0);
    FillLanes(lanes->open, vectors, cells, courant->open + first + 1, 1.0, 0.0);
    lanes->has_decay_left = KeepSign(lanes->decay_left, vectors, 1.0);
    lanes->has_decay_right = KeepSign(lanes->decay_right, vectors, -1.0);
}

ENGRAM_INLINE void RowOfOrder1(const RowSource *source, int k, int vectors, Vector *value)
{
    const double *row = source->from + k * source->stride;
    const LaneTransport *lanes = &source->lanes;
    const Vector before = VectorOf(source->left[k]);
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const double *at = row + j * VECTOR_LANES;
        const Vector here = VectorLoad(at);
        const Vector left = j == 0 ? VectorShiftUp(before, here) : VectorLoad(at - 1);
        const Vector right = VectorLoad(at + 1);
        const Vector moved = VectorMultiplyAdd(lanes->to_right[j], left, lanes->to_left[j] * right);
        value[j] = VectorMultiplyAdd(lanes->stays[j], here, moved);
    }
    source->kept_left[k] = row[vectors * VECTOR_LANES - 1];
}

/** Half the monotonised central slope: minmod(l, r, (l + r)/4). */
ENGRAM_INLINE Vector HalfSlopeOfLanes(Vector left, Vector right)
{
    const Vector zero = VectorOf(0.0);
    const Vector lowest = VectorSmaller(VectorLarger(left, right), zero);
    const Vector highest = VectorLarger(VectorSmaller(left, right), zero);
    return VectorLarger(VectorSmaller(0.25 * (left + right), highest), lowest);
}

/** The density of a slice and of its neighbours. */
typedef struct Neighbours {
    Vector left;
    Vector here;
    Vector right;
    Vector beyond;
} Neighbours;

/** Content through the right faces of the slices of a vector: G of transport_limited.h. */
ENGRAM_INLINE Vector FluxOfOrder2(const LaneTransport *lanes, int j, Neighbours p)
{
    Vector flux = VectorOf(0.0);
    if (lanes->has_plus) {
        const Vector before = lanes->plus[0][j] * p.left;
        const Vector middle = lanes->plus[1][j] * p.here;
        const Vector after = lanes->plus[2][j] * p.right;
        flux = middle + HalfSlopeOfLanes(middle - before, after - middle);
    }
    if (lanes->has_minus) {
        const Vector before = lanes->minus[0][j] * p.here;
        const Vector middle = lanes->minus[1][j] * p.right;
        const Vector after = lanes->minus[2][j] * p.beyond;
        flux -= middle - HalfSlopeOfLanes(middle - before, after - middle);
    }
    if (lanes->has_decay_left) {
        const Vector face = p.right - HalfSlopeOfLanes(p.right - p.here, p.beyond - p.right);
        flux = VectorSubtractProduct(flux, lanes->decay_left[j], face);
    }
    if (lanes->has_decay_right) {
        const Vector face = p.here + HalfSlopeOfLanes(p.here - p.left, p.right - p.here);
        flux = VectorMultiplyAdd(lanes->decay_right[j], face, flux);
    }
    return lanes->open[j] * flux;
}

ENGRAM_INLINE void RowOfOrder2(const RowSource *source, int k, int vectors, Vector *value)
{
    const double *row = source->from + k * source->stride;
    const double *outside = source->left + 2 * (ptrdiff_t)k;
    const Vector next_to = VectorOf(outside[1]);
    Vector before = VectorOf(source->flux[k]);
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const double *at = row + j * VECTOR_LANES;
        const Vector here = VectorLoad(at);
        const Neighbours p = {.left = j == 0 ? VectorShiftUp(next_to, here) : VectorLoad(at - 1),
                              .here = here,
                              .right = VectorLoad(at + 1),
                              .beyond = VectorLoad(at + 2)};
        const Vector flux = FluxOfOrder2(&source->lanes, j, p);
        value[j] = source->scale * (here + (VectorShiftUp(before, flux) - flux));
        before = flux;
    }
    source->kept_flux[k] = before[VECTOR_LANES - 1];
    source->kept_left[2 * k] = row[vectors * VECTOR_LANES - 2];
    source->kept_left[2 * k + 1] = row[vectors * VECTOR_LANES - 1];
}

/** A row of the group after the transport, times the scale. */
ENGRAM_INLINE void RowValues(const RowSource *source, int k, int vectors, int order, Vector *value)
{
    if (order == 1) {
        RowOfOrder1(source, k, vectors, value);
    } else if (order == 2) {
        RowOfOrder2(source, k, vectors, value);
    } else {
        const double *row = source->from + k * source->stride;
        ENGRAM_UNROLL
        for (int j = 0; j < vectors; j++) {
            value[j] = source->scale * VectorLoad(row + j * VECTOR_LANES);
        }
    }
}

#endif
