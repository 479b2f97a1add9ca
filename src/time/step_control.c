#include "step_control.h"

#include <math.h>

/* Rates below this one count as if they were so large: an error relative to them says little. */
static const double RATE_FLOOR = 0.02;

/* A step may have this part of the tolerance: what is kept is better than what is estimated, but
 * errors of many steps add up. */
static const double PART_OF_STEP = 1.0 / 3.0;

static const double SAFETY = 0.9;
static const double SMALLEST_FACTOR = 0.2;
static const double LARGEST_FACTOR = 5.0;

double StepControlNorm(const StepError *error, double total_rate)
{
    const double scale = RATE_FLOOR + fabs(total_rate);
    const double errors[4] = {error->density, error->weight, error->rates / scale,
                              error->total / scale};
    double largest = 0.0;
    for (int i = 0; i < 4; i++) {
        /* Written so that a NaN counts as infinite. */
        largest = errors[i] <= largest ? largest : errors[i];
        largest = isnan(largest) ? INFINITY : largest;
    }
    return largest;
}

double StepControlAllowed(double tolerance)
{
    return PART_OF_STEP * tolerance;
}

double StepControlFactor(EngramTimeScheme scheme, double error, double tolerance)
{
    const double power = scheme == ENGRAM_TIME_THIRD_ORDER ? 3.0 : 2.0;
    const double factor = SAFETY * pow(StepControlAllowed(tolerance) / error, 1.0 / power);
    if (!isfinite(factor)) {
        return error == 0.0 ? LARGEST_FACTOR : SMALLEST_FACTOR;
    }
    return fmin(fmax(factor, SMALLEST_FACTOR), LARGEST_FACTOR);
}
