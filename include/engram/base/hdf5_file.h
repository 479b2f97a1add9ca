/**
 * @file hdf5_file.h
 * An HDF5 file that all ranks write: what the program needs of HDF5, with checked calls.
 *
 * Datasets that grow by rows are those of hdf5_rows.h. The structures of the file are kept by the
 * first rank, and the numbers are written by all of them, each in one piece, to the places that
 * HDF5 has for them. All functions are collective on the file's communicator; a failure on any rank
 * is one of all, is ENGRAM_ERR_OUTPUT and names the path. After one the file must only be closed.
 */
#ifndef ENGRAM_BASE_HDF5_FILE_H
#define ENGRAM_BASE_HDF5_FILE_H

#include <hdf5.h>
#include <petscsys.h>
#include <stdint.h>

/**
 * Datasets and chunks of at least so many bytes begin at a multiple of the size of a page, so that
 * their rows can be written without reading the ends of pages first.
 */
#define ENGRAM_HDF5_ALIGNED_BYTES (1 << 16)
#define ENGRAM_HDF5_ALIGNMENT 4096

/** Most dimensions of a row. */
#define ENGRAM_HDF5_ROW_DIMENSIONS 2

/** An open file. */
typedef struct EngramHdf5File {
    hid_t id;      /**< on the first rank only; negative: not open */
    MPI_Comm comm; /**< borrowed */
    PetscMPIInt rank;
    PetscMPIInt size;
    PetscBool is_open;
    PetscBool is_writable;
    PetscBool begins_sync; /**< the disk is to work while a large dataset is written; set after
                                EngramHdf5Create */
    hsize_t largest_chunk; /**< bytes; 0: the usual ones. Set after EngramHdf5Create */
    PetscBool has_failed;
    char path[PETSC_MAX_PATH_LEN];
} EngramHdf5File;

/** This rank's part of a row, or of a dataset without rows. */
typedef struct EngramHdf5Part {
    int dimensions;                                /**< of the row */
    hsize_t whole[ENGRAM_HDF5_ROW_DIMENSIONS];     /**< extent over all ranks */
    hsize_t offset[ENGRAM_HDF5_ROW_DIMENSIONS];    /**< where this rank's part begins */
    hsize_t count[ENGRAM_HDF5_ROW_DIMENSIONS];     /**< its extent; zeros: nothing from this rank */
    hsize_t in_memory[ENGRAM_HDF5_ROW_DIMENSIONS]; /**< extent of the array the part begins */
} EngramHdf5Part;

/** Kind of the numbers of a dataset. */
typedef enum EngramHdf5Type {
    ENGRAM_HDF5_DOUBLE, /**< double */
    ENGRAM_HDF5_WORD,   /**< uint64_t */
} EngramHdf5Type;

/**
 * Creates the file, replacing one of that name.
 *
 * @param user_block  bytes at the beginning that HDF5 leaves to the program: 0, or a power of two
 *                    from 512 on
 */
PetscErrorCode EngramHdf5Create(MPI_Comm comm, const char *path, hsize_t user_block,
                                EngramHdf5File *file);

/** Opens an existing file. */
PetscErrorCode EngramHdf5Open(MPI_Comm comm, const char *path, PetscBool is_writable,
                              EngramHdf5File *file);

/** Writes a text attribute of an object ("/" for the file itself). */
PetscErrorCode EngramHdf5WriteText(EngramHdf5File *file, const char *object, const char *attribute,
                                   const char *text);

/**
 * Reads a text attribute, cut to `size` bytes with the end of the text.
 *
 * @param is_there  whether there is such an attribute; if not the text is empty
 */
PetscErrorCode EngramHdf5ReadText(EngramHdf5File *file, const char *object, const char *attribute,
                                  char *text, size_t size, PetscBool *is_there);

/** Whether there is a group of that name. */
PetscErrorCode EngramHdf5HasGroup(EngramHdf5File *file, const char *name, PetscBool *is_there);

/** Creates a group. */
PetscErrorCode EngramHdf5CreateGroup(EngramHdf5File *file, const char *name);

/** Hands everything written to the system. */
PetscErrorCode EngramHdf5Flush(EngramHdf5File *file);

/**
 * Whether HDF5 could not bring its own structures into a file on this rank. It does not get over
 * that: it tries again when MPI ends, and breaks. Not collective.
 */
PetscBool EngramHdf5IsBroken(void);

/** Closes the file; may be called twice. After a failure it does so in silence. */
PetscErrorCode EngramHdf5Close(EngramHdf5File *file);

/** Makes a failure on any rank one of all and reports it once; for what uses HDF5 beside this. */
PetscErrorCode EngramHdf5Check(EngramHdf5File *file, int has_failed, const char *action);

/** Creates and writes a dataset without rows. */
PetscErrorCode EngramHdf5WriteOnce(EngramHdf5File *file, const char *name, EngramHdf5Type type,
                                   const EngramHdf5Part *part, const void *values);

/** Where in the file the numbers of a dataset without rows begin, in bytes. */
PetscErrorCode EngramHdf5Place(EngramHdf5File *file, const char *name, uint64_t *place);

/**
 * Makes a dataset of one dimension a dimension scale (HDF5's specification): the coordinate that
 * the dimension of its name has in other datasets.
 */
PetscErrorCode EngramHdf5MakeScale(EngramHdf5File *file, const char *name);

/** Attaches a scale to each dimension of a dataset, which is none itself. */
PetscErrorCode EngramHdf5SetScales(EngramHdf5File *file, const char *name, int dimensions,
                                   const char *const *scales);

/**
 * Unit and description of a dataset, as attributes `unit` and `description`, and as `units` and
 * `long_name`, by which readers of netCDF know them.
 */
PetscErrorCode EngramHdf5Describe(EngramHdf5File *file, const char *name, const char *unit,
                                  const char *description);

/** Extent of the first dimension of a dataset; -1: there is none of that name. */
PetscErrorCode EngramHdf5Extent(EngramHdf5File *file, const char *name, PetscInt64 *extent);

/**
 * Reads this rank's part of a dataset, which must have the extents of the part. One dimension is
 * read by the first rank, and is given to all if all have room for all of it.
 */
PetscErrorCode EngramHdf5Read(EngramHdf5File *file, const char *name, EngramHdf5Type type,
                              const EngramHdf5Part *part, void *values);

#endif
