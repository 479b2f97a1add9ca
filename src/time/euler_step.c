#include "euler_step.h"

#include "engram/base/error.h"

PetscErrorCode EulerStepTake(const EulerStep *step, const EngramDensity *from,
                             const EngramDensity *to, double time, ReactionExtent extent,
                             double substeps, ReactionRate *rate)
{
    EngramState *state = step->state;
    const EngramDensity *rows = from;
    PetscFunctionBeginUser;
    if (step->transport) {
        PetscCall(
            TransportStepAdvance(step->transport, time - state->time, substeps, from, to, state));
        rows = to;
    }
    if (state->is_finite) {
        PetscCall(ReactionStep(step->reaction, time, extent, rows, to, rate));
    }
    state->time = time;
    PetscFunctionReturn(PETSC_SUCCESS);
}
