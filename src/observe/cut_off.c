/* What the ends of the axes cut off: docs/numerics.md, section 1. */
#include <math.h>

#include "engram/observe/observer.h"

/* Smaller shares of a slice are zero, so that the digits of exact sums stay together. */
static const double SMALLEST_SHARE = 1e-12;

/* Slices with a smaller part of all neurons do not count. */
static const double SMALLEST_PART = 1e-6;

/* Shares from which on drift and noise are kept. */
static const double NOTED_SHARE = 1e-5;

/* Cells at an end of the axis in which weights pile up. */
enum { END_CELLS = 2 };

/* Further down a density that has just come there is not in equilibrium. */
static const double LOWEST_ARGUMENT = -1.5;

/* From here on the bound is as good as the ratio. */
static const double LARGE_ARGUMENT = 3.0;

/** Integral of the normal density beyond x over that density at x. */
static double MillsRatio(double x)
{
    if (x >= LARGE_ARGUMENT) {
        return 4.0 / (3.0 * x + sqrt(x * x + 8.0));
    }
    return sqrt(0.5 * PETSC_PI) * exp(0.5 * x * x) * erfc(x / sqrt(2.0));
}

/** Integral over v < v_0 of the density without a flux, over that at the first node v_0. */
static double TailLength(const EngramSnapshot *snapshot, double mu)
{
    const double noise = snapshot->noise;
    const double drift = snapshot->lowest_drift + mu;
    const double fall = -snapshot->lowest_drift_slope;
    if (fall > 0.0) {
        const double argument = drift / sqrt(noise * fall);
        return sqrt(noise / fall) * MillsRatio(fmax(argument, LOWEST_ARGUMENT));
    }
    return noise / fmax(drift, sqrt(noise));
}

/** The part of a slice that would be below the first node, in h times its density there. */
static double ShareBelow(const EngramSnapshot *snapshot, PetscInt slice)
{
    const double h = snapshot->grid->v_spacing;
    const double lowest = h * snapshot->density[slice];
    const double inside = snapshot->weight_density[slice];
    if (!(lowest > SMALLEST_SHARE * inside)) {
        return 0.0;
    }
    /* The content of the nodes below, as a geometric series. */
    const double below = lowest / expm1(h / TailLength(snapshot, snapshot->drift[slice]));
    return below / (below + inside);
}

/** Of a slice near an end of the axis of w: whether it is held back there. */
static PetscBool IsHeld(const EngramSnapshot *snapshot, PetscInt slice, PetscInt end)
{
    const EngramGrid *grid = snapshot->grid;
    const double velocity = snapshot->learning_velocity[slice];
    if (end == 0) {
        return (PetscBool)(velocity < grid->w_min);
    }
    return (PetscBool)(velocity > grid->w_min + (double)grid->w_cells * grid->w_spacing);
}

/** What is held back at one end of the axis of w. */
static void AddEnd(const EngramSnapshot *snapshot, PetscInt end, EngramExactSum *sum)
{
    const EngramGrid *grid = snapshot->grid;
    for (PetscInt j = 0; j < PetscMin(END_CELLS, grid->w_cells); j++) {
        const PetscInt i = (end == 0 ? j : grid->w_cells - 1 - j) - grid->w_start;
        if (i >= 0 && i < grid->w_local && IsHeld(snapshot, i, end)) {
            EngramExactSumAdd(sum, grid->w_quadrature[i + 1] * snapshot->weight_density[i]);
        }
    }
}

void EngramCutOffAdd(const EngramSnapshot *snapshot, EngramReductionEntry *entries)
{
    const EngramGrid *grid = snapshot->grid;
    if (snapshot->weights_move && grid->w_cells > 1) {
        AddEnd(snapshot, 0, &entries[ENGRAM_CUT_OFF_W_MIN].sum);
        AddEnd(snapshot, 1, &entries[ENGRAM_CUT_OFF_W_MAX].sum);
    }
    for (PetscInt i = 0; snapshot->density && snapshot->drift && i < grid->w_local; i++) {
        const double part = grid->w_quadrature[i + 1] * snapshot->weight_density[i];
        EngramReductionEntry *entry = &entries[ENGRAM_CUT_OFF_V_MIN];
        const double share = ShareBelow(snapshot, i);
        if (share > SMALLEST_SHARE) {
            EngramExactSumAdd(&entry->sum, share * part);
        }
        if (grid->w_spacing * part > SMALLEST_PART) {
            entry->maximum = PetscMax(entry->maximum, -snapshot->drift[i]);
        }
    }
}

void EngramCutOffConclude(const EngramSnapshot *snapshot, EngramReductionEntry *entries,
                          EngramCutOff *cut_off)
{
    for (int i = 0; i < ENGRAM_CUT_OFF_COUNT; i++) {
        cut_off->share[i] = snapshot->grid->w_spacing * EngramExactSumValue(&entries[i].sum);
    }
    cut_off->drift = -entries[ENGRAM_CUT_OFF_V_MIN].maximum;
    cut_off->noise = snapshot->noise;
}

void EngramCutOffNote(const EngramCutOff *present, EngramCutOff *largest)
{
    for (int i = 0; i < ENGRAM_CUT_OFF_COUNT; i++) {
        largest->share[i] = PetscMax(largest->share[i], present->share[i]);
    }
    if (present->share[ENGRAM_CUT_OFF_V_MIN] > NOTED_SHARE) {
        largest->drift = PetscMin(largest->drift, present->drift);
        largest->noise = PetscMax(largest->noise, present->noise);
    }
}
