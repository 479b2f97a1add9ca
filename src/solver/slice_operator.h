/**
 * @file slice_operator.h
 * The matrix of a rank's slices as PETSc sees it: a shell, and where needed an assembled copy.
 */
#ifndef ENGRAM_SRC_SOLVER_SLICE_OPERATOR_H
#define ENGRAM_SRC_SOLVER_SLICE_OPERATOR_H

#include <petscmat.h>

#include "engram/grid/grid.h"
#include "engram/kernels/face_table.h"
#include "engram/kernels/slice_matrix.h"
#include "engram/kernels/slice_step.h"

/** Everything that defines the matrix of this step, and the work space of its elimination. */
typedef struct SliceOperator {
    const EngramGrid *grid; /* borrowed */
    EngramFaceTable table;
    double lambda;
    double *drift;           /* [padded slices] */
    double *threshold_slope; /* [padded slices] as in EngramSliceStep */
    double last_kappa;       /* likewise */
    double *work;            /* [EngramSliceWorkSize] */
    EngramSliceResults results;
    EngramSliceMatrix entries; /* weights of the faces; allocated for methods that need them */
    Mat shell;                 /* the product; its context is this operator */
    Mat assembled;             /* NULL unless a method needs entries */
} SliceOperator;

/** Creates the operator and its shell. */
PetscErrorCode SliceOperatorCreate(const EngramGrid *grid, double noise, EngramFlux flux,
                                   double refractory, SliceOperator *slices);

/** Allocates the weights and the assembled matrix. */
PetscErrorCode SliceOperatorAllocateEntries(SliceOperator *slices);

/** Fills in the entries for the present drift and lambda. */
PetscErrorCode SliceOperatorAssemble(SliceOperator *slices);

/** Frees the operator; may be called twice. */
PetscErrorCode SliceOperatorDestroy(SliceOperator *slices);

#endif
