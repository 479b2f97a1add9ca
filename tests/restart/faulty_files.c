/* Loaded before the C library, it makes file operations below a folder fail as they may on real
 * disks. In the environment:
 *   FAULT_BELOW   a part of the paths that are struck
 *   FAULT_KIND    short: writes take half of the bytes; write, fsync, close: that operation fails
 *   FAULT_ERRNO   number of the error
 *   FAULT_AFTER   bytes (write) or calls (others) that work before the first that fails
 *   FAULT_RANK    only this rank is struck
 * What the C library does inside itself, as the writes of fflush, cannot be caught: fflush and
 * fclose then fail after they have worked, as a full quota on a network disk shows itself late. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAXIMUM_PATH = 4096, MAXIMUM_PARTS = 1024 };

/** The operation of the C library that one of these stands before. */
#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

/** Whether the operations of this kind on a file are struck. */
static int IsStruck(int file, const char *kind)
{
    char link[64];
    char path[MAXIMUM_PATH];
    const char *below = getenv("FAULT_BELOW");
    const char *wanted = getenv("FAULT_KIND");
    const char *rank = getenv("FAULT_RANK");
    const char *own_rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!below || !wanted || strcmp(kind, wanted) != 0 ||
        (rank && own_rank && strcmp(rank, own_rank) != 0)) {
        return 0;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof(path) - 1);
    if (length < 0) {
        return 0;
    }
    path[length] = '\0';
    /* Readers are spared, but for fsync, which may be asked through any descriptor. */
    const int is_reader = (fcntl(file, F_GETFL) & O_ACCMODE) == O_RDONLY;
    return (!is_reader || strcmp(kind, "fsync") == 0) && strstr(path, below) != NULL;
}

/** Counts an operation of a size. @return whether it is late enough to fail, with errno set */
static int Fails(int file, const char *kind, size_t size)
{
    static size_t done = 0;
    const char *after = getenv("FAULT_AFTER");
    const char *number = getenv("FAULT_ERRNO");
    if (!IsStruck(file, kind)) {
        return 0;
    }
    done += size;
    if (after && done <= strtoul(after, NULL, 10)) {
        return 0;
    }
    errno = number ? atoi(number) : EIO;
    return 1;
}

/** What is written of so many bytes. */
static size_t Taken(int file, size_t size)
{
    return size > 1 && IsStruck(file, "short") ? (size + 1) / 2 : size;
}

ssize_t write(int file, const void *bytes, size_t size)
{
    return Fails(file, "write", size)
               ? -1
               : REAL(ssize_t, write, int, const void *, size_t)(file, bytes, Taken(file, size));
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t place)
{
    return Fails(file, "write", size) ? -1
                                      : REAL(ssize_t, pwrite64, int, const void *, size_t,
                                             off64_t)(file, bytes, Taken(file, size), place);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t place)
{
    return pwrite64(file, bytes, size, place);
}

/** The first parts of a list that hold so many bytes. @return their number */
static int Shorten(const struct iovec *parts, int count, size_t taken, struct iovec *shorter)
{
    int used = 0;
    while (used < count && used < MAXIMUM_PARTS && taken > 0) {
        shorter[used] = parts[used];
        if (shorter[used].iov_len > taken) {
            shorter[used].iov_len = taken;
        }
        taken -= shorter[used++].iov_len;
    }
    return used;
}

static size_t SizeOf(const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    return size;
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t place)
{
    struct iovec shorter[MAXIMUM_PARTS];
    const size_t size = SizeOf(parts, count);
    if (Fails(file, "write", size)) {
        return -1;
    }
    const int used = Shorten(parts, count, Taken(file, size), shorter);
    return REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t)(file, shorter, used,
                                                                             place);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t place)
{
    return pwritev64(file, parts, count, place);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    struct iovec shorter[MAXIMUM_PARTS];
    const size_t size = SizeOf(parts, count);
    if (Fails(file, "write", size)) {
        return -1;
    }
    const int used = Shorten(parts, count, Taken(file, size), shorter);
    return REAL(ssize_t, writev, int, const struct iovec *, int)(file, shorter, used);
}

int fsync(int file)
{
    return Fails(file, "fsync", 1) ? -1 : REAL(int, fsync, int)(file);
}

int fdatasync(int file)
{
    return Fails(file, "fsync", 1) ? -1 : REAL(int, fdatasync, int)(file);
}

int close(int file)
{
    const int fails = Fails(file, "close", 1);
    const int number = errno;
    const int result = REAL(int, close, int)(file);
    errno = fails ? number : errno;
    return fails ? -1 : result;
}

int fflush(FILE *stream)
{
    const int fails = stream && Fails(fileno(stream), "write", 0);
    const int number = errno;
    const int result = REAL(int, fflush, FILE *)(stream);
    errno = fails ? number : errno;
    return fails ? EOF : result;
}

int fclose(FILE *stream)
{
    const int fails = Fails(fileno(stream), "close", 1);
    const int number = errno;
    const int result = REAL(int, fclose, FILE *)(stream);
    errno = fails ? number : errno;
    return fails ? EOF : result;
}
