#include "engram/base/hdf5_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/kernels/checksum.h"

/* Read at a time. */
enum { BLOCK_BYTES = 1 << 18 };

/* Words of an image: the length of the file, the number of ranges, begin and end of each, and their
 * bytes, each range filled up to whole words. Older programs end there. */
enum { LENGTH, RANGES, HEAD };

/* Then: checksum of the rows, number of datasets, begin and end of what is unfilled of each. */
enum { SUM, DATASETS, SUM_HEAD };

PetscErrorCode EngramHdf5ImageAdd(EngramHdf5Image *image, uint64_t begin, uint64_t end)
{
    PetscInt at = image->count;
    PetscFunctionBeginUser;
    while (at > 0 && image->ranges[at - 1].begin > begin) {
        at--;
    }
    if (at > 0 && image->ranges[at - 1].end == begin) {
        image->ranges[at - 1].end = end;
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (image->count == image->capacity) {
        EngramHdf5Range *larger = NULL;
        image->capacity = PetscMax(2 * image->capacity, 64);
        PetscCall(PetscMalloc1(image->capacity, &larger));
        PetscCall(PetscArraycpy(larger, image->ranges, image->count));
        PetscCall(PetscFree(image->ranges));
        image->ranges = larger;
    }
    PetscCall(PetscArraymove(image->ranges + at + 1, image->ranges + at, image->count - at));
    image->ranges[at] = (EngramHdf5Range){begin, end};
    image->count++;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscInt64 WordsOf(EngramHdf5Range range)
{
    return (PetscInt64)((range.end - range.begin + 7) / 8);
}

/** The i-th range outside the rows; there is one more than ranges of rows. It may be empty. */
static EngramHdf5Range Outside(const EngramHdf5Image *image, PetscInt i, uint64_t length)
{
    const EngramHdf5Range range = {i > 0 ? image->ranges[i - 1].end : 0,
                                   i < image->count ? image->ranges[i].begin : length};
    return range;
}

/** The image itself, on one rank. `failure`: errno. */
static PetscErrorCode TakeOnRoot(const EngramHdf5Image *image, const char *path,
                                 EngramPosition *position, int *failure)
{
    uint64_t length = 0;
    uint64_t *added = NULL;
    PetscFunctionBeginUser;
    const int descriptor = open(path, O_RDONLY);
    *failure = descriptor < 0 ? errno : EngramFileLength(path, &length);
    if (image->count > 0) {
        /* The last row may not be written to its end, as for the rest of a chunk of numbers. */
        length = PetscMax(length, image->ranges[image->count - 1].end);
    }
    PetscCall(EngramPositionAdd(position, length));
    PetscCall(EngramPositionAdd(position, (uint64_t)image->count + 1));
    for (PetscInt i = 0; i <= image->count; i++) {
        PetscCall(EngramPositionAdd(position, Outside(image, i, length).begin));
        PetscCall(EngramPositionAdd(position, Outside(image, i, length).end));
    }
    for (PetscInt i = 0; i <= image->count && *failure == 0; i++) {
        const EngramHdf5Range range = Outside(image, i, length);
        if (range.end > range.begin) {
            PetscCall(EngramPositionExtend(position, WordsOf(range), &added));
            added[WordsOf(range) - 1] = 0;
            *failure = EngramFileRead(descriptor, range.begin, range.end - range.begin,
                                      (unsigned char *)added);
            *failure = *failure == ENGRAM_FILE_TOO_SHORT ? EIO : *failure;
        }
    }
    (void)close(descriptor);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What tells the rows of this file from those of others, on one rank. */
static PetscErrorCode AddSum(const EngramHdf5Image *image, uint64_t sum, EngramPosition *position)
{
    PetscFunctionBeginUser;
    if (image->has_no_sum) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramPositionAdd(position, sum));
    PetscCall(EngramPositionAdd(position, (uint64_t)image->datasets));
    for (int d = 0; d < image->datasets; d++) {
        PetscCall(EngramPositionAdd(position, image->unfilled[d].begin));
        PetscCall(EngramPositionAdd(position, image->unfilled[d].end));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5ImageTake(EngramHdf5Image *image, EngramHdf5File *file,
                                   EngramPosition *position)
{
    uint64_t sum = 0;
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Reduce(&image->sum, &sum, 1, MPI_UINT64_T, MPI_SUM, 0, file->comm));
    if (file->rank == 0) {
        PetscCall(TakeOnRoot(image, file->path, position, &failure));
        PetscCall(AddSum(image, sum, position));
    }
    PetscCall(EngramFileAgree(file->comm, &failure));
    if (failure) {
        PetscCall(EngramOutputError("cannot read %s: %s", file->path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether words can be an image. */
static PetscBool IsImage(const uint64_t *words, PetscInt64 count)
{
    return (PetscBool)(count >= HEAD && words[RANGES] <= (uint64_t)(count - HEAD) / 2 &&
                       words[RANGES] > 0);
}

/** Words of the image without what goes with it, or -1 when it is none. */
static PetscInt64 LengthOf(const uint64_t *words, PetscInt64 count)
{
    if (!IsImage(words, count)) {
        return -1;
    }
    PetscInt64 length = HEAD + 2 * (PetscInt64)words[RANGES];
    for (uint64_t i = 0; i < words[RANGES] && length <= count; i++) {
        length += WordsOf((EngramHdf5Range){words[HEAD + 2 * i], words[HEAD + 2 * i + 1]});
    }
    return length <= count ? length : -1;
}

/** What goes with the image, or NULL where there is nothing. */
static const uint64_t *SumOf(const uint64_t *words, PetscInt64 count)
{
    const PetscInt64 length = LengthOf(words, count);
    const PetscInt64 left = length < 0 ? 0 : count - length;
    const uint64_t *sum = words + PetscMax(length, 0);
    const PetscBool is_there =
        (PetscBool)(left >= SUM_HEAD && sum[DATASETS] <= ENGRAM_HDF5_IMAGE_DATASETS &&
                    left == SUM_HEAD + 2 * (PetscInt64)sum[DATASETS]);
    return is_there ? sum : NULL;
}

int EngramHdf5ImageRestore(const char *path, const uint64_t *words, PetscInt64 count)
{
    struct stat status;
    if (!IsImage(words, count)) {
        return EINVAL;
    }
    const int descriptor = open(path, O_RDWR);
    if (descriptor < 0) {
        return errno;
    }
    int failure = fstat(descriptor, &status) != 0 ? errno : 0;
    if (!failure && (uint64_t)status.st_size < words[LENGTH]) {
        failure = ENGRAM_FILE_TOO_SHORT;
    }
    const uint64_t *bytes = words + HEAD + 2 * words[RANGES];
    for (uint64_t i = 0; i < words[RANGES] && !failure; i++) {
        const EngramHdf5Range range = {words[HEAD + 2 * i], words[HEAD + 2 * i + 1]};
        failure = EngramFileWrite(descriptor, range.begin, range.end - range.begin,
                                  (const unsigned char *)bytes);
        bytes += WordsOf(range);
    }
    if (!failure && ftruncate(descriptor, (off_t)words[LENGTH]) != 0) {
        failure = errno;
    }
    if (!failure && fsync(descriptor) != 0) {
        failure = errno;
    }
    (void)close(descriptor);
    return failure;
}

/** Sum of the words of a range of an open file. @return 0, errno or ENGRAM_FILE_TOO_SHORT */
static int SumRange(int descriptor, EngramHdf5Range range, unsigned char *block, uint64_t *sum)
{
    int failure = 0;
    for (uint64_t at = range.begin; at < range.end && !failure; at += BLOCK_BYTES) {
        const uint64_t bytes = PetscMin(range.end - at, (uint64_t)BLOCK_BYTES);
        failure = EngramFileRead(descriptor, at, bytes, block);
        *sum += failure ? 0 : EngramChecksum(at / 8, block, (ptrdiff_t)(bytes / 8));
    }
    return failure;
}

/** This rank's share of a range, in whole words. */
static EngramHdf5Range ShareOf(EngramHdf5Range range, uint64_t rank, uint64_t size)
{
    const uint64_t words = (range.end - range.begin) / 8;
    return (EngramHdf5Range){range.begin + 8 * (words * rank / size),
                             range.begin + 8 * (words * (rank + 1) / size)};
}

/** Sum over all chunks less that of what has no rows yet, of this rank's shares. */
static int SumRows(int descriptor, const EngramHdf5Range *ranges, const PetscInt64 *counts,
                   const PetscMPIInt *place, unsigned char *block, uint64_t *sum)
{
    int failure = 0;
    for (PetscInt64 i = 0; i < counts[0] && !failure; i++) {
        EngramHdf5Range rest = ranges[i];
        /* What is unfilled is left out: it may lie beyond the end of the file. */
        while (rest.begin < rest.end && !failure) {
            EngramHdf5Range filled = rest;
            EngramHdf5Range hole = {rest.end, rest.end};
            for (PetscInt64 u = counts[0]; u < counts[0] + counts[1]; u++) {
                if (ranges[u].begin >= rest.begin && ranges[u].begin < hole.begin &&
                    ranges[u].end > ranges[u].begin) {
                    hole = ranges[u];
                }
            }
            filled.end = hole.begin;
            failure = SumRange(descriptor, ShareOf(filled, (uint64_t)place[0], (uint64_t)place[1]),
                               block, sum);
            rest.begin = PetscMax(hole.end, filled.end);
        }
    }
    return failure;
}

/** Where the rows lie by an image: counts[0] ranges of chunks, counts[1] that are unfilled. */
static PetscErrorCode ListRanges(MPI_Comm comm, const uint64_t *words, PetscInt64 count,
                                 PetscInt64 *counts, EngramHdf5Range **ranges)
{
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    const uint64_t *sum = rank == 0 ? SumOf(words, count) : NULL;
    counts[0] = sum ? (PetscInt64)words[RANGES] - 1 : -1;
    counts[1] = sum ? (PetscInt64)sum[DATASETS] : 0;
    PetscCallMPI(MPI_Bcast(counts, 2, MPIU_INT64, 0, comm));
    const PetscInt64 total = PetscMax(counts[0], 0) + counts[1];
    PetscCall(PetscMalloc1((size_t)total, ranges));
    for (PetscInt64 i = 0; i < counts[0] && sum; i++) {
        (*ranges)[i] = (EngramHdf5Range){words[HEAD + 2 * i + 1], words[HEAD + 2 * i + 2]};
    }
    for (PetscInt64 d = 0; d < counts[1] && sum; d++) {
        (*ranges)[counts[0] + d] =
            (EngramHdf5Range){sum[SUM_HEAD + 2 * d], sum[SUM_HEAD + 2 * d + 1]};
    }
    PetscCallMPI(MPI_Bcast(*ranges, (int)(2 * total), MPI_UINT64_T, 0, comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether the file may be written and is long enough, on one rank. */
static int CheckLength(const char *path, const uint64_t *words, PetscInt64 count)
{
    struct stat status;
    if (count > 0 && !IsImage(words, count)) {
        return EINVAL;
    }
    const int descriptor = open(path, O_RDWR);
    if (descriptor < 0) {
        return errno;
    }
    int failure = fstat(descriptor, &status) != 0 ? errno : 0;
    if (!failure && count > 0 && (uint64_t)status.st_size < words[LENGTH]) {
        failure = ENGRAM_FILE_TOO_SHORT;
    }
    (void)close(descriptor);
    return failure;
}

/** Compares the checksum of the rows with the one of the image. Collective. */
static PetscErrorCode VerifyRows(MPI_Comm comm, const char *path, const uint64_t *words,
                                 PetscInt64 count, int *failure)
{
    PetscInt64 counts[2] = {0, 0};
    PetscMPIInt place[2] = {0, 1};
    EngramHdf5Range *ranges = NULL;
    unsigned char *block = NULL;
    uint64_t sum = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &place[0]));
    PetscCallMPI(MPI_Comm_size(comm, &place[1]));
    PetscCall(ListRanges(comm, words, count, counts, &ranges));
    PetscCall(PetscMalloc1(BLOCK_BYTES, &block));
    const int descriptor = open(path, O_RDONLY);
    *failure = descriptor < 0 ? errno : SumRows(descriptor, ranges, counts, place, block, &sum);
    (void)close(descriptor);
    PetscCall(PetscFree(block));
    PetscCall(PetscFree(ranges));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_UINT64_T, MPI_SUM, comm));
    if (place[0] == 0 && !*failure && counts[0] >= 0 && sum != SumOf(words, count)[SUM]) {
        *failure = ENGRAM_HDF5_IMAGE_CHANGED;
    }
    PetscCall(EngramFileAgree(comm, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5ImageVerify(MPI_Comm comm, const char *path, const uint64_t *words,
                                     PetscInt64 count, int *failure)
{
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    *failure = rank == 0 ? CheckLength(path, words, count) : 0;
    PetscCall(EngramFileAgree(comm, failure));
    if (!*failure) {
        PetscCall(VerifyRows(comm, path, words, count, failure));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5ImageResume(EngramHdf5Image *image, const uint64_t *words,
                                     PetscInt64 count)
{
    PetscFunctionBeginUser;
    const uint64_t *sum = SumOf(words, count);
    image->count = 0;
    for (uint64_t i = 0; IsImage(words, count) && i + 1 < words[RANGES]; i++) {
        /* What lies between two ranges of the image are rows. */
        PetscCall(EngramHdf5ImageAdd(image, words[HEAD + 2 * i + 1], words[HEAD + 2 * i + 2]));
    }
    image->has_no_sum = (PetscBool)!sum;
    image->sum = sum ? sum[SUM] : 0;
    for (uint64_t d = 0; sum && d < sum[DATASETS]; d++) {
        image->unfilled[d] = (EngramHdf5Range){sum[SUM_HEAD + 2 * d], sum[SUM_HEAD + 2 * d + 1]};
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5ImageDestroy(EngramHdf5Image *image)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree(image->ranges));
    image->count = 0;
    image->capacity = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}
