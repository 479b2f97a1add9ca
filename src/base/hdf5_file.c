#include "engram/base/hdf5_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engram/base/error.h"

static PetscBool is_broken = PETSC_FALSE;

PetscBool EngramHdf5IsBroken(void)
{
    return is_broken;
}

/** Whether errno can be what a file system has told HDF5, which does not pass it on. */
static PetscBool IsOfDisk(int number)
{
    static const int numbers[] = {ENOSPC, EDQUOT, EIO,    EACCES, EPERM,
                                  EROFS,  EFBIG,  ESTALE, ENOTDIR};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i] == number) {
            return PETSC_TRUE;
        }
    }
    return PETSC_FALSE;
}

PetscErrorCode EngramHdf5Check(EngramHdf5File *file, int has_failed, const char *action)
{
    const int number = errno;
    int shared = has_failed ? 1 : 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &shared, 1, MPI_INT, MPI_MAX, file->comm));
    if (shared) {
        file->has_failed = PETSC_TRUE;
    }
    if (shared && IsOfDisk(number)) {
        PetscCall(EngramOutputError("cannot %s %s: %s (HDF5 failed to %s)",
                                    file->is_writable ? "write" : "read", file->path,
                                    strerror(number), action));
    } else if (shared) {
        PetscCall(EngramOutputError("%s: HDF5 failed to %s", file->path, action));
    }
    /* What is told of a later failure is then of that one. */
    errno = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Properties of access. @return negative: failed */
static hid_t Access(void)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    /* Others may look at the file, and not all file systems have locks; the folder has one. */
    if (access >= 0 &&
        (H5Pset_alignment(access, ENGRAM_HDF5_ALIGNED_BYTES, ENGRAM_HDF5_ALIGNMENT) < 0 ||
         H5Pset_file_locking(access, 0, 1) < 0)) {
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
    PetscCallMPI(MPI_Comm_rank(comm, &file->rank));
    PetscCallMPI(MPI_Comm_size(comm, &file->size));
    file->has_failed = PETSC_FALSE;
    file->is_open = PETSC_FALSE;
    file->is_writable = is_writable;
    file->begins_sync = PETSC_FALSE;
    file->largest_chunk = 0;
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
    if (file->rank == 0) {
        const hid_t access = Access();
        const hid_t layout = H5Pcreate(H5P_FILE_CREATE);
        const int is_bad = access < 0 || layout < 0 ||
                           (user_block > 0 && H5Pset_userblock(layout, user_block) < 0);
        file->id = is_bad ? -1 : H5Fcreate(path, H5F_ACC_TRUNC, layout, access);
        (void)H5Pclose(layout);
        (void)H5Pclose(access);
    }
    PetscCall(EngramHdf5Check(file, file->rank == 0 && file->id < 0, "create the file"));
    file->is_open = PETSC_TRUE;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Open(MPI_Comm comm, const char *path, PetscBool is_writable,
                              EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    PetscCall(Prepare(comm, path, is_writable, file));
    if (file->rank == 0) {
        const hid_t access = Access();
        file->id =
            access < 0 ? -1 : H5Fopen(path, is_writable ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
        (void)H5Pclose(access);
    }
    PetscCall(EngramHdf5Check(file, file->rank == 0 && file->id < 0, "open the file"));
    file->is_open = PETSC_TRUE;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Writes a text attribute on the first rank. @return whether it failed */
static int WriteTextOnRoot(const EngramHdf5File *file, const char *object, const char *attribute,
                           const char *text)
{
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
    return has_failed;
}

PetscErrorCode EngramHdf5WriteText(EngramHdf5File *file, const char *object, const char *attribute,
                                   const char *text)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    if (file->rank == 0) {
        has_failed = WriteTextOnRoot(file, object, attribute, text);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "write an attribute"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Reads a text attribute on the first rank, where it exists. @return whether it failed */
static int ReadTextOnRoot(const EngramHdf5File *file, const char *object, const char *attribute,
                          char *text, size_t size)
{
    char *found = NULL;
    const hid_t type = H5Tcopy(H5T_C_S1);
    const hid_t id = H5Aopen_by_name(file->id, object, attribute, H5P_DEFAULT, H5P_DEFAULT);
    const int has_failed = type < 0 || id < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 ||
                           H5Tset_cset(type, H5T_CSET_UTF8) < 0 || H5Aread(id, type, &found) < 0 ||
                           !found;
    if (!has_failed) {
        (void)snprintf(text, size, "%s", found);
        (void)H5free_memory(found);
    }
    (void)H5Aclose(id);
    (void)H5Tclose(type);
    return has_failed;
}

PetscErrorCode EngramHdf5ReadText(EngramHdf5File *file, const char *object, const char *attribute,
                                  char *text, size_t size, PetscBool *is_there)
{
    int exists = 0;
    int has_failed = 0;
    PetscFunctionBeginUser;
    memset(text, 0, size);
    if (file->rank == 0) {
        exists = H5Aexists_by_name(file->id, object, attribute, H5P_DEFAULT) > 0;
        has_failed = exists && ReadTextOnRoot(file, object, attribute, text, size);
    }
    PetscCall(EngramHdf5Check(file, has_failed, "read an attribute"));
    PetscCallMPI(MPI_Bcast(&exists, 1, MPI_INT, 0, file->comm));
    PetscCallMPI(MPI_Bcast(text, (int)size, MPI_CHAR, 0, file->comm));
    *is_there = (PetscBool)exists;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5HasGroup(EngramHdf5File *file, const char *name, PetscBool *is_there)
{
    int exists = 0;
    PetscFunctionBeginUser;
    if (file->rank == 0) {
        exists = H5Lexists(file->id, name, H5P_DEFAULT) > 0;
    }
    PetscCallMPI(MPI_Bcast(&exists, 1, MPI_INT, 0, file->comm));
    *is_there = (PetscBool)exists;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5CreateGroup(EngramHdf5File *file, const char *name)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    if (file->rank == 0) {
        const hid_t group = H5Gcreate2(file->id, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        has_failed = group < 0 || H5Gclose(group) < 0;
    }
    PetscCall(EngramHdf5Check(file, has_failed, "create a group"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramHdf5Flush(EngramHdf5File *file)
{
    PetscFunctionBeginUser;
    const int has_failed = file->rank == 0 && H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0;
    is_broken = (PetscBool)(is_broken || has_failed);
    PetscCall(EngramHdf5Check(file, has_failed, "flush the file"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Lets HDF5 close a file that will vanish, where its own has failed or has nothing to lose.
 */
static void Divert(const EngramHdf5File *file)
{
    void *handle = NULL;
    FILE *vanishing = tmpfile();
    if (vanishing && H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) >= 0 && handle) {
        (void)dup2(fileno(vanishing), *(const int *)handle);
    }
    if (vanishing) {
        (void)fclose(vanishing);
    }
}

PetscErrorCode EngramHdf5Close(EngramHdf5File *file)
{
    int has_failed = 0;
    PetscFunctionBeginUser;
    if (!file->is_open) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    file->is_open = PETSC_FALSE;
    if (file->rank == 0) {
        if (file->has_failed || !file->is_writable) {
            Divert(file);
        }
        has_failed = H5Fclose(file->id) < 0;
        is_broken = (PetscBool)(is_broken || has_failed);
    }
    file->id = -1;
    if (!file->has_failed) {
        PetscCall(EngramHdf5Check(file, has_failed, "close the file"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
