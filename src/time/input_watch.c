#include "input_watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engram/base/error.h"
#include "engram/time/time_parameters.h"

/* Samples of a step: this many at least, and so many of a whole phase. A feature of the input that
 * is shorter than a part in SAMPLES_OF_PHASE may be missed. */
enum { FEWEST_SAMPLES = 8, SAMPLES_OF_PHASE = 4096 };

/* Weights at which the input is sampled; rows of values at them. */
enum { MOST_WEIGHTS = 64 };
enum { AT_START, AT_MIDDLE, AT_END, AT_SAMPLE, AT_LAST, AT_LEFT, AT_RIGHT, VALUE_ROWS };

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
    watch->weights = PetscMin(grid->w_cells, MOST_WEIGHTS);
    const PetscInt room = VALUE_ROWS * watch->weights;
    PetscCall(PetscMalloc2(watch->weights, &watch->w, room, &watch->values));
    for (PetscInt i = 0; i < watch->weights; i++) {
        const PetscInt cell =
            (PetscInt)(((double)i + 0.5) / (double)watch->weights * (double)grid->w_cells);
        watch->w[i] = grid->w_min + ((double)cell + 0.5) * grid->w_spacing;
    }
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

/** The row of values of the input at a time. */
static void Sample(const InputWatch *watch, int row, double time)
{
    EngramModelInput(watch->model, time, watch->weights, watch->w,
                     watch->values + row * watch->weights);
}

static void CopyRow(const InputWatch *watch, int from, int to)
{
    for (PetscInt i = 0; i < watch->weights; i++) {
        watch->values[to * watch->weights + i] = watch->values[from * watch->weights + i];
    }
}

/** Largest difference of two rows of values. */
static double Distance(const InputWatch *watch, int a, int b)
{
    double largest = 0.0;
    for (PetscInt i = 0; i < watch->weights; i++) {
        const double difference =
            fabs(watch->values[a * watch->weights + i] - watch->values[b * watch->weights + i]);
        largest = difference > largest ? difference : largest;
    }
    return largest;
}

/** Largest difference of the input at the times of a table from that at the first one. */
static double RangeOfTable(const InputWatch *watch, PetscInt count, const double *times,
                           double shift)
{
    double range = 0.0;
    for (PetscInt i = 0; i < count; i++) {
        Sample(watch, i == 0 ? AT_LEFT : AT_RIGHT, shift + times[i]);
        range = i == 0 ? 0.0 : PetscMax(range, Distance(watch, AT_LEFT, AT_RIGHT));
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
            Sample(watch, AT_LEFT, shift + times[i]);
            Sample(watch, AT_RIGHT, shift + times[i + 1]);
            is_steep = (PetscBool)(Distance(watch, AT_LEFT, AT_RIGHT) > steep);
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

/** What the samples of a step say. */
typedef struct Survey {
    double deviation; /* from straight lines between beginning, middle and end */
    double change;    /* largest one from a sample to the next ... */
    double left;      /* ... between these times */
    double right;
} Survey;

static int CountSamples(const InputWatch *watch, double length)
{
    const double phase = watch->end - watch->model->phase.begin;
    const double wanted = ceil(SAMPLES_OF_PHASE * length / phase);
    const double count = PetscMin(PetscMax(wanted, FEWEST_SAMPLES), 2.0 * SAMPLES_OF_PHASE);
    return 2 * (int)ceil(0.5 * count);
}

/** Deviation of the present sample from the line through its part of the step. */
static double DeviationOf(const InputWatch *watch, double part)
{
    const double *values = watch->values;
    const PetscInt weights = watch->weights;
    const int first = part < 0.5 ? AT_START : AT_MIDDLE;
    const double along = part < 0.5 ? 2.0 * part : 2.0 * part - 1.0;
    double largest = 0.0;
    for (PetscInt i = 0; i < weights; i++) {
        const double a = values[first * weights + i];
        const double b = values[(first + 1) * weights + i];
        const double deviation = fabs(values[AT_SAMPLE * weights + i] - (a + along * (b - a)));
        largest = deviation > largest ? deviation : largest;
    }
    return largest;
}

/** Looks at the input within a step; at its ends it is seen from inside. */
static Survey SurveyStep(const InputWatch *watch, double start, double end)
{
    const double length = end - start;
    const int samples = CountSamples(watch, length);
    const Jump *at_start = JumpsAt(watch->jumps, start);
    const Jump *at_end = JumpsAt(watch->jumps, end);
    Survey survey = {.deviation = 0.0};
    Sample(watch, AT_START, at_start ? at_start->after : start);
    Sample(watch, AT_MIDDLE, start + 0.5 * length);
    Sample(watch, AT_END, at_end ? at_end->before : end);
    CopyRow(watch, AT_START, AT_LAST);
    for (int k = 1; k <= samples; k++) {
        const double part = (double)k / (double)samples;
        if (k < samples) {
            Sample(watch, AT_SAMPLE, start + part * length);
        } else {
            CopyRow(watch, AT_END, AT_SAMPLE);
        }
        const double change = Distance(watch, AT_SAMPLE, AT_LAST);
        survey.deviation = PetscMax(survey.deviation, DeviationOf(watch, part));
        if (change > survey.change) {
            survey.change = change;
            survey.left = k == 1 && at_start ? at_start->after
                                             : start + (double)(k - 1) / (double)samples * length;
            survey.right = k == samples && at_end ? at_end->before : start + part * length;
        }
        CopyRow(watch, AT_SAMPLE, AT_LAST);
    }
    return survey;
}

/**
 * Whether the change between two samples is a jump: it does not shrink by half where the interval
 * does, again and again. The times close in on it.
 */
static PetscBool IsJump(const InputWatch *watch, double least, double *left, double *right)
{
    Sample(watch, AT_LEFT, *left);
    Sample(watch, AT_RIGHT, *right);
    const double whole = Distance(watch, AT_LEFT, AT_RIGHT);
    double middle = *left + 0.5 * (*right - *left);
    double change = whole;
    while (middle > *left && middle < *right) {
        Sample(watch, AT_SAMPLE, middle);
        const double first = Distance(watch, AT_LEFT, AT_SAMPLE);
        const double second = Distance(watch, AT_SAMPLE, AT_RIGHT);
        change = PetscMax(first, second);
        if (!(change >= 0.5 * whole)) {
            return PETSC_FALSE;
        }
        if (first >= second) {
            *right = middle;
            CopyRow(watch, AT_SAMPLE, AT_RIGHT);
        } else {
            *left = middle;
            CopyRow(watch, AT_SAMPLE, AT_LEFT);
        }
        middle = *left + 0.5 * (*right - *left);
    }
    if (change > least) {
        /* At the time itself there may be a value of its own, as of a sign. */
        Sample(watch, AT_SAMPLE, nextafter(*right, INFINITY));
        if (Distance(watch, AT_RIGHT, AT_SAMPLE) > least) {
            *right = nextafter(*right, INFINITY);
        }
        Sample(watch, AT_SAMPLE, nextafter(*left, -INFINITY));
        if (Distance(watch, AT_LEFT, AT_SAMPLE) > least) {
            *left = nextafter(*left, -INFINITY);
        }
    }
    return (PetscBool)(change > least);
}

/** The first change of a comparison within a step, in `left` and `right`; whether there is one. */
static PetscBool HasSwitch(const InputWatch *watch, PetscInt number, double start, double end,
                           double *left, double *right)
{
    const Jump *at_start = JumpsAt(watch->jumps, start);
    const Jump *at_end = JumpsAt(watch->jumps, end);
    const double first = at_start ? at_start->after : start;
    const double last = at_end ? at_end->before : end;
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
    Sample(watch, AT_LEFT, left);
    Sample(watch, AT_RIGHT, right);
    if (!JumpsAt(watch->jumps, start) && Distance(watch, AT_LEFT, AT_RIGHT) > least &&
        IsJump(watch, least, &left, &right)) {
        const Jump jump = {TimeOfJump(watch, left, right), left, right, 1.0};
        PetscCall(JumpsAddWithEchoes(watch->jumps, jump, watch->delay));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputWatchStep(InputWatch *watch, double noise, double start, PetscBool follows,
                              double *end)
{
    PetscFunctionBeginUser;
    if (!watch->needs_samples) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double epsilon = watch->model->phase.epsilon;
    const double shortest = SHORTEST_PART * (watch->end - watch->model->phase.begin);
    PetscCall(FindSwitches(watch, start, end));
    while (*end - start > shortest) {
        const double length = *end - start;
        const double share = epsilon > 0.0 ? PetscMin(1.0, length / epsilon) : 1.0;
        const double limit = LARGEST_DEVIATION * watch->tolerance * sqrt(noise) / share;
        Survey survey = SurveyStep(watch, start, *end);
        if (!(survey.deviation > limit)) {
            break;
        }
        if (IsJump(watch, SMALLEST_JUMP * limit, &survey.left, &survey.right)) {
            const double time = PetscMin(TimeOfJump(watch, survey.left, survey.right), *end);
            if (!(time > start) || JumpsAreOneTime(time, start)) {
                break;
            }
            const Jump jump = {time, survey.left, survey.right, 1.0};
            const PetscBool is_known = (PetscBool)(JumpsAt(watch->jumps, time) != NULL);
            PetscCall(JumpsAddWithEchoes(watch->jumps, jump, watch->delay));
            *end = time;
            if (is_known) {
                break;
            }
            continue; /* There may be an earlier one. */
        }
        if (!follows) {
            break;
        }
        *end = start + 0.5 * length;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputWatchDestroy(InputWatch *watch)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree2(watch->w, watch->values));
    PetscFunctionReturn(PETSC_SUCCESS);
}
