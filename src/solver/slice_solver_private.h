/**
 * @file slice_solver_private.h
 * A slice solver, for the files that make it and that solve with it.
 */
#ifndef ENGRAM_SRC_SOLVER_SLICE_SOLVER_PRIVATE_H
#define ENGRAM_SRC_SOLVER_SLICE_SOLVER_PRIVATE_H

#include "engram/solver/slice_solver.h"
#include "slice_operator.h"

struct EngramSliceSolver {
    const EngramGrid *grid; /* borrowed */
    SliceOperator slices;
    KSP ksp;
    PetscBool is_frozen; /* no weight moves: a solve begins with the masses of the last one */
    PetscBool is_direct; /* the PC is the exact inverse and nothing is asked of the KSP */
    Vec old;             /* rows before the reacting part, where another method solves */
    Vec rhs;             /* its right-hand side */
    Vec trial;           /* its solution where only the rates are wanted */
};

#endif
