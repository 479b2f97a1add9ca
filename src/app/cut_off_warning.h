/**
 * @file cut_off_warning.h
 * Warnings of axes that are too short: what is cut off at v_min and at the ends of w, and how far
 * the axes should reach.
 */
#ifndef ENGRAM_SRC_APP_CUT_OFF_WARNING_H
#define ENGRAM_SRC_APP_CUT_OFF_WARNING_H

#include "engram/app/simulation.h"
#include "engram/observe/observer.h"

/** What is known of a run, and what of it has been told. */
typedef struct CutOff {
    EngramCutOff largest;
    double told[ENGRAM_CUT_OFF_COUNT];      /* shares */
    double initial_w[ENGRAM_CUT_OFF_COUNT]; /* end of w at which the initial density ends; NaN */
} CutOff;

/** Begins with nothing. Not collective. */
void CutOffStart(CutOff *cut_off);

/** Lets a snapshot say what drift there is at v_min, the same all the time. Not collective. */
void CutOffDescribe(const EngramSimulation *simulation, EngramSnapshot *snapshot);

/** Adds the present state of a simulation without a run. Collective. */
PetscErrorCode CutOffLook(const EngramSimulation *simulation, CutOff *cut_off);

/**
 * Warns of each end that cuts off more than a thousandth of all neurons, and of more than twice of
 * what has been told; with an axis that is long enough for the present state. Collective.
 *
 * @param when  for the message, as in "at t = 0", or ""
 */
PetscErrorCode CutOffWarn(const EngramSimulation *simulation, const char *when, CutOff *cut_off);

/**
 * Warns of the first state, which has been looked at. At t = 0 the initial density beyond the ends
 * of w counts as well; of steady states of frozen weights only that. Collective.
 */
PetscErrorCode CutOffWarnOfFirst(const EngramSimulation *simulation, CutOff *cut_off);

#endif
