/**
 * @file drive.h
 * What drives the slices: mu = I(w, t) + w sigma(A) and noise a(A), for a time and an activity A.
 *
 * The activity is the total firing rate that the network sees.
 */
#ifndef ENGRAM_SRC_TIME_DRIVE_H
#define ENGRAM_SRC_TIME_DRIVE_H

#include "engram/model/model.h"
#include "engram/solver/slice_solver.h"
#include "engram/time/state.h"
#include "jumps.h"

/** From which side the input is seen at the time of a jump. */
typedef enum DriveSide {
    DRIVE_AT_END,   /**< from the left, as at the end of a step */
    DRIVE_AT_START, /**< from the right, as at the beginning of one */
} DriveSide;

/** The input of the present phase, and its last evaluation. */
typedef struct Drive {
    const EngramGrid *grid;   /* borrowed */
    const EngramModel *model; /* borrowed */
    EngramSliceSolver solver; /* borrowed: gets drift and noise */
    const Jumps *jumps;       /* borrowed */
    EngramInputFactor factor; /* of the input */
    double *input;            /* [w_local] I(w, t) */
    double input_time;        /* of its evaluation; NaN: none */
    double input_factor;      /* with which it was evaluated */
    PetscBool input_is_steady;
} Drive;

/** Allocates the input; the borrowed members must be set. Not collective. */
PetscErrorCode DriveCreate(Drive *drive);

/** Takes the input of the present phase of the model. Not collective. */
void DriveFollowModel(Drive *drive);

/**
 * Sets drift and noise of all slices and notes activity and time in the state. Where sigma or the
 * noise have no value the state is marked as failed. Not collective.
 */
void DriveSet(Drive *drive, double time, DriveSide side, double activity, EngramState *state);

/**
 * Changes the factor of the input after a time; what belongs to that time and is computed again
 * keeps its own. Not collective.
 */
void DriveChangeFactor(Drive *drive, double time, double factor);

/** Frees the input; may be called twice. Not collective. */
PetscErrorCode DriveDestroy(Drive *drive);

#endif
