#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/grid/density.h"

enum { LEFT = 0, RIGHT = 1, SIDES = 2, REQUESTS = 2 * SIDES };

struct EngramHalo {
    const EngramGrid *grid; /* borrowed */
    double *sent[SIDES];    /* [v_nodes + 1]: column, firing rate */
    double *received[SIDES];
    MPI_Request requests[REQUESTS];
};

PetscErrorCode EngramHaloCreate(const EngramGrid *grid, EngramHalo *halo)
{
    EngramHalo made = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&made));
    *halo = made;
    made->grid = grid;
    const PetscMPIInt neighbours[SIDES] = {grid->rank > 0 ? grid->rank - 1 : MPI_PROC_NULL,
                                           grid->rank + 1 < grid->size ? grid->rank + 1
                                                                       : MPI_PROC_NULL};
    PetscMPIInt length = 0;
    PetscCall(PetscMPIIntCast(grid->v_nodes + 1, &length));
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

PetscErrorCode EngramHaloBegin(EngramHalo halo, const double *density, const double *firing_rate)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = halo->grid;
    const PetscInt nodes = grid->v_nodes;
    const PetscInt last = grid->w_local - 1;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    for (PetscInt k = 0; k < nodes; k++) {
        halo->sent[LEFT][k] = density[k * grid->w_stride];
        halo->sent[RIGHT][k] = density[k * grid->w_stride + last];
    }
    halo->sent[LEFT][nodes] = firing_rate[0];
    halo->sent[RIGHT][nodes] = firing_rate[last];
    PetscCallMPI(MPI_Startall(REQUESTS, halo->requests));
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_HALO, 0.0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHaloEnd(EngramHalo halo, EngramGhost *left, EngramGhost *right)
{
    PetscFunctionBeginUser;
    const PetscInt nodes = halo->grid->v_nodes;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_HALO));
    PetscCallMPI(MPI_Waitall(REQUESTS, halo->requests, MPI_STATUSES_IGNORE));
    left->density = halo->received[LEFT];
    left->firing_rate = halo->received[LEFT][nodes];
    right->density = halo->received[RIGHT];
    right->firing_rate = halo->received[RIGHT][nodes];
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
