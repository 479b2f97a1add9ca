#include "engram/base/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "engram/base/error.h"

int EngramFileMakeFolders(const char *path)
{
    char partial[PETSC_MAX_PATH_LEN];
    const size_t length = strlen(path);
    if (length >= sizeof(partial)) {
        return ENAMETOOLONG;
    }
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST) {
            return errno;
        }
    }
    return 0;
}

/* A run that is ending, or was killed, may need a moment to let go of its folder. */
static const int LOCK_ATTEMPTS = 100;
static const struct timespec LOCK_PAUSE = {0, 100000000};

/* Folders of one run: of its results and of its checkpoints. */
enum { MOST_LOCKS = 4 };

/** Locks an open folder. @return 0, or EWOULDBLOCK */
static int LockDescriptor(int descriptor)
{
    for (int i = 0; i < LOCK_ATTEMPTS; i++) {
        if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
            return 0;
        }
        (void)nanosleep(&LOCK_PAUSE, NULL);
    }
    return EWOULDBLOCK;
}

int EngramFileLockFolder(const char *path)
{
    static struct stat held[MOST_LOCKS];
    static int count = 0;
    struct stat status;
    const int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    PetscBool is_known = (PetscBool)(count == MOST_LOCKS || fstat(descriptor, &status) != 0);
    for (int i = 0; i < count && !is_known; i++) {
        is_known = (PetscBool)(held[i].st_dev == status.st_dev && held[i].st_ino == status.st_ino);
    }
    const int failure = is_known ? 0 : LockDescriptor(descriptor);
    if (is_known || failure) {
        (void)close(descriptor);
    } else {
        /* The descriptor stays open as long as the program lives. */
        held[count++] = status;
    }
    return failure;
}

PetscBool EngramFileIsSame(const char *a, const char *b)
{
    struct stat first;
    struct stat second;
    return (PetscBool)(stat(a, &first) == 0 && stat(b, &second) == 0 &&
                       first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

int EngramFileSync(const char *path)
{
    const int descriptor = open(path, O_RDONLY);
    if (descriptor < 0) {
        return errno;
    }
    /* Some file systems have nothing to wait for and say so. */
    const int failure = fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS ? errno : 0;
    const int on_close = close(descriptor) != 0 ? errno : 0;
    return failure ? failure : on_close;
}

void EngramFileBeginSync(int descriptor, uint64_t place, uint64_t bytes)
{
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(descriptor, (off_t)place, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor;
    (void)place;
    (void)bytes;
#endif
}

int EngramFileSyncFolder(const char *path)
{
    char folder[PETSC_MAX_PATH_LEN];
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof(folder)) {
        return ENAMETOOLONG;
    }
    memcpy(folder, path, length);
    folder[length] = '\0';
    return EngramFileSync(length > 0 ? folder : (slash ? "/" : "."));
}

/** Whether the file system has so many bytes left, for those that cannot reserve. */
static int CheckFreeSpace(int descriptor, uint64_t bytes)
{
    struct statvfs space;
    if (fstatvfs(descriptor, &space) != 0) {
        return 0;
    }
    return (double)space.f_bavail * (double)space.f_frsize < (double)bytes ? ENOSPC : 0;
}

/** Whether the process may make files so long. @return 0, or EFBIG */
static int CheckLimit(uint64_t length)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
                   length > (uint64_t)limit.rlim_cur
               ? EFBIG
               : 0;
}

int EngramFileReserve(const char *path, uint64_t offset, uint64_t bytes)
{
    int failure = CheckLimit(offset + bytes);
    if (failure) {
        return failure;
    }
    const int descriptor = open(path, O_WRONLY);
    if (descriptor < 0) {
        return errno;
    }
#ifdef FALLOC_FL_KEEP_SIZE
    failure = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)bytes) ? errno : 0;
#else
    (void)offset;
    failure = EOPNOTSUPP;
#endif
    if (failure && failure != ENOSPC && failure != EDQUOT && failure != EFBIG) {
        failure = CheckFreeSpace(descriptor, bytes);
    }
    (void)close(descriptor);
    return failure;
}

int EngramFileReplace(const char *from, const char *to)
{
    return rename(from, to) != 0 ? errno : EngramFileSyncFolder(to);
}

int EngramFileLength(const char *path, uint64_t *bytes)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno;
    }
    *bytes = (uint64_t)status.st_size;
    return 0;
}

int EngramFileRead(int descriptor, uint64_t place, uint64_t bytes, unsigned char *to)
{
    uint64_t done = 0;
    while (done < bytes) {
        const ssize_t got = pread(descriptor, to + done, bytes - done, (off_t)(place + done));
        if (got == 0) {
            return ENGRAM_FILE_TOO_SHORT;
        }
        if (got < 0 && errno != EINTR) {
            return errno;
        }
        done += got > 0 ? (uint64_t)got : 0;
    }
    return 0;
}

int EngramFileWrite(int descriptor, uint64_t place, uint64_t bytes, const unsigned char *from)
{
    uint64_t done = 0;
    while (done < bytes) {
        const ssize_t put = pwrite(descriptor, from + done, bytes - done, (off_t)(place + done));
        if (put == 0) {
            return EIO;
        }
        if (put < 0 && errno != EINTR) {
            return errno;
        }
        done += put > 0 ? (uint64_t)put : 0;
    }
    return 0;
}

PetscBool EngramFileExists(const char *path)
{
    return (PetscBool)(access(path, F_OK) == 0);
}

PetscErrorCode EngramFileAgree(MPI_Comm comm, int *failure)
{
    PetscMPIInt size = 0;
    PetscMPIInt first = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_size(comm, &size));
    PetscCallMPI(MPI_Comm_rank(comm, &first));
    first = *failure ? first : size;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm));
    if (first < size) {
        PetscCallMPI(MPI_Bcast(failure, 1, MPI_INT, first, comm));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
