/**
 * @file option_value.h
 * The text of one value: what it means, and whether an option may have it.
 */
#ifndef ENGRAM_SRC_BASE_OPTION_VALUE_H
#define ENGRAM_SRC_BASE_OPTION_VALUE_H

#include "engram/base/options.h"

/** What a value of the option must be, in words. */
const char *OptionKindName(const EngramOption *option);

/** Whether a text is a finite number, a whole number, a truth value; and which one. */
PetscBool OptionParseReal(const char *text, double *value);
PetscBool OptionParseInteger(const char *text, PetscInt *value);
PetscBool OptionParseBoolean(const char *text, PetscBool *value);

/**
 * Checks that a value given by the user is of the option's kind and within its bounds.
 * @return ENGRAM_ERR_INPUT with the option, the value and what it must be
 */
PetscErrorCode OptionCheckValue(const EngramOption *option, const char *text);

#endif
