/**
 * @file hdf5_image.h
 * An image of what HDF5 itself keeps in a file of growing datasets, to put the file back to where
 * it stood.
 *
 * A file whose program is killed may be unreadable, because HDF5 changes its own structures in
 * place; the rows that were written stay where they are. So a file can be put back to an earlier
 * state by little: everything that lies outside the rows, and its length. The image is small, about
 * 300 bytes a row of the file.
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

/** Where the rows of a file lie. Start with zeros and the names. */
typedef struct EngramHdf5Image {
    const char *names[ENGRAM_HDF5_IMAGE_DATASETS]; /**< of all growing datasets; borrowed */
    int datasets;
    hsize_t known[ENGRAM_HDF5_IMAGE_DATASETS]; /**< chunks of each that are among the ranges */
    EngramHdf5Range *ranges; /**< of the rows, ascending, none touching another; owned */
    PetscInt count;
    PetscInt capacity;
} EngramHdf5Image;

/**
 * Adds the image of a flushed file to a position, on rank 0. Collective.
 * @return ENGRAM_ERR_OUTPUT when the file cannot be read
 */
PetscErrorCode EngramHdf5ImageTake(EngramHdf5Image *image, EngramHdf5File *file,
                                   EngramPosition *position);

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
 * Goes on with a file that was put back and opened again: learns from the image where the rows are.
 * Collective; the words are needed on rank 0.
 */
PetscErrorCode EngramHdf5ImageResume(EngramHdf5Image *image, EngramHdf5File *file,
                                     const uint64_t *words, PetscInt64 count);

/** Frees the ranges; may be called twice. Not collective. */
PetscErrorCode EngramHdf5ImageDestroy(EngramHdf5Image *image);

#endif
