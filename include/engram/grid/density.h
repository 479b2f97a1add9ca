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

/**
 * Rows over the slices of this rank, zero in the padding: a density p[k * w_stride + i] (node k,
 * cell i), where there is a refractory state its content over h as the last row, or the one row of
 * a distribution of weights.
 */
typedef struct EngramDensity {
    PetscInt rows;
    double *values; /**< [rows * w_stride], owned */
    Vec vec;        /**< sequential vector over `values`, owned */
} EngramDensity;

/** Allocates rows, set to zero. Not collective. */
PetscErrorCode EngramDensityCreate(const EngramGrid *grid, PetscInt rows, EngramDensity *density);

/** Frees a density; may be called twice. Not collective. */
PetscErrorCode EngramDensityDestroy(EngramDensity *density);

/** Exchange of the outermost columns with the neighbours. */
typedef struct EngramHalo *EngramHalo;

/** What a rank knows of a neighbour's outermost cells, in the order of the axis. */
typedef struct EngramGhost {
    const double *columns;     /**< [rows][width] */
    const double *velocity;    /**< [width] */
    const double *firing_rate; /**< [width] */
} EngramGhost;

/** What travels. */
typedef struct EngramHaloSource {
    const double *density;     /**< values of a density */
    const double *velocity;    /**< [w_local] */
    const double *firing_rate; /**< [w_local] */
} EngramHaloSource;

/**
 * Allocates the buffers and the persistent requests. Collective on the grid's communicator.
 *
 * @param rows   rows of the densities to come
 * @param width  1, 2 or 3 columns. At an end of the axis one ghost is empty, two mirror the end
 *               cell (no slope is seen there), three continue the five cells there as a polynomial
 *               of degree 4: at least five cells on each rank
 */
PetscErrorCode EngramHaloCreate(const EngramGrid *grid, PetscInt rows, PetscInt width,
                                EngramHalo *halo);

/** Starts sending the outermost cells. Collective. */
PetscErrorCode EngramHaloBegin(EngramHalo halo, const EngramHaloSource *source);

/** Waits for the neighbours' columns; they are valid until the next begin. Collective. */
PetscErrorCode EngramHaloEnd(EngramHalo halo, EngramGhost *left, EngramGhost *right);

/** Frees the halo; accepts NULL, and one already destroyed. Collective. */
PetscErrorCode EngramHaloDestroy(EngramHalo *halo);

#endif
