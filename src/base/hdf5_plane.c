#include "hdf5_plane.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/kernels/checksum.h"

/* What a rank holds of whole rows at a time. */
static const uint64_t ROWS_BYTES = 1 << 22;

/** Who has which columns, and the rows that are exchanged. */
typedef struct Exchange {
    int size;
    uint64_t columns; /* of all ranks */
    int *first;       /* [size] column */
    int *count;       /* [size] columns */
    int *ones;        /* [size] one datum for each rank, of a type of its own */
    int *zeros;       /* [size] */
    MPI_Datatype *sent;
    MPI_Datatype *received;
    uint64_t *rows; /* whole rows of this rank */
} Exchange;

static PetscErrorCode CreateExchange(const EngramHdf5File *file, const EngramHdf5Part *part,
                                     uint64_t room, Exchange *exchange)
{
    const int own[2] = {(int)part->offset[1], (int)part->count[1]};
    PetscFunctionBeginUser;
    exchange->size = file->size;
    exchange->columns = part->whole[1];
    PetscCall(PetscCalloc4(file->size, &exchange->first, file->size, &exchange->count, file->size,
                           &exchange->ones, file->size, &exchange->zeros));
    PetscCall(PetscMalloc2(file->size, &exchange->sent, file->size, &exchange->received));
    PetscCall(PetscMalloc1(room * exchange->columns, &exchange->rows));
    for (int q = 0; q < file->size; q++) {
        exchange->ones[q] = 1;
    }
    PetscCallMPI(MPI_Allgather(&own[0], 1, MPI_INT, exchange->first, 1, MPI_INT, file->comm));
    PetscCallMPI(MPI_Allgather(&own[1], 1, MPI_INT, exchange->count, 1, MPI_INT, file->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyExchange(Exchange *exchange)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree4(exchange->first, exchange->count, exchange->ones, exchange->zeros));
    PetscCall(PetscFree2(exchange->sent, exchange->received));
    PetscCall(PetscFree(exchange->rows));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A block of rows of another array, from a word on. */
static PetscErrorCode BlockType(uint64_t rows, int columns, uint64_t stride, uint64_t from,
                                MPI_Datatype *type)
{
    MPI_Datatype block = MPI_DATATYPE_NULL;
    const int one = 1;
    const MPI_Aint shift = (MPI_Aint)(from * sizeof(uint64_t));
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Type_vector((int)rows, columns, (int)stride, MPI_UINT64_T, &block));
    PetscCallMPI(MPI_Type_create_hindexed(1, &one, &shift, block, type));
    PetscCallMPI(MPI_Type_commit(type));
    PetscCallMPI(MPI_Type_free(&block));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** First of the rows of a rank, when `rows` rows are divided among `size`. */
static uint64_t FirstRow(uint64_t rows, int rank, int size)
{
    return rows * (uint64_t)rank / (uint64_t)size;
}

/** Exchanges the rows [first, first + rows) so that each rank has its share of them. Collective. */
static PetscErrorCode ExchangeRows(const EngramHdf5File *file, const EngramHdf5Part *part,
                                   uint64_t first, uint64_t rows, const void *values,
                                   Exchange *exchange)
{
    PetscFunctionBeginUser;
    const int size = exchange->size;
    const uint64_t own = FirstRow(rows, file->rank + 1, size) - FirstRow(rows, file->rank, size);
    for (int q = 0; q < size; q++) {
        const uint64_t begin = FirstRow(rows, q, size);
        const uint64_t theirs = FirstRow(rows, q + 1, size) - begin;
        const uint64_t stride = part->in_memory[1];
        PetscCall(BlockType(theirs, (int)part->count[1], stride, (first + begin) * stride,
                            &exchange->sent[q]));
        PetscCall(BlockType(own, exchange->count[q], exchange->columns,
                            (uint64_t)exchange->first[q], &exchange->received[q]));
    }
    PetscCallMPI(MPI_Alltoallw(values, exchange->ones, exchange->zeros, exchange->sent,
                               exchange->rows, exchange->ones, exchange->zeros, exchange->received,
                               file->comm));
    for (int q = 0; q < size; q++) {
        PetscCallMPI(MPI_Type_free(&exchange->sent[q]));
        PetscCallMPI(MPI_Type_free(&exchange->received[q]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Makes a failure of any rank one of all, with the name of the file. */
static PetscErrorCode Agree(EngramHdf5File *file, const char *action, int failure)
{
    PetscFunctionBeginUser;
    failure = failure == ENGRAM_FILE_TOO_SHORT ? EIO : failure;
    PetscCall(EngramFileAgree(file->comm, &failure));
    if (failure) {
        file->has_failed = PETSC_TRUE;
        PetscCall(EngramOutputError("cannot %s %s: %s", action, file->path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PlaneWrite(EngramHdf5File *file, uint64_t place, const EngramHdf5Part *part,
                          const void *values, uint64_t *sum)
{
    Exchange exchange;
    PetscFunctionBeginUser;
    const uint64_t row_bytes = part->whole[1] * sizeof(uint64_t);
    const uint64_t share = PetscMax(ROWS_BYTES / PetscMax(row_bytes, 1), 1);
    const uint64_t block = share * (uint64_t)file->size;
    PetscCallMPI(MPI_Bcast(&place, 1, MPI_UINT64_T, 0, file->comm));
    PetscCall(CreateExchange(file, part, share, &exchange));
    const int descriptor = open(file->path, O_WRONLY);
    int failure = descriptor < 0 ? errno : 0;
    for (uint64_t first = 0; first < part->whole[0]; first += block) {
        const uint64_t rows = PetscMin(block, part->whole[0] - first);
        const uint64_t from = FirstRow(rows, file->rank, file->size);
        const uint64_t bytes = (FirstRow(rows, file->rank + 1, file->size) - from) * row_bytes;
        PetscCall(ExchangeRows(file, part, first, rows, values, &exchange));
        if (!failure && bytes > 0) {
            const uint64_t at = place + (first + from) * row_bytes;
            failure = EngramFileWrite(descriptor, at, bytes, (const unsigned char *)exchange.rows);
            if (sum) {
                *sum += EngramChecksum(at / 8, exchange.rows, (ptrdiff_t)(bytes / 8));
            }
            if (file->begins_sync) {
                EngramFileBeginSync(descriptor, at, bytes);
            }
        }
    }
    if (descriptor >= 0 && close(descriptor) != 0 && !failure) {
        failure = errno;
    }
    PetscCall(DestroyExchange(&exchange));
    PetscCall(Agree(file, "write", failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PlaneRead(EngramHdf5File *file, uint64_t place, const EngramHdf5Part *part,
                         void *values)
{
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Bcast(&place, 1, MPI_UINT64_T, 0, file->comm));
    const int descriptor = open(file->path, O_RDONLY);
    int failure = descriptor < 0 ? errno : 0;
    for (uint64_t row = 0; row < part->whole[0] && !failure; row++) {
        const uint64_t word = row * part->whole[1] + part->offset[1];
        unsigned char *to = (unsigned char *)values + row * part->in_memory[1] * sizeof(uint64_t);
        failure = EngramFileRead(descriptor, place + word * sizeof(uint64_t),
                                 part->count[1] * sizeof(uint64_t), to);
    }
    (void)close(descriptor);
    PetscCall(Agree(file, "read", failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}
