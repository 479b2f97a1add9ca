#include "initial_resolution.h"

#include <math.h>

#include "engram/base/error.h"

/* Largest difference of the sums, relative: a Gaussian bump with a standard deviation of 0.43
 * cells, or the edges of one that is 20 cells wide. */
static const double LARGEST_DIFFERENCE = 0.05;

/* Lines along each axis: evenly spaced ones, and that through the largest value. */
enum { EVEN_LINES = 4, LINES = EVEN_LINES + 1 };

/* Finer points: as many as make a line, at least as many for a cell, at most. Odd, so that the
 * nodes and the centres of cells are among them. */
enum { FINE_POINTS = 4096, FEWEST_PER_CELL = 9, MOST_PER_CELL = 129 };

/** One axis. */
typedef struct Axis {
    EngramExpression density;
    int variable; /* 0: w, 1: v */
    double begin;
    double end;
    PetscInt cells;
    double place[LINES]; /* of the lines, on the other axis */
} Axis;

/** Value of the density, or 0 where it is none. */
static double ValueAt(const Axis *axis, int line, double x)
{
    double variables[2] = {axis->place[line], axis->place[line]};
    variables[axis->variable] = x;
    const double value = EngramExpressionValue(axis->density, variables);
    return isfinite(value) ? fmax(value, 0.0) : 0.0;
}

/** Integral over a line: by the nodes of cells of v, or by the centres of cells of w. */
static double Integral(const Axis *axis, int line, PetscInt cells)
{
    const double step = (axis->end - axis->begin) / (double)cells;
    const double offset = axis->variable == 0 ? 0.5 : 0.0;
    double sum = 0.0;
    for (PetscInt i = 0; i < cells; i++) {
        sum += ValueAt(axis, line, axis->begin + ((double)i + offset) * step);
    }
    if (axis->variable == 1) {
        sum += 0.5 * (ValueAt(axis, line, axis->end) - ValueAt(axis, line, axis->begin));
    }
    return step * sum;
}

/** By how much cells miss the integrals of all lines, relative. */
static double Difference(const Axis *axis, PetscInt cells, const double *fine)
{
    double missed = 0.0;
    double all = 0.0;
    for (int line = 0; line < LINES; line++) {
        missed += fabs(Integral(axis, line, cells) - fine[line]);
        all += fine[line];
    }
    return all > 0.0 ? missed / all : 0.0;
}

static PetscErrorCode WarnOfAxis(const Axis *axis)
{
    double fine[LINES];
    PetscFunctionBeginUser;
    const char name = axis->variable == 0 ? 'w' : 'v';
    PetscInt points = FINE_POINTS / axis->cells;
    points = PetscMin(PetscMax(points, FEWEST_PER_CELL), MOST_PER_CELL) | 1;
    for (int line = 0; line < LINES; line++) {
        fine[line] = Integral(axis, line, points * axis->cells);
    }
    const double difference = Difference(axis, axis->cells, fine);
    if (!(difference > LARGEST_DIFFERENCE)) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscInt cells = 2 * axis->cells;
    while (cells < points * axis->cells / 2 && Difference(axis, cells, fine) > LARGEST_DIFFERENCE) {
        cells *= 2;
    }
    const PetscBool is_seen = (PetscBool) !(Difference(axis, cells, fine) > LARGEST_DIFFERENCE);
    PetscCall(EngramWarning("-initial_density \"%s\": has parts narrower than the cells of %c: "
                            "sums over the grid differ from those over finer points by %.2g %%; "
                            "-grid_%c_cells %" PetscInt_FMT " would %s",
                            EngramExpressionText(axis->density), name, 100.0 * difference, name,
                            cells, is_seen ? "see them" : "not do either"));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Where the density is largest, among the nodes of all ranks: w and v. */
static PetscErrorCode FindLargest(const EngramSimulation *simulation, double *place)
{
    struct {
        double value;
        int rank;
    } largest = {0.0, simulation->grid->rank};
    PetscFunctionBeginUser;
    const EngramGrid *grid = simulation->grid;
    for (PetscInt i = 0; i < grid->w_local; i++) {
        for (PetscInt k = 0; k < grid->v_nodes; k++) {
            const double variables[2] = {grid->w[i + 1], EngramGridPotential(grid, k)};
            const double value = EngramExpressionValue(simulation->model->initial, variables);
            if (value > largest.value) {
                largest.value = value;
                place[0] = variables[0];
                place[1] = variables[1];
            }
        }
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE_INT, MPI_MAXLOC, grid->comm));
    PetscCallMPI(MPI_Bcast(place, 2, MPI_DOUBLE, largest.rank, grid->comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InitialResolutionWarn(const EngramSimulation *simulation)
{
    double largest[2] = {0.0, 0.0};
    PetscFunctionBeginUser;
    if (EngramStepperState(simulation->stepper)->time > 0.0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const EngramGrid *grid = simulation->grid;
    const double length = (double)grid->w_cells * grid->w_spacing;
    Axis v = {.density = simulation->model->initial,
              .variable = 1,
              .begin = grid->v_min,
              .end = EngramGridPotential(grid, grid->v_nodes),
              .cells = grid->v_nodes + 1};
    Axis w = {.density = simulation->model->initial,
              .variable = 0,
              .begin = grid->w_min,
              .end = grid->w_min + length,
              .cells = grid->w_cells};
    PetscCall(FindLargest(simulation, largest));
    for (int line = 0; line < EVEN_LINES; line++) {
        v.place[line] = EngramGridWeight(grid, (2 * line + 1) * grid->w_cells / (2 * EVEN_LINES));
        w.place[line] =
            EngramGridPotential(grid, (2 * line + 1) * grid->v_nodes / (2 * EVEN_LINES));
    }
    v.place[EVEN_LINES] = largest[0];
    w.place[EVEN_LINES] = largest[1];
    PetscCall(WarnOfAxis(&v));
    if (grid->w_cells > 1) {
        PetscCall(WarnOfAxis(&w));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
