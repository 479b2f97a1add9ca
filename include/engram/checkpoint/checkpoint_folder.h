/**
 * @file checkpoint_folder.h
 * The checkpoints of one run: a folder of files named after their steps.
 */
#ifndef ENGRAM_CHECKPOINT_CHECKPOINT_FOLDER_H
#define ENGRAM_CHECKPOINT_CHECKPOINT_FOLDER_H

#include "engram/checkpoint/checkpoint_file.h"

/** The folder of checkpoints within that of the results; or a symbolic link to another one. */
#define ENGRAM_CHECKPOINT_FOLDER "checkpoints"

/** Place of checkpoints that is that folder itself. */
#define ENGRAM_CHECKPOINT_PLACE_AUTO "auto"

/**
 * Whether the checkpoints of a run can have their place; changes nothing. Collective.
 *
 * @param place     path of a folder, or ENGRAM_CHECKPOINT_PLACE_AUTO for what is there
 * @param replaces  the checkpoints of an earlier run in the folder of the results may go
 * @return ENGRAM_ERR_INPUT when the place has checkpoints of others, or the run has its own
 * elsewhere
 */
PetscErrorCode EngramCheckpointFolderCheck(MPI_Comm comm, const char *output_directory,
                                           const char *place, PetscBool replaces);

/**
 * Makes the folder at another place, with a symbolic link to it in that of the results, and keeps
 * other runs out of it. Nothing for ENGRAM_CHECKPOINT_PLACE_AUTO, but for the lock of a place that
 * was linked before. Collective.
 * @return ENGRAM_ERR_INPUT when another run is writing there; ENGRAM_ERR_OUTPUT when it cannot be
 * made
 */
PetscErrorCode EngramCheckpointFolderLink(MPI_Comm comm, const char *output_directory,
                                          const char *place);

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
 * @return ENGRAM_ERR_INPUT when there are checkpoints and all are damaged, or when nobody can tell
 */
PetscErrorCode EngramCheckpointFolderNewest(MPI_Comm comm, const char *output_directory, char *path,
                                            size_t size, EngramCheckpointHead *head,
                                            PetscBool *is_found);

#endif
