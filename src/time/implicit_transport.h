/**
 * @file implicit_transport.h
 * The implicit transport step on distributed rows: every rank gathers some whole rows, solves them
 * along w, and hands them back.
 *
 * The matrix in w is the same for every row, and the elimination runs along w from one end of the
 * axis to the other. With whole rows on one rank the order of its operations does not depend on the
 * number of ranks, and so neither do its bits; the exchange is one MPI_Alltoallv to and fro.
 */
#ifndef ENGRAM_SRC_TIME_IMPLICIT_TRANSPORT_H
#define ENGRAM_SRC_TIME_IMPLICIT_TRANSPORT_H

#include "engram/grid/density.h"
#include "engram/grid/grid.h"
#include "engram/kernels/transport_implicit.h"

/** Who holds what, and the work space. */
typedef struct ImplicitTransport {
    const EngramGrid *grid; /* borrowed */
    PetscInt order;
    PetscInt rows;               /* of what is transported: a density, and the firing rates */
    PetscInt own_rows;           /* whole rows of this rank */
    PetscMPIInt *cell_counts;    /* [size] cells of every rank */
    PetscMPIInt *cell_starts;    /* [size] */
    PetscMPIInt *slice_counts;   /* [size] doubles of this rank's cells for every rank's rows */
    PetscMPIInt *slice_starts;   /* [size] */
    PetscMPIInt *content_counts; /* [size] doubles of every rank's cells for this rank's rows */
    PetscMPIInt *content_starts; /* [size] */
    double *phi;                 /* [w_cells] of all ranks */
    double *face_w;              /* [w_cells + 1] */
    EngramTransportFactors factors;
    double *slices;  /* [size][w_local][rows of that rank]: this rank's cells, transposed */
    double *content; /* [w_cells][own_rows]: whole rows, transposed */
} ImplicitTransport;

/** Allocates the work space. Collective. @return ENGRAM_ERR_INPUT for a grid beyond MPI's counts */
PetscErrorCode ImplicitTransportCreate(const EngramGrid *grid, PetscInt rows, PetscInt order,
                                       ImplicitTransport *transport);

/**
 * One step of length dt. Collective.
 *
 * @param phi   [w_local] Phi of this rank's cells
 * @param from  rows before
 * @param to    rows after; may be the same
 * @param firing_rate  [w_local] travels with those who fire
 */
PetscErrorCode ImplicitTransportApply(ImplicitTransport *transport, double dt, const double *phi,
                                      const EngramDensity *from, const EngramDensity *to,
                                      double *firing_rate);

/** Bytes of the work space that are as large as a density. Not collective. */
double ImplicitTransportMemory(const ImplicitTransport *transport);

/** Frees the work space; may be called twice. Not collective. */
PetscErrorCode ImplicitTransportDestroy(ImplicitTransport *transport);

#endif
