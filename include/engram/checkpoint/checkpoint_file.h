/**
 * @file checkpoint_file.h
 * One checkpoint: an HDF5 file from which a run goes on to the bit, on any number of ranks.
 *
 * The first 4096 bytes are text: a format token, the version of the format, step and time, the
 * length of the file, a checksum of all bytes after them and one of these numbers. HDF5 follows (it
 * calls such a beginning a user block): the group /state with the parts of the state, slices as
 * [rows][w], each with a checksum of its own; the group /case with all options; the group /files
 * with the checksums of the files that options name; the group /outputs with the positions of
 * series.csv and fields.h5. A file is looked at by HDF5 only when its checksum is right, so no
 * damage reaches HDF5.
 *
 * It is written under another name, read again for its checksum, brought to the disk and renamed,
 * so a checkpoint that is there is whole. All functions are collective.
 */
#ifndef ENGRAM_CHECKPOINT_CHECKPOINT_FILE_H
#define ENGRAM_CHECKPOINT_CHECKPOINT_FILE_H

#include "engram/base/file_sums.h"
#include "engram/base/hdf5_file.h"
#include "engram/base/options.h"
#include "engram/base/position.h"
#include "engram/base/provenance.h"
#include "engram/grid/grid.h"
#include "engram/grid/state_part.h"

/** Most outputs with a position. */
#define ENGRAM_CHECKPOINT_OUTPUTS 8

/** Longest reason why a file is no checkpoint. */
#define ENGRAM_CHECKPOINT_REASON 160

/** What a checkpoint holds. All is borrowed. */
typedef struct EngramCheckpointContent {
    PetscInt64 step;
    double time;
    const EngramStateParts *state;
    EngramOptions options;
    const EngramFileSums *files;
    const EngramProvenance *provenance;
    int outputs;
    const char *output_names[ENGRAM_CHECKPOINT_OUTPUTS];
    const EngramPosition *positions[ENGRAM_CHECKPOINT_OUTPUTS]; /**< words on rank 0 */
} EngramCheckpointContent;

/** What the beginning of a checkpoint says. */
typedef struct EngramCheckpointHead {
    PetscInt64 step;
    double time;
    uint64_t bytes;
} EngramCheckpointHead;

/** A checkpoint that is being read. */
typedef struct EngramCheckpointFile {
    const EngramGrid *grid; /**< borrowed */
    EngramHdf5File hdf5;
} EngramCheckpointFile;

/**
 * Writes a checkpoint that replaces one of that name.
 *
 * @return ENGRAM_ERR_OUTPUT when that fails; there is then no file of that name, or the old one
 */
PetscErrorCode EngramCheckpointWrite(const EngramGrid *grid, const char *path,
                                     const EngramCheckpointContent *content);

/**
 * Reads all of a file to see whether it is a checkpoint, whole and unchanged.
 *
 * @param reason  [ENGRAM_CHECKPOINT_REASON] why not; empty if it is one. The same on all ranks
 */
PetscErrorCode EngramCheckpointVerify(MPI_Comm comm, const char *path, EngramCheckpointHead *head,
                                      char *reason);

/** Opens a checkpoint that has been verified. */
PetscErrorCode EngramCheckpointOpen(const EngramGrid *grid, const char *path,
                                    EngramCheckpointFile *file);

/** Numbers of a common part of the state; 0: there is none of that name. */
PetscErrorCode EngramCheckpointCount(EngramCheckpointFile *file, const char *name, PetscInt *count);

/**
 * Fills in the parts of a state.
 * @return ENGRAM_ERR_INPUT when the file has no such parts, as of another grid; ENGRAM_ERR_OUTPUT
 *         when a checksum is wrong after all
 */
PetscErrorCode EngramCheckpointReadState(EngramCheckpointFile *file, const EngramStateParts *state);

/** The position of an output, on rank 0; empty where it had none. The words are then owned. */
PetscErrorCode EngramCheckpointReadPosition(EngramCheckpointFile *file, const char *output,
                                            EngramPosition *position);

/**
 * Value that an option had.
 * @param is_there  whether the program that wrote the checkpoint knew it
 */
PetscErrorCode EngramCheckpointReadOption(EngramCheckpointFile *file, const char *name, char *text,
                                          size_t size, PetscBool *is_there);

/** Checksum, as text, of the file that an option named; not there in older checkpoints. */
PetscErrorCode EngramCheckpointReadFileSum(EngramCheckpointFile *file, const char *name, char *text,
                                           size_t size, PetscBool *is_there);

/** Closes the file; may be called twice. */
PetscErrorCode EngramCheckpointClose(EngramCheckpointFile *file);

#endif
