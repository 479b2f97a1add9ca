#include "transport_step.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/base/log.h"

/* Learning this much faster than the decay of the largest weight has left the axis of the weights
 * behind; dividing the step further and further would look like a hang. */
static const double RUNAWAY_RATIO = 1e5;

/* Nobody waits for more sub-steps in one step. */
static const double MAXIMUM_SUBSTEPS = 1e9;

/* After so many sub-steps their round-off, which may have one sign, is taken out. */
enum { SUBSTEPS_OF_ROUND_OFF = 1024 };

static const double FLOPS_PER_CELL[6] = {0.0, 5.0, 30.0, 0.0, 0.0, 60.0}; /* by order */

/* Of Phi at either end: as many as the widest scheme reads. */
enum { GHOSTS = ENGRAM_TRANSPORT_FIFTH_GHOSTS };

/** Ghost cells that the scheme reads. */
static PetscInt Ghosts(const TransportStep *transport)
{
    return PetscMin(transport->parameters.order, GHOSTS);
}

static PetscErrorCode CreateFifth(const EngramGrid *grid, TransportStep *transport)
{
    PetscFunctionBeginUser;
    const PetscInt cells = grid->w_local;
    const PetscInt faces = ENGRAM_TRANSPORT_FIFTH_FACES(cells);
    EngramTransportFifth *fifth = &transport->fifth;
    for (int k = 0; k < ENGRAM_STREAMS; k++) {
        EngramTransportStream *stream = &fifth->stream[k];
        PetscCall(EngramAlignedCalloc(cells + 2 * GHOSTS, &stream->velocity));
        PetscCall(EngramAlignedCalloc(faces, &stream->from_left));
        PetscCall(EngramAlignedCalloc(faces, &stream->to_right));
        PetscCall(EngramAlignedCalloc(faces, &stream->to_left));
    }
    PetscCall(EngramAlignedCalloc(cells + 2 * GHOSTS, &transport->weight));
    for (PetscInt i = 0; i < cells + 2 * GHOSTS; i++) {
        transport->weight[i] = EngramGridWeight(grid, grid->w_start + i - GHOSTS);
    }
    fifth->quadrature = grid->w_quadrature;
    fifth->is_first = grid->rank == 0;
    fifth->is_last = grid->rank == grid->size - 1;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateExplicit(const EngramGrid *grid, PetscInt rows,
                                     TransportStep *transport)
{
    PetscFunctionBeginUser;
    const PetscInt cells = grid->w_local;
    PetscCall(EngramHaloCreate(grid, rows, Ghosts(transport), &transport->halo));
    if (transport->parameters.order == 5) {
        PetscCall(CreateFifth(grid, transport));
    } else if (transport->parameters.order == 1) {
        PetscCall(EngramAlignedCalloc(cells + 2, &transport->fractions.to_left));
        PetscCall(EngramAlignedCalloc(cells + 2, &transport->fractions.stays));
        PetscCall(EngramAlignedCalloc(cells + 2, &transport->fractions.to_right));
    } else {
        PetscCall(EngramAlignedCalloc(cells + 4, &transport->courant.phi));
        PetscCall(EngramAlignedCalloc(cells + 1, &transport->courant.decay));
        PetscCall(EngramAlignedCalloc(cells + 1, &transport->courant.open));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TransportStepCreate(const EngramGrid *grid, PetscInt rows,
                                   const EngramTransportParameters *parameters, Reaction *reaction,
                                   const EngramLearningRule *rule, TransportStep *transport)
{
    PetscFunctionBeginUser;
    const double last = grid->w_min + (double)grid->w_cells * grid->w_spacing;
    transport->grid = grid;
    transport->reaction = reaction;
    transport->parameters = *parameters;
    transport->rule = rule;
    transport->largest_weight = PetscMax(fabs(grid->w_min), fabs(last));
    PetscCall(EngramAlignedCalloc(grid->w_local + 2 * GHOSTS, &transport->phi));
    if (parameters->time == ENGRAM_TRANSPORT_IMPLICIT) {
        PetscCall(ImplicitTransportCreate(grid, rows, parameters->order, &transport->implicit));
    } else {
        PetscCall(CreateExplicit(grid, rows, transport));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

double TransportStepLimit(const TransportStep *transport, const EngramState *state)
{
    const double phi = state->largest_learning * fabs(state->total_rate);
    if (transport->parameters.time == ENGRAM_TRANSPORT_IMPLICIT) {
        return INFINITY;
    }
    /* A reconstruction may take twice as much out of a cell. */
    const double courant =
        transport->parameters.order == 1 ? 1.0 : 0.5 * ENGRAM_TRANSPORT_LARGEST_COURANT;
    return courant * transport->grid->w_spacing / (2.0 * phi + transport->largest_weight);
}

/** Phi of the cells of this rank, behind the ghosts. */
static void SetPhi(TransportStep *transport, const EngramState *state)
{
    const double *firing_rate = state->results->firing_rate;
    for (PetscInt i = 0; i < transport->grid->w_local; i++) {
        transport->phi[i + GHOSTS] =
            EngramLearningDrive(transport->rule, i, firing_rate[i]) * state->total_rate;
    }
}

/** Rows of an explicit sub-step, between the ghosts given. */
static void Transport(const EngramGrid *grid, const EngramSliceTransport *step, PetscInt rows,
                      const double *left, const double *right, const double *from, double *to)
{
    if (step->order == 1) {
        EngramTransportApply(rows, grid->w_local, grid->w_stride, step->fractions, left, right,
                             from, to);
    } else if (step->order == 2) {
        EngramTransportLimitedApply(rows, grid->w_local, grid->w_stride, step->courant, left, right,
                                    from, to);
    } else {
        EngramTransportFifthApply(rows, grid->w_local, grid->w_stride, step->fifth, left, right,
                                  from, to);
    }
}

/**
 * Exchanges the ghosts of an explicit sub-step and finds its coefficients. The firing rates travel
 * with those who fire, as one more row of the density.
 */
static PetscErrorCode PrepareExplicitly(TransportStep *transport, double dt,
                                        const EngramDensity *from, double *firing_rate)
{
    EngramGhost left;
    EngramGhost right;
    double *phi = transport->phi + GHOSTS;
    PetscFunctionBeginUser;
    const EngramGrid *grid = transport->grid;
    const PetscInt cells = grid->w_local;
    const PetscInt order = transport->parameters.order;
    const PetscInt ghosts = Ghosts(transport);
    const double ratio = dt / grid->w_spacing;
    const EngramHaloSource source = {from->values, phi, firing_rate};
    PetscCall(EngramHaloBegin(transport->halo, &source));
    PetscCall(EngramHaloEnd(transport->halo, &left, &right));
    PetscCall(PetscArraycpy(phi - ghosts, left.velocity, ghosts));
    PetscCall(PetscArraycpy(phi + cells, right.velocity, ghosts));
    if (order == 1) {
        EngramTransportFractionsCompute(cells, ratio, phi - 1, grid->w_left_face,
                                        &transport->fractions);
    } else if (order == 2) {
        EngramTransportCourantCompute(cells, ratio, phi - 2, grid->w_left_face,
                                      &transport->courant);
    } else {
        EngramTransportFifthCompute(cells, ratio, transport->phi, transport->weight,
                                    &transport->fifth);
    }
    transport->explicit_step = (EngramSliceTransport){.order = (int)order,
                                                      .fractions = &transport->fractions,
                                                      .courant = &transport->courant,
                                                      .fifth = &transport->fifth,
                                                      .left_ghost = left.columns,
                                                      .right_ghost = right.columns};
    Transport(grid, &transport->explicit_step, 1, left.firing_rate, right.firing_rate, firing_rate,
              firing_rate);
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ApplyExplicitly(const TransportStep *transport, const EngramDensity *from,
                                      const EngramDensity *to)
{
    const EngramSliceTransport *step = &transport->explicit_step;
    PetscFunctionBeginUser;
    const EngramGrid *grid = transport->grid;
    PetscCall(EngramLogEventBegin(ENGRAM_EVENT_TRANSPORT));
    Transport(grid, step, from->rows, step->left_ghost, step->right_ghost, from->values,
              to->values);
    PetscCall(EngramLogEventEnd(ENGRAM_EVENT_TRANSPORT, FLOPS_PER_CELL[step->order] *
                                                            (double)(from->rows * grid->w_local)));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void Fail(EngramState *state, const char *failure)
{
    state->is_finite = PETSC_FALSE;
    state->failure = failure;
}

/** Whether the step can be taken in so many sub-steps; marks the state if not. */
static PetscBool IsPossible(const TransportStep *transport, double substeps, EngramState *state)
{
    const double phi = state->largest_learning * fabs(state->total_rate);
    if (!(phi <= RUNAWAY_RATIO * transport->largest_weight)) {
        Fail(state, "the learning velocity K N Nbar runs away");
        return PETSC_FALSE;
    }
    if (!(substeps <= MAXIMUM_SUBSTEPS)) {
        Fail(state, "the step would be divided into more than 1e9 transport sub-steps: shorten "
                    "-time_step, or take -transport_time implicit");
        return PETSC_FALSE;
    }
    return PETSC_TRUE;
}

static PetscErrorCode SubCycle(TransportStep *transport, double dt, double fewest,
                               const EngramDensity *to, EngramState *state, TransportRest *rest)
{
    /* The weights of the limit model are transported by themselves; and what several solves of an
     * implicit coupling read is better made once. That of fifth order is a pass of its own. */
    const Reaction *reaction = transport->reaction;
    const PetscBool may_leave =
        (PetscBool)(reaction->model->phase.epsilon > 0.0 && transport->parameters.order < 5 &&
                    reaction->coupled.coupling->time == ENGRAM_COUPLING_LAGGED);
    double remaining = dt;
    double planned = fewest;
    PetscFunctionBeginUser;
    while (remaining > 0.0 && state->is_finite) {
        const double needed = ceil(remaining / TransportStepLimit(transport, state));
        const double substeps = PetscMax(needed, planned);
        if (!IsPossible(transport, substeps, state)) {
            break;
        }
        const PetscBool is_last = (PetscBool)(substeps <= 1.0);
        const double step = is_last ? remaining : remaining / substeps;
        SetPhi(transport, state);
        PetscCall(PrepareExplicitly(transport, step, rest->rows, state->results->firing_rate));
        state->substeps++;
        remaining = is_last ? 0.0 : remaining - step;
        planned = substeps - 1.0;
        if (is_last && may_leave) {
            rest->transport = &transport->explicit_step;
            break;
        }
        PetscCall(ApplyExplicitly(transport, rest->rows, to));
        rest->rows = to;
        if (state->substeps % SUBSTEPS_OF_ROUND_OFF == 0) {
            PetscCall(ReactionRestoreMass(transport->reaction, to));
        }
        if (!is_last) {
            PetscCall(ReactionRenewRates(transport->reaction, to));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TransportStepAdvance(TransportStep *transport, double dt, double substeps,
                                    const EngramDensity *from, const EngramDensity *to,
                                    EngramState *state, TransportRest *rest)
{
    PetscFunctionBeginUser;
    *rest = (TransportRest){from, NULL};
    if (transport->parameters.time == ENGRAM_TRANSPORT_EXPLICIT) {
        PetscCall(SubCycle(transport, dt, substeps, to, state, rest));
    } else if (IsPossible(transport, 1.0, state)) {
        const double phi = state->largest_learning * fabs(state->total_rate);
        state->learning_courant =
            PetscMax(state->learning_courant, 2.0 * phi * dt / transport->grid->w_spacing);
        SetPhi(transport, state);
        PetscCall(ImplicitTransportApply(&transport->implicit, dt, transport->phi + GHOSTS, from,
                                         to, state->results->firing_rate));
        rest->rows = to;
        state->substeps++;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

double TransportStepMemory(const TransportStep *transport)
{
    return ImplicitTransportMemory(&transport->implicit);
}

PetscErrorCode TransportStepDestroy(TransportStep *transport)
{
    PetscFunctionBeginUser;
    PetscCall(EngramHaloDestroy(&transport->halo));
    PetscCall(ImplicitTransportDestroy(&transport->implicit));
    PetscCall(EngramAlignedFree(&transport->phi));
    PetscCall(EngramAlignedFree(&transport->fractions.to_left));
    PetscCall(EngramAlignedFree(&transport->fractions.stays));
    PetscCall(EngramAlignedFree(&transport->fractions.to_right));
    PetscCall(EngramAlignedFree(&transport->courant.phi));
    PetscCall(EngramAlignedFree(&transport->courant.decay));
    PetscCall(EngramAlignedFree(&transport->courant.open));
    PetscCall(EngramAlignedFree(&transport->weight));
    for (int k = 0; k < ENGRAM_STREAMS; k++) {
        PetscCall(EngramAlignedFree(&transport->fifth.stream[k].velocity));
        PetscCall(EngramAlignedFree(&transport->fifth.stream[k].from_left));
        PetscCall(EngramAlignedFree(&transport->fifth.stream[k].to_right));
        PetscCall(EngramAlignedFree(&transport->fifth.stream[k].to_left));
    }
    *transport = (TransportStep){.grid = NULL};
    PetscFunctionReturn(PETSC_SUCCESS);
}
