/**
 * @file hdf5_image.h
 * An image of what HDF5 itself keeps in a file of growing datasets, to put the file back to where
 * it stood.
 *
 * A file whose program is killed may be unreadable, because HDF5 changes its own structures in
 * place; the rows that were written stay where they are. So a file can be put back to an earlier
 * state by little: everything that lies outside the rows, and its length. The image is small, some
 * ten bytes for each 64 kB of rows. With it goes a checksum of the rows, by which a file that is
 * not the one of the image is told.
 */
#ifndef ENGRAM_BASE_HDF5_IMAGE_H
#define ENGRAM_BASE_HDF5_IMAGE_H

#include "engram/base/hdf5_file.h"
#include "engram/base/position.h"

/** Most datasets of a file. */
#define ENGRAM_HDF5_IMAGE_DATASETS 8

/** Bytes of a file, [begin, end). */
typedef struct EngramHdf5Range {
    uint64_t begin;
    uint64_t end;
} EngramHdf5Range;

/** Where the rows of a file lie. Start with zeros and the number of datasets. */
typedef struct EngramHdf5Image {
    int datasets;            /**< that grow */
    EngramHdf5Range *ranges; /**< of their chunks, ascending, none touching another; owned */
    PetscInt count;
    PetscInt capacity;
    EngramHdf5Range
        unfilled[ENGRAM_HDF5_IMAGE_DATASETS]; /**< of the last chunks, without rows yet */
    uint64_t sum;         /**< checksum of the words of all rows; a part of it on each rank */
    PetscBool has_no_sum; /**< the file was begun by a program that kept none */
} EngramHdf5Image;

/** Learns that a chunk has its place; it may touch others, but not overlap them. On the first rank;
 * not collective. */
PetscErrorCode EngramHdf5ImageAdd(EngramHdf5Image *image, uint64_t begin, uint64_t end);

/**
 * Adds the image of a flushed file to a position, on rank 0. Collective.
 * @return ENGRAM_ERR_OUTPUT when the file cannot be read
 */
PetscErrorCode EngramHdf5ImageTake(EngramHdf5Image *image, EngramHdf5File *file,
                                   EngramPosition *position);

/** What EngramHdf5ImageVerify finds where the rows have another checksum. */
#define ENGRAM_HDF5_IMAGE_CHANGED (-2)

/**
 * Whether a file has the rows that it had when the image was taken; images of older programs tell
 * its length only. Changes nothing. Collective; the words are needed on the first rank.
 *
 * @param failure  0, errno, ENGRAM_FILE_TOO_SHORT or ENGRAM_HDF5_IMAGE_CHANGED; the same on all
 */
PetscErrorCode EngramHdf5ImageVerify(MPI_Comm comm, const char *path, const uint64_t *words,
                                     PetscInt64 count, int *failure);

/**
 * Puts a closed file back to where it stood when the image was taken, and on the disk. Not
 * collective: on one rank.
 *
 * @param words  the part of a position that EngramHdf5ImageTake has added
 * @param count  its length
 * @return 0, errno, or ENGRAM_FILE_TOO_SHORT when the file is shorter than it was: another one
 */
int EngramHdf5ImageRestore(const char *path, const uint64_t *words, PetscInt64 count);

/**
 * Goes on with a file that was put back: learns from the image where the rows are. On the first
 * rank, which has the words; not collective.
 */
PetscErrorCode EngramHdf5ImageResume(EngramHdf5Image *image, const uint64_t *words,
                                     PetscInt64 count);

/** Frees the ranges; may be called twice. Not collective. */
PetscErrorCode EngramHdf5ImageDestroy(EngramHdf5Image *image);

#endif
