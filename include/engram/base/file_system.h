/**
 * @file file_system.h
 * What the program asks of the file system so that a file is whole or not there.
 *
 * These functions are not collective; the caller shares their outcome with EngramFileAgree. Their
 * result is 0, or the errno of what failed.
 */
#ifndef ENGRAM_BASE_FILE_SYSTEM_H
#define ENGRAM_BASE_FILE_SYSTEM_H

#include <petscsys.h>
#include <stdint.h>

/** Makes a folder and those it lies in. */
int EngramFileMakeFolders(const char *path);

/**
 * Keeps other programs out of a folder, if it is there, until this one ends. It waits some seconds
 * for one that is ending. A folder that this program has is taken once.
 *
 * @return EWOULDBLOCK: another program has it; where a file system has no locks nothing can be said
 */
int EngramFileLockFolder(const char *path);

/** Whether two paths lead to the same file or folder. */
PetscBool EngramFileIsSame(const char *a, const char *b);

/** Waits until a file, or the entries of a folder, are on the disk. */
int EngramFileSync(const char *path);

/** Lets the disk begin with bytes that were written to an open file, without waiting. */
void EngramFileBeginSync(int descriptor, uint64_t place, uint64_t bytes);

/** Waits until the entry of a file in its folder is on the disk. */
int EngramFileSyncFolder(const char *path);

/**
 * Reserves room on the disk for bytes that will be written from an offset on; the length of the
 * file stays. Where the file system cannot do that, the free space is looked at.
 *
 * @return ENOSPC, EDQUOT, EFBIG, ... when they will not fit
 */
int EngramFileReserve(const char *path, uint64_t offset, uint64_t bytes);

/** Gives a complete file the name of another one, which it replaces, on the disk as well. */
int EngramFileReplace(const char *from, const char *to);

/** Length of a file in bytes. */
int EngramFileLength(const char *path, uint64_t *bytes);

/** What EngramFileRead returns where a file ends too early. */
#define ENGRAM_FILE_TOO_SHORT (-1)

/** Reads bytes of an open file from a place on. @return 0, errno or ENGRAM_FILE_TOO_SHORT */
int EngramFileRead(int descriptor, uint64_t place, uint64_t bytes, unsigned char *to);

/** Writes bytes to an open file from a place on. */
int EngramFileWrite(int descriptor, uint64_t place, uint64_t bytes, const unsigned char *from);

/** Whether a path leads to a file or a folder. */
PetscBool EngramFileExists(const char *path);

/**
 * Makes a failure on any rank one of all ranks: the first one, by the number of the rank.
 * Collective.
 *
 * @param failure  in: 0 or errno of this rank; out: the same on all
 */
PetscErrorCode EngramFileAgree(MPI_Comm comm, int *failure);

#endif
