/**
 * @file grid.h
 * The two axes, and the decomposition of the synaptic weight over ranks.
 *
 * Potential: nodes v_k = v_min + (k+1) h, k = 0 .. v_nodes-1, with h = (V_F - v_min)/v_cells and
 * v_nodes = v_cells - 1; the density vanishes at V_F, and V_R is one of the nodes. Weight: w_cells
 * cells of width dw; rank r holds the cells w_start .. w_start + w_local - 1.
 */
#ifndef ENGRAM_GRID_GRID_H
#define ENGRAM_GRID_GRID_H

#include <petscsys.h>

#include "engram/base/options.h"
#include "engram/kernels/exact_sum.h"

/** What a grid is made from. Potentials and weights are dimensionless. */
typedef struct EngramGridParameters {
    double v_min;
    double v_reset;
    double v_threshold;
    PetscInt v_cells;
    PetscInt v_order; /**< 2 or 4 */
    double w_min;
    double w_max;
    PetscInt w_cells;
    PetscInt w_order; /**< 1, 2 or 5: of the transport in w */
} EngramGridParameters;

/** The grid; read-only after creation. */
typedef struct EngramGrid {
    MPI_Comm comm; /**< borrowed */
    PetscMPIInt rank;
    PetscMPIInt size;
    PetscInt v_order; /**< 2 or 4: of the fluxes in v */
    PetscInt v_nodes;
    PetscInt reset_node; /**< index of the node of V_R */
    double v_min;
    double v_spacing;     /**< h */
    double w_min;         /**< lower face of the first cell of all ranks */
    PetscInt w_cells;     /**< of all ranks */
    PetscInt w_start;     /**< first cell of this rank */
    PetscInt w_local;     /**< cells of this rank, at least 1 */
    PetscInt w_stride;    /**< distance of two rows of a density in memory, >= w_local */
    double w_spacing;     /**< dw; 1 when w_min = w_max */
    double *w;            /**< [w_local + 2] weight at the centre of the left ghost cell, the cells,
                               the right ghost cell; owned */
    double *w_left_face;  /**< [w_local + 3] weight at the face left of each of these cells, and at
                               the last one; NaN at and beyond the ends of the axis; owned */
    double *w_quadrature; /**< [w_local + 2] weight of each cell of w, ghosts included, in integrals
                               over w, as a part of dw; owned. 1, but for the four cells at either
                               end of the axis where the transport is of order 5 */
} EngramGrid;

/** The options of the grid, for registration. */
extern const EngramOptionTable EngramGridOptions;

/** Reads the grid's parameters, but for the order of the transport. Not collective. */
PetscErrorCode EngramGridParametersGet(EngramOptions options, EngramGridParameters *parameters);

/**
 * Whether there can be such a grid on so many ranks. Not collective.
 * @return ENGRAM_ERR_INPUT with what is the matter
 */
PetscErrorCode EngramGridCheck(const EngramGridParameters *parameters, PetscInt ranks);

/**
 * Cells from v_min to V_R of a potential axis of `v_cells` cells, whatever count the parameters
 * have; -1 when V_R falls between two nodes. Not collective.
 */
PetscInt EngramGridCellsBelowReset(const EngramGridParameters *parameters, PetscInt v_cells);

/**
 * Creates a grid. Collective on `comm`.
 *
 * @return ENGRAM_ERR_INPUT when V_R falls on no node (the message names the nearest counts of cells
 *         that work), an axis is empty, or there are more ranks than cells of w
 */
PetscErrorCode EngramGridCreate(MPI_Comm comm, const EngramGridParameters *parameters,
                                EngramGrid **grid);

/** Potential at node k. Not collective. */
double EngramGridPotential(const EngramGrid *grid, PetscInt node);

/** Weight at the centre of a cell, counted over all ranks. Not collective. */
double EngramGridWeight(const EngramGrid *grid, PetscInt cell);

/**
 * Adds to a sum the integral over w of what this rank holds, divided by dw: exact, so that the sum
 * over all ranks does not depend on their number. Not collective.
 *
 * @param values  [w_local] at the centres of the cells
 */
void EngramGridAddToSum(const EngramGrid *grid, const double *values, EngramExactSum *sum);

/** Frees the grid; accepts NULL, and one already destroyed. Not collective. */
PetscErrorCode EngramGridDestroy(EngramGrid **grid);

#endif
