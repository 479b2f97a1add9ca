#include "adaptive_step.h"

#include <math.h>

#include "engram/base/error.h"
#include "step_control.h"

/* First step after a jump and shortest one, in units of the fastest time of the grid. */
static const double FIRST = 1e-3;
static const double SHORTEST = 1e-6;

/* First step of the limit model: parts of the limit of its transport, or of what is to come. */
static const double FIRST_OF_TRANSPORT = 0.1;
static const double FIRST_OF_PHASE = 1e-3;

/* Longest step in units of the delay: the history is known with four points in it. */
static const double PART_OF_DELAY = 0.25;

/* A step that differs less from a length has it. */
static const double STRETCH = 1e-6;

/* A step that is taken though it has missed its tolerance is followed by one longer by this. */
static const double GROWTH_UNMET = 2.0;

double AdaptiveStepFirst(const Segment *segment)
{
    const TransportStep *transport = segment->step->euler.transport;
    const double fastest = SegmentFastestTime(segment);
    if (fastest > 0.0) {
        return FIRST * fastest;
    }
    const double limit = transport ? TransportStepLimit(transport, segment->state) : INFINITY;
    const double phase = segment->time->end - segment->state->time;
    return PetscMin(FIRST_OF_TRANSPORT * limit, FIRST_OF_PHASE * phase);
}

double AdaptiveStepsToGrow(const Segment *segment, double length)
{
    const double largest = StepControlFactor(segment->step->scheme, 0.0, segment->time->tolerance);
    return PetscMax(log(length / AdaptiveStepFirst(segment)) / log(largest), 1.0);
}

static double Shortest(const Segment *segment)
{
    const EngramState *state = segment->state;
    const double fastest = SegmentFastestTime(segment);
    const double least = SegmentShortest(state->time, segment->time->end - state->time);
    double shortest = segment->time->step_min;
    if (shortest == 0.0) {
        shortest = fastest > 0.0 ? SHORTEST * fastest : SHORTEST * AdaptiveStepFirst(segment);
    }
    /* Where the shortest steps miss their tolerance they grow, and so come to an end. */
    const double unmet = state->is_unmet ? state->next_step : 0.0;
    return PetscMax(PetscMax(shortest, least), unmet);
}

double AdaptiveStepLongest(const EngramTimeParameters *time, double delay)
{
    return delay > 0.0 ? PetscMin(time->step_max, PART_OF_DELAY * delay) : time->step_max;
}

/** The length of the first attempt. */
static double LengthToTry(const Segment *segment, PetscBool restarts, double shortest)
{
    const EngramState *state = segment->state;
    const double longest = AdaptiveStepLongest(segment->time, segment->step->euler.reaction->delay);
    double length = state->next_step > 0.0 ? state->next_step : PETSC_MAX_REAL;
    if (restarts || state->next_step == 0.0) {
        length = PetscMin(length, AdaptiveStepFirst(segment));
    }
    return PetscMax(PetscMin(length, longest), shortest);
}

static PetscBool IsGood(const EngramState *state)
{
    return (PetscBool)(state->is_finite && !state->has_blown_up);
}

/** The length of the next step after one that was accepted. */
static void SuggestNext(const Segment *segment, double length, double wanted, double error,
                        PetscBool was_rejected)
{
    EngramState *state = segment->state;
    const EngramTimeParameters *time = segment->time;
    const PetscBool is_cut = (PetscBool)(length < wanted * (1.0 - STRETCH));
    double factor = StepControlFactor(segment->step->scheme, error, time->tolerance);
    if (was_rejected) {
        factor = PetscMin(factor, 1.0);
    }
    if (state->is_unmet) {
        factor = GROWTH_UNMET;
    }
    state->next_step = is_cut ? PetscMax(factor * length, wanted) : factor * length;
    state->next_step = PetscMin(state->next_step, time->step_max);
}

static void NoteBlowUp(EngramState *state, const char *failure)
{
    state->has_blown_up = PETSC_TRUE;
    state->is_untouched = PETSC_TRUE;
    state->failure = failure ? failure : "blow-up: the shortest step has no result";
}

/** One attempt; its error is infinite where there is no result. */
static PetscErrorCode Attempt(const Segment *segment, double end, DriveSide side, double *error)
{
    StepError estimate = {0.0, 0.0, 0.0, 0.0};
    const EngramState *state = segment->state;
    PetscFunctionBeginUser;
    PetscCall(CombinedStepTake(segment->step, end, side, &estimate));
    *error = IsGood(state) ? StepControlNorm(&estimate, state->total_rate) : INFINITY;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode AdaptiveStepTake(const Segment *segment, double latest)
{
    EngramState *state = segment->state;
    PetscBool restarts = PETSC_FALSE;
    DriveSide side = DRIVE_AT_END;
    PetscFunctionBeginUser;
    PetscCall(SegmentBeginStep(segment, &restarts, &side));
    const double started = state->time;
    const double tolerance = segment->time->tolerance;
    const double shortest = Shortest(segment);
    const double target = SegmentTarget(segment, latest);
    const EngramModel *model = segment->step->euler.reaction->model;
    double length = LengthToTry(segment, restarts, shortest);
    for (PetscInt64 rejected = 0;; rejected++) {
        double error = INFINITY;
        double end = SegmentEnd(started, length, target);
        PetscCall(InputWatchStep(segment->watch, EngramModelNoise(model, state->activity), started,
                                 PETSC_TRUE, &end));
        const double taken = end - started;
        /* The round-off of the time may make a step longer than was asked for. */
        const PetscBool is_shortest =
            (PetscBool)(PetscMin(taken, length) <= shortest * (1.0 + STRETCH));
        segment->step->may_scan = is_shortest;
        PetscCall(Attempt(segment, end, side, &error));
        state->rejected = rejected;
        const PetscBool is_met = (PetscBool)(error <= StepControlAllowed(tolerance));
        if (is_met || (is_shortest && IsGood(state))) {
            state->is_unmet = (PetscBool)!is_met;
            SuggestNext(segment, taken, length, error, (PetscBool)(rejected > 0));
            break;
        }
        const char *failure = state->failure;
        PetscCall(CombinedStepUndo(segment->step));
        if (is_shortest) {
            state->rejected = rejected + 1;
            NoteBlowUp(state, failure);
            break;
        }
        length =
            PetscMax(StepControlFactor(segment->step->scheme, error, tolerance) * taken, shortest);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
