/**
 * @file face_weights.h
 * Weights of the flux through one face of one slice, for inlining into the kernels' loops.
 */
#ifndef ENGRAM_SRC_KERNELS_FACE_WEIGHTS_H
#define ENGRAM_SRC_KERNELS_FACE_WEIGHTS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "arithmetic.h"
#include "engram/kernels/face_table.h"

/* Below this |q| the difference e^q - 1 has lost too many digits, and a polynomial of degree 5
 * leaves a relative error of q^6/5040 < 5e-17. */
#define ENGRAM_SMALL_ARGUMENT 0.0078125

/* Beyond it e^-|q| is held at e^-700, near the smallest normal double. */
#define ENGRAM_LARGE_ARGUMENT 700.0

/** B(-q) = forward/gap, B(q) = backward/gap; the three have one sign. */
typedef struct EngramFaceWeight {
    double forward;
    double backward;
    double gap;
} EngramFaceWeight;

/** e^x - 1 for |x| <= ln(2)/2, by its Taylor polynomial of degree 13. */
ENGRAM_INLINE double EngramReducedExponentialMinusOne(double x)
{
    double sum = 1.0 / 6227020800.0;
    sum = EngramMultiplyAdd(sum, x, 1.0 / 479001600.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 39916800.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 3628800.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 362880.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 40320.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 5040.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 720.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 120.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 24.0);
    sum = EngramMultiplyAdd(sum, x, 1.0 / 6.0);
    sum = EngramMultiplyAdd(sum, x, 0.5);
    sum = EngramMultiplyAdd(sum, x, 1.0);
    return x * sum;
}

/**
 * Splits e^x = power * (1 + rest) with power = 2^k and |rest| < 0.42, for |x| <= 700. Written out,
 * because libm's exp has other bits in vector loops than in scalar code.
 */
ENGRAM_INLINE void EngramExponentialParts(double x, double *power, double *rest)
{
    const double shifter = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */
    const double shifted = EngramMultiplyAdd(x, 1.4426950408889634, shifter);
    const double k = shifted - shifter;
    double reduced = EngramMultiplyAdd(k, -0.693147180369123816490, x);
    reduced = EngramMultiplyAdd(k, -1.90821492927058770002e-10, reduced);
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits << 52) + UINT64_C(0x3ff0000000000000);
    memcpy(power, &bits, sizeof(bits));
    *rest = EngramReducedExponentialMinusOne(reduced);
}

/** e^x for |x| <= 700. */
ENGRAM_INLINE double EngramExponential(double x)
{
    double power;
    double rest;
    EngramExponentialParts(x, &power, &rest);
    return EngramMultiplyAdd(power, rest, power);
}

/** (e^q - 1)/q for |q| < ENGRAM_SMALL_ARGUMENT. */
ENGRAM_INLINE double EngramExponentialSlope(double q)
{
    double sum = 1.0 / 720.0;
    sum = EngramMultiplyAdd(sum, q, 1.0 / 120.0);
    sum = EngramMultiplyAdd(sum, q, 1.0 / 24.0);
    sum = EngramMultiplyAdd(sum, q, 1.0 / 6.0);
    sum = EngramMultiplyAdd(sum, q, 0.5);
    return EngramMultiplyAdd(sum, q, 1.0);
}

/** The drift in units of a/h, measured from the table's reference potential. */
ENGRAM_INLINE double EngramScaledDrift(const EngramFaceTable *table, double drift)
{
    return (drift - table->reference) * (table->spacing / table->noise);
}

/** How a face's weights are evaluated; a constant wherever the functions below are inlined. */
typedef enum EngramEvaluation {
    ENGRAM_SCHARFETTER_GUMMEL_FACTORED,
    ENGRAM_SCHARFETTER_GUMMEL_GENERAL,
    ENGRAM_HARMONIC_FACTORED,
    ENGRAM_HARMONIC_GENERAL,
} EngramEvaluation;

ENGRAM_INLINE EngramEvaluation EngramEvaluationOf(const EngramFaceTable *table)
{
    if (table->flux == ENGRAM_FLUX_HARMONIC) {
        return table->factored ? ENGRAM_HARMONIC_FACTORED : ENGRAM_HARMONIC_GENERAL;
    }
    return table->factored ? ENGRAM_SCHARFETTER_GUMMEL_FACTORED : ENGRAM_SCHARFETTER_GUMMEL_GENERAL;
}

/** The factor of e^q that belongs to the slice; 1 where it is evaluated on each face. */
ENGRAM_INLINE double EngramSliceFactor(const EngramFaceTable *table, EngramEvaluation evaluation,
                                       double scaled_drift)
{
    if (evaluation == ENGRAM_SCHARFETTER_GUMMEL_GENERAL || evaluation == ENGRAM_HARMONIC_GENERAL) {
        return 1.0;
    }
    const double bound = table->drift_bound;
    const double lower = scaled_drift > -bound ? scaled_drift : -bound;
    return EngramExponential(lower < bound ? lower : bound);
}

/** Weights from e^q = slice_factor * face_factor: the cheap way, for moderate cell Peclet numbers.
 */
ENGRAM_INLINE EngramFaceWeight EngramFactoredWeight(double slice_factor, double face_factor,
                                                    double q)
{
    const double exponential = slice_factor * face_factor;
    const int is_small = fabs(q) < ENGRAM_SMALL_ARGUMENT;
    const double backward = is_small ? 1.0 : q;
    EngramFaceWeight weight;
    weight.gap = is_small ? EngramExponentialSlope(q) : exponential - 1.0;
    weight.backward = backward;
    weight.forward = backward * exponential;
    return weight;
}

/** Weights from e^-|q|, which cannot overflow: for any q. */
ENGRAM_INLINE EngramFaceWeight EngramGeneralWeight(double q)
{
    const double tiny = 1e-100; /* stands for q = 0: the quotients are then 1 to the last bit */
    const double magnitude = fabs(q) > tiny ? fabs(q) : tiny;
    const double argument = magnitude < ENGRAM_LARGE_ARGUMENT ? magnitude : ENGRAM_LARGE_ARGUMENT;
    double power;
    double rest;
    EngramExponentialParts(-argument, &power, &rest);
    const double decayed = magnitude * EngramMultiplyAdd(power, rest, power);
    EngramFaceWeight weight;
    weight.gap = EngramMultiplyAdd(-power, rest, 1.0 - power);
    weight.forward = q > 0.0 ? magnitude : decayed;
    weight.backward = q > 0.0 ? decayed : magnitude;
    return weight;
}

/** The harmonic weights, from e^q as a product of tables. */
ENGRAM_INLINE EngramFaceWeight EngramFactoredHarmonicWeight(double slice_factor, double face_factor)
{
    const double exponential = slice_factor * face_factor;
    EngramFaceWeight weight;
    weight.forward = 2.0 * exponential;
    weight.backward = 2.0;
    weight.gap = 1.0 + exponential;
    return weight;
}

/** The harmonic weights, from e^-|q|. */
ENGRAM_INLINE EngramFaceWeight EngramGeneralHarmonicWeight(double q)
{
    const double magnitude = fabs(q);
    const double argument = magnitude < ENGRAM_LARGE_ARGUMENT ? magnitude : ENGRAM_LARGE_ARGUMENT;
    const double decayed = EngramExponential(-argument);
    EngramFaceWeight weight;
    weight.forward = q > 0.0 ? 2.0 : 2.0 * decayed;
    weight.backward = q > 0.0 ? 2.0 * decayed : 2.0;
    weight.gap = 1.0 + decayed;
    return weight;
}

/** Weights of one face of one slice. */
ENGRAM_INLINE EngramFaceWeight EngramWeightOfFace(EngramEvaluation evaluation, double slice_factor,
                                                  double face_factor, double q)
{
    switch (evaluation) {
    case ENGRAM_SCHARFETTER_GUMMEL_GENERAL:
        return EngramGeneralWeight(q);
    case ENGRAM_HARMONIC_FACTORED:
        return EngramFactoredHarmonicWeight(slice_factor, face_factor);
    case ENGRAM_HARMONIC_GENERAL:
        return EngramGeneralHarmonicWeight(q);
    case ENGRAM_SCHARFETTER_GUMMEL_FACTORED:
        break;
    }
    return EngramFactoredWeight(slice_factor, face_factor, q);
}

#endif
