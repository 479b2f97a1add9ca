/* status.yaml: how far a run is, for those who look from outside; replaced as a whole. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/base/notice.h"
#include "engram/observe/observer.h"
#include "text_file.h"

static const char *const FILE_NAME = "status.yaml";

/* Wall time after which the file is renewed. */
static const double INTERVAL_SECONDS = 5.0;

enum { LONGEST_STATUS = 4096 };

typedef struct Status {
    const char *directory;
    PetscMPIInt rank;
    char host[256];
    char job[128];
    double started_at; /* wall time */
    double written_at;
    double start_time;
    const char *checkpoint; /* that the file tells of */
    double checkpoint_time;
} Status;

/** Text under construction; what does not fit is left out. */
typedef struct Page {
    char text[LONGEST_STATUS];
    size_t length;
} Page;

PETSC_ATTRIBUTE_FORMAT(2, 3) static void Print(Page *page, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int added =
        vsnprintf(page->text + page->length, sizeof(page->text) - page->length, format, arguments);
    va_end(arguments);
    if (added > 0 && page->length + (size_t)added < sizeof(page->text)) {
        page->length += (size_t)added;
    } else {
        page->text[page->length] = '\0';
    }
}

/** A line with a quoted text. */
static void PrintText(Page *page, const char *name, const char *text)
{
    Print(page, "%s: \"", name);
    for (const char *at = text; *at; at++) {
        Print(page, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at == '\n' ? ' ' : *at);
    }
    Print(page, "\"\n");
}

static void PrintNow(Page *page)
{
    char text[32];
    struct tm utc;
    const time_t now = time(NULL);
    if (gmtime_r(&now, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0) {
        PrintText(page, "updated", text);
    }
}

static void PrintSnapshot(Page *page, const Status *status, const EngramSnapshot *snapshot)
{
    Print(page, "time: %.17g\nend_time: %.17g\n", snapshot->time, snapshot->end_time);
    if (snapshot->phase_name) {
        PrintText(page, "phase", snapshot->phase_name);
    }
    Print(page, "step: %" PetscInt64_FMT "\nsteps: %" PetscInt64_FMT "\n", snapshot->step,
          snapshot->steps);
    Print(page, "start_time: %.17g\nwall_seconds: %.6g\n", status->start_time,
          MPI_Wtime() - status->started_at);
    Print(page, "total_rate: %.17g\n", snapshot->total_rate);
    if (snapshot->checkpoint) {
        PrintText(page, "checkpoint", snapshot->checkpoint);
        Print(page, "checkpoint_time: %.17g\n", snapshot->checkpoint_time);
        PrintText(page, "checkpoint_written", snapshot->checkpoint_written);
    }
    PrintNow(page);
    Print(page, "ranks: %d\n", snapshot->grid->size);
    PrintText(page, "host", status->host);
    Print(page, "pid: %ld\n", (long)getpid());
    PrintText(page, "job", status->job);
}

/** Writes the file on rank 0. @return 0, or errno */
static int WriteStatus(Status *status, const EngramSnapshot *snapshot, const char *state,
                       const char *reason)
{
    Page page = {.length = 0};
    Print(&page, "status: %s\n", state);
    if (reason) {
        PrintText(&page, "reason", reason);
    }
    PrintSnapshot(&page, status, snapshot);
    status->written_at = MPI_Wtime();
    status->checkpoint = snapshot->checkpoint;
    status->checkpoint_time = snapshot->checkpoint_time;
    return TextFileReplaceOnRoot(status->directory, FILE_NAME, page.text);
}

static PetscErrorCode StartStatus(void *context, const EngramSnapshot *initial)
{
    Status *status = context;
    int failure = 0;
    PetscFunctionBeginUser;
    status->started_at = MPI_Wtime();
    status->start_time = initial->time;
    if (status->rank == 0) {
        failure = WriteStatus(status, initial, "running", NULL);
    }
    PetscCallMPI(MPI_Bcast(&failure, 1, MPI_INT, 0, initial->grid->comm));
    if (failure) {
        PetscCall(EngramOutputError("cannot write %s/%s: %s", status->directory, FILE_NAME,
                                    strerror(failure)));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ObserveStatus(void *context, const EngramSnapshot *snapshot)
{
    Status *status = context;
    PetscFunctionBeginUser;
    if (status->rank != 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const PetscBool is_news = (PetscBool)(snapshot->checkpoint != status->checkpoint ||
                                          snapshot->checkpoint_time != status->checkpoint_time);
    if (is_news || snapshot->clock - status->written_at >= INTERVAL_SECONDS) {
        /* It may succeed the next time; what the run is about is written by others. */
        (void)WriteStatus(status, snapshot, "running", NULL);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *StateOf(const EngramOutcome *outcome)
{
    if (outcome->departure) {
        return outcome->is_requeued ? "requeued" : "interrupted";
    }
    if (outcome->is_complete) {
        return "done";
    }
    if (outcome->has_blown_up) {
        return "blown up";
    }
    return outcome->steady_states >= 0 ? "stopped" : "not finite";
}

static PetscErrorCode StopStatus(void *context, const EngramSnapshot *last,
                                 const EngramOutcome *outcome)
{
    Status *status = context;
    PetscFunctionBeginUser;
    if (status->rank == 0) {
        const char *reason = outcome->departure ? outcome->departure : outcome->failure;
        (void)WriteStatus(status, last, StateOf(outcome), reason);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ResumeStatus(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    PetscFunctionBeginUser;
    (void)position;
    PetscCall(StartStatus(context, snapshot));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyStatus(void *context)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree(context));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The job of a batch system that the run belongs to, or an empty text. */
static void FindJob(char *text, size_t size)
{
    const char *job = getenv("SLURM_ARRAY_JOB_ID");
    const char *task = getenv("SLURM_ARRAY_TASK_ID");
    if (job && task) {
        (void)snprintf(text, size, "%s_%s", job, task);
        return;
    }
    job = getenv("SLURM_JOB_ID");
    (void)snprintf(text, size, "%s", job ? job : "");
}

/** Turns "running" into "failed" in place: a full disk has no room for another file. */
static void OverwriteState(const char *path)
{
    static const char running[] = "status: running\n";
    static const char failed[] = "status: failed \n";
    char line[sizeof(running)] = "";
    FILE *stream = fopen(path, "r+");
    if (!stream) {
        return;
    }
    if (fgets(line, sizeof(line), stream) && strcmp(line, running) == 0 &&
        fseek(stream, 0, SEEK_SET) == 0) {
        (void)fputs(failed, stream);
    }
    (void)fclose(stream);
}

void EngramStatusNoteFailure(const char *directory, const char *reason)
{
    char path[PETSC_MAX_PATH_LEN];
    char line[512];
    Page page = {.length = 0};
    (void)snprintf(path, sizeof(path), "%s/%s", directory, FILE_NAME);
    FILE *stream = fopen(path, "r");
    if (!stream) {
        return;
    }
    Print(&page, "status: failed\n");
    PrintText(&page, "reason", reason);
    while (fgets(line, sizeof(line), stream)) {
        if (strncmp(line, "status:", 7) != 0 && strncmp(line, "reason:", 7) != 0) {
            Print(&page, "%s", line);
        }
    }
    (void)fclose(stream);
    if (TextFileReplaceOnRoot(directory, FILE_NAME, page.text)) {
        OverwriteState(path);
    }
}

PetscErrorCode EngramStatusCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer)
{
    Status *status = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&status));
    status->directory = parameters->directory;
    status->rank = grid->rank;
    PetscCall(PetscGetHostName(status->host, sizeof(status->host)));
    FindJob(status->job, sizeof(status->job));
    *observer = (EngramObserver){.name = "status",
                                 .context = status,
                                 .start = StartStatus,
                                 .observe = ObserveStatus,
                                 .stop = StopStatus,
                                 .destroy = DestroyStatus,
                                 .resume = ResumeStatus};
    PetscFunctionReturn(PETSC_SUCCESS);
}
