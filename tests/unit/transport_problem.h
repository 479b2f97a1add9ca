/**
 * @file transport_problem.h
 * Velocities, ghosts and densities of a transport in w, and the ways to make it with one of several
 * sets of kernels.
 */
#ifndef ENGRAM_TESTS_TRANSPORT_PROBLEM_H
#define ENGRAM_TESTS_TRANSPORT_PROBLEM_H

#include "unit_support.h"

#include "kernel_list.h"

/** Explicit steps of first, second and fifth order, an implicit one, and that made second order. */
enum {
    EXPLICIT_FIRST,
    EXPLICIT_SECOND,
    EXPLICIT_FIFTH,
    IMPLICIT,
    IMPLICIT_SECOND,
    TRANSPORT_KINDS
};

#define TRANSPORT_STEP_RATIO 0.4

/** Phi of both signs, w from -1 to 1, and an axis that ends at its right end. */
typedef struct TransportProblem {
    ptrdiff_t cells;
    ptrdiff_t rows;
    double *phi;                        /* [cells + 6] up to three ghosts on either side */
    double *left_face_w;                /* [cells + 3] */
    double *ghosts;                     /* [3 * rows], for either side */
    double *density;                    /* [rows * cells] */
    EngramTransportFractions fractions; /* [cells + 2] each */
    EngramTransportCourant courant;     /* [cells + 4] each */
    EngramTransportFactors factors;     /* [cells] each */
    EngramTransportFifth fifth;
    double *memory_of_fifth; /* weights, quadrature, and the arrays of both streams */
} TransportProblem;

/** The step of fifth order of the problem, on an axis that begins with its first cell. */
static inline void TransportProblemAddFifth(TransportProblem *problem)
{
    const ptrdiff_t cells = problem->cells;
    const ptrdiff_t faces = ENGRAM_TRANSPORT_FIFTH_FACES(cells);
    double *memory = UnitAllocate(2 * faces + ENGRAM_STREAMS * 4 * faces);
    double *weight = memory;
    double *quadrature = memory + faces;
    for (ptrdiff_t i = 0; i < cells + 6; i++) {
        weight[i] = 2.0 * (double)i / (double)cells - 1.0;
    }
    for (ptrdiff_t i = 0; i < cells + 2; i++) {
        quadrature[i] = i < 5 ? 0.8 + 0.1 * (double)i : 1.0;
    }
    problem->memory_of_fifth = memory;
    problem->fifth = (EngramTransportFifth){.quadrature = quadrature, .is_first = 1};
    for (int k = 0; k < ENGRAM_STREAMS; k++) {
        double *arrays = memory + (2 + 4 * k) * faces;
        problem->fifth.stream[k] =
            (EngramTransportStream){arrays, arrays + faces, arrays + 2 * faces, arrays + 3 * faces};
    }
    EngramTransportFifthCompute(cells, 0.25 * TRANSPORT_STEP_RATIO, problem->phi, weight,
                                &problem->fifth);
}

static inline TransportProblem TransportProblemCreate(ptrdiff_t cells, ptrdiff_t rows)
{
    const ptrdiff_t most = cells + 6;
    UnitRandom random = {17};
    TransportProblem problem = {
        .cells = cells,
        .rows = rows,
        .phi = UnitAllocate(most),
        .left_face_w = UnitAllocate(most),
        .ghosts = UnitAllocate(3 * rows),
        .density = UnitAllocate(rows * cells),
        .fractions = {UnitAllocate(most), UnitAllocate(most), UnitAllocate(most)},
        .courant = {UnitAllocate(most), UnitAllocate(most), UnitAllocate(most)},
        .factors = {UnitAllocate(most), UnitAllocate(most), UnitAllocate(most),
                    UnitAllocate(most)}};
    for (ptrdiff_t i = 0; i < most; i++) {
        problem.phi[i] = UnitRandomBetween(&random, -1.0, 1.0);
        problem.left_face_w[i] = 2.0 * (double)i / (double)most - 1.0;
    }
    problem.left_face_w[cells + 1] = NAN;
    for (ptrdiff_t i = 0; i < 3 * rows; i++) {
        problem.ghosts[i] = UnitRandomBetween(&random, 0.0, 1.0);
    }
    for (ptrdiff_t i = 0; i < rows * cells; i++) {
        problem.density[i] =
            UnitRandomBelow(&random, 4) ? UnitRandomBetween(&random, 0.0, 1.0) : 0.0;
    }
    EngramTransportFractionsCompute(cells, TRANSPORT_STEP_RATIO, problem.phi + 1,
                                    problem.left_face_w, &problem.fractions);
    EngramTransportCourantCompute(cells, TRANSPORT_STEP_RATIO, problem.phi, problem.left_face_w,
                                  &problem.courant);
    TransportProblemAddFifth(&problem);
    return problem;
}

static inline void TransportProblemDestroy(TransportProblem *problem)
{
    double *arrays[] = {problem->phi,
                        problem->left_face_w,
                        problem->ghosts,
                        problem->density,
                        problem->fractions.to_left,
                        problem->fractions.stays,
                        problem->fractions.to_right,
                        problem->courant.phi,
                        problem->courant.decay,
                        problem->courant.open,
                        problem->factors.to_right,
                        problem->factors.turns,
                        problem->factors.to_left,
                        problem->factors.settles,
                        problem->memory_of_fifth};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        free(arrays[i]);
    }
}

/** As a step of slices is told of it. */
static inline EngramSliceTransport TransportProblemOf(const TransportProblem *problem, int order)
{
    return (EngramSliceTransport){.order = order,
                                  .fractions = &problem->fractions,
                                  .courant = &problem->courant,
                                  .left_ghost = problem->ghosts,
                                  .right_ghost = problem->ghosts};
}

/** Moves the density; implicit steps take its rows for cells. */
static inline void TransportProblemMove(const KernelSet *kernels, const TransportProblem *problem,
                                        int kind, double *moved)
{
    const ptrdiff_t cells = problem->cells;
    const ptrdiff_t rows = problem->rows;
    if (kind == EXPLICIT_FIRST) {
        kernels->EngramTransportApply(rows, cells, cells, &problem->fractions, problem->ghosts,
                                      problem->ghosts, problem->density, moved);
    } else if (kind == EXPLICIT_SECOND) {
        kernels->EngramTransportLimitedApply(rows, cells, cells, &problem->courant, problem->ghosts,
                                             problem->ghosts, problem->density, moved);
    } else if (kind == EXPLICIT_FIFTH) {
        kernels->EngramTransportFifthApply(rows, cells, cells, &problem->fifth, problem->ghosts,
                                           problem->ghosts, problem->density, moved);
    } else {
        memcpy(moved, problem->density, (size_t)(rows * cells) * sizeof(double));
        kernels->EngramTransportFactorise(cells, 50.0, problem->phi, problem->left_face_w,
                                          &problem->factors);
        kernels->EngramTransportSolve(cells, rows, rows, &problem->factors, moved);
    }
    if (kind == IMPLICIT_SECOND) {
        kernels->EngramTransportSharpen(cells, rows, rows, 50.0, problem->phi, problem->left_face_w,
                                        moved);
    }
}

#endif
