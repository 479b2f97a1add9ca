/**
 * @file input.h
 * The external input current I(w, t): an expression, or a table of numbers.
 *
 * An expression has the weight w, the time t, and the time s since the phase of a protocol began (t
 * where there are no phases). A table is a file of comma-separated numbers below a line of names,
 *
 *     w,I        the same at all times
 *     t,w,I      of time; s,w,I of the time since the phase began
 *
 * with the times in ascending order and the same weights, in ascending order, at each of them.
 * Between its points it is linear in w and in time, outside of them constant. Empty lines and those
 * that begin with # are passed over. All quantities are dimensionless.
 */
#ifndef ENGRAM_MODEL_INPUT_H
#define ENGRAM_MODEL_INPUT_H

#include <petscsys.h>
#include <stdint.h>

/** What a value begins with that names the file of a table. */
#define ENGRAM_INPUT_FILE "file:"

/** An input. */
typedef struct EngramInput *EngramInput;

/**
 * Compiles an expression, or reads a table on the first rank for all. Collective on
 * PETSC_COMM_WORLD.
 *
 * @param option  name of the option the text comes from, for messages
 * @param text    an expression in w, t and s, or "file:PATH"
 * @return ENGRAM_ERR_INPUT with the place of the mistake in the expression, or the line of the file
 */
PetscErrorCode EngramInputCreate(const char *option, const char *text, EngramInput *input);

/**
 * I at `count` weights. Not collective. A value that is not finite is stored as it is.
 *
 * @param since  time since the phase began
 */
void EngramInputValues(EngramInput input, double time, double since, PetscInt count,
                       const double *w, double *values);

/** Whether it is the same at all times. Not collective. */
PetscBool EngramInputIsSteady(EngramInput input);

/**
 * Times of a table, between which it is linear; 0 for an expression, or where there is one time.
 * Not collective.
 *
 * @param times        ascending; borrowed
 * @param since_phase  whether they count from the beginning of the phase
 */
PetscInt EngramInputTimes(EngramInput input, const double **times, PetscBool *since_phase);

/**
 * Comparisons in the expression that depend on t or s and not on w, such as t < 5: where one turns
 * on or off the input may jump. Those of equality are left out: they hold at single times only. Not
 * collective.
 */
PetscInt EngramInputSwitchCount(EngramInput input);

/** Whether a comparison holds. Not collective. */
PetscBool EngramInputSwitchIsOn(EngramInput input, PetscInt number, double time, double since);

/** The left side of a comparison less its right side. Not collective. */
double EngramInputSwitchDifference(EngramInput input, PetscInt number, double time, double since);

/** The text it was made from, and the option; borrowed. Not collective. */
const char *EngramInputText(EngramInput input);
const char *EngramInputOption(EngramInput input);

/**
 * Checksum of the bytes of the file that it was read from. Not collective.
 * @return false: it is an expression
 */
PetscBool EngramInputFileSum(EngramInput input, uint64_t *checksum);

/** Frees it; accepts NULL, and one already destroyed. Not collective. */
PetscErrorCode EngramInputDestroy(EngramInput *input);

#endif
