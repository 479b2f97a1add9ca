/**
 * @file xdmf.h
 * The file that tells ParaView how to read fields.h5, by any of its readers of XDMF.
 */
#ifndef ENGRAM_SRC_OBSERVE_XDMF_H
#define ENGRAM_SRC_OBSERVE_XDMF_H

#include "engram/grid/grid.h"

/** A growing list of times; the closing tags are overwritten by the next one. */
typedef struct XdmfSeries {
    const EngramGrid *grid; /* borrowed */
    char path[PETSC_MAX_PATH_LEN];
    long tail; /* where the closing tags begin */
} XdmfSeries;

/** Writes a file without times. Collective. */
PetscErrorCode XdmfSeriesStart(const EngramGrid *grid, const char *directory, XdmfSeries *series);

/** Adds the row of fields.h5 for a time; the file is whole after every call. Collective. */
PetscErrorCode XdmfSeriesAppend(XdmfSeries *series, PetscInt row, double time);

#endif
