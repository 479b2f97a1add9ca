/**
 * @file slice_solver.h
 * The implicit step of a rank's voltage slices, as a PETSc KSP with options prefix "slice_".
 *
 * The default, -slice_ksp_type preonly -slice_pc_type gth, is the subtraction-free elimination of
 * slice_step.h, and as a preconditioner the exact inverse. Any other KSP and PC of PETSc
 * can be put in its place; it then works on the assembled matrix.
 */
#ifndef ENGRAM_SOLVER_SLICE_SOLVER_H
#define ENGRAM_SOLVER_SLICE_SOLVER_H

#include <petscksp.h>

#include "engram/base/options.h"
#include "engram/grid/density.h"
#include "engram/grid/grid.h"
#include "engram/kernels/slice_step.h"

/** Name of the preconditioner type that is registered. */
#define ENGRAM_PC_GTH "gth"

/** A slice solver. */
typedef struct EngramSliceSolver *EngramSliceSolver;

/** The options of the slice solver, for registration. */
extern const EngramOptionTable EngramSliceSolverOptions;

/** Makes the preconditioner type "gth" known to PETSc. Collective; call once. */
PetscErrorCode EngramSliceSolverRegister(void);

/**
 * Creates a solver for the slices of this rank.
 *
 * @param grid   borrowed, must outlive the solver
 * @param noise       a > 0
 * @param flux        weights of the flux in v
 * @param refractory  tau >= 0, mean refractory time in units of the reacting time
 */
PetscErrorCode EngramSliceSolverCreate(const EngramGrid *grid, double noise, EngramFlux flux,
                                       double refractory, EngramSliceSolver *solver);

/**
 * Reads the options with the prefix "slice_". Collective on PETSC_COMM_WORLD.
 * @return ENGRAM_ERR_INPUT for a KSP or PC type that PETSc does not know, or a value it refuses
 */
PetscErrorCode EngramSliceSolverSetFromOptions(EngramSliceSolver solver);

/** Allocates what the chosen KSP needs. */
PetscErrorCode EngramSliceSolverSetUp(EngramSliceSolver solver);

/** Rows of the densities it works on: the nodes, and the refractory state where there is one. */
PetscInt EngramSliceSolverRows(EngramSliceSolver solver);

/** Whether the elimination works alone, without the services of a KSP. Valid after SetUp. */
PetscBool EngramSliceSolverIsDirect(EngramSliceSolver solver);

/** Sets the noise a > 0 of the solves to come. Not collective. */
void EngramSliceSolverSetNoise(EngramSliceSolver solver, double noise);

/** That noise. Not collective. */
double EngramSliceSolverNoise(EngramSliceSolver solver);

/** Sets the flux of the solves to come, with the order that the grid has. Not collective. */
void EngramSliceSolverSetFlux(EngramSliceSolver solver, EngramFlux flux);

/**
 * Gives all neurons another drift than f(v) = -v; [v_nodes] each, as EngramModelDrift has them. Not
 * collective.
 */
PetscErrorCode EngramSliceSolverSetNeuron(EngramSliceSolver solver, const double *mean,
                                          const double *slope);

/**
 * Drifts of the slices, to be filled in before a solve: [EngramGridPaddedSlices], the padding too.
 */
double *EngramSliceSolverDrift(EngramSliceSolver solver);

/** Whether the masses of the slices are those of the results before each solve. Not collective. */
void EngramSliceSolverSetFrozen(EngramSliceSolver solver, PetscBool is_frozen);

/**
 * h/a times the drift of a slice on the face at the threshold: cells of v over the width of the
 * layer there, where it is large. Not collective.
 */
double EngramSliceSolverPeclet(EngramSliceSolver solver, PetscInt slice);

/**
 * Keeps what the rates of the next solves need of the present ones, those of the density that the
 * solves begin with. Call it before drift or noise is changed. Not collective.
 */
void EngramSliceSolverKeepRates(EngramSliceSolver solver);

/** -dp/dv at V_F of the slices, which that keeps: [EngramGridPaddedSlices], to be filled in where
 * no step has led to a density. */
double *EngramSliceSolverThresholdSlope(EngramSliceSolver solver);

/**
 * Advances the density by one implicit step and reports on the slices. Not collective.
 *
 * @param lambda     dt/eps > 0
 * @param excess     relative excess of the total mass, of the size of round-off, that the
 * elimination takes out again; other methods leave it
 * @param transport  what is still to be made of the transport in w before; NULL: nothing
 * @param density    p
 * @param solution   p_new of slice_step.h; may be the same density
 * @return ENGRAM_ERR_SOLVER when an iterative method did not converge
 */
PetscErrorCode EngramSliceSolverSolve(EngramSliceSolver solver, double lambda, double excess,
                                      const EngramSliceTransport *transport,
                                      const EngramDensity *density, const EngramDensity *solution);

/**
 * The firing rates that a solve would give, without touching the density. Not collective.
 * @return ENGRAM_ERR_SOLVER when an iterative method did not converge
 */
PetscErrorCode EngramSliceSolverTryRates(EngramSliceSolver solver, double lambda,
                                         const EngramSliceTransport *transport,
                                         const EngramDensity *density);

/**
 * The quasi-static state of all slices (eps = 0), always by the elimination. Not collective.
 *
 * @param weight_density  [EngramGridPaddedSlices] H
 * @param density         filled with H Q, or NULL for the rates alone; the results then hold the
 *                        rate of one neuron, r(mu), as threshold_rate
 */
PetscErrorCode EngramSliceSolverQuasiStatic(EngramSliceSolver solver, const double *weight_density,
                                            const EngramDensity *density);

/**
 * The threshold rates of the present drift as results, in place of r(mu) that a quasi-static state
 * has left. Not collective.
 */
void EngramSliceSolverThresholdRates(EngramSliceSolver solver);

/** Measures H and the smallest density of the slices, without a solve. Not collective. */
PetscErrorCode EngramSliceSolverMeasure(EngramSliceSolver solver, const EngramDensity *density);

/**
 * Fits the refractory state to a noise that has jumped since EngramSliceSolverKeepRates. Not
 * collective.
 */
void EngramSliceSolverFollowNoise(EngramSliceSolver solver, const EngramDensity *density);

/**
 * The threshold rates, and the firing rates that a density has when drift or noise has just jumped:
 * of order 4 those of the slopes that are kept, of order 2 its flux. NaN where a drift is not
 * finite. Not collective.
 */
void EngramSliceSolverMeasureRates(EngramSliceSolver solver, const EngramDensity *density);

/** What the last solve or measurement said of the slices; borrowed, [w_local] each. */
const EngramSliceResults *EngramSliceSolverResults(EngramSliceSolver solver);

/** Estimate of the memory of the solver on this rank in bytes, the assembled matrix included. */
double EngramSliceSolverMemory(EngramSliceSolver solver);

/** One line on the method in use. Collective on PETSC_COMM_WORLD. */
PetscErrorCode EngramSliceSolverDescribe(EngramSliceSolver solver, char *text, size_t size);

/** Frees the solver; accepts NULL, and one already destroyed. Not collective. */
PetscErrorCode EngramSliceSolverDestroy(EngramSliceSolver *solver);

#endif
