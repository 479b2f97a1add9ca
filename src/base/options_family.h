/**
 * @file options_family.h
 * Options that exist once for each name in a list of the user.
 */
#ifndef ENGRAM_SRC_BASE_OPTIONS_FAMILY_H
#define ENGRAM_SRC_BASE_OPTIONS_FAMILY_H

#include "engram/base/options.h"

enum { FAMILY_NAMES = 64 };

/** The options of all names of a list. */
typedef struct FamilyMembers {
    EngramOption *options; /* [count] owned, with their names */
    int count;
} FamilyMembers;

/**
 * Makes the options of a list of names. Not collective.
 * @return ENGRAM_ERR_INPUT for a list with names that are none, too many, or the same ones
 */
PetscErrorCode FamilyMembersCreate(const EngramOptionFamily *family, const char *list,
                                   FamilyMembers *members);

/** Frees them; may be called twice. Not collective. */
PetscErrorCode FamilyMembersDestroy(FamilyMembers *members);

#endif
