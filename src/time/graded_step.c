#include "graded_step.h"

#include <math.h>

#include "engram/base/error.h"

/* The largest kappa, and gamma for each order: of order p the sum of the errors of all parts
 * converges where gamma > p/(1 + alpha). */
static const double LARGEST_KAPPA = 0.3;
static const double gammas[] = {
    [ENGRAM_TIME_EULER] = 3.0, [ENGRAM_TIME_SECOND_ORDER] = 4.0, [ENGRAM_TIME_THIRD_ORDER] = 6.0};

/* First part at least this part of the fastest time of the grid. */
static const double SHORTEST = 0.1;

/* After so many eps the layer is gone, and parts grow with the time since then by this factor. */
static const double END_OF_LAYER = 20.0;
static const double GROWTH_AFTER = 0.5;

double GradedStepLength(EngramTimeScheme scheme, double step, double since, double epsilon,
                        double fastest)
{
    const double gamma = gammas[scheme];
    const double kappa = fmin(LARGEST_KAPPA, step * pow(epsilon, -1.0 / (double)scheme));
    const double grown = kappa * epsilon * pow(since / epsilon, 1.0 - 1.0 / gamma);
    const double first =
        fmax(SHORTEST * fastest * (kappa / LARGEST_KAPPA), epsilon * pow(kappa / gamma, gamma));
    const double late = GROWTH_AFTER * (since - END_OF_LAYER * epsilon);
    return fmin(step, fmax(fmax(grown, first), late));
}

/** Length of the part that begins now. */
static double LengthNow(const Segment *segment)
{
    const double step = segment->time->step;
    const double epsilon = segment->step->euler.reaction->model->phase.epsilon;
    const double now = segment->state->time;
    const double since = now - JumpsLastRestart(segment->jumps, now);
    if (!(epsilon > 0.0) || isinf(since)) {
        return step;
    }
    return GradedStepLength(segment->step->scheme, step, PetscMax(since, 0.0), epsilon,
                            SegmentFastestTime(segment));
}

PetscErrorCode GradedStepTake(const Segment *segment, double time)
{
    EngramState *state = segment->state;
    const EngramModel *model = segment->step->euler.reaction->model;
    PetscFunctionBeginUser;
    while (state->time < time && state->is_finite && !state->has_blown_up) {
        PetscBool restarts = PETSC_FALSE;
        DriveSide side = DRIVE_AT_END;
        const double started = state->time;
        PetscCall(SegmentBeginStep(segment, &restarts, &side));
        const double target = SegmentTarget(segment, time);
        double end = SegmentEnd(started, LengthNow(segment), target);
        PetscCall(InputWatchStep(segment->watch, EngramModelNoise(model, state->activity), started,
                                 PETSC_FALSE, &end));
        PetscCall(CombinedStepTake(segment->step, end, side, NULL));
        state->parts++;
        PetscCall(SegmentConclude(segment));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
