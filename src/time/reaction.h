/**
 * @file reaction.h
 * The reacting part of one step on all slices of all ranks: the drift and noise that the activity
 * of the network causes, the implicit solve or the quasi-static state, and the rates.
 *
 * The activity is the total firing rate that drift and noise see: that of the beginning of a step
 * (lagged coupling), of its end (implicit), or of a time before (transmission delay).
 */
#ifndef ENGRAM_SRC_TIME_REACTION_H
#define ENGRAM_SRC_TIME_REACTION_H

#include "engram/base/reduction.h"
#include "engram/grid/density.h"
#include "engram/model/model.h"
#include "engram/solver/coupling.h"
#include "engram/solver/slice_solver.h"
#include "engram/time/stepper.h"
#include "rate_history.h"

/** What the reacting part needs; it updates the state of the stepper. */
typedef struct Reaction {
    const EngramGrid *grid;                   /* borrowed */
    const EngramModel *model;                 /* borrowed */
    EngramSliceSolver solver;                 /* borrowed */
    EngramReduction reduction;                /* borrowed */
    const EngramCouplingParameters *coupling; /* borrowed */
    const EngramLearningRule *rule;           /* borrowed */
    EngramState *state;                       /* borrowed */
    EngramDensity *density;                   /* p, filled from H where eps = 0; borrowed */
    double *input;                            /* [w_local] I(w, t) */
    double input_time;
    double input_factor; /* with which it was evaluated */
    EngramInputFactor factor;
    PetscBool input_is_steady;
    double delay;       /* eps d */
    double lagged_rate; /* what a lagged coupling sees; NaN: the rate at the start of the step */
    RateHistory history;
    const char *trial_failure; /* why an activity that was tried has no meaning, or NULL */
} Reaction;

/** Takes input and delay of the present phase of the model. Not collective. */
void ReactionFollowModel(Reaction *reaction);

/** Allocates what is needed; the borrowed members must be set. Collective. */
PetscErrorCode ReactionCreate(Reaction *reaction);

/**
 * Drift and noise of all slices for an activity at a time; notes both in the state. Where sigma or
 * the noise have no value for it the state is marked as failed. Not collective.
 */
void ReactionSetActivity(Reaction *reaction, double time, double activity);

/**
 * Changes the factor of the input after the present time; what belongs to that time and is computed
 * again keeps its own. Not collective.
 */
void ReactionChangeFactor(Reaction *reaction, double factor);

/** N, Nbar and max |K N| of rows that have been transported, with the present drift. Collective. */
PetscErrorCode ReactionRenewRates(Reaction *reaction, const EngramDensity *rows);

/**
 * Measures the mass of rows that have been transported and takes out what round-off has added.
 * Collective.
 */
PetscErrorCode ReactionRestoreMass(Reaction *reaction, const EngramDensity *rows);

/** How much of a step is wanted. */
typedef enum ReactionExtent {
    REACTION_SOLVE,     /**< the new density and the rates of the slices; nothing for eps = 0 */
    REACTION_WITH_RATE, /**< Nbar and the mass as well */
} ReactionExtent;

/**
 * Solves the reacting part from the state's time to a later one. A scalar equation without a
 * solution is marked as a blow-up in the state, which then is that of the lagged coupling.
 * Collective.
 *
 * @param from  p, or H where eps = 0
 * @param to    what becomes of it; may be the same
 */
PetscErrorCode ReactionStep(Reaction *reaction, double time, ReactionExtent extent,
                            const EngramDensity *from, const EngramDensity *to);

/** The rates of the slices at t = 0 for an initial density. Collective. */
PetscErrorCode ReactionStart(Reaction *reaction, const EngramDensity *rows);

/**
 * All total rates for which the quasi-static states of the slices are consistent. Collective.
 *
 * @param weights  one row: H
 */
PetscErrorCode ReactionScan(Reaction *reaction, const EngramDensity *weights,
                            EngramCouplingRoot *roots, PetscInt *count);

/** The quasi-static state for a total rate: p = H Q and its rates. Collective. */
PetscErrorCode ReactionTakeQuasiStatic(Reaction *reaction, const EngramDensity *weights,
                                       double rate);

/** Frees what was allocated; may be called twice. Not collective. */
PetscErrorCode ReactionDestroy(Reaction *reaction);

#endif
