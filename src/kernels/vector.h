/**
 * @file vector.h
 * Several doubles worked on side by side: one text for all widths of the processor.
 *
 * A kernel that is written with these works on VECTOR_LANES neighbouring slices at once. Arithmetic
 * is that of the compiler's vectors; a function stands for each thing these cannot say: a fused
 * operation, a smaller and a larger number, a reciprocal, a shift by one lane. Every lane is
 * rounded like a number by itself, so that a slice has the same bits in every lane and in a vector
 * of any width. Builds for different processors differ in the last bit: a fused operation is
 * rounded twice where the machine has none.
 *
 * ENGRAM_VECTOR_SCALAR asks for one lane, as a test does.
 */
#ifndef ENGRAM_SRC_KERNELS_VECTOR_H
#define ENGRAM_SRC_KERNELS_VECTOR_H

#include <stdint.h>
#include <string.h>

#include "arithmetic.h"

#if defined(ENGRAM_VECTOR_SCALAR)
#define VECTOR_LANES 1
#elif defined(__AVX512F__)
#define VECTOR_LANES 8
#elif defined(__AVX__)
#define VECTOR_LANES 4
#elif defined(__SSE2__) || defined(__aarch64__)
#define VECTOR_LANES 2
#else
#define VECTOR_LANES 1
#endif

#if VECTOR_LANES > 1 && defined(__SSE2__)
#include <immintrin.h>
#elif VECTOR_LANES > 1
#include <arm_neon.h>
#endif

typedef double Vector __attribute__((vector_size(8 * VECTOR_LANES)));
typedef int64_t VectorBits __attribute__((vector_size(8 * VECTOR_LANES)));

/* Loops over the vectors of a group are written out, so that what they work on stays in registers.
 */
#if defined(__clang__)
#define ENGRAM_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define ENGRAM_UNROLL _Pragma("GCC unroll 16")
#endif

ENGRAM_INLINE Vector VectorLoad(const double *from)
{
    Vector value;
    memcpy(&value, from, sizeof(value));
    return value;
}

ENGRAM_INLINE void VectorStore(double *to, Vector value)
{
    memcpy(to, &value, sizeof(value));
}

/** The same number in all lanes. */
ENGRAM_INLINE Vector VectorOf(double number)
{
    return number - (Vector){0.0};
}

/** a*b + c */
ENGRAM_INLINE Vector VectorMultiplyAdd(Vector a, Vector b, Vector c)
{
#if VECTOR_LANES == 8
    return (Vector)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif VECTOR_LANES == 4 && defined(__FMA__)
    return (Vector)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif VECTOR_LANES == 2 && defined(__FMA__)
    return (Vector)_mm_fmadd_pd((__m128d)a, (__m128d)b, (__m128d)c);
#elif VECTOR_LANES == 2 && defined(__aarch64__)
    return (Vector)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#elif VECTOR_LANES == 1
    return (Vector){EngramMultiplyAdd(a[0], b[0], c[0])};
#else
    return a * b + c;
#endif
}

/** c - a*b */
ENGRAM_INLINE Vector VectorSubtractProduct(Vector c, Vector a, Vector b)
{
    return VectorMultiplyAdd(-a, b, c);
}

/** a where it is smaller, else b. */
ENGRAM_INLINE Vector VectorSmaller(Vector a, Vector b)
{
#if VECTOR_LANES == 8
    return (Vector)_mm512_min_pd((__m512d)a, (__m512d)b);
#elif VECTOR_LANES == 4
    return (Vector)_mm256_min_pd((__m256d)a, (__m256d)b);
#elif VECTOR_LANES == 2 && defined(__SSE2__)
    return (Vector)_mm_min_pd((__m128d)a, (__m128d)b);
#else
    const VectorBits is_smaller = a < b;
    return (Vector)(((VectorBits)a & is_smaller) | ((VectorBits)b & ~is_smaller));
#endif
}

/** a where it is larger, else b. */
ENGRAM_INLINE Vector VectorLarger(Vector a, Vector b)
{
#if VECTOR_LANES == 8
    return (Vector)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif VECTOR_LANES == 4
    return (Vector)_mm256_max_pd((__m256d)a, (__m256d)b);
#elif VECTOR_LANES == 2 && defined(__SSE2__)
    return (Vector)_mm_max_pd((__m128d)a, (__m128d)b);
#else
    const VectorBits is_larger = a > b;
    return (Vector)(((VectorBits)a & is_larger) | ((VectorBits)b & ~is_larger));
#endif
}

/** a in the lanes of the mask, b in the others. */
ENGRAM_INLINE Vector VectorChoose(VectorBits mask, Vector a, Vector b)
{
    return (Vector)(((VectorBits)a & mask) | ((VectorBits)b & ~mask));
}

ENGRAM_INLINE Vector VectorMagnitude(Vector a)
{
    return (Vector)((VectorBits)a & (INT64_MAX - (VectorBits){0}));
}

/**
 * 1/d. A division of eight lanes takes longer than all the rest of a step: there the machine's
 * estimate of 14 bits is corrected to third order, which is as exact but for half a unit in the
 * last place.
 */
ENGRAM_INLINE Vector VectorReciprocal(Vector d)
{
#if VECTOR_LANES == 8
    const Vector estimate = (Vector)_mm512_rcp14_pd((__m512d)d);
    const Vector error = VectorSubtractProduct(VectorOf(1.0), d, estimate);
    const Vector better = VectorMultiplyAdd(estimate, error, estimate);
    return VectorMultiplyAdd(better, error * error, better);
#else
    return 1.0 / d;
#endif
}

/** The lanes of `here` moved up by one; the first is the last one of `before`. */
ENGRAM_INLINE Vector VectorShiftUp(Vector before, Vector here)
{
#if VECTOR_LANES == 1
    (void)here;
    return before;
#elif defined(__clang__) && VECTOR_LANES == 8
    return __builtin_shufflevector(before, here, 7, 8, 9, 10, 11, 12, 13, 14);
#elif defined(__clang__) && VECTOR_LANES == 4
    return __builtin_shufflevector(before, here, 3, 4, 5, 6);
#elif defined(__clang__)
    return __builtin_shufflevector(before, here, 1, 2);
#elif VECTOR_LANES == 8
    return __builtin_shuffle(before, here, (VectorBits){7, 8, 9, 10, 11, 12, 13, 14});
#elif VECTOR_LANES == 4
    return __builtin_shuffle(before, here, (VectorBits){3, 4, 5, 6});
#else
    return __builtin_shuffle(before, here, (VectorBits){1, 2});
#endif
}

/** Whether any lane of a mask is set. */
ENGRAM_INLINE int VectorAny(VectorBits mask)
{
#if VECTOR_LANES == 8
    return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
#elif VECTOR_LANES == 4
    return _mm256_movemask_pd((__m256d)mask) != 0;
#elif VECTOR_LANES == 2 && defined(__SSE2__)
    return _mm_movemask_pd((__m128d)mask) != 0;
#else
    int64_t any = 0;
    for (int i = 0; i < VECTOR_LANES; i++) {
        any |= mask[i];
    }
    return any != 0;
#endif
}

#endif
