/**
 * @file provenance.h
 * Where a result came from: versions of the program and its libraries, compiler, processes.
 */
#ifndef ENGRAM_BASE_PROVENANCE_H
#define ENGRAM_BASE_PROVENANCE_H

#include <petscsys.h>

/** A name and a text. */
typedef struct EngramProvenanceEntry {
    const char *name;
    char text[512];
} EngramProvenanceEntry;

/** Most entries of a record. */
#define ENGRAM_PROVENANCE_ENTRIES 16

/** A record. */
typedef struct EngramProvenance {
    EngramProvenanceEntry entries[ENGRAM_PROVENANCE_ENTRIES];
    int count;
} EngramProvenance;

/** Collects versions, compiler, MPI, ranks and the time of the start (UTC). Collective on `comm`.
 */
PetscErrorCode EngramProvenanceCollect(MPI_Comm comm, EngramProvenance *provenance);

/** Adds an entry; the name must outlive the record. Not collective. */
PetscErrorCode EngramProvenanceAdd(EngramProvenance *provenance, const char *name,
                                   const char *text);

/** The text of an entry, or "". Not collective. */
const char *EngramProvenanceText(const EngramProvenance *provenance, const char *name);

#endif
