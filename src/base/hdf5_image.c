#include "engram/base/hdf5_image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"

/* Words of an image: the length of the file, the number of ranges, begin and end of each, and their
 * bytes, each range filled up to whole words. */
enum { LENGTH, RANGES, HEAD };

/** Adds a range; it may touch others, but not overlap them. */
static PetscErrorCode AddRange(EngramHdf5Image *image, uint64_t begin, uint64_t end)
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

/** Learns where the new chunks of one dataset lie, on the first rank. */
static PetscErrorCode CollectDataset(EngramHdf5Image *image, const EngramHdf5File *file, int d,
                                     int *has_failed)
{
    hsize_t chunks = 0;
    PetscFunctionBeginUser;
    const hid_t dataset = H5Dopen2(file->id, image->names[d], H5P_DEFAULT);
    const hid_t space = dataset < 0 ? -1 : H5Dget_space(dataset);
    int is_bad = space < 0 || H5Dget_num_chunks(dataset, space, &chunks) < 0;
    for (hsize_t c = image->known[d]; c < chunks && !is_bad; c++) {
        hsize_t offset[H5S_MAX_RANK];
        unsigned mask = 0;
        haddr_t place = HADDR_UNDEF;
        hsize_t size = 0;
        is_bad = H5Dget_chunk_info(dataset, space, c, offset, &mask, &place, &size) < 0 ||
                 place == HADDR_UNDEF;
        if (!is_bad) {
            PetscCall(AddRange(image, place, place + size));
        }
    }
    (void)H5Sclose(space);
    (void)H5Dclose(dataset);
    image->known[d] = chunks;
    *has_failed = *has_failed || is_bad;
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

PetscErrorCode EngramHdf5ImageTake(EngramHdf5Image *image, EngramHdf5File *file,
                                   EngramPosition *position)
{
    int has_failed = 0;
    int failure = 0;
    PetscFunctionBeginUser;
    for (int d = 0; d < image->datasets && file->rank == 0; d++) {
        PetscCall(CollectDataset(image, file, d, &has_failed));
    }
    PetscCall(EngramHdf5Check(file, has_failed, "tell where the rows lie"));
    if (file->rank == 0) {
        PetscCall(TakeOnRoot(image, file->path, position, &failure));
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

PetscErrorCode EngramHdf5ImageResume(EngramHdf5Image *image, EngramHdf5File *file,
                                     const uint64_t *words, PetscInt64 count)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    image->count = 0;
    for (int d = 0; d < image->datasets && file->rank == 0; d++) {
        const hid_t dataset = H5Dopen2(file->id, image->names[d], H5P_DEFAULT);
        const hid_t space = dataset < 0 ? -1 : H5Dget_space(dataset);
        has_failed =
            has_failed || space < 0 || H5Dget_num_chunks(dataset, space, &image->known[d]) < 0;
        (void)H5Sclose(space);
        (void)H5Dclose(dataset);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "tell how many rows it has"));
    for (uint64_t i = 0; IsImage(words, count) && i + 1 < words[RANGES]; i++) {
        /* What lies between two ranges of the image are rows. */
        const uint64_t begin = words[HEAD + 2 * i + 1];
        const uint64_t end = words[HEAD + 2 * i + 2];
        PetscCall(AddRange(image, begin, end));
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
