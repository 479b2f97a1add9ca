#include "coarse_grids.h"

#include <math.h>
#include <stdio.h>

#include "engram/base/error.h"
#include "engram/kernels/transport_fifth.h"
#include "protocol.h"

/* Fewest cells of the coarsest grid, on which the scheme still shows its order, more or less. */
enum { FEWEST_W_CELLS = 5, FEWEST_V_CELLS = 12 };

/* Fewest fixed steps, of which the coarsest run takes a quarter. */
enum { FEWEST_STEPS = 8 };

/* The error of adaptive steps goes with the tolerance, but on average only: a factor that is large
 * enough to be seen in a difference, and small enough for tolerances that mean something. */
static const double TOLERANCE_GROWTH = 4.0;

/* No part of the error grows less than that of time. */
static const double LARGEST_GROWTH = 4.0;

/* Few cells show no higher order in w than this, and fronts none at all. */
static const double SHOWN_ORDER = 2.5;

/* Fixed steps, and those that end at the output, become twice as long, so that runs meet. */
static const double STEP_GROWTH = 2.0;

/* Rounding must not take a cell away. */
static const double ROUNDING = 1e-9;

/** Orders of the parts of the error. */
typedef struct Orders {
    double v;
    double w;
    double time;
} Orders;

/** Whether weights change at any time of the run. */
static PetscBool Learns(const EngramSimulation *simulation)
{
    const Protocol *protocol = simulation->protocol;
    PetscBool learns = simulation->model->phase.plasticity;
    for (int i = 0; i < protocol->count; i++) {
        learns = (PetscBool)(learns || protocol->phase[i].model.plasticity);
    }
    return learns;
}

/** Frozen weights leave of w the sums over cells, which are of second order. */
static Orders OrdersOf(const EngramSimulation *simulation)
{
    const EngramTimeParameters *time = &simulation->time;
    const PetscBool is_harmonic = (PetscBool)(simulation->model->flux == ENGRAM_FLUX_HARMONIC);
    const double transport = (double)time->transport.order;
    return (Orders){
        .v = is_harmonic ? 2.0 : (double)simulation->grid->v_order,
        .w = PetscMin(Learns(simulation) ? transport : PetscMax(transport, 2.0), SHOWN_ORDER),
        .time = time->is_adaptive ? (double)ENGRAM_TIME_THIRD_ORDER : (double)time->scheme,
    };
}

/** Largest count of cells of v up to a bound with which V_R is a node, or 0. */
static PetscInt CellsOfV(const EngramGridParameters *parameters, double bound)
{
    PetscInt cells = (PetscInt)floor(bound);
    while (cells >= FEWEST_V_CELLS && EngramGridCellsBelowReset(parameters, cells) < 0) {
        cells--;
    }
    return cells >= FEWEST_V_CELLS ? cells : 0;
}

/** Grid and steps whose error is larger by a factor, from `level` times R. */
static CoarseGrid Coarsen(const EngramSimulation *simulation, const EngramGridParameters *fine,
                          const Orders *orders, double growth, int level)
{
    const EngramTimeParameters *time = &simulation->time;
    const double factor = pow(growth, level);
    const double w_cells = (double)fine->w_cells / pow(factor, 1.0 / orders->w) + ROUNDING;
    const double tolerance = time->tolerance * pow(TOLERANCE_GROWTH, level);
    return (CoarseGrid){
        .v_cells = CellsOfV(fine, (double)fine->v_cells / pow(factor, 1.0 / orders->v) + ROUNDING),
        .w_cells = fine->w_cells > 1 ? (PetscInt)floor(w_cells) : 1,
        .step = time->step * pow(STEP_GROWTH, level),
        .tolerance = PetscMin(tolerance, 1.0),
        .interval = pow(STEP_GROWTH, level),
    };
}

/** Says why the coarsest grid is none, if so. */
static void Refuse(const EngramSimulation *simulation, const EngramGridParameters *fine,
                   const CoarseGrid *coarsest, char *reason, size_t size)
{
    const PetscInt64 steps = ProtocolSteps(simulation);
    const PetscInt fewest =
        simulation->time.transport.order == 5 ? ENGRAM_TRANSPORT_FIFTH_CELLS : FEWEST_W_CELLS;
    reason[0] = '\0';
    if (coarsest->v_cells == 0) {
        (void)snprintf(reason, size,
                       "-grid_v_cells %" PetscInt_FMT ": no coarser count of at least %d cells has "
                       "V_R on a node",
                       fine->v_cells, (int)FEWEST_V_CELLS);
    } else if (fine->w_cells > 1 && coarsest->w_cells < fewest) {
        (void)snprintf(reason, size,
                       "-grid_w_cells %" PetscInt_FMT
                       ": the coarsest grid would have %" PetscInt_FMT " cells of w, and needs %d",
                       fine->w_cells, coarsest->w_cells, (int)fewest);
    } else if (coarsest->w_cells < simulation->grid->size) {
        (void)snprintf(reason, size,
                       "the coarsest grid has %" PetscInt_FMT
                       " cells of w, fewer than the %d ranks "
                       "of this run",
                       coarsest->w_cells, simulation->grid->size);
    } else if (!simulation->time.is_adaptive && steps < FEWEST_STEPS) {
        (void)snprintf(reason, size,
                       "%" PetscInt64_FMT " fixed steps are too few to take longer ones; at least "
                       "%d are needed",
                       steps, (int)FEWEST_STEPS);
    }
}

PetscErrorCode CoarseGridsChoose(const EngramSimulation *simulation, CoarseGrids *grids,
                                 char *reason, size_t size)
{
    EngramGridParameters fine;
    PetscFunctionBeginUser;
    PetscCall(EngramGridParametersGet(simulation->options, &fine));
    const Orders orders = OrdersOf(simulation);
    double lowest = PetscMin(orders.v, orders.time);
    lowest = fine.w_cells > 1 ? PetscMin(lowest, orders.w) : lowest;
    grids->growth = PetscMin(pow(2.0, lowest), LARGEST_GROWTH);
    for (int i = 0; i < COARSE_GRIDS; i++) {
        grids->grid[i] = Coarsen(simulation, &fine, &orders, grids->growth, i + 1);
    }
    Refuse(simulation, &fine, &grids->grid[COARSE_GRIDS - 1], reason, size);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CoarseGridVary(const EngramSimulation *simulation, const CoarseGrid *grid)
{
    EngramOptions options = simulation->options;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsVaryInteger(options, "grid_v_cells", grid->v_cells));
    PetscCall(EngramOptionsVaryInteger(options, "grid_w_cells", grid->w_cells));
    if (simulation->time.is_adaptive) {
        PetscCall(EngramOptionsVaryReal(options, "time_tolerance", grid->tolerance));
    } else {
        PetscCall(EngramOptionsVaryReal(options, "time_step", grid->step));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
