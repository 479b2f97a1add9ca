/**
 * @file forecast.h
 * What a run will take on many ranks, told on one by a few of its slices: -dry_run_ranks.
 */
#ifndef ENGRAM_SRC_APP_FORECAST_H
#define ENGRAM_SRC_APP_FORECAST_H

#include "engram/app/simulation.h"
#include "engram/observe/observer.h"

/**
 * Checks the case for so many ranks, measures a run of some cells of w, and prints memory, disk and
 * time of the whole; writes nothing. Every rank does the same by itself.
 *
 * @param output   parameters of the output
 * @param ranks    of the run that is to be
 * @return ENGRAM_ERR_INPUT for what that run would be refused for
 */
PetscErrorCode ForecastPrint(EngramOptions options, const EngramOutputParameters *output,
                             PetscInt ranks);

#endif
