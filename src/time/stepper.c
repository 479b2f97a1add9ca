#include "engram/time/stepper.h"

#include <math.h>

#include "adaptive_step.h"
#include "engram/base/error.h"
#include "graded_step.h"
#include "steady_search.h"
#include "stepper_private.h"

/* Steps shorter than this part of the run never come to its end. */
static const double SHORTEST_PART = 1e-10;

/** Rejects what a lagged coupling cannot do. */
static PetscErrorCode RefuseLagged(PetscBool is_limit, const EngramTimeParameters *time)
{
    PetscFunctionBeginUser;
    if (time->is_adaptive) {
        PetscCall(EngramInputError("-coupling lagged: adaptive steps cannot keep their tolerance "
                                   "with it; leave it out, or give -time_step for fixed steps"));
    }
    if (time->scheme == ENGRAM_TIME_THIRD_ORDER) {
        PetscCall(EngramInputError("-coupling lagged: its error is of second order at best; leave "
                                   "it out, or take -time_scheme euler or second-order"));
    }
    if (is_limit && time->scheme != ENGRAM_TIME_EULER) {
        PetscCall(EngramInputError("-time_scheme %s: with -model_epsilon 0 the lagged "
                                   "coupling is one turn of a fixed-point iteration a step, whose "
                                   "error no extrapolation removes; add -coupling implicit",
                                   EngramTimeSchemeName(time->scheme)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Rejects a delay that makes adaptive steps too short to come to the end. */
static PetscErrorCode RefuseShortDelay(const EngramModel *model, const EngramTimeParameters *time)
{
    const double longest = AdaptiveStepLongest(time, model->phase.epsilon * model->delay);
    PetscFunctionBeginUser;
    if (longest < SHORTEST_PART * time->end) {
        PetscCall(EngramInputError("-model_delay %g: adaptive steps are at most a quarter of "
                                   "eps d, here %.3g for a run to t = %g; leave the delay out, or "
                                   "take fixed steps (-time_step)",
                                   model->delay, longest, time->end));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A rank needs the cells that its neighbours read. */
static PetscErrorCode RefuseNarrowRanks(const EngramGrid *grid, PetscInt order)
{
    PetscFunctionBeginUser;
    const PetscInt needed = order == 5 ? ENGRAM_TRANSPORT_FIFTH_LOCAL_CELLS : order;
    if (grid->size > 1 && grid->w_cells / grid->size < needed) {
        PetscCall(EngramInputError("-transport_order %" PetscInt_FMT ": needs %" PetscInt_FMT
                                   " cells of w on every rank; start at most %" PetscInt_FMT
                                   " ranks, or take %s",
                                   order, needed, PetscMax(grid->w_cells / needed, 1),
                                   order == 5 ? "-transport_order 2" : "-transport_time implicit"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Rejects options that contradict each other. */
static PetscErrorCode RefuseContradictions(const EngramGrid *grid, const EngramModel *model,
                                           EngramSliceSolver solver,
                                           const EngramTimeParameters *time,
                                           const EngramCouplingParameters *coupling)
{
    PetscFunctionBeginUser;
    const PetscBool is_limit = (PetscBool)(model->phase.epsilon == 0.0);
    if (is_limit && !EngramSliceSolverIsDirect(solver)) {
        PetscCall(EngramInputError("-slice_...: -model_epsilon 0 has no linear systems to solve, "
                                   "only quasi-static states; leave the options of the slice "
                                   "solver out"));
    }
    if (coupling->time == ENGRAM_COUPLING_LAGGED) {
        PetscCall(RefuseLagged(is_limit, time));
    }
    if (time->is_adaptive && model->phase.epsilon * model->delay > 0.0) {
        PetscCall(RefuseShortDelay(model, time));
    }
    if (model->phase.plasticity && time->transport.time == ENGRAM_TRANSPORT_EXPLICIT) {
        PetscCall(RefuseNarrowRanks(grid, time->transport.order));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateReaction(EngramStepper stepper)
{
    Reaction *reaction = &stepper->reaction;
    PetscFunctionBeginUser;
    reaction->grid = stepper->grid;
    reaction->model = stepper->model;
    reaction->solver = stepper->solver;
    reaction->reduction = stepper->reduction;
    reaction->rule = &stepper->rule;
    reaction->state = &stepper->state;
    reaction->density = &stepper->density;
    reaction->drive = (Drive){.grid = stepper->grid,
                              .model = stepper->model,
                              .solver = stepper->solver,
                              .jumps = &stepper->jumps};
    reaction->coupled = (CoupledRate){.drive = &reaction->drive,
                                      .reduction = stepper->reduction,
                                      .rule = &stepper->rule,
                                      .coupling = &stepper->coupling,
                                      .state = &stepper->state};
    PetscCall(ReactionCreate(reaction));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether weights can move: those of a single cell cannot. */
static PetscBool MovesWeights(EngramStepper stepper)
{
    return (PetscBool)(stepper->model->phase.plasticity && stepper->grid->w_cells > 1);
}

/** What depends on the phase of the model: the transport, and the rows of combined steps. */
static PetscErrorCode CreateParts(EngramStepper stepper)
{
    EulerStep euler = {&stepper->reaction, NULL, &stepper->state};
    PetscFunctionBeginUser;
    EngramSliceSolverSetFrozen(stepper->solver, (PetscBool)!MovesWeights(stepper));
    if (MovesWeights(stepper)) {
        PetscCall(TransportStepCreate(stepper->grid, stepper->rows->rows, &stepper->time.transport,
                                      &stepper->reaction, &stepper->rule, &stepper->transport));
        euler.transport = &stepper->transport;
    }
    PetscCall(CombinedStepCreate(&euler, stepper->time.scheme, stepper->time.is_adaptive,
                                 stepper->rows, &stepper->step));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateSegment(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    stepper->is_plain =
        (PetscBool)(!stepper->time.is_adaptive && stepper->time.start == ENGRAM_START_PLAIN);
    stepper->watch = (InputWatch){
        .model = stepper->model, .jumps = &stepper->jumps, .tolerance = stepper->time.tolerance};
    stepper->segment = (Segment){.step = &stepper->step,
                                 .jumps = &stepper->jumps,
                                 .watch = &stepper->watch,
                                 .time = &stepper->time,
                                 .state = &stepper->state};
    PetscCall(InputWatchCreate(stepper->grid, &stepper->watch));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperCreate(const EngramGrid *grid, const EngramModel *model,
                                   EngramSliceSolver solver, const EngramTimeParameters *time,
                                   const EngramCouplingParameters *coupling, EngramStepper *stepper)
{
    EngramStepper made = NULL;
    PetscFunctionBeginUser;
    PetscCall(RefuseContradictions(grid, model, solver, time, coupling));
    PetscCall(PetscNew(&made));
    *stepper = made;
    made->grid = grid;
    made->model = model;
    made->solver = solver;
    made->time = *time;
    made->coupling = *coupling;
    PetscCall(EngramDensityCreate(grid, EngramSliceSolverRows(solver), &made->density));
    PetscCall(EngramDensityCreate(grid, 1, &made->weights));
    made->rows = model->phase.epsilon > 0.0 ? &made->density : &made->weights;
    PetscCall(EngramReductionCreate(grid->comm, &made->reduction));
    PetscCall(EngramAlignedCalloc(grid->w_local, &made->rule.strength));
    PetscCall(EngramModelLearning(model, grid, &made->rule));
    made->state.density = &made->density;
    made->state.results = EngramSliceSolverResults(solver);
    PetscCall(CreateReaction(made));
    PetscCall(CreateParts(made));
    PetscCall(CreateSegment(made));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperCheckModel(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    PetscCall(RefuseContradictions(stepper->grid, stepper->model, stepper->solver, &stepper->time,
                                   &stepper->coupling));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperFollowModel(EngramStepper stepper, double end)
{
    PetscFunctionBeginUser;
    stepper->time.end = end;
    PetscCall(TransportStepDestroy(&stepper->transport));
    PetscCall(CombinedStepDestroy(&stepper->step));
    stepper->was_limit = (PetscBool)(stepper->rows == &stepper->weights);
    stepper->rows = stepper->model->phase.epsilon > 0.0 ? &stepper->density : &stepper->weights;
    ReactionFollowModel(&stepper->reaction);
    PetscCall(CreateParts(stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperAdvance(EngramStepper stepper, double time)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    const double started = state->time;
    state->parts = 0;
    state->solves = 0;
    state->substeps = 0;
    state->learning_courant = 0.0;
    state->rejected = 0;
    state->coupling_iterations = 0;
    state->coupling_solutions = 1;
    state->steps++;
    if (stepper->time.is_adaptive) {
        PetscCall(AdaptiveStepTake(&stepper->segment, time));
    } else if (stepper->is_plain) {
        PetscCall(CombinedStepTake(&stepper->step, time, DRIVE_AT_END, NULL));
    } else {
        PetscCall(GradedStepTake(&stepper->segment, time));
    }
    state->notices = EngramReductionNotices(stepper->reduction);
    if (stepper->time.is_adaptive || stepper->is_plain) {
        PetscCall(SegmentConclude(&stepper->segment));
    }
    state->step_length = state->time - started;
    PetscFunctionReturn(PETSC_SUCCESS);
}

const EngramState *EngramStepperState(EngramStepper stepper)
{
    return &stepper->state;
}

PetscErrorCode EngramStepperFindSteady(EngramStepper stepper, PetscBool is_thorough,
                                       EngramSteadyStates *states)
{
    PetscFunctionBeginUser;
    PetscCall(SteadySearch(&stepper->reaction, &stepper->weights, is_thorough, states));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperTakeSteady(EngramStepper stepper, double rate)
{
    PetscFunctionBeginUser;
    PetscCall(ReactionTakeQuasiStatic(&stepper->reaction, &stepper->weights, rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperChangeInputFactor(EngramStepper stepper, double factor)
{
    PetscFunctionBeginUser;
    const double now = stepper->state.time;
    DriveChangeFactor(&stepper->reaction.drive, now, factor);
    if (!stepper->is_plain) {
        PetscCall(JumpsAddWithEchoes(&stepper->jumps, JumpOfTime(now, PETSC_TRUE),
                                     stepper->reaction.delay));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

EngramInputFactor EngramStepperInputFactor(EngramStepper stepper)
{
    return stepper->reaction.drive.factor;
}

void EngramStepperSetInputFactor(EngramStepper stepper, EngramInputFactor factor)
{
    stepper->reaction.drive.factor = factor;
}

void EngramStepperLearningVelocity(EngramStepper stepper, double *velocity)
{
    const EngramState *state = &stepper->state;
    const double rate = stepper->model->phase.plasticity ? state->total_rate : 0.0;
    for (PetscInt i = 0; i < stepper->grid->w_local; i++) {
        const double firing_rate = state->results->firing_rate[i];
        velocity[i] = EngramLearningDrive(&stepper->rule, i, firing_rate) * rate;
    }
}

double EngramStepperFirstStep(EngramStepper stepper)
{
    return stepper->time.is_adaptive ? AdaptiveStepFirst(&stepper->segment) : 0.0;
}

double EngramStepperFewestSteps(EngramStepper stepper)
{
    const double length = stepper->time.end - stepper->state.time;
    const double growth = AdaptiveStepsToGrow(&stepper->segment, length);
    double steps = 0.0;
    for (PetscInt i = 0; i < stepper->jumps.count; i++) {
        const Jump *jump = &stepper->jumps.list[i];
        if (jump->time >= stepper->state.time && jump->time < stepper->time.end) {
            steps += jump->restarts > 0.0 ? growth : 1.0;
        }
    }
    const double longest = AdaptiveStepLongest(&stepper->time, stepper->reaction.delay);
    return ceil(PetscMax(PetscMax(steps, length / longest), 1.0));
}

double EngramStepperTransportLimit(EngramStepper stepper)
{
    return MovesWeights(stepper) ? TransportStepLimit(&stepper->transport, &stepper->state)
                                 : INFINITY;
}

double EngramStepperMemory(EngramStepper stepper)
{
    const double row = (double)stepper->grid->w_stride * sizeof(double);
    const double rows = (double)stepper->rows->rows;
    const double copies = CombinedStepDensities(stepper->time.scheme, stepper->time.is_adaptive);
    return row * ((double)stepper->density.rows + 1.0 + copies * rows) +
           TransportStepMemory(&stepper->transport);
}

PetscErrorCode EngramStepperDestroy(EngramStepper *stepper)
{
    PetscFunctionBeginUser;
    if (!*stepper) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramDensityDestroy(&(*stepper)->density));
    PetscCall(EngramDensityDestroy(&(*stepper)->weights));
    PetscCall(EngramReductionDestroy(&(*stepper)->reduction));
    PetscCall(TransportStepDestroy(&(*stepper)->transport));
    PetscCall(ReactionDestroy(&(*stepper)->reaction));
    PetscCall(CombinedStepDestroy(&(*stepper)->step));
    PetscCall(InputWatchDestroy(&(*stepper)->watch));
    PetscCall(JumpsDestroy(&(*stepper)->jumps));
    PetscCall(PetscFree((*stepper)->saved_history));
    PetscCall(EngramAlignedFree(&(*stepper)->rule.strength));
    PetscCall(PetscFree(*stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}
