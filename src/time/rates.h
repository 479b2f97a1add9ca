/**
 * @file rates.h
 * The total firing rate over all ranks, and what travels with it in the same Allreduce.
 */
#ifndef ENGRAM_SRC_TIME_RATES_H
#define ENGRAM_SRC_TIME_RATES_H

#include "engram/base/reduction.h"
#include "engram/grid/grid.h"
#include "engram/model/learning_rule.h"
#include "engram/time/state.h"

/**
 * Sums the firing rates of the state exactly, takes the maximum of |Phi| / Nbar and stores both in
 * it; after a solve the total mass travels along. Collective; one Allreduce.
 *
 * @param with_mass  whether the weight densities of the state are those of its density
 */
PetscErrorCode RatesReduce(const EngramGrid *grid, EngramReduction reduction,
                           const EngramLearningRule *rule, PetscBool with_mass, EngramState *state);

/**
 * Sums the firing rates of the state like RatesReduce, and those of the weights that are not
 * negative by themselves. Collective; one Allreduce.
 */
PetscErrorCode RatesReduceSplit(const EngramGrid *grid, EngramReduction reduction,
                                const EngramLearningRule *rule, EngramState *state,
                                double *excitatory);

/** The excess of mass where it is round-off, which may be taken out again, and else 0. */
double RatesRoundOff(double excess);

/** Integrals over w of `count` arrays [w_local], at most 4. Collective; one Allreduce. */
PetscErrorCode RatesIntegrate(const EngramGrid *grid, EngramReduction reduction, int count,
                              const double *const *values, double *integrals);

#endif
