#include "rate_history.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/time/time_parameters.h"

/* Entries that an interpolation goes through, and as many more as are kept before them. */
enum { POINTS = 4 };

PetscErrorCode RateHistoryCreate(double before, PetscInt room, RateHistory *history)
{
    PetscFunctionBeginUser;
    history->before = before;
    history->first = 0;
    history->count = 0;
    history->capacity = PetscMax(room, 16);
    PetscCall(PetscMalloc2(history->capacity, &history->times, history->capacity, &history->rates));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Moves the entries to the front, into arrays of twice the size where that frees too little. */
static PetscErrorCode MakeRoom(RateHistory *history)
{
    double *times = history->times;
    double *rates = history->rates;
    const PetscInt kept = history->count - history->first;
    PetscFunctionBeginUser;
    const PetscBool grows = (PetscBool)(2 * kept > history->capacity);
    if (grows) {
        history->capacity *= 2;
        PetscCall(PetscMalloc2(history->capacity, &times, history->capacity, &rates));
    }
    PetscCall(PetscArraymove(times, history->times + history->first, kept));
    PetscCall(PetscArraymove(rates, history->rates + history->first, kept));
    if (grows) {
        PetscCall(PetscFree2(history->times, history->rates));
        history->times = times;
        history->rates = rates;
    }
    history->first = 0;
    history->count = kept;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RateHistoryPush(RateHistory *history, double time, double rate)
{
    PetscFunctionBeginUser;
    if (history->count == history->capacity) {
        PetscCall(MakeRoom(history));
    }
    history->times[history->count] = time;
    history->rates[history->count] = rate;
    history->count++;
    PetscFunctionReturn(PETSC_SUCCESS);
}

void RateHistoryTruncate(RateHistory *history, double time)
{
    while (history->count > history->first && history->times[history->count - 1] > time) {
        history->count--;
    }
}

void RateHistoryForget(RateHistory *history, double time)
{
    while (history->count - history->first > POINTS &&
           history->times[history->first + POINTS] < time) {
        history->first++;
    }
}

PetscBool RateHistoryEndsWithJump(const RateHistory *history)
{
    const PetscInt last = history->count - 1;
    return (PetscBool)(last > history->first && history->times[last] == history->times[last - 1]);
}

/**
 * The last entry that is not after a time, as that time is seen from a side; -1: all are.
 *
 * @param resolution  distance up to which two times are one
 */
static PetscInt LastEntry(const RateHistory *history, double time, double resolution, RateSide side)
{
    PetscInt low = history->first - 1;
    PetscInt high = history->count;
    while (high - low > 1) {
        const PetscInt middle = low + (high - low) / 2;
        const double at = history->times[middle];
        const PetscBool is_same = (PetscBool)(fabs(at - time) <= resolution);
        if (is_same ? side == RATE_AFTER_JUMP : at <= time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low >= history->first ? low : -1;
}

/** The polynomial through the entries from `low` to `high` at a time. */
static double Interpolate(const RateHistory *history, PetscInt low, PetscInt high, double time)
{
    double sum = 0.0;
    for (PetscInt i = low; i <= high; i++) {
        double share = 1.0;
        for (PetscInt k = low; k <= high; k++) {
            if (k != i) {
                share *= (time - history->times[k]) / (history->times[i] - history->times[k]);
            }
        }
        sum += share * history->rates[i];
    }
    return PetscMax(sum, 0.0);
}

double RateHistoryBefore(const RateHistory *history, double now, double delay, RateSide side)
{
    const double time = now - delay;
    /* Relative to the two numbers of the difference, which may be far larger than it. */
    const double resolution = ENGRAM_TIME_RESOLUTION * PetscMax(fabs(now), fabs(delay));
    PetscInt low = LastEntry(history, time, resolution, side);
    if (low < 0) {
        return history->before;
    }
    PetscInt high = low + 1;
    if (high == history->count) {
        return history->rates[low];
    }
    while (high - low < POINTS - 1) {
        const PetscBool has_left =
            (PetscBool)(low > history->first && history->times[low - 1] < history->times[low]);
        const PetscBool has_right = (PetscBool)(high + 1 < history->count &&
                                                history->times[high + 1] > history->times[high]);
        if (!has_left && !has_right) {
            break;
        }
        const PetscBool is_left_nearer =
            (PetscBool)(has_left && (!has_right || time - history->times[low - 1] <
                                                       history->times[high + 1] - time));
        low -= is_left_nearer ? 1 : 0;
        high += is_left_nearer ? 0 : 1;
    }
    return Interpolate(history, low, high, time);
}

PetscErrorCode RateHistoryDestroy(RateHistory *history)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree2(history->times, history->rates));
    PetscFunctionReturn(PETSC_SUCCESS);
}
