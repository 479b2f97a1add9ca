/**
 * @file sweep.h
 * Steady states over a range of one option, or of several that are varied alike.
 */
#ifndef ENGRAM_SRC_APP_SWEEP_H
#define ENGRAM_SRC_APP_SWEEP_H

#include "cut_off_warning.h"
#include "engram/base/options.h"
#include "engram/observe/observer.h"

enum { SWEEP_MAXIMUM_NAMES = 8 };

/** What is varied, and how far. */
typedef struct Sweep {
    char text[ENGRAM_OPTION_LENGTH];
    char *names[SWEEP_MAXIMUM_NAMES]; /* point into the text */
    int name_count;
    double from;
    double to;
    PetscInt count; /* values, both ends included */
} Sweep;

/**
 * Reads OPTION:from:to:n, where OPTION may be several names joined by "+". Not collective.
 * @return ENGRAM_ERR_INPUT when the text is no such thing
 */
PetscErrorCode SweepParse(const char *text, Sweep *sweep);

/**
 * Checks that the options exist and may have the values. Not collective.
 * @return ENGRAM_ERR_INPUT if not
 */
PetscErrorCode SweepCheck(EngramOptions options, const Sweep *sweep);

/**
 * Sets up the case for every value, so that a value it cannot have is known before results are
 * written. Collective. @return ENGRAM_ERR_INPUT if there is one
 */
PetscErrorCode SweepTry(MPI_Comm comm, EngramOptions options, const Sweep *sweep);

/**
 * Finds all steady states for every value, and the folds between them, where two states meet, to
 * nine digits; writes bifurcation.csv and folds.csv. Warns of what the axes cut off where
 * that is most. Collective.
 *
 * @param told  what of it has been told; renewed
 */
PetscErrorCode SweepRun(MPI_Comm comm, EngramOptions options, const Sweep *sweep,
                        const EngramOutputParameters *output, CutOff *told);

#endif
