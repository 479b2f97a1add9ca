/**
 * @file stepper.h
 * One step of the whole equation: transport in w, then the implicit reacting part in v.
 *
 * From p at t_n to p at t_{n+1} = t_n + dt:
 *   1. transport with Phi = K N Nbar, explicit and upwind, in as many equal sub-steps as the CFL
 *      condition (2 max|Phi| + max|w|) dt/dw <= 1 asks for; N and Nbar are renewed after each but
 *      the last. The factor 2 is what makes the step monotone in the limit eps -> 0, where Phi
 *      grows with the density; positivity alone would need 1. Skipped for frozen weights;
 *   2. drift mu = I(w, t_{n+1}) + w sigma(Nbar(t_n)), one implicit step of length dt/eps;
 *   3. N(w), Nbar and the total mass from the new density: one Allreduce, exact and so the same on
 *      any rank count. What round-off has added to the mass is taken out by the next elimination.
 *
 * First order in dt. Source: He, Hu, Zhou (arXiv 2109.04667), section 3, with the flux of
 * transport.h in w.
 */
#ifndef ENGRAM_TIME_STEPPER_H
#define ENGRAM_TIME_STEPPER_H

#include <petscsys.h>

#include "engram/base/options.h"
#include "engram/grid/density.h"
#include "engram/grid/grid.h"
#include "engram/model/model.h"
#include "engram/solver/slice_solver.h"

/** What a run in time is made from; times on the slow (learning) scale. */
typedef struct EngramTimeParameters {
    double end;
    double step;
    PetscInt64 steps;   /**< steps of length `step`, the last one shortened to hit the end */
    double blowup_rate; /**< a total rate beyond this one is a blow-up, which ends the run */
} EngramTimeParameters;

/** The options of the time axis, for registration. */
extern const EngramOptionTable EngramTimeOptions;

/** Reads the time parameters. @return ENGRAM_ERR_INPUT when the count of steps is absurd. */
PetscErrorCode EngramTimeParametersGet(EngramOptions options, EngramTimeParameters *parameters);

/** Time at the end of step n, 0 <= n <= steps. Not collective. */
double EngramTimeAt(const EngramTimeParameters *parameters, PetscInt64 step);

/** The state of a run after a step. Pointers are borrowed and valid until the next step. */
typedef struct EngramState {
    double time;
    double total_rate;                 /**< Nbar */
    double largest_learning;           /**< max over w of |K N| */
    double mass_excess;                /**< integral of p minus one, where that is round-off */
    PetscInt64 substeps;               /**< transport sub-steps of the last step */
    PetscBool is_finite;               /**< false: the state must not be continued */
    const char *failure;               /**< why not */
    PetscBool is_untouched;            /**< the failed step has left density and results alone */
    const EngramDensity *density;      /**< p of this rank */
    const EngramSliceResults *results; /**< N, H, minimum of this rank's slices */
} EngramState;

/** A stepper. */
typedef struct EngramStepper *EngramStepper;

/**
 * Creates a stepper. Grid, model and solver are borrowed and must outlive it. Collective.
 * @return ENGRAM_ERR_INPUT when K(w) is not finite somewhere
 */
PetscErrorCode EngramStepperCreate(const EngramGrid *grid, const EngramModel *model,
                                   EngramSliceSolver solver, EngramStepper *stepper);

/**
 * Sets the state to the initial density, scaled to unit mass, at t = 0. Collective.
 * @return ENGRAM_ERR_INPUT when the initial density is negative, not finite or zero everywhere
 */
PetscErrorCode EngramStepperStart(EngramStepper stepper);

/**
 * Advances the state to a later time. Collective. A state that is not finite any more, or whose
 * rate has run away beyond any meaning, is no error: it shows in EngramState.is_finite.
 */
PetscErrorCode EngramStepperAdvance(EngramStepper stepper, double time);

/** The present state. Not collective. */
const EngramState *EngramStepperState(EngramStepper stepper);

/** Largest step that needs no transport sub-steps; infinity for frozen weights. Not collective. */
double EngramStepperTransportLimit(EngramStepper stepper);

/** Frees the stepper; accepts NULL, and one already destroyed. Collective. */
PetscErrorCode EngramStepperDestroy(EngramStepper *stepper);

#endif
