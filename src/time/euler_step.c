#include "euler_step.h"

#include "engram/base/error.h"

PetscErrorCode EulerStepTake(const EulerStep *step, const EngramDensity *from,
                             const EngramDensity *to, double time, ReactionExtent extent,
                             double substeps, ReactionRate *rate)
{
    EngramState *state = step->state;
    TransportRest rest = {from, NULL};
    PetscFunctionBeginUser;
    if (step->transport) {
        PetscCall(TransportStepAdvance(step->transport, time - state->time, substeps, from, to,
                                       state, &rest));
    }
    if (state->is_finite) {
        PetscCall(ReactionStep(step->reaction, time, extent, rest.rows, rest.transport, to, rate));
    }
    state->time = time;
    PetscFunctionReturn(PETSC_SUCCESS);
}
