#include <string.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/base/hdf5_file.h"

enum { MAXIMUM_DIMENSIONS = ENGRAM_HDF5_ROW_DIMENSIONS + 1 };

/* Rows of single numbers are put together in chunks. */
static const hsize_t NUMBERS_OF_CHUNK = 2048;

/* HDF5 allows chunks of less than 4 GiB. */
static const hsize_t CHUNK_BYTES = (hsize_t)1 << 31;

/* Large enough for the disk to be busy, small enough for it to begin early. */
static const hsize_t SYNCED_BYTES = (hsize_t)1 << 24;

static hid_t TypeInFile(EngramHdf5Type type)
{
    return type == ENGRAM_HDF5_DOUBLE ? H5T_IEEE_F64LE : H5T_STD_U64LE;
}

static hid_t TypeInMemory(EngramHdf5Type type)
{
    return type == ENGRAM_HDF5_DOUBLE ? H5T_NATIVE_DOUBLE : H5T_NATIVE_UINT64;
}

PetscErrorCode EngramHdf5Describe(EngramHdf5File *file, const char *name, const char *unit,
                                  const char *description)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5WriteText(file, name, "unit", unit));
    PetscCall(EngramHdf5WriteText(file, name, "description", description));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * A chunk a row, so that the places of a few chunks say where the data are; a row that is too large
 * for a chunk is divided along its first dimension.
 */
static void ChooseChunk(const EngramHdf5Part *part, hsize_t *chunk)
{
    hsize_t bytes = sizeof(double);
    chunk[0] = 1;
    for (int d = part->dimensions - 1; d >= 0; d--) {
        const hsize_t most = CHUNK_BYTES / bytes > 0 ? CHUNK_BYTES / bytes : 1;
        chunk[d + 1] = part->whole[d] < most ? part->whole[d] : most;
        chunk[d + 1] = chunk[d + 1] > 0 ? chunk[d + 1] : 1;
        bytes *= chunk[d + 1];
    }
    if (part->dimensions == 0) {
        chunk[0] = NUMBERS_OF_CHUNK;
    }
}

PetscErrorCode EngramHdf5CreateRows(EngramHdf5File *file, const char *name,
                                    const EngramHdf5Part *part, const char *unit,
                                    const char *description)
{
    hsize_t extent[MAXIMUM_DIMENSIONS] = {0};
    hsize_t largest[MAXIMUM_DIMENSIONS] = {H5S_UNLIMITED};
    hsize_t chunk[MAXIMUM_DIMENSIONS];
    PetscFunctionBeginUser;
    for (int d = 0; d < part->dimensions; d++) {
        extent[d + 1] = part->whole[d];
        largest[d + 1] = part->whole[d];
    }
    ChooseChunk(part, chunk);
    const hid_t space = H5Screate_simple(part->dimensions + 1, extent, largest);
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    const int is_bad = space < 0 || layout < 0 ||
                       H5Pset_chunk(layout, part->dimensions + 1, chunk) < 0 ||
                       H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER) < 0;
    const hid_t dataset = is_bad ? -1
                                 : H5Dcreate2(file->id, name, H5T_IEEE_F64LE, space, H5P_DEFAULT,
                                              layout, H5P_DEFAULT);
    (void)H5Pclose(layout);
    (void)H5Sclose(space);
    PetscCall(EngramHdf5Check(file, dataset < 0 || H5Dclose(dataset) < 0, "create a dataset"));
    PetscCall(EngramHdf5Describe(file, name, unit, description));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Memory space of a part: the corner `count` of an array `in_memory`. @return negative: failed */
static hid_t SelectMemory(const EngramHdf5Part *part)
{
    const hsize_t origin[ENGRAM_HDF5_ROW_DIMENSIONS] = {0};
    if (part->dimensions == 0) {
        const hsize_t one = 1;
        return H5Screate_simple(1, &one, NULL);
    }
    const hid_t space = H5Screate_simple(part->dimensions, part->in_memory, NULL);
    if (space >= 0 &&
        H5Sselect_hyperslab(space, H5S_SELECT_SET, origin, NULL, part->count, NULL) < 0) {
        (void)H5Sclose(space);
        return -1;
    }
    return space;
}

static int IsAbsent(const EngramHdf5Part *part)
{
    for (int d = 0; d < part->dimensions; d++) {
        if (part->count[d] == 0) {
            return 1;
        }
    }
    return 0;
}

/** One selection to be moved; a rank that is absent takes part with nothing. */
typedef struct Transfer {
    hid_t dataset;
    hid_t in_file;
    hid_t in_memory;
    hid_t type;
    int is_absent;
} Transfer;

/** Collective write, or read where `from` is NULL. @return whether it failed */
static int Move(const Transfer *transfer, const void *from, void *to)
{
    int has_failed = transfer->in_file < 0 || transfer->in_memory < 0;
    const hid_t properties = H5Pcreate(H5P_DATASET_XFER);
    has_failed =
        has_failed || properties < 0 || H5Pset_dxpl_mpio(properties, H5FD_MPIO_COLLECTIVE) < 0;
    if (!has_failed && transfer->is_absent) {
        has_failed =
            H5Sselect_none(transfer->in_file) < 0 || H5Sselect_none(transfer->in_memory) < 0;
    }
    if (!has_failed && from) {
        has_failed = H5Dwrite(transfer->dataset, transfer->type, transfer->in_memory,
                              transfer->in_file, properties, from) < 0;
    } else if (!has_failed) {
        has_failed = H5Dread(transfer->dataset, transfer->type, transfer->in_memory,
                             transfer->in_file, properties, to) < 0;
    }
    (void)H5Pclose(properties);
    return has_failed;
}

PetscErrorCode EngramHdf5WriteRow(EngramHdf5File *file, const char *name, PetscInt row,
                                  const EngramHdf5Part *part, const double *values)
{
    hsize_t extent[MAXIMUM_DIMENSIONS] = {(hsize_t)row + 1};
    hsize_t offset[MAXIMUM_DIMENSIONS] = {(hsize_t)row};
    hsize_t count[MAXIMUM_DIMENSIONS] = {1};
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(file->comm, &rank));
    for (int d = 0; d < part->dimensions; d++) {
        extent[d + 1] = part->whole[d];
        offset[d + 1] = part->offset[d];
        count[d + 1] = part->count[d];
    }
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    PetscCall(EngramHdf5Check(file, dataset < 0 || H5Dset_extent(dataset, extent) < 0,
                              "extend a dataset"));
    /* A row without extent is one number, which the first rank writes. */
    const Transfer transfer = {dataset, H5Dget_space(dataset), SelectMemory(part),
                               H5T_NATIVE_DOUBLE,
                               part->dimensions == 0 ? rank != 0 : IsAbsent(part)};
    int has_failed = transfer.in_file < 0 || H5Sselect_hyperslab(transfer.in_file, H5S_SELECT_SET,
                                                                 offset, NULL, count, NULL) < 0;
    has_failed = Move(&transfer, values, NULL) || has_failed;
    (void)H5Sclose(transfer.in_memory);
    (void)H5Sclose(transfer.in_file);
    has_failed = H5Dclose(dataset) < 0 || has_failed;
    PetscCall(EngramHdf5Check(file, has_failed, "write a row"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Creates a dataset without rows. @return negative: failed */
static hid_t CreateOnce(const EngramHdf5File *file, const char *name, EngramHdf5Type type,
                        hid_t space)
{
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    const int is_bad = space < 0 || layout < 0 || H5Pset_obj_track_times(layout, 0) < 0 ||
                       H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER) < 0;
    const hid_t dataset = is_bad ? -1
                                 : H5Dcreate2(file->id, name, TypeInFile(type), space, H5P_DEFAULT,
                                              layout, H5P_DEFAULT);
    (void)H5Pclose(layout);
    return dataset;
}

/** Extent of the first dimension that is written at a go: of all, or of some megabytes. */
static hsize_t BlockOf(const EngramHdf5File *file, const EngramHdf5Part *part)
{
    hsize_t bytes = sizeof(double);
    for (int d = 1; d < part->dimensions; d++) {
        bytes *= part->whole[d];
    }
    const hsize_t block = SYNCED_BYTES / (bytes > 0 ? bytes : 1);
    return file->begins_sync && part->dimensions > 1 && block > 0 ? block : part->whole[0];
}

/** Writes rows [first, first + count) of the first dimension. @return whether it failed */
static int WriteBlock(hid_t dataset, hid_t space, EngramHdf5Type type, const EngramHdf5Part *part,
                      hsize_t first, hsize_t count, const void *values)
{
    EngramHdf5Part block = *part;
    size_t skipped = sizeof(double);
    if (count < part->whole[0]) {
        block.offset[0] += first;
        block.count[0] = part->count[0] > 0 ? count : 0;
        block.in_memory[0] = count;
        for (int d = 1; d < part->dimensions; d++) {
            skipped *= part->in_memory[d];
        }
    }
    const Transfer transfer = {dataset, space, SelectMemory(&block), TypeInMemory(type),
                               IsAbsent(&block)};
    int has_failed =
        H5Sselect_hyperslab(space, H5S_SELECT_SET, block.offset, NULL, block.count, NULL) < 0;
    has_failed = Move(&transfer, (const char *)values + first * skipped, NULL) || has_failed;
    (void)H5Sclose(transfer.in_memory);
    return has_failed;
}

PetscErrorCode EngramHdf5WriteOnce(EngramHdf5File *file, const char *name, EngramHdf5Type type,
                                   const EngramHdf5Part *part, const void *values)
{
    PetscMPIInt rank = 0;
    PetscMPIInt size = 0;
    PetscMPIInt turn = 0;
    int has_failed = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(file->comm, &rank));
    PetscCallMPI(MPI_Comm_size(file->comm, &size));
    const hid_t space = H5Screate_simple(part->dimensions, part->whole, NULL);
    const hid_t dataset = CreateOnce(file, name, type, space);
    PetscCall(EngramHdf5Check(file, dataset < 0, "create a dataset"));
    const hsize_t block = BlockOf(file, part);
    for (hsize_t first = 0; first == 0 || first < part->whole[0]; first += block) {
        const hsize_t left = part->whole[0] - first;
        const hsize_t count = left < block ? left : block;
        has_failed = WriteBlock(dataset, space, type, part, first, count, values) || has_failed;
        /* The ranks take turns, since the call itself takes a moment. */
        if (file->begins_sync && block < part->whole[0] && turn++ % size == rank) {
            EngramFileBeginSync(file->path);
        }
    }
    (void)H5Sclose(space);
    has_failed = H5Dclose(dataset) < 0 || has_failed;
    PetscCall(EngramHdf5Check(file, has_failed, "write a dataset"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Place(EngramHdf5File *file, const char *name, uint64_t *place)
{
    PetscFunctionBeginUser;
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    const haddr_t offset = dataset < 0 ? HADDR_UNDEF : H5Dget_offset(dataset);
    (void)H5Dclose(dataset);
    PetscCall(EngramHdf5Check(file, offset == HADDR_UNDEF, "tell where a dataset lies"));
    *place = offset;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Extent(EngramHdf5File *file, const char *name, PetscInt64 *extent)
{
    hsize_t extents[H5S_MAX_RANK] = {0};
    PetscFunctionBeginUser;
    *extent = -1;
    if (H5Lexists(file->id, name, H5P_DEFAULT) <= 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    const hid_t space = dataset < 0 ? -1 : H5Dget_space(dataset);
    const int has_failed = space < 0 || H5Sget_simple_extent_dims(space, extents, NULL) < 1;
    (void)H5Sclose(space);
    (void)H5Dclose(dataset);
    PetscCall(EngramHdf5Check(file, has_failed, "look at a dataset"));
    *extent = (PetscInt64)extents[0];
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether a dataset has the extents of a part. */
static int HasExtents(hid_t space, const EngramHdf5Part *part)
{
    hsize_t extents[H5S_MAX_RANK] = {0};
    if (space < 0 || H5Sget_simple_extent_ndims(space) != part->dimensions ||
        H5Sget_simple_extent_dims(space, extents, NULL) < 0) {
        return 0;
    }
    return memcmp(extents, part->whole, (size_t)part->dimensions * sizeof(extents[0])) == 0;
}

PetscErrorCode EngramHdf5Read(EngramHdf5File *file, const char *name, EngramHdf5Type type,
                              const EngramHdf5Part *part, void *values)
{
    PetscFunctionBeginUser;
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    const hid_t space = dataset < 0 ? -1 : H5Dget_space(dataset);
    PetscCall(EngramHdf5Check(file, !HasExtents(space, part), "find a dataset of that extent"));
    const Transfer transfer = {dataset, space, SelectMemory(part), TypeInMemory(type),
                               IsAbsent(part)};
    int has_failed =
        H5Sselect_hyperslab(space, H5S_SELECT_SET, part->offset, NULL, part->count, NULL) < 0;
    has_failed = Move(&transfer, NULL, values) || has_failed;
    (void)H5Sclose(transfer.in_memory);
    (void)H5Sclose(space);
    (void)H5Dclose(dataset);
    PetscCall(EngramHdf5Check(file, has_failed, "read a dataset"));
    PetscFunctionReturn(PETSC_SUCCESS);
}
