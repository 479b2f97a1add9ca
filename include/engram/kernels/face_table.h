/**
 * @file face_table.h
 * The faces of the voltage grid, and the weights of the flux on them.
 *
 * Node k = 0..nodes-1 lies at v_min + (k+1) h; the density is zero at the threshold
 * V_F = v_min + (nodes+1) h. Face k lies half a cell to the right of node k; the last face,
 * nodes-1, is the one towards the threshold, and no flux crosses the boundary left of node 0.
 *
 * The flux through face k for the drift mu of the network and the drift f(v) of the neuron itself
 * is
 *
 *     F = (a/h) g [ B(-q) p_k - B(q) p_{k+1} ] ,      q = (mu + f_k) h/a ,   f_k the mean of f
 *                                                     over the cell from node k to node k+1
 *     B(x) = x / (e^x - 1)    Scharfetter-Gummel, written B(-+q) = E +- q/2, E = (q/2) coth(q/2)
 *     B(x) = 2 / (1 + e^x)    harmonic mean of the equilibrium density at the two nodes
 *
 * Both have B(-x) = B(x) e^x, so both have the same steady state without flux. Order 2 has g = 1.
 * Order 4 takes the slope of the drift over the cell into account: with s = -f' h^2/(2a) the flux
 * is exact where it is constant over the cell and f is a straight line, if
 *
 *     g = e^{s/4} <e^{-q x}> / <e^{-q x + s x^2}> ,   <.> the mean over -1/2 < x < 1/2
 *       = 1 + s m + O(s^2) ,   m(q) = 2 (E - 1)/q^2 .
 *
 * The code has g = 1 + s m + c m^2 with c such that it is exact at q = 0; it is exact for large
 * |q|, too, where m = 1/|q|, and elsewhere to the fourth order that is wanted. The harmonic flux
 * has order 2, and loses the drift where |q| is large.
 *
 * Source: D. L. Scharfetter, H. K. Gummel, IEEE Trans. Electron Devices 16 (1969) 64; for the
 * Fokker-Planck equation J. S. Chang, G. Cooper, J. Comput. Phys. 6 (1970) 1. The harmonic mean:
 * Hu, Liu, Xie, Zhou (arXiv 1911.07619), section 2. Order 4: docs/numerics.md.
 *
 * The kernels work with the weights kappa (a/h^2) g B, kappa = h^2/(12 a), which depend on the
 * drift and on nothing else: with g B/12.
 */
#ifndef ENGRAM_KERNELS_FACE_TABLE_H
#define ENGRAM_KERNELS_FACE_TABLE_H

#include <stddef.h>

/** The weights B of the flux. */
typedef enum EngramFlux {
    ENGRAM_FLUX_SCHARFETTER_GUMMEL,
    ENGRAM_FLUX_HARMONIC,
} EngramFlux;

/** Largest degree of the polynomial for m in q^2. */
enum { ENGRAM_FACE_DEGREE = 14 };

/** What the weights of a face are made of, for the noise that is set. Dimensionless. */
typedef struct EngramFace {
    double position; /**< -f_k h/a: q is the scaled drift, mu h/a, less this */
    double slope;    /**< s/24 */
    double curve;    /**< c/24 */
} EngramFace;

/** Geometry of the faces and what is tabulated on them. */
typedef struct EngramFaceTable {
    int nodes;         /**< unknown nodes of one slice */
    int reset_node;    /**< node of the reset potential V_R */
    double v_min;      /**< lower end of the potential axis */
    double spacing;    /**< h */
    double noise;      /**< a */
    EngramFlux flux;   /**< which B */
    int order;         /**< 2 or 4: of fluxes and time derivative */
    double refractory; /**< mean time spent in the refractory state, in reacting time; 0: none */
    double kappa;      /**< h^2/(12 a), in reacting time */
    double lowest;     /**< least position of a face, or of V_F */
    double highest;    /**< largest one */
    double threshold_position;           /**< -f(V_F) h/a */
    double reset_position;               /**< -f(V_R) h/a */
    double largest_factor;               /**< g at most */
    double largest_q;                    /**< the polynomial for m is made for |q| up to this */
    int degree;                          /**< of the polynomial, in q^2 */
    double mean[ENGRAM_FACE_DEGREE + 1]; /**< its coefficients */
    EngramFace *faces;                   /**< [nodes]; owned */
    double *drift;                       /**< [nodes] f_k; owned */
    double *drift_slope;                 /**< [nodes] f' on the face; owned */
} EngramFaceTable;

/**
 * Tabulates the faces of a grid. The caller frees the table with EngramFaceTableDestroy.
 *
 * @param table       what is filled in
 * @param nodes       unknown nodes, at least 2
 * @param reset_node  node of V_R, 0 <= reset_node < nodes
 * @param v_min       lower end of the potential axis
 * @param spacing     h > 0
 * @param noise       a > 0
 * @param flux        which weights
 * @return 0, or 1 when memory ran out
 */
int EngramFaceTableCreate(EngramFaceTable *table, int nodes, int reset_node, double v_min,
                          double spacing, double noise, EngramFlux flux);

/**
 * Gives the neuron another drift than f(v) = -v, with which a table is made.
 *
 * @param drift  [nodes] mean of f over the cell from node k to node k+1, finite
 * @param slope  [nodes] slope of f over that cell
 */
void EngramFaceTableSetDrift(EngramFaceTable *table, const double *drift, const double *slope);

/** Chooses order 2, which a table is made with, or 4; a harmonic flux stays what it is. */
void EngramFaceTableSetOrder(EngramFaceTable *table, int order);

/** Tabulates the faces anew for another noise a > 0; nothing is done where it is the same. */
void EngramFaceTableSetNoise(EngramFaceTable *table, double noise);

/**
 * Gives the slices a refractory state of mean duration tau >= 0, in units of the reacting time: a
 * neuron that fires waits there before it is put back at the reset potential.
 */
void EngramFaceTableSetRefractory(EngramFaceTable *table, double refractory);

/**
 * The lambda with which neurons leave the refractory state in a step. Its content is R + kappa (N -
 * R/tau), so a noise that changes moves some of it: for order 4 lambda + kappa - last_kappa, where
 * that is positive.
 *
 * @param last_kappa  as in EngramSliceStep
 */
double EngramFaceTableReturning(const EngramFaceTable *table, double lambda, double last_kappa);

/**
 * kappa of a slice with this drift, in reacting time: h^2/(12 a) for order 4, less where a cell is
 * so coarse that the explicit part of a step would take more out of a node than there is; 0 for
 * order 2.
 */
double EngramFaceTableKappa(const EngramFaceTable *table, double drift);

/** Rows of a density: the nodes and, where there is one, the refractory state after them. */
int EngramFaceTableRows(const EngramFaceTable *table);

/** Frees the arrays of a table; accepts NULL, and a table already destroyed. */
void EngramFaceTableDestroy(EngramFaceTable *table);

/**
 * The weights of one face for `slices` drifts: up[i] = B(-q_i), the weight of the node left of the
 * face, and down[i] = B(q_i), that of the node right of it (dimensionless).
 *
 * @param face   0 .. nodes-1
 * @param drift  [slices] mu, in units of the potential
 */
void EngramFaceWeights(const EngramFaceTable *table, int face, ptrdiff_t slices,
                       const double *drift, double *up, double *down);

#endif
