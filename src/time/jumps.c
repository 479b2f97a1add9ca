#include "jumps.h"

#include <math.h>

#include "engram/base/error.h"
#include "engram/time/time_parameters.h"

/* Echoes of a jump after which steps begin anew, and those at which they only end: each is smoother
 * than the last by half an order. */
enum { ECHOES = 3, ALL_ECHOES = 6, FIRST_ROOM = 16 };

Jump JumpOfTime(double time, PetscBool restarts)
{
    return (Jump){time, time, time, restarts ? 1.0 : 0.0};
}

PetscBool JumpsAreOneTime(double a, double b)
{
    return (PetscBool)(fabs(a - b) <= ENGRAM_TIME_RESOLUTION * PetscMax(fabs(a), fabs(b)));
}

/** Place of the first jump that is not before a time. */
static PetscInt PlaceOf(const Jumps *jumps, double time)
{
    PetscInt low = 0;
    PetscInt high = jumps->count;
    while (low < high) {
        const PetscInt middle = low + (high - low) / 2;
        const double at = jumps->list[middle].time;
        if (at < time && !JumpsAreOneTime(at, time)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

PetscErrorCode JumpsMakeRoom(Jumps *jumps, PetscInt count)
{
    PetscFunctionBeginUser;
    if (count > jumps->capacity) {
        jumps->capacity = PetscMax(PetscMax(2 * jumps->capacity, FIRST_ROOM), count);
        PetscCall(
            PetscRealloc(sizeof(*jumps->list) * (size_t)jumps->capacity, (void *)&jumps->list));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JumpsAdd(Jumps *jumps, Jump jump)
{
    const PetscInt place = PlaceOf(jumps, jump.time);
    PetscFunctionBeginUser;
    if (place < jumps->count && JumpsAreOneTime(jumps->list[place].time, jump.time)) {
        Jump *known = &jumps->list[place];
        known->before = PetscMin(known->before, jump.before);
        known->after = PetscMax(known->after, jump.after);
        known->restarts = PetscMax(known->restarts, jump.restarts);
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(JumpsMakeRoom(jumps, jumps->count + 1));
    PetscCall(PetscArraymove(jumps->list + place + 1, jumps->list + place, jumps->count - place));
    jumps->list[place] = jump;
    jumps->count++;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JumpsAddWithEchoes(Jumps *jumps, Jump jump, double delay)
{
    PetscFunctionBeginUser;
    PetscCall(JumpsAdd(jumps, jump));
    for (int i = 1; delay > 0.0 && jump.restarts > 0.0 && i <= ALL_ECHOES; i++) {
        const PetscBool restarts = (PetscBool)(i <= ECHOES);
        PetscCall(JumpsAdd(jumps, JumpOfTime(jump.time + i * delay, restarts)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

const Jump *JumpsAt(const Jumps *jumps, double time)
{
    const PetscInt place = PlaceOf(jumps, time);
    const PetscBool is_there =
        (PetscBool)(place < jumps->count && JumpsAreOneTime(jumps->list[place].time, time));
    return is_there ? &jumps->list[place] : NULL;
}

double JumpsNext(const Jumps *jumps, double time)
{
    PetscInt place = PlaceOf(jumps, time);
    while (place < jumps->count && JumpsAreOneTime(jumps->list[place].time, time)) {
        place++;
    }
    return place < jumps->count ? jumps->list[place].time : INFINITY;
}

double JumpsLastRestart(const Jumps *jumps, double time)
{
    double last = -INFINITY;
    for (PetscInt i = PlaceOf(jumps, time); i >= 0 && isinf(last); i--) {
        const PetscBool is_past =
            (PetscBool)(i < jumps->count && (jumps->list[i].time <= time ||
                                             JumpsAreOneTime(jumps->list[i].time, time)));
        if (is_past && jumps->list[i].restarts > 0.0) {
            last = jumps->list[i].time;
        }
    }
    return last;
}

void JumpsKeep(Jumps *jumps, double from, double to)
{
    PetscInt kept = 0;
    for (PetscInt i = 0; i < jumps->count; i++) {
        if (jumps->list[i].time >= from && jumps->list[i].time <= to) {
            jumps->list[kept++] = jumps->list[i];
        }
    }
    jumps->count = kept;
}

PetscErrorCode JumpsDestroy(Jumps *jumps)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree(jumps->list));
    jumps->count = 0;
    jumps->capacity = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}
