#include "options_source.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engram/base/error.h"
#include "option_place.h"

#define SOLVER_PREFIX "slice_"

/* Options of PETSc that are read when it starts or ends, or by a solve, so that they look unused
 * when a run is set up. */
static const char *const petsc_names[] = {
    "options_file",
    "options_file_yaml",
    "options_string_yaml",
    "options_view",
    "options_left",
    "options_monitor",
    "options_suppress_deprecated_warnings",
    "skip_petscrc",
    "log",
    "log_all",
    "log_view",
    "log_view_memory",
    "log_view_gpu_time",
    "log_trace",
    "log_sync",
    "log_mpe",
    "log_exclude",
    "log_perfstubs",
    "info",
    "info_exclude",
    "malloc",
    "malloc_debug",
    "malloc_dump",
    "malloc_test",
    "malloc_view",
    "malloc_view_threshold",
    "malloc_hbw",
    "malloc_coalesce",
    "memory_view",
    "objects_dump",
    "checkstack",
    "start_in_debugger",
    "debugger_nodes",
    "debugger_pause",
    "debugger_ranks",
    "stop_for_debugger",
    "on_error_attach_debugger",
    "on_error_abort",
    "on_error_mpiabort",
    "on_error_emacs",
    "error_output_stdout",
    "error_output_none",
    "fp_trap",
    "no_signal_handler",
    "check_pointer_intensity",
    "shared_tmp",
    "not_shared_tmp",
    "tmp",
    "nox",
    "display",
    "x_virtual",
    "get_total_flops",
    "mpidump",
    "citations",
    "version",
    "help",
    "use_gpu_aware_mpi",
    "saws_options",
    "python",
    "history",
    "vecscatter_view",
    "petsc_ci",
    "test",
    "slice_ksp_view",
    "slice_ksp_view_mat",
    "slice_ksp_view_pmat",
    "slice_ksp_view_rhs",
    "slice_ksp_view_solution",
    "slice_ksp_view_final_residual",
    "slice_ksp_view_preconditioned_operator",
    "slice_ksp_converged_reason",
    "slice_ksp_converged_rate",
};

static PetscBool IsPetscName(const char *name)
{
    for (size_t i = 0; i < sizeof(petsc_names) / sizeof(petsc_names[0]); i++) {
        if (strcasecmp(name, petsc_names[i]) == 0) {
            return PETSC_TRUE;
        }
    }
    return PETSC_FALSE;
}

static PetscBool IsKey(const char *argument)
{
    return (PetscBool)(argument[0] == '-' &&
                       (isalpha((unsigned char)argument[1]) || argument[1] == '_'));
}

/** The case file, over PETSc's environment. */
static PetscErrorCode ReadFile(EngramOptionsSource *source, const char *path)
{
    char key[PETSC_MAX_OPTION_NAME];
    PetscFunctionBeginUser;
    PetscCall(CaseFileRead(&source->file, path));
    for (int i = 0; i < source->file.count; i++) {
        PetscCall(PetscSNPrintf(key, sizeof(key), "-%s", source->file.values[i].name));
        PetscCall(PetscOptionsSetValue(NULL, key, source->file.values[i].text));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Words of the command line that are neither an option nor the value of one. */
static PetscErrorCode RefuseStrayWords(const EngramOptionsSource *source, const char *case_file)
{
    PetscFunctionBeginUser;
    for (int i = case_file ? 2 : 1; i < source->argc; i++) {
        if (IsKey(source->argv[i])) {
            continue;
        }
        if (!IsKey(source->argv[i - 1]) || (case_file && i == 2)) {
            PetscCall(EngramInputError("unexpected argument '%s': options are written -name value, "
                                       "after the one case file",
                                       source->argv[i]));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The command line once more, over the case file. */
static PetscErrorCode InsertCommandLine(const EngramOptionsSource *source)
{
    PetscFunctionBeginUser;
    for (int i = 1; i < source->argc; i++) {
        if (IsKey(source->argv[i])) {
            const PetscBool has_value =
                (PetscBool)(i + 1 < source->argc && !IsKey(source->argv[i + 1]));
            PetscCall(PetscOptionsSetValue(NULL, source->argv[i],
                                           has_value ? source->argv[i + 1] : NULL));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsSourceRead(EngramOptionsSource *source, const char *case_file, int argc,
                                       char **argv)
{
    PetscFunctionBeginUser;
    source->argc = argc;
    source->argv = argv;
    PetscCall(RefuseStrayWords(source, case_file));
    if (case_file) {
        PetscCall(ReadFile(source, case_file));
        PetscCall(InsertCommandLine(source));
        EngramErrorFindPlaces(OptionPlacesFind, source);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool EngramOptionsSourceHasWord(const EngramOptionsSource *source, const char *name,
                                     size_t length)
{
    for (int i = 1; i < source->argc; i++) {
        const char *word = source->argv[i];
        if (IsKey(word) && strlen(word + 1) == length && strncasecmp(word + 1, name, length) == 0) {
            return PETSC_TRUE;
        }
    }
    return PETSC_FALSE;
}

PetscBool EngramOptionsSourceIsFromFile(const EngramOptionsSource *source, const char *name)
{
    return (PetscBool)(CaseFileFind(&source->file, name) &&
                       !EngramOptionsSourceHasWord(source, name, strlen(name)));
}

PetscErrorCode EngramOptionsSourceRefer(EngramOptionsSource *source, const char *name,
                                        const char *meant)
{
    PetscFunctionBeginUser;
    if (EngramOptionsSourceIsFromFile(source, meant)) {
        const CaseValue value = *CaseFileFind(&source->file, meant);
        PetscCall(
            CaseFileAdd(&source->file, name, value.text, value.key, value.place, value.layer));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramOptionsSourceSetVaried(EngramOptionsSource *source, const char *name,
                                  PetscBool is_varied)
{
    CaseValue *value = CaseFileFind(&source->file, name);
    if (value) {
        value->is_varied = is_varied;
    }
}

int EngramNameDistance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    if (strcmp(a, b) == 0) {
        return 0;
    }
    int rows[3][LONGEST + 1];
    const int length_a = (int)strlen(a);
    const int length_b = (int)strlen(b);
    if (length_a > LONGEST || length_b > LONGEST) {
        return LONGEST;
    }
    for (int j = 0; j <= length_b; j++) {
        rows[0][j] = j;
    }
    for (int i = 1; i <= length_a; i++) {
        const int *above = rows[(i + 2) % 3];
        int *here = rows[i % 3];
        here[0] = i;
        for (int j = 1; j <= length_b; j++) {
            const int differs = a[i - 1] != b[j - 1];
            int best = above[j - 1] + differs;
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = here[j - 1] + 1 < best ? here[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                const int swapped = rows[(i + 1) % 3][j - 2] + 1;
                best = swapped < best ? swapped : best;
            }
            here[j] = best;
        }
    }
    return rows[length_a % 3][length_b];
}

static PetscBool IsSolverName(const char *name)
{
    return (PetscBool)(strncasecmp(name, SOLVER_PREFIX, strlen(SOLVER_PREFIX)) == 0);
}

/** The names nearest to an unknown one, as " did you mean ...?", or a pointer to -help. */
static PetscErrorCode Suggest(EngramOptions options, const char *name, char *text, size_t size)
{
    /* Names of the solver share a long beginning: only a slip of the pen is a misspelling. */
    int nearest = IsSolverName(name) ? 3 : (int)strlen(name) / 3 + 1;
    PetscFunctionBeginUser;
    for (int i = 0; i < EngramOptionsCount(options); i++) {
        const int distance =
            EngramNameDistance(name, EngramOptionsRecordAt(options, i).option->name);
        nearest = distance < nearest ? distance : nearest;
    }
    text[0] = '\0';
    for (int i = 0; i < EngramOptionsCount(options); i++) {
        const char *candidate = EngramOptionsRecordAt(options, i).option->name;
        if (EngramNameDistance(name, candidate) == nearest) {
            PetscCall(PetscStrlcat(text, text[0] ? " or -" : "did you mean -", size));
            PetscCall(PetscStrlcat(text, candidate, size));
        }
    }
    PetscCall(PetscStrlcat(text, text[0] ? "?" : "see engram -help", size));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static const EngramOption *FindOwn(EngramOptions options, const char *name)
{
    for (int i = 0; i < EngramOptionsCount(options); i++) {
        const EngramOption *option = EngramOptionsRecordAt(options, i).option;
        if (strcasecmp(option->name, name) == 0) {
            return option;
        }
    }
    return NULL;
}

/** An option that needs a value is followed by another key, or by a value that looks like one. */
static PetscErrorCode RefuseMissingValue(EngramOptions options, const char *previous,
                                         const char *key)
{
    PetscFunctionBeginUser;
    const EngramOption *option = IsKey(previous) ? FindOwn(options, previous + 1) : NULL;
    if (option && option->kind != ENGRAM_OPTION_BOOLEAN && !FindOwn(options, key + 1)) {
        PetscCall(EngramInputError("%s %s: the option needs a value; one that starts with a minus "
                                   "sign goes in parentheses: %s \"(%s)\"",
                                   previous, key, previous, key));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** An empty word is what a shell makes of a variable without value; a flag has no word at all. */
static PetscErrorCode RefuseBlankWord(EngramOptions options, const char *key, const char *word)
{
    PetscFunctionBeginUser;
    const EngramOption *option = FindOwn(options, key + 1);
    if (option && option->kind == ENGRAM_OPTION_BOOLEAN && word && word[0] == '\0') {
        PetscCall(
            EngramInputError("%s \"\": is blank; write true or false (%s)", key, option->meaning));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Keeps an option of the solver for the record, once. */
static PetscErrorCode NoteForeign(EngramOptionsSource *source, const char *name)
{
    char key[PETSC_MAX_OPTION_NAME];
    char value[ENGRAM_OPTION_LENGTH] = "";
    PetscFunctionBeginUser;
    for (int i = 0; i < source->foreign_count; i++) {
        if (strcasecmp(source->foreign_names[i], name) == 0) {
            PetscFunctionReturn(PETSC_SUCCESS);
        }
    }
    if (source->foreign_count < MAXIMUM_FOREIGN) {
        PetscCall(PetscSNPrintf(key, sizeof(key), "-%s", name));
        PetscCall(PetscOptionsGetString(NULL, NULL, key, value, sizeof(value), NULL));
        PetscCall(PetscStrallocpy(name, &source->foreign_names[source->foreign_count]));
        PetscCall(PetscStrallocpy(value, &source->foreign_values[source->foreign_count]));
        source->foreign_count++;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The first option of a group, or NULL where the name is that of no group. */
static const EngramOption *FindGroup(EngramOptions options, const char *name)
{
    const size_t length = strlen(name);
    for (int i = 0; i < EngramOptionsCount(options); i++) {
        const EngramOption *option = EngramOptionsRecordAt(options, i).option;
        if (strncasecmp(option->name, name, length) == 0 && option->name[length] == '_') {
            return option;
        }
    }
    return NULL;
}

/** A name of the command line, or that of a value of the case file. */
static PetscErrorCode RefuseName(EngramOptionsSource *source, EngramOptions options,
                                 const char *name, CaseValue *value, PetscBool after_setup)
{
    char suggestion[512];
    PetscBool is_used = PETSC_FALSE;
    PetscFunctionBeginUser;
    if (FindOwn(options, name) || IsPetscName(name)) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(PetscOptionsUsed(NULL, name, &is_used));
    const PetscBool is_solver = IsSolverName(name);
    if (is_used && is_solver && after_setup) {
        PetscCall(NoteForeign(source, name));
    }
    if (is_used || (is_solver && !after_setup)) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (value) {
        /* It is the name that is wrong. */
        value->place = value->key;
    }
    const EngramOption *member = FindGroup(options, name);
    if (member) {
        PetscCall(EngramInputError("unknown option -%s: a group, whose options have values, such "
                                   "as -%s; leave it out where it has none",
                                   name, member->name));
    }
    PetscCall(Suggest(options, name, suggestion, sizeof(suggestion)));
    if (is_solver && suggestion[0] != 'd') {
        PetscCall(EngramInputError("unknown option -%s: the slice solver chosen has none of that "
                                   "name; %s",
                                   name, suggestion));
    }
    PetscCall(EngramInputError("unknown option -%s: %s", name, suggestion));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsSourceRefuseUnknown(EngramOptionsSource *source, EngramOptions options,
                                                PetscBool after_setup)
{
    PetscFunctionBeginUser;
    for (int i = 1; i < source->argc; i++) {
        if (IsKey(source->argv[i])) {
            PetscCall(RefuseMissingValue(options, source->argv[i - 1], source->argv[i]));
            PetscCall(RefuseBlankWord(options, source->argv[i], source->argv[i + 1]));
            PetscCall(RefuseName(source, options, source->argv[i] + 1, NULL, after_setup));
        }
    }
    for (int i = 0; i < source->file.count; i++) {
        CaseValue *value = &source->file.values[i];
        PetscCall(RefuseName(source, options, value->name, value, after_setup));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOptionsSourceDestroy(EngramOptionsSource *source)
{
    PetscFunctionBeginUser;
    EngramErrorFindPlaces(NULL, NULL);
    PetscCall(CaseFileDestroy(&source->file));
    for (int i = 0; i < source->foreign_count; i++) {
        PetscCall(PetscFree(source->foreign_names[i]));
        PetscCall(PetscFree(source->foreign_values[i]));
    }
    source->foreign_count = 0;
    PetscFunctionReturn(PETSC_SUCCESS);
}
