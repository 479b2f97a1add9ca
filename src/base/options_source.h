/**
 * @file options_source.h
 * Where options come from: the case file and the command line, and who asked for them.
 */
#ifndef ENGRAM_SRC_BASE_OPTIONS_SOURCE_H
#define ENGRAM_SRC_BASE_OPTIONS_SOURCE_H

#include "case_file.h"
#include "engram/base/options.h"

enum { MAXIMUM_FOREIGN = 64 };

/** The case file on its own, and the command line. */
typedef struct EngramOptionsSource {
    CaseFile file; /* owned; empty without a case file */
    int argc;
    char **argv;                          /* borrowed from main */
    char *foreign_names[MAXIMUM_FOREIGN]; /* owned: names of the solver that no table declares */
    char *foreign_values[MAXIMUM_FOREIGN];
    int foreign_count;
} EngramOptionsSource;

/**
 * Reads both into PETSc's global options, the command line last. Collective. From here on messages
 * about the mistakes of the user say where in the case file the options stand that they name.
 */
PetscErrorCode EngramOptionsSourceRead(EngramOptionsSource *source, const char *case_file, int argc,
                                       char **argv);

/**
 * Refuses names that neither the tables know nor PETSc; collects the solver's own.
 *
 * @param after_setup  PETSC_FALSE: names with the prefix of the slice solver pass, because the
 *                     solver has not read its options yet; PETSC_TRUE: they must have been used
 */
PetscErrorCode EngramOptionsSourceRefuseUnknown(EngramOptionsSource *source, EngramOptions options,
                                                PetscBool after_setup);

/** Whether the command line gives an option; its name is that many letters. Not collective. */
PetscBool EngramOptionsSourceHasWord(const EngramOptionsSource *source, const char *name,
                                     size_t length);

/** Whether the value of an option is that of the case file. Not collective. */
PetscBool EngramOptionsSourceIsFromFile(const EngramOptionsSource *source, const char *name);

/** An option that has the value of another one stands where that stands. Not collective. */
PetscErrorCode EngramOptionsSourceRefer(EngramOptionsSource *source, const char *name,
                                        const char *meant);

/** Whether another value is for a while in the place of that of the file. Not collective. */
void EngramOptionsSourceSetVaried(EngramOptionsSource *source, const char *name,
                                  PetscBool is_varied);

/** Frees what the source owns. */
PetscErrorCode EngramOptionsSourceDestroy(EngramOptionsSource *source);

#endif
