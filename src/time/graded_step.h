/**
 * @file graded_step.h
 * Fixed steps whose parts grow algebraically after t = 0 and after every jump.
 *
 * After a jump the rate behaves like a power t^alpha of the time since, alpha = -1/2 where the
 * density is not zero at the threshold. A part at that time has the length
 *
 *     min(dt, kappa eps (t/eps)^(1 - 1/gamma)),   kappa = min(0.3, dt eps^(-1/p)),
 *
 * p being the order of the scheme: the layer lasts some eps and weighs eps in the slow quantities,
 * so its error is of order dt^p uniformly in eps (docs/numerics.md, section 12).
 */
#ifndef ENGRAM_SRC_TIME_GRADED_STEP_H
#define ENGRAM_SRC_TIME_GRADED_STEP_H

#include "segment.h"

/**
 * Length of a part. Not collective.
 *
 * @param since    time since the last jump
 * @param epsilon  eps > 0
 * @param fastest  h^2 eps/a
 */
double GradedStepLength(EngramTimeScheme scheme, double step, double since, double epsilon,
                        double fastest);

/** Takes all parts up to a time. Collective. */
PetscErrorCode GradedStepTake(const Segment *segment, double time);

#endif
