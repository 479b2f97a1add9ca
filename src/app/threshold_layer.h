/**
 * @file threshold_layer.h
 * Whether the grid sees the layer at the threshold, of the width a/(mu + f(V_F)), through which
 * strongly driven neurons fire.
 */
#ifndef ENGRAM_SRC_APP_THRESHOLD_LAYER_H
#define ENGRAM_SRC_APP_THRESHOLD_LAYER_H

#include "engram/observe/observer.h"
#include "engram/solver/slice_solver.h"

/** The thinnest layer that this rank has seen so far. */
typedef struct ThresholdLayer {
    double peclet; /* its cell Peclet number, cells of v over its width */
    double weight; /* of its slice */
    PetscBool has_warned;
} ThresholdLayer;

/** Looks at all slices with neurons. Not collective. */
void ThresholdLayerLook(EngramSliceSolver solver, const EngramSnapshot *snapshot,
                        ThresholdLayer *layer);

/** Warns, once, where a layer of any rank is not seen. Collective. */
PetscErrorCode ThresholdLayerWarn(const EngramGrid *grid, ThresholdLayer *layer);

#endif
