/**
 * The rate of the past: exact for cubics between two jumps, never interpolated across one, constant
 * beyond its ends; what is taken back, given up, or moved for more room.
 */
#include "petsc_support.h"

#include "engram/time/time_parameters.h"
#include "rate_history.h"

static const double BEFORE = 7.5;

static RateHistory Create(void)
{
    RateHistory history;
    assert_int_equal(RateHistoryCreate(BEFORE, 1, &history), 0);
    return history;
}

static void Destroy(RateHistory *history)
{
    assert_int_equal(RateHistoryDestroy(history), 0);
    assert_int_equal(RateHistoryDestroy(history), 0);
}

static void Push(RateHistory *history, double time, double rate)
{
    assert_int_equal(RateHistoryPush(history, time, rate), 0);
}

/** A polynomial that is positive where it is used. */
static double Polynomial(int degree, double time)
{
    const double factors[4] = {2.0, 0.7, 1.1, 0.3};
    double sum = 0.0;
    for (int i = degree; i >= 0; i--) {
        sum = sum * time + factors[i];
    }
    return sum;
}

/** Entries of a polynomial, the first and the last one at the ends of an interval. */
static void PushSegment(RateHistory *history, double start, double end, int entries, int degree,
                        UnitRandom *random)
{
    for (int i = 0; i < entries; i++) {
        const double part = i == 0 || i == entries - 1 ? 0.0 : UnitRandomBetween(random, -0.4, 0.4);
        const double time = start + (i + part) / (entries - 1) * (end - start);
        Push(history, time, Polynomial(degree, time));
    }
}

static void ExpectPolynomial(const RateHistory *history, double start, double end, int degree)
{
    for (int i = 0; i <= 500; i++) {
        const double time = start + i / 500.0 * (end - start);
        const double expected = Polynomial(degree, time);
        if (i > 0) {
            const double found = RateHistoryBefore(history, time, 0.0, RATE_BEFORE_JUMP);
            UNIT_ASSERT_AT_MOST(fabs(found / expected - 1.0), 2e-14);
        }
        if (i < 500) {
            const double found = RateHistoryBefore(history, time, 0.0, RATE_AFTER_JUMP);
            UNIT_ASSERT_AT_MOST(fabs(found / expected - 1.0), 2e-14);
        }
    }
}

/** Whatever follows, each segment is interpolated from its own entries as well as they can. */
static void TestSegments(void **state)
{
    (void)state;
    const double ends[8] = {0.0, 0.4, 1.0, 1.1, 1.7, 2.0, 2.5, 3.1};
    const int entries[7] = {30, 4, 2, 3, 2, 100, 5};
    UnitRandom random = {1};
    RateHistory history = Create();
    for (int i = 0; i < 7; i++) {
        const int degree = i % 2 ? 0 : PetscMin(entries[i] - 1, 3);
        PushSegment(&history, ends[i], ends[i + 1], entries[i], degree, &random);
    }
    for (int i = 0; i < 7; i++) {
        const int degree = i % 2 ? 0 : PetscMin(entries[i] - 1, 3);
        ExpectPolynomial(&history, ends[i], ends[i + 1], degree);
    }
    Destroy(&history);
}

/** A time that is not told apart from that of a jump is seen from the side that is asked for. */
static void TestSidesOfAJump(void **state)
{
    (void)state;
    RateHistory history = Create();
    const double rates[6] = {1.0, 2.0, 3.0, 10.0, 11.0, 12.0};
    const double times[6] = {1.0, 2.0, 3.0, 3.0, 4.0, 5.0};
    for (int i = 0; i < 6; i++) {
        Push(&history, times[i], rates[i]);
        assert_int_equal(RateHistoryEndsWithJump(&history), i == 3);
    }
    for (int side = -1; side <= 1; side++) {
        const double time = 3.0 * (1.0 + 0.5 * side * ENGRAM_TIME_RESOLUTION);
        UNIT_ASSERT_AT_MOST(fabs(RateHistoryBefore(&history, time, 0.0, RATE_BEFORE_JUMP) - 3.0),
                            1e-12);
        UNIT_ASSERT_AT_MOST(fabs(RateHistoryBefore(&history, time, 0.0, RATE_AFTER_JUMP) - 10.0),
                            1e-12);
    }
    const double close = 4.0 * ENGRAM_TIME_RESOLUTION;
    UNIT_ASSERT_AT_MOST(fabs(RateHistoryBefore(&history, 3.0 - close, 0.0, RATE_AFTER_JUMP) - 3.0),
                        1e-11);
    UNIT_ASSERT_AT_MOST(
        fabs(RateHistoryBefore(&history, 3.0 + close, 0.0, RATE_BEFORE_JUMP) - 10.0), 1e-11);
    Destroy(&history);
}

/** A jump as the last that is known: constant from there on. */
static void TestEndsAreConstant(void **state)
{
    (void)state;
    RateHistory history = Create();
    assert_false(RateHistoryEndsWithJump(&history));
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 0.0, 0.0, RATE_AFTER_JUMP), BEFORE);
    Push(&history, 1.0, 2.0);
    assert_false(RateHistoryEndsWithJump(&history));
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, -5.0, 0.0, RATE_AFTER_JUMP), BEFORE);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 1.0, 0.0, RATE_BEFORE_JUMP), BEFORE);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 1.0, 0.0, RATE_AFTER_JUMP), 2.0);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 9.0, 0.0, RATE_BEFORE_JUMP), 2.0);
    Push(&history, 2.0, 4.0);
    Push(&history, 2.0, 8.0);
    assert_true(RateHistoryEndsWithJump(&history));
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 1.5, 0.0, RATE_AFTER_JUMP), 3.0);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 2.0, 0.0, RATE_BEFORE_JUMP), 4.0);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 2.0, 0.0, RATE_AFTER_JUMP), 8.0);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 3.0, 0.0, RATE_BEFORE_JUMP), 8.0);
    Destroy(&history);
}

/** A polynomial through rates that are zero almost everywhere would pass below it. */
static void TestRatesAreNotNegative(void **state)
{
    (void)state;
    int cut = 0;
    RateHistory history = Create();
    for (int i = 0; i < 20; i++) {
        Push(&history, i, i == 10 ? 1.0 : 0.0);
    }
    for (int i = 0; i < 400; i++) {
        const double time = 0.05 * i;
        const double found = RateHistoryBefore(&history, time, 0.0, RATE_AFTER_JUMP);
        UNIT_ASSERT_BETWEEN(found, 0.0, 1.2);
        cut += time > 11.0 && time < 12.0 && found == 0.0;
    }
    assert_true(cut > 15);
    Destroy(&history);
}

/** Bit i is set where entry i has a share in the rate at a time. */
static unsigned long long SharesAt(const double *times, int entries, double time)
{
    unsigned long long shares = 0;
    for (int i = 0; i < entries; i++) {
        RateHistory history = Create();
        for (int k = 0; k < entries; k++) {
            Push(&history, times[k], k == i ? 2.0 : 1.0);
        }
        if (fabs(RateHistoryBefore(&history, time, 0.0, RATE_AFTER_JUMP) - 1.0) > 1e-9) {
            shares |= 1ULL << i;
        }
        Destroy(&history);
    }
    return shares;
}

/** Four entries have a share in a rate: those on both sides of it, and the nearest others. */
static void TestNeighbours(void **state)
{
    (void)state;
    enum { ENTRIES = 12 };
    double times[ENTRIES];
    UnitRandom random = {2};
    for (int run = 0; run < 20; run++) {
        for (int i = 0; i < ENTRIES; i++) {
            times[i] = i == 0 ? 0.0 : times[i - 1] + UnitRandomBetween(&random, 0.2, 2.0);
        }
        for (int i = 0; i + 1 < ENTRIES; i++) {
            const double part = UnitRandomBetween(&random, 0.1, 0.9);
            const double time = times[i] + part * (times[i + 1] - times[i]);
            const unsigned long long shares = SharesAt(times, ENTRIES, time);
            int first = 0;
            while (!(shares >> first & 1ULL)) {
                first++;
            }
            assert_true(shares >> first == 15ULL);
            assert_true(first <= i && first + 3 >= i + 1);
            if (first > 0 && first + 3 > i + 1) {
                assert_true(time - times[first - 1] >= times[first + 3] - time);
            }
            if (first + 4 < ENTRIES && first < i) {
                assert_true(times[first + 4] - time >= time - times[first]);
            }
        }
    }
}

/** What is later than a time is taken back; both entries of a jump at that time stay. */
static void TestTruncate(void **state)
{
    (void)state;
    RateHistory history = Create();
    for (int i = 0; i < 10; i++) {
        Push(&history, 0.5 * (i - i % 2), i);
    }
    RateHistoryTruncate(&history, 3.0);
    assert_int_equal(history.count - history.first, 8);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 9.0, 0.0, RATE_AFTER_JUMP), 7.0);
    assert_true(RateHistoryEndsWithJump(&history));
    RateHistoryTruncate(&history, 2.9);
    assert_int_equal(history.count - history.first, 6);
    Push(&history, 3.0, 20.0);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 3.0, 0.0, RATE_BEFORE_JUMP), 20.0);
    assert_false(RateHistoryEndsWithJump(&history));
    RateHistoryTruncate(&history, -1.0);
    UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, 9.0, 0.0, RATE_AFTER_JUMP), BEFORE);
    Destroy(&history);
}

/** The time of entry i: irregular, and the same twice now and then. */
static double TimeOfEntry(int i)
{
    return i % 7 == 6 ? TimeOfEntry(i - 1) : 0.1 * i + 0.03 * sin(i);
}

/** What is given up changes no later rate by a bit, and little is kept before it. */
static void TestForget(void **state)
{
    (void)state;
    enum { ENTRIES = 1000 };
    RateHistory whole = Create();
    RateHistory history = Create();
    UnitRandom random = {4};
    for (int i = 0; i < ENTRIES; i++) {
        const double time = TimeOfEntry(i);
        const double rate = UnitRandomBetween(&random, 1.0, 3.0);
        const double oldest = time - 2.5;
        Push(&whole, time, rate);
        Push(&history, time, rate);
        RateHistoryForget(&history, oldest);
        /* Ten entries go to 1, and four more may lie before. */
        UNIT_ASSERT_AT_MOST(history.count - history.first, 26 + 4 + 1);
        for (int k = 0; k <= 50; k++) {
            const double seen = k == 50 ? oldest : UnitRandomBetween(&random, oldest, time);
            const RateSide side = k % 2 ? RATE_BEFORE_JUMP : RATE_AFTER_JUMP;
            UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, seen, 0.0, side),
                                  RateHistoryBefore(&whole, seen, 0.0, side));
        }
    }
    /* Where entries are given up the arrays need not grow for ever. */
    UNIT_ASSERT_AT_MOST(history.capacity, 128);
    assert_true(whole.capacity >= ENTRIES);
    Destroy(&whole);
    Destroy(&history);
}

/** A time exactly at an entry, which may be the oldest that is asked for. */
static void TestForgetAtEntries(void **state)
{
    (void)state;
    RateHistory whole = Create();
    RateHistory history = Create();
    for (int i = 0; i < 100; i++) {
        Push(&whole, TimeOfEntry(i), 2.0 + sin(0.7 * i));
        Push(&history, TimeOfEntry(i), 2.0 + sin(0.7 * i));
    }
    for (int i = 0; i < 100; i++) {
        RateHistoryForget(&history, TimeOfEntry(i));
        for (int k = 2 * i; k < 200; k++) {
            const double time = k % 2 ? TimeOfEntry(k / 2) + 0.01 : TimeOfEntry(k / 2);
            for (int side = RATE_BEFORE_JUMP; side <= RATE_AFTER_JUMP; side++) {
                UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, time, 0.0, (RateSide)side),
                                      RateHistoryBefore(&whole, time, 0.0, (RateSide)side));
            }
        }
    }
    assert_true(history.count - history.first < 8);
    Destroy(&whole);
    Destroy(&history);
}

/** Nothing is lost when the arrays grow, also after entries were given up. */
static void TestGrowth(void **state)
{
    (void)state;
    RateHistory history = Create();
    for (int i = 0; i < 5000; i++) {
        Push(&history, i, 3.0 * i + 1.0);
        if (i == 30) {
            RateHistoryForget(&history, 20.0);
        }
    }
    for (int i = 20; i < 5000; i++) {
        UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, i, 0.0, RATE_AFTER_JUMP), 3.0 * i + 1.0);
    }
    assert_true(history.capacity < 20000);
    Destroy(&history);
}

/** The time of an entry is met though it is the difference of two far larger numbers. */
static void TestLargeDelay(void **state)
{
    (void)state;
    RateHistory history = Create();
    Push(&history, 1e-4, 1.0);
    Push(&history, 1e-4, 2.0);
    Push(&history, 2e-4, 2.0);
    const double delays[3] = {0.05, 0.45, 0.3};
    for (int i = 0; i < 3; i++) {
        const double now = 1e-4 + delays[i];
        UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, now, delays[i], RATE_BEFORE_JUMP),
                              BEFORE);
        UNIT_ASSERT_SAME_BITS(RateHistoryBefore(&history, now, delays[i], RATE_AFTER_JUMP), 2.0);
    }
    Destroy(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestSegments),        cmocka_unit_test(TestSidesOfAJump),
        cmocka_unit_test(TestEndsAreConstant), cmocka_unit_test(TestRatesAreNotNegative),
        cmocka_unit_test(TestNeighbours),      cmocka_unit_test(TestTruncate),
        cmocka_unit_test(TestForget),          cmocka_unit_test(TestForgetAtEntries),
        cmocka_unit_test(TestGrowth),          cmocka_unit_test(TestLargeDelay),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
