#include "engram/base/hdf5_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/kernels/checksum.h"
#include "hdf5_dataset.h"
#include "hdf5_plane.h"

enum { MAXIMUM_DIMENSIONS = ENGRAM_HDF5_ROW_DIMENSIONS + 1 };

/* Rows are put together in chunks up to so many bytes, and so many rows. */
static const hsize_t SMALL_CHUNK_BYTES = 1 << 16;
static const hsize_t MOST_ROWS_OF_CHUNK = 2048;

/* Large rows are divided into chunks of at most so many bytes. */
static const hsize_t LARGE_CHUNK_BYTES = 1 << 30;

/** Bytes of a part of a row that has so many columns' rows. */
static hsize_t BytesOf(const EngramHdf5Part *part, hsize_t first)
{
    hsize_t bytes = sizeof(double);
    for (int d = 0; d < part->dimensions; d++) {
        bytes *= d == 0 ? first : part->whole[d];
    }
    return bytes;
}

static hsize_t ChunkBytes(const EngramHdf5Rows *rows)
{
    hsize_t bytes = sizeof(double);
    for (int d = 0; d <= rows->part.dimensions; d++) {
        bytes *= rows->chunk[d];
    }
    return bytes;
}

/** Sets what follows from the extents of a row and of a chunk. */
static void Describe(const char *name, int number, const EngramHdf5Part *part, EngramHdf5Rows *rows)
{
    rows->name = name;
    rows->number = number;
    rows->part = *part;
    rows->group = -1;
    rows->chunks =
        part->dimensions == 0 ? 1 : (int)((part->whole[0] + rows->chunk[1] - 1) / rows->chunk[1]);
}

/** Chooses the extents of a chunk. */
static void ChooseChunk(const EngramHdf5File *file, const EngramHdf5Part *part, hsize_t *chunk)
{
    const hsize_t large = file->largest_chunk > 0 ? file->largest_chunk : LARGE_CHUNK_BYTES;
    const hsize_t bytes = PetscMax(BytesOf(part, part->whole[0]), 1);
    chunk[0] = PetscMin(PetscMax(SMALL_CHUNK_BYTES / bytes, 1), MOST_ROWS_OF_CHUNK);
    for (int d = 0; d < part->dimensions; d++) {
        chunk[d + 1] = PetscMax(part->whole[d], 1);
    }
    if (part->dimensions == 2 && bytes > large) {
        const hsize_t pieces = (bytes + large - 1) / large;
        chunk[0] = 1;
        chunk[1] = (part->whole[0] + pieces - 1) / pieces;
    }
}

PetscErrorCode EngramHdf5RowsCreate(EngramHdf5File *file, const char *name, int number,
                                    const EngramHdf5Part *part, const char *unit,
                                    const char *description, EngramHdf5Rows *rows)
{
    hsize_t extent[MAXIMUM_DIMENSIONS] = {0};
    hsize_t largest[MAXIMUM_DIMENSIONS] = {H5S_UNLIMITED};
    const int dimensions = part->dimensions + 1;
    int has_failed = 0;
    PetscFunctionBeginUser;
    ChooseChunk(file, part, rows->chunk);
    Describe(name, number, part, rows);
    PetscCheck(rows->chunks <= ENGRAM_HDF5_ROW_CHUNKS, PETSC_COMM_SELF, PETSC_ERR_MAX_VALUE,
               "A row of too many chunks");
    for (int d = 0; d < part->dimensions; d++) {
        extent[d + 1] = part->whole[d];
        largest[d + 1] = part->whole[d];
    }
    if (file->rank == 0) {
        const hid_t space = H5Screate_simple(dimensions, extent, largest);
        has_failed = DatasetCreate(file, name, ENGRAM_HDF5_DOUBLE, space, dimensions, rows->chunk);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "create a dataset"));
    PetscCall(EngramHdf5Describe(file, name, unit, description));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Extents of the chunks of a dataset. @return whether it failed */
static int ReadChunk(const EngramHdf5File *file, const char *name, int dimensions, hsize_t *chunk)
{
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    const hid_t layout = dataset < 0 ? -1 : H5Dget_create_plist(dataset);
    const int has_failed = layout < 0 || H5Pget_chunk(layout, dimensions, chunk) != dimensions;
    (void)H5Pclose(layout);
    (void)H5Dclose(dataset);
    return has_failed;
}

PetscErrorCode EngramHdf5RowsOpen(EngramHdf5File *file, const char *name, int number,
                                  const EngramHdf5Part *part, EngramHdf5Rows *rows)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    if (file->rank == 0) {
        has_failed = ReadChunk(file, name, part->dimensions + 1, rows->chunk);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "look at a dataset"));
    PetscCallMPI(
        MPI_Bcast(rows->chunk, MAXIMUM_DIMENSIONS * (int)sizeof(hsize_t), MPI_BYTE, 0, file->comm));
    Describe(name, number, part, rows);
    PetscFunctionReturn(PETSC_SUCCESS);
}

uint64_t EngramHdf5RowsGrowth(const EngramHdf5Rows *rows, PetscInt row)
{
    const PetscBool begins_chunk = (PetscBool)((hsize_t)row % rows->chunk[0] == 0);
    const uint64_t bytes = (uint64_t)ChunkBytes(rows) + ENGRAM_HDF5_ALIGNMENT;
    return begins_chunk ? (uint64_t)rows->chunks * bytes : 0;
}

/** Learns where the chunks of the group of a row lie. @return whether it failed */
static int FindPlaces(hid_t dataset, EngramHdf5Rows *rows, hsize_t row)
{
    hsize_t offset[MAXIMUM_DIMENSIONS] = {row - row % rows->chunk[0]};
    for (int c = 0; c < rows->chunks; c++) {
        unsigned mask = 0;
        hsize_t size = 0;
        haddr_t found = HADDR_UNDEF;
        offset[1] = (hsize_t)c * rows->chunk[1];
        if (H5Dget_chunk_info_by_coord(dataset, offset, &mask, &found, &size) < 0 ||
            found == HADDR_UNDEF) {
            return 1;
        }
        rows->places[c] = found;
    }
    rows->group = (PetscInt64)(row / rows->chunk[0]);
    return 0;
}

/** Writes words on the first rank. @return 0, or errno */
static int WriteOnRoot(const char *path, uint64_t place, const void *words, hsize_t count,
                       uint64_t *sum)
{
    const int descriptor = open(path, O_WRONLY);
    if (descriptor < 0) {
        return errno;
    }
    const int failure = EngramFileWrite(descriptor, place, 8 * count, words);
    const int on_close = close(descriptor) != 0 ? errno : 0;
    *sum += EngramChecksum(place / 8, words, (ptrdiff_t)count);
    return failure ? failure : on_close;
}

/** Reads the first number of a row. @return whether it failed */
static int ReadFirst(hid_t dataset, const EngramHdf5Rows *rows, hsize_t row, uint64_t *word)
{
    const hsize_t offset[MAXIMUM_DIMENSIONS] = {row};
    const hsize_t count[MAXIMUM_DIMENSIONS] = {1, 1, 1};
    const hid_t in_file = H5Dget_space(dataset);
    const hid_t in_memory = H5Screate_simple(rows->part.dimensions + 1, count, NULL);
    const int has_failed =
        in_file < 0 || in_memory < 0 ||
        H5Sselect_hyperslab(in_file, H5S_SELECT_SET, offset, NULL, count, NULL) < 0 ||
        H5Dread(dataset, H5T_NATIVE_DOUBLE, in_memory, in_file, H5P_DEFAULT, word) < 0;
    (void)H5Sclose(in_memory);
    (void)H5Sclose(in_file);
    return has_failed;
}

/** Writes a mark to a place, and looks whether it is the first number of a row. The word that was
 * there comes back where it is not. */
static PetscBool IsFirst(const EngramHdf5File *file, hid_t dataset, const EngramHdf5Rows *rows,
                         hsize_t row, uint64_t place)
{
    const uint64_t mark = UINT64_C(0x3ff5a5c3e1d27b96) + (uint64_t)row;
    uint64_t before = 0;
    uint64_t found = 0;
    uint64_t unused = 0;
    const int descriptor = open(file->path, O_RDONLY);
    /* There is nothing yet beyond the end of the file. */
    (void)EngramFileRead(descriptor, place, sizeof(before), (unsigned char *)&before);
    (void)close(descriptor);
    if (WriteOnRoot(file->path, place, &mark, 1, &unused)) {
        return PETSC_FALSE;
    }
    if (ReadFirst(dataset, rows, row, &found) || found != mark) {
        (void)WriteOnRoot(file->path, place, &before, 1, &unused);
        return PETSC_FALSE;
    }
    return PETSC_TRUE;
}

/**
 * Whether a new chunk lies where HDF5 puts what is new, at the end of what it had. HDF5 looks for a
 * given chunk through all others, so this is tried first. The first chunk of all comes behind the
 * index of chunks.
 */
static PetscBool IsAtEnd(const EngramHdf5File *file, hid_t dataset, EngramHdf5Rows *rows,
                         hsize_t row, uint64_t end)
{
    const hsize_t bytes = ChunkBytes(rows);
    const uint64_t alignment = bytes >= ENGRAM_HDF5_ALIGNED_BYTES ? ENGRAM_HDF5_ALIGNMENT : 1;
    const uint64_t place = (end + alignment - 1) / alignment * alignment;
    if (row == 0 || row % rows->chunk[0] != 0 || rows->chunks > 1 ||
        !IsFirst(file, dataset, rows, row, place)) {
        return PETSC_FALSE;
    }
    rows->places[0] = place;
    rows->group = (PetscInt64)(row / rows->chunk[0]);
    return PETSC_TRUE;
}

/** Extends the dataset by a row on the first rank. @return whether it failed */
static int Extend(const EngramHdf5File *file, EngramHdf5Rows *rows, hsize_t row)
{
    hsize_t extent[MAXIMUM_DIMENSIONS] = {row + 1};
    haddr_t end = 0;
    for (int d = 0; d < rows->part.dimensions; d++) {
        extent[d + 1] = rows->part.whole[d];
    }
    const hid_t dataset = H5Dopen2(file->id, rows->name, H5P_DEFAULT);
    int has_failed =
        dataset < 0 || H5Fget_eoa(file->id, &end) < 0 || H5Dset_extent(dataset, extent) < 0;
    if (!has_failed && (PetscInt64)(row / rows->chunk[0]) != rows->group &&
        !IsAtEnd(file, dataset, rows, row, end)) {
        has_failed = FindPlaces(dataset, rows, row);
    }
    return (dataset >= 0 && H5Dclose(dataset) < 0) || has_failed;
}

/** Tells the image of the chunks, and of the part of them that has no row yet. */
static PetscErrorCode NotePlaces(const EngramHdf5Rows *rows, EngramHdf5Image *image, hsize_t row)
{
    const uint64_t bytes = ChunkBytes(rows);
    const hsize_t filled = row % rows->chunk[0] + 1;
    const uint64_t end = rows->places[rows->chunks - 1] + bytes;
    PetscFunctionBeginUser;
    for (int c = 0; c < rows->chunks && filled == 1; c++) {
        PetscCall(EngramHdf5ImageAdd(image, rows->places[c], rows->places[c] + bytes));
    }
    image->unfilled[rows->number] =
        (EngramHdf5Range){end - (rows->chunk[0] - filled) * (bytes / rows->chunk[0]), end};
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Makes a failure on the first rank one of all. */
static PetscErrorCode Agree(EngramHdf5File *file, int failure)
{
    PetscFunctionBeginUser;
    PetscCall(EngramFileAgree(file->comm, &failure));
    if (failure) {
        file->has_failed = PETSC_TRUE;
        PetscCall(EngramOutputError("cannot write %s: %s", file->path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Fills the end of the last chunk of a large row, which is larger than what is left of the row. */
static PetscErrorCode FillUp(EngramHdf5File *file, const EngramHdf5Rows *rows,
                             EngramHdf5Image *image)
{
    const EngramHdf5Part *part = &rows->part;
    const hsize_t last = part->whole[0] - (hsize_t)(rows->chunks - 1) * rows->chunk[1];
    uint64_t *zeros = NULL;
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCall(PetscCalloc1(part->whole[1], &zeros));
    for (hsize_t k = last; k < rows->chunk[1] && file->rank == 0 && !failure; k++) {
        failure = WriteOnRoot(file->path, rows->places[rows->chunks - 1] + 8 * k * part->whole[1],
                              zeros, part->whole[1], &image->sum);
    }
    PetscCall(PetscFree(zeros));
    PetscCall(Agree(file, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Writes a row of two dimensions, chunk by chunk. */
static PetscErrorCode WritePlane(EngramHdf5File *file, const EngramHdf5Rows *rows,
                                 EngramHdf5Image *image, uint64_t shift, const double *values)
{
    EngramHdf5Part part = rows->part;
    PetscFunctionBeginUser;
    for (int c = 0; c < rows->chunks; c++) {
        const hsize_t first = (hsize_t)c * rows->chunk[1];
        part.whole[0] = PetscMin(rows->chunk[1], rows->part.whole[0] - first);
        part.count[0] = part.whole[0];
        PetscCall(PlaneWrite(file, rows->places[c] + shift, &part,
                             values + first * part.in_memory[1], &image->sum));
    }
    if (rows->chunks > 1) {
        PetscCall(FillUp(file, rows, image));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Writes a row of one dimension, or a number. */
static PetscErrorCode WriteLine(EngramHdf5File *file, const EngramHdf5Rows *rows,
                                EngramHdf5Image *image, uint64_t shift, const double *values)
{
    uint64_t *all = NULL;
    int failure = 0;
    PetscFunctionBeginUser;
    if (rows->part.dimensions == 1) {
        PetscCall(DatasetGather(file, &rows->part, values, &all));
    }
    if (file->rank == 0) {
        const void *words = rows->part.dimensions == 1 ? (const void *)all : values;
        failure = WriteOnRoot(file->path, rows->places[0] + shift, words,
                              BytesOf(&rows->part, rows->part.whole[0]) / 8, &image->sum);
    }
    PetscCall(PetscFree(all));
    PetscCall(Agree(file, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5RowsWrite(EngramHdf5File *file, EngramHdf5Rows *rows,
                                   EngramHdf5Image *image, PetscInt row, const double *values)
{
    const hsize_t number = (hsize_t)row;
    int has_failed = 0;
    PetscFunctionBeginUser;
    if (file->rank == 0) {
        has_failed = Extend(file, rows, number);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "write a row"));
    if (file->rank == 0) {
        PetscCall(NotePlaces(rows, image, number));
    }
    const uint64_t shift = number % rows->chunk[0] * (ChunkBytes(rows) / rows->chunk[0]);
    if (rows->part.dimensions == 2) {
        PetscCall(WritePlane(file, rows, image, shift, values));
    } else {
        PetscCall(WriteLine(file, rows, image, shift, values));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
