#include "engram/kernels/checksum.h"

#include <string.h>

/** The term of one word: every line can be undone, so no two words have the same. */
static inline uint64_t Term(uint64_t place, uint64_t word)
{
    uint64_t term = word ^ (place * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x2545f4914f6cdd1d));
    term ^= term >> 31;
    term *= UINT64_C(0xd6e8feb86659fd93);
    term ^= term >> 32;
    term *= UINT64_C(0xa0761d6478bd642f);
    term ^= term >> 29;
    return term;
}

uint64_t EngramChecksum(uint64_t first, const void *words, ptrdiff_t count)
{
    uint64_t sum = 0;
    const unsigned char *at = words;
    for (ptrdiff_t i = 0; i < count; i++) {
        uint64_t word;
        /* Free of alignment, and a plain load for the compiler. */
        memcpy(&word, at + 8 * i, sizeof(word));
        sum += Term(first + (uint64_t)i, word);
    }
    return sum;
}
