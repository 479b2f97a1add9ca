/**
 * @file steady.h
 * Steady states instead of a run in time: of frozen weights by a search over the total rate, of
 * learning weights by running the limit model until it rests, and both over a range of an option.
 */
#ifndef ENGRAM_SRC_APP_STEADY_H
#define ENGRAM_SRC_APP_STEADY_H

#include "engram/app/simulation.h"
#include "engram/observe/observer.h"

/** The options of the search, for registration. */
extern const EngramOptionTable SteadyOptions;

/** Whether steady states are asked for. Not collective. */
PetscErrorCode SteadyIsWanted(EngramOptions options, PetscBool *is_wanted);

/**
 * Sets model, time and coupling to what the search needs. Not collective.
 * @return ENGRAM_ERR_INPUT when the case has no steady states
 */
PetscErrorCode SteadyAdjust(EngramSimulation *simulation);

/** What a sweep would do to the case, before anything is written. Collective. */
PetscErrorCode SteadyCheck(const EngramSimulation *simulation);

/** Finds the steady states and writes the usual outputs, and the tables. Collective. */
PetscErrorCode SteadyRun(EngramSimulation *simulation, const EngramOutputParameters *output,
                         EngramOutcome *outcome);

#endif
