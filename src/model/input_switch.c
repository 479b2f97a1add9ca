#include "input_switch.h"

#include <string.h>

#include "engram/base/error.h"

/** Whether a character ends the operand of a comparison, outside of its brackets. */
static PetscBool EndsOperand(char c)
{
    return (PetscBool)(c == '\0' || strchr(",?:<>&|!=", c) != NULL);
}

/** First character of the operand that ends before a place. */
static size_t OperandStart(const char *text, size_t place)
{
    int depth = 0;
    while (place > 0) {
        const char c = text[place - 1];
        if (depth == 0 && (c == '(' || EndsOperand(c))) {
            break;
        }
        depth += (c == ')') - (c == '(');
        place--;
    }
    return place;
}

/** The place behind the operand that begins at a place. */
static size_t OperandEnd(const char *text, size_t place)
{
    int depth = 0;
    while (text[place] != '\0') {
        const char c = text[place];
        if (depth == 0 && (c == ')' || EndsOperand(c))) {
            break;
        }
        depth += (c == '(') - (c == ')');
        place++;
    }
    return place;
}

/** "(L)<joint>(R)" of the comparison whose sign stands at a place. */
static PetscErrorCode JoinOperands(const char *text, size_t place, size_t length, const char *joint,
                                   size_t joint_length, char **joined)
{
    PetscFunctionBeginUser;
    const size_t start = OperandStart(text, place);
    const size_t end = OperandEnd(text, place + length);
    const size_t room = end - start + joint_length + 8;
    PetscCall(PetscMalloc1(room, joined));
    PetscCall(PetscSNPrintf(*joined, room, "(%.*s)%.*s(%.*s)", (int)(place - start), text + start,
                            (int)joint_length, joint, (int)(end - place - length),
                            text + place + length));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Adds the comparison whose sign stands at a place, if it is one of the time alone. */
static PetscErrorCode AddSwitch(const char *option, const char *text, size_t place, size_t length,
                                InputSwitches *switches)
{
    static const char *const variables = "wts";
    InputSwitch *added = NULL;
    char *joined = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscRealloc(sizeof(*switches->list) * (size_t)(switches->count + 1),
                           (void *)&switches->list));
    added = &switches->list[switches->count++];
    *added = (InputSwitch){NULL, NULL};
    PetscCall(JoinOperands(text, place, length, "-", 1, &joined));
    PetscCall(EngramExpressionCreate(option, joined, variables, &added->difference));
    PetscCall(PetscFree(joined));
    PetscCall(JoinOperands(text, place, length, text + place, length, &joined));
    PetscCall(EngramExpressionCreate(option, joined, variables, &added->comparison));
    PetscCall(PetscFree(joined));
    const PetscBool depends_on_time = (PetscBool)(EngramExpressionUses(added->difference, 't') ||
                                                  EngramExpressionUses(added->difference, 's'));
    if (!depends_on_time || EngramExpressionUses(added->difference, 'w')) {
        PetscCall(EngramExpressionDestroy(&added->difference));
        PetscCall(EngramExpressionDestroy(&added->comparison));
        switches->count--;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputSwitchesFind(const char *option, const char *text, InputSwitches *switches)
{
    PetscFunctionBeginUser;
    for (size_t place = 0; text[place] != '\0'; place++) {
        if (text[place] == '<' || text[place] == '>') {
            const size_t length = text[place + 1] == '=' ? 2 : 1;
            PetscCall(AddSwitch(option, text, place, length, switches));
            place += length - 1;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode InputSwitchesDestroy(InputSwitches *switches)
{
    PetscFunctionBeginUser;
    for (PetscInt i = 0; i < switches->count; i++) {
        PetscCall(EngramExpressionDestroy(&switches->list[i].comparison));
        PetscCall(EngramExpressionDestroy(&switches->list[i].difference));
    }
    PetscCall(PetscFree(switches->list));
    switches->count = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}
