/**
 * @file checkpointing.h
 * When a run writes a checkpoint, and when it leaves after one.
 */
#ifndef ENGRAM_SRC_APP_CHECKPOINTING_H
#define ENGRAM_SRC_APP_CHECKPOINTING_H

#include "deadline.h"
#include "engram/base/options.h"
#include "engram/checkpoint/checkpoint_file.h"
#include "restart.h"

/** The options, for registration. */
extern const EngramOptionTable CheckpointOptions;

struct Run;

/** What checkpoints a run writes. */
typedef struct Checkpointing {
    double every;      /* time; 0: never by time */
    double wall;       /* seconds; 0: never by wall time */
    PetscInt keep;     /* the newest so many */
    double interval;   /* of `every`, in which the last state was */
    double written_at; /* wall time */
    PetscInt64 last_step;
    PetscBool is_used;         /* there are checkpoints of this run */
    PetscBool has_folder;      /* it was made */
    PetscBool announces_clock; /* the time is up, not a signal */
    Deadline deadline;
    RunNumbers numbers;
    char name[64];    /* of the last one */
    char written[32]; /* when it was, UTC */
    EngramPosition positions[ENGRAM_CHECKPOINT_OUTPUTS];
} Checkpointing;

/**
 * Reads the options and finds the end of the wall time. Collective.
 *
 * @param started  when the program began, by MPI_Wtime
 */
PetscErrorCode CheckpointingStart(struct Run *run, double started);

/** Changes the interval of time of the checkpoints to come. Not collective. */
void CheckpointingSetInterval(struct Run *run, double every);

/** Posts what the clock says, on rank 0, at `now` by MPI_Wtime. Before a step; not collective. */
void CheckpointingWatchClock(struct Run *run, double now);

/**
 * Whether the files of the observers are those that the run has written up to its checkpoint;
 * changes nothing. Collective. @return ENGRAM_ERR_INPUT when they are not
 */
PetscErrorCode CheckpointingVerify(struct Run *run);

/** Lets the observers go on in files of an earlier start instead of starting new ones. */
PetscErrorCode CheckpointingResume(struct Run *run);

/**
 * Writes a checkpoint where one is due, and notes in the outcome whether the run is to be left.
 * Collective, after the observers.
 *
 * @param notices  of all ranks
 */
PetscErrorCode CheckpointingAfterStep(struct Run *run, int notices);

/**
 * After an output could not be written: writes a checkpoint of the present state where that is
 * possible all the same, so that nothing is lost but the time to make room. In silence where it is
 * not. Collective.
 */
PetscErrorCode CheckpointingRescue(struct Run *run);

/** Notices that were posted before the first step, of all ranks. Collective. */
PetscErrorCode CheckpointingAgree(const struct Run *run, int *notices);

/** Frees what it holds; may be called twice. Not collective. */
PetscErrorCode CheckpointingDestroy(struct Run *run);

#endif
