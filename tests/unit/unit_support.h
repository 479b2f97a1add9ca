/**
 * @file unit_support.h
 * What the unit tests share: cmocka with its headers, comparisons that print what they compared,
 * and a generator of random numbers with the same sequence everywhere.
 */
#ifndef ENGRAM_TESTS_UNIT_SUPPORT_H
#define ENGRAM_TESTS_UNIT_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** The bits of a double. */
static inline uint64_t UnitBits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/** Both doubles have the same bits: tells -0.0 from 0.0, and takes a NaN for what it is. */
#define UNIT_ASSERT_SAME_BITS(value, expected)                                                     \
    do {                                                                                           \
        const double unit_value = (value);                                                         \
        const double unit_expected = (expected);                                                   \
        if (UnitBits(unit_value) != UnitBits(unit_expected)) {                                     \
            fail_msg("%s is %a, not %a", #value, unit_value, unit_expected);                       \
        }                                                                                          \
    } while (0)

/** value <= bound; false for a NaN. */
#define UNIT_ASSERT_AT_MOST(value, bound)                                                          \
    do {                                                                                           \
        const double unit_value = (double)(value);                                                 \
        const double unit_bound = (double)(bound);                                                 \
        if (!(unit_value <= unit_bound)) {                                                         \
            fail_msg("%s is %.6g, above %.6g", #value, unit_value, unit_bound);                    \
        }                                                                                          \
    } while (0)

/** low <= value <= high; false for a NaN. */
#define UNIT_ASSERT_BETWEEN(value, low, high)                                                      \
    do {                                                                                           \
        const double unit_value = (double)(value);                                                 \
        if (!(unit_value >= (double)(low) && unit_value <= (double)(high))) {                      \
            fail_msg("%s is %.6g, not in [%.6g, %.6g]", #value, unit_value, (double)(low),         \
                     (double)(high));                                                              \
        }                                                                                          \
    } while (0)

/** The larger of two numbers, or the NaN among them: errors are collected with it. */
static inline double UnitWorse(double worst, double candidate)
{
    return isnan(worst) || candidate <= worst ? worst : candidate;
}

/** State of the generator splitmix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014). */
typedef struct UnitRandom {
    uint64_t state;
} UnitRandom;

/** 64 random bits. */
static inline uint64_t UnitRandomBits(UnitRandom *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = random->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/** Uniform in [low, high). */
static inline double UnitRandomBetween(UnitRandom *random, double low, double high)
{
    const double unit = (double)(UnitRandomBits(random) >> 11) * 0x1p-53;
    return low + (high - low) * unit;
}

/** Uniform in 0 .. count - 1. */
static inline int UnitRandomBelow(UnitRandom *random, int count)
{
    return (int)(UnitRandomBits(random) % (uint64_t)count);
}

/** A density of many sizes: zeros, spikes, and numbers next to nothing. */
static inline double UnitRoughValue(UnitRandom *random)
{
    const double sizes[6] = {0.0, 1e-300, 1e-12, 1.0, 1.0, 1e9};
    return sizes[UnitRandomBelow(random, 6)] * UnitRandomBetween(random, 0.1, 1.0);
}

/** Doubles set to zero; the test ends when memory runs out. */
static inline double *UnitAllocate(ptrdiff_t count)
{
    double *values = calloc((size_t)count, sizeof(*values));
    assert_non_null(values);
    return values;
}

#endif
