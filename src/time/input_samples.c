#include "input_samples.h"

#include <math.h>

#include "engram/base/error.h"

/* Weights at which the input is sampled, at most; rows of values at them. */
enum { MOST_WEIGHTS = 64 };
enum { AT_START, AT_MIDDLE, AT_END, AT_SAMPLE, AT_LAST, AT_LEFT, AT_RIGHT, VALUE_ROWS };

PetscErrorCode InputSamplesCreate(const EngramGrid *grid, InputSamples *samples)
{
    PetscFunctionBeginUser;
    samples->weights = PetscMin(grid->w_cells, MOST_WEIGHTS);
    const PetscInt room = VALUE_ROWS * samples->weights;
    PetscCall(PetscMalloc2(samples->weights, &samples->w, room, &samples->values));
    for (PetscInt i = 0; i < samples->weights; i++) {
        const PetscInt cell =
            (PetscInt)(((double)i + 0.5) / (double)samples->weights * (double)grid->w_cells);
        samples->w[i] = grid->w_min + ((double)cell + 0.5) * grid->w_spacing;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputSamplesDestroy(InputSamples *samples)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree2(samples->w, samples->values));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Fills a row with the input at a time. */
static void Sample(const InputSamples *samples, int row, double time)
{
    EngramModelInput(samples->model, time, samples->weights, samples->w,
                     samples->values + row * samples->weights);
}

static void CopyRow(const InputSamples *samples, int from, int to)
{
    for (PetscInt i = 0; i < samples->weights; i++) {
        samples->values[to * samples->weights + i] = samples->values[from * samples->weights + i];
    }
}

/** Largest difference of two rows. */
static double Distance(const InputSamples *samples, int a, int b)
{
    const double *first = samples->values + a * samples->weights;
    const double *second = samples->values + b * samples->weights;
    double largest = 0.0;
    for (PetscInt i = 0; i < samples->weights; i++) {
        largest = PetscMax(largest, fabs(first[i] - second[i]));
    }
    return largest;
}

double InputSamplesChange(const InputSamples *samples, double left, double right)
{
    Sample(samples, AT_LEFT, left);
    Sample(samples, AT_RIGHT, right);
    return Distance(samples, AT_LEFT, AT_RIGHT);
}

/** Deviation of the present sample from the line through its half of the interval. */
static double DeviationOf(const InputSamples *samples, double part)
{
    const int first = part < 0.5 ? AT_START : AT_MIDDLE;
    const double *a = samples->values + first * samples->weights;
    const double *b = samples->values + (first + 1) * samples->weights;
    const double *value = samples->values + AT_SAMPLE * samples->weights;
    const double along = part < 0.5 ? 2.0 * part : 2.0 * part - 1.0;
    double largest = 0.0;
    for (PetscInt i = 0; i < samples->weights; i++) {
        largest = PetscMax(largest, fabs(value[i] - (a[i] + along * (b[i] - a[i]))));
    }
    return largest;
}

InputSurvey InputSamplesSurvey(const InputSamples *samples, int count, double first, double last)
{
    const double length = last - first;
    InputSurvey survey = {.deviation = 0.0};
    double before = first;
    Sample(samples, AT_START, first);
    Sample(samples, AT_MIDDLE, first + 0.5 * length);
    Sample(samples, AT_END, last);
    CopyRow(samples, AT_START, AT_LAST);
    for (int k = 1; k <= count; k++) {
        const double part = (double)k / (double)count;
        const double time = k < count ? first + part * length : last;
        if (k < count) {
            Sample(samples, AT_SAMPLE, time);
        } else {
            CopyRow(samples, AT_END, AT_SAMPLE);
        }
        const double change = Distance(samples, AT_SAMPLE, AT_LAST);
        survey.deviation = PetscMax(survey.deviation, DeviationOf(samples, part));
        if (change > survey.change) {
            survey.change = change;
            survey.left = before;
            survey.right = time;
        }
        CopyRow(samples, AT_SAMPLE, AT_LAST);
        before = time;
    }
    return survey;
}

/** At the time of a jump there may be a value of its own, as of a sign: both sides leave it out. */
static void LeaveOutTheTime(const InputSamples *samples, double least, double *left, double *right)
{
    Sample(samples, AT_SAMPLE, nextafter(*right, INFINITY));
    if (Distance(samples, AT_RIGHT, AT_SAMPLE) > least) {
        *right = nextafter(*right, INFINITY);
    }
    Sample(samples, AT_SAMPLE, nextafter(*left, -INFINITY));
    if (Distance(samples, AT_LEFT, AT_SAMPLE) > least) {
        *left = nextafter(*left, -INFINITY);
    }
}

PetscBool InputSamplesFindJump(const InputSamples *samples, double least, double *left,
                               double *right)
{
    const double whole = InputSamplesChange(samples, *left, *right);
    double change = whole;
    double middle = *left + 0.5 * (*right - *left);
    while (middle > *left && middle < *right) {
        Sample(samples, AT_SAMPLE, middle);
        const double first = Distance(samples, AT_LEFT, AT_SAMPLE);
        const double second = Distance(samples, AT_SAMPLE, AT_RIGHT);
        change = PetscMax(first, second);
        if (!(change >= 0.5 * whole)) {
            return PETSC_FALSE;
        }
        if (first >= second) {
            *right = middle;
            CopyRow(samples, AT_SAMPLE, AT_RIGHT);
        } else {
            *left = middle;
            CopyRow(samples, AT_SAMPLE, AT_LEFT);
        }
        middle = *left + 0.5 * (*right - *left);
    }
    if (!(change > least)) {
        return PETSC_FALSE;
    }
    LeaveOutTheTime(samples, least, left, right);
    return PETSC_TRUE;
}
