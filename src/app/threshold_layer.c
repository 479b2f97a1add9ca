#include "threshold_layer.h"

#include <math.h>

#include "engram/base/error.h"

/* Thinner layers are not seen: docs/verification.md, "What an unseen layer costs". */
static const double LARGEST_PECLET = 2.0;

/* Slices with a smaller part of all neurons do not count. */
static const double SMALLEST_PART = 1e-6;

void ThresholdLayerLook(EngramSliceSolver solver, const EngramSnapshot *snapshot,
                        ThresholdLayer *layer)
{
    const EngramGrid *grid = snapshot->grid;
    const double fewest = SMALLEST_PART / grid->w_spacing;
    for (PetscInt i = 0; i < grid->w_local; i++) {
        const double peclet = EngramSliceSolverPeclet(solver, i);
        if (peclet > layer->peclet && snapshot->weight_density[i] > fewest) {
            layer->peclet = peclet;
            layer->weight = grid->w[i + 1];
        }
    }
}

PetscErrorCode ThresholdLayerWarn(const EngramGrid *grid, ThresholdLayer *layer)
{
    struct {
        double peclet;
        int rank;
    } thinnest = {layer->peclet, grid->rank};
    double weight = layer->weight;
    PetscFunctionBeginUser;
    if (layer->has_warned) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &thinnest, 1, MPI_DOUBLE_INT, MPI_MAXLOC, grid->comm));
    if (thinnest.peclet > LARGEST_PECLET) {
        PetscCallMPI(MPI_Bcast(&weight, 1, MPI_DOUBLE, thinnest.rank, grid->comm));
        layer->has_warned = PETSC_TRUE;
        PetscCall(EngramWarning(
            "-grid_v_cells %" PetscInt_FMT ": the layer at V_F through which neurons of weight %g "
            "fire is thinner than half a cell: its cell Peclet number h (mu + f(V_F))/a is %.3g, "
            "above 2; their rates are of second order in h. About %.6g cells, or more noise, "
            "would show it",
            grid->v_nodes + 1, weight, thinnest.peclet,
            ceil((double)(grid->v_nodes + 1) * thinnest.peclet)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
