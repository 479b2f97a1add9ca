#include "case_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engram/base/error.h"

/* Bytes of the longest file, more than twice what all options can have. */
enum { LONGEST_FILE = 1 << 22 };

/** All bytes of a file; returns 0 or errno. */
static int ReadBytes(int descriptor, char *text, size_t *length)
{
    struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
    ssize_t got = 1;
    *length = 0;
    while (got > 0 && *length <= LONGEST_FILE) {
        /* Unlike read, it ends with a signal: who waits for standard input can be stopped. */
        if (poll(&wanted, 1, -1) < 0) {
            return errno;
        }
        got = read(descriptor, text + *length, LONGEST_FILE + 1 - *length);
        *length += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        return errno;
    }
    return *length > LONGEST_FILE ? EFBIG : 0;
}

static int ReadPath(const char *path, char *text, size_t *length)
{
    if (strcmp(path, CASE_FILE_INPUT) == 0) {
        return ReadBytes(STDIN_FILENO, text, length);
    }
    const int descriptor = open(path, O_RDONLY);
    if (descriptor < 0) {
        return errno;
    }
    const int failure = ReadBytes(descriptor, text, length);
    (void)close(descriptor);
    return failure;
}

PetscErrorCode CaseFileRead(CaseFile *file, const char *path)
{
    char *text = NULL;
    size_t length = 0;
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    file->path = strcmp(path, CASE_FILE_INPUT) == 0 ? "<stdin>" : path;
    PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
    int header[2] = {0, 0};
    if (rank == 0) {
        PetscCall(PetscMalloc1(LONGEST_FILE + 2, &text));
        header[0] = ReadPath(path, text, &length);
        header[1] = (int)length;
    }
    PetscCallMPI(MPI_Bcast(header, 2, MPI_INT, 0, PETSC_COMM_WORLD));
    if (header[0]) {
        PetscCall(PetscFree(text));
        PetscCall(EngramInputError("case file '%s': cannot be read (%s)", file->path,
                                   strerror(header[0])));
    }
    if (rank != 0) {
        PetscCall(PetscMalloc1((size_t)header[1] + 1, &text));
    }
    PetscCallMPI(MPI_Bcast(text, header[1], MPI_CHAR, 0, PETSC_COMM_WORLD));
    const PetscErrorCode outcome = CaseFileParse(file, text, (size_t)header[1]);
    PetscCall(PetscFree(text));
    PetscCall(outcome);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CaseFileAdd(CaseFile *file, const char *name, const char *text, CasePlace key,
                           CasePlace place, int layer)
{
    enum { FIRST_CAPACITY = 64 };
    PetscFunctionBeginUser;
    if (file->count == file->capacity) {
        const int capacity = file->capacity ? 2 * file->capacity : FIRST_CAPACITY;
        CaseValue *values = NULL;
        PetscCall(PetscCalloc1((size_t)capacity, &values));
        if (file->count) {
            memcpy(values, file->values, (size_t)file->count * sizeof(*values));
        }
        PetscCall(PetscFree(file->values));
        file->values = values;
        file->capacity = capacity;
    }
    CaseValue *value = &file->values[file->count++];
    PetscCall(PetscStrallocpy(name, &value->name));
    PetscCall(PetscStrallocpy(text, &value->text));
    value->key = key;
    value->place = place;
    value->layer = layer;
    PetscFunctionReturn(PETSC_SUCCESS);
}

CaseValue *CaseFileFind(const CaseFile *file, const char *name)
{
    for (int i = 0; i < file->count; i++) {
        if (strcasecmp(file->values[i].name, name) == 0) {
            return &file->values[i];
        }
    }
    return NULL;
}

PetscErrorCode CaseFileDestroy(CaseFile *file)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < file->count; i++) {
        PetscCall(PetscFree(file->values[i].name));
        PetscCall(PetscFree(file->values[i].text));
    }
    PetscCall(PetscFree(file->values));
    file->count = 0;
    file->capacity = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}
