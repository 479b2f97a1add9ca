#include "segment.h"

#include <math.h>

#include "engram/base/error.h"

/* A step that would leave less than this part of itself is stretched to the target. */
static const double STRETCH = 1e-6;

/* A layer that is shorter than this part of what is to come is not resolved. */
static const double SHORTEST_PART = 1e-20;

/* Jumps of the rate are followed down to this part of the tolerance. */
static const double SMALLEST_ECHO = 0.01;

double SegmentFastestTime(const Segment *segment)
{
    const Reaction *reaction = segment->step->euler.reaction;
    const double spacing = reaction->grid->v_spacing;
    const double noise = EngramModelNoise(reaction->model, segment->state->activity);
    return reaction->model->phase.epsilon * spacing * spacing / noise;
}

/**
 * Where the rate itself has jumped, its echoes jump as well, again and again: with a noise that
 * depends on the rate they do not become smoother.
 */
static PetscErrorCode FollowJump(const Segment *segment, double before)
{
    const EngramState *state = segment->state;
    PetscFunctionBeginUser;
    const double delay = segment->step->euler.reaction->delay;
    const double change = fabs(state->total_rate - before);
    if (delay > 0.0 && change > SMALLEST_ECHO * segment->time->tolerance * state->total_rate) {
        PetscCall(JumpsAddWithEchoes(segment->jumps, JumpOfTime(state->time, PETSC_TRUE), delay));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SegmentBeginStep(const Segment *segment, PetscBool *restarts, DriveSide *side)
{
    EngramState *state = segment->state;
    CombinedStep *step = segment->step;
    Reaction *reaction = step->euler.reaction;
    PetscFunctionBeginUser;
    const double noise = EngramModelNoise(reaction->model, state->activity);
    PetscCall(InputWatchStart(segment->watch, noise, state->time));
    const Jump *jump = JumpsAt(segment->jumps, state->time);
    *restarts = (PetscBool)(jump && jump->restarts > 0.0);
    *side = *restarts ? DRIVE_AT_START : DRIVE_AT_END;
    if (*restarts) {
        const double before = state->total_rate;
        PetscCall(ReactionMeasureAnew(reaction, step->rows));
        PetscCall(FollowJump(segment, before));
        state->rate_trend = 0.0;
        for (int k = 0; k < ENGRAM_COMBINED_RESULTS; k++) {
            state->coupling_slope[k] = 0.0;
        }
    }
    if (jump && reaction->delay > 0.0) {
        /* The history is not interpolated across it. */
        PetscCall(RateHistoryPush(&reaction->history, state->time, state->total_rate));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

double SegmentTarget(const Segment *segment, double latest)
{
    const double next = JumpsNext(segment->jumps, segment->state->time);
    return next < latest && !JumpsAreOneTime(next, latest) ? next : latest;
}

double SegmentShortest(double now, double remaining)
{
    return PetscMax(ENGRAM_TIME_SHORTEST_STEP * fabs(now), SHORTEST_PART * remaining);
}

double SegmentEnd(double now, double length, double target)
{
    const double remaining = target - now;
    length = PetscMax(length, SegmentShortest(now, remaining));
    if (length * (1.0 + STRETCH) >= remaining) {
        return target;
    }
    return 2.0 * length > remaining ? now + 0.5 * remaining : now + length;
}

PetscErrorCode SegmentConclude(const Segment *segment)
{
    EngramState *state = segment->state;
    const EngramState *before = &segment->step->state;
    Reaction *reaction = segment->step->euler.reaction;
    PetscFunctionBeginUser;
    const double length = state->time - before->time;
    state->rate_trend = 0.0;
    if (!(length > 0.0) || !state->is_finite) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    state->rate_trend = (state->total_rate - before->total_rate) / length;
    if (reaction->delay > 0.0) {
        RateHistoryTruncate(&reaction->history, before->time);
        PetscCall(RateHistoryPush(&reaction->history, state->time, state->total_rate));
        RateHistoryForget(&reaction->history, state->time - reaction->model->longest_delay);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
