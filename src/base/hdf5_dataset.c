#include <string.h>

#include "engram/base/error.h"
#include "engram/base/hdf5_file.h"
#include "hdf5_dataset.h"
#include "hdf5_plane.h"

static hid_t TypeOf(EngramHdf5Type type)
{
    return type == ENGRAM_HDF5_DOUBLE ? H5T_NATIVE_DOUBLE : H5T_NATIVE_UINT64;
}

PetscErrorCode EngramHdf5Describe(EngramHdf5File *file, const char *name, const char *unit,
                                  const char *description)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5WriteText(file, name, "unit", unit));
    PetscCall(EngramHdf5WriteText(file, name, "description", description));
    PetscCall(EngramHdf5WriteText(file, name, "units", unit));
    PetscCall(EngramHdf5WriteText(file, name, "long_name", description));
    PetscFunctionReturn(PETSC_SUCCESS);
}

int DatasetCreate(const EngramHdf5File *file, const char *name, EngramHdf5Type type, hid_t space,
                  int dimensions, const hsize_t *chunk)
{
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    /* The numbers have their place at once, since other ranks write them there. */
    const int is_bad = space < 0 || layout < 0 || H5Pset_obj_track_times(layout, 0) < 0 ||
                       H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER) < 0 ||
                       (chunk && H5Pset_chunk(layout, dimensions, chunk) < 0) ||
                       H5Pset_alloc_time(layout, H5D_ALLOC_TIME_EARLY) < 0;
    const hid_t dataset =
        is_bad ? -1
               : H5Dcreate2(file->id, name, TypeOf(type), space, H5P_DEFAULT, layout, H5P_DEFAULT);
    (void)H5Pclose(layout);
    (void)H5Sclose(space);
    return dataset < 0 || H5Dclose(dataset) < 0;
}

/** Place of a contiguous dataset. @return whether it failed */
static int FindPlace(hid_t dataset, uint64_t *place)
{
    const haddr_t found = H5Dget_offset(dataset);
    *place = found;
    return found == HADDR_UNDEF;
}

PetscErrorCode DatasetGather(const EngramHdf5File *file, const EngramHdf5Part *part,
                             const void *values, uint64_t **all)
{
    int *counts = NULL;
    int *offsets = NULL;
    int own[2] = {(int)part->count[0], (int)part->offset[0]};
    PetscFunctionBeginUser;
    PetscCall(PetscMalloc2(file->size, &counts, file->size, &offsets));
    PetscCallMPI(MPI_Gather(&own[0], 1, MPI_INT, counts, 1, MPI_INT, 0, file->comm));
    PetscCallMPI(MPI_Gather(&own[1], 1, MPI_INT, offsets, 1, MPI_INT, 0, file->comm));
    if (file->rank == 0) {
        PetscCall(PetscMalloc1(part->whole[0] + 1, all));
    }
    PetscCallMPI(MPI_Gatherv(values, own[0], MPI_UINT64_T, *all, counts, offsets, MPI_UINT64_T, 0,
                             file->comm));
    PetscCall(PetscFree2(counts, offsets));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Creates a dataset without rows on the first rank, and writes what that rank writes alone. */
static int CreateOnRoot(const EngramHdf5File *file, const char *name, EngramHdf5Type type,
                        const EngramHdf5Part *part, const void *values, uint64_t *place)
{
    const hid_t space = H5Screate_simple(part->dimensions, part->whole, NULL);
    if (DatasetCreate(file, name, type, space, part->dimensions, NULL)) {
        return 1;
    }
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    int has_failed = dataset < 0;
    if (!has_failed && part->dimensions == 2) {
        has_failed = FindPlace(dataset, place);
    } else if (!has_failed && part->whole[0] > 0) {
        has_failed = H5Dwrite(dataset, TypeOf(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0;
    }
    return (dataset >= 0 && H5Dclose(dataset) < 0) || has_failed;
}

PetscErrorCode EngramHdf5WriteOnce(EngramHdf5File *file, const char *name, EngramHdf5Type type,
                                   const EngramHdf5Part *part, const void *values)
{
    uint64_t *all = NULL;
    uint64_t place = 0;
    int has_failed = 0;
    PetscFunctionBeginUser;
    if (part->dimensions == 1) {
        PetscCall(DatasetGather(file, part, values, &all));
    }
    if (file->rank == 0) {
        has_failed = CreateOnRoot(file, name, type, part,
                                  part->dimensions == 1 ? (const void *)all : values, &place);
    }
    PetscCall(PetscFree(all));
    PetscCall(EngramHdf5Check(file, has_failed, "write a dataset"));
    if (part->dimensions == 2) {
        PetscCall(PlaneWrite(file, place, part, values, NULL));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Place(EngramHdf5File *file, const char *name, uint64_t *place)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    *place = 0;
    if (file->rank == 0) {
        const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
        has_failed = dataset < 0 || FindPlace(dataset, place);
        (void)H5Dclose(dataset);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "tell where a dataset lies"));
    PetscCallMPI(MPI_Bcast(place, 1, MPI_UINT64_T, 0, file->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Extent(EngramHdf5File *file, const char *name, PetscInt64 *extent)
{
    hsize_t extents[H5S_MAX_RANK] = {0};
    int has_failed = 0;
    PetscFunctionBeginUser;
    *extent = -1;
    if (file->rank == 0 && H5Lexists(file->id, name, H5P_DEFAULT) > 0) {
        const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
        const hid_t space = dataset < 0 ? -1 : H5Dget_space(dataset);
        has_failed = space < 0 || H5Sget_simple_extent_dims(space, extents, NULL) < 1;
        (void)H5Sclose(space);
        (void)H5Dclose(dataset);
        *extent = (PetscInt64)extents[0];
    }
    PetscCall(EngramHdf5Check(file, has_failed, "look at a dataset"));
    PetscCallMPI(MPI_Bcast(extent, 1, MPIU_INT64, 0, file->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether a dataset has the extents of a part. */
static int HasExtents(hid_t dataset, const EngramHdf5Part *part)
{
    hsize_t extents[H5S_MAX_RANK] = {0};
    const hid_t space = H5Dget_space(dataset);
    const int is_readable = space >= 0 && H5Sget_simple_extent_ndims(space) == part->dimensions &&
                            H5Sget_simple_extent_dims(space, extents, NULL) >= 0;
    (void)H5Sclose(space);
    return is_readable &&
           memcmp(extents, part->whole, (size_t)part->dimensions * sizeof(extents[0])) == 0;
}

/** Looks at a dataset on the first rank, and reads it there if it has one dimension. */
static int ReadOnRoot(const EngramHdf5File *file, const char *name, EngramHdf5Type type,
                      const EngramHdf5Part *part, void *values, uint64_t *place)
{
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    int has_failed = dataset < 0 || !HasExtents(dataset, part);
    if (!has_failed && part->dimensions == 2) {
        has_failed = FindPlace(dataset, place);
    } else if (!has_failed && part->whole[0] > 0) {
        has_failed = H5Dread(dataset, TypeOf(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0;
    }
    (void)H5Dclose(dataset);
    return has_failed;
}

PetscErrorCode EngramHdf5Read(EngramHdf5File *file, const char *name, EngramHdf5Type type,
                              const EngramHdf5Part *part, void *values)
{
    uint64_t place = 0;
    int has_failed = 0;
    int is_shared = part->count[0] > 0;
    PetscFunctionBeginUser;
    if (file->rank == 0) {
        has_failed = ReadOnRoot(file, name, type, part, values, &place);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "read a dataset of that extent"));
    if (part->dimensions == 2) {
        PetscCall(PlaneRead(file, place, part, values));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &is_shared, 1, MPI_INT, MPI_MIN, file->comm));
    if (is_shared) {
        PetscCallMPI(MPI_Bcast(values, (int)part->whole[0], MPI_UINT64_T, 0, file->comm));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
