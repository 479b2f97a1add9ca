#include "engram/kernels/transport_implicit.h"

#include <float.h>
#include <math.h>

#include "arithmetic.h"
#include "limited_slope.h"

/* Rows that are solved at once: all cells of them stay in the second-level cache. */
enum { LANES = 32 };

/* Rows that are sharpened at once: four cells of them stay in the first-level cache, and what
 * depends on the cell alone is shared by many. */
enum { SHARPEN_LANES = 256 };

/* Cells ahead that are fetched early: they are a page apart in memory, where the hardware does not
 * look for them. */
enum { PREFETCH_CELLS = 16, SHARPEN_PREFETCH_CELLS = 2, CACHE_LINE = 8 };

/* The part of a cell that may leave it by antidiffusion, and what it keeps in any case: fractions
 * of numbers as small as this one may be rounded upwards by more than what the first one leaves. */
static const double LARGEST_PART = 0.9;
static const double HELD_BACK = 0x1p-1000;

/** The axis and the velocities on it. */
typedef struct ImplicitAxis {
    ptrdiff_t cells;
    double step_ratio;
    const double *phi;
    const double *face_w;
} ImplicitAxis;

static int IsOpen(const ImplicitAxis *axis, ptrdiff_t face)
{
    return face > 0 && face < axis->cells && !isnan(axis->face_w[face]);
}

/** r_i */
static double RateToRight(const ImplicitAxis *axis, ptrdiff_t i)
{
    if (!IsOpen(axis, i + 1)) {
        return 0.0;
    }
    return axis->step_ratio * (PositivePart(axis->phi[i]) + PositivePart(-axis->face_w[i + 1]));
}

/** l_i */
static double RateToLeft(const ImplicitAxis *axis, ptrdiff_t i)
{
    if (!IsOpen(axis, i)) {
        return 0.0;
    }
    return axis->step_ratio * (PositivePart(-axis->phi[i]) + PositivePart(axis->face_w[i]));
}

/** part/whole and rest/whole of whole = part + rest: the larger is what the smaller leaves of 1. */
static void Split(double part, double rest, double *part_fraction, double *rest_fraction)
{
    const double whole = part + rest;
    if (part < rest) {
        *part_fraction = part / whole;
        *rest_fraction = 1.0 - *part_fraction;
    } else {
        *rest_fraction = rest / whole;
        *part_fraction = 1.0 - *rest_fraction;
    }
}

void EngramTransportFactorise(ptrdiff_t cells, double step_ratio, const double *phi,
                              const double *face_w, const EngramTransportFactors *factors)
{
    const ImplicitAxis axis = {cells, step_ratio, phi, face_w};
    double turning = 0.0; /* of the cell to the left */
    for (ptrdiff_t i = 0; i < cells; i++) {
        const double excess = turning * RateToLeft(&axis, i); /* c_i - 1 */
        Split(excess, 1.0, &factors->to_left[i], &factors->settles[i]);
        Split(RateToRight(&axis, i), 1.0 + excess, &factors->to_right[i], &factors->turns[i]);
        turning = factors->turns[i];
    }
}

ENGRAM_INLINE void PrefetchLanes(const double *lanes_of_cell, int lanes)
{
    for (int k = 0; k < lanes; k += CACHE_LINE) {
        ENGRAM_PREFETCH_WRITE(lanes_of_cell + k);
    }
}

/** From left to right: what turns in each cell is left there. */
ENGRAM_INLINE void MoveRight(ptrdiff_t cells, int lanes, ptrdiff_t stride,
                             const EngramTransportFactors *factors, double *content)
{
    double held[LANES] = {0.0};
    double passed = 0.0; /* fraction of the cell to the left */
    for (ptrdiff_t i = 0; i < cells; i++) {
        const double turns = factors->turns[i];
        double *restrict here = content + i * stride;
        if (i + PREFETCH_CELLS < cells) {
            PrefetchLanes(here + PREFETCH_CELLS * stride, lanes);
        }
        ENGRAM_INDEPENDENT
        for (int k = 0; k < lanes; k++) {
            held[k] = EngramMultiplyAdd(passed, held[k], here[k]);
            here[k] = turns * held[k];
        }
        passed = factors->to_right[i];
    }
}

/** From right to left: what settles in each cell is the solution. */
ENGRAM_INLINE void MoveLeft(ptrdiff_t cells, int lanes, ptrdiff_t stride,
                            const EngramTransportFactors *factors, double *content)
{
    double held[LANES] = {0.0};
    double passed = 0.0; /* fraction of the cell to the right */
    for (ptrdiff_t i = cells - 1; i >= 0; i--) {
        const double settles = factors->settles[i];
        double *restrict here = content + i * stride;
        ENGRAM_INDEPENDENT
        for (int k = 0; k < lanes; k++) {
            held[k] = EngramMultiplyAdd(passed, held[k], here[k]);
            here[k] = settles * held[k];
        }
        passed = factors->to_left[i];
    }
}

void EngramTransportSolve(ptrdiff_t cells, ptrdiff_t rows, ptrdiff_t stride,
                          const EngramTransportFactors *factors, double *content)
{
    ptrdiff_t first = 0;
    for (; first + LANES <= rows; first += LANES) {
        MoveRight(cells, LANES, stride, factors, content + first);
        MoveLeft(cells, LANES, stride, factors, content + first);
    }
    if (first < rows) {
        MoveRight(cells, (int)(rows - first), stride, factors, content + first);
        MoveLeft(cells, (int)(rows - first), stride, factors, content + first);
    }
}

/**
 * Velocities over dw/dt of an inner cell. What Phi moves in the cell's own direction is all that
 * can have a slope in it: what it moves in the other one is zero here and has a minimum.
 */
typedef struct SharpenCell {
    double before, here, after; /* |Phi| of the cells around where it has this cell's sign, or 0 */
    double learning_to_left;    /* 1 where the slope of |Phi| p counts on the left face, or 0 */
    double learning_to_right;   /* likewise */
    double decay_to_left;       /* w^+ of the left face */
    double decay_to_right;      /* w^- of the right face */
} SharpenCell;

static SharpenCell CellToSharpen(const ImplicitAxis *axis, ptrdiff_t i)
{
    const double ratio = axis->step_ratio;
    const double sign = axis->phi[i] < 0.0 ? -1.0 : 1.0;
    const int open_left = IsOpen(axis, i);
    const int open_right = IsOpen(axis, i + 1);
    const SharpenCell cell = {
        .before = ratio * PositivePart(sign * axis->phi[i - 1]),
        .here = ratio * PositivePart(sign * axis->phi[i]),
        .after = ratio * PositivePart(sign * axis->phi[i + 1]),
        .learning_to_left = open_left && sign < 0.0 ? 1.0 : 0.0,
        .learning_to_right = open_right && sign > 0.0 ? 1.0 : 0.0,
        .decay_to_left = open_left ? ratio * PositivePart(axis->face_w[i]) : 0.0,
        .decay_to_right = open_right ? ratio * PositivePart(-axis->face_w[i + 1]) : 0.0,
    };
    return cell;
}

/** Antidiffusive content on its way to the right, one entry a row. */
typedef struct SharpenState {
    double begun[SHARPEN_LANES]; /* what the last cell adds to that through its right face */
    double next[SHARPEN_LANES];  /* through the face that was formed last, not scaled */
    double flux[SHARPEN_LANES];  /* through the face before it */
    double share[SHARPEN_LANES]; /* the part of its own that the cell left of that may give away */
} SharpenState;

/** The flux through the left face of a cell, and what the cell adds to that through its right one.
 */
ENGRAM_INLINE void FormFlux(int lanes, ptrdiff_t stride, const SharpenCell *cell,
                            const double *content, double *restrict begun, double *restrict next)
{
    const SharpenCell c = *cell;
    ENGRAM_INDEPENDENT
    for (int k = 0; k < lanes; k++) {
        const double here = content[k];
        const double before = content[k - stride];
        const double after = content[k + stride];
        const double moved = c.here * here;
        const double learning = HalfSlope(moved - c.before * before, c.after * after - moved);
        const double decaying = HalfSlope(here - before, after - here);
        const double added = EngramMultiplyAdd(c.learning_to_left, learning, begun[k]);
        next[k] = EngramMultiplyAdd(c.decay_to_left, decaying, added);
        begun[k] = EngramMultiplyAdd(c.decay_to_right, decaying, c.learning_to_right * learning);
    }
}

/** The last cell has no slope, and nothing moves through the faces beyond. */
static void EndFlux(int lanes, SharpenState *state)
{
    for (int k = 0; k < lanes; k++) {
        state->next[k] = state->begun[k];
        state->begun[k] = 0.0;
    }
}

/**
 * Moves what goes through a face, now that the fluxes through both faces of its right cell are
 * known: a flux is scaled by the share of the cell that it leaves. The denominator is not zero
 * where nothing leaves a cell, and the quotient is 1 where no more leaves than may.
 */
ENGRAM_INLINE void MoveThroughFace(int lanes, const double *restrict next, double *restrict flux,
                                   double *restrict share_of_left, double *restrict left,
                                   double *restrict right)
{
    ENGRAM_INDEPENDENT
    for (int k = 0; k < lanes; k++) {
        const double outgoing = PositivePart(next[k]) + PositivePart(-flux[k]);
        const double available =
            PositivePart(EngramMultiplyAdd(LARGEST_PART, right[k], -HELD_BACK));
        const double share = available / Larger(Larger(outgoing, available), DBL_MIN);
        const double moved = flux[k] * (flux[k] > 0.0 ? share_of_left[k] : share);
        left[k] -= moved;
        right[k] += moved;
        share_of_left[k] = share;
        flux[k] = next[k];
    }
}

/** Some rows of all cells: face i is formed while the one left of it is passed. */
static void SharpenLanes(const ImplicitAxis *axis, int lanes, ptrdiff_t stride, double *content)
{
    SharpenState state = {{0.0}, {0.0}, {0.0}, {0.0}};
    double beyond[SHARPEN_LANES] = {0.0}; /* left of the axis, where no flux comes from */
    for (ptrdiff_t i = 1; i <= axis->cells; i++) {
        double *right = content + (i - 1) * stride;
        if (i + SHARPEN_PREFETCH_CELLS < axis->cells) {
            PrefetchLanes(content + (i + SHARPEN_PREFETCH_CELLS) * stride, lanes);
        }
        if (i + 1 < axis->cells) {
            const SharpenCell cell = CellToSharpen(axis, i);
            FormFlux(lanes, stride, &cell, content + i * stride, state.begun, state.next);
        } else {
            EndFlux(lanes, &state);
        }
        MoveThroughFace(lanes, state.next, state.flux, state.share, i > 1 ? right - stride : beyond,
                        right);
    }
}

void EngramTransportSharpen(ptrdiff_t cells, ptrdiff_t rows, ptrdiff_t stride, double step_ratio,
                            const double *phi, const double *face_w, double *content)
{
    const ImplicitAxis axis = {cells, step_ratio, phi, face_w};
    for (ptrdiff_t first = 0; first < rows; first += SHARPEN_LANES) {
        const ptrdiff_t left = rows - first;
        SharpenLanes(&axis, (int)(left < SHARPEN_LANES ? left : SHARPEN_LANES), stride,
                     content + first);
    }
}
