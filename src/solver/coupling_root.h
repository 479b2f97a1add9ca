/**
 * @file coupling_root.h
 * What a solution of the scalar equation is, to all searches for one.
 */
#ifndef ENGRAM_SRC_SOLVER_COUPLING_ROOT_H
#define ENGRAM_SRC_SOLVER_COUPLING_ROOT_H

#include <math.h>
#include <petscsys.h>

/* Where bisection ends, a larger relative residual is that of a jump. */
#define COUPLING_LARGEST_RESIDUAL 1e-6

/** Whether a residual G(x) - x is that of a root, rather than of one side of a jump. */
static inline PetscBool CouplingIsRoot(double rate, double residual)
{
    return (PetscBool)(fabs(residual) <=
                       COUPLING_LARGEST_RESIDUAL * PetscMax(rate, fabs(rate + residual)));
}

#endif
