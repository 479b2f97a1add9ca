#include "message_times.h"

#include <stdlib.h>

#include "engram/base/error.h"
#include "engram/base/reduction.h"
#include "engram/grid/density.h"

/* A call takes less than a microsecond: so many of them are one sample. */
enum { CALLS = 200, SAMPLES = 50, REDUCED_NUMBERS = 30, ENTRIES = 2 };
enum { SIDES = 2, REQUESTS = 2 * SIDES };

/** What the calls work on. */
typedef struct Messages {
    const EngramGrid *grid;
    EngramHalo halo;
    EngramHaloSource source;
    EngramReduction reduction;
    PetscMPIInt length; /* numbers of a message of the halo */
    double *sent;
    double *received;
    MPI_Request requests[REQUESTS];
} Messages;

typedef PetscErrorCode (*Call)(Messages *messages);

/** Persistent requests, as those of a halo. */
static PetscErrorCode CreateRequests(Messages *messages)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = messages->grid;
    const PetscMPIInt neighbours[SIDES] = {grid->rank > 0 ? grid->rank - 1 : MPI_PROC_NULL,
                                           grid->rank + 1 < grid->size ? grid->rank + 1
                                                                       : MPI_PROC_NULL};
    const PetscMPIInt length = messages->length;
    for (int side = 0; side < SIDES; side++) {
        double *received = messages->received + (PetscInt)side * length;
        PetscCallMPI(MPI_Recv_init(received, length, MPI_DOUBLE, neighbours[side], 1 - side,
                                   grid->comm, &messages->requests[side]));
        PetscCallMPI(MPI_Send_init(messages->sent, length, MPI_DOUBLE, neighbours[side], side,
                                   grid->comm, &messages->requests[SIDES + side]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Exchange(Messages *messages)
{
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Startall(REQUESTS, messages->requests));
    /* It knows of no persistent ones. NOLINTNEXTLINE(clang-analyzer-optin.mpi.MPI-Checker) */
    PetscCallMPI(MPI_Waitall(REQUESTS, messages->requests, MPI_STATUSES_IGNORE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Halo(Messages *messages)
{
    EngramGhost left;
    EngramGhost right;
    PetscFunctionBeginUser;
    PetscCall(EngramHaloBegin(messages->halo, &messages->source));
    PetscCall(EngramHaloEnd(messages->halo, &left, &right));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Allreduce(Messages *messages)
{
    int64_t numbers[REDUCED_NUMBERS] = {0};
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, numbers, REDUCED_NUMBERS, MPI_INT64_T, MPI_SUM,
                               messages->grid->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reduce(Messages *messages)
{
    EngramReductionEntry entries[ENTRIES];
    PetscFunctionBeginUser;
    for (int i = 0; i < ENTRIES; i++) {
        EngramReductionEntryClear(&entries[i]);
        EngramExactSumAdd(&entries[i].sum, 0.1);
    }
    PetscCall(EngramReductionApply(messages->reduction, ENTRIES, entries));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareNumbers(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static PetscErrorCode Time(Messages *messages, const char *name, Call call)
{
    double seconds[SAMPLES];
    PetscFunctionBeginUser;
    for (int i = 0; i < SAMPLES; i++) {
        PetscCallMPI(MPI_Barrier(messages->grid->comm));
        const double started = MPI_Wtime();
        for (int k = 0; k < CALLS; k++) {
            PetscCall(call(messages));
        }
        seconds[i] = MPI_Wtime() - started;
    }
    qsort(seconds, SAMPLES, sizeof(seconds[0]), CompareNumbers);
    const double scale = 1e9 / CALLS;
    PetscCall(PetscPrintf(messages->grid->comm, "%s %.1f %.1f\n", name, scale * seconds[0],
                          scale * seconds[SAMPLES / 2]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode MessageTimesPrint(EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    const EngramState *state = EngramStepperState(simulation->stepper);
    const PetscInt rows = state->density->rows;
    const PetscInt width = simulation->time.transport.order;
    Messages messages = {.grid = grid};
    PetscCall(PetscMPIIntCast((rows + 2) * width, &messages.length));
    PetscCall(EngramAlignedCalloc(messages.length, &messages.sent));
    PetscCall(EngramAlignedCalloc((PetscInt)2 * messages.length, &messages.received));
    PetscCall(CreateRequests(&messages));
    PetscCall(EngramHaloCreate(grid, rows, width, &messages.halo));
    PetscCall(EngramReductionCreate(grid->comm, &messages.reduction));
    const double *rates = state->results->firing_rate;
    messages.source = (EngramHaloSource){state->density->values, rates, rates};
    PetscCall(Time(&messages, "exchange", Exchange));
    PetscCall(Time(&messages, "halo", Halo));
    PetscCall(Time(&messages, "allreduce", Allreduce));
    PetscCall(Time(&messages, "reduction", Reduce));
    PetscCall(EngramReductionDestroy(&messages.reduction));
    PetscCall(EngramHaloDestroy(&messages.halo));
    for (int i = 0; i < REQUESTS; i++) {
        PetscCallMPI(MPI_Request_free(&messages.requests[i]));
    }
    PetscCall(EngramAlignedFree(&messages.sent));
    PetscCall(EngramAlignedFree(&messages.received));
    PetscFunctionReturn(PETSC_SUCCESS);
}
