/**
 * @file density.h
 * Storage of a density, and the columns at the ends of a rank's cells that its neighbours need.
 */
#ifndef ENGRAM_GRID_DENSITY_H
#define ENGRAM_GRID_DENSITY_H

#include <petscvec.h>

#include "engram/grid/grid.h"

/** Allocates `count` doubles on a cache line, set to zero. Free with EngramAlignedFree. */
PetscErrorCode EngramAlignedCalloc(PetscInt count, double **array);

/** Frees the array and sets it to NULL; accepts NULL. */
PetscErrorCode EngramAlignedFree(double **array);

/** Length of an array over this rank's slices, padded for the kernels. */
PetscInt EngramGridPaddedSlices(const EngramGrid *grid);

/** A density p[k * w_stride + i] (node k, cell i of this rank), zero in the padding. */
typedef struct EngramDensity {
    double *values; /**< [v_nodes * w_stride], owned */
    Vec vec;        /**< sequential vector over `values`, owned */
} EngramDensity;

/** Allocates a density, set to zero. Not collective. */
PetscErrorCode EngramDensityCreate(const EngramGrid *grid, EngramDensity *density);

/** Frees a density; may be called twice. Not collective. */
PetscErrorCode EngramDensityDestroy(EngramDensity *density);

/** Exchange of the outermost columns with the neighbours. */
typedef struct EngramHalo *EngramHalo;

/** What a rank knows of a neighbour's outermost cell. */
typedef struct EngramGhost {
    const double *density; /**< [v_nodes]; zeros at the end of the axis */
    double firing_rate;    /**< N; zero at the end of the axis */
} EngramGhost;

/** Allocates the buffers and the persistent requests. Collective on the grid's communicator. */
PetscErrorCode EngramHaloCreate(const EngramGrid *grid, EngramHalo *halo);

/** Starts sending the outermost columns of `density` and the firing rates [w_local]. Collective. */
PetscErrorCode EngramHaloBegin(EngramHalo halo, const double *density, const double *firing_rate);

/** Waits for the neighbours' columns; they are valid until the next begin. Collective. */
PetscErrorCode EngramHaloEnd(EngramHalo halo, EngramGhost *left, EngramGhost *right);

/** Frees the halo; accepts NULL, and one already destroyed. Collective. */
PetscErrorCode EngramHaloDestroy(EngramHalo *halo);

#endif
