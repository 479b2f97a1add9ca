/**
 * @file watch_problem.h
 * An input, and a watch over one phase of it, for the tests of what steps know of their input.
 */
#ifndef ENGRAM_TESTS_WATCH_PROBLEM_H
#define ENGRAM_TESTS_WATCH_PROBLEM_H

#include "petsc_support.h"

#include "engram/time/time_parameters.h"
#include "input_watch.h"

/** What a phase is made from. */
typedef struct Phase {
    const char *input;
    double begin;
    double end;
    double epsilon;
    double delay;   /* in units of eps */
    PetscInt cells; /* of w in 0 .. 1 */
} Phase;

/** A watch and all that it borrows. */
typedef struct Watched {
    EngramModel model;
    EngramGrid grid;
    Jumps jumps;
    InputWatch watch;
} Watched;

/** Begins a phase, with the jump that its beginning is. */
static inline void WatchedCreate(const Phase *phase, Watched *watched)
{
    EngramInput input = NULL;
    assert_int_equal(EngramInputCreate("model_input", phase->input, &input), 0);
    memset(watched, 0, sizeof(*watched));
    watched->model.phase =
        (EngramModelPhase){.begin = phase->begin, .epsilon = phase->epsilon, .input = input};
    watched->model.delay = phase->delay;
    watched->grid.w_cells = phase->cells;
    watched->grid.w_spacing = 1.0 / (double)phase->cells;
    watched->watch =
        (InputWatch){.model = &watched->model, .jumps = &watched->jumps, .tolerance = 1e-4};
    assert_int_equal(InputWatchCreate(&watched->grid, &watched->watch), 0);
    assert_int_equal(JumpsAdd(&watched->jumps, JumpOfTime(phase->begin, PETSC_TRUE)), 0);
    assert_int_equal(InputWatchBegin(&watched->watch, phase->end), 0);
}

static inline void WatchedDestroy(Watched *watched)
{
    assert_int_equal(InputWatchDestroy(&watched->watch), 0);
    assert_int_equal(InputWatchDestroy(&watched->watch), 0);
    assert_int_equal(JumpsDestroy(&watched->jumps), 0);
    assert_int_equal(EngramInputDestroy(&watched->model.phase.input), 0);
}

/** The input at a weight of the middle. */
static inline double WatchedInput(const Watched *watched, double time)
{
    const double w = 0.5;
    double value = NAN;
    EngramModelInput(&watched->model, time, 1, &w, &value);
    return value;
}

/** Where a step ends that is to go from one time to another, after a look at its beginning. */
static inline double WatchedStep(Watched *watched, double start, double end, PetscBool follows)
{
    double found = end;
    assert_int_equal(InputWatchStart(&watched->watch, 1.0, start), 0);
    assert_int_equal(InputWatchStep(&watched->watch, 1.0, start, follows, &found), 0);
    if (!(found <= end && found > start && !JumpsAreOneTime(found, start))) {
        fail_msg("a step from %.17g to %.17g ends at %.17g", start, end, found);
    }
    return found;
}

/** Steps through the whole phase, to known jumps and not beyond them; returns how many there are.
 */
static inline int WatchedWalk(Watched *watched, double length, PetscBool follows)
{
    int steps = 0;
    double now = watched->model.phase.begin;
    while (now < watched->watch.end && steps < 1000000) {
        const double target = fmin(JumpsNext(&watched->jumps, now), watched->watch.end);
        const double end = 1.000001 * length > target - now ? target : now + length;
        now = WatchedStep(watched, now, end, follows);
        steps++;
    }
    return steps;
}

/** A jump between two neighbouring numbers, one of which is its time. */
static inline void ExpectNeighbours(const Jump *jump, double restarts)
{
    assert_non_null(jump);
    UNIT_ASSERT_SAME_BITS(jump->after, nextafter(jump->before, INFINITY));
    assert_true(jump->time == jump->before || jump->time == jump->after);
    UNIT_ASSERT_SAME_BITS(jump->restarts, restarts);
}

#endif
