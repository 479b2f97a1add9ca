#include <float.h>
#include <math.h>

#include "engram/kernels/slice_step.h"
#include "face_weights.h"
#include "slice_sweep.h"

/* Beyond it the density has a layer at the threshold that the nodes do not resolve. */
static const double LARGEST_SMOOTH_Q = 1.0;

/** Sum and minimum of one slice, in the order of a step. */
static void MeasureSlice(const EngramFaceTable *table, ptrdiff_t stride, const double *density,
                         double *weight_density, double *minimum)
{
    double total = 0.0;
    double block = 0.0;
    double smallest = DBL_MAX;
    for (int k = 0; k < table->nodes; k++) {
        const double value = density[k * stride];
        block += value;
        smallest = value < smallest ? value : smallest;
        if (EndsBlock(k, table->nodes)) {
            total += block;
            block = 0.0;
        }
    }
    if (table->refractory > 0.0) {
        total += density[table->nodes * stride];
    }
    *weight_density = table->spacing * total;
    *minimum = smallest;
}

/** -h dp/dv at the threshold, where p is zero, from the four last nodes. */
static double SlopeAtThreshold(const EngramFaceTable *table, ptrdiff_t stride,
                               const double *density)
{
    const double *last = density + (table->nodes - 1) * stride;
    return 4.0 * last[0] - 3.0 * last[-stride] + 4.0 / 3.0 * last[-2 * stride] -
           0.25 * last[-3 * stride];
}

void EngramSliceThresholdRates(const EngramFaceTable *table, ptrdiff_t slices, const double *drift,
                               double *threshold_rate)
{
    for (ptrdiff_t i = 0; i < slices; i++) {
        const Vector scaled = ScaledDrift(table, VectorOf(drift[i]));
        const Vector up = AnyWeights(table, table->nodes - 1, scaled, IsOutside(table, scaled)).up;
        threshold_rate[i] = ThresholdRate(table, up)[0];
    }
}

void EngramSliceMeasureRates(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                             const double *drift, const double *density,
                             const EngramSliceResults *results)
{
    const int last = table->nodes - 1;
    const double unit = table->noise / table->spacing;
    EngramSliceThresholdRates(table, slices, drift, results->threshold_rate);
    for (ptrdiff_t i = 0; i < slices; i++) {
        const double q = ScaledDrift(table, VectorOf(drift[i]))[0] - table->faces[last].position;
        results->firing_rate[i] = results->threshold_rate[i] * density[last * stride + i];
        if (table->order == 4 && table->nodes >= 4 && fabs(q) <= LARGEST_SMOOTH_Q) {
            results->firing_rate[i] =
                unit * fmax(SlopeAtThreshold(table, stride, density + i), 0.0);
        }
    }
}

void EngramSliceMeasure(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const double *density, const EngramSliceResults *results)
{
    for (ptrdiff_t i = 0; i < slices; i++) {
        MeasureSlice(table, stride, density + i, &results->weight_density[i], &results->minimum[i]);
    }
}

void EngramSliceSettle(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                       const double *threshold_rate, double *density)
{
    if (table->order != 4 || table->nodes < 4) {
        return;
    }
    const int arrives_at = table->refractory > 0.0 ? table->nodes : table->reset_node;
    for (ptrdiff_t i = 0; i < slices; i++) {
        double *last = density + (table->nodes - 1) * stride + i;
        double *target = density + arrives_at * stride + i;
        const double share = table->kappa * threshold_rate[i] / table->spacing;
        const double arrived = fmax(SlopeAtThreshold(table, stride, density + i), 0.0) / 12.0;
        const double missing = (share * last[0] - arrived) / (1.0 + 3.0 * share);
        const double least = fmax(-last[-stride] / 3.0, -*target);
        const double moved = fmax(least, fmin(missing, last[-2 * stride]));
        last[0] -= 3.0 * moved;
        last[-stride] += 3.0 * moved;
        last[-2 * stride] -= moved;
        *target += moved;
    }
}

void EngramSliceFollowNoise(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            double last_kappa, double *density)
{
    if (table->order != 4 || !(table->refractory > 0.0)) {
        return;
    }
    const double part = (table->kappa - last_kappa) / table->refractory;
    for (ptrdiff_t i = 0; i < slices; i++) {
        double *waiting = density + table->nodes * stride + i;
        double *reset = density + table->reset_node * stride + i;
        const double moved = fmax(-*reset, fmin(part * *waiting, *waiting));
        *waiting -= moved;
        *reset += moved;
    }
}
