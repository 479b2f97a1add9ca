#include "deadline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engram/base/error.h"

static const double SECONDS_OF_DAY = 86400.0;

/* Kept beside what checkpoints and steps take: this part of the whole time, within bounds. */
static const double MARGIN_PART = 0.02;
static const double MARGIN_SHORTEST = 0.5;
static const double MARGIN_LONGEST = 30.0;

/* One checkpoint may take this much longer than the longest so far. */
static const double CHECKPOINT_FACTOR = 2.0;

/* Part of the time after which the cost of a checkpoint is to be known. */
static const double MEASURED_PART = 0.5;

/* Steps that may pass before all ranks know. */
static const double STEPS_TO_AGREE = 2.0;

/* Digits of a number that is meant. */
enum { LONGEST_NUMBER = 9 };

/** Reads up to three whole numbers separated by colons. @return their count, or 0 */
static int ParseNumbers(const char *text, double *numbers)
{
    int count = 0;
    const char *at = text;
    while (count < 3) {
        char *end = NULL;
        if (*at < '0' || *at > '9') {
            return 0;
        }
        numbers[count++] = (double)strtoul(at, &end, 10);
        if (end - at > LONGEST_NUMBER) {
            return 0;
        }
        if (*end == '\0') {
            return count;
        }
        if (*end != ':') {
            return 0;
        }
        at = end + 1;
    }
    return 0;
}

double DeadlineParse(const char *text)
{
    double numbers[3] = {0.0, 0.0, 0.0};
    const char *dash = strchr(text, '-');
    if (dash) {
        char days[16];
        double day[3] = {0.0, 0.0, 0.0};
        const size_t length = (size_t)(dash - text);
        if (length >= sizeof(days)) {
            return -1.0;
        }
        memcpy(days, text, length);
        days[length] = '\0';
        if (ParseNumbers(days, day) != 1 || ParseNumbers(dash + 1, numbers) == 0) {
            return -1.0;
        }
        return SECONDS_OF_DAY * day[0] + 3600.0 * numbers[0] + 60.0 * numbers[1] + numbers[2];
    }
    switch (ParseNumbers(text, numbers)) {
    case 1:
        return 60.0 * numbers[0];
    case 2:
        return 60.0 * numbers[0] + numbers[1];
    case 3:
        return 3600.0 * numbers[0] + 60.0 * numbers[1] + numbers[2];
    default:
        return -1.0;
    }
}

/** What an answer of squeue says of the time left, in seconds; negative where it says nothing. */
static double LeftByQueue(const char *answer)
{
    if (strcmp(answer, "UNLIMITED") == 0 || strcmp(answer, "NOT_SET") == 0) {
        return INFINITY;
    }
    /* The limit has passed: SLURM looks at limits every 30 s only. */
    return strcmp(answer, "INVALID") == 0 ? 0.0 : DeadlineParse(answer);
}

/** What squeue says of the time left, in seconds; negative where it says nothing. */
static double AskQueue(const char *job)
{
    char command[128];
    char answer[64] = "";
    if (strspn(job, "0123456789") != strlen(job) || strlen(job) > 32) {
        return -1.0;
    }
    /* The queue may be slow to answer; the run does not wait for it long. */
    (void)snprintf(command, sizeof(command), "timeout 20 squeue -h -j %s -o %%L 2>/dev/null", job);
    FILE *stream = popen(command, "r"); /* NOLINT(cert-env33-c): the job's number is digits */
    if (!stream) {
        return -1.0;
    }
    if (fgets(answer, sizeof(answer), stream)) {
        answer[strcspn(answer, " \n")] = '\0';
    }
    (void)pclose(stream);
    return LeftByQueue(answer);
}

/**
 * Time that is left to the SLURM job; infinity where there is no job, or it has no limit; negative
 * where nobody knows.
 */
static double LeftToJob(void)
{
    const char *job = getenv("SLURM_JOB_ID");
    const char *end = getenv("SLURM_JOB_END_TIME");
    if (!job) {
        return INFINITY;
    }
    if (end && end[0] >= '1' && end[0] <= '9') {
        /* In whole seconds of the clock it would be up to one too much. */
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        const double left = strtod(end, NULL) - (double)now.tv_sec;
        return PetscMax(left - 1e-9 * (double)now.tv_nsec, 0.0);
    }
    return AskQueue(job);
}

/** Time of MPI_Wtime at which the job ends. It is asked for once, since the queue may be slow. */
static double EndOfJob(void)
{
    static double ends_at = -1.0;
    if (ends_at < 0.0) {
        /* An answer may come late; it is true of a moment after the question. */
        const double now = MPI_Wtime();
        const double left = LeftToJob();
        ends_at = left < 0.0 ? INFINITY : now + left;
        if (left < 0.0) {
            (void)EngramWarning("squeue does not say when SLURM job %s ends: the run leaves on its "
                                "signals, or at the time that -walltime gives it",
                                getenv("SLURM_JOB_ID"));
        }
    }
    return ends_at;
}

PetscErrorCode DeadlineCheck(const char *walltime)
{
    PetscFunctionBeginUser;
    const PetscBool is_word =
        (PetscBool)(strcmp(walltime, "auto") == 0 || strcmp(walltime, "none") == 0);
    if (!is_word && !(DeadlineParse(walltime) > 0.0)) {
        PetscCall(EngramInputError("-walltime %s: must be auto, none, or a length of time as in 90 "
                                   "(minutes), 01:55:00 or 1-12:00:00",
                                   walltime));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DeadlineFind(MPI_Comm comm, const char *walltime, double started, double checkpoint,
                            Deadline *deadline)
{
    PetscMPIInt rank = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    *deadline =
        (Deadline){.ends_at = INFINITY, .measure_at = INFINITY, .longest_checkpoint = checkpoint};
    if (strcmp(walltime, "none") == 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    if (rank != 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double total = strcmp(walltime, "auto") == 0 ? INFINITY : DeadlineParse(walltime);
    const double job_end = EndOfJob();
    const double now = MPI_Wtime();
    deadline->ends_at = PetscMin(job_end, started + total);
    deadline->is_of_job = (PetscBool)(job_end < started + total);
    const double left = PetscMax(deadline->ends_at - now, 0.0);
    deadline->measure_at = now + MEASURED_PART * left;
    deadline->margin_least =
        isfinite(left) ? PetscMin(PetscMax(MARGIN_PART * left, MARGIN_SHORTEST), MARGIN_LONGEST)
                       : 0.0;
    PetscFunctionReturn(PETSC_SUCCESS);
}

void DeadlineNoteStep(Deadline *deadline, double seconds)
{
    deadline->longest_step = PetscMax(deadline->longest_step, seconds);
}

void DeadlineNoteCheckpoint(Deadline *deadline, double seconds)
{
    deadline->longest_checkpoint = PetscMax(deadline->longest_checkpoint, seconds);
    deadline->measure_at = INFINITY;
}

PetscBool DeadlineWantsCheckpoint(const Deadline *deadline, double now)
{
    return (PetscBool)(now >= deadline->measure_at);
}

PetscBool DeadlineIsNear(const Deadline *deadline, double now)
{
    const double margin = deadline->margin_least + STEPS_TO_AGREE * deadline->longest_step +
                          CHECKPOINT_FACTOR * deadline->longest_checkpoint;
    return (PetscBool)(now + margin >= deadline->ends_at);
}
