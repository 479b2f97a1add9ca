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
    } else if (halo->width == 2) {
        PackRows(halo, source, first, 2, 1, buffer);
    } else {
        PackRows(halo, source, first, 3, 1, buffer);
    }
}

/** Two equal ghosts that repeat the cell at the end of the axis. */
static void MirrorEnd(EngramHalo halo, const EngramHaloSource *source, PetscInt cell,
                      double *buffer)
{
    PackRows(halo, source, cell, 2, 0, buffer);
}

/**
 * Three ghosts beyond an end of the axis, on the polynomial through the five cells there.
 *
 * @param cell   the cell at the end, as a place in `values`
 * @param step   1 at the left end, -1 at the right one: towards the inner cells
 * @param ghost  [3] in the order of the axis
 */
static inline void ContinueValues(const double *values, PetscInt cell, PetscInt step, double *ghost)
{
    static const double factors[3][5] = {
        {5.0, -10.0, 10.0, -5.0, 1.0},
        {15.0, -40.0, 45.0, -24.0, 5.0},
        {35.0, -105.0, 126.0, -70.0, 15.0}}; /* the nearest ghost first */
    for (PetscInt k = 0; k < 3; k++) {
        double sum = 0.0;
        for (PetscInt j = 0; j < 5; j++) {
            sum += factors[k][j] * values[cell + step * j];
        }
        ghost[step > 0 ? 2 - k : k] = sum;
    }
}

static void ContinueEnd(EngramHalo halo, const EngramHaloSource *source, PetscInt cell,
                        PetscInt step, double *buffer)
{
    for (PetscInt k = 0; k < halo->rows; k++) {
        ContinueValues(source->density + k * halo->grid->w_stride, cell, step, buffer + 3 * k);
    }
    ContinueValues(source->velocity, cell, step, buffer + 3 * halo->rows);
    ContinueValues(source->firing_rate, cell, step, buffer + 3 * halo->rows + 3);
}

/** The ghosts beyond the ends of the axis: empty for a width of 1. */
static void FillEnds(EngramHalo halo, const EngramHaloSource *source)
{
    const EngramGrid *grid = halo->grid;
    const PetscInt last = grid->w_local - 1;
    const PetscBool is_first = (PetscBool)(grid->rank == 0);
    const PetscBool is_last = (PetscBool)(grid->rank == grid->size - 1);
    if (halo->width == 2 && is_first) {
        MirrorEnd(halo, source, 0, halo->received[LEFT]);
    }
    if (halo->width == 2 && is_last) {
        MirrorEnd(halo, source, last, halo->received[RIGHT]);
    }
    if (halo->width == 3 && is_first) {
        ContinueEnd(halo, source, 0, 1, halo->received[LEFT]);
    }
    if (halo->width == 3 && is_last) {
        ContinueEnd(halo, source, last, -1, halo->received[RIGHT]);
    }
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
    FillEnds(halo, source);
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
