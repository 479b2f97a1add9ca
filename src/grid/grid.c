#include "engram/grid/grid.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/kernels/slice_step.h"
#include "engram/kernels/transport_fifth.h"

static const EngramOption grid_options[] = {
    {"model_v_threshold", ENGRAM_OPTION_REAL, "2", "potential", "firing threshold V_F",
     ENGRAM_BOUND_NONE, 0},
    {"model_v_reset", ENGRAM_OPTION_REAL, "1", "potential", "reset potential V_R < V_F",
     ENGRAM_BOUND_NONE, 0},
    {"model_v_min", ENGRAM_OPTION_REAL, "-4", "potential",
     "lower end that stands for minus infinity", ENGRAM_BOUND_NONE, 0},
    {"grid_v_cells", ENGRAM_OPTION_INTEGER, "60", "cells",
     "cells of the potential axis from v_min to V_F; V_R must fall on a node",
     ENGRAM_BOUND_AT_LEAST, 3},
    {"grid_v_order", ENGRAM_OPTION_INTEGER, "4", "2 or 4",
     "order in the potential; 2 is the Scharfetter-Gummel scheme of the literature",
     ENGRAM_BOUND_AT_LEAST, 2},
    {"grid_w_min", ENGRAM_OPTION_REAL, "0", "weight", "lower end of the synaptic weights",
     ENGRAM_BOUND_NONE, 0},
    {"grid_w_max", ENGRAM_OPTION_REAL, "1", "weight",
     "upper end of the synaptic weights; equal to the lower end for one single weight",
     ENGRAM_BOUND_NONE, 0},
    {"grid_w_cells", ENGRAM_OPTION_INTEGER, "256", "cells",
     "cells of the weight axis, divided among the ranks", ENGRAM_BOUND_AT_LEAST, 1},
};

const EngramOptionTable EngramGridOptions = {"Grid", grid_options,
                                             (int)(sizeof(grid_options) / sizeof(grid_options[0]))};

PetscErrorCode EngramGridParametersGet(EngramOptions options, EngramGridParameters *parameters)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetReal(options, "model_v_threshold", &parameters->v_threshold));
    PetscCall(EngramOptionsGetReal(options, "model_v_reset", &parameters->v_reset));
    PetscCall(EngramOptionsGetReal(options, "model_v_min", &parameters->v_min));
    PetscCall(EngramOptionsGetInteger(options, "grid_v_cells", &parameters->v_cells));
    PetscCall(EngramOptionsGetInteger(options, "grid_v_order", &parameters->v_order));
    if (parameters->v_order != 2 && parameters->v_order != 4) {
        PetscCall(EngramInputError("-grid_v_order %" PetscInt_FMT ": must be 2 or 4",
                                   parameters->v_order));
    }
    PetscCall(EngramOptionsGetReal(options, "grid_w_min", &parameters->w_min));
    PetscCall(EngramOptionsGetReal(options, "grid_w_max", &parameters->w_max));
    PetscCall(EngramOptionsGetInteger(options, "grid_w_cells", &parameters->w_cells));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt EngramGridCellsBelowReset(const EngramGridParameters *parameters, PetscInt v_cells)
{
    const double share =
        (parameters->v_reset - parameters->v_min) / (parameters->v_threshold - parameters->v_min);
    const double cells = share * (double)v_cells;
    const double nearest = round(cells);
    if (fabs(cells - nearest) > 1e-9 * (double)v_cells || nearest < 1.0) {
        return -1;
    }
    return (PetscInt)nearest;
}

/** The nearest count of cells that works in one direction, or 0. */
static PetscInt NearestCount(const EngramGridParameters *parameters, PetscInt direction)
{
    const PetscInt last = 2 * parameters->v_cells + 1000;
    for (PetscInt cells = parameters->v_cells + direction; cells >= 3 && cells <= last;
         cells += direction) {
        if (EngramGridCellsBelowReset(parameters, cells) > 0) {
            return cells;
        }
    }
    return 0;
}

static PetscErrorCode RefuseResetBetweenNodes(const EngramGridParameters *parameters)
{
    const PetscInt below = NearestCount(parameters, -1);
    const PetscInt above = NearestCount(parameters, 1);
    PetscFunctionBeginUser;
    if (!below && !above) {
        PetscCall(EngramInputError("-grid_v_cells %" PetscInt_FMT ": V_R = %g falls between two "
                                   "nodes, and no count near it works: choose -model_v_min such "
                                   "that (V_R - v_min)/(V_F - v_min) is a simple fraction",
                                   parameters->v_cells, parameters->v_reset));
    } else if (!below) {
        PetscCall(EngramInputError("-grid_v_cells %" PetscInt_FMT ": V_R = %g falls between two "
                                   "nodes; the nearest count that works is %" PetscInt_FMT,
                                   parameters->v_cells, parameters->v_reset, above));
    } else {
        PetscCall(EngramInputError("-grid_v_cells %" PetscInt_FMT ": V_R = %g falls between two "
                                   "nodes; the nearest counts that work are %" PetscInt_FMT
                                   " and %" PetscInt_FMT,
                                   parameters->v_cells, parameters->v_reset, below, above));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramGridCheck(const EngramGridParameters *parameters, PetscInt ranks)
{
    PetscFunctionBeginUser;
    if (!(parameters->v_reset < parameters->v_threshold)) {
        PetscCall(EngramInputError("-model_v_reset %g: must lie below -model_v_threshold %g",
                                   parameters->v_reset, parameters->v_threshold));
    }
    if (!(parameters->v_min < parameters->v_reset)) {
        PetscCall(EngramInputError("-model_v_min %g: must lie below -model_v_reset %g",
                                   parameters->v_min, parameters->v_reset));
    }
    if (EngramGridCellsBelowReset(parameters, parameters->v_cells) < 0) {
        PetscCall(RefuseResetBetweenNodes(parameters));
    }
    const PetscBool is_point = (PetscBool)(parameters->w_min == parameters->w_max);
    if (parameters->w_max < parameters->w_min || (is_point && parameters->w_cells > 1)) {
        PetscCall(EngramInputError("-grid_w_max %g: must lie above -grid_w_min %g (they may be "
                                   "equal with -grid_w_cells 1)",
                                   parameters->w_max, parameters->w_min));
    }
    const double cells =
        ceil((double)parameters->w_cells / (double)ranks) + 2.0 * ENGRAM_SLICE_PADDING;
    if (cells * (double)parameters->v_cells > (double)PETSC_MAX_INT) {
        PetscCall(EngramInputError("-grid_w_cells %" PetscInt_FMT ", -grid_v_cells %" PetscInt_FMT
                                   ": a rank would hold %g cells, more than PETSc's integers of %d "
                                   "bits can count; start more ranks",
                                   parameters->w_cells, parameters->v_cells,
                                   cells * (double)parameters->v_cells,
                                   (int)(8 * sizeof(PetscInt))));
    }
    if (ranks > parameters->w_cells) {
        PetscCall(EngramInputError("-grid_w_cells %" PetscInt_FMT
                                   ": fewer cells than the %" PetscInt_FMT " ranks "
                                   "of this run; start at most %" PetscInt_FMT " ranks",
                                   parameters->w_cells, ranks, parameters->w_cells));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Distance of two rows: whole vectors, and no power of two, which would crowd few cache sets. */
static PetscInt RowStride(PetscInt cells)
{
    const PetscInt padding = ENGRAM_SLICE_PADDING;
    const PetscInt stride = (cells + padding - 1) / padding * padding;
    return stride % 64 == 0 ? stride + padding : stride;
}

static PetscErrorCode FillWeights(EngramGrid *grid)
{
    const PetscInt cells = grid->w_local;
    const double w_min = grid->w_min;
    PetscFunctionBeginUser;
    PetscCall(PetscMalloc1(cells + 2, &grid->w));
    PetscCall(PetscMalloc1(cells + 3, &grid->w_left_face));
    for (PetscInt i = 0; i < cells + 3; i++) {
        const PetscInt face = grid->w_start + i - 1;
        const PetscBool is_inside = (PetscBool)(face > 0 && face < grid->w_cells);
        grid->w_left_face[i] = is_inside ? w_min + (double)face * grid->w_spacing : NAN;
        if (i < cells + 2) {
            grid->w[i] = w_min + ((double)face + 0.5) * grid->w_spacing;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Weight of a cell in integrals over w. The midpoint rule leaves an error at each end, in the first
 * and the third derivative there; the four weights take it out for every cubic polynomial
 * (docs/numerics.md, section 7).
 */
static double QuadratureWeight(const EngramGridParameters *parameters, PetscInt cell)
{
    static const double at_end[ENGRAM_TRANSPORT_FIFTH_END_CELLS] = {
        6463.0 / 5760.0, 1457.0 / 1920.0, 741.0 / 640.0, 5537.0 / 5760.0};
    const PetscInt place = PetscMin(cell, parameters->w_cells - 1 - cell);
    const PetscBool is_at_end = (PetscBool)(parameters->w_order == 5 &&
                                            parameters->w_cells >= ENGRAM_TRANSPORT_FIFTH_CELLS &&
                                            place >= 0 && place < ENGRAM_TRANSPORT_FIFTH_END_CELLS);
    return is_at_end ? at_end[place] : 1.0;
}

static PetscErrorCode FillQuadrature(const EngramGridParameters *parameters, EngramGrid *grid)
{
    PetscFunctionBeginUser;
    PetscCall(PetscMalloc1(grid->w_local + 2, &grid->w_quadrature));
    for (PetscInt i = 0; i < grid->w_local + 2; i++) {
        grid->w_quadrature[i] = QuadratureWeight(parameters, grid->w_start + i - 1);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramGridCreate(MPI_Comm comm, const EngramGridParameters *parameters,
                                EngramGrid **grid)
{
    EngramGrid *made = NULL;
    PetscFunctionBeginUser;
    *grid = NULL;
    PetscMPIInt size = 0;
    PetscCallMPI(MPI_Comm_size(comm, &size));
    PetscCall(EngramGridCheck(parameters, size));
    PetscCall(PetscNew(&made));
    *grid = made;
    made->comm = comm;
    PetscCallMPI(MPI_Comm_rank(comm, &made->rank));
    PetscCallMPI(MPI_Comm_size(comm, &made->size));
    made->v_min = parameters->v_min;
    made->v_nodes = parameters->v_cells - 1;
    made->v_order = parameters->v_order;
    made->v_spacing = (parameters->v_threshold - parameters->v_min) / (double)parameters->v_cells;
    made->reset_node = EngramGridCellsBelowReset(parameters, parameters->v_cells) - 1;

    const PetscInt share = parameters->w_cells / made->size;
    const PetscInt extra = parameters->w_cells % made->size;
    made->w_cells = parameters->w_cells;
    made->w_local = share + (made->rank < extra ? 1 : 0);
    made->w_start = share * made->rank + (made->rank < extra ? made->rank : extra);
    made->w_stride = RowStride(made->w_local);
    const double range = parameters->w_max - parameters->w_min;
    made->w_spacing = range > 0.0 ? range / (double)parameters->w_cells : 1.0;
    made->w_min = range > 0.0 ? parameters->w_min : parameters->w_min - 0.5;
    PetscCall(FillWeights(made));
    PetscCall(FillQuadrature(parameters, made));
    PetscFunctionReturn(PETSC_SUCCESS);
}

double EngramGridPotential(const EngramGrid *grid, PetscInt node)
{
    return grid->v_min + (double)(node + 1) * grid->v_spacing;
}

double EngramGridWeight(const EngramGrid *grid, PetscInt cell)
{
    return grid->w_min + ((double)cell + 0.5) * grid->w_spacing;
}

void EngramGridAddToSum(const EngramGrid *grid, const double *values, EngramExactSum *sum)
{
    const double *quadrature = grid->w_quadrature + 1;
    PetscInt begin = 0;
    PetscInt end = grid->w_local;
    for (; begin < end && quadrature[begin] != 1.0; begin++) {
        EngramExactSumAdd(sum, quadrature[begin] * values[begin]);
    }
    for (; end > begin && quadrature[end - 1] != 1.0; end--) {
        EngramExactSumAdd(sum, quadrature[end - 1] * values[end - 1]);
    }
    EngramExactSumAddArray(sum, values + begin, end - begin);
}

PetscErrorCode EngramGridDestroy(EngramGrid **grid)
{
    PetscFunctionBeginUser;
    if (!*grid) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(PetscFree((*grid)->w));
    PetscCall(PetscFree((*grid)->w_left_face));
    PetscCall(PetscFree((*grid)->w_quadrature));
    PetscCall(PetscFree(*grid));
    PetscFunctionReturn(PETSC_SUCCESS);
}
