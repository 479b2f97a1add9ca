/** The checksum of a sequence of words: any change is seen, any partition gives the same. */
#include "engram/kernels/checksum.h"
#include "unit_support.h"

enum { WORDS = 1000 };

static void Fill(uint64_t *words)
{
    uint64_t generator = 1;
    for (int i = 0; i < WORDS; i++) {
        generator = generator * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        words[i] = i % 3 == 0 ? 0 : generator;
    }
}

static void TestEverySingleBitCounts(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    Fill(words);
    const uint64_t sum = EngramChecksum(0, words, WORDS);
    for (int i = 0; i < WORDS; i++) {
        for (int bit = 0; bit < 64; bit++) {
            words[i] ^= UINT64_C(1) << bit;
            assert_true(EngramChecksum(0, words, WORDS) != sum);
            words[i] ^= UINT64_C(1) << bit;
        }
    }
    assert_true(EngramChecksum(0, words, WORDS) == sum);
}

static void TestAnyPartitionAndOrder(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    Fill(words);
    const uint64_t sum = EngramChecksum(7, words, WORDS);
    for (int cut = 0; cut <= WORDS; cut++) {
        const uint64_t last = EngramChecksum(7 + (uint64_t)cut, words + cut, WORDS - cut);
        assert_true(last + EngramChecksum(7, words, cut) == sum);
    }
}

static void TestPlacesCount(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    Fill(words);
    const uint64_t sum = EngramChecksum(0, words, WORDS);
    assert_true(EngramChecksum(1, words, WORDS) != sum);
    for (int i = 1; i < WORDS; i++) {
        const uint64_t kept = words[i];
        words[i] = words[i - 1];
        words[i - 1] = kept;
        assert_true(EngramChecksum(0, words, WORDS) != sum);
        words[i - 1] = words[i];
        words[i] = kept;
    }
}

/** Zeros at the end are words like any other: a file that lost them has another sum. */
static void TestZerosCount(void **state)
{
    (void)state;
    const uint64_t words[WORDS] = {0};
    for (int count = 1; count <= WORDS; count++) {
        assert_true(EngramChecksum(0, words, count) != EngramChecksum(0, words, count - 1));
    }
    assert_true(EngramChecksum(0, words, 0) == 0);
}

static void TestAlignmentDoesNotCount(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    unsigned char bytes[8 * WORDS + 8];
    Fill(words);
    for (size_t shift = 0; shift < 8; shift++) {
        memcpy(bytes + shift, words, sizeof(words));
        assert_true(EngramChecksum(0, bytes + shift, WORDS) == EngramChecksum(0, words, WORDS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TestEverySingleBitCounts),  cmocka_unit_test(TestAnyPartitionAndOrder),
        cmocka_unit_test(TestPlacesCount),           cmocka_unit_test(TestZerosCount),
        cmocka_unit_test(TestAlignmentDoesNotCount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
