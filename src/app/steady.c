#include "steady.h"

#include <math.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/log.h"
#include "engram/observe/steady_table.h"
#include "run.h"
#include "sweep.h"

static const EngramOption steady_options[] = {
    {"steady", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "find the steady states instead of running in time: of frozen weights all of them, by their "
     "total rate; of learning weights the one that the limit model comes to rest in",
     ENGRAM_BOUND_NONE, 0},
    {"steady_sweep", ENGRAM_OPTION_TEXT, "none", "none or OPTION:from:to:n",
     "steady states of frozen weights for n values of an option; names joined by + are varied "
     "alike",
     ENGRAM_BOUND_NONE, 0},
    {"steady_tolerance", ENGRAM_OPTION_REAL, "1e-8", "1/time",
     "learning weights rest when their distribution changes less than this per time",
     ENGRAM_BOUND_ABOVE, 0},
};

const EngramOptionTable SteadyOptions = {"Steady states", steady_options,
                                         (int)(sizeof(steady_options) / sizeof(steady_options[0]))};

/* Steps of the limit model on its way to rest, unless others are given. */
static const double STEP_TO_REST = 0.005;

static PetscErrorCode GetSweep(EngramOptions options, Sweep *sweep, PetscBool *is_sweep)
{
    const char *text = NULL;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetText(options, "steady_sweep", &text));
    *is_sweep = (PetscBool)(strcmp(text, "none") != 0);
    if (*is_sweep) {
        PetscCall(SweepParse(text, sweep));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteadyIsWanted(EngramOptions options, PetscBool *is_wanted)
{
    const char *text = NULL;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetBoolean(options, "steady", is_wanted));
    PetscCall(EngramOptionsGetText(options, "steady_sweep", &text));
    *is_wanted = (PetscBool)(*is_wanted || strcmp(text, "none") != 0);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteadyAdjust(EngramSimulation *simulation)
{
    EngramModel *model = simulation->model;
    Sweep sweep;
    PetscBool is_sweep = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(GetSweep(simulation->options, &sweep, &is_sweep));
    if (!EngramInputIsSteady(model->phase.input)) {
        PetscCall(EngramInputError("-steady: -model_input \"%s\" changes with t, so nothing is "
                                   "steady; give the input of one time",
                                   EngramInputText(model->phase.input)));
    }
    if (is_sweep && model->phase.plasticity) {
        PetscCall(EngramInputError("-steady_sweep: needs frozen weights, -model_plasticity false: "
                                   "learning weights depend on where they start"));
    }
    if (is_sweep) {
        PetscCall(SweepCheck(simulation->options, &sweep));
    }
    /* A steady state knows neither the time scale nor the delay. */
    model->delay = 0.0;
    model->quasi_static_start = model->phase.plasticity;
    model->uses_weights_only = (PetscBool)!model->phase.plasticity;
    simulation->time.scheme = ENGRAM_TIME_EULER;
    simulation->time.start = ENGRAM_START_PLAIN;
    simulation->time.is_adaptive = PETSC_FALSE;
    if (simulation->time.step == 0.0) {
        simulation->time.step = STEP_TO_REST;
    }
    if (model->phase.plasticity) {
        model->phase.epsilon = 0.0;
        simulation->coupling.time = ENGRAM_COUPLING_IMPLICIT;
        PetscCall(EngramTimeSetOrigin(&simulation->time, 0.0, 0));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteadyCheck(const EngramSimulation *simulation)
{
    Sweep sweep;
    PetscBool is_sweep = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(GetSweep(simulation->options, &sweep, &is_sweep));
    if (is_sweep) {
        PetscCall(SweepTry(simulation->grid->comm, simulation->options, &sweep));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Says whether there is no state, or none was found. */
static PetscErrorCode PrintNone(const Run *run, const EngramSteadyStates *states)
{
    char text[512];
    PetscFunctionBeginUser;
    PetscCall(EngramSteadyStatesDescribeNone(states, run->simulation->time.blowup_rate, text,
                                             sizeof(text)));
    PetscCall(
        EngramPrint("no steady state%s: %s\n", states->search.is_certain ? "" : " found", text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** All states of frozen weights, one after the other. */
static PetscErrorCode ShowStates(Run *run, const EngramOutputParameters *output)
{
    EngramSteadyStates states;
    EngramSteadyTable table = NULL;
    PetscFunctionBeginUser;
    const EngramGrid *grid = run->simulation->grid;
    EngramStepper stepper = run->simulation->stepper;
    PetscCall(EngramStepperFindSteady(stepper, PETSC_TRUE, &states));
    PetscCall(EngramSteadyStatesWarn(&states));
    PetscCall(EngramSteadyTableOpen(grid->comm, output->directory, "steady.csv",
                                    "state,total_rate,slope,stable", &table));
    for (PetscInt i = 0; i < states.count; i++) {
        const EngramCouplingRoot *root = &states.roots[i];
        const double is_stable = root->slope < 1.0 ? 1.0 : 0.0;
        const double row[4] = {(double)(i + 1), root->rate, root->slope, is_stable};
        EngramSteadyTableAdd(table, 4, row);
        PetscCall(EngramStepperTakeSteady(stepper, root->rate));
        PetscCall(RunShow(run, i + 1));
        PetscCall(EngramPrint("steady state %" PetscInt_FMT ": Nbar = %.10g%s, %s by its slope "
                              "%.6g\n",
                              i + 1, root->rate,
                              root->rate > 0.0 ? "" : " (below 2.3e-308, the smallest number)",
                              is_stable > 0.0 ? "stable" : "unstable", root->slope));
    }
    run->snapshot.is_wanted = PETSC_TRUE;
    if (states.count == 0) {
        PetscCall(PrintNone(run, &states));
    }
    PetscCall(EngramSteadyTableClose(&table));
    run->outcome->steady_states = states.count;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Integral over w of the change of the weights since the copy was made; renews the copy. */
static PetscErrorCode MeasureChange(const Run *run, double *copy, double *change)
{
    EngramReductionEntry entry;
    PetscFunctionBeginUser;
    const EngramGrid *grid = run->simulation->grid;
    EngramReductionEntryClear(&entry);
    for (PetscInt i = 0; i < grid->w_local; i++) {
        EngramExactSumAdd(&entry.sum, grid->w_quadrature[i + 1] *
                                          fabs(run->copies.weight_density[i] - copy[i]));
        copy[i] = run->copies.weight_density[i];
    }
    PetscCall(EngramReductionApply(run->snapshot.reduction, 1, &entry));
    *change = grid->w_spacing * EngramExactSumValue(&entry.sum);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Runs the limit model until its weights rest. */
static PetscErrorCode RunToRest(Run *run, double tolerance)
{
    double *copy = NULL;
    double change = 0.0;
    PetscBool is_at_rest = PETSC_FALSE;
    PetscFunctionBeginUser;
    PetscCall(PetscCalloc1(run->simulation->grid->w_local, &copy));
    PetscCall(MeasureChange(run, copy, &change));
    while (RunGoesOn(run) && !is_at_rest) {
        PetscCall(RunStep(run));
        PetscCall(MeasureChange(run, copy, &change));
        is_at_rest = (PetscBool)(!run->outcome->failure && change <= tolerance * run->snapshot.dt);
    }
    if (!is_at_rest && !run->outcome->failure && !run->outcome->departure) {
        run->outcome->failure = "the weights do not rest yet at -time_end: they change more than "
                                "-steady_tolerance per time; a shorter -time_step or a lower "
                                "-transport_order may help";
    }
    if (!run->outcome->departure) {
        run->outcome->steady_states = is_at_rest ? 1 : 0;
    }
    PetscCall(PetscFree(copy));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SteadyRun(EngramSimulation *simulation, const EngramOutputParameters *output,
                         EngramOutcome *outcome)
{
    Run run;
    Sweep sweep;
    PetscBool is_sweep = PETSC_FALSE;
    double tolerance = 0.0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetReal(simulation->options, "steady_tolerance", &tolerance));
    PetscCall(GetSweep(simulation->options, &sweep, &is_sweep));
    const char *plan = simulation->model->phase.plasticity
                           ? "the limit model until its weights rest"
                           : "steady states of frozen weights";
    PetscErrorCode code = RunStart(simulation, output, plan, outcome, &run);
    PetscCall(EngramLogStageBegin(ENGRAM_STAGE_STEPS));
    if (!code) {
        code = simulation->model->phase.plasticity ? RunToRest(&run, tolerance)
                                                   : ShowStates(&run, output);
    }
    if (!code && is_sweep) {
        code = SweepRun(simulation->grid->comm, simulation->options, &sweep, output, &run.cut_off);
    }
    PetscCall(EngramLogStageEnd());
    PetscCall(RunStop(&run, code));
    PetscFunctionReturn(PETSC_SUCCESS);
}
