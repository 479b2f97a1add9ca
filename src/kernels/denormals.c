#include "engram/kernels/denormals.h"

#if defined(__SSE2__)
#include <immintrin.h>

void EngramDenormalsFlush(void)
{
    enum { FLUSH_TO_ZERO = 0x8000, DENORMALS_ARE_ZERO = 0x0040 };
    _mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
}

#elif defined(__aarch64__) && defined(__GNUC__)
#include <stdint.h>

void EngramDenormalsFlush(void)
{
    const uint64_t flush_to_zero = UINT64_C(1) << 24;
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    __asm__ volatile("msr fpcr, %0" : : "r"(control | flush_to_zero));
}

#else

void EngramDenormalsFlush(void)
{
}

#endif
