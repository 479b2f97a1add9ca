/**
 * @file adaptive_step.h
 * One step as long as its error allows: attempts until one is accepted.
 */
#ifndef ENGRAM_SRC_TIME_ADAPTIVE_STEP_H
#define ENGRAM_SRC_TIME_ADAPTIVE_STEP_H

#include "segment.h"

/**
 * Takes one step, not beyond a time. The state has blown up where even the shortest one finds no
 * rate; the shortest one is taken whatever its error. Collective.
 */
PetscErrorCode AdaptiveStepTake(const Segment *segment, double latest);

/** Length of the first step after a jump. Not collective. */
double AdaptiveStepFirst(const Segment *segment);

/** Length of the longest step with a delay (eps d), or with none (0). */
double AdaptiveStepLongest(const EngramTimeParameters *time, double delay);

/** Steps after a jump until they may have a length. Not collective. */
double AdaptiveStepsToGrow(const Segment *segment, double length);

#endif
