#include "option_value.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engram/base/error.h"

const char *OptionKindName(const EngramOption *option)
{
    switch (option->kind) {
    case ENGRAM_OPTION_REAL:
        return "a finite number";
    case ENGRAM_OPTION_INTEGER:
        return "a whole number";
    case ENGRAM_OPTION_BOOLEAN:
        return "true or false";
    case ENGRAM_OPTION_EXPRESSION:
        return "an expression";
    case ENGRAM_OPTION_TEXT:
        break;
    }
    return "a text";
}

PetscBool OptionParseReal(const char *text, double *value)
{
    char *end = NULL;
    *value = strtod(text, &end);
    while (isspace((unsigned char)*end)) {
        end++;
    }
    return (PetscBool)(end != text && *end == '\0' && isfinite(*value));
}

PetscBool OptionParseInteger(const char *text, PetscInt *value)
{
    double real = 0.0;
    if (!OptionParseReal(text, &real) || real != floor(real) ||
        fabs(real) > (double)PETSC_MAX_INT) {
        return PETSC_FALSE;
    }
    *value = (PetscInt)real;
    return PETSC_TRUE;
}

PetscBool OptionParseBoolean(const char *text, PetscBool *value)
{
    static const char *const yes[] = {"true", "yes", "on", "1", ""};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            *value = PETSC_TRUE;
            return PETSC_TRUE;
        }
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (strcasecmp(text, no[i]) == 0) {
            *value = PETSC_FALSE;
            return PETSC_TRUE;
        }
    }
    return PETSC_FALSE;
}

static PetscErrorCode CheckBound(const EngramOption *option, const char *text)
{
    double value = 0.0;
    PetscFunctionBeginUser;
    (void)OptionParseReal(text, &value);
    if (option->bound == ENGRAM_BOUND_ABOVE && !(value > option->bound_value)) {
        PetscCall(EngramInputError("-%s %s: must be above %g (%s)", option->name, text,
                                   option->bound_value, option->meaning));
    }
    if (option->bound == ENGRAM_BOUND_AT_LEAST && !(value >= option->bound_value)) {
        PetscCall(EngramInputError("-%s %s: must be at least %g (%s)", option->name, text,
                                   option->bound_value, option->meaning));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode OptionCheckValue(const EngramOption *option, const char *text)
{
    double real = 0.0;
    PetscInt integer = 0;
    PetscBool boolean = PETSC_FALSE;
    PetscBool is_valid = PETSC_TRUE;
    PetscFunctionBeginUser;
    if (option->kind != ENGRAM_OPTION_BOOLEAN && text[0] == '\0') {
        PetscCall(EngramInputError("-%s: needs a value (%s: %s)", option->name,
                                   OptionKindName(option), option->meaning));
    }
    if (option->kind == ENGRAM_OPTION_REAL) {
        is_valid = OptionParseReal(text, &real);
    } else if (option->kind == ENGRAM_OPTION_INTEGER) {
        is_valid = OptionParseInteger(text, &integer);
    } else if (option->kind == ENGRAM_OPTION_BOOLEAN) {
        is_valid = OptionParseBoolean(text, &boolean);
    }
    if (!is_valid) {
        PetscCall(EngramInputError("-%s %s: must be %s (%s)", option->name, text,
                                   OptionKindName(option), option->meaning));
    }
    PetscCall(CheckBound(option, text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool EngramOptionIsSame(const EngramOption *option, const char *a, const char *b)
{
    double real[2] = {0.0, 0.0};
    PetscBool boolean[2] = {PETSC_FALSE, PETSC_FALSE};
    const PetscBool is_number =
        (PetscBool)(option->kind != ENGRAM_OPTION_TEXT && OptionParseReal(a, &real[0]) &&
                    OptionParseReal(b, &real[1]));
    if (option->kind == ENGRAM_OPTION_BOOLEAN && OptionParseBoolean(a, &boolean[0]) &&
        OptionParseBoolean(b, &boolean[1])) {
        return (PetscBool)(boolean[0] == boolean[1]);
    }
    return is_number ? (PetscBool)(real[0] == real[1]) : (PetscBool)(strcmp(a, b) == 0);
}
