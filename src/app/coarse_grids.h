/**
 * @file coarse_grids.h
 * The coarser grids and steps that tell how large the error of a run is.
 *
 * All parts of the error, those of w, of v and of time, are made larger by the same factor where
 * that is possible, so that one difference of two runs tells of all of them: docs/numerics.md,
 * section 14.
 */
#ifndef ENGRAM_SRC_APP_COARSE_GRIDS_H
#define ENGRAM_SRC_APP_COARSE_GRIDS_H

#include "engram/app/simulation.h"

/** Runs that are coarser than the one whose error is estimated, the finer one first. */
enum { COARSE_GRIDS = 2 };

/** One coarser run. */
typedef struct CoarseGrid {
    PetscInt v_cells;
    PetscInt w_cells;
    double step;      /* length of fixed steps */
    double tolerance; /* of adaptive ones */
    double interval;  /* between the times at which adaptive steps end, over that of the output */
} CoarseGrid;

/** All of them. */
typedef struct CoarseGrids {
    CoarseGrid grid[COARSE_GRIDS];
    double growth; /* R: by which the error grows from one to the next coarser one, at least */
} CoarseGrids;

/**
 * Chooses the grids. Not collective; the same on all ranks.
 *
 * @param reason  [size] why there are none, or empty
 */
PetscErrorCode CoarseGridsChoose(const EngramSimulation *simulation, CoarseGrids *grids,
                                 char *reason, size_t size);

/** Gives the options of a case the values of one of them, until the variation ends. */
PetscErrorCode CoarseGridVary(const EngramSimulation *simulation, const CoarseGrid *grid);

#endif
