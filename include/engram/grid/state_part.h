/**
 * @file state_part.h
 * The state of a run as a list of named arrays, for whoever keeps it or gives it back.
 */
#ifndef ENGRAM_GRID_STATE_PART_H
#define ENGRAM_GRID_STATE_PART_H

#include <petscsys.h>

/** Most parts of a state. */
#define ENGRAM_STATE_PARTS 16

/** How the numbers of a part are shared among the ranks. */
typedef enum EngramStateLayout {
    ENGRAM_STATE_SLICES, /**< rows over the slices of all ranks; each rank has its own */
    ENGRAM_STATE_COMMON, /**< the same numbers on all ranks */
} EngramStateLayout;

/** One array of a state. */
typedef struct EngramStatePart {
    const char *name;
    const char *unit;
    const char *description;
    EngramStateLayout layout;
    PetscInt rows;   /**< of slices */
    PetscInt stride; /**< distance of two rows in memory, at least the slices of this rank */
    PetscInt count;  /**< of common numbers */
    double *values;  /**< slices [rows * stride], or common [count]; borrowed */
} EngramStatePart;

/** The whole state. */
typedef struct EngramStateParts {
    int count;
    EngramStatePart parts[ENGRAM_STATE_PARTS];
} EngramStateParts;

/** Adds an array over the slices. Not collective. */
PetscErrorCode EngramStateAddSlices(EngramStateParts *state, const char *name, const char *unit,
                                    const char *description, PetscInt rows, PetscInt stride,
                                    double *values);

/** Adds common numbers. Not collective. */
PetscErrorCode EngramStateAddCommon(EngramStateParts *state, const char *name, const char *unit,
                                    const char *description, PetscInt count, double *values);

#endif
