/* All solutions of the scalar equation: they may be of any size that a double has. */
#include <float.h>
#include <math.h>

#include "coupling_root.h"
#include "engram/base/error.h"
#include "engram/solver/coupling.h"

/* Points in each factor of ten, where something may be between them; each is larger than the last
 * by the same factor. */
static const double POINTS_PER_DECADE = 50.0;

/* Rates above this one, or this part of a largest rate below 1, always have so many. */
static const double SCAN_FINE = 1e-4;

/* The answer is flat between two points where it changes by less than this part. */
static const double FLAT = 0.1;

/* What rounding may do to an answer. */
static const double ROUNDING = 1e-9;

/* Steps of the search for the smallest distance between two points of a scan. */
enum { NEAR_MISS_STEPS = 60 };

/* Evaluations at most to show that there is no root. */
enum { MOST_TO_EXCLUDE = 5000 };

/* Relative distance of the rates by which a slope is measured. */
static const double SLOPE_DISTANCE = 1e-5;

/** One point of a scan. */
typedef struct ScanPoint {
    double rate;
    double answer; /* infinity where it is not finite */
    double part;   /* of the answer */
} ScanPoint;

/** A scan under way. Its last three points are neighbours. */
typedef struct Scan {
    const EngramCouplingParameters *parameters;
    EngramCouplingFunction function;
    ScanPoint last[3];
    PetscInt seen;
    PetscInt evaluations;
    PetscBool rises[2]; /* the part, and the rest, between any two neighbours */
    PetscBool falls[2];
    double from; /* the first point after which no root is excluded; infinity: none */
    double to;   /* the last point before which none is */
    EngramCouplingRoot *roots;
    PetscInt count;
} Scan;

static PetscErrorCode Sample(Scan *scan, double rate, ScanPoint *point)
{
    const EngramCouplingFunction *function = &scan->function;
    double answer = 0.0;
    PetscFunctionBeginUser;
    PetscCall(function->evaluate(function->context, rate, &answer));
    *point = (ScanPoint){rate, isfinite(answer) ? answer : INFINITY,
                         function->part ? *function->part : 0.0};
    scan->evaluations++;
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool IsBelow(const ScanPoint *point)
{
    return (PetscBool)(point->answer < point->rate);
}

/** How far the answer is from the rate, as a part of the smaller one of both. */
static double Distance(const ScanPoint *point)
{
    const double difference = fabs(point->answer - point->rate);
    return difference > 0.0 ? difference / PetscMin(point->answer, point->rate) : 0.0;
}

/** Least and largest answer between two points, if the part and the rest have no turn there. */
static void Bounds(const ScanPoint *left, const ScanPoint *right, double *least, double *largest)
{
    const double rest[2] = {left->answer - left->part, right->answer - right->part};
    *least = PetscMin(left->part, right->part) + PetscMin(rest[0], rest[1]);
    *largest = PetscMax(left->part, right->part) + PetscMax(rest[0], rest[1]);
}

/** Whether no root is between two points, by these bounds. */
static PetscBool IsExcluded(const ScanPoint *left, const ScanPoint *right)
{
    double least = 0.0;
    double largest = 0.0;
    if (!isfinite(left->answer) || !isfinite(right->answer)) {
        return PETSC_FALSE;
    }
    Bounds(left, right, &least, &largest);
    return (PetscBool)(least > (1.0 + ROUNDING) * right->rate ||
                       (1.0 + ROUNDING) * largest < left->rate);
}

static PetscBool IsFlat(const ScanPoint *left, const ScanPoint *right)
{
    double least = 0.0;
    double largest = 0.0;
    Bounds(left, right, &least, &largest);
    return (PetscBool)(largest <= (1.0 + FLAT) * least);
}

/** The rate in the middle of two, by their logarithms if it can be. */
static double MiddleRate(double left, double right)
{
    const double middle = sqrt(left) * sqrt(right);
    return middle > left && middle < right ? middle : left + 0.5 * (right - left);
}

/** Slope of G at a root, from two neighbours. */
static PetscErrorCode SlopeAt(Scan *scan, double rate, double *slope)
{
    ScanPoint left = {0.0, 0.0, 0.0};
    ScanPoint right = {0.0, 0.0, 0.0};
    PetscFunctionBeginUser;
    /* Differences of the smallest doubles would be flushed to zero. */
    const double scale = rate < 1e-150 ? 0x1p500 : 1.0;
    PetscCall(Sample(scan, rate * (1.0 - SLOPE_DISTANCE), &left));
    PetscCall(Sample(scan, rate * (1.0 + SLOPE_DISTANCE), &right));
    *slope =
        (scale * right.answer - scale * left.answer) / (scale * right.rate - scale * left.rate);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The root between two points on different sides. */
static PetscErrorCode AddRoot(Scan *scan, ScanPoint left, ScanPoint right)
{
    PetscFunctionBeginUser;
    if (scan->count == ENGRAM_COUPLING_ROOTS) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    /* Other methods would be faster; a scan is rare, and halving cannot fail. */
    while (right.rate - left.rate > scan->parameters->scan_tolerance * right.rate) {
        ScanPoint middle = {0.0, 0.0, 0.0};
        const double rate = MiddleRate(left.rate, right.rate);
        if (!(rate > left.rate && rate < right.rate) || left.rate == 0.0) {
            break;
        }
        PetscCall(Sample(scan, rate, &middle));
        const PetscBool is_left = (PetscBool)(IsBelow(&middle) == IsBelow(&left));
        left = is_left ? middle : left;
        right = is_left ? right : middle;
    }
    const ScanPoint nearer = Distance(&left) < Distance(&right) ? left : right;
    if (!isfinite(left.answer) || !isfinite(right.answer) ||
        !CouplingIsRoot(nearer.rate, nearer.answer - nearer.rate)) {
        /* The function jumps there, or ceases to be finite: no root. */
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    EngramCouplingRoot *root = &scan->roots[scan->count];
    root->rate = nearer.rate;
    root->slope = 0.0;
    if (root->rate > 0.0) {
        PetscCall(SlopeAt(scan, root->rate, &root->slope));
    }
    scan->count++;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Between three points on one side the middle one of which is nearest: does it cross? */
static PetscErrorCode CheckNearMiss(Scan *scan, const ScanPoint three[3])
{
    static const double golden = 0.38196601125010515;
    const PetscBool side = IsBelow(&three[1]);
    ScanPoint low = three[0];
    ScanPoint best = three[1];
    ScanPoint high = three[2];
    PetscFunctionBeginUser;
    for (int i = 0; i < NEAR_MISS_STEPS && IsBelow(&best) == side; i++) {
        ScanPoint trial = {0.0, 0.0, 0.0};
        const PetscBool is_right = (PetscBool)(high.rate / best.rate > best.rate / low.rate);
        const double target = is_right ? high.rate : low.rate;
        PetscCall(Sample(scan, best.rate * pow(target / best.rate, golden), &trial));
        const PetscBool is_better =
            (PetscBool)(IsBelow(&trial) != side || Distance(&trial) < Distance(&best));
        const ScanPoint end = is_better ? best : trial;
        low = is_better == is_right ? end : low;
        high = is_better == is_right ? high : end;
        best = is_better ? trial : best;
    }
    if (IsBelow(&best) != side) {
        PetscCall(AddRoot(scan, three[0], best));
        PetscCall(AddRoot(scan, best, three[2]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Notes how the answer changes between two neighbours, and whether a root may be between them. */
static void NoteChange(Scan *scan, const ScanPoint *left, const ScanPoint *right)
{
    const double change[2] = {right->part - left->part,
                              (right->answer - right->part) - (left->answer - left->part)};
    const double least = ROUNDING * PetscMin(left->answer, right->answer);
    for (int i = 0; i < 2; i++) {
        scan->rises[i] = (PetscBool)(scan->rises[i] || change[i] > least);
        scan->falls[i] = (PetscBool)(scan->falls[i] || change[i] < -least);
    }
    if (!IsExcluded(left, right)) {
        scan->from = PetscMin(scan->from, left->rate);
        scan->to = right->rate;
    }
}

/** Whether a change is followed by one in the other direction. */
static PetscBool IsTurn(double before, double after)
{
    return (PetscBool)((before < 0.0 && after > 0.0) || (before > 0.0 && after < 0.0));
}

/** Whether a root may hide at the middle one of three points on one side. */
static PetscBool MayHideRoot(const ScanPoint three[3])
{
    const double rest[3] = {three[0].answer - three[0].part, three[1].answer - three[1].part,
                            three[2].answer - three[2].part};
    const double middle = Distance(&three[1]);
    const PetscBool is_nearest = (PetscBool)(isfinite(middle) && middle <= Distance(&three[0]) &&
                                             middle <= Distance(&three[2]));
    const PetscBool turns =
        (PetscBool)(IsTurn(three[1].part - three[0].part, three[2].part - three[1].part) ||
                    IsTurn(rest[1] - rest[0], rest[2] - rest[1]));
    return (PetscBool)(is_nearest && (turns || !IsExcluded(&three[0], &three[1]) ||
                                      !IsExcluded(&three[1], &three[2])));
}

/** Takes a point as the next one, and finds the roots that it shows to be below. */
static PetscErrorCode TakePoint(Scan *scan, ScanPoint point)
{
    ScanPoint *last = scan->last;
    PetscFunctionBeginUser;
    last[0] = last[1];
    last[1] = last[2];
    last[2] = point;
    scan->seen++;
    if (scan->seen < 2) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    NoteChange(scan, &last[1], &last[2]);
    if (IsBelow(&last[1]) != IsBelow(&last[2])) {
        PetscCall(AddRoot(scan, last[1], last[2]));
    } else if (scan->seen > 2 && last[0].rate > 0.0 && IsBelow(&last[0]) == IsBelow(&last[1])) {
        if (MayHideRoot(last)) {
            PetscCall(CheckNearMiss(scan, last));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether nothing is expected between two points. */
static PetscBool IsSettled(const ScanPoint *left, const ScanPoint *right)
{
    const PetscBool is_fine =
        (PetscBool)(right->rate <= 1.0001 * pow(10.0, 1.0 / POINTS_PER_DECADE) * left->rate);
    const PetscBool is_void = (PetscBool)(!isfinite(left->answer) && !isfinite(right->answer));
    return (PetscBool)(left->rate == 0.0 || is_fine || is_void ||
                       (IsExcluded(left, right) && IsFlat(left, right)));
}

/** Takes the points between two, as many as are needed, and the second one. */
static PetscErrorCode TakeInterval(Scan *scan, ScanPoint left, ScanPoint right)
{
    ScanPoint middle = {0.0, 0.0, 0.0};
    PetscFunctionBeginUser;
    if (IsSettled(&left, &right)) {
        PetscCall(TakePoint(scan, right));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(Sample(scan, MiddleRate(left.rate, right.rate), &middle));
    PetscCall(TakeInterval(scan, left, middle));
    PetscCall(TakeInterval(scan, middle, right));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Scans from the last point up to a rate, with so many points at least in each factor of ten. */
static PetscErrorCode ScanUpTo(Scan *scan, double from, double to, double density)
{
    PetscFunctionBeginUser;
    const double decades = log10(to) - log10(from);
    const PetscInt points = (PetscInt)ceil(density * decades);
    for (PetscInt i = 1; i <= points; i++) {
        ScanPoint point = {0.0, 0.0, 0.0};
        const double exponent = (double)i / (double)points - 1.0;
        PetscCall(Sample(scan, to * pow(10.0, decades * exponent), &point));
        PetscCall(TakeInterval(scan, scan->last[2], point));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether no root is between two points for certain; `from` and `to` are where one may be. */
static PetscErrorCode Exclude(Scan *scan, ScanPoint left, ScanPoint right)
{
    ScanPoint middle = {0.0, 0.0, 0.0};
    PetscFunctionBeginUser;
    const double rate = MiddleRate(left.rate, right.rate);
    if (IsExcluded(&left, &right)) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (IsBelow(&left) || IsBelow(&right) || left.rate == 0.0 || !isfinite(left.answer) ||
        !isfinite(right.answer) || !(rate > left.rate && rate < right.rate) ||
        scan->evaluations >= MOST_TO_EXCLUDE) {
        scan->from = PetscMin(scan->from, left.rate);
        scan->to = right.rate;
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(Sample(scan, rate, &middle));
    PetscCall(Exclude(scan, left, middle));
    PetscCall(Exclude(scan, middle, right));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What is known of the rates that are no roots; looks closer where none has been found. */
static PetscErrorCode Conclude(const Scan *scan, EngramCouplingSearch *search)
{
    Scan closer = *scan;
    ScanPoint ends[2] = {{0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}};
    PetscFunctionBeginUser;
    if (scan->count == 0 && scan->from < scan->to) {
        closer.from = INFINITY;
        closer.to = 0.0;
        closer.evaluations = 0;
        PetscCall(Sample(&closer, scan->from, &ends[0]));
        PetscCall(Sample(&closer, scan->to, &ends[1]));
        PetscCall(Exclude(&closer, ends[0], ends[1]));
        closer.evaluations += scan->evaluations;
    }
    const PetscBool turns =
        (PetscBool)((scan->rises[0] && scan->falls[0]) || (scan->rises[1] && scan->falls[1]));
    *search = (EngramCouplingSearch){.evaluations = closer.evaluations,
                                     .turns = turns,
                                     .from = PetscMin(closer.from, closer.to),
                                     .to = closer.to};
    search->is_certain = (PetscBool)(scan->count == 0 && !turns && search->to == 0.0);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCouplingScan(const EngramCouplingParameters *parameters,
                                  EngramCouplingFunction function, EngramCouplingRoot *roots,
                                  PetscInt *count, EngramCouplingSearch *search)
{
    Scan scan = {.parameters = parameters, .function = function, .roots = roots, .from = INFINITY};
    ScanPoint first[2] = {{0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}};
    PetscFunctionBeginUser;
    const double fine = SCAN_FINE * PetscMin(1.0, parameters->largest_rate);
    PetscCall(Sample(&scan, 0.0, &first[0]));
    PetscCall(TakePoint(&scan, first[0]));
    if (fine > DBL_MIN) {
        PetscCall(Sample(&scan, DBL_MIN, &first[1]));
        PetscCall(TakePoint(&scan, first[1]));
        PetscCall(ScanUpTo(&scan, DBL_MIN, fine, 1.0));
    }
    PetscCall(
        ScanUpTo(&scan, PetscMax(fine, DBL_MIN), parameters->largest_rate, POINTS_PER_DECADE));
    *count = scan.count;
    if (search) {
        PetscCall(Conclude(&scan, search));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
