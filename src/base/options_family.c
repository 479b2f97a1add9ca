#include "options_family.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engram/base/error.h"

/* Longest name that a user may give. */
enum { LONGEST_NAME = 32 };

/** The names of a list, each with a zero behind it. */
typedef struct Names {
    char name[FAMILY_NAMES][LONGEST_NAME + 1];
    int count;
} Names;

/** Whether this is a letter followed by letters, digits and underscores. */
static PetscBool IsName(const char *text, size_t length)
{
    if (length == 0 || length > LONGEST_NAME || !isalpha((unsigned char)text[0])) {
        return PETSC_FALSE;
    }
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
            return PETSC_FALSE;
        }
    }
    return PETSC_TRUE;
}

static PetscErrorCode AddName(const EngramOptionFamily *family, const char *list, const char *text,
                              size_t length, Names *names)
{
    PetscFunctionBeginUser;
    if (!IsName(text, length)) {
        PetscCall(EngramInputError("-%s %s: '%.*s' is no name; it must be letters, digits and "
                                   "underscores, at most %d, a letter first, with commas between "
                                   "the names",
                                   family->list, list, (int)length, text, (int)LONGEST_NAME));
    }
    if (names->count == FAMILY_NAMES) {
        PetscCall(EngramInputError("-%s: has more than %d names", family->list, (int)FAMILY_NAMES));
    }
    for (int i = 0; i < names->count; i++) {
        if (strlen(names->name[i]) == length && strncasecmp(names->name[i], text, length) == 0) {
            PetscCall(EngramInputError("-%s %s: has the name '%.*s' twice", family->list, list,
                                       (int)length, text));
        }
    }
    PetscCall(PetscStrncpy(names->name[names->count++], text, length + 1));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadNames(const EngramOptionFamily *family, const char *list, Names *names)
{
    const char *rest = list;
    PetscFunctionBeginUser;
    names->count = 0;
    while (rest) {
        const char *comma = strchr(rest, ',');
        const char *end = comma ? comma : rest + strlen(rest);
        while (rest < end && isspace((unsigned char)*rest)) {
            rest++;
        }
        const char *last = end;
        while (last > rest && isspace((unsigned char)last[-1])) {
            last--;
        }
        PetscCall(AddName(family, list, rest, (size_t)(last - rest), names));
        rest = comma ? comma + 1 : NULL;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The name of a member with that of the user in it. */
static PetscErrorCode MakeName(const char *pattern, const char *name, char **made)
{
    char text[PETSC_MAX_OPTION_NAME];
    PetscFunctionBeginUser;
    const char *place = strstr(pattern, ENGRAM_FAMILY_WORD);
    PetscCheck(place, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "%s has no place for a name", pattern);
    PetscCall(PetscSNPrintf(text, sizeof(text), "%.*s%s%s", (int)(place - pattern), pattern, name,
                            place + strlen(ENGRAM_FAMILY_WORD)));
    PetscCall(PetscStrallocpy(text, made));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FamilyMembersCreate(const EngramOptionFamily *family, const char *list,
                                   FamilyMembers *members)
{
    Names names;
    PetscFunctionBeginUser;
    members->count = 0;
    members->options = NULL;
    if (strcmp(list, "none") == 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(ReadNames(family, list, &names));
    const EngramOptionTable *table = family->members;
    PetscCall(PetscCalloc1((size_t)names.count * (size_t)table->count, &members->options));
    for (int i = 0; i < names.count; i++) {
        for (int j = 0; j < table->count; j++) {
            char *name = NULL;
            EngramOption *option = &members->options[members->count];
            *option = table->options[j];
            PetscCall(MakeName(table->options[j].name, names.name[i], &name));
            option->name = name;
            members->count++;
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FamilyMembersDestroy(FamilyMembers *members)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < members->count; i++) {
        char *name = (char *)members->options[i].name;
        PetscCall(PetscFree(name));
    }
    PetscCall(PetscFree(members->options));
    members->count = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}
