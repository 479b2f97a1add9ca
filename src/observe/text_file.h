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
