/**
 * @file position.h
 * Where an output stood at a checkpoint: words that only the output itself understands.
 */
#ifndef ENGRAM_BASE_POSITION_H
#define ENGRAM_BASE_POSITION_H

#include <petscsys.h>
#include <stdint.h>

/** A growing list of words. Start with zeros. */
typedef struct EngramPosition {
    uint64_t *words; /**< [count], owned; of rank 0, which is the one that writes them */
    PetscInt64 count;
    PetscInt64 capacity;
} EngramPosition;

/** Empties the list and keeps its memory. Not collective. */
void EngramPositionClear(EngramPosition *position);

/** Adds words of any value, which the caller fills in. Not collective. */
PetscErrorCode EngramPositionExtend(EngramPosition *position, PetscInt64 count, uint64_t **added);

/** Adds one word. Not collective. */
PetscErrorCode EngramPositionAdd(EngramPosition *position, uint64_t word);

/** Frees the list; may be called twice. Not collective. */
PetscErrorCode EngramPositionDestroy(EngramPosition *position);

#endif
