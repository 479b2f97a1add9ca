#include "text_file.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "engram/base/error.h"

PetscErrorCode TextFileOpen(MPI_Comm comm, const char *directory, const char *name, TextFile *file)
{
    int failure = 0;
    PetscFunctionBeginUser;
    file->comm = comm;
    PetscCallMPI(MPI_Comm_rank(comm, &file->rank));
    PetscCall(PetscSNPrintf(file->path, sizeof(file->path), "%s/%s", directory, name));
    if (file->rank == 0) {
        file->stream = fopen(file->path, "w");
        failure = file->stream ? 0 : errno;
    }
    PetscCallMPI(MPI_Bcast(&failure, 1, MPI_INT, 0, comm));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", file->path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void TextFilePrint(TextFile *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (file->stream) {
        (void)vfprintf(file->stream, format, arguments);
    }
    va_end(arguments);
}

int TextFileFlushOnRoot(TextFile *file)
{
    if (!file->stream) {
        return 0;
    }
    errno = 0;
    const int failed = fflush(file->stream) != 0 || ferror(file->stream);
    return failed ? (errno ? errno : EIO) : 0;
}

PetscErrorCode TextFileClose(TextFile *file)
{
    int failure = 0;
    PetscFunctionBeginUser;
    if (file->stream) {
        failure = TextFileFlushOnRoot(file);
        if (fclose(file->stream) != 0 && !failure) {
            failure = errno;
        }
        file->stream = NULL;
    }
    PetscCallMPI(MPI_Bcast(&failure, 1, MPI_INT, 0, file->comm));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", file->path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
