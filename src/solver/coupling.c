#include "engram/solver/coupling.h"

#include <math.h>

#include "coupling_root.h"
#include "engram/base/error.h"

static const EngramOption coupling_options[] = {
    {"coupling", ENGRAM_OPTION_TEXT, "auto", "auto, lagged or implicit",
     "Nbar in the drift: of the beginning of a step (lagged), or of its end (implicit), which "
     "solves a scalar equation; adaptive steps and third order need the second. auto: lagged with "
     "fixed steps of -time_scheme euler, else implicit",
     ENGRAM_BOUND_NONE, 0},
    {"coupling_tolerance", ENGRAM_OPTION_REAL, "0", "dimensionless",
     "relative error allowed in the scalar equation; 0: 3e-3 of -time_tolerance in adaptive steps, "
     "1e-10 in fixed ones",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"coupling_iterations", ENGRAM_OPTION_INTEGER, "100", "evaluations",
     "most evaluations in one solution of the scalar equation", ENGRAM_BOUND_AT_LEAST, 2},
    {"coupling_scan", ENGRAM_OPTION_INTEGER, "0", "steps",
     "steps between two searches for all solutions of the scalar equation; 0: only where a start "
     "needs one",
     ENGRAM_BOUND_AT_LEAST, 0},
};

const EngramOptionTable EngramCouplingOptions = {
    "Coupling", coupling_options, (int)(sizeof(coupling_options) / sizeof(coupling_options[0]))};

static const double DEFAULT_TOLERANCE = 1e-10;

/* Part of the tolerance of a step that the error of its scalar equations may have. */
static const double PART_OF_STEP = 3e-3;

/* A known slope is used without another evaluation where 1 - G' is at least this for certain. */
static const double LEAST_DENOMINATOR = 0.1;

/* A slope within this distance of 1 says nothing about the direction of a crossing. */
static const double SLOPE_MARGIN = 1e-6;

PetscErrorCode EngramCouplingParametersGet(EngramOptions options,
                                           EngramCouplingParameters *parameters)
{
    static const char *const names[] = {[ENGRAM_COUPLING_LAGGED] = "lagged",
                                        [ENGRAM_COUPLING_IMPLICIT] = "implicit",
                                        [ENGRAM_COUPLING_AUTO] = "auto"};
    int choice = 0;
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetChoice(options, "coupling", names, 3, &choice));
    parameters->time = (EngramCouplingTime)choice;
    PetscCall(EngramOptionsGetReal(options, "coupling_tolerance", &parameters->tolerance));
    parameters->scan_tolerance =
        parameters->tolerance > 0.0 ? parameters->tolerance : DEFAULT_TOLERANCE;
    PetscCall(EngramOptionsGetInteger(options, "coupling_iterations", &parameters->iterations));
    PetscCall(EngramOptionsGetInteger(options, "coupling_scan", &parameters->scan_every));
    PetscCall(EngramOptionsGetReal(options, "blowup_rate", &parameters->largest_rate));
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramCouplingConclude(PetscBool is_lagged, double step_tolerance,
                            EngramCouplingParameters *parameters)
{
    if (parameters->time == ENGRAM_COUPLING_AUTO) {
        parameters->time = is_lagged ? ENGRAM_COUPLING_LAGGED : ENGRAM_COUPLING_IMPLICIT;
    }
    if (parameters->tolerance == 0.0) {
        parameters->tolerance =
            step_tolerance > 0.0 ? PART_OF_STEP * step_tolerance : DEFAULT_TOLERANCE;
    }
}

/** A search under way. */
typedef struct Search {
    const EngramCouplingParameters *parameters;
    EngramCouplingFunction function;
    double slope_error;   /* of the slope that the search began with; infinity: not known */
    double rate;          /* of the last evaluation */
    double residual;      /* G(rate) - rate there */
    double moved;         /* distance from the evaluation before it */
    double slope;         /* of G, as far as known */
    double lower;         /* residual >= 0 here */
    double upper;         /* residual < 0 here; infinity: no such rate is known yet */
    double older;         /* size of the residual two evaluations ago */
    double old;           /* size of the residual one evaluation ago */
    PetscBool knows_zero; /* G(0) has been evaluated */
    PetscInt count;       /* evaluations */
    PetscBool is_root;    /* the residual is within the tolerance, or will be after the next step */
} Search;

static PetscErrorCode Evaluate(Search *search, double rate)
{
    double answer = 0.0;
    PetscFunctionBeginUser;
    const double previous_rate = search->rate;
    const double previous_residual = search->residual;
    PetscCall(search->function.evaluate(search->function.context, rate, &answer));
    const double residual = isfinite(answer) ? answer - rate : INFINITY;
    const double scale = PetscMax(rate, fabs(answer));
    if (search->count > 0 && rate != previous_rate && isfinite(residual) &&
        isfinite(previous_residual)) {
        search->slope = 1.0 + (residual - previous_residual) / (rate - previous_rate);
    }
    search->moved = search->count > 0 ? fabs(rate - previous_rate) : 0.0;
    search->older = search->old;
    search->old = search->count > 0 ? fabs(previous_residual) : INFINITY;
    search->rate = rate;
    search->residual = residual;
    search->is_root =
        (PetscBool)(isfinite(residual) && fabs(residual) <= search->parameters->tolerance * scale);
    if (residual < 0.0) {
        search->upper = PetscMin(search->upper, rate);
    } else if (rate < search->upper) {
        search->lower = PetscMax(search->lower, rate);
    }
    search->knows_zero = (PetscBool)(search->knows_zero || rate == 0.0);
    search->count++;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Where to look next: a secant step, kept inside of what is known. */
static double NextRate(const Search *search)
{
    const double denominator = 1.0 - search->slope;
    const double secant = search->rate + search->residual / denominator;
    if (isinf(search->upper)) {
        /* Upwards, at least as far as the answer and not much further than that, but in growing
         * steps: where G is nearly parallel to the diagonal, the answer is always near. */
        const double answer =
            search->rate + PetscMax(search->residual, 2.0 * search->moved - search->residual);
        const double farthest =
            search->rate + PetscMax(8.0 * search->residual, 4.0 * search->moved);
        const PetscBool is_useful = (PetscBool)(denominator > 0.0 && secant > search->lower);
        const double next = is_useful ? PetscMin(secant, farthest) : answer + search->residual;
        return isfinite(next) ? next : 2.0 * PetscMax(search->rate, 1.0);
    }
    const PetscBool is_inside =
        (PetscBool)(secant > search->lower && secant < search->upper && isfinite(secant));
    const PetscBool is_slow = (PetscBool)(fabs(search->residual) > 0.5 * search->older);
    if (secant <= 0.0 && search->lower == 0.0 && !search->knows_zero &&
        search->upper <= 1e-12 * search->parameters->largest_rate) {
        return 0.0;
    }
    return is_inside && !is_slow ? secant : 0.5 * (search->lower + search->upper);
}

/**
 * Whether a step with the slope that the search began with leads to a residual within the
 * tolerance: what is left of the residual is the part by which the slope is wrong.
 */
static PetscBool IsTrusted(const Search *search, double scale)
{
    const double least = 1.0 - search->slope - search->slope_error;
    return (PetscBool)(search->count == 1 && least > LEAST_DENOMINATOR &&
                       fabs(search->residual) * search->slope_error <= scale * least);
}

/**
 * Whether the next secant step leads to a residual within the tolerance: its slope is trusted, or
 * it gains at least as much as the last one did. The rate is then that of the next step, and its
 * evaluation is saved.
 */
static PetscBool IsForeseen(Search *search)
{
    const double next = NextRate(search);
    const double gain = fabs(search->residual) / search->old;
    const double scale = search->parameters->tolerance * PetscMin(search->rate, next);
    const PetscBool is_secant =
        (PetscBool)(next == search->rate + search->residual / (1.0 - search->slope));
    const PetscBool is_gaining =
        (PetscBool)(search->count > 1 && gain < 0.1 && search->moved < 0.01 * search->rate &&
                    fabs(search->residual) * gain <= scale);
    if (is_secant && (is_gaining || IsTrusted(search, scale))) {
        search->rate = next;
        return PETSC_TRUE;
    }
    return PETSC_FALSE;
}

/** Goes on from the last evaluation until a root is found or none can be. */
static PetscErrorCode Converge(Search *search)
{
    const EngramCouplingParameters *parameters = search->parameters;
    PetscFunctionBeginUser;
    while (!search->is_root && search->count < parameters->iterations) {
        if (IsForeseen(search)) {
            search->is_root = PETSC_TRUE;
            break;
        }
        const double next = NextRate(search);
        const PetscBool is_beyond =
            (PetscBool)(isinf(search->upper) && search->lower >= parameters->largest_rate);
        const PetscBool is_stuck =
            (PetscBool)((next == search->lower && (next > 0.0 || search->knows_zero)) ||
                        next == search->upper);
        if (is_beyond || is_stuck) {
            /* The ends of the bracket are neighbours among the doubles: as good as it gets. */
            search->is_root = (PetscBool)(is_stuck && !is_beyond && isfinite(search->residual) &&
                                          CouplingIsRoot(search->rate, search->residual));
            break;
        }
        PetscCall(Evaluate(search, PetscMin(next, isinf(search->upper) ? parameters->largest_rate
                                                                       : search->upper)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static Search StartSearch(const EngramCouplingParameters *parameters,
                          EngramCouplingFunction function, double slope, double slope_error)
{
    const Search search = {.parameters = parameters,
                           .function = function,
                           .slope = slope,
                           .slope_error = slope_error,
                           .lower = 0.0,
                           .upper = INFINITY,
                           .old = INFINITY,
                           .older = INFINITY};
    return search;
}

static void StoreResult(const Search *search, EngramCouplingResult *result)
{
    const PetscBool has_slope = (PetscBool)(search->count > 1 || isfinite(search->slope_error));
    result->root = (EngramCouplingRoot){search->rate, has_slope ? search->slope : 0.0};
    result->is_found = search->is_root;
    result->is_open = (PetscBool)(!search->is_root && isinf(search->upper));
    result->iterations = search->count;
    result->solutions = search->is_root ? 1 : 0;
}

PetscErrorCode EngramCouplingSolve(const EngramCouplingParameters *parameters,
                                   EngramCouplingFunction function, double start, double slope,
                                   double slope_error, EngramCouplingResult *result)
{
    Search search = StartSearch(parameters, function, slope, slope_error);
    PetscFunctionBeginUser;
    PetscCall(Evaluate(&search, PetscMin(PetscMax(start, 0.0), parameters->largest_rate)));
    PetscCall(Converge(&search));
    StoreResult(&search, result);
    if (search.is_root && search.rate > 0.0 &&
        ((search.count == 1 && !(slope + slope_error < 1.0)) ||
         search.slope > 1.0 + SLOPE_MARGIN)) {
        /* G - x rises through this root, so it is negative just below, and there is a root below
         * that. The last steps are too short for the slope to be precise, but not for its side. */
        Search below = StartSearch(parameters, function, search.slope, INFINITY);
        PetscCall(
            Evaluate(&below, search.rate * (1.0 - PetscMax(1e-4, 10.0 * parameters->tolerance))));
        if (search.count == 1) {
            result->root.slope =
                1.0 + (search.residual - below.residual) / (search.rate - below.rate);
        }
        if (below.residual < 0.0) {
            PetscCall(Converge(&below));
            if (below.is_root) {
                StoreResult(&below, result);
                result->solutions = 2;
            }
        }
        result->iterations = search.count + below.count;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
