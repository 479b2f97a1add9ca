/**
 * @file expression.h
 * Expressions of the user in named variables, evaluated by muParser.
 *
 * The usual operators and functions (+ - * / ^ exp log sqrt sin cos tanh abs min max ?: < > && ||)
 * and the constant pi. Values are dimensionless.
 */
#ifndef ENGRAM_MODEL_EXPRESSION_H
#define ENGRAM_MODEL_EXPRESSION_H

#include <petscsys.h>

/** Most variables of one expression. */
#define ENGRAM_EXPRESSION_VARIABLES 4

/** A compiled expression. */
typedef struct EngramExpression *EngramExpression;

/**
 * Compiles an expression. Not collective, but every rank must be given the same text.
 *
 * @param option     name of the option the text comes from, for messages
 * @param text       the expression
 * @param variables  names of the variables, one character each, e.g. "wt"
 * @return ENGRAM_ERR_INPUT with the position of the mistake when the text is no such expression
 */
PetscErrorCode EngramExpressionCreate(const char *option, const char *text, const char *variables,
                                      EngramExpression *expression);

/** The value for the given values of the variables, in the order of their names. Not collective. */
double EngramExpressionValue(EngramExpression expression, const double *variables);

/** Whether the expression contains the variable. Not collective. */
PetscBool EngramExpressionUses(EngramExpression expression, char variable);

/** The text and the option it came from; borrowed. Not collective. */
const char *EngramExpressionText(EngramExpression expression);
const char *EngramExpressionOption(EngramExpression expression);

/** muParser's version; borrowed for the life of the program. */
const char *EngramExpressionLibraryVersion(void);

/** Frees the expression; accepts NULL, and one already destroyed. Not collective. */
PetscErrorCode EngramExpressionDestroy(EngramExpression *expression);

#endif
