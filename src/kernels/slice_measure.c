#include <float.h>
#include <math.h>

#include "engram/kernels/slice_step.h"
#include "face_weights.h"
#include "slice_sweep.h"

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

void EngramSliceThresholdRates(const EngramFaceTable *table, ptrdiff_t slices, const double *drift,
                               double *threshold_rate)
{
    for (ptrdiff_t i = 0; i < slices; i++) {
        const Vector scaled = ScaledDrift(table, VectorOf(drift[i]));
        const Vector up = AnyWeights(table, table->nodes - 1, scaled, IsOutside(table, scaled)).up;
        threshold_rate[i] = ThresholdRate(table, up)[0];
    }
}

void EngramSliceMeasure(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const double *density, const EngramSliceResults *results)
{
    for (ptrdiff_t i = 0; i < slices; i++) {
        MeasureSlice(table, stride, density + i, &results->weight_density[i], &results->minimum[i]);
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
