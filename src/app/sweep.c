#include "sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engram/app/simulation.h"
#include "engram/base/error.h"
#include "engram/observe/steady_table.h"

/* Bisections of an interval in which states appear or vanish. */
enum { FOLD_BISECTIONS = 30 };

/** Where in a sweep v_min cuts off most. */
typedef struct SweepEnds {
    double share;
    double value;
} SweepEnds;

static PetscErrorCode RefuseText(const char *text)
{
    PetscFunctionBeginUser;
    PetscCall(
        EngramInputError("-steady_sweep %s: must be OPTION:from:to:n with n from 2 to 1e6, as in "
                         "grid_w_min+grid_w_max:0:3:61 (names joined by + are varied alike)",
                         text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A finite number that ends where a part of the text ends. */
static PetscBool ParsePart(const char *part, double *value)
{
    char *end = NULL;
    *value = part ? strtod(part, &end) : NAN;
    return (PetscBool)(part && end != part && *end == '\0' && isfinite(*value));
}

PetscErrorCode SweepParse(const char *text, Sweep *sweep)
{
    char *place = NULL;
    double count = 0.0;
    PetscFunctionBeginUser;
    PetscCall(PetscStrncpy(sweep->text, text, sizeof(sweep->text)));
    char *names = strtok_r(sweep->text, ":", &place);
    const PetscBool is_range = (PetscBool)(ParsePart(strtok_r(NULL, ":", &place), &sweep->from) &&
                                           ParsePart(strtok_r(NULL, ":", &place), &sweep->to) &&
                                           ParsePart(strtok_r(NULL, ":", &place), &count));
    if (!names || !is_range || strtok_r(NULL, ":", &place) || sweep->from == sweep->to ||
        !(count >= 2.0 && count <= 1e6 && count == floor(count))) {
        PetscCall(RefuseText(text));
    }
    sweep->count = (PetscInt)count;
    sweep->name_count = 0;
    for (char *name = strtok_r(names, "+", &place); name; name = strtok_r(NULL, "+", &place)) {
        if (sweep->name_count == SWEEP_MAXIMUM_NAMES) {
            PetscCall(RefuseText(text));
        }
        sweep->names[sweep->name_count++] = name[0] == '-' ? name + 1 : name;
    }
    if (sweep->name_count == 0) {
        PetscCall(RefuseText(text));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A value that an option cannot have is a mistake of -steady_sweep. */
static PetscErrorCode CheckValue(EngramOptions options, const char *name, double value)
{
    PetscFunctionBeginUser;
    EngramMessagesSilence(PETSC_TRUE);
    const PetscErrorCode outcome = EngramOptionsCheckReal(options, name, value);
    EngramMessagesSilence(PETSC_FALSE);
    if (outcome == (PetscErrorCode)ENGRAM_ERR_INPUT) {
        PetscCall(EngramInputError("-steady_sweep: %s", EngramErrorMessage()));
    }
    PetscCall(outcome);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SweepCheck(EngramOptions options, const Sweep *sweep)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < sweep->name_count; i++) {
        PetscCall(CheckValue(options, sweep->names[i], sweep->from));
        PetscCall(CheckValue(options, sweep->names[i], sweep->to));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The i-th value. */
static double ValueAt(const Sweep *sweep, PetscInt i)
{
    const double share = (double)i / (double)(sweep->count - 1);
    return (1.0 - share) * sweep->from + share * sweep->to;
}

static PetscErrorCode SetUpAt(MPI_Comm comm, EngramOptions options, const Sweep *sweep,
                              double value, EngramSimulation *simulation)
{
    PetscFunctionBeginUser;
    *simulation = (EngramSimulation){.options = options};
    for (int i = 0; i < sweep->name_count; i++) {
        PetscCall(EngramOptionsVaryReal(options, sweep->names[i], value));
    }
    PetscErrorCode code = EngramSimulationSetUp(comm, options, simulation);
    if (!code) {
        code = EngramSimulationStart(simulation);
    }
    PetscCall(EngramOptionsEndVariation(options));
    if (code) {
        PetscCall(EngramWarning("that is what -steady_sweep makes of the case with %s = %.10g",
                                sweep->names[0], value));
        PetscCall(code);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SweepTry(MPI_Comm comm, EngramOptions options, const Sweep *sweep)
{
    EngramSimulation simulation;
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < sweep->count; i++) {
        PetscCall(SetUpAt(comm, options, sweep, ValueAt(sweep, i), &simulation));
        PetscCall(EngramSimulationDestroy(&simulation));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What the axes cut off of the states. */
static PetscErrorCode LookAtEnds(const EngramSimulation *simulation,
                                 const EngramSteadyStates *states, CutOff *cut_off)
{
    PetscFunctionBeginUser;
    CutOffStart(cut_off);
    for (PetscInt i = 0; i < states->count; i++) {
        PetscCall(EngramStepperTakeSteady(simulation->stepper, states->roots[i].rate));
        PetscCall(CutOffLook(simulation, cut_off));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FindStates(MPI_Comm comm, EngramOptions options, const Sweep *sweep,
                                 double value, EngramSteadyStates *states, SweepEnds *ends)
{
    EngramSimulation simulation;
    CutOff cut_off;
    PetscFunctionBeginUser;
    PetscCall(SetUpAt(comm, options, sweep, value, &simulation));
    PetscCall(EngramStepperFindSteady(simulation.stepper, (PetscBool)(ends != NULL), states));
    if (ends) {
        PetscCall(LookAtEnds(&simulation, states, &cut_off));
        if (cut_off.largest.share[ENGRAM_CUT_OFF_V_MIN] > ends->share) {
            *ends = (SweepEnds){cut_off.largest.share[ENGRAM_CUT_OFF_V_MIN], value};
        }
    }
    PetscCall(EngramSimulationDestroy(&simulation));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Mean of the two states nearest to each other: where a fold's pair meets. */
static double MeetingRate(const EngramSteadyStates *states)
{
    double rate = NAN;
    double nearest = INFINITY;
    for (PetscInt i = 0; i + 1 < states->count; i++) {
        const double distance = states->roots[i + 1].rate - states->roots[i].rate;
        if (distance < nearest) {
            nearest = distance;
            rate = 0.5 * (states->roots[i + 1].rate + states->roots[i].rate);
        }
    }
    return rate;
}

/** Narrows down where the number of states changes, and adds the fold to its table. */
static PetscErrorCode LocateFold(MPI_Comm comm, EngramOptions options, const Sweep *sweep,
                                 double left, const EngramSteadyStates *left_states, double right,
                                 const EngramSteadyStates *right_states, EngramSteadyTable table)
{
    PetscFunctionBeginUser;
    const PetscBool many_left = (PetscBool)(left_states->count > right_states->count);
    double many = many_left ? left : right;
    double few = many_left ? right : left;
    EngramSteadyStates states = many_left ? *left_states : *right_states;
    const PetscInt fewest = PetscMin(left_states->count, right_states->count);
    for (int i = 0; i < FOLD_BISECTIONS; i++) {
        EngramSteadyStates middle;
        const double value = 0.5 * (many + few);
        PetscCall(FindStates(comm, options, sweep, value, &middle, NULL));
        if (middle.count > fewest) {
            many = value;
            states = middle;
        } else {
            few = value;
        }
    }
    const double row[2] = {many, MeetingRate(&states)};
    EngramSteadyTableAdd(table, 2, row);
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool AreSame(const EngramSteadyStates *a, const EngramSteadyStates *b)
{
    PetscBool are_same = (PetscBool)(a->count == b->count);
    for (PetscInt i = 0; i < a->count && are_same; i++) {
        are_same = (PetscBool)(a->roots[i].rate == b->roots[i].rate);
    }
    return are_same;
}

static void AddStates(EngramSteadyTable table, double value, const EngramSteadyStates *states)
{
    for (PetscInt i = 0; i < states->count; i++) {
        const EngramCouplingRoot *root = &states->roots[i];
        const double row[5] = {value, (double)(i + 1), root->rate, root->slope,
                               root->slope < 1.0 ? 1.0 : 0.0};
        EngramSteadyTableAdd(table, 5, row);
    }
    if (states->count == 0) {
        const double row[5] = {value, 0.0, NAN, NAN, NAN};
        EngramSteadyTableAdd(table, 5, row);
    }
}

/** Tells of values for which states may be missing, or were left out. */
static PetscErrorCode WarnOfDoubts(const Sweep *sweep, PetscInt doubts, PetscInt made_up)
{
    PetscFunctionBeginUser;
    if (doubts > 0) {
        PetscCall(EngramWarning("for %" PetscInt_FMT " of %" PetscInt_FMT
                                " values of -%s no steady "
                                "state was found, but none is not certain; -steady says more of a "
                                "single value",
                                doubts, sweep->count, sweep->names[0]));
    }
    if (made_up > 0) {
        PetscCall(EngramWarning("for %" PetscInt_FMT " of %" PetscInt_FMT " values of -%s states "
                                "are left out that the grid makes up by -model_flux harmonic; "
                                "-steady says more of a single value",
                                made_up, sweep->count, sweep->names[0]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Warns of what v_min cuts off at the value at which it is most. */
static PetscErrorCode WarnOfEnds(MPI_Comm comm, EngramOptions options, const Sweep *sweep,
                                 double value, CutOff *told)
{
    EngramSimulation simulation;
    EngramSteadyStates states;
    CutOff cut_off;
    char when[ENGRAM_OPTION_LENGTH];
    PetscFunctionBeginUser;
    PetscCall(SetUpAt(comm, options, sweep, value, &simulation));
    PetscCall(EngramStepperFindSteady(simulation.stepper, PETSC_FALSE, &states));
    PetscCall(LookAtEnds(&simulation, &states, &cut_off));
    (void)snprintf(when, sizeof(when), " at %s = %.10g", sweep->names[0], value);
    PetscCall(CutOffWarn(&simulation, when, &cut_off));
    told->told[ENGRAM_CUT_OFF_V_MIN] = cut_off.told[ENGRAM_CUT_OFF_V_MIN];
    PetscCall(EngramSimulationDestroy(&simulation));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SweepRun(MPI_Comm comm, EngramOptions options, const Sweep *sweep,
                        const EngramOutputParameters *output, CutOff *told)
{
    EngramSteadyTable table = NULL;
    EngramSteadyTable folds = NULL;
    EngramSteadyStates last = {.count = 0};
    SweepEnds ends = {0.0, 0.0};
    PetscBool is_varied = PETSC_FALSE;
    PetscInt doubts = 0;
    PetscInt made_up = 0;
    double last_value = 0.0;
    char columns[ENGRAM_OPTION_LENGTH];
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(columns, sizeof(columns), "%s,state,total_rate,slope,stable",
                            sweep->names[0]));
    PetscCall(EngramSteadyTableOpen(comm, output->directory, "bifurcation.csv", columns, &table));
    PetscCall(PetscSNPrintf(columns, sizeof(columns), "%s,total_rate", sweep->names[0]));
    PetscCall(EngramSteadyTableOpen(comm, output->directory, "folds.csv", columns, &folds));
    for (PetscInt i = 0; i < sweep->count; i++) {
        EngramSteadyStates states;
        const double value = ValueAt(sweep, i);
        PetscCall(FindStates(comm, options, sweep, value, &states, &ends));
        AddStates(table, value, &states);
        doubts += states.count == 0 && !states.search.is_certain ? 1 : 0;
        made_up += states.made_up_count > 0 ? 1 : 0;
        /* A single state that comes or goes has crossed the largest rate: no fold. */
        if (i > 0 && states.count != last.count && (states.count - last.count) % 2 == 0) {
            PetscCall(LocateFold(comm, options, sweep, last_value, &last, value, &states, folds));
        }
        is_varied = (PetscBool)(is_varied || (i > 0 && !AreSame(&states, &last)));
        last = states;
        last_value = value;
    }
    if (!is_varied) {
        PetscCall(EngramWarning("the steady states are the same for all values of -%s: they do not "
                                "depend on it",
                                sweep->names[0]));
    }
    PetscCall(WarnOfDoubts(sweep, doubts, made_up));
    if (ends.share > 0.0) {
        PetscCall(WarnOfEnds(comm, options, sweep, ends.value, told));
    }
    PetscCall(EngramSteadyTableClose(&table));
    PetscCall(EngramSteadyTableClose(&folds));
    PetscFunctionReturn(PETSC_SUCCESS);
}
