/**
 * Sums and maxima over three ranks: the bits of a sum by one rank alone, whatever the sizes of the
 * numbers, in one short message where they are similar.
 */
#include "petsc_support.h"

#include <float.h>

#include "engram/base/notice.h"
#include "engram/base/reduction.h"

enum { RANKS = 3, NUMBERS = 40, SHORT_MESSAGE = 256 };

/** Numbers of all ranks, the same on each of them. */
typedef struct Numbers {
    double value[RANKS][NUMBERS];
    int count[RANKS];
} Numbers;

static int messages;
static int longest;

/* Stands before that of MPI, and counts; PETSc's headers make it a macro. */
#undef MPI_Allreduce
int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op operation,
                  MPI_Comm comm)
{
    int size = 0;
    (void)MPI_Type_size(type, &size);
    messages++;
    longest = count * size > longest ? count * size : longest;
    return PMPI_Allreduce(from, to, count, type, operation, comm);
}

static int Rank(void)
{
    int rank = 0;
    assert_int_equal(MPI_Comm_rank(MPI_COMM_WORLD, &rank), 0);
    return rank;
}

/** Numbers of both signs, with binary exponents of each rank in an interval. */
static Numbers RandomNumbers(UnitRandom *random, const int low[RANKS], const int high[RANKS])
{
    Numbers numbers;
    for (int rank = 0; rank < RANKS; rank++) {
        numbers.count[rank] = (int)(UnitRandomBits(random) % NUMBERS);
        for (int i = 0; i < NUMBERS; i++) {
            const int exponent =
                low[rank] + (int)(UnitRandomBits(random) % (uint64_t)(high[rank] - low[rank] + 1));
            numbers.value[rank][i] = ldexp(UnitRandomBetween(random, -1.0, 1.0), exponent);
        }
    }
    return numbers;
}

static double SumOfAll(const Numbers *numbers)
{
    EngramExactSum sum;
    EngramExactSumClear(&sum);
    for (int rank = 0; rank < RANKS; rank++) {
        EngramExactSumAddArray(&sum, numbers->value[rank], numbers->count[rank]);
    }
    return EngramExactSumValue(&sum);
}

/** Reduces some sets of numbers at once and compares with sums by this rank alone. */
static void ExpectSums(EngramReduction reduction, int count, const Numbers *numbers)
{
    EngramReductionEntry entries[ENGRAM_REDUCTION_ENTRIES];
    const int rank = Rank();
    for (int i = 0; i < count; i++) {
        EngramReductionEntryClear(&entries[i]);
        EngramExactSumAddArray(&entries[i].sum, numbers[i].value[rank], numbers[i].count[rank]);
        entries[i].maximum = (double)(10 * i + rank);
    }
    messages = 0;
    longest = 0;
    assert_int_equal(EngramReductionApply(reduction, count, entries), 0);
    for (int i = 0; i < count; i++) {
        UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&entries[i].sum), SumOfAll(&numbers[i]));
        UNIT_ASSERT_SAME_BITS(entries[i].maximum, (double)(10 * i + RANKS - 1));
    }
}

static EngramReduction Create(void)
{
    int size = 0;
    EngramReduction reduction = NULL;
    assert_int_equal(MPI_Comm_size(MPI_COMM_WORLD, &size), 0);
    assert_int_equal(size, RANKS);
    assert_int_equal(EngramReductionCreate(MPI_COMM_WORLD, &reduction), 0);
    return reduction;
}

static void Destroy(EngramReduction *reduction)
{
    assert_int_equal(EngramReductionDestroy(reduction), 0);
    assert_int_equal(EngramReductionDestroy(reduction), 0);
}

static void test_similar_numbers_travel_in_one_short_message(void **state)
{
    (void)state;
    UnitRandom random = {1};
    EngramReduction reduction = Create();
    for (int round = 0; round < 500; round++) {
        Numbers numbers[2];
        const int middle = (int)(UnitRandomBits(&random) % 2001) - 1000;
        for (int i = 0; i < 2; i++) {
            const int low[RANKS] = {middle - 10, middle - 60, middle - 100};
            const int high[RANKS] = {middle + 10, middle + 20, middle + 10};
            numbers[i] = RandomNumbers(&random, low, high);
        }
        ExpectSums(reduction, 2, numbers);
        assert_int_equal(messages, 1);
        UNIT_ASSERT_AT_MOST(longest, SHORT_MESSAGE);
    }
    Destroy(&reduction);
}

static void test_numbers_of_any_size_have_the_same_sum(void **state)
{
    (void)state;
    UnitRandom random = {2};
    EngramReduction reduction = Create();
    for (int round = 0; round < 2000; round++) {
        Numbers numbers[ENGRAM_REDUCTION_ENTRIES];
        const int count = 1 + (int)(UnitRandomBits(&random) % ENGRAM_REDUCTION_ENTRIES);
        for (int i = 0; i < count; i++) {
            int low[RANKS];
            int high[RANKS];
            for (int rank = 0; rank < RANKS; rank++) {
                low[rank] = (int)(UnitRandomBits(&random) % 2090) - 1074;
                high[rank] = low[rank] + (int)(UnitRandomBits(&random) % 400);
                high[rank] = high[rank] < 1015 ? high[rank] : 1015;
                high[rank] = high[rank] > low[rank] ? high[rank] : low[rank];
            }
            numbers[i] = RandomNumbers(&random, low, high);
        }
        ExpectSums(reduction, count, numbers);
    }
    Destroy(&reduction);
}

static void test_a_second_message_is_needed_once(void **state)
{
    (void)state;
    UnitRandom random = {3};
    EngramReduction reduction = Create();
    const int far_low[RANKS] = {-900, 0, 0};
    const int far_high[RANKS] = {-900, 0, 0};
    const int near[RANKS] = {0, 0, 0};
    Numbers wide = RandomNumbers(&random, far_low, far_high);
    Numbers narrow = RandomNumbers(&random, near, near);
    for (int rank = 0; rank < RANKS; rank++) {
        wide.count[rank] = NUMBERS;
        narrow.count[rank] = NUMBERS;
    }
    const Numbers *const turns[] = {&narrow, &wide, &wide, &narrow, &narrow};
    const int expected_messages[] = {1, 2, 1, 1, 1};
    const int expected_shorts[] = {1, 0, 0, 0, 1};
    for (int i = 0; i < 5; i++) {
        ExpectSums(reduction, 1, turns[i]);
        assert_int_equal(messages, expected_messages[i]);
        assert_int_equal(longest <= SHORT_MESSAGE, expected_shorts[i]);
    }
    Destroy(&reduction);
}

static void test_empty_sums_and_what_is_not_finite(void **state)
{
    (void)state;
    EngramReduction reduction = Create();
    EngramReductionEntry entries[2];
    EngramReductionEntryClear(&entries[0]);
    EngramReductionEntryClear(&entries[1]);
    assert_int_equal(EngramReductionApply(reduction, 2, entries), 0);
    UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&entries[0].sum), 0.0);
    UNIT_ASSERT_SAME_BITS(entries[1].maximum, -DBL_MAX);
    for (int culprit = 0; culprit < RANKS; culprit++) {
        EngramReductionEntryClear(&entries[0]);
        EngramReductionEntryClear(&entries[1]);
        EngramExactSumAdd(&entries[0].sum, Rank() == culprit ? INFINITY : 1.0);
        EngramExactSumAdd(&entries[1].sum, 1.0);
        entries[1].maximum = Rank() == culprit ? NAN : 1.0;
        assert_int_equal(EngramReductionApply(reduction, 2, entries), 0);
        assert_true(isnan(EngramExactSumValue(&entries[0].sum)));
        UNIT_ASSERT_SAME_BITS(EngramExactSumValue(&entries[1].sum), (double)RANKS);
        assert_true(isnan(entries[1].maximum));
    }
    Destroy(&reduction);
}

static void test_notices_of_any_rank_reach_all(void **state)
{
    (void)state;
    EngramReduction reduction = Create();
    EngramReductionEntry entry;
    for (int who = 0; who < RANKS; who++) {
        const int bits = Rank() == who ? ENGRAM_NOTICE_STOP : 0;
        EngramNoticePost(bits);
        EngramReductionEntryClear(&entry);
        assert_int_equal(EngramReductionApply(reduction, 1, &entry), 0);
        assert_int_equal(EngramReductionNotices(reduction), ENGRAM_NOTICE_STOP);
        EngramNoticeClear(bits);
        assert_int_equal(EngramReductionApply(reduction, 1, &entry), 0);
        assert_int_equal(EngramReductionNotices(reduction), 0);
    }
    Destroy(&reduction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_similar_numbers_travel_in_one_short_message),
        cmocka_unit_test(test_numbers_of_any_size_have_the_same_sum),
        cmocka_unit_test(test_a_second_message_is_needed_once),
        cmocka_unit_test(test_empty_sums_and_what_is_not_finite),
        cmocka_unit_test(test_notices_of_any_rank_reach_all),
    };
    return cmocka_run_group_tests(tests, StartPetsc, StopPetsc);
}
