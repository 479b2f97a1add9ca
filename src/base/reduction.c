#include "engram/base/reduction.h"

#include <float.h>
#include <math.h>

#include "engram/base/error.h"
#include "engram/base/notice.h"

struct EngramReduction {
    MPI_Comm comm; /* borrowed */
    MPI_Datatype entry_type;
    MPI_Op operation;
    int notices; /* of the last reduction, of all ranks */
};

static double LargerOf(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return NAN;
    }
    return a > b ? a : b;
}

/* Signature given by MPI. */
static void CombineEntries(void *in, void *in_out, int *count, MPI_Datatype *type)
{
    const EngramReductionEntry *from = in;
    EngramReductionEntry *to = in_out;
    (void)type;
    for (int i = 0; i < *count; i++) {
        EngramExactSumMerge(&to[i].sum, &from[i].sum);
        to[i].maximum = LargerOf(to[i].maximum, from[i].maximum);
        to[i].notices |= from[i].notices;
    }
}

PetscErrorCode EngramReductionCreate(MPI_Comm comm, EngramReduction *reduction)
{
    PetscFunctionBeginUser;
    PetscCall(PetscNew(reduction));
    (*reduction)->comm = comm;
    PetscCallMPI(MPI_Type_contiguous((int)sizeof(EngramReductionEntry), MPI_BYTE,
                                     &(*reduction)->entry_type));
    PetscCallMPI(MPI_Type_commit(&(*reduction)->entry_type));
    PetscCallMPI(MPI_Op_create(CombineEntries, 1, &(*reduction)->operation));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramReductionEntryClear(EngramReductionEntry *entry)
{
    EngramExactSumClear(&entry->sum);
    entry->maximum = -DBL_MAX;
    entry->notices = 0;
}

PetscErrorCode EngramReductionApply(EngramReduction reduction, int count,
                                    EngramReductionEntry *entries)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < count; i++) {
        EngramExactSumNormalise(&entries[i].sum);
    }
    entries[0].notices = EngramNoticePosted();
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, entries, count, reduction->entry_type,
                               reduction->operation, reduction->comm));
    reduction->notices = (int)entries[0].notices;
    PetscFunctionReturn(PETSC_SUCCESS);
}

int EngramReductionNotices(EngramReduction reduction)
{
    return reduction->notices;
}

PetscErrorCode EngramReductionDestroy(EngramReduction *reduction)
{
    PetscFunctionBeginUser;
    if (!*reduction) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCallMPI(MPI_Type_free(&(*reduction)->entry_type));
    PetscCallMPI(MPI_Op_free(&(*reduction)->operation));
    PetscCall(PetscFree(*reduction));
    PetscFunctionReturn(PETSC_SUCCESS);
}
