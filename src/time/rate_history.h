/**
 * @file rate_history.h
 * The total firing rate of the past, for a network whose transmission takes time.
 */
#ifndef ENGRAM_SRC_TIME_RATE_HISTORY_H
#define ENGRAM_SRC_TIME_RATE_HISTORY_H

#include <petscsys.h>

/** Rates at increasing times, and one constant rate before the first of them. */
typedef struct RateHistory {
    double *times; /* [capacity], the entries from `first` on */
    double *rates; /* [capacity] */
    PetscInt first;
    PetscInt count; /* end of the entries */
    PetscInt capacity;
    double before; /* rate before the first time */
} RateHistory;

/** Starts a history with room for some entries; more is made when it is needed. */
PetscErrorCode RateHistoryCreate(double before, PetscInt room, RateHistory *history);

/** Adds the rate at a time later than all others. */
PetscErrorCode RateHistoryPush(RateHistory *history, double time, double rate);

/** Takes back all entries later than a time. */
void RateHistoryTruncate(RateHistory *history, double time);

/** Gives up entries that no time from this one on needs. */
void RateHistoryForget(RateHistory *history, double time);

/** The rate at a time, linear between entries and constant after the last one. */
double RateHistoryAt(const RateHistory *history, double time);

/** Frees the history; may be called twice. */
PetscErrorCode RateHistoryDestroy(RateHistory *history);

#endif
