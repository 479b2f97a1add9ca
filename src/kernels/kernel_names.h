/**
 * @file kernel_names.h
 * Names of the kernels of one set among several. The build includes it before everything else where
 * it compiles a kernel once more, and defines ENGRAM_KERNEL_SET, the end of the names: with avx2,
 * EngramSliceStepTake is EngramSliceStepTake_avx2 there.
 */
#ifndef ENGRAM_SRC_KERNELS_KERNEL_NAMES_H
#define ENGRAM_SRC_KERNELS_KERNEL_NAMES_H

#define ENGRAM_JOINED(name, set) name##_##set
#define ENGRAM_OF_SET(name, set) ENGRAM_JOINED(name, set)
#define ENGRAM_KERNEL(name) ENGRAM_OF_SET(name, ENGRAM_KERNEL_SET)

#define EngramFaceWeights ENGRAM_KERNEL(EngramFaceWeights)
#define EngramSliceWorkSize ENGRAM_KERNEL(EngramSliceWorkSize)
#define EngramSliceStepTake ENGRAM_KERNEL(EngramSliceStepTake)
#define EngramSliceStepTry ENGRAM_KERNEL(EngramSliceStepTry)
#define EngramSliceQuasiStatic ENGRAM_KERNEL(EngramSliceQuasiStatic)
#define EngramSliceThresholdRates ENGRAM_KERNEL(EngramSliceThresholdRates)
#define EngramSliceMeasure ENGRAM_KERNEL(EngramSliceMeasure)
#define EngramSliceFollowNoise ENGRAM_KERNEL(EngramSliceFollowNoise)
#define EngramExtrapolatedValue ENGRAM_KERNEL(EngramExtrapolatedValue)
#define EngramExtrapolatedError ENGRAM_KERNEL(EngramExtrapolatedError)
#define EngramExtrapolationShortfall ENGRAM_KERNEL(EngramExtrapolationShortfall)
#define EngramExtrapolate ENGRAM_KERNEL(EngramExtrapolate)
#define EngramTransportFractionsCompute ENGRAM_KERNEL(EngramTransportFractionsCompute)
#define EngramTransportApply ENGRAM_KERNEL(EngramTransportApply)
#define EngramTransportCourantCompute ENGRAM_KERNEL(EngramTransportCourantCompute)
#define EngramTransportLimitedApply ENGRAM_KERNEL(EngramTransportLimitedApply)
#define EngramTransportFifthCompute ENGRAM_KERNEL(EngramTransportFifthCompute)
#define EngramTransportFifthApply ENGRAM_KERNEL(EngramTransportFifthApply)
#define EngramTransportFactorise ENGRAM_KERNEL(EngramTransportFactorise)
#define EngramTransportSolve ENGRAM_KERNEL(EngramTransportSolve)
#define EngramTransportSharpen ENGRAM_KERNEL(EngramTransportSharpen)

#endif
