/**
 * @file insitu_library.h
 * The shared object of a back end: where it is, how it is loaded, and how it is kept from changing
 * the program.
 */
#ifndef ENGRAM_SRC_OBSERVE_INSITU_LIBRARY_H
#define ENGRAM_SRC_OBSERVE_INSITU_LIBRARY_H

#include <fenv.h>
#include <petscsys.h>
#include <signal.h>

#include "engram/insitu.h"

/**
 * Finds and loads a back end, or finds it loaded. Collective on `comm`.
 *
 * @param name  "paraview", "catalyst", or "auto"
 * @return ENGRAM_ERR_INPUT when there is none, on any rank
 */
PetscErrorCode InsituLibraryLoad(MPI_Comm comm, const char *name,
                                 const EngramInsituBackend **backend);

enum { INSITU_GUARDED_SIGNALS = 9 };

/** What the program has set and libraries may change. */
typedef struct InsituGuard {
    struct sigaction actions[INSITU_GUARDED_SIGNALS];
    sigset_t mask;
    fenv_t arithmetic; /* with the treatment of denormals */
    char locale[256];
} InsituGuard;

/**
 * Keeps signal handlers, locale and floating-point environment. Until the end a broken connection
 * is an error of the call and no signal. Not collective.
 *
 * @param blocks  holds signals back until the end: for calls that exchange the handlers
 */
void InsituGuardBegin(InsituGuard *guard, PetscBool blocks);

/** Puts them back. Not collective. */
void InsituGuardEnd(const InsituGuard *guard);

#endif
