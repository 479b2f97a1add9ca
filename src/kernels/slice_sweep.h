/**
 * @file slice_sweep.h
 * The elimination of a group of slices: downwards from the threshold, and back upwards.
 *
 * With the matrices scaled by kappa, so that their entries are the weights of face_weights.h and do
 * not depend on lambda, and with rho = (lambda - kappa')/kappa and P = p_old/rho the system is
 *
 *     (1/rho + kappa D) p_new = (1 - chi kappa D) P ,     kappa' = chi kappa .
 *
 * chi is 1 for order 4, 0 for order 2 and for a matrix by itself, and in between where a slice
 * would be negative. Nothing becomes large or cancels where lambda is near kappa', or anywhere
 * else.
 *
 * p is the content of a node over h, and its density but for the last node, whose content is that
 * of two layers, too. The unknown of the sweeps is its density.
 */
#ifndef ENGRAM_SRC_KERNELS_SLICE_SWEEP_H
#define ENGRAM_SRC_KERNELS_SLICE_SWEEP_H

#include "columns.h"
#include "face_weights.h"
#include "slice_rows.h"

/** How much of the explicit part there is; a constant wherever the functions below are inlined. */
typedef enum ExplicitPart { EXPLICIT_NONE, EXPLICIT_WHOLE, EXPLICIT_SHARE } ExplicitPart;

/** What the sweeps need of each slice and do not change. */
typedef struct LaneSystem {
    Vector scaled[MOST_VECTORS];      /* drift */
    VectorBits outside[MOST_VECTORS]; /* of the range of the polynomials */
    Vector chi[MOST_VECTORS];         /* share of kappa */
    Vector rho[MOST_VECTORS];
    Vector identity[MOST_VECTORS]; /* 1/rho */
    Vector rescale[MOST_VECTORS];  /* from the rho of the plan, which rows are scaled with */
    Vector outflow[MOST_VECTORS];  /* weight of the last face */
    Vector content[MOST_VECTORS];  /* content of the last node over h times its density */
    Vector last[MOST_VECTORS];     /* P of the last node, of its density */
} LaneSystem;

/** Parts of what the refractory state has and gets that stay in it, and that are put back. */
typedef struct RefractoryShares {
    double waiting;  /* tau/(tau + lambda) */
    double returned; /* lambda/(tau + lambda) */
} RefractoryShares;

/** State of the downward sweep. */
typedef struct Elimination {
    Vector sum[MOST_VECTORS];      /* of the column to be eliminated next */
    Vector spike[MOST_VECTORS];    /* its entry in the row of the reset node */
    Vector carry[MOST_VECTORS];    /* the right-hand side that is known of its row */
    Vector returned[MOST_VECTORS]; /* what goes to that of the reset node */
    Vector here[MOST_VECTORS];     /* P of the node */
} Elimination;

/** 1/rho, which is one number where no slice has a chi of its own. */
ENGRAM_INLINE Vector IdentityOf(const LaneSystem *system, int j, ExplicitPart part)
{
    return system->identity[part == EXPLICIT_SHARE ? j : 0];
}

/** Content that the explicit part moves from node to node. */
ENGRAM_INLINE Vector ExplicitFlux(ExplicitPart part, Vector chi, Vector up, Vector below,
                                  Vector down, Vector above)
{
    const Vector flux = VectorSubtractProduct(up * below, down, above);
    return part == EXPLICIT_SHARE ? chi * flux : flux;
}

/**
 * Begins with the last node, whose content is in the state. The refractory state, the first to be
 * eliminated, hands a part of what it has and gets on to the reset node; the rest stays in the
 * column.
 *
 * @param refractory  P of the refractory state, or NULL
 */
ENGRAM_INLINE void BeginElimination(Elimination *state, LaneSystem *system, int vectors,
                                    ExplicitPart part, RefractoryShares shares,
                                    const Vector *refractory)
{
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const Vector out = system->outflow[j];
        /* The caller has read it, vector by vector. */
        /* cppcheck-suppress uninitvar */
        const Vector held = state->here[j];
        const Vector here = held / system->content[j];
        Vector flux = VectorOf(0.0);
        if (part != EXPLICIT_NONE) {
            flux = part == EXPLICIT_SHARE ? system->chi[j] * (out * here) : out * here;
        }
        system->last[j] = here;
        state->here[j] = here;
        state->carry[j] = held - flux;
        state->returned[j] = shares.returned * (refractory ? refractory[j] + flux : flux);
        state->spike[j] = shares.returned * out;
        state->sum[j] = VectorMultiplyAdd(out, VectorOf(shares.waiting),
                                          system->identity[j] * system->content[j]);
    }
}

/** Eliminates node k, with P of the node below; keeps what the way back needs of it. */
ENGRAM_INLINE void EliminateNode(const EngramFaceTable *table, Elimination *state,
                                 const LaneSystem *system, int k, int vectors,
                                 Evaluation evaluation, ExplicitPart part, int has_spike,
                                 const Vector *below, double *quotients, double *ratios)
{
    FaceWeights faces[MOST_VECTORS];
    WeightsOfFace(table, evaluation, k - 1, vectors, system->scaled, system->outside, faces);
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const FaceWeights face = faces[j];
        const Vector identity = IdentityOf(system, j, part);
        Vector value = state->carry[j];
        Vector rest = below[j];
        if (part != EXPLICIT_NONE) {
            const Vector flux =
                ExplicitFlux(part, system->chi[j], face.up, below[j], face.down, state->here[j]);
            value += flux;
            rest -= flux;
        }
        /* The next node waits for its sum and its spike: these are made in the fewest steps. */
        const Vector leaving = has_spike ? state->spike[j] + face.down : face.down;
        const Vector reciprocal = VectorReciprocal(state->sum[j] + leaving);
        const Vector ratio = face.up * reciprocal;
        const Vector quotient = value * reciprocal;
        state->carry[j] = VectorMultiplyAdd(quotient, face.down, rest);
        state->sum[j] = VectorMultiplyAdd(state->sum[j] * face.up, reciprocal, identity);
        if (has_spike) {
            state->returned[j] = VectorMultiplyAdd(state->spike[j], quotient, state->returned[j]);
            state->spike[j] = (state->spike[j] * face.up) * reciprocal;
        }
        state->here[j] = below[j];
        VectorStore(quotients + j * VECTOR_LANES, quotient);
        VectorStore(ratios + j * VECTOR_LANES, ratio);
    }
}

/** What returns to the reset node arrives there. */
ENGRAM_INLINE void ReturnToReset(Elimination *state, int vectors)
{
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        state->carry[j] += state->returned[j];
    }
}

/** What the upward sweep finds. */
typedef struct Substitution {
    Vector value[MOST_VECTORS]; /* density of the node */
    Vector total[MOST_VECTORS]; /* sum of blocks */
    Vector block[MOST_VECTORS]; /* sum of the present block */
    Vector least[MOST_VECTORS]; /* smallest value */
} Substitution;

ENGRAM_INLINE void BeginSubstitution(Substitution *found, const Elimination *state, int vectors,
                                     double *row)
{
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        found->value[j] = state->carry[j] / state->sum[j];
        found->total[j] = VectorOf(0.0);
        found->block[j] = found->value[j];
        found->least[j] = found->value[j];
        VectorStore(row + j * VECTOR_LANES, found->value[j]);
    }
}

/** Node k from the one below; `row` holds the quotients and gets the values. */
ENGRAM_INLINE void SubstituteNode(Substitution *found, int vectors, const double *ratios,
                                  double *row)
{
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        const Vector ratio = VectorLoad(ratios + j * VECTOR_LANES);
        const Vector quotient = VectorLoad(row + j * VECTOR_LANES);
        found->value[j] = VectorMultiplyAdd(ratio, found->value[j], quotient);
        found->block[j] += found->value[j];
        found->least[j] = VectorSmaller(found->value[j], found->least[j]);
        VectorStore(row + j * VECTOR_LANES, found->value[j]);
    }
}

/** The last node, whose content is stored. */
ENGRAM_INLINE void SubstituteLast(Substitution *found, const LaneSystem *system, int vectors,
                                  const double *ratios, double *row)
{
    for (int j = 0; j < vectors; j++) {
        const Vector ratio = VectorLoad(ratios + j * VECTOR_LANES);
        const Vector quotient = VectorLoad(row + j * VECTOR_LANES);
        found->value[j] = VectorMultiplyAdd(ratio, found->value[j], quotient);
        const Vector content = system->content[j] * found->value[j];
        found->block[j] += content;
        found->least[j] = VectorSmaller(content, found->least[j]);
        VectorStore(row + j * VECTOR_LANES, content);
    }
}

ENGRAM_INLINE void CloseBlock(Substitution *found, int vectors)
{
    ENGRAM_UNROLL
    for (int j = 0; j < vectors; j++) {
        found->total[j] += found->block[j];
        found->block[j] = VectorOf(0.0);
    }
}

#endif
