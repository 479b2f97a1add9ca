/**
 * @file model.h
 * The neuron and its network: noise, time scales, input, response, learning rule, initial density.
 *
 * The density p(w, v, t) of neurons with synaptic weight w and potential v obeys
 *
 *     dp/dt + d/dw[(Phi - w) p] = (1/eps) { a p_vv - d/dv[(-v + mu) p] + N delta(v - V_R) } ,
 *     mu = I(w,t) + w sigma(Nbar),   Phi = K(w) N(w,t) Nbar(t),   Nbar = integral of N dw ,
 *
 * where sigma and a may see Nbar at t - eps d (a transmission delay), and where N delta may be
 * replaced by (R/tau) delta with a refractory state R(w,t), eps dR/dt = N - R/tau + transport,
 * which is part of the mass and of H (M. J. Caceres, B. Perthame, J. Theor. Biol. 350 (2014) 81).
 *
 * Source: He, Hu, Zhou (arXiv 2109.04667), equations (1.1)-(1.6); the model of Perthame, Salort,
 * Wainrib (arXiv 1706.05796). All quantities are dimensionless.
 */
#ifndef ENGRAM_MODEL_MODEL_H
#define ENGRAM_MODEL_MODEL_H

#include <petscsys.h>

#include "engram/base/options.h"
#include "engram/grid/density.h"
#include "engram/grid/grid.h"
#include "engram/kernels/face_table.h"
#include "engram/model/expression.h"
#include "engram/model/input.h"
#include "engram/model/learning_rule.h"

/** What a phase of a protocol may have of its own. */
typedef struct EngramModelPhase {
    double begin;         /**< time at which it begins: s = t - begin */
    double epsilon;       /**< eps >= 0: reacting over learning time scale; 0: the limit */
    PetscBool plasticity; /**< false: frozen weights, no transport in w at all */
    EngramInput input;    /**< I(w, t) */
} EngramModelPhase;

/** The model; read-only but for EngramModelEnter. */
typedef struct EngramModel {
    EngramModelPhase phase; /**< the present one; its input is borrowed */
    double delay;           /**< d >= 0, in units of the reacting time */
    double
        longest_delay; /**< eps d of the phase in which it is longest: what the past is kept for */
    double refractory; /**< tau >= 0, mean refractory time in units of the reacting time */
    double initial_rate;            /**< Nbar before t = 0 */
    EngramFlux flux;                /**< weights of the flux in v */
    PetscBool initial_quasi_static; /**< the initial density is to give only H */
    PetscBool quasi_static_start;   /**< it does: always so for eps = 0 */
    PetscBool uses_weights_only;    /**< nothing starts from its potentials, whose rates need not
                                         exist */
    EngramExpression drift;         /**< f(v); owned */
    EngramExpression noise;         /**< a(N) > 0; owned */
    EngramInput input;              /**< I(w, t) outside of phases; owned */
    EngramExpression response;      /**< sigma(N); owned */
    EngramExpression learning;      /**< K(w); owned */
    EngramExpression initial;       /**< initial density in w and v, up to its mass; owned */
} EngramModel;

/** The options of the model, for registration. */
extern const EngramOptionTable EngramModelOptions;

/** Creates the model from its options. @return ENGRAM_ERR_INPUT for bad expressions. Collective. */
PetscErrorCode EngramModelCreate(EngramOptions options, EngramModel **model);

/**
 * Gives the model what a phase has, between two steps; whoever keeps something of it must be told
 * (EngramStepperFollowModel). The input is borrowed. Not collective.
 * @return ENGRAM_ERR_INPUT when it does not go with the rest of the model
 */
PetscErrorCode EngramModelEnter(EngramModel *model, const EngramModelPhase *phase);

/**
 * Evaluates the input I(w, t) at `count` weights. Not collective.
 * A value that is not finite is stored as it is; it shows in the total firing rate.
 */
void EngramModelInput(const EngramModel *model, double time, PetscInt count, const double *w,
                      double *input);

/**
 * The drift f(v) of the neuron by itself: its mean over the cell from each node to the next one
 * (the last one to the threshold) by Simpson's rule, and its slope there; [v_nodes] each. Not
 * collective.
 * @return ENGRAM_ERR_INPUT where it is not finite
 */
PetscErrorCode EngramModelDrift(const EngramModel *model, const EngramGrid *grid, double *mean,
                                double *slope);

/** sigma(N). Not collective. */
double EngramModelResponse(const EngramModel *model, double total_rate);

/** a(N), which is positive at rest but need not be so everywhere. Not collective. */
double EngramModelNoise(const EngramModel *model, double total_rate);

/**
 * Evaluates the learning rule at the cells of this rank. Collective on the grid's communicator.
 *
 * @param rule  with room for w_local cells, to be filled in
 * @return ENGRAM_ERR_INPUT when a value is not finite
 */
PetscErrorCode EngramModelLearning(const EngramModel *model, const EngramGrid *grid,
                                   EngramLearningRule *rule);

/**
 * The initial density at the nodes and cell centres, not yet normalised; of order 4 with what the
 * nodes leave out of it (initial_edges.h). None wait in the refractory state but those who are at
 * the threshold. Collective.
 *
 * @param threshold_slope  [w_local] of order 4: -dp/dv at V_F, likewise not normalised
 * @return ENGRAM_ERR_INPUT when a value is negative or not finite
 */
PetscErrorCode EngramModelInitialDensity(const EngramModel *model, const EngramGrid *grid,
                                         const EngramDensity *density, double *threshold_slope);

/** Frees the model; accepts NULL, and one already destroyed. Not collective. */
PetscErrorCode EngramModelDestroy(EngramModel **model);

#endif
