/**
 * @file reduction.h
 * Sums and maxima over ranks in one MPI_Allreduce, with the same bits for every partition.
 */
#ifndef ENGRAM_BASE_REDUCTION_H
#define ENGRAM_BASE_REDUCTION_H

#include <petscsys.h>

#include "engram/kernels/exact_sum.h"

/** Entries of a reduction, at most. */
#define ENGRAM_REDUCTION_ENTRIES 6

/** One entry of a reduction: an exact sum and a maximum travel together. */
typedef struct EngramReductionEntry {
    EngramExactSum sum;
    double maximum;
} EngramReductionEntry;

/** What a reduction needs of MPI; create it once, use it every step without allocation. */
typedef struct EngramReduction *EngramReduction;

/** Creates the datatypes and the operation. Collective on `comm`. */
PetscErrorCode EngramReductionCreate(MPI_Comm comm, EngramReduction *reduction);

/** Sets an entry to the empty sum and a maximum of -infinity. Not collective. */
void EngramReductionEntryClear(EngramReductionEntry *entry);

/**
 * Replaces the entries, at most ENGRAM_REDUCTION_ENTRIES, by those over all ranks: exact sums (not
 * yet rounded) and maxima. A NaN among the maxima stays one. The notices posted on any rank travel
 * along. Collective; one MPI_Allreduce, and a second one where sums turn out to need more digits
 * than those of the reduction before.
 */
PetscErrorCode EngramReductionApply(EngramReduction reduction, int count,
                                    EngramReductionEntry *entries);

/**
 * The notices (notice.h) that the last EngramReductionApply found posted on any rank; the same on
 * all ranks. Not collective.
 */
int EngramReductionNotices(EngramReduction reduction);

/** Frees the reduction; accepts NULL, and one already destroyed. Collective. */
PetscErrorCode EngramReductionDestroy(EngramReduction *reduction);

#endif
