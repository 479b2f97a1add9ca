/**
 * @file rate_history.h
 * The total firing rate of the past, for a network whose transmission takes time.
 *
 * Between two jumps of the rate it is interpolated by polynomials through four neighbouring
 * entries, never across a jump: a jump has two entries of the same time, the rate before it and the
 * rate after it.
 */
#ifndef ENGRAM_SRC_TIME_RATE_HISTORY_H
#define ENGRAM_SRC_TIME_RATE_HISTORY_H

#include <petscsys.h>

/** Rates at times that do not descend, and one constant rate before the first of them. */
typedef struct RateHistory {
    double *times; /* [capacity], the entries from `first` on */
    double *rates; /* [capacity] */
    PetscInt first;
    PetscInt count; /* end of the entries */
    PetscInt capacity;
    double before; /* rate before the first time */
} RateHistory;

/** Which rate is meant at the time of a jump. */
typedef enum RateSide { RATE_BEFORE_JUMP, RATE_AFTER_JUMP } RateSide;

/** Starts a history with room for some entries; more is made when it is needed. */
PetscErrorCode RateHistoryCreate(double before, PetscInt room, RateHistory *history);

/** Adds the rate at a time not earlier than all others. */
PetscErrorCode RateHistoryPush(RateHistory *history, double time, double rate);

/** Takes back all entries later than a time. */
void RateHistoryTruncate(RateHistory *history, double time);

/** Gives up entries that no time from this one on needs. */
void RateHistoryForget(RateHistory *history, double time);

/** Whether the last entry is the second one of its time. */
PetscBool RateHistoryEndsWithJump(const RateHistory *history);

/** The rate a delay before a time, not negative; constant after the last entry. */
double RateHistoryBefore(const RateHistory *history, double now, double delay, RateSide side);

/** Frees the history; may be called twice. */
PetscErrorCode RateHistoryDestroy(RateHistory *history);

#endif
