/**
 * The kernels of a build for several processors: each calls that of the set in use. A build for one
 * processor leaves this file out.
 */
#include "kernel_list.h"

void EngramFaceWeights(const EngramFaceTable *table, int face, ptrdiff_t slices,
                       const double *drift, double *up, double *down)
{
    KernelsInUse()->EngramFaceWeights(table, face, slices, drift, up, down);
}

size_t EngramSliceWorkSize(const EngramFaceTable *table)
{
    return KernelsInUse()->EngramSliceWorkSize(table);
}

void EngramSliceStepTake(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                         const EngramSliceStep *step, const double *from, double *to, double *work,
                         const EngramSliceResults *results)
{
    KernelsInUse()->EngramSliceStepTake(table, slices, stride, step, from, to, work, results);
}

void EngramSliceStepTry(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const EngramSliceStep *step, const double *from, double *work,
                        const EngramSliceResults *results)
{
    KernelsInUse()->EngramSliceStepTry(table, slices, stride, step, from, work, results);
}

void EngramSliceQuasiStatic(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            const double *drift, const double *weight_density, double *density,
                            double *work, const EngramSliceResults *results)
{
    KernelsInUse()->EngramSliceQuasiStatic(table, slices, stride, drift, weight_density, density,
                                           work, results);
}

void EngramSliceThresholdRates(const EngramFaceTable *table, ptrdiff_t slices, const double *drift,
                               double *threshold_rate)
{
    KernelsInUse()->EngramSliceThresholdRates(table, slices, drift, threshold_rate);
}

void EngramSliceMeasure(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                        const double *density, const EngramSliceResults *results)
{
    KernelsInUse()->EngramSliceMeasure(table, slices, stride, density, results);
}

void EngramSliceFollowNoise(const EngramFaceTable *table, ptrdiff_t slices, ptrdiff_t stride,
                            double last_kappa, double *density)
{
    KernelsInUse()->EngramSliceFollowNoise(table, slices, stride, last_kappa, density);
}

double EngramExtrapolatedValue(const EngramCombination *combination, double earlier, double middle,
                               double last)
{
    return KernelsInUse()->EngramExtrapolatedValue(combination, earlier, middle, last);
}

double EngramExtrapolatedError(const EngramCombination *combination, double earlier, double middle,
                               double last)
{
    return KernelsInUse()->EngramExtrapolatedError(combination, earlier, middle, last);
}

void EngramExtrapolationShortfall(ptrdiff_t slices, const EngramCombination *combination,
                                  const EngramStepResult *results, double *shortfall)
{
    KernelsInUse()->EngramExtrapolationShortfall(slices, combination, results, shortfall);
}

void EngramExtrapolate(int rows, int nodes, ptrdiff_t slices, ptrdiff_t stride, double spacing,
                       double factor, const EngramCombination *combination,
                       const EngramStepResult *results, double *values,
                       const EngramExtrapolated *extrapolated)
{
    KernelsInUse()->EngramExtrapolate(rows, nodes, slices, stride, spacing, factor, combination,
                                      results, values, extrapolated);
}

void EngramTransportFractionsCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                     const double *left_face_w,
                                     const EngramTransportFractions *fractions)
{
    KernelsInUse()->EngramTransportFractionsCompute(cells, step_ratio, phi, left_face_w, fractions);
}

void EngramTransportApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                          const EngramTransportFractions *fractions, const double *left_ghost,
                          const double *right_ghost, const double *density, double *moved)
{
    KernelsInUse()->EngramTransportApply(rows, cells, stride, fractions, left_ghost, right_ghost,
                                         density, moved);
}

void EngramTransportCourantCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                   const double *left_face_w, const EngramTransportCourant *courant)
{
    KernelsInUse()->EngramTransportCourantCompute(cells, step_ratio, phi, left_face_w, courant);
}

void EngramTransportLimitedApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                                 const EngramTransportCourant *courant, const double *left_ghost,
                                 const double *right_ghost, const double *density, double *moved)
{
    KernelsInUse()->EngramTransportLimitedApply(rows, cells, stride, courant, left_ghost,
                                                right_ghost, density, moved);
}

void EngramTransportFifthCompute(ptrdiff_t cells, double step_ratio, const double *phi,
                                 const double *weight, const EngramTransportFifth *fifth)
{
    KernelsInUse()->EngramTransportFifthCompute(cells, step_ratio, phi, weight, fifth);
}

void EngramTransportFifthApply(ptrdiff_t rows, ptrdiff_t cells, ptrdiff_t stride,
                               const EngramTransportFifth *fifth, const double *left_ghost,
                               const double *right_ghost, const double *density, double *moved)
{
    KernelsInUse()->EngramTransportFifthApply(rows, cells, stride, fifth, left_ghost, right_ghost,
                                              density, moved);
}

void EngramTransportFactorise(ptrdiff_t cells, double step_ratio, const double *phi,
                              const double *face_w, const EngramTransportFactors *factors)
{
    KernelsInUse()->EngramTransportFactorise(cells, step_ratio, phi, face_w, factors);
}

void EngramTransportSolve(ptrdiff_t cells, ptrdiff_t rows, ptrdiff_t stride,
                          const EngramTransportFactors *factors, double *content)
{
    KernelsInUse()->EngramTransportSolve(cells, rows, stride, factors, content);
}

void EngramTransportSharpen(ptrdiff_t cells, ptrdiff_t rows, ptrdiff_t stride, double step_ratio,
                            const double *phi, const double *face_w, double *content)
{
    KernelsInUse()->EngramTransportSharpen(cells, rows, stride, step_ratio, phi, face_w, content);
}
