#include "engram/kernels/kernel_set.h"

/* The build tells how many there are, if more than one. */
#if defined(ENGRAM_KERNEL_SETS)

#include <stdatomic.h>
#include <stddef.h>

#include "kernel_list.h"

ENGRAM_DECLARE_KERNELS(sse2)
ENGRAM_DECLARE_KERNELS(avx2)
#if ENGRAM_KERNEL_SETS > 2
ENGRAM_DECLARE_KERNELS(avx512)
#endif

/* From the plainest up. */
static const KernelSet sets[ENGRAM_KERNEL_SETS] = {
    ENGRAM_KERNEL_TABLE(sse2),
    ENGRAM_KERNEL_TABLE(avx2),
#if ENGRAM_KERNEL_SETS > 2
    ENGRAM_KERNEL_TABLE(avx512),
#endif
};

/* NULL as long as nobody has asked: the first kernel may be called from any thread. */
static _Atomic(const KernelSet *) chosen;

int EngramKernelSets(void)
{
    return ENGRAM_KERNEL_SETS;
}

const char *EngramKernelSetName(int set)
{
    return sets[set].name;
}

/** What the build compiles each set with, asked of the processor and the operating system. */
int EngramKernelSetBest(void)
{
    const int has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#if ENGRAM_KERNEL_SETS > 2
    const int has_avx512 = __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (has_avx2 && has_avx512) {
        return 2;
    }
#endif
    return has_avx2;
}

const KernelSet *KernelsInUse(void)
{
    const KernelSet *set = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!set) {
        const KernelSet *best = &sets[EngramKernelSetBest()];
        /* Whoever comes second takes what the first has set. */
        set = atomic_compare_exchange_strong(&chosen, &set, best) ? best : set;
    }
    return set;
}

int EngramKernelSetInUse(void)
{
    return (int)(KernelsInUse() - sets);
}

void EngramKernelSetUse(int set)
{
    atomic_store(&chosen, &sets[set]);
}

#else

#if defined(__AVX512F__)
#define NAME "avx512"
#elif defined(__AVX2__) && defined(__FMA__)
#define NAME "avx2"
#elif defined(__AVX__)
#define NAME "avx"
#elif defined(__SSE2__)
#define NAME "sse2"
#elif defined(__aarch64__)
#define NAME "neon"
#else
#define NAME "plain"
#endif

int EngramKernelSets(void)
{
    return 1;
}

const char *EngramKernelSetName(int set)
{
    (void)set;
    return NAME;
}

int EngramKernelSetBest(void)
{
    return 0;
}

int EngramKernelSetInUse(void)
{
    return 0;
}

void EngramKernelSetUse(int set)
{
    (void)set;
}

#endif
