/**
 * @file rates.h
 * The total firing rate over all ranks, and what travels with it in the same Allreduce.
 */
#ifndef ENGRAM_SRC_TIME_RATES_H
#define ENGRAM_SRC_TIME_RATES_H

#include "engram/base/reduction.h"
#include "engram/grid/grid.h"
#include "engram/time/stepper.h"

/**
 * Sums the firing rates [w_local] exactly, takes the maximum of |K N| and stores both in the state.
 * Collective; one Allreduce.
 *
 * @param learning  [w_local + 2] K(w), ghosts included
 */
PetscErrorCode RatesReduce(const EngramGrid *grid, EngramReduction reduction,
                           const double *learning, const double *firing_rate, EngramState *state);

#endif
