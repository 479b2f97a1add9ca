/**
 * @file kernel_list.h
 * The kernels that a build for several processors has once for each set of instructions: those of
 * kernel_names.h.
 */
#ifndef ENGRAM_SRC_KERNELS_KERNEL_LIST_H
#define ENGRAM_SRC_KERNELS_KERNEL_LIST_H

#include "engram/kernels/extrapolate.h"
#include "engram/kernels/face_table.h"
#include "engram/kernels/slice_step.h"
#include "engram/kernels/transport.h"
#include "engram/kernels/transport_fifth.h"
#include "engram/kernels/transport_implicit.h"
#include "engram/kernels/transport_limited.h"

/** Does something with the name of every kernel, and one word more. */
#define ENGRAM_ALL_KERNELS(DO, word)                                                               \
    DO(EngramFaceWeights, word)                                                                    \
    DO(EngramSliceWorkSize, word)                                                                  \
    DO(EngramSliceStepTake, word)                                                                  \
    DO(EngramSliceStepTry, word)                                                                   \
    DO(EngramSliceQuasiStatic, word)                                                               \
    DO(EngramSliceThresholdRates, word)                                                            \
    DO(EngramSliceMeasure, word)                                                                   \
    DO(EngramSliceFollowNoise, word)                                                               \
    DO(EngramExtrapolatedValue, word)                                                              \
    DO(EngramExtrapolatedError, word)                                                              \
    DO(EngramExtrapolationShortfall, word)                                                         \
    DO(EngramExtrapolate, word)                                                                    \
    DO(EngramTransportFractionsCompute, word)                                                      \
    DO(EngramTransportApply, word)                                                                 \
    DO(EngramTransportCourantCompute, word)                                                        \
    DO(EngramTransportLimitedApply, word)                                                          \
    DO(EngramTransportFifthCompute, word)                                                          \
    DO(EngramTransportFifthApply, word)                                                            \
    DO(EngramTransportFactorise, word)                                                             \
    DO(EngramTransportSolve, word)                                                                 \
    DO(EngramTransportSharpen, word)

#define ENGRAM_KERNEL_MEMBER(kernel, unused) __typeof__(kernel) *kernel;
#define ENGRAM_KERNEL_DECLARE(kernel, set) extern __typeof__(kernel) kernel##_##set;
#define ENGRAM_KERNEL_ENTRY(kernel, set) .kernel = kernel##_##set,

/** All kernels of one set. */
typedef struct KernelSet {
    const char *name;
    ENGRAM_ALL_KERNELS(ENGRAM_KERNEL_MEMBER, unused)
} KernelSet;

/** Declares the kernels of a set. */
#define ENGRAM_DECLARE_KERNELS(set) ENGRAM_ALL_KERNELS(ENGRAM_KERNEL_DECLARE, set)

/** Initialiser of a KernelSet. */
#define ENGRAM_KERNEL_TABLE(set)                                                                   \
    {                                                                                              \
        .name = #set, ENGRAM_ALL_KERNELS(ENGRAM_KERNEL_ENTRY, set)                                 \
    }

/** Those in use. */
const KernelSet *KernelsInUse(void);

#endif
