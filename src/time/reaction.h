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

#include "coupled_rate.h"
#include "rate_history.h"

/** What the reacting part needs; it updates the state of the stepper. */
typedef struct Reaction {
    const EngramGrid *grid;         /* borrowed */
    const EngramModel *model;       /* borrowed */
    EngramSliceSolver solver;       /* borrowed */
    EngramReduction reduction;      /* borrowed */
    const EngramLearningRule *rule; /* borrowed */
    EngramState *state;             /* borrowed */
    EngramDensity *density;         /* p, filled from H where eps = 0; borrowed */
    Drive drive;
    CoupledRate coupled;
    double delay; /* eps d */
    RateHistory history;
} Reaction;

/** Takes input and delay of the present phase of the model. Not collective. */
void ReactionFollowModel(Reaction *reaction);

/** Allocates what is needed; the borrowed members, those of drive and coupled included, must be
 * set. Collective. */
PetscErrorCode ReactionCreate(Reaction *reaction);

/** Nbar and max |K N| of rows that have been transported with their rates; where eps = 0, these
 * follow from the rows. Collective. */
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

/** What a step is told of the rate at its end, and what it finds. */
typedef struct ReactionRate {
    RateGuess guess; /**< where an implicit coupling begins to look */
    double lagged;   /**< what a lagged coupling sees */
    EngramCouplingRoot
        root; /**< what the step has found; that of the guess if nothing was solved */
} ReactionRate;

/** What is known without anything else: the rate of the state. Not collective. */
ReactionRate ReactionKnownRate(const Reaction *reaction);

/**
 * Solves the reacting part from the state's time to a later one. A scalar equation without a
 * solution is marked as a blow-up in the state, which then is that of the lagged coupling.
 * Collective.
 *
 * @param from       p, or H where eps = 0
 * @param transport  what is still to be made of the transport of p, or NULL
 * @param to         what becomes of it; may be the same
 */
PetscErrorCode ReactionStep(Reaction *reaction, double time, ReactionExtent extent,
                            const EngramDensity *from, const EngramSliceTransport *transport,
                            const EngramDensity *to, ReactionRate *rate);

/**
 * The rates of the slices for an initial density, whose slopes at the threshold the solver has been
 * given. Where the total rate has no value and only the weights are used, rates are NaN.
 * Collective.
 */
PetscErrorCode ReactionStart(Reaction *reaction, const EngramDensity *rows);

/**
 * The rates of the present rows just after a jump at the present time. Where the total rate has no
 * value that fits to itself, they stay as they are. Collective.
 */
PetscErrorCode ReactionMeasureAnew(Reaction *reaction, const EngramDensity *rows);

/**
 * All total rates for which the quasi-static states of the slices are consistent. Collective.
 *
 * @param weights  one row: H
 * @param search   what is known where there is none; may be NULL
 */
PetscErrorCode ReactionScan(Reaction *reaction, const EngramDensity *weights,
                            EngramCouplingRoot *roots, PetscInt *count,
                            EngramCouplingSearch *search);

/** The quasi-static state for a total rate: p = H Q and its rates. Collective. */
PetscErrorCode ReactionTakeQuasiStatic(Reaction *reaction, const EngramDensity *weights,
                                       double rate);

/** Frees what was allocated; may be called twice. Not collective. */
PetscErrorCode ReactionDestroy(Reaction *reaction);

#endif
