#include "engram/grid/state_part.h"

#include "engram/base/error.h"

static PetscErrorCode Add(EngramStateParts *state, EngramStatePart part)
{
    PetscFunctionBeginUser;
    PetscCheck(state->count < ENGRAM_STATE_PARTS, PETSC_COMM_SELF, PETSC_ERR_MAX_VALUE,
               "Too many parts of a state");
    state->parts[state->count++] = part;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStateAddSlices(EngramStateParts *state, const char *name, const char *unit,
                                    const char *description, PetscInt rows, PetscInt stride,
                                    double *values)
{
    PetscFunctionBeginUser;
    PetscCall(Add(state, (EngramStatePart){name, unit, description, ENGRAM_STATE_SLICES, rows,
                                           stride, 0, values}));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStateAddCommon(EngramStateParts *state, const char *name, const char *unit,
                                    const char *description, PetscInt count, double *values)
{
    PetscFunctionBeginUser;
    PetscCall(Add(state, (EngramStatePart){name, unit, description, ENGRAM_STATE_COMMON, 0, 0,
                                           count, values}));
    PetscFunctionReturn(PETSC_SUCCESS);
}
