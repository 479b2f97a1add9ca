/**
 * @file transport.h
 * Conservative transport of the density in the synaptic weight w: one explicit upwind step.
 *
 * The learning velocity Phi - w is split and each part upwinded by its own sign, because Phi
 * depends on the density: an average of Phi over the two cells of a face would decouple odd from
 * even cells. The flux through the face between the cells i and i+1 is
 *
 *     G = Phi_i^+ p_i - Phi_{i+1}^- p_{i+1} - w_face^+ p_{i+1} + w_face^- p_i ,
 *
 * with x^+ = max(x, 0) and x^- = max(-x, 0). In the limit eps -> 0 this is the flux of B. Engquist
 * and S. Osher, Math. Comp. 36 (1981) 321, for the quadratic flux function of that limit.
 *
 * A step is written with the fractions of a cell's content that move to either neighbour. They are
 * rounded to multiples of 2^-52, so that the fraction that stays is exact: no mass is made or lost
 * in the coefficients, and with the CFL condition all of them are non-negative bit for bit.
 */
#ifndef ENGRAM_KERNELS_TRANSPORT_H
#define ENGRAM_KERNELS_TRANSPORT_H

#include <stddef.h>

/**
 * Fractions of one step, for the cells of one process and the ghost cell at either end: index 0 is
 * the left ghost, 1 .. cells are the cells, cells+1 is the right ghost. Owned by the caller.
 */
typedef struct EngramTransportFractions {
    double *to_left;  /**< [cells + 2] fraction of a cell's content that moves to its left */
    double *stays;    /**< [cells + 2] */
    double *to_right; /**< [cells + 2] */
} EngramTransportFractions;

/**
 * The fractions of one step.
 *
 * @param cells         cells of this process
 * @param step_ratio    dt/dw, such that (max|Phi| + max|w|) dt/dw <= 1
 * @param phi           [cells + 2] Phi of the cells and of the two ghosts
 * @param left_face_w   [cells + 3] w on the face left of each of these cells, and on the last face;
 *                      a NaN marks a face at the end of the axis, through which nothing moves
 * @param fractions     what is filled in
 */
void EngramTransportFractionsCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                     const double *left_face_w,
                                     const EngramTransportFractions *fractions);

/**
 * Moves the content of all rows (one row a potential).
 *
 * @param rows         rows of the density
 * @param cells        cells of this process
 * @param stride       distance of two rows
 * @param fractions    of this step
 * @param left_ghost   [rows] density of the cell left of the first one (finite; 0 at the end)
 * @param right_ghost  [rows] density of the cell right of the last one
 * @param density      [rows * stride] p[row * stride + cell]
 * @param moved        [rows * stride] what becomes of it; may be the same array
 */
void EngramTransportApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                          const EngramTransportFractions *fractions, const double *left_ghost,
                          const double *right_ghost, const double *density, double *moved);

#endif
