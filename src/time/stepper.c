#include "engram/time/stepper.h"

#include <math.h>

#include "engram/base/error.h"
#include "rates.h"
#include "stepper_private.h"

/** Settings of which one takes away the sense of the other. */
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
    if (is_limit && time->scheme == ENGRAM_TIME_EXTRAPOLATED &&
        coupling->time == ENGRAM_COUPLING_LAGGED) {
        PetscCall(EngramInputError("-time_scheme extrapolated: with -model_epsilon 0 the lagged "
                                   "coupling is one turn of a fixed-point iteration a step, whose "
                                   "error no extrapolation removes; add -coupling implicit"));
    }
    const PetscInt fewest = grid->w_cells / grid->size;
    if (model->phase.plasticity && time->transport.order == 2 &&
        time->transport.time == ENGRAM_TRANSPORT_EXPLICIT && grid->size > 1 && fewest < 2) {
        PetscCall(EngramInputError("-transport_order 2: needs two cells of w on every rank; start "
                                   "at most %" PetscInt_FMT " ranks, or take -transport_time "
                                   "implicit",
                                   grid->w_cells / 2));
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
    reaction->coupling = &stepper->coupling;
    reaction->rule = &stepper->rule;
    reaction->state = &stepper->state;
    reaction->density = &stepper->density;
    PetscCall(ReactionCreate(reaction));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What depends on the phase of the model: the transport, and the rows of paired steps. */
static PetscErrorCode CreateParts(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    if (stepper->model->phase.plasticity) {
        PetscCall(TransportStepCreate(stepper->grid, stepper->rows->rows, &stepper->time.transport,
                                      &stepper->reaction, &stepper->rule, &stepper->transport));
    }
    if (stepper->is_paired) {
        PetscCall(PairedStepCreate(stepper));
    }
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
    made->is_paired = (PetscBool)(time->scheme == ENGRAM_TIME_EXTRAPOLATED || time->is_adaptive);
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
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperCheckModel(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    PetscCall(RefuseContradictions(stepper->grid, stepper->model, stepper->solver, &stepper->time,
                                   &stepper->coupling));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperFollowModel(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    PetscCall(TransportStepDestroy(&stepper->transport));
    PetscCall(PairedStepDestroy(stepper));
    stepper->was_limit = (PetscBool)(stepper->rows == &stepper->weights);
    stepper->rows = stepper->model->phase.epsilon > 0.0 ? &stepper->density : &stepper->weights;
    ReactionFollowModel(&stepper->reaction);
    PetscCall(CreateParts(stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Scales the density to unit mass, with a factor that is the same on any rank count. */
static PetscErrorCode Normalise(EngramStepper stepper)
{
    const double *const summed[1] = {stepper->state.results->weight_density};
    double mass = 0.0;
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    PetscCall(RatesIntegrate(grid, stepper->reduction, 1, summed, &mass));
    if (!(mass > 0.0 && isfinite(1.0 / mass))) {
        PetscCall(EngramInputError("-initial_density \"%s\": its integral over the grid is %g; it "
                                   "must be positive",
                                   EngramExpressionText(stepper->model->initial), mass));
    }
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        double *row = stepper->density.values + k * grid->w_stride;
        for (PetscInt i = 0; i < grid->w_local; i++) {
            row[i] /= mass;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RefuseNoSteady(EngramStepper stepper)
{
    PetscFunctionBeginUser;
    const char *failure = stepper->reaction.trial_failure;
    PetscCall(
        EngramInputError("-initial_density \"%s\": its weights have no quasi-static state: no "
                         "total firing rate up to -blowup_rate %g is that of the network "
                         "which sees it (%s)",
                         EngramExpressionText(stepper->model->initial), stepper->time.blowup_rate,
                         failure ? failure : "the rates run away"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WarnOfSeveral(EngramStepper stepper, const EngramCouplingRoot *roots,
                                    PetscInt count, double taken)
{
    char list[512] = "";
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < count; i++) {
        char text[32];
        PetscCall(PetscSNPrintf(text, sizeof(text), "%s%.6g", i ? ", " : "", roots[i].rate));
        PetscCall(PetscStrlcat(list, text, sizeof(list)));
    }
    PetscCall(EngramWarning("the initial weights have %" PetscInt_FMT " quasi-static states, with "
                            "total rates %s; the run starts from %.6g, the nearest to "
                            "-initial_rate %g",
                            count, list, taken, stepper->model->initial_rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Starts all slices in their quasi-static states. */
static PetscErrorCode StartQuasiStatic(EngramStepper stepper)
{
    EngramCouplingRoot roots[ENGRAM_COUPLING_ROOTS];
    PetscInt count = 0;
    PetscInt taken = 0;
    PetscFunctionBeginUser;
    const double wanted = stepper->model->initial_rate;
    PetscCall(ReactionScan(&stepper->reaction, &stepper->weights, roots, &count));
    if (count == 0) {
        PetscCall(RefuseNoSteady(stepper));
    }
    for (PetscInt i = 1; i < count; i++) {
        if (fabs(roots[i].rate - wanted) < fabs(roots[taken].rate - wanted)) {
            taken = i;
        }
    }
    if (count > 1) {
        PetscCall(WarnOfSeveral(stepper, roots, count, roots[taken].rate));
    }
    stepper->state.coupling_solutions = count;
    stepper->state.coupling_slope = roots[taken].slope;
    PetscCall(EngramStepperTakeSteady(stepper, roots[taken].rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperStart(EngramStepper stepper)
{
    EngramState *state = &stepper->state;
    PetscFunctionBeginUser;
    const EngramGrid *grid = stepper->grid;
    *state = (EngramState){.next_step = stepper->time.step,
                           .coupling_solutions = 1,
                           .is_finite = PETSC_TRUE,
                           .density = state->density,
                           .results = state->results};
    PetscCall(EngramModelInitialDensity(stepper->model, grid, stepper->density.values));
    PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    PetscCall(Normalise(stepper));
    PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    PetscCall(
        PetscArraycpy(stepper->weights.values, state->results->weight_density, grid->w_local));
    if (stepper->model->quasi_static_start) {
        PetscCall(StartQuasiStatic(stepper));
    } else {
        PetscCall(ReactionStart(&stepper->reaction, &stepper->density));
        PetscCall(EngramSliceSolverMeasure(stepper->solver, &stepper->density));
    }
    PetscCall(RateHistoryPush(&stepper->reaction.history, 0.0, state->total_rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StepperSubStep(EngramStepper stepper, const EngramDensity *from,
                              const EngramDensity *to, double time, ReactionExtent extent,
                              double substeps)
{
    EngramState *state = &stepper->state;
    const EngramDensity *rows = from;
    PetscFunctionBeginUser;
    if (stepper->model->phase.plasticity) {
        PetscCall(TransportStepAdvance(&stepper->transport, time - state->time, substeps, from, to,
                                       state));
        rows = to;
    }
    if (state->is_finite) {
        PetscCall(ReactionStep(&stepper->reaction, time, extent, rows, to));
    }
    state->time = time;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperAdvance(EngramStepper stepper, double time)
{
    EngramState *state = &stepper->state;
    RateHistory *history = &stepper->reaction.history;
    PetscFunctionBeginUser;
    const double started = state->time;
    const double rate = state->total_rate;
    state->substeps = 0;
    state->learning_courant = 0.0;
    state->rejected = 0;
    state->coupling_iterations = 0;
    state->coupling_solutions = 1;
    state->steps++;
    if (stepper->time.is_adaptive) {
        PetscCall(StepAdaptively(stepper, time));
    } else if (stepper->is_paired) {
        PetscCall(PairedStepTake(stepper, time, NULL));
    } else {
        PetscCall(
            StepperSubStep(stepper, stepper->rows, stepper->rows, time, REACTION_WITH_RATE, 1.0));
    }
    state->notices = EngramReductionNotices(stepper->reduction);
    state->step_length = state->time - started;
    state->rate_trend = state->time > started && state->is_finite
                            ? (state->total_rate - rate) / state->step_length
                            : 0.0;
    if (stepper->reaction.delay > 0.0 && state->time > started) {
        RateHistoryTruncate(history, started);
        PetscCall(RateHistoryPush(history, state->time, state->total_rate));
        RateHistoryForget(history, state->time - stepper->model->longest_delay);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

const EngramState *EngramStepperState(EngramStepper stepper)
{
    return &stepper->state;
}

PetscErrorCode EngramStepperFindSteady(EngramStepper stepper, EngramCouplingRoot *roots,
                                       PetscInt *count)
{
    PetscFunctionBeginUser;
    PetscCall(ReactionScan(&stepper->reaction, &stepper->weights, roots, count));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramStepperTakeSteady(EngramStepper stepper, double rate)
{
    PetscFunctionBeginUser;
    PetscCall(ReactionTakeQuasiStatic(&stepper->reaction, &stepper->weights, rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramStepperChangeInputFactor(EngramStepper stepper, double factor)
{
    ReactionChangeFactor(&stepper->reaction, factor);
}

EngramInputFactor EngramStepperInputFactor(EngramStepper stepper)
{
    return stepper->reaction.factor;
}

void EngramStepperSetInputFactor(EngramStepper stepper, EngramInputFactor factor)
{
    stepper->reaction.factor = factor;
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

double EngramStepperTransportLimit(EngramStepper stepper)
{
    return stepper->model->phase.plasticity
               ? TransportStepLimit(&stepper->transport, &stepper->state)
               : INFINITY;
}

double EngramStepperMemory(EngramStepper stepper)
{
    const double row = (double)stepper->grid->w_stride * sizeof(double);
    const double rows = (double)stepper->rows->rows;
    const double copies = stepper->time.is_adaptive ? 2.0 : (stepper->is_paired ? 1.0 : 0.0);
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
    PetscCall(PairedStepDestroy(*stepper));
    PetscCall(PetscFree((*stepper)->saved_history));
    PetscCall(EngramAlignedFree(&(*stepper)->rule.strength));
    PetscCall(PetscFree(*stepper));
    PetscFunctionReturn(PETSC_SUCCESS);
}
