#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/grid/density.h"

enum { LEFT = 0, RIGHT = 1, SIDES = 2, REQUESTS = 2 * SIDES };

struct EngramHalo {
    const EngramGrid *grid; /* borrowed */
    PetscInt rows;
    PetscInt width;
    double *sent[SIDES]; /* [rows + 2][width]: columns, velocities, firing rates */
    double *received[SIDES];
    MPI_Request requests[REQUESTS]; /* what is received first: it finds its place when it comes */
};

PetscErrorCode EngramHaloCreate(const EngramGrid *grid, PetscInt rows, PetscInt width,
                                EngramHalo *halo)
{
    EngramHalo made = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&made));
    *halo = made;
    made->grid = grid;
    made->rows = rows;
    made->width = width;
    const PetscMPIInt neighbours[SIDES] = {grid->rank > 0 ? grid->rank - 1 : MPI_PROC_NULL,
                                           grid->rank + 1 < grid->size ? grid->rank + 1
                                                                       : MPI_PROC_NULL};
    PetscMPIInt length = 0;
    PetscCall(PetscMPIIntCast((rows + 2) * width, &length));
    for (int side = 0; side < SIDES; side++) {
        PetscCall(PetscCalloc1(length, &made->sent[side]));
        PetscCall(PetscCalloc1(length, &made->received[side]));
        /* What goes to the left arrives from the right: the tag is the direction of travel. */
        PetscCallMPI(MPI_Recv_init(made->received[side], length, MPI_DOUBLE, neighbours[side],
                                   1 - side, grid->comm, &made->requests[side]));
        PetscCallMPI(MPI_Send_init(made->sent[side], length, MPI_DOUBLE, neighbours[side], side,
                                   grid->comm, &made->requests[SIDES + side]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Copies `width` numbers of all rows, `step` cells from each other, beginning with cell `first`.
 */
static inline void PackRows(EngramHalo halo, const EngramHaloSource *source, PetscInt first,
                            PetscInt width, PetscInt step, double *buffer)
{
    const PetscInt stride = halo->grid->w_stride;
    const double *row = source->density + first;
    double *packed = buffer;
    for (PetscInt k = 0; k < halo->rows; k++) {
        for (PetscInt i = 0; i < width; i++) {
            packed[i] = row[i * step];
        }
        row += stride;
        packed += width;
    }
    for (PetscInt i = 0; i < width; i++) {
        packed[i] = source->velocity[first + i * step];
        packed[width + i] = source->firing_rate[first + i * step];
    }
}

/** Copies some neighbouring columns, beginning with `first`. */
static void PackColumns(EngramHalo halo, const EngramHaloSource *source, PetscInt first,
                        double *buffer)
{
    /* With widths that the compiler knows. */
    if (halo->width == 1) {
        PackRows(halo, source, first, 1, 1, buffer);
    } else {
        PackRows(halo, source, first, 2, 1, buffer);
    }
}

/** Two equal ghosts that repeat the cell at the end of the axis. */
static void MirrorEnd(EngramHalo halo, const EngramHaloSource *source, PetscInt cell,
                      double *buffer)
{
    PackRows(halo, source, cell, 2, 0, buffer);
}

PetscErrorCode EngramHaloBegin(EngramHalo halo, const EngramHaloSource *source)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = halo->grid;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    if (grid->rank > 0) {
        PackColumns(halo, source, 0, halo->sent[LEFT]);
    }
    if (grid->rank < grid->size - 1) {
        PackColumns(halo, source, grid->w_local - halo->width, halo->sent[RIGHT]);
    }
    if (halo->width == 2 && grid->rank == 0) {
        MirrorEnd(halo, source, 0, halo->received[LEFT]);
    }
    if (halo->width == 2 && grid->rank == grid->size - 1) {
        MirrorEnd(halo, source, grid->w_local - 1, halo->received[RIGHT]);
    }
    PetscCallMPI(MPI_Startall(REQUESTS, halo->requests));
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_HALO, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static EngramGhost GhostOf(EngramHalo halo, const double *received)
{
    const double *velocity = received + halo->rows * halo->width;
    return (EngramGhost){received, velocity, velocity + halo->width};
}

PetscErrorCode EngramHaloEnd(EngramHalo halo, EngramGhost *left, EngramGhost *right)
{
    PetscFunctionBeginUser;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    PetscCallMPI(MPI_Waitall(REQUESTS, halo->requests, MPI_STATUSES_IGNORE));
    *left = GhostOf(halo, halo->received[LEFT]);
    *right = GhostOf(halo, halo->received[RIGHT]);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_HALO, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHaloDestroy(EngramHalo *halo)
{
    PetscFunctionBeginUser;
    if (!*halo) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    for (int i = 0; i < REQUESTS; i++) {
        PetscCallMPI(MPI_Request_free(&(*halo)->requests[i]));
    }
    for (int side = 0; side < SIDES; side++) {
        PetscCall(PetscFree((*halo)->sent[side]));
        PetscCall(PetscFree((*halo)->received[side]));
    }
    PetscCall(PetscFree(*halo));
    PetscFunctionReturn(PETSC_SUCCESS);
}
