#include "engram/kernels/face_table.h"

#include <math.h>
#include <stdlib.h>

#include "face_weights.h"

/* The polynomials for m and up to which |q| they are as exact as a double. */
static const struct {
    double largest_q;
    int degree;
} RANGES[] = {{0.107, 2}, {0.27, 3}, {1.0, 6}, {2.5, 10}, {4.0, ENGRAM_FACE_DEGREE}};
enum { RANGE_COUNT = sizeof(RANGES) / sizeof(RANGES[0]) };

/* A range is large enough where the drift of the network may be so many times what that of the
 * neuron is at either end of the axis. */
static const double ROOM_FOR_DRIFT = 2.8;

/* A drift that rises so steeply is not resolved by the grid; below, c would make g negative. */
static const double STEEPEST_RISE = -6.0;

/* Beyond it the mean of e^{s x^2} has its asymptotic value. */
static const double LARGE_SLOPE = 64.0;

static const long double PI = 3.14159265358979323846264L;

/** g at q = 0: e^{s/4} over the mean of e^{s x^2}, by the power series of the latter. */
static double FactorWithoutDrift(double s)
{
    if (s > LARGE_SLOPE) {
        return 0.5 * s / (1.0 + 2.0 / s + 12.0 / (s * s));
    }
    double power = 1.0;
    double mean = 1.0;
    for (int i = 1; fabs(power) > 1e-17 * mean; i++) {
        power *= 0.25 * s / i;
        mean += power / (2 * i + 1);
    }
    return exp(0.25 * s) / mean;
}

/** m = 2 (E - 1)/q^2 as a function of q^2. */
static long double MeanAt(long double square)
{
    if (square < 0.01L) {
        const long double rest =
            1.0L / 15120.0L - square * (1.0L / 604800.0L - square / 23950080.0L);
        return 1.0L / 6.0L - square * (1.0L / 360.0L - square * rest);
    }
    const long double half = 0.5L * sqrtl(square);
    return 2.0L * (half / tanhl(half) - 1.0L) / square;
}

/** The polynomial through the values of m at Chebyshev points of [0, range], in powers. */
static void FitMean(double range, int degree, double *coefficients)
{
    enum { POINTS = ENGRAM_FACE_DEGREE + 1 };
    long double at[POINTS];
    long double divided[POINTS] = {0.0L};
    long double sum[POINTS] = {0.0L};
    const int points = degree + 1;
    for (int i = 0; i < points; i++) {
        at[i] = 0.5L * (1.0L - cosl(PI * ((long double)i + 0.5L) / (long double)points));
        divided[i] = MeanAt(range * at[i]);
    }
    for (int k = 1; k < points; k++) {
        for (int i = points - 1; i >= k; i--) {
            divided[i] = (divided[i] - divided[i - 1]) / (at[i] - at[i - k]);
        }
    }
    sum[0] = divided[points - 1];
    for (int k = points - 2; k >= 0; k--) {
        for (int i = points - 1 - k; i >= 1; i--) {
            sum[i] = sum[i - 1] - at[k] * sum[i];
        }
        sum[0] = divided[k] - at[k] * sum[0];
    }
    long double scale = 1.0L;
    for (int i = 0; i < points; i++) {
        coefficients[i] = (double)(sum[i] * scale);
        scale /= (long double)range;
    }
}

/** Chooses the polynomial by the extent of the positions. */
static void ChoosePolynomial(EngramFaceTable *table)
{
    const double wanted = ROOM_FOR_DRIFT * 0.5 * (table->highest - table->lowest);
    int choice = 0;
    while (choice < RANGE_COUNT - 1 && RANGES[choice].largest_q < wanted) {
        choice++;
    }
    if (table->largest_q != RANGES[choice].largest_q) {
        table->largest_q = RANGES[choice].largest_q;
        table->degree = RANGES[choice].degree;
        FitMean(table->largest_q * table->largest_q, table->degree, table->mean);
    }
}

/** f on the straight line of a cell, so many cells to the right of its middle. */
static double DriftAt(const EngramFaceTable *table, int face, double cells)
{
    return table->drift[face] + cells * table->spacing * table->drift_slope[face];
}

/** What is tabulated for the noise, the order and the drift that are set. */
static void Tabulate(EngramFaceTable *table)
{
    const double h = table->spacing;
    const int has_slope = table->order == 4;
    double last = 0.0;
    double curve = 0.0;
    table->kappa = h * h / (12.0 * table->noise);
    table->lowest = INFINITY;
    table->highest = -INFINITY;
    table->largest_factor = 1.0;
    for (int k = 0; k < table->nodes; k++) {
        EngramFace *face = &table->faces[k];
        face->position = -table->drift[k] * (h / table->noise);
        table->lowest = fmin(table->lowest, face->position);
        table->highest = fmax(table->highest, face->position);
        const double s =
            has_slope ? fmax(-table->drift_slope[k] * h * h / (2.0 * table->noise), STEEPEST_RISE)
                      : 0.0;
        if (s != last) {
            curve = 36.0 * (FactorWithoutDrift(s) - 1.0 - s / 6.0);
            last = s;
        }
        table->largest_factor = fmax(table->largest_factor, 1.0 + s / 6.0 + curve / 36.0);
        face->slope = s / 24.0;
        face->curve = curve / 24.0;
    }
    const int reset = table->reset_node;
    const double at_reset =
        reset > 0 ? 0.5 * (DriftAt(table, reset - 1, 0.5) + DriftAt(table, reset, -0.5))
                  : DriftAt(table, 0, -0.5);
    table->threshold_position = -DriftAt(table, table->nodes - 1, 0.5) * (h / table->noise);
    table->lowest = fmin(table->lowest, table->threshold_position);
    table->highest = fmax(table->highest, table->threshold_position);
    table->reset_position = -at_reset * (h / table->noise);
    ChoosePolynomial(table);
}

int EngramFaceTableCreate(EngramFaceTable *table, int nodes, int reset_node, double v_min,
                          double spacing, double noise, EngramFlux flux)
{
    *table = (EngramFaceTable){.nodes = nodes,
                               .reset_node = reset_node,
                               .v_min = v_min,
                               .spacing = spacing,
                               .noise = noise,
                               .flux = flux,
                               .order = 2};
    table->faces = malloc((size_t)nodes * sizeof(EngramFace));
    table->drift = malloc((size_t)nodes * sizeof(double));
    table->drift_slope = malloc((size_t)nodes * sizeof(double));
    if (!table->faces || !table->drift || !table->drift_slope) {
        EngramFaceTableDestroy(table);
        return 1;
    }
    for (int k = 0; k < nodes; k++) {
        table->drift[k] = -(v_min + (k + 1.5) * spacing);
        table->drift_slope[k] = -1.0;
    }
    Tabulate(table);
    return 0;
}

void EngramFaceTableSetDrift(EngramFaceTable *table, const double *drift, const double *slope)
{
    for (int k = 0; k < table->nodes; k++) {
        table->drift[k] = drift[k];
        table->drift_slope[k] = slope[k];
    }
    Tabulate(table);
}

void EngramFaceTableSetOrder(EngramFaceTable *table, int order)
{
    table->order = table->flux == ENGRAM_FLUX_HARMONIC ? 2 : order;
    Tabulate(table);
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
    free(table->faces);
    free(table->drift);
    free(table->drift_slope);
    table->faces = NULL;
    table->drift = NULL;
    table->drift_slope = NULL;
}

double EngramFaceTableReturning(const EngramFaceTable *table, double lambda, double last_kappa)
{
    const int is_changed = table->order == 4 && last_kappa > 0.0;
    return is_changed ? fmax(lambda + (table->kappa - last_kappa), 0.0) : lambda;
}

double EngramFaceTableKappa(const EngramFaceTable *table, double drift)
{
    if (table->order != 4) {
        return 0.0;
    }
    const Vector scaled = VectorOf(drift * (table->spacing / table->noise));
    const Vector chi =
        VectorChoose(IsOutside(table, scaled), LargestChi(table, scaled), VectorOf(1.0));
    return chi[0] * table->kappa;
}
