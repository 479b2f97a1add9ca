/**
 * @file error_estimate.h
 * How large the error of a run is: its total rate beside that of two coarser runs of the same case.
 *
 * The coarser runs come first, in memory only, without observers. The run proper is not changed by
 * them in any bit.
 */
#ifndef ENGRAM_SRC_APP_ERROR_ESTIMATE_H
#define ENGRAM_SRC_APP_ERROR_ESTIMATE_H

#include "coarse_grids.h"
#include "engram/app/simulation.h"

/** The coarser runs, and the run beside them. */
typedef struct ErrorEstimate ErrorEstimate;

/**
 * Makes an estimate where -estimate_error asks for one, else NULL; chooses the coarser grids, and
 * tells where there are none. Collective.
 * @return ENGRAM_ERR_INPUT for steady states, and for adaptive steps that never meet
 */
PetscErrorCode ErrorEstimateCreate(const EngramSimulation *simulation,
                                   const EngramOutputParameters *output, ErrorEstimate **estimate);

/**
 * Runs the coarser runs, unless the run goes on from a checkpoint. A coarser run that fails is no
 * error: the estimate is unknown then. A signal, or the end of the wall time, ends it at once, and
 * is left for the run to obey. Does nothing without an estimate. Collective.
 */
PetscErrorCode ErrorEstimateRun(const EngramSimulation *simulation,
                                const EngramOutputParameters *output);

/** Notes a state of the run; accepts NULL. Not collective. */
void ErrorEstimateWatch(ErrorEstimate *estimate, double time, double total_rate);

/** What the coarser runs alone say of the error of a run. Not collective. */
void ErrorEstimateForecast(const EngramSimulation *simulation, EngramErrorEstimate *forecast);

/** What all runs together say of it, in the outcome, once the run has ended. Not collective. */
void ErrorEstimateConclude(const EngramSimulation *simulation, EngramOutcome *outcome);

/** Says it in words, from rank 0, if it was asked for. */
PetscErrorCode ErrorEstimateTell(const EngramErrorEstimate *estimate);

/** Frees it; accepts NULL. Not collective. */
PetscErrorCode ErrorEstimateDestroy(ErrorEstimate **estimate);

#endif
