/**
 * @file transport_fifth.h
 * Conservative transport of the density in the synaptic weight w: one explicit step of fifth order
 * in w.
 *
 * The scheme is one of finite differences: p_i is the density at the centre of cell i. The flux is
 * the sum of two streams, learning with a_i = (dt/dw) Phi_i and decay with a_i = -(dt/dw) w_i. Of
 * each, the flux G through the face between the cells i and i+1 is reconstructed from five values
 * of q = a p, those of the cells i-2 .. i+2 where a > 0 on both sides of the face, those of i+3 ..
 * i-1 where a < 0, and the mean of both where a changes sign:
 *
 *     G = (2 q_{i-2} - 13 q_{i-1} + 47 q_i + 27 q_{i+1} - 3 q_{i+2}) / 60 ,   a > 0 ,
 *
 * and likewise from the right. Differences of G are (dw) dq/dw to fifth order for any smooth q,
 * also where a changes sign. The value is limited where it is not between q_i and q_i +
 * minmod(q_{i+1} - q_i, alpha (q_i - q_{i-1})), to the bounds of the scheme MP5 (A. Suresh, H. T.
 * Huynh, J. Comput. Phys. 136 (1997) 83, eqs. 2.12 and 2.24 to 2.29) with two changes. Curvatures
 * at a face are the smallest of all cells at hand, not of two alone; and alpha is 4 for learning,
 * 1.2 for decay. Else a tooth stays in the shoulder of a front at rest.
 *
 * One stream of Phi - w would not do: where eps = 0 Phi is proportional to the density,
 * disturbances move with 2 Phi - w, and the sign of Phi - w may be the wrong one.
 *
 * Ends of the axis. A sum over the cells is an integral to fifth order with the weights
 *
 *     c = 6463/5760, 1457/1920, 741/640, 5537/5760, 1, 1, ...
 *
 * from either end (EngramGrid.w_quadrature), and what a step keeps is the sum of c_i p_i. Cell i
 * gains (G_i - G_{i+1})/c_i, with the fluxes of the three faces next to an end such that this is
 * the difference of the reconstructed ones (docs/numerics.md, section 7).
 *
 * Positivity. G is clipped: 2 |a| c p may leave a cell with the flow, and, beside a change of sign,
 * where the flux of a smooth q may be directed against a, as much as the larger |a| at the face
 * allows, in both directions. What a cell gives away is together at most
 * ENGRAM_TRANSPORT_LARGEST_COURANT c p where (dt/dw) (|Phi| + |w|) is at most half of this: then no
 * new value is below zero, bit for bit. Products below the normal numbers have to be flushed to
 * zero (EngramDenormalsFlush).
 *
 * Every face and every cell has the same bits wherever the boundary between two processes lies.
 */
#ifndef ENGRAM_KERNELS_TRANSPORT_FIFTH_H
#define ENGRAM_KERNELS_TRANSPORT_FIFTH_H

#include <stddef.h>

/** Ghost cells at either side. */
#define ENGRAM_TRANSPORT_FIFTH_GHOSTS 3

/** Cells at an end of the axis whose quadrature weight is not one. */
#define ENGRAM_TRANSPORT_FIFTH_END_CELLS 4

/** Fewest cells of one process, and of the axis. */
#define ENGRAM_TRANSPORT_FIFTH_LOCAL_CELLS 5
#define ENGRAM_TRANSPORT_FIFTH_CELLS 8

/** Doubles that an array over the faces of `cells` cells needs. */
#define ENGRAM_TRANSPORT_FIFTH_FACES(cells) ((cells) + 1 + 8)

/** One of the two streams. */
typedef struct EngramTransportStream {
    double *velocity;  /**< [cells + 6] a of three ghost cells, the cells, and three ghost cells */
    double *from_left; /**< [FACES(cells)] share of the value from the left: 1, 1/2 or 0 */
    double *to_right;  /**< [FACES(cells)] most that moves right, for each p left of the face */
    double *to_left;   /**< [FACES(cells)] most that moves left, for each p right of the face */
} EngramTransportStream;

/** The two streams. */
enum { ENGRAM_STREAM_LEARNING, ENGRAM_STREAM_DECAY, ENGRAM_STREAMS };

/** Velocities of one step over dw/dt, for the cells of one process. Owned by the caller. */
typedef struct EngramTransportFifth {
    EngramTransportStream stream[ENGRAM_STREAMS];
    const double *quadrature; /**< [cells + 2] c of the left ghost cell, the cells, and the right
                                   ghost cell; borrowed */
    int is_first;             /**< whether the axis begins with the first cell */
    int is_last;              /**< whether it ends with the last one */
} EngramTransportFifth;

/**
 * The velocities of one step.
 *
 * @param cells       cells of this process, at least ENGRAM_TRANSPORT_FIFTH_LOCAL_CELLS
 * @param step_ratio  dt/dw
 * @param phi         [cells + 6] Phi of three ghost cells, the cells, and three ghost cells
 * @param weight      [cells + 6] w at the centres of these
 * @param fifth       what is filled in; its quadrature and its ends are given
 */
void EngramTransportFifthCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                 const double *weight, const EngramTransportFifth *fifth);

/**
 * Moves the content of all rows (one row a potential). Ghosts beyond an end of the axis continue
 * the cells smoothly and may have any sign.
 *
 * @param rows         rows of the density
 * @param cells        cells of this process
 * @param stride       distance of two rows
 * @param fifth        of this step
 * @param left_ghost   [3 * rows] density of the three cells left of the first one: of row k the
 * cell -3 at 3k and the cell -1 at 3k + 2
 * @param right_ghost  [3 * rows] density of the three cells right of the last one, the nearest
 * first
 * @param density      [rows * stride] p[row * stride + cell], non-negative
 * @param moved        [rows * stride] what becomes of it; may be the same array
 */
void EngramTransportFifthApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                               const EngramTransportFifth *fifth, const double *left_ghost,
                               const double *right_ghost, const double *density, double *moved);

#endif
