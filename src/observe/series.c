/* series.csv: one row every few steps, the first for the initial state, the last for the end. */
#include <math.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/base/notice.h"
#include "engram/observe/observer.h"
#include "text_file.h"

/* Rows reach the disk at least this often, so that a running job can be looked at. */
static const double FLUSH_SECONDS = 1.0;

typedef struct Series {
    TextFile file;
    const char *directory;
    double every;    /* interval of the rows in time; 0: by steps */
    double interval; /* in which the last row was */
    double flushed_at;
    PetscInt64 last_step;  /* of the last row */
    EngramCutOff *cut_off; /* the largest of all rows; borrowed from the first snapshot */
    uint64_t summed;       /* bytes that the checksum is of */
    uint64_t sum;
    PetscBool has_no_sum; /* the file was begun by a program that kept none */
} Series;

/* Words of a position: at the end the numbers of EngramCutOff. Older programs have the first two.
 */
enum {
    POSITION_BYTES,
    POSITION_STEP,
    POSITION_SUM,
    POSITION_CUT_OFF,
    POSITION_WORDS = POSITION_CUT_OFF + (int)(sizeof(EngramCutOff) / sizeof(uint64_t))
};

/* A time this close to a multiple of the interval, in units of it, is that multiple. */
static const double INTERVAL_TOLERANCE = 1e-9;

static double IntervalOf(const Series *series, double time)
{
    return series->every > 0.0 ? floor(time / series->every + INTERVAL_TOLERANCE) : 0.0;
}

static PetscErrorCode WriteRow(Series *series, const EngramSnapshot *snapshot)
{
    EngramDiagnostics diagnostics;
    PetscFunctionBeginUser;
    PetscCall(EngramSnapshotDiagnostics(snapshot, &diagnostics));
    EngramCutOffNote(&diagnostics.cut_off, snapshot->cut_off);
    series->cut_off = snapshot->cut_off;
    series->last_step = snapshot->step;
    series->interval = IntervalOf(series, snapshot->time);
    TextFilePrint(&series->file,
                  "%" PetscInt64_FMT ",%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%" PetscInt_FMT
                  ",%" PetscInt_FMT,
                  snapshot->step, snapshot->time, snapshot->dt, snapshot->total_rate,
                  diagnostics.mass_error, diagnostics.min_density, diagnostics.mean_weight,
                  diagnostics.var_weight, snapshot->coupling_iterations,
                  snapshot->coupling_solutions);
    if (snapshot->phase_name) {
        TextFilePrint(&series->file, ",%d", snapshot->phase);
    }
    TextFilePrint(&series->file, "\n");
    if (snapshot->clock - series->flushed_at > FLUSH_SECONDS) {
        series->flushed_at = snapshot->clock;
        /* A failure stays with the stream and is reported when the run has come to its end. */
        if (TextFileFlushOnRoot(&series->file)) {
            EngramNoticePost(ENGRAM_NOTICE_OUTPUT_FAILED);
        }
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartSeries(void *context, const EngramSnapshot *initial)
{
    Series *series = context;
    PetscFunctionBeginUser;
    PetscCall(TextFileOpen(initial->grid->comm, series->directory, "series.csv", &series->file));
    TextFilePrint(&series->file,
                  "step,time,dt,total_rate,mass_error,min_density,mean_weight,var_weight,"
                  "coupling_iterations,coupling_solutions%s\n",
                  initial->phase_name ? ",phase" : "");
    PetscCall(WriteRow(series, initial));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ObserveSeries(void *context, const EngramSnapshot *snapshot)
{
    Series *series = context;
    PetscFunctionBeginUser;
    const PetscInt64 every = (PetscInt64)snapshot->steering->present[ENGRAM_STEER_SERIES_EVERY];
    const PetscBool counts_steps = (PetscBool)(series->every == 0.0 || every > 1);
    const PetscBool is_due = (PetscBool)((counts_steps && snapshot->step % every == 0) ||
                                         IntervalOf(series, snapshot->time) > series->interval);
    if (is_due || snapshot->is_wanted) {
        PetscCall(WriteRow(series, snapshot));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StopSeries(void *context, const EngramSnapshot *last,
                                 const EngramOutcome *outcome)
{
    Series *series = context;
    PetscFunctionBeginUser;
    if (series->last_step != last->step && !outcome->departure) {
        PetscCall(WriteRow(series, last));
    }
    PetscCall(TextFileClose(&series->file));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SaveSeries(void *context, EngramPosition *position)
{
    Series *series = context;
    uint64_t bytes = 0;
    uint64_t *words = NULL;
    int failure = 0;
    PetscFunctionBeginUser;
    PetscCall(TextFileSync(&series->file, &bytes));
    if (series->file.rank == 0 && !series->has_no_sum) {
        failure = TextFileSumOnRoot(series->file.path, series->summed, bytes, &series->sum);
        series->summed = bytes;
    }
    PetscCall(EngramFileAgree(series->file.comm, &failure));
    if (failure) {
        PetscCall(EngramOutputError("cannot read %s again: %s", series->file.path,
                                    failure > 0 ? strerror(failure) : "it was cut"));
    }
    PetscCall(EngramPositionAdd(position, bytes));
    PetscCall(EngramPositionAdd(position, (uint64_t)series->last_step));
    if (!series->has_no_sum) {
        PetscCall(EngramPositionAdd(position, series->sum));
        PetscCall(EngramPositionExtend(position, POSITION_WORDS - POSITION_CUT_OFF, &words));
        memcpy(words, series->cut_off, sizeof(*series->cut_off));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode VerifySeries(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    const Series *series = context;
    PetscFunctionBeginUser;
    const PetscBool has_sum = (PetscBool)(position->count > POSITION_SUM);
    PetscCall(TextFileVerify(snapshot->grid->comm, series->directory, "series.csv",
                             position->count > 0 ? position->words[POSITION_BYTES] : 0,
                             has_sum ? &position->words[POSITION_SUM] : NULL));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ResumeSeries(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    Series *series = context;
    uint64_t words[POSITION_WORDS] = {0};
    PetscFunctionBeginUser;
    series->cut_off = snapshot->cut_off;
    memcpy(words + POSITION_CUT_OFF, series->cut_off, sizeof(*series->cut_off));
    for (PetscInt64 i = 0; i < PetscMin(position->count, POSITION_WORDS); i++) {
        words[i] = position->words[i];
    }
    PetscCall(TextFileResume(snapshot->grid->comm, series->directory, "series.csv",
                             words[POSITION_BYTES], &series->file));
    PetscCallMPI(MPI_Bcast(words, POSITION_WORDS, MPI_UINT64_T, 0, snapshot->grid->comm));
    memcpy(series->cut_off, words + POSITION_CUT_OFF, sizeof(*series->cut_off));
    series->last_step = (PetscInt64)words[POSITION_STEP];
    series->has_no_sum = (PetscBool)(position->count <= POSITION_SUM);
    series->summed = words[POSITION_BYTES];
    series->sum = words[POSITION_SUM];
    series->interval = IntervalOf(series, snapshot->time);
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroySeries(void *context)
{
    Series *series = context;
    PetscFunctionBeginUser;
    TextFileAbandon(&series->file);
    PetscCall(PetscFree(context));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramSeriesCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer)
{
    Series *series = NULL;
    PetscFunctionBeginUser;
    (void)grid;
    PetscCall(PetscNew(&series));
    series->directory = parameters->directory;
    series->every = parameters->series_interval;
    series->sum = TEXT_FILE_SUM;
    *observer = (EngramObserver){.name = "series",
                                 .context = series,
                                 .start = StartSeries,
                                 .observe = ObserveSeries,
                                 .stop = StopSeries,
                                 .destroy = DestroySeries,
                                 .save = SaveSeries,
                                 .verify = VerifySeries,
                                 .resume = ResumeSeries};
    PetscFunctionReturn(PETSC_SUCCESS);
}
