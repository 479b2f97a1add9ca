/**
 * @file coupled_rate.h
 * The total rate that solves the scalar equation of a step or of the quasi-static states.
 */
#ifndef ENGRAM_SRC_TIME_COUPLED_RATE_H
#define ENGRAM_SRC_TIME_COUPLED_RATE_H

#include "drive.h"
#include "engram/base/reduction.h"
#include "engram/model/learning_rule.h"
#include "engram/solver/coupling.h"

/** What an evaluation of the equation needs. */
typedef struct CoupledRate {
    Drive *drive;                             /* borrowed */
    EngramReduction reduction;                /* borrowed */
    const EngramLearningRule *rule;           /* borrowed */
    const EngramCouplingParameters *coupling; /* borrowed */
    EngramState *state;                       /* borrowed: what is tried passes through it */
    const char *failure; /* why a rate that was tried has no meaning, or NULL */
} CoupledRate;

/** One equation: rate = G(known + share * rate). */
typedef struct RateEquation {
    const EngramDensity *rows;             /* p, or H where lambda is infinite */
    const EngramSliceTransport *transport; /* still to be made of p, or NULL */
    double time;
    DriveSide side;
    double lambda; /* dt/eps; 0: the rates of the rows as they are; infinity: quasi-static */
    double known;
    double share;
} RateEquation;

/** What is known of its solution beforehand. */
typedef struct RateGuess {
    double rate;
    double slope;       /* G', 0 where it is not known */
    double slope_error; /* how far it may be off; infinity: nothing is known */
    PetscBool may_scan; /* look for all solutions where none is found from the guess */
} RateGuess;

/**
 * Solves the equation; counts in the state what that took and how many solutions are known. Where
 * there is none the state is marked as blown up, or as failed if the rates have no meaning.
 * Collective.
 *
 * @param is_scan_due  look for all solutions even where one is found
 * @param root         the solution, or the guess's rate where there is none
 */
PetscErrorCode CoupledRateFind(CoupledRate *coupled, const RateEquation *equation, RateGuess guess,
                               PetscBool is_scan_due, EngramCouplingRoot *root);

/**
 * All solutions. Collective.
 *
 * @param roots   [ENGRAM_COUPLING_ROOTS]
 * @param search  what is known where there is none; may be NULL
 */
PetscErrorCode CoupledRateScan(CoupledRate *coupled, const RateEquation *equation,
                               EngramCouplingRoot *roots, PetscInt *count,
                               EngramCouplingSearch *search);

#endif
