/**
 * @file checkpoint_case.h
 * Whether a case may go on from a checkpoint: its options beside those that the checkpoint had.
 */
#ifndef ENGRAM_CHECKPOINT_CHECKPOINT_CASE_H
#define ENGRAM_CHECKPOINT_CHECKPOINT_CASE_H

#include "engram/checkpoint/checkpoint_file.h"

/**
 * Refuses options that are not those of the checkpoint, unless they leave the steps alone (the end,
 * outputs, checkpoints, the method of the slices). Collective.
 *
 * @param is_forced  accepts and lists them all the same, but for those that shape the grid
 * @return ENGRAM_ERR_INPUT, with the list of the differences
 */
PetscErrorCode EngramCheckpointCheckCase(EngramCheckpointFile *file, EngramOptions options,
                                         PetscBool is_forced);

#endif
