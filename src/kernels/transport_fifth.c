#include "engram/kernels/transport_fifth.h"

#include <math.h>
#include <string.h>

#include "arithmetic.h"
#include "engram/kernels/transport_limited.h"
#include "limited_slope.h"
#include "row_entries.h"
#include "vector.h"

enum {
    GHOSTS = ENGRAM_TRANSPORT_FIFTH_GHOSTS,
    SHARED = 2 * GHOSTS,
    END_CELLS = ENGRAM_TRANSPORT_FIFTH_END_CELLS,
    TILE = 383, /* with its faces whole vectors */
    WIDEST = 8, /* lanes of a vector */
    CACHE_LINE = 8
};

/**
 * Most that a value on a face lies beyond its cell, in units of the rise before it. The source has
 * 4, which keeps a front sharp; in the stream of decay it would leave a tooth in the shoulder of a
 * front at rest, whose foot that stream comes from.
 */
static const double STEEPEST[ENGRAM_STREAMS] = {
    [ENGRAM_STREAM_LEARNING] = 4.0,
    [ENGRAM_STREAM_DECAY] = 1.2,
};

/** What a tile needs beside the row itself; it stays in the first-level cache. */
typedef struct FifthTile {
    double density[TILE + SHARED + WIDEST]; /* before the step: ghosts, cells, ghosts */
    double product[ENGRAM_STREAMS][TILE + SHARED + WIDEST]; /* a p of these */
    double flux[TILE + 1 + WIDEST]; /* through the face left of each cell, and the last */
} FifthTile;

/** What may leave the cells of a stream of one sign: 2 |a| c p, with the stream. */
static void LimitToOwn(ptrdiff_t cells, const double *quadrature,
                       const EngramTransportStream *stream)
{
    const double *a = stream->velocity + GHOSTS;
    double *restrict from_left = stream->from_left;
    double *restrict to_right = stream->to_right;
    double *restrict to_left = stream->to_left;
    ENGRAM_INDEPENDENT
    for (ptrdiff_t face = 0; face < cells + 1; face++) {
        from_left[face] = a[face - 1] >= 0.0 && a[face] >= 0.0 ? 1.0 : 0.0;
        to_right[face] = 2.0 * quadrature[face] * PositivePart(a[face - 1]);
        to_left[face] = 2.0 * quadrature[face + 1] * PositivePart(-a[face]);
    }
}

/** What a cell has left to give beyond 2 |a| c p, over 2 c p: shared by two streams and two faces.
 */
static double SpareOf(const EngramTransportFifth *fifth, ptrdiff_t cell)
{
    const double taken = fabs(fifth->stream[ENGRAM_STREAM_LEARNING].velocity[cell + GHOSTS]) +
                         fabs(fifth->stream[ENGRAM_STREAM_DECAY].velocity[cell + GHOSTS]);
    return 0.25 * PositivePart(0.5 * ENGRAM_TRANSPORT_LARGEST_COURANT - taken);
}

/** Lets through a face as much as the larger |a| at it, in both directions. */
static void WidenFace(const EngramTransportFifth *fifth, ptrdiff_t face,
                      const EngramTransportStream *stream)
{
    const double *a = stream->velocity + GHOSTS + face;
    const double room = Larger(fabs(a[-1]), fabs(a[0]));
    const double right = PositivePart(a[-1]);
    const double left = PositivePart(-a[0]);
    const double more_right = Smaller(PositivePart(room - right), SpareOf(fifth, face - 1));
    const double more_left = Smaller(PositivePart(room - left), SpareOf(fifth, face));
    if ((a[-1] > 0.0 && a[0] < 0.0) || (a[-1] < 0.0 && a[0] > 0.0)) {
        stream->from_left[face] = 0.5;
    }
    stream->to_right[face] = 2.0 * fifth->quadrature[face] * (right + more_right);
    stream->to_left[face] = 2.0 * fifth->quadrature[face + 1] * (left + more_left);
}

/** Widens the faces that have a change of sign within the two cells at either side. */
static void WidenChanges(ptrdiff_t cells, const EngramTransportFifth *fifth,
                         const EngramTransportStream *stream)
{
    const double *a = stream->velocity + GHOSTS;
    int positive = (a[-2] > 0.0) + (a[-1] > 0.0) + (a[0] > 0.0);
    int negative = (a[-2] < 0.0) + (a[-1] < 0.0) + (a[0] < 0.0);
    for (ptrdiff_t face = 0; face < cells + 1; face++) {
        positive += a[face + 1] > 0.0;
        negative += a[face + 1] < 0.0;
        if (positive > 0 && negative > 0) {
            WidenFace(fifth, face, stream);
        }
        positive -= a[face - 2] > 0.0;
        negative -= a[face - 2] < 0.0;
    }
}

/** Nothing moves through an end of the axis, nor through what fills up the last vector of faces. */
static void CloseEnds(ptrdiff_t cells, const EngramTransportFifth *fifth,
                      const EngramTransportStream *stream)
{
    if (fifth->is_first) {
        stream->to_right[0] = stream->to_left[0] = 0.0;
    }
    if (fifth->is_last) {
        stream->to_right[cells] = stream->to_left[cells] = 0.0;
    }
    for (ptrdiff_t face = cells + 1; face < ENGRAM_TRANSPORT_FIFTH_FACES(cells); face++) {
        stream->from_left[face] = stream->from_left[cells];
        stream->to_right[face] = stream->to_left[face] = 0.0;
    }
}

void EngramTransportFifthCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                 const double *weight, const EngramTransportFifth *fifth)
{
    const EngramTransportStream *learning = &fifth->stream[ENGRAM_STREAM_LEARNING];
    const EngramTransportStream *decay = &fifth->stream[ENGRAM_STREAM_DECAY];
    for (ptrdiff_t i = 0; i < cells + SHARED; i++) {
        learning->velocity[i] = step_ratio * phi[i];
        decay->velocity[i] = -step_ratio * weight[i];
    }
    LimitToOwn(cells, fifth->quadrature, learning);
    LimitToOwn(cells, fifth->quadrature, decay);
    WidenChanges(cells, fifth, learning);
    WidenChanges(cells, fifth, decay);
    CloseEnds(cells, fifth, learning);
    CloseEnds(cells, fifth, decay);
}

/** The smaller one in magnitude of two numbers of one sign, else 0. */
ENGRAM_INLINE Vector MinMod(Vector a, Vector b)
{
    const Vector zero = VectorOf(0.0);
    return VectorLarger(VectorSmaller(a, b), zero) + VectorSmaller(VectorLarger(a, b), zero);
}

/** Six neighbouring values, in the direction of the flow; the face lies behind `here`. */
typedef struct Stencil {
    Vector before2, before, here, after, after2, after3;
    Vector steepest;
} Stencil;

ENGRAM_INLINE Vector FifthOrder(Stencil q)
{
    Vector sum = VectorOf(-3.0 / 60.0) * q.after2;
    sum = VectorMultiplyAdd(VectorOf(2.0 / 60.0), q.before2, sum);
    sum = VectorMultiplyAdd(VectorOf(-13.0 / 60.0), q.before, sum);
    sum = VectorMultiplyAdd(VectorOf(27.0 / 60.0), q.after, sum);
    return VectorMultiplyAdd(VectorOf(47.0 / 60.0), q.here, sum);
}

/** Curvature at a face between two cells that have d0 and d1. */
ENGRAM_INLINE Vector FaceCurvature(Vector d0, Vector d1)
{
    const Vector four = VectorOf(4.0);
    return MinMod(MinMod(four * d0 - d1, four * d1 - d0), MinMod(d0, d1));
}

/**
 * A value within the bounds of MP5, with the curvatures of all cells at hand: those of two cells
 * alone take the shoulder of a front for an extremum of smooth data, and leave a tooth there.
 */
ENGRAM_SELDOM Vector Bounded(Vector value, Stencil q)
{
    const Vector half = VectorOf(0.5);
    const Vector d_before = q.before2 - (q.before + q.before) + q.here;
    const Vector d_here = q.before - (q.here + q.here) + q.after;
    const Vector d_after = q.here - (q.after + q.after) + q.after2;
    const Vector d_after2 = q.after - (q.after2 + q.after2) + q.after3;
    const Vector curvature = MinMod(FaceCurvature(d_here, d_after), MinMod(d_before, d_after2));
    const Vector curvature_before = MinMod(FaceCurvature(d_before, d_here), d_after);
    const Vector rise = q.here - q.before;
    const Vector steepest = VectorMultiplyAdd(q.steepest, rise, q.here);
    const Vector median = half * (q.here + q.after - curvature);
    const Vector large = VectorMultiplyAdd(VectorOf(4.0 / 3.0), curvature_before,
                                           VectorMultiplyAdd(half, rise, q.here));
    const Vector lowest = VectorLarger(VectorSmaller(VectorSmaller(q.here, q.after), median),
                                       VectorSmaller(VectorSmaller(q.here, steepest), large));
    const Vector highest = VectorSmaller(VectorLarger(VectorLarger(q.here, q.after), median),
                                         VectorLarger(VectorLarger(q.here, steepest), large));
    return value + MinMod(lowest - value, highest - value);
}

/**
 * What overshoots by less than 1e-100 need not be limited, which costs time. Before a front the
 * tail of a density falls over hundreds of decades. (The authors of the scheme have 1e-10,
 * eq. 2.30.)
 */
static const double NEGLIGIBLE = 1e-200;

/** The value on the face, limited where it has to be. */
ENGRAM_INLINE Vector OnFace(Stencil q)
{
    const Vector value = FifthOrder(q);
    const Vector monotone = q.here + MinMod(q.after - q.here, q.steepest * (q.here - q.before));
    const VectorBits is_outside = (value - q.here) * (value - monotone) > NEGLIGIBLE;
    if (VectorAny(is_outside)) {
        return VectorChoose(is_outside, Bounded(value, q), value);
    }
    return value;
}

/** From the left of a face; `q` begins three cells before it. */
ENGRAM_INLINE Vector FromLeft(const double *q, Vector steepest)
{
    return OnFace((Stencil){VectorLoad(q), VectorLoad(q + 1), VectorLoad(q + 2), VectorLoad(q + 3),
                            VectorLoad(q + 4), VectorLoad(q + 5), steepest});
}

/** From the right of a face; `q` begins three cells before it. */
ENGRAM_INLINE Vector FromRight(const double *q, Vector steepest)
{
    return OnFace((Stencil){VectorLoad(q + 5), VectorLoad(q + 4), VectorLoad(q + 3),
                            VectorLoad(q + 2), VectorLoad(q + 1), VectorLoad(q), steepest});
}

/** Values on faces by their shares from the left; the bits of one do not depend on the others. */
ENGRAM_INLINE Vector Reconstruct(const double *q, Vector from_left, Vector steepest)
{
    const VectorBits is_left = from_left == VectorOf(1.0);
    const VectorBits is_right = from_left == VectorOf(0.0);
    if (!VectorAny(~is_left)) {
        return FromLeft(q, steepest);
    }
    if (!VectorAny(~is_right)) {
        return FromRight(q, steepest);
    }
    const Vector left = FromLeft(q, steepest);
    const Vector right = FromRight(q, steepest);
    const Vector mean = VectorOf(0.5) * (left + right);
    return VectorChoose(is_left, left, VectorChoose(is_right, right, mean));
}

/** Most that moves right through the faces from `face` on; the cells beside these have p. */
ENGRAM_INLINE Vector Highest(const EngramTransportStream *stream, ptrdiff_t face, const double *p)
{
    return VectorLoad(stream->to_right + face) * VectorLoad(p - 1);
}

/** Most that moves left, with its sign. */
ENGRAM_INLINE Vector Lowest(const EngramTransportStream *stream, ptrdiff_t face, const double *p)
{
    return -(VectorLoad(stream->to_left + face) * VectorLoad(p));
}

/** Content through `count` faces and some more, up to a whole vector. */
ENGRAM_INLINE void FluxOfFaces(ptrdiff_t first, ptrdiff_t count, const EngramTransportFifth *fifth,
                               FifthTile *tile)
{
    for (ptrdiff_t i = 0; i < count; i += VECTOR_LANES) {
        const double *p = tile->density + i + GHOSTS;
        Vector flux = VectorOf(0.0);
        for (int k = 0; k < ENGRAM_STREAMS; k++) {
            const EngramTransportStream *stream = &fifth->stream[k];
            const Vector from_left = VectorLoad(stream->from_left + first + i);
            const Vector value =
                Reconstruct(tile->product[k] + i, from_left, VectorOf(STEEPEST[k]));
            flux += VectorLarger(VectorSmaller(value, Highest(stream, first + i, p)),
                                 Lowest(stream, first + i, p));
        }
        VectorStore(tile->flux + i, flux);
    }
}

/**
 * The fluxes of the three faces next to an end of the axis: with the reconstructed ones G the
 * differences are F_{i+1} - F_i = c_i (G_{i+1} - G_i), and F_4 = G_4.
 *
 * @param step      1 at the left end, -1 at the right one
 * @param face      index of the face at the end, in the tile
 * @param first     index of the tile's first face
 */
static void FitEnd(ptrdiff_t face, ptrdiff_t step, ptrdiff_t first,
                   const EngramTransportFifth *fifth, FifthTile *tile)
{
    const EngramTransportStream *learning = &fifth->stream[ENGRAM_STREAM_LEARNING];
    const EngramTransportStream *decay = &fifth->stream[ENGRAM_STREAM_DECAY];
    double *flux = tile->flux + face;
    const double *quadrature = fifth->quadrature + 1 + first + face - (step < 0);
    double fitted = flux[step * END_CELLS];
    double outer = fitted;
    flux[0] = 0.0;
    for (ptrdiff_t i = END_CELLS - 1; i > 0; i--) {
        const double inner = flux[step * i];
        fitted -= quadrature[step * i] * (outer - inner);
        outer = inner;
        const ptrdiff_t at = face + step * i;
        const double right = learning->to_right[first + at] + decay->to_right[first + at];
        const double left = learning->to_left[first + at] + decay->to_left[first + at];
        flux[step * i] = Larger(Smaller(fitted, right * tile->density[at + GHOSTS - 1]),
                                -(left * tile->density[at + GHOSTS]));
    }
}

/** The cells of a tile after the step; those at an end of the axis have their own weights. */
ENGRAM_INLINE void UpdateCells(ptrdiff_t count, const FifthTile *tile, double *restrict moved)
{
    const double *restrict old = tile->density + GHOSTS;
    const double *restrict flux = tile->flux;
    ENGRAM_INDEPENDENT
    for (ptrdiff_t i = 0; i < count; i++) {
        moved[i] = old[i] + (flux[i] - flux[i + 1]);
    }
}

static void UpdateEnd(ptrdiff_t begin, ptrdiff_t end, const double *quadrature,
                      const FifthTile *tile, double *moved)
{
    for (ptrdiff_t i = begin; i < end; i++) {
        moved[i] = tile->density[i + GHOSTS] + (tile->flux[i] - tile->flux[i + 1]) / quadrature[i];
    }
}

/** One row: its cells, and the ghosts beside it. */
typedef struct FifthRow {
    ptrdiff_t cells;
    const double *left_ghost;
    const double *right_ghost;
    const double *density;
    double *moved; /* may be the density */
    const double *next;
} FifthRow;

/** Cells of the next tile: the last one holds an end of the axis, with the faces fitted there. */
static ptrdiff_t TileCells(ptrdiff_t remaining)
{
    if (remaining <= TILE) {
        return remaining;
    }
    return remaining < TILE + WIDEST ? TILE - WIDEST : TILE;
}

ENGRAM_INLINE void FormProducts(ptrdiff_t count, const double *restrict velocity,
                                const double *restrict density, double *restrict product)
{
    ENGRAM_INDEPENDENT
    for (ptrdiff_t i = 0; i < count; i++) {
        product[i] = velocity[i] * density[i];
    }
}

/** The fluxes of a tile of `count` cells, and what becomes of these. */
ENGRAM_INLINE void MoveTile(ptrdiff_t first, ptrdiff_t count, const FifthRow *row,
                            const EngramTransportFifth *fifth, FifthTile *tile)
{
    const double *quadrature = fifth->quadrature + 1 + first;
    double *moved = row->moved + first;
    const int begins = fifth->is_first && first == 0;
    const int ends = fifth->is_last && first + count == row->cells;
    for (int k = 0; k < ENGRAM_STREAMS; k++) {
        FormProducts(count + SHARED, fifth->stream[k].velocity + first, tile->density,
                     tile->product[k]);
    }
    FluxOfFaces(first, count + 1, fifth, tile);
    if (begins) {
        FitEnd(0, 1, first, fifth, tile);
    }
    if (ends) {
        FitEnd(count, -1, first, fifth, tile);
    }
    UpdateCells(count, tile, moved);
    if (begins) {
        UpdateEnd(0, END_CELLS, quadrature, tile, moved);
    }
    if (ends) {
        UpdateEnd(count - END_CELLS, count, quadrature, tile, moved);
    }
}

/** One row, tile by tile. */
static void MoveRow(const FifthRow *row, const EngramTransportFifth *fifth, FifthTile *tile)
{
    memcpy(tile->density, row->left_ghost, GHOSTS * sizeof(*tile->density));
    CopyEntries(0, GHOSTS, row->cells, row->density, row->right_ghost, tile->density + GHOSTS);
    for (ptrdiff_t first = 0, count = 0; first < row->cells; first += count) {
        count = TileCells(row->cells - first);
        for (ptrdiff_t i = 0; i < count; i += CACHE_LINE) {
            ENGRAM_PREFETCH_WRITE(row->next + first + i);
        }
        CopyEntries(first + GHOSTS, count, row->cells, row->density, row->right_ghost,
                    tile->density + SHARED);
        MoveTile(first, count, row, fifth, tile);
        memmove(tile->density, tile->density + count, SHARED * sizeof(*tile->density));
    }
}

void EngramTransportFifthApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                               const EngramTransportFifth *fifth, const double *left_ghost,
                               const double *right_ghost, const double *density, double *moved)
{
    FifthTile tile = {.density = {0.0}};
    for (ptrdiff_t k = 0; k < rows; k++) {
        const ptrdiff_t next = k + 1 < rows ? (k + 1) * stride : k * stride;
        const FifthRow row = {cells,
                              left_ghost + k * GHOSTS,
                              right_ghost + k * GHOSTS,
                              density + k * stride,
                              moved + k * stride,
                              moved + next};
        MoveRow(&row, fifth, &tile);
    }
}
