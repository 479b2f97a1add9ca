/**
 * @file text_file.h
 * Text files that rank 0 writes, with failures known to all ranks.
 */
#ifndef ENGRAM_SRC_OBSERVE_TEXT_FILE_H
#define ENGRAM_SRC_OBSERVE_TEXT_FILE_H

#include <petscsys.h>
#include <stdio.h>

/** A text file in the output folder. */
typedef struct TextFile {
    MPI_Comm comm; /* borrowed */
    PetscMPIInt rank;
    FILE *stream; /* on rank 0 only */
    char path[PETSC_MAX_PATH_LEN];
} TextFile;

/** Opens `directory/name` for writing. Collective. */
PetscErrorCode TextFileOpen(MPI_Comm comm, const char *directory, const char *name, TextFile *file);

/** printf on rank 0; failures are found by the next flush. Not collective. */
void TextFilePrint(TextFile *file, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);

/** Hands the text to the system; on rank 0 only, and without agreement. @return 0, or errno */
int TextFileFlushOnRoot(TextFile *file);

/** Flushes and closes. @return ENGRAM_ERR_OUTPUT on all ranks when any writing failed. Collective.
 */
PetscErrorCode TextFileClose(TextFile *file);

#endif
