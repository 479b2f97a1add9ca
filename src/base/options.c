#include "engram/base/options.h"

#include <string.h>

#include "engram/base/error.h"
#include "option_value.h"
#include "options_family.h"
#include "options_source.h"

enum { MAXIMUM_TABLES = 20, MAXIMUM_OPTIONS = 512, MAXIMUM_FAMILIES = 2 };

/* Begins a default value that is the value of another option. */
static const char REFERENCE = '=';

struct EngramOptions {
    const EngramOptionTable *tables[MAXIMUM_TABLES];
    int table_count;
    EngramOptionRecord records[MAXIMUM_OPTIONS];
    char *values[MAXIMUM_OPTIONS]; /* owned; what the records point to where not default */
    char *varied[MAXIMUM_OPTIONS]; /* owned; values of a variation, or NULL */
    int count;
    const EngramOptionFamily *families[MAXIMUM_FAMILIES];
    FamilyMembers members[MAXIMUM_FAMILIES];
    EngramOptionTable member_tables[MAXIMUM_FAMILIES];
    int family_count;
    EngramOptionsSource source;
};

PetscErrorCode EngramOptionsCreate(EngramOptions *options)
{
    PetscFunctionBeginUser;
    PetscCall(PetscNew(options));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Options of a table get their places; the table itself is for -help. */
static PetscErrorCode AddRecords(EngramOptions options, const EngramOptionTable *table)
{
    PetscFunctionBeginUser;
    PetscCheck(options->count + table->count <= MAXIMUM_OPTIONS, PETSC_COMM_SELF,
               PETSC_ERR_MAX_VALUE, "Too many options registered");
    for (int i = 0; i < table->count; i++) {
        const EngramOption *option = &table->options[i];
        options->records[options->count].option = option;
        options->records[options->count].value = option->default_value;
        options->records[options->count].is_default = PETSC_TRUE;
        options->count++;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddTable(EngramOptions options, const EngramOptionTable *table)
{
    PetscFunctionBeginUser;
    PetscCheck(options->table_count < MAXIMUM_TABLES, PETSC_COMM_SELF, PETSC_ERR_MAX_VALUE,
               "Too many tables of options registered");
    options->tables[options->table_count++] = table;
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsRegister(EngramOptions options, const EngramOptionTable *table)
{
    PetscFunctionBeginUser;
    PetscCall(AddTable(options, table));
    PetscCall(AddRecords(options, table));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsRegisterFamily(EngramOptions options, const EngramOptionFamily *family)
{
    PetscFunctionBeginUser;
    PetscCheck(options->family_count < MAXIMUM_FAMILIES, PETSC_COMM_SELF, PETSC_ERR_MAX_VALUE,
               "Too many families of options registered");
    PetscCall(AddTable(options, family->members));
    options->families[options->family_count++] = family;
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

/** A default value that is the value of another option, which is loaded already. */
static PetscErrorCode FollowReference(EngramOptions options, EngramOptionRecord *record)
{
    const EngramOptionRecord *meant = NULL;
    PetscFunctionBeginUser;
    const char *known = record->option->default_value;
    if (known && known[0] == REFERENCE) {
        PetscCall(FindRecord(options, known + 1, &meant));
        record->value = meant->value;
        PetscCall(EngramOptionsSourceRefer(&options->source, record->option->name, known + 1));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** A truth value without text: a bare flag is true, a blank in the case file nothing. */
static PetscErrorCode LoadFlag(EngramOptions options, const EngramOption *option, char *text,
                               size_t size)
{
    PetscFunctionBeginUser;
    if (EngramOptionsSourceIsFromFile(&options->source, option->name)) {
        PetscCall(EngramInputError("-%s: is blank; write true or false (%s)", option->name,
                                   option->meaning));
    }
    PetscCall(PetscStrncpy(text, "true", size));
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
            PetscCall(
                EngramInputError("-%s: must be given (%s: %s)%s", record->option->name,
                                 OptionKindName(record->option), record->option->meaning,
                                 options->source.file.count ? "" : "; the case file is empty"));
        }
        PetscCall(FollowReference(options, record));
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (record->option->kind == ENGRAM_OPTION_BOOLEAN && text[0] == '\0') {
        PetscCall(LoadFlag(options, record->option, text, sizeof(text)));
    }
    if (strlen(text) + 1 >= sizeof(text)) {
        PetscCall(EngramInputError("-%s: value longer than %d characters", record->option->name,
                                   ENGRAM_OPTION_LENGTH - 2));
    }
    PetscCall(OptionCheckValue(record->option, text));
    PetscCall(PetscFree(options->values[i]));
    PetscCall(PetscStrallocpy(text, &options->values[i]));
    record->value = options->values[i];
    record->is_default = PETSC_FALSE;
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The options of all names that the user has listed. */
static PetscErrorCode AddMembers(EngramOptions options)
{
    char key[PETSC_MAX_OPTION_NAME];
    PetscFunctionBeginUser;
    for (int i = 0; i < options->family_count; i++) {
        char list[ENGRAM_OPTION_LENGTH] = "none";
        const EngramOptionFamily *family = options->families[i];
        PetscCall(PetscSNPrintf(key, sizeof(key), "-%s", family->list));
        PetscCall(PetscOptionsGetString(NULL, NULL, key, list, sizeof(list), NULL));
        PetscCall(FamilyMembersCreate(family, list, &options->members[i]));
        options->member_tables[i] = (EngramOptionTable){
            family->members->heading, options->members[i].options, options->members[i].count};
        PetscCall(AddRecords(options, &options->member_tables[i]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsLoad(EngramOptions options, const char *case_file, int argc,
                                 char **argv)
{
    PetscFunctionBeginUser;
    PetscCall(EngramOptionsSourceRead(&options->source, case_file, argc, argv));
    PetscCall(AddMembers(options));
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

PetscErrorCode EngramOptionsGetReal(EngramOptions options, const char *name, double *value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    const char *varied = options->varied[record - options->records];
    PetscCheck(OptionParseReal(varied ? varied : record->value, value), PETSC_COMM_SELF,
               PETSC_ERR_ARG_WRONG, "Option %s is no number", name);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Place of an option of a kind of number that may have this value. */
static PetscErrorCode FindNumber(EngramOptions options, const char *name, EngramOptionKind kind,
                                 const char *text, int *place)
{
    PetscFunctionBeginUser;
    EngramOptionsSourceSetVaried(&options->source, name, PETSC_TRUE);
    for (*place = 0; *place < options->count; (*place)++) {
        const EngramOption *option = options->records[*place].option;
        if (strcmp(option->name, name) == 0) {
            if (option->kind != kind) {
                PetscCall(EngramInputError("-%s: is %s; only %s numbers can be varied", name,
                                           OptionKindName(option),
                                           kind == ENGRAM_OPTION_REAL ? "real" : "whole"));
            }
            PetscCall(OptionCheckValue(option, text));
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
    const PetscErrorCode outcome = FindNumber(options, name, ENGRAM_OPTION_REAL, text, &place);
    EngramOptionsSourceSetVaried(&options->source, name, PETSC_FALSE);
    PetscCall(outcome);
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Vary(EngramOptions options, const char *name, EngramOptionKind kind,
                           const char *text)
{
    int place = 0;
    PetscFunctionBeginUser;
    PetscCall(FindNumber(options, name, kind, text, &place));
    PetscCall(PetscFree(options->varied[place]));
    PetscCall(PetscStrallocpy(text, &options->varied[place]));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsVaryReal(EngramOptions options, const char *name, double value)
{
    char text[32];
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(text, sizeof(text), "%.17g", value));
    PetscCall(Vary(options, name, ENGRAM_OPTION_REAL, text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsVaryInteger(EngramOptions options, const char *name, PetscInt value)
{
    char text[32];
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(text, sizeof(text), "%" PetscInt_FMT, value));
    PetscCall(Vary(options, name, ENGRAM_OPTION_INTEGER, text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsConcludeText(EngramOptions options, const char *name, const char *value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    const ptrdiff_t place = record - options->records;
    PetscCall(PetscFree(options->values[place]));
    PetscCall(PetscStrallocpy(value, &options->values[place]));
    options->records[place].value = options->values[place];
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsConcludeReal(EngramOptions options, const char *name, double value)
{
    char text[32];
    PetscFunctionBeginUser;
    PetscCall(PetscSNPrintf(text, sizeof(text), "%.17g", value));
    PetscCall(EngramOptionsConcludeText(options, name, text));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsEndVariation(EngramOptions options)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < options->count; i++) {
        if (options->varied[i]) {
            EngramOptionsSourceSetVaried(&options->source, options->records[i].option->name,
                                         PETSC_FALSE);
        }
        PetscCall(PetscFree(options->varied[i]));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsGetInteger(EngramOptions options, const char *name, PetscInt *value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    const char *varied = options->varied[record - options->records];
    PetscCheck(OptionParseInteger(varied ? varied : record->value, value), PETSC_COMM_SELF,
               PETSC_ERR_ARG_WRONG, "Option %s is no whole number", name);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsGetBoolean(EngramOptions options, const char *name, PetscBool *value)
{
    const EngramOptionRecord *record = NULL;
    PetscFunctionBeginUser;
    PetscCall(FindRecord(options, name, &record));
    PetscCheck(OptionParseBoolean(record->value, value), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
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
    for (int i = 0; i < (*options)->family_count; i++) {
        PetscCall(FamilyMembersDestroy(&(*options)->members[i]));
    }
    PetscCall(EngramOptionsSourceDestroy(&(*options)->source));
    PetscCall(PetscFree(*options));
    PetscFunctionReturn(PETSC_SUCCESS);
}
