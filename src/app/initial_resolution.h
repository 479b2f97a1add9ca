/**
 * @file initial_resolution.h
 * Whether the grid sees the initial density: bumps narrower than a cell, or between the nodes.
 */
#ifndef ENGRAM_SRC_APP_INITIAL_RESOLUTION_H
#define ENGRAM_SRC_APP_INITIAL_RESOLUTION_H

#include "engram/app/simulation.h"

/**
 * Compares sums over the grid, along some lines of either axis, with sums over finer points of the
 * expression, and warns where they differ by more than a twentieth, with a count of cells that
 * would do. Of a state that is no initial one it says nothing. Collective.
 */
PetscErrorCode InitialResolutionWarn(const EngramSimulation *simulation);

#endif
