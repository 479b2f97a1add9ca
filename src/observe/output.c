#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/observe/observer.h"

static const EngramOption output_options[] = {
    {"output_dir", ENGRAM_OPTION_TEXT, "results", "path", "folder for all results of the run",
     ENGRAM_BOUND_NONE, 0},
    {"output_overwrite", ENGRAM_OPTION_BOOLEAN, "false", "true or false",
     "write into a folder that is not empty", ENGRAM_BOUND_NONE, 0},
    {"output_series_every", ENGRAM_OPTION_INTEGER, "1", "steps",
     "interval of the rows of series.csv; steerable", ENGRAM_BOUND_AT_LEAST, 1},
    {"output_series_interval", ENGRAM_OPTION_REAL, "0", "time",
     "the same in time: adaptive steps end exactly there, a row of fixed ones is that of the first "
     "step not before. 0: by -output_series_every alone, which else counts from 2 on",
     ENGRAM_BOUND_AT_LEAST, 0},
    {"output_fields_every", ENGRAM_OPTION_REAL, "0", "time",
     "interval of the fields in fields.h5; 0: only the first and the last state; steerable",
     ENGRAM_BOUND_AT_LEAST, 0},
};

const EngramOptionTable EngramOutputOptions = {
    "Output", output_options, (int)(sizeof(output_options) / sizeof(output_options[0]))};

PetscErrorCode EngramOutputParametersGet(EngramOptions options, EngramOutputParameters *parameters)
{
    PetscFunctionBeginUser;
    parameters->options = options;
    PetscCall(EngramOptionsGetText(options, "output_dir", &parameters->directory));
    PetscCall(EngramOptionsGetText(options, "checkpoint_dir", &parameters->checkpoint_directory));
    PetscCall(EngramOptionsGetBoolean(options, "output_overwrite", &parameters->overwrite));
    PetscCall(EngramOptionsGetInteger(options, "output_series_every", &parameters->series_every));
    PetscCall(
        EngramOptionsGetReal(options, "output_series_interval", &parameters->series_interval));
    PetscCall(EngramOptionsGetReal(options, "output_fields_every", &parameters->fields_every));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Whether a run that was killed before its first checkpoint may have left an entry by itself. */
static PetscBool IsOfBeginning(const char *name)
{
    return (PetscBool)(strcmp(name, "checkpoints") == 0 || strcmp(name, "status.yaml.part") == 0);
}

/**
 * Counts what a folder holds.
 *
 * @param begins_again  what a run leaves that was killed as it began does not count
 * @return entries, or -1 when it cannot be listed
 */
static int CountEntries(const char *path, PetscBool begins_again)
{
    int count = 0;
    DIR *folder = opendir(path);
    if (!folder) {
        return -1;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        count += strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                 !(begins_again && IsOfBeginning(name));
    }
    (void)closedir(folder);
    return count;
}

/**
 * Takes away what an earlier run has left, so that no file of it stands beside the new ones. The
 * status of a run that begins again stays until the new one replaces it: a folder without it would
 * be no run's, should this one be killed before.
 */
static void RemoveResults(const char *directory, PetscBool begins_again)
{
    static const char *const names[] = {
        "summary.yaml", "case.yaml",       "series.csv", "fields.h5",    "fields.xmf",
        "steady.csv",   "bifurcation.csv", "folds.csv",  "steering.csv", "status.yaml"};
    const size_t count = sizeof(names) / sizeof(names[0]) - (begins_again ? 1 : 0);
    char path[PETSC_MAX_PATH_LEN + 32];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        /* What cannot be removed cannot be written either, which is reported then. */
        (void)remove(path);
    }
}

enum { FOLDER_NOT_LISTED = -1, FOLDER_NOT_EMPTY = -2 };

PetscErrorCode EngramOutputLock(const EngramGrid *grid, const EngramOutputParameters *parameters)
{
    int is_free = 1;
    PetscFunctionBeginUser;
    if (grid->rank == 0) {
        is_free = EngramFileLockFolder(parameters->directory) == 0;
    }
    PetscCallMPI(MPI_Bcast(&is_free, 1, MPI_INT, 0, grid->comm));
    if (!is_free) {
        PetscCall(EngramInputError("-output_dir %s: another run is writing into this folder; wait "
                                   "for its end, or choose another one",
                                   parameters->directory));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool HasFile(const char *directory, const char *name)
{
    char path[PETSC_MAX_PATH_LEN + 32];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return EngramFileExists(path);
}

/** Whether the results in a folder may be written anew. */
static PetscBool MayReplace(const EngramOutputParameters *parameters, EngramOutputMode mode)
{
    const char *directory = parameters->directory;
    if (parameters->overwrite) {
        return PETSC_TRUE;
    }
    /* A run that was stopped before its first checkpoint has a status and no end. */
    return (PetscBool)(mode == ENGRAM_OUTPUT_AGAIN && HasFile(directory, "status.yaml") &&
                       !HasFile(directory, "summary.yaml"));
}

/** Whether the folder may be used, on rank 0. @return 0, or what is the matter with it */
static int CheckOnRoot(const EngramOutputParameters *parameters, EngramOutputMode mode,
                       PetscBool *has_results)
{
    const char *directory = parameters->directory;
    errno = 0;
    const int count = CountEntries(directory, (PetscBool)(mode == ENGRAM_OUTPUT_AGAIN));
    const int failure = errno;
    *has_results = (PetscBool)(count > 0 && mode != ENGRAM_OUTPUT_CONTINUE);
    if (count < 0 && failure != ENOENT) {
        return EngramFileExists(directory) ? FOLDER_NOT_LISTED : failure;
    }
    return *has_results && !MayReplace(parameters, mode) ? FOLDER_NOT_EMPTY : 0;
}

/** Makes an outcome of rank 0 one of all, with a message. */
static PetscErrorCode ShareOutcome(const EngramGrid *grid, const char *directory,
                                   EngramOutputMode mode, int outcome)
{
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Bcast(&outcome, 1, MPI_INT, 0, grid->comm));
    if (outcome == FOLDER_NOT_EMPTY && mode == ENGRAM_OUTPUT_AGAIN) {
        PetscCall(EngramInputError("-restart auto: there is no checkpoint in %s, and the folder "
                                   "holds something else than a run that has not ended; choose "
                                   "another -output_dir, or allow it with -output_overwrite",
                                   directory));
    } else if (outcome == FOLDER_NOT_EMPTY) {
        PetscCall(EngramInputError("-output_dir %s: the folder is not empty; choose another one, "
                                   "continue the run in it with -restart auto, or allow it with "
                                   "-output_overwrite",
                                   directory));
    } else if (outcome) {
        PetscCall(
            EngramInputError("-output_dir %s: cannot be made or listed (%s)", directory,
                             outcome > 0 ? strerror(outcome) : "no folder, or no permission"));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOutputCheck(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                 EngramOutputMode mode)
{
    PetscBool has_results = PETSC_FALSE;
    PetscFunctionBeginUser;
    const int outcome = grid->rank == 0 ? CheckOnRoot(parameters, mode, &has_results) : 0;
    PetscCall(ShareOutcome(grid, parameters->directory, mode, outcome));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramOutputPrepare(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                   EngramOutputMode mode)
{
    PetscBool has_results = PETSC_FALSE;
    int outcome = 0;
    PetscFunctionBeginUser;
    const char *directory = parameters->directory;
    if (grid->rank == 0) {
        outcome = EngramFileMakeFolders(directory);
    }
    PetscCall(EngramOutputLock(grid, parameters));
    if (grid->rank == 0 && !outcome) {
        /* Once more: until now the folder was free for all if there was none. */
        outcome = CheckOnRoot(parameters, mode, &has_results);
    }
    PetscCall(ShareOutcome(grid, directory, mode, outcome));
    if (has_results) {
        RemoveResults(directory, (PetscBool)(mode == ENGRAM_OUTPUT_AGAIN));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
