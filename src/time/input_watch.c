#include "input_watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engram/base/error.h"
#include "engram/time/time_parameters.h"

/* Samples of a step: this many at least, and so many of a whole phase. A feature of the input that
 * is shorter than a part in SAMPLES_OF_PHASE may be missed. */
enum { FEWEST_SAMPLES = 8, SAMPLES_OF_PHASE = 4096 };

/* What the input may do between three points of a step, in units of the tolerance. */
static const double LARGEST_DEVIATION = 10.0;

/* A jump is at least this part of what the input may do between three points. */
static const double SMALLEST_JUMP = 0.1;

/* A step that the input asks for is not shorter than this part of the phase. */
static const double SHORTEST_PART = 1e-10;

/* A ramp between two times of a table is steep where it lasts less than this part of eps, and the
 * input changes by more than this part of all it does. */
static const double STEEP_TIME = 0.05;
static const double STEEP_CHANGE = 0.01;

/* A comparison whose difference is a straight line to this relative accuracy is linear. */
static const double LINEAR_TOLERANCE = 1e-12;

PetscErrorCode InputWatchCreate(const EngramGrid *grid, InputWatch *watch)
{
    PetscFunctionBeginUser;
    watch->samples.model = watch->model;
    PetscCall(InputSamplesCreate(grid, &watch->samples));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool IsOn(const InputWatch *watch, PetscInt number, double time)
{
    const EngramModelPhase *phase = &watch->model->phase;
    return EngramInputSwitchIsOn(phase->input, number, time, time - phase->begin);
}

static double DifferenceAt(const InputWatch *watch, PetscInt number, double time)
{
    const EngramModelPhase *phase = &watch->model->phase;
    return EngramInputSwitchDifference(phase->input, number, time, time - phase->begin);
}

/**
 * The time of a jump between two neighbouring numbers: the one that is written with fewer digits,
 * or the beginning of the phase.
 */
static double TimeOfJump(const InputWatch *watch, double before, double after)
{
    char text[32];
    const double begin = watch->model->phase.begin;
    if (after - begin <= ENGRAM_TIME_RESOLUTION * (watch->end - begin)) {
        return begin;
    }
    (void)snprintf(text, sizeof(text), "%.15g", after);
    const double rounded = strtod(text, NULL);
    return rounded == before ? before : after;
}

/** Adds the jump between two times at which a comparison differs. */
static PetscErrorCode AddSwitch(const InputWatch *watch, PetscInt number, double before,
                                double after, double *time)
{
    const PetscBool is_on = IsOn(watch, number, before);
    double middle = before + 0.5 * (after - before);
    PetscFunctionBeginUser;
    while (middle > before && middle < after) {
        if (IsOn(watch, number, middle) == is_on) {
            before = middle;
        } else {
            after = middle;
        }
        middle = before + 0.5 * (after - before);
    }
    *time = TimeOfJump(watch, before, after);
    PetscCall(JumpsAddWithEchoes(watch->jumps, (Jump){*time, before, after, 1.0}, watch->delay));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether the difference of a comparison is a straight line over the phase. */
static PetscBool IsLinear(const InputWatch *watch, PetscInt number)
{
    static const double parts[] = {0.37, 0.71};
    const double begin = watch->model->phase.begin;
    const double length = watch->end - begin;
    const double first = DifferenceAt(watch, number, begin);
    const double last = DifferenceAt(watch, number, watch->end);
    const double scale = PetscMax(fabs(first), fabs(last));
    PetscBool is_linear = PETSC_TRUE;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const double line = first + parts[i] * (last - first);
        const double value = DifferenceAt(watch, number, begin + parts[i] * length);
        is_linear = (PetscBool)(is_linear && fabs(value - line) <= LINEAR_TOLERANCE * scale);
    }
    return is_linear;
}

/** Adds the changes of comparisons that are linear in time. */
static PetscErrorCode AddLinearSwitches(const InputWatch *watch)
{
    const EngramModelPhase *phase = &watch->model->phase;
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < EngramInputSwitchCount(phase->input); i++) {
        double time = 0.0;
        if (IsLinear(watch, i) && IsOn(watch, i, phase->begin) != IsOn(watch, i, watch->end)) {
            PetscCall(AddSwitch(watch, i, phase->begin, watch->end, &time));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Largest difference of the input at the times of a table from that at the first one. */
static double RangeOfTable(const InputWatch *watch, PetscInt count, const double *times,
                           double shift)
{
    double range = 0.0;
    for (PetscInt i = 1; i < count; i++) {
        const double change =
            InputSamplesChange(&watch->samples, shift + times[0], shift + times[i]);
        range = PetscMax(range, change);
    }
    return range;
}

/**
 * Adds the times of a table. A steep ramp, short beside eps, is as good as a jump at either end;
 * elsewhere the input only has kinks.
 */
static PetscErrorCode AddTimes(const InputWatch *watch)
{
    const EngramModelPhase *phase = &watch->model->phase;
    const double *times = NULL;
    PetscBool since_phase = PETSC_FALSE;
    PetscFunctionBeginUser;
    const PetscInt count = EngramInputTimes(phase->input, &times, &since_phase);
    const double shift = since_phase ? phase->begin : 0.0;
    const double steep = STEEP_CHANGE * RangeOfTable(watch, count, times, shift);
    PetscBool was_steep = PETSC_FALSE;
    for (PetscInt i = 0; i < count; i++) {
        PetscBool is_steep = PETSC_FALSE;
        if (i + 1 < count && times[i + 1] - times[i] < STEEP_TIME * phase->epsilon) {
            const double change =
                InputSamplesChange(&watch->samples, shift + times[i], shift + times[i + 1]);
            is_steep = (PetscBool)(change > steep);
        }
        const double time = shift + times[i];
        if (time > phase->begin && time < watch->end) {
            const Jump jump = JumpOfTime(time, (PetscBool)(is_steep || was_steep));
            PetscCall(JumpsAddWithEchoes(watch->jumps, jump, watch->delay));
        }
        was_steep = is_steep;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputWatchBegin(InputWatch *watch, double end)
{
    const EngramModelPhase *phase = &watch->model->phase;
    const double *times = NULL;
    PetscBool since_phase = PETSC_FALSE;
    PetscFunctionBeginUser;
    watch->end = end;
    watch->delay = phase->epsilon * watch->model->delay;
    watch->needs_samples = (PetscBool)(!EngramInputIsSteady(phase->input) &&
                                       EngramInputTimes(phase->input, &times, &since_phase) == 0);
    PetscCall(AddTimes(watch));
    PetscCall(AddLinearSwitches(watch));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static int CountSamples(const InputWatch *watch, double length)
{
    const double phase = watch->end - watch->model->phase.begin;
    const double wanted = ceil(SAMPLES_OF_PHASE * length / phase);
    const double count = PetscMin(PetscMax(wanted, FEWEST_SAMPLES), 2.0 * SAMPLES_OF_PHASE);
    return 2 * (int)ceil(0.5 * count);
}

/** The ends of a step as they are seen from inside it. */
static void InsideOf(const InputWatch *watch, double start, double end, double *first, double *last)
{
    const Jump *at_start = JumpsAt(watch->jumps, start);
    const Jump *at_end = JumpsAt(watch->jumps, end);
    *first = at_start ? at_start->after : start;
    *last = at_end ? at_end->before : end;
}

/** The first change of a comparison within a step, in `left` and `right`; whether there is one. */
static PetscBool HasSwitch(const InputWatch *watch, PetscInt number, double start, double end,
                           double *left, double *right)
{
    double first = start;
    double last = end;
    InsideOf(watch, start, end, &first, &last);
    const int samples = CountSamples(watch, last - first);
    *left = first;
    for (int k = 1; k <= samples; k++) {
        *right = k == samples ? last : first + (double)k / (double)samples * (last - first);
        if (IsOn(watch, number, *left) != IsOn(watch, number, *right)) {
            return PETSC_TRUE;
        }
        *left = *right;
    }
    return PETSC_FALSE;
}

/** Changes of comparisons that are not linear, within a step, which then ends at the first. */
static PetscErrorCode FindSwitches(const InputWatch *watch, double start, double *end)
{
    double left = 0.0;
    double right = 0.0;
    double time = 0.0;
    PetscFunctionBeginUser;
    const PetscInt count = EngramInputSwitchCount(watch->model->phase.input);
    for (PetscInt i = 0; i < count; i++) {
        /* A change at the beginning itself becomes part of the jump there; one more may follow. */
        for (int attempt = 0; attempt < 2; attempt++) {
            if (!HasSwitch(watch, i, start, *end, &left, &right)) {
                break;
            }
            PetscCall(AddSwitch(watch, i, left, right, &time));
            if (time > start && !JumpsAreOneTime(time, start)) {
                *end = PetscMin(time, *end);
                break;
            }
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputWatchStart(InputWatch *watch, double noise, double start)
{
    double left = start;
    double right = start + ENGRAM_TIME_RESOLUTION * fabs(start);
    double time = start;
    PetscFunctionBeginUser;
    const double least = SMALLEST_JUMP * LARGEST_DEVIATION * watch->tolerance * sqrt(noise);
    if (!watch->needs_samples || right >= watch->end || JumpsAt(watch->jumps, start)) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const PetscInt count = EngramInputSwitchCount(watch->model->phase.input);
    for (PetscInt i = 0; i < count; i++) {
        if (IsOn(watch, i, left) != IsOn(watch, i, right)) {
            PetscCall(AddSwitch(watch, i, left, right, &time));
        }
    }
    if (!JumpsAt(watch->jumps, start) && InputSamplesChange(&watch->samples, left, right) > least &&
        InputSamplesFindJump(&watch->samples, least, &left, &right)) {
        const Jump jump = {TimeOfJump(watch, left, right), left, right, 1.0};
        PetscCall(JumpsAddWithEchoes(watch->jumps, jump, watch->delay));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/**
 * Adds the jump between two neighbouring times, at which the step then ends. One that was not known
 * may hide an earlier one: the caller looks again.
 */
static PetscErrorCode EndAtJump(const InputWatch *watch, double left, double right, double start,
                                double *end, PetscBool *look_again)
{
    const double time = PetscMin(TimeOfJump(watch, left, right), *end);
    PetscFunctionBeginUser;
    *look_again = PETSC_FALSE;
    if (time > start && !JumpsAreOneTime(time, start)) {
        *look_again = (PetscBool)(JumpsAt(watch->jumps, time) == NULL);
        PetscCall(JumpsAddWithEchoes(watch->jumps, (Jump){time, left, right, 1.0}, watch->delay));
        *end = time;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Deviation of the input from straight lines that a step may have. */
static double LargestDeviation(const InputWatch *watch, double noise, double length)
{
    const double epsilon = watch->model->phase.epsilon;
    const double share = epsilon > 0.0 ? PetscMin(1.0, length / epsilon) : 1.0;
    return LARGEST_DEVIATION * watch->tolerance * sqrt(noise) / share;
}

PetscErrorCode InputWatchStep(InputWatch *watch, double noise, double start, PetscBool follows,
                              double *end)
{
    PetscBool look_again = PETSC_TRUE;
    PetscFunctionBeginUser;
    if (!watch->needs_samples) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double shortest = SHORTEST_PART * (watch->end - watch->model->phase.begin);
    PetscCall(FindSwitches(watch, start, end));
    while (look_again && *end - start > shortest) {
        double first = start;
        double last = *end;
        InsideOf(watch, start, *end, &first, &last);
        const int count = CountSamples(watch, last - first);
        const double limit = LargestDeviation(watch, noise, *end - start);
        InputSurvey survey = InputSamplesSurvey(&watch->samples, count, first, last);
        const PetscBool deviates = (PetscBool)(survey.deviation > limit);
        if (deviates && InputSamplesFindJump(&watch->samples, SMALLEST_JUMP * limit, &survey.left,
                                             &survey.right)) {
            PetscCall(EndAtJump(watch, survey.left, survey.right, start, end, &look_again));
        } else if (deviates && follows) {
            *end = start + 0.5 * (*end - start);
        } else {
            look_again = PETSC_FALSE;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputWatchDestroy(InputWatch *watch)
{
    PetscFunctionBeginUser;
    PetscCall(InputSamplesDestroy(&watch->samples));
    PetscFunctionReturn(PETSC_SUCCESS);
}
