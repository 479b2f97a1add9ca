/**
 * @file deadline.h
 * The end of the wall time that a run has: given by -walltime, or by its SLURM job.
 */
#ifndef ENGRAM_SRC_APP_DEADLINE_H
#define ENGRAM_SRC_APP_DEADLINE_H

#include <petscsys.h>

/** A deadline, watched by rank 0. Times are those of MPI_Wtime. */
typedef struct Deadline {
    double ends_at;            /* infinity: none */
    double margin_least;       /* kept in any case */
    double longest_step;       /* with its observers, in seconds */
    double longest_checkpoint; /* in seconds; before the first one an estimate */
    double measure_at;         /* when a checkpoint shows what it takes, if none has before */
    PetscBool is_of_job;       /* the job's limit, not the one given */
} Deadline;

/**
 * Understands a length of time as SLURM writes it: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or
 * D-HH:MM:SS. @return seconds, or a negative number when it is none
 */
double DeadlineParse(const char *text);

/**
 * Checks the value of -walltime. Not collective.
 * @return ENGRAM_ERR_INPUT for a text that is neither auto nor none nor a length of time
 */
PetscErrorCode DeadlineCheck(const char *walltime);

/**
 * Finds the end of the time. Collective.
 *
 * @param walltime    value of the option, which was checked; counts from `started` on
 * @param started     when the program began
 * @param checkpoint  estimate of the seconds that a checkpoint takes
 */
PetscErrorCode DeadlineFind(MPI_Comm comm, const char *walltime, double started, double checkpoint,
                            Deadline *deadline);

/** Learns how long a step took. */
void DeadlineNoteStep(Deadline *deadline, double seconds);

/** Learns how long a checkpoint took. */
void DeadlineNoteCheckpoint(Deadline *deadline, double seconds);

/**
 * Whether a checkpoint is to be written to learn what one takes: once, in the middle of the time,
 * where none was written by then. What grows with the run cannot more than double after it.
 */
PetscBool DeadlineWantsCheckpoint(const Deadline *deadline, double now);

/** Whether it is time to leave. */
PetscBool DeadlineIsNear(const Deadline *deadline, double now);

#endif
