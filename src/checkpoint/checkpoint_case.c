#include "engram/checkpoint/checkpoint_case.h"

#include <stdio.h>
#include <string.h>

#include "engram/base/error.h"

/* Options that leave the steps alone; a name that ends in _ stands for all that begin so. */
static const char *const free_options[] = {
    "time_end",     "output_",          "checkpoint_",   "slice_",      "walltime", "steady",
    "steady_sweep", "steady_tolerance", "coupling_scan", "blowup_rate", "insitu_",  "steer_"};

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

static PetscBool IsFree(const char *name)
{
    return IsListed(name, free_options, sizeof(free_options) / sizeof(free_options[0]));
}

static PetscBool IsShape(const char *name)
{
    return IsListed(name, shape_options, sizeof(shape_options) / sizeof(shape_options[0]));
}

/** Differences found so far. */
typedef struct Differences {
    char list[4096];
    int count;
    PetscBool has_shape;
} Differences;

static PetscErrorCode NoteDifference(const char *name, const char *there, const char *here,
                                     Differences *differences)
{
    char line[1024];
    PetscFunctionBeginUser;
    (void)snprintf(line, sizeof(line), "\n  -%s %s there, %s here", name, there, here);
    PetscCall(PetscStrlcat(differences->list, line, sizeof(differences->list)));
    differences->count++;
    differences->has_shape = (PetscBool)(differences->has_shape || IsShape(name));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Compare(EngramCheckpointFile *file, EngramOptions options,
                              Differences *differences)
{
    char there[ENGRAM_OPTION_LENGTH];
    PetscBool is_there = PETSC_FALSE;
    PetscFunctionBeginUser;
    for (int i = 0; i < EngramOptionsCount(options); i++) {
        const EngramOptionRecord record = EngramOptionsRecordAt(options, i);
        const char *name = record.option->name;
        if (record.is_command || IsFree(name)) {
            continue;
        }
        PetscCall(EngramCheckpointReadOption(file, name, there, sizeof(there), &is_there));
        if (!is_there) {
            PetscCall(NoteDifference(name, "unknown", record.value, differences));
        } else if (!EngramOptionIsSame(record.option, there, record.value)) {
            PetscCall(NoteDifference(name, there, record.value, differences));
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointCheckCase(EngramCheckpointFile *file, EngramOptions options,
                                         PetscBool is_forced)
{
    Differences differences = {.list = ""};
    PetscFunctionBeginUser;
    PetscCall(Compare(file, options, &differences));
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
