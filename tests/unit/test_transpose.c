/**
 * The transposition of a block: every size around that of its tiles, any distances of the rows, and
 * nothing touched beside the block.
 */
#include "unit_support.h"

#include "engram/kernels/transpose.h"

enum { LARGEST = 20 };

/* What fills every number that is not to be written. */
static const double GUARD = -7.0;

/** A number of its own for every place. */
static double Entry(ptrdiff_t row, ptrdiff_t column)
{
    return (double)(1000 * row + column + 1);
}

/** Doubles that all are the guard; at least one, so that a pointer to it exists. */
static double *Guarded(ptrdiff_t count)
{
    double *values = UnitAllocate(count + 1);
    for (ptrdiff_t i = 0; i <= count; i++) {
        values[i] = GUARD;
    }
    return values;
}

/** Length of an array that holds `rows` of `columns` and nothing after the last one. */
static ptrdiff_t Length(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride)
{
    return rows > 0 ? (rows - 1) * stride + columns : 0;
}

/** The block is in its place, and all between, before and after its rows is the guard. */
static void ExpectBlock(const double *block, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride,
                        int is_transposed)
{
    for (ptrdiff_t i = 0; i <= Length(rows, columns, stride); i++) {
        const ptrdiff_t row = i / stride;
        const ptrdiff_t column = i % stride;
        const int is_inside = row < rows && column < columns;
        const double entry = is_transposed ? Entry(column, row) : Entry(row, column);
        UNIT_ASSERT_SAME_BITS(block[i], is_inside ? entry : GUARD);
    }
}

/** Transposes one block; the gaps are what the rows are further apart than they must be. */
static void ExpectTransposed(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t from_gap,
                             ptrdiff_t to_gap)
{
    /* At least 1, which an empty block needs for the check alone. */
    const ptrdiff_t from_stride = columns + from_gap > 0 ? columns + from_gap : 1;
    const ptrdiff_t to_stride = rows + to_gap > 0 ? rows + to_gap : 1;
    double *from = Guarded(Length(rows, columns, from_stride));
    double *to = Guarded(Length(columns, rows, to_stride));
    for (ptrdiff_t row = 0; row < rows; row++) {
        for (ptrdiff_t column = 0; column < columns; column++) {
            from[row * from_stride + column] = Entry(row, column);
        }
    }
    EngramTranspose(rows, columns, from, from_stride, to, to_stride);
    ExpectBlock(from, rows, columns, from_stride, 0);
    ExpectBlock(to, columns, rows, to_stride, 1);
    free(from);
    free(to);
}

static void TestAllSizes(void **state)
{
    (void)state;
    const ptrdiff_t gaps[4] = {0, 1, 8, 13};
    for (ptrdiff_t rows = 0; rows <= LARGEST; rows++) {
        for (ptrdiff_t columns = 0; columns <= LARGEST; columns++) {
            for (int i = 0; i < 16; i++) {
                ExpectTransposed(rows, columns, gaps[i % 4], gaps[i / 4]);
            }
        }
    }
}

/** Sizes of whole runs, and those of one row or column. */
static void TestLargeBlocks(void **state)
{
    (void)state;
    ExpectTransposed(119, 512, 0, 1);
    ExpectTransposed(512, 119, 9, 0);
    ExpectTransposed(1, 1000, 0, 0);
    ExpectTransposed(1000, 1, 3, 0);
}

/** Numbers are moved, not computed with. */
static void TestBitsAreKept(void **state)
{
    (void)state;
    const double from[4] = {-0.0, NAN, -INFINITY, 4.9e-324};
    const ptrdiff_t target[4] = {0, 2, 1, 3};
    double to[4] = {1.0, 1.0, 1.0, 1.0};
    EngramTranspose(2, 2, from, 2, to, 2);
    for (int i = 0; i < 4; i++) {
        UNIT_ASSERT_SAME_BITS(to[target[i]], from[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestAllSizes),
        cmocka_unit_test(TestLargeBlocks),
        cmocka_unit_test(TestBitsAreKept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
