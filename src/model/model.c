#include "engram/model/model.h"

#include <math.h>

#include "engram/base/error.h"
#include "initial_edges.h"

static const EngramOption model_options[] = {
    {"model_noise", ENGRAM_OPTION_EXPRESSION, "1", "expression in Nbar (or N)",
     "diffusion coefficient a(Nbar) > 0 (half the variance of the noise, potential^2)",
     ENGRAM_BOUND_NONE, 0},
    {"model_drift", ENGRAM_OPTION_EXPRESSION, "-v", "expression in v",
     "drift of the neuron by itself, to which input and network are added: -v leaks, v^2 + c is a "
     "quadratic neuron",
     ENGRAM_BOUND_NONE, 0},
    {"model_epsilon", ENGRAM_OPTION_REAL, "0.1", "dimensionless",
     "ratio eps of the reacting time scale to the learning time scale; 0 is the limit model, whose "
     "potentials are quasi-static",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"model_input", ENGRAM_OPTION_EXPRESSION, "0", "expression in w, t, s, or file:PATH",
     "external input current I(w,t); s is the time since a phase began; a file has columns w,I or "
     "t,w,I or s,w,I",
     ENGRAM_BOUND_NONE, 0},
    {"model_response", ENGRAM_OPTION_EXPRESSION, "N", "expression in Nbar (or N)",
     "response sigma(Nbar) of the network to its total firing rate Nbar", ENGRAM_BOUND_NONE, 0},
    {"model_learning", ENGRAM_OPTION_EXPRESSION, "1", "expression in w",
     "learning strength K(w) of the Hebbian rule", ENGRAM_BOUND_NONE, 0},
    {"model_flux", ENGRAM_OPTION_TEXT, "scharfetter-gummel", "scharfetter-gummel or harmonic",
     "weights of the flux in v; harmonic loses the drift where a cell's drift exceeds its "
     "diffusion",
     ENGRAM_BOUND_NONE, 0},
    {"model_delay", ENGRAM_OPTION_REAL, "0", "reacting time",
     "transmission delay d: drift and noise at t use the total rate at t - eps d",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"model_refractory", ENGRAM_OPTION_REAL, "0", "reacting time",
     "mean time a neuron that has fired waits before it is reset", ENGRAM_BOUND_AT_LEAST, 0},
    {"model_plasticity", ENGRAM_OPTION_BOOLEAN, "true", "true or false",
     "false freezes the weights: no transport in w at all", ENGRAM_BOUND_NONE, 0},
    {"initial_density", ENGRAM_OPTION_EXPRESSION, NULL, "expression in w, v",
     "initial density, not negative; the program scales it to unit mass", ENGRAM_BOUND_NONE, 0},
    {"initial_quasi_static", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "true: keep of the initial density only its distribution of weights, and start each slice in "
     "its quasi-static state (always so for eps = 0)",
     ENGRAM_BOUND_NONE, 0},
    {"initial_rate", ENGRAM_OPTION_REAL, "0", "1/reacting time",
     "total rate before t = 0, which a delay still sees; where a quasi-static start has several "
     "total rates, the one nearest to it is taken",
     ENGRAM_BOUND_AT_LEAST, 0},
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
    int choice = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetChoice(options, "model_flux", names, 2, &choice));
    *flux = (EngramFlux)choice;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Refuses what has no meaning, and a noise that is wrong at rest already. */
static PetscErrorCode CheckModel(EngramModel *model)
{
    PetscFunctionBeginUser;
    const double noise = EngramModelNoise(model, model->initial_rate);
    if (!(noise > 0.0 && isfinite(noise))) {
        PetscCall(EngramInputError(
            "-model_noise \"%s\": is %g at Nbar = %g; it must be finite and greater than 0",
            EngramExpressionText(model->noise), noise, model->initial_rate));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramModelEnter(EngramModel *model, const EngramModelPhase *phase)
{
    PetscFunctionBeginUser;
    if (model->delay > 0.0 && phase->epsilon == 0.0) {
        PetscCall(
            EngramInputError("-model_delay %g: is a time in units of the reacting time, which "
                             "-model_epsilon 0 makes infinitely short; leave it out",
                             model->delay));
    }
    model->phase = *phase;
    model->longest_delay = PetscMax(model->longest_delay, phase->epsilon * model->delay);
    model->quasi_static_start = (PetscBool)(model->initial_quasi_static || phase->epsilon == 0.0);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramModelCreate(EngramOptions options, EngramModel **model)
{
    EngramModel *made = NULL;
    EngramModelPhase whole = {.begin = 0.0};
    const char *input = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&made));
    *model = made;
    PetscCall(EngramOptionsGetReal(options, "model_epsilon", &whole.epsilon));
    PetscCall(EngramOptionsGetReal(options, "model_delay", &made->delay));
    PetscCall(EngramOptionsGetReal(options, "model_refractory", &made->refractory));
    PetscCall(EngramOptionsGetReal(options, "initial_rate", &made->initial_rate));
    PetscCall(
        EngramOptionsGetBoolean(options, "initial_quasi_static", &made->initial_quasi_static));
    PetscCall(EngramOptionsGetBoolean(options, "model_plasticity", &whole.plasticity));
    PetscCall(GetFlux(options, &made->flux));
    PetscCall(GetExpression(options, "model_drift", "v", &made->drift));
    PetscCall(GetExpression(options, "model_noise", "N", &made->noise));
    PetscCall(EngramOptionsGetText(options, "model_input", &input));
    PetscCall(EngramInputCreate("model_input", input, &made->input));
    PetscCall(GetExpression(options, "model_response", "N", &made->response));
    PetscCall(GetExpression(options, "model_learning", "w", &made->learning));
    PetscCall(GetExpression(options, "initial_density", "wv", &made->initial));
    PetscCall(CheckModel(made));
    whole.input = made->input;
    PetscCall(EngramModelEnter(made, &whole));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramModelInput(const EngramModel *model, double time, PetscInt count, const double *w,
                      double *input)
{
    const EngramModelPhase *phase = &model->phase;
    EngramInputValues(phase->input, time, time - phase->begin, count, w, input);
}

double EngramModelResponse(const EngramModel *model, double total_rate)
{
    return EngramExpressionValue(model->response, &total_rate);
}

double EngramModelNoise(const EngramModel *model, double total_rate)
{
    return EngramExpressionValue(model->noise, &total_rate);
}

PetscErrorCode EngramModelDrift(const EngramModel *model, const EngramGrid *grid, double *mean,
                                double *slope)
{
    const double h = grid->v_spacing;
    PetscFunctionBeginUser;
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        double values[5];
        for (int i = 0; i < 5; i++) {
            const double v = grid->v_min + ((double)(k + 1) + 0.25 * i) * h;
            values[i] = EngramExpressionValue(model->drift, &v);
            if (!isfinite(values[i])) {
                PetscCall(EngramInputError(
                    "-model_drift \"%s\": is %g at v = %g; it must be finite "
                    "from -model_v_min to -model_v_threshold",
                    EngramExpressionText(model->drift), isnan(values[i]) ? NAN : values[i], v));
            }
        }
        mean[k] = (values[0] + 4.0 * values[2] + values[4]) / 6.0;
        slope[k] = (8.0 * (values[3] - values[1]) - (values[4] - values[0])) / (3.0 * h);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
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
    /* A NaN would be printed with its sign. */
    double shared[3] = {isnan(bad.value) ? NAN : bad.value, bad.first, bad.second};
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
                                   EngramLearningRule *rule)
{
    double *strength = rule->strength;
    BadValue bad = {INFINITY, 0.0, 0.0, 0.0};
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < grid->w_local; i++) {
        strength[i] = EngramExpressionValue(model->learning, &grid->w[i + 1]);
        if (!isfinite(strength[i]) && isinf(bad.order)) {
            bad = (BadValue){(double)(grid->w_start + i), strength[i], grid->w[i + 1], 0.0};
        }
    }
    PetscCall(RefuseBadValue(grid, model->learning, "finite", "w", bad));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Its values at the nodes; nobody in the refractory state. */
static PetscErrorCode EvaluateInitial(const EngramModel *model, const EngramGrid *grid,
                                      const EngramDensity *density)
{
    BadValue bad = {INFINITY, 0.0, 0.0, 0.0};
    PetscFunctionBeginUser;
    PetscCall(VecZeroEntries(density->vec));
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        const double v = EngramGridPotential(grid, k);
        for (PetscInt i = 0; i < grid->w_local; i++) {
            const double variables[2] = {grid->w[i + 1], v};
            const double value = EngramExpressionValue(model->initial, variables);
            density->values[k * grid->w_stride + i] = value;
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

PetscErrorCode EngramModelInitialDensity(const EngramModel *model, const EngramGrid *grid,
                                         const EngramDensity *density, double *threshold_slope)
{
    double *profile = NULL;
    PetscFunctionBeginUser;
    PetscCall(EvaluateInitial(model, grid, density));
    if (grid->v_order == 4) {
        PetscCall(PetscMalloc1(grid->v_nodes + 1, &profile));
        InitialEdgesAdd(model, grid, profile, density, threshold_slope);
        PetscCall(PetscFree(profile));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramModelDestroy(EngramModel **model)
{
    PetscFunctionBeginUser;
    if (!*model) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramExpressionDestroy(&(*model)->drift));
    PetscCall(EngramExpressionDestroy(&(*model)->noise));
    PetscCall(EngramInputDestroy(&(*model)->input));
    PetscCall(EngramExpressionDestroy(&(*model)->response));
    PetscCall(EngramExpressionDestroy(&(*model)->learning));
    PetscCall(EngramExpressionDestroy(&(*model)->initial));
    PetscCall(PetscFree(*model));
    PetscFunctionReturn(PETSC_SUCCESS);
}
