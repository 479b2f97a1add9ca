#include "expression_check.h"

#include <ctype.h>
#include <string.h>

#include "engram/base/error.h"

/** What stands for what in other languages. */
typedef struct Foreign {
    const char *word;
    const char *instead;
} Foreign;

/* The first that fits counts: longer signs stand before those that they begin with. */
static const Foreign SIGNS[] = {
    {"**", "a power is written \"^\""},
    {"&&", NULL},
    {"||", NULL},
    {"==", NULL},
    {"!=", NULL},
    {"<=", NULL},
    {">=", NULL},
    {"<>", "\"not equal\" is written \"!=\""},
    {"=<", "\"at most\" is written \"<=\""},
    {"=>", "\"at least\" is written \">=\""},
    {"=", "\"=\" assigns; a comparison is written \"==\""},
    {"&", "\"and\" is written \"&&\""},
    {"|", "\"or\" is written \"||\""},
    {"!", "\"not\" is written as a comparison with 0, as in (t < 5) == 0"},
    {"%", "there is no remainder; a periodic input can be made of sin and cos"},
};

static const Foreign WORDS[] = {
    {"and", "\"and\" is written \"&&\""},
    {"or", "\"or\" is written \"||\""},
    {"not", "\"not\" is written as a comparison with 0, as in (t < 5) == 0"},
    {"if", "a choice is written \"t < 5 ? 1 : 0\""},
    {"else", "a choice is written \"t < 5 ? 1 : 0\""},
    {"pow", "a power is written \"a^b\""},
    {"fabs", "the absolute value is \"abs\""},
    {"e", "Euler's number is \"_e\", and e^x is written \"exp(x)\""},
};

enum {
    SIGN_COUNT = (int)(sizeof(SIGNS) / sizeof(SIGNS[0])),
    WORD_COUNT = (int)(sizeof(WORDS) / sizeof(WORDS[0])),
};

/** An operand of && or ||, or what has none of these, within one pair of brackets. */
typedef struct Part {
    size_t start;
    size_t sign; /* of the comparison in it; its length is 0 where there is none */
    size_t length;
    PetscBool has_text;        /* outside of brackets */
    PetscBool has_truth;       /* a bracket with a value that is true or false */
    PetscBool is_joined;       /* by && or || to the one before */
    PetscBool follows_another; /* the bracket has ? or : or a comma before it */
} Part;

static PetscErrorCode Refuse(const char *option, const char *text, size_t place,
                             const char *instead)
{
    PetscFunctionBeginUser;
    PetscCall(EngramInputError("-%s \"%s\": not a valid expression; at position %d: %s", option,
                               text, (int)place + 1, instead));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A piece of a text without the spaces around it. */
static PetscErrorCode Trim(const char *text, size_t begin, size_t end, char **piece)
{
    PetscFunctionBeginUser;
    while (begin < end && isspace((unsigned char)text[begin])) {
        begin++;
    }
    while (end > begin && isspace((unsigned char)text[end - 1])) {
        end--;
    }
    PetscCall(PetscCalloc1(end - begin + 1, piece));
    PetscCall(PetscArraycpy(*piece, text + begin, (PetscInt)(end - begin)));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The place behind the operand that begins at a place. */
static size_t OperandEnd(const char *text, size_t place)
{
    int depth = 0;
    while (text[place] != '\0' && !(depth == 0 && strchr(")?:,&|<>=!", text[place]))) {
        depth += (text[place] == '(') - (text[place] == ')');
        place++;
    }
    return place;
}

/** Refuses "a < b < c", whose comparisons are these. */
static PetscErrorCode RefuseChain(const char *option, const char *text, const Part *part,
                                  size_t sign, size_t length)
{
    char *left = NULL;
    char *middle = NULL;
    char *right = NULL;
    PetscFunctionBeginUser;
    PetscCall(Trim(text, part->start, part->sign, &left));
    PetscCall(Trim(text, part->sign + part->length, sign, &middle));
    PetscCall(Trim(text, sign + length, OperandEnd(text, sign + length), &right));
    const PetscErrorCode code = EngramInputError(
        "-%s \"%s\": not a valid expression; at position %d: comparisons do not chain; write \"%s "
        "%.*s %s && %s %.*s %s\"",
        option, text, (int)sign + 1, left, (int)part->length, text + part->sign, middle, middle,
        (int)length, text + sign, right);
    PetscCall(PetscFree(left));
    PetscCall(PetscFree(middle));
    PetscCall(PetscFree(right));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Length of the sign at a place; 0: none of the list. */
static size_t SignLength(const char *option, const char *text, size_t place, PetscErrorCode *code)
{
    for (int i = 0; i < SIGN_COUNT; i++) {
        const size_t length = strlen(SIGNS[i].word);
        if (strncmp(text + place, SIGNS[i].word, length) == 0) {
            *code =
                SIGNS[i].instead ? Refuse(option, text, place, SIGNS[i].instead) : PETSC_SUCCESS;
            return length;
        }
    }
    return 0;
}

/** Length of the name or number at a place; 0: there is none. */
static size_t WordLength(const char *option, const char *text, size_t place, PetscErrorCode *code)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[place + length]) || text[place + length] == '_') {
        length++;
    }
    for (int i = 0; i < WORD_COUNT; i++) {
        if (length == strlen(WORDS[i].word) && strncmp(text + place, WORDS[i].word, length) == 0) {
            *code = Refuse(option, text, place, WORDS[i].instead);
        }
    }
    return length;
}

static PetscBool IsComparison(const char *text, size_t place)
{
    return (PetscBool)(strchr("<>", text[place]) != NULL || strncmp(text + place, "==", 2) == 0 ||
                       strncmp(text + place, "!=", 2) == 0);
}

/** Whether its value is true or false: a comparison, or a bracket with such a value. */
static PetscBool IsTruth(const Part *part)
{
    return (PetscBool)(part->length > 0 || (part->has_truth && !part->has_text));
}

/** Refuses a number as an operand of && and ||, of which muParser takes some fractions for 0. */
static PetscErrorCode EndOperand(const char *option, const char *text, const Part *part, size_t end)
{
    char *operand = NULL;
    PetscErrorCode code = PETSC_SUCCESS;
    PetscFunctionBeginUser;
    PetscCall(Trim(text, part->start, end, &operand));
    if (operand[0] != '\0' && !IsTruth(part)) {
        code = EngramInputError("-%s \"%s\": not a valid expression; at position %d: \"&&\" and "
                                "\"||\" join comparisons; write \"(%s) != 0\"",
                                option, text, (int)part->start + 1, operand);
    }
    PetscCall(PetscFree(operand));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Takes note of a sign that ends a part: && or ||, or what separates expressions. */
static PetscErrorCode EndPart(const char *option, const char *text, Part *part, size_t at,
                              size_t next)
{
    const PetscBool joins = (PetscBool)(strchr("&|", text[at]) != NULL);
    PetscFunctionBeginUser;
    if (joins || part->is_joined) {
        PetscCall(EndOperand(option, text, part, at));
    }
    *part = (Part){.start = next,
                   .is_joined = joins,
                   .follows_another = (PetscBool)(part->follows_another || !joins)};
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Leaves a bracket, which becomes a part of what is around it. */
static PetscErrorCode LeaveBracket(const char *option, const char *text, Part *parts, size_t *depth,
                                   size_t at)
{
    const Part *inner = &parts[*depth];
    PetscFunctionBeginUser;
    if (inner->is_joined) {
        PetscCall(EndOperand(option, text, inner, at));
    }
    if (*depth > 0) {
        parts[--*depth].has_truth = (PetscBool)(IsTruth(inner) && !inner->follows_another);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Looks at one character, or at the sign or word that begins there. */
static PetscErrorCode CheckAt(const char *option, const char *text, Part *parts, size_t *depth,
                              size_t *place)
{
    PetscErrorCode code = PETSC_SUCCESS;
    PetscFunctionBeginUser;
    const size_t at = *place;
    const size_t word = WordLength(option, text, at, &code);
    const size_t sign = word ? 0 : SignLength(option, text, at, &code);
    PetscCall(code);
    *place += word || sign ? word + sign : 1;
    Part *part = &parts[*depth];
    if (text[at] == '(') {
        parts[++*depth] = (Part){.start = *place};
    } else if (text[at] == ')') {
        PetscCall(LeaveBracket(option, text, parts, depth, at));
    } else if (strchr(",?:&|", text[at])) {
        PetscCall(EndPart(option, text, part, at, *place));
    } else if (IsComparison(text, at)) {
        if (part->length > 0) {
            PetscCall(RefuseChain(option, text, part, at, *place - at));
        }
        part->sign = at;
        part->length = *place - at;
    } else if (!isspace((unsigned char)text[at])) {
        part->has_text = PETSC_TRUE;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExpressionCheck(const char *option, const char *text)
{
    Part *parts = NULL; /* of the brackets that are open, from outside to inside */
    size_t depth = 0;
    PetscErrorCode code = PETSC_SUCCESS;
    PetscFunctionBeginUser;
    const size_t length = strlen(text);
    PetscCall(PetscCalloc1(length + 1, &parts));
    for (size_t place = 0; place < length && !code;) {
        code = CheckAt(option, text, parts, &depth, &place);
    }
    if (!code && depth == 0) {
        code = LeaveBracket(option, text, parts, &depth, length);
    }
    PetscCall(PetscFree(parts));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}
