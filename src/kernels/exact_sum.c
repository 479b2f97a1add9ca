#include "engram/kernels/exact_sum.h"

#include <math.h>
#include <string.h>

enum { DIGIT_BITS = 32, MANTISSA_BITS = 53, LOWEST_EXPONENT = -1074 };

static const int64_t DIGIT_MASK = 0xffffffff;
static const int64_t MAXIMUM_PENDING = INT64_C(1) << 30;

void EngramExactSumClear(EngramExactSum *sum)
{
    memset(sum, 0, sizeof(*sum));
}

void EngramExactSumAdd(EngramExactSum *sum, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    const int biased_exponent = (int)(bits >> 52) & 0x7ff;
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    if (biased_exponent == 0x7ff) {
        sum->nonfinite++;
        return;
    }
    if (biased_exponent > 0) {
        mantissa |= UINT64_C(1) << 52;
    }
    const int position = biased_exponent > 0 ? biased_exponent - 1 : 0;
    const int index = position / DIGIT_BITS;
    const int shift = position % DIGIT_BITS;

    /* The 53 bits, shifted by up to 31, lie in three digits. */
    const uint64_t low = (mantissa & 0xffffffff) << shift;
    const uint64_t high = ((mantissa >> 32) << shift) + (low >> 32);
    const int64_t sign = (bits >> 63) ? -1 : 1;
    sum->digit[index] += sign * (int64_t)(low & 0xffffffff);
    sum->digit[index + 1] += sign * (int64_t)(high & 0xffffffff);
    sum->digit[index + 2] += sign * (int64_t)(high >> 32);
    if (++sum->pending >= MAXIMUM_PENDING) {
        EngramExactSumNormalise(sum);
    }
}

void EngramExactSumAddArray(EngramExactSum *sum, const double *values, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++) {
        EngramExactSumAdd(sum, values[i]);
    }
}

void EngramExactSumNormalise(EngramExactSum *sum)
{
    int64_t carry = 0;
    for (int k = 0; k < ENGRAM_EXACT_SUM_DIGITS - 1; k++) {
        const int64_t total = sum->digit[k] + carry;
        const int64_t digit = total & DIGIT_MASK;
        carry = (total - digit) / (DIGIT_MASK + 1);
        sum->digit[k] = digit;
    }
    sum->digit[ENGRAM_EXACT_SUM_DIGITS - 1] += carry;
    sum->pending = 0;
}

void EngramExactSumMerge(EngramExactSum *sum, const EngramExactSum *other)
{
    for (int k = 0; k < ENGRAM_EXACT_SUM_DIGITS; k++) {
        sum->digit[k] += other->digit[k];
    }
    sum->nonfinite += other->nonfinite;
    sum->pending += other->pending + 1;
}

static int BitAt(const EngramExactSum *sum, int position)
{
    return position < 0 ? 0
                        : (int)(sum->digit[position / DIGIT_BITS] >> (position % DIGIT_BITS)) & 1;
}

static int HighestBit(const EngramExactSum *sum)
{
    for (int k = ENGRAM_EXACT_SUM_DIGITS - 1; k >= 0; k--) {
        for (int bit = DIGIT_BITS - 1; sum->digit[k] != 0 && bit >= 0; bit--) {
            if ((sum->digit[k] >> bit) & 1) {
                return k * DIGIT_BITS + bit;
            }
        }
    }
    return -1;
}

static int AnyBitBelow(const EngramExactSum *sum, int position)
{
    for (int below = position - 1; below >= 0; below--) {
        if (BitAt(sum, below)) {
            return 1;
        }
    }
    return 0;
}

/** Rounds a normalised, non-negative sum to the nearest double. */
static double RoundToNearest(const EngramExactSum *sum)
{
    const int highest = HighestBit(sum);
    if (highest < 0) {
        return 0.0;
    }
    const int lowest = highest >= MANTISSA_BITS ? highest - (MANTISSA_BITS - 1) : 0;
    uint64_t mantissa = 0;
    for (int position = highest; position >= lowest; position--) {
        mantissa = 2 * mantissa + (uint64_t)BitAt(sum, position);
    }
    if (BitAt(sum, lowest - 1) && ((mantissa & 1) || AnyBitBelow(sum, lowest - 1))) {
        mantissa++;
    }
    return ldexp((double)mantissa, lowest + LOWEST_EXPONENT);
}

double EngramExactSumValue(EngramExactSum *sum)
{
    EngramExactSumNormalise(sum);
    if (sum->nonfinite) {
        return NAN;
    }
    if (sum->digit[ENGRAM_EXACT_SUM_DIGITS - 1] >= 0) {
        return RoundToNearest(sum);
    }
    EngramExactSum opposite = *sum;
    for (int k = 0; k < ENGRAM_EXACT_SUM_DIGITS; k++) {
        opposite.digit[k] = -opposite.digit[k];
    }
    EngramExactSumNormalise(&opposite);
    return -RoundToNearest(&opposite);
}
