/**
 * @file extrapolate_problem.h
 * Results of one, two and three sub-steps on slices of many kinds, for the tests of their
 * combination.
 */
#ifndef ENGRAM_TESTS_EXTRAPOLATE_PROBLEM_H
#define ENGRAM_TESTS_EXTRAPOLATE_PROBLEM_H

#include "unit_support.h"

#include "engram/kernels/extrapolate.h"
#include "engram/kernels/slice_step.h"

/* One row more than nodes: the refractory state. More than one block of the sums. */
enum { EXTRAPOLATE_NODES = 40, EXTRAPOLATE_ROWS = EXTRAPOLATE_NODES + 1 };

#define EXTRAPOLATE_SPACING 0.05

/** Combinations of the three results. */
enum { KEEPS_LAST, SECOND_ORDER, THIRD_ORDER, COMBINATIONS };

static const EngramCombination COMBINATION[COMBINATIONS] = {
    [KEEPS_LAST] = {.value = {0.0, 0.0}, .error = {-1.0, 0.0}},
    [SECOND_ORDER] = {.value = {-1.0, 0.0}, .error = {-1.0, 0.0}},
    [THIRD_ORDER] = {.value = {0.5, -4.0}, .error = {0.5, -2.0}},
};

/** The three results, and what is made of them. */
typedef struct Steps {
    ptrdiff_t slices;
    ptrdiff_t stride;
    double *rows[ENGRAM_STEP_RESULTS];   /* [EXTRAPOLATE_ROWS * stride] */
    double *masses[ENGRAM_STEP_RESULTS]; /* [stride] */
    double *rates[ENGRAM_STEP_RESULTS];  /* [stride] */
    double *values;                      /* [EXTRAPOLATE_ROWS * stride] the combination */
    EngramExtrapolated combined;         /* [stride] each */
} Steps;

static inline Steps StepsCreate(ptrdiff_t slices, ptrdiff_t stride)
{
    Steps steps = {.slices = slices, .stride = stride};
    for (int i = 0; i < ENGRAM_STEP_RESULTS; i++) {
        steps.rows[i] = UnitAllocate(EXTRAPOLATE_ROWS * stride);
        steps.masses[i] = UnitAllocate(stride);
        steps.rates[i] = UnitAllocate(stride);
    }
    steps.values = UnitAllocate(EXTRAPOLATE_ROWS * stride);
    steps.combined.weight_density = UnitAllocate(stride);
    steps.combined.firing_rate = UnitAllocate(stride);
    steps.combined.minimum = UnitAllocate(stride);
    steps.combined.difference = UnitAllocate(stride);
    return steps;
}

static inline void StepsDestroy(Steps *steps)
{
    for (int i = 0; i < ENGRAM_STEP_RESULTS; i++) {
        free(steps->rows[i]);
        free(steps->masses[i]);
        free(steps->rates[i]);
    }
    free(steps->values);
    free(steps->combined.weight_density);
    free(steps->combined.firing_rate);
    free(steps->combined.minimum);
    free(steps->combined.difference);
}

static inline long double StepsColumnMass(const double *density, ptrdiff_t stride, ptrdiff_t slice)
{
    long double sum = 0.0L;
    for (int k = 0; k < EXTRAPOLATE_ROWS; k++) {
        sum += (long double)density[k * stride + slice];
    }
    return sum * (long double)EXTRAPOLATE_SPACING;
}

/** Masses of all results, from their rows. */
static inline void StepsWeigh(Steps *steps)
{
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        for (ptrdiff_t i = 0; i < steps->stride; i++) {
            steps->masses[result][i] =
                (double)StepsColumnMass(steps->rows[result], steps->stride, i);
        }
    }
}

/** A value of many sizes: zeros, spikes, and numbers next to nothing. */
static inline double StepsRoughValue(UnitRandom *random)
{
    const double sizes[6] = {0.0, 1e-300, 1e-12, 1.0, 1.0, 1e9};
    return sizes[UnitRandomBelow(random, 6)] * UnitRandomBetween(random, 0.1, 1.0);
}

/** Kinds of slices; the results of a smooth one differ too little for q to be negative. */
enum { SMOOTH, ROUGH, DENT, NEGATIVE_RATE, NO_EARLIER, NO_LAST, EMPTY, HEAVY, KINDS };

/** Values of the three results in a row of a slice; of very different sizes in all kinds. */
static inline void StepsFillRow(int kind, UnitRandom *random, double *values)
{
    const double last = StepsRoughValue(random);
    const double far = UnitRandomBetween(random, 0.6, 1.9);
    const double near = UnitRandomBetween(random, 0.9, 1.1);
    values[ENGRAM_STEP_EARLIER] = kind == ROUGH ? StepsRoughValue(random) : far * last;
    values[ENGRAM_STEP_MIDDLE] = kind == ROUGH ? StepsRoughValue(random) : near * last;
    values[ENGRAM_STEP_LAST] = last;
    if (kind == HEAVY) {
        values[ENGRAM_STEP_EARLIER] += 1.5 * last + 0.1;
        values[ENGRAM_STEP_MIDDLE] += near * last + 0.1;
    }
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        if (kind == EMPTY || (kind == NO_EARLIER && result == ENGRAM_STEP_EARLIER) ||
            (kind == NO_LAST && result == ENGRAM_STEP_LAST)) {
            values[result] = 0.0;
        }
    }
}

/** One slice of a kind. */
static inline void StepsFillSlice(Steps *steps, ptrdiff_t i, int kind, UnitRandom *random)
{
    const double dent[ENGRAM_STEP_RESULTS] = {0.9, 0.9, 0.3};
    const double rates[ENGRAM_STEP_RESULTS] = {0.5, 0.42, 0.4};
    const int dented = kind == DENT ? UnitRandomBelow(random, EXTRAPOLATE_ROWS) : -1;
    for (int k = 0; k < EXTRAPOLATE_ROWS; k++) {
        double values[ENGRAM_STEP_RESULTS];
        StepsFillRow(kind, random, values);
        for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
            steps->rows[result][k * steps->stride + i] =
                k == dented ? dent[result] : values[result];
        }
    }
    for (int result = 0; result < ENGRAM_STEP_RESULTS; result++) {
        steps->rates[result][i] = kind == EMPTY ? 0.0 : rates[result];
    }
    if (kind == NO_LAST || kind == NEGATIVE_RATE) {
        steps->rates[ENGRAM_STEP_LAST][i] *= kind == NO_LAST ? 0.0 : 0.3;
    }
}

/** Slices of all kinds in turn. */
static inline void StepsFill(Steps *steps, uint64_t seed)
{
    UnitRandom random = {seed};
    for (ptrdiff_t i = 0; i < steps->stride; i++) {
        StepsFillSlice(steps, i, (int)(i % KINDS), &random);
    }
    StepsWeigh(steps);
}

/** A problem whose rows have no more columns than they must, with slices of all kinds. */
static inline Steps StepsFilled(ptrdiff_t slices, uint64_t seed)
{
    const ptrdiff_t groups = (slices + ENGRAM_SLICE_PADDING - 1) / ENGRAM_SLICE_PADDING;
    Steps steps = StepsCreate(slices, groups * ENGRAM_SLICE_PADDING);
    StepsFill(&steps, seed);
    return steps;
}

static inline void StepsResults(const Steps *steps, EngramStepResult *results)
{
    for (int i = 0; i < ENGRAM_STEP_RESULTS; i++) {
        results[i] = (EngramStepResult){steps->rows[i], steps->masses[i], steps->rates[i]};
    }
}

/** Combines the results into arrays of their own. */
static inline void StepsCombine(Steps *steps, int combination, double factor)
{
    EngramStepResult results[ENGRAM_STEP_RESULTS];
    StepsResults(steps, results);
    EngramExtrapolate(EXTRAPOLATE_ROWS, EXTRAPOLATE_NODES, steps->slices, steps->stride,
                      EXTRAPOLATE_SPACING, factor, &COMBINATION[combination], results,
                      steps->values, &steps->combined);
}

#endif
