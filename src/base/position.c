#include "engram/base/position.h"

#include "engram/base/error.h"

void EngramPositionClear(EngramPosition *position)
{
    position->count = 0;
}

PetscErrorCode EngramPositionExtend(EngramPosition *position, PetscInt64 count, uint64_t **added)
{
    PetscFunctionBeginUser;
    const PetscInt64 needed = position->count + count;
    if (needed > position->capacity) {
        uint64_t *larger = NULL;
        position->capacity = PetscMax(needed, 2 * position->capacity);
        PetscCall(PetscMalloc1(position->capacity, &larger));
        PetscCall(PetscArraycpy(larger, position->words, position->count));
        PetscCall(PetscFree(position->words));
        position->words = larger;
    }
    *added = position->words + position->count;
    position->count = needed;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramPositionAdd(EngramPosition *position, uint64_t word)
{
    uint64_t *added = NULL;
    PetscFunctionBeginUser;
    PetscCall(EngramPositionExtend(position, 1, &added));
    *added = word;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramPositionDestroy(EngramPosition *position)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree(position->words));
    position->count = 0;
    position->capacity = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}
