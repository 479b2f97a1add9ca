/* A progress line on a terminal, a few log lines elsewhere, and a closing summary. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "engram/base/error.h"
#include "engram/observe/observer.h"

static const double TERMINAL_SECONDS = 0.25;
static const double LOG_SECONDS = 60.0;
static const double LOG_FRACTION = 0.25;

typedef struct Progress {
    PetscBool is_terminal;
    PetscMPIInt rank;
    const char *directory;
    char solver[128];
    double started_at;
    double printed_at;
    double printed_fraction;
    double start_fraction; /* done by earlier starts */
} Progress;

static void FormatSeconds(double seconds, char *text, size_t size)
{
    const long whole = (long)(seconds + 0.5);
    if (whole < 3600) {
        (void)snprintf(text, size, "%ld:%02ld", whole / 60, whole % 60);
    } else {
        (void)snprintf(text, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    }
}

static PetscErrorCode StartProgress(void *context, const EngramSnapshot *initial)
{
    Progress *progress = context;
    PetscFunctionBeginUser;
    const EngramGrid *grid = initial->grid;
    progress->started_at = MPI_Wtime();
    progress->printed_at = progress->started_at;
    progress->start_fraction = initial->time / initial->end_time;
    progress->printed_fraction = progress->start_fraction;
    if (progress->rank == 0) {
        (void)fprintf(stderr,
                      "engram: %" PetscInt_FMT " x %" PetscInt_FMT " cells (v x w) on %d rank%s, "
                      "%s, slices by %s, results in %s\n",
                      grid->v_nodes + 1, grid->w_cells, grid->size, grid->size > 1 ? "s" : "",
                      initial->plan, progress->solver, progress->directory);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void PrintLine(const Progress *progress, const EngramSnapshot *snapshot, double fraction)
{
    char elapsed[32];
    char remaining[32];
    const double seconds = MPI_Wtime() - progress->started_at;
    FormatSeconds(seconds, elapsed, sizeof(elapsed));
    FormatSeconds(seconds * (1.0 - fraction) / (fraction - progress->start_fraction), remaining,
                  sizeof(remaining));
    char steps[32] = "";
    if (snapshot->steps > 0) {
        (void)snprintf(steps, sizeof(steps), "/%" PetscInt64_FMT, snapshot->steps);
    } else if (snapshot->dt > 0.0) {
        const double to_go = ceil((snapshot->end_time - snapshot->time) / snapshot->dt);
        (void)snprintf(steps, sizeof(steps), " of about %.3g", (double)snapshot->step + to_go);
    }
    (void)fprintf(stderr,
                  "%sengram: step %" PetscInt64_FMT
                  "%s  t = %.6g  Nbar = %.6g  %3.0f %%  elapsed %s, %s to go%s",
                  progress->is_terminal ? "\r\033[K" : "", snapshot->step, steps, snapshot->time,
                  snapshot->total_rate, 100.0 * fraction, elapsed, remaining,
                  progress->is_terminal ? "" : "\n");
    (void)fflush(stderr);
}

static PetscErrorCode ObserveProgress(void *context, const EngramSnapshot *snapshot)
{
    Progress *progress = context;
    PetscFunctionBeginUser;
    if (progress->rank != 0) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    const double now = snapshot->clock;
    const double fraction = snapshot->time / snapshot->end_time;
    const PetscBool is_due =
        progress->is_terminal ? (PetscBool)(now - progress->printed_at >= TERMINAL_SECONDS)
                              : (PetscBool)(now - progress->printed_at >= LOG_SECONDS ||
                                            fraction - progress->printed_fraction >= LOG_FRACTION);
    if (is_due && !snapshot->is_last) {
        PrintLine(progress, snapshot, fraction);
        progress->printed_at = now;
        progress->printed_fraction = fraction;
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *EndOf(const EngramOutcome *outcome)
{
    if (outcome->departure) {
        return "left, to be continued,";
    }
    return outcome->is_complete ? "done" : "stopped";
}

static PetscErrorCode StopProgress(void *context, const EngramSnapshot *last,
                                   const EngramOutcome *outcome)
{
    Progress *progress = context;
    EngramDiagnostics diagnostics;
    PetscFunctionBeginUser;
    PetscCall(EngramSnapshotDiagnostics(last, &diagnostics));
    if (progress->rank == 0 && last->is_wanted && outcome->steady_states >= 0) {
        (void)fprintf(
            stderr,
            "engram: %s, %" PetscInt64_FMT " steady state%s: mass error %.1e, min density "
            "%.1e\n",
            EndOf(outcome), outcome->steady_states, outcome->steady_states == 1 ? "" : "s",
            diagnostics.mass_error, diagnostics.min_density);
    } else if (progress->rank == 0) {
        const double cells = (double)last->grid->v_nodes * (double)last->grid->w_cells;
        const double updates =
            cells * (double)PetscMax(outcome->steps_done - outcome->first_step, 1);
        (void)fprintf(stderr,
                      "%sengram: %s at t = %g: Nbar = %.10g, mass error %.1e, min density %.1e, "
                      "mean weight %.6g\n"
                      "engram: %.2f s for %" PetscInt64_FMT " steps, %.2f ns per cell and step "
                      "(%.2f without output)\n",
                      progress->is_terminal ? "\r\033[K" : "", EndOf(outcome), last->time,
                      last->total_rate, diagnostics.mass_error, diagnostics.min_density,
                      diagnostics.mean_weight, outcome->wall_seconds,
                      outcome->steps_done - outcome->first_step,
                      1e9 * outcome->wall_seconds / updates, 1e9 * outcome->step_seconds / updates);
        (void)fflush(stderr);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ResumeProgress(void *context, const EngramSnapshot *snapshot,
                                     const EngramPosition *position)
{
    PetscFunctionBeginUser;
    (void)position;
    PetscCall(StartProgress(context, snapshot));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyProgress(void *context)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree(context));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramProgressCreate(const EngramGrid *grid,
                                    const EngramOutputParameters *parameters,
                                    EngramObserver *observer)
{
    Progress *progress = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&progress));
    progress->rank = grid->rank;
    progress->is_terminal = (PetscBool)isatty(STDERR_FILENO);
    progress->directory = parameters->directory;
    PetscCall(PetscStrncpy(progress->solver, parameters->solver, sizeof(progress->solver)));
    *observer = (EngramObserver){.name = "progress",
                                 .context = progress,
                                 .start = StartProgress,
                                 .observe = ObserveProgress,
                                 .stop = StopProgress,
                                 .destroy = DestroyProgress,
                                 .resume = ResumeProgress};
    PetscFunctionReturn(PETSC_SUCCESS);
}
