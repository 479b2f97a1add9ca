#include "rate_history.h"

#include "engram/base/error.h"

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
    while (history->count - history->first > 1 && history->times[history->first + 1] <= time) {
        history->first++;
    }
}

double RateHistoryAt(const RateHistory *history, double time)
{
    PetscInt low = history->first;
    PetscInt high = history->count - 1;
    if (high < low || time < history->times[low]) {
        return history->before;
    }
    if (time >= history->times[high]) {
        return history->rates[high];
    }
    while (high - low > 1) {
        const PetscInt middle = low + (high - low) / 2;
        if (history->times[middle] <= time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const double share =
        (time - history->times[low]) / (history->times[high] - history->times[low]);
    return (1.0 - share) * history->rates[low] + share * history->rates[high];
}

PetscErrorCode RateHistoryDestroy(RateHistory *history)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree2(history->times, history->rates));
    PetscFunctionReturn(PETSC_SUCCESS);
}
