/**
 * @file restart.h
 * Where a run goes on from: the options -restart and -restart_force.
 */
#ifndef ENGRAM_SRC_APP_RESTART_H
#define ENGRAM_SRC_APP_RESTART_H

#include "ended_run.h"
#include "engram/app/simulation.h"
#include "engram/checkpoint/checkpoint_file.h"
#include "engram/observe/observer.h"
#include "steering.h"

/** Numbers of a run that are not the stepper's, as kept in a checkpoint. */
typedef struct RunNumbers {
    double solves;
    double parts;
    double unmet;
    double substeps;
    double learning_courant;
    double rejected;
    double ambiguous;
    double coupling_iterations;
    double origin_time; /* from which fixed steps count */
    double origin_step;
} RunNumbers;

enum { RUN_NUMBERS = (int)(sizeof(RunNumbers) / sizeof(double)) };

/** Name of the part of a state that holds them. */
#define RUN_NUMBERS_PART "run"

/** A restart. */
typedef struct Restart {
    PetscBool is_wanted;
    PetscBool is_found;         /* there is a checkpoint to go on from */
    PetscBool is_auto;          /* it was looked for */
    PetscBool continues_folder; /* it belongs to the folder of the results */
    PetscBool has_ended;        /* nothing is left to do */
    EndedRun ended;
    char path[PETSC_MAX_PATH_LEN];
    EngramCheckpointHead head;
    RunNumbers numbers;
    SteeringNumbers steering;
    PetscBool has_steering; /* the checkpoint has them */
} Restart;

/** Adds the numbers of a run to a state. */
PetscErrorCode RestartAddNumbers(EngramStateParts *parts, RunNumbers *numbers);

/**
 * Finds the checkpoint that is asked for and sees that it is whole; or, looking for it, that the
 * run in the folder has ended, which it says. Changes nothing. Collective.
 * @return ENGRAM_ERR_INPUT when there is none of that path, or it is damaged; or when the run has
 *         ended, without a checkpoint, before the end that is asked for
 */
PetscErrorCode RestartFind(const EngramSimulation *simulation, const EngramOutputParameters *output,
                           Restart *restart);

/**
 * Sets the simulation to the state of the checkpoint. Collective.
 * @return ENGRAM_ERR_INPUT for a case that does not fit to it
 */
PetscErrorCode RestartLoad(EngramSimulation *simulation, Restart *restart);

/**
 * Notes, and says, that the run that is to be continued has come to its end: its checkpoint is that
 * of the end, and all its files are there. Collective, after RestartLoad.
 */
PetscErrorCode RestartConcludeEnd(const EngramSimulation *simulation,
                                  const EngramOutputParameters *output, Restart *restart);

/** What the run does with the folder of its results. */
EngramOutputMode RestartMode(const Restart *restart);

/** Whether the checkpoints can have their folder; changes nothing. Collective. */
PetscErrorCode RestartCheckFolder(const EngramSimulation *simulation,
                                  const EngramOutputParameters *output);

/**
 * Makes the folder ready: later checkpoints are set aside or removed. Collective; after
 * EngramOutputPrepare.
 */
PetscErrorCode RestartPrepareFolder(const EngramSimulation *simulation,
                                    const EngramOutputParameters *output, const Restart *restart);

#endif
