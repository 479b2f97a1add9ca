/**
 * @file steering.h
 * What can be changed while a run is under way: present values, requests, and changes to record.
 *
 * Scripts of the in situ observer leave requests; the run takes them over after the observers of
 * the same step, so that they act on the next step and are part of a checkpoint of this one. All
 * members are the same on all ranks.
 */
#ifndef ENGRAM_OBSERVE_STEERING_H
#define ENGRAM_OBSERVE_STEERING_H

#include <petscsys.h>

#include "engram/insitu.h"

/** A request that was taken over. */
typedef struct EngramSteeringChange {
    int what; /**< place in ENGRAM_STEERING_NAMES */
    PetscInt64 step;
    double time;
    double before;
    double after;
} EngramSteeringChange;

/** The steerable side of a run; zeros before it starts. */
typedef struct EngramSteering {
    double present[ENGRAM_STEER_COUNT];  /**< values of the options; `stop` has none */
    double requests[ENGRAM_STEER_COUNT]; /**< NaN: none; valid where has_requests */
    PetscBool has_requests;
    PetscBool is_used;   /**< there is an in situ observer */
    PetscBool is_strict; /**< whatever it fails in ends the run */
    PetscInt64 failures; /**< calls of scripts or back ends, and requests, that failed */
    int changes;         /**< since the in situ observer recorded them last */
    EngramSteeringChange change[ENGRAM_STEER_COUNT];
} EngramSteering;

/**
 * Counts a failure of the in situ observer and says what it was, from rank 0. Collective.
 *
 * @param text  empty: it was told of before
 * @return ENGRAM_ERR_INSITU where failures end the run, else success
 */
PetscErrorCode EngramSteeringNoteFailure(EngramSteering *steering, int failures, const char *text);

#endif
