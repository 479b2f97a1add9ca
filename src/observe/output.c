#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engram/base/error.h"
#include "engram/observe/observer.h"

static const EngramOption output_options[] = {
    {"output_dir", ENGRAM_OPTION_TEXT, "results", "path", "folder for all results of the run",
     ENGRAM_BOUND_NONE, 0},
    {"output_overwrite", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "write into a folder that is not empty", ENGRAM_BOUND_NONE, 0},
    {"output_series_every", ENGRAM_OPTION_INTEGER, "1", "steps",
     "interval of the rows of series.csv", ENGRAM_BOUND_AT_LEAST, 1},
    {"output_fields_every", ENGRAM_OPTION_REAL, "0", "time",
     "interval of the fields in fields.h5; 0: only the first and the last state",
     ENGRAM_BOUND_AT_LEAST, 0},
};

const EngramOptionTable EngramOutputOptions = {
    "Output", output_options, (int)(sizeof(output_options) / sizeof(output_options[0]))};

PetscErrorCode EngramOutputParametersGet(EngramOptions options, EngramOutputParameters *parameters)
{
    PetscFunctionBeginUser;
    parameters->options = options;
    PetscCall(EngramOptionsGetText(options, "output_dir", &parameters->directory));
    PetscCall(EngramOptionsGetBoolean(options, "output_overwrite", &parameters->overwrite));
    PetscCall(EngramOptionsGetInteger(options, "output_series_every", &parameters->series_every));
    PetscCall(EngramOptionsGetReal(options, "output_fields_every", &parameters->fields_every));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Makes a folder and those it lies in. @return 0, or errno */
static int MakeFolders(const char *path)
{
    char partial[PETSC_MAX_PATH_LEN];
    const size_t length = strlen(path);
    if (length >= sizeof(partial)) {
        return ENAMETOOLONG;
    }
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST) {
            return errno;
        }
    }
    return 0;
}

/** Counts what a folder holds. @return entries, or -1 when it cannot be listed */
static int CountEntries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    if (!folder) {
        return -1;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(folder);
    return count;
}

/** Takes away what an earlier run has left, so that no file of it stands beside the new ones. */
static void RemoveResults(const char *directory)
{
    static const char *const names[] = {"case.yaml",    "series.csv", "fields.h5",
                                        "fields.xmf",   "steady.csv", "bifurcation.csv",
                                        "summary.yaml", "folds.csv"};
    char path[PETSC_MAX_PATH_LEN + 32];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        /* What cannot be removed cannot be written either, which is reported then. */
        (void)remove(path);
    }
}

enum { FOLDER_NOT_LISTED = -1, FOLDER_NOT_EMPTY = -2 };

PetscErrorCode EngramOutputPrepare(const EngramGrid *grid, const EngramOutputParameters *parameters)
{
    int outcome = 0;
    PetscFunctionBeginUser;
    if (grid->rank == 0) {
        outcome = MakeFolders(parameters->directory);
        const int count = outcome ? 0 : CountEntries(parameters->directory);
        if (count < 0) {
            outcome = FOLDER_NOT_LISTED;
        } else if (count > 0 && !parameters->overwrite) {
            outcome = FOLDER_NOT_EMPTY;
        } else if (count > 0) {
            RemoveResults(parameters->directory);
        }
    }
    PetscCallMPI(MPI_Bcast(&outcome, 1, MPI_INT, 0, grid->comm));
    if (outcome == FOLDER_NOT_EMPTY) {
        PetscCall(EngramInputError("-output_dir %s: the folder is not empty; choose another one, "
                                   "or allow it with -output_overwrite",
                                   parameters->directory));
    } else if (outcome) {
        PetscCall(
            EngramInputError("-output_dir %s: cannot be made or listed (%s)", parameters->directory,
                             outcome > 0 ? strerror(outcome) : "no folder, or no permission"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
