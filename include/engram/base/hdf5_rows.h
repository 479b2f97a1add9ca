/**
 * @file hdf5_rows.h
 * Datasets of doubles that grow by rows, one an output, of any shape behind it.
 *
 * Every rank writes its part of a row, straight to the place that HDF5 has for it: HDF5 itself is
 * asked for a place only when a chunk begins, and is told how many rows there are. Small rows share
 * a chunk, a row of some GiB has several, since HDF5 takes none of 4 GiB. So the cost of a row does
 * not depend on how many there are.
 */
#ifndef ENGRAM_BASE_HDF5_ROWS_H
#define ENGRAM_BASE_HDF5_ROWS_H

#include "engram/base/hdf5_file.h"
#include "engram/base/hdf5_image.h"

/** Most chunks of one row. */
#define ENGRAM_HDF5_ROW_CHUNKS 64

/** A growing dataset of an open file. */
typedef struct EngramHdf5Rows {
    const char *name; /**< borrowed */
    int number;       /**< among those of the image of the file */
    EngramHdf5Part part;
    hsize_t chunk[ENGRAM_HDF5_ROW_DIMENSIONS + 1]; /**< extents of a chunk: rows first */
    int chunks;                                    /**< of one row */
    PetscInt64 group;                              /**< of rows, whose places are known; -1: none */
    uint64_t places[ENGRAM_HDF5_ROW_CHUNKS];       /**< of its chunks, on the first rank */
} EngramHdf5Rows;

/**
 * Creates a dataset. Collective, as all functions here.
 *
 * @param number  place among the growing datasets of the file, from 0
 * @param part    of a row
 */
PetscErrorCode EngramHdf5RowsCreate(EngramHdf5File *file, const char *name, int number,
                                    const EngramHdf5Part *part, const char *unit,
                                    const char *description, EngramHdf5Rows *rows);

/** Goes on with a dataset of a file that was opened again. */
PetscErrorCode EngramHdf5RowsOpen(EngramHdf5File *file, const char *name, int number,
                                  const EngramHdf5Part *part, EngramHdf5Rows *rows);

/** Bytes by which the file grows for a row; 0 where it shares a chunk with the one before. */
uint64_t EngramHdf5RowsGrowth(const EngramHdf5Rows *rows, PetscInt row);

/**
 * Appends row `row` (0, 1, ...).
 *
 * @param image  of the file: it learns where the rows lie, and their checksum
 */
PetscErrorCode EngramHdf5RowsWrite(EngramHdf5File *file, EngramHdf5Rows *rows,
                                   EngramHdf5Image *image, PetscInt row, const double *values);

#endif
