/**
 * @file segment.h
 * What all steps share, whoever chooses their length: how the first one after a jump begins, where
 * one ends, and what the history of a delay is told.
 */
#ifndef ENGRAM_SRC_TIME_SEGMENT_H
#define ENGRAM_SRC_TIME_SEGMENT_H

#include "combined_step.h"
#include "input_watch.h"

/** Steps between jumps. All members are borrowed. */
typedef struct Segment {
    CombinedStep *step;
    Jumps *jumps;
    InputWatch *watch;
    const EngramTimeParameters *time;
    EngramState *state;
} Segment;

/** h^2 eps/a: no process on the grid is faster. 0 in the limit model. Not collective. */
double SegmentFastestTime(const Segment *segment);

/**
 * Begins a step at the state's time. At a jump the rates are measured anew with the input after it,
 * and what earlier steps have learned of the rate is forgotten. Collective.
 *
 * @param restarts  whether it was a jump after which the rate has a layer
 * @param side      from which the drift of the step sees its input at the beginning
 */
PetscErrorCode SegmentBeginStep(const Segment *segment, PetscBool *restarts, DriveSide *side);

/**
 * Where steps must end next: at a time, or at a jump or kink before it. Not collective.
 */
double SegmentTarget(const Segment *segment, double latest);

/** The shortest step that there is at a time, with so much time to go. Not collective. */
double SegmentShortest(double now, double remaining);

/**
 * The end of a step that should have a length: a target exactly, or halfway to it rather than just
 * before it. Not collective.
 */
double SegmentEnd(double now, double length, double target);

/**
 * After a step: notes the trend of the rate, and tells the history, where there is a delay, of the
 * rate at the state's time. Not collective.
 */
PetscErrorCode SegmentConclude(const Segment *segment);

#endif
