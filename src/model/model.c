#include "engram/model/model.h"

#include <math.h>
#include <string.h>

#include "engram/base/error.h"

static const EngramOption model_options[] = {
    {"model_noise", ENGRAM_OPTION_REAL, "1", "potential^2",
     "diffusion coefficient a (half the variance of the noise)", ENGRAM_BOUND_ABOVE, 0},
    {"model_epsilon", ENGRAM_OPTION_REAL, "0.1", "dimensionless",
     "ratio eps of the reacting time scale to the learning time scale", ENGRAM_BOUND_ABOVE, 0},
    {"model_input", ENGRAM_OPTION_EXPRESSION, "0", "expression in w, t",
     "external input current I(w,t)", ENGRAM_BOUND_NONE, 0},
    {"model_response", ENGRAM_OPTION_EXPRESSION, "N", "expression in N",
     "response sigma(N) of the network to its total firing rate", ENGRAM_BOUND_NONE, 0},
    {"model_learning", ENGRAM_OPTION_EXPRESSION, "1", "expression in w",
     "learning strength K(w) of the Hebbian rule", ENGRAM_BOUND_NONE, 0},
    {"model_flux", ENGRAM_OPTION_TEXT, "scharfetter-gummel", "scharfetter-gummel or harmonic",
     "weights of the flux in v; harmonic loses the drift where a cell's drift exceeds its "
     "diffusion",
     ENGRAM_BOUND_NONE, 0},
    {"model_plasticity", ENGRAM_OPTION_BOOLEAN, "true", "true or false",
     "false freezes the weights: no transport in w at all", ENGRAM_BOUND_NONE, 0},
    {"initial_density", ENGRAM_OPTION_EXPRESSION, NULL, "expression in w, v",
     "initial density, not negative; the program scales it to unit mass", ENGRAM_BOUND_NONE, 0},
};

const EngramOptionTable EngramModelOptions = {
    "Model", model_options, (int)(sizeof(model_options) / sizeof(model_options[0]))};

static PetscErrorCode GetExpression(EngramOptions options, const char *name, const char *variables,
                                    EngramExpression *expression)
{
    const char *text = NULL;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetText(options, name, &text));
    PetscCall(EngramExpressionCreate(name, text, variables, expression));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GetFlux(EngramOptions options, EngramFlux *flux)
{
    static const char *const names[] = {[ENGRAM_FLUX_SCHARFETTER_GUMMEL] = "scharfetter-gummel",
                                        [ENGRAM_FLUX_HARMONIC] = "harmonic"};
    const char *text = NULL;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetText(options, "model_flux", &text));
    for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++) {
        if (strcmp(text, names[i]) == 0) {
            *flux = (EngramFlux)i;
            PetscFunctionReturn(PETSC_SUCCESS);
        }
    }
    PetscCall(EngramInputError("-model_flux %s: must be %s or %s", text, names[0], names[1]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramModelCreate(EngramOptions options, EngramModel **model)
{
    EngramModel *made = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&made));
    *model = made;
    PetscCall(EngramOptionsGetReal(options, "model_noise", &made->noise));
    PetscCall(EngramOptionsGetReal(options, "model_epsilon", &made->epsilon));
    PetscCall(EngramOptionsGetBoolean(options, "model_plasticity", &made->plasticity));
    PetscCall(GetFlux(options, &made->flux));
    PetscCall(GetExpression(options, "model_input", "wt", &made->input));
    PetscCall(GetExpression(options, "model_response", "N", &made->response));
    PetscCall(GetExpression(options, "model_learning", "w", &made->learning));
    PetscCall(GetExpression(options, "initial_density", "wv", &made->initial));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramModelInput(const EngramModel *model, double time, PetscInt count, const double *w,
                      double *input)
{
    for (PetscInt i = 0; i < count; i++) {
        const double variables[2] = {w[i], time};
        input[i] = EngramExpressionValue(model->input, variables);
    }
}

double EngramModelResponse(const EngramModel *model, double total_rate)
{
    return EngramExpressionValue(model->response, &total_rate);
}

/** A value the user's expression must not have, and where. */
typedef struct BadValue {
    double order; /* position in an order common to all ranks; infinity: no bad value */
    double value;
    double first;
    double second;
} BadValue;

/** Reports the first bad value of all ranks, if there is one. Collective. */
static PetscErrorCode RefuseBadValue(const EngramGrid *grid, EngramExpression expression,
                                     const char *condition, const char *names, BadValue bad)
{
    struct {
        double order;
        int rank;
    } found = {bad.order, grid->rank};
    double shared[3] = {bad.value, bad.first, bad.second};
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_DOUBLE_INT, MPI_MINLOC, grid->comm));
    if (isinf(found.order)) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCallMPI(MPI_Bcast(shared, 3, MPI_DOUBLE, found.rank, grid->comm));
    if (names[1]) {
        PetscCall(EngramInputError("-%s \"%s\": is %g at %c = %g, %c = %g; it must be %s",
                                   EngramExpressionOption(expression),
                                   EngramExpressionText(expression), shared[0], names[0], shared[1],
                                   names[1], shared[2], condition));
    } else {
        PetscCall(EngramInputError(
            "-%s \"%s\": is %g at %c = %g; it must be %s", EngramExpressionOption(expression),
            EngramExpressionText(expression), shared[0], names[0], shared[1], condition));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramModelLearning(const EngramModel *model, const EngramGrid *grid,
                                   double *learning)
{
    BadValue bad = {INFINITY, 0.0, 0.0, 0.0};
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < grid->w_local + 2; i++) {
        const PetscInt cell = grid->w_start + i - 1;
        const PetscBool is_inside = (PetscBool)(cell >= 0 && cell < grid->w_cells);
        /* Outside the axis there are no neurons, and K need not be defined. */
        learning[i] = is_inside ? EngramExpressionValue(model->learning, &grid->w[i]) : 0.0;
        if (!isfinite(learning[i]) && isinf(bad.order)) {
            bad = (BadValue){(double)cell, learning[i], grid->w[i], 0.0};
        }
    }
    PetscCall(RefuseBadValue(grid, model->learning, "finite", "w", bad));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramModelInitialDensity(const EngramModel *model, const EngramGrid *grid,
                                         double *density)
{
    BadValue bad = {INFINITY, 0.0, 0.0, 0.0};
    PetscFunctionBeginUser;
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        const double v = EngramGridPotential(grid, k);
        for (PetscInt i = 0; i < grid->w_local; i++) {
            const double variables[2] = {grid->w[i + 1], v};
            const double value = EngramExpressionValue(model->initial, variables);
            density[k * grid->w_stride + i] = value;
            if (!(value >= 0.0 && isfinite(value)) && isinf(bad.order)) {
                const double order =
                    (double)k * (double)grid->w_cells + (double)(grid->w_start + i);
                bad = (BadValue){order, value, variables[0], v};
            }
        }
    }
    PetscCall(RefuseBadValue(grid, model->initial, "finite and not negative", "wv", bad));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramModelDestroy(EngramModel **model)
{
    PetscFunctionBeginUser;
    if (!*model) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramExpressionDestroy(&(*model)->input));
    PetscCall(EngramExpressionDestroy(&(*model)->response));
    PetscCall(EngramExpressionDestroy(&(*model)->learning));
    PetscCall(EngramExpressionDestroy(&(*model)->initial));
    PetscCall(PetscFree(*model));
    PetscFunctionReturn(PETSC_SUCCESS);
}
