/**
 * The total rates of three runs at the times that they have in common.
 */
#include "unit_support.h"

#include "rate_table.h"

/** Run 0 has the times 1 .. count, and the rate of each run is its factor times the time. */
static RateTable TableOf(PetscInt count)
{
    RateTable table = {.count = 0};
    for (PetscInt i = 1; i <= count; i++) {
        assert_int_equal(RateTableAdd(&table, (double)i, 10.0 * (double)i), 0);
    }
    return table;
}

static void TestDifferences(void **state)
{
    (void)state;
    RateTable table = TableOf(1000);
    for (int i = 1; i <= 1000; i++) {
        RateTableFill(&table, 1, i * (1.0 + 1e-15), 9.0 * i);
        RateTableFill(&table, 2, i, 8.5 * i);
    }
    assert_int_equal(table.count, 1000);
    UNIT_ASSERT_AT_MOST(fabs(RateTableDifference(&table, 0, 1, 0) - 1.0 / 10.0), 1e-14);
    UNIT_ASSERT_AT_MOST(fabs(RateTableDifference(&table, 1, 0, 2) - 1.0 / 9.0), 1e-14);
    UNIT_ASSERT_AT_MOST(fabs(RateTableDifference(&table, 2, 1, 0) - 0.5 / 8.5), 1e-14);
    assert_int_equal(RateTableDestroy(&table), 0);
    assert_int_equal(RateTableDestroy(&table), 0);
}

/** Times between the rows change nothing, and rows without a state of every run do not count. */
static void TestTimesInCommon(void **state)
{
    (void)state;
    RateTable table = TableOf(10);
    for (int i = 1; i <= 30; i++) {
        RateTableFill(&table, 1, i / 3.0, i % 3 == 0 ? 9.0 * i / 3.0 : 1e6);
    }
    for (int i = 2; i <= 10; i += 2) {
        RateTableFill(&table, 2, i, i == 10 ? NAN : 8.0 * i);
    }
    RateTableFill(&table, 2, 11.0, 1e6);
    UNIT_ASSERT_AT_MOST(fabs(RateTableDifference(&table, 1, 0, 1) - 10.0 / 90.0), 1e-14);
    UNIT_ASSERT_AT_MOST(fabs(RateTableDifference(&table, 1, 0, 2) - 8.0 / 72.0), 1e-14);
    UNIT_ASSERT_AT_MOST(fabs(RateTableDifference(&table, 2, 1, 2) - 8.0 / 64.0), 1e-14);
    assert_int_equal(RateTableDestroy(&table), 0);
}

static void TestNothingToCompare(void **state)
{
    (void)state;
    RateTable empty = {.count = 0};
    RateTableFill(&empty, 1, 1.0, 1.0);
    assert_true(isnan(RateTableDifference(&empty, 1, 0, 0)));
    RateTable table = TableOf(3);
    RateTableFill(&table, 1, 2.5, 1.0);
    assert_true(isnan(RateTableDifference(&table, 1, 0, 0)));
    RateTableFill(&table, 1, 3.0, 0.0);
    assert_true(isnan(RateTableDifference(&table, 1, 0, 0)));
    assert_int_equal(RateTableDestroy(&table), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestDifferences),
        cmocka_unit_test(TestTimesInCommon),
        cmocka_unit_test(TestNothingToCompare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
