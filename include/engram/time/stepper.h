/**
 * @file stepper.h
 * Steps of the whole equation: transport in w, then the implicit reacting part in v.
 *
 * From p at t_n to p at t_{n+1} = t_n + dt:
 *   1. transport with Phi = K N Nbar; skipped for frozen weights. Explicit: upwind, or of second
 *      order with a limiter, in as many equal sub-steps as the CFL condition asks for, N and Nbar
 *      being renewed after each but the last. Implicit: one solve;
 *   2. drift mu = I(w, t_{n+1}) + w sigma(A) and noise a(A) with the activity A: Nbar(t_n), or
 *      Nbar(t_{n+1}) from a scalar equation, or Nbar(t_{n+1} - eps d) where there is a delay; one
 *      implicit step of length dt/eps. For eps = 0 only H is transported, and p = H Q(v; mu);
 *   3. N(w), Nbar and the total mass from the new density: one Allreduce, exact and so the same on
 *      any rank count. What round-off has added to the mass is taken out by the next elimination.
 *
 * That is a step of first order in dt. Steps of second and third order combine one, two and three
 * such sub-steps (extrapolate.h): three and six slice solves. Their differences estimate the error,
 * from which adaptive steps choose their length. Steps end where the input jumps, and begin again
 * with short ones. For eps = 0 a step of order p costs one elimination for each of its sub-steps
 * but the last of each result, and one; an implicit coupling adds one elimination without storing
 * for each of its iterations.
 *
 * Source: He, Hu, Zhou (arXiv 2109.04667), section 3, with the flux of transport.h in w.
 */
#ifndef ENGRAM_TIME_STEPPER_H
#define ENGRAM_TIME_STEPPER_H

#include <petscsys.h>

#include "engram/base/options.h"
#include "engram/grid/density.h"
#include "engram/grid/grid.h"
#include "engram/grid/state_part.h"
#include "engram/model/model.h"
#include "engram/solver/coupling.h"
#include "engram/solver/slice_solver.h"
#include "engram/time/state.h"
#include "engram/time/steady_states.h"
#include "engram/time/time_parameters.h"

/** A stepper. */
typedef struct EngramStepper *EngramStepper;

/**
 * Creates a stepper. Grid, model and solver are borrowed and must outlive it. Collective.
 * @return ENGRAM_ERR_INPUT when K(w) is not finite somewhere, or for settings that do not go
 *         together
 */
PetscErrorCode EngramStepperCreate(const EngramGrid *grid, const EngramModel *model,
                                   EngramSliceSolver solver, const EngramTimeParameters *time,
                                   const EngramCouplingParameters *coupling,
                                   EngramStepper *stepper);

/**
 * Sets the state to the initial density, scaled to unit mass, at t = 0, or to the quasi-static
 * state of its weights. Collective.
 * @return ENGRAM_ERR_INPUT when the initial density is negative, not finite or zero everywhere, or
 *         there is no quasi-static state
 */
PetscErrorCode EngramStepperStart(EngramStepper stepper);

/**
 * Takes one step: to a later time, or not beyond it where steps are adaptive. Collective. A state
 * that is not finite any more, or whose rate has run away beyond any meaning, is no error: it shows
 * in EngramState.is_finite.
 */
PetscErrorCode EngramStepperAdvance(EngramStepper stepper, double time);

/** The present state. Not collective. */
const EngramState *EngramStepperState(EngramStepper stepper);

/**
 * All total rates for which the present distribution of weights has a quasi-static state, in
 * ascending order, with the slope of the scalar equation: below 1 no change of the rate feeds
 * itself, though an oscillation may. Collective.
 *
 * @param is_thorough  if none is found, find out whether that is certain
 */
PetscErrorCode EngramStepperFindSteady(EngramStepper stepper, PetscBool is_thorough,
                                       EngramSteadyStates *states);

/** Puts all slices into their quasi-static state for a total rate. Collective. */
PetscErrorCode EngramStepperTakeSteady(EngramStepper stepper, double rate);

/**
 * Whether a stepper could go on with the present phase of the model. Collective.
 * @return ENGRAM_ERR_INPUT for settings that do not go together
 */
PetscErrorCode EngramStepperCheckModel(EngramStepper stepper);

/**
 * Makes the stepper fit the present phase of its model (EngramModelEnter), before a state is
 * restored or a phase begun. Collective.
 *
 * @param end  time at which the phase ends
 */
PetscErrorCode EngramStepperFollowModel(EngramStepper stepper, double end);

/**
 * Begins a phase with the present state; after EngramStepperFollowModel. In a limit model, eps = 0,
 * all slices go to their quasi-static state for the present total rate. Collective.
 *
 * @param resets  the potentials are distributed as in the initial density, independently of the
 *                weights: p = H(w) q(v), q the integral of the initial density over w; H is kept.
 *                Refractory neurons are put back among the others. Of no effect where eps = 0
 */
PetscErrorCode EngramStepperBeginPhase(EngramStepper stepper, PetscBool resets);

/** Changes the factor of the input for the steps to come: a jump. Not collective. */
PetscErrorCode EngramStepperChangeInputFactor(EngramStepper stepper, double factor);

/** Factor of the input with its last change: before a start, or for a restart. Not collective. */
EngramInputFactor EngramStepperInputFactor(EngramStepper stepper);
void EngramStepperSetInputFactor(EngramStepper stepper, EngramInputFactor factor);

/** Phi of this rank's cells, [w_local]; zeros where weights are frozen. Not collective. */
void EngramStepperLearningVelocity(EngramStepper stepper, double *velocity);

/** Names of the parts of a state whose lengths are not known beforehand. */
#define ENGRAM_STEPPER_HISTORY "rate_history"
#define ENGRAM_STEPPER_JUMPS "jumps"

/**
 * Everything that the steps to come depend on, as parts. The arrays belong to the stepper and are
 * valid until the next step. Not collective.
 */
PetscErrorCode EngramStepperSave(EngramStepper stepper, EngramStateParts *parts);

/**
 * Gives out the parts that EngramStepperSave had, to be filled in, instead of EngramStepperStart.
 * Not collective.
 *
 * @param history  count of the part ENGRAM_STEPPER_HISTORY
 * @param jumps    count of the part ENGRAM_STEPPER_JUMPS
 */
PetscErrorCode EngramStepperRestoreBegin(EngramStepper stepper, PetscInt history, PetscInt jumps,
                                         EngramStateParts *parts);

/** Takes the parts over once they are filled in. Not collective. */
PetscErrorCode EngramStepperRestoreEnd(EngramStepper stepper);

/** Bytes that the densities of a stepper take on this rank. Not collective. */
double EngramStepperMemory(EngramStepper stepper);

/** Length of the first step after the present time, where it is chosen by the program; else 0. */
double EngramStepperFirstStep(EngramStepper stepper);

/**
 * Fewest adaptive steps to the end of the phase, from the growth of steps after the jumps that are
 * known; output takes more. Not collective.
 */
double EngramStepperFewestSteps(EngramStepper stepper);

/** Largest step that needs no transport sub-steps; infinity for frozen weights. Not collective. */
double EngramStepperTransportLimit(EngramStepper stepper);

/** Frees the stepper; accepts NULL, and one already destroyed. Collective. */
PetscErrorCode EngramStepperDestroy(EngramStepper *stepper);

#endif
