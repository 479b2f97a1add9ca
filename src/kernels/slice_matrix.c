#include "engram/kernels/slice_matrix.h"

#include <math.h>

#include "arithmetic.h"
#include "face_weights.h"

/* lambda - kappa is at least this part of kappa, off by a rounding of lambda. */
static const double SMALLEST_REST = 1e-12;

/** lambda - kappa, not zero. */
static double RestOf(const EngramSliceMatrix *matrix, ptrdiff_t slice)
{
    const double rest = matrix->lambda - matrix->kappa[slice];
    const double smallest = SMALLEST_REST * matrix->kappa[slice];
    return fabs(rest) < smallest ? smallest : rest;
}

void EngramSliceMatrixFill(EngramSliceMatrix *matrix, double lambda, const double *drift)
{
    const EngramFaceTable *table = matrix->table;
    const double unit = table->noise / (table->spacing * table->spacing);
    matrix->lambda = lambda;
    matrix->leaving = 0.0;
    if (table->refractory > 0.0) {
        matrix->leaving =
            EngramFaceTableReturning(table, lambda, matrix->last_kappa) / table->refractory;
    }
    for (ptrdiff_t i = 0; i < matrix->slices; i++) {
        const Vector scaled = ScaledDrift(table, VectorOf(drift[i]));
        const Vector up = AnyWeights(table, table->nodes - 1, scaled, IsOutside(table, scaled)).up;
        matrix->kappa[i] = EngramFaceTableKappa(table, drift[i]);
        matrix->content[i] = LayerContent(table, EVALUATE_ANY, scaled, up)[0];
    }
    for (int k = 0; k < table->nodes; k++) {
        double *restrict up = matrix->up + k * matrix->stride;
        double *restrict down = matrix->down + k * matrix->stride;
        EngramFaceWeights(table, k, matrix->slices, drift, up, down);
        for (ptrdiff_t i = 0; i < matrix->slices; i++) {
            const double strength = RestOf(matrix, i) * unit;
            up[i] *= strength;
            down[i] *= strength;
        }
    }
    /* What leaves the last node follows its density. */
    for (ptrdiff_t i = 0; i < matrix->slices; i++) {
        const ptrdiff_t last = (table->nodes - 1) * matrix->stride + i;
        matrix->up[last] /= matrix->content[i];
        matrix->down[last - matrix->stride] /= matrix->content[i];
    }
}

void EngramSliceMatrixRightHandSide(const EngramSliceMatrix *matrix, const double *from,
                                    double *rhs)
{
    const int nodes = matrix->table->nodes;
    const int has_refractory = matrix->table->refractory > 0.0;
    const ptrdiff_t stride = matrix->stride;
    const int arrives_at = has_refractory ? nodes : matrix->table->reset_node;
    for (ptrdiff_t i = 0; i < (has_refractory ? nodes + 1 : nodes) * stride; i++) {
        rhs[i] = from[i];
    }
    for (int k = 0; k < nodes; k++) {
        double *target = rhs + (k < nodes - 1 ? k + 1 : arrives_at) * stride;
        for (ptrdiff_t i = 0; i < matrix->slices; i++) {
            const ptrdiff_t here = k * stride + i;
            const double share = matrix->kappa[i] / RestOf(matrix, i);
            double moved = share * matrix->up[here] * from[here];
            if (k < nodes - 1) {
                moved -= share * matrix->down[here] * from[here + stride];
            }
            rhs[here] -= moved;
            target[i] += moved;
        }
    }
}

void EngramSliceMatrixRates(const EngramSliceMatrix *matrix, const double *slope,
                            const double *old_last, const double *last,
                            const double *threshold_rate, double *firing_rate)
{
    for (ptrdiff_t i = 0; i < matrix->slices; i++) {
        const double rate =
            RateOverStep(VectorOf(matrix->kappa[i] / matrix->lambda),
                         VectorOf(threshold_rate[i] / matrix->content[i]), VectorOf(old_last[i]),
                         VectorOf(last[i]), VectorOf(matrix->table->noise * slope[i]))[0];
        firing_rate[i] = rate < 0.0 ? 0.0 : rate; /* a NaN is kept */
    }
}

EngramSliceRow EngramSliceMatrixRow(const EngramSliceMatrix *matrix, int node, ptrdiff_t slice)
{
    const ptrdiff_t here = node * matrix->stride + slice;
    const ptrdiff_t below = here - matrix->stride;
    EngramSliceRow row = {0.0, 1.0 + matrix->up[here], 0.0};
    if (node > 0) {
        row.left = -matrix->up[below];
        row.diagonal += matrix->down[below];
    }
    if (node < matrix->table->nodes - 1) {
        row.right = -matrix->down[here];
    }
    return row;
}

double EngramSliceMatrixSpike(const EngramSliceMatrix *matrix, ptrdiff_t slice)
{
    return -matrix->up[(matrix->table->nodes - 1) * matrix->stride + slice];
}

void EngramSliceMatrixMultiply(const EngramSliceMatrix *matrix, const double *x, double *y)
{
    const int nodes = matrix->table->nodes;
    const ptrdiff_t stride = matrix->stride;
    for (int k = 0; k < nodes; k++) {
        for (ptrdiff_t i = 0; i < matrix->slices; i++) {
            const EngramSliceRow row = EngramSliceMatrixRow(matrix, k, i);
            const ptrdiff_t here = k * stride + i;
            double product = row.diagonal * x[here];
            if (k > 0) {
                product += row.left * x[here - stride];
            }
            if (k < nodes - 1) {
                product += row.right * x[here + stride];
            }
            y[here] = product;
        }
    }
    const double *last = x + (nodes - 1) * stride;
    const double *waiting = x + nodes * stride;
    double *reset = y + matrix->table->reset_node * stride;
    for (ptrdiff_t i = 0; i < matrix->slices; i++) {
        const double fired = EngramSliceMatrixSpike(matrix, i) * last[i];
        if (matrix->table->refractory > 0.0) {
            y[nodes * stride + i] = EngramMultiplyAdd(1.0 + matrix->leaving, waiting[i], fired);
            reset[i] -= matrix->leaving * waiting[i];
        } else {
            reset[i] += fired;
        }
    }
}
