#include <float.h>

#include "engram/kernels/slice_elimination.h"
#include "slice_group.h"

/** Sum and minimum of one slice, in the order of StoreSolution. */
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

void EngramSliceMeasureRates(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                             const double *drift, const double *density,
                             const EngramSliceResults *results)
{
    const double *last = density + (table->nodes - 1) * stride;
    const EngramEvaluation evaluation = EngramEvaluationOf(table);
    for (ptrdiff_t i = 0; i < slices; i++) {
        const double scaled = EngramScaledDrift(table, drift[i]);
        const double slice_factor = EngramSliceFactor(table, evaluation, scaled);
        const double rate = ThresholdRate(table, evaluation, scaled, slice_factor);
        results->threshold_rate[i] = rate;
        results->firing_rate[i] = rate * last[i];
    }
}

void EngramSliceMeasure(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const double *drift, const double *density,
                        const EngramSliceResults *results)
{
    EngramSliceMeasureRates(table, slices, stride, drift, density, results);
    for (ptrdiff_t i = 0; i < slices; i++) {
        MeasureSlice(table, stride, density + i, &results->weight_density[i], &results->minimum[i]);
    }
}
