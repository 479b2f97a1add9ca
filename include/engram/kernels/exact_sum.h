/**
 * @file exact_sum.h
 * Exact, order-independent sum of doubles.
 *
 * The sum is held as a fixed-point number wide enough for every finite double (one bit of weight
 * 2^-1074 up to the carry above 2^1023), in 32-bit digits stored in 64-bit integers. Adding is
 * exact, so the sum does not depend on the order of the additions or on how they were split
 * between processes; it is rounded once, to nearest even, when it is read.
 *
 * Source: the long accumulator of U. Kulisch, "Computer Arithmetic and Validity" (2013), ch. 8.
 */
#ifndef ENGRAM_KERNELS_EXACT_SUM_H
#define ENGRAM_KERNELS_EXACT_SUM_H

#include <stddef.h>
#include <stdint.h>

/** Digits of 32 bits: 2098 bits of a double's range, and two digits for the carries. */
#define ENGRAM_EXACT_SUM_DIGITS 68

/**
 * A sum in fixed point. Plain integers throughout: adding two normalised sums digit by digit gives
 * the sum of both, which is what an MPI reduction does. Sums of numbers of similar size have few
 * digits, and only these are looked at.
 */
typedef struct EngramExactSum {
    int64_t digit[ENGRAM_EXACT_SUM_DIGITS]; /**< weight of digit k: 2^(32 k - 1074) */
    int64_t begin;                          /**< digits below are zero */
    int64_t end;                            /**< and those from here on */
    int64_t nonfinite;                      /**< how many infinities and NaNs were added */
    int64_t pending;                        /**< additions since the carries were last resolved */
} EngramExactSum;

/** Sets the sum to zero. */
void EngramExactSumClear(EngramExactSum *sum);

/** Adds one value. An infinity or a NaN makes the sum NaN. */
void EngramExactSumAdd(EngramExactSum *sum, double value);

/** Adds `count` values, contiguous in memory. */
void EngramExactSumAddArray(EngramExactSum *sum, const double *values, ptrdiff_t count);

/**
 * Resolves the carries: every digit becomes non-negative and below 2^32, but for the highest one,
 * `end` - 1, which has the sign of the sum. Up to 2^30 normalised sums may be added digit by digit.
 */
void EngramExactSumNormalise(EngramExactSum *sum);

/** The value of the sum, rounded once to the nearest double (ties to even); normalises the sum. */
double EngramExactSumValue(EngramExactSum *sum);

#endif
