#include "option_place.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "options_source.h"

enum { MAXIMUM_PLACES = 8 };

/** What has been found so far. */
typedef struct Search {
    const EngramOptionsSource *source;
    EngramErrorPlaces *places;
    const CaseValue *found[MAXIMUM_PLACES];
    int found_count;
    int name_count;        /* options named so far */
    PetscBool has_subject; /* the first of them is one of the command line */
} Search;

static size_t NameLength(const char *name)
{
    size_t length = 0;
    while (isalnum((unsigned char)name[length]) || name[length] == '_') {
        length++;
    }
    return isdigit((unsigned char)name[0]) ? 0 : length;
}

/** The next name of an option behind a dash, or NULL. Dashes inside words and paths are none. */
static const char *NextName(const char *message, const char *from)
{
    for (const char *at = strchr(from, '-'); at; at = strchr(at + 1, '-')) {
        if ((at == message || strchr(" \n(\"'", at[-1])) && NameLength(at + 1) > 0) {
            return at + 1;
        }
    }
    return NULL;
}

static PetscBool IsMeant(const CaseValue *value, const char *name, size_t length)
{
    const PetscBool is_group = (PetscBool)(strncmp(name + length, "...", 3) == 0);
    return (PetscBool)(strncasecmp(value->name, name, length) == 0 &&
                       (is_group || value->name[length] == '\0'));
}

static PetscBool IsNew(const Search *search, const CaseValue *value)
{
    for (int i = 0; i < search->found_count; i++) {
        if (search->found[i] == value) {
            return PETSC_FALSE;
        }
    }
    return (PetscBool)(search->found_count < MAXIMUM_PLACES);
}

static void AddText(EngramErrorPlaces *places, const char *text)
{
    const size_t length = strlen(places->after);
    (void)snprintf(places->after + length, sizeof(places->after) - length, "%s", text);
}

/** The first name of a message needs no name beside its place. */
static void Note(Search *search, const CaseValue *value, PetscBool is_first_name)
{
    char text[PETSC_MAX_PATH_LEN + PETSC_MAX_OPTION_NAME];
    EngramErrorPlaces *places = search->places;
    const char *path = search->source->file.path;
    search->found[search->found_count++] = value;
    if (!places->before[0] && !search->has_subject) {
        (void)snprintf(places->before, sizeof(places->before), "%s:%d:%d: ", path,
                       value->place.line, value->place.column);
    }
    if (!is_first_name) {
        (void)snprintf(text, sizeof(text), "%s-%s: %s:%d:%d", places->after[0] ? ", " : " (",
                       value->name, path, value->place.line, value->place.column);
        AddText(places, text);
    }
}

static void NoteName(Search *search, const char *name, size_t length)
{
    const EngramOptionsSource *source = search->source;
    const PetscBool is_word = EngramOptionsSourceHasWord(source, name, length);
    const PetscBool is_first = (PetscBool)(search->name_count++ == 0);
    if (is_first && is_word) {
        search->has_subject = PETSC_TRUE;
    }
    for (int i = 0; i < source->file.count; i++) {
        const CaseValue *value = &source->file.values[i];
        if (IsMeant(value, name, length) && !value->is_varied && IsNew(search, value) &&
            EngramOptionsSourceIsFromFile(source, value->name)) {
            Note(search, value, (PetscBool)(is_first && value->name[length] == '\0'));
        }
    }
}

void OptionPlacesFind(const char *message, void *context, EngramErrorPlaces *places)
{
    Search search = {.source = context, .places = places};
    for (const char *name = NextName(message, message); name; name = NextName(message, name)) {
        NoteName(&search, name, NameLength(name));
    }
    if (places->after[0]) {
        AddText(places, ")");
    }
}
