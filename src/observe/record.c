/* case.yaml, every option as used, at the start; summary.yaml, how the run went, at the end. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/observe/observer.h"
#include "text_file.h"

typedef struct Record {
    EngramOutputParameters parameters;
} Record;

/** A YAML scalar: numbers and truth values as they are, anything else in double quotes. */
static void PrintScalar(TextFile *file, const EngramOption *option, const char *text)
{
    char *end = NULL;
    const PetscBool is_number =
        (PetscBool)(option && option->kind == ENGRAM_OPTION_EXPRESSION &&
                    isfinite(strtod(text, &end)) && end != text && *end == '\0');
    const PetscBool is_plain =
        (PetscBool)(option && text[0] &&
                    (option->kind == ENGRAM_OPTION_REAL || option->kind == ENGRAM_OPTION_INTEGER ||
                     option->kind == ENGRAM_OPTION_BOOLEAN));
    if (is_plain || is_number) {
        TextFilePrint(file, "%s", text);
        return;
    }
    if (option && option->kind == ENGRAM_OPTION_BOOLEAN) {
        TextFilePrint(file, "true");
        return;
    }
    TextFilePrint(file, "\"");
    for (const char *at = text; *at; at++) {
        TextFilePrint(file, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    }
    TextFilePrint(file, "\"");
}

static PetscErrorCode WriteCase(const EngramGrid *grid, const EngramOutputParameters *parameters)
{
    TextFile file;
    PetscFunctionBeginUser;
    memset(&file, 0, sizeof(file));
    PetscCall(TextFileOpenWhole(grid->comm, parameters->directory, "case.yaml", &file));
    TextFilePrint(&file, "# Every option as used by engram %s (%s), for running it again.\n",
                  EngramProvenanceText(&parameters->provenance, "version"),
                  EngramProvenanceText(&parameters->provenance, "revision"));
    for (int i = 0; i < EngramOptionsCount(parameters->options); i++) {
        const EngramOptionRecord record = EngramOptionsRecordAt(parameters->options, i);
        if (record.is_command) {
            continue;
        }
        TextFilePrint(&file, "%s: ", record.option->name);
        PrintScalar(&file, record.option, record.value);
        TextFilePrint(&file, "%s\n", record.is_default ? "  # default" : "");
    }
    for (int i = 0; i < EngramOptionsForeignCount(parameters->options); i++) {
        TextFilePrint(&file, "%s: ", EngramOptionsForeignName(parameters->options, i));
        PrintScalar(&file, NULL, EngramOptionsForeignValue(parameters->options, i));
        TextFilePrint(&file, "\n");
    }
    PetscCall(TextFileClose(&file));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StartRecord(void *context, const EngramSnapshot *initial)
{
    Record *record = context;
    PetscFunctionBeginUser;
    PetscCall(WriteCase(initial->grid, &record->parameters));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** What the run knows of its own error, where it was asked. */
static void PrintEstimate(TextFile *file, const EngramErrorEstimate *estimate)
{
    if (!estimate->is_wanted) {
        return;
    }
    if (estimate->reason[0]) {
        TextFilePrint(file, "error_estimate: unknown\nerror_estimate_reason: ");
        PrintScalar(file, NULL, estimate->reason);
        TextFilePrint(file, "\n");
    } else {
        TextFilePrint(file, "error_estimate: %.6g\n", estimate->error);
    }
    if (isfinite(estimate->difference)) {
        TextFilePrint(file, "error_estimate_difference: %.6g\n", estimate->difference);
    }
    if (estimate->v_cells > 0) {
        TextFilePrint(file, "error_estimate_cells: \"%" PetscInt_FMT " x %" PetscInt_FMT "\"\n",
                      estimate->v_cells, estimate->w_cells);
    }
}

/** What the ends of the axes cut off, at most. */
static void PrintCutOff(TextFile *file, const EngramCutOff *cut_off)
{
    static const char *const names[ENGRAM_CUT_OFF_COUNT] = {"v_min", "w_min", "w_max"};
    for (int i = 0; i < ENGRAM_CUT_OFF_COUNT; i++) {
        TextFilePrint(file, "cut_off_%s: %.6g\n", names[i], cut_off->share[i]);
    }
}

/** All warnings of this start of the program. */
static void PrintWarnings(TextFile *file)
{
    const int count = EngramWarningCount();
    TextFilePrint(file, count > 0 ? "warnings:\n" : "warnings: []\n");
    for (int i = 0; i < count; i++) {
        TextFilePrint(file, "  - ");
        PrintScalar(file, NULL, EngramWarningText(i));
        TextFilePrint(file, "\n");
    }
}

static void PrintOutcome(TextFile *file, const EngramSnapshot *last, const EngramOutcome *outcome)
{
    const EngramGrid *grid = last->grid;
    const double cells = (double)grid->v_nodes * (double)grid->w_cells;
    const double updates = cells * (double)PetscMax(outcome->steps_done - outcome->first_step, 1);
    TextFilePrint(file, "status: %s\n", outcome->is_complete ? "done" : "stopped");
    if (outcome->failure) {
        TextFilePrint(file, "reason: \"%s\"\n", outcome->failure);
    }
    if (outcome->has_blown_up) {
        TextFilePrint(file, "blowup_time: %.17g\n", outcome->blowup_time);
    }
    if (outcome->steady_states >= 0) {
        TextFilePrint(file, "steady_states: %" PetscInt64_FMT "\n", outcome->steady_states);
    }
    TextFilePrint(file, "steps: %" PetscInt64_FMT "\nmean_step: %.6g\n", outcome->steps_done,
                  last->time / (double)PetscMax(outcome->steps_done, 1));
    if (last->tolerance > 0.0) {
        TextFilePrint(file, "time_tolerance: %g\nsteps_above_tolerance: %" PetscInt64_FMT "\n",
                      last->tolerance, outcome->unmet);
    } else {
        TextFilePrint(file, "parts_of_steps: %" PetscInt64_FMT "\n",
                      PetscMax(outcome->parts, outcome->steps_done));
    }
    TextFilePrint(file,
                  "slice_solves: %" PetscInt64_FMT "\ntransport_substeps: %" PetscInt64_FMT "\n",
                  outcome->solves, outcome->substeps);
    TextFilePrint(file,
                  "rejected_steps: %" PetscInt64_FMT "\ncoupling_iterations: %" PetscInt64_FMT
                  "\nsteps_with_several_rates: %" PetscInt64_FMT "\n",
                  outcome->rejected, outcome->coupling_iterations, outcome->ambiguous);
    TextFilePrint(file, "ranks: %d\nv_cells: %" PetscInt_FMT "\nw_cells: %" PetscInt_FMT "\n",
                  grid->size, grid->v_nodes + 1, grid->w_cells);
    TextFilePrint(file, "wall_seconds: %.6g\nstep_seconds: %.6g\n", outcome->wall_seconds,
                  outcome->step_seconds);
    TextFilePrint(file, "ns_per_cell_and_step: %.6g\n", 1e9 * outcome->step_seconds / updates);
    TextFilePrint(file, "checkpoints: %" PetscInt64_FMT "\ncheckpoint_seconds: %.6g\n",
                  outcome->checkpoints, outcome->checkpoint_seconds);
    PrintEstimate(file, &outcome->estimate);
    if (last->steering->is_used) {
        TextFilePrint(file, "insitu_failures: %" PetscInt64_FMT "\n", last->steering->failures);
    }
}

/** Checksums of the files that options name. */
static void PrintFiles(TextFile *file, const EngramFileSums *files)
{
    if (files->count > 0) {
        TextFilePrint(file, "files:\n");
    }
    for (int i = 0; i < files->count; i++) {
        TextFilePrint(file, "  %s: \"%016" PRIx64 "\"\n", files->list[i].option,
                      files->list[i].checksum);
    }
}

static PetscErrorCode StopRecord(void *context, const EngramSnapshot *last,
                                 const EngramOutcome *outcome)
{
    TextFile file;
    EngramDiagnostics diagnostics;
    Record *record = context;
    const EngramOutputParameters *parameters = &record->parameters;
    PetscFunctionBeginUser;
    if (outcome->departure) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    memset(&file, 0, sizeof(file));
    PetscCall(EngramSnapshotDiagnostics(last, &diagnostics));
    PetscCall(TextFileOpenWhole(last->grid->comm, parameters->directory, "summary.yaml", &file));
    PrintOutcome(&file, last, outcome);
    TextFilePrint(&file, "time: %.17g\ntotal_rate: %.17g\nmass_error: %.17g\nmin_density: %.17g\n",
                  last->time, last->total_rate, diagnostics.mass_error, diagnostics.min_density);
    TextFilePrint(&file, "mean_weight: %.17g\nvar_weight: %.17g\n", diagnostics.mean_weight,
                  diagnostics.var_weight);
    PrintCutOff(&file, last->cut_off);
    PrintWarnings(&file);
    PrintFiles(&file, &parameters->files);
    TextFilePrint(&file, "slice_solver: \"%s\"\nprovenance:\n", parameters->solver);
    for (int i = 0; i < parameters->provenance.count; i++) {
        const EngramProvenanceEntry *entry = &parameters->provenance.entries[i];
        TextFilePrint(&file, "  %s: \"%s\"\n", entry->name, entry->text);
    }
    PetscCall(TextFileClose(&file));
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** The case may have another end or other outputs than before. */
static PetscErrorCode ResumeRecord(void *context, const EngramSnapshot *snapshot,
                                   const EngramPosition *position)
{
    char path[PETSC_MAX_PATH_LEN];
    const Record *record = context;
    PetscFunctionBeginUser;
    (void)position;
    PetscCall(StartRecord(context, snapshot));
    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/summary.yaml", record->parameters.directory));
    if (snapshot->grid->rank == 0) {
        /* It is that of an end which is none any more. */
        (void)remove(path);
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DestroyRecord(void *context)
{
    PetscFunctionBeginUser;
    PetscCall(PetscFree(context));
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramRecordCreate(const EngramGrid *grid, const EngramOutputParameters *parameters,
                                  EngramObserver *observer)
{
    Record *record = NULL;
    PetscFunctionBeginUser;
    (void)grid;
    PetscCall(PetscNew(&record));
    record->parameters = *parameters;
    *observer = (EngramObserver){.name = "record",
                                 .context = record,
                                 .start = StartRecord,
                                 .stop = StopRecord,
                                 .destroy = DestroyRecord,
                                 .resume = ResumeRecord};
    PetscFunctionReturn(PETSC_SUCCESS);
}
