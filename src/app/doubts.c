#include "doubts.h"

#include "engram/base/error.h"

/* Beyond it the frozen learning velocity of an implicit transport step was seen to oscillate; by
 * order 1, and by order 2. */
static const double LARGEST_LEARNING_COURANT[2] = {10.0, 2.0};

PetscErrorCode DoubtsWarn(const EngramSimulation *simulation, const EngramOutcome *outcome)
{
    PetscFunctionBeginUser;
    const PetscInt order = simulation->time.transport.order;
    const double largest = LARGEST_LEARNING_COURANT[order > 1];
    if (outcome->ambiguous > 0) {
        PetscCall(EngramWarning("in %" PetscInt64_FMT " of %" PetscInt64_FMT " steps the total "
                                "firing rate was known to have several solutions; see "
                                "coupling_solutions in series.csv",
                                outcome->ambiguous, outcome->steps_done));
    }
    if (outcome->unmet > 0) {
        PetscCall(EngramWarning("%" PetscInt64_FMT " of %" PetscInt64_FMT " adaptive steps were as "
                                "short as they may be (-time_step_min) and still above "
                                "-time_tolerance %g: the grid may be too coarse for what happens "
                                "there",
                                outcome->unmet, outcome->steps_done, simulation->time.tolerance));
    }
    if (outcome->learning_courant > largest) {
        PetscCall(
            EngramWarning("learning crossed up to %.3g cells of w in a step of -transport_time "
                          "implicit, which keeps its velocity meanwhile; beyond about %g "
                          "the rates may oscillate from cell to cell. Shorten -time_step, or "
                          "take -transport_time explicit",
                          outcome->learning_courant, largest));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
