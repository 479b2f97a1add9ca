/**
 * @file hdf5_file.h
 * A parallel HDF5 file of growing datasets: what the program needs of HDF5, with checked calls.
 *
 * A dataset has one row an output, of any shape behind it; every rank writes its part of a row.
 * All functions are collective on the file's communicator; failures are ENGRAM_ERR_OUTPUT and name
 * the path.
 */
#ifndef ENGRAM_BASE_HDF5_FILE_H
#define ENGRAM_BASE_HDF5_FILE_H

#include <hdf5.h>
#include <petscsys.h>

/** Most dimensions of a row. */
#define ENGRAM_HDF5_ROW_DIMENSIONS 2

/** An open file. */
typedef struct EngramHdf5File {
    hid_t id; /**< negative: not open */
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

/** Creates the file, replacing one of that name. */
PetscErrorCode EngramHdf5Create(MPI_Comm comm, const char *path, EngramHdf5File *file);

/** Creates a dataset of doubles that grows by rows; `unit` and `description` become attributes. */
PetscErrorCode EngramHdf5CreateRows(const EngramHdf5File *file, const char *name,
                                    const EngramHdf5Part *part, const char *unit,
                                    const char *description);

/** Appends row `row` (0, 1, ...). */
PetscErrorCode EngramHdf5WriteRow(const EngramHdf5File *file, const char *name, PetscInt row,
                                  const EngramHdf5Part *part, const double *values);

/** Creates and writes a dataset without rows. */
PetscErrorCode EngramHdf5WriteOnce(const EngramHdf5File *file, const char *name,
                                   const EngramHdf5Part *part, const double *values,
                                   const char *unit, const char *description);

/** Writes a text attribute of an object ("/" for the file itself). */
PetscErrorCode EngramHdf5WriteText(const EngramHdf5File *file, const char *object,
                                   const char *attribute, const char *text);

/** Creates a group. */
PetscErrorCode EngramHdf5CreateGroup(const EngramHdf5File *file, const char *name);

/** Hands everything written to the system. */
PetscErrorCode EngramHdf5Flush(const EngramHdf5File *file);

/** Closes the file; may be called twice. */
PetscErrorCode EngramHdf5Close(EngramHdf5File *file);

#endif
