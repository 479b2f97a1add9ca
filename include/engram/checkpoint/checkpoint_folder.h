/**
 * @file checkpoint_folder.h
 * The checkpoints of one run: a folder of files named after their steps.
 */
#ifndef ENGRAM_CHECKPOINT_CHECKPOINT_FOLDER_H
#define ENGRAM_CHECKPOINT_CHECKPOINT_FOLDER_H

#include "engram/checkpoint/checkpoint_file.h"

/** The folder of checkpoints within that of the results. */
#define ENGRAM_CHECKPOINT_FOLDER "checkpoints"

/** Path of the checkpoint of a step. Not collective. */
PetscErrorCode EngramCheckpointPath(const char *output_directory, PetscInt64 step, char *path,
                                    size_t size);

/**
 * Makes the folder and removes what an interrupted writing has left. Collective.
 * @return ENGRAM_ERR_OUTPUT when it cannot be made
 */
PetscErrorCode EngramCheckpointFolderPrepare(MPI_Comm comm, const char *output_directory);

/** Keeps the newest checkpoints and removes the others. On one rank; not collective. */
void EngramCheckpointFolderPrune(const char *output_directory, PetscInt keep);

/** What becomes of checkpoints later than the one from which a run goes on. */
typedef enum EngramCheckpointFate {
    ENGRAM_CHECKPOINT_SET_ASIDE, /**< renamed, since they are damaged */
    ENGRAM_CHECKPOINT_REMOVED,
} EngramCheckpointFate;

/** Gives up all checkpoints later than a step. On one rank; not collective. */
void EngramCheckpointFolderCut(const char *output_directory, PetscInt64 step,
                               EngramCheckpointFate fate);

/** Whether there are checkpoints later than a step. Collective. */
PetscErrorCode EngramCheckpointFolderHasLater(MPI_Comm comm, const char *output_directory,
                                              PetscInt64 step, PetscBool *has_later);

/**
 * The newest checkpoint that is whole; warns of those that are not. Collective.
 *
 * @param path      [size] its path
 * @param is_found  false: there is no checkpoint at all
 * @return ENGRAM_ERR_INPUT when there are checkpoints and all are damaged
 */
PetscErrorCode EngramCheckpointFolderNewest(MPI_Comm comm, const char *output_directory, char *path,
                                            size_t size, EngramCheckpointHead *head,
                                            PetscBool *is_found);

#endif
