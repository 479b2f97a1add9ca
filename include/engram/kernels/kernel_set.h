/**
 * @file kernel_set.h
 * Which instructions of the processor the kernels use.
 *
 * A build for one processor has one set of kernels. A build for all of a kind (x86-64) has several,
 * made of the same text, and takes the last one that the processor at hand can run. They differ in
 * speed, and in the last bits of their results: all processes of a run must use the same one.
 */
#ifndef ENGRAM_KERNELS_KERNEL_SET_H
#define ENGRAM_KERNELS_KERNEL_SET_H

/** Sets of this build, at least one. A processor that can run a set can run those before it. */
int EngramKernelSets(void);

/** Name of a set: sse2, avx, avx2 (with fused operations), avx512, neon, or plain. */
const char *EngramKernelSetName(int set);

/** The last set that this processor can run. */
int EngramKernelSetBest(void);

/** The set in use: the best one as long as no other has been chosen. */
int EngramKernelSetInUse(void);

/**
 * Chooses a set for all kernels that are called from here on, in this process.
 *
 * @param set  0 .. EngramKernelSetBest()
 */
void EngramKernelSetUse(int set);

#endif
