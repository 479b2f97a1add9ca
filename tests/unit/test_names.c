/**
 * The distance of two names, by which an unknown option gets a suggestion.
 */
#include "unit_support.h"

#include <petscsys.h>

#include "engram/base/options.h"

enum { LONGEST_NAME = 64 };

/** Both orders of the names must give the same distance. */
static void ExpectDistance(const char *a, const char *b, int expected)
{
    assert_int_equal(EngramNameDistance(a, b), expected);
    assert_int_equal(EngramNameDistance(b, a), expected);
}

static void TestEqualAndEmpty(void **state)
{
    (void)state;
    ExpectDistance("", "", 0);
    ExpectDistance("a", "a", 0);
    ExpectDistance("model_noise", "model_noise", 0);
    ExpectDistance("", "noise", 5);
    ExpectDistance("", "a", 1);
}

static void TestSingleEdits(void **state)
{
    (void)state;
    ExpectDistance("noise", "noses", 2);
    ExpectDistance("noise", "nois", 1);
    ExpectDistance("noise", "oise", 1);
    ExpectDistance("noise", "nose", 1);
    ExpectDistance("noise", "moise", 1);
    ExpectDistance("noise", "noisy", 1);
    ExpectDistance("noise", "Noise", 1);
    ExpectDistance("a", "b", 1);
}

static void TestSwaps(void **state)
{
    (void)state;
    ExpectDistance("ab", "ba", 1);
    ExpectDistance("time_end", "time_edn", 1);
    ExpectDistance("time_end", "itme_edn", 2);
    ExpectDistance("aab", "aba", 1);
    /* A swapped pair is not edited again: the unrestricted distance would be 2. */
    ExpectDistance("ca", "abc", 3);
    /* Letters that are not neighbours are no swap. */
    ExpectDistance("abc", "cba", 2);
}

static void TestSeveralEdits(void **state)
{
    (void)state;
    ExpectDistance("kitten", "sitting", 3);
    ExpectDistance("saturday", "sunday", 3);
    ExpectDistance("flaw", "lawn", 2);
    ExpectDistance("grid_w_cells", "grid_v_cell", 2);
    ExpectDistance("abcdef", "ghijkl", 6);
}

/** Names of a given length, made of one letter and a last one. */
static void FillName(char *name, size_t length, char letter, char last)
{
    memset(name, letter, length);
    name[length - 1] = last;
    name[length] = '\0';
}

static void TestLongNames(void **state)
{
    (void)state;
    char a[LONGEST_NAME + 2];
    char b[LONGEST_NAME + 2];
    FillName(a, LONGEST_NAME, 'x', 'y');
    FillName(b, LONGEST_NAME, 'x', 'z');
    ExpectDistance(a, a, 0);
    ExpectDistance(a, b, 1);
    ExpectDistance(a, "", LONGEST_NAME);
    /* Longer names are far from all others, so that none of them is suggested. */
    FillName(b, LONGEST_NAME + 1, 'x', 'y');
    ExpectDistance(a, b, LONGEST_NAME);
}

static int Smallest(int a, int b, int c)
{
    const int smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/** The definition of the distance by recursion on the prefixes of lengths m and n. */
static int DistanceByDefinition(const char *a, int m, const char *b, int n)
{
    if (m == 0 || n == 0) {
        return m + n;
    }
    const int replaced = DistanceByDefinition(a, m - 1, b, n - 1) + (a[m - 1] != b[n - 1]);
    const int best = Smallest(DistanceByDefinition(a, m - 1, b, n) + 1,
                              DistanceByDefinition(a, m, b, n - 1) + 1, replaced);
    if (m > 1 && n > 1 && a[m - 1] == b[n - 2] && a[m - 2] == b[n - 1]) {
        return Smallest(best, DistanceByDefinition(a, m - 2, b, n - 2) + 1, best);
    }
    return best;
}

static void TestAgainstDefinition(void **state)
{
    (void)state;
    enum { LONGEST = 6 };
    UnitRandom random = {7};
    for (int trial = 0; trial < 500; trial++) {
        char names[2][LONGEST + 1] = {"", ""};
        int lengths[2];
        for (int k = 0; k < 2; k++) {
            lengths[k] = UnitRandomBelow(&random, LONGEST + 1);
            for (int i = 0; i < lengths[k]; i++) {
                names[k][i] = (char)('a' + UnitRandomBelow(&random, 3));
            }
        }
        ExpectDistance(names[0], names[1],
                       DistanceByDefinition(names[0], lengths[0], names[1], lengths[1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestEqualAndEmpty), cmocka_unit_test(TestSingleEdits),
        cmocka_unit_test(TestSwaps),         cmocka_unit_test(TestSeveralEdits),
        cmocka_unit_test(TestLongNames),     cmocka_unit_test(TestAgainstDefinition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
