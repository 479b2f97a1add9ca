/**
 * @file time_parameters.h
 * What a run in time is made from: its end and steps, the scheme in time, the transport in w.
 */
#ifndef ENGRAM_TIME_TIME_PARAMETERS_H
#define ENGRAM_TIME_TIME_PARAMETERS_H

#include <petscsys.h>

#include "engram/base/options.h"

/** How a step is put together. */
typedef enum EngramTimeScheme {
    ENGRAM_TIME_EULER,        /**< one step: first order */
    ENGRAM_TIME_EXTRAPOLATED, /**< twice two half steps less one whole step: second order */
} EngramTimeScheme;

/** How the density is transported in w. */
typedef enum EngramTransportTime {
    ENGRAM_TRANSPORT_EXPLICIT, /**< divided into sub-steps as the CFL condition asks for */
    ENGRAM_TRANSPORT_IMPLICIT, /**< one solve, for steps of any length */
} EngramTransportTime;

/** The transport in w. */
typedef struct EngramTransportParameters {
    EngramTransportTime time;
    PetscInt order; /**< 1, or 2 with limited linear reconstruction */
} EngramTransportParameters;

/** What a run in time is made from; times on the slow (learning) scale. */
typedef struct EngramTimeParameters {
    double end;
    double step;        /**< of adaptive runs the first one */
    PetscInt64 steps;   /**< steps of length `step`, the last one shortened to hit the end */
    double origin_time; /**< time at the end of step `origin_step`, from which steps count */
    PetscInt64 origin_step;
    double blowup_rate; /**< a total rate beyond this one is a blow-up, which ends the run */
    EngramTimeScheme scheme;
    PetscBool is_adaptive;
    double tolerance; /**< error allowed in one adaptive step */
    double step_min;  /**< an adaptive step that would have to be shorter is a blow-up */
    double step_max;
    EngramTransportParameters transport;
} EngramTimeParameters;

/** The options of the time axis and of the transport, for registration. */
extern const EngramOptionTable EngramTimeOptions;
extern const EngramOptionTable EngramTransportOptions;

/**
 * Reads the time parameters. Not collective.
 * @return ENGRAM_ERR_INPUT for an unknown name, bounds of the step in the wrong order, or an absurd
 *         count of steps
 */
PetscErrorCode EngramTimeParametersGet(EngramOptions options, EngramTimeParameters *parameters);

/**
 * Lets the steps count from a time and a step that a run has reached, as after a change of their
 * length. Not collective.
 * @return ENGRAM_ERR_INPUT for an absurd count of steps
 */
PetscErrorCode EngramTimeSetOrigin(EngramTimeParameters *parameters, double time, PetscInt64 step);

/** Time at the end of step n, 0 <= n <= steps, of steps that are not adaptive. Not collective. */
double EngramTimeAt(const EngramTimeParameters *parameters, PetscInt64 step);

#endif
