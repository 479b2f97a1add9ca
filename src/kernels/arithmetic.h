/**
 * @file arithmetic.h
 * How the kernels do their arithmetic, so that a value does not depend on its place in a vector.
 *
 * The compiler is told not to contract a*b+c on its own (-ffp-contract=off), because it may do so
 * in a vector loop and not in its remainder. Where a fused operation is wanted it is written
 * EngramMultiplyAdd. With these two rules a lane, a remainder and a scalar give the same bits.
 */
#ifndef ENGRAM_SRC_KERNELS_ARITHMETIC_H
#define ENGRAM_SRC_KERNELS_ARITHMETIC_H

#if defined(__GNUC__) || defined(__clang__)
#define ENGRAM_INLINE static inline __attribute__((always_inline))
/* A function by itself, with the registers to itself. */
#define ENGRAM_APART static __attribute__((noinline))
/* Called rarely: kept out of the loops, whose registers it would cost. */
#define ENGRAM_SELDOM static __attribute__((noinline, cold, unused))
#define ENGRAM_PREFETCH_READ(address) __builtin_prefetch((address), 0)
#define ENGRAM_PREFETCH_WRITE(address) __builtin_prefetch((address), 1)
#else
#define ENGRAM_INLINE static inline
#define ENGRAM_APART static
#define ENGRAM_SELDOM static inline
#define ENGRAM_PREFETCH_READ(address) ((void)(address))
#define ENGRAM_PREFETCH_WRITE(address) ((void)(address))
#endif

/* The loops so marked run over independent slices: no iteration reads what another one writes. */
#if defined(__clang__)
#define ENGRAM_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define ENGRAM_INDEPENDENT _Pragma("GCC ivdep")
#else
#define ENGRAM_INDEPENDENT
#endif

/** a*b + c: rounded once where the machine has the instruction, twice elsewhere. */
ENGRAM_INLINE double EngramMultiplyAdd(double a, double b, double c)
{
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    return __builtin_fma(a, b, c);
#else
    return a * b + c;
#endif
}

#endif
