/**
 * @file coupling.h
 * The scalar equation of the network, x = G(x): the total firing rate x for which the rates that it
 * causes add up to x again.
 *
 * G is not negative, so x - G(x) is not positive at 0, and a root is bracketed as soon as some x is
 * found that exceeds G(x). Between the two ends a secant step is taken, or a bisection where that
 * leaves the bracket or gains too little. There may be several roots, or none (blow-up): an upward
 * crossing, G' > 1, proves that there are others.
 *
 * The function is evaluated collectively; its values must be the same on all ranks, which then take
 * the same decisions.
 */
#ifndef ENGRAM_SOLVER_COUPLING_H
#define ENGRAM_SOLVER_COUPLING_H

#include <petscsys.h>

#include "engram/base/options.h"

/** Most roots that a scan reports. */
#define ENGRAM_COUPLING_ROOTS 16

/** When Nbar in the drift is taken. */
typedef enum EngramCouplingTime {
    ENGRAM_COUPLING_LAGGED,   /**< at the beginning of the step */
    ENGRAM_COUPLING_IMPLICIT, /**< at its end */
    ENGRAM_COUPLING_AUTO,     /**< not decided yet: EngramCouplingConclude */
} EngramCouplingTime;

/** How the scalar equation is solved. */
typedef struct EngramCouplingParameters {
    EngramCouplingTime time;
    double tolerance;      /**< relative, of x - G(x); 0: not decided yet */
    double scan_tolerance; /**< relative, of the roots that a scan finds */
    PetscInt iterations;   /**< most evaluations of G in one solve */
    PetscInt scan_every;   /**< steps between two searches for all roots; 0: never */
    double largest_rate;   /**< no root is looked for beyond it */
} EngramCouplingParameters;

/** The options of the coupling, for registration. */
extern const EngramOptionTable EngramCouplingOptions;

/** Reads the options. @return ENGRAM_ERR_INPUT for an unknown name. Not collective. */
PetscErrorCode EngramCouplingParametersGet(EngramOptions options,
                                           EngramCouplingParameters *parameters);

/**
 * Decides what the options have left open. Not collective.
 *
 * @param is_lagged       what auto means
 * @param step_tolerance  of adaptive steps; 0: steps are fixed
 */
void EngramCouplingConclude(PetscBool is_lagged, double step_tolerance,
                            EngramCouplingParameters *parameters);

/** G(x) for x >= 0. A value that is not finite counts as larger than any x. */
typedef struct EngramCouplingFunction {
    PetscErrorCode (*evaluate)(void *context, double rate, double *answer);
    void *context;      /**< borrowed */
    const double *part; /**< borrowed: for a scan, a part of the last answer such that it and the
                             rest rise or fall with the rate; NULL: all of it is such a rest */
} EngramCouplingFunction;

/** A root. */
typedef struct EngramCouplingRoot {
    double rate;  /**< x */
    double slope; /**< G'(x), from the last two evaluations; 0 when there was only one */
} EngramCouplingRoot;

/** What a solve found. */
typedef struct EngramCouplingResult {
    EngramCouplingRoot root;
    PetscBool is_found;  /**< false: no root below the largest rate, or too many iterations */
    PetscBool is_open;   /**< true: G(x) > x wherever it was looked at: no root is known to exist */
    PetscInt iterations; /**< evaluations of G */
    PetscInt solutions;  /**< roots known to exist: 1 if nothing else is known, 0 if none is */
} EngramCouplingResult;

/**
 * Finds the root that the search from `start` leads to, and on an unstable one (G' > 1) goes down
 * to the next. Collective, if G is.
 *
 * @param slope        estimate of G' near the start, e.g. that of an earlier root
 * @param slope_error  how far it may be off, so that one evaluation may do; infinity: not known
 */
PetscErrorCode EngramCouplingSolve(const EngramCouplingParameters *parameters,
                                   EngramCouplingFunction function, double start, double slope,
                                   double slope_error, EngramCouplingResult *result);

/** What a scan that has found no root knows about there being none. */
typedef struct EngramCouplingSearch {
    PetscInt evaluations; /**< rates that were looked at */
    PetscBool turns;      /**< the part of the answer, or its rest, both rises and falls */
    double from;          /**< a root cannot be excluded between these rates; 0 and 0: it can */
    double to;
    PetscBool is_certain; /**< there is none, unless the answer turns between two neighbours */
} EngramCouplingSearch;

/**
 * Finds all roots between 0 and the largest rate that a scan with refined near misses can see, in
 * ascending order, with slopes by a difference quotient. It has points over the whole range of
 * doubles: some in every factor of ten, and many where the answer changes or is near the rate.
 * Where it finds none, it looks closer to exclude that there is one: between two rates at which the
 * parts of the answer are known, all answers are between the sums of their smaller and of their
 * larger values, as long as neither part turns. Collective, if G is.
 *
 * @param roots   [ENGRAM_COUPLING_ROOTS]
 * @param count   how many were found
 * @param search  what is known where there is none, at the price of more evaluations; may be NULL
 */
PetscErrorCode EngramCouplingScan(const EngramCouplingParameters *parameters,
                                  EngramCouplingFunction function, EngramCouplingRoot *roots,
                                  PetscInt *count, EngramCouplingSearch *search);

#endif
