/**
 * @file limited_slope.h
 * The limiter of the transport kernels, and the comparisons it is made of.
 */
#ifndef ENGRAM_SRC_KERNELS_LIMITED_SLOPE_H
#define ENGRAM_SRC_KERNELS_LIMITED_SLOPE_H

#include "arithmetic.h"

/* The first two are written as the processor's instructions are defined, and become one each. */
ENGRAM_INLINE double Smaller(double a, double b)
{
    return a < b ? a : b;
}

ENGRAM_INLINE double Larger(double a, double b)
{
    return a > b ? a : b;
}

ENGRAM_INLINE double PositivePart(double x)
{
    return x > 0.0 ? x : 0.0;
}

/**
 * Half the monotonised central slope: minmod(l, r, (l + r)/4). Of the two bounds one is zero where
 * the differences agree in sign, and both are where they do not.
 */
ENGRAM_INLINE double HalfSlope(double left, double right)
{
    const double lowest = Smaller(Larger(left, right), 0.0);
    const double highest = Larger(Smaller(left, right), 0.0);
    return Larger(Smaller(0.25 * (left + right), highest), lowest);
}

#endif
