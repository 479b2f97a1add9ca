/**
 * @file extrapolate_problem.h
 * Results of a whole step and of two half steps on slices of many kinds, for the tests of the
 * extrapolation.
 */
#ifndef ENGRAM_TESTS_EXTRAPOLATE_PROBLEM_H
#define ENGRAM_TESTS_EXTRAPOLATE_PROBLEM_H

#include "unit_support.h"

#include "engram/kernels/extrapolate.h"
#include "engram/kernels/slice_elimination.h"

/* One row more than nodes: the refractory state. More than one block of the sums. */
enum { EXTRAPOLATE_NODES = 40, EXTRAPOLATE_ROWS = EXTRAPOLATE_NODES + 1 };

#define EXTRAPOLATE_SPACING 0.05

/** Results of a whole step and of two halves, and what is made of them. */
typedef struct Steps {
    ptrdiff_t slices;
    ptrdiff_t stride;
    double *whole;              /* [EXTRAPOLATE_ROWS * stride] */
    double *halves;             /* [EXTRAPOLATE_ROWS * stride], replaced by the extrapolated rows */
    double *masses[2];          /* [stride] of y1 and y2 */
    double *rates[2];           /* [stride] */
    EngramExtrapolated results; /* [stride] each */
} Steps;

static inline Steps StepsCreate(ptrdiff_t slices, ptrdiff_t stride)
{
    Steps steps = {.slices = slices, .stride = stride};
    steps.whole = UnitAllocate(EXTRAPOLATE_ROWS * stride);
    steps.halves = UnitAllocate(EXTRAPOLATE_ROWS * stride);
    for (int i = 0; i < 2; i++) {
        steps.masses[i] = UnitAllocate(stride);
        steps.rates[i] = UnitAllocate(stride);
    }
    steps.results.weight_density = UnitAllocate(stride);
    steps.results.firing_rate = UnitAllocate(stride);
    steps.results.minimum = UnitAllocate(stride);
    steps.results.difference = UnitAllocate(stride);
    return steps;
}

static inline void StepsDestroy(Steps *steps)
{
    free(steps->whole);
    free(steps->halves);
    for (int i = 0; i < 2; i++) {
        free(steps->masses[i]);
        free(steps->rates[i]);
    }
    free(steps->results.weight_density);
    free(steps->results.firing_rate);
    free(steps->results.minimum);
    free(steps->results.difference);
}

static inline long double StepsColumnMass(const double *density, ptrdiff_t stride, ptrdiff_t slice)
{
    long double sum = 0.0L;
    for (int k = 0; k < EXTRAPOLATE_ROWS; k++) {
        sum += (long double)density[k * stride + slice];
    }
    return sum * (long double)EXTRAPOLATE_SPACING;
}

/** Masses of both steps, from their rows. */
static inline void StepsWeigh(Steps *steps)
{
    for (ptrdiff_t i = 0; i < steps->stride; i++) {
        steps->masses[0][i] = (double)StepsColumnMass(steps->whole, steps->stride, i);
        steps->masses[1][i] = (double)StepsColumnMass(steps->halves, steps->stride, i);
    }
}

/** A value of many sizes: zeros, spikes, and numbers next to nothing. */
static inline double StepsRoughValue(UnitRandom *random)
{
    const double sizes[6] = {0.0, 1e-300, 1e-12, 1.0, 1.0, 1e9};
    return sizes[UnitRandomBelow(random, 6)] * UnitRandomBetween(random, 0.1, 1.0);
}

/** Kinds of slices; the steps of a smooth one differ too little for q to be negative. */
enum { SMOOTH, ROUGH, DENT, NEGATIVE_RATE, NO_WHOLE, NO_HALVES, EMPTY, HEAVY_WHOLE, KINDS };

/** One slice of a kind; entries of very different sizes in all of them. */
static inline void StepsFillSlice(Steps *steps, ptrdiff_t i, int kind, UnitRandom *random)
{
    for (int k = 0; k < EXTRAPOLATE_ROWS; k++) {
        const double value = StepsRoughValue(random);
        const double change = UnitRandomBetween(random, 0.6, 1.9);
        steps->halves[k * steps->stride + i] = kind == NO_HALVES || kind == EMPTY ? 0.0 : value;
        double whole = kind == ROUGH ? StepsRoughValue(random) : change * value;
        whole = kind == NO_WHOLE || kind == EMPTY ? 0.0 : whole;
        steps->whole[k * steps->stride + i] = kind == HEAVY_WHOLE ? 2.0 * whole + 0.1 : whole;
    }
    if (kind == DENT) {
        const ptrdiff_t here = UnitRandomBelow(random, EXTRAPOLATE_ROWS) * steps->stride + i;
        steps->halves[here] = 0.3;
        steps->whole[here] = 0.9;
    }
    steps->rates[0][i] = kind == NO_WHOLE || kind == EMPTY ? 0.0 : 0.5;
    steps->rates[1][i] = kind == NO_HALVES || kind == EMPTY ? 0.0 : 0.4;
    steps->rates[1][i] *= kind == NEGATIVE_RATE ? 0.3 : 1.0;
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

static inline void StepsExtrapolate(Steps *steps, double extrapolation, double factor)
{
    const EngramStepResult whole = {steps->masses[0], steps->rates[0]};
    const EngramStepResult halves = {steps->masses[1], steps->rates[1]};
    EngramExtrapolate(EXTRAPOLATE_ROWS, EXTRAPOLATE_NODES, steps->slices, steps->stride,
                      EXTRAPOLATE_SPACING, extrapolation, factor, &whole, &halves, steps->whole,
                      steps->halves, &steps->results);
}

#endif
