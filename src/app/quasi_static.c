#include "quasi_static.h"

#include "engram/base/error.h"

enum { RESULTS = 4 };

PetscErrorCode QuasiStaticCreate(const EngramSimulation *simulation, QuasiStatic *state)
{
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    state->solver = simulation->solver;
    state->padded = EngramGridPaddedSlices(grid);
    PetscCall(
        EngramDensityCreate(grid, EngramSliceSolverRows(simulation->solver), &state->density));
    PetscCall(EngramAlignedCalloc(state->padded, &state->weight_density));
    PetscCall(EngramAlignedCalloc(RESULTS * state->padded, &state->kept));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode QuasiStaticFind(void *context, const double **density)
{
    QuasiStatic *state = context;
    PetscFunctionBeginUser;
    const PetscInt padded = state->padded;
    const EngramSliceResults *results = EngramSliceSolverResults(state->solver);
    double *const arrays[RESULTS] = {results->threshold_rate, results->firing_rate,
                                     results->weight_density, results->minimum};
    for (int i = 0; i < RESULTS; i++) {
        PetscCall(PetscArraycpy(state->kept + i * padded, arrays[i], padded));
    }
    PetscCall(PetscArraycpy(state->weight_density, results->weight_density, padded));
    PetscCall(EngramSliceSolverQuasiStatic(state->solver, state->weight_density, &state->density));
    for (int i = 0; i < RESULTS; i++) {
        PetscCall(PetscArraycpy(arrays[i], state->kept + i * padded, padded));
    }
    *density = state->density.values;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode QuasiStaticDestroy(QuasiStatic *state)
{
    PetscFunctionBeginUser;
    PetscCall(EngramDensityDestroy(&state->density));
    PetscCall(EngramAlignedFree(&state->weight_density));
    PetscCall(EngramAlignedFree(&state->kept));
    PetscFunctionReturn(PETSC_SUCCESS);
}
