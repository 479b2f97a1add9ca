/**
 * @file denormals.h
 * Numbers below the smallest normal double, which most processors handle slowly.
 */
#ifndef ENGRAM_KERNELS_DENORMALS_H
#define ENGRAM_KERNELS_DENORMALS_H

/**
 * Makes this thread treat denormal numbers as zero, where the processor offers it. A density that
 * underflows this way stays non-negative, and the mass lost is below 1e-307 per cell, far under
 * the round-off of any sum it belongs to; a step over a density with wide tails is much faster.
 */
void EngramDenormalsFlush(void);

#endif
