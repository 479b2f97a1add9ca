#include "engram/kernels/checksum.h"

#include <string.h>

/* Words that are copied at a time, so that the loop over them is free of alignment. */
enum { BLOCK = 256 };

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
    uint64_t block[BLOCK];
    const unsigned char *at = words;
    for (ptrdiff_t done = 0; done < count; done += BLOCK) {
        const ptrdiff_t taken = count - done < BLOCK ? count - done : BLOCK;
        memcpy(block, at + 8 * done, 8 * (size_t)taken);
        for (ptrdiff_t i = 0; i < taken; i++) {
            sum += Term(first + (uint64_t)(done + i), block[i]);
        }
    }
    return sum;
}
