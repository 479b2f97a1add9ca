#include "engram/base/hdf5_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engram/base/error.h"

/* Large datasets begin at a multiple of the size of a page, so that their rows can be written
 * without reading the ends of pages first. */
static const hsize_t ALIGNED_BYTES = 1 << 16;
static const hsize_t ALIGNMENT = 4096;

PetscErrorCode EngramHdf5Check(EngramHdf5File *file, int has_failed, const char *action)
{
    int shared = has_failed ? 1 : 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &shared, 1, MPI_INT, MPI_MAX, file->comm));
    if (shared) {
        file->has_failed = PETSC_TRUE;
        PetscCall(
            EngramOutputError("%s: HDF5 failed to %s%s", file->path, action,
                              file->is_writable ? " (disk full, quota, or no permission?)" : ""));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Properties of parallel access. @return negative: failed */
static hid_t ParallelAccess(MPI_Comm comm)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 && (H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL) < 0 ||
                        H5Pset_alignment(access, ALIGNED_BYTES, ALIGNMENT) < 0)) {
        (void)H5Pclose(access);
        return -1;
    }
    return access;
}

/** Sets the members of a file that is about to be opened. */
static PetscErrorCode Prepare(MPI_Comm comm, const char *path, PetscBool is_writable,
                              EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    file->id = -1;
    file->comm = comm;
    file->has_failed = PETSC_FALSE;
    file->is_writable = is_writable;
    file->begins_sync = PETSC_FALSE;
    PetscCall(PetscStrncpy(file->path, path, sizeof(file->path)));
    /* HDF5's own stack of messages would come from every rank. */
    PetscCall(
        EngramHdf5Check(file, H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0, "silence its messages"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Create(MPI_Comm comm, const char *path, hsize_t user_block,
                                EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    PetscCall(Prepare(comm, path, PETSC_TRUE, file));
    const hid_t access = ParallelAccess(comm);
    const hid_t layout = H5Pcreate(H5P_FILE_CREATE);
    const int is_bad =
        access < 0 || layout < 0 || (user_block > 0 && H5Pset_userblock(layout, user_block) < 0);
    file->id = is_bad ? -1 : H5Fcreate(path, H5F_ACC_TRUNC, layout, access);
    (void)H5Pclose(layout);
    (void)H5Pclose(access);
    PetscCall(EngramHdf5Check(file, file->id < 0, "create the file"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Open(MPI_Comm comm, const char *path, PetscBool is_writable,
                              EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    PetscCall(Prepare(comm, path, is_writable, file));
    const hid_t access = ParallelAccess(comm);
    file->id = access < 0 ? -1 : H5Fopen(path, is_writable ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
    (void)H5Pclose(access);
    PetscCall(EngramHdf5Check(file, file->id < 0, "open the file"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5WriteText(EngramHdf5File *file, const char *object, const char *attribute,
                                   const char *text)
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
    PetscCall(EngramHdf5Check(file, has_failed, "write an attribute"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5ReadText(EngramHdf5File *file, const char *object, const char *attribute,
                                  char *text, size_t size, PetscBool *is_there)
{
    char *found = NULL;
    PetscFunctionBeginUser;
    text[0] = '\0';
    const htri_t exists = H5Aexists_by_name(file->id, object, attribute, H5P_DEFAULT);
    *is_there = (PetscBool)(exists > 0);
    if (exists <= 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const hid_t type = H5Tcopy(H5T_C_S1);
    const hid_t id = H5Aopen_by_name(file->id, object, attribute, H5P_DEFAULT, H5P_DEFAULT);
    const int has_failed = type < 0 || id < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 ||
                           H5Tset_cset(type, H5T_CSET_UTF8) < 0 || H5Aread(id, type, &found) < 0 ||
                           !found;
    if (!has_failed) {
        PetscCall(PetscStrncpy(text, found, size));
        (void)H5free_memory(found);
    }
    (void)H5Aclose(id);
    (void)H5Tclose(type);
    PetscCall(EngramHdf5Check(file, has_failed, "read an attribute"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5CreateGroup(EngramHdf5File *file, const char *name)
{
    PetscFunctionBeginUser;
    const hid_t group = H5Gcreate2(file->id, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    PetscCall(EngramHdf5Check(file, group < 0 || H5Gclose(group) < 0, "create a group"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Flush(EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHdf5Check(file, H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0, "flush the file"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Close(EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    if (file->id < 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const int has_failed = H5Fclose(file->id) < 0;
    file->id = -1;
    if (!file->has_failed) {
        PetscCall(EngramHdf5Check(file, has_failed, "close the file"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
