#include "engram/grid/density.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engram/base/error.h"
#include "engram/kernels/slice_step.h"

enum { CACHE_LINE_BYTES = 64 };

/* Rows of a density lie further apart than the pages of the processor's address cache, unless they
 * are large ones. */
static const size_t LARGE_PAGE = (size_t)1 << 21;

PetscErrorCode EngramAlignedCalloc(PetscInt count, double **array)
{
    void *memory = NULL;
    const size_t bytes = (size_t)count * sizeof(double);
    const PetscBool is_large = (PetscBool)(bytes >= LARGE_PAGE);
    PetscFunctionBeginUser;
    if (posix_memalign(&memory, is_large ? LARGE_PAGE : CACHE_LINE_BYTES,
                       bytes ? bytes : sizeof(double)) != 0) {
        SETERRQ(PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for %" PetscInt_FMT " numbers", count);
    }
#ifdef MADV_HUGEPAGE
    if (is_large) {
        /* Only a wish: without it everything is the same, and slower. */
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
    }
#endif
    memset(memory, 0, bytes);
    *array = memory;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramAlignedFree(double **array)
{
    PetscFunctionBeginUser;
    free(*array);
    *array = NULL;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt EngramGridPaddedSlices(const EngramGrid *grid)
{
    const PetscInt padding = ENGRAM_SLICE_PADDING;
    return (grid->w_local + padding - 1) / padding * padding;
}

PetscErrorCode EngramDensityCreate(const EngramGrid *grid, PetscInt rows, EngramDensity *density)
{
    PetscFunctionBeginUser;
    const PetscInt length = rows * grid->w_stride;
    density->rows = rows;
    PetscCall(EngramAlignedCalloc(length, &density->values));
    PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, length, density->values, &density->vec));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramDensityDestroy(EngramDensity *density)
{
    PetscFunctionBeginUser;
    PetscCall(VecDestroy(&density->vec));
    PetscCall(EngramAlignedFree(&density->values));
    PetscFunctionReturn(PETSC_SUCCESS);
}
