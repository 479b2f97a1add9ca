/**
 * @file fields_head.h
 * What stands once in fields.h5: the axes, the options and where the results come from.
 */
#ifndef ENGRAM_SRC_OBSERVE_FIELDS_HEAD_H
#define ENGRAM_SRC_OBSERVE_FIELDS_HEAD_H

#include "engram/base/hdf5_file.h"
#include "engram/observe/observer.h"

/** Writes it into a new file; slices: the part of a dataset [w] that this rank has. Collective. */
PetscErrorCode FieldsHeadWrite(const EngramGrid *grid, const EngramOutputParameters *parameters,
                               const EngramHdf5Part *slices, EngramHdf5File *file);

#endif
