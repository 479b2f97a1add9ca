/**
 * @file coupling_problem.h
 * Networks whose answer G(x) to a total rate x has known roots x = G(x), for the tests of the
 * scalar equation.
 */
#ifndef ENGRAM_TESTS_COUPLING_PROBLEM_H
#define ENGRAM_TESTS_COUPLING_PROBLEM_H

#include "petsc_support.h"

#include "engram/solver/coupling.h"

/** A function under test, and what has been asked of it. */
typedef struct Network {
    double (*answer)(const double *numbers, double rate);
    double numbers[3];
    PetscInt evaluations;
    double largest;  /* rate asked for */
    double smallest; /* likewise */
} Network;

static inline PetscErrorCode NetworkEvaluate(void *context, double rate, double *answer)
{
    Network *network = context;
    network->evaluations++;
    network->largest = fmax(network->largest, rate);
    network->smallest = fmin(network->smallest, rate);
    *answer = network->answer(network->numbers, rate);
    return PETSC_SUCCESS;
}

static const EngramCouplingParameters NETWORK_PARAMETERS = {.time = ENGRAM_COUPLING_IMPLICIT,
                                                            .tolerance = 1e-10,
                                                            .scan_tolerance = 1e-10,
                                                            .iterations = 100,
                                                            .scan_every = 0,
                                                            .largest_rate = 1e4};

/** numbers[0] + numbers[1] x, not below 0: without noise, and with rectified drift. */
static inline double NetworkLinear(const double *numbers, double rate)
{
    return fmax(0.0, numbers[0] + numbers[1] * rate);
}

static inline double NetworkExponential(const double *numbers, double rate)
{
    return numbers[0] * exp(numbers[1] * rate);
}

static inline double NetworkSaturating(const double *numbers, double rate)
{
    return numbers[0] + numbers[1] * tanh(numbers[2] * rate);
}

/** Roots 1, 2 (unstable) and 3. */
static inline double NetworkCubic(const double *numbers, double rate)
{
    (void)numbers;
    return fmax(0.0, rate + 0.1 * (rate - 1.0) * (2.0 - rate) * (rate - 3.0));
}

/** Nearest to the diagonal at numbers[0], where it exceeds it by numbers[1]; steep far away. */
static inline double NetworkBottleneck(const double *numbers, double rate)
{
    const double distance = rate - numbers[0];
    return rate + numbers[1] + numbers[2] * distance * distance;
}

/** Linear up to the rate numbers[2], and not a number, or infinite, beyond it. */
static inline double NetworkNotANumber(const double *numbers, double rate)
{
    return rate <= numbers[2] ? NetworkLinear(numbers, rate) : NAN;
}

#endif
