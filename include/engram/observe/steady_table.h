/**
 * @file steady_table.h
 * Tables of steady states: steady.csv of one case, bifurcation.csv and folds.csv of a sweep.
 */
#ifndef ENGRAM_OBSERVE_STEADY_TABLE_H
#define ENGRAM_OBSERVE_STEADY_TABLE_H

#include <petscsys.h>

/** A table under way. */
typedef struct EngramSteadyTable *EngramSteadyTable;

/**
 * Opens a table in the output folder. Collective.
 *
 * @param file     name of the file
 * @param columns  its first line
 * @return ENGRAM_ERR_OUTPUT when it cannot be written
 */
PetscErrorCode EngramSteadyTableOpen(MPI_Comm comm, const char *directory, const char *file,
                                     const char *columns, EngramSteadyTable *table);

/** Adds a row of numbers. Not collective. */
void EngramSteadyTableAdd(EngramSteadyTable table, int count, const double *numbers);

/** Closes the table; accepts NULL. Collective. @return ENGRAM_ERR_OUTPUT when any writing failed */
PetscErrorCode EngramSteadyTableClose(EngramSteadyTable *table);

#endif
