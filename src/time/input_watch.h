/**
 * @file input_watch.h
 * Finds the times at which the input jumps, and how far a step may go in what it does otherwise.
 *
 * Known before a phase begins: the times of a table, and the changes of comparisons that are linear
 * in time. Found on the way, by samples of every step: the changes of other comparisons, and jumps
 * of any other origin.
 */
#ifndef ENGRAM_SRC_TIME_INPUT_WATCH_H
#define ENGRAM_SRC_TIME_INPUT_WATCH_H

#include "input_samples.h"
#include "jumps.h"

/** A watch over the input of the present phase. */
typedef struct InputWatch {
    const EngramModel *model; /* borrowed */
    Jumps *jumps;             /* borrowed: where what is found is added */
    double tolerance;         /* of the steps */
    double end;               /* of the phase */
    double delay;             /* eps d */
    InputSamples samples;     /* of the input of the model */
    PetscBool needs_samples;  /* the input is an expression of time */
} InputWatch;

/** Chooses the weights; the borrowed members must be set. Not collective. */
PetscErrorCode InputWatchCreate(const EngramGrid *grid, InputWatch *watch);

/** Begins a phase that ends at a time: adds the jumps that are known. Not collective. */
PetscErrorCode InputWatchBegin(InputWatch *watch, double end);

/** Adds the jump that lies at the beginning of a step, if there is one. Not collective. */
PetscErrorCode InputWatchStart(InputWatch *watch, double noise, double start);

/**
 * How far a step may go: to its end, or to a jump that is found before it. Not collective.
 *
 * @param follows  the step must also be short enough for the input to be seen: between beginning,
 *                 middle and end it differs little from straight lines
 * @param end      in: of the step; out: not later
 */
PetscErrorCode InputWatchStep(InputWatch *watch, double noise, double start, PetscBool follows,
                              double *end);

/** Frees it; may be called twice. */
PetscErrorCode InputWatchDestroy(InputWatch *watch);

#endif
