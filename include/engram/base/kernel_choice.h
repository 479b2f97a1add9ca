/**
 * @file kernel_choice.h
 * Which set of kernels a run uses, where the build has several: kernels/kernel_set.h.
 */
#ifndef ENGRAM_BASE_KERNEL_CHOICE_H
#define ENGRAM_BASE_KERNEL_CHOICE_H

#include <petscsys.h>

/**
 * Makes all ranks use the same kernels: the best set that the processors of all of them can run, or
 * a lesser one that the variable ENGRAM_KERNELS of the environment names. A name that some rank
 * cannot use is a mistake of the user. Collective; call before the first kernel.
 */
PetscErrorCode EngramKernelsAgree(MPI_Comm comm);

#endif
