/**
 * @file jumps.h
 * Times at which the right-hand side of the equation jumps or has a kink: steps end exactly there.
 *
 * The end of a step at a jump sees the input from the left, the next step begins with rates that
 * are measured anew with the input from the right. With a transmission delay the rate carries every
 * jump on to later times, its echoes.
 */
#ifndef ENGRAM_SRC_TIME_JUMPS_H
#define ENGRAM_SRC_TIME_JUMPS_H

#include <petscsys.h>

/** One of them. */
typedef struct Jump {
    double time;     /**< at which steps end */
    double before;   /**< last time at which the input has its old value, ... */
    double after;    /**< ... and first one with its new value: the same or the next number */
    double restarts; /**< 1: the rate has a layer afterwards; 0: a kink, at which steps only end */
} Jump;

enum { JUMP_NUMBERS = (int)(sizeof(Jump) / sizeof(double)) };

/** All that are known, by their time. */
typedef struct Jumps {
    Jump *list;
    PetscInt count;
    PetscInt capacity;
} Jumps;

/** A jump or a kink at a time at which the input has one value. */
Jump JumpOfTime(double time, PetscBool restarts);

/** Whether two times are too close for a step between them. */
PetscBool JumpsAreOneTime(double a, double b);

/** Makes room for so many. */
PetscErrorCode JumpsMakeRoom(Jumps *jumps, PetscInt count);

/** Adds a jump, or joins it with one at the same time. */
PetscErrorCode JumpsAdd(Jumps *jumps, Jump jump);

/** Adds a jump and, where delay > 0, its echoes if it restarts. */
PetscErrorCode JumpsAddWithEchoes(Jumps *jumps, Jump jump, double delay);

/** The jump at a time, or NULL; valid until the next is added. */
const Jump *JumpsAt(const Jumps *jumps, double time);

/** Time of the first one after a time; infinity where there is none. */
double JumpsNext(const Jumps *jumps, double time);

/** Time of the last restart up to a time; minus infinity where there is none. */
double JumpsLastRestart(const Jumps *jumps, double time);

/** Gives up those before a time, and those after another one. */
void JumpsKeep(Jumps *jumps, double from, double to);

/** Frees the list; may be called twice. */
PetscErrorCode JumpsDestroy(Jumps *jumps);

#endif
