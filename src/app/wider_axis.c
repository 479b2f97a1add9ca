#include "wider_axis.h"

#include <math.h>
#include <stdio.h>

#include "engram/base/error.h"

/* Of the logarithm of the density, from its maximum to v_min: five standard deviations. */
static const double FALL = 12.5;

/* Cells that are looked at for it. */
enum { MOST_CELLS = 1000000 };

/* Lengths of the axis of v that are looked at below it. */
enum { MOST_AXES = 4 };

/* Nodes of the other axis at which the initial density is looked at beyond an end. */
enum { NODES = 32 };

/* An end at which the initial density is smaller cuts nothing off: H times the length of w. */
static const double SMALLEST_END = 1e-4;

/* A density that is still so large one axis further on, relative, does not fall. */
static const double STILL_THERE = 0.1;

/* What may be left beyond the weight that is needed. */
static const double LEFT_OVER = 1e-5;

/* The reach of weights that were held back is an estimate. */
static const double MARGIN = 2.0;
static const double LEAST_WIDENING = 0.1;

static double EndOf(const EngramGrid *grid, int end)
{
    return end == ENGRAM_CUT_OFF_W_MIN ? grid->w_min
                                       : grid->w_min + (double)grid->w_cells * grid->w_spacing;
}

/** The initial density at a weight, summed over some nodes of v. */
static double InitialAt(const EngramSimulation *simulation, double w)
{
    const EngramGrid *grid = simulation->grid;
    const PetscInt apart = PetscMax(1, grid->v_nodes / NODES);
    double sum = 0.0;
    for (PetscInt k = apart / 2; k < grid->v_nodes; k += apart) {
        const double variables[2] = {w, EngramGridPotential(grid, k)};
        const double value = EngramExpressionValue(simulation->model->initial, variables);
        sum += isfinite(value) ? fmax(value, 0.0) : 0.0;
    }
    return sum;
}

/** A number that the rank with a cell of w knows. Collective. */
static PetscErrorCode ShareOfCell(const EngramGrid *grid, PetscInt cell, const double *values,
                                  double *value)
{
    const PetscInt i = cell - grid->w_start;
    PetscFunctionBeginUser;
    *value = i >= 0 && i < grid->w_local ? values[i] : 0.0;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, value, 1, MPI_DOUBLE, MPI_SUM, grid->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Integral over w beyond an end, in units of the density of the last cell times its width. */
static void LookBeyond(const EngramSimulation *simulation, int end, double at_end, double *integral,
                       double *needed)
{
    const EngramGrid *grid = simulation->grid;
    const double step = end == ENGRAM_CUT_OFF_W_MIN ? -grid->w_spacing : grid->w_spacing;
    double largest = at_end;
    double last = 0.0;
    double sum = 0.0;
    for (PetscInt j = 0; j < grid->w_cells; j++) {
        const double w = EndOf(grid, end) + ((double)j + 0.5) * step;
        last = InitialAt(simulation, w);
        largest = fmax(largest, last);
        sum += last / at_end;
        if (last > LEFT_OVER * at_end) {
            *needed = w + 0.5 * step;
        }
    }
    *integral = last > STILL_THERE * largest ? 0.0 : sum;
}

PetscErrorCode WiderAxisOfInitial(const EngramSimulation *simulation, int end,
                                  const double *weight_density, double *share, double *needed)
{
    double content = 0.0;
    double beyond = 0.0;
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    const PetscInt cell = end == ENGRAM_CUT_OFF_W_MIN ? 0 : grid->w_cells - 1;
    *share = 0.0;
    *needed = NAN;
    PetscCall(ShareOfCell(grid, cell, weight_density, &content));
    content *= grid->w_spacing;
    if (grid->w_cells < 2 || EndOf(grid, end) == 0.0 ||
        !(content * (double)grid->w_cells > SMALLEST_END)) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double at_end = InitialAt(simulation, EngramGridWeight(grid, cell));
    if (at_end > 0.0) {
        LookBeyond(simulation, end, at_end, &beyond, needed);
    }
    *share = content * beyond / (1.0 + content * beyond);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Where the density has fallen enough; NaN: nowhere, as far as the drift is known. */
static double NeededPotential(const EngramSimulation *simulation, const EngramCutOff *seen)
{
    const EngramGrid *grid = simulation->grid;
    const double h = grid->v_spacing;
    double v = EngramGridPotential(grid, grid->reset_node);
    double fall = 0.0;
    for (int cells = 0; cells < MOST_CELLS; cells++) {
        const double middle = v - 0.5 * h;
        const double drift = EngramExpressionValue(simulation->model->drift, &middle) + seen->drift;
        if (!isfinite(drift)) {
            break;
        }
        fall = fmax(0.0, fall + drift * h / seen->noise);
        v -= h;
        if (fall > FALL) {
            return v;
        }
    }
    return NAN;
}

/** The initial density at a potential, summed over some cells of w. */
static double InitialAtPotential(const EngramSimulation *simulation, double v)
{
    const EngramGrid *grid = simulation->grid;
    const PetscInt apart = PetscMax(1, grid->w_cells / NODES);
    double sum = 0.0;
    for (PetscInt i = apart / 2; i < grid->w_cells; i += apart) {
        const double variables[2] = {EngramGridWeight(grid, i), v};
        const double value = EngramExpressionValue(simulation->model->initial, variables);
        sum += isfinite(value) ? fmax(value, 0.0) : 0.0;
    }
    return sum;
}

/** Where the initial density has fallen enough; NaN: not within some axes more. */
static double NeededInitially(const EngramSimulation *simulation)
{
    const EngramGrid *grid = simulation->grid;
    double largest = 0.0;
    for (PetscInt k = 0; k < grid->v_nodes; k++) {
        largest = fmax(largest, InitialAtPotential(simulation, EngramGridPotential(grid, k)));
    }
    for (PetscInt k = 0; k <= MOST_AXES * grid->v_nodes; k++) {
        const double v = grid->v_min - (double)k * grid->v_spacing;
        const double value = InitialAtPotential(simulation, v);
        if (!(value > LEFT_OVER * largest)) {
            return v;
        }
        largest = fmax(largest, value);
    }
    return NAN;
}

void WiderAxisOfPotential(const EngramSimulation *simulation, const EngramCutOff *seen, char *text,
                          size_t size)
{
    static const double units[] = {1.0, 0.5, 0.25, 0.1};
    const EngramGrid *grid = simulation->grid;
    double needed = NeededPotential(simulation, seen);
    EngramGridParameters axis = {.v_reset = EngramGridPotential(grid, grid->reset_node),
                                 .v_threshold = EngramGridPotential(grid, grid->v_nodes)};
    if (isnan(needed)) {
        (void)snprintf(text, size,
                       "no lower one would do: the drift f(v) + mu carries neurons "
                       "down without end");
        return;
    }
    if (EngramStepperState(simulation->stepper)->time == 0.0 && !simulation->is_steady) {
        const double initial = NeededInitially(simulation);
        needed = isnan(initial) ? grid->v_min : fmin(needed, initial);
    }
    if (!(needed < grid->v_min)) {
        (void)snprintf(text, size, "-initial_density is to be negligible there");
        return;
    }
    /* Cells of the same width fit always. */
    PetscInt cells = grid->v_nodes + 1 + (PetscInt)ceil((grid->v_min - needed) / grid->v_spacing);
    axis.v_min = axis.v_threshold - (double)cells * grid->v_spacing;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        EngramGridParameters rounded = axis;
        rounded.v_min = units[i] * floor(needed / units[i]);
        const PetscInt count =
            (PetscInt)round((axis.v_threshold - rounded.v_min) / grid->v_spacing);
        if (EngramGridCellsBelowReset(&rounded, count) > 0) {
            axis = rounded;
            cells = count;
            break;
        }
    }
    (void)snprintf(text, size, "-model_v_min %.10g -grid_v_cells %" PetscInt_FMT " would do",
                   axis.v_min, cells);
}

/** How far weights would get that are held back at an end, if they spread out as they do before. */
static PetscErrorCode FindReach(const EngramSimulation *simulation, int end, double share,
                                double *reach)
{
    double density = 0.0;
    double learning = 0.0;
    double *velocity = NULL;
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    const PetscInt cell = end == ENGRAM_CUT_OFF_W_MIN ? 0 : grid->w_cells - 1;
    const double direction = end == ENGRAM_CUT_OFF_W_MIN ? -1.0 : 1.0;
    const double zero = 0.0;
    const double at = EndOf(grid, end);
    PetscCall(PetscMalloc1(grid->w_local, &velocity));
    EngramStepperLearningVelocity(simulation->stepper, velocity);
    PetscCall(ShareOfCell(grid, cell, velocity, &learning));
    PetscCall(PetscFree(velocity));
    PetscCall(ShareOfCell(
        grid, cell, EngramStepperState(simulation->stepper)->results->weight_density, &density));
    /* At rest Phi = w, and Phi is in proportion to H: over the weights beyond, H dw = share. */
    const double spread = density > 0.0 ? 2.0 * fabs(learning) / density * share : 0.0;
    const PetscBool goes_on =
        (PetscBool)(direction * EngramExpressionValue(simulation->model->learning, &zero) > 0.0);
    if (direction * at < 0.0) {
        *reach = goes_on ? direction * MARGIN * sqrt(spread) : 0.0;
    } else {
        *reach = at + direction * MARGIN * (sqrt(at * at + spread) - fabs(at));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode WiderAxisOfWeights(const EngramSimulation *simulation, int end, double share,
                                  double initial, char *text, size_t size)
{
    double reach = 0.0;
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    const double at = EndOf(grid, end);
    const double length = (double)grid->w_cells * grid->w_spacing;
    const double direction = end == ENGRAM_CUT_OFF_W_MIN ? -1.0 : 1.0;
    PetscCall(FindReach(simulation, end, share, &reach));
    double widening = fmax(direction * (reach - at), LEAST_WIDENING * length);
    if (isfinite(initial)) {
        widening = fmax(widening, direction * (initial - at));
    }
    double wanted = at + direction * widening;
    if (direction * at < 0.0 && direction * reach <= 0.0) {
        wanted = 0.0;
    }
    const double unit = pow(10.0, floor(log10(length + widening)) - 1.0);
    wanted = direction * unit * ceil(direction * wanted / unit - 1e-9);
    const double cells = ceil((length + direction * (wanted - at)) / grid->w_spacing - 1e-9);
    (void)snprintf(text, size, "-grid_w_%s %.10g -grid_w_cells %.0f is likely to do",
                   direction < 0.0 ? "min" : "max", wanted, cells);
    PetscFunctionReturn(PETSC_SUCCESS);
}
