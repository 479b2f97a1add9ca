/**
 * @file face_table.h
 * The faces of the voltage grid, and the weights of the flux on them.
 *
 * Node k = 0..nodes-1 lies at v_min + (k+1) h; the density is zero at the threshold
 * V_F = v_min + (nodes+1) h. Face k lies half a cell to the right of node k; the last face,
 * nodes-1, is the one towards the threshold, and no flux crosses the boundary left of node 0.
 *
 * The flux through face k for the drift mu is, with q = (mu - v_face) h / a,
 *
 *     F = (a/h) [ B(-q) p_k - B(q) p_{k+1} ]
 *
 *     B(x) = x / (e^x - 1)    Scharfetter-Gummel
 *     B(x) = 2 / (1 + e^x)    harmonic mean of the equilibrium density at the two nodes
 *
 * Both have B(-x) = B(x) e^x, so both have the same steady state without flux, and both are of
 * second order. The harmonic one loses the drift where |q| is large: B(-q) - B(q) is q for the
 * first, and at most 2 for the second.
 *
 * Source: D. L. Scharfetter, H. K. Gummel, IEEE Trans. Electron Devices 16 (1969) 64; for the
 * Fokker-Planck equation J. S. Chang, G. Cooper, J. Comput. Phys. 6 (1970) 1. The harmonic mean:
 * Hu, Liu, Xie, Zhou (arXiv 1911.07619), section 2.
 *
 * B is never formed by itself: B(-q) = forward/gap and B(q) = backward/gap with a triple
 * (forward, backward, gap) of one sign that is known up to a common factor. The elimination needs
 * one division with the triple where it would need two with B.
 */
#ifndef ENGRAM_KERNELS_FACE_TABLE_H
#define ENGRAM_KERNELS_FACE_TABLE_H

#include <stddef.h>

/** The weights B of the flux. */
typedef enum EngramFlux {
    ENGRAM_FLUX_SCHARFETTER_GUMMEL,
    ENGRAM_FLUX_HARMONIC,
} EngramFlux;

/** Geometry of the faces and what is tabulated on them. All quantities are dimensionless. */
typedef struct EngramFaceTable {
    int nodes;           /**< unknown nodes of one slice */
    int reset_node;      /**< node of the reset potential V_R */
    double v_min;        /**< lower end of the potential axis */
    double spacing;      /**< h */
    double noise;        /**< a */
    double reference;    /**< potential the scaled potentials are measured from */
    double drift_bound;  /**< scaled drifts are clamped to +- this value (factored tables only) */
    EngramFlux flux;     /**< which B */
    int factored;        /**< 1: e^q is a product of tables; 0: e^q is evaluated on each face */
    double refractory;   /**< mean time spent in the refractory state, in reacting time; 0: none */
    double *scaled_face; /**< [nodes] (v_face - reference) h / a; owned */
    double *face_factor; /**< [nodes] exp(-scaled_face), or 1 where not factored; owned */
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

/** Tabulates the faces anew for another noise a > 0; nothing is done where it is the same. */
void EngramFaceTableSetNoise(EngramFaceTable *table, double noise);

/**
 * Gives the slices a refractory state of mean duration tau >= 0, in units of the reacting time: a
 * neuron that fires waits there before it is put back at the reset potential.
 */
void EngramFaceTableSetRefractory(EngramFaceTable *table, double refractory);

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
