/**
 * @file hdf5_plane.h
 * Planes whose columns are shared among the ranks, in a file whose structures the first rank keeps.
 *
 * Every rank owns columns, which are many small pieces of a file. Ranks therefore exchange them so
 * that each has some whole rows, and write those in one piece. A failure of any rank is known to
 * all without a rank waiting for it, which libraries for parallel files do not promise.
 */
#ifndef ENGRAM_SRC_BASE_HDF5_PLANE_H
#define ENGRAM_SRC_BASE_HDF5_PLANE_H

#include "engram/base/hdf5_file.h"

/**
 * Writes a plane of words. Collective.
 *
 * @param place   where it begins in the file; of the first rank
 * @param part    of two dimensions: all rows, this rank's columns
 * @param values  [rows * in_memory[1]] of this rank
 * @param sum     NULL, or a checksum to which this rank adds that of the words it writes, each at
 *                its place in the file in words
 */
PetscErrorCode PlaneWrite(EngramHdf5File *file, uint64_t place, const EngramHdf5Part *part,
                          const void *values, uint64_t *sum);

/** Reads this rank's columns of a plane. Collective. */
PetscErrorCode PlaneRead(EngramHdf5File *file, uint64_t place, const EngramHdf5Part *part,
                         void *values);

#endif
