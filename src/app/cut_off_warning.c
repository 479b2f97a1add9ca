#include "cut_off_warning.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "engram/base/error.h"
#include "wider_axis.h"

/* The total rate is then off by about as much at v_min, and by a fifth of it at the ends of w:
 * docs/numerics.md, section 1. */
static const double LARGEST_SHARE = 1e-3;

/* Told again from here on. */
static const double WORSE = 2.0;

void CutOffStart(CutOff *cut_off)
{
    *cut_off = (CutOff){.largest = {.drift = DBL_MAX}};
    for (int i = 0; i < ENGRAM_CUT_OFF_COUNT; i++) {
        cut_off->initial_w[i] = NAN;
    }
}

void CutOffDescribe(const EngramSimulation *simulation, EngramSnapshot *snapshot)
{
    const EngramModel *model = simulation->model;
    const double h = simulation->grid->v_spacing;
    const double node = EngramGridPotential(simulation->grid, 0);
    const double points[2] = {node - 0.25 * h, node + 0.25 * h};
    const double difference = EngramExpressionValue(model->drift, &points[1]) -
                              EngramExpressionValue(model->drift, &points[0]);
    snapshot->lowest_drift = EngramExpressionValue(model->drift, &node);
    snapshot->lowest_drift_slope = difference / (0.5 * h);
}

/** Adds what the expression of the initial density has beyond the ends of w. */
static PetscErrorCode LookBeyond(const EngramSimulation *simulation, CutOff *cut_off)
{
    PetscFunctionBeginUser;
    const double *density = EngramStepperState(simulation->stepper)->results->weight_density;
    for (int end = ENGRAM_CUT_OFF_W_MIN; end <= ENGRAM_CUT_OFF_W_MAX; end++) {
        double *share = &cut_off->largest.share[end];
        double beyond = 0.0;
        PetscCall(WiderAxisOfInitial(simulation, end, density, &beyond, &cut_off->initial_w[end]));
        *share = PetscMax(*share, beyond);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CutOffLook(const EngramSimulation *simulation, CutOff *cut_off)
{
    EngramSnapshot snapshot = {.grid = simulation->grid};
    EngramDiagnostics diagnostics;
    double *velocity = NULL;
    PetscFunctionBeginUser;
    const EngramState *state = EngramStepperState(simulation->stepper);
    PetscCall(PetscMalloc1(simulation->grid->w_local, &velocity));
    PetscCall(EngramReductionCreate(simulation->grid->comm, &snapshot.reduction));
    EngramStepperLearningVelocity(simulation->stepper, velocity);
    CutOffDescribe(simulation, &snapshot);
    snapshot.weights_move = simulation->model->phase.plasticity;
    snapshot.noise = EngramSliceSolverNoise(simulation->solver);
    snapshot.density = state->density->values;
    snapshot.weight_density = state->results->weight_density;
    snapshot.minimum = state->results->minimum;
    snapshot.learning_velocity = velocity;
    snapshot.drift = EngramSliceSolverDrift(simulation->solver);
    PetscCall(EngramSnapshotDiagnostics(&snapshot, &diagnostics));
    EngramCutOffNote(&diagnostics.cut_off, &cut_off->largest);
    PetscCall(EngramReductionDestroy(&snapshot.reduction));
    PetscCall(PetscFree(velocity));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WarnOfPotential(const EngramSimulation *simulation, const char *when,
                                      const CutOff *cut_off)
{
    char wider[160] = "";
    char rates[64] = "";
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    const double share = cut_off->largest.share[ENGRAM_CUT_OFF_V_MIN];
    WiderAxisOfPotential(simulation, &cut_off->largest, wider, sizeof(wider));
    if (EngramStepperState(simulation->stepper)->time > 0.0 || simulation->is_steady) {
        (void)snprintf(rates, sizeof(rates), ", and rates are too large by up to %.3g %%",
                       100.0 * share / (1.0 - share));
    }
    PetscCall(EngramWarning("-model_v_min %g: %.2g %% of the neurons would be below it%s%s; %s",
                            grid->v_min, 100.0 * share, when, rates, wider));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WarnOfWeights(const EngramSimulation *simulation, const char *when, int end,
                                    const CutOff *cut_off)
{
    char wider[160] = "";
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    const PetscBool is_lower = (PetscBool)(end == ENGRAM_CUT_OFF_W_MIN);
    const double length = (double)grid->w_cells * grid->w_spacing;
    const double share = cut_off->largest.share[end];
    PetscCall(
        WiderAxisOfWeights(simulation, end, share, cut_off->initial_w[end], wider, sizeof(wider)));
    PetscCall(EngramWarning("-grid_w_%s %g: %.2g %% of the neurons would be beyond this end of the "
                            "weights%s; %s",
                            is_lower ? "min" : "max", grid->w_min + (is_lower ? 0.0 : length),
                            100.0 * share, when, wider));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CutOffWarn(const EngramSimulation *simulation, const char *when, CutOff *cut_off)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < ENGRAM_CUT_OFF_COUNT; i++) {
        const double share = cut_off->largest.share[i];
        if (!(share > PetscMax(LARGEST_SHARE, WORSE * cut_off->told[i]))) {
            continue;
        }
        cut_off->told[i] = share;
        if (i == ENGRAM_CUT_OFF_V_MIN) {
            PetscCall(WarnOfPotential(simulation, when, cut_off));
        } else {
            PetscCall(WarnOfWeights(simulation, when, i, cut_off));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CutOffWarnOfFirst(const EngramSimulation *simulation, CutOff *cut_off)
{
    PetscFunctionBeginUser;
    const PetscBool is_initial = (PetscBool)(EngramStepperState(simulation->stepper)->time == 0.0);
    if (simulation->is_steady && !simulation->model->phase.plasticity) {
        /* Of the first state only the weights matter. */
        cut_off->largest.share[ENGRAM_CUT_OFF_V_MIN] = 0.0;
        cut_off->largest.drift = DBL_MAX;
        cut_off->largest.noise = 0.0;
    }
    if (is_initial) {
        PetscCall(LookBeyond(simulation, cut_off));
    }
    PetscCall(CutOffWarn(simulation, is_initial ? " at t = 0" : "", cut_off));
    PetscFunctionReturn(PETSC_SUCCESS);
}
