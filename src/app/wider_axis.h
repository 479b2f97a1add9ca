/**
 * @file wider_axis.h
 * How far the axes would have to reach where they cut something off.
 */
#ifndef ENGRAM_SRC_APP_WIDER_AXIS_H
#define ENGRAM_SRC_APP_WIDER_AXIS_H

#include "engram/app/simulation.h"
#include "engram/observe/observer.h"

/**
 * Part of the initial density beyond an end of the axis of w, where its expression falls to
 * nothing there. Nothing is cut off at w = 0, which weights of one sign do not cross, nor from a
 * density that does not fall: its axis is meant to end there. Collective.
 *
 * @param end     ENGRAM_CUT_OFF_W_MIN or ENGRAM_CUT_OFF_W_MAX
 * @param weight_density  [w_local] H of the initial state
 * @param share   of all of the density
 * @param needed  weight up to which it is not negligible; NaN where nothing is cut off
 */
PetscErrorCode WiderAxisOfInitial(const EngramSimulation *simulation, int end,
                                  const double *weight_density, double *share, double *needed);

/**
 * Writes options by which v_min is low enough for the drift and noise that a run has seen, cells of
 * the same width, or why there are none. Not collective.
 */
void WiderAxisOfPotential(const EngramSimulation *simulation, const EngramCutOff *seen, char *text,
                          size_t size);

/**
 * Writes options by which an end of w is likely to hold nothing back, with cells of about the same
 * width. Collective.
 *
 * @param share    of all neurons that are held back at present
 * @param initial  weight up to which the initial density reaches, or NaN
 */
PetscErrorCode WiderAxisOfWeights(const EngramSimulation *simulation, int end, double share,
                                  double initial, char *text, size_t size);

#endif
