#include "engram/base/hdf5_file.h"

#include "engram/base/error.h"

enum { MAXIMUM_DIMENSIONS = ENGRAM_HDF5_ROW_DIMENSIONS + 1 };

/* Size of a chunk that a rank writes at a go; below the 4 GiB that HDF5 allows. */
static const hsize_t CHUNK_BYTES = 1 << 20;

/** Turns a failed HDF5 call into one message with the path. */
static PetscErrorCode Check(const EngramHdf5File *file, int has_failed, const char *action)
{
    PetscFunctionBeginUser;
    if (has_failed) {
        PetscCall(EngramOutputError("%s: HDF5 failed to %s (disk full, or no permission?)",
                                    file->path, action));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Create(MPI_Comm comm, const char *path, EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    PetscCall(PetscStrncpy(file->path, path, sizeof(file->path)));
    /* HDF5's own stack of messages would come from every rank. */
    PetscCall(Check(file, H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0, "silence its messages"));
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    PetscCall(Check(file, access < 0 || H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL) < 0,
                    "prepare parallel access"));
    file->id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    (void)H5Pclose(access);
    PetscCall(Check(file, file->id < 0, "create the file"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DescribeDataset(const EngramHdf5File *file, const char *name,
                                      const char *unit, const char *description)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5WriteText(file, name, "unit", unit));
    PetscCall(EngramHdf5WriteText(file, name, "description", description));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whole rows of the last dimension, as many as fit the size of a chunk, at least one. */
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
        chunk[0] = CHUNK_BYTES / sizeof(double) / 64;
    }
}

PetscErrorCode EngramHdf5CreateRows(const EngramHdf5File *file, const char *name,
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
    PetscCall(Check(file, dataset < 0 || H5Dclose(dataset) < 0, "create a dataset"));
    PetscCall(DescribeDataset(file, name, unit, description));
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

/** Collective write of one selection. `is_absent`: this rank takes part with nothing. */
static int WriteSelection(hid_t dataset, hid_t in_file, hid_t in_memory, int is_absent,
                          const double *values)
{
    int has_failed = in_file < 0 || in_memory < 0;
    const hid_t transfer = H5Pcreate(H5P_DATASET_XFER);
    has_failed = has_failed || transfer < 0 || H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE) < 0;
    if (!has_failed && is_absent) {
        has_failed = H5Sselect_none(in_file) < 0 || H5Sselect_none(in_memory) < 0;
    }
    has_failed = has_failed ||
                 H5Dwrite(dataset, H5T_NATIVE_DOUBLE, in_memory, in_file, transfer, values) < 0;
    (void)H5Pclose(transfer);
    return has_failed;
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

PetscErrorCode EngramHdf5WriteRow(const EngramHdf5File *file, const char *name, PetscInt row,
                                  const EngramHdf5Part *part, const double *values)
{
    hsize_t extent[MAXIMUM_DIMENSIONS] = {(hsize_t)row + 1};
    hsize_t offset[MAXIMUM_DIMENSIONS] = {(hsize_t)row};
    hsize_t count[MAXIMUM_DIMENSIONS] = {1};
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
    for (int d = 0; d < part->dimensions; d++) {
        extent[d + 1] = part->whole[d];
        offset[d + 1] = part->offset[d];
        count[d + 1] = part->count[d];
    }
    /* A row without extent is one number, which the first rank writes. */
    const int is_absent = part->dimensions == 0 ? rank != 0 : IsAbsent(part);
    const hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    PetscCall(Check(file, dataset < 0 || H5Dset_extent(dataset, extent) < 0, "extend a dataset"));
    const hid_t in_file = H5Dget_space(dataset);
    int has_failed =
        in_file < 0 || H5Sselect_hyperslab(in_file, H5S_SELECT_SET, offset, NULL, count, NULL) < 0;
    const hid_t in_memory = SelectMemory(part);
    has_failed = has_failed || WriteSelection(dataset, in_file, in_memory, is_absent, values);
    (void)H5Sclose(in_memory);
    (void)H5Sclose(in_file);
    has_failed = H5Dclose(dataset) < 0 || has_failed;
    PetscCall(Check(file, has_failed, "write a row"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5WriteOnce(const EngramHdf5File *file, const char *name,
                                   const EngramHdf5Part *part, const double *values,
                                   const char *unit, const char *description)
{
    PetscFunctionBeginUser;
    const hid_t space = H5Screate_simple(part->dimensions, part->whole, NULL);
    PetscCall(Check(file, space < 0, "describe a dataset"));
    const hid_t dataset =
        H5Dcreate2(file->id, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    PetscCall(Check(file, dataset < 0, "create a dataset"));
    int has_failed =
        H5Sselect_hyperslab(space, H5S_SELECT_SET, part->offset, NULL, part->count, NULL) < 0;
    const hid_t in_memory = SelectMemory(part);
    has_failed = has_failed || WriteSelection(dataset, space, in_memory, IsAbsent(part), values);
    (void)H5Sclose(in_memory);
    (void)H5Sclose(space);
    has_failed = H5Dclose(dataset) < 0 || has_failed;
    PetscCall(Check(file, has_failed, "write a dataset"));
    PetscCall(DescribeDataset(file, name, unit, description));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5WriteText(const EngramHdf5File *file, const char *object,
                                   const char *attribute, const char *text)
{
    PetscFunctionBeginUser;
    const hid_t type = H5Tcopy(H5T_C_S1);
    const hid_t space = H5Screate(H5S_SCALAR);
    int has_failed = type < 0 || space < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 ||
                     H5Tset_cset(type, H5T_CSET_UTF8) < 0;
    const hid_t id = has_failed ? -1
                                : H5Acreate_by_name(file->id, object, attribute, type, space,
                                                    H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    has_failed = has_failed || id < 0 || H5Awrite(id, type, &text) < 0 || H5Aclose(id) < 0;
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    PetscCall(Check(file, has_failed, "write an attribute"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5CreateGroup(const EngramHdf5File *file, const char *name)
{
    PetscFunctionBeginUser;
    const hid_t group = H5Gcreate2(file->id, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    PetscCall(Check(file, group < 0 || H5Gclose(group) < 0, "create a group"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Flush(const EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    PetscCall(Check(file, H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0, "flush the file"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Close(EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    if (file->id > 0) {
        const hid_t id = file->id;
        file->id = -1;
        PetscCall(Check(file, H5Fclose(id) < 0, "close the file"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
