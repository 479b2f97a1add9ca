/* Times of the messages of a step. */
#ifndef ENGRAM_TOOLS_BENCHMARK_MESSAGE_TIMES_H
#define ENGRAM_TOOLS_BENCHMARK_MESSAGE_TIMES_H

#include "engram/app/simulation.h"

/**
 * Prints "name minimum median" in nanoseconds a call, one line each: `exchange` of as many bytes as
 * a halo has, by MPI alone; `halo`, which packs its columns first; `allreduce` of 240 bytes by MPI
 * alone; `reduction` of two entries. Collective.
 */
PetscErrorCode MessageTimesPrint(EngramSimulation *simulation);

#endif
