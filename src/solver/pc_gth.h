/**
 * @file pc_gth.h
 * The preconditioner type "gth": subtraction-free elimination of a slice operator.
 */
#ifndef ENGRAM_SRC_SOLVER_PC_GTH_H
#define ENGRAM_SRC_SOLVER_PC_GTH_H

#include <petscpc.h>

/** Constructor for PCRegister. The operator of the PC must be the shell of a SliceOperator. */
PETSC_EXTERN PetscErrorCode EngramPCCreateGth(PC pc);

#endif
