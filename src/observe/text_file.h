/**
 * @file text_file.h
 * Text files that rank 0 writes, with failures known to all ranks.
 */
#ifndef ENGRAM_SRC_OBSERVE_TEXT_FILE_H
#define ENGRAM_SRC_OBSERVE_TEXT_FILE_H

#include <petscsys.h>
#include <stdint.h>
#include <stdio.h>

/** A text file in the output folder. */
typedef struct TextFile {
    MPI_Comm comm; /* borrowed */
    PetscMPIInt rank;
    FILE *stream;       /* on rank 0 only */
    PetscBool is_whole; /* written under another name, and renamed when it is complete */
    char path[PETSC_MAX_PATH_LEN];
} TextFile;

/** Opens `directory/name` for writing. Collective. */
PetscErrorCode TextFileOpen(MPI_Comm comm, const char *directory, const char *name, TextFile *file);

/** The same for a file that replaces an older one of that name when it is closed. Collective. */
PetscErrorCode TextFileOpenWhole(MPI_Comm comm, const char *directory, const char *name,
                                 TextFile *file);

/**
 * Opens an existing file, gives up all from a place on, and goes on there. Collective.
 *
 * @param bytes  the place; on rank 0
 * @return ENGRAM_ERR_INPUT when the file is shorter, or a line does not end there
 */
PetscErrorCode TextFileResume(MPI_Comm comm, const char *directory, const char *name,
                              uint64_t bytes, TextFile *file);

/** Checksum of no text. */
#define TEXT_FILE_SUM UINT64_C(0xcbf29ce484222325)

/**
 * Goes on with the checksum of a text, on one rank: the bytes [from, to) of a file. The checksum is
 * FNV-1a with 64 bits. @return 0, errno, or a negative number where the file is shorter
 */
int TextFileSumOnRoot(const char *path, uint64_t from, uint64_t to, uint64_t *sum);

/**
 * Whether a file can be continued; changes nothing. Collective.
 *
 * @param bytes  the place; on rank 0
 * @param sum    checksum of the text up to it, or NULL where it is not known; on rank 0
 * @return ENGRAM_ERR_INPUT when the file is shorter, a line does not end there, or the text is
 * another
 */
PetscErrorCode TextFileVerify(MPI_Comm comm, const char *directory, const char *name,
                              uint64_t bytes, const uint64_t *sum);

/** printf on rank 0; failures are found by the next flush. Not collective. */
void TextFilePrint(TextFile *file, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);

/** Hands the text to the system; on rank 0 only, and without agreement. @return 0, or errno */
int TextFileFlushOnRoot(TextFile *file);

/**
 * Waits until the text is on the disk. Collective.
 *
 * @param bytes  length of the file; on rank 0
 * @return ENGRAM_ERR_OUTPUT on all ranks when any writing failed
 */
PetscErrorCode TextFileSync(TextFile *file, uint64_t *bytes);

/** Flushes and closes. @return ENGRAM_ERR_OUTPUT on all ranks when any writing failed. Collective.
 */
PetscErrorCode TextFileClose(TextFile *file);

/** Closes in silence what is still open, after a failure. Not collective. */
void TextFileAbandon(TextFile *file);

/** Writes a whole small file on one rank, replacing an older one. @return 0, or errno */
int TextFileReplaceOnRoot(const char *directory, const char *name, const char *text);

#endif
