/**
 * @file expression_check.h
 * Forms that readers of C, of Python or of formulas take for something else than muParser does.
 */
#ifndef ENGRAM_SRC_MODEL_EXPRESSION_CHECK_H
#define ENGRAM_SRC_MODEL_EXPRESSION_CHECK_H

#include <petscsys.h>

/**
 * Refuses what would be evaluated to something that nobody means, as (5 < t) < 5.5 for "5 < t <
 * 5.5", and signs and words of other languages; with what to write instead. Whatever else is wrong
 * muParser finds. Not collective.
 *
 * @param option  name of the option the text comes from, for messages
 * @return ENGRAM_ERR_INPUT
 */
PetscErrorCode ExpressionCheck(const char *option, const char *text);

#endif
