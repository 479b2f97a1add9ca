/**
 * @file step_control.h
 * How long adaptive steps are: the norm of the estimated error, and the length it allows next.
 */
#ifndef ENGRAM_SRC_TIME_STEP_CONTROL_H
#define ENGRAM_SRC_TIME_STEP_CONTROL_H

#include "engram/time/time_parameters.h"
#include "step_error.h"

/**
 * The estimated error as a number: the largest of the errors of the density in L1, of N(w) in L1
 * and of Nbar, both relative to Nbar + 0.02, and of the mean weight. Infinite where one is no
 * number.
 */
double StepControlNorm(const StepError *error, double total_rate);

/** Error that a step may have for a tolerance. */
double StepControlAllowed(double tolerance);

/**
 * Factor for the length of the next step or attempt.
 *
 * @param scheme     whose estimate goes with a power of the length
 * @param error      of the last one; infinity where it has failed
 * @param tolerance  of the run
 */
double StepControlFactor(EngramTimeScheme scheme, double error, double tolerance);

#endif
