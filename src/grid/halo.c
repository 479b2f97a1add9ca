#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/grid/density.h"

enum { LEFT = 0, RIGHT = 1, SIDES = 2, REQUESTS = 2 * SIDES };

struct EngramHalo {
    const EngramGrid *grid; /* borrowed */
    PetscInt rows;
    PetscInt width;
    double *sent[SIDES]; /* [rows + 1][width]: columns, then the velocities */
    double *received[SIDES];
    MPI_Request requests[REQUESTS];
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
    PetscCall(PetscMPIIntCast((rows + 1) * width, &length));
    for (int side = 0; side < SIDES; side++) {
        PetscCall(PetscCalloc1(length, &made->sent[side]));
        PetscCall(PetscCalloc1(length, &made->received[side]));
        /* What goes to the left arrives from the right: the tag is the direction of travel. */
        PetscCallMPI(MPI_Send_init(made->sent[side], length, MPI_DOUBLE, neighbours[side], side,
                                   grid->comm, &made->requests[side]));
        PetscCallMPI(MPI_Recv_init(made->received[side], length, MPI_DOUBLE, neighbours[side],
                                   1 - side, grid->comm, &made->requests[SIDES + side]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Copies some neighbouring columns, of the velocities too, beginning with `first`. */
static void PackColumns(EngramHalo halo, const double *density, const double *velocity,
                        PetscInt first, double *buffer)
{
    const PetscInt width = halo->width;
    for (PetscInt k = 0; k < halo->rows; k++) {
        for (PetscInt i = 0; i < width; i++) {
            buffer[k * width + i] = density[k * halo->grid->w_stride + first + i];
        }
    }
    for (PetscInt i = 0; i < width; i++) {
        buffer[halo->rows * width + i] = velocity[first + i];
    }
}

/** Two equal ghosts that repeat the cell at the end of the axis. */
static void MirrorEnd(EngramHalo halo, const double *density, const double *velocity, PetscInt cell,
                      double *buffer)
{
    for (PetscInt k = 0; k < halo->rows; k++) {
        buffer[2 * k] = density[k * halo->grid->w_stride + cell];
        buffer[2 * k + 1] = buffer[2 * k];
    }
    buffer[2 * halo->rows] = velocity[cell];
    buffer[2 * halo->rows + 1] = velocity[cell];
}

PetscErrorCode EngramHaloBegin(EngramHalo halo, const double *density, const double *velocity)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = halo->grid;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    if (grid->rank > 0) {
        PackColumns(halo, density, velocity, 0, halo->sent[LEFT]);
    }
    if (grid->rank < grid->size - 1) {
        PackColumns(halo, density, velocity, grid->w_local - halo->width, halo->sent[RIGHT]);
    }
    if (halo->width == 2 && grid->rank == 0) {
        MirrorEnd(halo, density, velocity, 0, halo->received[LEFT]);
    }
    if (halo->width == 2 && grid->rank == grid->size - 1) {
        MirrorEnd(halo, density, velocity, grid->w_local - 1, halo->received[RIGHT]);
    }
    PetscCallMPI(MPI_Startall(REQUESTS, halo->requests));
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_HALO, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHaloEnd(EngramHalo halo, EngramGhost *left, EngramGhost *right)
{
    PetscFunctionBeginUser;
    const PetscInt velocities = halo->rows * halo->width;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    PetscCallMPI(MPI_Waitall(REQUESTS, halo->requests, MPI_STATUSES_IGNORE));
    left->columns = halo->received[LEFT];
    left->velocity = halo->received[LEFT] + velocities;
    right->columns = halo->received[RIGHT];
    right->velocity = halo->received[RIGHT] + velocities;
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
