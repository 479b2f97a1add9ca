#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/kernels/checksum.h"

static const char *const FORMAT_TOKEN = "engram checkpoint";
static const int FORMAT_VERSION = 2;

/* Read at a time. */
enum { BLOCK_BYTES = 1 << 18 };

/** Checksum of what the text says. */
static uint64_t SumHead(const EngramCheckpointHead *head, uint64_t checksum)
{
    uint64_t words[4] = {(uint64_t)head->step, 0, head->bytes, checksum};
    memcpy(&words[1], &head->time, sizeof(words[1]));
    return EngramChecksum(0, words, 4);
}

/**
 * The text of a seal, filled up with line ends.
 * @param has_sum  whether the text has a checksum of its own; those of older programs have none
 */
static void FormatSeal(const EngramCheckpointHead *head, uint64_t checksum, PetscBool has_sum,
                       char *seal)
{
    memset(seal, '\n', SEAL_BYTES);
    int length = snprintf(
        seal, SEAL_BYTES,
        "%s\nformat %d\nstep %" PRId64 "\ntime %.17g\nbytes %" PRIu64 "\nchecksum %016" PRIx64 "\n",
        FORMAT_TOKEN, FORMAT_VERSION, (int64_t)head->step, head->time, head->bytes, checksum);
    if (has_sum) {
        length += snprintf(seal + length, (size_t)(SEAL_BYTES - length), "head %016" PRIx64 "\n",
                           SumHead(head, checksum));
    }
    seal[length] = '\n';
}

/** Whether a text is that of a seal with these numbers. */
static PetscBool IsSealOf(const EngramCheckpointHead *head, uint64_t checksum, const char *seal)
{
    char again[SEAL_BYTES + 1];
    FormatSeal(head, checksum, PETSC_TRUE, again);
    if (memcmp(seal, again, SEAL_BYTES) == 0) {
        return PETSC_TRUE;
    }
    FormatSeal(head, checksum, PETSC_FALSE, again);
    return (PetscBool)(memcmp(seal, again, SEAL_BYTES) == 0);
}

/** Checksums of a file behind its seal: of all of it, and of each of its parts. */
typedef struct FileSums {
    uint64_t whole;
    uint64_t parts[SEAL_MAXIMUM_PARTS];
} FileSums;

/** Adds the words [word, word + count) of the file, which are in `block`. */
static void AddBlock(uint64_t word, uint64_t count, const unsigned char *block,
                     const SealParts *parts, FileSums *sums)
{
    sums->whole += EngramChecksum(word, block, (ptrdiff_t)count);
    for (int k = 0; k < parts->count; k++) {
        const uint64_t begin = (parts->parts[k].place - SEAL_BYTES) / 8;
        const uint64_t from = PetscMax(begin, word);
        const uint64_t to = PetscMin(begin + parts->parts[k].words, word + count);
        if (from < to) {
            sums->parts[k] +=
                EngramChecksum(from - begin, block + 8 * (from - word), (ptrdiff_t)(to - from));
        }
    }
}

/** Sums of the words [first, last) after the seal; the file ends at `bytes`. */
static int SumWords(int descriptor, uint64_t first, uint64_t last, uint64_t bytes,
                    const SealParts *parts, unsigned char *block, FileSums *sums)
{
    for (uint64_t word = first; word < last; word += BLOCK_BYTES / 8) {
        const uint64_t words = PetscMin(last - word, BLOCK_BYTES / 8);
        const uint64_t place = SEAL_BYTES + 8 * word;
        const uint64_t size = PetscMin(8 * words, bytes - place);
        /* The last word is filled up with zeros. */
        memset(block + size, 0, 8 * words - size);
        const int failure = EngramFileRead(descriptor, place, size, block);
        if (failure) {
            return failure;
        }
        AddBlock(word, words, block, parts, sums);
    }
    return 0;
}

/** Sums of a file, each rank reading a part of it. Collective. */
static PetscErrorCode SumFile(MPI_Comm comm, const char *path, uint64_t bytes,
                              const SealParts *parts, FileSums *sums, int *failure)
{
    PetscMPIInt rank = 0;
    PetscMPIInt size = 0;
    unsigned char *block = NULL;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    PetscCallMPI(MPI_Comm_size(comm, &size));
    PetscCall(PetscMalloc1(BLOCK_BYTES, &block));
    const uint64_t words = (bytes - SEAL_BYTES + 7) / 8;
    const uint64_t share = (words + (uint64_t)size - 1) / (uint64_t)size;
    const uint64_t first = PetscMin((uint64_t)rank * share, words);
    const uint64_t last = PetscMin(first + share, words);
    memset(sums, 0, sizeof(*sums));
    const int descriptor = open(path, O_RDONLY);
    *failure =
        descriptor < 0 ? errno : SumWords(descriptor, first, last, bytes, parts, block, sums);
    (void)close(descriptor);
    PetscCall(PetscFree(block));
    PetscCall(EngramFileAgree(comm, failure));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, (int)(sizeof(*sums) / sizeof(uint64_t)),
                               MPI_UINT64_T, MPI_SUM, comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Writes the text over the beginning of a file. @return 0, or errno */
static int WriteSeal(const char *path, const char *seal)
{
    const int descriptor = open(path, O_WRONLY);
    if (descriptor < 0) {
        return errno;
    }
    const int failure = EngramFileWrite(descriptor, 0, SEAL_BYTES, (const unsigned char *)seal);
    const int on_close = close(descriptor) != 0 ? errno : 0;
    return failure ? failure : on_close;
}

/** Whether the parts have come into the file as they were. */
static PetscBool HoldsParts(const SealParts *parts, const FileSums *sums)
{
    for (int k = 0; k < parts->count; k++) {
        if (sums->parts[k] != parts->parts[k].checksum) {
            return PETSC_FALSE;
        }
    }
    return PETSC_TRUE;
}

PetscErrorCode SealWrite(MPI_Comm comm, const char *path, const SealParts *parts,
                         EngramCheckpointHead *head, int *failure)
{
    char seal[SEAL_BYTES + 1];
    FileSums sums;
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    *failure = EngramFileLength(path, &head->bytes);
    if (!*failure && head->bytes < SEAL_BYTES) {
        *failure = SEAL_LOST_WRITE;
    }
    PetscCall(EngramFileAgree(comm, failure));
    if (*failure) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCallMPI(MPI_Bcast(&head->bytes, 1, MPI_UINT64_T, 0, comm));
    PetscCall(SumFile(comm, path, head->bytes, parts, &sums, failure));
    if (*failure == ENGRAM_FILE_TOO_SHORT || (!*failure && !HoldsParts(parts, &sums))) {
        *failure = SEAL_LOST_WRITE;
    }
    if (*failure) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (rank == 0) {
        FormatSeal(head, sums.whole, PETSC_TRUE, seal);
        *failure = WriteSeal(path, seal);
    }
    PetscCall(EngramFileAgree(comm, failure));
    if (!*failure) {
        /* Every rank may have parts of the file in the memory of its own node. */
        *failure = EngramFileSync(path);
    }
    PetscCall(EngramFileAgree(comm, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Reads the beginning of a file. `reason` stays empty if it can be one of a checkpoint. */
static void ReadSeal(const char *path, char *seal, uint64_t *length, char *reason)
{
    const size_t token = strlen(FORMAT_TOKEN);
    const int descriptor = open(path, O_RDONLY);
    int failure = descriptor < 0 ? errno : EngramFileLength(path, length);
    if (!failure) {
        failure = EngramFileRead(descriptor, 0, SEAL_BYTES, (unsigned char *)seal);
    }
    (void)close(descriptor);
    if (failure == ENGRAM_FILE_TOO_SHORT) {
        (void)snprintf(reason, ENGRAM_CHECKPOINT_REASON, "truncated: %" PRIu64 " bytes", *length);
    } else if (failure) {
        (void)snprintf(reason, ENGRAM_CHECKPOINT_REASON, "cannot be read: %s", strerror(failure));
    } else if (strncmp(seal, FORMAT_TOKEN, token) != 0 || seal[token] != '\n') {
        (void)snprintf(reason, ENGRAM_CHECKPOINT_REASON,
                       "it does not begin as a checkpoint of engram");
    }
}

/** Understands the text of a seal. `reason` stays empty if it is one of this program. */
static void ParseSeal(const char *seal, uint64_t length, EngramCheckpointHead *head,
                      uint64_t *checksum, char *reason)
{
    int version = 0;
    int64_t step = 0;
    const char *text = seal + strlen(FORMAT_TOKEN);
    /* Whatever is read is written again and compared. NOLINTNEXTLINE(cert-err34-c) */
    const int found = sscanf(
        text, "\nformat %d\nstep %" SCNd64 "\ntime %lg\nbytes %" SCNu64 "\nchecksum %" SCNx64,
        &version, &step, &head->time, &head->bytes, checksum);
    head->step = step;
    if (found >= 1 && version != FORMAT_VERSION) {
        (void)snprintf(reason, ENGRAM_CHECKPOINT_REASON,
                       "of format %d; this program reads format %d", version, FORMAT_VERSION);
        return;
    }
    if (found != 5 || !IsSealOf(head, *checksum, seal)) {
        (void)snprintf(reason, ENGRAM_CHECKPOINT_REASON, "its first %d bytes were changed",
                       (int)SEAL_BYTES);
    } else if (length != head->bytes) {
        (void)snprintf(
            reason, ENGRAM_CHECKPOINT_REASON, "%s: %" PRIu64 " bytes instead of %" PRIu64,
            length < head->bytes ? "truncated" : "longer than it was written", length, head->bytes);
    }
}

PetscErrorCode SealVerify(MPI_Comm comm, const char *path, EngramCheckpointHead *head, char *reason)
{
    char seal[SEAL_BYTES + 1] = "";
    uint64_t numbers[4] = {0, 0, 0, 0}; /* step, bits of the time, bytes, checksum */
    uint64_t length = 0;
    const SealParts none = {.count = 0};
    FileSums sums;
    PetscMPIInt rank = 0;
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    memset(reason, 0, ENGRAM_CHECKPOINT_REASON);
    *head = (EngramCheckpointHead){0, 0.0, 0};
    if (rank == 0) {
        ReadSeal(path, seal, &length, reason);
        if (!reason[0]) {
            ParseSeal(seal, length, head, &numbers[3], reason);
        }
        numbers[0] = (uint64_t)head->step;
        memcpy(&numbers[1], &head->time, sizeof(numbers[1]));
        numbers[2] = head->bytes;
    }
    PetscCallMPI(MPI_Bcast(reason, ENGRAM_CHECKPOINT_REASON, MPI_CHAR, 0, comm));
    PetscCallMPI(MPI_Bcast(numbers, 4, MPI_UINT64_T, 0, comm));
    if (reason[0]) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    head->step = (PetscInt64)numbers[0];
    memcpy(&head->time, &numbers[1], sizeof(numbers[1]));
    head->bytes = numbers[2];
    PetscCall(SumFile(comm, path, head->bytes, &none, &sums, &failure));
    if (failure) {
        (void)snprintf(reason, ENGRAM_CHECKPOINT_REASON, "cannot be read: %s",
                       failure == ENGRAM_FILE_TOO_SHORT ? "truncated" : strerror(failure));
    } else if (sums.whole != numbers[3]) {
        (void)snprintf(reason, ENGRAM_CHECKPOINT_REASON,
                       "its contents do not have the checksum they were written with");
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
