#include "engram/checkpoint/checkpoint_folder.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"

static const char *const NAME_FORMAT =
    "%s/" ENGRAM_CHECKPOINT_FOLDER "/checkpoint_%012" PRId64 ".h5";

/** Steps of the checkpoints of a folder. */
typedef struct StepList {
    int64_t *steps; /* owned, descending */
    int count;
    int failure; /* errno: the folder is there, and cannot be listed */
} StepList;

PetscErrorCode EngramCheckpointPath(const char *output_directory, PetscInt64 step, char *path,
                                    size_t size)
{
    PetscFunctionBeginUser;
    const int length = snprintf(path, size, NAME_FORMAT, output_directory, (int64_t)step);
    if (length < 0 || (size_t)length >= size) {
        PetscCall(EngramInputError("-output_dir %s: the path is too long", output_directory));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Step of a name such as checkpoint_000000000042.h5 with a further ending. @return -1: another */
static int64_t StepOf(const char *name, const char *ending)
{
    char again[64];
    int64_t step = -1;
    /* Whatever is read is written again and compared. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(name, "checkpoint_%" SCNd64, &step) != 1 || step < 0) {
        return -1;
    }
    (void)snprintf(again, sizeof(again), "checkpoint_%012" PRId64 ".h5%s", step, ending);
    return strcmp(name, again) == 0 ? step : -1;
}

static int Descending(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left < right) - (left > right);
}

/** Path of the folder, or of the link to it. */
static void OwnPath(const char *output_directory, char *path, size_t size)
{
    (void)snprintf(path, size, "%s/%s", output_directory, ENGRAM_CHECKPOINT_FOLDER);
}

/** Whether there is a link that leads nowhere. */
static PetscBool IsBrokenLink(const char *path)
{
    struct stat status;
    return (PetscBool)(lstat(path, &status) == 0 && S_ISLNK(status.st_mode) &&
                       stat(path, &status) != 0);
}

/** Lists the files with an ending in a folder, on one rank. */
static StepList ListFolder(const char *folder, const char *ending)
{
    StepList list = {NULL, 0, 0};
    DIR *opened = opendir(folder);
    if (!opened && (errno != ENOENT || IsBrokenLink(folder))) {
        list.failure = errno;
    }
    const struct dirent *entry = NULL;
    while (opened && (entry = readdir(opened)) != NULL) {
        const int64_t step = StepOf(entry->d_name, ending);
        int64_t *longer = NULL;
        if (step >= 0) {
            longer = realloc(list.steps, (size_t)(list.count + 1) * sizeof(*list.steps));
        }
        if (longer) {
            list.steps = longer;
            list.steps[list.count++] = step;
        }
    }
    if (opened) {
        (void)closedir(opened);
    }
    if (list.count > 0) {
        qsort(list.steps, (size_t)list.count, sizeof(*list.steps), Descending);
    }
    return list;
}

/** Lists the checkpoints of a run with an ending, on one rank. */
static StepList ListSteps(const char *output_directory, const char *ending)
{
    char folder[PETSC_MAX_PATH_LEN];
    OwnPath(output_directory, folder, sizeof(folder));
    return ListFolder(folder, ending);
}

/** Number of checkpoints in a folder. */
static int CountIn(const char *folder)
{
    StepList list = ListFolder(folder, "");
    free(list.steps);
    return list.count;
}

/* What can be the matter with a place. */
enum { IS_LOST = -1, IS_ELSEWHERE = -2, IS_OF_OTHERS = -3, IS_TAKEN = -4 };

static PetscBool IsAuto(const char *place)
{
    return (PetscBool)(strcmp(place, ENGRAM_CHECKPOINT_PLACE_AUTO) == 0);
}

/** On one rank. @return 0, or what is the matter */
static int CheckOnRoot(const char *own, const char *place, PetscBool replaces)
{
    if (IsBrokenLink(own)) {
        return replaces ? 0 : IS_LOST;
    }
    const PetscBool is_own = (PetscBool)(IsAuto(place) || EngramFileIsSame(own, place));
    if (!is_own && !replaces && CountIn(own) > 0) {
        return IS_ELSEWHERE;
    }
    if (EngramFileLockFolder(is_own ? own : place)) {
        return IS_TAKEN;
    }
    return !is_own && CountIn(place) > 0 ? IS_OF_OTHERS : 0;
}

/** Makes an outcome of one rank that of all, with a message. */
static PetscErrorCode SharePlace(MPI_Comm comm, const char *own, const char *place, int outcome)
{
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Bcast(&outcome, 1, MPI_INT, 0, comm));
    if (outcome == IS_LOST) {
        PetscCall(
            EngramInputError("%s leads to a folder that is not there; bring it back, or remove "
                             "the link to do without its checkpoints",
                             own));
    } else if (outcome == IS_ELSEWHERE) {
        PetscCall(
            EngramInputError("-checkpoint_dir %s: the run has its checkpoints in %s; leave the "
                             "option out, or move them there yourself",
                             place, own));
    } else if (outcome == IS_OF_OTHERS) {
        PetscCall(EngramInputError("-checkpoint_dir %s: holds checkpoints of another run; each run "
                                   "needs a folder of its own",
                                   place));
    } else if (outcome == IS_TAKEN) {
        PetscCall(
            EngramInputError("-checkpoint_dir %s: another run is writing its checkpoints into "
                             "this folder; each run needs one of its own",
                             IsAuto(place) ? own : place));
    } else if (outcome) {
        PetscCall(EngramOutputError("cannot make %s: %s", IsAuto(place) ? own : place,
                                    strerror(outcome)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointFolderCheck(MPI_Comm comm, const char *output_directory,
                                           const char *place, PetscBool replaces)
{
    char own[PETSC_MAX_PATH_LEN];
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    OwnPath(output_directory, own, sizeof(own));
    PetscCall(SharePlace(comm, own, place, rank == 0 ? CheckOnRoot(own, place, replaces) : 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Takes away an empty folder, or a link, that stands where the link will be. @return 0, or errno
 */
static int ClearOwn(const char *own)
{
    struct stat status;
    if (lstat(own, &status) != 0) {
        return errno == ENOENT ? 0 : errno;
    }
    return (S_ISLNK(status.st_mode) ? unlink(own) : rmdir(own)) == 0 ? 0 : errno;
}

/** On one rank. @return 0, errno, or what is the matter */
static int LinkOnRoot(const char *own, const char *place)
{
    struct stat status;
    if (IsBrokenLink(own)) {
        (void)unlink(own);
    }
    if (!IsAuto(place) && !EngramFileIsSame(own, place)) {
        int failure = EngramFileMakeFolders(place);
        char *target = failure ? NULL : realpath(place, NULL);
        failure = failure ? failure : ClearOwn(own);
        if (!failure && (!target || symlink(target, own) != 0)) {
            failure = errno;
        }
        free(target);
        if (failure) {
            return failure;
        }
    }
    const PetscBool is_link = (PetscBool)(lstat(own, &status) == 0 && S_ISLNK(status.st_mode));
    return is_link && EngramFileLockFolder(own) ? IS_TAKEN : 0;
}

PetscErrorCode EngramCheckpointFolderLink(MPI_Comm comm, const char *output_directory,
                                          const char *place)
{
    char own[PETSC_MAX_PATH_LEN];
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    OwnPath(output_directory, own, sizeof(own));
    PetscCall(SharePlace(comm, own, place, rank == 0 ? LinkOnRoot(own, place) : 0));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Removes the file of a step with an ending. */
static void RemoveStep(const char *output_directory, int64_t step, const char *ending)
{
    char path[PETSC_MAX_PATH_LEN];
    char ended[PETSC_MAX_PATH_LEN + 16];
    (void)snprintf(path, sizeof(path), NAME_FORMAT, output_directory, step);
    (void)snprintf(ended, sizeof(ended), "%s%s", path, ending);
    (void)remove(ended);
}

PetscErrorCode EngramCheckpointFolderPrepare(MPI_Comm comm, const char *output_directory)
{
    char folder[PETSC_MAX_PATH_LEN];
    PetscMPIInt rank = 0;
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    PetscCall(
        PetscSNPrintf(folder, sizeof(folder), "%s/%s", output_directory, ENGRAM_CHECKPOINT_FOLDER));
    if (rank == 0) {
        failure = EngramFileMakeFolders(folder);
        StepList parts = ListSteps(output_directory, ".part");
        for (int i = 0; i < parts.count; i++) {
            RemoveStep(output_directory, parts.steps[i], ".part");
        }
        free(parts.steps);
    }
    PetscCallMPI(MPI_Bcast(&failure, 1, MPI_INT, 0, comm));
    if (failure) {
        PetscCall(EngramOutputError("cannot make %s: %s", folder, strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramCheckpointFolderPrune(const char *output_directory, PetscInt keep)
{
    StepList list = ListSteps(output_directory, "");
    for (int i = (int)PetscMin(keep, list.count); i < list.count; i++) {
        RemoveStep(output_directory, list.steps[i], "");
    }
    free(list.steps);
}

void EngramCheckpointFolderCut(const char *output_directory, PetscInt64 step,
                               EngramCheckpointFate fate)
{
    StepList list = ListSteps(output_directory, "");
    for (int i = 0; i < list.count && list.steps[i] > step; i++) {
        if (fate == ENGRAM_CHECKPOINT_REMOVED) {
            RemoveStep(output_directory, list.steps[i], "");
        } else {
            char path[PETSC_MAX_PATH_LEN];
            char aside[PETSC_MAX_PATH_LEN + 16];
            (void)snprintf(path, sizeof(path), NAME_FORMAT, output_directory, list.steps[i]);
            (void)snprintf(aside, sizeof(aside), "%s.damaged", path);
            (void)rename(path, aside);
        }
    }
    free(list.steps);
}

/** The list of rank 0 on all ranks. */
static PetscErrorCode ShareSteps(MPI_Comm comm, const char *output_directory, StepList *list)
{
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    *list = rank == 0 ? ListSteps(output_directory, "") : (StepList){NULL, 0, 0};
    PetscCallMPI(MPI_Bcast(&list->failure, 1, MPI_INT, 0, comm));
    if (list->failure) {
        PetscCall(EngramInputError("-restart: %s/%s cannot be listed: %s; without it nobody knows "
                                   "where the run is",
                                   output_directory, ENGRAM_CHECKPOINT_FOLDER,
                                   strerror(list->failure)));
    }
    PetscCallMPI(MPI_Bcast(&list->count, 1, MPI_INT, 0, comm));
    if (rank != 0) {
        list->steps = malloc((size_t)(list->count + 1) * sizeof(*list->steps));
        PetscCheck(list->steps, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for a list of files");
    }
    PetscCallMPI(MPI_Bcast(list->steps, list->count, MPI_INT64_T, 0, comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointFolderHasLater(MPI_Comm comm, const char *output_directory,
                                              PetscInt64 step, PetscBool *has_later)
{
    StepList list;
    PetscFunctionBeginUser;
    PetscCall(ShareSteps(comm, output_directory, &list));
    *has_later = (PetscBool)(list.count > 0 && list.steps[0] > step);
    free(list.steps);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramCheckpointFolderNewest(MPI_Comm comm, const char *output_directory, char *path,
                                            size_t size, EngramCheckpointHead *head,
                                            PetscBool *is_found)
{
    StepList list;
    char reason[ENGRAM_CHECKPOINT_REASON] = "";
    PetscFunctionBeginUser;
    PetscCall(ShareSteps(comm, output_directory, &list));
    const int count = list.count;
    *is_found = PETSC_FALSE;
    for (int i = 0; i < count && !*is_found; i++) {
        PetscCall(EngramCheckpointPath(output_directory, list.steps[i], path, size));
        PetscCall(EngramCheckpointVerify(comm, path, head, reason));
        *is_found = (PetscBool)(reason[0] == '\0');
        if (!*is_found) {
            PetscCall(EngramWarning("%s is damaged (%s)%s", path, reason,
                                    i + 1 < count ? "; trying the one before" : ""));
        }
    }
    free(list.steps);
    if (count > 0 && !*is_found) {
        PetscCall(EngramInputError("-restart auto: none of the %d checkpoints in %s/%s can be "
                                   "used; start over in another -output_dir",
                                   count, output_directory, ENGRAM_CHECKPOINT_FOLDER));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}
