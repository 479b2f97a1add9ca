#include "engram/kernels/exact_sum.h"

#include <math.h>
#include <string.h>

enum { DIGIT_BITS = 32, MANTISSA_BITS = 53, LOWEST_EXPONENT = -1074 };

static const int64_t DIGIT_MASK = 0xffffffff;
static const int64_t MAXIMUM_PENDING = INT64_C(1) << 30;

void EngramExactSumClear(EngramExactSum *sum)
{
    memset(sum, 0, sizeof(*sum));
    sum->begin = ENGRAM_EXACT_SUM_DIGITS;
}

static inline void Include(EngramExactSum *sum, int64_t begin, int64_t end)
{
    sum->begin = begin < sum->begin ? begin : sum->begin;
    sum->end = end > sum->end ? end : sum->end;
}

/** Three digits from `index` on that a value, or several with this index, add to a sum. */
typedef struct Part {
    int index;
    int64_t digit[3];
} Part;

/** Adds a finite value to a part, which takes its index if it is `fresh`; whether that was so. */
static inline int AddToPart(Part *part, int is_fresh, uint64_t bits)
{
    const int biased_exponent = (int)(bits >> 52) & 0x7ff;
    const uint64_t implicit = biased_exponent > 0 ? UINT64_C(1) << 52 : 0;
    const uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | implicit;
    const int position = biased_exponent > 0 ? biased_exponent - 1 : 0;
    const int index = position / DIGIT_BITS;
    const int shift = position % DIGIT_BITS;
    if (!is_fresh && index != part->index) {
        return 0;
    }
    /* The 53 bits, shifted by up to 31, lie in three digits. */
    const uint64_t low = (mantissa & 0xffffffff) << shift;
    const uint64_t high = ((mantissa >> 32) << shift) + (low >> 32);
    const int64_t sign = (bits >> 63) ? -1 : 1;
    part->index = index;
    part->digit[0] += sign * (int64_t)(low & 0xffffffff);
    part->digit[1] += sign * (int64_t)(high & 0xffffffff);
    part->digit[2] += sign * (int64_t)(high >> 32);
    return 1;
}

static inline void AddPart(EngramExactSum *sum, const Part *part)
{
    if (part->index < 0) {
        return;
    }
    for (int k = 0; k < 3; k++) {
        sum->digit[part->index + k] += part->digit[k];
    }
    Include(sum, part->index, part->index + 3);
}

static inline uint64_t BitsOf(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static inline int IsFinite(uint64_t bits)
{
    return ((bits >> 52) & 0x7ff) != 0x7ff;
}

void EngramExactSumAdd(EngramExactSum *sum, double value)
{
    EngramExactSumAddArray(sum, &value, 1);
}

void EngramExactSumAddArray(EngramExactSum *sum, const double *values, ptrdiff_t count)
{
    /* Neighbouring values are often of similar size: they are added up in registers first. */
    Part part = {-1, {0, 0, 0}};
    for (ptrdiff_t i = 0; i < count; i++) {
        const uint64_t bits = BitsOf(values[i]);
        if (!IsFinite(bits)) {
            sum->nonfinite++;
        } else if ((bits << 1) != 0 && !AddToPart(&part, 0, bits)) {
            AddPart(sum, &part);
            part = (Part){0, {0, 0, 0}};
            AddToPart(&part, 1, bits);
        }
        if (++sum->pending >= MAXIMUM_PENDING) {
            AddPart(sum, &part);
            part = (Part){part.index, {0, 0, 0}};
            EngramExactSumNormalise(sum);
        }
    }
    AddPart(sum, &part);
}

void EngramExactSumNormalise(EngramExactSum *sum)
{
    int64_t carry = 0;
    int64_t k = sum->begin;
    sum->pending = 0;
    if (sum->begin >= sum->end) {
        return;
    }
    for (;; k++) {
        const int64_t total = sum->digit[k] + carry;
        const int is_small = total >= -DIGIT_MASK && total <= DIGIT_MASK;
        if (k == ENGRAM_EXACT_SUM_DIGITS - 1 || (k >= sum->end - 1 && is_small)) {
            sum->digit[k] = total;
            break;
        }
        sum->digit[k] = total & DIGIT_MASK;
        carry = (total - sum->digit[k]) / (DIGIT_MASK + 1);
    }
    sum->end = k + 1 > sum->end ? k + 1 : sum->end;
}

static uint64_t DigitAt(const EngramExactSum *sum, int k)
{
    return k >= 0 ? (uint64_t)sum->digit[k] : 0;
}

static int AnyDigitBelow(const EngramExactSum *sum, int k)
{
    while (--k >= sum->begin) {
        if (sum->digit[k] != 0) {
            return 1;
        }
    }
    return 0;
}

/** Rounds a normalised, non-negative sum to the nearest double. */
static double RoundToNearest(const EngramExactSum *sum)
{
    int k = sum->end > 2 ? (int)sum->end - 1 : 1;
    while (k > 1 && sum->digit[k] == 0) {
        k--;
    }
    /* The four highest digits as two words, moved up until the highest bit is that of the first. */
    uint64_t first = (DigitAt(sum, k) << DIGIT_BITS) | DigitAt(sum, k - 1);
    uint64_t second = (DigitAt(sum, k - 2) << DIGIT_BITS) | DigitAt(sum, k - 3);
    const int most = DIGIT_BITS * (k - 1) + 64 - MANTISSA_BITS;
    const int zeros = first > 0 ? __builtin_clzll(first) : 0;
    const int moved = zeros < most ? zeros : most;
    if (moved > 0) {
        first = (first << moved) | (second >> (64 - moved));
        second <<= moved;
    }
    const int rest_bits = 64 - MANTISSA_BITS;
    const uint64_t half = UINT64_C(1) << (rest_bits - 1);
    const uint64_t rest = first & (2 * half - 1);
    uint64_t mantissa = first >> rest_bits;
    if (rest > half ||
        (rest == half && ((mantissa & 1) || second != 0 || AnyDigitBelow(sum, k - 3)))) {
        mantissa++;
    }
    return ldexp((double)mantissa, DIGIT_BITS * (k - 1) + rest_bits - moved + LOWEST_EXPONENT);
}

double EngramExactSumValue(EngramExactSum *sum)
{
    EngramExactSumNormalise(sum);
    if (sum->nonfinite) {
        return NAN;
    }
    if (sum->end == 0 || sum->digit[sum->end - 1] >= 0) {
        return RoundToNearest(sum);
    }
    EngramExactSum opposite = *sum;
    for (int64_t k = opposite.begin; k < opposite.end; k++) {
        opposite.digit[k] = -opposite.digit[k];
    }
    EngramExactSumNormalise(&opposite);
    return -RoundToNearest(&opposite);
}
