/**
 * @file time_parameters.h
 * What a run in time is made from: its end and steps, the scheme in time, the transport in w.
 */
#ifndef ENGRAM_TIME_TIME_PARAMETERS_H
#define ENGRAM_TIME_TIME_PARAMETERS_H

#include <float.h>

#include <petscsys.h>

#include "engram/base/options.h"

/** How a step is put together; the value is its order. */
typedef enum EngramTimeScheme {
    ENGRAM_TIME_EULER = 1,    /**< one step: the scheme of He, Hu and Zhou */
    ENGRAM_TIME_SECOND_ORDER, /**< extrapolation of one and two sub-steps */
    ENGRAM_TIME_THIRD_ORDER,  /**< extrapolation of one, two and three sub-steps */
} EngramTimeScheme;

/** How fixed steps begin after t = 0 and after a jump. */
typedef enum EngramTimeStart {
    ENGRAM_START_GRADED, /**< with parts that grow algebraically from a very short one */
    ENGRAM_START_PLAIN,  /**< with whole steps, wherever a jump lies */
} EngramTimeStart;

/** How the density is transported in w. */
typedef enum EngramTransportTime {
    ENGRAM_TRANSPORT_EXPLICIT, /**< divided into sub-steps as the CFL condition asks for */
    ENGRAM_TRANSPORT_IMPLICIT, /**< one solve, for steps of any length */
} EngramTransportTime;

/** The transport in w. */
typedef struct EngramTransportParameters {
    EngramTransportTime time;
    PetscInt order; /**< 1, 2 or 5; 0: not yet chosen */
} EngramTransportParameters;

/** What a run in time is made from; times on the slow (learning) scale. */
typedef struct EngramTimeParameters {
    double end;
    double step;        /**< fixed length; of adaptive runs the longest first step, 0: no bound */
    PetscInt64 steps;   /**< fixed steps, the last one shortened to hit the end; adaptive: 0 */
    double origin_time; /**< time at the end of step `origin_step`, from which steps count */
    PetscInt64 origin_step;
    double blowup_rate; /**< a total rate beyond this one is a blow-up, which ends the run */
    EngramTimeScheme scheme;
    EngramTimeStart start;
    PetscBool is_adaptive;
    double tolerance; /**< of adaptive steps: a third of the error allowed at any time */
    double step_min;  /**< shortest adaptive step; 0: from eps, grid and noise */
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
 * Chooses the order of the transport where the case leaves it open, and records it. Not collective.
 *
 * @param w_cells  cells of w of all ranks
 * @return ENGRAM_ERR_INPUT when the axis is too short for the order asked for
 */
PetscErrorCode EngramTransportConclude(EngramOptions options, PetscInt w_cells,
                                       EngramTimeParameters *parameters);

/**
 * Lets the steps count from a time and a step that a run has reached, as after a change of their
 * length. Not collective.
 * @return ENGRAM_ERR_INPUT for an absurd count of steps
 */
PetscErrorCode EngramTimeSetOrigin(EngramTimeParameters *parameters, double time, PetscInt64 step);

/** Time at the end of step n, 0 <= n <= steps, of fixed steps. Not collective. */
double EngramTimeAt(const EngramTimeParameters *parameters, PetscInt64 step);

/** Name of a scheme as the option has it. */
const char *EngramTimeSchemeName(EngramTimeScheme scheme);

/** Relative distance of two times that are not told apart, and of the ends of a shortest step. */
#define ENGRAM_TIME_RESOLUTION (64.0 * DBL_EPSILON)
#define ENGRAM_TIME_SHORTEST_STEP (8.0 * ENGRAM_TIME_RESOLUTION)

#endif
