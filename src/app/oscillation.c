#include "oscillation.h"

#include <math.h>

#include "engram/base/error.h"

/* Turns after which an oscillation does not end any more, if each is at least so large a part of
 * the one before. */
enum { ENDLESS_TURNS = 20 };
static const double LEAST_RATIO = 0.95;

/* A change is none if it is a smaller part of the rate. */
static const double LEAST_CHANGE = 1e-3;

PetscErrorCode OscillationLook(const EngramSimulation *simulation, Oscillation *oscillation)
{
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    if (simulation->coupling.time != ENGRAM_COUPLING_LAGGED || oscillation->has_warned) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double change = state->total_rate - oscillation->rate;
    const double largest = PetscMax(state->total_rate, oscillation->rate);
    const PetscBool turns = (PetscBool)(change * oscillation->change < 0.0 &&
                                        fabs(change) > LEAST_RATIO * fabs(oscillation->change) &&
                                        fabs(change) > LEAST_CHANGE * largest);
    oscillation->turns = turns ? oscillation->turns + 1 : 0;
    oscillation->change = change;
    if (oscillation->turns >= ENDLESS_TURNS) {
        oscillation->has_warned = PETSC_TRUE;
        PetscCall(EngramWarning("-coupling lagged: Nbar jumps from %.6g to %.6g and back from step "
                                "to step at t = %g, which the network does not do: each step sees "
                                "the rate of the one before. Take -coupling implicit, or shorter "
                                "steps",
                                oscillation->rate, state->total_rate, state->time));
    }
    oscillation->rate = state->total_rate;
    PetscFunctionReturn(PETSC_SUCCESS);
}
