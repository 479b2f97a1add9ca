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
 * Sums the firing rates of the state exactly, takes the maximum of |K N| and stores both in it;
 * after a solve the total mass travels along. Collective; one Allreduce.
 *
 * @param learning   [w_local + 2] K(w), ghosts included
 * @param with_mass  whether the weight densities of the state are those of its density
 */
PetscErrorCode RatesReduce(const EngramGrid *grid, EngramReduction reduction,
                           const double *learning, PetscBool with_mass, EngramState *state);

#endif
