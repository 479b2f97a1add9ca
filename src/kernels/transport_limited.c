#include "engram/kernels/transport_limited.h"

#include <math.h>

#include "arithmetic.h"
#include "limited_slope.h"
#include "row_entries.h"

enum { TILE = 128, GHOSTS = 2, SHARED = 2 * GHOSTS, CACHE_LINE = 8 };

/** Which of the two directions a part of the flux has on the faces of a tile. */
typedef enum FlowDirection { FLOW_RIGHT, FLOW_LEFT, FLOW_BOTH } FlowDirection;

/** Where the first and the last entry of either sign lie: -1 and the length where there is none. */
typedef struct SignRange {
    ptrdiff_t first_positive;
    ptrdiff_t last_positive;
    ptrdiff_t first_negative;
    ptrdiff_t last_negative;
} SignRange;

/**
 * What a tile needs beside the row itself; it stays in the first-level cache. What two tiles share
 * the second takes over from the first, so that every loop runs over as many entries as cells.
 */
typedef struct LimitedTile {
    double density[TILE + SHARED]; /* before the step: two neighbours, the cells, two neighbours */
    double flux[TILE + 1];         /* through the face left of each cell, and the last one */
} LimitedTile;

/** q on the right face of the middle one of three cells. */
ENGRAM_INLINE double OnRightFace(double before, double here, double after)
{
    return here + HalfSlope(here - before, after - here);
}

/** q on its left face. */
ENGRAM_INLINE double OnLeftFace(double before, double here, double after)
{
    return here - HalfSlope(here - before, after - here);
}

void EngramTransportCourantCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                   const double *left_face_w, const EngramTransportCourant *courant)
{
    for (ptrdiff_t i = 0; i < cells + SHARED; i++) {
        courant->phi[i] = step_ratio * phi[i];
    }
    for (ptrdiff_t i = 0; i < cells + 1; i++) {
        const double face_w = left_face_w[i + 1];
        courant->decay[i] = isnan(face_w) ? 0.0 : step_ratio * face_w;
        courant->open[i] = isnan(face_w) ? 0.0 : 1.0;
    }
}

static SignRange FindSigns(ptrdiff_t count, const double *values)
{
    SignRange range = {count, -1, count, -1};
    for (ptrdiff_t i = 0; i < count; i++) {
        if (values[i] > 0.0) {
            range.first_positive = range.last_positive < 0 ? i : range.first_positive;
            range.last_positive = i;
        } else if (values[i] < 0.0) {
            range.first_negative = range.last_negative < 0 ? i : range.first_negative;
            range.last_negative = i;
        }
    }
    return range;
}

/**
 * Directions among the entries first .. last. A direction that is not there would add exact zeros,
 * so the bits of a cell do not depend on what its tile is taken for.
 */
static FlowDirection DirectionOf(const SignRange *range, ptrdiff_t first, ptrdiff_t last,
                                 FlowDirection of_positive, FlowDirection of_negative)
{
    const int has_positive = first <= range->last_positive && last >= range->first_positive;
    const int has_negative = first <= range->last_negative && last >= range->first_negative;
    if (has_positive && has_negative) {
        return FLOW_BOTH;
    }
    return has_negative ? of_negative : of_positive;
}

/** phi^+ p, where a tile with phi >= 0 need not look at the sign. */
ENGRAM_INLINE double ToRight(double phi, double density, FlowDirection learning)
{
    return (learning == FLOW_BOTH ? PositivePart(phi) : phi) * density;
}

/** phi^- p, likewise. */
ENGRAM_INLINE double ToLeft(double phi, double density, FlowDirection learning)
{
    return (learning == FLOW_BOTH ? PositivePart(-phi) : -phi) * density;
}

/**
 * Content through `count` faces, of which the first one lies between the entries 1 and 2 of phi and
 * density. The products with phi are formed anew for each face: that is cheaper than to keep them.
 */
ENGRAM_INLINE void FluxOfFaces(ptrdiff_t count, const double *restrict decay,
                               const double *restrict open, const double *restrict phi,
                               const double *restrict density, FlowDirection learning,
                               FlowDirection decaying, double *restrict flux)
{
    ENGRAM_INDEPENDENT
    for (ptrdiff_t i = 0; i < count; i++) {
        const double *p = density + i;
        double sum = 0.0;
        if (learning != FLOW_LEFT) {
            sum = OnRightFace(ToRight(phi[i], p[0], learning), ToRight(phi[i + 1], p[1], learning),
                              ToRight(phi[i + 2], p[2], learning));
        }
        if (learning != FLOW_RIGHT) {
            sum -=
                OnLeftFace(ToLeft(phi[i + 1], p[1], learning), ToLeft(phi[i + 2], p[2], learning),
                           ToLeft(phi[i + 3], p[3], learning));
        }
        if (decaying == FLOW_BOTH) {
            const double right = PositivePart(-decay[i]);
            const double left = -PositivePart(decay[i]);
            sum = EngramMultiplyAdd(right, OnRightFace(p[0], p[1], p[2]), sum);
            sum = EngramMultiplyAdd(left, OnLeftFace(p[1], p[2], p[3]), sum);
        } else if (decaying == FLOW_RIGHT) {
            sum = EngramMultiplyAdd(-decay[i], OnRightFace(p[0], p[1], p[2]), sum);
        } else {
            sum = EngramMultiplyAdd(-decay[i], OnLeftFace(p[1], p[2], p[3]), sum);
        }
        flux[i] = open[i] * sum;
    }
}

/** The faces first .. first + count - 1 of a tile; the velocities begin with the first one. */
ENGRAM_INLINE void FluxOfTile(ptrdiff_t first, ptrdiff_t count, const double *decay,
                              const double *open, const double *phi, FlowDirection learning,
                              FlowDirection decaying, LimitedTile *tile)
{
    const double *density = tile->density + first;
    double *flux = tile->flux + first;
    if (decaying == FLOW_LEFT) {
        FluxOfFaces(count, decay, open, phi, density, learning, FLOW_LEFT, flux);
    } else if (decaying == FLOW_RIGHT) {
        FluxOfFaces(count, decay, open, phi, density, learning, FLOW_RIGHT, flux);
    } else {
        FluxOfFaces(count, decay, open, phi, density, learning, FLOW_BOTH, flux);
    }
}

/** One row: its cells, the ghosts beside it, and the row that is fetched meanwhile. */
typedef struct LimitedRow {
    ptrdiff_t cells;
    const double *left_ghost;
    const double *right_ghost;
    const double *density;
    double *moved; /* what becomes of the density; may be the same */
    const double *next;
} LimitedRow;

/** The entries and the face that the first tile would have taken over from one before it. */
ENGRAM_INLINE void StartRow(const LimitedRow *row, const EngramTransportCourant *courant,
                            FlowDirection learning, LimitedTile *tile)
{
    tile->density[0] = row->left_ghost[0];
    tile->density[1] = row->left_ghost[1];
    CopyEntries(0, SHARED - GHOSTS, row->cells, row->density, row->right_ghost,
                tile->density + GHOSTS);
    FluxOfTile(0, 1, courant->decay, courant->open, courant->phi, learning, FLOW_BOTH, tile);
}

/** Hands on to the next tile what it shares with this one of `count` cells. */
ENGRAM_INLINE void ShiftTile(ptrdiff_t count, LimitedTile *tile)
{
    for (ptrdiff_t i = 0; i < SHARED; i++) {
        tile->density[i] = tile->density[i + count];
    }
    tile->flux[0] = tile->flux[count];
}

ENGRAM_INLINE void UpdateCells(ptrdiff_t count, const double *restrict old,
                               const double *restrict flux, double *restrict density)
{
    ENGRAM_INDEPENDENT
    for (ptrdiff_t i = 0; i < count; i++) {
        density[i] = old[i] + (flux[i] - flux[i + 1]);
    }
}

/** One row, tile by tile. */
ENGRAM_INLINE void MoveRow(const LimitedRow *row, const EngramTransportCourant *courant,
                           const SignRange *decay_signs, FlowDirection learning, LimitedTile *tile)
{
    StartRow(row, courant, learning, tile);
    for (ptrdiff_t first = 0; first < row->cells; first += TILE) {
        const ptrdiff_t count = row->cells - first < TILE ? row->cells - first : TILE;
        const FlowDirection decaying =
            DirectionOf(decay_signs, first + 1, first + count, FLOW_LEFT, FLOW_RIGHT);
        for (ptrdiff_t i = 0; i < count; i += CACHE_LINE) {
            ENGRAM_PREFETCH_WRITE(row->next + first + i);
        }
        CopyEntries(first + GHOSTS, count, row->cells, row->density, row->right_ghost,
                    tile->density + SHARED);
        FluxOfTile(1, count, courant->decay + first + 1, courant->open + first + 1,
                   courant->phi + first + 1, learning, decaying, tile);
        UpdateCells(count, tile->density + GHOSTS, tile->flux, row->moved + first);
        ShiftTile(count, tile);
    }
}

void EngramTransportLimitedApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                                 const EngramTransportCourant *courant, const double *left_ghost,
                                 const double *right_ghost, const double *density, double *moved)
{
    const SignRange decay_signs = FindSigns(cells + 1, courant->decay);
    const SignRange phi_signs = FindSigns(cells + SHARED, courant->phi);
    const FlowDirection learning =
        DirectionOf(&phi_signs, 0, cells + SHARED - 1, FLOW_RIGHT, FLOW_LEFT);
    LimitedTile tile = {{0.0}, {0.0}};
    for (ptrdiff_t k = 0; k < rows; k++) {
        const ptrdiff_t next = k + 1 < rows ? (k + 1) * stride : k * stride;
        const LimitedRow row = {cells,
                                left_ghost + k * GHOSTS,
                                right_ghost + k * GHOSTS,
                                density + k * stride,
                                moved + k * stride,
                                moved + next};
        if (learning == FLOW_RIGHT) {
            MoveRow(&row, courant, &decay_signs, FLOW_RIGHT, &tile);
        } else if (learning == FLOW_LEFT) {
            MoveRow(&row, courant, &decay_signs, FLOW_LEFT, &tile);
        } else {
            MoveRow(&row, courant, &decay_signs, FLOW_BOTH, &tile);
        }
    }
}
