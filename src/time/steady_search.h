/**
 * @file steady_search.h
 * The search for all quasi-static states of given weights.
 */
#ifndef ENGRAM_SRC_TIME_STEADY_SEARCH_H
#define ENGRAM_SRC_TIME_STEADY_SEARCH_H

#include "engram/time/steady_states.h"
#include "reaction.h"

/**
 * Finds all total rates for which the quasi-static states of the slices are consistent. States that
 * the harmonic flux has on this grid and the flux of Scharfetter and Gummel has not are left out.
 * Collective.
 *
 * @param weights      one row: H
 * @param is_thorough  if none is found, find out whether that is certain
 */
PetscErrorCode SteadySearch(Reaction *reaction, const EngramDensity *weights, PetscBool is_thorough,
                            EngramSteadyStates *states);

#endif
