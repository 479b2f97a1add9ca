/**
 * @file slice_plan.h
 * What all groups of slices of one step share, and how a group begins.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_PLAN_H
#define ENGRAM_SRC_KERNELS_SLICE_PLAN_H

#include <math.h>

#include "slice_sweep.h"

/* A slice may be negative by this part of its mass: tails that fall faster than a factor of ten a
 * node alternate in sign there. They are put to zero, and the rest scaled. */
#define NEGATIVE_PART 1e-9

/* From so many kappa on the rounding errors of many nodes meet in the last pivot. */
#define LONG_STEP 1e3

/* |rho| is at least this part of chi: lambda is then off by a rounding, and mass is kept all the
 * same. */
#define SMALLEST_RHO 1e-12

/* Slices of a group where many are left. */
#if VECTOR_LANES >= 4
#define HAS_TWO_WIDTHS 1
enum { MAIN_VECTORS = VECTOR_LANES == 8 ? 3 : 4, NARROW_VECTORS = 1 };
#else
#define HAS_TWO_WIDTHS 0
enum { MAIN_VECTORS = 8 / VECTOR_LANES, NARROW_VECTORS = MAIN_VECTORS };
#endif

/** Vectors of the group that starts at a slice: many where the padded slices go on for so long. */
ENGRAM_INLINE int VectorsOfGroup(ptrdiff_t slices, ptrdiff_t first)
{
    const ptrdiff_t padded =
        (slices + ENGRAM_SLICE_PADDING - 1) / ENGRAM_SLICE_PADDING * ENGRAM_SLICE_PADDING;
    return padded - first >= MAIN_VECTORS * VECTOR_LANES ? MAIN_VECTORS : NARROW_VECTORS;
}

/* Slices of a group, and ghosts. */
enum { EDGE_STRIDE = ENGRAM_SLICE_GROUP + ENGRAM_SLICE_PADDING };

/** Memory of the sweeps over a group, [row][slice of the group] unless said otherwise. */
typedef struct PlanWork {
    double *ratios;
    double *old;     /* P, where a slice may have to be solved again */
    double *values;  /* [row][lane] of slices that are solved again */
    double *again;   /* [row][lane] their ratios */
    double *left[2]; /* [row][2] old neighbours: of the present group, and for the next one */
    double *flux[2]; /* [row] likewise */
    double *edge;    /* [row][EDGE_STRIDE] old rows of a group that ghosts follow */
} PlanWork;

/** A step of all slices. */
typedef struct Plan {
    const EngramFaceTable *table;
    const EngramSliceStep *step;
    const EngramSliceResults *results;
    ptrdiff_t slices;
    ptrdiff_t stride;
    const double *from;
    double *to;
    ExplicitPart part; /* of slices that need no second solve */
    double rho;        /* (lambda - kappa')/kappa = lambda/kappa - chi */
    int may_fail;      /* lambda < 2 kappa' */
    int is_long;       /* rounding errors of many nodes meet */
    RefractoryShares shares;
    PlanWork work;
    int turn; /* which of the two columns the present group reads */
} Plan;

/** rho of slices; with a large drift in little noise both parts are tiny. */
ENGRAM_INLINE Vector RhoOf(double ratio, Vector chi)
{
    const Vector rho = ratio - chi;
    const Vector least = SMALLEST_RHO * chi;
    return VectorChoose(VectorMagnitude(rho) < least, least, rho);
}

ENGRAM_INLINE Plan MakePlan(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            const EngramSliceStep *step, const double *from, double *to,
                            double *work, const EngramSliceResults *results)
{
    const ptrdiff_t rows = table->nodes + 1;
    const double tau = table->refractory;
    const double lambda = step->lambda;
    const double returning = EngramFaceTableReturning(table, lambda, step->last_kappa);
    const int is_fourth = table->order == 4;
    const double kappa = is_fourth ? table->kappa : 0.0;
    const Vector rho = RhoOf(lambda / table->kappa, VectorOf(is_fourth ? 1.0 : 0.0));
    double *columns = work + (2 * ENGRAM_SLICE_GROUP + 2 * ENGRAM_SLICE_PADDING) * rows;
    return (Plan){.table = table,
                  .step = step,
                  .results = results,
                  .slices = slices,
                  .stride = stride,
                  .from = from,
                  .to = to,
                  .part = !is_fourth      ? EXPLICIT_NONE
                          : step->is_bare ? EXPLICIT_SHARE
                                          : EXPLICIT_WHOLE,
                  .rho = rho[0],
                  .may_fail = !step->is_bare && kappa > 0.5 * lambda,
                  .is_long = !step->is_bare && lambda > LONG_STEP * table->kappa,
                  .shares = {tau / (tau + returning), returning / (tau + returning)},
                  .work = {.ratios = work,
                           .old = work + ENGRAM_SLICE_GROUP * rows,
                           .values = work + 2 * ENGRAM_SLICE_GROUP * rows,
                           .again = work + (2 * ENGRAM_SLICE_GROUP + ENGRAM_SLICE_PADDING) * rows,
                           .left = {columns, columns + 2 * rows},
                           .flux = {columns + 4 * rows, columns + 5 * rows},
                           .edge = columns + 6 * rows}};
}

/**
 * Makes a copy of the rows of a group with the ghosts that follow it, all rows at once: the sweep
 * would wait for stores into a row that it reads next, one slice aside.
 */
static inline void CopyWithGhosts(const Plan *plan, int vectors, int order, RowSource *source)
{
    const int rows = EngramFaceTableRows(plan->table);
    const ptrdiff_t width = (ptrdiff_t)vectors * VECTOR_LANES;
    const ptrdiff_t cells = source->cells;
    for (int k = 0; k < rows; k++) {
        const double *row = source->from + k * source->stride;
        double *copy = plan->work.edge + (ptrdiff_t)k * EDGE_STRIDE;
        for (int j = 0; j < vectors; j++) {
            VectorStore(copy + j * VECTOR_LANES, VectorLoad(row + j * VECTOR_LANES));
        }
        for (ptrdiff_t i = width; i < cells; i++) {
            copy[i] = row[i];
        }
        for (int i = 0; i < order; i++) {
            copy[cells + i] = source->transport->right_ghost[k * order + i];
        }
    }
    source->from = plan->work.edge;
    source->stride = EDGE_STRIDE;
}

/** Where the rows of the group from a slice on come from. */
ENGRAM_INLINE void BeginSource(const Plan *plan, ptrdiff_t first, int vectors, int order,
                               RowSource *source)
{
    const EngramSliceTransport *transport = plan->step->transport;
    source->transport = transport;
    source->from = plan->from + first;
    source->stride = plan->stride;
    source->scale = (1.0 - plan->step->excess) / plan->rho;
    source->first = first;
    source->cells = plan->slices - first;
    if (order > 0) {
        if (source->cells < vectors * VECTOR_LANES + order) {
            CopyWithGhosts(plan, vectors, order, source);
        }
        source->left = first == 0 ? transport->left_ghost : plan->work.left[plan->turn];
        source->flux = plan->work.flux[plan->turn];
        source->kept_left = plan->work.left[1 - plan->turn];
        source->kept_flux = plan->work.flux[1 - plan->turn];
    }
    if (order == 1) {
        FillOrder1(source, vectors);
    } else if (order == 2) {
        FillOrder2(source, vectors);
    }
}

/** Content through the left face of the first slice, in all rows; order 2. */
static inline void FindFirstFlux(const Plan *plan)
{
    const EngramSliceTransport *transport = plan->step->transport;
    const EngramTransportCourant *courant = transport->courant;
    const double decay = courant->decay[0];
    LaneTransport lanes = {
        .has_plus = 1, .has_minus = 1, .has_decay_left = 1, .has_decay_right = 1};
    for (int i = 0; i < 3; i++) {
        lanes.plus[i][0] = VectorOf(fmax(courant->phi[i], 0.0));
        lanes.minus[i][0] = VectorOf(fmax(-courant->phi[i + 1], 0.0));
    }
    lanes.decay_left[0] = VectorOf(fmax(decay, 0.0));
    lanes.decay_right[0] = VectorOf(fmax(-decay, 0.0));
    lanes.open[0] = VectorOf(courant->open[0]);
    for (int k = 0; k < EngramFaceTableRows(plan->table); k++) {
        const double *row = plan->from + k * plan->stride;
        const double beyond = plan->slices > 1 ? row[1] : transport->right_ghost[2 * k];
        const Neighbours p = {.left = VectorOf(transport->left_ghost[2 * k]),
                              .here = VectorOf(transport->left_ghost[2 * k + 1]),
                              .right = VectorOf(row[0]),
                              .beyond = VectorOf(beyond)};
        plan->work.flux[plan->turn][k] = FluxOfOrder2(&lanes, 0, p)[0];
    }
}

/** Sets chi of a vector of slices and what follows from it. */
ENGRAM_INLINE void SetChi(const Plan *plan, LaneSystem *system, int j, Vector chi)
{
    const Vector rho = RhoOf(plan->step->lambda / plan->table->kappa, chi);
    system->chi[j] = chi;
    system->rho[j] = rho;
    system->identity[j] = 1.0 / rho;
    system->rescale[j] = plan->rho / rho;
}

/** Whether all slices of a group are within the range of the polynomials, and alike. */
ENGRAM_INLINE int IsWithinRange(const Plan *plan, ptrdiff_t first, int vectors)
{
    VectorBits outside = {0};
    for (int j = 0; j < vectors; j++) {
        const Vector drift = VectorLoad(plan->step->drift + first + j * VECTOR_LANES);
        outside |= IsOutside(plan->table, ScaledDrift(plan->table, drift));
    }
    return plan->table->flux == ENGRAM_FLUX_SCHARFETTER_GUMMEL && plan->part != EXPLICIT_SHARE &&
           !VectorAny(outside);
}

/** The system of a group; its threshold rates go to the results. */
ENGRAM_INLINE void BeginSystem(const Plan *plan, ptrdiff_t first, int vectors,
                               Evaluation evaluation, LaneSystem *system)
{
    const EngramFaceTable *table = plan->table;
    const double usual = plan->part == EXPLICIT_NONE ? 0.0 : 1.0;
    for (int j = 0; j < vectors; j++) {
        const ptrdiff_t at = first + j * VECTOR_LANES;
        const Vector scaled = ScaledDrift(table, VectorLoad(plan->step->drift + at));
        Vector chi = VectorOf(usual);
        system->scaled[j] = scaled;
        system->outside[j] = IsOutside(table, scaled);
        if (evaluation == EVALUATE_ANY && plan->part != EXPLICIT_NONE) {
            chi = VectorChoose(system->outside[j], LargestChi(table, scaled), chi);
        }
        SetChi(plan, system, j, chi);
        if (plan->step->is_bare) {
            system->chi[j] = VectorOf(0.0);
        }
        FaceWeights last;
        WeightsOfFace(table, evaluation, table->nodes - 1, 1, &scaled, &system->outside[j], &last);
        system->outflow[j] = last.up;
        system->content[j] = LayerContent(table, evaluation, scaled, last.up);
        VectorStore(plan->results->threshold_rate + at, ThresholdRate(table, system->outflow[j]));
    }
}

#endif
