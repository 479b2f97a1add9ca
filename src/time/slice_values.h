/**
 * @file slice_values.h
 * What a step says of the slices, as arrays that can be kept.
 */
#ifndef ENGRAM_SRC_TIME_SLICE_VALUES_H
#define ENGRAM_SRC_TIME_SLICE_VALUES_H

#include "engram/grid/density.h"
#include "engram/kernels/slice_step.h"

/** The arrays of EngramSliceResults, [EngramGridPaddedSlices] each. */
typedef struct SliceValues {
    double *threshold_rate;
    double *firing_rate;
    double *weight_density;
    double *minimum;
} SliceValues;

/** Allocates the arrays, set to zero. Not collective. */
PetscErrorCode SliceValuesCreate(const EngramGrid *grid, SliceValues *values);

/** Copies all arrays, the padding included. Not collective. */
PetscErrorCode SliceValuesCopy(const EngramGrid *grid, const SliceValues *from,
                               const SliceValues *to);

/** The arrays of results, borrowed. */
SliceValues SliceValuesOf(const EngramSliceResults *results);

/** Frees the arrays; may be called twice. Not collective. */
PetscErrorCode SliceValuesDestroy(SliceValues *values);

#endif
