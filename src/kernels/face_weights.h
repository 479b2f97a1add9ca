/**
 * @file face_weights.h
 * Weights of the flux through one face of some slices: g B(-q)/12 of the node below the face, and
 * g B(q)/12 of the node above. The formulas are those of face_table.h.
 */
#ifndef ENGRAM_SRC_KERNELS_FACE_WEIGHTS_H
#define ENGRAM_SRC_KERNELS_FACE_WEIGHTS_H

#include "engram/kernels/face_table.h"
#include "vector.h"

/* Vectors of a group at most. */
enum { MOST_VECTORS = 8 };

/* Beyond it e^-|q| is held at e^-700, near the smallest normal double. */
#define LARGE_ARGUMENT 700.0

/* The largest part of a node's content that the explicit part of a step may move away. */
#define LARGEST_EXPLICIT_PART 0.9

/* The last node has at least this part of the content of its density. */
#define LEAST_CONTENT 0.5

/** kappa (a/h^2) times the weights of the flux. */
typedef struct FaceWeights {
    Vector up;
    Vector down;
} FaceWeights;

/** How the weights are evaluated; a constant wherever the functions below are inlined. */
typedef enum Evaluation {
    EVALUATE_FLAT,       /* the same where no face has a slope, as with order 2 */
    EVALUATE_POLYNOMIAL, /* slices within the range of the table, with a Scharfetter-Gummel flux */
    EVALUATE_ANY,        /* any slice and flux; those within the range have the same bits */
} Evaluation;

/** The drift in units of a/h. */
ENGRAM_INLINE Vector ScaledDrift(const EngramFaceTable *table, Vector drift)
{
    return drift * (table->spacing / table->noise);
}

/** (a/h) g B(-q), the rate at which the last node fires, from the weight of the last face. */
ENGRAM_INLINE Vector ThresholdRate(const EngramFaceTable *table, Vector up)
{
    return (12.0 * table->noise / table->spacing) * up;
}

/**
 * N of a step from the flux F = weight * p of the last node: one step of
 *
 *     N + kappa' dN/dt = F - kappa' weight dp/dt ,
 *
 * of fourth order in h where the drift changes, too. Not negative for x <= 1.
 *
 * @param x       kappa'/lambda; 0: N is F
 * @param before  p before the step
 * @param value   p after it
 * @param rate    N before
 */
ENGRAM_INLINE Vector RateOverStep(Vector x, Vector weight, Vector before, Vector value, Vector rate)
{
    const Vector mean = VectorMultiplyAdd(1.0 - x, value, x * before);
    return VectorMultiplyAdd(x, rate, weight * mean) / (1.0 + x);
}

/** In which lanes the polynomial may not be used on all faces. */
ENGRAM_INLINE VectorBits IsOutside(const EngramFaceTable *table, Vector scaled)
{
    return ~((scaled >= table->highest - table->largest_q) &
             (scaled <= table->lowest + table->largest_q));
}

/** sum = sum*square + coefficient, for all vectors: a coefficient is read once for them. */
ENGRAM_INLINE void AddTerm(int vectors, const Vector *square, double coefficient, Vector *sum)
{
    const Vector term = VectorOf(coefficient);
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        sum[j] = VectorMultiplyAdd(sum[j], square[j], term);
    }
}

/**
 * m(q) for squares within the range of the table. The degree is the same in all columns, so that
 * the choice costs little; each case is written out.
 */
ENGRAM_INLINE void MeansOfSquares(const EngramFaceTable *table, int vectors, const Vector *square,
                                  Vector *sum)
{
    const double *mean = table->mean;
    const Vector leading = VectorOf(mean[table->degree]);
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        sum[j] = leading;
    }
    switch (table->degree) {
    case ENGRAM_FACE_DEGREE:
        AddTerm(vectors, square, mean[13], sum);
        AddTerm(vectors, square, mean[12], sum);
        AddTerm(vectors, square, mean[11], sum);
        AddTerm(vectors, square, mean[10], sum);
        /* fall through */
    case 10:
        AddTerm(vectors, square, mean[9], sum);
        AddTerm(vectors, square, mean[8], sum);
        AddTerm(vectors, square, mean[7], sum);
        AddTerm(vectors, square, mean[6], sum);
        /* fall through */
    case 6:
        AddTerm(vectors, square, mean[5], sum);
        AddTerm(vectors, square, mean[4], sum);
        AddTerm(vectors, square, mean[3], sum);
        /* fall through */
    case 3:
        AddTerm(vectors, square, mean[2], sum);
        /* fall through */
    default:
        AddTerm(vectors, square, mean[1], sum);
        AddTerm(vectors, square, mean[0], sum);
    }
}

/** g/24 from m. */
ENGRAM_INLINE Vector FactorOfMean(const EngramFace *face, Vector mean)
{
    const Vector slope = VectorMultiplyAdd(VectorOf(face->curve), mean, VectorOf(face->slope));
    return VectorMultiplyAdd(slope, mean, VectorOf(1.0 / 24.0));
}

/**
 * By polynomials: no exponential, no division, and nothing that cancels badly.
 *
 * @param has_slope  a constant: without slopes the result is the same to the bit
 */
ENGRAM_INLINE void PolynomialWeights(const EngramFaceTable *table, int index, int has_slope,
                                     int vectors, const Vector *scaled, FaceWeights *weights)
{
    const EngramFace *face = &table->faces[index];
    const Vector position = VectorOf(face->position);
    const Vector curve = VectorOf(face->curve);
    const Vector slope = VectorOf(face->slope);
    Vector square[MOST_VECTORS];
    Vector mean[MOST_VECTORS];
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const Vector q = scaled[j] - position;
        square[j] = q * q;
    }
    MeansOfSquares(table, vectors, square, mean);
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const Vector q = scaled[j] - position;
        Vector factor = VectorOf(1.0 / 24.0);
        if (has_slope) {
            factor = VectorMultiplyAdd(VectorMultiplyAdd(curve, mean[j], slope), mean[j], factor);
        }
        const Vector even = factor * VectorMultiplyAdd(square[j], mean[j], VectorOf(2.0));
        weights[j].up = VectorMultiplyAdd(factor, q, even);
        weights[j].down = VectorSubtractProduct(even, factor, q);
    }
}

/** e^x - 1 for |x| <= ln(2)/2, by its Taylor polynomial of degree 13. */
ENGRAM_INLINE Vector ReducedExponentialMinusOne(Vector x)
{
    static const double factorials[] = {479001600.0, 39916800.0, 3628800.0, 362880.0,
                                        40320.0,     5040.0,     720.0,     120.0,
                                        24.0,        6.0,        2.0,       1.0};
    Vector sum = VectorOf(1.0 / 6227020800.0);
    ENGRAM_UNROLL
    for (int i = 0; i < 12; i++) {
        sum = VectorMultiplyAdd(sum, x, VectorOf(1.0 / factorials[i]));
    }
    return x * sum;
}

/** e^-|q| and 1 - e^-|q|. */
typedef struct Decay {
    Vector decayed;
    Vector gap;
} Decay;

/** For any |q| > 0; written out, because libm has other bits in vectors than in scalars. */
ENGRAM_INLINE Decay DecayOf(Vector magnitude)
{
    const Vector x = -VectorSmaller(magnitude, VectorOf(LARGE_ARGUMENT));
    const double shifter = 6755399441055744.0; /* 1.5 * 2^52: adding it rounds to an integer */
    const Vector shifted = VectorMultiplyAdd(x, VectorOf(1.4426950408889634), VectorOf(shifter));
    const Vector k = shifted - shifter;
    Vector reduced = VectorSubtractProduct(x, k, VectorOf(0.693147180369123816490));
    reduced = VectorSubtractProduct(reduced, k, VectorOf(1.90821492927058770002e-10));
    const Vector power = (Vector)(((VectorBits)shifted << 52) + INT64_C(0x3ff0000000000000));
    const Vector rest = ReducedExponentialMinusOne(reduced);
    return (Decay){.decayed = VectorMultiplyAdd(power, rest, power),
                   .gap = VectorSubtractProduct(1.0 - power, power, rest)};
}

/** B(-|q|) and B(|q|). */
typedef struct Bernoulli {
    Vector larger;
    Vector smaller;
} Bernoulli;

/** From e^-|q|, which cannot overflow. */
ENGRAM_INLINE Bernoulli BernoulliOf(Vector q)
{
    /* The tiny number stands for q = 0: the quotients are then 1 to the last bit. */
    const Vector magnitude = VectorLarger(VectorMagnitude(q), VectorOf(1e-100));
    const Decay decay = DecayOf(magnitude);
    const Vector larger = magnitude / decay.gap;
    return (Bernoulli){.larger = larger, .smaller = larger * decay.decayed};
}

/** m(q) for any q, given what follows from it. */
ENGRAM_INLINE Vector MeanOf(const EngramFaceTable *table, Vector q, Bernoulli bernoulli)
{
    const double range = table->largest_q * table->largest_q;
    const Vector square = q * q;
    const Vector held = VectorSmaller(square, VectorOf(range));
    Vector near;
    MeansOfSquares(table, 1, &held, &near);
    const Vector far =
        (bernoulli.larger + bernoulli.smaller - 2.0) / VectorLarger(square, VectorOf(range));
    return VectorChoose(square <= range, near, far);
}

/** Without polynomials of a limited range. */
ENGRAM_INLINE FaceWeights GeneralWeights(const EngramFaceTable *table, int index, Vector scaled)
{
    const EngramFace *face = &table->faces[index];
    const Vector q = scaled - face->position;
    const Bernoulli bernoulli = BernoulliOf(q);
    const Vector factor = 2.0 * FactorOfMean(face, MeanOf(table, q, bernoulli));
    const VectorBits is_upward = q > 0.0;
    return (FaceWeights){
        .up = factor * VectorChoose(is_upward, bernoulli.larger, bernoulli.smaller),
        .down = factor * VectorChoose(is_upward, bernoulli.smaller, bernoulli.larger)};
}

/**
 * Content of the last node over h times its density: the layers at V_F and V_R, where the slope of
 * the density is N/a, hold kappa_F N less and kappa_R N more than the plain sum over the nodes has,
 * kappa_F = (h^2/2a) m(q) with the drift there. Source: docs/numerics.md, section 3.
 *
 * @param up  weight of the last face
 */
ENGRAM_INLINE Vector LayerContent(const EngramFaceTable *table, Evaluation evaluation,
                                  Vector scaled, Vector up)
{
    if (evaluation == EVALUATE_FLAT || table->order != 4) {
        return VectorOf(1.0);
    }
    const Vector q[2] = {scaled - table->threshold_position, scaled - table->reset_position};
    Vector mean[2];
    if (evaluation == EVALUATE_POLYNOMIAL) {
        const Vector square[2] = {q[0] * q[0], q[1] * q[1]};
        MeansOfSquares(table, 2, square, mean);
    } else {
        for (int k = 0; k < 2; k++) {
            mean[k] = MeanOf(table, q[k], BernoulliOf(q[k]));
        }
    }
    const Vector content = VectorMultiplyAdd(6.0 * up, mean[0] - mean[1], VectorOf(1.0));
    return VectorLarger(content, VectorOf(LEAST_CONTENT));
}

/** The harmonic mean, from e^-|q|. */
ENGRAM_INLINE FaceWeights HarmonicWeights(const EngramFaceTable *table, int index, Vector scaled)
{
    const Vector q = scaled - table->faces[index].position;
    const Vector decayed = DecayOf(VectorMagnitude(q)).decayed;
    const Vector larger = (1.0 / 6.0) / (1.0 + decayed);
    const Vector smaller = larger * decayed;
    const VectorBits is_upward = q > 0.0;
    return (FaceWeights){.up = VectorChoose(is_upward, larger, smaller),
                         .down = VectorChoose(is_upward, smaller, larger)};
}

/** Slice by slice what belongs to it. */
ENGRAM_INLINE FaceWeights AnyWeights(const EngramFaceTable *table, int index, Vector scaled,
                                     VectorBits outside)
{
    if (table->flux == ENGRAM_FLUX_HARMONIC) {
        return HarmonicWeights(table, index, scaled);
    }
    FaceWeights inside;
    const FaceWeights general = GeneralWeights(table, index, scaled);
    PolynomialWeights(table, index, 1, 1, &scaled, &inside);
    return (FaceWeights){.up = VectorChoose(outside, general.up, inside.up),
                         .down = VectorChoose(outside, general.down, inside.down)};
}

/** @param outside  of the range of the polynomials; looked at only where any slice is welcome */
ENGRAM_INLINE void WeightsOfFace(const EngramFaceTable *table, Evaluation evaluation, int index,
                                 int vectors, const Vector *scaled, const VectorBits *outside,
                                 FaceWeights *weights)
{
    if (evaluation != EVALUATE_ANY) {
        PolynomialWeights(table, index, evaluation != EVALUATE_FLAT, vectors, scaled, weights);
        return;
    }
    for (int j = 0; j < vectors; j++) {
        weights[j] = AnyWeights(table, index, scaled[j], outside[j]);
    }
}

/** The share of kappa with which the explicit part takes no more out of a node than it may. */
ENGRAM_INLINE Vector LargestChi(const EngramFaceTable *table, Vector scaled)
{
    const Vector above = VectorMagnitude(scaled - table->lowest);
    const Vector below = VectorMagnitude(scaled - table->highest);
    /* The weights of a face are at most g (|q| + 1)/12. */
    const Vector part = table->largest_factor / 6.0 * (VectorLarger(above, below) + 1.0);
    return VectorSmaller(VectorOf(1.0), LARGEST_EXPLICIT_PART / part);
}

#endif
