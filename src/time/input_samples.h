/**
 * @file input_samples.h
 * The input at samples of time: how far it is from straight lines, and where it jumps.
 *
 * All ranks evaluate the input at the same weights, so that they agree without a message. Changes
 * and deviations are the largest over these weights, in units of the input.
 */
#ifndef ENGRAM_SRC_TIME_INPUT_SAMPLES_H
#define ENGRAM_SRC_TIME_INPUT_SAMPLES_H

#include "engram/grid/grid.h"
#include "engram/model/model.h"

/** The weights at which the input is sampled, and memory for its values there. */
typedef struct InputSamples {
    const EngramModel *model; /* borrowed */
    PetscInt weights;
    double *w;      /* [weights] */
    double *values; /* rows [weights] of work */
} InputSamples;

/** What the samples of an interval show. */
typedef struct InputSurvey {
    double deviation; /* from straight lines between beginning, middle and end */
    double change;    /* largest one from a sample to the next ... */
    double left;      /* ... between these times */
    double right;
} InputSurvey;

/** Chooses the weights; the model must be set. Not collective. */
PetscErrorCode InputSamplesCreate(const EngramGrid *grid, InputSamples *samples);

/** Change of the input from one time to another. */
double InputSamplesChange(const InputSamples *samples, double left, double right);

/** Samples an interval at the ends of `count` equal parts; the count is even. */
InputSurvey InputSamplesSurvey(const InputSamples *samples, int count, double first, double last);

/**
 * Whether the change between two times is a jump: the change does not shrink by half where the
 * interval does, again and again, and is larger than the least one between neighbouring numbers.
 *
 * @param left, right  out, where it is a jump: neighbouring times before and after it
 */
PetscBool InputSamplesFindJump(const InputSamples *samples, double least, double *left,
                               double *right);

/** Frees the memory; may be called twice. */
PetscErrorCode InputSamplesDestroy(InputSamples *samples);

#endif
