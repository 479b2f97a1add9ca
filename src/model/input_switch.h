/**
 * @file input_switch.h
 * The comparisons in an expression of the input that depend on the time: where one changes, the
 * input may jump.
 */
#ifndef ENGRAM_SRC_MODEL_INPUT_SWITCH_H
#define ENGRAM_SRC_MODEL_INPUT_SWITCH_H

#include "engram/model/expression.h"

/** A comparison L < R, or with <=, > or >=, in t and s and free of w. */
typedef struct InputSwitch {
    EngramExpression comparison; /* owned: 1 or 0 */
    EngramExpression difference; /* owned: L - R */
} InputSwitch;

/** All of an expression. */
typedef struct InputSwitches {
    InputSwitch *list;
    PetscInt count;
} InputSwitches;

/** Finds them in a text that is a valid expression in w, t and s. Not collective. */
PetscErrorCode InputSwitchesFind(const char *option, const char *text, InputSwitches *switches);

/** Frees them; may be called twice. */
PetscErrorCode InputSwitchesDestroy(InputSwitches *switches);

#endif
