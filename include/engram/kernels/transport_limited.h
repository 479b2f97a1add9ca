/**
 * @file transport_limited.h
 * Conservative transport of the density in the synaptic weight w: one explicit step of second order
 * in w.
 *
 * Each part of the split flux of transport.h is reconstructed linearly within the cell it comes
 * from, towards the face. With phi = (dt/dw) Phi, d = (dt/dw) w_face, x^+ = max(x, 0) and
 * x^- = max(-x, 0) the content that moves through the face between the cells i and i+1 is
 *
 *     G =   (a + S(a)/2)_i     - (b - S(b)/2)_{i+1}           a = phi^+ p,  b = phi^- p
 *         + d^- (p + S(p)/2)_i - d^+ (p - S(p)/2)_{i+1} ,
 *
 * with the monotonised central slope S(q)_i = minmod(2 l, 2 r, (l + r)/2) of the differences
 * l = q_i - q_{i-1} and r = q_{i+1} - q_i (B. van Leer, J. Comput. Phys. 23 (1977) 276).
 *
 * A face's G is added to one cell and taken from the other as the same number, so mass is kept up
 * to the rounding of these sums.
 *
 * Positivity. Since q >= 0 and rounding is monotone, the rounded l is at most q_i and the rounded r
 * at least -q_i; |S/2| is at most |l| and |r| and has their sign, so q +- S/2 lies in [0, 2 q_i]
 * after rounding, too. A cell thus gives away at most 2 (|phi_i| + d_left^+ + d_right^-) p_i and
 * some units of round-off. Where this number is at most ENGRAM_TRANSPORT_LARGEST_COURANT no new
 * value is below zero, bit for bit: what is left of the cell covers the round-off. Products below
 * the normal numbers have no such relative bound: they have to be flushed to zero, as
 * EngramDenormalsFlush does, or a cell of less than 2^-1060 may miss some units of 2^-1074.
 */
#ifndef ENGRAM_KERNELS_TRANSPORT_LIMITED_H
#define ENGRAM_KERNELS_TRANSPORT_LIMITED_H

#include <stddef.h>

/** Largest 2 (|phi_i| + d_left^+ + d_right^-) at which every new value is non-negative. */
#define ENGRAM_TRANSPORT_LARGEST_COURANT 0.9

/** Velocities of one step over dw/dt, for the cells of one process. Owned by the caller. */
typedef struct EngramTransportCourant {
    double *phi;   /**< [cells + 4] Phi of two ghost cells, the cells, and two ghost cells */
    double *decay; /**< [cells + 1] w on the face left of each cell, and on the last face */
    double *open;  /**< [cells + 1] 1, or 0 for a face through which nothing moves */
} EngramTransportCourant;

/**
 * The velocities of one step.
 *
 * @param cells         cells of this process
 * @param step_ratio    dt/dw
 * @param phi           [cells + 4] Phi of two ghost cells, the cells, and two ghost cells; beyond
 * an end of the axis that of the mirrored cell
 * @param left_face_w   [cells + 3] w on the face left of the ghost cell next to the first cell,
 * left of each cell, left of the ghost cell next to the last one, and right of that; a NaN marks a
 * face at the end of the axis, through which nothing moves
 * @param courant       what is filled in
 */
void EngramTransportCourantCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                   const double *left_face_w,
                                   const EngramTransportCourant *courant);

/**
 * Moves the content of all rows (one row a potential). Beyond an end of the axis the
 * ghosts mirror the cells, so that the slope in the last cell is zero.
 *
 * @param rows         rows of the density
 * @param cells        cells of this process
 * @param stride       distance of two rows
 * @param courant      of this step
 * @param left_ghost   [2 * rows] density of the two cells left of the first one: of row k the cell
 *                     -2 at 2k and the cell -1 at 2k + 1
 * @param right_ghost  [2 * rows] density of the two cells right of the last one, the nearer first
 * @param density      [rows * stride] p[row * stride + cell], non-negative
 * @param moved        [rows * stride] what becomes of it; may be the same array
 */
void EngramTransportLimitedApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                                 const EngramTransportCourant *courant, const double *left_ghost,
                                 const double *right_ghost, const double *density, double *moved);

#endif
