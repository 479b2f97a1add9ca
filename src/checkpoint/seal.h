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

/**
 * Seals a complete file: computes its checksum over all ranks, writes the beginning and brings
 * everything to the disk. Collective.
 *
 * @param head     step and time; the length is filled in
 * @param failure  0 or errno, the same on all ranks
 */
PetscErrorCode SealWrite(MPI_Comm comm, const char *path, EngramCheckpointHead *head, int *failure);

/** Whether a seal is unbroken: see EngramCheckpointVerify. Collective. */
PetscErrorCode SealVerify(MPI_Comm comm, const char *path, EngramCheckpointHead *head,
                          char *reason);

#endif
