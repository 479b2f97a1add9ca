#include "text_file.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"

/* A place of a file that is no place where it can be continued. */
enum { NOT_ITS_FILE = -1, CHANGED = -2 };

/** Name under which a file is written that must be whole when it has its own. */
static void NameOfPart(const char *path, char *part, size_t size)
{
    (void)snprintf(part, size, "%s.part", path);
}

static PetscErrorCode ShareFailure(TextFile *file, int failure)
{
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Bcast(&failure, 1, MPI_INT, 0, file->comm));
    if (failure == NOT_ITS_FILE) {
        PetscCall(EngramInputError("-restart: %s is not the file that the run has written up to "
                                   "its checkpoint; put it back, or take another -output_dir",
                                   file->path));
    } else if (failure == CHANGED) {
        PetscCall(
            EngramInputError("-restart: the rows of %s were changed since the run has written "
                             "them; put the file back, or take another -output_dir",
                             file->path));
    } else if (failure) {
        PetscCall(EngramOutputError("cannot write %s: %s", file->path, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Prepare(MPI_Comm comm, const char *directory, const char *name,
                              TextFile *file)
{
    PetscFunctionBeginUser;
    file->comm = comm;
    file->stream = NULL;
    file->is_whole = PETSC_FALSE;
    PetscCallMPI(MPI_Comm_rank(comm, &file->rank));
    PetscCall(PetscSNPrintf(file->path, sizeof(file->path), "%s/%s", directory, name));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TextFileOpen(MPI_Comm comm, const char *directory, const char *name, TextFile *file)
{
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCall(Prepare(comm, directory, name, file));
    if (file->rank == 0) {
        file->stream = fopen(file->path, "w");
        failure = file->stream ? 0 : errno;
    }
    PetscCall(ShareFailure(file, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TextFileOpenWhole(MPI_Comm comm, const char *directory, const char *name,
                                 TextFile *file)
{
    int failure = 0;
    char part[PETSC_MAX_PATH_LEN + 8];
    PetscFunctionBeginUser;
    PetscCall(Prepare(comm, directory, name, file));
    file->is_whole = PETSC_TRUE;
    if (file->rank == 0) {
        NameOfPart(file->path, part, sizeof(part));
        file->stream = fopen(part, "w");
        failure = file->stream ? 0 : errno;
    }
    PetscCall(ShareFailure(file, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether a line ends where the file is to be continued. */
static PetscBool EndsLine(FILE *stream, uint64_t bytes)
{
    return (PetscBool)(bytes > 0 && fseek(stream, (long)bytes - 1, SEEK_SET) == 0 &&
                       getc(stream) == '\n');
}

int TextFileSumOnRoot(const char *path, uint64_t from, uint64_t to, uint64_t *sum)
{
    unsigned char block[1 << 14];
    uint64_t value = *sum;
    FILE *stream = fopen(path, "r");
    if (!stream) {
        return errno;
    }
    int failure = fseek(stream, (long)from, SEEK_SET) != 0 ? errno : 0;
    while (from < to && !failure) {
        const size_t wanted = (size_t)PetscMin(to - from, sizeof(block));
        const size_t count = fread(block, 1, wanted, stream);
        for (size_t i = 0; i < count; i++) {
            value = (value ^ block[i]) * UINT64_C(0x100000001b3);
        }
        from += count;
        failure = count < wanted ? NOT_ITS_FILE : 0;
    }
    (void)fclose(stream);
    *sum = value;
    return failure;
}

/** @return 0, errno, or what is the matter with the file */
static int VerifyOnRoot(const char *path, uint64_t bytes, const uint64_t *sum)
{
    uint64_t found = TEXT_FILE_SUM;
    errno = 0;
    FILE *stream = fopen(path, "r+");
    if (!stream) {
        return errno == ENOENT ? NOT_ITS_FILE : errno;
    }
    int failure = EndsLine(stream, bytes) ? 0 : NOT_ITS_FILE;
    (void)fclose(stream);
    if (!failure && sum) {
        failure = TextFileSumOnRoot(path, 0, bytes, &found);
        failure = !failure && found != *sum ? CHANGED : failure;
    }
    return failure;
}

PetscErrorCode TextFileVerify(MPI_Comm comm, const char *directory, const char *name,
                              uint64_t bytes, const uint64_t *sum)
{
    TextFile file;
    PetscFunctionBeginUser;
    PetscCall(Prepare(comm, directory, name, &file));
    PetscCall(ShareFailure(&file, file.rank == 0 ? VerifyOnRoot(file.path, bytes, sum) : 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TextFileResume(MPI_Comm comm, const char *directory, const char *name,
                              uint64_t bytes, TextFile *file)
{
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCall(Prepare(comm, directory, name, file));
    if (file->rank == 0) {
        errno = 0;
        file->stream = fopen(file->path, "r+");
        if (!file->stream) {
            failure = errno == ENOENT ? NOT_ITS_FILE : errno;
        } else if (!EndsLine(file->stream, bytes)) {
            failure = NOT_ITS_FILE;
        } else if (ftruncate(fileno(file->stream), (off_t)bytes) != 0 ||
                   fseek(file->stream, 0, SEEK_END) != 0) {
            failure = errno;
        }
    }
    PetscCall(ShareFailure(file, failure));
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

PetscErrorCode TextFileSync(TextFile *file, uint64_t *bytes)
{
    int failure = 0;
    PetscFunctionBeginUser;
    *bytes = 0;
    if (file->stream) {
        failure = TextFileFlushOnRoot(file);
        if (!failure && fsync(fileno(file->stream)) != 0) {
            failure = errno;
        }
        *bytes = (uint64_t)ftell(file->stream);
    }
    PetscCall(ShareFailure(file, failure));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Closes a stream, and gives a whole file its name. @return 0, or errno */
static int CloseOnRoot(TextFile *file)
{
    char part[PETSC_MAX_PATH_LEN + 8];
    int failure = TextFileFlushOnRoot(file);
    if (file->is_whole && !failure && fsync(fileno(file->stream)) != 0) {
        failure = errno;
    }
    if (fclose(file->stream) != 0 && !failure) {
        failure = errno;
    }
    file->stream = NULL;
    if (file->is_whole) {
        NameOfPart(file->path, part, sizeof(part));
        if (failure) {
            (void)remove(part);
        } else {
            failure = EngramFileReplace(part, file->path);
        }
    }
    return failure;
}

PetscErrorCode TextFileClose(TextFile *file)
{
    PetscFunctionBeginUser;
    PetscCall(ShareFailure(file, file->stream ? CloseOnRoot(file) : 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void TextFileAbandon(TextFile *file)
{
    if (file->stream) {
        (void)fclose(file->stream);
        file->stream = NULL;
    }
}

int TextFileReplaceOnRoot(const char *directory, const char *name, const char *text)
{
    char path[PETSC_MAX_PATH_LEN];
    char part[PETSC_MAX_PATH_LEN + 8];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    NameOfPart(path, part, sizeof(part));
    errno = 0;
    FILE *stream = fopen(part, "w");
    if (!stream) {
        return errno;
    }
    const int has_failed = fputs(text, stream) < 0 || fflush(stream) != 0;
    const int on_close = fclose(stream) != 0;
    if (has_failed || on_close || rename(part, path) != 0) {
        const int failure = errno ? errno : EIO;
        (void)remove(part);
        return failure;
    }
    return 0;
}
