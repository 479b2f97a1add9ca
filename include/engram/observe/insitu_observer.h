/**
 * @file insitu_observer.h
 * The observer that shows a run to ParaView scripts while it is under way; the contract with what
 * draws is insitu.h.
 */
#ifndef ENGRAM_OBSERVE_INSITU_OBSERVER_H
#define ENGRAM_OBSERVE_INSITU_OBSERVER_H

#include "engram/observe/observer.h"
#include "engram/observe/steering.h"

/** The options, for registration. */
extern const EngramOptionTable EngramInsituOptions;

/** Whether there are scripts. Not collective. */
PetscErrorCode EngramInsituIsWanted(EngramOptions options, PetscBool *is_wanted);

/** Whether `deviation` is to be shown. Not collective. */
PetscErrorCode EngramInsituWantsDeviation(EngramOptions options, PetscBool *is_wanted);

/**
 * Sees before anything is written that scripts and back end are there; loads the back end.
 * Collective on `comm`.
 * @return ENGRAM_ERR_INPUT when one is missing or cannot be loaded
 */
PetscErrorCode EngramInsituCheck(MPI_Comm comm, EngramOptions options);

/**
 * Creates the observer; EngramInsituCheck has passed. Collective.
 *
 * @param steering  where requests go; borrowed, must outlive the observer
 */
PetscErrorCode EngramInsituCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramSteering *steering, EngramObserver *observer);

#endif
