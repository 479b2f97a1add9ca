#include "implicit_transport.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/kernels/transpose.h"

static const double FLOPS_PER_CELL = 6.0;

/** First of the rows that a rank solves. */
static PetscInt FirstRow(const ImplicitTransport *transport, PetscMPIInt rank)
{
    return (PetscInt)((PetscInt64)transport->rows * rank / transport->grid->size);
}

static PetscInt RowsOf(const ImplicitTransport *transport, PetscMPIInt rank)
{
    return FirstRow(transport, rank + 1) - FirstRow(transport, rank);
}

/** Counts and starts of what travels, in doubles. */
static PetscErrorCode CountMessages(ImplicitTransport *transport)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = transport->grid;
    const PetscMPIInt local = (PetscMPIInt)grid->w_local;
    PetscCallMPI(MPI_Allgather(&local, 1, MPI_INT, transport->cell_counts, 1, MPI_INT, grid->comm));
    PetscInt64 slices = 0;
    PetscInt64 contents = 0;
    PetscInt64 cells = 0;
    for (PetscMPIInt rank = 0; rank < grid->size; rank++) {
        const PetscInt64 sent = (PetscInt64)grid->w_local * RowsOf(transport, rank);
        const PetscInt64 got = (PetscInt64)transport->cell_counts[rank] * transport->own_rows;
        transport->cell_starts[rank] = (PetscMPIInt)cells;
        transport->slice_starts[rank] = (PetscMPIInt)slices;
        transport->slice_counts[rank] = (PetscMPIInt)sent;
        transport->content_starts[rank] = (PetscMPIInt)contents;
        transport->content_counts[rank] = (PetscMPIInt)got;
        cells += transport->cell_counts[rank];
        slices += sent;
        contents += got;
    }
    if (slices > PETSC_MPI_INT_MAX || contents > PETSC_MPI_INT_MAX) {
        PetscCall(EngramInputError("-transport_time implicit: a rank would exchange more than %d "
                                   "numbers, the most that MPI counts; start more ranks",
                                   PETSC_MPI_INT_MAX));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ImplicitTransportCreate(const EngramGrid *grid, PetscInt rows, PetscInt order,
                                       ImplicitTransport *transport)
{
    PetscFunctionBeginUser;
    transport->grid = grid;
    transport->order = order;
    transport->rows = rows + 1;
    transport->own_rows = RowsOf(transport, grid->rank);
    PetscCall(PetscMalloc6(grid->size, &transport->cell_counts, grid->size, &transport->cell_starts,
                           grid->size, &transport->slice_counts, grid->size,
                           &transport->slice_starts, grid->size, &transport->content_counts,
                           grid->size, &transport->content_starts));
    PetscCall(CountMessages(transport));
    PetscCall(EngramAlignedCalloc(grid->w_cells, &transport->phi));
    PetscCall(EngramAlignedCalloc(grid->w_cells + 1, &transport->face_w));
    PetscCall(EngramAlignedCalloc(grid->w_cells, &transport->factors.to_right));
    PetscCall(EngramAlignedCalloc(grid->w_cells, &transport->factors.turns));
    PetscCall(EngramAlignedCalloc(grid->w_cells, &transport->factors.to_left));
    PetscCall(EngramAlignedCalloc(grid->w_cells, &transport->factors.settles));
    PetscCall(
        EngramAlignedCalloc(grid->w_cells * PetscMax(transport->own_rows, 1), &transport->content));
    if (grid->size > 1) {
        PetscCall(EngramAlignedCalloc(grid->w_local * transport->rows, &transport->slices));
    }
    for (PetscInt face = 0; face <= grid->w_cells; face++) {
        const PetscBool is_inside = (PetscBool)(face > 0 && face < grid->w_cells);
        transport->face_w[face] = is_inside ? grid->w_min + (double)face * grid->w_spacing : NAN;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Rows of a rank to [cell][row]; the last one of all is that of the firing rates. */
static void Transpose(const ImplicitTransport *transport, PetscMPIInt rank,
                      const EngramDensity *rows, const double *firing_rate, double *content)
{
    const EngramGrid *grid = transport->grid;
    const PetscInt count = RowsOf(transport, rank);
    const PetscInt own = rank + 1 == grid->size ? count - 1 : count;
    EngramTranspose(own, grid->w_local, rows->values + FirstRow(transport, rank) * grid->w_stride,
                    grid->w_stride, content, count);
    for (PetscInt i = 0; own < count && i < grid->w_local; i++) {
        content[i * count + own] = firing_rate[i];
    }
}

/** And back again. */
static void TransposeBack(const ImplicitTransport *transport, PetscMPIInt rank,
                          const double *content, const EngramDensity *rows, double *firing_rate)
{
    const EngramGrid *grid = transport->grid;
    const PetscInt count = RowsOf(transport, rank);
    const PetscInt own = rank + 1 == grid->size ? count - 1 : count;
    EngramTranspose(grid->w_local, own, content, count,
                    rows->values + FirstRow(transport, rank) * grid->w_stride, grid->w_stride);
    for (PetscInt i = 0; own < count && i < grid->w_local; i++) {
        firing_rate[i] = content[i * count + own];
    }
}

/** From the cells of this rank to whole rows, transposed. */
static PetscErrorCode Gather(ImplicitTransport *transport, const EngramDensity *rows,
                             const double *firing_rate)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = transport->grid;
    if (grid->size == 1) {
        Transpose(transport, 0, rows, firing_rate, transport->content);
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    for (PetscMPIInt rank = 0; rank < grid->size; rank++) {
        Transpose(transport, rank, rows, firing_rate,
                  transport->slices + transport->slice_starts[rank]);
    }
    PetscCallMPI(MPI_Alltoallv(transport->slices, transport->slice_counts, transport->slice_starts,
                               MPI_DOUBLE, transport->content, transport->content_counts,
                               transport->content_starts, MPI_DOUBLE, grid->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** And back again. */
static PetscErrorCode Scatter(ImplicitTransport *transport, const EngramDensity *rows,
                              double *firing_rate)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = transport->grid;
    if (grid->size == 1) {
        TransposeBack(transport, 0, transport->content, rows, firing_rate);
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCallMPI(MPI_Alltoallv(transport->content, transport->content_counts,
                               transport->content_starts, MPI_DOUBLE, transport->slices,
                               transport->slice_counts, transport->slice_starts, MPI_DOUBLE,
                               grid->comm));
    for (PetscMPIInt rank = 0; rank < grid->size; rank++) {
        TransposeBack(transport, rank, transport->slices + transport->slice_starts[rank], rows,
                      firing_rate);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ImplicitTransportApply(ImplicitTransport *transport, double dt, const double *phi,
                                      const EngramDensity *from, const EngramDensity *to,
                                      double *firing_rate)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = transport->grid;
    const double ratio = dt / grid->w_spacing;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    PetscCallMPI(MPI_Allgatherv(phi, (PetscMPIInt)grid->w_local, MPI_DOUBLE, transport->phi,
                                transport->cell_counts, transport->cell_starts, MPI_DOUBLE,
                                grid->comm));
    PetscCall(Gather(transport, from, firing_rate));
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_HALO, 0.0));
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_TRANSPORT));
    EngramTransportFactorise(grid->w_cells, ratio, transport->phi, transport->face_w,
                             &transport->factors);
    EngramTransportSolve(grid->w_cells, transport->own_rows, transport->own_rows,
                         &transport->factors, transport->content);
    if (transport->order == 2) {
        EngramTransportSharpen(grid->w_cells, transport->own_rows, transport->own_rows, ratio,
                               transport->phi, transport->face_w, transport->content);
    }
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_TRANSPORT,
                                FLOPS_PER_CELL * (double)(transport->own_rows * grid->w_cells)));
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    PetscCall(Scatter(transport, to, firing_rate));
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_HALO, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

double ImplicitTransportMemory(const ImplicitTransport *transport)
{
    if (!transport->grid) {
        return 0.0;
    }
    const double content = (double)transport->own_rows * (double)transport->grid->w_cells;
    const double slices =
        transport->slices ? (double)transport->rows * (double)transport->grid->w_local : 0.0;
    return (content + slices) * sizeof(double);
}

PetscErrorCode ImplicitTransportDestroy(ImplicitTransport *transport)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree6(transport->cell_counts, transport->cell_starts, transport->slice_counts,
                         transport->slice_starts, transport->content_counts,
                         transport->content_starts));
    PetscCall(EngramAlignedFree(&transport->phi));
    PetscCall(EngramAlignedFree(&transport->face_w));
    PetscCall(EngramAlignedFree(&transport->factors.to_right));
    PetscCall(EngramAlignedFree(&transport->factors.turns));
    PetscCall(EngramAlignedFree(&transport->factors.to_left));
    PetscCall(EngramAlignedFree(&transport->factors.settles));
    PetscCall(EngramAlignedFree(&transport->content));
    PetscCall(EngramAlignedFree(&transport->slices));
    PetscFunctionReturn(PETSC_SUCCESS);
}
