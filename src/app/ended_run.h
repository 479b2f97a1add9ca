/**
 * @file ended_run.h
 * What the folder of a run says of its end: summary.yaml and case.yaml, which the program wrote.
 */
#ifndef ENGRAM_SRC_APP_ENDED_RUN_H
#define ENGRAM_SRC_APP_ENDED_RUN_H

#include <petscsys.h>

#include "engram/app/simulation.h"

/** A run that has ended. */
typedef struct EndedRun {
    PetscBool is_there;    /* it has ended; else nothing else is set */
    PetscBool is_complete; /* it came to where it should */
    double time;           /* of its last state; NaN where the summary does not say so */
    PetscInt64 steady_states;
    char reason[256]; /* why it is not complete */
} EndedRun;

/** Reads the summary in a folder, if there is one. Collective. */
PetscErrorCode EndedRunFind(MPI_Comm comm, const char *directory, EndedRun *ended);

/**
 * Lists how the case differs from that of the run that has ended: all that its results depend on
 * but the end of time, with the files that options name. Collective.
 *
 * @param list  [size] a line each, as in messages; empty where it is the same case
 */
PetscErrorCode EndedRunCompare(const EngramSimulation *simulation, const char *directory,
                               char *list, size_t size);

/** Whether a run that ended with this case has nothing left to do. Not collective. */
PetscBool EndedRunHasReached(const EngramSimulation *simulation, const EndedRun *ended);

#endif
