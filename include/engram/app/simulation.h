/**
 * @file simulation.h
 * One simulation: parameters, grid, model, solver and stepper put together, then run.
 */
#ifndef ENGRAM_APP_SIMULATION_H
#define ENGRAM_APP_SIMULATION_H

#include <petscsys.h>

#include "engram/base/file_sums.h"
#include "engram/base/options.h"
#include "engram/grid/grid.h"
#include "engram/model/model.h"
#include "engram/observe/observer.h"
#include "engram/solver/slice_solver.h"
#include "engram/time/stepper.h"

/** A simulation. The members are owned by it and may be looked at after EngramSimulationSetUp. */
typedef struct EngramSimulation {
    EngramOptions options; /**< borrowed */
    EngramTimeParameters time;
    EngramCouplingParameters coupling;
    PetscBool is_steady;            /**< steady states are looked for instead of a run in time */
    double started;                 /**< when the program began, by MPI_Wtime */
    struct Protocol *protocol;      /**< the phases, and the end of the run */
    EngramFileSums file_sums;       /**< of the files that options name */
    const struct Restart *restart;  /**< what the run goes on from, or NULL; borrowed */
    struct ErrorEstimate *estimate; /**< coarser runs to compare with, or NULL */
    EngramGrid *grid;
    EngramModel *model;
    EngramSliceSolver solver;
    EngramStepper stepper;
} EngramSimulation;

/** Registers the options of all modules. Not collective. */
PetscErrorCode EngramSimulationRegisterOptions(EngramOptions options);

/**
 * Makes all objects from loaded options; refuses unknown options. Collective.
 * @return ENGRAM_ERR_INPUT for any mistake of the user
 */
PetscErrorCode EngramSimulationSetUp(MPI_Comm comm, EngramOptions options,
                                     EngramSimulation *simulation);

/**
 * Sets the initial state. Collective.
 * @return ENGRAM_ERR_INPUT for an initial density that is none
 */
PetscErrorCode EngramSimulationStart(EngramSimulation *simulation);

/**
 * Runs all steps with the observers from the state that was set, or finds the steady states.
 * Collective.
 *
 * @param outcome  how it ended: a state that is not finite is an outcome, not an error
 */
PetscErrorCode EngramSimulationRun(EngramSimulation *simulation,
                                   const EngramOutputParameters *output, EngramOutcome *outcome);

/** Bytes of memory on the rank that holds most, without what the libraries take. Not collective. */
double EngramSimulationMemory(const EngramSimulation *simulation);

/** Frees everything; may be called twice, and after a set-up that failed. Collective. */
PetscErrorCode EngramSimulationDestroy(EngramSimulation *simulation);

#endif
