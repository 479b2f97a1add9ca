/**
 * @file hdf5_dataset.h
 * What datasets with rows and without have in common.
 */
#ifndef ENGRAM_SRC_BASE_HDF5_DATASET_H
#define ENGRAM_SRC_BASE_HDF5_DATASET_H

#include "engram/base/hdf5_file.h"

/**
 * Creates a dataset on the first rank. The numbers have their place at once, since other ranks
 * write them there. Not collective.
 *
 * @param space  its extents; is closed
 * @param chunk  extents of a chunk of a growing dataset, or NULL for a contiguous one
 * @return whether it failed
 */
int DatasetCreate(const EngramHdf5File *file, const char *name, EngramHdf5Type type, hid_t space,
                  int dimensions, const hsize_t *chunk);

/** All columns of a row on the first rank. `all` is to be freed there. Collective. */
PetscErrorCode DatasetGather(const EngramHdf5File *file, const EngramHdf5Part *part,
                             const void *values, uint64_t **all);

#endif
