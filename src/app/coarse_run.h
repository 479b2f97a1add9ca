/**
 * @file coarse_run.h
 * A run of a case on a coarser grid, in memory only, of which the total rate is kept.
 */
#ifndef ENGRAM_SRC_APP_COARSE_RUN_H
#define ENGRAM_SRC_APP_COARSE_RUN_H

#include "coarse_grids.h"
#include "engram/app/simulation.h"
#include "rate_table.h"

/**
 * Runs it to the end. Run 0 makes the rows of the table, where its adaptive steps have to end, or
 * after fixed steps; others fill in theirs. Collective.
 *
 * @param simulation  the run proper, at its beginning; not changed
 * @param number      of the run in the table
 * @param reason      [size] why it did not come to its end: a blow-up, a case that has no meaning
 *                    on this grid, a signal, the end of the wall time; empty if it did
 */
PetscErrorCode CoarseRunTake(const EngramSimulation *simulation,
                             const EngramOutputParameters *output, const CoarseGrid *grid,
                             int number, RateTable *table, char *reason, size_t size);

#endif
