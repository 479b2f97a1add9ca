#include "initial_edges.h"

#include <math.h>

/* Nodes that a derivative at one side of a point needs, the point among them. */
enum { STENCIL = 5 };

static const double SIDE[STENCIL] = {25.0, -48.0, 36.0, -16.0, 3.0};

/* Of h p(V_F). */
static const double FIRED = 11.0 / 72.0;
static const double NEAR_THRESHOLD[3] = {5.0 / 6.0, -17.0 / 24.0, 2.0 / 9.0};

/** h times the derivative at node k from the nodes on one side; `direction` is 1 or -1. */
static double SlopeOfSide(const double *values, PetscInt k, PetscInt direction)
{
    double sum = 0.0;
    for (PetscInt j = 0; j < STENCIL; j++) {
        sum += SIDE[j] * values[k + direction * j];
    }
    return (double)-direction * sum / 12.0;
}

/** By how much the slope rises at V_R, times h, as far as it is that of a density that fires. */
static double RiseAtReset(const EngramGrid *grid, const double *values, double slope_at_threshold)
{
    const PetscInt reset = grid->reset_node;
    if (reset < STENCIL - 1 || grid->v_nodes - reset < STENCIL - 1) {
        return 0.0;
    }
    const double rise = SlopeOfSide(values, reset, 1) - SlopeOfSide(values, reset, -1);
    return fmin(0.0, fmax(rise, slope_at_threshold));
}

void InitialEdgesAdd(const EngramModel *model, const EngramGrid *grid, double *profile,
                     const EngramDensity *density, double *threshold_slope)
{
    const PetscInt nodes = grid->v_nodes;
    const PetscInt arrives_at = density->rows > nodes ? nodes : grid->reset_node;
    for (PetscInt i = 0; i < grid->w_local && nodes >= STENCIL; i++) {
        const double place[2] = {grid->w[i + 1], EngramGridPotential(grid, nodes)};
        const double value = EngramExpressionValue(model->initial, place);
        double *slice = density->values + i;
        for (PetscInt k = 0; k < nodes; k++) {
            profile[k] = slice[k * grid->w_stride];
        }
        profile[nodes] = isfinite(value) ? fmax(value, 0.0) : 0.0;
        const double slope = SlopeOfSide(profile, nodes, -1);
        const double rise = RiseAtReset(grid, profile, slope);
        for (PetscInt j = 1; j <= 3; j++) {
            double *value_at = &slice[(nodes - j) * grid->w_stride];
            *value_at = fmax(0.0, *value_at + NEAR_THRESHOLD[j - 1] * profile[nodes]);
        }
        const double fired = FIRED * profile[nodes] - slope / 12.0;
        slice[arrives_at * grid->w_stride] += fmax(0.0, fired + rise / 12.0);
        threshold_slope[i] = 12.0 / grid->v_spacing * fmax(0.0, fired);
    }
}
