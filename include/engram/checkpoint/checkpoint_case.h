/**
 * @file checkpoint_case.h
 * Whether a case may go on from a checkpoint: its options beside those that the checkpoint had.
 */
#ifndef ENGRAM_CHECKPOINT_CHECKPOINT_CASE_H
#define ENGRAM_CHECKPOINT_CHECKPOINT_CASE_H

#include "engram/base/file_sums.h"
#include "engram/checkpoint/checkpoint_file.h"

/** Where a case can be looked up that a run had. The functions may be collective. */
typedef struct EngramCaseSource {
    /** The text of an option. */
    PetscErrorCode (*option)(void *context, const char *name, char *text, size_t size,
                             PetscBool *is_there);
    void *option_context;
    /** The checksum, as text, of the file that an option names. */
    PetscErrorCode (*file_sum)(void *context, const char *name, char *text, size_t size,
                               PetscBool *is_there);
    void *file_sum_context;
    PetscBool is_ended; /**< what a run may change on its way, and not behind its end, counts */
} EngramCaseSource;

/** Options that have other values, or other contents of the files that they name. */
typedef struct EngramCaseDifferences {
    char list[4096]; /**< a line each */
    int count;
    PetscBool has_shape; /**< of the grid is among them */
} EngramCaseDifferences;

/** Compares a case with that of a run; but for options that leave the steps alone. */
PetscErrorCode EngramCaseCompare(const EngramCaseSource *source, EngramOptions options,
                                 const EngramFileSums *files, EngramCaseDifferences *differences);

/**
 * Refuses options that are not those of the checkpoint, unless they leave the steps alone (the end,
 * outputs, checkpoints, the method of the slices), and files that have changed since. Checkpoints
 * of programs that kept no checksums of files are taken without. Collective.
 *
 * @param files      that options name, as the program has read them
 * @param is_forced  accepts and lists them all the same, but for those that shape the grid
 * @return ENGRAM_ERR_INPUT, with the list of the differences
 */
PetscErrorCode EngramCheckpointCheckCase(EngramCheckpointFile *file, EngramOptions options,
                                         const EngramFileSums *files, PetscBool is_forced);

#endif
