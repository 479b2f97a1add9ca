/**
 * @file petsc_support.h
 * For tests that call PETSc: it is initialised before the first and finalised after the last one.
 */
#ifndef ENGRAM_TESTS_PETSC_SUPPORT_H
#define ENGRAM_TESTS_PETSC_SUPPORT_H

#include "unit_support.h"

#include <petscsys.h>

#include "engram/base/error.h"

static inline int StartPetsc(void **state)
{
    (void)state;
    return PetscInitializeNoArguments() || EngramErrorHandlerInstall();
}

static inline int StopPetsc(void **state)
{
    (void)state;
    return PetscPopErrorHandler() || PetscFinalize();
}

#endif
