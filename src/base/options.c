#include "engram/base/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engram/base/error.h"
#include "options_source.h"

enum { MAXIMUM_TABLES = 16, MAXIMUM_OPTIONS = 128 };

struct EngramOptions {
    const EngramOptionTable *tables[MAXIMUM_TABLES];
    int table_count;
    EngramOptionRecord records[MAXIMUM_OPTIONS];
    char *values[MAXIMUM_OPTIONS]; /* owned; what the records point to where not default */
    char *varied[MAXIMUM_OPTIONS]; /* owned; values of a variation, or NULL */
    int count;
    EngramOptionsSource source;
};

PetscErrorCode EngramOptionsCreate(EngramOptions *options)
{
    PetscFunctionBeginUser;
    PetscCall(PetscNew(options));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsRegister(EngramOptions options, const EngramOptionTable *table)
{
    PetscFunctionBeginUser;
    PetscCheck(options->table_count < MAXIMUM_TABLES &&
                   options->count + table->count <= MAXIMUM_OPTIONS,
               PETSC_COMM_SELF, PETSC_ERR_MAX_VALUE, "Too many options registered");
    options->tables[options->table_count++] = table;
    for (int i = 0; i < table->count; i++) {
        const EngramOption *option = &table->options[i];
        options->records[options->count].option = option;
        options->records[options->count].value = option->default_value;
        options->records[options->count].is_default = PETSC_TRUE;
        options->count++;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsRegisterCommands(EngramOptions options, const EngramOptionTable *table)
{
    PetscFunctionBeginUser;
    const int first = options->count;
    PetscCall(EngramOptionsRegister(options, table));
    for (int i = first; i < options->count; i++) {
        options->records[i].is_command = PETSC_TRUE;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *KindName(const EngramOption *option)
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

static PetscBool ParseReal(const char *text, double *value)
{
    char *end = NULL;
    *value = strtod(text, &end);
    while (isspace((unsigned char)*end)) {
        end++;
    }
    return (PetscBool)(end != text && *end == '\0' && isfinite(*value));
}

static PetscBool ParseInteger(const char *text, PetscInt *value)
{
    double real = 0.0;
    if (!ParseReal(text, &real) || real != floor(real) || fabs(real) > (double)PETSC_MAX_INT) {
        return PETSC_FALSE;
    }
    *value = (PetscInt)real;
    return PETSC_TRUE;
}

static PetscBool ParseBoolean(const char *text, PetscBool *value)
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
    (void)ParseReal(text, &value);
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

/** Checks that a value given by the user is of the option's kind and within its bounds. */
static PetscErrorCode CheckValue(const EngramOption *option, const char *text)
{
    double real = 0.0;
    PetscInt integer = 0;
    PetscBool boolean = PETSC_FALSE;
    PetscBool is_valid = PETSC_TRUE;
    PetscFunctionBeginUser;
    if (option->kind != ENGRAM_OPTION_BOOLEAN && text[0] == '\0') {
        PetscCall(EngramInputError("-%s: needs a value (%s)", option->name, option->meaning));
    }
    if (option->kind == ENGRAM_OPTION_REAL) {
        is_valid = ParseReal(text, &real);
    } else if (option->kind == ENGRAM_OPTION_INTEGER) {
        is_valid = ParseInteger(text, &integer);
    } else if (option->kind == ENGRAM_OPTION_BOOLEAN) {
        is_valid = ParseBoolean(text, &boolean);
    }
    if (!is_valid) {
        PetscCall(EngramInputError("-%s %s: must be %s (%s)", option->name, text, KindName(option),
                                   option->meaning));
    }
    PetscCall(CheckBound(option, text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LoadValue(EngramOptions options, int i)
{
    char key[PETSC_MAX_OPTION_NAME];
    char text[ENGRAM_OPTION_LENGTH] = "";
    PetscBool is_set = PETSC_FALSE;
    EngramOptionRecord *record = &options->records[i];
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(key, sizeof(key), "-%s", record->option->name));
    PetscCall(PetscOptionsGetString(NULL, NULL, key, text, sizeof(text), &is_set));
    if (!is_set) {
        if (!record->option->default_value) {
            PetscCall(EngramInputError("-%s: must be given (%s: %s)", record->option->name,
                                       KindName(record->option), record->option->meaning));
        }
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (strlen(text) + 1 >= sizeof(text)) {
        PetscCall(EngramInputError("-%s: value longer than %d characters", record->option->name,
                                   ENGRAM_OPTION_LENGTH - 2));
    }
    PetscCall(CheckValue(record->option, text));
    PetscCall(PetscFree(options->values[i]));
    PetscCall(PetscStrallocpy(text, &options->values[i]));
    record->value = options->values[i];
    record->is_default = PETSC_FALSE;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsLoad(EngramOptions options, const char *case_file, int argc,
                                 char **argv)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsSourceRead(&options->source, case_file, argc, argv));
    /* An unknown name is the likelier mistake when one that must be given is missing. */
    PetscCall(EngramOptionsSourceRefuseUnknown(&options->source, options, PETSC_FALSE));
    for (int i = 0; i < options->count; i++) {
        PetscCall(LoadValue(options, i));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsRefuseUnknown(EngramOptions options)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsSourceRefuseUnknown(&options->source, options, PETSC_TRUE));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FindRecord(EngramOptions options, const char *name,
                                 const EngramOptionRecord **record)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < options->count; i++) {
        if (strcmp(options->records[i].option->name, name) == 0) {
            *record = &options->records[i];
            PetscFunctionReturn(PETSC_SUCCESS);
        }
    }
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "Option %s was never registered", name);
}

PetscErrorCode EngramOptionsGetReal(EngramOptions options, const char *name, double *value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    const char *varied = options->varied[record - options->records];
    PetscCheck(ParseReal(varied ? varied : record->value, value), PETSC_COMM_SELF,
               PETSC_ERR_ARG_WRONG, "Option %s is no number", name);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Place of an option that may have this real value. */
static PetscErrorCode FindReal(EngramOptions options, const char *name, const char *text,
                               int *place)
{
    PetscFunctionBeginUser;
    for (*place = 0; *place < options->count; (*place)++) {
        const EngramOption *option = options->records[*place].option;
        if (strcmp(option->name, name) == 0) {
            if (option->kind != ENGRAM_OPTION_REAL) {
                PetscCall(EngramInputError("-%s: is %s; only real numbers can be varied", name,
                                           KindName(option)));
            }
            PetscCall(CheckValue(option, text));
            PetscFunctionReturn(PETSC_SUCCESS);
        }
    }
    PetscCall(EngramInputError("-%s: there is no such option to vary; see engram -help", name));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsCheckReal(EngramOptions options, const char *name, double value)
{
    char text[32];
    int place = 0;
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(text, sizeof(text), "%.17g", value));
    PetscCall(FindReal(options, name, text, &place));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsVaryReal(EngramOptions options, const char *name, double value)
{
    char text[32];
    int place = 0;
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(text, sizeof(text), "%.17g", value));
    PetscCall(FindReal(options, name, text, &place));
    PetscCall(PetscFree(options->varied[place]));
    PetscCall(PetscStrallocpy(text, &options->varied[place]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsEndVariation(EngramOptions options)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < options->count; i++) {
        PetscCall(PetscFree(options->varied[i]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsGetInteger(EngramOptions options, const char *name, PetscInt *value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    PetscCheck(ParseInteger(record->value, value), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
               "Option %s is no whole number", name);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsGetBoolean(EngramOptions options, const char *name, PetscBool *value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    PetscCheck(ParseBoolean(record->value, value), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
               "Option %s is no truth value", name);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsGetText(EngramOptions options, const char *name, const char **value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    *value = record->value;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsGetChoice(EngramOptions options, const char *name,
                                      const char *const *choices, int count, int *choice)
{
    const char *text = NULL;
    char list[256] = "";
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsGetText(options, name, &text));
    for (*choice = 0; *choice < count; (*choice)++) {
        if (strcmp(text, choices[*choice]) == 0) {
            PetscFunctionReturn(PETSC_SUCCESS);
        }
        PetscCall(PetscStrlcat(list, *choice ? " or " : "", sizeof(list)));
        PetscCall(PetscStrlcat(list, choices[*choice], sizeof(list)));
    }
    PetscCall(EngramInputError("-%s %s: must be %s", name, text, list));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsIsDefault(EngramOptions options, const char *name,
                                      PetscBool *is_default)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    const char *known = record->option->default_value;
    *is_default = (PetscBool)(record->is_default || (known && strcmp(known, record->value) == 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool EngramOptionIsSame(const EngramOption *option, const char *a, const char *b)
{
    double real[2] = {0.0, 0.0};
    PetscBool boolean[2] = {PETSC_FALSE, PETSC_FALSE};
    const PetscBool is_number = (PetscBool)(option->kind != ENGRAM_OPTION_TEXT &&
                                            ParseReal(a, &real[0]) && ParseReal(b, &real[1]));
    if (option->kind == ENGRAM_OPTION_BOOLEAN && ParseBoolean(a, &boolean[0]) &&
        ParseBoolean(b, &boolean[1])) {
        return (PetscBool)(boolean[0] == boolean[1]);
    }
    return is_number ? (PetscBool)(real[0] == real[1]) : (PetscBool)(strcmp(a, b) == 0);
}

int EngramOptionsCount(EngramOptions options)
{
    return options->count;
}

EngramOptionRecord EngramOptionsRecordAt(EngramOptions options, int i)
{
    return options->records[i];
}

int EngramOptionsForeignCount(EngramOptions options)
{
    return options->source.foreign_count;
}

const char *EngramOptionsForeignName(EngramOptions options, int i)
{
    return options->source.foreign_names[i];
}

const char *EngramOptionsForeignValue(EngramOptions options, int i)
{
    return options->source.foreign_values[i];
}

int EngramOptionsTableCount(EngramOptions options)
{
    return options->table_count;
}

const EngramOptionTable *EngramOptionsTableAt(EngramOptions options, int i)
{
    return options->tables[i];
}

PetscErrorCode EngramOptionsDestroy(EngramOptions *options)
{
    PetscFunctionBeginUser;
    if (!*options) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    for (int i = 0; i < (*options)->count; i++) {
        PetscCall(PetscFree((*options)->values[i]));
        PetscCall(PetscFree((*options)->varied[i]));
    }
    PetscCall(EngramOptionsSourceDestroy(&(*options)->source));
    PetscCall(PetscFree(*options));
    PetscFunctionReturn(PETSC_SUCCESS);
}
