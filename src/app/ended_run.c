#include "ended_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/checkpoint/checkpoint_case.h"
#include "protocol.h"

/* Times this close to each other, relative, are the same. */
static const double TIME_TOLERANCE = 1e-12;

/* Longest line of a file that is looked at: a name and a value whose every byte is escaped. */
enum { LONGEST_LINE = 2 * ENGRAM_OPTION_LENGTH + 128 };

/* Longest file; longer ones are not the program's. */
static const long LONGEST_FILE = 1 << 24;

/** A file that the program wrote, as text; empty where there is none. */
typedef struct Record {
    char *text; /* owned */
} Record;

/** The whole file on one rank, or an empty text. @return NULL: no memory */
static char *ReadWhole(const char *path, int *size)
{
    FILE *stream = fopen(path, "rb");
    long length = stream && fseek(stream, 0, SEEK_END) == 0 ? ftell(stream) : 0;
    length = length > 0 && length < LONGEST_FILE ? length : 0;
    char *text = malloc((size_t)length + 1);
    if (text && stream && length > 0) {
        rewind(stream);
        length = (long)fread(text, 1, (size_t)length, stream);
    }
    if (text) {
        text[length] = '\0';
    }
    if (stream) {
        (void)fclose(stream);
    }
    *size = (int)length + 1;
    return text;
}

static PetscErrorCode OpenRecord(MPI_Comm comm, const char *directory, const char *name,
                                 Record *record)
{
    char path[PETSC_MAX_PATH_LEN + 32];
    PetscMPIInt rank = 0;
    int size = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(comm, &rank));
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    record->text = rank == 0 ? ReadWhole(path, &size) : NULL;
    PetscCallMPI(MPI_Bcast(&size, 1, MPI_INT, 0, comm));
    record->text = rank == 0 ? record->text : malloc((size_t)size);
    PetscCheck(record->text, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for %s", path);
    PetscCallMPI(MPI_Bcast(record->text, size, MPI_CHAR, 0, comm));
    PetscFunctionReturn(PETSC_SUCCESS);
}

static void CloseRecord(Record *record)
{
    free(record->text);
    record->text = NULL;
}

/** Takes the quotes off a value as the program writes it, or the remark behind a plain one. */
static void TakeValue(const char *from, size_t length, char *value, size_t size)
{
    const PetscBool is_quoted = (PetscBool)(length > 0 && from[0] == '"');
    size_t count = 0;
    for (size_t i = is_quoted ? 1 : 0; i < length && count + 1 < size; i++) {
        if (is_quoted && from[i] == '"') {
            break;
        }
        if (!is_quoted && from[i] == ' ' && i + 1 < length && from[i + 1] == ' ') {
            break;
        }
        i += is_quoted && from[i] == '\\' && i + 1 < length ? 1 : 0;
        value[count++] = from[i];
    }
    value[count] = '\0';
}

/** The value of a name at the beginning of a line, in a text that the program has written. */
static PetscBool FindValue(const Record *record, const char *name, char *value, size_t size)
{
    const size_t length = strlen(name);
    for (const char *line = record->text; line && *line;) {
        const char *end = strchr(line, '\n');
        const size_t width = end ? (size_t)(end - line) : strlen(line);
        if (width > length + 1 && strncmp(line, name, length) == 0 && line[length] == ':' &&
            line[length + 1] == ' ' && width < LONGEST_LINE) {
            TakeValue(line + length + 2, width - length - 2, value, size);
            return PETSC_TRUE;
        }
        line = end ? end + 1 : NULL;
    }
    return PETSC_FALSE;
}

PetscErrorCode EndedRunFind(MPI_Comm comm, const char *directory, EndedRun *ended)
{
    char text[64] = "";
    Record record = {.text = NULL};
    PetscFunctionBeginUser;
    *ended = (EndedRun){.is_there = PETSC_FALSE, .time = NAN};
    PetscCall(OpenRecord(comm, directory, "summary.yaml", &record));
    if (FindValue(&record, "status", text, sizeof(text))) {
        ended->is_there = PETSC_TRUE;
        ended->is_complete = (PetscBool)(strcmp(text, "done") == 0);
        if (FindValue(&record, "time", text, sizeof(text))) {
            ended->time = strtod(text, NULL);
        }
        if (FindValue(&record, "steady_states", text, sizeof(text))) {
            ended->steady_states = (PetscInt64)strtoll(text, NULL, 10);
        }
        if (!FindValue(&record, "reason", ended->reason, sizeof(ended->reason))) {
            (void)snprintf(ended->reason, sizeof(ended->reason), "summary.yaml does not say why");
        }
    }
    CloseRecord(&record);
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadOption(void *context, const char *name, char *text, size_t size,
                                 PetscBool *is_there)
{
    PetscFunctionBeginUser;
    *is_there = FindValue(context, name, text, size);
    PetscFunctionReturn(PETSC_SUCCESS);
}

/** Checksums of files stand in the summary in a mapping, below each other by option. */
static PetscErrorCode ReadSum(void *context, const char *name, char *text, size_t size,
                              PetscBool *is_there)
{
    char key[PETSC_MAX_OPTION_NAME + 8];
    PetscFunctionBeginUser;
    (void)snprintf(key, sizeof(key), "  %s", name);
    *is_there = FindValue(context, key, text, size);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EndedRunCompare(const EngramSimulation *simulation, const char *directory,
                               char *list, size_t size)
{
    Record record = {.text = NULL};
    Record summary = {.text = NULL};
    EngramCaseDifferences differences = {.list = ""};
    PetscFunctionBeginUser;
    MPI_Comm comm = simulation->grid->comm;
    PetscCall(OpenRecord(comm, directory, "case.yaml", &record));
    PetscCall(OpenRecord(comm, directory, "summary.yaml", &summary));
    const EngramCaseSource source = {.option = ReadOption,
                                     .option_context = &record,
                                     .file_sum = ReadSum,
                                     .file_sum_context = &summary,
                                     .is_ended = PETSC_TRUE};
    const PetscErrorCode code =
        EngramCaseCompare(&source, simulation->options, &simulation->file_sums, &differences);
    CloseRecord(&record);
    CloseRecord(&summary);
    PetscCall(code);
    (void)snprintf(list, size, "%s", differences.list);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool EndedRunHasReached(const EngramSimulation *simulation, const EndedRun *ended)
{
    const double end = simulation->protocol->end;
    if (!ended->is_complete) {
        return PETSC_FALSE;
    }
    /* Steady states are where they are, whenever the run came to them. */
    return (PetscBool)(simulation->is_steady || fabs(ended->time - end) <= TIME_TOLERANCE * end);
}
