/**
 * @file case_file.h
 * A case file: its values under the full names of their options, and where each of them stands.
 *
 * The file is YAML. Groups and keys are joined by underscores to the name of an option, items of a
 * list by commas to its value. What a group merges from others (<<) holds where the case does not
 * have the option itself; of several such groups the first one that has it counts.
 */
#ifndef ENGRAM_SRC_BASE_CASE_FILE_H
#define ENGRAM_SRC_BASE_CASE_FILE_H

#include <petscsys.h>

/** Name of standard input on the command line. */
#define CASE_FILE_INPUT "-"

/** Line, and column in characters; both from 1. */
typedef struct CasePlace {
    int line;
    int column;
} CasePlace;

/** One value. */
typedef struct CaseValue {
    char *name; /* owned: of the option, without dash */
    char *text; /* owned */
    CasePlace key;
    CasePlace place;
    int layer; /* 0: the case itself; else the number of the group that it was merged from */
    PetscBool is_varied; /* another value is in its place for a while */
} CaseValue;

/** All values of a file; empty when it is all zero. */
typedef struct CaseFile {
    const char *path;  /* as in messages; borrowed */
    CaseValue *values; /* [count] owned */
    int count;
    int capacity;
} CaseFile;

/**
 * Reads a file, or standard input, on the first rank, and parses it on all. Collective on
 * PETSC_COMM_WORLD.
 *
 * @param path  must outlive the file
 * @return ENGRAM_ERR_INPUT on all ranks for a file that cannot be read, and as CaseFileParse
 */
PetscErrorCode CaseFileRead(CaseFile *file, const char *path);

/**
 * Takes the values out of a text in YAML; `file->path` is set. Not collective.
 * @return ENGRAM_ERR_INPUT, reported with the place, for a text that is no YAML or no case, gives
 *         an option twice, or is unreasonably deep or long
 */
PetscErrorCode CaseFileParse(CaseFile *file, const char *text, size_t length);

/** Adds a value with copies of name and text. Not collective. */
PetscErrorCode CaseFileAdd(CaseFile *file, const char *name, const char *text, CasePlace key,
                           CasePlace place, int layer);

/** The value of a name in any case of letters, or NULL; borrowed. Not collective. */
CaseValue *CaseFileFind(const CaseFile *file, const char *name);

/** Frees what the file owns; accepts an empty one. Not collective. */
PetscErrorCode CaseFileDestroy(CaseFile *file);

#endif
