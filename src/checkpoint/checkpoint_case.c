#include "engram/checkpoint/checkpoint_case.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engram/base/error.h"

/* Options that leave the steps alone; a name that ends in _ stands for all that begin so. */
static const char *const free_options[] = {
    "time_end",     "output_",          "checkpoint_",   "slice_",      "walltime", "steady",
    "steady_sweep", "steady_tolerance", "coupling_scan", "blowup_rate", "insitu_",  "steer_"};

/* Those among them that decide what a run that has ended has found. */
static const char *const concluding_options[] = {"steady", "steady_sweep", "steady_tolerance",
                                                 "coupling_scan", "blowup_rate"};

/* Options that say what a number of the state belongs to. */
static const char *const shape_options[] = {"grid_", "model_v_"};

/** Whether a name is in a list. */
static PetscBool IsListed(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(list[i]);
        const PetscBool is_group = (PetscBool)(list[i][length - 1] == '_');
        if (is_group ? strncmp(name, list[i], length) == 0 : strcmp(name, list[i]) == 0) {
            return PETSC_TRUE;
        }
    }
    return PETSC_FALSE;
}

static PetscBool IsFree(const char *name, PetscBool is_ended)
{
    if (is_ended && IsListed(name, concluding_options,
                             sizeof(concluding_options) / sizeof(concluding_options[0]))) {
        return PETSC_FALSE;
    }
    return IsListed(name, free_options, sizeof(free_options) / sizeof(free_options[0]));
}

static PetscBool IsShape(const char *name)
{
    return IsListed(name, shape_options, sizeof(shape_options) / sizeof(shape_options[0]));
}

static PetscErrorCode NoteDifference(const char *name, const char *there, const char *here,
                                     EngramCaseDifferences *differences)
{
    char line[1024];
    PetscFunctionBeginUser;
    (void)snprintf(line, sizeof(line), "\n  -%s %s there, %s here", name, there, here);
    PetscCall(PetscStrlcat(differences->list, line, sizeof(differences->list)));
    differences->count++;
    differences->has_shape = (PetscBool)(differences->has_shape || IsShape(name));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Files with the same name and other contents than those that the run had read. */
static PetscErrorCode CompareFiles(const EngramCaseSource *source, const EngramFileSums *files,
                                   EngramCaseDifferences *differences)
{
    PetscFunctionBeginUser;
    for (int i = 0; i < files->count; i++) {
        char sum[ENGRAM_FILE_SUM_TEXT];
        char there[64];
        char here[64];
        PetscBool is_there = PETSC_FALSE;
        const EngramFileSum *file = &files->list[i];
        PetscCall(
            source->file_sum(source->file_sum_context, file->option, sum, sizeof(sum), &is_there));
        (void)snprintf(there, sizeof(there), "a file with checksum %s", sum);
        (void)snprintf(here, sizeof(here), "a file with checksum %016" PRIx64, file->checksum);
        if (is_there && strcmp(there, here) != 0) {
            PetscCall(NoteDifference(file->option, there, here, differences));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCaseCompare(const EngramCaseSource *source, EngramOptions options,
                                 const EngramFileSums *files, EngramCaseDifferences *differences)
{
    char there[ENGRAM_OPTION_LENGTH];
    PetscBool is_there = PETSC_FALSE;
    PetscFunctionBeginUser;
    for (int i = 0; i < EngramOptionsCount(options); i++) {
        const EngramOptionRecord record = EngramOptionsRecordAt(options, i);
        const char *name = record.option->name;
        if (record.is_command || IsFree(name, source->is_ended)) {
            continue;
        }
        PetscCall(source->option(source->option_context, name, there, sizeof(there), &is_there));
        if (!is_there) {
            PetscCall(NoteDifference(name, "unknown", record.value, differences));
        } else if (!EngramOptionIsSame(record.option, there, record.value)) {
            PetscCall(NoteDifference(name, there, record.value, differences));
        }
    }
    PetscCall(CompareFiles(source, files, differences));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadOption(void *context, const char *name, char *text, size_t size,
                                 PetscBool *is_there)
{
    PetscFunctionBeginUser;
    PetscCall(EngramCheckpointReadOption(context, name, text, size, is_there));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadFileSum(void *context, const char *name, char *text, size_t size,
                                  PetscBool *is_there)
{
    PetscFunctionBeginUser;
    PetscCall(EngramCheckpointReadFileSum(context, name, text, size, is_there));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointCheckCase(EngramCheckpointFile *file, EngramOptions options,
                                         const EngramFileSums *files, PetscBool is_forced)
{
    EngramCaseDifferences differences = {.list = ""};
    const EngramCaseSource source = {.option = ReadOption,
                                     .option_context = file,
                                     .file_sum = ReadFileSum,
                                     .file_sum_context = file};
    PetscFunctionBeginUser;
    PetscCall(EngramCaseCompare(&source, options, files, &differences));
    const char *path = file->hdf5.path;
    if (differences.count == 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (differences.has_shape) {
        PetscCall(EngramInputError("-restart %s: made with other options:%s\nThe state cannot go "
                                   "on with another grid; give the values that it has there",
                                   path, differences.list));
    }
    if (!is_forced) {
        PetscCall(EngramInputError("-restart %s: made with other options:%s\nGive the values that "
                                   "they have there, or add -restart_force to change them on "
                                   "purpose",
                                   path, differences.list));
    }
    PetscCall(EngramWarning("-restart_force: the run goes on with other options than %s:%s", path,
                            differences.list));
    PetscFunctionReturn(PETSC_SUCCESS);
}
