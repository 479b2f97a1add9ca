/**
 * The exact sum: no bit of any double is lost, the order and the partition of the additions do not
 * matter, and the value is rounded once, to nearest even.
 */
#include "unit_support.h"

#include <float.h>
#include <math.h>

#include "engram/kernels/exact_sum.h"

/* The reference of the sums that fit into 128 bits. */
__extension__ typedef __int128 WideInteger;

static const double SMALLEST = 0x1p-1074;

/** Half the distance of DBL_MAX to the next power of two. */
static const double HALF_TOP_UNIT = 0x1p970;

static double SumOf(const double *values, ptrdiff_t count)
{
    EngramExactSum sum;
    EngramExactSumClear(&sum);
    EngramExactSumAddArray(&sum, values, count);
    return EngramExactSumValue(&sum);
}

/** Adds a normalised sum digit by digit, as a reduction over ranks does. */
static void Merge(EngramExactSum *sum, const EngramExactSum *other)
{
    for (int64_t k = other->begin; k < other->end; k++) {
        sum->digit[k] += other->digit[k];
    }
    sum->begin = other->begin < sum->begin ? other->begin : sum->begin;
    sum->end = other->end > sum->end ? other->end : sum->end;
    sum->nonfinite += other->nonfinite;
}

/** Sum of up to three values, and the negative sum of their negatives: both must round alike. */
static double SumOfThree(double a, double b, double c)
{
    const double values[3] = {a, b, c};
    const double opposites[3] = {-a, -b, -c};
    const double value = SumOf(values, 3);
    UNIT_ASSERT_SAME_BITS(-SumOf(opposites, 3) + 0.0, value);
    return value;
}

/** A finite double with any bits: all exponents, subnormals, and zeros of both signs. */
static double RandomFinite(UnitRandom *random)
{
    double value = NAN;
    while (!isfinite(value)) {
        const uint64_t bits = UnitRandomBits(random);
        memcpy(&value, &bits, sizeof(value));
    }
    return value;
}

static void Shuffle(UnitRandom *random, double *values, int count)
{
    for (int i = count - 1; i > 0; i--) {
        const int other = UnitRandomBelow(random, i + 1);
        const double kept = values[i];
        values[i] = values[other];
        values[other] = kept;
    }
}

static void TestSingleValues(void **state)
{
    (void)state;
    const double special[] = {0.0,     1.0,      SMALLEST,    DBL_MIN,
                              DBL_MAX, -DBL_MAX, 0x1.8p-1074, DBL_MIN - SMALLEST};
    const int count = (int)(sizeof(special) / sizeof(special[0]));
    UnitRandom random = {1};
    UNIT_ASSERT_SAME_BITS(SumOf(NULL, 0), 0.0);
    for (int i = 0; i < count; i++) {
        UNIT_ASSERT_SAME_BITS(SumOf(&special[i], 1), special[i]);
    }
    for (int i = 0; i < 20000; i++) {
        const double value = RandomFinite(&random);
        UNIT_ASSERT_SAME_BITS(SumOf(&value, 1), value);
    }
}

static void TestCancellation(void **state)
{
    (void)state;
    UNIT_ASSERT_SAME_BITS(SumOfThree(1e308, 3.7e-300, -1e308), 3.7e-300);
    UNIT_ASSERT_SAME_BITS(SumOfThree(DBL_MAX, SMALLEST, -DBL_MAX), SMALLEST);
    UNIT_ASSERT_SAME_BITS(SumOfThree(DBL_MAX, DBL_MAX, -DBL_MAX), DBL_MAX);
    UNIT_ASSERT_SAME_BITS(SumOfThree(0x1p32, -0x1p-32, -0x1p32), -0x1p-32);
    UNIT_ASSERT_SAME_BITS(SumOfThree(1.0, -SMALLEST, -1.0), -SMALLEST);
    UNIT_ASSERT_SAME_BITS(SumOfThree(0.1, -0.1, 0.0), 0.0);
}

static void TestSubnormals(void **state)
{
    (void)state;
    UNIT_ASSERT_SAME_BITS(SumOfThree(SMALLEST, SMALLEST, SMALLEST), 3.0 * SMALLEST);
    UNIT_ASSERT_SAME_BITS(SumOfThree(DBL_MIN, -SMALLEST, 0.0), DBL_MIN - SMALLEST);
    UNIT_ASSERT_SAME_BITS(SumOfThree(DBL_MIN - SMALLEST, SMALLEST, 0.0), DBL_MIN);
    /* 54 bits, the last one of weight 2^-1074: the smallest sum that needs rounding at all. */
    UNIT_ASSERT_SAME_BITS(SumOfThree(0x1p-1021, SMALLEST, 0.0), 0x1p-1021);
    UNIT_ASSERT_SAME_BITS(SumOfThree(0x1p-1021, 3.0 * SMALLEST, 0.0), 0x1p-1021 + 4.0 * SMALLEST);
}

static void TestRounding(void **state)
{
    (void)state;
    /* Halfway between two doubles: to the even one, down and up. */
    UNIT_ASSERT_SAME_BITS(SumOfThree(1.0, 0x1p-53, 0.0), 1.0);
    UNIT_ASSERT_SAME_BITS(SumOfThree(1.0 + 0x1p-52, 0x1p-53, 0.0), 1.0 + 0x1p-51);
    UNIT_ASSERT_SAME_BITS(SumOfThree(0x1p1000, 0x1p947, 0.0), 0x1p1000);
    /* One bit 1021 places further down decides. */
    UNIT_ASSERT_SAME_BITS(SumOfThree(1.0, 0x1p-53, SMALLEST), 1.0 + 0x1p-52);
    UNIT_ASSERT_SAME_BITS(SumOfThree(1.0, 0x1p-53, -SMALLEST), 1.0);
    UNIT_ASSERT_SAME_BITS(SumOfThree(1.0 + 0x1p-52, 0x1p-53, -SMALLEST), 1.0 + 0x1p-52);
    UNIT_ASSERT_SAME_BITS(SumOfThree(0x1p1000, 0x1p947, 0x1p-500), 0x1p1000 + 0x1p948);
    /* The sum of 1 and less than half a unit is 1, however many bits there are below. */
    UNIT_ASSERT_SAME_BITS(SumOfThree(1.0, 0x1.fffffffffffffp-54, 0.0), 1.0);
    /* Rounding up carries into the next power of two. */
    UNIT_ASSERT_SAME_BITS(SumOfThree(0x1p53 - 1.0, 0.5, 0.0), 0x1p53);
    UNIT_ASSERT_SAME_BITS(SumOfThree(2.0, -0x1p-54, 0.0), 2.0);
    UNIT_ASSERT_SAME_BITS(SumOfThree(2.0, -0x1p-53, -0x1p-54), 2.0 - 0x1p-52);
}

static void TestOverflow(void **state)
{
    (void)state;
    UNIT_ASSERT_SAME_BITS(SumOfThree(DBL_MAX, DBL_MAX, 0.0), INFINITY);
    UNIT_ASSERT_SAME_BITS(SumOfThree(DBL_MAX, HALF_TOP_UNIT, 0.0), INFINITY);
    UNIT_ASSERT_SAME_BITS(SumOfThree(DBL_MAX, HALF_TOP_UNIT, -SMALLEST), DBL_MAX);
    EngramExactSum sum;
    EngramExactSumClear(&sum);
    for (int i = 0; i < 100000; i++) {
        EngramExactSumAdd(&sum, -DBL_MAX);
    }
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&sum), -INFINITY);
    for (int i = 0; i < 99999; i++) {
        EngramExactSumAdd(&sum, DBL_MAX);
    }
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&sum), -DBL_MAX);
}

static void TestNonfinite(void **state)
{
    (void)state;
    const double bad[3] = {INFINITY, -INFINITY, NAN};
    for (int i = 0; i < 3; i++) {
        EngramExactSum sum;
        EngramExactSum other;
        EngramExactSumClear(&sum);
        EngramExactSumClear(&other);
        EngramExactSumAdd(&sum, 1.0);
        EngramExactSumAdd(&other, bad[i]);
        assert_true(isnan(EngramExactSumValue(&other)));
        assert_true(!isnan(EngramExactSumValue(&sum)));
        Merge(&sum, &other);
        assert_true(isnan(EngramExactSumValue(&sum)));
        assert_int_equal(sum.nonfinite, 1);
        EngramExactSumClear(&sum);
        UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&sum), 0.0);
    }
    const double opposite[2] = {INFINITY, -INFINITY};
    assert_true(isnan(SumOf(opposite, 2)));
}

/** A random integer of up to 2^113 that a double holds. */
static WideInteger RandomWide(UnitRandom *random)
{
    const int64_t mantissa = (int64_t)(UnitRandomBits(random) >> 11);
    const WideInteger wide = (WideInteger)mantissa << UnitRandomBelow(random, 60);
    return UnitRandomBelow(random, 2) ? wide : -wide;
}

static void TestAgainstWideIntegers(void **state)
{
    (void)state;
    const int scales[3] = {-1074, -60, 890};
    UnitRandom random = {2};
    for (int trial = 0; trial < 3000; trial++) {
        const int scale = scales[trial % 3];
        const int count = 1 + UnitRandomBelow(&random, 40);
        WideInteger expected = 0;
        EngramExactSum sum;
        EngramExactSumClear(&sum);
        for (int i = 0; i < count; i++) {
            const WideInteger wide = RandomWide(&random);
            expected += wide;
            EngramExactSumAdd(&sum, ldexp((double)wide, scale));
        }
        /* The conversion to double rounds to nearest even, which is what is asked of the sum. */
        UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&sum), ldexp((double)expected, scale));
    }
}

/** Value of the sum with two more terms: exact up to its sign, which is all that is used. */
static double ValueWith(const EngramExactSum *sum, double first, double second)
{
    EngramExactSum extended = *sum;
    EngramExactSumAdd(&extended, first);
    EngramExactSumAdd(&extended, second);
    return EngramExactSumValue(&extended);
}

static void TestNearestForAnyExponents(void **state)
{
    (void)state;
    UnitRandom random = {3};
    for (int trial = 0; trial < 1000; trial++) {
        EngramExactSum sum;
        EngramExactSumClear(&sum);
        for (int i = 0; i < 60; i++) {
            EngramExactSumAdd(&sum, 0x1p-10 * RandomFinite(&random));
        }
        const double value = EngramExactSumValue(&sum);
        const double half_above = 0.5 * (nextafter(value, INFINITY) - value);
        const double half_below = 0.5 * (value - nextafter(value, -INFINITY));
        assert_true(isfinite(value) && fabs(value) > 1e100);
        assert_true(ValueWith(&sum, -value, -half_above) <= 0.0);
        assert_true(ValueWith(&sum, -value, half_below) >= 0.0);
    }
}

/** Sums the values in parts of random lengths, each by itself, and merges the parts. */
static double SumOfParts(UnitRandom *random, const double *values, int count, int longest)
{
    EngramExactSum total;
    EngramExactSumClear(&total);
    for (int first = 0; first < count;) {
        const int length = UnitRandomBelow(random, longest + 1);
        const int taken = length < count - first ? length : count - first;
        EngramExactSum part;
        EngramExactSumClear(&part);
        EngramExactSumAddArray(&part, values + first, taken);
        EngramExactSumNormalise(&part);
        Merge(&total, &part);
        first += taken;
    }
    return EngramExactSumValue(&total);
}

static void TestOrderAndPartition(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    double values[COUNT];
    UnitRandom random = {4};
    for (int trial = 0; trial < 40; trial++) {
        for (int i = 0; i < COUNT; i++) {
            values[i] = 0x1p-12 * RandomFinite(&random);
        }
        const double expected = SumOf(values, COUNT);
        assert_true(isfinite(expected));
        Shuffle(&random, values, COUNT);
        UNIT_ASSERT_SAME_BITS(SumOf(values, COUNT), expected);
        UNIT_ASSERT_SAME_BITS(SumOfParts(&random, values, COUNT, 5), expected);
        UNIT_ASSERT_SAME_BITS(SumOfParts(&random, values, COUNT, 1500), expected);
    }
}

/** Pairs of opposite values of all exponents hide a short list of tiny ones. */
static void TestHiddenSum(void **state)
{
    (void)state;
    enum { PAIRS = 500, COUNT = 2 * PAIRS + 3 };
    double values[COUNT] = {5.0 * SMALLEST, -0x1p-1000, 0x1p-990};
    UnitRandom random = {5};
    for (int i = 0; i < PAIRS; i++) {
        values[3 + 2 * i] = RandomFinite(&random);
        values[4 + 2 * i] = -values[3 + 2 * i];
    }
    for (int trial = 0; trial < 20; trial++) {
        Shuffle(&random, values, COUNT);
        UNIT_ASSERT_SAME_BITS(SumOf(values, COUNT), 0x1p-990 - 0x1p-1000);
        UNIT_ASSERT_SAME_BITS(SumOfParts(&random, values, COUNT, 100), 0x1p-990 - 0x1p-1000);
    }
}

static void TestNormalised(void **state)
{
    (void)state;
    EngramExactSum sum;
    EngramExactSumClear(&sum);
    for (int i = 0; i < 1000; i++) {
        EngramExactSumAdd(&sum, 1.0);
        EngramExactSumAdd(&sum, -0x1p-40);
    }
    EngramExactSumNormalise(&sum);
    for (int k = 0; k < ENGRAM_EXACT_SUM_DIGITS - 1; k++) {
        assert_true(sum.digit[k] >= 0 && sum.digit[k] <= INT64_C(0xffffffff));
    }
    assert_int_equal(sum.pending, 0);
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&sum), 1000.0 - 1000.0 * 0x1p-40);
}

static void TestManyAdditions(void **state)
{
    (void)state;
    const int count = 2000000;
    EngramExactSum sum;
    EngramExactSumClear(&sum);
    for (int i = 0; i < count; i++) {
        EngramExactSumAdd(&sum, 0.1);
    }
    /* 0.1 is an integer times 2^-56. */
    const WideInteger exact = (WideInteger)(0.1 * 0x1p56) * count;
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&sum), ldexp((double)exact, -56));
}

/** The carries are resolved before a digit can overflow, and that changes nothing. */
static void TestCarriesAreResolvedInTime(void **state)
{
    (void)state;
    const int64_t bound = INT64_C(1) << 30;
    EngramExactSum sum;
    EngramExactSumClear(&sum);
    sum.pending = bound - 10;
    for (int i = 0; i < 20; i++) {
        EngramExactSumAdd(&sum, i % 2 ? 1e300 : -0x1p-30);
        assert_true(sum.pending < bound);
    }
    assert_int_equal(sum.pending, 10);
    for (int i = 0; i < 10; i++) {
        EngramExactSumAdd(&sum, -1e300);
    }
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&sum), -10.0 * 0x1p-30);
}

/** -2^-1074 has all digits at their largest: the worst case of sums of sums. */
static void TestManyMerges(void **state)
{
    (void)state;
    const int count = 300000;
    EngramExactSum part;
    EngramExactSum total;
    EngramExactSumClear(&part);
    EngramExactSumClear(&total);
    EngramExactSumAdd(&part, -SMALLEST);
    EngramExactSumNormalise(&part);
    assert_int_equal(part.digit[0], 0xffffffff);
    for (int i = 0; i < count; i++) {
        Merge(&total, &part);
    }
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&total), -SMALLEST * count);
    for (int doubling = 0; doubling < 1000; doubling++) {
        const EngramExactSum half = total;
        Merge(&total, &half);
        EngramExactSumNormalise(&total);
    }
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&total), ldexp(-count, -74));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestSingleValues),
        cmocka_unit_test(TestCancellation),
        cmocka_unit_test(TestSubnormals),
        cmocka_unit_test(TestRounding),
        cmocka_unit_test(TestOverflow),
        cmocka_unit_test(TestNonfinite),
        cmocka_unit_test(TestAgainstWideIntegers),
        cmocka_unit_test(TestNearestForAnyExponents),
        cmocka_unit_test(TestOrderAndPartition),
        cmocka_unit_test(TestHiddenSum),
        cmocka_unit_test(TestNormalised),
        cmocka_unit_test(TestManyAdditions),
        cmocka_unit_test(TestCarriesAreResolvedInTime),
        cmocka_unit_test(TestManyMerges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
