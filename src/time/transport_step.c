#include "transport_step.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "rates.h"

/* Learning this much faster than the decay of the largest weight has left the axis of the weights
 * behind; dividing the step further and further would look like a hang. */
static const double RUNAWAY_RATIO = 1e5;

/* Nobody waits for more sub-steps in one step. */
static const double MAXIMUM_SUBSTEPS = 1e9;

static const double FLOPS_PER_CELL = 5.0;

PetscErrorCode TransportStepCreate(const EngramGrid *grid, EngramSliceSolver solver,
                                   EngramReduction reduction, const double *learning,
                                   TransportStep *transport)
{
    PetscFunctionBeginUser;
    const PetscInt length = grid->w_local + 2;
    const double first = grid->w[1] - (double)grid->w_start * grid->w_spacing;
    const double last = first + (double)(grid->w_cells - 1) * grid->w_spacing;
    transport->grid = grid;
    transport->solver = solver;
    transport->reduction = reduction;
    transport->learning = learning;
    transport->largest_weight = PetscMax(fabs(first), fabs(last)) + 0.5 * grid->w_spacing;
    PetscCall(EngramHaloCreate(grid, &transport->halo));
    PetscCall(EngramAlignedCalloc(length, &transport->phi));
    PetscCall(EngramAlignedCalloc(length, &transport->fractions.to_left));
    PetscCall(EngramAlignedCalloc(length, &transport->fractions.stays));
    PetscCall(EngramAlignedCalloc(length, &transport->fractions.to_right));
    PetscFunctionReturn(PETSC_SUCCESS);
}

double TransportStepLimit(const TransportStep *transport, const EngramState *state)
{
    const double phi = state->largest_learning * fabs(state->total_rate);
    return transport->grid->w_spacing / (2.0 * phi + transport->largest_weight);
}

static PetscErrorCode TransportOnce(TransportStep *transport, double dt, const EngramState *state)
{
    EngramGhost left;
    EngramGhost right;
    PetscFunctionBeginUser;
    const EngramGrid *grid = transport->grid;
    const PetscInt cells = grid->w_local;
    const double *firing_rate = state->results->firing_rate;
    const double *learning = transport->learning;
    PetscCall(EngramHaloBegin(transport->halo, state->density->values, firing_rate));
    for (PetscInt i = 0; i < cells; i++) {
        transport->phi[i + 1] = learning[i + 1] * firing_rate[i] * state->total_rate;
    }
    PetscCall(EngramHaloEnd(transport->halo, &left, &right));
    transport->phi[0] = learning[0] * left.firing_rate * state->total_rate;
    transport->phi[cells + 1] = learning[cells + 1] * right.firing_rate * state->total_rate;

    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_TRANSPORT));
    EngramTransportFractionsCompute(cells, dt / grid->w_spacing, transport->phi, grid->w_left_face,
                                    &transport->fractions);
    EngramTransportApply(grid->v_nodes, cells, grid->w_stride, &transport->fractions, left.density,
                         right.density, state->density->values);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_TRANSPORT,
                                FLOPS_PER_CELL * (double)(grid->v_nodes * cells)));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TransportStepAdvance(TransportStep *transport, double dt, EngramState *state)
{
    double remaining = dt;
    PetscFunctionBeginUser;
    state->substeps = 0;
    while (remaining > 0.0 && state->is_finite) {
        const double phi = state->largest_learning * fabs(state->total_rate);
        const double substeps = ceil(remaining / TransportStepLimit(transport, state));
        if (!(phi <= RUNAWAY_RATIO * transport->largest_weight)) {
            state->is_finite = PETSC_FALSE;
            state->failure = "the learning velocity K N Nbar runs away";
            PetscFunctionReturn(PETSC_SUCCESS);
        }
        if (!(substeps <= MAXIMUM_SUBSTEPS)) {
            state->is_finite = PETSC_FALSE;
            state->failure = "the step would be divided into more than 1e9 transport sub-steps: "
                             "shorten -time_step";
            PetscFunctionReturn(PETSC_SUCCESS);
        }
        const PetscBool is_last = (PetscBool)(substeps <= 1.0);
        const double step = is_last ? remaining : remaining / substeps;
        PetscCall(TransportOnce(transport, step, state));
        state->substeps++;
        remaining = is_last ? 0.0 : remaining - step;
        if (!is_last) {
            PetscCall(EngramSliceSolverMeasureRates(transport->solver, state->density));
            PetscCall(RatesReduce(transport->grid, transport->reduction, transport->learning,
                                  PETSC_FALSE, state));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TransportStepDestroy(TransportStep *transport)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHaloDestroy(&transport->halo));
    PetscCall(EngramAlignedFree(&transport->phi));
    PetscCall(EngramAlignedFree(&transport->fractions.to_left));
    PetscCall(EngramAlignedFree(&transport->fractions.stays));
    PetscCall(EngramAlignedFree(&transport->fractions.to_right));
    PetscFunctionReturn(PETSC_SUCCESS);
}
