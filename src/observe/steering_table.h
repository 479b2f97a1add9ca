/**
 * @file steering_table.h
 * steering.csv: one row for each option that a script has changed.
 */
#ifndef ENGRAM_SRC_OBSERVE_STEERING_TABLE_H
#define ENGRAM_SRC_OBSERVE_STEERING_TABLE_H

#include "engram/base/position.h"
#include "engram/observe/steering.h"
#include "text_file.h"

/** Starts the table. Collective. */
PetscErrorCode SteeringTableStart(MPI_Comm comm, const char *directory, TextFile *file);

/** Whether a table can be continued; see TextFileVerify. Collective. */
PetscErrorCode SteeringTableVerify(MPI_Comm comm, const char *directory,
                                   const EngramPosition *position);

/** Goes on with a table, or starts one if the run had none. Collective. */
PetscErrorCode SteeringTableResume(MPI_Comm comm, const char *directory,
                                   const EngramPosition *position, TextFile *file);

/** Writes the changes that were not written yet. Not collective. */
void SteeringTableWrite(EngramSteering *steering, TextFile *file);

#endif
