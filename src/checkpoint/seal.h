/**
 * @file seal.h
 * The beginning of a checkpoint: text that says what the file is and how to know that it is whole.
 */
#ifndef ENGRAM_SRC_CHECKPOINT_SEAL_H
#define ENGRAM_SRC_CHECKPOINT_SEAL_H

#include <petscsys.h>
#include <stdint.h>

#include "engram/checkpoint/checkpoint_file.h"

/** Bytes before those of HDF5: the alignment of its datasets, as HDF5 wants it. */
enum { SEAL_BYTES = 4096 };

/** Most datasets that are checked when they are read again. */
enum { SEAL_MAXIMUM_PARTS = 16 };

/** A dataset of a file, as it was in memory. */
typedef struct SealPart {
    uint64_t place; /* in the file, in bytes; a multiple of 8 */
    uint64_t words;
    uint64_t checksum; /* of its words, counted from 0 */
} SealPart;

/** What a file must hold when it is read again. */
typedef struct SealParts {
    int count;
    SealPart parts[SEAL_MAXIMUM_PARTS];
} SealParts;

/** What SealWrite returns, beside errno, when a file does not hold what was written. */
enum { SEAL_LOST_WRITE = -2 };

/**
 * Seals a complete file: computes its checksum over all ranks, writes the beginning and brings
 * everything to the disk. Collective.
 *
 * @param parts    what it must hold: a write that was lost on its way is found here
 * @param head     step and time; the length is filled in
 * @param failure  0, errno or SEAL_LOST_WRITE, the same on all ranks
 */
PetscErrorCode SealWrite(MPI_Comm comm, const char *path, const SealParts *parts,
                         EngramCheckpointHead *head, int *failure);

/** Whether a seal is unbroken: see EngramCheckpointVerify. Collective. */
PetscErrorCode SealVerify(MPI_Comm comm, const char *path, EngramCheckpointHead *head,
                          char *reason);

#endif
