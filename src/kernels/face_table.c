#include "engram/kernels/face_table.h"

#include <stdlib.h>

#include "face_weights.h"

/* A factored table multiplies e^{+-100} by e^{+-250}: far from overflow even after the products of
 * the elimination, and clamping drifts further out than that changes weights by e^-150 at most. */
static const double MAXIMUM_FACTORED_FACE = 100.0;
static const double FACTORED_DRIFT_BOUND = 250.0;

/** The tables for the noise that is set. */
static void Tabulate(EngramFaceTable *table)
{
    const double half_range = 0.5 * (table->nodes + 1) * table->spacing;
    table->reference = table->v_min + half_range;
    table->factored = half_range * table->spacing / table->noise <= MAXIMUM_FACTORED_FACE;
    for (int k = 0; k < table->nodes; k++) {
        const double face = table->v_min + (k + 1.5) * table->spacing;
        table->scaled_face[k] = (face - table->reference) * (table->spacing / table->noise);
        table->face_factor[k] = table->factored ? exp(-table->scaled_face[k]) : 1.0;
    }
}

int EngramFaceTableCreate(EngramFaceTable *table, int nodes, int reset_node, double v_min,
                          double spacing, double noise, EngramFlux flux)
{
    table->nodes = nodes;
    table->reset_node = reset_node;
    table->v_min = v_min;
    table->spacing = spacing;
    table->noise = noise;
    table->flux = flux;
    table->refractory = 0.0;
    table->drift_bound = FACTORED_DRIFT_BOUND;
    table->scaled_face = malloc((size_t)nodes * sizeof(double));
    table->face_factor = malloc((size_t)nodes * sizeof(double));
    if (!table->scaled_face || !table->face_factor) {
        EngramFaceTableDestroy(table);
        return 1;
    }
    Tabulate(table);
    return 0;
}

void EngramFaceTableSetNoise(EngramFaceTable *table, double noise)
{
    if (noise != table->noise) {
        table->noise = noise;
        Tabulate(table);
    }
}

void EngramFaceTableSetRefractory(EngramFaceTable *table, double refractory)
{
    table->refractory = refractory;
}

int EngramFaceTableRows(const EngramFaceTable *table)
{
    return table->refractory > 0.0 ? table->nodes + 1 : table->nodes;
}

void EngramFaceTableDestroy(EngramFaceTable *table)
{
    if (!table) {
        return;
    }
    free(table->scaled_face);
    free(table->face_factor);
    table->scaled_face = NULL;
    table->face_factor = NULL;
}

void EngramFaceWeights(const EngramFaceTable *table, int face, ptrdiff_t slices,
                       const double *drift, double *up, double *down)
{
    for (ptrdiff_t i = 0; i < slices; i++) {
        const double scaled = EngramScaledDrift(table, drift[i]);
        const double q = scaled - table->scaled_face[face];
        const EngramEvaluation evaluation = EngramEvaluationOf(table);
        const double slice_factor = EngramSliceFactor(table, evaluation, scaled);
        const EngramFaceWeight weight =
            EngramWeightOfFace(evaluation, slice_factor, table->face_factor[face], q);
        up[i] = weight.forward / weight.gap;
        down[i] = weight.backward / weight.gap;
    }
}
