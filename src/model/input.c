#include "engram/model/input.h"

#include <stdio.h>
#include <string.h>

#include "engram/base/error.h"
#include "engram/base/file_system.h"
#include "engram/kernels/checksum.h"
#include "engram/model/expression.h"
#include "input_switch.h"
#include "input_table.h"

/* A table larger than this is no signal for a program that evaluates it at every step. */
static const PetscInt64 LONGEST_FILE = 1 << 30;

struct EngramInput {
    EngramExpression expression; /* or NULL */
    InputSwitches switches;      /* of the expression */
    InputTable table;
    uint64_t file_sum; /* of the file of the table */
    char *text;
    char *option;
};

/** The whole file on the first rank, with a zero behind it. @return NULL where it has failed */
static char *ReadWhole(const char *path, int *size)
{
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    const int is_open = file && fseek(file, 0, SEEK_END) == 0;
    const long length = is_open ? ftell(file) : -1;
    if (length >= 0 && length < LONGEST_FILE && fseek(file, 0, SEEK_SET) == 0 &&
        PetscMalloc1(length + 1, &text) == PETSC_SUCCESS) {
        if (fread(text, 1, (size_t)length, file) != (size_t)length) {
            (void)PetscFree(text);
            text = NULL;
        } else {
            text[length] = '\0';
            *size = (int)length + 1;
        }
    }
    if (file) {
        (void)fclose(file);
    }
    return text;
}

/** Checksum of a text: of its whole words, and of a last one that is filled up with zeros. */
static uint64_t SumText(const char *text, size_t length)
{
    uint64_t rest = 0;
    const size_t words = length / sizeof(rest);
    memcpy(&rest, text + words * sizeof(rest), length % sizeof(rest));
    return EngramChecksum(0, text, (ptrdiff_t)words) + EngramChecksum(words, &rest, 1) + length;
}

/** A whole file on all ranks; the caller frees it. */
static PetscErrorCode ShareFile(const char *option, const char *path, char **text)
{
    PetscMPIInt rank = 0;
    int size = 0;
    PetscFunctionBeginUser;
    PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
    *text = rank == 0 ? ReadWhole(path, &size) : NULL;
    PetscCallMPI(MPI_Bcast(&size, 1, MPI_INT, 0, PETSC_COMM_WORLD));
    if (size == 0) {
        PetscCall(EngramInputError("-%s " ENGRAM_INPUT_FILE "%s: cannot be read; paths are seen "
                                   "from the folder in which the program was started",
                                   option, path));
    }
    if (rank != 0) {
        PetscCall(PetscMalloc1(size, text));
    }
    PetscCallMPI(MPI_Bcast(*text, size, MPI_CHAR, 0, PETSC_COMM_WORLD));
    if (strlen(*text) + 1 != (size_t)size) {
        PetscCall(EngramInputError("-%s " ENGRAM_INPUT_FILE "%s: is no text", option, path));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadTable(const char *option, const char *path, EngramInput input)
{
    char source[PETSC_MAX_PATH_LEN + 64];
    char *text = NULL;
    PetscFunctionBeginUser;
    (void)snprintf(source, sizeof(source), "-%s " ENGRAM_INPUT_FILE "%s", option, path);
    PetscErrorCode code = ShareFile(option, path, &text);
    if (!code) {
        input->file_sum = SumText(text, strlen(text));
        code = InputTableParse(source, text, &input->table);
    }
    PetscCall(PetscFree(text));
    PetscCall(code);
    PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EngramInputCreate(const char *option, const char *text, EngramInput *input)
{
    EngramInput made = NULL;
    PetscFunctionBeginUser;
    PetscCall(PetscNew(&made));
    *input = made;
    PetscCall(PetscStrallocpy(option, &made->option));
    PetscCall(PetscStrallocpy(text, &made->text));
    const size_t prefix = strlen(ENGRAM_INPUT_FILE);
    if (strncmp(text, ENGRAM_INPUT_FILE, prefix) == 0) {
        PetscCall(ReadTable(option, text + prefix, made));
    } else {
        PetscCall(EngramExpressionCreate(option, text, "wts", &made->expression));
        PetscCall(InputSwitchesFind(option, text, &made->switches));
    }
    PetscFunctionReturn(PETSC_SUCCESS);
}

void EngramInputValues(EngramInput input, double time, double since, PetscInt count,
                       const double *w, double *values)
{
    if (!input->expression) {
        InputTableValues(&input->table, input->table.time == 's' ? since : time, count, w, values);
        return;
    }
    for (PetscInt i = 0; i < count; i++) {
        const double variables[3] = {w[i], time, since};
        values[i] = EngramExpressionValue(input->expression, variables);
    }
}

PetscBool EngramInputIsSteady(EngramInput input)
{
    if (!input->expression) {
        return (PetscBool)(input->table.times == 1);
    }
    return (PetscBool)(!EngramExpressionUses(input->expression, 't') &&
                       !EngramExpressionUses(input->expression, 's'));
}

PetscInt EngramInputTimes(EngramInput input, const double **times, PetscBool *since_phase)
{
    *times = input->table.t;
    *since_phase = (PetscBool)(input->table.time == 's');
    return input->expression || input->table.times == 1 ? 0 : input->table.times;
}

PetscInt EngramInputSwitchCount(EngramInput input)
{
    return input->switches.count;
}

PetscBool EngramInputSwitchIsOn(EngramInput input, PetscInt number, double time, double since)
{
    const double variables[3] = {0.0, time, since};
    return (PetscBool)(EngramExpressionValue(input->switches.list[number].comparison, variables) !=
                       0.0);
}

double EngramInputSwitchDifference(EngramInput input, PetscInt number, double time, double since)
{
    const double variables[3] = {0.0, time, since};
    return EngramExpressionValue(input->switches.list[number].difference, variables);
}

const char *EngramInputText(EngramInput input)
{
    return input->text;
}

const char *EngramInputOption(EngramInput input)
{
    return input->option;
}

PetscBool EngramInputFileSum(EngramInput input, uint64_t *checksum)
{
    *checksum = input->file_sum;
    return (PetscBool)!input->expression;
}

PetscErrorCode EngramInputDestroy(EngramInput *input)
{
    PetscFunctionBeginUser;
    if (!*input) {
        PetscFunctionReturn(PETSC_SUCCESS);
    }
    PetscCall(EngramExpressionDestroy(&(*input)->expression));
    PetscCall(InputSwitchesDestroy(&(*input)->switches));
    PetscCall(InputTableDestroy(&(*input)->table));
    PetscCall(PetscFree((*input)->text));
    PetscCall(PetscFree((*input)->option));
    PetscCall(PetscFree(*input));
    PetscFunctionReturn(PETSC_SUCCESS);
}
