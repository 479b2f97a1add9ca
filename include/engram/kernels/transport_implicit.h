/**
 * @file transport_implicit.h
 * Conservative transport of the density in the synaptic weight w: one implicit step of any length
 * over the whole axis, and a correction that makes it second order in w.
 *
 * The step is backward Euler with the flux of transport.h. With r_i = (dt/dw) (Phi_i^+ + w_right^-)
 * and l_i = (dt/dw) (Phi_i^- + w_left^+), where w_left and w_right are those of the faces of cell i
 * and both are zero at a closed face, it reads
 *
 *     (1 + r_i + l_i) x_i - r_{i-1} x_{i-1} - l_{i+1} x_{i+1} = b_i .
 *
 * Every column of this M-matrix sums to one. It is eliminated from left to right without a
 * subtraction (W. K. Grassmann, M. I. Taksar, D. P. Heyman, Oper. Res. 33 (1985) 1107): with the
 * column sum c_i of what is left of the matrix, c_0 = 1,
 *
 *     pivot_i = c_i + r_i ,   c_{i+1} = 1 + c_i l_{i+1} / pivot_i .
 *
 * Written for T_i = c_i x_i the elimination moves mass about: of what comes to a cell on the way to
 * the right, with its own b_i, the fraction r_i/pivot_i goes on and the fraction c_i/pivot_i turns;
 * on the way back T_i is what has turned and what arrives from the right, and of that the fraction
 * 1/c_i settles, as x_i, and the rest goes on. Of such a pair the smaller fraction is rounded
 * relative to itself and the larger is what it leaves of 1: no digits are lost at any length of
 * step, mass is kept up to round-off, and x >= 0 bit for bit.
 *
 * Memory is transposed, so that the arithmetic runs over rows (one row a potential): a row's value
 * of a cell is at content[cell * stride + row]. A row is worked on entry by entry: its bits depend
 * neither on its place nor on the number of rows.
 */
#ifndef ENGRAM_KERNELS_TRANSPORT_IMPLICIT_H
#define ENGRAM_KERNELS_TRANSPORT_IMPLICIT_H

#include <stddef.h>

/** Fractions of the elimination, one entry a cell of the axis. Owned by the caller. */
typedef struct EngramTransportFactors {
    double *to_right; /**< [cells] of what a cell has got on the way to the right, what goes on */
    double *turns;    /**< [cells] and what turns back */
    double *to_left;  /**< [cells] of what it has got on the way to the left, what goes on */
    double *settles;  /**< [cells] and what stays */
} EngramTransportFactors;

/**
 * The elimination of one step, the same for all rows.
 *
 * @param cells        cells of the axis
 * @param step_ratio   dt/dw, of any size
 * @param phi          [cells] Phi
 * @param face_w       [cells + 1] w on the face left of each cell and on the last one; a NaN closes
 *                     a face, and the two at the ends are closed whatever they hold
 * @param factors      what is filled in
 */
void EngramTransportFactorise(ptrdiff_t cells, double step_ratio, const double *phi,
                              const double *face_w, const EngramTransportFactors *factors);

/**
 * One implicit step of all rows, in place.
 *
 * @param cells     cells of the axis
 * @param rows      rows
 * @param stride    distance of two cells
 * @param factors   of this step
 * @param content   [cells * stride] content[cell * stride + row], non-negative
 */
void EngramTransportSolve(ptrdiff_t cells, ptrdiff_t rows, ptrdiff_t stride,
                          const EngramTransportFactors *factors, double *content);

/**
 * Adds to the solution of an implicit step the difference between the flux of second order of
 * transport_limited.h and that of first order, both taken with this solution; the slopes of the
 * first and of the last cell are zero. What leaves a cell by these antidiffusive fluxes is scaled
 * down to 0.9 of its content where it is more (S. T. Zalesak, J. Comput. Phys. 31 (1979) 335), so
 * every value stays non-negative, bit for bit, whatever the length of the step. A cell of less than
 * 2^-1000 gives nothing away: fractions of such a number may be rounded upwards by more than the
 * rest of 0.1.
 *
 * @param cells        cells of the axis
 * @param rows         rows
 * @param stride       distance of two cells
 * @param step_ratio   dt/dw
 * @param phi          [cells] Phi
 * @param face_w       [cells + 1] as in EngramTransportFactorise
 * @param content      [cells * stride] content[cell * stride + row], non-negative
 */
void EngramTransportSharpen(ptrdiff_t cells, ptrdiff_t rows, ptrdiff_t stride, double step_ratio,
                            const double *phi, const double *face_w, double *content);

#endif
