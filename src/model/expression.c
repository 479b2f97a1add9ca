#include "engram/model/expression.h"

#include <muParserDLL.h>
#include <string.h>

#include "engram/base/error.h"
#include "expression_check.h"

/* The variable N is the total rate, and has this name, too: elsewhere N is the rate of a weight. */
static const char TOTAL_RATE[] = "Nbar";
static const char TOTAL_RATE_NAMES[] = "Nbar (or N)";

struct EngramExpression {
    muParserHandle_t parser;
    char *option;
    char *text;
    char variables[ENGRAM_EXPRESSION_VARIABLES + 1];
    double values[ENGRAM_EXPRESSION_VARIABLES];
    PetscBool is_used[ENGRAM_EXPRESSION_VARIABLES];
};

static PetscErrorCode DefineNames(EngramExpression expression)
{
    PetscFunctionBeginUser;
    mupDefineConst(expression->parser, "pi", PETSC_PI);
    /* muParser's own has 13 digits. */
    mupDefineConst(expression->parser, "_pi", PETSC_PI);
    for (size_t i = 0; i < strlen(expression->variables); i++) {
        const char name[2] = {expression->variables[i], '\0'};
        mupDefineVar(expression->parser, name, &expression->values[i]);
        if (name[0] == TOTAL_RATE[0]) {
            mupDefineVar(expression->parser, TOTAL_RATE, &expression->values[i]);
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ListVariables(const char *variables, char *list, size_t size)
{
    PetscFunctionBeginUser;
    list[0] = '\0';
    const size_t count = strlen(variables);
    for (size_t i = 0; i < count; i++) {
        const char name[2] = {variables[i], '\0'};
        const char *joint = i + 1 < count ? ", " : " and ";
        PetscCall(PetscStrlcat(list, i ? joint : "", size));
        PetscCall(PetscStrlcat(list, name[0] == TOTAL_RATE[0] ? TOTAL_RATE_NAMES : name, size));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Reports what muParser found wrong, with positions counted from 1. */
static PetscErrorCode RefuseExpression(EngramExpression expression)
{
    static const char *const positions[] = {" found at position", " at position",
                                            " at expression position"};
    char list[64];
    char message[512];
    const int position = mupGetErrorPos(expression->parser);
    const int length = (int)strlen(expression->text);
    PetscFunctionBeginUser;
    PetscCall(ListVariables(expression->variables, list, sizeof(list)));
    PetscCall(PetscStrncpy(message, mupGetErrorMsg(expression->parser), sizeof(message)));
    /* muParser's own position, where it is part of the message, counts from 0 or from 1. */
    for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        char *own_position = strstr(message, positions[i]);
        if (own_position) {
            *own_position = '\0';
        }
    }
    PetscCall(EngramInputError("-%s \"%s\": not a valid expression in %s; at position %d: %s",
                               expression->option, expression->text, list,
                               position >= 0 && position < length ? position + 1 : length,
                               message));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode NoteUsedVariables(EngramExpression expression)
{
    PetscFunctionBeginUser;
    const int count = mupGetExprVarNum(expression->parser);
    for (int i = 0; i < count; i++) {
        const char *name = NULL;
        double *value = NULL;
        mupGetExprVar(expression->parser, (unsigned)i, &name, &value);
        for (size_t k = 0; k < strlen(expression->variables); k++) {
            if (name && name[0] == expression->variables[k]) {
                expression->is_used[k] = PETSC_TRUE;
            }
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramExpressionCreate(const char *option, const char *text, const char *variables,
                                      EngramExpression *expression)
{
    EngramExpression made = NULL;
    PetscFunctionBeginUser;
    PetscCheck(strlen(variables) <= ENGRAM_EXPRESSION_VARIABLES, PETSC_COMM_SELF,
               PETSC_ERR_ARG_OUTOFRANGE, "Too many variables: %s", variables);
    PetscCall(ExpressionCheck(option, text));
    PetscCall(PetscNew(&made));
    *expression = made;
    PetscCall(PetscStrallocpy(option, &made->option));
    PetscCall(PetscStrallocpy(text, &made->text));
    PetscCall(PetscStrncpy(made->variables, variables, sizeof(made->variables)));
    made->parser = mupCreate(muBASETYPE_FLOAT);
    PetscCall(DefineNames(made));
    mupSetExpr(made->parser, text);
    /* The text is compiled by its first evaluation. */
    (void)mupEval(made->parser);
    if (mupError(made->parser)) {
        PetscCall(RefuseExpression(made));
    }
    int results = 0;
    (void)mupEvalMulti(made->parser, &results);
    if (results != 1) {
        PetscCall(EngramInputError("-%s \"%s\": %d values separated by commas where one expression "
                                   "is expected",
                                   option, text, results));
    }
    PetscCall(NoteUsedVariables(made));
    PetscFunctionReturn(PETSC_SUCCESS);
}

double EngramExpressionValue(EngramExpression expression, const double *variables)
{
    for (size_t i = 0; expression->variables[i] != '\0'; i++) {
        expression->values[i] = variables[i];
    }
    return mupEval(expression->parser);
}

PetscBool EngramExpressionUses(EngramExpression expression, char variable)
{
    const char *found = variable ? strchr(expression->variables, variable) : NULL;
    return found ? expression->is_used[found - expression->variables] : PETSC_FALSE;
}

const char *EngramExpressionText(EngramExpression expression)
{
    return expression->text;
}

const char *EngramExpressionOption(EngramExpression expression)
{
    return expression->option;
}

const char *EngramExpressionLibraryVersion(void)
{
    static char version[64] = "";
    if (version[0] == '\0') {
        muParserHandle_t parser = mupCreate(muBASETYPE_FLOAT);
        (void)strncpy(version, mupGetVersion(parser), sizeof(version) - 1);
        mupRelease(parser);
    }
    return version;
}

PetscErrorCode EngramExpressionDestroy(EngramExpression *expression)
{
    PetscFunctionBeginUser;
    if (!*expression) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if ((*expression)->parser) {
        mupRelease((*expression)->parser);
    }
    PetscCall(PetscFree((*expression)->option));
    PetscCall(PetscFree((*expression)->text));
    PetscCall(PetscFree(*expression));
    PetscFunctionReturn(PETSC_SUCCESS);
}
